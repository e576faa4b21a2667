"""Golden case with everything at once: two interfaces, pcapng, nanoseconds, gzip."""

import gzip
import os

import lab as wire
from case_hl7 import spool, ward
from case_mail import compose
from case_web import JSON, keep, post
from ct import Object
from fhir import Resources, to_json
from people import People


def make_mixed(lab, out, tmp, truth):
    people = People(truth.seed + " others")
    abroad = os.path.join(tmp, "abroad")
    inside = os.path.join(tmp, "inside")
    os.mkdir(abroad)
    os.mkdir(inside)
    there = spool(abroad, ward(truth, truth.seed + " abroad", "gb18030", 1))
    here = spool(inside, ward(truth, truth.seed + " inside", "utf-8", 1))
    doctor, patient = (truth.person(people.person(), r) for r in ("doctor", "patient"))
    image = Object(truth, "gb18030", patient, doctor, 91).fill(tmp, edge=64)
    posted = keep(tmp, "patient.json", to_json(Resources(truth, "http-request").patient(patient)))
    truth.object("http-request")
    truth.object("http-response")
    mail = keep(tmp, "mail.eml", compose(truth, people))
    told = ("CT64 reconstruction failed, patient phone "
            + truth.plant(patient, "phone", patient.phone, "message", "syslog") + " id "
            + truth.plant(patient, "id_number", patient.id_number, "message", "syslog"))
    truth.object("syslog")
    received = os.path.join(tmp, "received")
    os.mkdir(received)
    lab.serve(2575, *lab.python("mllp.py", "listen", "2575"))
    lab.serve(8080, *lab.python("http_sink.py", "8080", tmp))
    lab.serve(25, *lab.python("smtp_sink.py", "listen", "25"))
    lab.serve(104, "storescp", "-q", "+xa", "-od", received, "104")
    lab.start(lab.far, *lab.python("udp_sink.py", "514"))
    plain = os.path.join(tmp, "input.pcapng")
    with lab.capture(plain, ("dev0", "dev1"), pcapng=True):
        lab.run(lab.device, *lab.python("mllp.py", "send", wire.KOREA, "2575", *there))
        lab.run(lab.device, *lab.python("mllp.py", "send", wire.MAINLAND, "2575", *here))
        lab.run(lab.device, "storescu", "-xe", wire.HONG_KONG, "104", image)
        post(lab, f"http://{wire.AMERICA}:8080/fhir", posted, JSON)
        lab.run(lab.device, *lab.python("smtp_sink.py", "send", wire.KOREA, "25", mail))
        lab.run(lab.device, "logger", "-d", "-n", wire.AMERICA, "-P", "514", "--rfc3164", "-t", "ct64",
                "--", told)
    with open(plain, "rb") as file, open(os.path.join(out, "input.pcapng.gz"), "wb") as packed:
        packed.write(gzip.compress(wire.forget_machine(file.read()), 9, mtime=0))
    for address, flows in ((wire.KOREA, 2), (wire.MAINLAND, 1), (wire.HONG_KONG, 1), (wire.AMERICA, 2)):
        truth.destination(address, flows)
    return ("A morning of a device with two links, captured by dumpcap on both (pcapng, nanoseconds, then "
            "gzip): HL7 in GB18030 and a mail to 3.5.140.2, HL7 to the mainland (202.96.128.86, over the "
            "second link), DICOM to Hong Kong (18.162.0.10), FHIR and a syslog line over UDP (logger) to "
            "52.95.110.1.")


CASES = {"10-mixed": make_mixed}
