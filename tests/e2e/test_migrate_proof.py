"""shardferry migrate: the proof that nothing was lost, what is done at the end, and what stops it there.

Without Citus: what verification finds behind the backfill. With it: checksums over all types on nodes that are set differently,
a damaged copy, foreign keys that lead to a local table, leftovers.
"""

import re
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import binary
from test_migrate_citus import CitusShop
from test_migrate_keys import KeyShop

# Verification behind the backfill


@pytest.mark.parametrize("wrong, says", [
    ("INSERT INTO line_items (line_item_id, order_id, product_id, store_id) VALUES (1001, 7, 999, 8), (1002, 7, 998, 8)",
     ["2 rows of public.line_items refer to rows of public.products that are not there: {1001,1002}",
      "line_items_product_id_fkey was never validated"]),
    ("INSERT INTO line_items (line_item_id, order_id, product_id, store_id) VALUES (1001, 7, 9, 8)",
     ["1 rows of public.line_items have another store_id than their row of public.products", "1001: 8 and 10",
      "Two parents disagree: theirs is that of their row of public.orders"]),
    ("INSERT INTO line_items (line_item_id, order_id) VALUES (1001, 999)",
     ["1 rows of public.line_items have no store_id, as they have no parent that has one: {1001}"]),
])
def test_rows_written_behind_everybodys_back_are_named(server, tmp_path, wrong, says):
    shop = KeyShop(server, tmp_path, tailspin.create(server))
    try:
        shop.execute("ALTER TABLE line_items DROP CONSTRAINT line_items_product_id_fkey, ADD CONSTRAINT line_items_product_id_fkey "
                     "FOREIGN KEY (product_id) REFERENCES products NOT VALID")
        shop.migrate("--to", "derive")
        with shop.connect() as holder:
            holder.execute("BEGIN; UPDATE line_items SET quantity = 2 WHERE line_item_id = 100")
            runner = shop.start()
            # Behind preflight, which would have found them.
            process.wait_until(lambda: shop.execute("SELECT count(*) FROM shardferry.journal WHERE step = 'settle' AND event = 'started'")
                               == [(1,)])
            holder.execute("SET LOCAL session_replication_role = replica;" + wrong)
            holder.execute("COMMIT")
        assert runner.wait(30) == 1
        for text in says:
            assert text in shop.printed()
        assert shop.execute("SELECT attnotnull FROM pg_attribute WHERE attrelid = 'line_items'::regclass AND attname = 'store_id'") == [
            (False,)]
    finally:
        server.drop_database(shop.name)


# With Citus

# What each node makes of a text if it is asked without further ado: the coordinator, and two workers.
SETTINGS = [
    "SET TimeZone = 'Asia/Tokyo'",
    "SET TimeZone = 'America/St_Johns'; SET DateStyle = 'ISO, DMY'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = -3; SET bytea_output = 'escape'",
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'; SET IntervalStyle = 'postgres_verbose'; SET extra_float_digits = 3; SET bytea_output = 'escape'",
]
# Where Citus copies as text, one node reads what another one wrote.
MISREAD = ["SET DateStyle = 'SQL, DMY'", "SET DateStyle = 'SQL, MDY'", "SET DateStyle = 'SQL, MDY'"]

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'it''s "fine"', '');
CREATE TYPE place AS (x float8, "at" timestamptz, m mood);
CREATE DOMAIN cents AS numeric(12, 4);
CREATE TABLE stores (store_id bigint PRIMARY KEY, name text);
INSERT INTO stores SELECT n, 'store ' || n FROM generate_series(1, 9) n;
CREATE TABLE small (id bigint, dropped int, store_id bigint NOT NULL REFERENCES stores, "Odd ""name" text, n numeric, c cents, f float8, f4 float4, t timestamptz,
    ts timestamp, d date, i interval, tt timetz, b bytea, j jsonb, js json, x xml, a int[], texts text[], moods mood[], p place,
    ps place[], r tstzrange, m mood, u uuid, ip inet, bits varbit, pt point, ch char(5), o "char", v tsvector,
    g text GENERATED ALWAYS AS (upper("Odd ""name")) STORED, PRIMARY KEY (store_id, id));
