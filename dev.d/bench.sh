verb_help() {
  cat <<'TEXT'
usage: ./dev bench [peers] [--peers A,B,...] [--workloads A,B,...] [--reps N] [--duration SECONDS] [--rules N]
       ./dev bench own [--seconds N] [--reps N] [--scale | --distance | --neighbours]
       ./dev bench micro [FILTER]
       ./dev bench instructions [--record] [--profile [WORKLOAD]]

peers (default): the release build beside other interceptors and proxies in one run: medians, spreads and ratios to
nginx-reencrypt. Figures of different runs are not comparable: compare within a table, and CPU per unit of work first.
Ratios that are worse than in the last kept run, beyond the noise, are listed.

  --peers       default: direct,nginx-reencrypt,waylay,haproxy-reencrypt,haproxy-tcp,sslsplit,squid,mitmproxy;
                also waylay-passthrough (nothing is decrypted: beside haproxy-tcp) and waylay-two-workers
  --workloads   default: all; small_h1,conn_full,bulk1,idle are the quick ones
  --reps        default: 3, interleaved
  --duration    seconds for each load, default: the harness's
  --rules       so many rules are loaded into Waylay, each for a host of its own; default: 10. In the workload "rewrite"
                one more applies, to every exchange

The harness is the folder that WAYLAY_BENCH names (default: ../shared/bench). Raw lines are kept in build/bench/.

own: the real way of use, client and interception in one namespace: nobody between, an nft redirect, the bpf engine.
With --scale instead the cost of a connection by the number of those open and of attached targets, and the time of an
attach; with --distance the time to the first byte by the round-trip time to the origin; with --neighbours what a process
that is no target pays for those that are.

micro: Google Benchmark of the pure floors in memory; FILTER is a regular expression.

instructions: what callgrind counts for one exchange, connection and mebibyte, beside the committed figures. Hardly
depends on the machine's load. --record commits to the new figures, --profile says where they go.
TEXT
}

verb_main() {
  local mode=peers
  case ${1:-} in
    peers | own | micro | instructions) mode=$1; shift ;;
  esac
  "bench_$mode" "$@"
}

bench_peers() {
  become_root bench peers "$@"
  local peers=direct,nginx-reencrypt,waylay,haproxy-reencrypt,haproxy-tcp,sslsplit,squid,mitmproxy
  local -a options=()
  local rules=10
  while [ $# -gt 0 ]; do
    case $1 in
      --peers) peers=${2:?--peers needs a list}; shift 2 ;;
      --workloads | --reps | --duration) options+=("$1" "${2:?$1 needs a value}"); shift 2 ;;
      --rules) rules=${2:?--rules needs a number}; shift 2 ;;
      *) verb_help >&2; exit 2 ;;
    esac
  done
  local harness=${WAYLAY_BENCH:-$WAYLAY_TOP/../shared/bench}
  [ -f "$harness/bench.py" ] || die "no benchmark harness at $harness: it lies beside the project, not in it.
    Set WAYLAY_BENCH to its folder; ./dev bench own, micro and instructions do without."
  require compile kernel bench
  case $peers in *haproxy* | *sslsplit* | *squid* | *mitmproxy*) require peers ;; esac
  build_preset release -DWAYLAY_TESTS=OFF
  local place=$WAYLAY_TOP/build/bench results
  rm -rf "$place/harness"
  mkdir -p "$place"
  cp -r "$harness" "$place/harness"
  chmod -R u+w "$place/harness"
  cp tests/bench/waylay*.sh "$place/harness/peers/"
  mkdir -p "$place/rules"
  /usr/bin/python3 -B tests/bench/rules.py "$rules" >"$place/rules/bench.json"
  results=$place/$(date +%Y-%m-%d-%H%M%S).jsonl
  say "measuring into ${results#"$WAYLAY_TOP"/}"
  WAYLAYD=$WAYLAY_TOP/build/release/waylayd WAYLAY_BENCH_RULES=$place/rules /usr/bin/python3 -B "$place/harness/bench.py" \
    run --peers "$peers" --out "$results" "${options[@]}"
  /usr/bin/python3 -B "$place/harness/summary.py" "$results" --spread --base nginx-reencrypt | tee "${results%.jsonl}.md"
  /usr/bin/python3 -B tests/bench/compare.py "$results"
  own_build
}

bench_own() {
  become_root bench own "$@"
  require compile kernel bench world
  build_preset release -DWAYLAY_TESTS=OFF
  mkdir -p build/bench
  /usr/bin/python3 -B tests/bench/own.py --build build/release --keep build/bench "$@"
  own_build
}

bench_micro() {
  require compile micro
  build_preset micro
  build/micro/micro_bench ${1:+--benchmark_filter="$1"}
}

bench_instructions() {
  require compile micro
  build_preset micro
  say "counting instructions"
  /usr/bin/python3 -B tests/bench/instructions.py build/micro/instructions "$@"
}
