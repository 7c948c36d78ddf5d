#!/usr/bin/env bash
# Builds the page: web/ -> build/web, by the pinned Node of tools/setup.sh serve. Does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
node=build/deps/node/bin/node
npm=build/deps/node/lib/node_modules/npm/bin/npm-cli.js
fail() { printf 'web: %s\n  what to do: %s\n' "$1" "$2" >&2; exit 1; }
[ -x $node ] || fail "Node is not here ($node)" "run tools/setup.sh serve"

hash_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64; }
packages=$(hash_of web/package.json web/package-lock.json build/deps/node/.made-from)
want=$(printf '%s' "$packages$(hash_of web/src web/public web/index.html web/vite.config.js web/tsconfig.json)" | sha256sum | cut -c1-64)
packages_here() { [ "$(cat web/node_modules/.made-from 2>/dev/null)" = "$packages" ]; }
# `--packages` also wants what the browser tests import.
[ "$(cat build/web/.made-from 2>/dev/null)" = "$want" ] && { [ "${1:-}" != --packages ] || packages_here; } && exit 0

log=build/web.log
export PATH="$PWD/build/deps/node/bin:$PATH"
if ! packages_here; then
  printf 'web: installing the packages of package-lock.json\n' >&2
  (cd web && "../$node" "../$npm" ci --no-audit --no-fund --ignore-scripts) >$log 2>&1 </dev/null || { tail -n 8 $log >&2
    fail "npm ci failed (whole output: $log)" "check the network and npm's settings (npm config list), then run this again"; }
  printf '%s\n' "$packages" >web/node_modules/.made-from
fi
printf 'web: building the page\n' >&2
(cd web && "../$node" node_modules/typescript/bin/tsc --noEmit) >$log 2>&1 || { tail -n 20 $log >&2
  fail "the page has type errors (whole output: $log)" "it is a fault of web/src"; }
(cd web && "../$node" node_modules/vite/bin/vite.js build --logLevel warn) >$log 2>&1 || { tail -n 20 $log >&2
  fail "the page could not be built (whole output: $log)" "it is a fault of web/"; }
printf '%s\n' "$want" >web/dist/.made-from
rm -rf build/web && mv web/dist build/web
