"""Judges `medguan audit`: what was found, what was missed, what was made up.

  judge.py PROGRAM golden [CASE...]           the golden captures by their truth.json
  judge.py PROGRAM evasion FOLDER [CASE...]   the set written by make_evasion.py
  judge.py PROGRAM recut [N [CASE...]]        N other cuts of each golden capture: the same findings
  judge.py PROGRAM many                       one value 6,000 times, cut anyhow: 6,000 findings

A planted value is found by a finding of its class, at its place, with the tag of its very value:
tags are told before, since the key is known (program.py). Each must be found as often as truth.json
says, but what is marked optional may be missed. What is left over and not among the values which may
be found is surplus. Under TLS nothing may be found: each direction is opaque, the server is known.
"""

import glob
import json
import os
import re
import sys
from collections import Counter

import many
import recut
import wire
from program import audit, tag, written

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
sys.path.insert(0, GOLDEN)
import ct  # noqa: E402


def golden_cases(wanted=()):
    """(folder, capture) of the golden cases whose names hold one of the wanted pieces."""
    return [(f, sorted(glob.glob(os.path.join(f, "input.*")))[0])
            for f in sorted(glob.glob(os.path.join(GOLDEN, "[0-9]*")))
            if not wanted or any(w in os.path.basename(f) for w in wanted)]


def truth_of(folder):
    with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
        return json.load(file)


# ---------------------------------------------------------------- what must be found


def place_key(where):
    """The part of a place that both sides write alike; None where the program has no such words."""
    field = re.match(r"([A-Z][A-Z0-9]{2}-\d+)", where)
    if field:
        return field.group(1)
    tags = re.findall(r"\([0-9a-fA-F]{4},[0-9a-fA-F]{4}\)", where)
    if tags:
        return tags[-1].lower()
    if " " in where or "/" in where or where == "message":
        return None
    return re.sub(r"\[\d+\]", "", where.removeprefix("$.")).split(".")[-1]


def holds(path, key):
    path = path.removesuffix("@value")  # FHIR in XML keeps every value in an attribute of that name
    return key is None or re.search(rf"(?<![a-z0-9]){re.escape(key)}(?![a-z0-9])", path, re.I) is not None


def spellings(entry, person):
    """Every normal text a finder may give a planted value: a field of HL7 is told with the components
    that belong to it."""
    wire_text = entry.get("wire", entry["value"])
    texts = [wire_text]
    if entry["object"] == "hl7" and entry["class"] == "address":
        texts.append("^".join([wire_text, person["city"], person["province"], person["postal_code"], "CHN"]))
    if entry["where"] in ("PV1-7", "ORC-12"):
        texts.append(wire_text + "^MD")
    return [ct.encode(t, entry["encoding"]) for t in texts]


class Wanted:
    """One value of one class at one place: how often it must and may be found."""

    def __init__(self, cls, tags, key, where):
        self.cls, self.tags, self.key, self.where = cls, tags, key, where
        self.required = self.optional = self.found = 0

    def accepts(self, finding):
        return (finding["class"] == self.cls and finding["tag"] in self.tags
                and holds(finding["path"], self.key))

    @property
    def missed(self):
        return max(0, self.required - self.found)

    @property
    def beyond(self):
        return max(0, self.found - self.required - self.optional)


def all_wanted(truth):
    """Wanted of all planted values, those with a place before those that may be anywhere."""
    wanted = {}

    def add(cls, texts, key, entry):
        tags = frozenset(tag(cls, t) for t in texts)
        w = wanted.setdefault((cls, tags, key), Wanted(cls, tags, key, entry["where"]))
        if "optional" in entry:
            w.optional += entry["count"]
        else:
            w.required += entry["count"]

    for e in truth["values"]:
        if "parts" in e:  # JSON and XML give each part of a name a string of its own
            for key, text in zip(("family", "given"), e["parts"]):
                add(e["class"], [text.encode()], key, e)
        else:
            add(e["class"], spellings(e, truth["persons"][e["person"]]), place_key(e["where"]), e)
    return sorted(wanted.values(), key=lambda w: w.key is None)


