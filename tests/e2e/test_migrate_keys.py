"""shardferry migrate --to resolve: the backfill, the keys that get the tenant, and what stops it; killed at any instant it ends
the same."""

import random
import subprocess
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import run_command
from test_migrate import RUNNER, Shop

KEYS = """
SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), convalidated
FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
LEFT_OVER = """
SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid WHERE NOT indisvalid
UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'shardferry%' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT conname FROM pg_constraint WHERE conname LIKE 'shardferry%' AND connamespace = 'public'::regnamespace
"""
EXPECTED = {
    ("line_items", "line_items_pkey", "p", "PRIMARY KEY (store_id, line_item_id)"),
    ("line_items", "line_items_order_id_fkey", "f",
     "FOREIGN KEY (store_id, order_id) REFERENCES orders(store_id, order_id)"),
    ("line_items", "line_items_product_id_fkey", "f",
     "FOREIGN KEY (store_id, product_id) REFERENCES products(store_id, product_id)"),
    ("line_items", "line_items_store_id_fkey", "f", "FOREIGN KEY (store_id) REFERENCES stores(store_id)"),
    ("orders", "orders_pkey", "p", "PRIMARY KEY (store_id, order_id)"),
    ("orders", "orders_store_id_fkey", "f", "FOREIGN KEY (store_id) REFERENCES stores(store_id)"),
    ("products", "products_pkey", "p", "PRIMARY KEY (store_id, product_id)"),
    ("products", "products_store_id_fkey", "f", "FOREIGN KEY (store_id) REFERENCES stores(store_id)"),
    ("stores", "stores_pkey", "p", "PRIMARY KEY (store_id)"),
}
NOT_NULL = "SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'store_id' AND attnotnull AND attrelid::regclass::text" \
           " IN ('stores', 'products', 'orders', 'line_items') ORDER BY 1"


class KeyShop(Shop):
    def start(self, *args):
        return super().start("--to", "resolve", *args)

    def migrate(self, *args):
        result = self.run("--yes", *args)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def refused(self):
        """The error of a run that stops on the way."""
        result = self.run("--yes")
        assert result.returncode == 1, result.stdout + result.stderr
        return result.stderr

    def keys_alone(self):
        return self.execute(KEYS)

    def keys(self):
        return self.keys_alone(), self.execute(INDEXES), self.execute(NOT_NULL), self.execute(
            "SELECT * FROM line_items ORDER BY line_item_id"), self.execute(
            "SELECT table_name, stage FROM shardferry.stage ORDER BY 1")


@pytest.fixture
def shop(server, tmp_path):
    made = KeyShop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


def test_the_keys_hold_the_tenant(shop):
    shop.migrate()
    keys, indexes, not_null, rows, stages = shop.keys()
    assert {key[:4] for key in keys} == EXPECTED
    assert all(key[4] for key in keys)
    assert not_null == [("line_items",), ("orders",), ("products",), ("stores",)]
    assert set(stages) == {(table, "resolve") for table in ("line_items", "orders", "products", "stores")}
    assert shop.execute(tailspin.WRONG_ROWS) == []
    assert len(rows) == 400 and all(row[-1] is not None for row in rows)
    # Rows are still found by the old key alone.
    assert {definition for _, _, definition in indexes} >= {
        "CREATE INDEX orders_order_id_idx ON public.orders USING btree (order_id)",
        "CREATE INDEX line_items_line_item_id_idx ON public.line_items USING btree (line_item_id)"}
    assert shop.execute(LEFT_OVER) == []
    assert "nothing to do" in shop.migrate()


RECORD_KEY = """
INSERT INTO shardferry.detached_key (child_schema, child_table, name, parent_schema, parent_table, child_columns, parent_columns,
                                     definition, on_delete, on_update, validated)
SELECT 'public', 'line_items', conname, 'public', 'orders', '{store_id,order_id}', '{store_id,order_id}',
       pg_get_constraintdef(oid), confdeltype, confupdtype, true
