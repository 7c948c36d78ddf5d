#!/usr/bin/env bash
# Makes build/deps/peers: a Python environment with the programs that ours is measured against, pinned by hash.
# usage: tools/peers.sh    prints the path of its python
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { printf 'peers: %s\n       %s\n' "$1" "$2" >&2; exit 1; }

list=tools/requirements-peers.txt folder=build/deps/peers
want=$(sha256sum <$list | cut -c1-64)
if [ "$(cat $folder/.made-from 2>/dev/null)" != "$want" ]; then
  python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' && [ "$(uname -m)" = x86_64 ] ||
    fail "the pinned wheels are for Python 3.11 on x86_64" "use Debian 12 on an x86_64 machine"
  printf 'peers: downloading the judges (about 100 MB)\n' >&2
  mkdir -p build/deps && rm -rf $folder
  python3 -m venv --without-pip $folder
  python3 -m pip --python $folder/bin/python install -q --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes -r $list >build/peers.log 2>&1 </dev/null || { tail -n 5 build/peers.log >&2
    fail "the wheels could not be installed, or a hash is not the pinned one (whole output: build/peers.log)" \
      "check the network and pip's settings (python3 -m pip config list), then run this again"; }
  printf '%s\n' "$want" >$folder/.made-from
fi
printf '%s/%s/bin/python\n' "$PWD" "$folder"
