#!/usr/bin/env bash
# Makes the hall of this repository in build/hall/site: from the logs that are kept here, a fresh run of the reference gateway, and the run of
# make peer-portkey where there is one. A kept log that has expired, or was judged by another contract, is reported and not listed.
#   make.sh [--record]   keep today's runs of the reference gateway and of Portkey here
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
logs="$root/build/hall/logs"
rm -rf "$logs"
mkdir -p "$logs"
"$root/bin/gatecert" run --level relay --quiet --out "$logs/reference"
if [ -f "$root/reports/peer-portkey/run.ndjson" ]; then
  mkdir -p "$logs/portkey"
  cp "$root/reports/peer-portkey/run.ndjson" "$logs/portkey/"
fi
if [ "${1:-}" = --record ]; then
  for name in reference portkey; do
    if [ -f "$logs/$name/run.ndjson" ]; then gzip -9nc "$logs/$name/run.ndjson" >"$here/$name.ndjson.gz"; fi
  done
fi
cp "$here"/*.ndjson.gz "$logs/"
code=0
"$root/bin/gatecert" hall "$logs" --out "$root/build/hall/site" || code=$?
[ "$code" -le 1 ] || exit "$code" # 1: some logs are not listed, and the page says why
