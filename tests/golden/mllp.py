"""HL7 v2 over MLLP with real sockets: a sender and a listener that acknowledges.

  mllp.py listen PORT                          every message gets an ACK
  mllp.py send HOST PORT FILE...               each file is one message; waits for its ACK
  options: --tls CERT KEY (listen), --tls (send, keys to SSLKEYLOGFILE), --pause S, --cut N
"""

import argparse
import os
import socket
import socketserver
import ssl
import sys
import time

START, END = b"\x0b", b"\x1c\r"


def take_message(connection, held):
    """The next framed message without its frame, and what came after it; None at the end."""
    while END not in held:
        more = connection.recv(65536)
        if not more:
            return None, held
        held += more
    message, _, rest = held.partition(END)
    return message.lstrip(b"\x0b"), rest


def acknowledge(message):
    field = message.split(b"\r")[0].split(b"|")
    charset = field[17] if len(field) > 17 else b""
    head = b"|".join([b"MSH", b"^~\\&", b"PDS", b"REMOTE", field[2], field[3], b"20240315083001", b"",
                      b"ACK", b"A" + field[9], b"P", b"2.5.1", b"", b"", b"", b"", b"", charset])
    return head + b"\rMSA|AA|" + field[9] + b"\r"


def listen(port, tls):
    class Answer(socketserver.BaseRequestHandler):
        def handle(self):
            connection = self.request
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls:
                settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                settings.load_cert_chain(*tls)
                connection = settings.wrap_socket(connection, server_side=True)
            held = b""
            while True:
                message, held = take_message(connection, held)
                if message is None:
                    return
                connection.sendall(START + acknowledge(message) + END)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    Server(("0.0.0.0", port), Answer).serve_forever()


def send(host, port, files, tls, pause, cut):
    connection = socket.create_connection((host, port), timeout=20)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
        settings.keylog_filename = os.environ.get("SSLKEYLOGFILE")
        connection = settings.wrap_socket(connection, server_hostname="pacs.example.com")
    held = b""
    for name in files:
        with open(name, "rb") as file:
            framed = START + file.read() + END
        step = cut or len(framed)
        for at in range(0, len(framed), step):
            connection.sendall(framed[at:at + step])
            time.sleep(pause)
        answer, held = take_message(connection, held)
        if answer is None or b"MSA|AA" not in answer:
            raise SystemExit(f"{name}: not acknowledged")
    connection.close()


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("what", choices=("listen", "send"))
    asked.add_argument("rest", nargs="*")
    asked.add_argument("--tls", nargs="*")
    asked.add_argument("--pause", type=float, default=0.0)
    asked.add_argument("--cut", type=int, default=0)
    given = asked.parse_args()
    if given.what == "listen":
        listen(int(given.rest[0]), given.tls)
    else:
        host, port, *files = given.rest
        send(host, int(port), files, given.tls is not None, given.pause, given.cut)
    return 0


if __name__ == "__main__":
    sys.exit(main())
