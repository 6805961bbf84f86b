"""COPY FROM STDIN of line items: each row gets its order's store, and the client sees nothing of it.

The rows' bytes are what matters here, so most tests speak the protocol by hand. `world` goes through the stages in the
order of the tests."""

import os
import random
import struct
import subprocess
import threading
import time

import psycopg
import psycopg2
import pytest

from harness import process
from harness.proxy import Proxy, run_command
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import (Wire, bind, cancel, describe, error_of, execute, fields, flush, kinds, message, parse, query, rows,
                          sync)

BINARY_BEGIN = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
BINARY_END = b"\xff\xff"
SEED = random.randrange(1 << 32)
NOTES = ["", "a\tb", "line\nend", "cr\r", "\\", "\\.", "\\N", '"', '""', "a,b", "é€😀", " ", "'", "x" * 3000]


def binary_row(*values):
    body = struct.pack("!h", len(values))
    for value in values:
        raw = struct.pack("!q", value) if isinstance(value, int) else value
        body += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return body


def data(content):
    return message("d", content)


DONE = message("c")

# COPY → its data, and the orders of the rows in it.
COPIES = {
    "text": ("COPY line_items (order_id, quantity) FROM STDIN", b"7\t1\n8\t2\n\\N\t3\n", [7, 8, None]),
    "other order": ("COPY line_items (quantity, order_id) FROM STDIN", b"1\t9\n2\t10\n", [9, 10]),
    "qualified, quoted": ('COPY "public"."line_items" ("order_id") FROM STDIN', b"11\n12", [11, 12]),
    "no list": ("COPY line_items FROM STDIN", b"901\t1\t13\t1\t1\tn\n902\t1\t14\t1\t1\t\\N\n", [13, 14]),
    "no list, the store with it": ("COPY line_items FROM STDIN", b"903\t1\t15\t1\t1\tn\t%d\n" % store_of(15), [15]),
    "the store is named": ("COPY line_items (order_id, store_id) FROM STDIN", b"16\t%d\n" % store_of(16), [16]),
    "carriage returns": ("COPY line_items (order_id) FROM STDIN", b"17\r18\r", [17, 18]),
    "both line ends": ("COPY line_items (order_id) FROM STDIN", b"19\r\n20\r\n", [19, 20]),
    "escapes": ("COPY line_items (order_id, note) FROM STDIN", b"\\x32\\61\ta\\\nb\n22\ta\\\tb\\\\\n", [21, 22]),
    "end marker": ("COPY line_items (order_id) FROM STDIN", b"23\n\\.\nnothing\n", [23]),
    "delimiter, null": ("COPY line_items (note, order_id) FROM STDIN (DELIMITER '|', NULL 'none')", b"a\\|b|24\nnone|none\n",
                        [24, None]),
    "header": ("COPY line_items (order_id) FROM STDIN (HEADER)", b"anything\n25\n", [25]),
    "header match": ("COPY line_items (order_id, note) FROM STDIN (HEADER match)", b"order_id\tnote\n26\tx\n", [26]),
    "where": ("COPY line_items (order_id, quantity) FROM STDIN WHERE quantity > 1", b"27\t1\n28\t2\n", [28]),
    "encoding": ("COPY line_items (order_id, note) FROM STDIN (ENCODING 'latin1')", b"29\t\xe9\n", [29]),
    "comments": ("copy/*a*/line_items(order_id)-- b\nfrom stdin;", b"30\n", [30]),
    "csv": ("COPY line_items (order_id, note) FROM STDIN CSV", b'31,"a,""b"\n"32","x\ny"\n,\n', [31, 32, None]),
    "csv, header": ("COPY line_items (order_id, note) FROM STDIN (FORMAT csv, HEADER)", b'x,"y\nz"\n33,a\n', [33]),
    "csv, header match": ("COPY line_items FROM STDIN (FORMAT csv, HEADER match)",
                          b"line_item_id,product_id,order_id,quantity,line_amount,note\n904,1,34,1,1,x\n", [34]),
    "csv, quote and escape": ("COPY line_items (order_id, note) FROM STDIN (FORMAT csv, DELIMITER ';', QUOTE '''', ESCAPE '\\')",
                              b"35;'a\\';b'\n'36';'\\\\'\n", [35, 36]),
    "csv, force null": ("COPY line_items (order_id, note) FROM STDIN (FORMAT csv, FORCE_NULL (order_id))", b'"",a\n37,b\n',
                        [None, 37]),
    "csv, force not null": ("COPY line_items (note, order_id) FROM STDIN (FORMAT csv, NULL '38', FORCE_NOT_NULL (order_id))",
                            b"x,38\n", [38]),
    "csv, end marker": ("COPY line_items (order_id) FROM STDIN CSV", b"39\n\\.\nnothing\n", [39]),
    "binary": ("COPY line_items (order_id, note) FROM STDIN (FORMAT binary)",
               BINARY_BEGIN + binary_row(40, b"x") + binary_row(None, None) + binary_row(41, b"") + BINARY_END, [40, None, 41]),
    "binary, no trailer": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(42), [42]),
    "binary, the store with it": ("COPY line_items FROM STDIN BINARY",
                                  BINARY_BEGIN + binary_row(905, 1, 43, 1, None, b"x", store_of(43)) + BINARY_END, [43]),
    "without the order": ("COPY line_items (note) FROM STDIN", b"x\n", [None]),
    "no rows": ("COPY line_items (order_id) FROM STDIN", b"", []),
    "binary, no rows": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + BINARY_END, []),
    "many parents": ("COPY line_items (order_id) FROM STDIN", b"".join(b"%d\n" % n for n in range(1, 201)), list(range(1, 201))),
}


