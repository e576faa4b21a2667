"""Damage: whatever a capture holds, an audit ends by itself, says what it could not read, and goes on.

  robust.py PROGRAM truncate [CASE...]     golden captures below 30 kB, cut at every byte
  robust.py PROGRAM mutate [N [SEED]]      N damaged copies over all golden captures (default 10,000)
  robust.py PROGRAM samples                every capture below the folder MEDGUAN_SAMPLES

Many files go to one audit, each under addresses of its own. Every audit must end in time with exit
code 0, 1 or 2, with a summary, without a word from a sanitizer. A file that ends inside a record, or
whose records cannot be walked, must be named on standard error with a byte offset; of every other
file each packet must be counted.
"""

import concurrent.futures
import gzip
import os
import re
import struct
import subprocess
import sys

import judge
import mutate
import recut
import wire
from program import audit, folder

LIMITS = ["--memory-mib", "64", "--max-flows", "20000", "--no-hints"]
WALL_SECONDS = 120
SMALL = 30_000
BATCH = 1000
NAMED = r"(?:at (?:packed byte )?\d+: |empty file|not a pcap or pcapng capture)"
WORD = struct.Struct(">H")


# ---------------------------------------------------------------- addresses of its own for each file


def addresses(capture):
    """IPv4 addresses of a capture: those of the site, and those far away."""
    near, far = set(), set()
    for f in wire.load(capture):
        if f.data[12:14] == b"\x08\x00":
            for at in (26, 30):
                a = f.data[at:at + 4]
                (near if a[:2] == b"\xc0\xa8" else far).add(a)
    return near, far


def shifted(address, by):
    """The address with its lower half moved on in ones' complement."""
    return address[:2] + WORD.pack((WORD.unpack(address[2:])[0] + by - 1) % 0xFFFF + 1)


class Renamer:
    """Gives a file other addresses without touching a checksum: what is added to one end of each
    connection is taken from the other."""

    def __init__(self, capture):
        self.near, self.far = addresses(capture)

    def renamed(self, data, n):
        for a in self.near:
            data = data.replace(a, shifted(a, n))
        for a in self.far:
            data = data.replace(a, shifted(a, -n))
        return data


# ---------------------------------------------------------------- what a file holds


def plain(capture):
    with open(capture, "rb") as file:
        data = file.read()
    return data, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def walk(data):
    """(packets, whole): records of a pcap or pcapng file up to the first that cannot be."""
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return walk_pcapng(data)
    if len(data) < 24 or data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
        return 0, False
    n, at = 0, 24
    while at + 16 <= len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        if length > len(data) - at - 16:
            return n, False
        n, at = n + 1, at + 16 + length
    return n, at == len(data)


def walk_pcapng(data):
    n, at = 0, 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or length % 4 or length > len(data) - at \
                or data[at + 4:at + 8] != data[at + length - 4:at + length]:
            return n, False
        n, at = n + (kind == 6), at + length
    return n, at == len(data)


# ---------------------------------------------------------------- one audit of many files


class Batch:
    """Files for one audit: (name, bytes, packets or None, whole: True, False or None for unknown)."""

    def __init__(self, name):
        self.name, self.files = name, []

    def add(self, data, packets, whole):
        self.files.append((f"{len(self.files):05d}", data, packets, whole))

    def run(self, program):
        """Faults as lines."""
        where = os.path.join(folder(), self.name)
        os.makedirs(where)
        paths = {}
        for name, data, _, _ in self.files:
            paths[name] = os.path.join(where, name)
            with open(paths[name], "wb") as out:
                out.write(data)
        try:
            faults = list(self.judge(audit(program, list(paths.values()), *LIMITS, timeout=WALL_SECONDS)))
        except subprocess.TimeoutExpired:
            faults = [f"no end in {WALL_SECONDS} seconds"]
        except SystemExit as error:
            faults = [str(error)]
        if not faults:
            for path in paths.values():
                os.remove(path)
            os.rmdir(where)
        return [f"{self.name}: {f}" for f in faults]

    def judge(self, heard):
        text = "\n".join(heard.complaints)
        if heard.code not in (0, 1, 2) or re.search("Sanitizer|runtime error|Assertion", text):
            yield f"ended with {heard.code}: {text[-2000:]}"
            return
        if not heard.lines or heard.lines[-1].get("event") != "summary":
            yield "no summary"
            return
        named = {m.group(1) for m in re.finditer(rf"{re.escape(self.name)}/(\d+): {NAMED}", text)}
        packets, at_least = heard.summary["packets"], 0
        unknown = False
        for name, _, n, whole in self.files:
            if whole is False and name not in named:
                yield f"{name} is damaged and not named"
            if whole is True and name in named:
                yield f"{name} is whole and named"
            if name in named or n is None:
                unknown = True
            else:
                at_least += n
        if packets < at_least or (not unknown and packets != at_least):
            yield f"{packets} packets, not {at_least}"
        if (heard.code == 2) != bool(named):
            yield f"exit code {heard.code} with {len(named)} files named"