FROM pg_constraint WHERE conname = 'line_items_order_id_fkey';
ALTER TABLE line_items DROP CONSTRAINT line_items_order_id_fkey
"""


def test_a_key_that_the_migration_has_taken_away_still_speaks(shop, tmp_path):
    """Between its tables' distribution and its validation: joins would be refused by Citus without what it says."""
    shop.migrate()
    shop.config.write_text(shop.config.read_text() + "[tenant]\nreads = join\n")
    statement = tmp_path / "join.sql"
    statement.write_text("SELECT l.quantity FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = 5;")

    def is_mended():
        result = run_command("lint", "-c", str(shop.config), str(statement))
        assert "single-tenant" in result.stdout or "multi-tenant" in result.stdout, result.stdout + result.stderr
        return "sent as: " in result.stdout and "l.store_id = o.store_id" in result.stdout

    assert is_mended()
    shop.execute(RECORD_KEY)
    assert is_mended()
    shop.execute("ALTER TABLE line_items ADD CONSTRAINT line_items_order_id_fkey"
                 " FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id) NOT VALID")
    assert is_mended()
    shop.execute("DELETE FROM shardferry.detached_key")
    assert not is_mended()


def test_stages_one_after_the_other(shop):
    for stage in ("derive", "keyed", "resolve"):
        shop.migrate("--to", stage)
        assert set(shop.stages().values()) == {stage}
    assert {key[:4] for key in shop.keys()[0]} == EXPECTED


def test_the_backfill_goes_on_where_it_was(shop):
    shop.migrate("--to", "derive")
    shop.execute("INSERT INTO shardferry.backfill (table_schema, table_name, last_key, rows_seen) VALUES"
                 " ('public', 'line_items', '{390}', 390)")
    assert "10 rows of public.line_items" not in shop.refused()
    # What was passed over was found and is filled now.
    shop.migrate()
    assert shop.execute("SELECT rows_seen, rows_filled FROM shardferry.backfill") == [(400, 390)]


UNFIT_ROWS = [
    ("UPDATE line_items SET order_id = NULL WHERE line_item_id IN (3, 5)",
     ["2 rows of public.line_items have no store_id, as they have no parent that has one: {3,5}", "Give them a parent"],
     "public.line_items: 2 rows have no order_id: 3, 5"),
    ("UPDATE orders SET store_id = NULL WHERE order_id = 7; DELETE FROM line_items WHERE order_id = 7",
     ["1 rows of public.orders have no store_id: {7}"], "public.orders: 1 row has no store_id: 7"),
    ("UPDATE products SET store_id = 1 + product_id % 20 + 1 WHERE product_id = 8 AND product_id % 20 < 19",
     ["have another store_id than their row of public.products", "line_items_product_id_fkey"],
     "public.line_items: 4 rows have another store_id than their row of public.products: 7, 107, 207, 307"),
]


@pytest.mark.parametrize("change, says, found", UNFIT_ROWS)
def test_rows_that_cannot_be_keyed_are_found_before(shop, change, says, found):
    shop.execute(change)
    result = shop.run("--yes")
    assert result.returncode == 1
    assert found in result.stdout
    assert not shop.has_schema()


@pytest.mark.parametrize("change, says, found", UNFIT_ROWS)
def test_rows_that_cannot_be_keyed_are_named(shop, change, says, found):
    """They come while the backfill is held up."""
    shop.migrate("--to", "derive")
    with shop.connect() as holder:
        holder.execute("BEGIN; SELECT 1 FROM line_items WHERE line_item_id = 400 FOR UPDATE")
        runner = shop.start()
        process.wait_until(lambda: shop.execute("SELECT count(*) FROM shardferry.journal WHERE step = 'backfill'") == [(1,)],
                           10, "the backfill to begin")
        shop.execute(change)
        holder.execute("COMMIT")
    assert runner.wait(30) == 1
    for text in says:
        assert text in shop.printed()
    # Nothing was lost, and no key has changed.
    assert ("orders", "orders_pkey", "p", "PRIMARY KEY (order_id)") in {key[:4] for key in shop.keys()[0]}
    assert shop.execute("SELECT count(*) >= 398 FROM line_items") == [(True,)]


