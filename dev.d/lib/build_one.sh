#!/usr/bin/env bash
# build_one.sh LOG PRESET JOBS [CMAKE OPTIONS...]: configures and builds one preset; ninja's lines go to the output and the log.
set -euo pipefail
log=$1 preset=$2 jobs=$3
shift 3
cmake --preset "$preset" "$@" >"$log" 2>&1
cmake --build --preset "$preset" -j "$jobs" 2>&1 | tee -a "$log"
