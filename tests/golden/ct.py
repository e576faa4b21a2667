"""Small CT-like DICOM objects with invented patients, made by dcmtk's dump2dcm, and their truth."""

import math
import os
import random
import struct
import subprocess
from dataclasses import replace

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
CHARSETS = {"utf-8": "ISO_IR 192", "gb18030": "GB18030", "iso2022": "\\ISO 2022 IR 58"}


def encode(text, encoding):
    """Text in a DICOM character set; with code extensions GB2312 is called into G1 once a part."""
    if encoding != "iso2022":
        return text.encode(encoding)
    out, chinese = b"", False
    for c in text:
        if ord(c) < 128:
            out += c.encode()
            chinese = chinese and c not in "^=\\\r\n"
        else:
            out += c.encode("gb2312") if chinese else b"\x1b$)A" + c.encode("gb2312")
            chinese = True
    return out


def pixels(edge, seed):
    """A phantom: an ellipse with two insets and noise; 16 bits little endian."""
    r = random.Random(seed)
    rows = []
    for y in range(edge):
        for x in range(edge):
            u, v = 2 * x / edge - 1, 2 * y / edge - 1
            inside = (u / 0.8) ** 2 + (v / 0.6) ** 2 < 1
            level = 1040 if inside else 24
            level += 400 if math.hypot(u - 0.3, v) < 0.15 else -200 if math.hypot(u + 0.3, v) < 0.2 else 0
            rows.append(max(0, level + r.randrange(-12, 13)))
    return struct.pack(f"<{len(rows)}H", *rows)


class Object:
    """One image about one patient; fill() writes the dump and notes what it planted."""

    def __init__(self, truth, encoding, patient, doctor, number, clear=True, kind="dicom"):
        self.truth, self.encoding, self.clear, self.kind = truth, encoding, clear, kind
        self.patient, self.doctor, self.number = patient, doctor, number

    def plant(self, person, cls, value, where, wire=None):
        return self.truth.plant(person, cls, value, where, self.kind, wire=wire,
                                encoding=self.encoding, clear=self.clear)

    def name(self, p, where):
        """Alphabetic=ideographic, as PS3.5 6.2.1.1 has it for Chinese names."""
        return self.plant(p, "person_name", p.name, where,
                          f"{p.surname_latin}^{p.given_latin}={p.surname}^{p.given}")

    def elements(self, edge, pixel_file):
        p, put, n = self.patient, self.plant, self.number
        uid = f"2.25.{31415926535897932384626433 + n * 1000}"
        note = ("患者" + put(p, "person_name", p.name, "(0010,4000)") + "，联系电话"
                + put(p, "phone", p.phone, "(0010,4000)") + "，身份证"
                + put(p, "id_number", p.id_number, "(0010,4000)"))
        return [
            ("0008,0005", "CS", CHARSETS[self.encoding]),
            ("0008,0008", "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            ("0008,0016", "UI", CT_IMAGE), ("0008,0018", "UI", uid + "1"),
            ("0008,0020", "DA", "20240315"), ("0008,0030", "TM", "083000"),
            ("0008,0050", "SH", self.truth.optional(f"A{n:07d}", "(0008,0050)")),
            ("0008,0060", "CS", "CT"), ("0008,0070", "LO", "MEDGUAN DEMO"),
            ("0008,0080", "LO", self.truth.optional("示范医院", "(0008,0080)")),
            ("0008,0090", "PN", self.name(self.doctor, "(0008,0090)")),
            ("0008,1030", "LO", put(p, "person_name", p.name, "(0008,1030)") + " 胸部CT平扫"),
            ("0008,1090", "LO", "DEMO-CT64"),
            ("0009,0010", "LO", "MEDGUAN DEMO 1"),
            ("0009,1001", "LO", put(p, "person_name", p.name, "(0009,1001)")),
            ("0010,0010", "PN", self.name(p, "(0010,0010)")),
            ("0010,0020", "LO", put(p, "medical_record_number", p.medical_record_number, "(0010,0020)")),
            ("0010,0030", "DA", put(p, "birth_date", p.birth_date, "(0010,0030)")),
            ("0010,0040", "CS", p.sex),
            ("0010,1000", "LO", put(p, "id_number", p.id_number, "(0010,1000)")),
            ("0010,1002", "SQ", [[
                ("0010,0020", "LO", put(p, "medical_record_number", p.insurance_number,
                                        "(0010,1002)[0].(0010,0020)")),
                ("0010,0022", "CS", "TEXT")]]),
            ("0010,1010", "AS", "045Y"),
            ("0010,1040", "LO", put(p, "address", p.address, "(0010,1040)")),
            ("0010,2154", "SH", put(p, "phone", p.phone, "(0010,2154)")),
            ("0010,4000", "LT", note),
            ("0018,0060", "DS", "120"),
            ("0018,1000", "LO", self.truth.decoy(f"CT64-{n:05d}", "(0018,1000)", "device serial")),
            ("0020,000d", "UI", uid + "2"), ("0020,000e", "UI", uid + "3"),
            ("0020,0010", "SH", f"S{n:04d}"), ("0020,0011", "IS", "1"), ("0020,0013", "IS", "1"),
            ("0020,0032", "DS", "-80\\-80\\0"), ("0020,0037", "DS", "1\\0\\0\\0\\1\\0"),
            ("0020,0052", "UI", uid + "4"),
            ("0028,0002", "US", "1"), ("0028,0004", "CS", "MONOCHROME2"),
            ("0028,0010", "US", str(edge)), ("0028,0011", "US", str(edge)),
            ("0028,0030", "DS", "2.5\\2.5"), ("0028,0100", "US", "16"), ("0028,0101", "US", "12"),
            ("0028,0102", "US", "11"), ("0028,0103", "US", "0"),
            ("0028,1052", "DS", "-1024"), ("0028,1053", "DS", "1"),
            ("7fe0,0010", "OW", pixel_file),
        ]

    def dump(self, elements):
        lines = []
        for tag, vr, value in elements:
            if vr == "SQ":
                lines.append(f"({tag}) SQ".encode())
                for item in value:
                    lines += [b"(fffe,e000) na", self.dump(item), b"(fffe,e00d) na"]
                lines.append(b"(fffe,e0dd) na")
            elif vr == "OW":
                lines.append(f"({tag}) OW ={value}".encode())
            elif vr == "US":
                lines.append(f"({tag}) US {value}".encode())
            else:
                lines.append(f"({tag}) {vr} [".encode() + encode(value, self.encoding) + b"]")
        return b"\n".join(lines)

    def fill(self, folder, edge=48, image=None):
        """Writes NNN.dcm, explicit little endian, and returns its path; image is given pixels."""
        stem = os.path.join(folder, f"{self.number:03d}")
        with open(stem + ".raw", "wb") as out:
            out.write(image or pixels(edge, self.number))
        with open(stem + ".dump", "wb") as out:
            out.write(self.dump(self.elements(edge, stem + ".raw")) + b"\n")
        subprocess.run(["dump2dcm", "-q", "+te", "+l", "1000", stem + ".dump", stem + ".dcm"], check=True)
        self.truth.object(self.kind)
        return stem + ".dcm"


def backslash_person(person):
    """The same person with a given name whose second GB18030 byte is 5C, the backslash."""
    return replace(person, given="誠", given_latin="CHENG")
