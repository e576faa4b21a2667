"""Golden cases over MLLP: UTF-8 and GB18030 to abroad, and the same inside the mainland."""

import os

import lab as wire
from hl7_text import Writer
from people import People


def ward(truth, seed, encoding, patients, clear=True):
    """Messages of a morning on a ward: an admission, an order and results for each patient."""
    people = People(seed)
    doctor = truth.person(people.person(), "doctor")
    writer = Writer(truth, encoding, clear)
    messages = []
    for _ in range(patients):
        p = truth.person(people.person(), "patient")
        kin = truth.person(people.person(), "next of kin")
        messages.append(writer.adt_a01(p, doctor, kin))
        messages.append(writer.orm_o01(p, doctor))
        messages.append(writer.oru_r01(p, doctor))
        messages.append(writer.oru_r01(p, doctor, note=False))
    return messages


def spool(folder, messages):
    files = []
    for i, message in enumerate(messages):
        files.append(os.path.join(folder, f"{i:03d}.hl7"))
        with open(files[-1], "wb") as out:
            out.write(message)
    return files


def exchange(lab, out, files, address, *options):
    server = lab.serve(2575, *lab.python("mllp.py", "listen", "2575"))
    with lab.capture(os.path.join(out, "input.pcap")):
        lab.run(lab.device, *lab.python("mllp.py", "send", address, "2575", *files, *options))
    lab.stop(server)


def make_adt(lab, out, tmp, truth):
    files = spool(tmp, ward(truth, truth.seed, "utf-8", 4))
    exchange(lab, out, files, wire.KOREA)
    truth.destination(wire.KOREA, 1)
    return ("A monitor's MLLP client (tests/golden/mllp.py) sends ADT^A01, ORM^O01 and ORU^R01 in UTF-8 "
            "to a listener abroad (3.5.140.2), which acknowledges each message. One connection.")


def make_gb18030(lab, out, tmp, truth):
    """As above in GB18030; the sender writes 700 bytes at a time, so that fields are cut."""
    files = spool(tmp, ward(truth, truth.seed, "gb18030", 3))
    exchange(lab, out, files, wire.AMERICA, "--cut", "700", "--pause", "0.002")
    truth.destination(wire.AMERICA, 1)
    return ("The same kinds of message with MSH-18 `GB 18030-2000` and that encoding, to 52.95.110.1. "
            "The sender writes 700 bytes at a time without Nagle's delay, so that fields and even "
            "characters are cut between segments.")


def make_inside(lab, out, tmp, truth):
    files = spool(tmp, ward(truth, truth.seed, "utf-8", 2))
    exchange(lab, out, files, wire.MAINLAND)
    truth.destination(wire.MAINLAND, 1)
    return ("The messages of case 01, other people, to a mainland address (202.96.128.86): the values "
            "are found, nothing is blocked, and an audit ends with exit code 0.")


CASES = {"01-hl7-adt": make_adt, "02-hl7-gb18030": make_gb18030, "09-inside-only": make_inside}
