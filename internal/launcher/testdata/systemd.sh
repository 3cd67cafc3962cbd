#!/bin/sh
# 20 gatecert workers on this machine, as systemd units that exit after the load. Run this script on each machine of the fleet,
# with the same secret: openssl rand -hex 32 >fleet-secret.txt
#   gatecert load capacity https://gateway.example/base --model MODEL --yes --workers N --fleet tls://nats.example:4222 --fleet-name load --fleet-secret fleet-secret.txt    is the coordinator
#   systemctl --user stop 'gatecert-load-*'    ends them before
set -eu
secret=$(realpath "${1:-fleet-secret.txt}")
[ -r "$secret" ] || { echo "no secret at $secret: create one with openssl rand -hex 32 >fleet-secret.txt" >&2; exit 1; }
gatecert=$(command -v gatecert) || { echo "gatecert is not in PATH" >&2; exit 1; }
for i in $(seq 20); do
  systemd-run --user --unit="gatecert-load-$i" --collect --property=LimitNOFILE=65536 --property=NoNewPrivileges=yes \
    "$gatecert" worker --name="$(hostname)-$i" --once --join='tls://nats.example:4222' --fleet-name='load' --fleet-secret="$secret" --allow-target='https://gateway.example/base' --allow-target='http://10.0.0.7:3000'
done
