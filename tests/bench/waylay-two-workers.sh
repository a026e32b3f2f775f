#!/bin/bash
# Waylay with two workers on the one core that a peer has: what sharing between workers costs, not what it gains.
here=$(dirname "$(readlink -f "$0")")
WAYLAY_BENCH_WORKERS=2 exec "$here/waylay.sh" "$@"
