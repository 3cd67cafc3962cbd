#!/usr/bin/env bash
# Makes the hall of this repository in build/hall/site: from the logs that are kept here, a fresh run of the reference gateway, and the run of
# make peer-portkey where there is one. A kept log that has expired, or was judged by another contract, is reported and not listed.
#   make.sh [--record]   keep today's runs of the reference gateway and of Portkey here
set -euo pipefail
cd "$(dirname "$0")/../.." # the log of a run has its command line
logs=build/hall/logs
rm -rf "$logs"
mkdir -p "$logs"
bin/gatecert run --level relay --quiet --out "$logs/reference"
if [ -f reports/peer-portkey/run.ndjson ]; then
  mkdir -p "$logs/portkey"
  cp reports/peer-portkey/run.ndjson "$logs/portkey/"
fi
if [ "${1:-}" = --record ]; then
  for name in reference portkey; do
    [ -d "$logs/$name" ] || continue
    gzip -9nc "$logs/$name/run.ndjson" >"docs/hall/$name.ndjson.gz"
    rm -r "${logs:?}/$name"
  done
fi
cp docs/hall/*.ndjson.gz "$logs/"
code=0
bin/gatecert hall "$logs" --out build/hall/site || code=$?
[ "$code" -le 1 ] || exit "$code" # 1: some logs are not listed, and the page says why
