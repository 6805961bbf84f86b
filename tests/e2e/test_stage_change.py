"""Statements prepared before the stage changed are prepared anew, unseen, and sessions are not disturbed."""

import asyncio
import threading

import asyncpg
import psycopg
import pytest

from harness import wire
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import Wire, bind, close, describe, error_of, execute, parse, query, rows, sync

INSERT = "INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)"


def store_check(migration, last, orders):
    assert migration.stores_since(last) == [(order, store_of(order)) for order in orders]


def test_named_statement(migration):
    """Its replies are those of a statement that was never touched."""
    with Wire(migration.proxy.endpoint()) as conn, Wire(migration.server.endpoint(migration.database)) as direct:
        for each in (conn, direct):
            each.ask(parse(INSERT, "s", [20, 20]) + parse("SELECT order_id, quantity FROM line_items WHERE order_id = $1 LIMIT 1", "r") + sync())
            each.ask(bind(["1", "1"], "", "s") + execute() + sync())
        migration.derive()
        last = migration.last_id()
        again = bind(["5", "1"], "", "s") + execute() + sync() + describe("S", "s") + describe("S", "r") + sync() \
            + bind(["5"], "", "r") + describe("P") + execute() + sync() + bind(["6", "2"], "", "s") + execute() + sync()
        through = conn.ask(again, 4)
        assert wire.kinds(through) == wire.kinds(direct.ask(again, 4))
        assert not error_of(through)
        assert rows(conn.ask(query("SELECT count(*) FROM pg_prepared_statements"))) == [[b"2"]]
    assert [row for row in migration.stores_since(last) if row[1] is not None] == [(5, store_of(5)), (6, store_of(6))]


def test_statement_in_a_pipeline(migration):
    """The first use in the new stage stands among other messages, an error ahead of it included."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(parse(INSERT, "s") + sync())
        migration.derive()
        last = migration.last_id()
        messages = conn.ask(
            parse("SELECT 1/0") + bind() + execute() + bind(["7", "1"], "", "s") + execute() + sync()
            + parse("SELECT 'a'") + bind() + execute() + bind(["8", "1"], "", "s") + execute() + bind(["9", "1"], "", "s") + execute()
            + sync() + query("SELECT 'b'"), 3)
        assert wire.kinds(messages) == "1EZ12DC2C2CZTDCZ"
    store_check(migration, last, [8, 9])


def test_statement_in_a_transaction_over_the_change(migration):
    """BEGIN in the old stage, INSERT in the new one, or the runner waits for the transaction: no row is without its store
    once migrate has returned."""
    with psycopg.connect(autocommit=True, **migration.proxy.endpoint().keywords()) as conn:
        conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (%s, %s)", (1, 1), prepare=True)
        migrating = threading.Thread(target=migration.derive)
        with conn.transaction():
            conn.execute("SELECT 1")
            migrating.start()
            migrating.join(3)
        migrating.join(60)
        last = migration.last_id()
        with conn.transaction():
            conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (%s, %s)", (3, 1), prepare=True)
    store_check(migration, last, [3])


def test_aborted_transaction(migration):
    """A Parse within an aborted transaction would be refused: the client gets what it would get anyway."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(parse(INSERT, "s") + sync())
        migration.derive()
        last = migration.last_id()
        conn.ask(query("BEGIN; SELECT 1/0"))
        assert error_of(conn.ask(bind(["1", "1"], "", "s") + execute() + sync()))["C"] == "25P02"
        conn.ask(query("ROLLBACK"))
        assert not error_of(conn.ask(bind(["2", "1"], "", "s") + execute() + sync()))
    store_check(migration, last, [2])


def test_closed_statement_stays_closed(migration):
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(parse(INSERT, "s") + parse(INSERT, "t") + sync())
        conn.ask(close("S", "s") + sync())
        conn.ask(query("DEALLOCATE t"))
        migration.derive()
        for name in ("s", "t"):
            assert error_of(conn.ask(bind(["1", "1"], "", name) + sync()))["C"] == "26000"


def test_name_is_taken_still(migration):
    """A name in use is refused with 42P05 in the new stage as well."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(parse(INSERT, "s") + sync())
        migration.derive()
        assert error_of(conn.ask(parse("SELECT 1", "s") + sync()))["C"] == "42P05"


def test_unnamed_statement(migration):
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(parse(INSERT) + sync())
        migration.derive()
        last = migration.last_id()
        messages = conn.ask(bind(["4", "1"]) + execute() + sync())
        assert not error_of(messages) and wire.kinds(messages) == "2CZ"
    store_check(migration, last, [4])


def extended(sql):
    return parse(sql) + bind() + execute() + sync()


@pytest.mark.parametrize("prepare", [query, extended])
@pytest.mark.parametrize("run", [query, extended])
def test_sql_prepare(migration, prepare, run):
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(prepare("PREPARE p (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)"))
        conn.ask(prepare("PREPARE q AS INSERT INTO line_items (order_id) VALUES (1) -- one"))
        conn.ask(prepare("DEALLOCATE q"))
        conn.ask(prepare("PREPARE q AS INSERT INTO line_items (order_id) VALUES (112) -- longer"))
        migration.derive()
        last = migration.last_id()
        for sql in ("EXECUTE p(11)", "EXECUTE q", "EXECUTE p(13)"):
            messages = conn.ask(run(sql))
            assert wire.kinds(messages) == ("CZ" if run is query else "12CZ") and not error_of(messages)
    store_check(migration, last, [11, 112, 13])


def test_sql_execute_beside_an_insert(migration):
    """The text of what is executed is not taken for the INSERT's."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(query("PREPARE q AS SELECT 'a long literal', 1234567890, 'and another'"))
        migration.derive()
        last = migration.last_id()
        for order in (5, 177, 23):
            messages = conn.ask(query(f"INSERT INTO line_items (quantity, order_id) VALUES (length('{'x' * order}'), {order}); EXECUTE q"))
            assert not error_of(messages)
    store_check(migration, last, [5, 177, 23])


