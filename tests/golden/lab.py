"""The wire on which golden captures are made: namespaces, veth pairs, programs, a capture.

A device and the far world are two network namespaces joined by veth pairs of MTU 1500. All
offloads are off, so that the capture shows frames and checksums as a cable would. The far
addresses look real because the program under test must place them; they exist only in here.
"""

import os
import re
import signal
import struct
import subprocess
import sys
import time

DEVICE = "192.168.10.5"
DEVICE_SECOND = "192.168.20.5"
MAINLAND = "202.96.128.86"
KOREA = "3.5.140.2"
AMERICA = "52.95.110.1"
HONG_KONG = "18.162.0.10"
FAR = [MAINLAND, KOREA, AMERICA, HONG_KONG]
PYTHON = sys.executable
HERE = os.path.dirname(os.path.abspath(__file__))


def sh(*argv, check=True):
    return subprocess.run(argv, check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Lab:
    """with Lab() as lab: two namespaces that are gone afterwards, with all that ran in them."""

    def __init__(self, links=1):
        self.links = links
        self.device, self.far = f"dev{os.getpid()}", f"far{os.getpid()}"
        self.running = []

    def __enter__(self):
        for ns in (self.device, self.far):
            sh("ip", "netns", "add", ns)
            sh("ip", "-n", ns, "link", "set", "lo", "up")
            for scope in ("all", "default"):
                self.run(ns, "sysctl", "-qw", f"net.ipv6.conf.{scope}.disable_ipv6=1")
        for i in range(self.links):
            self.link(i)
        for address in FAR:
            sh("ip", "-n", self.far, "addr", "add", f"{address}/32", "dev", "lo")
        return self

    def link(self, i):
        net = f"192.168.{10 * (i + 1)}"
        sh("ip", "-n", self.device, "link", "add", f"dev{i}", "mtu", "1500",
           "address", f"02:00:00:00:0{i}:05", "type", "veth",
           "peer", "name", f"far{i}", "mtu", "1500", "address", f"02:00:00:00:0{i}:01",
           "netns", self.far)
        for ns, name, host in ((self.device, f"dev{i}", 5), (self.far, f"far{i}", 1)):
            sh("ip", "-n", ns, "addr", "add", f"{net}.{host}/24", "dev", name)
            sh("ip", "-n", ns, "link", "set", name, "up")
            self.run(ns, *self.python("offload.py", name))
        if i == 0:
            sh("ip", "-n", self.device, "route", "add", "default", "via", f"{net}.1")
        else:
            sh("ip", "-n", self.device, "route", "add", MAINLAND, "via", f"{net}.1")

    def __exit__(self, *_):
        for process in reversed(self.running):
            if process.poll() is None:
                process.kill()
            process.wait()
        for ns in (self.device, self.far):
            sh("ip", "netns", "del", ns, check=False)

    def run(self, ns, *argv, check=True, env=None, stdin=None):
        """Runs to the end inside a namespace; a failure shows what the program said."""
        done = subprocess.run(["ip", "netns", "exec", ns, *argv], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, input=stdin, timeout=120,
                              env={**os.environ, **(env or {})})
        if check and done.returncode != 0:
            raise RuntimeError(f"{argv}: {done.returncode}\n{done.stdout.decode(errors='replace')}")
        return done.stdout

    def start(self, ns, *argv, env=None):
        """Starts a program inside a namespace; it dies with the lab."""
        process = subprocess.Popen(["ip", "netns", "exec", ns, *argv], env={**os.environ, **(env or {})},
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        self.running.append(process)
        return process

    def serve(self, port, *argv, env=None):
        """Starts a far server and waits until it listens on the port."""
        process = self.start(self.far, *argv, env=env)
        wanted = f":{port:04X}"
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise RuntimeError(f"{argv}: {process.stderr.read().decode(errors='replace')}")
            for table in ("tcp", "tcp6"):
                try:
                    with open(f"/proc/{process.pid}/net/{table}") as lines:
                        rows = [line.split() for line in lines]
                except OSError:
                    continue
                if any(r[1].endswith(wanted) and r[3] == "0A" for r in rows[1:]):
                    return process
            time.sleep(0.02)
        raise RuntimeError(f"{argv}: nothing listens on {port}")

    def stop(self, process, sig=signal.SIGTERM):
        process.send_signal(sig)
        process.wait(timeout=20)
        self.running.remove(process)

    def capture(self, path, interfaces=("dev0",), pcapng=False):
        return Capture(self, path, interfaces, pcapng)

    def python(self, script, *argv):
        return [PYTHON, os.path.join(HERE, script), *argv]


def forget_machine(data):
    """A little-endian pcapng without the options that describe the capturing machine."""
    out, at = b"", 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        body = data[at + 8:at + length - 4]
        if kind == 0x0A0D0D0A:
            body = body[:8] + struct.pack("<q", -1)
        elif kind == 1:
            body = body[:8] + interface_options(body)
        out += struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        at += length
    return out


def interface_options(body):
    """Of an interface's options its name and the unit of its times."""
    kept, at = b"", 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        size = 4 + length + (-length % 4)
        if code in (2, 9):
            kept += body[at:at + size]
        at += size
    return kept + bytes(4)


class Capture:
    """with lab.capture(path): all frames of the device's interfaces, in a file."""

    def __init__(self, lab, path, interfaces, pcapng):
        self.lab, self.path = lab, path
        if pcapng:
            self.argv = ["dumpcap", "-q", "-n", "-w", path]
            for name in interfaces:
                self.argv += ["-i", name]
        else:
            self.argv = ["tcpdump", "-i", interfaces[0], "-s", "0", "-U", "-B", "32768", "--immediate-mode",
                         "-Z", "root", "-w", path]

    def __enter__(self):
        self.process = self.lab.start(self.lab.device, *self.argv)
        for line in self.process.stderr:
            if b"listening on" in line or b"File:" in line:
                break
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.lab.stop(self.process, signal.SIGINT)
        said = self.process.stderr.read().decode(errors="replace")
        if re.search(r"[1-9]\d* packets? dropped by kernel", said):
            raise RuntimeError(f"{self.path}: the capture is not whole: {said}")
