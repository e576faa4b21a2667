#!/bin/bash
# The throughput measurement, in one command: run.sh [FOLDER] [--quick] [OPTIONS OF measure.py]
#
# Builds the release program and the programs of bench/, makes the inputs in FOLDER (default:
# bench/out) when they are not there, and measures. README.md says what and how.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$(dirname "$here")"
folder="$here/out"
case "${1:-}" in
-h | --help)
    sed -n '2,5s/^# \{0,1\}//p' "$0"
    exec python3 "$here/measure.py" --help
    ;;
'' | -*) ;;
*)
    folder="$1"
    shift
    ;;
esac
export PYTHONDONTWRITEBYTECODE=1

cd "$root"
cmake --preset bench -DMEDGUAN_TESTS=OFF >/dev/null
cmake --build --preset bench --target medguan pcap_sum replicate micro

for input in medical small; do
    [ -f "$folder/$input.pcap" ] && [ -f "$folder/${input}_base.pcap" ] && continue
    if [ "$input" = medical ] && [ "$(id -u)" != 0 ]; then
        echo "run.sh: medical.pcap is not there, and making it needs root: not measured" >&2
        continue
    fi
    "$here/make_inputs.sh" "$folder" "$input"
done
exec python3 "$here/measure.py" "$root/build-bench" "$folder" "$@"
