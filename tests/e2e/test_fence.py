"""A proxy that is cut off from the control connection fences itself after its lease: it holds what writes to tables under
migration, refuses it when hold_timeout is over, and recovers by itself."""

import random
import threading
import time

import psycopg
import pytest

from harness import process
from harness.tailspin import store_of
from harness.wire import Wire, bind, cancel, error_of, execute, kinds, parse, query, rows, sync

INSERT = "INSERT INTO line_items (order_id, quantity) VALUES (%s, 1)"
CONTROL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND application_name = 'shardferry control'"
HOLD = {"refused soon": "300ms", "held for long": "40s"}


@pytest.fixture
def cut(request, migration, make_proxy):
    """(migration, a proxy with a short lease on it, a way to cut its control connection, a way to mend it)"""
    hold = HOLD[getattr(request, "param", "refused soon")]
    proxy = make_proxy(dbname=migration.database, settings={"control.lease": "2s", "control.hold_timeout": hold})
    proxy.wait_for_catalog("line_items")
    migration.derive()

    def accept(allowed):
        migration.server.execute(f"ALTER DATABASE {migration.database} ALLOW_CONNECTIONS {allowed}", None, "postgres")

    def cut():
        accept(False)
        assert migration.server.execute(CONTROL, (migration.database,), "postgres")[0][0] >= 1

    yield migration, proxy, cut, lambda: accept(True)
    accept(True)


def outcome(conn, order):
    try:
        conn.execute(INSERT, (order,))
        return "done"
    except psycopg.Error as error:
        return error.sqlstate


@pytest.mark.parametrize("prepare", [False, True], ids=["unprepared", "prepared"])
def test_fence(cut, prepare):
    migration, proxy, sever, mend = cut
    with psycopg.connect(autocommit=True, prepare_threshold=0 if prepare else None, **proxy.endpoint().keywords()) as conn:
        last = migration.last_id()
        assert outcome(conn, 1) == "done"
        sever()
        seen = []
        end = time.monotonic() + 5
        while "57P03" not in seen and time.monotonic() < end:
            seen.append(outcome(conn, 2))
            # Everything else passes, the same table's rows included.
            assert conn.execute("SELECT count(*) FROM line_items WHERE store_id = 3").fetchone()
            conn.execute("UPDATE orders SET status = 'seen' WHERE order_id = 1 AND store_id = %s", (store_of(1),))
            time.sleep(0.1)
        assert seen[0] == "done" and seen[-1] == "57P03" and set(seen) == {"done", "57P03"}
        mend()
        end = time.monotonic() + 20
        while outcome(conn, 3) != "done":
            assert time.monotonic() < end, "the proxy did not recover"
            time.sleep(0.1)
    rows = migration.stores_since(last)
    assert rows and all(store == store_of(order) for order, store in rows)


def test_refusal_in_a_transaction(cut):
    """It aborts the transaction, as any error does, and says what to do."""
    _, proxy, sever, mend = cut
    with psycopg.connect(**proxy.endpoint().keywords()) as conn:
        sever()
        time.sleep(2.5)
        conn.execute("SELECT 1")
        with pytest.raises(psycopg.errors.CannotConnectNow, match='table "line_items" is under migration') as refused:
            conn.execute(INSERT, (1,))
        assert "lease" in refused.value.diag.message_detail and "recovers by itself" in refused.value.diag.message_hint
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            conn.execute("SELECT 1")
        conn.rollback()
        assert conn.execute("SELECT 1").fetchone() == (1,)
        mend()


def test_sql_execute(cut):
    """What was prepared by SQL is refused by what it executes."""
    migration, proxy, sever, mend = cut
    with psycopg.connect(autocommit=True, prepare_threshold=None, **proxy.endpoint().keywords()) as conn:
        conn.execute("PREPARE p (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)")
        conn.execute("PREPARE q AS SELECT 1")
        conn.execute("EXECUTE p (1)")
        last = migration.last_id()
        sever()
        time.sleep(2.5)
        for sql in ("EXECUTE p (2)", "SELECT 1; EXECUTE q; EXECUTE p (2)", "EXPLAIN ANALYZE EXECUTE p (2)"):
            with pytest.raises(psycopg.errors.CannotConnectNow):
                conn.execute(sql)
        assert conn.execute("EXECUTE q").fetchone() == (1,)
        conn.execute("EXECUTE q; EXPLAIN ANALYZE EXECUTE q")
        mend()
    assert migration.stores_since(last) == []


