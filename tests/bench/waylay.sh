#!/bin/bash
# Waylay as a peer of the benchmark harness: the daemon behind somebody else's redirect (--listen), one worker unless
# WAYLAY_BENCH_WORKERS says more, its flow records and ledger on, as they always are. WAYLAYD names the binary;
# WAYLAY_BENCH_RULES a directory of rules.
: "${WAYLAYD:=/usr/sbin/waylayd}"
case "$1" in
  available) [ -x "$WAYLAYD" ] ;;
  version) "$WAYLAYD" --version ;;
  redirect) echo nft ;;
  rules) echo 1 ;;
  run)
    mkdir -p "$BENCH_DIR/rules"
    if [ -n "$WAYLAY_BENCH_RULES" ]; then cp "$WAYLAY_BENCH_RULES"/*.json "$BENCH_DIR/rules/"; fi
    if [ "$BENCH_RULES" = 1 ]; then
      echo '{"name": "rewrite", "match": "http.request.uri == \"/rewrite\"", "status": 429}' >"$BENCH_DIR/rules/rewrite.json"
    fi
    ulimit -n "$(ulimit -Hn)"
    exec "$WAYLAYD" --listen "0.0.0.0:$BENCH_PORT" --workers "${WAYLAY_BENCH_WORKERS:-1}" --ca-cert "$BENCH_CA_CRT" --ca-key "$BENCH_CA_KEY" \
      --upstream-roots "$BENCH_ORIGIN_CA" --rules-dir "$BENCH_DIR/rules" --log-level warning \
      --state-dir "$BENCH_DIR/state" --runtime-dir "$BENCH_DIR/run"
    ;;
esac
