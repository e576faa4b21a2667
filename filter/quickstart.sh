#!/bin/sh
# Installs what the program needs on Debian 12, builds it, and audits a capture from this repository.
# As root, or as a user with sudo.
set -eu
cd "$(dirname "$0")/.."

root=""
[ "$(id -u)" = 0 ] || root=sudo
hs=libhyperscan-dev
[ "$(dpkg --print-architecture)" = amd64 ] || hs=libvectorscan-dev
packages="gcc libc6-dev cmake ninja-build pkg-config libpcap-dev libmaxminddb-dev $hs libndpi-dev
          libyaml-dev zlib1g-dev libzstd-dev libbrotli-dev libssl-dev tor-geoipdb"
missing=""
for p in $packages; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
    echo "installing:$missing"
    $root apt-get update -qq
    # shellcheck disable=SC2086
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
fi

cmake --preset release
cmake --build --preset release --target medguan

capture=tests/golden/10-mixed/input.pcapng.gz
echo
echo "+ build-release/medguan audit $capture"
code=0
build-release/medguan audit "$capture" || code=$?
# 1: it found something to act on, as it should in this capture.
[ "$code" = 1 ] || { echo "quickstart: the audit ended with code $code" >&2; exit 1; }
