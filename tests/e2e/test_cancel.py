"""Cancel requests reach the statement that they are meant for, and no other."""

import socket
import threading
import time

import psycopg
import pytest

from harness import wire
from harness.wire import SSL_REQUEST, Wire, cancel, error_of, query, rows


def send_cancel(endpoint, pid, key, tls=False):
    """Sends a CancelRequest on a connection of its own and waits until the other side has closed it."""
    with Wire(endpoint, connect=False) as conn:
        if tls:
            conn.start_tls()
        conn.send(cancel(pid, key))
        return conn.exactly(100)


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_cancel(tls, proxied):
    endpoint = proxied.over(sslmode="verify-full") if tls else proxied
    with Wire(endpoint) as conn:
        conn.send(query("SELECT pg_sleep(30)"))
        time.sleep(0.2)
        started = time.monotonic()
        assert send_cancel(endpoint, conn.pid, conn.key, tls) == b""
        messages = conn.until("Z")
        assert error_of(messages)["C"] == "57014" and time.monotonic() - started < 5
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]


def test_over_a_unix_socket(way):
    for endpoint in way:
        with psycopg.connect(**endpoint.keywords(autocommit=True)) as conn:
            timer = threading.Timer(0.3, conn.cancel)
            timer.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                conn.execute("SELECT pg_sleep(30)")
            timer.join()
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_wrong_key(proxied):
    """Closed without a word, as a server does; nothing is cancelled."""
    with Wire(proxied) as conn:
        conn.send(query("SELECT pg_sleep(1)::text"))
        wrong = bytes(byte ^ 1 for byte in conn.key)
        assert send_cancel(proxied, conn.pid, wrong) == b""
        assert send_cancel(proxied, conn.pid + 1, conn.key) == b""
        assert not error_of(conn.until("Z"))


@pytest.mark.parametrize("size", [0, 1, 3, 256, 257, 5000])
def test_key_sizes(size, proxied):
    """Keys of 4 to 256 bytes are protocol 3.2's; others are wrong. Neither is anybody's."""
    assert send_cancel(proxied, 1, b"k" * size)[:1] in (b"", b"E")


def test_idle_session_is_not_hurt(proxied):
    """A cancel that comes too late does nothing."""
    with Wire(proxied) as conn:
        conn.ask(query("SELECT 1"))
        send_cancel(proxied, conn.pid, conn.key)
        time.sleep(0.1)
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]


def test_ended_session(proxied):
    with Wire(proxied) as conn:
        pid, key = conn.pid, conn.key
    assert send_cancel(proxied, pid, key) == b""


def test_only_the_right_one(proxied):
    """Twenty statements sleep; one is cancelled."""
    sessions = [Wire(proxied) for _ in range(20)]
    try:
        keys = {(conn.pid, conn.key) for conn in sessions}
        assert len(keys) == 20
        for conn in sessions:
            conn.send(query("SELECT pg_sleep(1)"))
        time.sleep(0.2)
        send_cancel(proxied, sessions[7].pid, sessions[7].key)
        outcomes = [error_of(conn.until("Z")).get("C") for conn in sessions]
        assert outcomes == [None] * 7 + ["57014"] + [None] * 12
    finally:
        for conn in sessions:
            conn.close()


def test_cancel_in_the_middle_of_a_result(proxied):
    with Wire(proxied) as conn:
        conn.send(query("SELECT generate_series(1, 100000000), repeat('x', 1000)"))
        assert conn.receive()[0] == "T"
        send_cancel(proxied, conn.pid, conn.key)
        messages = conn.until("E")
        assert error_of(messages[-1:])["C"] == "57014"
        conn.until("Z")
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]


def test_cancel_in_a_copy(proxied):
    with Wire(proxied) as conn:
        conn.ask(query("CREATE TEMP TABLE c (a int)"))
        conn.send(query("COPY c FROM STDIN") + wire.message("d", b"1\n"))
        assert conn.receive()[0] == "G"
        send_cancel(proxied, conn.pid, conn.key)
        time.sleep(0.1)
        messages = conn.ask(wire.message("d", b"2\n") + wire.message("c"))
        assert error_of(messages)["C"] == "57014"


def test_cancel_behind_ssl_request_refused(make_proxy):
    """A client in clear may ask for TLS, be told no, and send its CancelRequest on the same connection."""
    proxy = make_proxy(settings={"proxy.client_tls": "disable"})
    with Wire(proxy.endpoint()) as conn:
        conn.send(query("SELECT pg_sleep(30)"))
        time.sleep(0.2)
        with socket.create_connection(("127.0.0.1", proxy.port)) as other:
            other.sendall(SSL_REQUEST)
            assert other.recv(1) == b"N"
            other.sendall(cancel(conn.pid, conn.key))
            assert other.recv(1) == b""
        assert error_of(conn.until("Z"))["C"] == "57014"


def test_cancel_where_tls_is_required(make_proxy):
    proxy = make_proxy(settings={"proxy.client_tls": "require"})
    with psycopg.connect(**proxy.endpoint(sslmode="require").keywords(autocommit=True)) as conn:
        # libpq of that age sends its CancelRequest in clear; it carries no password and is let in.
        timer = threading.Timer(0.3, conn.cancel)
        timer.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute("SELECT pg_sleep(10)")
        timer.join()
