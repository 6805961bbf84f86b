"""Malformed input: every frontend message type, cut short, with wrong lengths, without terminators, in the wrong state.

The cases are generated from a seed, which is printed; SHARDFERRY_E2E_SEED repeats a run. Whatever is sent, the proxy answers
or closes within a bounded time, and a session beside it does not notice.
"""

import collections
import os
import random
import socket
import struct
import time

import pytest

from harness.wire import (GSSENC_REQUEST, SSL_REQUEST, Wire, bind, cancel, close, cstring, describe, execute, flush, function_call,
                          message, parse, query, rows, startup, sync)

CASES_PER_BATCH = 300
BATCHES = 5
PATIENCE_SECONDS = 5.0

# One good message of each type, of which the broken ones are made.
GOOD = {
    "B": bind(["1", None, "three"], "portal", "statement", [0, 1, 0], [1]),
    "C": close("S", "statement"),
    "d": message("d", b"1\t2\n"),
    "c": message("c"),
    "f": message("f", b"reason\0"),
    "D": describe("P", "portal"),
    "E": execute("portal", 10),
    "H": flush(),
    "F": function_call(177, [b"1", b"2"]),
    "P": parse("SELECT $1::int, $2::text", "statement", [23, 25]),
    "p": message("p", b"secret\0"),
    "Q": query("SELECT 1"),
    "S": sync(),
    "X": message("X"),
}

STATES = {
    "before startup": None,
    "idle": b"",
    "in transaction": query("BEGIN"),
    "in failed transaction": query("BEGIN") + query("SELECT 1/0"),
    "skipping to sync": parse("SELEC"),
    "in copy": query("CREATE TEMP TABLE c (a int, b int); COPY c FROM STDIN"),
    "in pipeline": parse("SELECT $1::int", "statement") + bind(["1"], "portal", "statement"),
}

LENGTHS = [0, 1, 3, -1, -2 ** 31, 2 ** 31 - 1, 4, 5, 0x3FFFFFFF, 0x40000000, 10001]


def broken_message(rng):
    """What was done to a good message, and its bytes."""
    kind = rng.choice(list(GOOD))
    good = GOOD[kind]
    how = rng.choice(["truncated", "length", "no terminator", "payload cut", "payload longer", "bytes flipped", "counts", "type",
                      "good", "random payload"])
    payload = good[5:]
    if how == "truncated":
        cut = rng.randrange(1, len(good) + 1) if len(good) > 1 else 1
        return f"{kind} truncated to {cut}", good[:cut]
    if how == "length":
        length = rng.choice(LENGTHS)
        return f"{kind} with length {length}", good[:1] + struct.pack("!i", length) + payload
    if how == "no terminator":
        return f"{kind} without zeros", message(kind, payload.replace(b"\0", b"x"))
    if how == "payload cut":
        size = rng.randrange(0, len(payload) + 1)
        return f"{kind} with a payload of {size}", message(kind, payload[:size])
    if how == "payload longer":
        extra = bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 100, 20000])))
        return f"{kind} with {len(extra)} bytes more", message(kind, payload + extra)
    if how == "bytes flipped":
        data = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return f"{kind} with bytes changed", bytes(data)
    if how == "counts":
        count = rng.choice([0xFFFF, 0x7FFF, 0x8000, 1000])
        body = {"B": cstring("") + cstring("") + struct.pack("!HH", count, count), "P": cstring("") + cstring("SELECT 1") + struct.pack("!H", count),
                "F": struct.pack("!IHH", 177, count, count)}.get(kind, struct.pack("!H", count) * 3)
        return f"{kind} with counts of {count}", message(kind, body)
    if how == "type":
        other = bytes([rng.choice([0, 1, 127, 128, 255, ord("r"), ord("Z"), ord("R"), ord("!"), ord("\n")])])
        return f"type {other!r}", other + good[1:]
    if how == "random payload":
        size = rng.choice([0, 1, 4, 17, 300, 9999])
        return f"{kind} with {size} random bytes", message(kind, bytes(rng.randrange(256) for _ in range(size)))
    return f"good {kind}", good


def broken_startup(rng):
    good = rng.choice([startup(user="postgres", database="app"), SSL_REQUEST, GSSENC_REQUEST, cancel(1, b"abcd"),
                       startup(user="postgres", database="app", options="-c work_mem=1MB", application_name="x" * 300)])
    how = rng.choice(["truncated", "length", "no terminator", "bytes flipped", "random", "typed", "version"])
    if how == "truncated":
        cut = rng.randrange(1, len(good))
        return f"startup truncated to {cut}", good[:cut]
    if how == "length":
        length = rng.choice(LENGTHS)
        return f"startup with length {length}", struct.pack("!i", length) + good[4:]
    if how == "no terminator":
        return "startup without its last byte", struct.pack("!i", len(good) - 1) + good[4:-1]
    if how == "bytes flipped":
        data = bytearray(good)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        return "startup with bytes changed", bytes(data)
    if how == "random":
        return "random first bytes", bytes(rng.randrange(256) for _ in range(rng.randrange(1, 400)))
    if how == "version":
        return "odd version", good[:4] + struct.pack("!I", rng.choice([0, 1, 3, 0x20000, 0x30001, 0x3FFFF, 0xFFFFFFFF, 80877101])) + good[8:]
    name, data = broken_message(rng)
    return f"before startup: {name}", data


