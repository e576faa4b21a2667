"""Many short flows of many protocols, for measuring: make_small_packets.py FOLDER [--flows N].

Writes small_base.pcap and small_base.json: the talk of a hospital network as it is mostly not
medical: HTTP, TLS, DNS, MQTT, Modbus, SMTP, SIP, syslog and more, short packets (about 330 bytes
with the record's header, as mixed captures have). One HTTP POST in forty carries an invented
patient; the JSON says how many. Every flow has its own client port, so that copies made by
replicate.c never meet.
"""

import argparse
import json
import os
import random
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", "golden"), os.path.join(HERE, "..", "tests", "e2e")]
import wire  # noqa: E402
from people import People  # noqa: E402

FAR = ["3.5.140.", "52.95.110.", "18.162.0.", "202.96.128.", "114.114.114.", "47.88.9.", "13.107.4."]
HOSTS = ["service", "update", "api", "cdn", "time", "log", "portal", "image"]


class Mix:
    """Makes one flow after another on a trace; each protocol is a method."""

    def __init__(self, seed):
        self.random = random.Random(f"small packets {seed}")
        self.people = People(f"small packets {seed}")
        self.trace = wire.Trace(step_us=10)
        self.port, self.values, self.posts = 1024, {}, 0

    def ends(self, port):
        """A client with a port never used before, and a server."""
        r = self.random
        self.port += 1
        return (f"192.168.{r.randrange(64)}.{r.randrange(2, 250)}", self.port), \
            (r.choice(FAR) + str(r.randrange(1, 255)), port)

    def talk(self, port):
        client, server = self.ends(port)
        r = self.random
        talk = wire.Conversation(self.trace, client, server, r.getrandbits(31), r.getrandbits(31))
        talk.open()
        return talk

    def datagrams(self, port, question, answer=None):
        client, server = self.ends(port)
        self.trace.add(wire.ethernet(wire.ipv4(client[0], server[0], wire.UDP,
                                               wire.udp(*pair(client, server), question))))
        if answer:
            self.trace.add(wire.ethernet(wire.ipv4(server[0], client[0], wire.UDP,
                                                   wire.udp(*pair(server, client), answer)),
                                         0x0800, wire.SERVER_MAC, wire.CLIENT_MAC))

    def host(self):
        r = self.random
        return f"{r.choice(HOSTS)}{r.randrange(90)}.example.com"

    def words(self, n):
        some = "pump motor idle gantry tube warm table home bus quiet fan normal ready".split()
        return " ".join(self.random.choices(some, k=max(1, n // 6)))[:n].encode()

    def noise(self, low, high):
        return self.random.randbytes(self.random.randint(low, high))

    # ------------------------------------------------------------ over TCP

    def http_get(self):
        r, talk = self.random, self.talk(80)
        for _ in range(r.choice([1, 1, 2, 4])):
            talk.send(f"GET /{r.choice(HOSTS)}/{r.getrandbits(24):06x} HTTP/1.1\r\nHost: {self.host()}\r\n"
                      "User-Agent: ct64/1.0\r\nAccept: */*\r\n\r\n".encode())
            body = self.words(r.choice([60, 300, 900, 2500, 6000]))
            talk.reply(b"HTTP/1.1 200 OK\r\nServer: demo\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                       % len(body) + body)
        talk.close()

    def http_post(self):
        talk = self.talk(8080)
        self.posts += 1
        body = {"device": "MG-MON", "alarm": False, "note": self.words(200).decode()}
        if self.posts % 40 == 0:
            p = self.people.person()
            body.update(name=p.name, id=p.id_number, phone=p.phone)
            for cls in ("person_name", "id_number", "phone"):
                self.values[cls] = self.values.get(cls, 0) + 1
        data = json.dumps(body, ensure_ascii=False).encode()
        talk.send(f"POST /status HTTP/1.1\r\nHost: {self.host()}\r\nContent-Type: application/json\r\n"
                  f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        talk.reply(b"HTTP/1.1 204 No Content\r\n\r\n")
        talk.close()

    def tls(self):
        r, talk = self.random, self.talk(443)
        talk.send(client_hello(self.host().encode(), r))
        talk.reply(server_hello(r) + record(23, r.randbytes(r.randrange(900, 3600))))
        for _ in range(r.randrange(1, 5)):
            talk.send(record(23, self.noise(40, 700)))
            talk.reply(record(23, self.noise(60, 4000)))
        talk.close()

    def mqtt(self):
        talk = self.talk(1883)
        name = f"mon{self.random.getrandbits(16):04x}".encode()
        talk.send(b"\x10" + bytes([12 + len(name)]) + b"\x00\x04MQTT\x04\x02\x00\x3c" + struct.pack(">H", len(name))
                  + name)
        talk.reply(b"\x20\x02\x00\x00")
        for _ in range(self.random.randrange(2, 7)):
            said = b"\x00\x09icu/state" + self.words(70)
            talk.send(b"\x30" + bytes([len(said)]) + said)
        talk.close()

    def modbus(self):
        talk = self.talk(502)
        for n in range(self.random.randrange(2, 6)):
            talk.send(struct.pack(">HHHBBHH", n, 0, 6, 1, 3, 16 * n, 20))
            talk.reply(struct.pack(">HHHBBB", n, 0, 43, 1, 3, 40) + self.noise(40, 40))
        talk.close()

    def smtp(self):
        talk = self.talk(25)
        talk.reply(b"220 mail.example.com ESMTP\r\n")
        for said in (b"EHLO ct64\r\n", b"MAIL FROM:<ct64@example.com>\r\n", b"RCPT TO:<s@example.com>\r\n",
                     b"DATA\r\n", b"Subject: log\r\n\r\n" + self.words(900) + b"\r\n.\r\n", b"QUIT\r\n"):
            talk.send(said)
            talk.reply(b"250 ok\r\n")
        talk.close()

    def ftp(self):
        talk = self.talk(21)
        talk.reply(b"220 ready\r\n")
        for said in (b"USER service\r\n", b"PASV\r\n", b"RETR firmware.bin\r\n", b"QUIT\r\n"):
            talk.send(said)
            talk.reply(b"200 " + self.words(40) + b"\r\n")
        talk.close()

    def ssh(self):
        talk = self.talk(22)
        talk.send(b"SSH-2.0-OpenSSH_9.2\r\n")
        talk.reply(b"SSH-2.0-OpenSSH_9.2\r\n")
        for _ in range(4):
            talk.send(self.noise(60, 1100))
            talk.reply(self.noise(60, 1100))
        talk.close()

    def bulk(self):
        talk = self.talk(self.random.randrange(5000, 9000))
        talk.send(self.noise(3000, 14000))
        talk.close()

    def refused(self):
        client, server = self.ends(9)
        for flags, a, b, up in ((wire.SYN, client, server, True), (wire.RST | wire.ACK, server, client, False)):
            part = wire.tcp(a[0], b[0], a[1], b[1], 5 if up else 0, 0 if up else 6, flags)
            self.trace.add(wire.ethernet(wire.ipv4(a[0], b[0], wire.TCP, part)))

    # ------------------------------------------------------------ over UDP, and others

    def dns(self):
        name = b"".join(bytes([len(x)]) + x.encode() for x in self.host().split(".")) + b"\0"
        ident = self.random.randbytes(2)
        ask = name + b"\x00\x01\x00\x01"
        answer = b"".join(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + self.noise(4, 4)
                          for _ in range(self.random.randrange(1, 9)))
        n = len(answer) // 16
        self.datagrams(53, ident + b"\x01\x00\x00\x01" + bytes(6) + ask,
                       ident + b"\x81\x80\x00\x01" + struct.pack(">H", n) + bytes(4) + ask + answer)

    def ntp(self):
        self.datagrams(123, b"\x23" + bytes(39) + self.noise(8, 8), b"\x24\x02" + self.noise(46, 46))

    def syslog(self):
        self.datagrams(514, b"<134>Mar 15 08:30:00 ct64 recon: " + self.words(140))

    def snmp(self):
        self.datagrams(161, bytes.fromhex("302902010104067075626c6963a01c0204") + self.noise(4, 4)
                       + bytes.fromhex("020100020100300e300c06082b060102010101000500"), b"\x30\x60" + self.noise(96, 96))

    def sip(self):
        self.datagrams(5060, b"OPTIONS sip:nurse@example.com SIP/2.0\r\nMax-Forwards: 70\r\n" + self.words(380)
                       + b"\r\n\r\n", b"SIP/2.0 200 OK\r\n" + self.words(300) + b"\r\n\r\n")

    def quic_like(self):
        client, server = self.ends(443)
        for n in range(self.random.randrange(2, 6)):
            a, b = (client, server) if n % 2 == 0 else (server, client)
            self.trace.add(wire.ethernet(wire.ipv4(a[0], b[0], wire.UDP,
                                                   wire.udp(*pair(a, b), b"\x45" + self.noise(40, 1199)))))

    def unknown(self):
        self.datagrams(self.random.randrange(10000, 60000), self.noise(20, 900))

    def ping(self):
        client, server = self.ends(0)
        body = b"\x08\x00\x00\x00" + struct.pack(">HH", self.port, 1) + bytes(range(56))
        body = body[:2] + struct.pack(">H", wire.checksum(body)) + body[4:]
        self.trace.add(wire.ethernet(wire.ipv4(client[0], server[0], 1, body)))


def pair(a, b):
    return a[0], b[0], a[1], b[1]


def record(kind, data):
    """One TLS record of at most 16 KiB."""
    return bytes([kind]) + b"\x03\x03" + struct.pack(">H", len(data)) + data


def client_hello(name, rng):
    """A TLS ClientHello with server_name, groups, versions (RFC 8446 4.1.2), and padding."""
    def extension(kind, data):
        return struct.pack(">HH", kind, len(data)) + data
    sni = struct.pack(">HBH", len(name) + 3, 0, len(name)) + name
    extensions = (extension(0, sni) + extension(10, b"\x00\x04\x00\x1d\x00\x17")
                  + extension(43, b"\x04\x03\x04\x03\x03") + extension(16, b"\x00\x0c\x02h2\x08http/1.1")
                  + extension(51, b"\x00\x24\x00\x1d\x00\x20" + rng.randbytes(32)) + extension(21, bytes(200)))
    body = (b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\x00\x06\x13\x01\x13\x02\xc0\x2f"
            + b"\x01\x00" + struct.pack(">H", len(extensions)) + extensions)
    shake = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(shake)) + shake


def server_hello(rng):
    """The answer of a TLS 1.3 server (RFC 8446 4.1.3)."""
    extensions = (b"\x00\x2b\x00\x02\x03\x04\x00\x33\x00\x24\x00\x1d\x00\x20" + rng.randbytes(32))
    body = (b"\x03\x03" + rng.randbytes(32) + b"\x20" + rng.randbytes(32) + b"\x13\x01\x00"
            + struct.pack(">H", len(extensions)) + extensions)
    return record(22, b"\x02" + struct.pack(">I", len(body))[1:] + body)


# method of Mix -> share
SHARES = {"dns": 26, "tls": 18, "http_get": 14, "http_post": 8, "mqtt": 3, "modbus": 2, "smtp": 1, "ftp": 1,
          "ssh": 2, "bulk": 6, "refused": 2, "ntp": 4, "syslog": 5, "snmp": 3, "sip": 2, "quic_like": 6,
          "unknown": 4, "ping": 1}


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder")
    asked.add_argument("--flows", type=int, default=8600, help="in the base; each copy adds as many")
    given = asked.parse_args()
    if not 1 <= given.flows <= 60000:
        asked.error("--flows must be 1..60000: each needs a port of its own")
    os.makedirs(given.folder, exist_ok=True)
    mix = Mix("1")
    made = {}
    for name in mix.random.choices(list(SHARES), list(SHARES.values()), k=given.flows):
        getattr(mix, name)()
        made[name] = made.get(name, 0) + 1
    mix.trace.save(os.path.join(given.folder, "small_base.pcap"))
    with open(os.path.join(given.folder, "small_base.json"), "w", encoding="utf-8") as out:
        json.dump({"flows": given.flows - made.get("ping", 0), "by_protocol": made, "values": mix.values,
                   "packets": len(mix.trace.frames)}, out, indent=1)
        out.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
