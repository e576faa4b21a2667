"""Turns off what a network card would do for the kernel, as ethtool -K does: offload.py IF...

Needed wherever a capture must show frames and checksums as they are on a cable.
"""

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL = 0x8946
TX_CHECKSUM, RX_CHECKSUM, SCATTER, TSO, GSO, GRO = 0x17, 0x15, 0x19, 0x1F, 0x24, 0x2C


def turn_off(interface):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for setting in (TSO, GSO, GRO, SCATTER, TX_CHECKSUM, RX_CHECKSUM):
            value = array.array("B", struct.pack("II", setting, 0))
            request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
            try:
                fcntl.ioctl(control, SIOCETHTOOL, request)
            except OSError as error:
                if error.errno != 95:  # "not supported" means there is nothing to turn off
                    raise


if __name__ == "__main__":
    for name in sys.argv[1:]:
        turn_off(name)