def run_all(program, batches, what):
    """Two audits at a time; 1 when there are faults."""
    files, faults = 0, []

    def run(batch):
        return len(batch.files), batch.run(program)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = set()
        for batch in batches:
            waiting.add(pool.submit(run, batch))
            if len(waiting) > 2:
                done, waiting = concurrent.futures.wait(waiting, return_when="FIRST_COMPLETED")
                for d in done:
                    files, faults = files + d.result()[0], faults + d.result()[1]
        for d in concurrent.futures.as_completed(waiting):
            files, faults = files + d.result()[0], faults + d.result()[1]
    print(f"{files} {what}: {len(faults)} faults", flush=True)
    for fault in faults[:20]:
        print("  " + fault)
    return 1 if faults or not files else 0


# ---------------------------------------------------------------- truncation, mutation, samples


def truncations(wanted):
    for where, capture in judge.golden_cases(wanted):
        raw, data = plain(capture)
        if len(raw) >= SMALL:
            continue
        case, renamer = os.path.basename(where), Renamer(capture)
        packed = raw != data
        whole, cut = Batch(f"{case}-at-borders"), None
        for n in range(len(raw) + 1):
            part = raw[:n] if packed else renamer.renamed(raw[:n], n % 20_000)
            packets, right = (None, n == len(raw)) if packed else walk(part)
            if right:
                whole.add(part, packets, True)
                continue
            if cut is None or len(cut.files) == BATCH:
                if cut:
                    yield cut
                cut = Batch(f"{case}-cut-{n}")
            cut.add(part, packets, False)
        yield cut
        yield whole


def mutants(n, first):
    """In turn damaged files and damaged packets, of every golden capture."""
    cases = [(os.path.basename(f), c) for f, c in judge.golden_cases()]
    for k, (case, capture) in enumerate(cases):
        data, renamer, frames = plain(capture)[1], Renamer(capture), wire.load(capture)
        seeds = range(first + k, first + n, len(cases))
        for start in range(0, len(seeds), 200):
            files, packets = Batch(f"{case}-file-{start}"), Batch(f"{case}-packet-{start}")
            for i, seed in enumerate(seeds[start:start + 200]):
                if i % 2:
                    mutant = renamer.renamed(mutate.mutate_file(data, seed), i)
                    files.add(mutant, None, False if not walk(mutant)[1] else None)
                else:
                    changed = mutate.mutate_frames(frames, seed)
                    packets.add(renamer.renamed(recut.as_pcap(changed), i), len(changed), True)
            yield files
            yield packets


def samples():
    root = os.environ.get("MEDGUAN_SAMPLES")
    if not root:
        print("robust.py: skipped: MEDGUAN_SAMPLES is not set to a folder of captures", file=sys.stderr)
        sys.exit(77)
    for where, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            path = os.path.join(where, name)
            if re.search(r"\.(pcap|pcapng|cap|ntar)(\.gz|\.zst)?$", name):
                with open(path, "rb") as file:
                    batch = Batch(name)
                    batch.add(file.read(), None, None)
                    yield batch


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("truncate", "mutate", "samples"):
        print(__doc__, file=sys.stderr)
        return 2
    program, what, *rest = sys.argv[1:]
    os.environ.setdefault("ASAN_OPTIONS", "malloc_context_size=2")  # deeper costs a quarter of the time
    if what == "truncate":
        return run_all(program, truncations(rest), "truncated captures")
    if what == "samples":
        return run_all(program, samples(), "captures")
    n, seed = (int(x) for x in (rest + ["10000", "1"][len(rest):])[:2])
    return run_all(program, mutants(n, seed), "damaged captures")


if __name__ == "__main__":
    sys.exit(main())
