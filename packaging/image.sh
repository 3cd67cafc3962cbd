#!/usr/bin/env bash
# Builds the image as a release does (.ko.yaml), without a daemon and without the network: the base image is an empty one in a registry on
# loopback. Checks what the image declares, and runs it: its files as the root folder, as the user that it names.
set -euo pipefail
tools=$1
work=$(mktemp -d)
address=127.0.0.1:${PORT:-15117}
base=$address/base:nonroot
"$tools/crane" registry serve --address "$address" >"$work/registry.log" 2>&1 &
registry=$!
trap 'kill "$registry"; chmod -R u+w "$work"; rm -rf "$work"' EXIT
until curl --fail --silent --output /dev/null "http://$address/v2/"; do kill -0 "$registry"; sleep 0.1; done

# distroless/static has a folder for temporary files, and the user nonroot.
mkdir -p "$work/base/tmp"
chmod 1777 "$work/base/tmp"
tar -C "$work/base" -cf "$work/base.tar" tmp
for machine in amd64 arm64; do
  "$tools/crane" append --oci-empty-base --platform "linux/$machine" --new_layer "$work/base.tar" --new_tag "$base-$machine" 2>/dev/null
  "$tools/crane" mutate --user 65532 --set-platform "linux/$machine" --tag "$base-$machine" "$base-$machine" >/dev/null 2>&1
done
"$tools/crane" index append --manifest "$base-amd64" --manifest "$base-arm64" --tag "$base" >/dev/null 2>&1

image=$(KO_DOCKER_REPO=$address/gatecert KO_DEFAULTBASEIMAGE=$base "$tools/ko" build --bare --sbom none ./cmd/gatecert 2>"$work/ko.log") ||
  { cat "$work/ko.log" >&2; exit 1; }
fail() { echo "the image $1" >&2; exit 1; }
platforms=$("$tools/crane" manifest "$image" | grep -o '"architecture": *"[a-z0-9]*"' | sort | tr -d ' \n')
[ "$platforms" = '"architecture":"amd64""architecture":"arm64"' ] || fail "is for $platforms"
for machine in amd64 arm64; do
  config=$("$tools/crane" config --platform "linux/$machine" "$image")
  case $config in *'"User":"65532"'*) ;; *) fail "has another user: $config" ;; esac
  case $config in *'"Entrypoint":["/ko-app/gatecert"]'*) ;; *) fail "starts something else: $config" ;; esac
  mkdir -p "$work/$machine"
  "$tools/crane" export --platform "linux/$machine" "$image" - | tar -x -C "$work/$machine" --no-same-owner 2>/dev/null
  echo "linux/$machine: user 65532, entry point /ko-app/gatecert, $(du -sh "$work/$machine" | cut -f1) in all"
done

root=$work/$(go env GOARCH)
chmod 755 "$work" "$root" # a folder of mktemp is for its owner only
inside() { chroot --userspec=65532:65532 "$root" /ko-app/gatecert "$@"; }
[ "$(id -u)" = 0 ] || { echo "not root: the image was not run"; exit 0; }
inside version
inside run --rows http:404 --surfaces chat --level edge --out /tmp/run --quiet
