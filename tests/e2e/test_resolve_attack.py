"""Stage resolve under clients that do everything at the wrong moment: errors, pipelines, cancels, odd keys, DDL."""

import random
import struct
import threading
import time

import psycopg
import pytest

from harness import wire
from harness.migration import Migration, set_stage
from harness.proxy import is_sanitized
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import Wire, bind, close, describe, error_of, execute, fields, flush, parse, query, rows, sync

CHILD = "INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)"


@pytest.fixture
def conn(resolving):
    with Wire(resolving.proxy.endpoint()) as made:
        yield made


@pytest.fixture
def direct(resolving):
    with Wire(resolving.server.endpoint(resolving.database)) as made:
        yield made


def child(order, number=1):
    return bind([str(order), str(number)], "", "child") + execute()


def stores_of(resolving, *orders):
    return resolving.execute("SELECT order_id, store_id FROM line_items WHERE order_id = ANY (%s) AND line_item_id > 400 "
                             "ORDER BY line_item_id", (list(orders),))


# ---- errors at every place ----

def test_query_behind_an_error_is_skipped(resolving, conn, direct):
    """The server ignores a simple query, too, between an error and the Sync."""
    last = resolving.last_id()
    ask = parse("SELECT $1::int", "", (25,)) + bind(["x"]) + execute()
    seen = conn.ask(ask + query("INSERT INTO line_items (order_id) VALUES (81)") + sync())
    expected = direct.ask(ask + query("SELECT 81") + sync())
    assert wire.kinds(seen) == wire.kinds(expected) == "1EZ"
    assert resolving.stores_since(last) == []
    assert wire.kinds(conn.ask(query("SELECT 1"))) == "TDCZ"


def test_query_behind_messages_without_sync(resolving, conn):
    """It commits them, and its own error rolls them back."""
    last = resolving.last_id()
    ask = parse("INSERT INTO line_items (order_id, store_id) VALUES (82, 3)") + bind() + execute()
    assert wire.kinds(conn.ask(ask + query("INSERT INTO line_items (order_id) VALUES ('x')"))) == "12CEZ"
    assert resolving.stores_since(last) == []
    assert wire.kinds(conn.ask(ask + query("INSERT INTO line_items (order_id) VALUES (83)"))) == "12CCZ"
    assert resolving.stores_since(last) == [(82, 3), (83, 4)]


@pytest.mark.parametrize("broken", [parse("SELEC"), parse("SELECT 1/0") + bind() + execute(), bind(["x", "1"], "", "child"),
                                    bind(["777777", "1"], "", "child"), bind(["1"], "", "child"), bind(["1", "1", "1"], "", "child"),
                                    bind(["1", "1"], "", "child", (0, 0, 0)), bind(["1", "1"], "", "child", (7,)),
                                    bind(["abc", "1"], "", "child", (1,)), bind(["1", "1"], "", "nothing"), execute("nothing"),
                                    bind(["1", "x"], "", "child"), wire.message("B", b"\0child\0\0\0\0\2\0\0\0\1" + b"1"),
                                    wire.message("B", b"\0child\0\0\0\0\2\0\0\0\x011\xff\xff\xff\xfe\0\0")])
def test_error_amid_a_pipeline(resolving, conn, broken):
    """Only its own batch is lost, and everything behind it gets its own answers."""
    last = resolving.last_id()
    assert wire.kinds(conn.ask(parse(CHILD, "child") + sync())) == "1Z"
    messages = conn.ask(child(91) + sync() + child(92) + broken + child(93) + sync() + child(94) + sync()
                        + query("INSERT INTO line_items (order_id) VALUES (95)") + child(96) + sync(), 5)
    text = wire.kinds(messages)
    assert text.startswith("2CZ2C") and text.count("E") == 1 and text.endswith("EZ2CZCZ2CZ"), text
    assert resolving.stores_since(last) == [(n, store_of(n)) for n in (91, 94, 95, 96)]


def test_aborted_transaction(conn, direct):
    """The server's own refusal, in both protocols, also for a statement that was prepared before."""
    for one in (conn, direct):
        one.ask(parse(CHILD if one is conn else CHILD.replace("quantity)", "quantity, store_id)").replace("$2)", "$2, 2)"), "child") + sync())
        one.ask(query("BEGIN"))
        one.ask(query("SELECT 1/0"))
    for ask in (child(97) + sync(), query("INSERT INTO line_items (order_id) VALUES (97)"), parse(CHILD) + sync()):
        assert conn.ask(ask) == direct.ask(ask)
    assert conn.ask(query("ROLLBACK"))[-1] == ("Z", b"I")


