"""Golden cases with curl: FHIR in many codings, DICOM by STOW-RS."""

import gzip
import os

import lab as wire
from ct import Object
from fhir import Resources, to_json, to_xml
from people import People

JSON = "Content-Type: application/fhir+json; charset=utf-8"
XML = "Content-Type: application/fhir+xml; charset=utf-8"


def keep(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(data)
    return path


def curl(lab, *argv, env=None):
    return lab.run(lab.device, "curl", "-sS", "--fail", "--noproxy", "*", "-o", "/dev/null", *argv, env=env)


def post(lab, url, path, *headers):
    argv = [x for h in headers for x in ("-H", h)]
    curl(lab, "-X", "POST", *argv, "--data-binary", "@" + path, url)


def make_fhir(lab, out, tmp, truth):
    people = People(truth.seed)
    patients = [truth.person(people.person(), "patient") for _ in range(9)]
    open_, coded = Resources(truth, "http-request"), Resources(truth, "http-request", clear=False)
    escaped = Resources(truth, "http-request")
    escaped.put = lambda p, cls, value, where, wire=None, parts=(): Resources.put(
        escaped, p, cls, value, where, wire, clear=(wire or value).isascii(), parts=parts)
    p = patients
    sent = [
        (keep(tmp, "patient.json", to_json(open_.patient(p[0]))), [JSON]),
        (keep(tmp, "bundle.json", to_json(open_.bundle(p[1:3]))), [JSON]),
        (keep(tmp, "patient.xml", to_xml(open_.patient(p[3]))), [XML]),
        (keep(tmp, "bundle.xml", to_xml(open_.bundle(p[4:5]))), [XML]),
        (keep(tmp, "escaped.json", to_json(escaped.patient(p[5]), ascii_only=True)), [JSON]),
        (keep(tmp, "chunked.json", to_json(open_.bundle(p[6:7]))), [JSON, "Transfer-Encoding: chunked"]),
        (keep(tmp, "zipped.json", gzip.compress(to_json(coded.bundle(p[7:8])), mtime=0)),
         [JSON, "Content-Encoding: gzip"]),
    ]
    answer = Resources(truth, "http-response", clear=False)
    keep(tmp, "answer.json", to_json(answer.bundle(p[8:9])))
    truth.object("http-request", len(sent) + 1)
    truth.object("http-response", len(sent) + 1)
    server = lab.serve(8080, *lab.python("http_sink.py", "8080", tmp))
    base = f"http://{wire.KOREA}:8080/fhir"
    with lab.capture(os.path.join(out, "input.pcap")):
        for path, headers in sent:
            post(lab, base, path, *headers)
        curl(lab, "--compressed", f"{base}/answer.json")
    lab.stop(server)
    truth.destination(wire.KOREA, len(sent) + 1)
    return ("curl posts FHIR R4 to a Python HTTP server abroad (3.5.140.2): a Patient and a Bundle as JSON, "
            "both as XML, a Patient with every Chinese character as \\u escape, a Bundle in chunks, a "
            "Bundle with Content-Encoding gzip; then it gets a Bundle which comes gzip-compressed. "
            "One connection each.")


def stow_body(parts):
    """multipart/related of DICOM files; the boundary is fixed."""
    body = b""
    for part in parts:
        with open(part, "rb") as file:
            body += (b"--medguanBoundary7\r\nContent-Type: application/dicom\r\n\r\n" + file.read() + b"\r\n")
    return body + b"--medguanBoundary7--\r\n"


def make_stow(lab, out, tmp, truth):
    people = People(truth.seed)
    doctor = truth.person(people.person(), "doctor")
    parts = []
    for i, encoding in enumerate(("utf-8", "gb18030")):
        patient = truth.person(people.person(), "patient")
        parts.append(Object(truth, encoding, patient, doctor, i + 61).fill(tmp, edge=96))
    path = keep(tmp, "stow.body", stow_body(parts))
    truth.object("http-request")
    truth.object("http-response")
    server = lab.serve(8080, *lab.python("http_sink.py", "8080", tmp))
    with lab.capture(os.path.join(out, "input.pcap")):
        post(lab, f"http://{wire.AMERICA}:8080/dicom-web/studies", path, "Accept: application/dicom+json",
             'Content-Type: multipart/related; type="application/dicom"; boundary=medguanBoundary7')
    lab.stop(server)
    truth.destination(wire.AMERICA, 1)
    return ("curl stores two CT-like DICOM files (UTF-8 and GB18030) by one STOW-RS request, "
            "multipart/related, to a server abroad (52.95.110.1).")


CASES = {"05-fhir": make_fhir, "06-stow-rs": make_stow}
