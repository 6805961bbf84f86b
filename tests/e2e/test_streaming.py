"""Results and uploads of any size pass in constant memory; whoever stalls stops the other side, not the proxy."""

import os
import socket
import time

import psycopg
import pytest

from harness import process, wire
from harness.proxy import is_sanitized
from harness.wire import Wire, query

MB = 1 << 20
GIGABYTE_IN_ROWS = ("SELECT repeat('x', 8000) FROM generate_series(1, 134218)", 134218)


@pytest.fixture
def growth(proxy):
    """growth(): by how many bytes the proxy has grown since the fixture was made, at most; sampled meanwhile."""
    if is_sanitized():
        pytest.skip("AddressSanitizer's own memory would be measured")
    with Wire(proxy.endpoint()) as conn:  # pays for what is allocated once
        conn.ask(query("SELECT repeat('x', 1000000)"))
    base = proxy.rss()
    peak = [base]

    def sample():
        peak[0] = max(peak[0], proxy.rss())
        return peak[0] - base

    return sample


def drain(conn, growth, seconds=55):
    """Reads up to ReadyForQuery, looking at the raw stream only as far as speed allows; returns bytes read."""
    total, tail, deadline = 0, b"", time.monotonic() + seconds
    buffer = bytearray(4 * MB)
    view = memoryview(buffer)
    next_sample = 0
    while not tail.endswith(b"Z\0\0\0\5I"):
        size = conn.socket.recv_into(view)
        assert size and time.monotonic() < deadline
        total += size
        tail = (tail + bytes(view[max(0, size - 6):size]))[-6:]
        if total >= next_sample:
            growth()
            next_sample = total + 16 * MB
    return total


@pytest.mark.parametrize("sslmode", ["disable", "verify-full"])
@pytest.mark.limit(90)
def test_gigabyte_result(sslmode, proxy, growth):
    """1 GB in clear, a quarter of it over TLS: that takes the processors longer."""
    share = 1 if sslmode == "disable" else 4
    sql, count = GIGABYTE_IN_ROWS
    count //= share
    with Wire(proxy.endpoint(sslmode=sslmode)) as conn:
        conn.send(query(sql.replace("134218", str(count))))
        total = drain(conn, growth)
    assert total >= count * 8000
    assert growth() < 8 * MB


def test_one_message_of_256_megabytes(proxy, growth):
    """A single value: one DataRow is never held as a whole."""
    with Wire(proxy.endpoint()) as conn:
        conn.send(query("SELECT repeat('x', 268435456)"))
        assert drain(conn, growth) > 268435456
    assert growth() < 8 * MB


def test_upload_of_256_megabytes(proxy, growth, server):
    chunk = wire.message("d", b"x" * 65535 + b"\n") * 16
    with Wire(proxy.endpoint(), timeout=60) as conn:
        conn.ask(query("CREATE TEMP TABLE c (a text) ON COMMIT DELETE ROWS"))
        conn.send(query("COPY c FROM STDIN"))
        assert conn.receive()[0] == "G"
        for _ in range(256):
            conn.send(chunk)
            growth()
        messages = conn.ask(wire.message("c"))
        assert ("C", b"COPY 4096\0") in messages
    assert growth() < 8 * MB


def test_parameter_of_64_megabytes(proxy, growth):
    """A Bind as large as that streams too, whatever the proxy looks up in its head."""
    value = b"x" * (64 * MB)
    with Wire(proxy.endpoint(), timeout=60) as conn:
        messages = conn.ask(wire.parse("SELECT length($1::text)") + wire.bind([value]) + wire.execute() + wire.sync())
        assert wire.rows(messages) == [[str(64 * MB).encode()]]
        growth()
    assert growth() < 8 * MB


def backend_waits_for(server, application, event):
    rows = server.execute("SELECT wait_event FROM pg_stat_activity WHERE application_name = %s AND state = 'active'", (application,),
                          "postgres")
    return rows == [(event,)]


