"""Tables that Citus has distributed, and the minutes in which it distributes them.

Every shape of write works, or is refused by the proxy in words that name the rule; none reaches Citus to be refused there.
"""

import os
import random
import sys
import threading
import time

import psycopg
import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import process  # noqa: E402
from harness.migration import set_stage  # noqa: E402
from harness.proxy import Proxy, run_command  # noqa: E402
from harness.wire import Wire, bind, error_of, execute, parse, query, rows, sync  # noqa: E402
from oracle import parallel  # noqa: E402
from oracle.pair import CITUS_REFUSES  # noqa: E402
from oracle.runner import Options  # noqa: E402

pytestmark = pytest.mark.limit(180)

STATEMENTS = int(os.environ.get("ORACLE_STATEMENTS", 10000)) // 10
SEED = int(os.environ.get("ORACLE_SEED", 11))

SCHEMA = """
CREATE TABLE stores (store_id bigserial PRIMARY KEY, name text);
CREATE TABLE orders (order_id bigserial, store_id bigint NOT NULL, status text, PRIMARY KEY (store_id, order_id));
CREATE TABLE line_items (line_item_id bigserial, order_id bigint, quantity bigint DEFAULT 1, note text,
                         store_id bigint NOT NULL, PRIMARY KEY (store_id, line_item_id));
CREATE TABLE parcels (parcel_id bigserial, line_item_id bigint, weight numeric, store_id bigint NOT NULL,
                      PRIMARY KEY (store_id, parcel_id));
CREATE INDEX ON orders (order_id);
CREATE INDEX ON line_items (line_item_id);
INSERT INTO stores (name) SELECT 'store ' || n FROM generate_series(1, 5) n;
INSERT INTO orders (store_id) SELECT 1 + n % 5 FROM generate_series(1, 100) n;
INSERT INTO line_items (order_id, store_id) SELECT n, 1 + n % 5 FROM generate_series(1, 100) n;
"""

KEYS = """
ALTER TABLE orders ADD CONSTRAINT orders_store FOREIGN KEY (store_id) REFERENCES stores;
ALTER TABLE line_items ADD CONSTRAINT line_items_order FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id);
ALTER TABLE parcels ADD CONSTRAINT parcels_line_item FOREIGN KEY (store_id, line_item_id)
    REFERENCES line_items (store_id, line_item_id);
"""
DROP_KEYS = (
    "ALTER TABLE parcels DROP CONSTRAINT parcels_line_item",
    "ALTER TABLE line_items DROP CONSTRAINT line_items_order",
    "ALTER TABLE orders DROP CONSTRAINT orders_store",
)
TABLES = ("stores", "orders", "line_items", "parcels")
# The paths are said, for while Citus distributes a table there is no foreign key to infer them from.
SECTIONS = """
[table line_items]
kind = backfill
tenant_from = order_id -> orders(order_id)
[table parcels]
kind = backfill
tenant_from = line_item_id -> line_items(line_item_id)
"""


def store_of(order_id):
    return 1 + order_id % 5


class Shop:
    """Stores, orders, line items and parcels in a database of a cluster, with a proxy, in stage resolve."""

    def __init__(self, cluster):
        self.cluster, self.node = cluster, cluster.coordinator
        self.database = cluster.create_database(f"shop_{random.randrange(1 << 30)}")
        self.execute(SCHEMA + KEYS)
        self.proxy = Proxy(self.node, self.database, None, None, SECTIONS)
        self.proxy.wait_for_catalog("parcels")
        done = run_command("migrate", "--to", "derive", "--yes", "-c", self.proxy.config)
        assert done.returncode == 0, done.stdout + done.stderr
        for stage in ("keyed", "resolve"):
            self.stage(stage)

    def stage(self, stage):
        set_stage(self.node, self.proxy, ["line_items", "parcels"], stage)

    def execute(self, sql, params=None):
        return self.node.execute(sql, params, self.database)

    def execute_patiently(self, sql):
        """DDL among writers: it waits for its locks no longer than they should for it, and tries again."""

        def attempt():
            try:
                self.execute(f"SET lock_timeout = '100ms'; {sql}")
                return True
            except psycopg.errors.LockNotAvailable:
                return False

        process.wait_until(attempt, 20, sql, 0.05)

    def distribute(self):
        for table in TABLES:
            self.execute(f"SELECT create_distributed_table('{table}', 'store_id')")
        self.stage("distributed")
        self.proxy.console("RELOAD")

    def wrong(self):
        """Rows whose store is not their parent's."""
        return self.execute("SELECT l.line_item_id, l.order_id, l.store_id FROM line_items l LEFT JOIN orders o "
                            "ON o.store_id = l.store_id AND o.order_id = l.order_id "
                            "WHERE o.order_id IS NULL AND l.order_id IS NOT NULL")

    def close(self):
        try:
            self.proxy.close()
        finally:
            self.cluster.drop_database(self.database)


@pytest.fixture(scope="module")
def shop(cluster):
    made = Shop(cluster)
    made.distribute()
    yield made
    made.close()