ALTER TABLE small DROP COLUMN dropped;
INSERT INTO small SELECT s, 1 + s % 9,
    CASE s % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'\\\\"(),{} \\r\\n\\t\\x01' WHEN 3 THEN 'ä€😀' ELSE repeat('x', 3000 + s) END,
    CASE s % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 1.50 WHEN 2 THEN 1.5 ELSE -1e40 / 7 END, s / 7.0,
    CASE s % 5 WHEN 0 THEN '-0' WHEN 1 THEN 0.1::float8 + 0.2 WHEN 2 THEN 'Infinity' WHEN 3 THEN 'NaN' ELSE 1.0 / s END, 1.0 / s,
    CASE s % 3 WHEN 0 THEN '-infinity' ELSE '2024-03-31 01:59:59.999999+00'::timestamptz + s * interval '1 hour' END, '0044-03-15 BC', '2024-02-29',
    '1 year -2 mons 3 days -04:05:06.789', '23:59:60+05:30', '\\x005c27ff', '{"b": [1.50, null, "ä"], "a": {}}', '{"b" : 1.0,"b":2}', '<a b="c"/>',
    ARRAY[[1, NULL], [s, 2]], ARRAY['', 'NULL', NULL, '"', ','], ARRAY['', 'sad', NULL]::mood[], ROW(0.1, '2024-01-01 00:00+00', 'sad')::place,
    ARRAY[ROW(1e300, NULL, '')::place], tstzrange('2024-01-01 00:00+00', NULL), 'it''s "fine"', gen_random_uuid(), '::1/64',
    B'10110', '(1e-7, 3)', 'ab', 'x', 'a:1 b:2A' FROM generate_series(1, 400) s;