held_for_long = pytest.mark.parametrize("cut", ["held for long"], indirect=True, ids=[""])
STATEMENT = "INSERT INTO line_items (order_id, quantity) VALUES ({}, 77)"
# One statement with what ends it.
PROTOCOLS = {
    "simple": lambda sql: query(sql),
    "extended": lambda sql: parse(sql) + bind() + execute() + sync(),
    "sql execute": lambda sql: query(prepared(sql)),
    "sql execute, extended": lambda sql: parse(prepared(sql)) + bind() + execute() + sync(),
}


def prepared(sql):
    """EXECUTE of what was prepared with this statement: p7 with order 7."""
    return "EXECUTE p" + sql.split("(")[2].split(",")[0]


def is_silent(conn, seconds):
    """Nothing comes for so long."""
    conn.socket.settimeout(seconds)
    try:
        return not conn.socket.recv(1)
    except TimeoutError:
        return True
    finally:
        conn.socket.settimeout(30)


@held_for_long
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_held_until_the_connection_is_back(cut, protocol):
    """A pipeline stops at the first statement that is fenced, goes on where it stopped, and loses nothing."""
    migration, proxy, sever, mend = cut
    send = PROTOCOLS[protocol]
    with Wire(proxy.endpoint(), timeout=30) as conn, Wire(proxy.endpoint()) as other:
        for order in (7, 8):
            conn.ask(query(f"PREPARE p{order} AS {STATEMENT.format(order)}"))
        last = migration.last_id()
        sever()
        time.sleep(2.5)
        conn.send(query("SELECT 'ahead'") + send(STATEMENT.format(7)) + query("SELECT 'behind'") + send(STATEMENT.format(8)))
        assert rows(conn.until("Z")) == [[b"ahead"]]
        assert is_silent(conn, 1)
        assert rows(other.ask(query("SELECT 'other', count(*) FROM line_items WHERE quantity = 77"))) == [[b"other", b"0"]]
        mend()
        assert not error_of(conn.until("Z"))
        assert rows(conn.until("Z")) == [[b"behind"]]
        assert not error_of(conn.until("Z"))
        assert rows(conn.ask(query("SELECT 'on'"))) == [[b"on"]]
    assert migration.stores_since(last) == [(7, store_of(7)), (8, store_of(8))]


def test_held_no_longer_than_hold_timeout(cut):
    _, proxy, sever, _ = cut
    with Wire(proxy.endpoint()) as conn:
        sever()
        time.sleep(2.5)
        for protocol in ("simple", "extended"):
            started = time.monotonic()
            assert error_of(conn.ask(PROTOCOLS[protocol](STATEMENT.format(1))))["C"] == "57P03"
            assert 0.25 < time.monotonic() - started < 2
        # Each has a time of its own, and one that is refused does not keep those behind it.
        messages = conn.ask(query(STATEMENT.format(1)) + query("SELECT 'on'") + query(STATEMENT.format(2)), 3)
        assert kinds([m for m in messages if m[0] in "EDZ"]) == "EZDZEZ"


@held_for_long
@pytest.mark.parametrize("protocol", ["simple", "extended"])
def test_cancel_while_held(cut, protocol):
    """Answered at once, as if it had been running; what comes next is not hit."""
    migration, proxy, sever, mend = cut
    last = migration.last_id()
    with Wire(proxy.endpoint(), timeout=30) as conn:
        sever()
        time.sleep(2.5)
        conn.send(query("BEGIN") + PROTOCOLS[protocol](STATEMENT.format(1)))
        conn.until("Z")
        for wrong in (cancel(conn.pid + 1, conn.key), cancel(conn.pid, bytes(byte ^ 1 for byte in conn.key))):
            with Wire(proxy.endpoint(), connect=False) as asking:
                asking.send(wrong)
                assert asking.exactly(1) == b""
        assert is_silent(conn, 0.5)
        started = time.monotonic()
        with Wire(proxy.endpoint(), connect=False) as asking:
            asking.send(cancel(conn.pid, conn.key))
            assert asking.exactly(1) == b""
        messages = conn.until("Z")
        assert error_of(messages)["C"] == "57014" and messages[-1][1] == b"E" and time.monotonic() - started < 2
        assert rows(conn.ask(query("ROLLBACK") + query("SELECT pg_sleep(0.3)::text, 'on'"), 2)) == [[b"", b"on"]]
        mend()
    assert migration.stores_since(last) == []


