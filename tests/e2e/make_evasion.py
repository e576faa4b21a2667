"""Writes the evasion set: make_evasion.py FOLDER [CASE...]: NN-name.pcap and NN-name.json each.

Each capture holds one resident number of an invented person, sent so that a careless inspector
misses it: cut, reordered, overlapped, tunnelled, coded, hidden deep. NN-name.json says

  name, what, class, token       the case, and the number which the receiver reads
  wire                           how it is written, when not as plain digits
  expected_findings              1, of that class
  anomaly                        whether copies of the same bytes differ, which must be reported
  decoys                         values which no receiver accepts: not to be found (check digit wrong)
  optional                       classes which may be found besides (addresses of an envelope)
  receiver_bytes, receiver_sha256  what the far socket reads from the client, when it is TCP or UDP

tests/e2e/receiver.py replays the captures to a real Linux socket and compares these.
"""

import argparse
import base64
import gzip
import hashlib
import json
import os
import sys
import zlib

import evasion_text as text
import wire
from wire import Conversation, Trace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from people import People  # noqa: E402

AGENT = b"User-Agent: ct64/1.0\r\nAccept: */*\r\n"


class Case:
    """One capture in the making: its trace, its token, what the receiver reads."""

    def __init__(self, number, name):
        self.number, self.name = number, name
        people = People(f"evasion {number}")
        self.token, self.decoy = people.resident_id(), people.not_an_id()
        self.trace, self.received = Trace(), b""
        self.anomaly, self.decoys, self.wire = False, [], None
        self.optional = []

    def talk(self, **how):
        return Conversation(self.trace, client=("192.168.10.5", 40000 + self.number), **how)

    def line(self, token=None):
        return text.line(token or self.token)

    def around(self):
        """The line cut where the token begins and ends."""
        line, token = self.line(), self.token.encode()
        at = line.index(token)
        return line[:at], token, line[at + len(token):]

    def document(self, what):
        document = {"name": self.name, "what": what, "class": "id_number", "token": self.token,
                    "expected_findings": 1, "anomaly": self.anomaly, "decoys": self.decoys,
                    "receiver_bytes": len(self.received),
                    "receiver_sha256": hashlib.sha256(self.received).hexdigest()}
        if self.wire:
            document["wire"] = self.wire
        if self.optional:
            document["optional"] = self.optional
        return document


# ---------------------------------------------------------------- plain TCP, cut and ordered


def simple(case, cut=None, **how):
    talk = case.talk()
    talk.open()
    talk.send(case.line(), cut, **how)
    talk.close()
    case.received = case.line()


def plain(case):
    """The number in one segment."""
    simple(case)


def split2(case):
    """The number cut in two segments, nine digits each."""
    before, token, after = case.around()
    talk = case.talk()
    talk.open()
    talk.send(before + token[:9], len(case.line()))
    talk.send(token[9:] + after, len(case.line()))
    talk.close()
    case.received = case.line()


def one_byte(case):
    """Every byte a segment of its own."""
    simple(case, cut=1)


def out_of_order(case):
    """Three segments, the last first, the first last."""
    line = case.line()
    talk, third = case.talk(), len(line) // 3
    talk.open()
    talk.segment(2 * third, line[2 * third:])
    talk.ack(0, sack=(2 * third, len(line)))
    talk.segment(third, line[third:2 * third])
    talk.ack(0, sack=(third, len(line)))
    talk.segment(0, line[:third])
    talk.sent = len(line)
    talk.ack()
    talk.close()
    case.received = line


def retransmission_differs(case):
    """Accepted and acknowledged; then sent again with other bytes, which the receiver ignores."""
    line = case.line()
    talk = case.talk()
    talk.open()
    talk.send(line)
    case.trace.wait(200_000)
    talk.segment(0, case.line(case.decoy))
    talk.ack()
    talk.close()
    case.received, case.anomaly, case.decoys = line, True, [case.decoy]


def fragments_forward(case):
    """The segment's IP datagram in fragments of 24 bytes."""
    simple(case, fragment=24)


def fragments_reverse(case):
    """The segment's IP datagram in fragments of 24 bytes, the last first."""
    simple(case, fragment=24, reverse=True)


