"""While the migration tries for a lock, proxies hold what would begin a transaction on its tables: for a bounded time, without
an error, and never a transaction that is under way."""

import contextlib
import os
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import ROOT, run_command
from harness.wire import Wire, bind, cancel, close, describe, error_of, execute, flush, parse, query, rows, sync

CHANNEL = "shardferry_request"
LONG = 20_000
READ = "SELECT 'read', count(*) FROM line_items WHERE line_item_id < 0"
WRITE = "INSERT INTO line_items (order_id, quantity) VALUES (7, 78)"


def run_sql(conn, name, *params):
    """A statement of the program's own."""
    with open(os.path.join(ROOT, "catalog", "sql", f"{name}.sql"), "rb") as file:
        result = conn.pgconn.exec_params(file.read(), [str(param).encode() for param in params])
    assert not result.error_message, result.error_message


class Runner:
    """Asks as the runner does."""

    def __init__(self, migration):
        self.conn = migration.server.connect(migration.database)

    def hold(self, *tables, ms=LONG):
        run_sql(self.conn, "request_hold", ms, "{" + ",".join(f'{{"public","{table}"}}' for table in tables) + "}", CHANNEL)
        time.sleep(0.05)

    def release(self):
        run_sql(self.conn, "request_release", CHANNEL)


@pytest.fixture
def runner(derived):
    made = Runner(derived)
    yield made
    made.release()
    made.conn.close()
    time.sleep(0.05)


def is_silent(conn, seconds=0.15):
    """Nothing comes for so long."""
    conn.socket.settimeout(seconds)
    try:
        return not conn.socket.recv(1)
    except TimeoutError:
        return True
    finally:
        conn.socket.settimeout(10)


def extended(sql):
    return parse(sql) + bind() + describe("P") + execute() + sync()


PROTOCOLS = {"simple": query, "extended": extended}
both_protocols = pytest.mark.parametrize("protocol", PROTOCOLS)


HELD = [
    READ,
    WRITE,
    "UPDATE orders SET status = status WHERE order_id = -1",  # its children are looked for
    "SELECT application_function()",
    "DO $$ BEGIN END $$",
    "EXPLAIN " + READ,
    "PREPARE unused AS " + READ,
    "COPY line_items TO STDOUT",
    "LOCK TABLE line_items",
]


@pytest.mark.parametrize("protocol, sql", [("simple", "SELECT 1; " + READ)] + [(protocol, sql) for protocol in PROTOCOLS for sql in HELD])
def test_held_until_released(derived, runner, protocol, sql):
    """Nothing of it reaches the server before; what comes behind it waits in its order."""
    with Wire(derived.proxy.endpoint()) as conn:
        runner.hold("line_items")
        conn.send(PROTOCOLS[protocol](sql) + query("SELECT 'behind'"))
        assert is_silent(conn)
        assert derived.execute("SELECT count(*) FROM pg_locks WHERE relation = 'line_items'::regclass AND pid = %s", (conn.pid,)) == [(0,)]
        runner.release()
        conn.until("Z")
        assert rows(conn.until("Z")) == [[b"behind"]]
        assert conn.ask(query("ROLLBACK; DEALLOCATE ALL"))


@both_protocols
@pytest.mark.parametrize("sql", [
    "SELECT count(*) FROM orders",  # another table, though it is the parent
    "SELECT 'x'",
    "BEGIN",
    "SET search_path = public",
    "INSERT INTO stores (name) VALUES ('one')",
    "VALUES (now())",
])
def test_goes_on(derived, runner, protocol, sql):
    with Wire(derived.proxy.endpoint()) as conn:
        runner.hold("line_items")
        started = time.monotonic()
        assert not error_of(conn.ask(PROTOCOLS[protocol](sql)))
        assert time.monotonic() - started < 1


