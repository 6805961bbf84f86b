"""hide_tenant_column: a client sees the columns that it knew before the tenant column was added, in their places, at
every stage, and statements prepared before stay valid."""

import asyncio
import json

import asyncpg
import psycopg
import pytest

from harness import process, tailspin
from harness.migration import Migration
from harness.proxy import run_command
from harness.wire import Wire, bind, describe, error_of, execute, parse, query, rows, sync

COLUMNS = ["line_item_id", "product_id", "order_id", "quantity", "line_amount"]
STAGES = ["observe", "derive", "keyed", "resolve"]

# None of them changes anything; each has one order of rows.
READS = [
    "SELECT * FROM line_items ORDER BY line_item_id LIMIT 3",
    "SELECT*FROM line_items WHERE line_item_id=1",
    "SELECT l.*, 'x' FROM public.line_items AS l WHERE line_item_id < 3 ORDER BY 1",
    "SELECT (l).* FROM line_items l WHERE line_item_id = 2",
    "SELECT DISTINCT * FROM line_items WHERE order_id = 3 ORDER BY 1",
    "SELECT * FROM line_items x(a, b) WHERE a = 4",
    "SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE l.line_item_id < 4 ORDER BY l.line_item_id",
    "SELECT * FROM orders JOIN line_items USING (order_id) WHERE store_id = 5 ORDER BY line_item_id",
    "SELECT * FROM line_items LEFT JOIN products USING (product_id) WHERE line_item_id < 4 ORDER BY line_item_id",
    "SELECT * FROM line_items NATURAL JOIN orders WHERE store_id = 3 ORDER BY line_item_id",
    "SELECT * FROM line_items JOIN (SELECT order_id, store_id AS shop FROM orders) s USING (order_id) WHERE shop = 2 ORDER BY line_item_id",
    "SELECT * FROM (SELECT * FROM line_items WHERE order_id = 7) s ORDER BY 1",
    "WITH c AS (SELECT * FROM line_items WHERE order_id = 7) SELECT * FROM c ORDER BY 1",
    "SELECT * FROM line_items WHERE order_id = 7 UNION ALL SELECT * FROM line_items WHERE order_id = 8 ORDER BY 1",
    "SELECT status FROM orders WHERE (7, 8, order_id, 1, 1) IN (SELECT * FROM line_items) ORDER BY order_id",
    "TABLE line_items ORDER BY line_item_id LIMIT 2",
    "SELECT store_id, count(*) FROM orders, line_items WHERE line_items.order_id = orders.order_id GROUP BY store_id ORDER BY store_id",
]


@pytest.fixture
def hiding(server, authority, monkeypatch):
    """A database of the test's own, in stage observe; the proxy hides the column of line_items."""
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


def names(cursor):
    return [column.name for column in cursor.description]


def test_reads_at_every_stage(hiding):
    """Text and binary, simple and extended; the extended statements stay prepared over the changes."""
    with psycopg.connect(autocommit=True, **hiding.server.endpoint(hiding.database).keywords()) as direct:
        expected = [answer(direct.execute(sql)) for sql in READS]
    with psycopg.connect(autocommit=True, **hiding.proxy.endpoint().keywords()) as conn:
        for stage in stages(hiding):
            for sql, wanted in zip(READS, expected):
                with conn.cursor(binary=True) as binary, psycopg.ClientCursor(conn) as simple:
                    assert answer(conn.execute(sql, prepare=True)) == wanted, (stage, sql)
                    assert answer(binary.execute(sql, prepare=True)) == wanted, (stage, sql)
                    assert answer(simple.execute(sql)) == wanted, (stage, sql)


def test_described_as_before(hiding):
    """A named statement that a client described once: each later answer fits, byte for byte."""
    text = "SELECT * FROM line_items WHERE line_item_id = $1"
    with Wire(hiding.proxy.endpoint()) as conn, Wire(hiding.server.endpoint(hiding.database)) as direct:
        prepared = parse(text, "s", [20]) + describe("S", "s") + sync()
        used = bind(["7"], "", "s") + describe("P") + execute() + sync() + describe("S", "s") + sync()
        described = conn.ask(prepared)
        assert described == direct.ask(prepared)
        expected = direct.ask(used, 2)
        for stage in stages(hiding):
            answered = conn.ask(used, 2)
            assert answered == expected, stage
            assert not error_of(answered)


