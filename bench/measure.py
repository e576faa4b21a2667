"""Measures what a megabyte of traffic costs: measure.py BUILD FOLDER [OPTIONS].

BUILD holds medguan, pcap_sum, replicate and micro; FOLDER holds the captures of make_inputs.sh and
receives results.json. run.sh does all of it. README.md says what every leg is.
"""

import argparse
import datetime
import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time

import peers

PART_COPIES = 4  # of the base: what the slow programs read instead of the whole capture
MB = 1e6


def said(*argv):
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout.decode()
    except OSError:
        return ""


# ---------------------------------------------------------------- one run


def busy(seconds):
    """How many processors were busy, on the average, with the work of others too."""
    def read():
        with open("/proc/stat", encoding="ascii") as file:
            n = [int(x) for x in file.readline().split()[1:9]]
        return sum(n), n[3] + n[4]
    total, idle = read()
    time.sleep(seconds)
    total_after, idle_after = read()
    share = 1 - (idle_after - idle) / max(1, total_after - total)
    return share * os.cpu_count()


def wait_calm(free, patience):
    """Waits until so many processors are free, but not for ever; how many were busy at the end."""
    until = time.monotonic() + patience
    while (now := busy(0.3)) > os.cpu_count() - free + 0.15 and time.monotonic() < until:
        time.sleep(0.7)
    return round(now, 2)


def run(argv, patience, free=1, good=(0,)):
    """Runs to the end; the kernel's account of this one child (wait4), all its threads included."""
    others = wait_calm(free, patience)
    with open(os.devnull, "r+b") as null, open(run.errors, "w+b") as errors:
        began = time.monotonic()
        child = subprocess.Popen(argv, stdin=null, stdout=null, stderr=errors)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in good:
            errors.seek(0)
            tail = errors.read()[-600:].decode(errors="replace")
            sys.exit(f"measure.py: {' '.join(argv)}: exit code {child.returncode}\n{tail}")
    return {"user_s": used.ru_utime, "system_s": used.ru_stime, "cpu_s": used.ru_utime + used.ru_stime,
            "wall_s": wall, "peak_rss_bytes": used.ru_maxrss * 1024, "busy_before": others}


def median(runs, key):
    return statistics.median(r[key] for r in runs)


# ---------------------------------------------------------------- legs of one input


def medguan(build, capture, threads=1):
    return [os.path.join(build, "medguan"), "audit", "--threads", str(threads), "--json", os.devnull, capture]


def legs_of(build, folder, capture, part):
    yield {"name": "medguan audit", "argv": medguan(build, capture), "part": False, "good": (0, 1)}
    yield {"name": "libpcap, sum of bytes", "argv": [os.path.join(build, "pcap_sum"), capture], "part": False}
    yield from peers.all_legs(folder, capture, part)


def measure_input(build, folder, name, given):
    capture, base = (os.path.join(folder, f"{name}{s}.pcap") for s in ("", "_base"))
    part, copies = capture, 1
    if given.quick:
        capture = part = base
    else:
        part = os.path.join(folder, f"{name}_part.pcap")
        copies = make_part(build, base, part)
    legs = list(legs_of(build, folder, capture, part))
    for path in {capture, part}:
        warm(path)
    for leg in legs:
        leg["bytes"] = os.path.getsize(part if leg["part"] else capture)
        leg["runs"] = []
    for _ in range(given.rounds):
        for leg in legs:
            if leg["argv"]:
                leg["runs"].append(run(leg["argv"], given.patience, good=leg.get("good", (0,))))
                tell(f"{name}: {leg['name']}: {leg['runs'][-1]['cpu_s']:.2f} s")
    for leg in legs:
        leg.pop("good", None)
        if leg["runs"]:
            leg["cpu_s"] = median(leg["runs"], "cpu_s")
            leg["peak_rss_bytes"] = max(r["peak_rss_bytes"] for r in leg["runs"])
            leg["mb_per_cpu_s"] = leg["bytes"] / MB / leg["cpu_s"]
    for leg in legs:
        if leg["runs"]:
            leg["ratio"] = legs[0]["mb_per_cpu_s"] / leg["mb_per_cpu_s"]
    return {"name": name, "capture": os.path.basename(capture), "bytes": os.path.getsize(capture),
            "part_copies": copies, "legs": legs, "threads": measure_threads(build, capture, given),
            "summary": summary_of(build, capture)}


