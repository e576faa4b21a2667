"""Proves the golden captures' truth with tshark and dcmdump, and judges the program by it.

  crosscheck.py [CASE...]                       is truth.json true?
  crosscheck.py --medguan BUILD/medguan [CASE...]   does `medguan audit` agree with it?

Without --medguan, for every golden capture: the number of flows; how often each planted value's bytes stand in the
joined streams (clear) and in the decoded objects (count); that it stands where truth.json says; that
values under TLS are not in clear. With --medguan: packets, flows, packets and bytes each way, length
of the joined streams; and every value tshark reads at a personal place of HL7 or DICOM has its tag
among the findings, told from tshark's bytes, so that values are equal though none is printed. Ends with 0 when all agree, 1 when not, 77 when tshark or dcmdump
is missing.
"""

import argparse
import json
import os
import re
import shutil
import sys
from collections import Counter

import extract
import judge
from program import audit, tag

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
sys.path.insert(0, GOLDEN)
import ct  # noqa: E402
from truth import FREE_TEXT  # noqa: E402


def as_bytes(text, encoding):
    """The wire's bytes of a value; a leading escape belongs to what stood before, too."""
    data = ct.encode(text, encoding)
    return data.removeprefix(b"\x1b$)A")


def wire_of(entry):
    return entry.get("wire", entry["value"])


def family_of(kind):
    """Kinds of object which this check reads as one sort of text."""
    return {"http-request": "http", "http-response": "http"}.get(kind, kind)


class Check:
    """One case: its truth against one reading; faults are collected as lines."""

    def __init__(self, truth, reading):
        self.truth, self.reading, self.faults = truth, reading, []

    def expect(self, what, wanted, got):
        if wanted != got:
            self.faults.append(f"{what}: truth says {wanted}, found {got}")

    def flows(self):
        self.expect("flows", self.truth["flows"], self.reading.flows)
        self.expect("flows by destination", self.truth["flows"],
                    sum(d["flows"] for d in self.truth["destinations"]))
        self.expect("server names", self.truth.get("server_names", []), self.reading.server_names)

    def clear(self):
        """Every distinct run of bytes; a value inside another value (a birth date in a resident
        number) is counted there too."""
        blob = b"\n".join(x for pair in self.reading.streams for x in pair)
        blob += b"\n".join(self.reading.datagrams)
        entries = [e for e in self.truth["values"] if e["clear"] is not None]
        bytes_of = [as_bytes(wire_of(e), e["encoding"]) for e in entries]
        for target in sorted(set(bytes_of)):
            wanted = sum(e["clear"] * b.count(target) for e, b in zip(entries, bytes_of))
            name = next(e for e, b in zip(entries, bytes_of) if b == target)
            self.expect(f"in clear, {name['class']} of person {name['person']}", wanted, blob.count(target))

    def decoded(self):
        entries = [e for e in self.truth["values"] if "parts" not in e]
        for kind in sorted({family_of(e["object"]) for e in entries}):
            text = "\n".join(t for k, t in self.reading.texts if family_of(k) == kind)
            mine = [e for e in entries if family_of(e["object"]) == kind]
            for target in sorted({wire_of(e) for e in mine}):
                wanted = sum(e["count"] * wire_of(e).count(target) for e in mine)
                name = next(e for e in mine if wire_of(e) == target)
                got = text.count(target)
                self.expect(f"{kind}, {name['class']} of person {name['person']}", wanted, got)

    def names_in_parts(self):
        text = "\n".join(t for _, t in self.reading.texts)
        for e in self.truth["values"]:
            if "parts" in e:
                family, given = e["parts"]
                in_json = f'"family": "{family}", "given": ["{given}"]'
                in_xml = f'<family value="{family}"/>\\s*<given value="{given}"/>'
                got = text.count(in_json) + len(re.findall(in_xml, text))
                wanted = sum(o["count"] for o in self.truth["values"] if o.get("parts") == e["parts"])
                self.expect(f"name in parts of person {e['person']}", wanted, got)

    # ------------------------------------------------------------ places

    def hl7_places(self):
        """Each value as often in its field as truth.json says; fields counted by splitting at |."""
        places = {}
        for message in self.reading.hl7_messages:
            for line in message.split(b"\r"):
                fields = line.split(b"|")
                for n, value in enumerate(fields):
                    places.setdefault(f"{fields[0].decode()}-{n}", []).append(value)
        for e in self.truth["values"]:
            if e["object"] != "hl7":
                continue
            field = re.match(r"[A-Z0-9]{3}-\d+", e["where"]).group()
            target = as_bytes(wire_of(e), e["encoding"])
            same = [o for o in self.truth["values"] if o["object"] == "hl7" and o["where"].startswith(field)
                    and (o["where"][len(field):] or ".")[0] in ". "]
            wanted = sum(o["count"] * as_bytes(wire_of(o), o["encoding"]).count(target) for o in same)
            self.expect(f"{e['where']}, {e['class']} of person {e['person']}", wanted,
                        sum(v.count(target) for v in places.get(field, [])))
            if self.reading.hl7_fields:
                seen = any(target in v for v in self.reading.hl7_fields)
                self.expect(f"tshark's hl7.field, {e['class']} of person {e['person']}", True, seen)

    def dicom_places(self):
        for e in self.truth["values"]:
            if e["object"].startswith("dicom"):
                tag = re.findall(r"\([0-9a-f]{4},[0-9a-f]{4}\)", e["where"])[-1]
                got = sum(v.count(wire_of(e)) for k, t, v in self.reading.dicom_lines
                          if t == tag and k == e["object"])
                wanted = sum(o["count"] for o in self.truth["values"] if o["object"] == e["object"]
                             and o["where"] == e["where"] and wire_of(o) == wire_of(e))
                self.expect(f"{e['where']}, {e['class']} of person {e['person']}", wanted, got)

    def json_places(self):
        for e in self.truth["values"]:
            if e["object"].startswith("http") and "parts" not in e:
                got = sum(wire_of(e) in str(at_path(d, e["where"])) for d in self.reading.json_bodies)
                in_xml = any(k == "http" and wire_of(e) in t and t.startswith("<?xml")
                             for k, t in self.reading.texts)
                if got == 0 and not in_xml:
                    self.faults.append(f"{e['where']}: {e['class']} of person {e['person']} is not there")

    def run(self):
        for step in (self.flows, self.clear, self.decoded, self.names_in_parts, self.hl7_places,
                     self.dicom_places, self.json_places):
            step()
        return self.faults