def test_all_kinds_of_keys(shop):
    shop.execute("""
        ALTER TABLE orders ADD COLUMN number text, ADD COLUMN parent bigint REFERENCES orders (order_id) ON DELETE SET NULL;
        ALTER TABLE line_items ADD COLUMN "Position" int, ADD CONSTRAINT "at most one" UNIQUE (order_id, "Position") DEFERRABLE;
        UPDATE orders SET number = order_id, parent = order_id WHERE order_id < 5;
        CREATE UNIQUE INDEX "Order Number" ON orders (lower(number) DESC) INCLUDE (status) WHERE number IS NOT NULL;
        ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey;
        CREATE TABLE notes (order_id bigint, line int, PRIMARY KEY (order_id, line),
                            FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
        INSERT INTO notes SELECT n, 1 FROM generate_series(1, 200) n""")
    shop.migrate()
    definitions = {(table, name): definition for table, name, _, definition, _ in shop.keys()[0]}
    indexes = {name: definition for _, name, definition in shop.keys()[1]}
    assert definitions["line_items", '"at most one"'.strip('"')] == 'UNIQUE (store_id, order_id, "Position") DEFERRABLE'
    assert definitions["notes", "notes_pkey"] == "PRIMARY KEY (store_id, order_id, line)"
    assert definitions["notes", "notes_order_id_fkey"] == (
        "FOREIGN KEY (store_id, order_id) REFERENCES orders(store_id, order_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED")
    assert definitions["orders", "orders_parent_fkey"] == (
        "FOREIGN KEY (store_id, parent) REFERENCES orders(store_id, order_id) ON DELETE SET NULL (parent)")
    assert indexes["Order Number"] == ('CREATE UNIQUE INDEX "Order Number" ON public.orders USING btree '
                                       "(store_id, lower(number) DESC) INCLUDE (status) WHERE (number IS NOT NULL)")
    assert shop.execute("SELECT relreplident::text FROM pg_class WHERE relname = 'orders'") == [("i",)]
    assert shop.execute("SELECT count(*), count(store_id) FROM notes") == [(200, 200)]
    assert shop.execute(LEFT_OVER) == []


def test_keys_of_other_types_and_quoted_names(server, database, tmp_path):
    shop = KeyShop(server, tmp_path, database)
    shop.execute("""
        CREATE TABLE "Shops" ("Shop Id" uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
        CREATE TABLE carts (code text PRIMARY KEY, "Shop Id" uuid REFERENCES "Shops");
        CREATE TABLE "Cart Items" (cart text REFERENCES carts ON UPDATE CASCADE, "No" int, note varchar(9), PRIMARY KEY (cart, "No"));
        CREATE TABLE "Cart's Marks" (cart text, "No" int, at timestamptz PRIMARY KEY, FOREIGN KEY (cart, "No") REFERENCES "Cart Items");
        INSERT INTO "Shops" (name) SELECT n FROM generate_series(1, 9) n;
        INSERT INTO carts SELECT md5(row_number() OVER ()::text) || E' \\'"{,}', "Shop Id" FROM "Shops", generate_series(1, 300);
        INSERT INTO "Cart Items" SELECT code, n, 'x' FROM carts, generate_series(1, 2) n;
        INSERT INTO "Cart's Marks" SELECT cart, "No", now() + make_interval(secs => row_number() OVER ()) FROM "Cart Items" """)
    shop.configure(tables="", tenant='"Shops"', column='"Shop Id"')
    shop.migrate()
    assert shop.execute("""
        SELECT count(*), count(*) FILTER (WHERE m."Shop Id" = c."Shop Id" AND i."Shop Id" = c."Shop Id")
        FROM "Cart's Marks" m JOIN "Cart Items" i USING (cart, "No") JOIN carts c ON c.code = i.cart""") == [(5400, 5400)]
    definitions = {name: definition for _, name, _, definition, _ in shop.keys_alone()}
    assert definitions["Cart Items_pkey"] == 'PRIMARY KEY ("Shop Id", cart, "No")'
    assert definitions["Cart Items_cart_fkey"] == (
        'FOREIGN KEY ("Shop Id", cart) REFERENCES carts("Shop Id", code) ON UPDATE CASCADE')
    assert shop.execute(LEFT_OVER) == []


