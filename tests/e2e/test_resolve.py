"""Stage resolve: the tenant travels as a value, and nobody can tell how it was found out."""

import struct
import threading
import time

import psycopg
import pytest

from harness import wire
from harness.tailspin import store_of
from harness.wire import Wire, bind, describe, error_of, execute, flush, parse, query, rows, sync

INSERT = "INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)"


@pytest.fixture
def conn(resolving):
    with Wire(resolving.proxy.endpoint()) as made:
        yield made


@pytest.fixture
def direct(resolving):
    with Wire(resolving.server.endpoint(resolving.database)) as made:
        yield made


def added(resolving, last, orders):
    assert resolving.stores_since(last) == [(order, store_of(order)) for order in orders]


def lookups(resolving):
    total = next(row for row in resolving.proxy.console("SHOW STATS") if row["worker"] == "total")
    return int(total["tenants_looked_up"]), int(total["tenants_cached"])


@pytest.mark.parametrize("value", ["7", "'8'", "007", "'9'::bigint", "10 + 1", "$$12$$", "E'13'", "- -14"])
def test_literals(resolving, conn, value):
    last = resolving.last_id()
    for _ in range(2):
        messages = conn.ask(query(f"INSERT INTO line_items (order_id, quantity) VALUES ({value}, 1)"))
        assert wire.kinds(messages) == "CZ"
    order = resolving.execute(f"SELECT ({value})::bigint")[0][0]
    added(resolving, last, [order, order])


def test_several_tenants(resolving, conn):
    last = resolving.last_id()
    conn.ask(query("INSERT INTO line_items (order_id) VALUES (21), (22), (23), (21), ('23')"))
    added(resolving, last, [21, 22, 23, 21, 23])


def test_second_time_is_known(resolving, conn):
    before = lookups(resolving)
    for _ in range(5):
        conn.ask(query("INSERT INTO line_items (order_id) VALUES (31)"))
    after = lookups(resolving)
    assert after[0] - before[0] == 1 and after[1] - before[1] == 4


@pytest.mark.parametrize("name", ["", "named"])
@pytest.mark.parametrize("types", [(), (20, 20), (23, 23)], ids=["none", "int8", "int4"])
@pytest.mark.parametrize("binary", [False, True])
def test_parameters(resolving, conn, direct, name, types, binary):
    """The messages are those of a server that was sent a statement with its store."""
    size = 4 if types == (23, 23) else 8
    values = [struct.pack("!i" if size == 4 else "!q", n) if binary else str(n) for n in (41, 1)]
    formats = (1,) if binary else ()
    ask = parse(INSERT + " RETURNING order_id", name, types) + describe("S", name) + sync() \
        + bind(values, "", name, formats) + describe("P") + execute() + sync() + bind(values, "", name, formats) + execute() + sync()
    with_store = ask.replace(INSERT.encode(), b"INSERT INTO line_items (order_id, store_id, quantity) VALUES ($1, 2, $2)")
    size = struct.unpack("!i", with_store[1:5])[0] + len(with_store) - len(ask)
    last = resolving.last_id()
    seen = conn.ask(ask, 3)
    added(resolving, last, [41, 41])
    assert seen == direct.ask(with_store[:1] + struct.pack("!i", size) + with_store[5:], 3)


def test_parameter_without_a_type(resolving, conn):
    """$1 is a bigint because of the first column: by itself, the key would be an integer. The server is asked."""
    last = resolving.last_id()
    sql = "INSERT INTO line_items (quantity, order_id) VALUES ($1, $1 - 5000000000)"
    assert not error_of(conn.ask(parse(sql) + bind([struct.pack("!q", 5000000042)], "", "", (1,)) + execute() + sync()))
    assert not error_of(conn.ask(parse(sql, "s") + bind(["5000000043"], "", "s") + execute() + sync()
                                 + bind(["5000000044"], "", "s") + execute() + sync(), 2))
    added(resolving, last, [42, 43, 44])


def test_error_before_a_lookup(resolving, conn):
    """The lookup is skipped with everything else up to the Sync."""
    last = resolving.last_id()
    messages = conn.ask(parse("INSERT INTO line_items (line_amount, order_id) VALUES ($1, $1)") + bind(["45"]) + execute()
                        + parse(INSERT) + bind(["45", "1"]) + execute() + sync()
                        + parse(INSERT) + bind(["46", "1"]) + execute() + sync(), 2)
    assert wire.kinds(messages) == "EZ12CZ" and error_of(messages)["C"] == "42P08"
    added(resolving, last, [46])


def test_expression_of_parameters(resolving, conn):
    last = resolving.last_id()
    sql = "INSERT INTO line_items (quantity, order_id) VALUES ($1, $3 + $2)"
    assert not error_of(conn.ask(parse(sql, "", (20, 20, 20)) + bind(["1", "40", "4"]) + execute() + sync()))
    added(resolving, last, [44])


