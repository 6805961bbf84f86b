"""Either side may die at any time; the other one learns what it would have learnt without the proxy."""

import os
import signal
import socket
import struct
import time

import psycopg
import pytest

from harness import process, wire
from harness.wire import Wire, error_of, query, rows


def end_of_session(conn):
    """All that comes until the stream ends."""
    return conn.until("")


@pytest.mark.parametrize("state", ["idle", "in transaction", "running", "in copy"])
def test_terminated_backend(state, same, server):
    """pg_terminate_backend: the FATAL that the server sends, once, then the end."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            pid = int(rows(conn.ask(query("SELECT pg_backend_pid()")))[0][0])
            if state == "in transaction":
                conn.ask(query("BEGIN; SELECT 1"))
            elif state == "running":
                conn.send(query("SELECT pg_sleep(30)"))
            elif state == "in copy":
                conn.ask(query("CREATE TEMP TABLE c (a int)"))
                conn.send(query("COPY c FROM STDIN"))
                conn.receive()
            time.sleep(0.1)
            server.execute("SELECT pg_terminate_backend(%s)", (pid,))
            messages = end_of_session(conn)
            return wire.kinds(messages), error_of(messages)

    kinds, error = same(observe)
    assert kinds.endswith("E.") and error["C"] == "57P01"


def test_idle_in_transaction_timeout(same):
    """The server's own timeouts come as its own messages, unasked."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            conn.ask(query("SET idle_in_transaction_session_timeout = '100ms'; BEGIN"))
            messages = end_of_session(conn)
            return error_of(messages)

    assert same(observe)["C"] == "25P03"


def test_killed_backend(make_server, make_proxy):
    """kill -9 of one backend: the server restarts itself; other sessions get its warning, the killed one a bare end.
    Afterwards the proxy serves again."""
    server = make_server()
    server.create_database("app")
    proxy = make_proxy(server)
    seen = {}
    for name, endpoint in (("direct", server.endpoint()), ("proxied", proxy.endpoint())):
        process.wait_until(lambda: accepts(endpoint), 20, "the server to be back")
        with Wire(endpoint) as victim, Wire(endpoint) as other:
            pid = int(rows(victim.ask(query("SELECT pg_backend_pid()")))[0][0])
            victim.send(query("SELECT pg_sleep(30)"))
            time.sleep(0.1)
            os.kill(pid, signal.SIGKILL)
            killed, warned = end_of_session(victim), end_of_session(other)
            seen[name] = wire.kinds(killed)[-1:], [(kind, wire.fields(payload).get("C")) for kind, payload in warned]
    assert seen["proxied"][1] == seen["direct"][1]
    assert seen["direct"][0] == "."
    process.wait_until(lambda: accepts(proxy.endpoint()), 20, "the server to be back")


def accepts(endpoint):
    try:
        psycopg.connect(**endpoint.keywords(connect_timeout=5)).close()
        return True
    except psycopg.OperationalError:
        return False


def refusal(endpoint):
    """SQLSTATE that a new client gets."""
    with Wire(endpoint, connect=False) as conn:
        conn.send(wire.startup(user="postgres", database="app"))
        found = error_of(conn.until("E", "Z", ""))
        return found.get("S"), found.get("C")


def test_server_that_is_not_there(make_server, make_proxy):
    """Stopped: sessions end, a new client is told; started again: served again, without a restart of the proxy."""
    server = make_server()
    server.create_database("app")
    proxy = make_proxy(server)
    with Wire(proxy.endpoint()) as conn:
        server.stop("fast")
        assert error_of(end_of_session(conn))["C"] == "57P01"
        assert refusal(proxy.endpoint()) in (("FATAL", "08001"), ("FATAL", "08006"), ("FATAL", "57P03"))
    server.start()
    process.wait_until(lambda: accepts(proxy.endpoint()), 20, "service again")
    assert proxy.is_alive()


def test_killed_postmaster(make_server, make_proxy):
    server = make_server()
    server.create_database("app")
    proxy = make_proxy(server)
    with Wire(proxy.endpoint()) as conn:
        server.kill()
        end_of_session(conn)
    assert refusal(proxy.endpoint())[0] == "FATAL"


