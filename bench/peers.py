"""What other programs need to be measured: their rules, their configuration, their commands.

Every leg is a dict: name, argv, input ("whole" or "part") and, when the program is not installed,
argv None. The rules are invented; the words of the 600 stand nearly nowhere in the traffic, so that
the other program pays for searching and not for alerts.
"""

import os
import random
import re
import shutil
import subprocess

SURICATA_YAML = """%YAML 1.1
---
vars: {}
outputs: []
logging:
  default-log-level: error
  outputs: [{console: {enabled: yes}}]
runmode: single
# Without these limits nothing is left out: medguan leaves nothing out either.
stream:
  memcap: 2gb
  reassembly: {memcap: 4gb, depth: 0}
flow: {memcap: 2gb, hash-size: 524288, prealloc: 10000}
"""

# What six of the rules of rules/ look for, without the check digits that a regex cannot do.
REGEXES = {
    "resident number": r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx]"
                       r"(?![0-9A-Za-z])",
    "mobile": r"(?<![0-9])1[3-9]\d{9}(?![0-9])",
    "landline": r"(?<![0-9])0\d{2,3}-?[2-9]\d{6,7}(?![0-9])",
    "passport": r"(?<![0-9A-Za-z])[EGDSP][A-Z0-9]\d{7}(?![0-9A-Za-z])",
    "bank card": r"(?<![0-9])62\d{14,17}(?![0-9])",
    "email": r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
}


def words(n):
    """n words of two or three Han characters, half of them in UTF-8, half in GB18030."""
    rng = random.Random("bench words")
    made = set()
    while len(made) < n:
        text = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(rng.choice([2, 3])))
        made.add(text.encode(("utf-8", "gb18030")[len(made) % 2]))
    return sorted(made)


def write_rules(folder):
    """Writes 600.rules and regex.rules, which Suricata and Snort both read; gives their paths."""
    rules = {"600.rules": [f"content:\"|{w.hex(' ')}|\";" for w in words(600)],
             "regex.rules": [f"pcre:\"/{r}/\";" for r in REGEXES.values()]}
    paths = []
    for name, options in rules.items():
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w", encoding="ascii") as out:
            for i, option in enumerate(options, 1):
                out.write(f"alert tcp any any -> any any (msg:\"{name} {i}\"; {option} sid:{i}; rev:1;)\n")
    return paths


def suricata(folder, capture):
    program = shutil.which("suricata")
    many, regex = write_rules(folder)
    config, none = os.path.join(folder, "suricata.yaml"), os.path.join(folder, "none.rules")
    with open(config, "w", encoding="ascii") as out:
        out.write(SURICATA_YAML)
    with open(none, "w", encoding="ascii"):
        pass
    common = [program, "-c", config, "-k", "none", "--runmode", "single", "-l", folder, "-r", capture, "-S"]
    return [leg(f"Suricata, {name}", program and common + [rules])
            for name, rules in (("no rules", none), ("600 contents", many), ("6 regexes", regex))]


def snort(folder, capture):
    """Snort 3 with the configuration of its package."""
    program = shutil.which("snort")
    many, regex = write_rules(folder)
    lua = next((p for p in ("/etc/snort/snort.lua", "/usr/local/etc/snort/snort.lua") if os.path.exists(p)), None)
    common = [program, "-q", "-c", lua, "-k", "none", "-A", "none", "-r", capture, "-R"]
    return [leg(f"Snort, {name}", program and lua and common + [rules])
            for name, rules in (("600 contents", many), ("6 regexes", regex))]


def tshark(part):
    """Every field of DICOM and HL7 as text; dicom.tag_tree makes it say values of data sets too."""
    program = shutil.which("tshark")
    return [leg("tshark, fields", program and [
        program, "-n", "-r", part, "-o", "dicom.tag_tree:TRUE", "-d", "tcp.port==2575,hl7",
        "-d", "tcp.port==11112,dicom", "-Y", "dicom || hl7", "-T", "fields", "-e", "dicom.tag.value.str",
        "-e", "hl7.field"], part=True)]


def ndpi(capture):
    program = shutil.which("ndpiReader")
    return [leg("ndpiReader -q", program and [program, "-q", "-i", capture])]


def leg(name, argv, part=False):
    return {"name": name, "argv": argv or None, "part": part}


def all_legs(folder, capture, part):
    return ndpi(capture) + suricata(folder, capture) + snort(folder, capture) + tshark(part)


def version(argv):
    """The first line with a number of what a program says of itself."""
    try:
        said = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = [s.strip() for s in said.decode(errors="replace").splitlines()]
    return next((s for s in lines if re.search(r"\d+\.\d+", s)), None)


def versions():
    asked = {"ndpiReader": ["-h"], "suricata": ["-V"], "snort": ["-V"], "tshark": ["-v"]}
    return {name: version([name, *argv]) for name, argv in asked.items() if shutil.which(name)}
