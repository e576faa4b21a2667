"""Judges `medguan audit` by truth.json: what was found, what was missed, what was made up.

A planted value counts as found when a finding has its class and a place that ends as the truth's
(PID-5, (0010,0010), $.name[0].text...). Findings beyond the truth's count of a class are surplus,
unless the truth has optional values at that place. Values themselves are never spoken by the
program, so places and numbers are what is compared; equal values must have equal tags.
"""

import json
import os
import re
import subprocess


def audit(program, capture, *options):
    """All JSON Lines of an audit, and its exit code."""
    done = subprocess.run([program, "audit", "--json", "-", *options, capture], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=300)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return lines, done.returncode


def place_key(where):
    """The part of a place that both sides write alike."""
    field = re.match(r"([A-Z][A-Z0-9]{2}-\d+)", where)
    if field:
        return field.group(1)
    tags = re.findall(r"\([0-9a-fA-F]{4},[0-9a-fA-F]{4}\)", where)
    if tags:
        return tags[-1].lower()
    return re.sub(r"\[\d+\]", "", where.removeprefix("$.")).split(".")[-1]


def holds(path, key):
    return re.search(re.escape(key) + r"(?![0-9])", path, re.IGNORECASE) is not None


class Verdict:
    """found, missed, surplus by class for one capture."""

    def __init__(self, truth, lines, code):
        self.truth, self.code = truth, code
        self.findings = [x for x in lines if x.get("event") == "finding"]
        self.summary = next((x for x in lines if x.get("event") == "summary"), {})
        self.found, self.missed, self.surplus, self.faults = {}, {}, {}, []

    def count(self):
        """Takes findings off for each planted value: first by class and place, then by class."""
        left = list(self.findings)
        short = []
        for e in self.truth["values"]:
            need = e["count"]
            key = place_key(e["where"])
            for f in [f for f in left if f["class"] == e["class"] and holds(f["path"], key)][:need]:
                left.remove(f)
                need -= 1
            if need:
                short.append([e, need])
        for item in short:
            e, need = item
            for f in [f for f in left if f["class"] == e["class"]][:need]:
                left.remove(f)
                item[1] -= 1
        for e in self.truth["values"]:
            self.found[e["class"]] = self.found.get(e["class"], 0) + e["count"]
        for e, need in short:
            if need:
                self.found[e["class"]] -= need
                self.missed.setdefault(e["class"], []).append((e["where"], need))
        allowed = [place_key(o["where"]) for o in self.truth.get("optional", [])]
        for f in left:
            if not any(holds(f["path"], k) for k in allowed):
                self.surplus.setdefault(f["class"], []).append(f["path"])

    def directions(self):
        outside = {d["address"]: d["outside"] for d in self.truth["destinations"]}
        for f in self.findings:
            ends = [f.get("flow", {}).get(k) for k in ("dst", "src")]
            address = next((a for a in ends if a in outside), None)
            if address is None:
                self.faults.append(f"finding without a flow to a known address: {f.get('path')}")
            elif f.get("geo", {}).get("outside") != outside[address]:
                self.faults.append(f"{address}: outside is {f.get('geo', {}).get('outside')}")
            elif outside[address] == (f.get("action") == "pass"):
                self.faults.append(f"{address}: action {f.get('action')} for {f.get('class')}")
        wanted = int(any(outside.values()) and bool(self.truth["values"]))
        if self.code != wanted:
            self.faults.append(f"exit code {self.code}, not {wanted}")
        if self.summary.get("flows") != self.truth["flows"]:
            self.faults.append(f"{self.summary.get('flows')} flows, not {self.truth['flows']}")

    def lines(self):
        for cls, places in sorted(self.missed.items()):
            yield f"missed {cls}: " + ", ".join(f"{w} x{n}" for w, n in places[:8])
        for cls, paths in sorted(self.surplus.items()):
            yield f"surplus {cls} ({len(paths)}): " + ", ".join(sorted(set(paths))[:6])
        yield from sorted(set(self.faults))[:10]


def main(program, cases):
    """Judges every case (folder, capture); 1 when a planted value is missed or a fault is seen."""
    bad = 0
    for folder, capture in cases:
        with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
            truth = json.load(file)
        options = ["--keylog", os.path.join(folder, truth["keylog"])] if "keylog" in truth else []
        verdict = Verdict(truth, *audit(program, capture, *options))
        verdict.count()
        verdict.directions()
        planted = sum(e["count"] for e in truth["values"])
        missed = sum(n for places in verdict.missed.values() for _, n in places)
        surplus = sum(len(p) for p in verdict.surplus.values())
        print(f"{truth['case']}: {planted - missed} of {planted} found, {surplus} surplus", flush=True)
        for line in verdict.lines():
            print("  " + line)
        bad += bool(missed or surplus or verdict.faults)
    return 1 if bad else 0
