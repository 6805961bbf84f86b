"""In stage derive every INSERT of a line item gets its order's store, and the client sees nothing of it."""

import psycopg
import psycopg2
import psycopg2.extras
import pytest

from harness import wire
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import Wire, bind, describe, error_of, execute, message, parse, query, rows, sync

INT8 = 20

# Statement → the orders that it inserts items of, in order. None stands for an order that is NULL.
INSERTS = {
    "literals": ("INSERT INTO line_items (order_id, quantity) VALUES (7, 1)", [7]),
    "lower case, spaces, comments": ("insert/*a*/into line_items -- b\n(quantity, order_id)values( 1 , /*c*/ 8 )", [8]),
    "qualified": ("INSERT INTO public.line_items (order_id) VALUES (9)", [9]),
    "quoted": ('INSERT INTO "public"."line_items" ("order_id") VALUES (10)', [10]),
    "alias": ("INSERT INTO line_items AS l (order_id) VALUES (11) RETURNING l.order_id", [11]),
    "several rows": ("INSERT INTO line_items (order_id) VALUES (1), (2), (3), (22)", [1, 2, 3, 22]),
    "expressions": ("INSERT INTO line_items (order_id, quantity) VALUES (10 + 2, 3 * 4), (abs(-13), 1)", [12, 13]),
    "casts": ("INSERT INTO line_items (order_id) VALUES ('14'), (15::int), ('16'::bigint), (CAST(17.0 AS bigint))", [14, 15, 16, 17]),
    "no column list": ("INSERT INTO line_items VALUES (DEFAULT, 1, 18, 1, 1)", [18]),
    "no column list, fewer values": ("INSERT INTO line_items VALUES (DEFAULT, 1, 19)", [19]),
    "default": ("INSERT INTO line_items (line_item_id, order_id, quantity) VALUES (DEFAULT, 20, DEFAULT)", [20]),
    "null": ("INSERT INTO line_items (order_id) VALUES (NULL)", [None]),
    "null among others": ("INSERT INTO line_items (order_id) VALUES (21), (NULL), (22)", [21, None, 22]),
    "without the order": ("INSERT INTO line_items (quantity) VALUES (5)", [None]),
    "the column is named": ("INSERT INTO line_items (order_id, store_id) VALUES (23, 4)", [23]),
    "subselect": ("INSERT INTO line_items (order_id) VALUES ((SELECT max(order_id) FROM orders WHERE order_id < 25))", [24]),
    "semicolon and comment behind": ("INSERT INTO line_items (order_id) VALUES (25); -- done", [25]),
    "dollar quotes": ("INSERT INTO line_items (order_id, quantity) VALUES (26, length($$ ), ( $$))", [26]),
    "string with parentheses": ("INSERT INTO line_items (quantity, order_id) VALUES (length('a)''(, b'), 27)", [27]),
    "wide characters ahead": ("INSERT INTO line_items (quantity, order_id) VALUES (length('äöü€😀'), 28)", [28]),
    "on conflict do nothing": ("INSERT INTO line_items (order_id) VALUES (29) ON CONFLICT DO NOTHING", [29]),
    "volatile order": ("INSERT INTO line_items (order_id) VALUES ((SELECT nextval('volatile_seq')))", "volatile"),
    "many rows": ("INSERT INTO line_items (order_id, quantity) VALUES " + ", ".join(f"({n}, {n})" for n in range(1, 201)),
                  list(range(1, 201))),
}


@pytest.fixture(scope="module")
def insert_database(derived):
    derived.execute("CREATE SEQUENCE volatile_seq START 31")
    return derived


