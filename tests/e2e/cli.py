"""The program as a user meets it: its words, exit codes and outputs, and what it never says.

  cli.py PROGRAM [TEST...]     all tests, or those whose names hold one of the words

Exit codes: 0 nothing to act on, 1 something to act on, 2 usage, environment or unreadable input;
2 outranks 1, and what can be done is done.
"""

import glob
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")
ABROAD = os.path.join(GOLDEN, "01-hl7-adt", "input.pcap")
INSIDE = os.path.join(GOLDEN, "09-inside-only", "input.pcap")
COMMANDS = ("audit", "geo", "policy")
PROGRAM = ""


def run(*words, code=None, stdin=subprocess.DEVNULL, **how):
    """Runs the program; `code` is what it must end with."""
    done = subprocess.run([PROGRAM, *words], stdin=stdin, stdout=how.pop("stdout", subprocess.PIPE),
                          stderr=subprocess.PIPE, check=False, timeout=300, **how)
    assert done.returncode >= 0, f"{words}: killed by signal {-done.returncode}: {done.stderr[-2000:]}"
    if code is not None:
        assert done.returncode == code, f"{words}: ended with {done.returncode}, not {code}: {done.stderr[-500:]}"
    return done


def says(done, *pieces):
    for piece in pieces:
        assert piece.encode() in done.stderr, f"no '{piece}' in {done.stderr!r}"


def lines_of(data):
    return [json.loads(line) for line in data.splitlines()]


def summary_of(data):
    lines = lines_of(data)
    assert lines and lines[-1]["event"] == "summary", "no summary at the end"
    assert sum(x["event"] == "summary" for x in lines) == 1, "more than one summary"
    return lines[-1]


# ---- words ----------------------------------------------------------------------------------


def test_no_words(_):
    done = run(code=2)
    says(done, "usage: medguan COMMAND", *COMMANDS)
    assert done.stdout == b""


def test_help(_):
    for words in (["--help"], ["help"], *([c, "--help"] for c in COMMANDS)):
        done = run(*words, code=0)
        assert done.stdout.lower().startswith(b"usage: medguan"), words
        assert done.stderr == b"", words
        assert max(len(line) for line in done.stdout.decode().splitlines()) <= 100, words
    for command in COMMANDS:
        assert command.encode() in run("--help").stdout
    # Every option in the help is known to the program.
    for command in COMMANDS:
        for option in set(re.findall(r"--[a-z-]+", run(command, "--help").stdout.decode())):
            done = run(command, option, "--help")
            assert b"unrecognized" not in done.stderr, (command, option)


def test_version(_):
    done = run("--version", code=0)
    assert re.match(rb"medguan \d+\.\d+\.\d+\n", done.stdout), done.stdout


def test_wrong_words(_):
    says(run("adit", code=2), "no command 'adit'", "audit")
    for command in COMMANDS:
        says(run(command, "--frobnicate", code=2), "--frobnicate", f"Try 'medguan {command} --help'")
    says(run("audit", code=2), "no capture named")
    says(run("audit", "--threads", code=2), "threads")
    for words in (["policy"], ["policy", "check"], ["policy", "chek", "x"], ["geo"], ["geo", "lookup"],
                  ["geo", "look"], ["policy", "show", "a", "b"]):
        assert run(*words, code=2).stderr, words
    says(run("audit", "--json", "-", "--dump", "findings", ABROAD, code=2), "exclude each other")


def test_bad_numbers(_):
    for option, legal in (("--threads", "1..64"), ("--memory-mib", "16..1048576"),
                          ("--max-flows", "1..16777216"), ("--seconds", "1..")):
        for bad in ("", "0", "-1", "x", "1x", "1.5", "99999999999999999999", "0x10", "1 "):
            done = run("audit", option, bad, ABROAD, code=2)
            says(done, f"{option} must be {legal}")
            assert done.stdout == b""
    says(run("audit", "--dump", "values", ABROAD, code=2), "--dump must be packets, events, findings or verdicts")
    says(run("audit", "--home", "10.0.0.0/33", ABROAD, code=2), "10.0.0.0/33")
    says(run("audit", "--filter", "tcp prot 1", ABROAD, code=2), "tcp prot 1")


# ---- input ----------------------------------------------------------------------------------


