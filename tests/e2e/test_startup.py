"""Startup: any parameters, any database, protocol negotiation, what a server says of a bad startup packet."""

import struct

import psycopg
import pytest

from harness import wire
from harness.wire import PROTOCOL_3_0, Wire, error_of, kinds, query, rows, startup


def first_error(endpoint, packet):
    """SQLSTATE and message of the reply to a first packet; "closed" if there is none."""
    with Wire(endpoint, connect=False) as conn:
        conn.send(packet)
        messages = conn.until("E", "Z")
        found = error_of(messages)
        return (found.get("S"), found.get("C"), found.get("M")) if found else kinds(messages)


def test_parameters(way, same):
    """Settings, options with escapes, names with odd characters."""
    parameters = {
        "application_name": "a 'quoted' \\ näme", "DateStyle": "German", "options": "-c work_mem=5MB -c search_path=\"a\\ b\",public "
        "--statement-timeout=90s", "TimeZone": "Asia/Tokyo", "extra_float_digits": "2", "client_encoding": "LATIN1",
        "my.setting": "custom value",
    }

    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            if endpoint.is_tls:
                conn.start_tls()
            messages = conn.start_session(**parameters)
            shown = conn.ask(query("SHOW application_name; SHOW DateStyle; SHOW work_mem; SHOW search_path; SHOW statement_timeout;"
                                   "SHOW TimeZone; SHOW extra_float_digits; SHOW client_encoding; SHOW my.setting"))
            return [message for message in messages if message[0] != "K"], rows(shown)

    _, shown = same(observe, way)
    assert [row[0] for row in shown][2:4] == [b"5MB", b'"a b",public']


def test_database_defaults_to_user(same, server):
    server.execute("DROP DATABASE IF EXISTS app_trust")
    server.create_database("app_trust")

    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.send(startup(user="app_trust"))
            conn.until("Z")
            return rows(conn.ask(query("SELECT current_database(), current_user")))

    assert same(observe) == [[b"app_trust", b"app_trust"]]
    server.drop_database("app_trust")


def test_database_with_odd_name(same, server):
    name = server.create_database("odd näme = 'x'")
    try:
        def observe(endpoint):
            with psycopg.connect(**endpoint.over(dbname=name).keywords()) as conn:
                return conn.execute("SELECT current_database()").fetchone()[0]

        assert same(observe) == name
    finally:
        server.drop_database(name)


@pytest.mark.parametrize("packet", [
    startup(user="postgres", database="app", nonsense_setting="1"),
    startup(user="postgres", database="no_such_database"),
    startup(user="postgres", database="app", options="-c no_such_setting=1"),
    startup(user="postgres", database="app", work_mem="lots"),
    startup(user="postgres", database="app", replication="perhaps"),
    startup(database="app"),
    startup(user="", database="app"),
    startup(user="u" * 200, database="app"),
    startup(user="no_such_role", database="app"),
], ids=["setting", "database", "options", "value", "replication", "no user", "empty user", "long user",
        "role"])
def test_refused(packet, same):
    """The server's own words."""
    assert same(lambda endpoint: first_error(endpoint, packet))[0] == "FATAL"


@pytest.mark.parametrize("major", [1, 2, 4, 5])
def test_other_major_versions(major, both):
    """Refused at once; which versions are named is the business of the one who refuses."""
    for endpoint in both:
        with Wire(endpoint, connect=False) as conn:
            conn.send(startup(version=major << 16, user="postgres"))
            answer = conn.exactly(10000)
            assert answer.startswith(b"E") and b"unsupported frontend protocol %d.0" % major in answer


def test_newer_minor_version(same):
    """NegotiateProtocolVersion: the server says 3.0 and which _pq_. options it does not know."""

    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.send(startup(version=PROTOCOL_3_0 + 2, user="postgres", database="app", **{"_pq_.shiny": "on", "_pq_.other": "1"}))
            messages = conn.until("Z")
            return [payload for kind, payload in messages if kind == "v"], kinds(messages), rows(conn.ask(query("SELECT 1")))

    negotiated, _, result = same(observe)
    assert len(negotiated) == 1 and b"_pq_.shiny\0" in negotiated[0] and result == [[b"1"]]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 10005, 2 ** 31 - 1, -1, -2 ** 31])
def test_wrong_length(length, proxied):
    """A first packet that is too short or too long: closed, at once, with or without words."""
    with Wire(proxied, connect=False) as conn:
        conn.send(struct.pack("!i", length) + struct.pack("!i", PROTOCOL_3_0) + b"user\0postgres\0\0")
        assert conn.until("E", "")[-1][0] in ("E", "")


def test_parameters_without_terminator(proxied):
    body = struct.pack("!i", PROTOCOL_3_0) + b"user\0postgres\0database"
    with Wire(proxied, connect=False) as conn:
        conn.send(struct.pack("!i", len(body) + 4) + body)
        assert conn.until("E", "")[-1][0] in ("E", "")


def test_startup_in_pieces(proxied):
    import time

    packet = startup(user="postgres", database="app", application_name="pieces")
    with Wire(proxied, connect=False) as conn:
        for byte in range(len(packet)):
            conn.send(packet[byte:byte + 1])
            if byte % 16 == 0:
                time.sleep(0.005)
        assert conn.until("Z")[-1] == ("Z", b"I")


def test_query_right_behind_the_startup(same):
    """Bytes that come before the server has let the client in wait for it."""

    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.send(startup(user="postgres", database="app") + query("SELECT 'early'") + wire.message("X"))
            messages = conn.until("Z", count=2)
            return rows(messages), conn.at_end()

    assert same(observe) == ([[b"early"]], True)


def test_http_request_is_refused(proxied):
    with Wire(proxied, connect=False) as conn:
        conn.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert conn.until("E", "")[-1][0] in ("E", "")


def test_ipv6_and_several_listeners(make_proxy):
    """Each address of the list is listened on."""
    from harness import process

    other = process.free_port()
    proxy = make_proxy(settings={"proxy.listen": None}, start=False)
    proxy.configure({"proxy.listen": f"127.0.0.1:{proxy.port}, [::1]:{other}"})
    proxy.start()
    endpoints = [proxy.endpoint(), proxy.unix_endpoint()]
    with open("/proc/net/if_inet6") as interfaces:
        if " lo" in interfaces.read():
            endpoints.append(proxy.endpoint(host="::1", port=other))
    for endpoint in endpoints:
        with psycopg.connect(**endpoint.keywords()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_coordinator_by_unix_socket(server, make_proxy):
    proxy = make_proxy(settings={"proxy.coordinator": f"host={server.directory} port={server.port}"})
    with psycopg.connect(**proxy.endpoint().keywords()) as conn:
        assert conn.execute("SELECT inet_client_addr() IS NULL").fetchone() == (True,)


def test_coordinator_by_name(server, make_proxy):
    proxy = make_proxy(settings={"proxy.coordinator": f"host=localhost port={server.port} sslmode=disable"})
    with psycopg.connect(**proxy.endpoint().keywords()) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_passthrough_without_catalog(server, make_proxy):
    """[proxy] alone: relayed, nothing looked at."""
    proxy = make_proxy(settings={"control.conninfo": None, "tenant.table": None, "tenant.column": None}, tables="")
    with psycopg.connect(**proxy.endpoint().keywords()) as conn:
        assert conn.execute("SELECT count(*) FROM stores").fetchone() == (20,)