def expected_stores(name, orders):
    if name == "the column is named":
        return [(23, 4)]
    return [(order, None if order is None else store_of(order)) for order in orders]


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("name", INSERTS)
def test_insert(name, protocol, insert_database):
    sql, orders = INSERTS[name]
    last = insert_database.last_id()
    if orders == "volatile":
        orders = [insert_database.execute("SELECT last_value + is_called::int FROM volatile_seq")[0][0]]
    with Wire(insert_database.proxy.endpoint()) as conn:
        if protocol == "simple":
            messages = conn.ask(query(sql))
        elif protocol == "extended":
            messages = conn.ask(parse(sql) + bind() + describe("P") + execute() + sync())
        else:
            messages = conn.ask(parse(sql, "s") + sync()) + conn.ask(bind((), "", "s") + execute() + sync())
        assert not error_of(messages)
        assert [payload for kind, payload in messages if kind == "C"] == [b"INSERT 0 %d\0" % len(orders)]
    assert insert_database.stores_since(last) == expected_stores(name, orders)
    if name == "volatile order":
        assert insert_database.execute("SELECT last_value FROM volatile_seq") == [(orders[0],)]


def test_nothing_is_wrong_at_the_end(insert_database):
    """Of all that was inserted above, but the one row that named a store itself."""
    insert_database.execute("DELETE FROM line_items WHERE order_id = 23")
    since = insert_database.execute("SELECT count(*) FROM line_items WHERE store_id IS NOT NULL")[0][0]
    wrong = insert_database.execute(WRONG_ROWS + " AND l.line_item_id > 400")
    assert since > 600 and wrong == []


def test_parameters(derived):
    """Types stay what they were, text and binary, repeated and not."""
    last = derived.last_id()
    with Wire(derived.proxy.endpoint()) as conn, Wire(derived.server.endpoint(derived.database)) as direct:
        cases = [
            ("INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)", ["41", "1"], (), [41]),
            ("INSERT INTO line_items (quantity, order_id) VALUES ($1, $2), ($1, $3)", ["1", "42", "43"], (), [42, 43]),
            ("INSERT INTO line_items (order_id, quantity) VALUES ($1, $1)", ["44"], (), [44]),
            ("INSERT INTO line_items (order_id, quantity) VALUES ($1 + 1, 1)", ["44"], (), [45]),
            ("INSERT INTO line_items (order_id) VALUES ($1::int)", ["46"], (), [46]),
            ("INSERT INTO line_items (order_id) VALUES ($1)", [(47).to_bytes(8, "big")], (1,), [47]),
            ("INSERT INTO line_items (order_id) VALUES ($1)", [None], (), [None]),
            ("INSERT INTO line_items (line_amount, order_id) VALUES ($2, $1)", ["48", "1.5"], (), [48]),
        ]
        for n, (sql, values, formats, _) in enumerate(cases):
            described = []
            for target in (conn, direct):
                described.append(target.ask(parse(sql, f"s{n}") + describe("S", f"s{n}") + sync()))
            assert described[0] == described[1], sql
            messages = conn.ask(bind(values, "", f"s{n}", formats) + describe("P") + execute() + sync())
            assert not error_of(messages), (sql, messages)
    stores = derived.stores_since(last)
    orders = [order for *_, inserted in cases for order in inserted]
    assert stores == [(order, None if order is None else store_of(order)) for order in orders]


def test_returning_star_shows_the_column(derived):
    """RETURNING * is the table's columns, the new one included, as for any statement that does not name it."""
    with psycopg.connect(**derived.proxy.endpoint().keywords()) as conn:
        cursor = conn.execute("INSERT INTO line_items (order_id, quantity) VALUES (50, 2) RETURNING *")
        columns = [column.name for column in cursor.description]
        assert columns == ["line_item_id", "product_id", "order_id", "quantity", "line_amount", "store_id"]
        assert cursor.fetchone()[2:] == (50, 2, None, store_of(50))


