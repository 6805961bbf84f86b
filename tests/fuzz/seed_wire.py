"""Writes seed inputs for the fuzzers of wire/: one whole, valid stream each of what sessions consist of.

usage: seed_wire.py DIRECTORY    (makes DIRECTORY/frontend and so on)
"""

import pathlib
import struct
import sys


def message(kind, payload=b""):
    return kind + struct.pack("!I", len(payload) + 4) + payload


def packet(code, body=b""):
    return struct.pack("!II", len(body) + 8, code) + body


def startup(minor, **params):
    pairs = b"".join(k.encode() + b"\0" + v.encode() + b"\0" for k, v in params.items())
    return packet(3 << 16 | minor, pairs + b"\0")


EXTENDED = [
    message(b"P", b"s1\0SELECT $1, $2\0" + struct.pack("!HII", 2, 23, 0)),
    message(b"B", b"\0s1\0" + struct.pack("!HHi", 0, 1, -1) + struct.pack("!H", 0)),
    message(b"D", b"P\0"), message(b"E", b"\0" + struct.pack("!I", 0)), message(b"C", b"Ss1\0"),
    message(b"H"), message(b"S"), message(b"X"),
]
COPY = [message(b"Q", b"COPY t FROM STDIN\0"), message(b"d", b"1\t2\n"), message(b"c"), message(b"f", b"no\0")]
# An even first byte: a startup packet is next; an odd one: messages.
FRONTEND = {
    "startup": b"\0" + startup(0, user="bob", database="app", options="-c a-b=c\\ d --e=f -d 3 -ec g=") + EXTENDED[0],
    "startup_3_2": b"\0" + startup(2, user="bob", **{"_pq_.x": "", "options": "-c x=\\\\"}),
    "cancel": b"\0" + packet(80877102, struct.pack("!I", 5) + b"key4"),
    "ssl": b"\0" + packet(80877103),
    "gssenc": b"\0" + packet(80877104),
    "extended": b"\1" + b"".join(EXTENDED),
    "copy": b"\1" + b"".join(COPY),
    "password": b"\1" + message(b"p", b"secret\0") + message(b"F", b"\0\0\0\1\0\0\0\0\0\0"),
}

REPORT = b"SERROR\0VERROR\0C42601\0Msyntax error\0Dd\0Hh\0P15\0p3\0Ww\0\0"
ROW = message(b"D", struct.pack("!Hi", 2, -1) + struct.pack("!i", 1) + b"x")
BACKEND = {
    "login": message(b"R", struct.pack("!I", 10) + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")
    + message(b"R", struct.pack("!I", 0)) + message(b"S", b"TimeZone\0UTC\0") + message(b"K", b"\0\0\0\5key4")
    + message(b"v", struct.pack("!II", 2, 0)) + message(b"Z", b"I"),
    "result": message(b"1") + message(b"2") + message(b"t", b"\0\0") + message(b"T", b"\0\0") + ROW
    + message(b"C", b"SELECT 1\0") + message(b"3") + message(b"n") + message(b"s") + message(b"Z", b"T"),
    "reports": message(b"E", REPORT) + message(b"N", REPORT) + message(b"A", b"\0\0\0\1c\0p\0") + message(b"Z", b"E"),
    "copy": message(b"G", b"\0\0\0") + message(b"H", b"\0\0\0") + message(b"W", b"\0\0\0") + message(b"d", b"x")
    + message(b"c") + message(b"I") + message(b"V", b"\377\377\377\377"),
}
# The first byte says how many values are added.
BIND = {
    "text": b"\2p\0s\0" + struct.pack("!HHi", 0, 2, 2) + b"ab" + struct.pack("!iHH", -1, 1, 1),
    "binary": b"\4\0\0" + struct.pack("!HHHi", 1, 1, 1, 8) + struct.pack("!qH", 7, 0),
    "mixed": b"\1\0\0" + struct.pack("!HHHHi", 2, 0, 1, 2, 1) + b"x" + struct.pack("!iH", 0, 0),
}
SASL = {
    "both": struct.pack("!I", 10) + b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0",
    "one": struct.pack("!I", 10) + b"SCRAM-SHA-256-PLUS\0\0",
    "other": struct.pack("!I", 12) + b"v=x",
}

if len(sys.argv) != 2:
    sys.exit(__doc__)
for name, seeds in ("frontend", FRONTEND), ("backend", BACKEND), ("bind", BIND), ("sasl", SASL):
    directory = pathlib.Path(sys.argv[1], name)
    directory.mkdir(parents=True, exist_ok=True)
    for seed, data in seeds.items():
        (directory / seed).write_bytes(data)