def test_pipeline_of_parent_and_child(resolving, conn):
    """Sent in one piece, without waiting for anything."""
    last = resolving.last_id()
    conn.ask(query("DELETE FROM line_items WHERE order_id = 9001; DELETE FROM orders WHERE order_id = 9001"))
    messages = conn.ask(
        parse("INSERT INTO orders (order_id, store_id) VALUES ($1, $2)") + bind(["9001", "7"]) + execute()
        + parse(INSERT) + bind(["9001", "1"]) + execute() + bind(["9001", "2"]) + execute() + sync()
        + query("SELECT 'behind'"), 2)
    assert wire.kinds(messages) == "12C12C2CZTDCZ"
    assert resolving.stores_since(last) == [(9001, 7), (9001, 7)]


def test_flush_instead_of_sync(resolving, conn):
    last = resolving.last_id()
    conn.send(parse(INSERT) + bind(["51", "1"]) + execute() + flush())
    assert wire.kinds(conn.until("C")) == "12C"
    conn.ask(sync())
    added(resolving, last, [51])


def test_transaction_learns(resolving, conn):
    """A parent's tenant is what it is now: another after a rollback to a savepoint."""
    last = resolving.last_id()
    child = "INSERT INTO line_items (order_id) VALUES (9002)"
    for sql in ("BEGIN", "SAVEPOINT a", "INSERT INTO orders (order_id, store_id) VALUES (9002, 3)", child, child, "ROLLBACK TO a",
                "INSERT INTO orders (order_id, store_id) VALUES (9002, 4)", child, child, "COMMIT", child):
        assert not error_of(conn.ask(query(sql)))
    assert resolving.stores_since(last) == [(9002, 4)] * 3
    conn.ask(query("DELETE FROM line_items WHERE order_id = 9002; DELETE FROM orders WHERE order_id = 9002"))


def test_rolled_back_parent_is_not_remembered(resolving, conn):
    child = "INSERT INTO line_items (order_id) VALUES (9003)"
    for sql in ("BEGIN", "INSERT INTO orders (order_id, store_id) VALUES (9003, 3)", child, "ROLLBACK",
                "INSERT INTO orders (order_id, store_id) VALUES (9003, 4)"):
        assert not error_of(conn.ask(query(sql)))
    last = resolving.last_id()
    assert not error_of(conn.ask(query(child)))
    assert resolving.stores_since(last) == [(9003, 4)]


def test_parent_that_changes_its_tenant(resolving, conn):
    child = "INSERT INTO line_items (order_id) VALUES (9004)"
    for sql in ("INSERT INTO orders (order_id, store_id) VALUES (9004, 3)", child, "DELETE FROM line_items WHERE order_id = 9004",
                "UPDATE orders SET store_id = 5 WHERE order_id = 9004"):
        assert not error_of(conn.ask(query(sql)))
    last = resolving.last_id()
    assert not error_of(conn.ask(query(child)))
    assert resolving.stores_since(last) == [(9004, 5)]


def test_missing_parent(conn):
    for ask in (query("INSERT INTO line_items (order_id) VALUES (777777)"),
                parse(INSERT) + bind(["777777", "1"]) + execute() + sync()):
        error = error_of(conn.ask(ask))
        assert error["C"] == "23503" and 'constraint "line_items' in error["M"] and '"orders"' in error["D"]
    assert not error_of(conn.ask(query("SELECT 1")))


def test_missing_parent_in_a_transaction(conn):
    conn.ask(query("BEGIN"))
    assert conn.ask(query("INSERT INTO line_items (order_id) VALUES (777777)"))[-1][1] == b"E"
    assert error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (1)")))["C"] == "25P02"
    assert conn.ask(query("ROLLBACK"))[-1][1] == b"I"


@pytest.mark.parametrize("sql", ["INSERT INTO line_items (order_id) VALUES ('abc')", "INSERT INTO line_items (order_id) VALUES ('ä'), ('99999999999999999999')",
                                 "INSERT INTO line_items (quantity, order_id) VALUES (1, 1/0)"])
def test_wrong_key(conn, direct, sql):
    """The server's own error, in its place."""
    for conns in (conn, direct):
        conns.ask(query("SET client_min_messages = error"))
    seen, expected = error_of(conn.ask(query(sql))), error_of(direct.ask(query(sql)))
    assert {code: seen.get(code) for code in "CMP"} == {code: expected.get(code) for code in "CMP"}
    assert conn.ask(query("SELECT 1"))[-1][1] == b"I"


def test_wrong_key_in_a_pipeline(conn):
    """What stands behind it is skipped up to the client's own Sync."""
    messages = conn.ask(parse(INSERT) + bind(["abc", "1"]) + execute() + bind(["1", "1"]) + execute() + sync()
                        + parse("SELECT 1") + bind() + execute() + sync(), 2)
    assert wire.kinds(messages) == "1EZ12DCZ" and error_of(messages)["C"] == "22P02"


