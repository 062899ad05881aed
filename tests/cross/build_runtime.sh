#!/bin/sh
# build_runtime.sh CXX ARCHIVE SOURCES...: builds the runtime with strict warnings and the flags
# that runtime/CMakeLists.txt gives.
set -eu
cxx=$1 archive=$2
shift 2
directory=$archive.objects
rm -rf "$archive" "$directory"
mkdir -p "$directory"
include=$(cd "$(dirname "$0")/../../runtime/include" && pwd)
for source; do
  "$cxx" -std=c++20 -O2 -fPIC -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic -Werror \
    -I"$include" -c "$source" -o "$directory/$(basename "$source").o"
done
ar rcs "$archive" "$directory"/*.o
