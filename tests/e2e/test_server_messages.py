"""What a server may say: newer protocol versions, long keys, malformed and malicious messages."""

import struct
import time

import pytest

from harness import process, wire
from harness.fakeserver import (LET_IN, FakeServer, authentication, error, key_data, read_message, ready, row,
                                row_description)
from harness.wire import PROTOCOL_3_0, Wire, cancel, fields, message, query, rows, startup


@pytest.fixture
def serve(make_proxy):
    """serve(handler): a fake server and a proxy in front of it."""
    servers = []

    def start(handler, **settings):
        servers.append(FakeServer(handler))
        proxy = make_proxy(settings={
            "proxy.coordinator": f"host=127.0.0.1 port={servers[-1].port} sslmode=disable", "control.conninfo": None,
            "tenant.table": None, "tenant.column": None, **settings}, tables="")
        return servers[-1], proxy

    yield start
    for server in servers:
        server.close()


def answering(*replies, login=LET_IN):
    """Lets the client in, then sends one reply for each message that it gets."""

    def handler(_, sock, __):
        sock.sendall(login)
        for reply in replies:
            read_message(sock)
            sock.sendall(reply)
        time.sleep(0.3)

    return handler


def raw_session(proxy, login_ends_with="Z", version=PROTOCOL_3_0):
    conn = Wire(proxy.endpoint(), connect=False)
    conn.send(startup(version=version, user="postgres", database="app"))
    return conn, conn.until(login_ends_with, "E", "")


# Protocol 3.2

@pytest.mark.parametrize("size", [4, 5, 32, 255, 256])
def test_long_cancel_keys(size, serve):
    """Keys of any length come to the client in a form that brings its cancel back to the right server."""
    key = bytes(range(256))[:size]
    cancelled = []

    def handler(server, sock, packet):
        if packet[:4] == struct.pack("!i", 80877102):
            cancelled.append(packet[4:])
            return
        assert packet[:4] == struct.pack("!i", PROTOCOL_3_0 + 2)
        sock.sendall(authentication(0) + key_data(777, key) + ready())
        read_message(sock)
        while not cancelled:
            time.sleep(0.01)
        sock.sendall(error(S="ERROR", C="57014", M="canceling statement due to user request") + ready())
        time.sleep(0.3)

    server, proxy = serve(handler)
    conn, messages = raw_session(proxy, version=PROTOCOL_3_0 + 2)
    (own,) = [payload for kind, payload in messages if kind == "K"]
    assert 8 <= len(own) <= 260
    conn.send(query("SELECT pg_sleep(100)"))
    with Wire(proxy.endpoint(), connect=False) as other:
        other.send(cancel(struct.unpack("!i", own[:4])[0], own[4:]))
        assert other.exactly(1) == b""
    assert wire.error_of(conn.until("Z"))["C"] == "57014"
    assert cancelled == [struct.pack("!i", 777) + key]
    conn.close()


def test_version_is_relayed(serve):
    """A server that knows 3.2 speaks it with a client that does; an older one says so."""
    negotiation = message("v", struct.pack("!ii", PROTOCOL_3_0, 1) + b"_pq_.x\0")

    def handler(server, sock, packet):
        version = struct.unpack("!i", packet[:4])[0]
        sock.sendall((negotiation if version == PROTOCOL_3_0 + 9999 else b"") + LET_IN)
        time.sleep(0.3)

    server, proxy = serve(handler)
    for version, negotiated in ((PROTOCOL_3_0, False), (PROTOCOL_3_0 + 2, False), (PROTOCOL_3_0 + 9999, True)):
        conn, messages = raw_session(proxy, version=version)
        assert ([payload for kind, payload in messages if kind == "v"] == [negotiation[5:]]) == negotiated
        assert messages[-1][0] == "Z"
        conn.close()
    assert [struct.unpack("!i", packet[:4])[0] - PROTOCOL_3_0 for packet in server.received] == [0, 2, 9999]


# Malformed

