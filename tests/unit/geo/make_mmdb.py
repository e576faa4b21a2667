#!/usr/bin/env python3
"""make_mmdb.py - writes the tiny country databases that test_geo.c reads.

    make_mmdb.py            writes tiny.mmdb, nested.mmdb and asn.mmdb next to itself

The format is MaxMind DB 2.0 (https://maxmind.github.io/MaxMind-DB/): a binary tree of 24-bit
records over 128 bits, IPv4 below ::/96, a section of entries, and the metadata. The countries are
made up; what the second database says stands in ranges4 and ranges6.
"""
import ipaddress
import os
import struct

COUNTRIES = [
    ("20.0.0.0/16", "CN"),  # both
    ("20.1.0.0/16", "US"),  # both
    ("20.2.0.0/16", "US"),  # the other: CA
    ("20.3.0.0/16", "CN"),  # the other: HK
    ("20.4.0.0/16", "HK"),  # both
    ("20.5.0.0/16", "CN"),  # the other: nothing
    ("20.8.0.0/16", "TW"),  # both
    ("20.9.0.0/16", "MO"),  # both
    ("20.10.0.0/16", "CN"),  # the other: ??
    ("20.11.0.0/16", "US"),  # the other: CN
    ("2400:1::/32", "CN"),
    ("2400:2::/32", "US"),
    ("2400:3::/32", "CN"),
]
BUILT = 1780272000  # 2026-06-01


def head(kind, size):
    if size >= 29:
        raise ValueError("value too long for this writer")
    if kind <= 7:
        return bytes([kind << 5 | size])
    return bytes([size, kind - 7])


def encode(value):
    if isinstance(value, str):
        raw = value.encode()
        return head(2, len(raw)) + raw
    if isinstance(value, int):
        raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return head(9 if len(raw) > 4 else 6, len(raw)) + raw
    if isinstance(value, list):
        return head(11, len(value)) + b"".join(encode(v) for v in value)
    return head(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def sixteen_bit(value):
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return head(5, len(raw)) + raw


def write(path, kind, networks):
    nodes = [[None, None]]
    entries, places = b"", {}
    for text, entry in networks:
        net = ipaddress.ip_network(text)
        bits, length = int(net.network_address), net.prefixlen
        if net.version == 4:
            length += 96
        key = repr(entry)
        if key not in places:
            places[key] = len(entries)
            entries += encode(entry)
        node = 0
        for i in range(length):
            side = bits >> (127 - i) & 1
            if i == length - 1:
                nodes[node][side] = ("entry", places[key])
            else:
                if nodes[node][side] is None:
                    nodes.append([None, None])
                    nodes[node][side] = len(nodes) - 1
                node = nodes[node][side]
    tree = b""
    for node in nodes:
        for record in node:
            if record is None:
                n = len(nodes)
            elif isinstance(record, tuple):
                n = len(nodes) + 16 + record[1]
            else:
                n = record
            tree += struct.pack(">I", n)[1:]
    metadata = head(7, 9)
    metadata += encode("binary_format_major_version") + sixteen_bit(2)
    metadata += encode("binary_format_minor_version") + sixteen_bit(0)
    metadata += encode("build_epoch") + head(9, 8) + struct.pack(">Q", BUILT)
    metadata += encode("database_type") + encode(kind)
    metadata += encode("description") + encode({"en": "made up for tests"})
    metadata += encode("ip_version") + sixteen_bit(6)
    metadata += encode("languages") + encode(["en"])
    metadata += encode("node_count") + encode(len(nodes))
    metadata += encode("record_size") + sixteen_bit(24)
    with open(path, "wb") as out:
        out.write(tree + b"\0" * 16 + entries + b"\xab\xcd\xefMaxMind.com" + metadata)


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    write(os.path.join(folder, "tiny.mmdb"), "Tiny",
          [(net, {"country_code": code}) for net, code in COUNTRIES])
    write(os.path.join(folder, "nested.mmdb"), "GeoLite2-Country",
          [(net, {"country": {"iso_code": code}}) for net, code in COUNTRIES])
    write(os.path.join(folder, "asn.mmdb"), "ASN", [("20.0.0.0/16", {"number": 64512})])


main()
