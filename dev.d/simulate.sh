verb_help() {
  cat <<'TEXT'
usage: ./dev simulate [--seconds N] [--seed N [--verbose]] [--from N]

Thousands of connections through the daemon's core in memory, with bytes cut at random, events in any order, stalls,
resets, half-closes and rules that change meanwhile (60 seconds, under the sanitizers). What it checks: no byte is lost,
doubled or from another connection, what looks complete is, no buffer grows without bound, every connection ends.
What it finds, it names by a seed; --seed N shows it again, step for step.
TEXT
}

verb_main() {
  require compile fuzz
  build_preset fuzz -DWAYLAY_TESTS=ON
  build/fuzz/simulation "$@"
}
