#!/bin/sh
# run.sh STEP CMAKE BUILD WORK: one step of the embedding tests, with the compilers cc and c++. BUILD
# is attune's build folder; everything is written below WORK.
set -eu
export ATTUNE_CACHE_DIR= ATTUNE_DATABASE= # the user's cache and schedules are not ours
step=$1 cmake=$2 build=$3 work=$4
projects=$(cd "$(dirname "$0")" && pwd)
prefix=$work/prefix
folder=$work/$step
export CC=cc CXX=c++ CMAKE_GENERATOR=Ninja
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CMAKE_PREFIX_PATH attune_DIR attune_ROOT || true

fail() {
  echo "run.sh $step: $*" >&2
  exit 1
}

# install PREFIX [ARGUMENTS...]
install() {
  rm -rf "$1"
  "$cmake" --install "$build" --prefix "$@" >"$folder/install.txt"
}

# configure PROJECT PREFIX [ARGUMENTS...]: in $folder/PROJECT, from a copy of the sources.
configure() {
  project=$1 from=$2
  shift 2
  cp -R "$projects/$project" "$folder/$project-source"
  "$cmake" -S "$folder/$project-source" -B "$folder/$project" -DCMAKE_PREFIX_PATH="$from" "$@"
}

make_project() {
  configure "$@"
  "$cmake" --build "$folder/$1"
}

# What the loader takes for Halide, and what the files of the package say, must lie in PREFIX.
expect_own_files() {
  for file in bin/attune lib/libattune_compiler.so; do
    ldd "$1/$file" | grep -F "libHalide.so => $1/" || fail "$file takes Halide from elsewhere"
  done
  if grep -rF -e "$2" -e "$build" "$1/lib/cmake" "$1/lib/pkgconfig"; then
    fail "the package names a folder that is not its own"
  fi
}

# installed WHAT FILE: the prefix has what attune prints.
installed() {
  "$prefix/bin/attune" print "$1" | cmp - "$prefix/share/$2" || fail "share/$2 is not what it should be"
}

step_install() {
  install "$prefix"
  "$prefix/bin/attune" --version
  installed man man/man1/attune.1
  installed schema attune/attune.schema.json
  installed bash-completion bash-completion/completions/attune
  installed zsh-completion zsh/site-functions/_attune
  installed fish-completion fish/vendor_completions.d/attune.fish
}

step_c_project() {
  make_project c "$prefix"
  "$folder/c/embed_c" "$folder/parameters.safetensors"
}

step_cpp_project() {
  make_project cpp "$prefix"
  "$folder/cpp/embed_cpp"
}

step_baked() {
  make_project baked "$prefix" -DGOLDEN="$projects/../goldens/mha/case_019"
  "$folder/baked/embed_baked" "$projects/../goldens/mha/case_019.safetensors"
}

# The compiler as a library. Its symbols are its own: nothing of LLVM, MLIR or the rooms below.
step_library() {
  make_project library "$prefix" -DEXAMPLE="$projects/../../tools/example/compile_at_run_time.cpp"
  for program in example compiler_first runtime_first; do
    "$folder/library/$program"
  done
  nm -D --defined-only -C "$prefix/lib/libattune_compiler.so" >"$folder/symbols.txt"
  if grep -E ' (llvm|mlir|Halide)::|attune::(mha|cpu|Config|parseConfig)' "$folder/symbols.txt"; then
    fail "the library shows what is inside of it"
  fi
  export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
  # shellcheck disable=SC2046 # a list of words
  c++ -std=c++17 "$projects/../../tools/example/compile_at_run_time.cpp" \
    $(pkg-config --cflags --libs attune-compiler) -pthread -Wl,-rpath,"$prefix/lib" \
    -o "$folder/with_pkg_config"
  "$folder/with_pkg_config"
}

step_makefile() {
  cp -R "$projects/c" "$folder/c"
  cd "$folder/c"
  rm CMakeLists.txt
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig make ATTUNE="$prefix/bin/attune"
  ./embed_c "$folder/parameters.safetensors"
}

