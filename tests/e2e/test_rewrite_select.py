"""INSERT … SELECT and WITH chains give each row its store, in the stages derive, keyed and resolve."""

import psycopg
import pytest

from harness.migration import Migration
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import Wire, bind, describe, error_of, execute, parse, query, rows, sync

STAGES = ["derive", "keyed", "resolve"]

# Statement → the orders whose items it inserts, in order.
SELECTS = {
    "the parent": ("INSERT INTO line_items (order_id, quantity) SELECT o.order_id, 1 FROM orders o WHERE o.order_id < 4 ORDER BY 1",
                   [1, 2, 3]),
    "last first": ("INSERT INTO line_items (order_id) SELECT order_id FROM orders WHERE order_id < 5 ORDER BY order_id DESC LIMIT 3", [4, 3, 2]),
    "another table": ("INSERT INTO line_items (order_id, product_id) SELECT product_id, product_id FROM products ORDER BY price DESC LIMIT 4",
                      [100, 99, 98, 97]),
    "unqualified key of a join": ("INSERT INTO line_items (order_id) SELECT order_id FROM orders JOIN stores USING (store_id)"
                                  " WHERE order_id BETWEEN 7 AND 9 ORDER BY 1", [7, 8, 9]),
    "grouped": ("INSERT INTO line_items (order_id, quantity) SELECT o.order_id, count(*) FROM orders o JOIN stores s ON s.store_id <= o.store_id"
                " WHERE o.order_id < 4 GROUP BY o.order_id ORDER BY 1", [1, 2, 3]),
    "aggregated": ("INSERT INTO line_items (order_id) SELECT min(order_id) + 1 FROM orders", [2]),
    "distinct": ("INSERT INTO line_items (order_id, quantity) SELECT DISTINCT product_id % 3 + 1, 7 FROM products ORDER BY 1", [1, 2, 3]),
    "union of parents": ("INSERT INTO line_items (order_id) SELECT order_id FROM orders WHERE order_id < 3 UNION SELECT order_id FROM orders"
                         " WHERE order_id = 2 ORDER BY 1", [1, 2]),
    "union with others": ("INSERT INTO line_items (order_id) SELECT order_id FROM orders WHERE order_id = 5 UNION ALL SELECT 6"
                          " UNION ALL SELECT product_id FROM products WHERE product_id = 7", [5, 6, 7]),
    "literal key": ("INSERT INTO line_items (order_id, product_id) SELECT 11, product_id FROM products WHERE product_id < 4", [11] * 3),
    "literal that is a string": ("INSERT INTO line_items (order_id, line_amount) SELECT '12', '1.50'", [12]),
    "unknown literals wrapped": ("INSERT INTO line_items (quantity, order_id, line_amount) SELECT '3', product_id, NULL FROM products"
                                 " WHERE product_id = 13", [13]),
    "no column list": ("INSERT INTO line_items SELECT 70000 + product_id, product_id, product_id FROM products WHERE product_id < 3", [1, 2]),
    "star": ("INSERT INTO line_items (order_id, quantity) SELECT * FROM (SELECT product_id, 2 FROM products WHERE product_id < 3) s", [1, 2]),
    "values": ("INSERT INTO line_items (order_id, quantity) VALUES (14, 1), (13, 2) ORDER BY 1", [13, 14]),
    "from values, in order": ("INSERT INTO line_items (order_id, quantity) SELECT p0::bigint, p1::bigint FROM (VALUES (30, 1, 0), (20, 2, 1),"
                              " (25, 3, 2)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter", [30, 20, 25]),
    "series": ("INSERT INTO line_items (order_id) SELECT g FROM generate_series(41, 44) g", [41, 42, 43, 44]),
    "with in front": ("WITH x AS (SELECT order_id FROM orders WHERE order_id = 15) INSERT INTO line_items (order_id) SELECT x.order_id FROM x", [15]),
    "with behind": ("INSERT INTO line_items (order_id) WITH x AS (SELECT order_id + 1 AS k FROM orders WHERE order_id = 15) SELECT k FROM x", [16]),
    "itself": ("INSERT INTO line_items (order_id, quantity) SELECT order_id, quantity + 1 FROM line_items WHERE line_item_id < 4 ORDER BY"
               " line_item_id", [2, 3, 4]),
    "locking": ("INSERT INTO line_items (order_id) SELECT product_id FROM products WHERE product_id = 17 FOR UPDATE SKIP LOCKED", [17]),
    "on conflict": ("INSERT INTO line_items AS l (order_id) (SELECT product_id FROM products WHERE product_id = 18) ON CONFLICT DO NOTHING"
                    " RETURNING l.order_id", [18]),
    "no row, no parent": ("INSERT INTO line_items (order_id) SELECT 99999 FROM orders WHERE false", []),
}