def test_null_key(conn):
    for ask in (query("INSERT INTO line_items (order_id) VALUES (NULL::int)"), parse(INSERT) + bind([None, "1"]) + execute() + sync()):
        error = error_of(conn.ask(ask))
        assert error["C"] == "23502" and "line_items" in error["M"]


def test_session_tenant(resolving, conn):
    last = resolving.last_id()
    conn.ask(query("SET shardferry.tenant = '6'"))
    conn.ask(query("INSERT INTO line_items (order_id, quantity) VALUES (NULL, 1)"))
    conn.ask(parse(INSERT) + bind([None, "1"]) + execute() + sync())
    conn.ask(query("INSERT INTO line_items (order_id) VALUES (5)"))  # of store 6
    assert error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (6)")))["C"] == "23503"
    assert resolving.stores_since(last) == [(None, 6), (None, 6), (5, 6)]


def test_wrong_number_of_parameters(conn):
    error = error_of(conn.ask(parse(INSERT) + bind(["1"]) + execute() + sync()))
    assert error["C"] == "08P01" and error["M"] == 'bind message supplies 1 parameters, but prepared statement "" requires 2'


def test_cursor_in_an_unnamed_portal_survives(resolving, conn):
    messages = conn.ask(
        parse("SELECT generate_series(1, 4)") + bind() + execute("", 2)
        + parse(INSERT, "child") + bind(["61", "1"], "elsewhere", "child") + execute("elsewhere") + execute("", 2) + sync())
    assert wire.kinds(messages) == "12DDs12CDDsZ"


@pytest.fixture
def locked(resolving):
    """Nobody can look an order up; release() ends that."""
    holder = psycopg.connect(**resolving.server.endpoint(resolving.database).keywords())
    holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
    yield holder.rollback
    holder.close()


def waiting_pid(resolving):
    for _ in range(200):
        found = resolving.execute("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
        if found:
            return found[0][0]
        time.sleep(0.02)
    raise AssertionError("nobody waits for the lock")


def test_cancel_during_a_lookup(resolving, locked):
    with psycopg.connect(autocommit=True, **resolving.proxy.endpoint().keywords()) as conn:
        canceller = threading.Thread(target=lambda: (waiting_pid(resolving), conn.cancel()))
        canceller.start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute("INSERT INTO line_items (order_id) VALUES (%s)", (71,))
        canceller.join()
        locked()
        conn.execute("INSERT INTO line_items (order_id) VALUES (%s)", (71,))


def test_server_dies_during_a_lookup(resolving, locked):
    with psycopg.connect(autocommit=True, **resolving.proxy.endpoint().keywords()) as conn:
        killer = threading.Thread(target=lambda: resolving.execute("SELECT pg_terminate_backend(%s)", (waiting_pid(resolving),)))
        killer.start()
        with pytest.raises(psycopg.OperationalError, match="terminating connection"):
            conn.execute("INSERT INTO line_items (order_id) VALUES (72)")
        killer.join()


def test_messages_that_come_during_a_lookup(resolving, locked):
    """A notification and what the client pipelined meanwhile."""
    with Wire(resolving.proxy.endpoint()) as conn:
        conn.ask(query("LISTEN news"))
        conn.send(query("INSERT INTO line_items (order_id) VALUES (73)"))
        waiting_pid(resolving)
        resolving.execute("NOTIFY news, 'once'")
        conn.send(query("SELECT 'behind'"))
        locked()
        assert sorted(wire.kinds(conn.until("Z", count=2))) == sorted("ACZTDCZ")


def test_client_leaves_during_a_lookup(resolving, locked):
    conn = Wire(resolving.proxy.endpoint())
    conn.send(query("INSERT INTO line_items (order_id) VALUES (74)"))
    waiting_pid(resolving)
    conn.close()
    locked()
    assert resolving.proxy.is_alive()


def test_prepared_by_sql(conn):
    """A PREPARE by itself does no harm; what it prepared is refused when it is executed, wherever."""
    assert not error_of(conn.ask(query("PREPARE p AS INSERT INTO line_items (order_id, quantity) VALUES (NULL, $1)")))
    for sql in ("EXECUTE p (1)", "SELECT 1; EXECUTE p (1)",
                "PREPARE q AS INSERT INTO line_items (order_id) VALUES (NULL); EXECUTE q"):
        error = error_of(conn.ask(query(sql)))
        assert error["C"] == "23502" and "tenant of a row" in error["M"], sql


def test_prepared_and_executed_at_once(resolving, conn):
    """Simple queries sent without waiting for each other."""
    last = resolving.last_id()
    messages = conn.ask(query("PREPARE a AS INSERT INTO line_items (quantity) VALUES ($1)") + query("EXECUTE a (1)")
                        + query("PREPARE b AS INSERT INTO line_items (order_id) VALUES ($1)") + query("EXECUTE b (81)"), 4)
    assert wire.kinds(messages) == "CZEZCZCZ" and "tenant of a row" in error_of(messages)["M"]
    added(resolving, last, [81])
