"""What a real Linux receiver reads from a capture: receiver.py FOLDER [CASE...].

Takes the captures of make_evasion.py, sends the client's frames as they are (only acknowledgement
numbers are adapted) through a real router to a real listening socket, each in its own network
namespace, and compares what the socket read with what NN-name.json says. So the expectations of the
evasion set are Linux's, not ours. The client's address belongs to no host: nobody resets.

Needs root; without it says so and ends with 77. Tunnels and mid-stream captures are not replayed.
"""

import argparse
import glob
import hashlib
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import time

import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import offload  # noqa: E402

CLIENT, CLIENT6 = "192.168.10.5", "fd00:10::5"
SERVERS, SERVER6 = ["3.5.140.2"], "2600:1f18::10"
NOT_REPLAYED = {"qinq": "tunnel", "gre": "tunnel", "vxlan": "tunnel", "ip-in-ip": "tunnel",
                "midstream": "no handshake"}
OUTGOING = 4  # PACKET_OUTGOING


def sh(line):
    subprocess.run(line.split(), check=True, stdout=subprocess.DEVNULL)


class Road:
    """Three namespaces in a row: a sender without address, a router, a receiver."""

    def __init__(self):
        tag = str(os.getpid())
        self.a, self.r, self.s = f"a{tag}", f"r{tag}", f"s{tag}"

    def __enter__(self):
        a, r, s = self.a, self.r, self.s
        for ns in (a, r, s):
            sh(f"ip netns add {ns}")
        mac = {"a0": wire.CLIENT_MAC.hex(":"), "r0": wire.SERVER_MAC.hex(":")}
        sh(f"ip -n {a} link add a0 address {mac['a0']} type veth peer name r0 address {mac['r0']} netns {r}")
        sh(f"ip -n {r} link add r1 type veth peer name s0 netns {s}")
        for line in (f"{r} addr add 192.168.10.1/24 dev r0", f"{r} addr add 10.99.0.1/24 dev r1",
                     f"{r} addr add fd00:10::1/64 dev r0 nodad", f"{r} addr add fd00:99::1/64 dev r1 nodad",
                     f"{s} addr add 10.99.0.2/24 dev s0", f"{s} addr add fd00:99::2/64 dev s0 nodad",
                     f"{s} addr add {SERVER6}/128 dev lo nodad",
                     *(f"{s} addr add {x}/32 dev lo" for x in SERVERS)):
            sh("ip -n " + line)
        for ns, name in ((a, "a0"), (r, "r0"), (r, "r1"), (s, "s0"), (s, "lo")):
            sh(f"ip -n {ns} link set {name} up")
            sh(f"ip netns exec {ns} {sys.executable} {os.path.abspath(offload.__file__)} {name}")
        for line in (*(f"{r} route add {x} via 10.99.0.2" for x in SERVERS),
                     f"{r} -6 route add {SERVER6} via fd00:99::2", f"{s} route add default via 10.99.0.1",
                     f"{s} -6 route add default via fd00:99::1",
                     f"{r} neigh replace {CLIENT} lladdr {mac['a0']} dev r0 nud permanent",
                     f"{r} -6 neigh replace {CLIENT6} lladdr {mac['a0']} dev r0 nud permanent"):
            sh("ip -n " + line)
        for setting in ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"):
            sh(f"ip netns exec {r} sysctl -qw {setting}")
        # data in a SYN is taken without a cookie
        sh(f"ip netns exec {s} sysctl -qw net.ipv4.tcp_fastopen=515")
        return self

    def __exit__(self, *_):
        for ns in (self.a, self.r, self.s):
            subprocess.run(["ip", "netns", "del", ns], check=False)


# ---------------------------------------------------------------- the receiver


def serve(kind, port):
    """Reads one connection or one datagram to the end and writes it to standard output."""
    family = socket.AF_INET6 if kind == "udp6" else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::" if kind == "udp6" else "0.0.0.0", port))
    s.settimeout(5)
    if kind == "tcp":
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 8)
        s.listen(8)
    print("ready", file=sys.stderr, flush=True)
    got = b""
    try:
        if kind == "tcp":
            s, _ = s.accept()
            s.settimeout(4)
            while True:
                more = s.recv(65536)
                if not more:
                    break
                got += more
        else:
            got = s.recv(65536)
    except (TimeoutError, OSError):
        pass
    sys.stdout.buffer.write(got)