def test_view_partition_and_child(server, make_proxy):
    """What stands behind a name is held by it; and a child, whose keys are looked up in the table."""
    database = server.create_database()
    try:
        server.execute("CREATE TABLE stores (store_id int PRIMARY KEY);"
                       "CREATE TABLE parts (store_id int NOT NULL REFERENCES stores, id int, PRIMARY KEY (store_id, id)) PARTITION BY HASH (store_id);"
                       "CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0);"
                       "CREATE VIEW seen AS SELECT id FROM parts; CREATE VIEW \"See\"\"n\" AS SELECT id FROM seen;"
                       "CREATE TABLE \"Odd {\"\"one\" (store_id int, id int, FOREIGN KEY (store_id, id) REFERENCES parts)", None, database)
        proxy = make_proxy(dbname=database, tables="")
        proxy.wait_for_catalog("parts")
        assert run_command("migrate", "--to", "derive", "--yes", "-c", proxy.config).returncode == 0
        with server.connect(database) as conn, Wire(proxy.endpoint()) as wire:
            for table, sql in (("parts", "SELECT FROM seen"), ("parts", 'SELECT FROM "See""n"'), ("parts", "SELECT FROM parts_0"),
                               ("parts", 'DELETE FROM "Odd {""one"'), ('Odd {\\"one', 'SELECT FROM "Odd {""one"')):
                run_sql(conn, "request_hold", LONG, f'{{{{"public","{table}"}}}}', CHANNEL)
                time.sleep(0.05)
                wire.send(query(sql))
                assert is_silent(wire, 0.1), sql
                run_sql(conn, "request_release", CHANNEL)
                assert not error_of(wire.until("Z"))
    finally:
        proxy.kill()
        server.drop_database(database)


def test_transaction_under_way_goes_on(derived, runner):
    """It may have the lock that the runner waits for; one that has only begun has none."""
    with Wire(derived.proxy.endpoint()) as has_lock, Wire(derived.proxy.endpoint()) as has_other, Wire(derived.proxy.endpoint()) as only_begun:
        has_lock.ask(query("BEGIN") + query(READ), 2)
        has_other.ask(query("BEGIN; SELECT count(*) FROM stores"))
        only_begun.ask(query("BEGIN ISOLATION LEVEL REPEATABLE READ") + query("SET LOCAL work_mem = '1MB'"), 2)
        runner.hold("line_items")
        for conn in (has_lock, has_other):
            assert not error_of(conn.ask(query(WRITE) + query(READ) + extended(READ) + query("ROLLBACK"), 4))
        only_begun.send(query(READ))
        assert is_silent(only_begun)
        # Behind its end the next transaction is a new one.
        has_lock.send(query(READ))
        assert is_silent(has_lock)
        runner.release()
        assert not error_of(has_lock.until("Z")) and not error_of(only_begun.until("Z"))


def test_extended_batch_under_way_goes_on(derived, runner):
    """What Parse, Describe or Bind has locked stays so until Sync."""
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(parse(READ, "kept") + sync())
        for first, ends in ((parse(READ) + flush(), "1"), (describe("S", "kept") + flush(), "T"),
                            (bind(name="kept") + flush(), "2")):
            conn.send(first)
            conn.until(ends)
            runner.hold("line_items")
            assert not error_of(conn.ask(bind(name="kept") + execute() + sync()))
            conn.send(bind(name="kept") + execute() + sync())
            assert is_silent(conn)
            runner.release()
            assert rows(conn.until("Z")) == [[b"read", b"0"]]


def test_begin_and_statement_in_one_batch(derived, runner):
    """As JDBC sends them."""
    with Wire(derived.proxy.endpoint()) as conn:
        runner.hold("line_items")
        conn.send(parse("BEGIN") + bind() + execute() + parse(WRITE) + bind() + describe("P") + execute() + sync() + extended("COMMIT"))
        assert is_silent(conn)
        runner.release()
        assert not error_of(conn.until("Z")) and not error_of(conn.until("Z"))


def test_prepared_by_sql(derived, runner):
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(query(f"PREPARE reads AS {READ}; PREPARE other AS SELECT 'other'"))
        runner.hold("line_items")
        assert rows(conn.ask(query("EXECUTE other"))) == [[b"other"]]
        for send in (query, extended):
            runner.hold("line_items")
            conn.send(send("EXECUTE reads"))
            assert is_silent(conn)
            runner.release()
            assert rows(conn.until("Z")) == [[b"read", b"0"]]


def test_copy(derived, runner):
    with psycopg.connect(autocommit=True, **derived.proxy.endpoint().keywords()) as conn:
        last = derived.last_id()
        with conn.cursor().copy("COPY line_items (order_id, quantity) FROM STDIN") as copy:
            copy.write_row((3, 1))
            runner.hold("line_items")
            copy.write_row((4, 1))
        threading.Timer(0.3, runner.release).start()
        started = time.monotonic()
        with conn.cursor().copy("COPY line_items (order_id, quantity) FROM STDIN") as copy:
            copy.write_row((5, 1))
        assert time.monotonic() - started > 0.2
    assert [order for order, _ in derived.stores_since(last)] == [3, 4, 5]


