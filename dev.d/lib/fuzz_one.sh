#!/usr/bin/env bash
# fuzz_one.sh SECONDS TARGET: one target, its seeds read only, what it learns kept in build/corpus. FUZZ_SEED 0: another
# seed each time.
seconds=$1 target=$2
mkdir -p "build/corpus/$target"
seeds=()
if [ -d "tests/fuzz/corpus/$target" ]; then seeds=("tests/fuzz/corpus/$target"); fi
timeout $((seconds + 120)) "build/fuzz/fuzzers/${target}_fuzz" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" \
  -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -artifact_prefix="build/crashes/$target-" "build/corpus/$target" "${seeds[@]}" \
  >"build/fuzz-results/$target.log" 2>&1
echo $? >"build/fuzz-results/$target.status"
