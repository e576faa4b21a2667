#!/bin/bash
# Makes the inputs of the throughput measurements: make_inputs.sh FOLDER [medical|small|samples]...
#
#   medical.pcap   real DICOM C-STORE and HL7 traffic, copied to at least 700 MB   (needs root)
#   small.pcap     short flows of many protocols, at least 200,000 flows, about 330 bytes a packet
#   samples.pcap   the Ethernet captures under $MEDGUAN_SAMPLES, copied to at least 1 GB
#
# Each comes with NAME.json: packets, bytes, copies and, where known, flows and planted values of the
# base (multiply by copies). MEDGUAN_COPIES overrides the number of copies.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
out="$1"; shift
[ $# -gt 0 ] || set -- medical small
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$out"
${CC:-cc} -std=c17 -O2 -Wall -Wextra -o "$out/replicate" "$here/replicate.c"

# copy BASE NAME COPIES: the big capture, and what is in it
copy() {
    local copies="${MEDGUAN_COPIES:-$3}"
    "$out/replicate" "$out/$1.pcap" "$out/$2.pcap" "$copies"
    python3 - "$out" "$1" "$2" "$copies" <<'END'
import json, os, struct, sys
out, base, name, copies = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
path = os.path.join(out, base + ".pcap")
packets, size = 0, os.path.getsize(path)
with open(path, "rb") as file:
    file.seek(24)
    while len(head := file.read(16)) == 16:
        file.seek(struct.unpack("<I", head[8:12])[0], 1)
        packets += 1
about = {"packets": packets * copies, "bytes": os.path.getsize(os.path.join(out, name + ".pcap")),
         "mean_frame_bytes": round((size - 24) / packets - 16, 1), "copies": copies}
if os.path.exists(os.path.join(out, base + ".json")):
    with open(os.path.join(out, base + ".json"), encoding="utf-8") as file:
        about["base"] = json.load(file)
    about["flows"] = about["base"]["flows"] * copies
with open(os.path.join(out, name + ".json"), "w", encoding="utf-8") as file:
    json.dump(about, file, indent=1)
print(f"{name}: {about['packets']} packets, {about['bytes']} bytes, mean frame {about['mean_frame_bytes']},"
      f" {about.get('flows', 'unknown')} flows")
END
}

# copies_for BASE BYTES: how many copies reach a size
copies_for() {
    local size
    size=$(stat -c %s "$out/$1.pcap")
    echo $((($2 + size - 1) / size))
}

medical() {
    python3 "$here/make_medical_mix.py" "$out"
    copy medical_base medical "$(copies_for medical_base 700000000)"
}

small() {
    python3 "$here/make_small_packets.py" "$out"
    copy small_base small 32
}

samples() {
    local parts file
    : "${MEDGUAN_SAMPLES:?the folder with captures}"
    parts="$(mktemp -d)"
    for file in "$MEDGUAN_SAMPLES"/*.pcap "$MEDGUAN_SAMPLES"/*.pcapng; do
        [ -f "$file" ] && capinfos -E "$file" 2>/dev/null | grep -q 'Ethernet$' || continue
        editcap -F pcap "$file" "$parts/$(basename "$file").pcap" 2>/dev/null || true
    done
    mergecap -a -F pcap -w "$out/samples_base.pcap" "$parts"/*.pcap
    rm -r "$parts"
    copy samples_base samples "$(copies_for samples_base 1000000000)"
}

for what; do
    case "$what" in
    medical | small | samples) "$what" ;;
    *) echo "make_inputs.sh: no such input: $what" >&2; exit 2 ;;
    esac
done
