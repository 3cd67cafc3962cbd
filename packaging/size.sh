#!/usr/bin/env bash
# Says what takes the place in a binary: its sections, and the symbols of a build with debug information by package.
set -euo pipefail
binary=$1
echo "$(stat -c %s "$binary") bytes, $(gzip -9 -c "$binary" | wc -c) in gzip"
with=$(mktemp)
trap 'rm -f "$with"' EXIT
CGO_ENABLED=0 go build -trimpath -o "$with" ./cmd/gatecert
# The tables for stack traces (gopclntab) are no symbols. Zeroed memory (B, and the 32 MB that crypto/internal/fips140 reserves) takes no place.
go tool nm -size "$with" | awk '
  $3 ~ /^[TtRrDd]$/ && $4 !~ /^crypto\/internal\/fips140\/drbg\.memory/ {
    name = $4; slash = 0
    if (name ~ /^(type:|go:)/) sub(/[.:].*/, ": data of the runtime", name)
    else { n = split(name, part, "/"); sub(/\..*/, "", part[n]); name = part[1]; for (i = 2; i <= n; i++) name = name "/" part[i] }
    size[name] += $2
  }
  END { for (name in size) printf "%8.0f KiB  %s\n", size[name] / 1024, name }' | sort -rn | sed -n 1,30p
