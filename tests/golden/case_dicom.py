"""Golden cases with dcmtk on both ends: C-STORE in many syntaxes, worklist C-FIND."""

import os
import subprocess

import lab as wire
from ct import Object, backslash_person, encode
from people import People

# name, charset, how the file is made, what storescu proposes, whether the dataset lies open
STORES = [
    ("explicit", "gb18030", [], "-xe", True),
    ("implicit", "utf-8", ["dcmconv", "+ti"], "-xi", True),
    ("big endian", "utf-8", ["dcmconv", "+tb"], "-xb", True),
    ("escapes", "iso2022", [], "-xe", True),
    ("deflated", "gb18030", ["dcmconv", "+td"], "-xd", False),
    ("JPEG", "utf-8", ["dcmcjpeg"], "-xs", True),
]


def make_store(lab, out, tmp, truth):
    people = People(truth.seed)
    doctor = truth.person(backslash_person(people.person()), "doctor")
    plain_doctor = truth.person(people.person(), "doctor")
    files = []
    for i, (_, encoding, conversion, option, clear) in enumerate(STORES):
        patient = truth.person(people.person(), "patient")
        chosen = doctor if encoding == "gb18030" else plain_doctor
        path = Object(truth, encoding, patient, chosen, i + 1, clear).fill(tmp)
        if conversion:
            made = path.replace(".dcm", ".out.dcm")
            subprocess.run([*conversion, path, made], check=True)
            path = made
        files.append((option, path))
    received = os.path.join(tmp, "received")
    os.mkdir(received)
    server = lab.serve(11112, "storescp", "-q", "+xa", "-aet", "PACS", "-od", received, "11112")
    with lab.capture(os.path.join(out, "input.pcap")):
        for option, path in files:
            lab.run(lab.device, "storescu", option, "-aet", "CT64", "-aec", "PACS", wire.AMERICA,
                    "11112", path)
    lab.stop(server)
    if len(os.listdir(received)) != len(files):
        raise RuntimeError("storescp did not keep every object")
    truth.destination(wire.AMERICA, len(files))
    truth.extra["syntaxes"] = [name for name, *_ in STORES]
    return ("dcmtk's storescu sends six CT-like 48x48 objects (dump2dcm, dcmconv, dcmcjpeg) to storescp "
            "abroad (52.95.110.1), one association each: explicit little endian with GB18030 (the "
            "doctor's name holds a character whose second byte is a backslash), implicit with UTF-8, "
            "big endian, ISO 2022 IR 58 escapes, deflated with GB18030, JPEG lossless with UTF-8.")


def worklist_entry(truth, folder, patient, doctor, number, encoding):
    """One scheduled step as wlmscpfs reads it from its folder."""
    item = Object(truth, encoding, patient, doctor, number, kind="dicom-find")
    p, put = patient, item.plant
    elements = [
        ("0008,0005", "CS", {"utf-8": "ISO_IR 192", "gb18030": "GB18030"}[encoding]),
        ("0008,0050", "SH", truth.optional(f"A{number:07d}", "(0008,0050)")),
        ("0008,0090", "PN", item.name(doctor, "(0008,0090)")),
        ("0010,0010", "PN", item.name(p, "(0010,0010)")),
        ("0010,0020", "LO", put(p, "medical_record_number", p.medical_record_number, "(0010,0020)")),
        ("0010,0030", "DA", put(p, "birth_date", p.birth_date, "(0010,0030)")),
        ("0010,0040", "CS", p.sex),
        ("0010,1040", "LO", put(p, "address", p.address, "(0010,1040)")),
        ("0020,000d", "UI", f"2.25.271828182845904523536{number}"),
        ("0032,1060", "LO", "CHEST CT"),
        ("0040,0100", "SQ", [[
            ("0008,0060", "CS", "CT"), ("0040,0001", "AE", "CT64"), ("0040,0002", "DA", "20240315"),
            ("0040,0003", "TM", "090000"), ("0040,0007", "LO", "CHEST"), ("0040,0009", "SH", "STEP1")]]),
        ("0040,1001", "SH", f"RP{number:04d}"),
    ]
    stem = os.path.join(folder, f"{number:03d}")
    with open(stem + ".dump", "wb") as out:
        out.write(item.dump(elements) + b"\n")
    subprocess.run(["dump2dcm", "-q", "+l", "1000", stem + ".dump", stem + ".wl"], check=True)
    truth.object("dicom-find")


def make_find(lab, out, tmp, truth):
    people = People(truth.seed)
    doctor = truth.person(people.person(), "doctor")
    folder = os.path.join(tmp, "WARD")
    os.mkdir(folder)
    open(os.path.join(folder, "lockfile"), "wb").close()
    for i, encoding in enumerate(("utf-8", "gb18030", "utf-8")):
        patient = truth.person(people.person(), "patient")
        worklist_entry(truth, folder, patient, doctor, i + 1, encoding)
    asked = Object(truth, "utf-8", patient, doctor, 0, kind="dicom-find-request")
    name = asked.plant(patient, "person_name", f"{patient.surname_latin} {patient.given_latin}",
                       "(0010,0010)", f"{patient.surname_latin}^{patient.given_latin}*")
    truth.object("dicom-find-request", 2)
    keys = ["0008,0005", "0008,0050", "0008,0090", "0010,0020", "0010,0030", "0010,0040", "0010,1040",
            "0020,000D", "0032,1060", "0040,1001"]
    query = [x for k in keys for x in ("-k", k)] + ["-k", "(0040,0100)[0].0008,0060=CT"]
    server = lab.serve(11113, "wlmscpfs", "-q", "-csk", "-dfp", tmp, "11113")
    with lab.capture(os.path.join(out, "input.pcap")):
        for asked_name in ("0010,0010", "0010,0010=" + name):
            lab.run(lab.device, "findscu", "-W", "-aet", "CT64", "-aec", "WARD", *query, "-k",
                    asked_name, wire.HONG_KONG, "11113")
    lab.stop(server)
    # the second question is answered with the last entry again
    for key, counts in truth.values.items():
        if key[0] in (truth.index(patient),) and key[5] == "dicom-find":
            counts[0], counts[1] = counts[0] * 2, counts[1] * 2
    again = [k for k in truth.values if k[0] == truth.index(doctor) and k[6] == "utf-8"]
    for key in again:
        truth.values[key][0] += 1
        truth.values[key][1] += 1
    truth.object("dicom-find")
    truth.destination(wire.HONG_KONG, 2)
    return ("dcmtk's findscu asks wlmscpfs in Hong Kong (18.162.0.10) for its modality worklist: all three "
            "entries (UTF-8 and GB18030), then one by the patient's name. The personal values are in "
            "the answers, and the name also in the second question.")


CASES = {"03-dicom-store": make_store, "04-dicom-find": make_find}
