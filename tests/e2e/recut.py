"""Cuts the TCP streams of a clean capture anew: recut.py CAPTURE FOLDER [-n N] [--seed S].

The same bytes between the same addresses and ports, in other segments: any size from 1 to 1460, out
of order, sent twice, overlapping with equal bytes; connections interleaved. A finder must find in
every variant what it finds in the original. recut(frames, seed) is the same as a function.

What is not TCP over plain IPv4 stays as it was and comes first.
"""

import argparse
import os
import random
import struct
import sys
from dataclasses import dataclass, field, replace

import wire

SIZES = {"bytes": (1, 1), "crumbs": (1, 9), "pieces": (1, 64), "blocks": (30, 500), "any": (1, 1460),
         "full": (1460, 1460)}


@dataclass
class Stream:
    """One connection: its ends, first sequence numbers and the turns in which it spoke."""
    client: tuple
    server: tuple
    isn: list  # of client and server: the number before the first byte
    turns: list = field(default_factory=list)  # (0 client or 1 server, bytes)
    next: list = field(default_factory=lambda: [0, 0])
    ahead: list = field(default_factory=lambda: [{}, {}])
    opened: bool = True
    closed: bool = False

    def take(self, side, offset, payload):
        """Joins bytes at an offset; copies agree, so of two at one offset the longer says more."""
        if offset > self.next[side]:
            held = self.ahead[side].get(offset, b"")
            self.ahead[side][offset] = max(held, payload, key=len)
            return
        payload = payload[self.next[side] - offset:]
        if payload:
            if self.turns and self.turns[-1][0] == side:
                self.turns[-1] = (side, self.turns[-1][1] + payload)
            else:
                self.turns.append((side, payload))
            self.next[side] += len(payload)
        for at in sorted(self.ahead[side]):
            if at <= self.next[side]:
                self.take(side, at, self.ahead[side].pop(at))
                return


def streams_of(frames):
    """The connections of a capture in order of appearance, and the frames that are none of TCP."""
    found, rest = {}, []
    for frame in frames:
        s = wire.segment(frame.data)
        if s is None:
            rest.append(frame)
            continue
        a, b = (s.source, s.sport), (s.destination, s.dport)
        syn = s.flags & wire.SYN
        if (a, b) not in found and (b, a) not in found:
            if syn and s.flags & wire.ACK:
                a, b = b, a
            # without a handshake, the first sender counts as the client
            found[a, b] = Stream(a, b, [s.seq if syn else s.seq - 1, s.ack - 1], opened=bool(syn))
        side = 0 if (a, b) in found else 1
        stream = found[(a, b) if side == 0 else (b, a)]
        if syn:
            stream.isn[side] = s.seq
        else:
            offset = (s.seq - stream.isn[side] - 1) & 0xFFFFFFFF
            if s.payload and offset < 1 << 31:
                stream.take(side, offset, s.payload)
            stream.closed |= bool(s.flags & wire.FIN)
    return list(found.values()), rest