# Shape → the statement, its parameters in the extended protocol, and what it returns; or the SQLSTATE of the refusal and
# words that must be in it.
SHAPES = {
    "values": ("INSERT INTO line_items (order_id) VALUES (7) RETURNING store_id", [], [["3"]]),
    "values, a parameter": ("INSERT INTO line_items (order_id) VALUES ($1) RETURNING store_id", ["8"], [["4"]]),
    "values of several tenants": ("INSERT INTO line_items (quantity, order_id) VALUES (1, 7), (2, 8) "
                                  "RETURNING order_id, store_id", [], [["7", "3"], ["8", "4"]]),
    "two steps": ("INSERT INTO parcels (line_item_id) VALUES (9) RETURNING store_id", [], [["5"]]),
    "an expression": ("INSERT INTO line_items (order_id) VALUES (3 + 4) RETURNING store_id", [], [["3"]]),
    "a volatile key": ("INSERT INTO line_items (order_id) VALUES (7 + floor(random())::int) RETURNING store_id", [], [["3"]]),
    "a missing parent": ("INSERT INTO line_items (order_id) VALUES (99999)", [], ("23503", "")),
    "no parent": ("INSERT INTO line_items (quantity) VALUES (1)", [], ("23502", "line_items")),
    "default values": ("INSERT INTO line_items DEFAULT VALUES", [], ("23502", "line_items")),
    "no columns": ("INSERT INTO line_items VALUES (100001, 7, 5) RETURNING store_id", [], [["3"]]),
    "select": ("INSERT INTO line_items (order_id, quantity) SELECT order_id, 2 FROM orders WHERE order_id IN (6, 7) "
               "RETURNING store_id", [], [["2"], ["3"]]),
    "select of literals": ("INSERT INTO line_items (order_id) SELECT '7' RETURNING store_id", [], [["3"]]),
    "select, grouped": ("INSERT INTO line_items (order_id, quantity) SELECT order_id, count(*) FROM orders "
                        "WHERE order_id < 3 GROUP BY order_id RETURNING store_id", [], [["2"], ["3"]]),
    "parent and child": ("WITH o AS (INSERT INTO orders (store_id) VALUES (4) RETURNING order_id) "
                         "INSERT INTO line_items (order_id) SELECT order_id FROM o RETURNING store_id", [], [["4"]]),
    "on conflict do nothing": ("INSERT INTO line_items (line_item_id, order_id) VALUES (7, 7) "
                               "ON CONFLICT (line_item_id) DO NOTHING RETURNING 1", [], []),
    "on conflict do update": ("INSERT INTO line_items (line_item_id, order_id, note) VALUES (7, 7, 'n') "
                              "ON CONFLICT (line_item_id) DO UPDATE SET note = excluded.note RETURNING note", [], [["n"]]),
    "on conflict, now()": ("INSERT INTO line_items (line_item_id, order_id) VALUES (7, 7) ON CONFLICT (line_item_id) "
                           "DO UPDATE SET note = now()", [], ("0A000", "ON CONFLICT DO UPDATE")),
    "update": ("UPDATE line_items SET quantity = 3 WHERE line_item_id = 7 RETURNING store_id", [], [["3"]]),
    "update of the key within the tenant": ("UPDATE line_items SET order_id = 12 WHERE line_item_id = 2 RETURNING store_id",
                                            [], [["3"]]),
    "update of the key into another tenant": ("UPDATE line_items SET order_id = 8 WHERE line_item_id = 7",
                                              [], ("23503", "line_items_order")),
    "update of the tenant to itself": ("UPDATE line_items SET store_id = store_id WHERE line_item_id = 7 RETURNING store_id",
                                       [], [["3"]]),
    "update of the parent's tenant": ("UPDATE orders SET store_id = 1 WHERE order_id = 7", [], ("0A000", "tenant")),
    "delete": ("DELETE FROM parcels WHERE parcel_id = 77777 RETURNING 1", [], []),
}


@pytest.mark.parametrize("protocol", ["simple", "extended"])
@pytest.mark.parametrize("shape", SHAPES)
def test_shape(shop, shape, protocol):
    """In a transaction that is rolled back, so that each shape finds the same rows."""
    sql, values, expected = SHAPES[shape]
    with Wire(shop.proxy.endpoint()) as conn:
        if protocol == "simple":
            for n, value in enumerate(values):
                sql = sql.replace(f"${n + 1}", value)
            data = query(sql)
        else:
            data = parse(sql) + bind(values) + execute() + sync()
        conn.ask(query("BEGIN"))
        messages = conn.ask(data)
        conn.ask(query("ROLLBACK"))
    error = error_of(messages)
    assert not any(text in error.get("M", "") for text in CITUS_REFUSES), error
    if isinstance(expected, tuple):
        code, words = expected
        assert error.get("C") == code and words in error["M"] + error.get("D", ""), error or rows(messages)
    else:
        assert not error
        assert sorted([value.decode() for value in row] for row in rows(messages)) == expected


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("form", ["text", "csv"])
def test_copy(shop, form, listed):
    before = shop.execute("SELECT count(*) FROM line_items")[0][0]
    with psycopg.connect(**shop.proxy.endpoint().keywords()) as conn:
        columns, head = (" (order_id, quantity)", []) if listed else ("", ["line_item_id"])
        with conn.cursor() as cursor, cursor.copy(f"COPY line_items{columns} FROM STDIN (FORMAT {form})") as copy:
            for n in range(1, 41):
                row = [*([str(200000 + n + 1000 * (form == "csv"))] if head else []), str(n), "1", *(["x"] if head else [])]
                copy.write(("\t" if form == "text" else ",").join(row) + "\n")
    assert shop.execute("SELECT count(*) FROM line_items")[0][0] == before + 40
    assert shop.wrong() == []


