"""The record of what was planted in a capture: the answer by which a finder is judged.

A case calls plant() at the very place where it writes a value, so that the record cannot drift
from the bytes. truth.json has

  case, made_by, seed       which case this is
  destinations              every far address, with country, jurisdiction and outside
  flows                     TCP connections and UDP 5-tuples, both directions as one
  objects                   application objects by kind (hl7, dicom, http-request, mail, ...)
  persons                   every invented person, with all that person's values
  values                    one entry for each (person, class, value, wire, where):
    class, value            information class and the value as a person would write it
    wire                    the value as it stands in the field, when that differs (name parts)
    where                   the place, in the words of the format: PID-5, (0010,0010), $.name[0].text
    object                  kind of object it stands in
    encoding                charset of the field
    count                   how often, all decoding of the transport and content done
    optional                why a finder of the first depth need not find it: "free text", a name,
                            an address or a record number in running text. What is known by its own
                            shape (resident numbers, phones, e-mail) is required everywhere
  optional                values which may be found, and where
    not_personal              look-alikes which must not be found: values and where
"""

import json

KNOWN_BY_SHAPE = ("id_number", "phone", "email")
FREE_TEXT = ("OBX-5", "NTE-", "note[", "(0008,1030)", "(0010,4000)", "(0009,1001)", "text/", "message")

PLACES = {
    "192.168.10.5": None, "192.168.20.5": None,
    "202.96.128.86": ("CN", "mainland", False),
    "3.5.140.2": ("KR", "abroad", True),
    "52.95.110.1": ("US", "abroad", True),
    "18.162.0.10": ("HK", "hong_kong", True),
}


def is_free_text(cls, where):
    return cls not in KNOWN_BY_SHAPE and any(f in where for f in FREE_TEXT)


class Truth:
    def __init__(self, case, seed):
        self.case, self.seed = case, seed
        self.persons, self.values, self.decoys, self.maybe = [], {}, [], {}
        self.destinations, self.objects, self.flows = [], {}, 0
        self.extra = {}

    def person(self, person, role="patient"):
        """Notes a person once, whichever case calls; gives back the same person."""
        if all(p is not person for p, _ in self.persons):
            self.persons.append((person, role))
        return person

    def index(self, person):
        for i, (p, _) in enumerate(self.persons):
            if p is person:
                return i
        raise KeyError("a value was planted for a person nobody introduced")

    def plant(self, person, cls, value, where, obj, wire=None, encoding="utf-8", clear=True, n=1,
              parts=()):
        """Counts the value and returns the text to write: wire, or else value."""
        wire = value if wire is None else wire
        key = (self.index(person), cls, value, wire, where, obj, encoding, tuple(parts))
        entry = self.values.setdefault(key, [0, 0])
        entry[0] += n
        entry[1] += n if clear else 0
        return wire

    def decoy(self, value, where, why):
        self.decoys.append({"value": value, "where": where, "why": why})
        return value

    def optional(self, value, where):
        self.maybe.setdefault((value, where))
        return value

    def object(self, kind, n=1):
        self.objects[kind] = self.objects.get(kind, 0) + n

    def destination(self, address, flows):
        """A far address and how many flows go there."""
        country, jurisdiction, outside = PLACES[address]
        self.destinations.append({"address": address, "country": country, "flows": flows,
                                  "jurisdiction": jurisdiction, "outside": outside})
        self.flows += flows

    def document(self):
        values = []
        names = ("person", "class", "value", "wire", "where", "object", "encoding", "parts")
        for key, (count, clear) in self.values.items():
            entry = dict(zip(names, key))
            if entry["wire"] == entry["value"]:
                del entry["wire"]
            if not entry["parts"]:
                del entry["parts"]
            entry.update(count=count, clear=clear if "parts" not in entry else None)
            if is_free_text(entry["class"], entry["where"]):
                entry["optional"] = "free text"
            values.append(entry)
        document = {"case": self.case, "made_by": "tests/golden/make.sh", "seed": self.seed,
                    "flows": self.flows, "objects": self.objects,
                    "destinations": self.destinations,
                    "persons": [{"role": role, **p.row()} for p, role in self.persons],
                    "values": values, "not_personal": self.decoys,
                    "optional": [{"value": v, "where": w} for v, w in self.maybe]}
        document.update(self.extra)
        return document

    def write(self, path):
        with open(path, "w", encoding="utf-8") as out:
            json.dump(self.document(), out, ensure_ascii=False, indent=1)
            out.write("\n")
