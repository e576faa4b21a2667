"""Puts TLS around a program that knows none: tunnel.py PORT HOST:PORT [--in CERT KEY] [--out NAME].

Listens on PORT and passes every connection on to HOST:PORT; --in takes TLS off what comes, --out
puts it on what goes, with NAME as server name. Session keys go to SSLKEYLOGFILE.
"""

import argparse
import os
import socket
import socketserver
import ssl
import sys
import threading


def settings_in(given):
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(*given)
    return settings


def settings_out():
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname, settings.verify_mode = False, ssl.CERT_NONE
    settings.keylog_filename = os.environ.get("SSLKEYLOGFILE")
    return settings


def pour(source, sink):
    try:
        while data := source.recv(16384):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("port", type=int)
    asked.add_argument("onward")
    asked.add_argument("--in", nargs=2, dest="inward")
    asked.add_argument("--out")
    given = asked.parse_args()
    host, port = given.onward.rsplit(":", 1)

    class Pass(socketserver.BaseRequestHandler):
        def handle(self):
            near = self.request
            if given.inward:
                near = settings_in(given.inward).wrap_socket(near, server_side=True)
            far = socket.create_connection((host, int(port)))
            if given.out:
                far = settings_out().wrap_socket(far, server_hostname=given.out)
            back = threading.Thread(target=pour, args=(far, near))
            back.start()
            pour(near, far)
            back.join()
            far.close()
            near.close()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    Server(("0.0.0.0", given.port), Pass).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