def test_sql_prepare_behind_an_error(migration):
    """What the server skips is sent again; the application's error is its own."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(query("PREPARE p (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)"))
        migration.derive()
        last = migration.last_id()
        one = lambda sql: parse(sql) + bind() + execute()  # noqa: E731
        messages = conn.ask(one("SELECT 1/0") + one("EXECUTE p(1)") + one("EXECUTE p(2)") + sync())
        assert error_of(messages)["C"] == "22012" and wire.kinds(messages) == "1EZ"
        messages = conn.ask(one("EXECUTE p(3)") + one("EXECUTE p('x')") + one("EXECUTE p(4)") + sync())
        assert error_of(messages)["C"] == "22P02"
        messages = conn.ask(one("EXECUTE p(5)") + sync() + one("EXECUTE p(6)") + sync(), 2)
        assert wire.kinds(messages) == "12CZ" * 2
        conn.ask(query("DEALLOCATE p"))
        assert error_of(conn.ask(one("EXECUTE p(7)") + sync()))["C"] == "26000"
    store_check(migration, last, [5, 6])


def test_psycopg(migration):
    with psycopg.connect(autocommit=True, prepare_threshold=0, **migration.proxy.endpoint().keywords()) as conn:
        insert = "INSERT INTO line_items (order_id, quantity) VALUES (%s, %s)"
        select = "SELECT quantity FROM line_items WHERE order_id = %s"
        conn.execute(insert, (1, 1))
        conn.execute(select, (1,))
        migration.derive()
        last = migration.last_id()
        for order in range(1, 30):
            assert conn.execute(insert, (order, 1)).rowcount == 1
            assert conn.execute(select, (order,)).fetchall()
    store_check(migration, last, list(range(1, 30)))


def test_psycopg_pipeline(migration):
    with psycopg.connect(autocommit=True, prepare_threshold=0, **migration.proxy.endpoint().keywords()) as conn:
        insert = "INSERT INTO line_items (order_id, quantity) VALUES (%s, %s)"
        conn.execute(insert, (1, 1))
        migration.derive()
        last = migration.last_id()
        with conn.pipeline():
            for order in range(1, 50):
                conn.execute(insert, (order, 1))
    store_check(migration, last, list(range(1, 50)))


def test_asyncpg(migration):
    """It keeps statements of its own and describes each before use."""
    endpoint = migration.proxy.endpoint()

    async def run():
        conn = await asyncpg.connect(host=endpoint.host, port=endpoint.port, user=endpoint.user, database=endpoint.dbname, ssl=False)
        statement = await conn.prepare(INSERT)
        await statement.fetch(1, 1)
        await conn.execute(INSERT, 1, 1)
        await asyncio.get_running_loop().run_in_executor(None, migration.derive)
        last = migration.last_id()
        for order in range(1, 20):
            await statement.fetch(order, 1)
            await conn.execute(INSERT, order, 1)
        await conn.executemany(INSERT, [(order, 1) for order in range(20, 40)])
        await conn.close()
        return last

    last = asyncio.run(run())
    store_check(migration, last, [order for order in range(1, 20) for _ in "ab"] + list(range(20, 40)))


@pytest.mark.limit(90)
def test_under_load(migration):
    """Several clients insert without pause while the stage changes: no error, and not a row without its store from the
    moment that migrate has returned."""
    stop = threading.Event()
    problems, counts = [], []

    def work(number):
        try:
            with psycopg.connect(autocommit=True, **migration.proxy.endpoint().keywords()) as conn:
                conn.prepare_threshold = 0 if number % 2 else None
                count = 0
                while not stop.is_set():
                    with conn.transaction():
                        order = conn.execute("INSERT INTO orders (store_id) VALUES (%s) RETURNING order_id", (1 + count % 20,)).fetchone()[0]
                        conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (%s, 1), (%s, 2)", (order, order))
                    count += 1
                counts.append(count)
        except Exception as problem:  # noqa: BLE001  whatever it is, the test names it
            problems.append(repr(problem))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    try:
        migration.derive()
        last = migration.last_id()
        threading.Event().wait(1)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert not problems
    assert sum(counts) > 20
    # Ids are taken from a sequence before the row is written: rows around `last` may be of either side.
    wrong = [row for row in migration.execute(WRONG_ROWS) if row[0] > last + 100]
    assert wrong == []
    assert migration.last_id() > last + 100


@pytest.mark.parametrize("sent", [parse("INSERT INTO products (name) VALUES ('x')", "s"), parse("SELECT 1") + bind() + execute()],
                         ids=["parse", "select"])
def test_client_that_waits_without_sync(migration, sent):
    """It has asked for nothing to be answered; the proxy acknowledges all the same."""
    with Wire(migration.proxy.endpoint()) as conn:
        conn.send(sent)
        migration.derive()
        assert conn.ask(sync())[-1][0] == "Z"