def test_ends_by_itself(derived, runner):
    """A runner that is killed holds nobody for longer than it asked for; and a lost control connection does not prolong it."""
    with Wire(derived.proxy.endpoint()) as conn:
        runner.hold("line_items", ms=400)
        derived.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = 'shardferry control'",
                               (derived.database,), "postgres")
        started = time.monotonic()
        assert not error_of(conn.ask(query(READ)))
        assert 0.2 < time.monotonic() - started < 1
        assert not error_of(conn.ask(query(READ)))
    process.wait_until(lambda: derived.proxy.console("SHOW CATALOG")[0]["connected"] == "t", 20, "the control connection to be back")


@both_protocols
def test_cancel_while_held(derived, runner, protocol):
    """Answered at once, as if it had been running; what comes next is not hit."""
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        runner.hold("line_items")
        conn.send(PROTOCOLS[protocol](WRITE))
        assert is_silent(conn)
        with Wire(derived.proxy.endpoint(), connect=False) as asking:
            asking.send(cancel(conn.pid, conn.key))
            assert asking.exactly(1) == b""
        messages = conn.until("Z")
        assert error_of(messages)["C"] == "57014" and messages[-1][1] == b"E"
        assert rows(conn.ask(query("ROLLBACK") + query("SELECT pg_sleep(0.2)::text, 'on'"), 2)) == [[b"", b"on"]]
        # What was cancelled is not held on.
        assert conn.ask(close("S") + sync())


def test_client_gone_while_held(derived, runner):
    """What nobody waits for is not executed later."""
    last = derived.last_id()
    with Wire(derived.proxy.endpoint()) as conn:
        runner.hold("line_items")
        conn.send(query(WRITE))
        assert is_silent(conn)
    process.wait_until(lambda: len(derived.proxy.console("SHOW CLIENTS")) == 1, 5, "the session to end")
    runner.release()
    time.sleep(0.1)
    assert derived.stores_since(last) == []


def test_pipeline(derived, runner):
    """A thousand statements, each a transaction, behind one that is held: in their order, each once."""
    last = derived.last_id()
    with Wire(derived.proxy.endpoint(), timeout=30) as conn:
        runner.hold("line_items")
        for n in range(1000):
            conn.send(extended(f"INSERT INTO line_items (order_id, quantity) VALUES ({1 + n % 200}, {n})") if n % 2 else
                      query(f"INSERT INTO line_items (order_id, quantity) VALUES ({1 + n % 200}, {n})"))
        assert is_silent(conn)
        runner.release()
        for _ in range(1000):
            assert not error_of(conn.until("Z"))
    written = derived.execute("SELECT quantity, order_id, store_id FROM line_items WHERE line_item_id > %s ORDER BY line_item_id", (last,))
    assert written == [(n, 1 + n % 200, tailspin.store_of(1 + n % 200)) for n in range(1000)]


def test_many_idle_clients_and_other_databases(derived, runner, server):
    """They notice nothing."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Wire(derived.proxy.endpoint())) for _ in range(60)]
        other = stack.enter_context(Wire(derived.proxy.endpoint("app")))
        runner.hold("line_items")
        assert not error_of(other.ask(query(READ)))
        for conn in clients:
            conn.send(query(READ))
        runner.release()
        for conn in clients:
            assert rows(conn.until("Z")) == [[b"read", b"0"]]


# With the runner


def quarrel(proxy, stop, problems, slowest, number):
    """Transactions of a few statements, one of which always has the table when there are eight who do so."""
    try:
        with psycopg.connect(**proxy.endpoint().keywords()) as conn:
            while not stop.is_set():
                started = time.monotonic()
                with conn.transaction():
                    conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (%s, 5)", (1 + number,))
                    conn.execute("SELECT pg_sleep(0.03)")
                    conn.execute("SELECT count(*) FROM line_items WHERE order_id = %s", (1 + number,))
                slowest[number] = max(slowest[number], time.monotonic() - started)
    except Exception as problem:  # noqa: BLE001  whatever it is, the test names it
        problems.append(repr(problem))


@pytest.mark.parametrize("hold", ["500ms", "0"], ids=["holding", "not holding"])
def test_lock_among_eight_writers(migration, hold):
    """The column is added while somebody always has the table: the writers see some milliseconds, and no error."""
    migration.proxy.configure({"migration.lock_hold": hold})
    stop, problems, slowest = threading.Event(), [], [0.0] * 8
    writers = [threading.Thread(target=quarrel, args=(migration.proxy, stop, problems, slowest, n)) for n in range(8)]
    for writer in writers:
        writer.start()
    try:
        time.sleep(0.3)
        done = migration.derive()
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not problems and "add column store_id to public.line_items" in done.stdout
    assert max(slowest) < 5
    if hold != "0":
        assert max(slowest) < 1.5
