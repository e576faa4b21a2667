"""An HTTP/1.1 server that takes what is posted and serves files: http_sink.py PORT FOLDER.

GET answers with FOLDER/<last part of the path>, gzip-compressed if the client takes that. With
--tls CERT KEY it speaks HTTPS.
"""

import argparse
import gzip
import os
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TYPES = {".json": "application/fhir+json; charset=utf-8", ".xml": "application/fhir+xml",
         ".dcm": "application/dicom"}


class Sink(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "pacs", ""
    disable_nagle_algorithm = True
    folder = "."

    def take_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            total = 0
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                total += len(self.rfile.read(size))
                self.rfile.readline()
                if size == 0:
                    return total
        return len(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def answer(self, code, body, kind, encoding=None):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        n = self.take_body()
        self.answer(201, b'{"resourceType":"OperationOutcome","received":%d}' % n, TYPES[".json"])

    do_PUT = do_POST

    def do_GET(self):
        name = os.path.basename(self.path.split("?")[0])
        path = os.path.join(self.folder, name)
        if not os.path.isfile(path):
            self.answer(404, b"{}", TYPES[".json"])
            return
        with open(path, "rb") as file:
            body = file.read()
        kind = TYPES.get(os.path.splitext(name)[1], "application/octet-stream")
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.answer(200, gzip.compress(body, mtime=0), kind, "gzip")
        else:
            self.answer(200, body, kind)

    def log_message(self, *_):
        pass


def main():
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("port", type=int)
    asked.add_argument("folder")
    asked.add_argument("--tls", nargs=2)
    given = asked.parse_args()
    Sink.folder = given.folder
    server = ThreadingHTTPServer(("0.0.0.0", given.port), Sink)
    if given.tls:
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        settings.load_cert_chain(*given.tls)
        server.socket = settings.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