def test_unnamed_statement_over_the_change(hiding):
    """Parse and Describe before, Bind after."""
    with Wire(hiding.proxy.endpoint()) as conn:
        before = conn.ask(parse("SELECT * FROM line_items WHERE line_item_id = 7") + describe("S") + sync())
        hiding.derive()
        after = conn.ask(bind() + describe("P") + execute() + sync())
        assert not error_of(after)
        assert [payload for kind, payload in after if kind == "T"] == [payload for kind, payload in before if kind == "T"]
        assert len(rows(after)[0]) == len(COLUMNS)


def test_cursors(hiding):
    """DECLARE, in SQL and by the driver, and one WITH HOLD that is open over the change."""
    with psycopg.connect(autocommit=True, **hiding.proxy.endpoint().keywords()) as conn:
        conn.execute("DECLARE held CURSOR WITH HOLD FOR SELECT * FROM line_items ORDER BY line_item_id")
        for stage in stages(hiding):
            with conn.transaction():
                conn.execute("DECLARE c SCROLL CURSOR FOR SELECT * FROM line_items ORDER BY line_item_id")
                cursor = conn.execute("FETCH 2 FROM c")
                assert names(cursor) == COLUMNS, stage
                assert [row[0] for row in cursor.fetchall()] == [1, 2]
                conn.execute("DECLARE b BINARY CURSOR FOR SELECT * FROM line_items WHERE line_item_id = 3")
                assert names(conn.execute("FETCH b")) == COLUMNS
                with conn.cursor("named") as named:
                    named.execute("SELECT * FROM line_items WHERE line_item_id = %s", (5,))
                    assert len(named.fetchone()) == len(COLUMNS)
            cursor = conn.execute("FETCH 1 FROM held")
            assert names(cursor) == COLUMNS and cursor.fetchone()[0] == STAGES.index(stage) + 1


def test_sql_prepare(hiding):
    with Wire(hiding.proxy.endpoint()) as conn:
        conn.ask(query("PREPARE p AS SELECT * FROM line_items WHERE line_item_id = $1"))
        for stage in stages(hiding):
            answered = conn.ask(query("EXECUTE p(3)"))
            assert not error_of(answered) and len(rows(answered)[0]) == len(COLUMNS), stage


def test_returning(hiding):
    """The row that is written has its store, the row that is returned has not."""
    with psycopg.connect(autocommit=True, **hiding.proxy.endpoint().keywords()) as conn:
        for stage in stages(hiding):
            inserted = conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (%s, 1) RETURNING *", (7,), prepare=True)
            assert names(inserted) == COLUMNS, stage
            row = inserted.fetchone()
            updated = conn.execute("UPDATE line_items SET quantity = 2 WHERE line_item_id = %s RETURNING *", (row[0],), prepare=True)
            assert names(updated) == COLUMNS, stage
            joined = conn.execute("UPDATE line_items l SET quantity = 3 FROM orders o WHERE o.order_id = l.order_id "
                                  "AND line_item_id = %s RETURNING *, l.*, o.status", (row[0],), prepare=True)
            assert names(joined)[:5] == COLUMNS and names(joined)[-6:] == [*COLUMNS, "status"], stage
            stored = hiding.stores_since(row[0] - 1) if stage != "observe" else [(7, tailspin.store_of(7))]
            assert stored[0] == (7, tailspin.store_of(7)), stage
            deleted = conn.execute("DELETE FROM line_items WHERE line_item_id = %s RETURNING *", (row[0],), prepare=True)
            assert names(deleted) == COLUMNS and deleted.fetchone() == (row[0], None, 7, 3, None), stage


def copied(conn, sql):
    with conn.cursor().copy(sql) as copy:
        return b"".join(bytes(block) for block in copy)


