"""Packets for tests, built and read byte by byte: Ethernet, IPv4, IPv6, TCP, UDP, tunnels, pcap.

The standard library only. Everything that can be wrong on purpose (checksum, TTL, fragment cuts,
order, overlap, urgent pointer) is an argument; everything else is right. Times are made, not taken:
the same calls give the same file. Addresses are text, payloads are bytes.
"""

import functools
import gzip
import ipaddress
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
TCP, UDP, IPIP, GRE = 6, 17, 4, 47
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000005"), bytes.fromhex("020000000001")
START_TIME_US = 1710462600 * 1_000_000  # 2024-03-15 08:30 in China


# ---------------------------------------------------------------- checksums


@functools.lru_cache(maxsize=4096)
def packed(address):
    return ipaddress.ip_address(address).packed


def checksum_add(total, data):
    """Adds 16-bit words; their sum modulo FFFF is the whole number modulo FFFF, and 0 only for zeros."""
    if len(data) % 2:
        data = data + b"\0"
    whole = int.from_bytes(data, "big")
    return total + (whole % 0xFFFF or (0xFFFF if whole else 0))


def checksum_end(total):
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def checksum(data):
    return checksum_end(checksum_add(0, data))


def pseudo_header(source, destination, proto, length):
    a, b = packed(source), packed(destination)
    if len(a) == 4:
        return a + b + struct.pack(">BBH", 0, proto, length)
    return a + b + struct.pack(">IHBB", length, 0, 0, proto)


# ---------------------------------------------------------------- headers


def ethernet(payload, kind=0x0800, source=CLIENT_MAC, destination=SERVER_MAC, tags=()):
    """tags: (ethertype, vlan id) from the outside in, as (0x88a8, 7), (0x8100, 9)."""
    head = destination + source
    for tpid, vlan in tags:
        head += struct.pack(">HH", tpid, vlan)
    return (head + struct.pack(">H", kind) + payload).ljust(60, b"\0")


def ipv4(source, destination, proto, payload, ttl=64, ident=0, flags=2, offset=0):
    """flags: 2 is DF, 1 is MF; offset in bytes, a multiple of 8."""
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, flags << 13 | offset // 8,
                       ttl, proto, 0, packed(source), packed(destination))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv4_fragments(source, destination, proto, payload, size, ttl=64, ident=1):
    """The fragments of one datagram, each carrying size bytes, a multiple of 8, but the last."""
    return [ipv4(source, destination, proto, payload[at:at + size], ttl, ident,
                 flags=int(at + size < len(payload)), offset=at)
            for at in range(0, len(payload), size)]


def ipv6(source, destination, proto, payload, hops=64):
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, hops) + \
        packed(source) + packed(destination) + payload


def tcp(source, destination, sport, dport, seq, ack, flags, payload=b"", window=64240, options=b"",
        urgent=0, bad_checksum=False):
    options += b"\x01" * (-len(options) % 4)
    head = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
                       (20 + len(options)) // 4 << 4, flags, window, 0, urgent) + options
    total = checksum_add(0, pseudo_header(source, destination, TCP, len(head) + len(payload)))
    value = checksum_end(checksum_add(total, head + payload))
    if bad_checksum:
        value ^= 0x5555
    return head[:16] + struct.pack(">H", value) + head[18:] + payload


def udp(source, destination, sport, dport, payload):
    head = struct.pack(">HHHH", sport, dport, 8 + len(payload), 0)
    total = checksum_add(0, pseudo_header(source, destination, UDP, 8 + len(payload)))
    value = checksum_end(checksum_add(total, head + payload)) or 0xFFFF
    return head[:6] + struct.pack(">H", value) + payload


def gre(packet, kind=0x0800):
    return struct.pack(">HH", 0, kind) + packet


def vxlan(frame, network=42):
    return struct.pack(">BBHI", 8, 0, 0, network << 8) + frame


# ---------------------------------------------------------------- captures


@dataclass
class Frame:
    data: bytes
    time_us: int = 0


class Trace:
    """Frames in order, 200 us apart unless told; save() writes them as pcap."""

    def __init__(self, step_us=200):
        self.frames, self.clock_us, self.step_us = [], START_TIME_US, step_us

    def add(self, frame):
        self.frames.append(Frame(frame, self.clock_us))
        self.clock_us += self.step_us

    def wait(self, us):
        self.clock_us += us

    def save(self, path):
        save_pcap(path, self.frames)