def at_path(document, path):
    """The value at a path such as $.entry[0].resource.name[0].text, or an empty string."""
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            document = document[key] if key else document[int(index)]
        except (KeyError, IndexError, TypeError):
            return ""
    return document


class Agreement:
    """One case: the program against tshark; faults are collected as lines, values compared counted."""

    def __init__(self, truth, capture, heard):
        self.truth, self.capture, self.heard = truth, capture, heard
        self.faults, self.compared = [], 0

    def expect(self, what, tsharks, ours):
        if tsharks != ours:
            self.faults.append(f"{what}: tshark says {tsharks}, the program {ours}")

    def traffic(self):
        """Packets, flows, and what went each way."""
        flows = self.heard.of("flow")
        ours = {}
        for f in flows:
            ends = [(f["src"], f["sport"]), (f["dst"], f["dport"])]
            for d in (0, 1):
                if f["packets"][d]:
                    ours[(f["proto"], *ends[d], *ends[1 - d])] = [f["packets"][d], f["bytes"][d]]
        theirs = extract.directions(self.capture)
        for way in sorted(set(ours) | set(theirs)):
            self.expect(" ".join(str(x) for x in way), theirs.get(way), ours.get(way))
        tcp = {r[0] for r in extract.rows(self.capture, "tcp", "tcp.stream")}
        udp = {r[0] for r in extract.rows(self.capture, "udp", "udp.stream")}
        self.expect("TCP flows", len(tcp), sum(f["proto"] == "tcp" for f in flows))
        self.expect("UDP flows", len(udp), sum(f["proto"] == "udp" for f in flows))
        self.expect("packets", extract.frames(self.capture), self.heard.summary["packets"])
        joined = sum(len(x) for pair in extract.follow(self.capture, "tcp", len(tcp)) for x in pair)
        joined += sum(n for way, (_, n) in theirs.items() if way[0] == "udp")
        self.expect("bytes of the joined streams", joined, self.heard.summary["stream_bytes"])
        self.expect("bytes not seen", 0, self.heard.summary["not_seen_bytes"])

    def personal(self, kind):
        """Classes by place, for places that are personal as a whole: not running text."""
        places = {}
        for e in self.truth["values"]:
            key = judge.place_key(e["where"])
            if e["object"].startswith(kind) and key and not any(f in e["where"] for f in FREE_TEXT):
                places.setdefault(key, set()).add(e["class"])
        return places

    def values(self, kind, read, spellings_of):
        """Each distinct value tshark reads at a personal place is found there as often."""
        places = self.personal(kind)
        if not places:
            return
        seen = Counter((where, text) for where, value in read(self.capture) if where in places
                       for text in spellings_of(value))
        for (where, texts), times in seen.items():
            tags = {(c, tag(c, t)) for c in places[where] for t in texts}
            found = sum((f["class"], f["tag"]) in tags and judge.holds(f["path"], where)
                        for f in self.heard.findings)
            self.compared += times
            if found < times:
                self.faults.append(f"{where}: tshark reads a value {times} times, the program {found} times")
        if not seen:
            self.faults.append(f"tshark reads no personal place of {kind}")

    def run(self):
        self.traffic()
        if "keylog" not in self.truth:
            apps = {f["app"] for f in self.heard.of("flow")}
            if "hl7v2" in apps:
                self.values("hl7", extract.hl7_values, repetitions)
            if "dicom_ul" in apps:  # what HTTP carries tshark does not take apart
                self.values("dicom", extract.dicom_values, lambda v: [(v.strip(b" \0"),)])
        return self.faults