@pytest.fixture(scope="module")
def world(derived):
    derived.execute("ALTER TABLE line_items ADD note text")
    # The tenant is to be the last column, as it is where the migration adds it to a table that is as it will stay.
    derived.execute("ALTER TABLE line_items DROP store_id; ALTER TABLE line_items ADD store_id bigint")
    derived.proxy.console("RELOAD")
    return derived


@pytest.fixture
def clean(world):
    """Rows of a test go, and so do those that it left behind."""
    yield world
    world.execute("DELETE FROM line_items WHERE line_item_id > 400")


def copy_simple(conn, sql, content, end=DONE):
    """All messages of one COPY."""
    conn.send(query(sql))
    return _feed(conn, content, end)


def copy_extended(conn, sql, content, end=DONE):
    """As libpq does it, which sends Sync before it knows of the COPY."""
    conn.send(parse(sql) + bind() + describe("P") + execute() + sync())
    return _feed(conn, content, end + sync())


def _feed(conn, content, end):
    got = conn.until("G", "Z")
    if got[-1][0] == "G":
        pieces = content if isinstance(content, list) else [content]
        got += conn.ask(b"".join(data(piece) for piece in pieces) + end)
    return got


PROTOCOLS = {"simple": (copy_simple, "GCZ"), "extended": (copy_extended, "12nGCZ")}


def expected(orders):
    return sorted((order if order else 0, None if order is None else store_of(order)) for order in orders)


def stores(world):
    return [(order or 0, store) for order, store in world.execute(
        "SELECT order_id, store_id FROM line_items WHERE line_item_id > 400 ORDER BY coalesce(order_id, 0)")]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", COPIES)
def test_copy(name, protocol, clean):
    sql, content, orders = COPIES[name]
    run, shape = PROTOCOLS[protocol]
    with Wire(clean.proxy.endpoint()) as conn:
        messages = run(conn, sql, content)
        assert not error_of(messages)
        assert kinds(messages) == shape
        assert [payload for kind, payload in messages if kind == "C"] == [b"COPY %d\0" % len(orders)]
        assert rows(conn.ask(query("SELECT 1"))) == [[b"1"]]
    assert stores(clean) == expected(orders)


@pytest.mark.parametrize("name", ["escapes", "csv", "csv, header", "binary", "both line ends"])
def test_pieces_mean_nothing(name, clean):
    sql, content, orders = COPIES[name]
    with Wire(clean.proxy.endpoint()) as conn:
        messages = copy_simple(conn, sql, [content[i:i + 1] for i in range(len(content))])
        assert not error_of(messages)
        # In a message that arrives in two parts, too, and without waiting for CopyInResponse.
        conn.send(query(sql) + data(content)[:9])
        time.sleep(0.05)
        conn.send(data(content)[9:] + DONE + query("SELECT 2"))
        messages = conn.until("Z", count=2)
        assert kinds(messages) == "GCZTDCZ"
    assert stores(clean) == expected(orders + orders)


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_values_arrive_as_they_were(form, clean):
    """What COPY TO writes goes through the proxy and is what it was."""
    clean.execute("DROP TABLE IF EXISTS odd; CREATE TABLE odd (order_id bigint, note text)")
    with clean.server.connect(clean.database) as conn:
        with conn.cursor() as cur:
            cur.executemany("INSERT INTO odd VALUES (%s, %s)", [(n, note) for n, note in enumerate(NOTES, 50)] + [(None, None)])
            with cur.copy(f"COPY odd TO STDOUT (FORMAT {form})") as copy:
                content = b"".join(bytes(part) for part in copy)
    with Wire(clean.proxy.endpoint()) as conn:
        assert not error_of(copy_simple(conn, f"COPY line_items (order_id, note) FROM STDIN (FORMAT {form})", content))
    assert clean.execute("SELECT count(*) FROM (SELECT order_id, note FROM odd EXCEPT ALL SELECT order_id, note FROM line_items) x") == [(0,)]
    assert stores(clean) == expected([*range(50, 50 + len(NOTES)), None])
    clean.execute("DROP TABLE odd")