def make_part(build, base, part):
    if not os.path.exists(part):
        subprocess.run([os.path.join(build, "replicate"), base, part, str(PART_COPIES)], check=True)
    return PART_COPIES


def warm(path):
    """Into the page cache: no leg pays for the disc."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass


def measure_threads(build, capture, given):
    """Wall-clock time with one thread and with two, turn by turn, on a machine with two to spare."""
    if os.cpu_count() < 2:
        return None
    runs = {1: [], 2: []}
    for _ in range(given.rounds):
        for n in (1, 2):
            runs[n].append(run(medguan(build, capture, n), given.patience, free=2, good=(0, 1)))
            tell(f"{os.path.basename(capture)}: {n} thread(s): {runs[n][-1]['wall_s']:.2f} s by the clock")
    return {"runs": runs, "wall_s": {n: median(r, "wall_s") for n, r in runs.items()},
            "cpu_s": {n: median(r, "cpu_s") for n, r in runs.items()},
            "speed_up": median(runs[1], "wall_s") / median(runs[2], "wall_s")}


def summary_of(build, capture):
    """The last line that medguan writes about the capture: what it found, and its own memory."""
    argv = medguan(build, capture)
    argv[argv.index(os.devnull)] = "-"
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        last = b"{}"
        for line in child.stdout:
            last = line
    summary = json.loads(last)
    summary.pop("not_inspected", None)
    return summary


# ---------------------------------------------------------------- one stage at a time


def measure_micro(build, folder, names, given):
    captures = [os.path.join(folder, f"{name}_base.pcap") for name in names]
    wait_calm(1, given.patience)
    done = subprocess.run([os.path.join(build, "micro"), "3" if given.quick else "9", *captures],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"measure.py: micro: exit code {done.returncode}")
    rows = []
    for line in done.stdout.decode().splitlines():
        name, size, best, middle, events = line.split("\t")
        rows.append({"name": name, "bytes": int(size), "best_mb_s": float(best), "median_mb_s": float(middle),
                     "events": int(events)})
    return rows


# ---------------------------------------------------------------- the report


def conditions(build):
    cache = {}
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        for line in file:
            if m := re.match(r"(\w+):\w+=(.*)", line):
                cache[m[1]] = m[2]
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = re.search(r"model name\s*:\s*(.*)", file.read())
    flags = ""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        for one in json.load(file):
            if one["file"].endswith("filter/main.c"):
                flags = " ".join(re.findall(r"(?<= )-[Ogmf][^ ]*", one["command"]))
    root = os.path.dirname(os.path.abspath(__file__))
    return {"date": datetime.date.today().isoformat(), "cpu": model[1] if model else platform.machine(),
            "processors": os.cpu_count(), "kernel": platform.release(),
            "virtual": "hypervisor" in said("grep", "-m1", "^flags", "/proc/cpuinfo"),
            "compiler": (said(cache.get("CMAKE_C_COMPILER", "cc"), "--version").splitlines() or ["unknown"])[0],
            "flags": flags, "medguan": peers.version([os.path.join(build, "medguan"), "--version"]),
            "commit": said("git", "-C", root, "describe", "--always", "--dirty", "--exclude=*").strip(),
            "versions": peers.versions(), "load_before": os.getloadavg()}


def table(rows, head):
    widths = [max(len(r[i]) for r in [head] + rows) for i in range(len(head))]
    for k, row in enumerate([head] + rows):
        print("| " + " | ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths)))
              + " |")
        if k == 0:
            print("|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|")
    print()


def show_conditions(c):
    print(f"{c['date']}, {c['cpu']}, {c['processors']} processors{' (virtual)' if c['virtual'] else ''}, "
          f"Linux {c['kernel']}; {c['compiler']}, {c['flags']}; {c['medguan']} at {c['commit']}; "
          + "".join(f"{v}; " for v in c["versions"].values())
          + "load average %.2f before, %.2f after.\n" % (c["load_before"][0], c["load_after"][0]))


def show_peak(n):
    """A child begins with the peak of its parent, so what is below that is not known."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return f"{'< ' if n <= own * 1.05 else ''}{n / (1 << 20):.0f}"


