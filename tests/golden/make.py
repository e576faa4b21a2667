"""Makes golden captures: make.py [CASE...]. Needs root, for namespaces. See README.md."""

import argparse
import os
import shutil
import sys
import tempfile

import lab as wire
from truth import Truth

HERE = os.path.dirname(os.path.abspath(__file__))


def all_cases():
    """Name of a case -> the function that makes it, in order."""
    cases = {}
    for name in ("case_hl7", "case_dicom", "case_web", "case_secret", "case_mail", "case_mixed"):
        cases.update(__import__(name).CASES)
    return dict(sorted(cases.items()))


def readme(name, made, truth):
    lines = [f"# {name}", "", made, "",
             "Everyone in it is invented. `truth.json` says who and what is in it and where; "
             "`tests/e2e/crosscheck.py` has tshark and dcmdump agree.",
             f"Made again by `sudo tests/golden/make.sh {name}`: the contents are the same each time, "
             "ports, sequence numbers and times are those of the day."]
    return "\n".join(lines) + "\n"


def make(name, function):
    out = os.path.join(HERE, name)
    os.makedirs(out, exist_ok=True)
    truth = Truth(name, f"golden {name}")
    links = 2 if name.startswith("10-") else 1
    tmp = tempfile.mkdtemp(prefix="golden.")
    try:
        with wire.Lab(links) as lab:
            made = function(lab, out, tmp, truth)
    finally:
        shutil.rmtree(tmp)
    truth.write(os.path.join(out, "truth.json"))
    with open(os.path.join(out, "README.md"), "w", encoding="utf-8") as file:
        file.write(readme(name, made, truth))
    size = sum(os.path.getsize(os.path.join(out, f)) for f in os.listdir(out) if f.startswith("input."))
    planted = sum(v[0] for v in truth.values.values())
    print(f"{name}: {size} bytes, {truth.flows} flows, {planted} values planted", flush=True)
    if size > 300_000:
        raise SystemExit(f"{name}: larger than 300 kB")


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("case", nargs="*", help="01-hl7-adt, or a beginning of it; all when none")
    given = asked.parse_args()
    cases = all_cases()
    wanted = [n for n in cases if not given.case or any(n.startswith(c) for c in given.case)]
    if not wanted:
        asked.error("no such case; there are " + ", ".join(cases))
    if os.geteuid() != 0:
        asked.error("namespaces need root")
    for name in wanted:
        make(name, cases[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