def one_way(case):
    """Only the client's direction was captured."""
    talk = case.talk(hear_server=False)
    talk.open()
    before, token, after = case.around()
    talk.send(before + token[:7])
    talk.send(token[7:] + after)
    talk.close()
    case.received = case.line()


def midstream(case):
    """The capture begins after the handshake, with the number cut in two."""
    talk = case.talk()
    talk.sent = talk.acked = 5000
    before, token, after = case.around()
    talk.send(before + token[:9])
    talk.send(token[9:] + after)
    talk.close()
    case.received = case.line()


# ---------------------------------------------------------------- links and tunnels


def wrapped(case, wrap):
    talk = case.talk(wrap=wrap)
    talk.open()
    talk.send(case.line())
    talk.close()
    case.received = case.line()


def macs(to_server):
    return (wire.CLIENT_MAC, wire.SERVER_MAC) if to_server else (wire.SERVER_MAC, wire.CLIENT_MAC)


def ends(to_server):
    return ("192.168.10.5", "52.95.110.1") if to_server else ("52.95.110.1", "192.168.10.5")


def qinq(case):
    """Two VLAN tags, 802.1ad."""
    wrapped(case, lambda a, b, p, up: [wire.ethernet(p, 0x0800, *macs(up),
                                                     tags=((0x88A8, 7), (0x8100, 9)))])


def gre(case):
    """In a GRE tunnel."""
    wrapped(case, lambda a, b, p, up: [wire.ethernet(
        wire.ipv4(*ends(up), wire.GRE, wire.gre(p)), 0x0800, *macs(up))])


def ip_in_ip(case):
    """IPv4 in IPv4, protocol 4."""
    wrapped(case, lambda a, b, p, up: [wire.ethernet(wire.ipv4(*ends(up), wire.IPIP, p), 0x0800, *macs(up))])


def vxlan(case):
    """In VXLAN over UDP 4789."""
    def wrap(_a, _b, packet, up):
        inner = wire.vxlan(wire.ethernet(packet, 0x0800, *macs(up)))
        ip = wire.ipv4(*ends(up), wire.UDP, wire.udp(*ends(up), 50000, 4789, inner))
        return [wire.ethernet(ip, 0x0800, *macs(up))]
    wrapped(case, wrap)


# ---------------------------------------------------------------- what the receiver does not see


def overlap_decoy_last(case):
    """A later segment overlaps the number with other bytes before the first is acknowledged."""
    before, token, after = case.around()
    line = case.line()
    other = case.line(case.decoy)
    at, tail = len(before) - 4, text.line("checked")
    talk = case.talk()
    talk.open()
    talk.segment(0, line)
    talk.segment(at, other[at:] + tail)
    talk.sent = len(line) + len(tail)
    talk.ack()
    talk.close()
    case.received, case.anomaly, case.decoys = line + tail, True, [case.decoy]


def overlap_decoy_first(case):
    """Other bytes arrive first, ahead of their turn; the segment in order covers them with the number."""
    before, token, after = case.around()
    line = case.line()
    talk = case.talk()
    talk.open()
    talk.segment(len(before), case.decoy.encode())
    talk.ack(0, sack=(len(before), len(before) + 18))
    talk.segment(0, line)
    talk.sent = len(line)
    talk.ack()
    talk.close()
    case.received, case.anomaly, case.decoys = line, True, [case.decoy]


def decoy_then_real(case, **how):
    line = case.line()
    talk = case.talk()
    talk.open()
    talk.segment(0, case.line(case.decoy), **how)
    case.trace.wait(200_000)
    talk.segment(0, line)
    talk.sent = len(line)
    talk.ack()
    talk.close()
    case.received, case.decoys = line, [case.decoy]


def bad_checksum(case):
    """Other bytes come first with a wrong TCP checksum; no receiver takes them."""
    decoy_then_real(case, bad_checksum=True)


def low_ttl(case):
    """Other bytes come first with TTL 1 and die on the way; then the number, with the same place."""
    decoy_then_real(case, ttl=1)
    case.anomaly = True