def test_copy_and_tables_made_from_it(hiding):
    with psycopg.connect(autocommit=True, **hiding.proxy.endpoint().keywords()) as conn:
        conn.execute("CREATE TABLE archive AS SELECT * FROM line_items WHERE false")
        expected = None
        for stage in stages(hiding):
            outputs = [copied(conn, f"COPY line_items TO STDOUT {options}") for options in ("", "(FORMAT csv, HEADER)", "BINARY")]
            outputs.append(copied(conn, "COPY (SELECT * FROM line_items ORDER BY line_item_id) TO STDOUT"))
            outputs = [outputs[0].count(b"\n"), outputs[1].split(b"\n")[0], len(outputs[2]), outputs[3]]
            expected = expected or outputs
            assert outputs == expected, stage
            conn.execute("INSERT INTO archive SELECT * FROM line_items WHERE line_item_id = 1")
            conn.execute(f"CREATE TABLE made_in_{stage} AS SELECT * FROM line_items")
            assert names(conn.execute(f"SELECT * FROM made_in_{stage}")) == COLUMNS


def test_asyncpg(hiding):
    """It reads by the description that it got when it prepared."""

    endpoint = hiding.proxy.endpoint()

    async def run():
        conn = await asyncpg.connect(host=endpoint.host, port=endpoint.port, user=endpoint.user, database=endpoint.dbname, ssl=False)
        try:
            statement = await conn.prepare("SELECT * FROM line_items WHERE line_item_id = $1")
            for stage in stages(hiding):
                record = await statement.fetchrow(9)
                assert list(record.keys()) == COLUMNS, stage
                assert record["order_id"] == 10
        finally:
            await conn.close()

    asyncio.run(run())


def test_error_position(hiding):
    """The server's position is in the longer text, the client's in its own."""
    text = "SELECT *, l.*, nosuch FROM line_items l"
    with Wire(hiding.proxy.endpoint()) as conn:
        for each in (query(text), parse(text) + sync()):
            error = error_of(conn.ask(each))
            assert (error["C"], int(error["P"])) == ("42703", text.index("nosuch") + 1)


def test_a_column_of_the_application(hiding):
    """What the application adds itself is seen, behind the hidden column as well."""
    with psycopg.connect(autocommit=True, **hiding.proxy.endpoint().keywords()) as conn:
        hiding.derive()
        conn.execute("ALTER TABLE line_items ADD gift boolean")
        process.wait_until(lambda: names(conn.execute("SELECT * FROM line_items LIMIT 1")) == [*COLUMNS, "gift"], 10,
                           "the column to be known")
        assert names(conn.execute("SELECT * FROM line_items x(a, b, c, d, e, f) WHERE a = 1")) == list("abcdef")


def test_off_by_default(migration):
    with psycopg.connect(autocommit=True, **migration.proxy.endpoint().keywords()) as conn:
        migration.derive()
        assert names(conn.execute("SELECT * FROM line_items LIMIT 1")) == [*COLUMNS, "store_id"]


def test_lint(tmp_path):
    """What the proxy would send, and why a row is left."""
    (tmp_path / "schema.sql").write_text(tailspin.SCHEMA)
    (tmp_path / "lint.ini").write_text("[tenant]\ntable = stores\ncolumn = store_id\n\n"
                                       + tailspin.TABLES + "hide_tenant_column = on\n")
    (tmp_path / "script.sql").write_text("SELECT * FROM line_items;\nDELETE FROM line_items RETURNING *;\nSELECT * FROM orders;\n"
                                         "SELECT row_to_json(l) FROM line_items l;\n")
    done = run_command("lint", "--json", "-c", str(tmp_path / "lint.ini"), "--schema", str(tmp_path / "schema.sql"),
                       str(tmp_path / "script.sql"))
    found = [json.loads(line) for line in done.stdout.splitlines()]
    listed = ", ".join(COLUMNS)
    assert [each["rewritten"] for each in found] == [f"SELECT {listed} FROM line_items",
                                                     f"DELETE FROM line_items RETURNING {listed}", None, None]
