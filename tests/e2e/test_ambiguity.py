"""Statements whose names and joins the new tenant column would change: they go on meaning what they meant, at every stage,
whether the column is hidden or not."""

import psycopg
import pytest

from harness import tailspin
from harness.migration import Migration
from harness.proxy import run_command
from harness.wire import Wire, bind, error_of, execute, parse, query, rows, sync

STAGES = ["observe", "derive", "keyed", "resolve"]

# None of them changes anything; each has one order of rows.
READS = [
    "SELECT line_item_id FROM line_items JOIN orders USING (order_id) WHERE store_id = 5 ORDER BY line_item_id",
    "SELECT store_id, count(*) FROM orders, line_items WHERE line_items.order_id = orders.order_id GROUP BY store_id ORDER BY store_id",
    "SELECT order_id FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id AND store_id = 7) ORDER BY 1",
    "SELECT order_id, (SELECT count(*) FROM line_items WHERE order_id = orders.order_id AND store_id < 4) FROM orders ORDER BY 1",
    "SELECT count(*), sum(quantity) FROM orders NATURAL JOIN line_items",
    "SELECT line_item_id, status FROM line_items NATURAL LEFT JOIN orders WHERE store_id = 3 ORDER BY line_item_id",
    "SELECT name, line_item_id FROM line_items JOIN orders USING (order_id) JOIN stores USING (store_id) ORDER BY line_item_id",
    "SELECT x.store_id, x.line_item_id FROM (SELECT * FROM line_items JOIN orders USING (order_id)) x ORDER BY line_item_id",
    "WITH c AS (SELECT * FROM line_items) SELECT line_item_id, store_id FROM c JOIN orders USING (order_id) ORDER BY 1",
    "SELECT (SELECT o.store_id FROM orders o WHERE o.order_id = l.order_id) AS store_id, count(*) FROM line_items l "
    "GROUP BY store_id ORDER BY store_id",
    "SELECT line_item_id FROM line_items l JOIN orders o ON l.order_id = o.order_id ORDER BY store_id, line_item_id",
]

WRITES = [
    "UPDATE line_items SET quantity = quantity + 1 FROM orders o WHERE o.order_id = line_items.order_id AND store_id = 5 RETURNING store_id",
    "DELETE FROM line_items USING orders WHERE orders.order_id = line_items.order_id AND store_id = 6",
    "UPDATE orders SET status = 'Big' WHERE (SELECT sum(quantity) FROM line_items l WHERE l.order_id = orders.order_id AND store_id < 9) > 1",
    "INSERT INTO line_items (order_id, quantity) SELECT order_id, 77 FROM orders NATURAL JOIN line_items WHERE store_id = 8",
    "INSERT INTO line_items (order_id, quantity) VALUES ((SELECT max(order_id) FROM orders JOIN line_items USING (order_id) "
    "WHERE store_id = 2), 78)",
    "MERGE INTO line_items l USING orders o ON l.order_id = o.order_id AND store_id = 4 WHEN MATCHED THEN UPDATE SET quantity = 9",
]

TABLES = ("SELECT order_id, quantity, count(*) FROM line_items GROUP BY 1, 2 ORDER BY 1, 2", "SELECT * FROM orders ORDER BY 1")


@pytest.fixture(params=[False, True], ids=["shown", "hidden"])
def moving(request, server, authority, monkeypatch):
    """A database of the test's own, in stage observe; with hide_tenant_column off and on."""
    if request.param:
        monkeypatch.setattr(tailspin, "TABLES", tailspin.TABLES + "hide_tenant_column = on\n")
    made = Migration(server, authority)
    yield made
    made.close()


def stages(migration):
    """Goes through all stages, from observe on."""
    yield "observe"
    for stage in STAGES[1:]:
        getattr(migration, stage)()
        yield stage


def answer(cursor):
    return [(column.name, column.type_code) for column in cursor.description], cursor.fetchall()


def effect(conn, sql, **options):
    """What a write returns and leaves behind, before it is undone."""
    with conn.transaction(force_rollback=True):
        cursor = conn.execute(sql, **options)
        returned = sorted(cursor.fetchall()) if cursor.description else None
        return cursor.statusmessage, returned, [conn.execute(table).fetchall() for table in TABLES]


