"""What independent programs read in a capture: tshark takes it apart, dcmdump reads DICOM.

Used to prove truth.json of the golden captures. read() gives streams (raw bytes, as on the wire)
and texts (kind of object, decoded text), without any code of the program under test.
"""

import email
import email.policy
import glob
import json
import os
import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field

DECODE_AS = ["tcp.port==2575,hl7", "tcp.port==11112,dicom", "tcp.port==11113,dicom", "tcp.port==104,dicom",
             "tcp.port==2762,tls", "tcp.port==2576,tls"]
EXPLICIT_LE = "1.2.840.10008.1.2.1"


@dataclass
class Reading:
    streams: list = field(default_factory=list)  # (client bytes, server bytes) of each TCP stream
    datagrams: list = field(default_factory=list)
    texts: list = field(default_factory=list)  # (kind, text); kind as "object" in truth.json
    json_bodies: list = field(default_factory=list)
    hl7_messages: list = field(default_factory=list)  # bytes
    hl7_fields: list = field(default_factory=list)  # bytes of tshark's hl7.field
    dicom_lines: list = field(default_factory=list)  # (kind, tag, value) from dcmdump
    flows: int = 0
    server_names: list = field(default_factory=list)


def tshark(capture, *argv, keylog=None):
    line = ["tshark", "-r", capture, "-n"]
    for rule in DECODE_AS:
        line += ["-d", rule]
    if keylog:
        line += ["-o", f"tls.keylog_file:{keylog}"]
    done = subprocess.run([*line, *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"tshark {argv}: {done.stderr.decode(errors='replace')[-400:]}")
    return done.stdout


def rows(capture, wanted, *fields, keylog=None):
    argv = [x for f in fields for x in ("-e", f)]
    out = tshark(capture, "-Y", wanted, "-T", "fields", *argv, keylog=keylog).decode(errors="replace")
    return [line.split("\t") for line in out.splitlines() if line]


def follow(capture, proto, n, keylog=None):
    """Both directions of the first n streams, by tshark's own reassembly; the device is the client.
    TLS has one run each: several TLS streams in one run mix up their directions."""
    wanted = [["-z", f"follow,{proto},raw,{i}"] for i in range(n)]
    runs = wanted if proto == "tls" else [sum(wanted, [])] if wanted else []
    return [pair for argv in runs
            for pair in halves_of(tshark(capture, "-q", *argv, keylog=keylog).decode("ascii", "replace"))]


def halves_of(text):
    """(client bytes, server bytes) of each stream followed, in the order of the streams' numbers."""
    found = {}
    number = 0
    for line in text.splitlines():
        if line.startswith("Filter: "):
            number = int(line.rsplit(" ", 1)[1])
            found[number] = [b"", b""]
        elif line.startswith("Node 0:"):
            turned = "192.168." not in line
        elif re.fullmatch(r"\t?(?:[0-9a-f]{2})+", line):
            found[number][line.startswith("\t") != turned] += bytes.fromhex(line.strip())
    return [tuple(found[i]) for i in sorted(found)]


# ---------------------------------------------------------------- DICOM: PDVs joined, dcmdump


def pdus(data):
    at = 0
    while at + 6 <= len(data):
        kind, length = data[at], struct.unpack_from(">I", data, at + 2)[0]
        yield kind, data[at + 6:at + 6 + length]
        at += 6 + length


def accepted_syntaxes(data):
    """Presentation context id -> transfer syntax, from an A-ASSOCIATE-AC (PS3.8 9.3.3)."""
    found = {}
    for kind, body in pdus(data):
        if kind != 2:
            continue
        at = 68
        while at + 4 <= len(body):
            item, length = body[at], struct.unpack_from(">H", body, at + 2)[0]
            value = body[at + 4:at + 4 + length]
            if item == 0x21 and value[2] == 0:
                size = struct.unpack_from(">H", value, 6)[0]
                found[value[0]] = value[8:8 + size].rstrip(b"\0").decode()
            at += 4 + length
    return found


def datasets(data):
    """(context id, dataset) of every message of one direction, fragments joined."""
    held = {}
    for kind, body in pdus(data):
        at = 0
        while kind == 4 and at + 6 <= len(body):
            length, context, flags = struct.unpack_from(">IBB", body, at)
            if not flags & 1:
                held[context] = held.get(context, b"") + body[at + 6:at + 4 + length]
                if flags & 2:
                    yield context, held.pop(context)
            at += 4 + length


def part10(dataset, syntax):
    value = syntax.encode() + b"\0" * (len(syntax) % 2)
    uid = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(value)) + value
    head = b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<I", len(uid))
    return bytes(128) + b"DICM" + head + uid + dataset


