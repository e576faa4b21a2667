"""One resident number written 6,000 times, in streams of many kinds cut at every kind of border.

captures() gives (name, bytes of a pcap). However a stream is cut, the number of findings is the
number of times it was written: none lost where a segment, a chunk or a buffer ends, none twice.
"""

import gzip
import random
import sys
import os

import evasion_text as text
import recut
import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from people import People  # noqa: E402

TIMES = 6000
TOKEN = People("many").resident_id().encode()
CLIENT, SERVER = ("192.168.10.5", 41000), ("3.5.140.2", 5600)


def lines(r):
    """A log: the number at any column, lines of any length, some without an end for long."""
    out = []
    for _ in range(TIMES):
        before = text.filler(r.choice([2, 3, 17, 60, 400]))[:-1]
        out.append(before + b" " + TOKEN + r.choice([b"\n", b"\n", b"\r\n", b" ", b"; ", b", "]))
    return b"".join(out)


def packed_lines(r):
    """The number on lines of its own: as dense as can be."""
    return b"".join(TOKEN + r.choice([b"\n", b"\r\n"]) for _ in range(TIMES))


def json_body(r):
    rows = [b'{"n": %d, "note": "' % i + text.filler(r.choice([2, 40, 300]))[:-1] + b" " + TOKEN + b'"}'
            for i in range(TIMES)]
    return b'{"kind": "log", "rows": [' + b",\n".join(rows) + b"]}"


def chunked(r, body):
    out, at = [], 0
    while at < len(body):
        size = r.choice([1, 7, 18, 200, 1460, 5000, 70000])
        piece = body[at:at + size]
        out.append(b"%x\r\n" % len(piece) + piece + b"\r\n")
        at += size
    return b"".join(out) + b"0\r\n\r\n"


def post(r, body, coding=b""):
    return (b"POST /log HTTP/1.1\r\nHost: service.example.com\r\nContent-Type: application/json\r\n" + coding
            + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(r, body))


def hl7(r):
    """As messages of MLLP: each a few observations, each with the number in running text."""
    out, left, n = [], TIMES, 0
    while left:
        count, n = min(left, r.choice([1, 2, 9, 50])), n + 1
        left -= count
        segments = [b"MSH|^~\\&|MG|WARD|R|R|20240315083000||ORU^R01|M%05d|P|2.5.1" % n]
        segments += [b"OBX|%d|ST|NOTE^note^L||" % (i + 1) + text.filler(r.choice([2, 30]))[:-1] + b" " + TOKEN
                     + b"||||||F" for i in range(count)]
        out.append(b"\x0b" + b"\r".join(segments) + b"\r\x1c\r")
    return b"".join(out)


def folded(r):
    """As requests whose header fields go over several lines (RFC 9112, 5.2), a number on each."""
    out, left = [], TIMES
    while left:
        count = min(left, r.choice([1, 2, 9, 20]))
        left -= count
        rows = [text.filler(r.choice([2, 30, 300]))[:-1].replace(b"\n", b" ") + b" " + TOKEN for _ in range(count)]
        out.append(b"GET /log HTTP/1.1\r\nHost: service.example.com\r\nX-Note: "
                   + r.choice([b"\r\n ", b"\r\n\t"]).join(rows) + b"\r\n\r\n")
    return b"".join(out)


def recut_frames(data, seed):
    stream = recut.Stream(CLIENT, SERVER, [1000, 9000], [(0, data)], closed=True)
    return recut.recut([], seed, ([stream], []), small=20_000)


def datagrams(r):
    """UDP datagrams, each with a few numbers whole: what is cut between datagrams is not joined."""
    trace, left = wire.Trace(), TIMES
    while left:
        count = min(left, r.choice([1, 3, 20, 50]))
        left -= count
        part = wire.udp(CLIENT[0], SERVER[0], 40000, 514, b"".join(TOKEN + b"\n" for _ in range(count)))
        trace.add(wire.ethernet(wire.ipv4(CLIENT[0], SERVER[0], wire.UDP, part)))
    return trace.frames


def captures():
    made = [("lines", lines), ("dense", packed_lines), ("json in chunks", lambda r: post(r, json_body(r))),
            ("json in gzip", lambda r: post(r, gzip.compress(json_body(r), mtime=0),
                                            b"Content-Encoding: gzip\r\n")), ("hl7", hl7), ("folded", folded)]
    for name, make in made:
        for seed in range(1, 4):
            r = random.Random(f"many {name} {seed}")
            yield f"{name} {seed}", recut.as_pcap(recut_frames(make(r), seed))
    yield "udp", recut.as_pcap(datagrams(random.Random("many udp")))
