#!/bin/bash
# Waylay as a peer that decrypts nothing: a rule passes every connection through. To be compared with haproxy-tcp.
here=$(dirname "$(readlink -f "$0")")
if [ "$1" = run ]; then
  mkdir -p "$BENCH_DIR/rules"
  echo '{"name": "leave-it", "match": "", "passthrough": true}' >"$BENCH_DIR/rules/all.json"
fi
exec "$here/waylay.sh" "$@"