def test_savepoints_in_a_pipeline(resolving, conn):
    last = resolving.last_id()
    conn.ask(query("DELETE FROM orders WHERE order_id IN (9101, 9102)"))
    order = "INSERT INTO orders (order_id, store_id) VALUES ($1, $2)"
    messages = conn.ask(
        parse(CHILD, "child") + parse(order, "parent") + query("BEGIN") + query("SAVEPOINT a")
        + bind(["9101", "3"], "", "parent") + execute() + child(9101) + sync() + query("ROLLBACK TO a")
        + bind(["9101", "4"], "", "parent") + execute() + child(9101) + sync()
        + query("SELECT 1/0") + query("INSERT INTO line_items (order_id) VALUES (9101)") + query("ROLLBACK TO a")
        + bind(["9101", "5"], "", "parent") + execute() + child(9101) + sync() + query("COMMIT"), 10)
    assert wire.kinds(messages) == "11CZCZ2C2CZCZ2C2CZTEZEZCZ2C2CZCZ".replace("TEZ", "EZ"), wire.kinds(messages)
    assert resolving.stores_since(last) == [(9101, 5)]


# ---- what a lookup leaves behind ----

def test_ddl_on_the_parent_behind_a_lookup(resolving, conn):
    """An open portal on it would be in the way."""
    for ask in (query("INSERT INTO line_items (order_id) VALUES (101)"), query("INSERT INTO line_items (order_id) VALUES ((SELECT 102))"),
                parse(CHILD) + bind(["103", "1"]) + execute() + sync()):
        conn.ask(query("BEGIN"))
        assert not error_of(conn.ask(ask))
        assert not error_of(conn.ask(query("ALTER TABLE orders ADD COLUMN passing int")))
        conn.ask(query("ROLLBACK"))


def test_nothing_is_left_in_the_session(conn):
    conn.ask(query("BEGIN"))
    conn.ask(query("INSERT INTO line_items (order_id) VALUES (104)"))
    seen = conn.ask(query("SELECT name FROM pg_prepared_statements UNION ALL SELECT name FROM pg_cursors WHERE name <> ''"))
    conn.ask(query("ROLLBACK"))
    assert rows(seen) == []