# An object compiled elsewhere, a prefix with the runtime alone: no compiler, no LLVM, no Halide and
# no libstdc++.
step_runtime_only() {
  install "$folder/prefix" --component runtime
  [ ! -e "$folder/prefix/bin" ] || fail "the component runtime has programs"
  "$prefix/bin/attune" compile "$projects/runtime/attention.json" -o "$folder/module" --target host
  make_project runtime "$folder/prefix" -DMODULE_DIR="$folder/module"
  "$folder/runtime/embed_runtime"
  grep -q 'embed_runtime: C_EXECUTABLE_LINKER' "$folder/runtime/build.ninja" ||
    fail "a C program is not linked as one"
  if readelf -d "$folder/runtime/embed_runtime" | grep -E 'NEEDED.*(stdc|LLVM|MLIR|Halide)'; then
    fail "a C program needs libraries that it should not need"
  fi
  export PKG_CONFIG_PATH="$folder/prefix/lib/pkgconfig"
  # shellcheck disable=SC2046 # a list of words
  cc -std=c11 -I"$folder/module" "$projects/runtime/main.c" "$folder/module/attention.o" \
    $(pkg-config --cflags --libs attune-runtime) -lm -o "$folder/with_pkg_config"
  "$folder/with_pkg_config"
}

step_moved() {
  install "$folder/first"
  expect_own_files "$folder/first" "$folder/second"
  mv "$folder/first" "$folder/second"
  expect_own_files "$folder/second" "$folder/first"
  make_project c "$folder/second"
  "$folder/c/embed_c" "$folder/parameters.safetensors"
  # A shared object is linked with the runtime, which the compiler finds beside itself.
  "$folder/second/bin/attune" compile "$projects/runtime/attention.json" -o "$folder/so" --emit=so
  rm -rf "$folder/second"
}

# rebuilds WHAT yes|no: whether a build makes the object again.
rebuilds() {
  touch "$folder/before"
  "$cmake" --build "$folder/c" || fail "the build failed after a change of $1"
  newer=$(find "$folder/c/attune/embed_c/encoder.o" -newer "$folder/before")
  found=${newer:+yes}
  found=${found:-no}
  [ "$found" = "$2" ] || fail "object made again after a change of $1: $found, expected $2"
}

step_rebuild() {
  install "$folder/prefix"
  make_project c "$folder/prefix"
  rebuilds nothing no
  touch "$folder/c-source/main.c"
  rebuilds "a source" no
  touch "$folder/c-source/encoder.json"
  rebuilds "the configuration" yes
  touch "$folder/prefix/bin/attune"
  rebuilds "the compiler" yes
  # Another name means other files and functions.
  sed -i 's/encoder/renamed/g' "$folder/c-source/main.c" "$folder/c-source/encoder.json"
  "$cmake" --build "$folder/c"
  "$folder/c/embed_c" "$folder/parameters.safetensors"
  rm -rf "$folder/prefix"
}

# The database of whoever builds is not looked at; one that the project names is.
step_database() {
  "$prefix/bin/attune" compile "$projects/runtime/attention.json" -o "$folder/default"
  python3 "$projects/../lit/driver/Inputs/record.py" "$folder/default/attention.json" head_dim=16 \
    schedule.query_tile=24 >"$folder/database.jsonl"
  ATTUNE_DATABASE=$folder/database.jsonl make_project database "$prefix" -DPROGRAM="$projects/runtime" \
    -DDATABASE="$folder/database.jsonl"
  cmp "$folder/default/attention.o" "$folder/database/attune/plain/attention.o"
  grep -F '"query_tile": 24' "$folder/database/attune/stored/attention.json" ||
    fail "DATABASE was not looked at"
  "$folder/database/plain" && "$folder/database/stored"
}

# refused MISTAKE PREFIX TEXT: configuring with this mistake fails and says TEXT.
refused() {
  rm -rf "$folder/build"
  if "$cmake" -S "$projects/mistakes" -B "$folder/build" -DMISTAKE="$1" -DCMAKE_PREFIX_PATH="$2" \
    >"$folder/$1.txt" 2>&1; then
    fail "$1: was accepted"
  fi
  # CMake wraps what it prints.
  tr -s ' \n' ' ' <"$folder/$1.txt" | grep -F "$3" >"$folder/found" || {
    cat "$folder/$1.txt"
    fail "$1: did not say: $3"
  }
}

step_mistakes() {
  refused no_config "$prefix" "(TARGET app): expected TARGET target CONFIG file.json"
  refused missing_file "$prefix" "missing.json does not exist"
  refused no_target "$prefix" "TARGET ap is no target"
  refused prefix_alone "$prefix" "PREFIX layer. without WEIGHTS"
  refused missing_weights "$prefix" "missing.pt does not exist"
  refused missing_database "$prefix" "missing.jsonl does not exist"
  refused misspelt_keyword "$prefix" "TARGET_CPU host): expected"
  refused same_name "$prefix" "TARGET app has a configuration named attention already"
  refused misspelt_component "$prefix" "there is no component runtme"
  refused too_new "$prefix" 'compatible with requested version "99"'
  install "$folder/prefix" --component runtime
  refused no_compiler "$folder/prefix" "there is no component compiler"
}

rm -rf "$folder"
mkdir -p "$folder"
"step_$step"
