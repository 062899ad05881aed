#!/bin/sh
# Runs one fuzzer for a minute, or for ATTUNE_FUZZ_SECONDS. What it finds interesting stays in
# FOLDER/corpus and is the start of the next run; an input that breaks a promise stays in FOLDER.
# usage: run.sh FUZZER FOLDER MAX_LENGTH DICTIONARY SEEDS...
set -eu
fuzzer=$1 folder=$2 length=$3 dictionary=$4
shift 4
seconds=${ATTUNE_FUZZ_SECONDS:-60}
mkdir -p "$folder/corpus"
log=$folder/log

# One allocation may take what reading a whole file may take, and no more.
if timeout $((seconds + 300)) "$fuzzer" "$folder/corpus" "$@" -max_total_time="$seconds" \
  -timeout=10 -max_len="$length" -len_control=0 -malloc_limit_mb=65 -rss_limit_mb=1024 -dict="$dictionary" \
  -artifact_prefix="$folder/" -print_final_stats=1 >"$log" 2>&1; then
  grep -E '^INFO: Seed|DONE|^stat::' "$log"
  exit 0
fi
tail -n 100 "$log"
input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
echo "The log is $log. ${input:+The input is $input. To repeat:}"
[ -z "$input" ] || echo "  $fuzzer $input"
exit 1
