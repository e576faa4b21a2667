"""Judges `medguan audit`: what was found, what was missed, what was made up.

  judge.py PROGRAM golden [CASE...]           the golden captures by their truth.json
  judge.py PROGRAM evasion FOLDER [CASE...]   the set written by make_evasion.py
  judge.py PROGRAM recut CAPTURE [N [SEED]]   N other cuts of a capture: the same findings in each
  judge.py PROGRAM mutate CAPTURE [N [SEED]]  N damaged copies: no crash, no hang, a summary

A planted value counts as found when a finding has its class and a place that ends as the truth's
(PID-5, (0010,0010), $.name[0].text...). Findings beyond the truth's count of a class are surplus,
unless the truth has optional values at that place. Values themselves are never spoken by the
program, so places and numbers are what is compared; equal values must have equal tags.
"""

import glob
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter

import mutate
import recut
import wire

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")


def audit(program, capture, *options):
    """All JSON Lines of an audit, and its exit code."""
    done = subprocess.run([program, "audit", "--json", "-", *options, capture], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, timeout=300)
    try:
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    except ValueError as error:
        raise SystemExit(f"{program} audit {capture}: not JSON Lines: {error}") from error
    return lines, done.returncode


def findings_of(lines):
    return [x for x in lines if x.get("event") == "finding"]


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
    return re.search(rf"(?<![a-z0-9]){re.escape(key)}(?![a-z0-9])", path, re.IGNORECASE) is not None


def whole_names(findings):
    """Findings with those of the parts of one name (PID-5.1 and PID-5.2, family and given) as one."""
    seen, kept = set(), []
    for f in findings:
        stem = re.sub(r"([A-Z0-9]{3}-\d+(\[\d+\])?)(\.\d+)+$", r"\1", f["path"])
        stem = re.sub(r"[./](family|given)\b.*$", "", stem)
        key = (stem, f.get("packet"), json.dumps(f.get("flow"), sort_keys=True))
        if f["class"] == "person_name" and stem != f["path"]:
            if key in seen:
                continue
            seen.add(key)
        kept.append(f)
    return kept


class Verdict:
    """found, missed, surplus by class for one capture."""

    def __init__(self, truth, lines, code):
        self.truth, self.code = truth, code
        self.findings = findings_of(lines)
        self.summary = next((x for x in lines if x.get("event") == "summary"), {})
        self.found, self.missed, self.surplus, self.faults = {}, {}, {}, []

    def count(self):
        """Takes findings off for each planted value: first by class and place, then by class."""
        left = whole_names(self.findings)
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
        """What goes to a far address must say outside as it is; what comes to the device may pass."""
        outside = {d["address"]: d["outside"] for d in self.truth["destinations"]}
        for f in self.findings:
            flow, abroad = f.get("flow", {}), f.get("geo", {}).get("outside")
            to = flow.get("dst")
            if to not in outside and flow.get("src") not in outside:
                self.faults.append(f"finding without a flow to a known address: {f.get('path')}")
            elif abroad != outside.get(to, False):
                self.faults.append(f"{to}: outside is {abroad}")
            elif to in outside and outside[to] == (f.get("action") == "pass"):
                self.faults.append(f"{to}: action {f.get('action')} for {f.get('class')}")
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


def judge_golden(program, cases):
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


def golden_cases(wanted=()):
    """(folder, capture) of the golden cases whose names hold one of the wanted pieces."""
    return [(f, sorted(glob.glob(os.path.join(f, "input.*")))[0])
            for f in sorted(glob.glob(os.path.join(GOLDEN, "[0-9]*")))
            if not wanted or any(w in os.path.basename(f) for w in wanted)]


def judge_evasion(program, folder, wanted):
    """Exactly one resident number in each, and the anomaly where copies differ."""
    right = total = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            case = json.load(file)
        if wanted and not any(w in case["name"] for w in wanted):
            continue
        lines, code = audit(program, path.replace(".json", ".pcap"))
        found = Counter(f["class"] for f in findings_of(lines))
        told = any(x.get("event") == "anomaly" for x in lines)
        faults = []
        if found[case["class"]] != case["expected_findings"]:
            faults.append(f"{found[case['class']]} of {case['class']}")
        also = [c for c in found if c not in (case["class"], *case.get("optional", []))]
        if also:
            faults.append("also " + ", ".join(also))
        if case["anomaly"] and not told:
            faults.append("no anomaly told")
        if code != 1:
            faults.append(f"exit code {code}")
        total += 1
        right += not faults
        print(f"{case['name']}: {'right' if not faults else '; '.join(faults)}", flush=True)
    print(f"{right} of {total}")
    return 0 if right == total else 1


def essence(lines):
    """What must not depend on the cut: how often which class was found where, and which findings
    share a tag. The tags themselves come from a key that may be new in every run."""
    by_tag = {}
    for f in findings_of(lines):
        place = (f["class"], f["path"], json.dumps(f.get("flow", {}), sort_keys=True))
        by_tag.setdefault(f["tag"], []).append(place)
    return Counter((place, tuple(sorted(places))) for places in by_tag.values() for place in places)


def judge_recut(program, capture, n, seed):
    frames = wire.load(capture)
    taken = recut.streams_of(frames)
    wanted = essence(audit(program, capture)[0])
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "recut.pcap")
        for i in range(seed, seed + n):
            wire.save_pcap(path, recut.recut(frames, i, taken))
            got = essence(audit(program, path)[0])
            if got != wanted:
                wrong += 1
                lost, gained = wanted - got, got - wanted
                if wrong <= 10:
                    print(f"seed {i}: {sum(lost.values())} lost, {sum(gained.values())} gained: "
                          + ", ".join(f"{k[0][0]} {k[0][1]}" for k in list(lost + gained)[:4]), flush=True)
    print(f"{n - wrong} of {n} cuts give the same {sum(wanted.values())} findings")
    return 1 if wrong else 0


def judge_mutate(program, capture, n, seed):
    with open(capture, "rb") as file:
        data = file.read()
    frames = wire.load(capture)
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "mutant.pcap")
        for i in range(seed, seed + n):
            if i % 2:
                with open(path, "wb") as out:
                    out.write(mutate.mutate_file(data, i))
            else:
                wire.save_pcap(path, mutate.mutate_frames(frames, i))
            try:
                lines, code = audit(program, path)
            except subprocess.TimeoutExpired:
                lines, code = [], "hang"
            if code not in (0, 1, 2) or (code != 2 and not any(x.get("event") == "summary" for x in lines)):
                wrong += 1
                print(f"seed {i}: ended with {code}", flush=True)
    print(f"{n - wrong} of {n} damaged captures read without fault")
    return 1 if wrong else 0


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("golden", "evasion", "recut", "mutate"):
        print(__doc__, file=sys.stderr)
        return 2
    program, what, *rest = sys.argv[1:]
    if what == "golden":
        return judge_golden(program, golden_cases(rest))
    if what == "evasion":
        return judge_evasion(program, rest[0], rest[1:])
    n, seed = (int(x) for x in (rest[1:] + ["50", "1"][len(rest) - 1:]))
    return (judge_recut if what == "recut" else judge_mutate)(program, rest[0], n, seed)


if __name__ == "__main__":
    sys.exit(main())