def repetitions(field):
    """Of each repetition of an HL7 field, every run of components that are there: what the program may
    take together as one value."""
    for text in field.split(b"~"):
        parts = [p for p in text.split(b"^") if p]
        yield tuple(b"^".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1))


def check_program(program, cases):
    """Compares the program with tshark; 1 when they differ."""
    wrong = 0
    for folder, capture in cases:
        truth = judge.truth_of(folder)
        agreement = Agreement(truth, capture, audit(program, capture))
        faults = agreement.run()
        print(f"{truth['case']}: {agreement.heard.summary.get('flows')} flows, {agreement.compared} values: "
              + ("agreed" if not faults else f"{len(faults)} FAULTS"), flush=True)
        for fault in faults[:20]:
            print("  " + fault)
        wrong += bool(faults)
    return 1 if wrong else 0


def check_truth(folder, capture):
    with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
        truth = json.load(file)
    keylog = os.path.join(folder, truth["keylog"]) if "keylog" in truth else None
    return truth, Check(truth, extract.read(capture, keylog)).run()


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("case", nargs="*", help="a piece of a case's name; all when none")
    asked.add_argument("--medguan", help="the program to judge")
    given = asked.parse_args()
    cases = judge.golden_cases(given.case)
    for tool in ("tshark",) if given.medguan else ("tshark", "dcmdump"):
        if not shutil.which(tool):
            print(f"crosscheck.py: skipped: {tool} is not installed", file=sys.stderr)
            return 77
    if given.medguan:
        return check_program(given.medguan, cases)
    wrong = 0
    for folder, capture in cases:
        truth, faults = check_truth(folder, capture)
        values = sum(e["count"] for e in truth["values"])
        print(f"{truth['case']}: {values} values, {truth['flows']} flows: "
              + ("agreed" if not faults else f"{len(faults)} FAULTS"), flush=True)
        for fault in faults[:20]:
            print("  " + fault)
        wrong += bool(faults)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