@pytest.mark.parametrize("sslmode", ["disable", "verify-full"])
def test_stalled_client(sslmode, proxy, growth, server):
    """A client that does not read: its server comes to a halt within the buffers' size, other sessions go on, and once
    it reads it gets everything."""
    conn = Wire(proxy.endpoint(sslmode=sslmode), connect=False)
    with conn:
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        if conn.endpoint.is_tls:
            conn.start_tls()
        conn.start_session(application_name="stalled")
        conn.send(query("SELECT repeat('x', 8000) FROM generate_series(1, 20000)"))
        process.wait_until(lambda: backend_waits_for(server, "stalled", "ClientWrite"), 20, "the server to stop writing")
        for _ in range(20):
            growth()
            time.sleep(0.02)
        with Wire(proxy.endpoint()) as other:
            assert wire.rows(other.ask(query("SELECT 'on'"))) == [[b"on"]]
        assert growth() < 8 * MB
        assert drain(conn, growth) > 20000 * 8000


def test_stalled_client_that_leaves(proxy, server):
    """Its server session ends as well."""
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.start_session(application_name="stalled and gone")
        conn.send(query("SELECT repeat('x', 8000) FROM generate_series(1, 100000)"))
        process.wait_until(lambda: backend_waits_for(server, "stalled and gone", "ClientWrite"), 20, "the server to stop writing")
    process.wait_until(lambda: not server.backends("stalled and gone"), 10, "the server's session to end")


def test_stalled_server(proxy, growth, server):
    """A COPY into a table that is locked: the client's bytes are not hoarded."""
    server.execute("DROP TABLE IF EXISTS locked; CREATE TABLE locked (a text, CHECK (length(a) > 0))")
    try:
        with server.connect() as holder, Wire(proxy.endpoint()) as conn:
            conn.ask(query("BEGIN; SET application_name = 'waiting'"))
            # Parsed and begun before the lock is there; each row's trigger waits for it.
            conn.ask(query("CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS "
                           "$$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN new; END $$; "
                           "CREATE TRIGGER t BEFORE INSERT ON locked FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()"))
            holder.execute("SELECT pg_advisory_lock(4711)")
            conn.send(query("COPY locked FROM STDIN"))
            assert conn.receive()[0] == "G"
            chunk, sent = wire.message("d", b"y" * 8191 + b"\n") * 8, 0
            conn.socket.setblocking(False)
            quiet_since = time.monotonic()
            while time.monotonic() - quiet_since < 0.5:
                try:
                    done = conn.socket.send(chunk[sent % len(chunk):])
                    sent += done
                    quiet_since = time.monotonic()
                    assert sent < 64 * MB, "the proxy takes everything"
                except BlockingIOError:
                    time.sleep(0.01)
                growth()
            assert growth() < 8 * MB
            with Wire(proxy.endpoint()) as other:
                assert wire.rows(other.ask(query("SELECT 'on'"))) == [[b"on"]]
            holder.execute("SELECT pg_advisory_unlock(4711)")
            conn.socket.setblocking(True)
            conn.socket.settimeout(20)
            if sent % len(chunk):
                conn.send(chunk[sent % len(chunk):])
            assert ("C" in wire.kinds(conn.ask(wire.message("c"))))
            conn.ask(query("ROLLBACK"))
    finally:
        server.execute("DROP TABLE locked")


def test_many_sessions_leave_nothing(proxy):
    """Descriptors and memory are given back."""
    def cycle(count):
        for _ in range(count):
            with Wire(proxy.endpoint()) as conn:
                conn.ask(query("SELECT repeat('x', 100000)"))

    cycle(50)
    descriptors, size = process.open_descriptors(proxy.pid), proxy.rss()
    cycle(300)
    process.wait_until(lambda: process.open_descriptors(proxy.pid) <= descriptors + 2, what="descriptors to be closed")
    if not is_sanitized():
        assert proxy.rss() - size < 4 * MB


def test_pipeline_longer_than_any_buffer(proxied):
    """A client that sends 20,000 statements and reads nothing meanwhile must not lock up with the server."""
    import threading

    count = 20000
    data = b"".join(wire.parse("SELECT $1::int", f"s{n % 10}") if n < 10 else wire.bind([str(n)], "", f"s{n % 10}") + wire.execute()
                    + wire.sync() for n in range(count + 10))
    with Wire(proxied, timeout=30) as conn:
        sender = threading.Thread(target=conn.send, args=(data,))
        sender.start()
        messages = conn.until("Z", count=count)
        sender.join()
        assert [int(row[0]) for row in wire.rows(messages)] == list(range(10, count + 10))
