"""A proxy that is cut off from the control connection fences itself after its lease, and recovers by itself."""

import time

import psycopg
import pytest

from harness.tailspin import store_of

INSERT = "INSERT INTO line_items (order_id, quantity) VALUES (%s, 1)"
CONTROL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND application_name = 'shardferry control'"


@pytest.fixture
def cut(migration, make_proxy):
    """(migration, a proxy with a short lease on it, a way to cut its control connection, a way to mend it)"""
    proxy = make_proxy(dbname=migration.database, settings={"control.lease": "2s"})
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
    _, proxy, sever, mend = cut
    with psycopg.connect(autocommit=True, prepare_threshold=None, **proxy.endpoint().keywords()) as conn:
        conn.execute("PREPARE p (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)")
        conn.execute("PREPARE q AS SELECT 1")
        conn.execute("EXECUTE p (1)")
        sever()
        time.sleep(2.5)
        with pytest.raises(psycopg.errors.CannotConnectNow):
            conn.execute("EXECUTE p (2)")
        assert conn.execute("EXECUTE q").fetchone() == (1,)
        mend()
