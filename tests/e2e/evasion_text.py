"""What the evasion set sends: a line with a number, a JSON note, much text without any number."""

import base64
import hashlib
import shutil
import subprocess

# brotli -q 11 of the notes of the set, for machines without the brotli program: sha256 -> base64
BROTLI = {
    "42782538024e6d1b946e3d1fa86ad86714c568c1df3e90377cb740e2a9954261":
        "H5MAYMR+bp/qcXnh7Yd8Wjp5C8JmmIJB1MkB+7+g8IBtiUSWYOBZbmNj+sRGBkGtRvpYmuIGkkAyyQDGQljUNQcOp9he0k9HrpYsN+FrNZXV4gI9OJrDpu84G9Q1B17d+HDU0OXzGF2IPw==",
}


def line(token):
    return f"device log: alarm acknowledged for patient id {token} at bed three\n".encode()


def note(token):
    return ('{"kind": "service note", "text": "alarm acknowledged for patient id ' + token
            + ' at bed three; the alarm was repeated and acknowledged again"}').encode()


def filler(size):
    """Text of a log without a digit, size bytes, ending with a line's end."""
    words = "pump motor idle gantry tube warm table home collimator ready bus quiet fan normal".split()
    out, n, seed = [], 0, 7
    while n < size:
        seed = (seed * 1103515245 + 12345) % 2147483648
        words_here = [words[(seed >> (4 * k)) % len(words)] for k in range(6)]
        out.append(" ".join(words_here))
        n += len(out[-1]) + 1
    return ("\n".join(out))[:size - 1].encode() + b"\n"


def brotli(data):
    """Compressed by the brotli program, or from the table above."""
    known = BROTLI.get(hashlib.sha256(data).hexdigest())
    if known:
        return base64.b64decode(known)
    if not shutil.which("brotli"):
        raise SystemExit("the brotli program is needed for a text that is not in the table")
    return subprocess.run(["brotli", "-c", "-q", "11"], input=data, stdout=subprocess.PIPE,
                          check=True).stdout