MALFORMED = {
    "unknown type": b"\xff\0\0\0\4",
    "length 0": b"D\0\0\0\0",
    "length 3": b"D\0\0\0\3",
    "length -1": b"D\xff\xff\xff\xff",
    "longest length": b"D\x7f\xff\xff\xff",
    "row without a count": message("D", b""),
    "row that ends early": message("D", b"\0\5\0\0\0\1x"),
    "negative column count": message("D", b"\xff\xff"),
    "description that ends early": message("T", b"\0\3a\0"),
    "status without end": message("S", b"name"),
    "status without a value": message("S", b"name\0"),
    "status of 100 kB": message("S", b"n" * 100000 + b"\0v\0"),
    "empty status": message("S", b""),
    "ready without a status": message("Z", b""),
    "ready with a strange status": message("Z", b"?"),
    "ready too long": message("Z", b"I" * 1000),
    "tag without end": message("C", b"SELECT 1"),
    "empty tag": message("C", b""),
    "error without fields": message("E", b""),
    "error without end": message("E", b"SERROR\0C42601"),
    "error of zeros": message("E", b"\0\0\0"),
    "position that is no number": error(S="ERROR", C="42601", M="x", P="abc"),
    "huge position": error(S="ERROR", C="42601", M="x", P="9" * 40),
    "key data out of place": key_data(1, b"xxxx"),
    "authentication out of place": authentication(3),
    "authentication without a code": message("R", b"\0"),
    "copy in unasked": message("G", b"\0\0\1\0\0"),
    "copy both unasked": message("W", b"\0\0\0"),
    "copy data unasked": message("d", b"x"),
    "parse complete unasked": message("1") * 50,
    "many readies": ready() * 100,
    "notification too short": message("A", b"\0"),
    "bytes": bytes(range(256)) * 10,
}


@pytest.mark.parametrize("where", ["login", "query"])
def test_malformed(where, serve):
    """Whatever comes is relayed or ends the session, in bounded time; the proxy stays, and serves the next client."""
    cases = iter(MALFORMED.items())
    current = {}

    def handler(_, sock, __):
        data = current["data"]
        if where == "login":
            sock.sendall(data)
        else:
            sock.sendall(LET_IN)
            read_message(sock)
            sock.sendall(data)
        sock.sendall(error(S="FATAL", C="57P01", M="over"))

    _, proxy = serve(handler)
    for name, data in cases:
        current["data"] = data
        conn, messages = raw_session(proxy)
        conn.socket.settimeout(5)
        try:
            if where == "query" and messages[-1][0] == "Z":
                conn.send(query("SELECT 1"))
            while conn.exactly(65536):
                pass
        except TimeoutError:
            pytest.fail(f"{name}: the session hangs")
        except ConnectionError:
            pass
        finally:
            conn.close()
        assert proxy.is_alive(), name


def test_error_without_sqlstate(serve):
    """Relayed as it is (CVE-2026-6666 was a crash over it), at login and later."""
    bare = error(S="FATAL", M="no state here")
    _, proxy = serve(answering(bare + ready()))
    conn, _ = raw_session(proxy)
    assert fields(conn.ask(query("SELECT 1"))[0][1]) == {"S": "FATAL", "M": "no state here"}
    conn.close()
    _, proxy = serve(lambda _, sock, __: sock.sendall(bare))
    conn, messages = raw_session(proxy)
    assert [fields(payload) for kind, payload in messages if kind == "E"] == [{"S": "FATAL", "M": "no state here"}]
    conn.close()