@pytest.mark.parametrize("drop", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_statements_dropped_amid_a_pipeline(resolving, conn, drop):
    last = resolving.last_id()
    messages = conn.ask(parse(CHILD, "child") + child(105) + sync() + query(drop) + child(106) + sync()
                        + parse(CHILD, "child") + child(107) + sync() + query(drop) + parse(CHILD, "child") + child(107) + sync(), 6)
    assert wire.kinds(messages) == "12CZCZEZ12CZCZ12CZ" and error_of(messages)["C"] == "26000"
    assert resolving.stores_since(last) == [(n, store_of(n)) for n in (105, 107, 107)]


def test_statement_closed_while_its_portal_lives(resolving, conn):
    last = resolving.last_id()
    messages = conn.ask(parse(CHILD + " RETURNING order_id", "child") + bind(["108", "1"], "here", "child") + close("S", "child")
                        + describe("P", "here") + execute("here") + close("P", "here") + parse(CHILD, "child") + child(109) + sync())
    assert wire.kinds(messages) == "123TDC312CZ"
    assert resolving.stores_since(last) == [(108, store_of(108)), (109, store_of(109))]


def test_notices_of_an_expression_come_once(resolving, conn, direct):
    resolving.execute("CREATE OR REPLACE FUNCTION loud(n bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS "
                      "$$ BEGIN RAISE NOTICE 'n is %', n; RETURN n; END $$")
    seen = conn.ask(query("INSERT INTO line_items (order_id) VALUES (loud(110))"))
    expected = direct.ask(query("INSERT INTO line_items (order_id, store_id) VALUES (loud(110), 11)"))
    assert wire.kinds(seen) == wire.kinds(expected)


# ---- keys ----

def test_parameter_that_another_place_gives_a_type(resolving, conn):
    """$1 is a numeric; as a key by itself it would be taken for a bigint."""
    last = resolving.last_id()
    sql = "INSERT INTO line_items (line_amount, order_id) VALUES ($1::numeric, $1)"
    binary = struct.pack("!hhhhhh", 2, 0, 0, 1, 111, 4000)  # 111.4
    assert not error_of(conn.ask(parse(sql) + bind(["111.4"]) + execute() + sync()))
    assert not error_of(conn.ask(parse(sql, "s") + bind([binary], "", "s", (1,)) + execute() + sync()))
    assert resolving.stores_since(last) == [(111, store_of(111))] * 2


def test_huge_wrong_key(conn, direct):
    """An error message that is larger than what is looked into."""
    key = "x" * 3_000_000
    for one in (conn, direct):
        error = error_of(one.ask(parse(CHILD) + bind([key, "1"]) + execute() + sync()))
        assert error["C"] == "22P02"
    assert wire.kinds(conn.ask(query("SELECT 1"))) == "TDCZ"


def test_spellings_of_one_number(resolving, conn):
    last = resolving.last_id()
    for key in ("112", " 112", "112 ", "+112", "0112", "\t112\n"):
        assert not error_of(conn.ask(parse(CHILD) + bind([key, "1"]) + execute() + sync())), key
    for key in (struct.pack("!h", 112), struct.pack("!i", 112), struct.pack("!q", 112)):
        oid = {2: 21, 4: 23, 8: 20}[len(key)]
        assert not error_of(conn.ask(parse(CHILD, "", (oid,)) + bind([key, "1"], "", "", (1, 0)) + execute() + sync()))
    for key in ("1e2", "100.4", "0000000000000000000000100", "(100)", "'100'::text::bigint"):
        assert not error_of(conn.ask(query(f"INSERT INTO line_items (order_id) VALUES ({key})"))), key
    assert resolving.stores_since(last) == [(112, store_of(112))] * 9 + [(100, 1)] * 5


# ---- parents that others change ----

def test_parent_replaced_behind_the_proxy(resolving, conn):
    """Nobody told the proxy: what it remembers is refused by the foreign key, once."""
    resolving.execute("INSERT INTO orders (order_id, store_id) VALUES (9201, 3)")
    assert not error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (9201)")))
    resolving.execute("DELETE FROM line_items WHERE order_id = 9201; DELETE FROM orders WHERE order_id = 9201; "
                      "INSERT INTO orders (order_id, store_id) VALUES (9201, 4)")
    assert error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (9201)")))["C"] == "23503"
    assert not error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (9201)")))
    assert stores_of(resolving, 9201) == [(9201, 4)]


def test_long_text_of_expressions(resolving, conn):
    """Planned each time, and looked up once."""
    last = resolving.last_id()
    keys = [1 + n % 200 for n in range(400)]
    text = "INSERT INTO line_items (order_id) VALUES " + ", ".join(f"((SELECT {k}))" for k in keys) + " " * 70000
    assert not error_of(conn.ask(query(text)))
    assert not error_of(conn.ask(parse(text) + bind() + execute() + sync()))
    assert resolving.stores_since(last) == [(k, store_of(k)) for k in keys * 2]


def test_parent_moved_by_a_prepared_statement(resolving, conn):
    resolving.execute("INSERT INTO orders (order_id, store_id) VALUES (9202, 3)")
    for sql in ("INSERT INTO line_items (order_id) VALUES (9202)", "DELETE FROM line_items WHERE order_id = 9202",
                "PREPARE move AS UPDATE orders SET store_id = $1 WHERE order_id = 9202", "EXECUTE move (7)"):
        assert not error_of(conn.ask(query(sql)))
    assert not error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (9202)")))
    assert stores_of(resolving, 9202) == [(9202, 7)]


def test_two_parents_of_one_key(resolving, conn):
    """Never guessed."""
    resolving.execute("INSERT INTO orders (order_id, store_id) VALUES (9203, 3), (9203, 4)")
    for ask in (query("INSERT INTO line_items (order_id) VALUES (9203)"), parse(CHILD) + bind(["9203", "1"]) + execute() + sync()):
        assert error_of(conn.ask(ask))["C"] == "23502"
    conn.ask(query("SET shardferry.tenant = 4"))
    assert not error_of(conn.ask(query("INSERT INTO line_items (order_id) VALUES (9203)")))
    assert stores_of(resolving, 9203) == [(9203, 4)]
    resolving.execute("DELETE FROM line_items WHERE order_id = 9203")
    resolving.execute("DELETE FROM orders WHERE order_id = 9203")


# ---- sizes ----

def test_many_rows(resolving, conn):
    last = resolving.last_id()
    keys = [1 + n % 200 for n in range(1000)]
    values = ", ".join(f"(${n + 1})" for n in range(1000))
    assert not error_of(conn.ask(parse(f"INSERT INTO line_items (order_id) VALUES {values}") + bind([str(k) for k in keys]) + execute() + sync()))
    values = ", ".join(f"({k})" for k in keys)
    assert not error_of(conn.ask(query(f"INSERT INTO line_items (order_id) VALUES {values}")))
    assert resolving.stores_since(last) == [(k, store_of(k)) for k in keys * 2]


@pytest.mark.limit(180)
def test_most_parameters(resolving, conn):
    resolving.execute("INSERT INTO orders (order_id, store_id) SELECT n, 1 + n % 20 FROM generate_series(20001, 52767) n")
    last = resolving.last_id()
    n = 32767
    sql = "INSERT INTO line_items (order_id) VALUES " + ", ".join(f"(${k + 1})" for k in range(n))
    conn.socket.settimeout(150)
    assert not error_of(conn.ask(parse(sql) + bind([str(20001 + k) for k in range(n)]) + execute() + sync()))
    assert resolving.execute("SELECT count(*) FROM line_items WHERE line_item_id > %s", (last,)) == [(n,)]
    n += 1
    sql += f", (${n})"
    error = error_of(conn.ask(parse(sql) + bind([str(20001 + k) for k in range(n)]) + execute() + sync()))
    assert error["C"] == "54000"


# ---- cancel ----

@pytest.mark.limit(120)
def test_cancel_at_any_instant(resolving):
    """A cancel hits the statement that is running, or none; what comes next is never lost."""
    resolving.proxy.console("RELOAD")
    stop, hit = threading.Event(), [0]

    def work(seed):
        with psycopg.connect(autocommit=True, **resolving.proxy.endpoint().keywords()) as one:
            rng = random.Random(seed)

            def cancel():
                while not stop.is_set():
                    time.sleep(rng.random() * 0.01)
                    one.cancel()

            canceller = threading.Thread(target=cancel)
            canceller.start()
            for n in range(400):
                order = 1 + rng.randrange(200)
                try:
                    if n % 2:
                        one.execute("INSERT INTO line_items (order_id) VALUES ((SELECT %s::bigint))", (order,))
                    else:
                        one.execute(f"INSERT INTO line_items (order_id) VALUES ({order}), ((SELECT {order}))")
                except psycopg.errors.QueryCanceled:
                    hit[0] += 1
            stop.set()
            canceller.join()
            time.sleep(0.3)
            for _ in range(3):
                try:
                    assert one.execute("SELECT 1").fetchone() == (1,)
                except psycopg.errors.QueryCanceled:
                    pass
            assert one.execute("SELECT 2").fetchone() == (2,)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert resolving.proxy.is_alive()
    assert resolving.execute(WRONG_ROWS) == []


# ---- stages ----

@pytest.mark.limit(120)
def test_stage_changes_while_lookups_wait(server, authority):
    """From resolve to distributed and back, with clients that pipeline and never wait: each row has its store."""
    made = Migration(server, authority)
    try:
        made.derive()
        made.keyed()
        stop, failures, done = threading.Event(), [], [0]

        def work(seed):
            rng = random.Random(seed)
            with Wire(made.proxy.endpoint(), timeout=30) as one:
                one.ask(parse(CHILD, "child") + sync())
                while not stop.is_set():
                    orders = [1 + rng.randrange(200) for _ in range(4)]
                    messages = one.ask(child(orders[0]) + child(orders[1]) + sync()
                                       + query(f"INSERT INTO line_items (order_id) VALUES ({orders[2]}), ((SELECT {orders[3]}))")
                                       + parse("INSERT INTO line_items (quantity, order_id) VALUES ($1, $1 - 5000000000)")
                                       + bind([str(5000000000 + orders[0])]) + describe("S") + execute() + sync(), 3)
                    done[0] += 1
                    if wire.kinds(messages) != "2C2CZCZ12tnCZ":
                        failures.append((wire.kinds(messages), error_of(messages)))

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for one in threads:
            one.start()
        for n in range(5):
            made.resolve()
            made.proxy.console("RELOAD")
            time.sleep(0.2)
            made.distributed()
            made.execute("ALTER TABLE orders ADD COLUMN IF NOT EXISTS passing int")
            made.proxy.console("RELOAD")
        stop.set()
        for one in threads:
            one.join()
        assert failures == [] and done[0] > 20
        assert made.execute(WRONG_ROWS) == []
    finally:
        made.close()


def test_reload_while_a_lookup_waits(resolving):
    """What it means is asked anew."""
    last = resolving.last_id()
    holder = psycopg.connect(**resolving.server.endpoint(resolving.database).keywords())
    holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
    with Wire(resolving.proxy.endpoint()) as one:
        one.send(parse(CHILD, "child") + bind(["9301", "1"], "", "child") + execute() + sync())
        time.sleep(0.3)
        resolving.proxy.console("RELOAD")
        time.sleep(0.3)
        holder.execute("INSERT INTO orders (order_id, store_id) VALUES (9301, 9)")
        holder.commit()
        assert wire.kinds(one.until("Z")) == "12CZ"
    holder.close()
    assert resolving.stores_since(last) == [(9301, 9)]


# ---- text keys ----

@pytest.fixture(scope="module")
def texts(resolving):
    """Parents that are named by a text, or by a uuid."""
    for kind, table in (("text", "carts"), ("uuid", "boxes")):
        resolving.execute(f"""
            CREATE TABLE {table} (code {kind}, store_id bigint NOT NULL REFERENCES stores, PRIMARY KEY (store_id, code));
            CREATE TABLE {table}_items (id bigserial PRIMARY KEY, code {kind}, store_id bigint NOT NULL,
                CONSTRAINT {table}_items_code FOREIGN KEY (store_id, code) REFERENCES {table} (store_id, code))""")
    resolving.execute("INSERT INTO carts VALUES ('7', 1), ('007', 2), ('é', 3), ('Ã©', 4), ('a''b', 5), ('a\\b', 6), ('', 7), (' 7', 8)")
    resolving.execute("INSERT INTO boxes VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 9)")
    resolving.proxy.console("RELOAD")
    set_stage(resolving.server, resolving.proxy, ["carts_items", "boxes_items"], "resolve")
    yield resolving
    wrong = "SELECT i.* FROM {0}_items i LEFT JOIN {0} USING (store_id, code) WHERE {0}.code IS NULL"
    assert resolving.execute(wrong.format("carts")) == resolving.execute(wrong.format("boxes")) == []


@pytest.mark.parametrize("written,store", [("'7'", 1), ("7", 1), ("007", 1), ("'007'", 2), ("'é'", 3), ("'Ã©'", 4), ("'a''b'", 5),
                                           ("E'a\\\\b'", 6), ("'a\\b'", 6), ("''", 7), ("' 7'", 8), ("U&'\\00e9'", 3), ("$$007$$", 2)])
def test_text_keys(texts, conn, written, store):
    for _ in range(2):
        assert not error_of(conn.ask(query(f"INSERT INTO carts_items (code) VALUES ({written})")))
        assert rows(conn.ask(query("SELECT store_id FROM carts_items ORDER BY id DESC LIMIT 1"))) == [[str(store).encode()]]


def test_text_keys_of_another_encoding(texts, conn):
    """The same bytes are another key."""
    with Wire(texts.proxy.endpoint()) as latin:
        latin.ask(query("SET client_encoding TO latin1"))
        for _ in range(2):
            for one, key, store in ((conn, "é".encode(), 3), (latin, "Ã©".encode("latin1"), 4), (latin, "é".encode("latin1"), 3),
                                    (conn, "Ã©".encode(), 4)):
                sql = "INSERT INTO carts_items (code) VALUES ($1) RETURNING store_id"
                messages = one.ask(parse(sql) + bind([key]) + execute() + sync())
                assert rows(messages) == [[str(store).encode()]], (key, messages)
                messages = one.ask(query(b"INSERT INTO carts_items (code) VALUES ('" + key + b"') RETURNING store_id"))
                assert rows(messages) == [[str(store).encode()]], (key, messages)
        pipelined = conn.ask(query("SET client_encoding TO latin1") + parse(sql) + bind(["Ã©".encode("latin1")]) + execute() + sync(), 2)
        assert rows(pipelined) == [[b"4"]]


@pytest.mark.parametrize("key", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                                 "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
                                 "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11"])
