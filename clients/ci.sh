#!/bin/sh
# Client libraries in CI, in about 90 seconds with their installation: one of Go, and one of npm where npm is installed. What a registry, a
# client or the time does is printed and no failure; what gatecert does is one.
#   ci.sh GATECERT
set -u
gatecert=$1
cd "$(dirname "$0")/.." || exit 1
end=$(($(date +%s) + 90))
within() { # within SECONDS COMMAND…: ended after so long, or when the 90 seconds are over
  left=$((end - $(date +%s)))
  [ "$left" -gt "$1" ] && left=$1
  shift
  [ "$left" -gt 0 ] || return 124
  timeout "$left" "$@"
}
leave_out() { echo "clients: $1 is left out: $2"; }

played=
if ! within 20 go -C clients/go list -tags one -deps . >/dev/null; then
  leave_out anthropic-go "its modules cannot be downloaded"
else
  within 60 go -C clients/go build -tags one -o "$PWD/bin/gatecert-clients" .
  case $? in
  0) played=anthropic-go ;;
  124) leave_out anthropic-go "it did not compile in time" ;;
  *) echo "clients/go does not compile" >&2; exit 1 ;;
  esac
fi
if ! command -v npm >/dev/null; then
  leave_out openai-node "npm is not installed"
elif within 40 npm --prefix clients/node ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
  played=$played${played:+,}openai-node
else
  leave_out openai-node "npm did not install it"
fi
[ -n "$played" ] || exit 0

within 60 "$gatecert" clients --client "$played" --out reports/clients-ci.json --against clients/recorded.json >reports/clients-ci.txt 2>reports/clients-ci.log
status=$?
cat reports/clients-ci.log
case $status in
0) ;;
124) leave_out "$played" "it did not play in time" ;;
*) echo "gatecert clients ended with $status" >&2; exit "$status" ;;
esac
# News about a library turns CI yellow, not red.
if [ -n "${GITHUB_ACTIONS:-}" ]; then
  sed -n 's/^\(drift: .*\)/::warning title=A client library behaves differently::\1/p' reports/clients-ci.log
fi
