# Sourced by tools/quickstart and tools/test, with the repository root as the current directory.
# Installs what a build needs and is missing, and offers build_preset.

readonly VENV=.venv
readonly CMAKE=$VENV/bin/cmake
readonly CTEST=$VENV/bin/ctest

say() { printf '%s\n' "$*"; }
die() {
  printf '%s: error: %s\n' "$0" "$*" >&2
  exit 1
}

# run_logged LOG COMMAND...: keeps the command's output in a file and shows its end on failure.
run_logged() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    die "failed: $* (whole output: $log)"
  fi
}

# The entries of a list file, without comments.
entries() { sed 's/#.*//' "$1" | tr -s '[:space:]' '\n' | sed '/^$/d'; }

# The packages of tools/setup-packages.txt that are not installed.
missing_packages() {
  local installed
  # dpkg-query fails when it does not know some package; what it prints is what counts.
  installed=$(entries tools/setup-packages.txt | xargs dpkg-query -W \
    -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' || true)
  comm -23 <(entries tools/setup-packages.txt | sort) <(sort -u <<<"$installed")
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  elif command -v sudo >/dev/null; then
    sudo env DEBIAN_FRONTEND=noninteractive "$@"
  else
    die "not root, and there is no sudo; install by hand: $(missing_packages | xargs)"
  fi
}

setup_packages() {
  command -v dpkg-query >/dev/null ||
    die "this script installs Debian packages; elsewhere install the equivalents of" \
      "tools/setup-packages.txt and use the CMake presets"
  local missing
  missing=$(missing_packages | xargs)
  if [ -z "$missing" ]; then
    say "set-up: all Debian packages are installed"
    return
  fi
  say "set-up: installing Debian packages: $missing"
  run_logged build/setup/apt-update.log as_root apt-get update
  # shellcheck disable=SC2086 # a list of words
  run_logged build/setup/apt-install.log \
    as_root apt-get install -y --no-install-recommends $missing
}

setup_wheels() {
  local stamp=$VENV/set-up wanted
  wanted="$(python3 --version) in $PWD: $(entries tools/setup-wheels.txt | xargs)"
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    say "set-up: all Python wheels are installed"
    return
  fi
  say "set-up: installing Python wheels into $VENV: $(entries tools/setup-wheels.txt | xargs)"
  run_logged build/setup/venv.log python3 -m venv --clear "$VENV"
  run_logged build/setup/pip.log "$VENV/bin/python" -m pip install --disable-pip-version-check \
    --no-deps --requirement tools/setup-wheels.txt
  printf '%s\n' "$wanted" >"$stamp"
}

setup() {
  setup_packages
  setup_wheels
}

# build_preset PRESET [TARGET...]: configures and builds build/PRESET.
build_preset() {
  local preset=$1
  shift
  say "building: preset $preset, in build/$preset"
  run_logged "build/setup/configure-$preset.log" "$CMAKE" --preset "$preset"
  "$CMAKE" --build --preset "$preset" --parallel "$(nproc)" ${1:+--target "$@"}
}
