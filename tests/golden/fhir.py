"""FHIR R4 resources about invented people, as JSON and as XML, with their truth."""

import json
from xml.sax.saxutils import escape

RESIDENT = "urn:oid:2.16.156.10011.1.3"  # 居民身份证号, WS/T 500
RECORD = "urn:oid:2.16.156.10011.1.12"  # 住院号
GENDER = {"M": "male", "F": "female"}


class Resources:
    """Composes resources; where the values go is told from the root of the posted document."""

    def __init__(self, truth, obj, clear=True):
        self.truth, self.obj, self.clear = truth, obj, clear

    def put(self, person, cls, value, where, wire=None, clear=None, parts=()):
        return self.truth.plant(person, cls, value, where, self.obj, wire=wire, parts=parts,
                                clear=self.clear if clear is None else clear)

    def patient(self, p, root="$", text_name=True):
        """A name whole in text and again in parts, as Chinese FHIR servers write it."""
        put, optional = self.put, self.truth.optional
        name = {"use": "official"}
        if text_name:
            name["text"] = put(p, "person_name", p.name, f"{root}.name[0].text")
        put(p, "person_name", p.name, f"{root}.name[0]", parts=(p.surname, p.given))
        name["family"], name["given"] = p.surname, [p.given]
        return {
            "resourceType": "Patient",
            "identifier": [
                {"system": RECORD, "value": put(p, "medical_record_number", p.medical_record_number,
                                                f"{root}.identifier[0].value")},
                {"system": RESIDENT, "value": put(p, "id_number", p.id_number,
                                                  f"{root}.identifier[1].value")}],
            "name": [name],
            "telecom": [
                {"system": "phone", "value": put(p, "phone", p.phone, f"{root}.telecom[0].value")},
                {"system": "email", "value": put(p, "email", p.email, f"{root}.telecom[1].value")}],
            "gender": GENDER[p.sex],
            "birthDate": put(p, "birth_date", p.birth_date, f"{root}.birthDate", wire=p.birth_iso),
            "address": [{"line": [put(p, "address", p.street, f"{root}.address[0].line[0]")],
                         "city": optional(p.city, "address.city"),
                         "state": optional(p.province, "address.state"),
                         "postalCode": optional(p.postal_code, "address.postalCode"),
                         "country": optional("CN", "address.country")}],
        }

    def observation(self, p, root="$"):
        note = ("患者" + self.put(p, "person_name", p.name, f"{root}.note[0].text") + "，手机"
                + self.put(p, "phone", p.phone, f"{root}.note[0].text") + "，心率平稳。")
        return {
            "resourceType": "Observation", "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4",
                                 "display": "Heart rate"}]},
            "effectiveDateTime": "2024-03-15T08:30:00+08:00",
            "valueQuantity": {"value": 76, "unit": "beats/minute"},
            "device": {"display": "MG-MON " + self.truth.decoy("20240315", "$.device.display",
                                                              "device serial that reads as a date")},
            "note": [{"text": note}],
        }

    def bundle(self, patients):
        entries = []
        for p in patients:
            at = f"$.entry[{len(entries)}].resource"
            entries.append({"resource": self.patient(p, at)})
            at = f"$.entry[{len(entries)}].resource"
            entries.append({"resource": self.observation(p, at)})
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def to_json(resource, ascii_only=False):
    return json.dumps(resource, ensure_ascii=ascii_only, indent=2).encode()


def xml_lines(name, value, depth):
    pad = "  " * depth
    if isinstance(value, list):
        return [line for v in value for line in xml_lines(name, v, depth)]
    if not isinstance(value, dict):
        return [f'{pad}<{name} value="{escape(str(value), {chr(34): "&quot;"})}"/>']
    kind = value.get("resourceType")
    if kind and name != kind:
        return [f"{pad}<{name}>", *xml_lines(kind, value, depth + 1), f"{pad}</{name}>"]
    space = ' xmlns="http://hl7.org/fhir"' if kind else ""
    inner = [line for k, v in value.items() if k != "resourceType" for line in xml_lines(k, v, depth + 1)]
    return [f"{pad}<{name}{space}>", *inner, f"{pad}</{name}>"]


def to_xml(resource):
    kind = resource["resourceType"]
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + "\n".join(xml_lines(kind, resource, 0))
            + "\n").encode()
