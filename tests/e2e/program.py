"""Runs `medguan audit` as a test does: with a key that is known, so that tags can be told before.

A finding never says its value. Its tag is the first 8 bytes of HMAC-SHA256 under the SHA-256 of the
key file, over the class, a zero byte and the normal text of the value: who knows the key and the
value knows the tag, and equal tags prove equal values.
"""

import atexit
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import tempfile

KEY = b"the key of the end-to-end tests: nobody's secret\n"

_folder = None


def folder():
    """A folder of this run for keys, policies and captures; removed at the end."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="medguan.")
        atexit.register(shutil.rmtree, _folder, True)
    return _folder


def written(name, data):
    path = os.path.join(folder(), name)
    if not os.path.exists(path):
        with open(path, "wb") as out:
            out.write(data)
    return path


def tag(cls, value):
    """The tag of a value, given as the bytes of its normal text."""
    key = hashlib.sha256(KEY).digest()
    return hmac.new(key, cls.encode() + b"\0" + value, hashlib.sha256).hexdigest()[:16]


class Audit:
    """What an audit said: JSON Lines, exit code, standard error."""

    def __init__(self, lines, code, complaints):
        self.lines, self.code, self.complaints = lines, code, complaints

    def of(self, event):
        return [x for x in self.lines if x.get("event") == event]

    @property
    def findings(self):
        return self.of("finding")

    @property
    def summary(self):
        return (self.of("summary") or [{}])[-1]


def audit(program, captures, *options, timeout=300):
    """Audits one capture, or a list of them. subprocess.TimeoutExpired when it hangs."""
    captures = [captures] if isinstance(captures, str) else captures
    line = [program, "audit", "--json", "-", "--key", written("key", KEY), *options, *captures]
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=timeout)
    complaints = done.stderr.decode("utf-8", "replace").splitlines()
    try:
        lines = [json.loads(x) for x in done.stdout.splitlines()]
    except ValueError as error:
        raise SystemExit(f"ended with {done.returncode}, not JSON Lines ({error}): "
                         + " ".join(complaints)[-400:]) from error
    return Audit(lines, done.returncode, complaints)