def show_input(one):
    print(f"{one['capture']}: {one['bytes'] / MB:.1f} MB, {one['summary'].get('packets', 0)} packets, "
          f"{one['summary'].get('flows', 0)} flows\n")
    rows = []
    for leg in one["legs"]:
        if not leg["runs"]:
            rows.append([f"{leg['name']}: not installed, skipped", "", "", "", "", ""])
            continue
        rows.append([leg["name"] + (" (part)" if leg["part"] else ""), f"{leg['bytes'] / MB:.0f}",
                     f"{leg['cpu_s']:.2f}", f"{leg['mb_per_cpu_s']:.1f}", f"{leg['ratio']:.2f}",
                     show_peak(leg["peak_rss_bytes"])])
    table(rows, ["leg", "MB", "CPU s", "MB per CPU s", "medguan to it", "peak MiB"])
    if t := one["threads"]:
        print(f"Two threads: {t['wall_s'][1]:.2f} s with one, {t['wall_s'][2]:.2f} s with two by the clock: "
              f"{t['speed_up']:.2f} times as fast; CPU {t['cpu_s'][1]:.2f} s and {t['cpu_s'][2]:.2f} s.")
    s = one["summary"]
    if s.get("peak_flows", 0) > 10000:
        print(f"Memory: {s['peak_memory_bytes'] / (1 << 20):.1f} MiB for {s['peak_flows']} flows at once as medguan "
              f"counts it, {s['peak_memory_bytes'] / s['peak_flows']:.0f} bytes a flow; whole process "
              f"{one['legs'][0]['peak_rss_bytes'] / s['peak_flows']:.0f} bytes a flow.")
    print()


def show(results):
    show_conditions(results["conditions"])
    for one in results["inputs"]:
        show_input(one)
    if results["micro"]:
        table([[r["name"], f"{r['bytes'] / 1024:.0f}", f"{r['best_mb_s']:.0f}", f"{r['median_mb_s']:.0f}",
                str(r["events"])] for r in results["micro"]],
              ["stage", "KiB", "best MB/s", "median MB/s", "events"])


def tell(text):
    if sys.stderr.isatty() or os.environ.get("MEDGUAN_BENCH_VERBOSE"):
        print(text, file=sys.stderr, flush=True)


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("build")
    asked.add_argument("folder")
    asked.add_argument("--quick", action="store_true", help="the base captures once: does it all run?")
    asked.add_argument("--rounds", type=int, default=3, help="runs of every leg, in turn (default 3)")
    asked.add_argument("--only", choices=["medical", "small", "micro"], help="one part of it")
    asked.add_argument("--patience", type=float, default=20,
                       help="seconds to wait before a run for a processor that is free (default 20)")
    given = asked.parse_args()
    if given.rounds < 1:
        asked.error("--rounds must be at least 1")
    if given.quick:
        given.rounds, given.patience = 1, 0
    build, folder = os.path.abspath(given.build), os.path.abspath(given.folder)
    run.errors = os.path.join(folder, "errors.txt")
    there = [n for n in ("medical", "small") if os.path.exists(os.path.join(folder, f"{n}_base.pcap"))]
    results = {"conditions": conditions(build), "rounds": given.rounds}
    results["inputs"] = [measure_input(build, folder, n, given) for n in there if given.only in (None, n)]
    results["micro"] = measure_micro(build, folder, there, given) if given.only in (None, "micro") else []
    results["conditions"]["load_after"] = os.getloadavg()
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as out:
        json.dump(results, out, indent=1)
        out.write("\n")
    show(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