def test_uuid_keys(texts, conn, key):
    assert not error_of(conn.ask(query(f"INSERT INTO boxes_items (code) VALUES ('{key}')")))
    assert not error_of(conn.ask(parse("INSERT INTO boxes_items (code) VALUES ($1)") + bind([key]) + execute() + sync()))


@pytest.mark.parametrize("key", ["-a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d"])
def test_wrong_uuid_keys(texts, conn, direct, key):
    seen, expected = [error_of(one.ask(query(f"INSERT INTO boxes_items (code) VALUES ('{key}')"))) for one in (conn, direct)]
    assert {code: seen.get(code) for code in "CMP"} == {code: expected.get(code) for code in "CMP"}


# ---- who may ----

def test_search_path_of_an_attacker(resolving, conn):
    """Operators, types and tables of the same names stand ahead of the real ones; a lookup means the real ones."""
    last = resolving.last_id()
    resolving.execute("""
        CREATE SCHEMA IF NOT EXISTS evil;
        CREATE OR REPLACE FUNCTION evil.steal(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'stolen'; END $$;
        CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.steal);
        CREATE TABLE evil.orders (order_id bigint, store_id bigint);
        CREATE DOMAIN evil.int8 AS text""")
    try:
        conn.ask(query("SET search_path = evil, public, pg_catalog"))
        resolving.proxy.console("RELOAD")
        for sql in ("(113)", "((SELECT 113::pg_catalog.int8))"):
            assert not error_of(conn.ask(query(f"INSERT INTO line_items (order_id) VALUES {sql}"))), sql
        assert not error_of(conn.ask(parse(CHILD) + bind(["113", "1"]) + execute() + sync()))
        assert resolving.stores_since(last) == [(113, store_of(113))] * 3
    finally:
        resolving.execute("DROP SCHEMA evil CASCADE")