def test_server_that_starts_later(make_server, make_proxy):
    """The proxy can be there first."""
    server = make_server()
    server.create_database("app")
    server.stop("fast")
    proxy = make_proxy(server)
    assert refusal(proxy.endpoint())[0] == "FATAL"
    server.start()
    process.wait_until(lambda: accepts(proxy.endpoint()), 20, "service")


def test_refusal_of_a_full_server(make_server, make_proxy):
    """max_connections of the server: its own words."""
    server = make_server(settings={"max_connections": "12", "superuser_reserved_connections": "5"})
    server.create_database("app")
    proxy = make_proxy(server)
    held = []
    try:
        outcomes = []
        for endpoint in (proxy.endpoint(user="app_trust"), server.endpoint(user="app_trust")):
            for _ in range(13):
                try:
                    held.append(psycopg.connect(**endpoint.keywords()))
                except psycopg.OperationalError as failure:
                    outcomes.append(str(failure).split("failed: ")[1])
                    break
        assert len(outcomes) == 2 and outcomes[0] == outcomes[1]
    finally:
        for conn in held:
            conn.close()


def reset(sock):
    """Closes with RST instead of FIN, as a killed host's successor answers."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("how", ["terminate", "close", "reset"])
@pytest.mark.parametrize("state", ["idle", "in transaction", "running", "in copy", "reading"])
def test_client_leaves(how, state, proxied, server):
    """The server's session ends too, and an open transaction is rolled back. A statement that sleeps notices at its next
    look at the socket, as without a proxy."""
    name = f"leaving {how} {state}"
    conn = Wire(proxied, connect=False)
    conn.start_session(application_name=name, options="-c client_connection_check_interval=100ms")
    if state == "in transaction":
        conn.ask(query("BEGIN; CREATE TABLE left_behind (a int)"))
    elif state == "running":
        conn.send(query("SELECT pg_sleep(60)"))
    elif state == "in copy":
        conn.ask(query("CREATE TEMP TABLE c (a int)"))
        conn.send(query("COPY c FROM STDIN") + wire.message("d", b"1\n"))
    elif state == "reading":
        conn.send(query("SELECT generate_series(1, 100000000), repeat('x', 1000)"))
        conn.receive()
    time.sleep(0.1)
    assert server.backends(name)
    if how == "terminate":
        conn.send(wire.message("X"))
        if state in ("running", "reading"):
            conn.close()  # Terminate is read only after the statement
    elif how == "close":
        conn.close()
    else:
        reset(conn.socket)
    process.wait_until(lambda: not server.backends(name), 10, "the server's session to end")
    conn.close()
    assert server.execute("SELECT to_regclass('left_behind')") == [(None,)]


def test_client_leaves_before_it_is_let_in(proxied, server):
    """At every stage of a login."""
    for data in (b"", b"\0", wire.SSL_REQUEST[:5], wire.startup(user="app_scram", database="app")[:10],
                 wire.startup(user="app_scram", database="app")):
        for end in (socket.socket.close, reset):
            with Wire(proxied, connect=False) as conn:
                conn.send(data)
                end(conn.socket)
    process.wait_until(lambda: not server.execute("SELECT 1 FROM pg_stat_activity WHERE usename = 'app_scram'"), 10, "all to be gone")


def test_half_closed_client(same):
    """A client that has shut its sending side still gets what it asked for: nc and scripts do so."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            conn.send(query("SELECT 'answer'"))
            conn.socket.shutdown(socket.SHUT_WR)
            messages = end_of_session(conn)
            return rows(messages), wire.kinds(messages)

    same(observe)


def test_unsent_bytes_at_the_end(same):
    """Several megabytes that the server sends right before it ends the session all arrive."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            conn.send(query("SELECT repeat('x', 3000000); SELECT pg_terminate_backend(pg_backend_pid())"))
            time.sleep(0.3)
            messages = end_of_session(conn)
            return [len(payload) for kind, payload in messages if kind == "D"], error_of(messages).get("C")

    assert same(observe)[1] == "57P01"
