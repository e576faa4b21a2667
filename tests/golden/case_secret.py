"""Golden case under TLS: HTTPS, HL7 and DICOM, with the key log that opens them."""

import os
import subprocess

import lab as wire
from case_hl7 import spool
from case_web import JSON, curl, keep
from ct import Object
from fhir import Resources, to_json
from hl7_text import Writer
from people import People

NAME = "pacs.example.com"


def certificate(tmp):
    cert, key = os.path.join(tmp, "cert.pem"), os.path.join(tmp, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "36500", "-subj", f"/CN={NAME}", "-keyout", key, "-out", cert],
                   check=True, stderr=subprocess.DEVNULL)
    return cert, key


def make_tls(lab, out, tmp, truth):
    people = People(truth.seed)
    patient, kin, doctor, imaged = (truth.person(people.person(), r) for r in (
        "patient", "next of kin", "doctor", "patient"))
    cert, key = certificate(tmp)
    keys = os.path.join(out, "keys.log")
    open(keys, "w", encoding="ascii").close()
    env = {"SSLKEYLOGFILE": keys}
    hidden = Resources(truth, "http-request", clear=False)
    new, old = (keep(tmp, n, to_json(r)) for n, r in (
        ("patient.json", hidden.patient(patient)), ("bundle.json", hidden.bundle([imaged]))))
    truth.object("http-request", 2)
    truth.object("http-response", 2)
    messages = spool(tmp, [Writer(truth, clear=False).adt_a01(patient, doctor, kin)])
    image = Object(truth, "utf-8", imaged, doctor, 71, clear=False).fill(tmp, edge=32)
    received = os.path.join(tmp, "received")
    os.mkdir(received)
    lab.serve(443, *lab.python("http_sink.py", "443", tmp, "--tls", cert, key))
    lab.serve(2576, *lab.python("mllp.py", "listen", "2576", "--tls", cert, key))
    lab.serve(11112, "storescp", "-q", "+xa", "-od", received, "11112")
    lab.serve(2762, *lab.python("tunnel.py", "2762", "127.0.0.1:11112", "--in", cert, key))
    near = lab.start(lab.device, *lab.python("tunnel.py", "11120", f"{wire.KOREA}:2762", "--out", NAME), env=env)
    url = ["--resolve", f"{NAME}:443:{wire.KOREA}", f"https://{NAME}/fhir", "-k", "-X", "POST", "-H", JSON]
    with lab.capture(os.path.join(out, "input.pcap")):
        curl(lab, *url, "--tlsv1.3", "--data-binary", "@" + new, env=env)
        curl(lab, *url, "--tls-max", "1.2", "--data-binary", "@" + old, env=env)
        lab.run(lab.device, *lab.python("mllp.py", "send", wire.KOREA, "2576", *messages, "--tls"), env=env)
        lab.run(lab.device, "storescu", "-xe", "127.0.0.1", "11120", image)
        lab.stop(near)
    if len(os.listdir(received)) != 1:
        raise RuntimeError("storescp did not keep the object")
    truth.destination(wire.KOREA, 4)
    truth.extra["keylog"] = "keys.log"
    truth.extra["server_names"] = [NAME] * 4
    truth.extra["without_keylog"] = {"opaque_flows": 4, "values": 0}
    return ("To 3.5.140.2 under TLS, all with server name pacs.example.com: curl posts FHIR with TLS 1.3 and "
            "again with 1.2, the MLLP client sends HL7, storescu sends DICOM through a TLS tunnel "
            "(port 2762). `keys.log` opens all four (`SSLKEYLOGFILE` format); without it nothing can be "
            "read and all four flows are opaque.")


CASES = {"07-tls": make_tls}