class Verdict:
    """found, missed, surplus by class for one capture."""

    def __init__(self, truth, heard):
        self.truth, self.heard = truth, heard
        self.wanted, self.surplus, self.faults = all_wanted(truth), {}, []
        self.allowed = [({t.encode(c) for c in ("utf-8", "gb18030")}, place_key(o["where"]))
                        for o in truth.get("optional", []) for t in [o["value"]]]

    def count(self):
        for f in self.heard.findings:
            for w in self.wanted:
                if w.accepts(f):
                    w.found += 1
                    break
            else:
                if not self.may_be(f):
                    self.surplus.setdefault(f["class"], []).append(f["path"])
        for w in self.wanted:
            if w.beyond:
                self.surplus.setdefault(w.cls, []).extend([w.where] * w.beyond)

    def may_be(self, finding):
        return any(holds(finding["path"], key) and finding["tag"] in [tag(finding["class"], t) for t in texts]
                   for texts, key in self.allowed)

    def directions(self):
        """What goes to a far address must say outside as it is; what comes to the device may pass."""
        outside = {d["address"]: d["outside"] for d in self.truth["destinations"]}
        for f in self.heard.findings:
            flow, abroad = f.get("flow", {}), f.get("geo", {}).get("outside")
            to = flow.get("dst")
            if to not in outside and flow.get("src") not in outside:
                self.faults.append(f"finding without a flow to a known address: {f.get('path')}")
            elif abroad != outside.get(to, False):
                self.faults.append(f"{to}: outside is {abroad}")
            elif to in outside and outside[to] == (f.get("action") == "pass"):
                self.faults.append(f"{to}: action {f.get('action')} for {f.get('class')}")
        wanted = int(any(outside.values()) and bool(self.truth["values"]))
        if self.heard.code != wanted:
            self.faults.append(f"exit code {self.heard.code}, not {wanted}")
        if self.heard.summary.get("flows") != self.truth["flows"]:
            self.faults.append(f"{self.heard.summary.get('flows')} flows, not {self.truth['flows']}")

    def opaque(self):
        """Under TLS: one finding a direction, of class opaque, and nothing else."""
        self.wanted = []
        for f in self.heard.findings:
            if f["class"] != "opaque" or "/tls/" not in f["path"]:
                self.surplus.setdefault(f["class"], []).append(f["path"])
        ways = Counter(json.dumps(f["flow"], sort_keys=True) for f in self.heard.findings)
        if len(ways) != 2 * self.truth["flows"] or set(ways.values()) != {1}:
            self.faults.append(f"{sum(ways.values())} opaque in {len(ways)} directions, not one in each")

    @property
    def missed(self):
        return sum(w.missed for w in self.wanted)

    def lines(self):
        for w in self.wanted:
            if w.missed:
                yield f"missed {w.cls} at {w.where}: {w.found} of {w.required}"
        for cls, paths in sorted(self.surplus.items()):
            yield f"surplus {cls} ({len(paths)}): " + ", ".join(sorted(set(paths))[:6])
        yield from sorted(set(self.faults))[:10]

    @property
    def right(self):
        return not (self.missed or self.surplus or self.faults)


def server_faults(program, capture, truth):
    """Server names are never printed; a policy that allows them shows whether they were read."""
    for name, wanted in ((truth["server_names"][0], 0), ("other.example.com", 1)):
        text = ("version: 1\ndestinations:\n  - name: far\n    servers: [\"" + name + "\"]\nallow: [far]\n"
                "rows:\n  - class: [opaque]\n    jurisdiction: [abroad]\n    action: block\n"
                "  - action: pass\nfail:\n  - action: block\n")
        policy = written(f"policy-{name}.yaml", text.encode())
        code = audit(program, capture, "--policy", policy).code
        if code != wanted:
            yield f"exit code {code}, not {wanted}, when only {name} is allowed"


def judge_case(program, folder, capture):
    truth = truth_of(folder)
    verdict = Verdict(truth, audit(program, capture))
    if "keylog" in truth:  # nothing opens TLS
        verdict.opaque()
        verdict.faults += server_faults(program, capture, truth)
    else:
        verdict.count()
    verdict.directions()
    return verdict


def judge_golden(program, cases):
    """Judges every case (folder, capture); 1 when a planted value is missed or a fault is seen."""
    bad = 0
    for folder, capture in cases:
        verdict = judge_case(program, folder, capture)
        required = sum(w.required for w in verdict.wanted)
        may = sum(w.optional for w in verdict.wanted)
        also = sum(min(w.optional, max(0, w.found - w.required)) for w in verdict.wanted)
        surplus = sum(len(p) for p in verdict.surplus.values())
        print(f"{verdict.truth['case']}: {required - verdict.missed} of {required} found, "
              f"{also} of {may} optional, {surplus} surplus"
              + (f", {len(verdict.heard.findings)} opaque" if "keylog" in verdict.truth else ""), flush=True)
        for line in verdict.lines():
            print("  " + line)
        bad += not verdict.right
    return 1 if bad else 0


# ---------------------------------------------------------------- the evasion set