# The same, of orders that the statement itself makes; their store is 5.
CHAINS = {
    "select": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING order_id) INSERT INTO line_items (order_id, quantity)"
               " SELECT order_id, 1 FROM o", 1),
    "star": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING *) INSERT INTO line_items (order_id)"
             " SELECT o.order_id FROM o CROSS JOIN generate_series(1, 3)", 3),
    "values": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING order_id) INSERT INTO line_items (order_id, quantity)"
               " VALUES ((SELECT order_id FROM o), '1')", 1),
    "several values": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING order_id) INSERT INTO line_items"
                       " (order_id, quantity) VALUES ((SELECT order_id FROM o), '1'), ((SELECT order_id FROM o), DEFAULT)", 2),
    "key given twice": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5)) INSERT INTO line_items (order_id) VALUES ({0})", 1),
    "two children": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING order_id), a AS (INSERT INTO line_items (order_id)"
                     " SELECT order_id FROM o), b AS (INSERT INTO line_items (order_id) SELECT order_id FROM o) SELECT order_id FROM o", 2),
    "passed on": ("WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({0}, 5) RETURNING order_id), p AS (SELECT order_id AS k FROM o)"
                  " INSERT INTO line_items (order_id) SELECT p.k FROM p", 1),
}


@pytest.fixture(scope="module", params=STAGES)
def staged(request, server, authority):
    """A database in one of the stages."""
    made = Migration(server, authority)
    try:
        for stage in STAGES[:STAGES.index(request.param) + 1]:
            getattr(made, stage)()
        made.name = request.param
        yield made
    finally:
        made.close()


def ask(database, sql, protocol):
    with Wire(database.proxy.endpoint()) as conn:
        if protocol == "simple":
            return conn.ask(query(sql))
        if protocol == "extended":
            return conn.ask(parse(sql) + bind() + describe("P") + execute() + sync())
        return conn.ask(parse(sql, "s") + sync()) + conn.ask(bind((), "", "s") + execute() + sync())


def tag_of(messages):
    return [payload for kind, payload in messages if kind == "C"][-1]


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("name", SELECTS)
def test_select(name, protocol, staged):
    sql, orders = SELECTS[name]
    before = staged.execute("SELECT line_item_id FROM line_items")
    messages = ask(staged, sql, protocol)
    assert not error_of(messages)
    assert tag_of(messages) == b"INSERT 0 %d\0" % len(orders)
    added = staged.execute("SELECT order_id, store_id FROM line_items WHERE line_item_id <> ALL (%s) ORDER BY line_item_id",
                           ([row[0] for row in before],))
    assert added == [(order, store_of(order)) for order in orders]
    staged.execute("DELETE FROM line_items WHERE line_item_id >= 70000")


@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("name", CHAINS)
def test_chain(name, protocol, staged):
    sql, n = CHAINS[name]
    order = staged.execute("SELECT max(order_id) + 1 FROM orders")[0][0]
    last = staged.last_id()
    messages = ask(staged, sql.format(order), protocol)
    assert not error_of(messages)
    assert staged.stores_since(last) == [(order, 5)] * n


