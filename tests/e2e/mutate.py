"""Damages captures: mutate.py CAPTURE FOLDER [-n N] [--seed S]. Nothing may crash on what it writes.

Two kinds in turn. mutate_file(data, seed) changes the file: bits anywhere, lengths in record and
block headers, a cut end, a repeated middle. mutate_frames(frames, seed) changes packets: header
fields, payload bytes and length fields, cut frames, swapped, doubled and lost ones; in half of them
checksums are made right again, so that the damage reaches what lies deeper.
"""

import argparse
import gzip
import os
import random
import struct
import sys

import wire

ODD = [0, 1, 2, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def flip(rng, data, low=0, high=None):
    """One to eight changed bytes between low and high."""
    out = bytearray(data)
    high = min(len(out), high or len(out))
    for _ in range(rng.choice([1, 1, 2, 8])):
        if low < high:
            out[rng.randrange(low, high)] ^= 1 << rng.randrange(8)
    return bytes(out)


def set_number(rng, data, low=0, high=None):
    """A number of 1, 2 or 4 bytes somewhere, replaced by one that is often forgotten."""
    out = bytearray(data)
    size = rng.choice([1, 2, 4])
    high = min(len(out), high or len(out)) - size
    if high > low:
        at = rng.randrange(low, high)
        value = rng.choice(ODD) & (1 << 8 * size) - 1
        out[at:at + size] = value.to_bytes(size, rng.choice(["big", "little"]))
    return bytes(out)


# ---------------------------------------------------------------- the file


def record_offsets(data):
    """Where record or block headers begin; the file's own header is the first."""
    offsets, at = [0], 24
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        at = 0
        while at + 12 <= len(data):
            offsets.append(at)
            at += max(12, struct.unpack_from("<I", data, at + 4)[0])
    else:
        while at + 16 <= len(data):
            offsets.append(at)
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
    return offsets


def mutate_file(data, seed):
    rng = random.Random(f"mutate file {seed}")
    offsets = record_offsets(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.choice(offsets)
        how = rng.randrange(6)
        if how == 0:
            data = flip(rng, data)
        elif how == 1:
            data = flip(rng, data, at, at + 24)
        elif how == 2:
            data = set_number(rng, data, at, at + 24)
        elif how == 3:
            data = data[:rng.randrange(len(data) + 1)]
        elif how == 4:
            end = rng.randrange(len(data) + 1)
            data = data[:end] + data[rng.choice(offsets):][:4096] + data[end:]
        else:
            end = min(len(data), at + rng.choice([1, 4, 16, 60]))
            data = data[:at] + data[end:]
    return data


# ---------------------------------------------------------------- the packets


def mutate_frame(rng, frame):
    how = rng.randrange(7)
    if how == 0:
        return flip(rng, frame, 12, 54)
    if how == 1:
        return set_number(rng, frame, 12, 54)
    if how == 2:
        return flip(rng, frame, 54)
    if how == 3:
        return set_number(rng, frame, 54)
    if how == 4:
        return frame[:rng.randrange(len(frame) + 1)]
    if how == 5:
        at = rng.randrange(len(frame) + 1)
        return frame[:at] + rng.randbytes(rng.choice([1, 3, 40])) + frame[at:]
    # a length field of the payload: where a PDU, a chunk or a part begins
    return set_number(rng, frame, 54, 90)


def mutate_frames(frames, seed):
    rng = random.Random(f"mutate frames {seed}")
    out = [wire.Frame(f.data, f.time_us) for f in frames]
    right_again = rng.random() < 0.5
    for _ in range(rng.choice([1, 2, 5, max(1, len(out) // 8)])):
        i = rng.randrange(len(out))
        how = rng.randrange(8)
        if how == 0:
            j = rng.randrange(len(out))
            out[i], out[j] = out[j], out[i]
        elif how == 1:
            out.insert(rng.randrange(len(out) + 1), wire.Frame(out[i].data, out[i].time_us))
        elif how == 2 and len(out) > 1:
            del out[i]
        else:
            data = mutate_frame(rng, out[i].data)
            out[i] = wire.Frame(wire.fix_checksums(data) if right_again else data, out[i].time_us)
    return out


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("capture")
    asked.add_argument("folder")
    asked.add_argument("-n", type=int, default=100)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    with open(given.capture, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    frames = wire.load(given.capture)
    for seed in range(given.seed, given.seed + given.n):
        path = os.path.join(given.folder, f"mutant-{seed:05d}.pcap")
        if seed % 2:
            with open(path, "wb") as out:
                out.write(mutate_file(data, seed))
        else:
            wire.save_pcap(path, mutate_frames(frames, seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