@held_for_long
def test_client_gone_while_held(cut):
    """What nobody waits for is not executed later."""
    migration, proxy, sever, mend = cut
    last = migration.last_id()
    with Wire(proxy.endpoint()) as conn:
        sever()
        time.sleep(2.5)
        conn.send(query("BEGIN") + query(STATEMENT.format(1)))
        conn.until("Z")
        time.sleep(0.3)
    process.wait_until(lambda: len(proxy.console("SHOW CLIENTS")) == 1, 5, "the session to end")
    mend()
    with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as conn:
        assert outcome(conn, 2) == "done"
    assert migration.stores_since(last) == [(2, store_of(2))]


@held_for_long
def test_much_behind_what_is_held(cut):
    """A client that goes on sending is not read without bound, and nothing is lost."""
    migration, proxy, sever, mend = cut
    last = migration.last_id()
    filler, count = query("SELECT length('" + "x" * 100_000 + "')"), 200
    with Wire(proxy.endpoint(), timeout=30) as conn:
        conn.ask(filler)
        sever()
        time.sleep(2.5)
        before = proxy.rss()
        sender = threading.Thread(target=conn.send, args=(query(STATEMENT.format(1)) + filler * count,))
        sender.start()
        time.sleep(1)
        assert proxy.rss() - before < 8 << 20
        mend()
        assert rows(conn.until("Z", count=1 + count)) == [[b"100000"]] * count
        sender.join()
    assert migration.stores_since(last) == [(1, store_of(1))]


def insert_without_pause(conn, dice, stop, knows_tenant):
    """Line items in every way; returns the number of rounds."""
    rounds = 0
    conn.execute("PREPARE item (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)")
    while not stop.is_set():
        order, store = dice.randint(1, 200), dice.randint(1, 20)
        conn.execute(f"EXECUTE item ({order})")
        conn.execute(INSERT, (order,))
        with conn.pipeline(), conn.transaction():
            conn.execute(INSERT, (order,))
            conn.execute("SELECT 1")
            conn.execute(INSERT, (order,))
        if knows_tenant.is_set():
            with conn.transaction():
                conn.execute(f"SET LOCAL shardferry.tenant = '{store}'")
                assert conn.execute("INSERT INTO line_items (quantity) VALUES (1) RETURNING store_id").fetchone() == (store,)
        rounds += 1
    return rounds


@held_for_long
@pytest.mark.limit(120)
def test_cut_again_and_again(cut):
    """Clients insert without pause while the stage goes on and the control connection is lost, for a moment or for longer
    than the lease: no error, and not a row without its store."""
    migration, proxy, sever, mend = cut
    stop, knows_tenant, connected = threading.Event(), threading.Event(), threading.Barrier(7)
    problems, rounds = [], []

    def work(number):
        try:
            with psycopg.connect(autocommit=True, prepare_threshold=(None, 0, 2)[number % 3], **proxy.endpoint().keywords()) as conn:
                connected.wait(20)
                rounds.append(insert_without_pause(conn, random.Random(number), stop, knows_tenant))
        except Exception as problem:  # noqa: BLE001  whatever it is, the test names it
            problems.append(repr(problem))
            stop.set()

    def lose(seconds):
        sever()
        time.sleep(seconds)
        mend()
        process.wait_until(lambda: proxy.console("SHOW CATALOG")[0]["connected"] == "t", 20, "the control connection to be back")
        time.sleep(0.3)

    last = migration.last_id()
    workers = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for worker in workers:
        worker.start()
    try:
        connected.wait(20)
        lose(3)
        migration.keyed()
        lose(0)
        migration.resolve()
        knows_tenant.set()
        lose(0)
        lose(3)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not problems
    assert len(rounds) == 6 and min(rounds) > 3
    assert migration.execute("SELECT count(*) FROM line_items l JOIN orders o USING (order_id)"
                             " WHERE line_item_id > %s AND l.store_id IS DISTINCT FROM o.store_id", (last,)) == [(0,)]
