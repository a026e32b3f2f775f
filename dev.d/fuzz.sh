verb_help() {
  cat <<'TEXT'
usage: ./dev fuzz [--seconds N] [TARGET...]        targets: the NAMEs of tests/fuzz/NAME_fuzz.cc

Builds the libFuzzer targets with sanitizers and runs each for N seconds (60), two at a time, from the seeds in
tests/fuzz/corpus/NAME. What it learns stays in build/corpus/NAME; a crashing input in build/crashes/.
TEXT
}

verb_main() {
  local seconds=${FUZZ_SECONDS:-60}
  local -a targets=()
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
      -*) verb_help >&2; exit 2 ;;
      *) targets+=("$1"); shift ;;
    esac
  done
  require compile fuzz
  build_preset fuzz -DWAYLAY_TESTS=OFF
  fuzz_all "$seconds" "${targets[@]}"
  note "$fuzz_passed targets without a finding, $fuzz_failed with"
  [ "$fuzz_failed" = 0 ]
}
