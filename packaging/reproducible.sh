#!/usr/bin/env bash
# Builds the released binary twice for each platform given ("linux/amd64"; "all" for the six), and compares the bytes. The commit is
# built, not the work tree: in two clones, in folders of other names and depths, the second time without the build cache.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
platforms=${*:-linux/amd64}
[ "$platforms" = all ] && platforms="linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
first=$work/a second=$work/another/folder/b
for clone in "$first" "$second"; do git clone --quiet "$root" "$clone"; done
different=0
for platform in $platforms; do
  export GOOS=${platform%/*} GOARCH=${platform#*/}
  make --silent -C "$first" static STATIC="$work/one"
  GOCACHE=$work/cache make --silent -C "$second" static STATIC="$work/two"
  one=$(sha256sum <"$work/one") two=$(sha256sum <"$work/two")
  verdict=same
  [ "$one" = "$two" ] || { verdict=DIFFERENT different=1; }
  printf '%-14s %s  %s  %s bytes\n' "$platform" "$verdict" "${one%% *}" "$(stat -c %s "$work/one")"
done
exit "$different"
