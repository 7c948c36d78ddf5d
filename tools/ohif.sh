#!/usr/bin/env bash
# Fetches the built OHIF viewer: dist/ of the npm package @ohif/app -> build/ohif, unchanged. Does nothing when it is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
package=@ohif/app@3.13.2
integrity=sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq+jd5xXZB9E8EA==
node=build/deps/node/bin/node
npm=build/deps/node/lib/node_modules/npm/bin/npm-cli.js
work=build/deps/.fetch-ohif
log=build/ohif.log
fail() { printf 'ohif: %s\n  what to do: %s\n' "$1" "$2" >&2; exit 1; }

want="$package $integrity"
[ "$(cat build/ohif/.made-from 2>/dev/null)" = "$want" ] && exit 0
[ -x $node ] || fail "Node is not here ($node)" "run tools/setup.sh serve"

printf 'ohif: downloading %s (about 50 MB)\n' "$package" >&2
rm -rf $work && mkdir -p $work
PATH="$PWD/build/deps/node/bin:$PATH" $node $npm pack --silent --pack-destination $work "$package" >$log 2>&1 </dev/null || { tail -n 5 $log >&2
  fail "$package could not be downloaded (whole output: $log)" "check the network and npm's settings (npm config list), then run this again"; }
archive=$(ls $work/*.tgz)
[ "sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)" = "$integrity" ] ||
  fail "$archive is not the pinned $package: its hash is another" "look at what npm is set to download from (npm config list)"
tar xzf "$archive" -C $work --no-same-owner package/dist package/LICENSE || fail "$archive could not be unpacked" "check the disk (df -h .)"
mv $work/package/LICENSE $work/package/dist/LICENSE
printf '%s\n' "$want" >$work/package/dist/.made-from
rm -rf build/ohif
mv $work/package/dist build/ohif
rm -rf $work