# ---------------------------------------------------------------- the sender


def tcp_head(frame):
    """Where the TCP header is in an Ethernet frame over IPv4, if it is there; else None."""
    if frame[12:14] != b"\x08\x00" or frame[23] != wire.TCP:
        return None
    if struct.unpack_from(">H", frame, 20)[0] & 0x1FFF:
        return None
    return 14 + (frame[14] & 15) * 4


def with_ack(frame, ack):
    """The frame with another acknowledgement number; a wrong checksum stays as wrong (RFC 1624)."""
    at = tcp_head(frame)
    if at is None or not frame[at + 13] & wire.ACK:
        return frame
    old, new = frame[at + 8:at + 12], struct.pack(">I", ack)
    was = struct.unpack_from(">H", frame, at + 16)[0]
    total = (~was & 0xFFFF) + wire.checksum_add(0, bytes(~b & 0xFF for b in old)) + wire.checksum_add(0, new)
    return (frame[:at + 8] + new + frame[at + 12:at + 16] + struct.pack(">H", wire.checksum_end(total))
            + frame[at + 18:])


def hear_isn(link, deadline):
    """The sequence number of the server's SYN-ACK, or None."""
    while time.monotonic() < deadline:
        if select.select([link], [], [], 0.2)[0]:
            frame, (_, _, kind, *_rest) = link.recvfrom(65536)
            at = tcp_head(frame)
            if kind != OUTGOING and at and frame[at + 13] & 18 == 18:
                return struct.unpack_from(">I", frame, at + 4)[0]
    return None


def send(path, gap):
    """Sends the client's frames of a capture on a0, in this namespace."""
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind(("a0", 0))
    isn = 0
    for frame in (f.data for f in wire.load(path) if f.data[6:12] == wire.CLIENT_MAC):
        link.send(with_ack(frame, isn + 1 & 0xFFFFFFFF))
        at = tcp_head(frame)
        if at and frame[at + 13] & wire.SYN:
            isn = hear_isn(link, time.monotonic() + 4)
            if isn is None:
                raise SystemExit(f"{path}: no answer to SYN")
        time.sleep(gap)


def replay(road, path, document, slower):
    """What the receiving socket read from this capture; slower stretches the time between frames."""
    name = document["name"]
    kind, port = "tcp", 5600
    if "http" in name:
        port = 8080
    elif "smtp" in name:
        port = 25
    elif "ipv6" in name:
        kind = "udp6"
    elif name.endswith("-udp"):
        kind = "udp"
    me = [sys.executable, os.path.abspath(__file__)]
    receiver = subprocess.Popen(["ip", "netns", "exec", road.s, *me, "--serve", kind, str(port)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    receiver.stderr.readline()
    gap = 0.0006 if document["receiver_bytes"] > 100_000 else 0.003
    gap *= slower
    sender = subprocess.run(["ip", "netns", "exec", road.a, *me, "--send", path, str(gap)], check=False)
    got, _ = receiver.communicate(timeout=20)
    return got if sender.returncode == 0 else b""


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2], int(sys.argv[3]))
    if sys.argv[1:2] == ["--send"]:
        return send(sys.argv[2], float(sys.argv[3]))
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder")
    asked.add_argument("case", nargs="*")
    given = asked.parse_args()
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("receiver.py: skipped: namespaces need root", file=sys.stderr)
        return 77
    wrong = 0
    with Road() as road:
        for path in sorted(glob.glob(os.path.join(given.folder, "*.pcap"))):
            with open(path.replace(".pcap", ".json"), encoding="utf-8") as file:
                document = json.load(file)
            name = document["name"]
            if given.case and not any(c in name for c in given.case):
                continue
            if name[3:] in NOT_REPLAYED:
                print(f"{name}: not replayed ({NOT_REPLAYED[name[3:]]})")
                continue
            for slower in (1, 3, 8):  # nobody sends again what a busy machine drops
                got = replay(road, path, document, slower)
                same = hashlib.sha256(got).hexdigest() == document["receiver_sha256"]
                if same:
                    break
            wrong += not same
            print(f"{name}: {'as expected' if same else 'DIFFERS'}, {len(got)} bytes", flush=True)
            if not same and len(got) < 1000:
                print(f"  read: {got!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
