"""Takes datagrams and keeps none, so that nobody answers "port unreachable": udp_sink.py PORT."""

import socket
import sys

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
    sink.bind(("0.0.0.0", int(sys.argv[1])))
    while True:
        sink.recv(65536)