CREATE TABLE written (LIKE small INCLUDING ALL);
INSERT INTO written (id, store_id, n, f, t, i, b, j, p) SELECT s, 1 + s % 9, 1.50, 1.0 / s, now(), '1 mon', '\\xff', '{}', ROW(0.1, now(), 'sad')::place FROM generate_series(1, 3000) s;
ALTER TABLE written ADD FOREIGN KEY (store_id) REFERENCES stores;
"""

SHELL_BYTES = "SELECT sum(pg_relation_size(c)) FROM unnest(%s::regclass[]) c"


@pytest.fixture
def make_shop(cluster, tmp_path):
    made = []

    def make(name, *scripts, tables="", migration="", **options):
        shop = CitusShop(cluster.coordinator, tmp_path, cluster.create_database(name))
        shop.cluster = cluster
        made.append(shop)
        for script in scripts:
            shop.execute(script)
        shop.configure(tables=f"[migration]\n{migration}\n{tables}", **options)
        return shop

    yield make
    for shop in made:
        cluster.drop_database(shop.name)


def set_nodes(shop, per_node):
    for node, settings in zip(shop.cluster.nodes, per_node):
        for setting in settings.split("; "):
            node.execute(f"ALTER DATABASE {shop.name} {setting}", None, "postgres")


class Writer(threading.Thread):
    """Inserts, updates and deletes until it is stopped; the rows that should be there at the end."""

    def __init__(self, shop):
        super().__init__(daemon=True)
        self.shop, self.over, self.problem = shop, threading.Event(), None
        self.start()

    def run(self):
        try:
            with self.shop.connect() as conn:
                number = 0
                while not self.over.wait(0.02):
                    number += 1
                    conn.execute("INSERT INTO written (id, store_id, f) VALUES (%s, %s, 0.1)", (10000 + number, 1 + number % 9))
                    conn.execute("UPDATE written SET n = n + 1 WHERE store_id = %s AND id = %s", (1 + number % 9, number))
                    conn.execute("DELETE FROM written WHERE store_id = %s AND id = %s", (1 + (number + 1500) % 9, number + 1500))
        except Exception as problem:  # pylint: disable=broad-exception-caught
            self.problem = problem

    def stop(self):
        self.over.set()
        self.join(30)
        assert self.problem is None and not self.is_alive()


@pytest.mark.limit(180)
def test_nothing_is_lost_whatever_the_types_and_however_the_nodes_are_set(make_shop):
    shop = make_shop("types", TYPES, tables="[table written]\nmethod = concurrently\n[table small]\nmethod = blocking\n", tenant="stores")
    set_nodes(shop, SETTINGS)
    writer = Writer(shop)
    try:
        printed = shop.migrate()
    finally:
        writer.stop()
    texts = shop.execute("SELECT result FROM run_command_on_workers($$SELECT '2024-01-02 00:00+00'::timestamptz::text$$)")
    assert len(set(texts)) == 2, "the nodes are not set differently, so nothing was tested"
    totals = dict(((table, phase), (rows, checksum)) for table, phase, rows, checksum in shop.execute(
        "SELECT table_name, phase, row_count, checksum FROM shardferry.checksum WHERE tenant IS NULL"))
    for table in ("stores", "small"):
        assert totals[table, "before"] == totals[table, "after"]
    assert totals["small", "after"][0] == 400 and totals["written", "after"][0] >= 3000
    assert shop.execute("SELECT tenant, row_count FROM shardferry.checksum WHERE table_name = 'small' AND phase = 'after' AND"
                        " tenant IS NOT NULL ORDER BY 1 LIMIT 2") == [("1", 44), ("2", 45)]
    assert shop.execute("SELECT old_shard, proved IS NOT NULL FROM shardferry.switch") == [(None, True)]
    assert shop.execute(SHELL_BYTES, (["stores", "small", "written"],)) == [(0,)]
    assert shop.execute("SELECT count(*) FROM pg_class WHERE relname ~ '^switched_'") == [(0,)]
    assert shop.execute("SELECT count(*) FROM pg_dist_cleanup") == [(0,)]
    for text in ("public.small", "400 rows, 9 tenants", "compared with its old shard", "The application's INSERTs need nothing added"):
        assert text in printed


@pytest.mark.limit(180)
def test_a_copy_that_was_misread_is_found(make_shop):
    """Citus copies a table with a composite type as text, and the nodes do not write dates alike: a day becomes a month, silently."""
    shop = make_shop("misread", "CREATE TYPE place AS (x int); CREATE TABLE stores (store_id bigint PRIMARY KEY);"
                     "CREATE TABLE visits (visit_id bigint, store_id bigint NOT NULL REFERENCES stores, day date, p place, PRIMARY KEY (store_id, visit_id));"
                     "INSERT INTO stores SELECT generate_series(1, 9);"
                     "INSERT INTO visits SELECT n, 1 + n % 9, '2024-03-03', ROW(1)::place FROM generate_series(1, 500) n; UPDATE visits SET day = '2024-05-03' WHERE visit_id = 77",
                     tables="[table visits]\nmethod = concurrently\n")
    set_nodes(shop, MISREAD)
    error = shop.refused()
    assert "public.visits is not what it was before it was distributed: 0 rows are missing, 0 were added, 1 were changed" in error
    assert "(6,77) changed" in error
    kept = shop.execute("SELECT old_shard FROM shardferry.switch WHERE proved IS NULL")[0][0]
    assert shop.execute(f"SELECT day::text FROM shardferry.{kept} WHERE visit_id = 77") == [("03/05/2024",)]
    assert shop.execute("SELECT extract(month FROM day)::int FROM visits WHERE visit_id = 77") == [(3,)]
    # It would go wrong again as long as the nodes disagree.
    set_nodes(shop, ["RESET ALL"] * 3)
    shop.execute("UPDATE visits SET day = '2024-05-03' WHERE store_id = 6 AND visit_id = 77")
    shop.migrate()
    assert shop.execute("SELECT extract(month FROM day)::int FROM visits WHERE visit_id = 77") == [(5,)]


BY_HAND = """
SELECT create_distributed_table('stores', 'store_id');
SELECT create_distributed_table('orders', 'store_id', colocate_with => 'stores');
SELECT create_distributed_table('products', 'store_id', colocate_with => 'stores');
SELECT create_distributed_table('line_items', 'store_id', colocate_with => 'stores');
"""
# As a runner would have left it that was killed behind the switch.
COPY_OF_ORDERS = """
CREATE TABLE shardferry.switched_1 AS SELECT * FROM orders;
INSERT INTO shardferry.switch (table_schema, table_name, old_shard, snapshots)
SELECT 'public', 'orders', 'switched_1', jsonb_object_agg(nodeid, result) FROM run_command_on_all_nodes('SELECT pg_current_snapshot()');
"""
LOCAL_BEHIND_REFERENCE = """
SET citus.enable_local_reference_table_foreign_keys = off;
CREATE TABLE countries (country_id int PRIMARY KEY);
CREATE TABLE cities (city_id int PRIMARY KEY, country_id int REFERENCES countries);
CREATE TABLE notes (note_id int PRIMARY KEY, city_id int REFERENCES cities, note text);
INSERT INTO countries VALUES (1); INSERT INTO cities VALUES (1, 1); INSERT INTO notes VALUES (1, 1, 'only here');
SELECT create_reference_table('countries');
SELECT create_reference_table('cities');
"""


@pytest.mark.limit(240)
def test_what_was_distributed_by_hand(make_shop):
    """A damaged copy is found, named by keys, and nothing is truncated; nor where a local table would be emptied. Leftovers go."""
    shop = make_shop("by_hand", tailspin.SCHEMA, tailspin.DATA, tables=tailspin.TABLES)
    KeyShop.migrate(shop, "--to", "resolve")
    shop.execute("ALTER TABLE products ADD COLUMN extra int")
    shop.execute(BY_HAND)
    shells = ["stores", "orders", "products", "line_items"]
    assert shop.execute(SHELL_BYTES, (shells,))[0][0] > 0
    assert shop.execute("SELECT count(*) FROM orders WHERE status = 'Pending'") == [(200,)]

    shop.execute(COPY_OF_ORDERS)
    shop.execute("INSERT INTO shardferry.switched_1 (order_id, store_id) VALUES (9001, 5), (9002, 6)")
    shop.execute("UPDATE shardferry.switched_1 SET status = 'Paid' WHERE order_id = 7")
    shop.execute("DELETE FROM shardferry.switched_1 WHERE order_id = 8")
    # What the application does meanwhile is no damage: insertions, changes, deletions, among the same tenants.
    shop.execute("INSERT INTO orders (store_id, status) VALUES (8, 'New'); UPDATE orders SET status = 'Sent' WHERE store_id = 9 AND order_id = 28")
    error = shop.refused()
    for text in ("2 rows are missing, 1 were added, 1 were changed", "9001", "9002", "shardferry.switched_1, which is kept"):
        assert text in error
    for row in ("(8,7) changed", "(9,8) added"):
        assert row in error
    assert shop.execute("SELECT count(*) FROM shardferry.switched_1") == [(201,)]
    assert shop.execute(SHELL_BYTES, (shells,))[0][0] > 0

    shop.execute("DELETE FROM shardferry.switched_1 WHERE order_id > 9000; UPDATE shardferry.switched_1 SET status = 'Pending' WHERE order_id = 7")
    shop.execute("INSERT INTO shardferry.switched_1 SELECT * FROM orders WHERE store_id = 9 AND order_id = 8")
    # A row that the application deleted is not there any more; the shard's statistics know of it.
    shop.execute("DELETE FROM line_items WHERE store_id = 10 AND order_id = 29; DELETE FROM orders WHERE store_id = 10 AND order_id = 29")
    shop.execute(LOCAL_BEHIND_REFERENCE)
    add_to(shop.config, "[table countries]\nkind = reference\n[table cities]\nkind = reference\n")
    leave_things_over(shop)
    error = shop.refused()
    assert "foreign keys lead from public.countries to tables whose only rows are on the coordinator: public.notes" in error
    assert shop.execute("SELECT note FROM notes") == [("only here",)]
    assert shop.execute("SELECT to_regclass('shardferry.switched_1')") == [(None,)]

    shop.execute("ALTER TABLE notes DROP CONSTRAINT notes_city_id_fkey")
    printed = shop.migrate()
    assert shop.execute(SHELL_BYTES, (shells + ["countries", "cities"],)) == [(0,)]
    assert shop.execute("SELECT (SELECT count(*) FROM notes), (SELECT count(*) FROM cities), (SELECT count(*) FROM orders)") == [(1, 1, 200)]
    check_nothing_is_left(shop)
    assert "names store_id where it inserts into public.line_items" in printed and "orders_order_id_idx" in printed
    assert "nothing to do" in shop.migrate()


def add_to(config, lines):
    config.write_text(config.read_text() + lines)


def leave_things_over(shop):
    worker = shop.cluster.nodes[1]
    worker.execute("SELECT pg_create_logical_replication_slot('citus_shard_split_slot_2_10_7', 'pgoutput')", None, shop.name)
    # Citus makes a publication on the workers, too.
    shop.execute("CREATE PUBLICATION citus_shard_split_publication_2_10_7")
    shop.execute("CREATE SUBSCRIPTION citus_shard_split_subscription_10_7 CONNECTION 'host=127.0.0.1 port=1' "
                 "PUBLICATION nowhere WITH (connect = false, slot_name = 'nowhere')")
    shop.execute("CREATE TABLE broken (a int); INSERT INTO broken VALUES (1), (1); CREATE TABLE twice AS SELECT * FROM broken")
    with shop.connect() as conn, pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE UNIQUE INDEX CONCURRENTLY shardferry_twice ON twice (a)")
    shop.execute("ALTER TABLE broken ALTER a SET NOT NULL, ADD CONSTRAINT shardferry_tenant_not_null CHECK (a IS NOT NULL) NOT VALID")
    # Enrolled once, handed to Citus, and not to be distributed any more.
    shop.execute("INSERT INTO shardferry.stage SELECT 'public', 'broken', stage, 'distributed', 'a', since_epoch FROM shardferry.stage"
                 " WHERE table_name = 'orders'")
    shop.execute("SELECT citus_add_local_table_to_metadata('broken')")
    add_to(shop.config, "[table broken]\nkind = local\n")


def check_nothing_is_left(shop):
    assert shop.unfinished() == []
    assert shop.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert shop.execute("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'shardferry%' AND connamespace = 'public'::regnamespace") == [(0,)]
    assert "broken" not in shop.partitions() and shop.execute("SELECT count(*) FROM broken") == [(2,)]
    assert shop.execute("SELECT count(*) FROM pg_dist_cleanup") == [(0,)]


@pytest.mark.limit(120)
def test_rows_are_compared_in_small_groups_also_those_of_a_large_tenant(make_shop):
    """Else all rows are looked at one by one where many tenants are written."""
    shop = make_shop("grouped", "CREATE TABLE stores (store_id bigint PRIMARY KEY); INSERT INTO stores SELECT n FROM generate_series(1, 100) n;"
                     "CREATE TABLE events (event_id bigint, store_id bigint NOT NULL REFERENCES stores, PRIMARY KEY (store_id, event_id));"
                     "INSERT INTO events SELECT n, CASE WHEN n % 3 = 0 THEN 7 ELSE 1 + n % 100 END FROM generate_series(1, 20000) n; ANALYZE events",
                     # One whose statistics speak of rows that have gone.
                     "CREATE TABLE bare (id bigint, store_id bigint NOT NULL REFERENCES stores, PRIMARY KEY (store_id, id));"
                     "INSERT INTO bare SELECT n, n FROM generate_series(1, 100) n; ANALYZE bare; DELETE FROM bare", "VACUUM bare",
                     tables="[table events]\nmethod = concurrently\n[table bare]\nmethod = concurrently")
    found = re.findall(r"  (\d+) groups of rows; 0 have been written since: 0 rows were looked at one by one", shop.migrate())
    # 32 of each store, but 1,024 of the seventh: for eight rows each, or a few less.
    assert len(found) == 2 and "0" in found and 3500 < max(map(int, found)) <= 99 * 32 + 1024


@pytest.mark.limit(120)
def test_the_largest_tenants_get_shards_of_their_own(make_shop):
    shop = make_shop("alone", "CREATE TABLE stores (store_id bigint PRIMARY KEY, name text); INSERT INTO stores SELECT n FROM generate_series(1, 9) n;"
                     "CREATE TABLE orders (order_id bigint, store_id bigint NOT NULL REFERENCES stores, PRIMARY KEY (store_id, order_id));"
                     "INSERT INTO orders SELECT n, 1 + n % 9 FROM generate_series(1, 900) n; INSERT INTO orders SELECT n, 4 FROM generate_series(1001, 1500) n",
                     migration="isolate_tenants = 1\nrebalance = on")
    shop.migrate()
    assert shop.execute("SELECT s.shardminvalue = s.shardmaxvalue FROM generate_series(4, 5) n JOIN pg_dist_shard s "
                        "ON s.shardid = get_shard_id_for_distribution_column('orders', n) ORDER BY n") == [(True,), (False,)]
    assert shop.execute("SELECT count(*) FROM orders") == [(1400,)]
    assert "nothing to do" in shop.migrate()


def test_an_earlier_runners_statement_is_waited_for(server, tmp_path):
    shop = KeyShop(server, tmp_path, tailspin.create(server))
    try:
        with shop.connect(application_name="shardferry migrate") as orphan:
            orphan.execute("BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE")
            runner = process.spawn([binary(), "migrate", "-c", str(shop.config), "--to", "derive", "--yes"], stderr=shop.log)
            time.sleep(1.7)
            assert runner.poll() is None and not shop.has_schema()
            orphan.execute("ROLLBACK")
        assert runner.wait(30) == 0, shop.printed()
    finally:
        server.drop_database(shop.name)