def test_several_statements(shop):
    """Nothing can be found out between the statements of one string: they work all the same."""
    with Wire(shop.proxy.endpoint()) as conn:
        messages = conn.ask(query("INSERT INTO line_items (order_id) VALUES (11); "
                                  "INSERT INTO line_items (order_id, quantity) VALUES (12, 1), (13, 2); "
                                  "UPDATE line_items SET note = 'ä' WHERE line_item_id = 5"))
        assert not error_of(messages), error_of(messages)
    assert shop.wrong() == []


def test_parent_and_child_in_one_pipeline(shop):
    with Wire(shop.proxy.endpoint()) as conn:
        messages = conn.ask(parse("INSERT INTO orders (order_id, store_id) VALUES (300001, 2)") + bind() + execute()
                            + parse("INSERT INTO line_items (order_id) VALUES ($1) RETURNING store_id")
                            + bind(["300001"]) + execute() + sync())
        assert not error_of(messages) and rows(messages) == [[b"2"]]


@pytest.mark.limit(60 + STATEMENTS // 10)
def test_nothing_differs(cluster, shardferry, capsys):
    """The differential oracle in stage distributed: what is not refused is as if Citus were not there."""
    with capsys.disabled():
        print(f"\noracle on Citus: seed {SEED}", flush=True)
    total = parallel.run(cluster.coordinator, Options(SEED), STATEMENTS, ("bigint", "text"), ("distributed",), citus=cluster)
    parallel.report(total)
    assert not total.findings, f"seed {SEED}: {len(total.findings)} differences, the first of them:\n{total.findings[0]}"


class Load(threading.Thread):
    """Writes and reads as fast as it can, each in a transaction of its own, until stop(); keeps what went wrong."""

    STATEMENTS = (
        ("INSERT INTO line_items (order_id, quantity) VALUES (%s, 1)", True),
        ("INSERT INTO line_items (order_id, quantity) VALUES (%s, 1), (%s, 2)", False),
        ("INSERT INTO parcels (line_item_id) VALUES (%s)", True),
        ("UPDATE line_items SET quantity = quantity + 1 WHERE line_item_id = %s", True),
        ("SELECT count(*) FROM line_items WHERE order_id = %s", False),
        ("INSERT INTO orders (store_id, status) VALUES (1 + %s %% 5, 'new')", True),
    )

    def __init__(self, endpoint, number):
        super().__init__(daemon=True)
        self.endpoint, self.rng = endpoint, random.Random(f"{SEED} {number}")
        self.done, self.problems, self.longest = 0, [], 0.0
        self._stop_now = threading.Event()
        self.start()

    def run(self):
        try:
            with psycopg.connect(autocommit=True, **self.endpoint.keywords()) as conn, psycopg.ClientCursor(conn) as simple:
                while not self._stop_now.is_set():
                    sql, prepared = self.rng.choice(self.STATEMENTS)
                    values = [self.rng.randint(1, 100) for _ in range(sql.count("%s"))]
                    began = time.monotonic()
                    if prepared:
                        conn.execute(sql, values, prepare=True)
                    else:
                        simple.execute(sql, values)
                    self.longest = max(self.longest, time.monotonic() - began)
                    self.done += 1
        except psycopg.Error as problem:
            self.problems.append(f"{sql} {values}: {problem!r}")

    def stop(self):
        self._stop_now.set()
        self.join(30)
        assert not self.is_alive()


def test_distributing_under_load(cluster, shardferry):
    """create_distributed_table_concurrently while clients write: they see no error, and no row has a wrong store."""
    shop = Shop(cluster)
    try:
        loads = [Load(shop.proxy.endpoint(), number) for number in range(4)]
        time.sleep(0.5)
        for statement in DROP_KEYS:
            shop.execute_patiently(statement)
        for table in TABLES:
            colocated = "" if table == "stores" else ", colocate_with => 'stores'"
            shop.execute(f"SELECT create_distributed_table_concurrently('{table}', 'store_id'{colocated})")
        shop.stage("distributed")
        before = [load.done for load in loads]
        time.sleep(0.5)
        for load in loads:
            load.stop()
        assert not [problem for load in loads for problem in load.problems]
        assert all(load.done > then for load, then in zip(loads, before)), "a client stood still"
        assert shop.wrong() == []
        assert shop.execute("SELECT count(*) FROM pg_dist_partition WHERE partmethod = 'h'") == [(len(TABLES),)]
    finally:
        shop.close()