def test_order_of_the_same_transaction(derived):
    """An order that only this transaction sees; in one pipeline too."""
    last = derived.last_id()
    with psycopg.connect(**derived.proxy.endpoint().keywords()) as conn:
        order = conn.execute("INSERT INTO orders (store_id) VALUES (17) RETURNING order_id").fetchone()[0]
        conn.execute("INSERT INTO line_items (order_id) VALUES (%s)", (order,))
    with Wire(derived.proxy.endpoint()) as conn:
        messages = conn.ask(parse("INSERT INTO orders (order_id, store_id) VALUES (9001, 18)") + bind() + execute()
                            + parse("INSERT INTO line_items (order_id) VALUES ($1)") + bind(["9001"]) + execute() + sync())
        assert not error_of(messages)
    assert derived.stores_since(last) == [(order, 17), (9001, 18)]


def test_string_of_several_statements(derived):
    last = derived.last_id()
    with Wire(derived.proxy.endpoint()) as conn:
        messages = conn.ask(query("BEGIN; INSERT INTO line_items (order_id) VALUES (61); SELECT 'ä;'; /* x */ INSERT INTO line_items"
                                  " (quantity, order_id) VALUES (1, 62), (2, 63); COMMIT;"))
        assert wire.kinds(messages) == "CCTDCCCZ"
    assert derived.stores_since(last) == [(order, store_of(order)) for order in (61, 62, 63)]


def test_literals_differ(derived):
    """The same statement with other literals, of other lengths and kinds, over and over."""
    last = derived.last_id()
    orders = [1, 22, 133, 4, 199, 10]
    with Wire(derived.proxy.endpoint()) as conn:
        for n, order in enumerate(orders * 5):
            quantity = ["1", "22", "-3", "+4", "0x".replace("0x", "5")][n % 5]
            messages = conn.ask(query(f"INSERT INTO line_items (quantity, order_id) VALUES ({quantity}, {order})"))
            assert not error_of(messages)
    assert derived.stores_since(last) == [(order, store_of(order)) for order in orders * 5]


def test_prepared_statement_many_times(derived):
    last = derived.last_id()
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(parse("INSERT INTO line_items (order_id) VALUES ($1)", "s") + sync())
        messages = conn.ask(b"".join(bind([str(n)], "", "s") + execute() for n in range(1, 101)) + sync())
        assert wire.kinds(messages) == "2C" * 100 + "Z"
    assert derived.stores_since(last) == [(order, store_of(order)) for order in range(1, 101)]


def test_missing_order_reaches_its_constraint(derived):
    """The same error as without the rewrite, down to its fields."""

    def observe(endpoint, sql):
        with psycopg.connect(**endpoint.keywords()) as conn:
            with pytest.raises(psycopg.errors.ForeignKeyViolation) as failure:
                conn.execute(sql)
            diag = failure.value.diag
            return diag.constraint_name, diag.table_name, diag.message_primary, diag.message_detail

    for sql in ("INSERT INTO line_items (order_id) VALUES (-1)", "INSERT INTO line_items (order_id) VALUES (1), (-2)"):
        assert observe(derived.proxy.endpoint(), sql) == observe(derived.server.endpoint(derived.database), sql)


def test_search_path(derived):
    """A line_items of another schema is another table; so is a temporary one."""
    derived.execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.line_items (order_id bigint, quantity bigint)")
    derived.proxy.console("RELOAD")
    derived.proxy.wait_for_catalog("elsewhere.line_items")
    with psycopg.connect(autocommit=True, **derived.proxy.endpoint().keywords()) as conn:
        conn.execute("SET search_path = elsewhere, public")
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (1) RETURNING *").fetchone() == (1, None)
        conn.execute("SET search_path = public, elsewhere")
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (71) RETURNING store_id").fetchone() == (store_of(71),)
        conn.execute("RESET search_path")
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (72) RETURNING store_id").fetchone() == (store_of(72),)
        with conn.transaction():
            conn.execute("SET LOCAL search_path = elsewhere")
            assert conn.execute("INSERT INTO line_items (order_id) VALUES (1) RETURNING *").fetchone() == (1, None)
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (73) RETURNING store_id").fetchone() == (store_of(73),)
        conn.execute("CREATE TEMP TABLE line_items (order_id bigint)")
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (1) RETURNING *").fetchone() == (1,)
        assert conn.execute("INSERT INTO public.line_items (order_id) VALUES (74) RETURNING store_id").fetchone() == (store_of(74),)
    endpoint = derived.proxy.endpoint()
    with psycopg.connect(**endpoint.keywords(options="-c search_path=elsewhere")) as conn:
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (1) RETURNING *").fetchone() == (1, None)