def test_codes(_):
    assert summary_of(run("audit", "--json", "-", ABROAD, code=1).stdout)["actions"]["deidentify"] > 0
    inside = summary_of(run("audit", "--json", "-", INSIDE, code=0).stdout)
    assert inside["actions"]["deidentify"] == inside["actions"]["block"] == 0 < inside["actions"]["pass"]
    run("audit", INSIDE, ABROAD, code=1)


def test_missing_file(folder):
    """2 outranks 1, and the rest is done."""
    missing = os.path.join(folder, "missing.pcap")
    alone = summary_of(run("audit", "--json", "-", ABROAD).stdout)
    for words in ([missing, ABROAD], [ABROAD, missing]):
        done = run("audit", "--json", "-", *words, code=2)
        says(done, missing)
        assert summary_of(done.stdout)["findings"] == alone["findings"]
    says(run("audit", missing, code=2), missing)
    run("audit", INSIDE, missing, code=2)


def test_unreadable(folder):
    for name, data in (("empty.pcap", b""), ("text.pcap", b"Dear colleague, see the capture\n" * 20),
                       ("zeros.pcap", bytes(5000)), ("magic.pcap", b"\xd4\xc3\xb2\xa1")):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        done = run("audit", "--json", "-", path, code=2)
        says(done, name)
        assert summary_of(done.stdout)["packets"] == 0
    says(run("audit", "/dev/null", code=2), "/dev/null")
    closed = os.path.join(folder, "closed.pcap")
    shutil.copy(ABROAD, closed)
    os.chmod(closed, 0)
    if os.geteuid() == 0:
        readable = os.path.join(folder, "medguan")
        try:
            shutil.copy(PROGRAM, readable)
            os.chmod(folder, 0o755)
            os.chmod(readable, 0o755)
            done = subprocess.run([readable, "audit", "--json", "-", closed, INSIDE], user=65534, group=65534,
                                  capture_output=True, check=False, timeout=300)
        except (OSError, subprocess.SubprocessError):
            return
        if b"cannot open shared object" in done.stderr or b"rules" in done.stderr:
            return
        assert done.returncode == 2, (done.returncode, done.stderr)
    else:
        done = run("audit", "--json", "-", closed, INSIDE, code=2)
    says(done, closed)
    assert summary_of(done.stdout)["packets"] > 0


def test_folders(folder):
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    says(run("audit", empty, code=2), "no capture was found")
    with open(os.path.join(empty, "notes.txt"), "w", encoding="ascii") as file:
        file.write("nothing here\n")
    done = run("audit", "--json", "-", empty, code=2)
    says(done, "no capture was found")
    assert summary_of(done.stdout)["packets"] == 0
    shutil.copy(ABROAD, os.path.join(empty, "b.pcap"))
    deep = os.path.join(empty, "x", "y")
    os.makedirs(deep)
    shutil.copy(INSIDE, os.path.join(deep, "a.pcap"))
    done = run("audit", "--json", "-", empty, code=1)
    both = summary_of(done.stdout)
    alone = [summary_of(run("audit", "--json", "-", f).stdout) for f in (ABROAD, INSIDE)]
    assert both["packets"] == sum(a["packets"] for a in alone)
    run("audit", os.path.join(deep), code=0)