def test_an_invalid_index_is_built_anew(shop):
    shop.migrate("--to", "derive")
    with shop.connect() as reader, shop.connect() as conn:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM stores")
        conn.execute("SET statement_timeout = '500ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            conn.execute("CREATE UNIQUE INDEX CONCURRENTLY broken_off ON line_items (store_id, line_item_id)")
        reader.execute("COMMIT")
    assert shop.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'broken_off'::regclass") == [(False,)]
    shop.migrate()
    assert {key[:4] for key in shop.keys()[0]} == EXPECTED
    assert shop.execute("SELECT to_regclass('broken_off')") == [(None,)]


@pytest.mark.parametrize("change, says", [
    ("ALTER TABLE line_items DROP CONSTRAINT line_items_pkey", "public.line_items: it has no primary key"),
    ("CREATE EXTENSION citext; ALTER TABLE line_items DROP CONSTRAINT line_items_pkey, ADD COLUMN code citext;"
     "UPDATE line_items SET code = line_item_id; ALTER TABLE line_items ADD PRIMARY KEY (code)",
     "public.line_items: column code, which the backfill goes by, is of type public.citext"),
    ("CREATE TABLE notes (order_id bigint) PARTITION BY RANGE (order_id);"
     "ALTER TABLE notes ADD FOREIGN KEY (order_id) REFERENCES orders", "public.notes: it is partitioned"),
    ("CREATE VIEW totals AS SELECT o.order_id, o.status, count(*) FROM orders o JOIN line_items USING (order_id) GROUP BY o.order_id",
     "public.orders: view public.totals groups by orders_pkey"),
])
def test_what_stands_in_the_way_of_keys_is_a_finding(shop, change, says):
    shop.execute(change)
    result = shop.run("--yes")
    assert result.returncode == 1
    assert says in result.stdout
    assert not shop.has_schema()


def test_a_row_that_is_held_is_waited_for(shop):
    shop.migrate("--to", "derive")
    with shop.connect() as holder:
        holder.execute("BEGIN; UPDATE line_items SET quantity = 2 WHERE line_item_id = 100")
        runner = shop.start()
        time.sleep(1.5)
        assert runner.poll() is None
        holder.execute("COMMIT")
    assert runner.wait(30) == 0, shop.printed()
    assert shop.execute("SELECT quantity, store_id FROM line_items WHERE line_item_id = 100") == [(2, tailspin.store_of(101))]


@pytest.mark.limit(240)
def test_killed_at_any_instant_and_run_again_ends_the_same(server, tmp_path):
    """Runners of one database are killed at instants spread over the whole run until one gets through."""
    template = tailspin.create(server)
    kills, instants = 0, random.Random(4)
    reached = set()

    def fresh():
        return KeyShop(server, tmp_path, server.create_database(template=template))

    try:
        shop = fresh()
        start = time.monotonic()
        shop.migrate()
        whole = time.monotonic() - start
        expected = shop.keys()
        server.drop_database(shop.name)
        while kills < 40:
            shop = fresh()
            while True:
                runner = shop.start()
                try:
                    runner.wait(instants.uniform(0, 0.7 * whole))
                except subprocess.TimeoutExpired:
                    runner.kill()
                    kills += 1
                if runner.wait() == 0:
                    break
                assert runner.returncode < 0, shop.printed()
                if shop.has_schema() and shop.execute("SELECT to_regclass('shardferry.journal') IS NOT NULL")[0][0]:
                    reached |= {row[0] for row in shop.execute("SELECT step FROM shardferry.journal ORDER BY id DESC LIMIT 1")}
            assert shop.keys() == expected
            assert shop.execute(LEFT_OVER) == []
            process.wait_until(lambda: shop.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = %s",
                                                    (RUNNER, shop.name)) == [(0,)], 10, "the runners' sessions to end")
            server.drop_database(shop.name)
        assert len(reached) > 3, reached
    finally:
        server.drop_database(template)