def test_nothing_is_wrong_at_the_end(staged):
    assert staged.execute(WRONG_ROWS + " AND l.line_item_id > 400") == []


def test_parameters(staged):
    """What a literal's place gives a parameter as type, the proxy does not change."""
    last = staged.last_id()
    cases = [
        ("INSERT INTO line_items (order_id, product_id, line_amount) SELECT $1, product_id, $2 FROM products WHERE product_id < $3",
         ["61", "1.5", "3"], [61, 61]),
        ("INSERT INTO line_items (order_id, quantity, line_amount) SELECT product_id, $1, $2 FROM products WHERE product_id = $3",
         ["2", "1.5", "62"], [62]),
        ("INSERT INTO line_items (order_id) SELECT $1 UNION ALL SELECT $2", ["63", "64"], None),
        ("INSERT INTO line_items (order_id) SELECT p0::bigint FROM (VALUES ($1, 0), ($2, 1)) v (p0, n) ORDER BY n", ["66", "65"], [66, 65]),
    ]
    with Wire(staged.proxy.endpoint()) as conn, Wire(staged.server.endpoint(staged.database)) as direct:
        for n, (sql, values, orders) in enumerate(cases):
            described = [target.ask(parse(sql, f"s{n}") + describe("S", f"s{n}") + sync()) for target in (conn, direct)]
            errors = [error_of(messages) for messages in described]
            assert [error.get("C") for error in errors] == [None if orders else "42804"] * 2, sql
            if orders:
                assert described[0] == described[1], sql
                messages = conn.ask(bind(values, "", f"s{n}") + describe("P") + execute() + sync())
                assert not error_of(messages), (sql, messages)
    orders = [order for *_, inserted in cases for order in inserted or []]
    assert staged.stores_since(last) == [(order, store_of(order)) for order in orders]


def test_missing_parent_reaches_the_constraint(staged):
    expected = psycopg.errors.ForeignKeyViolation if staged.name == "derive" else psycopg.errors.NotNullViolation
    with psycopg.connect(**staged.proxy.endpoint().keywords(), autocommit=True) as conn:
        for sql in ("INSERT INTO line_items (order_id) SELECT g FROM generate_series(1, 99999, 99998) g",
                    "INSERT INTO line_items (order_id) SELECT 99999 FROM generate_series(1, 2)"):
            with pytest.raises(expected):
                conn.execute(sql)


def test_what_the_client_sees_is_the_same(staged):
    """RETURNING * of a chain shows the orders' columns, no more."""
    order = staged.execute("SELECT max(order_id) + 1 FROM orders")[0][0]
    sql = (f"WITH o AS (INSERT INTO orders (order_id, store_id) VALUES ({order}, 5) RETURNING order_id, status), l AS"
           " (INSERT INTO line_items (order_id) SELECT order_id FROM o RETURNING order_id AS id) SELECT * FROM o, l")
    last = staged.last_id()
    with psycopg.connect(**staged.proxy.endpoint().keywords(), autocommit=True) as conn:
        cursor = conn.execute(sql)
        assert [column.name for column in cursor.description] == ["order_id", "status", "id"]
        assert cursor.fetchall() == [(order, None, order)]
    assert staged.stores_since(last) == [(order, 5)]


def test_string_of_several_statements(staged):
    last = staged.last_id()
    with Wire(staged.proxy.endpoint()) as conn:
        messages = conn.ask(query("BEGIN; INSERT INTO line_items (order_id) SELECT 71; INSERT INTO line_items (order_id) SELECT product_id"
                                  " FROM products WHERE product_id IN (72, 73) ORDER BY 1 RETURNING order_id; COMMIT"))
        assert not error_of(messages)
        assert rows(messages) == [[b"72"], [b"73"]]
    assert staged.stores_since(last) == [(order, store_of(order)) for order in (71, 72, 73)]
