#!/usr/bin/env bash
# Configures a preset and builds: tools/build.sh PRESET [TARGET...]. Settings are the preset's and nothing else, so
# that quickstart and test share one build folder and nothing is built twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=$1
shift
folder=build/$preset
mkdir -p "$folder"
fail() { printf 'build: %s\n  what to do: %s\n' "$1" "$2" >&2; exit 1; }

# A gigabyte a compiler: fewer of them where memory is short.
jobs=$(nproc)
memory_gb=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
[ "$memory_gb" -ge "$jobs" ] || jobs=$((memory_gb > 1 ? memory_gb : 1))

# A fresh clone finds in the compiler's cache what another clone compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1

cmake --preset "$preset" >"$folder/configure.log" 2>&1 || { tail -n 20 "$folder/configure.log" >&2
  fail "configuring failed (whole output: $folder/configure.log)" "run tools/setup.sh; if that is well, remove $folder and try again"; }
targets=()
for target in "$@"; do targets+=(--target "$target"); done
cmake --build "$folder" -j "$jobs" "${targets[@]}" ||
  fail "compiling failed (see above)" "if a compiler was killed, free memory or disk; else it is a fault of this source tree"
