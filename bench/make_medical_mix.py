"""Real medical traffic for measuring: make_medical_mix.py FOLDER.

storescu sends CT objects of 512x512x16 bits to storescp, and MLLP clients send HL7 messages, between
network namespaces with frames of 1500 bytes; tcpdump captures. The result is medical_base.pcap and
medical_base.json, which says how many values of each class are in it. Everything in it is invented;
contents follow from the seed. Needs root, dcmtk and tcpdump.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "golden"))
import lab as wire  # noqa: E402
from ct import Object, pixels  # noqa: E402
from hl7_text import Writer  # noqa: E402
from people import People  # noqa: E402
from truth import Truth  # noqa: E402

EDGE = 512
PATIENTS_CT, SLICES = 20, 3
HL7_FLOWS, PATIENTS_PER_FLOW = 40, 50  # three messages for each patient: 6,000


def make_images(truth, folder):
    """Three slices for each patient; the pixels are one phantom, turned, so that slices differ."""
    people = People("bench ct")
    doctor = truth.person(people.person(), "doctor")
    phantom = pixels(EDGE, 7)
    series = []
    for p in range(PATIENTS_CT):
        patient = truth.person(people.person(), "patient")
        encoding = ("gb18030", "utf-8")[p % 2]
        slices = []
        for s in range(SLICES):
            number = p * SLICES + s + 1
            cut = number * EDGE * 2 * 3
            image = phantom[cut:] + phantom[:cut]
            slices.append(Object(truth, encoding, patient, doctor, number).fill(folder, EDGE, image))
        series.append(slices)
    return series


def make_messages(truth, folder):
    """Files of messages, one list for each connection."""
    people = People("bench hl7")
    writer = Writer(truth, "utf-8")
    flows = []
    for f in range(HL7_FLOWS):
        doctor = truth.person(people.person(), "doctor")
        files = []
        for n in range(PATIENTS_PER_FLOW):
            p, kin = truth.person(people.person(), "patient"), truth.person(people.person(), "next of kin")
            for k, message in enumerate((writer.adt_a01(p, doctor, kin), writer.orm_o01(p, doctor),
                                         writer.oru_r01(p, doctor))):
                files.append(os.path.join(folder, f"{f:02d}{n:03d}{k}.hl7"))
                with open(files[-1], "wb") as out:
                    out.write(message)
        flows.append(files)
    return flows


def exchange(lab, capture, series, flows):
    lab.serve(11112, "storescp", "-q", "+xa", "--ignore", "-aet", "PACS", "11112")
    lab.serve(2575, *lab.python("mllp.py", "listen", "2575"))
    with lab.capture(capture):
        for i in range(max(len(series), len(flows))):
            if i < len(series):
                lab.run(lab.device, "storescu", "-xe", "-aec", "PACS", wire.AMERICA, "11112", *series[i])
            if i < len(flows):
                address = (wire.KOREA, wire.MAINLAND)[i % 2]
                lab.run(lab.device, *lab.python("mllp.py", "send", address, "2575", *flows[i]))


def summary(truth):
    by_class, places = {}, {}
    for key, (count, _) in truth.values.items():
        by_class[key[1]] = by_class.get(key[1], 0) + count
        places.setdefault(key[1], {}).setdefault(key[4], 0)
        places[key[1]][key[4]] += count
    return {"flows": len(truth.destinations), "objects": truth.objects, "values": by_class,
            "places": places, "persons": len(truth.persons)}


class FastTruth(Truth):
    """The same record, for thousands of people: finding one's number must not take a walk."""

    def __init__(self, *argv):
        super().__init__(*argv)
        self.numbers = {}

    def person(self, person, role="patient"):
        self.numbers[id(person)] = len(self.persons)
        self.persons.append((person, role))
        return person

    def index(self, person):
        return self.numbers[id(person)]


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("folder")
    given = asked.parse_args()
    if os.geteuid() != 0:
        asked.error("namespaces need root")
    os.makedirs(given.folder, exist_ok=True)
    truth = FastTruth("medical mix", "bench")
    tmp = tempfile.mkdtemp(prefix="medical.")
    try:
        series, flows = make_images(truth, tmp), make_messages(truth, tmp)
        with wire.Lab() as lab:
            exchange(lab, os.path.join(given.folder, "medical_base.pcap"), series, flows)
    finally:
        shutil.rmtree(tmp)
    for _ in series:
        truth.destination(wire.AMERICA, 1)
    for i, _ in enumerate(flows):
        truth.destination((wire.KOREA, wire.MAINLAND)[i % 2], 1)
    with open(os.path.join(given.folder, "medical_base.json"), "w", encoding="utf-8") as out:
        json.dump(summary(truth), out, indent=1)
        out.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
