#!/bin/sh
# run.sh ATTUNE RUNTIME_ARCHIVE CC DIRECTORY: compiles and links both examples with strict warnings
# and runs the one that makes its own weights. The other needs a file that PyTorch wrote: it is run
# without one and must refuse.
set -eu
attune=$1 runtime=$2 cc=$3 directory=$4
source=$(cd "$(dirname "$0")/../.." && pwd)
library=$(dirname "$runtime")
example=$source/tools/example

compile() {
  "$attune" compile "$example/$1.json" -o "$directory" --target host
}
link() {
  program=$1
  module=$2
  shift 2
  "$cc" -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I"$directory" -I"$source/runtime/include" \
    "$example/$program.c" "$directory/$module.o" -L"$library" "$@" -lpthread -lm \
    -o "$directory/$program"
}

compile mha2560
link main mha2560 -lattune_runtime
"$directory/main"

compile mha256
link run_file mha256 -lattune_tensors -lattune_runtime -lstdc++
if "$directory/run_file" "$directory/mha256.json"; then
  echo "run_file accepted a file that is not .safetensors" >&2
  exit 1
fi
