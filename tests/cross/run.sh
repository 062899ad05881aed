#!/bin/sh
# run.sh ATTUNE TARGETS CC RUNTIME DIRECTORY EMULATOR [ARGUMENT]: compiles the configurations of
# this folder, each for the next of TARGETS in turn, links them with the program of this folder and
# runs it under EMULATOR, a command.
set -eu
export ATTUNE_CACHE_DIR= ATTUNE_DATABASE= # the user's cache and schedules are not ours
attune=$1 targets=$2 cc=$3 runtime=$4 directory=$5 emulator=$6
shift 6
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$directory"
queue=
for config in "$here"/*.json; do
  queue=${queue:-$targets}
  "$attune" compile "$config" -o "$directory" --target "${queue%% *}"
  queue=$(echo "$queue" | cut -s -d' ' -f2-)
done
"$cc" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I"$directory" -I"$here/../../runtime/include" \
  "$here"/*.c "$directory"/*.o "$runtime" -lpthread -lm -o "$directory/program"
# shellcheck disable=SC2086 # a command of several words
$emulator "$directory/program" "$@"
