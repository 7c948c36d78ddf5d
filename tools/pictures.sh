#!/usr/bin/env bash
# Makes the pictures of docs/guide/pictures: the page with the sample studies, in Chromium (both by tools/setup.sh browser).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
fail() { printf 'pictures: %s\n  what to do: %s\n' "$1" "$2" >&2; exit 1; }
[ -x build/deps/node/bin/node ] || fail "Node is not here" "run tools/setup.sh browser"
tools/web.sh --packages
folder=$(mktemp -d)
build/release/penta serve --port 0 --data "$folder/data" --import build/samples >"$folder/line" 2>"$folder/log" &
server=$!
trap 'kill $server; wait $server; rm -rf "$folder"' EXIT
for _ in $(seq 600); do [ -s "$folder/line" ] && break; sleep 0.2; done
[ -s "$folder/line" ] || { cat "$folder/log" >&2; fail "penta serve did not start" "read the message above"; }
address=$(cut -d' ' -f1 "$folder/line")
mkdir -p docs/guide/pictures
build/deps/node/bin/node tests/browser/pictures.mjs "$address"
for picture in docs/guide/pictures/*.png; do
  [ "$(stat -c %s "$picture")" -lt 200000 ] || fail "$picture has more than 200 kB" "choose a view with less noise"
done