def outcome(endpoint, state, data, rng):
    """Sends and says how it ended: "answered", "closed" without a word, or "hangs"."""
    conn = Wire(endpoint, timeout=PATIENCE_SECONDS, connect=False)
    with conn:
        try:
            if STATES[state] is not None:
                conn.start_session()
                conn.send(STATES[state])
                if state == "in copy":
                    conn.until("G", "E", "")
                elif STATES[state]:
                    conn.send(flush())
                    conn.receive()
            pieces = [data] if rng.random() < 0.7 else [data[:len(data) // 2], data[len(data) // 2:]]
            for piece in pieces:
                conn.send(piece)
            # No more will come: one who waits for the rest of a message learns that it will not.
            conn.socket.shutdown(socket.SHUT_WR)
        except OSError:
            return "closed"
        answered, deadline = False, time.monotonic() + PATIENCE_SECONDS
        try:
            while conn.exactly(4096):
                answered = True
                assert time.monotonic() < deadline, "answers without end"
        except TimeoutError:
            return "hangs"
        except OSError:
            pass
        return "answered" if answered else "closed"


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.limit(120)
def test_generated(batch, proxied, capsys):
    seed = os.environ.get("SHARDFERRY_E2E_SEED")
    seed = int(seed) if seed else random.SystemRandom().randrange(2 ** 32)
    with capsys.disabled():
        print(f" [seed {seed}]", end="")
    rng = random.Random(f"{seed}/{batch}")
    outcomes = collections.Counter()
    with Wire(proxied) as bystander:
        for number in range(CASES_PER_BATCH):
            state = rng.choice(list(STATES))
            name, data = broken_startup(rng) if state == "before startup" else broken_message(rng)
            seen = outcome(proxied, state, data, rng)
            assert seen != "hangs", f"seed {seed}, batch {batch}, case {number}: {name}, {state}: {data[:200]!r}"
            outcomes[seen] += 1
            if number % 10 == 0:
                assert rows(bystander.ask(query(f"SELECT {number}"))) == [[str(number).encode()]]
    assert sum(outcomes.values()) == CASES_PER_BATCH and outcomes["answered"] > CASES_PER_BATCH / 10


def test_every_type_with_every_length(proxied):
    """The lengths that have broken decoders before, on each type, without an end of the stream to help: either an answer,
    or the end, or the session waits for the announced bytes and ends with the client."""
    with Wire(proxied) as bystander:
        for kind in GOOD:
            for length in LENGTHS:
                with Wire(proxied, timeout=PATIENCE_SECONDS) as conn:
                    try:
                        conn.send(kind.encode() + struct.pack("!i", length) + b"abc\0")
                        if length < 4:
                            # A length that cannot be: no more bytes make it right.
                            assert conn.until("E", "")[-1][0] in ("E", ""), (kind, length)
                    except ConnectionError:
                        pass
            assert rows(bystander.ask(query("SELECT 1"))) == [[b"1"]]


def test_same_verdict_as_the_server(same):
    """Where the session survives a wrong message, it survives with the proxy too, and with the same SQLSTATE."""
    from harness.wire import error_of

    cases = [message("B", b"\0\0\0\1"), message("P", b"x\0SELECT 1\0\0\5"), message("D", b"Q\0"), message("E", b"\0\0\0"),
             message("C", b"Z\0"), message("F", b"\0\0\0\1\0\0\0\0\0\0"), message("P", b"\0SELECT 1\0\xff\xff"),
             message("B", b"\0\0\0\0\0\1\x7f\xff\xff\xff"), message("S", b"extra"), message("H", b"extra"), message("p", b"late\0"),
             message("Q", b"SELECT 1\0SELECT 2\0"), message("Q", b"")]

    def observe(endpoint):
        seen = []
        for case in cases:
            with Wire(endpoint) as conn:
                conn.send(case + sync() + query("SELECT 'on'"))
                messages = conn.until("Z", "", count=2)
                seen.append((error_of(messages).get("C"), rows(messages)))
        return seen

    same(observe)


def test_slow_drip(proxied):
    """A header that never ends costs nobody else anything."""
    with Wire(proxied) as slow, Wire(proxied) as other:
        for byte in query("SELECT 'slow'"):
            slow.send(bytes([byte]))
            assert rows(other.ask(query("SELECT 1"))) == [[b"1"]]
        assert rows(slow.until("Z")) == [[b"slow"]]