def test_role_that_may_not_read_the_parent(resolving):
    """The server says so."""
    resolving.execute("INSERT INTO orders (order_id, store_id) VALUES (9401, 3), (9402, 4)")
    resolving.execute("CREATE ROLE writer; GRANT INSERT ON line_items TO writer; GRANT USAGE ON SEQUENCE line_items_line_item_id_seq TO writer")
    try:
        with Wire(resolving.proxy.endpoint()) as one:
            one.ask(query("SET ROLE writer"))
            for ask in (query("INSERT INTO line_items (order_id) VALUES (9401), (9402)"), parse(CHILD) + bind(["9401", "1"]) + execute() + sync()):
                error = error_of(one.ask(ask))
                assert error["C"] == "42501" and "orders" in error["M"]
            assert wire.kinds(one.ask(query("SELECT 1"))) == "TDCZ"
    finally:
        resolving.execute("DROP OWNED BY writer; DROP ROLE writer")


def test_tenant_set_in_a_pipeline(resolving, conn):
    last = resolving.last_id()
    messages = conn.ask(parse(CHILD, "child") + query("SET shardferry.tenant = 7") + bind([None, "1"], "", "child") + execute() + sync()
                        + query("BEGIN") + query("SET LOCAL shardferry.tenant = 8") + bind([None, "2"], "", "child") + execute() + sync()
                        + query("ROLLBACK") + query("RESET shardferry.tenant") + child(116) + sync(), 8)
    assert wire.kinds(messages).count("E") == 0, wire.kinds(messages)
    assert resolving.stores_since(last) == [(None, 7), (116, store_of(116))]


# ---- memory ----

@pytest.mark.limit(120)
def test_memory_stays(resolving):
    """Lookups of ever new keys, in sessions that come and go."""
    resolving.execute("INSERT INTO orders (order_id, store_id) SELECT n, 1 + n % 20 FROM generate_series(100001, 116000) n")

    def run(first, n):
        with Wire(resolving.proxy.endpoint(), timeout=60) as one:
            one.ask(parse(CHILD, "child") + sync())
            for start in range(first, first + n, 500):
                batch = b"".join(child(k) + sync() for k in range(start, start + 500))
                assert not error_of(one.ask(query("BEGIN") + batch + query("ROLLBACK"), 502))

    run(100001, 4000)
    before = resolving.proxy.rss()
    run(104001, 12000)
    assert is_sanitized() or resolving.proxy.rss() - before < 8 * 1024 * 1024
