"""Limits, each with PostgreSQL's SQLSTATE when it is hit, and what still works then."""

import time

import psycopg
import pytest

from harness import process, wire
from harness.wire import Wire, error_of, parse, query, rows, startup


def outcome(endpoint, **params):
    """("Z", None), or severity and SQLSTATE of the refusal."""
    with Wire(endpoint, connect=False) as conn:
        conn.send(startup(user="postgres", database=endpoint.dbname, **params))
        messages = conn.until("Z", "E", "")
        found = error_of(messages)
        return (found["S"], found["C"]) if found else (messages[-1][0], None)


def test_max_clients(make_proxy):
    """One over the limit is refused as by a server; the console still lets the administrator in; a place that becomes
    free is a place."""
    proxy = make_proxy(settings={"proxy.max_clients": "5"})
    held = []
    try:
        while len(held) < 5:
            held.append(Wire(proxy.endpoint()))
        assert outcome(proxy.endpoint()) == ("FATAL", "53300")
        assert proxy.console("SHOW VERSION")
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            psycopg.connect(**proxy.endpoint().keywords())
        held.pop().close()
        process.wait_until(lambda: outcome(proxy.endpoint()) == ("Z", None), what="the free place")
        assert rows(held[0].ask(query("SELECT 'on'"))) == [[b"on"]]
    finally:
        for conn in held:
            conn.close()


def test_max_login_clients(make_proxy):
    """Connections that never log in do not keep others out for ever: their number has a limit of its own."""
    proxy = make_proxy(settings={"proxy.max_login_clients": "4", "proxy.login_timeout": "2s"})
    time.sleep(0.3)  # the connection that found the port open is a login of its own until the proxy has seen its end
    lazy = [Wire(proxy.endpoint(), connect=False) for _ in range(8)]
    try:
        time.sleep(0.2)
        refused = [conn for conn in lazy if _ended(conn)]
        assert len(refused) == 4
        # The lazy ones' time is over soon.
        process.wait_until(lambda: outcome(proxy.endpoint()) == ("Z", None), 10, "a place")
    finally:
        for conn in lazy:
            conn.close()


def _ended(conn):
    conn.socket.settimeout(0.05)
    try:
        return conn.until("E", "")[-1][0] in ("E", "")
    except TimeoutError:
        return False


@pytest.mark.parametrize("sent", [b"", b"\0\0", wire.SSL_REQUEST, startup(user="app_scram", database="app")],
                         ids=["nothing", "two bytes", "request for TLS", "no password"])
def test_login_timeout(sent, make_proxy):
    proxy = make_proxy(settings={"proxy.login_timeout": "500ms"})
    with Wire(proxy.endpoint(), connect=False) as conn:
        started = time.monotonic()
        conn.send(sent)
        while conn.exactly(1000):
            pass
        assert 0.3 < time.monotonic() - started < 5


def test_login_timeout_spares_those_who_are_in(make_proxy):
    proxy = make_proxy(settings={"proxy.login_timeout": "500ms"})
    with Wire(proxy.endpoint()) as conn:
        time.sleep(1)
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]


def test_idle_timeout(make_proxy, server):
    """An idle session ends with 57P05; one that works, or is within a transaction, does not."""
    proxy = make_proxy(settings={"proxy.idle_timeout": "700ms"})
    with Wire(proxy.endpoint()) as idle, Wire(proxy.endpoint()) as busy, Wire(proxy.endpoint()) as transaction:
        busy.send(query("SELECT pg_sleep(2)"))
        transaction.ask(query("BEGIN"))
        started = time.monotonic()
        messages = idle.until("")
        assert wire.kinds(messages) == "E." and error_of(messages)["C"] == "57P05" and error_of(messages)["S"] == "FATAL"
        assert 0.5 < time.monotonic() - started < 5
        assert busy.until("Z")[-1] == ("Z", b"I")
        assert transaction.ask(query("SELECT 1"))[-1] == ("Z", b"T")


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_max_statement_bytes(extended, make_proxy):
    """A longer statement is refused with 54000; the session, its transaction and the pipeline behave as after any error."""
    proxy = make_proxy(settings={"proxy.max_statement_bytes": "100kB"})
    short = "SELECT length('" + "x" * 50_000 + "')"
    long = "SELECT length('" + "x" * 150_000 + "')"

    def ask(sql):
        data = parse(sql) + wire.bind() + wire.execute() + wire.sync() if extended else query(sql)
        return conn.ask(data)

    with Wire(proxy.endpoint()) as conn:
        assert rows(ask(short)) == [[b"50000"]]
        messages = ask(long)
        assert error_of(messages)["C"] == "54000" and error_of(messages)["S"] == "ERROR" and wire.kinds(messages) == "EZ"
        assert rows(ask(short)) == [[b"50000"]]
        conn.ask(query("BEGIN"))
        refused = ask(long)
        assert error_of(refused)["C"] == "54000"
        conn.ask(query("ROLLBACK"))
        assert conn.ask(query("SELECT 1"))[-1] == ("Z", b"I")


def test_max_statement_bytes_in_a_pipeline(make_proxy):
    """What came before is done in order, what follows is skipped up to the Sync, and the statement is not made."""
    proxy = make_proxy(settings={"proxy.max_statement_bytes": "10kB"})
    long = "SELECT length('" + "x" * 20_000 + "')"
    with Wire(proxy.endpoint()) as conn:
        messages = conn.ask(parse("SELECT 1") + wire.bind() + wire.execute() + parse(long, "s") + wire.bind((), "", "s")
                            + wire.execute() + wire.sync() + query("SELECT 'on'"), syncs=2)
        assert wire.kinds(messages) == "12DCEZTDCZ" and rows(messages) == [[b"1"], [b"on"]]
        assert error_of(messages)["C"] == "54000"
        assert error_of(conn.ask(wire.bind((), "", "s") + wire.sync()))["C"] == "26000"


def test_parameters_are_no_statement(make_proxy):
    """The limit is the text's; a long parameter or a long COPY is none of its business."""
    proxy = make_proxy(settings={"proxy.max_statement_bytes": "10kB"})
    with Wire(proxy.endpoint()) as conn:
        assert rows(conn.ask(parse("SELECT length($1::text)") + wire.bind(["x" * 1_000_000]) + wire.execute() + wire.sync())) \
            == [[b"1000000"]]


def test_statement_that_the_parser_may_not_see(make_proxy):
    """Beyond parse_bytes or parse_depth a statement passes as it is, and is audited as unparsed."""
    proxy = make_proxy(settings={"proxy.parse_bytes": "10kB"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        assert rows(conn.ask(query("SELECT length('" + "x" * 20_000 + "') FROM stores LIMIT 1"))) == [[b"20000"]]
        # More terms than any parser's stack is meant for: the server's own limit answers.
        assert error_of(conn.ask(query("SELECT " + "1+" * 100_000 + "1")))["C"] in ("54001",)
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]
    assert any(row["verdict"] == "unparsed" for row in proxy.console("SHOW AUDIT"))