def urgent(case):
    """An urgent byte stands inside the number; the receiver's socket takes it out of the stream."""
    before, token, after = case.around()
    head, tail = before + token[:9], token[9:] + after
    talk = case.talk()
    talk.open()
    talk.segment(0, head + b"7" + tail, wire.PSH | wire.ACK | wire.URG, urgent=len(head) + 1)
    talk.sent = len(head) + 1 + len(tail)
    talk.ack()
    talk.close()
    case.received = case.line()


def data_in_syn(case):
    """Half the number in the SYN (TCP Fast Open), which the server acknowledges; half after."""
    before, token, after = case.around()
    talk = case.talk()
    talk.open(before + token[:9], options=b"\x22\x0a" + bytes(range(8)))
    talk.send(token[9:] + after)
    talk.close()
    case.received = case.line()


# ---------------------------------------------------------------- not TCP


def udp(case):
    """One UDP datagram."""
    a, b = "192.168.10.5", "3.5.140.2"
    part = wire.udp(a, b, 40000 + case.number, 5600, case.line())
    case.trace.add(wire.ethernet(wire.ipv4(a, b, wire.UDP, part, ident=1)))
    case.received = case.line()


def ipv6_extensions(case):
    """UDP over IPv6 behind hop-by-hop and destination options and an atomic fragment header."""
    a, b = "fd00:10::5", "2600:1f18::10"
    part = wire.udp(a, b, 40000 + case.number, 5600, case.line())
    fragment = bytes([wire.UDP, 0, 0, 0]) + (77).to_bytes(4, "big")
    options = bytes([44, 0, 1, 4, 0, 0, 0, 0])
    hop = bytes([60, 0, 1, 4, 0, 0, 0, 0])
    case.trace.add(wire.ethernet(wire.ipv6(a, b, 0, hop + options + fragment + part), 0x86DD))
    case.received = case.line()


# ---------------------------------------------------------------- HTTP and mail


