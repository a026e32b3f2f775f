# Running the fuzz targets that a build of the preset `fuzz` made.

# fuzz_all SECONDS [TARGET...]: sets fuzz_passed, fuzz_failed and fuzz_findings, the targets that failed.
fuzz_all() {
  local seconds=$1 target
  shift
  local -a targets=("$@")
  if [ ${#targets[@]} = 0 ]; then mapfile -t targets < <(fuzz_targets); fi
  for target in "${targets[@]}"; do
    [ -f "tests/fuzz/${target}_fuzz.cc" ] || die "there is no fuzz target \"$target\"; there are: $(fuzz_targets | paste -sd ' ')"
  done
  fuzz_passed=0 fuzz_failed=0 fuzz_findings=()
  say "fuzzing ${#targets[@]} targets, $seconds s each, two at a time"
  as_builder mkdir -p build/corpus build/crashes
  # xargs keeps two running; each writes its own log and leaves a file when it found something.
  as_builder rm -rf build/fuzz-results
  as_builder mkdir build/fuzz-results
  printf '%s\n' "${targets[@]}" |
    as_builder xargs -P 2 -I TARGET bash "$WAYLAY_TOP/dev.d/lib/fuzz_one.sh" "$seconds" TARGET
  for target in "${targets[@]}"; do
    if [ "$(cat "build/fuzz-results/$target.status" 2>/dev/null)" = 0 ]; then
      fuzz_passed=$((fuzz_passed + 1))
      note "$(printf '%-20s %s' "$target" "$(fuzz_summary "build/fuzz-results/$target.log")")"
    else
      fuzz_failed=$((fuzz_failed + 1))
      fuzz_findings+=("$target")
      warn "$target: FAILED (build/fuzz-results/$target.log)"
      show_log "build/fuzz-results/$target.log" 30
    fi
  done
}

fuzz_targets() { find tests/fuzz -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz\.cc$//' | sort; }

fuzz_summary() { grep -E '^Done [0-9]+ runs' "$1" | tail -n 1 || true; }
