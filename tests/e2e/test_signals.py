"""SIGTERM drains, SIGINT stops, SIGHUP reloads."""

import signal
import time

import psycopg
import pytest

from harness import process, wire
from harness.wire import Wire, error_of, query, rows, startup


def refused(proxy):
    """Whether a new client is turned away: no listener, or FATAL."""
    try:
        with Wire(proxy.endpoint(), connect=False, timeout=2) as conn:
            conn.send(startup(user="postgres", database="app"))
            return error_of(conn.until("E", "Z", "")).get("S", "FATAL") == "FATAL" and "57P" in error_of(conn.until("E", "")).get("C", "57P")
    except OSError:
        return True


def test_terminate_when_idle(make_proxy):
    proxy = make_proxy()
    started = time.monotonic()
    assert proxy.stop(signal.SIGTERM) == 0
    assert time.monotonic() - started < 5


def test_drain(make_proxy, server):
    """Idle sessions end with 57P01 at once, transactions may finish, nobody new comes in, then it is over."""
    proxy = make_proxy(settings={"proxy.drain_timeout": "20s"})
    with Wire(proxy.endpoint()) as idle, Wire(proxy.endpoint()) as busy, Wire(proxy.endpoint()) as transaction:
        transaction.ask(query("BEGIN; CREATE TABLE drained (a int)"))
        busy.send(query("SELECT pg_sleep(1), 'done'"))
        time.sleep(0.2)
        proxy.process.send_signal(signal.SIGTERM)
        ended = idle.until("")
        assert error_of(ended)["C"] == "57P01" and error_of(ended)["S"] == "FATAL"
        process.wait_until(lambda: refused(proxy), what="new clients to be refused")
        assert transaction.ask(query("SELECT 'still here'"))[-1] == ("Z", b"T")
        finished = busy.until("")
        assert rows(finished) == [[b"", b"done"]] and error_of(finished)["C"] == "57P01"
        transaction.send(query("COMMIT"))
        committed = transaction.until("")
        assert ("C", b"COMMIT\0") in committed and error_of(committed)["C"] == "57P01"
        assert proxy.process.wait(10) == 0
        proxy.process = None
    assert server.execute("SELECT to_regclass('drained') IS NOT NULL") == [(True,)]
    server.execute("DROP TABLE drained")


def test_drain_is_bounded(make_proxy):
    """drain_timeout ends what does not finish by itself."""
    proxy = make_proxy(settings={"proxy.drain_timeout": "1s"})
    with Wire(proxy.endpoint()) as transaction, Wire(proxy.endpoint()) as running:
        transaction.ask(query("BEGIN"))
        running.send(query("SELECT pg_sleep(60)"))
        time.sleep(0.1)
        started = time.monotonic()
        assert proxy.stop(signal.SIGTERM) == 0
        assert 0.5 < time.monotonic() - started < 8
        transaction.until("")
        running.until("")


def test_second_terminate_is_no_crash(make_proxy):
    proxy = make_proxy(settings={"proxy.drain_timeout": "30s"})
    with Wire(proxy.endpoint()) as transaction:
        transaction.ask(query("BEGIN"))
        proxy.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        proxy.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        assert proxy.stop(signal.SIGINT) == 0


def test_interrupt_stops_at_once(make_proxy, server):
    """Open transactions are rolled back, their clients told."""
    proxy = make_proxy()
    with Wire(proxy.endpoint(), connect=False) as transaction:
        transaction.start_session(application_name="interrupted")
        transaction.ask(query("BEGIN"))
        started = time.monotonic()
        assert proxy.stop(signal.SIGINT) == 0
        assert time.monotonic() - started < 3
        assert error_of(transaction.until("")).get("C") in ("57P01", None)
    process.wait_until(lambda: not server.backends("interrupted"), what="the server's session to end")


def test_kill_loses_only_connections(make_proxy, server):
    """kill -9, start again on the same port and socket: served."""
    proxy = make_proxy()
    with Wire(proxy.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        proxy.kill()
        conn.until("")
    proxy.start()
    for endpoint in (proxy.endpoint(), proxy.unix_endpoint()):
        with psycopg.connect(**endpoint.keywords()) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)


def test_reload(make_proxy):
    """A new value is in force for what comes then; sessions are not disturbed."""
    proxy = make_proxy()
    with Wire(proxy.endpoint()) as conn:
        proxy.configure({"proxy.max_clients": "1"})
        proxy.reload()
        process.wait_until(lambda: shown(proxy, "max_clients") == "1", what="the new value")
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]
        with Wire(proxy.endpoint(), connect=False) as other:
            other.send(startup(user="postgres", database="app"))
            assert error_of(other.until("E", "Z"))["C"] == "53300"


def shown(proxy, name):
    return next(row["value"] for row in proxy.console("SHOW CONFIG") if name in row.values())


def test_reload_names_what_it_cannot_change(make_proxy):
    proxy = make_proxy()
    proxy.configure({"proxy.workers": "7"})
    proxy.reload()
    proxy.wait_for_log("workers")
    assert shown(proxy, "workers") == "2"


def test_reload_of_a_broken_file_keeps_the_old(make_proxy):
    proxy = make_proxy()
    with open(proxy.config, "a") as file:
        file.write("\n[proxy]\nno_such_setting = 1\n")
    proxy.reload()
    proxy.wait_for_log("no_such_setting")
    with psycopg.connect(**proxy.endpoint().keywords()) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_reload_takes_another_coordinator(make_proxy, make_server):
    """Sessions stay where they are, new ones go to the new place."""
    other = make_server()
    other.create_database("app")
    proxy = make_proxy()
    with Wire(proxy.endpoint()) as old:
        before = rows(old.ask(query("SHOW port")))
        proxy.configure({"proxy.coordinator": f"host=127.0.0.1 port={other.port} sslmode=disable"})
        proxy.reload()

        def new_port():
            with Wire(proxy.endpoint()) as conn:
                return rows(conn.ask(query("SHOW port"))) == [[str(other.port).encode()]]

        process.wait_until(new_port, what="the new coordinator")
        assert rows(old.ask(query("SHOW port"))) == before


def test_wrong_configuration_ends_with_2(tmp_path, shardferry):
    for text, told in (("[proxy]\nlisten = nowhere:x\ncoordinator = host=a\n", "listen"),
                       ("[proxy]\nlisten = 127.0.0.1:1\n", "coordinator"),
                       ("[proxy]\nlisten = 127.0.0.1:1\ncoordinator = host=a user=b\n", "user"),
                       ("[proxi]\nlisten = 127.0.0.1:1\n", "proxi"), ("[proxy]\nlsten = x\n", "lsten")):
        path = tmp_path / "wrong.ini"
        path.write_text(text)
        done = shardferry("proxy", "-c", str(path))
        assert done.returncode == 2 and told in done.stderr, (text, done.stderr)
    missing = shardferry("proxy", "-c", str(tmp_path / "none.ini"))
    assert missing.returncode == 2 and "none.ini" in missing.stderr


def test_port_that_is_taken(make_proxy, server, shardferry):
    """Told by address, and no half-started proxy stays."""
    proxy = make_proxy(start=False)
    proxy.configure({"proxy.listen": f"127.0.0.1:{server.port}"})
    done = shardferry("proxy", "-c", proxy.config, timeout=10)
    assert done.returncode != 0 and str(server.port) in done.stderr