def save_pcap(path, frames, link_type=1):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type))
        for f in frames:
            out.write(struct.pack("<IIII", f.time_us // 1_000_000, f.time_us % 1_000_000,
                                  len(f.data), len(f.data)) + f.data)


def load(path):
    """The frames of a pcap or pcapng file, gzip-compressed or not; times in microseconds."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return load_pcapng(data)
    return load_pcap(data)


def load_pcap(data):
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    magic = struct.unpack_from(order + "I", data)[0]
    if magic not in (0xA1B2C3D4, 0xA1B23C4D):
        raise ValueError("not a capture")
    divide = 1000 if magic == 0xA1B23C4D else 1
    frames, at = [], 24
    while at + 16 <= len(data):
        seconds, fraction, length, _ = struct.unpack_from(order + "IIII", data, at)
        frames.append(Frame(data[at + 16:at + 16 + length], seconds * 1_000_000 + fraction // divide))
        at += 16 + length
    return frames


def load_pcapng(data):
    frames, units, order, at = [], [], "<", 0
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            units = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if length < 12:
            raise ValueError("not a pcapng block")
        body = data[at + 8:at + length - 4]
        if kind == 1:
            units.append(interface_unit(body, order))
        elif kind == 6:
            interface, high, low, captured, _ = struct.unpack_from(order + "IIIII", body)
            ticks = high << 32 | low
            frames.append(Frame(body[20:20 + captured], ticks * 1_000_000 // units[interface]))
        at += length
    return frames


def interface_unit(body, order):
    """Ticks a second of an interface: option 9, if_tsresol."""
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        if code == 9:
            v = body[at + 4]
            return 2 ** (v & 0x7F) if v & 0x80 else 10 ** v
        if code == 0:
            break
        at += 4 + length + (-length % 4)
    return 1_000_000


@dataclass
class Segment:
    """A TCP segment as found in a frame; ip and at say where its bytes are."""
    source: str
    destination: str
    sport: int
    dport: int
    seq: int
    ack: int
    flags: int
    payload: bytes
    options: bytes
    window: int
    head: int  # offset of the TCP header in the frame

    @property
    def end(self):
        return self.seq + len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)


def segment(frame):
    """The TCP segment of an Ethernet frame over whole IPv4, or None."""
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    if frame[at:at + 2] != b"\x08\x00" or len(frame) < at + 22:
        return None
    ip = at + 2
    ihl, total = (frame[ip] & 15) * 4, struct.unpack_from(">H", frame, ip + 2)[0]
    if frame[ip + 9] != TCP or struct.unpack_from(">H", frame, ip + 6)[0] & 0x3FFF:
        return None
    head = ip + ihl
    sport, dport, seq, ack, offset, flags, window = struct.unpack_from(">HHIIBBH", frame, head)
    data = head + (offset >> 4) * 4
    return Segment(str(ipaddress.IPv4Address(frame[ip + 12:ip + 16])),
                   str(ipaddress.IPv4Address(frame[ip + 16:ip + 20])), sport, dport, seq, ack, flags,
                   frame[data:ip + total], frame[head + 20:data], window, head)


def fix_checksums(frame):
    """The frame with right IPv4 and TCP or UDP checksums, as far as its headers make sense."""
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    ip = at + 2
    if frame[at:at + 2] != b"\x08\x00" or len(frame) < ip + 20 or frame[ip] & 15 < 5:
        return frame
    out = bytearray(frame)
    head, total = ip + (frame[ip] & 15) * 4, struct.unpack_from(">H", frame, ip + 2)[0]
    if head > len(frame):
        return frame
    out[ip + 10:ip + 12] = b"\0\0"
    struct.pack_into(">H", out, ip + 10, checksum(bytes(out[ip:head])))
    place = {TCP: 16, UDP: 6}.get(frame[ip + 9])
    end = ip + total
    fragment = struct.unpack_from(">H", frame, ip + 6)[0] & 0x3FFF
    if place is None or fragment or end > len(frame) or end < head + place + 2:
        return bytes(out)
    out[head + place:head + place + 2] = b"\0\0"
    pseudo = bytes(frame[ip + 12:ip + 20]) + struct.pack(">BBH", 0, frame[ip + 9], end - head)
    value = checksum_end(checksum_add(checksum_add(0, pseudo), bytes(out[head:end])))
    struct.pack_into(">H", out, head + place, value)
    return bytes(out)


# ---------------------------------------------------------------- conversations

MSS_1460 = b"\x02\x04\x05\xb4"
SACK_OK = b"\x04\x02"


def plain_link(source, destination, packet, to_server):
    del source, destination
    macs = (CLIENT_MAC, SERVER_MAC) if to_server else (SERVER_MAC, CLIENT_MAC)
    return [ethernet(packet, 0x0800, *macs)]


@dataclass
class Conversation:
    """A TCP connection on a trace; the caller says what each side sends and acknowledges.

    Positions are offsets in a side's byte stream; the handshake is not counted. What the client
    sends does not move the server's acknowledgement: the caller says ack() where the receiver
    would, so that a capture shows what was accepted. wrap turns an IP packet into frames.
    """
    trace: Trace
    client: tuple = ("192.168.10.5", 40000)
    server: tuple = ("3.5.140.2", 5600)
    isn: int = 1_000_000
    server_isn: int = 7_000_000
    wrap: object = plain_link
    hear_server: bool = True  # False: only the client's packets reach the capture
    mss: int = 1460
    sent: int = 0  # client bytes sent so far by send()
    acked: int = 0  # client bytes the server has acknowledged
    replied: int = 0
    ident: int = field(default=100)

    def packet(self, to_server, seq, ack, flags, payload=b"", ttl=64, fragment=0, reverse=False, **wrong):
        a, b = (self.client, self.server) if to_server else (self.server, self.client)
        if not to_server and not self.hear_server:
            return
        part = tcp(a[0], b[0], a[1], b[1], seq, ack, flags, payload, **wrong)
        self.ident += 1
        if fragment:
            packets = ipv4_fragments(a[0], b[0], TCP, part, fragment, ttl, self.ident)
            packets = packets[::-1] if reverse else packets
        else:
            packets = [ipv4(a[0], b[0], TCP, part, ttl, self.ident)]
        for p in packets:
            for frame in self.wrap(a[0], b[0], p, to_server):
                self.trace.add(frame)

    def open(self, first=b"", options=b""):
        """The three-way handshake; first is data in the SYN, which the server acknowledges."""
        self.packet(True, self.isn, 0, SYN, first, options=MSS_1460 + SACK_OK + options)
        self.acked = self.sent = len(first)
        self.packet(False, self.server_isn, self.isn + 1 + self.acked, SYN | ACK,
                    options=MSS_1460 + SACK_OK)
        self.packet(True, self.isn + 1 + self.acked, self.server_isn + 1, ACK)

    def segment(self, offset, payload, flags=PSH | ACK, **how):
        """Client bytes at an offset of its stream, in whatever way."""
        self.packet(True, self.isn + 1 + offset, self.server_isn + 1 + self.replied, flags, payload, **how)

    def ack(self, upto=None, sack=None):
        """The server acknowledges the client's bytes up to an offset; sack is one (from, to) beyond."""
        self.acked = self.sent if upto is None else upto
        options = b""
        if sack:
            options = b"\x01\x01\x05\x0a" + struct.pack(">II", *(self.isn + 1 + s & 0xFFFFFFFF for s in sack))
        self.packet(False, self.server_isn + 1 + self.replied, self.isn + 1 + self.acked, ACK,
                    options=options)

    def send(self, data, cut=None, ack_every=4, **how):
        """Client bytes in order, cut into segments of at most cut bytes, acknowledged as TCP does."""
        cut = cut or self.mss
        for n, at in enumerate(range(0, len(data), cut)):
            piece = data[at:at + cut]
            self.segment(self.sent, piece, **how)
            self.sent += len(piece)
            if n % ack_every == ack_every - 1:
                self.ack()
        if self.acked != self.sent:
            self.ack()

    def reply(self, data):
        """Server bytes in order, acknowledged by the client."""
        for at in range(0, len(data), self.mss):
            piece = data[at:at + self.mss]
            self.packet(False, self.server_isn + 1 + self.replied, self.isn + 1 + self.acked, PSH | ACK, piece)
            self.replied += len(piece)
            self.segment(self.sent, b"", ACK)

    def close(self):
        end, server_end = self.isn + 1 + self.sent, self.server_isn + 1 + self.replied
        self.packet(True, end, server_end, FIN | ACK)
        self.packet(False, server_end, end + 1, FIN | ACK)
        self.packet(True, end + 1, server_end + 1, ACK)
