verb_help() {
  cat <<'TEXT'
usage: ./dev test [PART...] [-k WORDS]

Builds and runs the tests; the last line says "N passed, M failed". Without PARTs all of them:

  unit   every GoogleTest program of the build `dev` (the kernel's hooks too)
  asan   the programs of the pure floors under the address and undefined-behaviour sanitizers
  fuzz   each fuzz target for FUZZ_SECONDS (30), two at a time, and the simulation for SIMULATE_SECONDS (60), both from
         the same seeds each time; ./dev fuzz and ./dev simulate look elsewhere each time
  e2e    real containers, clients and servers against the daemon, in network namespaces without a way out

  -k WORDS   only the e2e cases whose name contains WORDS

Needs root for namespaces, containers and BPF; asks for it at the start. Nothing leaves the machine, and everything that
is made (also by an earlier run that crashed) is removed.
TEXT
}

verb_main() {
  become_root test "$@"
  local -a parts=()
  local words=''
  while [ $# -gt 0 ]; do
    case $1 in
      unit | asan | fuzz | e2e) parts+=("$1"); shift ;;
      -k) words=${2:?-k needs words}; shift 2 ;;
      *) verb_help >&2; exit 2 ;;
    esac
  done
  if [ ${#parts[@]} = 0 ]; then parts=(unit asan fuzz e2e); fi
  started=$SECONDS passed=0 failed=0 failures=$WAYLAY_TOP/build/failures
  mkdir -p "$WAYLAY_TOP/build"
  : >"$failures"
  require compile kernel unit fuzz world engine servers clients
  build_for "${parts[@]}"
  for part in "${parts[@]}"; do "test_$part" "$words"; done
  own_build
  say "tested in $(stopwatch "$started")"
  sed 's/^/    failed: /' "$failures"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

build_for() {
  case " $* " in *" unit "* | *" e2e "*) build_preset dev ;; esac
  # One sanitizer build serves both: the preset `fuzz` is the preset `asan` with libFuzzer's instrumentation.
  case " $* " in *" asan "* | *" fuzz "*) build_preset fuzz -DWAYLAY_TESTS=ON ;; esac
}

count() { passed=$((passed + $1)) failed=$((failed + $2)); }

test_unit() {
  say "unit, I/O and kernel tests"
  run_ctest dev
}

test_asan() {
  say "unit tests under the address and undefined-behaviour sanitizers"
  run_ctest fuzz
}

# run_ctest PRESET: the programs one after another (the kernel's share the machine's hooks), counted case by case.
run_ctest() {
  local directory=$WAYLAY_TOP/build/$1 results=$WAYLAY_TOP/build/$1/test-results counts
  rm -rf "$results"
  mkdir -p "$results"
  GTEST_OUTPUT="xml:$results/" GTEST_COLOR=no ctest --test-dir "$directory" --output-on-failure \
    --output-junit "$results/ctest.junit" || true
  counts=$(/usr/bin/python3 -B tests/support/count_tests.py "$results" "$failures")
  note "build $1: $counts"
  # shellcheck disable=SC2046,SC2086  # two numbers out of "N passed, M failed"
  count $(tr -dc '0-9 ' <<<"$counts")
}

test_fuzz() {
  FUZZ_SEED=1 fuzz_all "${FUZZ_SECONDS:-30}"
  count "$fuzz_passed" "$fuzz_failed"
  if [ "$fuzz_failed" != 0 ]; then printf 'fuzz target %s\n' "${fuzz_findings[@]}" >>"$failures"; fi
  say "simulating random networks and peers for ${SIMULATE_SECONDS:-60} s"
  if build/fuzz/simulation --from 1 --seconds "${SIMULATE_SECONDS:-60}"; then
    count 1 0
  else
    count 0 1
    echo "the simulation" >>"$failures"
  fi
}

test_e2e() {
  npm_install tests/e2e/s3rver s3rver
  npm_install tests/e2e/aws aws
  npm_install tests/e2e/undici undici
  say "end-to-end tests"
  local results=$WAYLAY_TOP/build/e2e-results
  rm -f "$results"
  /usr/bin/python3 -B tests/e2e/run.py --build build/dev --counts "$results" --failures "$failures" ${1:+-k "$1"} || true
  if [ ! -s "$results" ]; then
    echo "0 1" >"$results"
    echo "the end-to-end run ended early" >>"$failures"
  fi
  # shellcheck disable=SC2046  # two numbers
  count $(cat "$results")
}