def test_reads_at_every_stage(moving):
    """Simple and extended; the extended statements stay prepared over the changes."""
    with psycopg.connect(autocommit=True, **moving.server.endpoint(moving.database).keywords()) as direct:
        expected = [answer(direct.execute(sql)) for sql in READS]
    assert all(found for _, found in expected)
    with psycopg.connect(autocommit=True, **moving.proxy.endpoint().keywords()) as conn:
        for stage in stages(moving):
            for sql, wanted in zip(READS, expected):
                with psycopg.ClientCursor(conn) as simple:
                    assert answer(conn.execute(sql, prepare=True)) == wanted, (stage, sql)
                    assert answer(simple.execute(sql)) == wanted, (stage, sql)


def test_before_and_after_the_backfill(moving):
    """The column is there and empty, then half full: the old names do not mean it."""
    with psycopg.connect(autocommit=True, **moving.proxy.endpoint().keywords()) as conn:
        expected = [answer(conn.execute(sql)) for sql in READS]
        moving.derive()
        moving.execute("UPDATE line_items SET store_id = NULL")
        for filled in (0, 200, 400):
            moving.execute("UPDATE line_items l SET store_id = o.store_id FROM orders o "
                           "WHERE o.order_id = l.order_id AND line_item_id <= %s", (filled,))
            assert [answer(conn.execute(sql)) for sql in READS] == expected, filled


def test_writes(moving):
    with psycopg.connect(autocommit=True, **moving.server.endpoint(moving.database).keywords()) as direct:
        expected = [effect(direct, sql) for sql in WRITES]
    with psycopg.connect(autocommit=True, **moving.proxy.endpoint().keywords()) as conn:
        for stage in stages(moving):
            for sql, wanted in zip(WRITES, expected):
                assert effect(conn, sql, prepare=True) == wanted, (stage, sql)


def test_prepared_in_sql(moving):
    with Wire(moving.proxy.endpoint()) as conn:
        conn.ask(query("PREPARE p (bigint) AS SELECT line_item_id FROM line_items NATURAL JOIN orders WHERE store_id = $1 ORDER BY 1"))
        expected = rows(conn.ask(query("EXECUTE p (5)")))
        assert expected
        for stage in stages(moving):
            answered = conn.ask(query("EXECUTE p (5)"))
            assert not error_of(answered) and rows(answered) == expected, stage


def test_position_of_an_error(moving):
    """The server's position is in the longer text, the client's in its own."""
    text = "SELECT 1 FROM orders NATURAL JOIN line_items WHERE store_id = 5 AND nosuch = 1"
    with Wire(moving.proxy.endpoint()) as conn:
        moving.derive()
        for each in (query(text), parse(text) + sync()):
            error = error_of(conn.ask(each))
            assert (error["C"], int(error["P"])) == ("42703", text.index("nosuch") + 1)


def test_written_for_the_column(moving):
    """An application that knows of the column says so as it likes."""
    with psycopg.connect(autocommit=True, **moving.proxy.endpoint().keywords()) as conn:
        moving.derive()
        moving.execute("UPDATE line_items SET store_id = 5 WHERE line_item_id = 1")
        assert conn.execute("SELECT line_item_id FROM line_items WHERE store_id = 5 AND line_item_id < 3").fetchall() == [(1,)]
        assert conn.execute("SELECT count(*) FROM stores WHERE store_id = 5 AND EXISTS "
                            "(SELECT 1 FROM line_items WHERE store_id = stores.store_id AND line_item_id = 2)").fetchone() == (0,)


def test_unnamed_statement_over_the_change(moving):
    """Parse before, Bind after."""
    with Wire(moving.proxy.endpoint()) as conn:
        conn.ask(parse("SELECT count(*) FROM line_items JOIN orders USING (order_id) WHERE store_id = 5") + sync())
        moving.derive()
        answered = conn.ask(bind() + execute() + sync())
        assert not error_of(answered) and int(rows(answered)[0][0]) == 20


def test_lint(tmp_path):
    """What the proxy would send."""
    (tmp_path / "schema.sql").write_text(tailspin.SCHEMA)
    (tmp_path / "lint.ini").write_text("[tenant]\ntable = stores\ncolumn = store_id\n\n" + tailspin.TABLES)
    (tmp_path / "script.sql").write_text("SELECT 1 FROM line_items l JOIN orders o USING (order_id) WHERE store_id = 5;\n")
    done = run_command("lint", "-c", str(tmp_path / "lint.ini"), "--json", "--schema", str(tmp_path / "schema.sql"),
                       str(tmp_path / "script.sql"))
    assert '"rewritten":"SELECT 1 FROM line_items l JOIN orders o USING (order_id) WHERE o.store_id = 5"' in done.stdout.replace('": "', '":"')
