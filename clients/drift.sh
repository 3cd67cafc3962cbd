#!/bin/sh
# Compares what clients do now with the record, a line a call. A difference is news about a client and no failure.
#   drift.sh GATECERT SEEN.json
set -eu
here=$(cd "$(dirname "$0")" && pwd)
before=$(mktemp) && after=$(mktemp)
trap 'rm -f "$before" "$after"' EXIT
"$1" clients --from "$here/recorded.json" --format behaviour >"$before"
"$1" clients --from "$2" --format behaviour >"$after"
if diff -U 0 "$before" "$after"; then
  echo "every client does what docs/clients.md says"
else
  echo "clients differ from the record (above): make clients-record takes this as the new one"
  [ -z "${GITHUB_ACTIONS:-}" ] || echo "::warning::client libraries behave differently than clients/recorded.json says"
fi