def post(case, body, headers, last=None, kind=b"application/json"):
    """A POST; last: how many bytes at the end of the body go in a segment of their own."""
    head = (b"POST /upload HTTP/1.1\r\nHost: service.example.com\r\n" + AGENT + b"Content-Type: " + kind
            + b"\r\n" + headers + b"\r\n")
    talk = case.talk(server=("3.5.140.2", 8080))
    talk.open()
    request = head + body
    cut = len(request) - (last or 0)
    talk.send(request[:cut])
    talk.send(request[cut:])
    talk.reply(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
    talk.close()
    case.received = request


def length(body):
    return b"Content-Length: %d\r\n" % len(body)


def http_plain(case):
    """A POST of JSON."""
    body = text.note(case.token)
    post(case, body, length(body))


def http_gzip(case):
    """A POST with Content-Encoding gzip."""
    body = gzip.compress(text.note(case.token), mtime=0)
    post(case, body, b"Content-Encoding: gzip\r\n" + length(body))


def http_deflate(case):
    """A POST with Content-Encoding deflate (zlib, RFC 9110)."""
    body = zlib.compress(text.note(case.token))
    post(case, body, b"Content-Encoding: deflate\r\n" + length(body))


def http_chunked(case):
    """A POST in chunks; a chunk boundary cuts the number."""
    note = text.note(case.token)
    at = note.index(case.token.encode()) + 9
    chunks = [note[:at], note[at:]]
    body = b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n\r\n"
    post(case, body, b"Transfer-Encoding: chunked\r\n")


def http_brotli(case):
    """A POST with Content-Encoding br."""
    body = text.brotli(text.note(case.token))
    post(case, body, b"Content-Encoding: br\r\n" + length(body))


def http_multipart(case):
    """A POST of multipart/form-data; the part is in base64."""
    body = (b'--medguanBoundary7\r\nContent-Disposition: form-data; name="log"; filename="log.txt"\r\n'
            b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(case.line()).replace(b"\n", b"\r\n") + b"--medguanBoundary7--\r\n")
    post(case, body, length(body), kind=b"multipart/form-data; boundary=medguanBoundary7")


def http_deep(case):
    """A POST of text; the number comes after 420 KB, in one packet."""
    line = case.line()
    body = text.filler(420_000) + line
    post(case, body, length(body), last=len(line), kind=b"text/plain")


def http_deep_split(case):
    """A POST of text; the number comes after 420 KB, cut between two packets."""
    _, token, after = case.around()
    body = text.filler(420_000) + case.line()
    post(case, body, length(body), last=len(token) - 9 + len(after), kind=b"text/plain")


def smtp_base64(case):
    """A mail whose text is in base64."""
    mail = (b"From: ct64@device.example.com\r\nTo: service@vendor.example.com\r\nSubject: log\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(case.line()).replace(b"\n", b"\r\n") + b".\r\n")
    case.optional = ["email"]
    talk = case.talk(server=("3.5.140.2", 25))
    talk.open()
    talk.reply(b"220 mail.vendor.example.com ESMTP\r\n")
    for said, answer in ((b"EHLO ct64.device.example.com\r\n", b"250 mail.vendor.example.com\r\n"),
                         (b"MAIL FROM:<ct64@device.example.com>\r\n", b"250 ok\r\n"),
                         (b"RCPT TO:<service@vendor.example.com>\r\n", b"250 ok\r\n"),
                         (b"DATA\r\n", b"354 go on\r\n"), (mail, b"250 taken\r\n"),
                         (b"QUIT\r\n", b"221 bye\r\n")):
        talk.send(said)
        talk.reply(answer)
        case.received += said
    talk.close()


# ---------------------------------------------------------------- other ways to write digits


def written(case, data, how):
    talk = case.talk()
    talk.open()
    talk.send(data)
    talk.close()
    case.received, case.wire = data, how


def utf16(case):
    """The text in UTF-16, little endian, without a mark."""
    written(case, case.line().decode().encode("utf-16-le"), "utf-16le")


def spaced(case):
    """The number in groups of 6, 8 and 4, spaces between."""
    t = case.token
    spelled = f"{t[:6]} {t[6:14]} {t[14:]}"
    written(case, case.line(spelled), spelled)


def full_width(case):
    """The number in full-width digits (U+FF10), UTF-8."""
    spelled = "".join(chr(ord(c) + 0xFEE0) for c in case.token)
    written(case, case.line(spelled), spelled)


def deep(case):
    """The number comes after 1.2 MB, in one packet."""
    talk = case.talk()
    talk.open()
    filler = text.filler(1_200_000)
    talk.send(filler)
    talk.send(case.line())
    talk.close()
    case.received = filler + case.line()


def deep_split(case):
    """The number comes after 1.2 MB, cut between two packets."""
    before, token, after = case.around()
    filler = text.filler(1_200_000)
    talk = case.talk()
    talk.open()
    talk.send(filler)
    talk.send(before + token[:9])
    talk.send(token[9:] + after)
    talk.close()
    case.received = filler + case.line()


CASES = [
    plain, split2, one_byte, out_of_order, retransmission_differs, fragments_forward, fragments_reverse,
    qinq, gre, vxlan, one_way, http_plain, deep, overlap_decoy_last, overlap_decoy_first, bad_checksum,
    low_ttl, http_gzip, http_deflate, http_chunked, http_brotli, http_multipart, smtp_base64, utf16,
    spaced, full_width, deep_split, http_deep, http_deep_split, ip_in_ip, midstream, urgent, data_in_syn,
    udp, ipv6_extensions,
]


def write_case(folder, number, build):
    """Writes one case and returns its document."""
    name = f"{number:02d}-{build.__name__.replace('_', '-')}"
    case = Case(number, name)
    build(case)
    document = case.document(build.__doc__)
    case.trace.save(os.path.join(folder, name + ".pcap"))
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as out:
        json.dump(document, out, ensure_ascii=False, indent=1)
        out.write("\n")
    return document


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder")
    asked.add_argument("case", nargs="*", help="a number, or a piece of a name")
    given = asked.parse_args()
    os.makedirs(given.folder, exist_ok=True)
    for number, build in enumerate(CASES, 1):
        name = f"{number:02d}-{build.__name__.replace('_', '-')}"
        if not given.case or any(c in name for c in given.case):
            write_case(given.folder, number, build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