def test_psql(clean, tmp_path):
    file = tmp_path / "items.csv"
    file.write_text("order_id,quantity\n60,1\n61,2\n")
    environment = clean.proxy.endpoint().environment(os.environ)
    done = subprocess.run(["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", f"\\copy line_items (order_id, quantity) FROM '{file}' CSV HEADER",
                           "-f", "-"], input="COPY line_items (order_id) FROM stdin;\n62\n63\n\\.\nSELECT 'behind';\n", env=environment,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and not done.stderr, done
    assert done.stdout.splitlines()[:2] == ["COPY 2", "COPY 2"] and "behind" in done.stdout
    assert stores(clean) == expected([60, 61, 62, 63])


def test_drivers(clean):
    with psycopg.connect(clean.proxy.endpoint().conninfo(), autocommit=True) as conn, conn.cursor() as cur:
        with cur.copy("COPY line_items (order_id, quantity) FROM STDIN") as copy:
            for order in (64, 65):
                copy.write_row((order, 1))
        assert cur.rowcount == 2
        with cur.copy("COPY line_items (order_id, quantity) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "int8"])
            copy.write_row((66, 1))
        with pytest.raises(psycopg.errors.QueryCanceled):
            with cur.copy("COPY line_items (order_id) FROM STDIN") as copy:
                copy.write_row((67,))
                1 / 0
        assert conn.execute("SELECT 1").fetchall() == [(1,)]
    with psycopg2.connect(clean.proxy.endpoint().conninfo()) as conn, conn.cursor() as cur:
        with open("/dev/null") as nothing:
            cur.copy_expert("COPY line_items (order_id) FROM STDIN", nothing)
        assert cur.rowcount == 0
    assert stores(clean) == expected([64, 65, 66])


def test_a_dump_is_restored(clean):
    """Parents and children in one transaction, parents uncommitted; several parents' columns; then undone."""
    with Wire(clean.proxy.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        for first in (5000, 6000):
            orders = b"".join(b"%d\t%d\tx\n" % (first + n, 1 + n % 20) for n in range(500))
            assert not error_of(copy_simple(conn, "COPY public.orders (order_id, store_id, status) FROM stdin;", orders))
            items = b"".join(b"%d\t%d\n" % (first + n // 3, n) for n in range(1500))
            assert not error_of(copy_simple(conn, "COPY public.line_items (order_id, quantity) FROM stdin;", items))
        assert rows(conn.ask(query("SELECT count(*) FROM line_items l JOIN orders o USING (order_id, store_id) WHERE order_id >= 5000"))
                    ) == [[b"3000"]]
        assert conn.ask(query("ROLLBACK"))[-1] == ("Z", b"I")
    assert stores(clean) == []


def test_it_is_one_transaction(clean):
    """A COPY of many batches that fails in the last one leaves nothing; a savepoint before it stays."""
    content = b"".join(b"%d\n" % (1 + n % 200) for n in range(40000)) + b"x\n"
    with Wire(clean.proxy.endpoint(), timeout=40) as conn:
        messages = copy_simple(conn, "COPY line_items (order_id) FROM STDIN", content)
        assert kinds(messages) == "GEZ"
        assert error_of(messages)["W"] == 'COPY line_items, line 40001, column order_id: "x"'
        assert clean.execute("SELECT count(*) FROM line_items WHERE line_item_id > 400") == [(0,)]
        conn.ask(query("BEGIN; SAVEPOINT s"))
        assert copy_extended(conn, "COPY line_items (order_id) FROM STDIN", content)[-1] == ("Z", b"E")
        conn.ask(query("ROLLBACK TO s"))
        assert not error_of(copy_simple(conn, "COPY line_items (order_id) FROM STDIN", b"70\n"))
        assert conn.ask(query("COMMIT"))[-1] == ("Z", b"I")
    assert stores(clean) == expected([70])


# COPY, data, end → the error is the server's own, word for word.
FAILURES = {
    "no such column": ("COPY line_items (nothing) FROM STDIN", b"", DONE),
    "a type": ("COPY line_items (order_id, quantity) FROM STDIN", b"1\t1\n2\tx\n3\t3\n", DONE),
    "a key's type": ("COPY line_items (order_id, quantity) FROM STDIN", b"1\t1\n2\t2\nx\t3\n", DONE),
    "a key out of range": ("COPY line_items (order_id) FROM STDIN CSV HEADER", b"h\n99999999999999999999\n", DONE),
    "no parent": ("COPY line_items (order_id) FROM STDIN", b"1\n987654\n2\n", DONE),
    "too few fields": ("COPY line_items (order_id, quantity, note) FROM STDIN", b"1\t1\tx\n2\n", DONE),
    "too many fields": ("COPY line_items (order_id, quantity) FROM STDIN", b"1\t1\n2\t2\tx\n", DONE),
    "another line end": ("COPY line_items (order_id) FROM STDIN", b"1\n2\r3\n", DONE),
    "an open quote": ("COPY line_items (order_id, note) FROM STDIN CSV", b'1,x\n2,"\n', DONE),
    "header": ("COPY line_items (order_id) FROM STDIN (HEADER match)", b"quantity\n1\n", DONE),
    "header too long": ("COPY line_items (order_id) FROM STDIN (HEADER match)", b"order_id\tx\n1\n", DONE),
    "no signature": ("COPY line_items (order_id) FROM STDIN BINARY", b"x", DONE),
    "nothing at all in binary": ("COPY line_items (order_id) FROM STDIN BINARY", b"", DONE),
    "binary row cut off": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(1) + b"\0\1\0\0", DONE),
    "binary fields": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(1) + binary_row(2, 3), DONE),
    "binary length": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(1) + binary_row(b"xyz"), DONE),
    "behind the trailer": ("COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(1) + BINARY_END + b"x", DONE),
    "the client fails": ("COPY line_items (order_id) FROM STDIN", b"1\n2\n", message("f", b"no more\0")),
    "the client fails at once": ("COPY line_items (order_id) FROM STDIN", b"", message("f", b"no\0")),
    "another message": ("COPY line_items (order_id) FROM STDIN", b"1\n", query("SELECT 1")),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", FAILURES)
def test_failure(name, protocol, clean):
    sql, content, end = FAILURES[name]
    run, _ = PROTOCOLS[protocol]
    seen = []
    with clean.server.connect("postgres") as conn:
        conn.execute("DROP DATABASE IF EXISTS plain_copy")
        conn.execute("CREATE DATABASE plain_copy TEMPLATE tailspin_template")
    clean.server.execute("ALTER TABLE line_items ADD note text", None, "plain_copy")
    for endpoint in (clean.server.endpoint("plain_copy"), clean.proxy.endpoint()):
        with Wire(endpoint) as conn:
            messages = run(conn, sql, content, end)
            error = error_of(messages)
            seen.append((kinds(messages), [error.get(letter) for letter in "SCMDHPW"], conn.ask(query("SELECT 1"))))
    clean.server.drop_database("plain_copy")
    assert error_of(messages)
    assert seen[1] == seen[0]
    assert stores(clean) == []


def random_value(rand, kind):
    if kind == "note":
        return "".join(rand.choice(["a", "\\", "\\N", "\\.", "\\x41", "\\t", '"', '""', ",", "|", "é", " ", "1"])
                       for _ in range(rand.randrange(5)))
    return str(rand.randint(1, 200)) if rand.random() < 0.95 else rand.choice(["", "\\N", "x", " 7", "007", "+7", "999999"])


def random_copy(rand):
    """(sql, data): mostly right."""
    form = rand.choice(["text", "csv"])
    columns = rand.choice([["order_id", "note"], ["note", "quantity", "order_id"], ["order_id"], ["note"]])
    delimiter, end = rand.choice(["|", "\t" if form == "text" else ","]), rand.choice(["\n", "\n", "\r\n", "\r"])
    options = [f"FORMAT {form}", f"DELIMITER '{delimiter}'"]
    if rand.random() < 0.2:
        options.append("NULL 'x'")
    if form == "csv" and rand.random() < 0.3:
        options.append(rand.choice(["QUOTE ''''", "ESCAPE '\\'", f"FORCE_NULL ({columns[0]})", f"FORCE_NOT_NULL ({columns[0]})"]))
    lines = []
    if rand.random() < 0.2:
        options.append(rand.choice(["HEADER", "HEADER match"]))
        lines.append(delimiter.join(columns))
    for _ in range(rand.randrange(6)):
        row = [random_value(rand, column) for column in columns]
        if form == "csv" and rand.random() < 0.5:
            row = ['"' + value.replace('"', '""') + rand.choice(["", "", end]) + '"' for value in row]
        lines.append(delimiter.join(row + (["more"] if rand.random() < 0.03 else [])))
    if rand.random() < 0.1:
        lines.append("\\.")
    text = end.join(lines) + (end if lines and rand.random() < 0.9 else "")
    return f"COPY line_items ({', '.join(columns)}) FROM STDIN ({', '.join(options)})", text.encode()


@pytest.mark.limit(180)
def test_as_without_a_proxy(clean):
    """Random data, broken now and then: the same rows or the same error as in the database that is not migrated."""
    rand = random.Random(SEED)
    look = query("SELECT order_id, quantity, note FROM line_items WHERE line_item_id > 400 ORDER BY line_item_id")
    clean.server.create_database("plain_copy", template="tailspin_template")
    clean.server.execute("ALTER TABLE line_items ADD note text", None, "plain_copy")
    with Wire(clean.server.endpoint("plain_copy")) as direct, Wire(clean.proxy.endpoint()) as proxied:
        for number in range(300):
            sql, content = random_copy(rand)
            cuts = sorted(rand.randrange(len(content) + 1) for _ in range(rand.randrange(4)))
            pieces = [content[a:b] for a, b in zip([0] + cuts, cuts + [len(content)])]
            run, _ = PROTOCOLS[rand.choice(list(PROTOCOLS))]
            seen = []
            for conn in (direct, proxied):
                conn.ask(query("BEGIN"))
                messages = run(conn, sql, pieces)
                error = error_of(messages)
                seen.append((kinds(messages), [error.get(letter) for letter in "CMDH"], rows(conn.ask(look)) if not error else []))
                if conn is proxied and not error:
                    assert rows(conn.ask(query(WRONG_ROWS + " AND l.line_item_id > 400"))) == [], (SEED, number, sql, content)
                conn.ask(query("ROLLBACK"))
            assert seen[1] == seen[0], (SEED, number, sql, content)
    clean.server.drop_database("plain_copy")


def test_what_the_role_may_not(clean):
    """The refusal comes before any row is asked for, as ever."""
    with Wire(clean.proxy.endpoint(user="app_trust")) as conn:
        messages = copy_simple(conn, "COPY line_items (order_id) FROM STDIN", b"1\n")
        assert kinds(messages) == "EZ" and error_of(messages)["C"] == "42501"


def test_in_a_failed_transaction(clean):
    with Wire(clean.proxy.endpoint()) as conn:
        conn.ask(query("BEGIN") + query("SELECT 1/0"), 2)
        for run in (copy_simple, copy_extended):
            assert error_of(run(conn, "COPY line_items (order_id) FROM STDIN", b"1\n"))["C"] == "25P02"


def test_pipeline(clean):
    """What stands behind the COPY in the same batch waits for it, and is skipped with it."""
    begin = parse("COPY line_items (order_id) FROM STDIN") + bind() + execute()
    with Wire(clean.proxy.endpoint()) as conn:
        behind = parse("SELECT count(*) FROM line_items WHERE line_item_id > 400") + bind() + execute() + sync()
        messages = conn.ask(begin + data(b"71\n72\n") + DONE + behind)
        assert kinds(messages) == "12GC12DCZ" and rows(messages) == [[b"2"]]
        messages = conn.ask(begin + flush() + data(b"73\nx\n") + data(b"74\n") + DONE + behind)
        assert kinds(messages) == "12GEZ"
        messages = conn.ask(parse("SELECT 1/0") + bind() + execute() + begin + data(b"75\n") + DONE + sync())
        assert kinds(messages) == "1EZ"
        assert rows(conn.ask(query("SELECT 3"))) == [[b"3"]]
    assert stores(clean) == expected([71, 72])


def test_prepared_and_repeated(clean):
    with Wire(clean.proxy.endpoint()) as conn:
        conn.ask(parse("COPY line_items (order_id) FROM STDIN", "s") + sync())
        for order in (b"76\n", b"77\n"):
            conn.send(bind((), "p", "s") + execute("p"))
            assert kinds(conn.until("G")) == "2G"
            assert kinds(conn.ask(data(order) + DONE + sync())) == "CZ"
    assert stores(clean) == expected([76, 77])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_freeze(protocol, clean):
    """The server wants nothing else to be open in the transaction."""
    run, shape = PROTOCOLS[protocol]
    with Wire(clean.proxy.endpoint()) as conn:
        conn.ask(query("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM line_items; TRUNCATE line_items"))
        messages = run(conn, "COPY line_items (order_id) FROM STDIN (FREEZE)", b"1\n2\n")
        assert kinds(messages) == shape, error_of(messages)
        conn.ask(query("ROLLBACK"))


def test_long_rows(clean):
    """Longer than a batch, and than what is read at a time."""
    long = b"y" * 3_000_000
    with Wire(clean.proxy.endpoint(), timeout=40) as conn:
        content = b"78\t" + long + b"\n79\tx\n80\t" + long + b"\n"
        pieces = [content[i:i + 60000] for i in range(0, len(content), 60000)]
        assert not error_of(copy_simple(conn, "COPY line_items (order_id, note) FROM STDIN", pieces))
    assert clean.execute("SELECT order_id, length(note) FROM line_items WHERE line_item_id > 400 ORDER BY 1") == [
        (78, len(long)), (79, 1), (80, len(long))]
    assert stores(clean) == expected([78, 79, 80])


@pytest.mark.limit(180)
def test_memory_is_bounded(clean):
    """Rows flow through, however many: with parents that change from row to row, and the server slower than the client."""
    content = b"".join(b"%d\tsome note that makes the row longer than nothing\n" % (1 + n * 7 % 200) for n in range(2000))
    with Wire(clean.proxy.endpoint(), timeout=120) as conn:
        clean.execute("ALTER TABLE line_items DISABLE TRIGGER ALL")
        conn.send(query("BEGIN") + query("COPY line_items (order_id, note) FROM STDIN"))
        conn.until("G")
        before = clean.proxy.rss()
        for _ in range(150):
            conn.send(data(content))
        conn.send(DONE)
        assert ("C", b"COPY 300000\0") in conn.until("Z")
        assert clean.proxy.rss() - before < 16 * 1024 * 1024
        conn.ask(query("ROLLBACK"))
        clean.execute("ALTER TABLE line_items ENABLE TRIGGER ALL")


def test_cancel(clean):
    """Whatever the server does for it just then: reads rows, checks them, or is asked for orders."""
    content = b"".join(b"%d\n" % (1 + n % 200) for n in range(100000))
    with Wire(clean.proxy.endpoint(), timeout=40) as conn:
        for delay in (0, 0.02, 0.05, 0.1, 0.2, 0.4):
            conn.send(query("COPY line_items (order_id) FROM STDIN"))
            conn.until("G")
            conn.send(data(content) + DONE)
            time.sleep(delay)
            with Wire(clean.proxy.endpoint(), connect=False) as other:
                other.send(cancel(conn.pid, conn.key))
                assert other.at_end()
            assert error_of(conn.until("Z"))["C"] == "57014"
            assert rows(conn.ask(query("SELECT 1"))) == [[b"1"]]
    assert stores(clean) == []


@pytest.mark.parametrize("last_words", [b"", message("X"), data(b"1\n")[:6]])
def test_the_client_goes_away(last_words, clean):
    conn = Wire(clean.proxy.endpoint())
    conn.send(query("COPY line_items (order_id) FROM STDIN"))
    conn.until("G")
    conn.send(data(b"1\n2\n") + last_words)
    conn.close()
    with Wire(clean.proxy.endpoint()) as other:
        deadline = time.monotonic() + 10
        while rows(other.ask(query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY line%'"))):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert stores(clean) == []


def test_the_client_leaves_when_all_is_said(clean):
    """Everything that it sent is still executed."""
    conn = Wire(clean.proxy.endpoint())
    conn.send(query("COPY line_items (order_id) FROM STDIN") + data(b"81\n") + DONE + message("X"))
    conn.socket.shutdown(1)
    assert [kind for kind, _ in conn.until("")] == ["G", "C", "Z", ""]
    conn.close()
    assert stores(clean) == expected([81])


def test_it_is_counted_once(clean):
    with Wire(clean.proxy.endpoint()) as conn:
        copy_simple(conn, "COPY line_items (order_id, line_amount) FROM STDIN", b"".join(b"%d\t1\n" % n for n in range(1, 201)))
    found = [row for row in clean.proxy.console("SHOW AUDIT") if "line_amount) FROM STDIN" in (row["sample"] or "")]
    assert [(row["calls"], row["errors"]) for row in found] == [("1", "0")]


def test_two_at_a_time(clean):
    """Sessions of one worker do not get into each other's way."""
    problems = []

    def run(first):
        try:
            with Wire(clean.proxy.endpoint(), timeout=40) as conn:
                for turn in range(10):
                    content = b"".join(b"%d\t%d\n" % (1 + (first + n) % 200, n) for n in range(500))
                    assert not error_of(copy_simple(conn, "COPY line_items (order_id, quantity) FROM STDIN", content))
        except AssertionError as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(n * 31,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert clean.execute("SELECT count(*) FROM line_items WHERE line_item_id > 400") == [(20000,)]
    assert clean.execute(WRONG_ROWS + " AND l.line_item_id > 400") == []


# ---- other keys, longer paths ----

SHIPPING = """
CREATE TABLE tenants (name text PRIMARY KEY);
CREATE TABLE depots (depot text, number int, tenant text NOT NULL REFERENCES tenants, PRIMARY KEY (depot, number));
CREATE TABLE boxes (box uuid PRIMARY KEY, depot text DEFAULT 'north', number int, FOREIGN KEY (depot, number) REFERENCES depots);
CREATE TABLE labels (label serial PRIMARY KEY, box uuid REFERENCES boxes, weight numeric);
CREATE TABLE parts (part int PRIMARY KEY, box uuid REFERENCES boxes, beside int REFERENCES parts);
INSERT INTO tenants VALUES ('a'), ('b''"\\'), ('\\N'), ('x,y'), ('tab\t'), ('é');
INSERT INTO depots SELECT depot, number, name FROM unnest(ARRAY['north', 'so"uth', 'w\\est', '{,}']) depot,
    (SELECT row_number() OVER (ORDER BY name)::int AS number, name FROM tenants) t;
"""
SHIPPING_TABLES = """
[table boxes]
kind = backfill
[table labels]
kind = backfill
[table parts]
kind = backfill
tenant_from = box -> boxes(box)
"""


def box(n):
    return f"00000000-0000-4000-8000-{n:012d}"


@pytest.fixture(scope="module")
def shipping(server, authority):
    database = server.create_database()
    server.execute(SHIPPING, None, database)
    proxy = Proxy(server, database, {"tenant.table": "tenants", "tenant.column": "tenant"}, authority, SHIPPING_TABLES)
    try:
        proxy.wait_for_catalog("labels")
        done = run_command("migrate", "--to", "derive", "--yes", "-c", proxy.config)
        assert done.returncode == 0, done.stdout + done.stderr
        process.wait_until(lambda: proxy.tables()["labels"]["stage"] == "derive", 10, "stage derive")
        yield proxy
    finally:
        proxy.close()
        server.drop_database(database)


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_keys_of_all_kinds(form, shipping, server):
    """Composite keys of text and integer, uuid, two steps; tenants that need quotes: all in one transaction."""
    database = shipping.dbname
    server.execute("""
        CREATE OR REPLACE VIEW new_boxes AS SELECT ('00000000-0000-4000-8000-' || lpad((row_number() OVER ())::text, 12, '0'))::uuid AS box,
            depot, number FROM depots;
        CREATE OR REPLACE VIEW new_labels AS SELECT box, n::numeric AS weight FROM new_boxes, generate_series(1, 3) n""", None, database)
    content = {}
    with server.connect(database) as conn, conn.cursor() as cur:
        for name in ("new_boxes", "new_labels"):
            with cur.copy(f"COPY (SELECT * FROM {name}) TO STDOUT (FORMAT {form})") as copy:
                content[name] = b"".join(bytes(part) for part in copy)
    with Wire(shipping.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        assert not error_of(copy_simple(conn, f"COPY boxes (box, depot, number) FROM STDIN (FORMAT {form})", content["new_boxes"]))
        assert not error_of(copy_extended(conn, f"COPY labels (box, weight) FROM STDIN (FORMAT {form})", content["new_labels"]))
        found = rows(conn.ask(query("SELECT count(*), count(DISTINCT l.tenant) FROM labels l JOIN boxes b USING (box) "
                                    "JOIN depots d USING (depot, number) WHERE l.tenant = d.tenant AND b.tenant = d.tenant")))
        conn.ask(query("ROLLBACK"))
    assert found == [[b"72", b"6"]]


def test_a_key_by_default(shipping):
    """A constant default is as good as a value; part of a key that is NULL is no key."""
    with Wire(shipping.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        content = f"{box(1)}\t1\n{box(2)}\t2\n{box(3)}\t\\N\n".encode()
        assert not error_of(copy_simple(conn, "COPY boxes (box, number) FROM STDIN", content))
        found = rows(conn.ask(query("SELECT b.tenant = d.tenant, b.depot FROM boxes b LEFT JOIN depots d USING (depot, number) ORDER BY box")))
        conn.ask(query("ROLLBACK"))
    assert found == [[b"t", b"north"], [b"t", b"north"], [None, b"north"]]


def test_rows_that_reference_later_ones(shipping):
    """The foreign key is checked when the row that it wants has come, too."""
    content = "".join(f"{n}\t{box(1)}\t{n + 12000 if n <= 3000 else n}\n" for n in range(1, 15001)).encode()
    with Wire(shipping.endpoint(), timeout=40) as conn:
        conn.ask(query("BEGIN"))
        assert not error_of(copy_simple(conn, "COPY boxes (box, number) FROM STDIN", f"{box(1)}\t1\n".encode()))
        assert not error_of(copy_simple(conn, "COPY parts (part, box, beside) FROM STDIN", content))
        assert rows(conn.ask(query("SELECT count(*) FROM parts JOIN boxes USING (box, tenant)"))) == [[b"15000"]]
        conn.ask(query("ROLLBACK"))


def test_keys_in_another_encoding(shipping):
    """Bytes that the proxy cannot look for are refused, the others are found."""
    with Wire(shipping.endpoint()) as conn:
        conn.ask(query("BEGIN"))
        copy = "COPY boxes (box, depot, number) FROM STDIN (ENCODING 'latin1')"
        assert not error_of(copy_simple(conn, copy, f"{box(1)}\tnorth\t1\n".encode()))
        error = error_of(copy_simple(conn, copy, f"{box(2)}\tn\u00f6rth\t1\n".encode("latin1")))
        assert error["C"] == "0A000" and "latin1" in error["M"]
        conn.ask(query("ROLLBACK"))


# ---- stage resolve ----


@pytest.fixture(scope="module")
def resolved(world):
    world.keyed()
    world.resolve()
    return world


@pytest.fixture
def tidy(resolved):
    yield resolved
    resolved.execute("DELETE FROM line_items WHERE line_item_id > 400")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [name for name, (_, _, orders) in COPIES.items() if None not in orders])
def test_resolve(name, protocol, tidy):
    sql, content, orders = COPIES[name]
    run, shape = PROTOCOLS[protocol]
    with Wire(tidy.proxy.endpoint()) as conn:
        assert kinds(run(conn, sql, content)) == shape
    assert stores(tidy) == expected(orders)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name, content, state", [("no such order", b"82\n987654\n", "23503"), ("no order", b"82\n\\N\n", "23502")])
def test_a_row_is_refused(name, content, state, protocol, tidy):
    run, shape = PROTOCOLS[protocol]
    with Wire(tidy.proxy.endpoint()) as conn:
        messages = run(conn, "COPY line_items (order_id) FROM STDIN", content)
        assert kinds(messages) == shape.replace("C", "E") and error_of(messages)["C"] == state
        assert rows(conn.ask(query("SELECT 1"))) == [[b"1"]]
    assert stores(tidy) == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_session_says_it(protocol, tidy):
    """Then no order is asked for; a wrong store is the foreign key's business."""
    run, shape = PROTOCOLS[protocol]
    with Wire(tidy.proxy.endpoint()) as conn:
        conn.ask(query("SET shardferry.tenant = '4'"))
        assert kinds(run(conn, "COPY line_items (order_id) FROM STDIN", b"3\n23\n")) == shape
        assert kinds(run(conn, "COPY line_items (note) FROM STDIN CSV", b"x\n")) == shape
        assert kinds(run(conn, "COPY line_items (order_id) FROM STDIN BINARY", BINARY_BEGIN + binary_row(43) + BINARY_END)) == shape
        assert error_of(run(conn, "COPY line_items (order_id) FROM STDIN", b"4\n"))["C"] == "23503"
    assert stores(tidy) == [(0, 4), (3, 4), (23, 4), (43, 4)]


def test_without_order_and_session(tidy):
    for run in (copy_simple, copy_extended):
        with Wire(tidy.proxy.endpoint()) as conn:
            messages = run(conn, "COPY line_items (note) FROM STDIN", b"x\n")
            assert "G" not in kinds(messages) and error_of(messages)["C"] == "23502"


def test_an_order_of_the_same_transaction(tidy):
    with Wire(tidy.proxy.endpoint()) as conn:
        conn.ask(query("BEGIN; INSERT INTO orders (order_id, store_id) VALUES (7001, 9)"))
        assert not error_of(copy_simple(conn, "COPY line_items (order_id) FROM STDIN", b"7001\n83\n"))
        assert rows(conn.ask(query("SELECT store_id FROM line_items WHERE order_id = 7001"))) == [[b"9"]]
        conn.ask(query("ROLLBACK"))
        assert error_of(copy_simple(conn, "COPY line_items (order_id) FROM STDIN", b"7001\n"))["C"] == "23503"


def test_where_of_a_distributed_table(tidy):
    tidy.distributed()
    with Wire(tidy.proxy.endpoint()) as conn:
        assert not error_of(copy_simple(conn, "COPY line_items (order_id) FROM STDIN", b"84\n"))
        error = error_of(copy_simple(conn, "COPY line_items (order_id) FROM STDIN WHERE order_id > 1", b"85\n"))
        assert error["C"] == "0A000" and "WHERE" in error["M"]
    assert stores(tidy) == expected([84])