def judge_evasion(program, folder, wanted):
    """In each exactly one resident number, and it is the token; the anomaly where copies differ."""
    right = total = 0
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as file:
            case = json.load(file)
        if wanted and not any(w in case["name"] for w in wanted):
            continue
        heard = audit(program, path.replace(".json", ".pcap"))
        found = Counter(f["class"] for f in heard.findings)
        token = tag(case["class"], case["token"].encode())
        mine = [f["tag"] == token for f in heard.findings if f["class"] == case["class"]]
        faults = []
        if mine != [True] * case["expected_findings"]:
            faults.append(f"{mine.count(True)} times the token, {mine.count(False)} other {case['class']}")
        also = [c for c in found if c not in (case["class"], *case.get("optional", []))]
        if also:
            faults.append("also " + ", ".join(also))
        if case["anomaly"] and not heard.of("anomaly"):
            faults.append("no anomaly told")
        if heard.code != 1:
            faults.append(f"exit code {heard.code}")
        total += 1
        right += not faults
        if faults:
            print(f"{case['name']}: {'; '.join(faults)}", flush=True)
    print(f"{right} of {total}")
    return 0 if right == total > 0 else 1


# ---------------------------------------------------------------- other cuts


def essence(finding, source=None):
    """What must not depend on the cut; the client's address is that of the variant."""
    flow = {k: v for k, v in finding["flow"].items() if v != source and k not in ("app",)}
    return (finding["class"], finding["path"], finding["rule"], finding["tag"], finding["length"],
            finding["way_back"], finding["action"], json.dumps(flow, sort_keys=True))


def judge_recut(program, folder, capture, n, first=1):
    """n cuts of the TCP streams, each under a client address of its own, all in one audit."""
    frames = wire.load(capture)
    taken = recut.streams_of(frames)
    clients = {s.client[0] for s in taken[0]}
    wanted = Counter()
    for f in audit(program, capture).findings:
        if f["flow"]["proto"] == "tcp":
            client = f["flow"]["src"] if f["flow"]["src"] in clients else f["flow"]["dst"]
            wanted[essence(f, client)] += 1
    wrong = 0
    for batch in range(first, first + n, 50):
        seeds = range(batch, min(batch + 50, first + n))
        paths, addresses = [], {}
        for i, seed in enumerate(seeds):
            streams = recut.moved(taken[0], lambda a, i=i: recut.other_address(a, i))
            addresses.update({recut.other_address(a, i): seed for a in clients})
            paths.append(written(f"recut-{os.path.basename(folder)}-{seed:05d}.pcap", recut.as_pcap(
                recut.recut(frames, seed, (streams, [])), hours=i)))
        got = {seed: Counter() for seed in seeds}
        for f in audit(program, paths).findings:
            client = f["flow"]["src"] if f["flow"]["src"] in addresses else f["flow"]["dst"]
            got[addresses[client]][essence(f, client)] += 1
        for path in paths:
            os.remove(path)
        for seed in seeds:
            if got[seed] != wanted:
                wrong += 1
                lost, gained = wanted - got[seed], got[seed] - wanted
                if wrong <= 5:
                    print(f"  seed {seed}: {sum(lost.values())} lost, {sum(gained.values())} gained: "
                          + ", ".join(f"{k[0]} {k[1]}" for k in list(lost + gained)[:4]), flush=True)
    print(f"{os.path.basename(folder)}: {n - wrong} of {n} cuts give the same {sum(wanted.values())} findings",
          flush=True)
    return 1 if wrong else 0


def judge_many(program):
    """Every capture of many.py: its value exactly as often as it was written."""
    wrong = 0
    for name, data in many.captures():
        path = written(f"many-{name}.pcap", data)
        tags = Counter(f["tag"] for f in audit(program, path).findings)
        os.remove(path)
        right = tags == Counter({tag("id_number", many.TOKEN): many.TIMES})
        wrong += not right
        print(f"{name}: {tags[tag('id_number', many.TOKEN)]} of {many.TIMES} found, "
              f"{sum(tags.values()) - tags[tag('id_number', many.TOKEN)]} others", flush=True)
    return 1 if wrong else 0


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("golden", "evasion", "recut", "many"):
        print(__doc__, file=sys.stderr)
        return 2
    program, what, *rest = sys.argv[1:]
    if what == "golden":
        return judge_golden(program, golden_cases(rest))
    if what == "evasion":
        return judge_evasion(program, rest[0], rest[1:])
    if what == "many":
        return judge_many(program)
    n = int(rest[0]) if rest else 200
    return max(judge_recut(program, f, c, n) for f, c in golden_cases(rest[1:]))


if __name__ == "__main__":
    sys.exit(main())
