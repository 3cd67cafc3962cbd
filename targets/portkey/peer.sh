#!/usr/bin/env bash
# Installs the Portkey gateway into an ignored folder, starts it on loopback, certifies it, audits the log, and compares the verdicts
# with expected.txt. Failing cases do not fail the script, but verdicts that differ from expected.txt do.
#   peer.sh [--update]   --update writes today's verdicts to expected.txt
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
peer="$root/.peers/portkey"
out="$root/reports/peer-portkey"
export PORTKEY_PORT=${PORTKEY_PORT:-18787} UPSTREAM_PORT=${UPSTREAM_PORT:-18788}

mkdir -p "$peer"
if ! cmp -s "$here/package.json" "$peer/package.json" || [ ! -d "$peer/node_modules/@portkey-ai/gateway" ]; then
  cp "$here/package.json" "$peer/package.json"
  (cd "$peer" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error)
fi

env -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy NODE_ENV=production \
  node --require "$here/loopback.cjs" "$peer/node_modules/@portkey-ai/gateway/build/start-server.js" \
  --port="$PORTKEY_PORT" --headless </dev/null >"$peer/gateway.log" 2>&1 &
gateway=$!
trap 'kill "$gateway" 2>/dev/null || true; wait "$gateway" 2>/dev/null || true' EXIT

# The gateway prints this line when its handlers for unhandled rejections are installed. Before that, a truncated response kills it.
for _ in $(seq 300); do
  grep -q 'Ready for connections!' "$peer/gateway.log" && break
  kill -0 "$gateway" 2>/dev/null || { cat "$peer/gateway.log"; echo "the gateway did not start"; exit 1; }
  sleep 0.1
done

code=0
cd "$root" # the log, which others read, has the command line
bin/gatecert run --target targets/portkey/profile.yaml --level relay --out reports/peer-portkey --failures 3 || code=$?
if [ "$code" != 0 ] && [ "$code" != 1 ]; then
  echo "no verdict about the gateway (exit $code)"
  exit "$code"
fi
# The audit must accept the log of a real gateway, whatever the verdicts are.
key=$(mktemp -d)
"$root/bin/gatecert" keygen "$key/peer" >/dev/null
certified=$("$root/bin/gatecert" certify "$out" --key "$key/peer.pem" --out "$key" 2>&1) || true
rm -r "$key"
grep -q '^certified with the result ' <<<"$certified" || { echo "$certified"; exit 1; }
if [ "${1:-}" = --update ]; then
  cp "$out/verdicts.txt" "$here/expected.txt"
fi
if ! diff -u "$here/expected.txt" "$out/verdicts.txt"; then
  echo "the verdicts changed: read the difference, then accept it with targets/portkey/peer.sh --update"
  exit 1
fi
echo "the verdicts are the same as in targets/portkey/expected.txt"
