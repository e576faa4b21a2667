#!/bin/bash
# Makes the golden captures again with real programs in network namespaces: make.sh [CASE...].
# Needs root and: iproute2 tcpdump dumpcap dcmtk curl openssl python3.
set -euo pipefail
cd "$(dirname "$0")"
for tool in ip tcpdump dumpcap storescu storescp findscu wlmscpfs dump2dcm dcmcjpeg curl openssl python3; do
    command -v "$tool" >/dev/null || { echo "make.sh: $tool is not installed" >&2; exit 2; }
done
exec env PYTHONDONTWRITEBYTECODE=1 PYTHONIOENCODING=utf-8 python3 make.py "$@"