def test_truncated(folder):
    with open(ABROAD, "rb") as file:
        data = file.read()
    path = os.path.join(folder, "truncated.pcap")
    whole = summary_of(run("audit", "--json", "-", ABROAD).stdout)
    for n in (23, 24, 30, 41, len(data) // 2, len(data) - 1):
        with open(path, "wb") as file:
            file.write(data[:n])
        done = run("audit", "--json", "-", path)
        assert done.returncode == 2 or n == 24, (n, done.returncode)
        assert summary_of(done.stdout)["packets"] <= whole["packets"]
        if done.returncode == 2:
            says(done, "truncated.pcap")
    # What is there of a cut packet is read too.
    assert summary_of(done.stdout)["packets"] in (whole["packets"] - 1, whole["packets"])
    assert sum(summary_of(done.stdout)["findings"].values()) > 0


def test_stdin(_):
    with open(ABROAD, "rb") as file:
        piped = run("audit", "--json", "-", "-", code=1, stdin=file)
    direct = summary_of(run("audit", "--json", "-", ABROAD).stdout)
    assert summary_of(piped.stdout)["findings"] == direct["findings"]
    run("audit", "-", code=2)


# ---- output ---------------------------------------------------------------------------------


def test_write_faults(folder):
    says(run("audit", "--json", "/dev/full", ABROAD, code=2), "/dev/full", "No space left")
    with open("/dev/full", "wb") as full:
        for words in (["--json", "-"], ["--dump", "packets"], []):
            says(run("audit", *words, ABROAD, code=2, stdout=full), "could not be written")
    nowhere = os.path.join(folder, "no", "such.html")
    done = run("audit", "--report", nowhere, ABROAD, code=2)
    says(done, nowhere)
    assert b"standard output" not in done.stderr, done.stderr
    says(run("audit", "--json", nowhere, ABROAD, code=2), nowhere)
    says(run("audit", "--report", "/dev/full", ABROAD, code=2), "/dev/full")


def test_closed_pipe(_):
    for words in (["--json", "-"], ["--dump", "packets"], []):
        child = subprocess.Popen([PROGRAM, "audit", *words, ABROAD, INSIDE], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        child.stdout.close()
        err = child.stderr.read()
        assert child.wait(timeout=300) == 2, (words, child.returncode, err)
        assert b"could not be written" in err, err


def test_show_values(folder):
    done = run("audit", "--show-values", "--dump", "findings", ABROAD, code=2)
    says(done, "terminal")
    assert done.stdout == b""
    run("audit", "--show-values", ABROAD, code=2)
    with open(os.path.join(folder, "out"), "wb") as out:
        run("audit", "--show-values", "--dump", "verdicts", ABROAD, code=2, stdout=out)
    # On a terminal the person who checks findings sees them.
    try:
        master, slave = pty.openpty()
    except OSError as error:
        print(f"cli.py: no terminal here, its part is passed over: {error}", file=sys.stderr)
        return
    child = subprocess.Popen([PROGRAM, "audit", "--show-values", "--dump", "findings", ABROAD],
                             stdin=subprocess.DEVNULL, stdout=slave, stderr=subprocess.DEVNULL)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    assert child.wait(timeout=300) == 1
    assert any(v.encode() in seen for v in planted(os.path.dirname(ABROAD))), "no value shown on a terminal"


def planted(case):
    """All planted values of a golden case that are long enough not to occur by chance."""
    with open(os.path.join(case, "truth.json"), encoding="utf-8") as file:
        truth = json.load(file)
    values = set()
    for e in truth["values"] + truth.get("optional", []):
        for value in [e.get("value"), *e.get("parts", [])]:
            if isinstance(value, str) and len(value.encode()) >= 6:
                values.add(value)
    return values


def test_no_value_is_spoken(folder):
    """Not in JSON, tables, pages, dumps nor errors."""
    key = os.path.join(folder, "key")
    with open(key, "wb") as file:
        file.write(b"0123456789abcdef")
    for case in sorted(glob.glob(os.path.join(GOLDEN, "[0-9]*"))):
        capture = sorted(glob.glob(os.path.join(case, "input.*")))[0]
        page, lines = os.path.join(folder, "page.html"), os.path.join(folder, "lines.jsonl")
        spoken = b""
        done = run("audit", "--json", lines, "--report", page, "--key", key, capture)
        spoken += done.stdout + done.stderr
        for path in (page, lines):
            with open(path, "rb") as file:
                spoken += file.read()
        for what in ("packets", "events", "findings", "verdicts"):
            done = run("audit", "--dump", what, "--key", key, capture)
            spoken += done.stdout + done.stderr
        for value in planted(case):
            for charset in ("utf-8", "gb18030", "big5", "utf-16-le"):
                try:
                    coded = value.encode(charset)
                except UnicodeEncodeError:
                    continue
                assert coded not in spoken, f"{os.path.basename(case)}: a value of {len(value)} letters is spoken"
            assert json.dumps(value)[1:-1].encode() not in spoken


def test_terminal(_):
    """Colour and progress only on a terminal."""
    done = run("audit", ABROAD)
    assert b"\x1b" not in done.stdout + done.stderr and b"\r" not in done.stdout + done.stderr


# ---- runs -----------------------------------------------------------------------------------


def many_flows(folder, copies=40):
    """A capture of several golden ones, repeated with other ports so that there are many flows."""
    path = os.path.join(folder, "many.pcap")
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for i in range(copies):
            for case in ("01-hl7-adt", "05-fhir", "09-inside-only"):
                with open(os.path.join(GOLDEN, case, "input.pcap"), "rb") as file:
                    data = file.read()
                order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
                at = 24
                while at + 16 <= len(data):
                    second, fraction, caught, wire = struct.unpack(order + "IIII", data[at:at + 16])
                    frame = bytearray(data[at + 16:at + 16 + caught])
                    at += 16 + caught
                    if len(frame) > 38 and frame[12:14] == b"\x08\x00" and frame[23] == 6:
                        frame[28] = (frame[28] + i) % 256  # source address
                        frame[32] = frame[32] if caught else 0
                        frame[24:26] = b"\0\0"
                    out.write(struct.pack("<IIII", second + i, fraction, len(frame), wire) + frame)
    return path


def test_threads(folder):
    """One thread and four say the same, byte for byte, but for time and memory."""
    key = os.path.join(folder, "key")
    with open(key, "wb") as file:
        file.write(b"0123456789abcdef")
    path = many_flows(folder)
    seen = []
    for n in ("1", "4", "4", "7"):
        done = run("audit", "--json", "-", "--key", key, "--threads", n, path)
        *lines, last = done.stdout.splitlines()
        summary = json.loads(last)
        for name in [k for k in summary if "second" in k or "memory" in k]:
            del summary[name]
        summary.pop("peak_flows", None)
        seen.append((done.returncode, lines, summary))
    for other in seen[1:]:
        assert other[0] == seen[0][0]
        for a, b in zip(seen[0][1], other[1]):
            assert a == b, f"lines differ:\n{a.decode()}\n{b.decode()}"
        assert len(seen[0][1]) == len(other[1])
        assert seen[0][2] == other[2], f"{seen[0][2]}\n{other[2]}"


def test_tags(folder):
    """The same key gives the same tags; without a key each run has its own."""
    key = os.path.join(folder, "key")
    with open(key, "wb") as file:
        file.write(b"0123456789abcdef")

    def tags(*words):
        return [x.get("tag") for x in lines_of(run("audit", "--json", "-", *words, ABROAD).stdout)
                if x["event"] == "finding"]

    assert tags("--key", key) == tags("--key", key)
    assert tags("--key", key) != tags()
    assert tags() != tags()
    with open(key, "wb") as file:
        file.write(b"short")
    says(run("audit", "--key", key, ABROAD, code=2), "16..4096 bytes")
    run("audit", "--key", os.path.join(folder, "none"), ABROAD, code=2)


def started(*words, **how):
    return subprocess.Popen([PROGRAM, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, **how)


def feed_half(child):
    """Gives the first half of a capture and leaves the pipe open."""
    with open(ABROAD, "rb") as file:
        data = file.read()
    child.stdin.write(data[:len(data) // 2])
    child.stdin.flush()


def test_interrupt(_):
    """Ctrl-C ends with what was found so far."""
    for number in (signal.SIGINT, signal.SIGTERM):
        child = started("audit", "--json", "-", "-")
        feed_half(child)
        time.sleep(4)
        child.send_signal(number)
        try:
            out, err = child.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            child.kill()
            raise AssertionError(f"signal {number} does not end an audit that waits for input") from None
        assert child.returncode in (1, 2), (child.returncode, err)
        assert sum(summary_of(out)["findings"].values()) > 0, err


def test_kill(folder):
    """Killed in the middle it leaves nothing that stops the next run."""
    out, page = os.path.join(folder, "out.jsonl"), os.path.join(folder, "page.html")
    child = started("audit", "--json", out, "--report", page, "-")
    feed_half(child)
    time.sleep(1)
    child.kill()
    child.communicate()
    before = set(os.listdir(folder))
    assert before <= {"out.jsonl", "page.html"}, before
    run("audit", "--json", out, "--report", page, ABROAD, code=1)
    with open(out, "rb") as file:
        summary_of(file.read())


def main():
    global PROGRAM  # pylint: disable=global-statement
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    PROGRAM = os.path.abspath(sys.argv[1])
    bad = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_") or (sys.argv[2:] and not any(w in name for w in sys.argv[2:])):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                print(f"{name}: right", flush=True)
            except AssertionError as error:
                bad += 1
                print(f"{name}: {str(error)[:1500]}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