def dcmdump(file_bytes):
    """(tag, value) of every element with text, converted to UTF-8 by dcmtk."""
    with tempfile.NamedTemporaryFile(suffix=".dcm") as file:
        file.write(file_bytes)
        file.flush()
        done = subprocess.run(["dcmdump", "-q", "+U8", "+L", "-M", file.name], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError("dcmdump: " + done.stderr.decode(errors="replace"))
    found = []
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        match = re.match(r"\s*\(([0-9a-f]{4},[0-9a-f]{4})\) ([A-Z?]{2}) (.*?)\s+#\s*\d+, ?\d+ ", line)
        if not match:
            continue
        tag, vr, value = match.groups()
        if value.startswith("["):
            found.append((f"({tag})", value[1:value.rindex("]")]))
        elif vr in ("??", "UN"):  # implicit: a private element, shown as bytes
            try:
                raw = bytes(int(x, 16) for x in value.split("\\"))
                found.append((f"({tag})", raw.decode("utf-8", "replace")))
            except ValueError:
                pass
    return found


def add_dicom(reading, kind, file_bytes):
    for tag, value in dcmdump(file_bytes):
        reading.dicom_lines.append((kind, tag, value))
        reading.texts.append((kind, value))


def read_dicom(reading, client, server):
    if client[:2] != b"\x01\x00":
        return
    syntaxes = accepted_syntaxes(server)
    for data, kinds in ((client, ("dicom", "dicom-find-request")), (server, ("dicom-find", "dicom-find"))):
        for context, dataset in datasets(data):
            has_pixels = data is client and len(dataset) > 1000
            kind = kinds[0] if has_pixels else kinds[1]
            add_dicom(reading, kind, part10(dataset, syntaxes.get(context, EXPLICIT_LE)))


# ---------------------------------------------------------------- HL7, HTTP, mail


def read_hl7(reading, capture, client, keylog):
    for framed in client.split(b"\x1c\r"):
        if framed.startswith(b"\x0bMSH"):
            message = framed[1:]
            reading.hl7_messages.append(message)
            first = message.split(b"\r")[0].split(b"|")
            charset = first[17].decode() if len(first) > 17 else ""
            text = message.decode("gb18030" if "18030" in charset else "utf-8")
            reading.texts.append(("hl7", text))


def read_hl7_fields(reading, capture, keylog):
    """tshark's own hl7.field values, as bytes; its JSON gives each as hex."""
    packets = json.loads(tshark(capture, "-Y", "hl7", "-T", "jsonraw", keylog=keylog) or b"[]",
                         object_pairs_hook=lambda pairs: pairs)

    def walk(node):
        if isinstance(node, list):
            for part in node:
                if isinstance(part, tuple):
                    key, value = part
                    if key == "hl7.field_raw" and value and isinstance(value[0], str):
                        reading.hl7_fields.append(bytes.fromhex(value[0]))
                        continue
                    walk(value)
                else:
                    walk(part)
    walk(packets)


# ---------------------------------------------------------------- tshark's own reading, field by field


def pdml_lines(capture, wanted):
    return tshark(capture, "-Y", wanted, "-T", "pdml").decode("utf-8", "replace").split("\n")


def hl7_values(capture):
    """(place as PID-5, bytes of the field) of every field tshark finds in HL7 messages."""
    segment = ""
    for line in pdml_lines(capture, "hl7"):
        match = re.search(r'<field name="hl7\.(segment|field)" showname="(?:field (\d+))?.* value="([0-9a-f]+)"', line)
        if not match:
            continue
        kind, n, value = match.groups()
        value = bytes.fromhex(value)
        if kind == "segment":
            segment = value[:3].decode("ascii", "replace")
        elif n and int(n) > 1:
            yield f"{segment}-{int(n) - (segment != 'MSH')}", value


def dicom_values(capture):
    """(tag as (0010,0010), bytes of the value) of every element tshark finds in DICOM messages."""
    for line in pdml_lines(capture, "dicom"):
        match = re.search(r'<field name="" show="(\([0-9a-f]{4},[0-9a-f]{4}\)) +(\d+) .* value="([0-9a-f]+)"', line)
        if match:
            tag, length, value = match.group(1), int(match.group(2)), bytes.fromhex(match.group(3))
            if 0 < length <= len(value):
                yield tag, value[-length:]


def directions(capture):
    """{(proto, source, port, destination, port): [packets, payload bytes]}."""
    found = {}
    for proto, length in (("tcp", "tcp.len"), ("udp", "udp.length")):
        for row in rows(capture, proto, "ip.src", f"{proto}.srcport", "ip.dst", f"{proto}.dstport", length):
            a, sport, b, dport, n = row[:5]
            way = found.setdefault((proto, a, int(sport), b, int(dport)), [0, 0])
            way[0] += 1
            way[1] += int(n) - (8 if proto == "udp" else 0)
    return found


def frames(capture):
    return len(rows(capture, "frame", "frame.number"))


def exported(capture, kind, keylog):
    with tempfile.TemporaryDirectory() as folder:
        tshark(capture, "-q", "--export-objects", f"{kind},{folder}", keylog=keylog)
        for path in sorted(glob.glob(os.path.join(folder, "*"))):
            with open(path, "rb") as file:
                yield file.read()


def read_http(reading, body):
    if body.startswith(b"--medguanBoundary7"):
        for part in body.split(b"--medguanBoundary7")[1:-1]:
            add_dicom(reading, "dicom", part.split(b"\r\n\r\n", 1)[1][:-2])
        return
    try:
        document = json.loads(body)
    except ValueError:
        reading.texts.append(("http", body.decode("utf-8", "replace")))
        return
    reading.json_bodies.append(document)
    reading.texts.append(("http", json.dumps(document, ensure_ascii=False)))


def read_mail(reading, data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    for part in message.walk():
        if not part.is_multipart():
            raw = part.get_payload(decode=True)
            charset = part.get_content_charset() or "utf-8"
            reading.texts.append(("mail", raw.decode("utf-8" if charset == "us-ascii" else charset)))


def read(capture, keylog=None):
    """Everything tshark and dcmdump can read in a capture; keylog opens TLS."""
    reading = Reading()
    streams = {int(r[0]) for r in rows(capture, "tcp", "tcp.stream")}
    n = len(streams)
    udp = {r[0] for r in rows(capture, "udp", "udp.stream")}
    reading.flows = n + len(udp)
    reading.streams = follow(capture, "tcp", n)
    reading.datagrams = [bytes.fromhex(r[0]) for r in rows(capture, "udp", "udp.payload")]
    reading.server_names = [r[0] for r in rows(capture, "tls.handshake.extensions_server_name",
                                              "tls.handshake.extensions_server_name")]
    opened = follow(capture, "tls", n, keylog) if keylog else reading.streams
    for client, server in opened:
        read_hl7(reading, capture, client, keylog)
        read_dicom(reading, client, server)
    if not keylog:
        read_hl7_fields(reading, capture, keylog)
    for body in exported(capture, "http", keylog):
        read_http(reading, body)
    for data in exported(capture, "imf", keylog):
        read_mail(reading, data)
    reading.texts += [("syslog", d.decode("utf-8", "replace")) for d in reading.datagrams]
    return reading