def test_other_tables_are_left_alone(derived):
    with psycopg.connect(**derived.proxy.endpoint().keywords()) as conn:
        assert conn.execute("INSERT INTO orders (store_id, status) VALUES (3, 'new') RETURNING store_id, status").fetchone() == (3, "new")
        assert conn.execute("INSERT INTO stores (name) VALUES ('another') RETURNING name").fetchone() == ("another",)


def test_unreadable_text_is_passed_untouched(derived):
    """Settings under which a text means something else than the parser thinks."""
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(query("SET client_encoding = 'SJIS'"))
        # To the server 0x8F5C is one character and the string ends before the comma; to a UTF-8 reader it goes on.
        sql = b"INSERT INTO line_items (quantity, order_id) VALUES (length(E'\x8f\x5c'), 80) --'"
        assert not error_of(conn.ask(message("Q", sql + b"\0")))
        conn.ask(query("RESET client_encoding"))
        conn.ask(query("SET standard_conforming_strings = off; SET escape_string_warning = off"))
        messages = conn.ask(query(r"INSERT INTO line_items (quantity, order_id) VALUES (length('\', 1), (99, '), 81) RETURNING order_id"))
        assert rows(messages) == [[b"81"]]
        conn.ask(query("RESET standard_conforming_strings"))
        assert rows(conn.ask(query("INSERT INTO line_items (order_id) VALUES (82) RETURNING store_id"))) == [[str(store_of(82)).encode()]]


def test_psycopg2_execute_values(derived):
    last = derived.last_id()
    conn = psycopg2.connect(**derived.proxy.endpoint().keywords())
    with conn, conn.cursor() as cursor:
        psycopg2.extras.execute_values(cursor, "INSERT INTO line_items (order_id, quantity) VALUES %s",
                                       [(1 + n % 200, n) for n in range(1000)], page_size=250)
        psycopg2.extras.execute_batch(cursor, "INSERT INTO line_items (order_id, line_amount) VALUES (%s, %s)",
                                      [(1 + n % 200, n / 2) for n in range(200)])
    conn.close()
    assert derived.stores_since(last) == [(1 + n % 200, store_of(1 + n % 200)) for n in [*range(1000), *range(200)]]


def test_psycopg_executemany(derived):
    last = derived.last_id()
    with psycopg.connect(**derived.proxy.endpoint().keywords()) as conn:
        conn.cursor().executemany("INSERT INTO line_items (order_id, quantity) VALUES (%s, %s)", [(n, 1) for n in range(1, 101)])
    assert derived.stores_since(last) == [(n, store_of(n)) for n in range(1, 101)]


def test_sql_prepare(derived):
    """PREPARE and EXECUTE as statements."""
    last = derived.last_id()
    with Wire(derived.proxy.endpoint()) as conn:
        messages = conn.ask(query("PREPARE p (bigint) AS INSERT INTO line_items (order_id) VALUES ($1)"), 1)
        messages += conn.ask(query("EXECUTE p(90)")) + conn.ask(query("EXECUTE p(91)"))
        assert not error_of(messages)
        assert [payload for kind, payload in messages if kind == "C"] == [b"PREPARE\0", b"INSERT 0 1\0", b"INSERT 0 1\0"]
    assert derived.stores_since(last) == [(90, store_of(90)), (91, store_of(91))]


def test_rewritten_statements_are_counted(derived):
    rewritten = [row for row in derived.proxy.console("SHOW AUDIT") if row["rewritten"] == "t" and "INSERT" in row["sample"]]
    assert len(rewritten) > 10 and all(row["verdict"] in ("single-tenant", "multi-tenant") for row in rewritten)