def test_huge_nonce(serve):
    """A SCRAM conversation with a nonce of many kilobytes is the client's affair (CVE-2026-6665 was an overflow)."""
    nonce = b"r=" + b"n" * 60000 + b",s=c2FsdA==,i=4096"

    def handler(_, sock, __):
        sock.sendall(authentication(10, b"SCRAM-SHA-256\0\0"))
        kind, payload = read_message(sock)
        assert kind == "p" and payload.startswith(b"SCRAM-SHA-256\0")
        sock.sendall(authentication(11, nonce))
        assert read_message(sock) == ("p", b"c=biws," + b"x" * 60000)
        sock.sendall(authentication(12, b"v=" + b"y" * 1000) + LET_IN)
        time.sleep(0.3)

    _, proxy = serve(handler)
    conn = Wire(proxy.endpoint(), connect=False)
    conn.send(startup(user="postgres", database="app"))
    assert conn.receive() == ("R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0")
    conn.send(message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", 4) + b"n,,x"))
    assert conn.receive() == ("R", struct.pack("!i", 11) + nonce)
    conn.send(message("p", b"c=biws," + b"x" * 60000))
    assert [kind for kind, _ in conn.until("Z")][-1] == "Z"
    conn.close()


def test_unknown_authentication_is_relayed(serve):
    """GSS, SSPI, LDAP's plain password, OAUTHBEARER: messages of the two ends."""
    for code, payload in ((3, b""), (5, b"salt"), (7, b""), (8, b"token"), (9, b""), (10, b"OAUTHBEARER\0\0")):
        def handler(_, sock, __, code=code, payload=payload):
            sock.sendall(authentication(code, payload))
            kind, answer = read_message(sock)
            assert (kind, answer) == ("p", b"answer\0")
            sock.sendall(LET_IN)
            time.sleep(0.2)

        _, proxy = serve(handler)
        conn = Wire(proxy.endpoint(), connect=False)
        conn.send(startup(user="postgres", database="app"))
        assert conn.receive() == ("R", struct.pack("!i", code) + payload)
        conn.send(message("p", b"answer\0"))
        assert conn.until("Z")[-1] == ("Z", b"I")
        conn.close()


def test_server_that_accepts_and_says_nothing(serve):
    """The client's login ends at login_timeout, not never."""
    _, proxy = serve(lambda _, sock, __: time.sleep(20), **{"proxy.login_timeout": "1s"})
    started = time.monotonic()
    conn, messages = raw_session(proxy)
    assert messages[-1][0] in ("E", "") and time.monotonic() - started < 8
    conn.close()


def test_server_that_closes_at_once(serve):
    """A clear FATAL instead of a bare end."""
    _, proxy = serve(lambda *_: None)
    conn, messages = raw_session(proxy)
    assert wire.error_of(messages).get("S") == "FATAL" and wire.error_of(messages)["C"].startswith("08")
    conn.close()


def test_message_in_tiny_pieces(serve):
    """A server whose bytes come one by one."""
    reply = row_description("a") + row(b"value") + message("C", b"SELECT 1\0") + ready()

    def handler(_, sock, __):
        for byte in LET_IN:
            sock.sendall(bytes([byte]))
        read_message(sock)
        for byte in reply:
            sock.sendall(bytes([byte]))
            time.sleep(0.001)
        time.sleep(0.3)

    _, proxy = serve(handler)
    conn, _ = raw_session(proxy)
    assert rows(conn.ask(query("SELECT 'value'"))) == [[b"value"]]
    conn.close()


def test_end_within_a_message(serve):
    """The server dies in the middle of a row: the client's stream ends there too, at once."""
    _, proxy = serve(answering(row_description("a") + row(b"x" * 1000)[:500]))
    conn, _ = raw_session(proxy)
    conn.send(query("SELECT 1"))
    kinds = [kind for kind, _ in conn.until("")]
    assert kinds[0] == "T" and kinds[-1] == ""
    conn.close()


def test_coordinator_that_no_one_listens_at(make_proxy):
    """Refused at once, with the address in the message."""
    port = process.free_port()
    proxy = make_proxy(settings={"proxy.coordinator": f"host=127.0.0.1 port={port} sslmode=disable", "control.conninfo": None,
                                 "tenant.table": None, "tenant.column": None}, tables="")
    conn, messages = raw_session(proxy)
    found = wire.error_of(messages)
    assert found["S"] == "FATAL" and found["C"] == "08001" and str(port) in found["M"] + found.get("D", "")
    conn.close()


def test_coordinator_whose_name_is_unknown(make_proxy):
    proxy = make_proxy(settings={"proxy.coordinator": "host=does-not-exist.invalid sslmode=disable", "control.conninfo": None,
                                 "tenant.table": None, "tenant.column": None}, tables="")
    conn, messages = raw_session(proxy)
    assert wire.error_of(messages)["C"] == "08001"
    conn.close()
