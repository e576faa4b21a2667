"""Golden case with Python's smtplib: a service report by mail, base64 and quoted-printable."""

import email.policy
import os
from email import charset
from email.message import EmailMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import lab as wire
from people import People


class Letter:
    """Plants values in the parts of one mail."""

    def __init__(self, truth, encoding, clear=False):
        self.truth, self.encoding, self.clear = truth, encoding, clear

    def put(self, person, cls, value, where):
        return self.truth.plant(person, cls, value, where, "mail", encoding=self.encoding, clear=self.clear)

    def text(self, p, where):
        return (f"值班工程师您好：\n设备 CT64 今晨报错。当时患者 {self.put(p, 'person_name', p.name, where)}，"
                f"身份证号 {self.put(p, 'id_number', p.id_number, where)}，\n住院号 "
                f"{self.put(p, 'medical_record_number', p.medical_record_number, where)}，"
                f"联系电话 {self.put(p, 'phone', p.phone, where)}。\n请远程查看日志。\n")

    def html(self, p, where):
        """One long line: quoted-printable must break it, and may break a value."""
        return (f"<html><body><p>患者 {self.put(p, 'person_name', p.name, where)}</p>"
                f"<p>身份证号 {self.put(p, 'id_number', p.id_number, where)}</p>"
                f"<p>电话 {self.put(p, 'phone', p.phone, where)}</p></body></html>\n")

    def table(self, people, where):
        lines = ["姓名,身份证号,手机号,住址"]
        for p in people:
            lines.append(",".join(self.put(p, c, v, where) for c, v in (
                ("person_name", p.name), ("id_number", p.id_number), ("phone", p.phone),
                ("address", p.address))))
        return "\r\n".join(lines) + "\r\n"


DEVICE, SERVICE = "ct64@device.example.com", "service@vendor.example.com"
MESSAGE_ID = "20240315.0830@device.example.com"


def envelope(truth):
    """The addresses of machines in headers and SMTP commands: e-mail addresses, yet nobody's."""
    for address, places in ((DEVICE, ("from", "sender")), (MESSAGE_ID, ("message-id",)),
                            (SERVICE, ("to", "recipient"))):
        for where in places:
            truth.optional(address, where)


def compose(truth, people):
    """text/plain in base64, text/html quoted-printable, a GB18030 table attached in base64."""
    a, b, c = (truth.person(people.person(), "patient") for _ in range(3))
    letter = Letter(truth, "utf-8")
    message = MIMEMultipart("mixed", boundary="=-medguan-mixed-1")
    message["Subject"] = "CT64 report"
    message["From"], message["To"] = DEVICE, SERVICE
    message["Date"] = "Fri, 15 Mar 2024 08:30:00 +0800"
    message["Message-ID"] = f"<{MESSAGE_ID}>"
    message.attach(MIMEText(letter.text(a, "part 1 text/plain"), "plain", "utf-8"))
    quoted = charset.Charset("utf-8")
    quoted.body_encoding = charset.QP
    message.attach(MIMEText(letter.html(b, "part 2 text/html"), "html", quoted))
    table = Letter(truth, "gb18030").table([b, c], "part 3 text/csv")
    attached = MIMEText("", "csv", "us-ascii")
    attached.set_payload(table.encode("gb18030"))
    del attached["Content-Transfer-Encoding"]
    attached.set_param("charset", "gb18030")
    email.encoders.encode_base64(attached)
    attached.add_header("Content-Disposition", "attachment", filename="patients.csv")
    message.attach(attached)
    truth.object("mail")
    envelope(truth)
    data = message.as_bytes(policy=email.policy.SMTP)
    for key, counts in truth.values.items():  # what quoted-printable left whole lies open
        if key[4] == "part 2 text/html":
            counts[1] = data.count(key[3].encode())
    return data


def plain(truth, people):
    """One 8bit mail without MIME parts."""
    p = truth.person(people.person(), "patient")
    message = EmailMessage(policy=email.policy.SMTP)
    message["Subject"] = "plain"
    message["From"], message["To"] = DEVICE, SERVICE
    message.set_content(Letter(truth, "utf-8", clear=True).text(p, "text/plain"), cte="8bit")
    truth.object("mail")
    return message.as_bytes()


def make_mail(lab, out, tmp, truth):
    people = People(truth.seed)
    files = []
    for i, data in enumerate((compose(truth, people), plain(truth, people))):
        files.append(os.path.join(tmp, f"{i}.eml"))
        with open(files[-1], "wb") as file:
            file.write(data)
    server = lab.serve(25, *lab.python("smtp_sink.py", "listen", "25"))
    with lab.capture(os.path.join(out, "input.pcap")):
        lab.run(lab.device, *lab.python("smtp_sink.py", "send", wire.KOREA, "25", *files))
    lab.stop(server)
    truth.destination(wire.KOREA, 1)
    return ("Python's smtplib sends two mails in one connection to a sink abroad (3.5.140.2): one with a "
            "text in base64, an HTML part quoted-printable and a GB18030 table attached in base64; one "
            "plain, 8bit.")


CASES = {"08-mail": make_mail}
