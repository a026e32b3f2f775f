verb_help() {
  cat <<'TEXT'
usage: ./dev simulate [--seconds N] [--seed N [--verbose]] [--from N]

Thousands of connections through the daemon's core in memory, of HTTP/1.1, HTTP/2 and what is passed through, with bytes
cut at random, events in any order, stalls, resets, half-closes, malformed frames and rules that change meanwhile (60
seconds, under the sanitizers). What it checks: no byte is lost, doubled or from another connection or stream, what looks
complete is, no buffer grows without bound, a slow stream does not stop the others, when nothing moves both ends know
the same of their streams, every connection and every exchange ends, and what is recorded of them is what the client saw.
What it finds, it names by a seed; --seed N shows it again, step for step.
TEXT
}

verb_main() {
  require compile fuzz
  build_preset fuzz -DWAYLAY_TESTS=ON
  build/fuzz/simulation "$@"
}
