verb_help() {
  cat <<'TEXT'
usage: ./dev bench [--peers A,B,...] [--workloads A,B,...] [--reps N] [--duration SECONDS]

Measures the release build beside other interceptors and proxies in one run and prints medians, spreads and ratios to
nginx-reencrypt. Figures of different runs are not comparable: compare within a table, and CPU per unit of work first.

  --peers       default: direct,nginx-reencrypt,waylay, and those of haproxy-reencrypt, haproxy-tcp, sslsplit, squid
                and mitmproxy that are installed
  --workloads   default: all; small_h1,conn_full,bulk1,idle are the quick ones
  --reps        default: 3, interleaved
  --duration    seconds for each load, default: the harness's

The harness is the folder that WAYLAY_BENCH names (default: ../shared/bench). Raw lines are kept in build/bench/.
TEXT
}

verb_main() {
  become_root bench "$@"
  local peers=direct,nginx-reencrypt,waylay,haproxy-reencrypt,haproxy-tcp,sslsplit,squid,mitmproxy
  local -a options=()
  while [ $# -gt 0 ]; do
    case $1 in
      --peers) peers=${2:?--peers needs a list}; shift 2 ;;
      --workloads | --reps | --duration) options+=("$1" "${2:?$1 needs a value}"); shift 2 ;;
      *) verb_help >&2; exit 2 ;;
    esac
  done
  local harness=${WAYLAY_BENCH:-$WAYLAY_TOP/../shared/bench}
  [ -f "$harness/bench.py" ] || die "no benchmark harness at $harness: set WAYLAY_BENCH to its folder"
  require compile kernel bench
  build_preset release -DWAYLAY_TESTS=OFF
  local place=$WAYLAY_TOP/build/bench results
  rm -rf "$place/harness"
  mkdir -p "$place"
  cp -r "$harness" "$place/harness"
  chmod -R u+w "$place/harness"
  cp tests/bench/waylay.sh "$place/harness/peers/waylay.sh"
  results=$place/$(date +%Y-%m-%d-%H%M%S).jsonl
  say "measuring into ${results#"$WAYLAY_TOP"/}"
  WAYLAYD=$WAYLAY_TOP/build/release/waylayd /usr/bin/python3 -B "$place/harness/bench.py" run --peers "$peers" --out "$results" "${options[@]}"
  /usr/bin/python3 -B "$place/harness/summary.py" "$results" --spread --base nginx-reencrypt | tee "${results%.jsonl}.md"
  own_build
}
