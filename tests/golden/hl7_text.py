"""HL7 v2.5.1 messages as a bedside monitor and a ward system write them, with their truth."""

from people import resident_id_check

CHARSETS = {"utf-8": "UNICODE UTF-8", "gb18030": "GB 18030-2000"}
NO_SUCH_DAY = "44030519990230001" + resident_id_check("44030519990230001")


def msh(kind, control, encoding):
    structure = {"ADT^A01": "ADT_A01", "ORU^R01": "ORU_R01", "ORM^O01": "ORM_O01"}[kind]
    return (f"MSH|^~\\&|MGMON|ICU3|PDS|REMOTE|20240315083000||{kind}^{structure}|{control}|P|2.5.1"
            f"||||||{CHARSETS[encoding]}")


class Writer:
    """Writes messages of one kind of wire; every value passes through plant()."""

    def __init__(self, truth, encoding="utf-8", clear=True, obj="hl7"):
        self.truth, self.encoding, self.clear, self.obj = truth, encoding, clear, obj
        self.control = 0

    def put(self, person, cls, value, where, wire=None):
        return self.truth.plant(person, cls, value, where, self.obj, wire=wire,
                                encoding=self.encoding, clear=self.clear)

    def next_control(self):
        self.control += 1
        return f"MG{self.control:06d}"

    def place(self, p, where):
        """Address components that are no person's own."""
        return "^".join(["", "", self.truth.optional(p.city, where + ".3"),
                         self.truth.optional(p.province, where + ".4"),
                         self.truth.optional(p.postal_code, where + ".5"),
                         self.truth.optional("CHN", where + ".6")])

    def staff(self, where):
        return self.truth.optional("D0417", where + ".1")

    def pid(self, p, split_name=True):
        """The patient; a name in two components, or whole in the first as many systems do."""
        name = f"{p.surname}^{p.given}" if split_name else p.name
        put = self.put
        return ("PID|1||"
                + put(p, "medical_record_number", p.medical_record_number, "PID-3.1") + "^^^HOSP^MR~"
                + put(p, "id_number", p.id_number, "PID-3.1") + "^^^PSC^NI||"
                + put(p, "person_name", p.name, "PID-5", wire=name) + ("^^^^^L" if split_name else "")
                + "||" + put(p, "birth_date", p.birth_date, "PID-7") + f"|{p.sex}|||"
                + put(p, "address", p.street, "PID-11.1")
                + self.place(p, "PID-11") + "^H||"
                + put(p, "phone", p.phone, "PID-13.1") + "^PRN^CP~^NET^Internet^"
                + put(p, "email", p.email, "PID-13.4") + "|||||"
                + put(p, "account", p.account, "PID-18.1") + "|"
                + put(p, "id_number", p.id_number, "PID-19"))

    def pv1(self, doctor):
        name = self.put(doctor, "person_name", doctor.name, "PV1-7",
                        wire=f"{doctor.surname}^{doctor.given}")
        visit = self.truth.optional(f"V{self.control:06d}", "PV1-19")
        return f"PV1|1|I|ICU3^0301^2||||{self.staff('PV1-7')}^{name}^^^^MD||||||||||||{visit}"

    def finish(self, segments):
        self.truth.object(self.obj)
        return ("\r".join(segments) + "\r").encode(self.encoding)

    def adt_a01(self, p, doctor, kin):
        put = self.put
        control = self.next_control()
        return self.finish([
            msh("ADT^A01", control, self.encoding),
            "EVN|A01|20240315083000",
            self.pid(p),
            "NK1|1|" + put(kin, "person_name", kin.name, "NK1-2", wire=f"{kin.surname}^{kin.given}")
            + "|SPO^配偶|" + put(kin, "address", kin.street, "NK1-4.1")
            + self.place(kin, "NK1-4") + "|"
            + put(kin, "phone", kin.phone, "NK1-5.1"),
            self.pv1(doctor),
            "IN1|1|CZJM|YIBAO|城乡居民医疗保险" + "|" * 32
            + put(p, "insurance_number", p.insurance_number, "IN1-36"),
        ])

    def oru_r01(self, p, doctor, note=True):
        """Measurements, and a note in running text that names the patient."""
        put = self.put
        control = self.next_control()
        segments = [
            msh("ORU^R01", control, self.encoding),
            self.pid(p, split_name=False),
            self.pv1(doctor),
            f"OBR|1|||69965^MDC_MON_PHYSIO_MULTI_PARAM^MDC|||20240315083000",
            "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1|76|264864^MDC_DIM_BEAT_PER_MIN^MDC|60-100||||F",
            "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2|98|262688^MDC_DIM_PERCENT^MDC|||||F",
            "OBX|3|ST|DEVSN^device serial^L||"
            + self.truth.decoy(f"MG{20240000 + self.control}", "OBX-5", "device serial") + "||||||F",
        ]
        if note:
            segments.append(
                "OBX|4|FT|NOTE^护理记录^L||患者" + put(p, "person_name", p.name, "OBX-5 text")
                + "，身份证号" + put(p, "id_number", p.id_number, "OBX-5 text")
                + "，家属电话" + put(p, "phone", p.phone, "OBX-5 text")
                + "。\\.br\\今晨生命体征平稳，继续观察。||||||F")
        return self.finish(segments)

    def orm_o01(self, p, doctor):
        control = self.next_control()
        name = self.put(doctor, "person_name", doctor.name, "ORC-12",
                        wire=f"{doctor.surname}^{doctor.given}")
        return self.finish([
            msh("ORM^O01", control, self.encoding),
            self.pid(p),
            self.pv1(doctor),
            f"ORC|NW|ORD{control}|||||||20240315083000|||{self.staff('ORC-12')}^{name}^^^^MD",
            f"OBR|1|ORD{control}||CT001^胸部CT平扫^L|||20240315083000",
            "NTE|1||" + self.truth.decoy(NO_SUCH_DAY, "NTE-3", "no such day: 30 February"),
        ])