class Recutter:
    """Writes one connection anew."""

    def __init__(self, stream, rng, small=400):
        self.stream, self.random, self.frames, self.small = stream, rng, [], small
        self.sent, self.ident = [0, 0], 0
        self.sizes = SIZES[rng.choice(list(SIZES))]
        self.shuffle = rng.choice([0, 0, 2, 4, 8])
        self.twice = rng.choice([0, 0, 0.1, 0.3])
        self.overlap = rng.choice([0, 0, 0.2, 0.5])

    def packet(self, side, offset, flags, payload=b"", options=b""):
        s = self.stream
        a, b = (s.client, s.server) if side == 0 else (s.server, s.client)
        ack = s.isn[1 - side] + 1 + self.sent[1 - side] if flags & wire.ACK else 0
        part = wire.tcp(a[0], b[0], a[1], b[1], s.isn[side] + 1 + offset, ack, flags, payload, options=options)
        self.ident += 1
        macs = (wire.CLIENT_MAC, wire.SERVER_MAC) if side == 0 else (wire.SERVER_MAC, wire.CLIENT_MAC)
        self.frames.append(wire.ethernet(
            wire.ipv4(a[0], b[0], wire.TCP, part, ident=self.ident & 0xFFFF), 0x0800, *macs))

    def handshake(self):
        self.packet(0, -1, wire.SYN, options=wire.MSS_1460)
        # the acknowledgement of a SYN counts the SYN: sent is 0, isn + 1
        self.packet(1, -1, wire.SYN | wire.ACK, options=wire.MSS_1460)
        self.packet(0, 0, wire.ACK)

    def pieces(self, data):
        """(from, to) of the segments of a turn, in order of sending."""
        r, cuts, at = self.random, [], 0
        low, high = self.sizes
        while at < len(data):
            # a long turn is cut small only at its beginning: what matters is there, and time is short
            size = r.randint(low, high) if len(cuts) < self.small else 1460
            end = min(len(data), at + size)
            start = at
            if cuts and r.random() < self.overlap:
                start = max(0, at - r.randint(1, 40))
            if end - start > 1460:
                end = start + 1460
            cuts.append((start, end))
            at = end
        # a segment comes a little early or late, a second copy anywhere a window away
        keyed = [(i + r.uniform(0, self.shuffle), c) for i, c in enumerate(cuts)]
        keyed += [(i + r.uniform(-200, 200), c) for i, c in enumerate(cuts) if r.random() < self.twice]
        cuts = [c for _, c in sorted(keyed)]
        return cuts

    def turn(self, side, data):
        base, have, reached = self.sent[side], set(), 0
        cuts = self.pieces(data)
        for n, (start, end) in enumerate(cuts):
            self.packet(side, base + start, wire.PSH | wire.ACK, data[start:end])
            have.add((start, end))
            while True:
                more = max((e for s, e in have if s <= reached), default=reached)
                have = {(s, e) for s, e in have if e > more}
                if more <= reached:
                    break
                reached = more
            if n % 2 or n == len(cuts) - 1 or self.shuffle:
                self.sent[side] = base + reached
                self.packet(1 - side, self.sent[1 - side], wire.ACK)
        self.sent[side] = base + len(data)

    def run(self):
        if self.stream.opened:
            self.handshake()
        for side, data in self.stream.turns:
            self.turn(side, data)
        if self.stream.closed:
            self.packet(0, self.sent[0], wire.FIN | wire.ACK)
            self.sent[0] += 1
            self.packet(1, self.sent[1], wire.FIN | wire.ACK)
            self.sent[1] += 1
            self.packet(0, self.sent[0], wire.ACK)
        return self.frames


def interleave(rng, lists):
    """One list of all, each list's own order kept."""
    order = [i for i, frames in enumerate(lists) for _ in frames]
    if rng.random() < 0.7:
        rng.shuffle(order)
    at = [0] * len(lists)
    for i in order:
        yield lists[i][at[i]]
        at[i] += 1


def other_address(address, n):
    """The n-th stand-in of a private address; the second byte says which. n is 0..239."""
    a, _, c, d = address.split(".")
    return f"10.{n + 1}.{c}.{d}" if a == "192" else address


def moved(streams, address_of):
    """The same connections with other client addresses."""
    return [replace(s, client=(address_of(s.client[0]), s.client[1])) for s in streams]


def as_pcap(frames, hours=0):
    """The bytes of a pcap file, its times moved on by whole hours."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for f in frames:
        us = f.time_us + hours * 3_600_000_000
        out.append(struct.pack("<IIII", us // 1_000_000, us % 1_000_000, len(f.data), len(f.data)) + f.data)
    return b"".join(out)


def recut(frames, seed, taken=None, small=400):
    """One variant, as frames; taken is streams_of(frames), to be made once for many variants. Of a
    turn only the first `small` segments are cut small."""
    rng = random.Random(f"recut {seed}")
    streams, rest = taken or streams_of(frames)
    trace = wire.Trace(step_us=50)
    for frame in rest:
        trace.add(frame.data)
    for data in interleave(rng, [Recutter(s, rng, small).run() for s in streams]):
        trace.add(data)
    return trace.frames


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("capture")
    asked.add_argument("folder")
    asked.add_argument("-n", type=int, default=20)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    frames = wire.load(given.capture)
    taken = streams_of(frames)
    for i in range(given.n):
        path = os.path.join(given.folder, f"recut-{given.seed + i:05d}.pcap")
        wire.save_pcap(path, recut(frames, given.seed + i, taken))
    return 0


if __name__ == "__main__":
    sys.exit(main())
