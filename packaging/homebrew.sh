#!/usr/bin/env bash
# Prints the Homebrew formula of a release, made from the checksums of its archives.
set -euo pipefail
checksums=$1
base=https://github.com/gatecert/gatecert/releases/download
version=$(sed -nE 's/^[0-9a-f]{64}  gatecert_(.+)_linux_amd64\.tar\.gz$/\1/p' "$checksums")
[ -n "$version" ] || { echo "$checksums names no archive for linux/amd64" >&2; exit 1; }
archive() { # OS ARCH
  local file=gatecert_${version}_$1_$2.tar.gz sum
  sum=$(awk -v file="$file" '$2 == file { print $1 }' "$checksums")
  [ -n "$sum" ] || { echo "$checksums does not name $file" >&2; exit 1; }
  printf '      url "%s/v%s/%s"\n      sha256 "%s"\n' "$base" "$version" "$file" "$sum"
}
darwin_arm=$(archive darwin arm64)
darwin_intel=$(archive darwin amd64)
linux_arm=$(archive linux arm64)
linux_intel=$(archive linux amd64)
cat <<FORMULA
class Gatecert < Formula
  desc "Certifies LLM API gateways against the published error contract"
  homepage "https://github.com/gatecert/gatecert"
  version "$version"
  license "Apache-2.0"

  on_macos do
    on_arm do
$darwin_arm
    end
    on_intel do
$darwin_intel
    end
  end

  on_linux do
    on_arm do
$linux_arm
    end
    on_intel do
$linux_intel
    end
  end

  def install
    bin.install "gatecert"
    man1.install "gatecert.1"
    bash_completion.install "completions/gatecert.bash" => "gatecert"
    zsh_completion.install "completions/_gatecert"
    fish_completion.install "completions/gatecert.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/gatecert --version")
    system bin/"gatecert", "run", "--rows", "http:404", "--surfaces", "chat", "--level", "edge", "--out", testpath/"report"
  end
end
FORMULA
