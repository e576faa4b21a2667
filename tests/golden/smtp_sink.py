"""A mail sink and a sender: smtp_sink.py listen PORT | send HOST PORT FILE..."""

import smtplib
import socketserver
import sys


class Sink(socketserver.StreamRequestHandler):
    """Takes every mail and keeps none (RFC 5321, as much as smtplib needs)."""

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())

    def handle(self):
        self.say("220 mail.vendor.example.com ESMTP")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-mail.vendor.example.com", "250-8BITMIME", "250 SIZE 10000000")
            elif verb == b"DATA":
                self.say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.say("250 taken")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main():
    if sys.argv[1:2] == ["listen"]:
        Server(("0.0.0.0", int(sys.argv[2])), Sink).serve_forever()
    elif sys.argv[1:2] == ["send"]:
        with smtplib.SMTP(sys.argv[2], int(sys.argv[3]), "ct64.device.example.com", timeout=20) as mail:
            for name in sys.argv[4:]:
                with open(name, "rb") as file:
                    mail.sendmail("ct64@device.example.com", ["service@vendor.example.com"], file.read(),
                                  ["body=8bitmime"])
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
