#!/bin/sh
# Installs what building and testing need on Debian 12, then builds and runs every test:
# gcc and clang with warnings as errors, then ASan+UBSan over unit, golden, corpus and end-to-end
# tests, the layer check and the format check. As root, or as a user with sudo.
# MEDGUAN_SAMPLES=DIR adds every capture and DICOM file below DIR to the robustness tests.
set -eu
cd "$(dirname "$0")/.."

root=""
[ "$(id -u)" = 0 ] || root=sudo
hs=libhyperscan-dev
[ "$(dpkg --print-architecture)" = amd64 ] || hs=libvectorscan-dev
packages="gcc libc6-dev clang clang-format libclang-rt-14-dev cmake ninja-build pkg-config libpcap-dev
          libmaxminddb-dev $hs libndpi-dev libyaml-dev zlib1g-dev libzstd-dev libbrotli-dev libssl-dev
          libcmocka-dev tor-geoipdb python3 python3-jsonschema python3-yaml tshark dcmtk brotli openssl git iproute2"
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

echo "== format"
git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
if git grep -nE '(^|[^:"])//' -- '*.c' '*.h' | grep -vE 'https?://|"[^"]*//|^\S+:\s*\*|/\*.*//' | head -5 | grep .; then
    echo "comments are written /* so */" >&2
    exit 1
fi

echo "== gcc and clang, warnings as errors"
cmake --preset gcc > /dev/null
cmake --build --preset gcc
cmake --preset clang > /dev/null
cmake --build --preset clang

echo "== golden captures cut 200 ways each"
ctest --test-dir build-gcc --output-on-failure -j "$(nproc)" -R 'judge_(golden|many|recut)'

echo "== ASan and UBSan"
cmake --preset asan > /dev/null
cmake --build --preset asan
ctest --test-dir build-asan --output-on-failure -j "$(nproc)" "$@"
