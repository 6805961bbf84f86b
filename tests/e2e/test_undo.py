"""shardferry undo: back to an earlier stage while the application runs; killed at any instant and run again, it ends the same,
and what it leaves is the schema from before the migration, byte for byte."""

import os
import random
import re
import subprocess
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.postgres import program
from harness.proxy import binary, run_command
from test_migrate_keys import EXPECTED, LEFT_OVER, KeyShop

# Keys of all kinds, with all that hangs on them.
MORE = """
ALTER TABLE orders ADD COLUMN number text, ADD COLUMN parent bigint REFERENCES orders (order_id) ON DELETE SET NULL;
ALTER TABLE line_items ADD COLUMN "Position" int, ADD CONSTRAINT "at most one" UNIQUE (order_id, "Position") DEFERRABLE;
UPDATE orders SET number = order_id, parent = order_id WHERE order_id < 5;
CREATE UNIQUE INDEX "Order Number" ON orders (lower(number) DESC) INCLUDE (status) WHERE number IS NOT NULL;
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_pkey;
ALTER TABLE line_items CLUSTER ON line_items_pkey;
ALTER TABLE products ALTER store_id SET NOT NULL, ADD CONSTRAINT products_name_key UNIQUE (name);
COMMENT ON CONSTRAINT orders_pkey ON orders IS 'it''s \\ the key';
COMMENT ON INDEX orders_pkey IS 'its index';
COMMENT ON INDEX "Order Number" IS 'number';
COMMENT ON CONSTRAINT line_items_order_id_fkey ON line_items IS 'to orders';
CREATE TABLE notes (order_id bigint, line int, PRIMARY KEY (order_id, line) WITH (fillfactor = 70),
                    FOREIGN KEY (order_id) REFERENCES orders (order_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED);
INSERT INTO notes SELECT n, 1 FROM generate_series(1, 200) n;
CREATE TABLE labels (name text REFERENCES products (name), id int PRIMARY KEY);
INSERT INTO labels SELECT 'product ' || n, n FROM generate_series(1, 90) n;
CREATE TABLE order_line (id int PRIMARY KEY, order_id bigint REFERENCES orders NOT NULL);
CREATE TABLE a_very_long_table_name_that_goes_on_and_on_for_sixty_three_byte
    (a_very_long_column_name_that_goes_on_and_on_for_sixty_three_byt int PRIMARY KEY, order_id bigint REFERENCES orders);
"""
REMEMBERED = """
SELECT table_name FROM shardferry.stage UNION ALL SELECT table_name FROM shardferry.backfill
UNION ALL SELECT table_name FROM shardferry.old_key UNION ALL SELECT table_name FROM shardferry.made
"""


class UndoShop(KeyShop):
    def undo(self, *args):
        result = run_command("undo", "-c", str(self.config), "--yes", *args, timeout=120)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def refused(self, *args):
        """What an undo says that finds something in its way."""
        result = run_command("undo", "-c", str(self.config), "--yes", *args)
        assert result.returncode == 1, result.stdout + result.stderr
        return result.stdout + result.stderr

    def start_undo(self, *args):
        return process.spawn([binary(), "undo", "-c", str(self.config), "--yes", *args], stderr=self.log)

    def dump(self):
        return dump(self.server, self.name)

    def psql(self, script):
        done = subprocess.run([program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"], input=script, text=True,
                              capture_output=True, env=_environment(self.server, self.name))
        assert done.returncode == 0, done.stderr


def _environment(server, database):
    return {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": database}


def dump(server, database):
    """The schema, without shardferry's own, as lines; the key that newer versions of pg_dump print is random."""
    done = subprocess.run([program("pg_dump"), "--schema-only", "-N", "shardferry"], text=True, capture_output=True,
                          env=_environment(server, database))
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not re.match(r"\\(un)?restrict ", line)]


@pytest.fixture
def shop(server, tmp_path):
    made = UndoShop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


@pytest.fixture
def rich_shop(shop):
    shop.execute(MORE)
    return shop


# There and back


def test_from_resolve_to_observe_and_there_again(rich_shop):
    shop = rich_shop
    before = shop.dump()
    shop.migrate()
    after = shop.dump()
    printed = shop.undo("--to", "observe")
    assert "take back: swap the keys of public.orders" in printed
    assert shop.dump() == before
    assert shop.execute(REMEMBERED) == []
    assert shop.execute("SELECT count(*) FROM shardferry.journal WHERE event = 'undone'")[0][0] > 20
    assert "nothing to do" in shop.undo("--to", "observe")
    shop.migrate()
    assert shop.dump() == after
    assert shop.execute("SELECT count(*), count(store_id) FROM line_items") == [(400, 400)]
    assert shop.execute(tailspin.WRONG_ROWS) == []


def test_stage_by_stage(shop):
    before = shop.dump()
    shop.migrate("--to", "derive")
    derived = shop.dump()
    shop.migrate()
    after = shop.dump()
    for stage, schema in (("keyed", after), ("derive", derived), ("observe", before)):
        epoch = shop.execute("SELECT epoch FROM shardferry.epoch")[0][0]
        shop.undo("--to", stage)
        assert shop.dump() == schema, stage
        assert shop.execute("SELECT epoch FROM shardferry.epoch")[0][0] > epoch
        if stage != "observe":
            assert {row[0] for row in shop.execute("SELECT stage FROM shardferry.stage")} == {stage}


@pytest.mark.parametrize("stage", ["derive", "keyed"])
def test_from_a_stage_on_the_way(rich_shop, stage):
    before = rich_shop.dump()
    rich_shop.migrate("--to", stage)
    rich_shop.undo("--to", "observe")
    assert rich_shop.dump() == before


def test_what_was_there_before_stays(shop):
    """Columns, NOT NULL, indexes and keys that the migration only finds."""
    shop.execute("""
        ALTER TABLE line_items ADD COLUMN store_id bigint;
        CREATE INDEX by_order ON orders (order_id);
        CREATE UNIQUE INDEX pair ON orders (store_id, order_id);
        ALTER TABLE line_items ADD CONSTRAINT pair FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id);
        ALTER TABLE orders ALTER store_id SET NOT NULL""")
    shop.configure("[table line_items]\nkind = backfill\ntenant_from = order_id -> orders(order_id)\n")
    before = shop.dump()
    shop.migrate()
    assert {key[:4] for key in shop.keys_alone()} == EXPECTED
    assert "its column store_id stays" in shop.undo("--to", "observe")
    assert shop.dump() == before


def test_scripts_do_the_same(rich_shop, server, tmp_path):
    """What --dry-run prints, run by psql alone, in both directions."""
    other = UndoShop(server, tmp_path, server.create_database(template=rich_shop.name))
    before = other.dump()
    try:
        script = other.run("--to", "resolve", "--dry-run").stdout
        other.psql(script[script.index("-- make schema shardferry"):])
        rich_shop.configure()
        rich_shop.migrate("--to", "resolve")
        assert other.dump() == rich_shop.dump()
        for table in ("old_key", "made"):
            query = f"SELECT to_jsonb(t) - 'dropped' FROM shardferry.{table} t ORDER BY 1"
            assert other.execute(query) == rich_shop.execute(query)
        other.configure()
        script = run_command("undo", "-c", str(other.config), "--to", "observe", "--dry-run").stdout
        assert other.dump() != before
        other.psql(script)
        assert other.dump() == before
    finally:
        server.drop_database(other.name)


# What stands in the way


@pytest.mark.parametrize("change, says", [
    ("INSERT INTO orders (store_id, order_id) SELECT 2, n FROM generate_series(1, 7) n WHERE 1 + n % 20 <> 2",
     ["error: public.orders: 6 values of (order_id) are in more than one row: 2; 3; 4; 5; 6", "orders_pkey",
      "Give these rows other values"]),
    ("CREATE VIEW per_store AS SELECT store_id, count(*) FROM line_items GROUP BY store_id",
     ["error: view public.per_store", "it depends on column public.line_items.store_id, which goes", "Drop it"]),
    ("CREATE VIEW totals AS SELECT o.status, count(*) FROM orders o JOIN line_items l USING (store_id, order_id)"
     " GROUP BY o.store_id, o.order_id",
     ["error: view public.totals", "it depends on key orders_pkey of public.orders"]),
    ("CREATE TABLE refunds (store_id bigint, order_id bigint, FOREIGN KEY (store_id, order_id) REFERENCES orders)",
     ["refunds_store_id_order_id_fkey on table public.refunds", "it depends on key orders_pkey of public.orders"]),
    ("ALTER TABLE line_items ADD COLUMN code text, ADD UNIQUE (store_id, code)",
     ["line_items_store_id_code_key", "it depends on column public.line_items.store_id"]),
])
def test_what_would_stop_it_is_found_before(shop, change, says):
    shop.migrate()
    shop.execute(change)
    state = shop.dump(), shop.execute("SELECT * FROM shardferry.stage ORDER BY 1, 2"), shop.execute("SELECT * FROM shardferry.epoch")
    printed = shop.refused("--to", "observe")
    for text in says:
        assert text in printed
    assert "1 error: nothing was changed" in printed or "errors: nothing was changed" in printed
    assert state == (shop.dump(), shop.execute("SELECT * FROM shardferry.stage ORDER BY 1, 2"),
                     shop.execute("SELECT * FROM shardferry.epoch"))
    shop.undo("--to", "keyed")


def test_a_table_that_the_configuration_leaves_out(shop):
    shop.migrate()
    shop.configure(tailspin.TABLES + "[table products]\nkind = local\n")
    printed = shop.refused("--to", "observe")
    assert "public.products: it was migrated, but is configured as local now" in printed
    shop.configure()
    shop.execute("DROP TABLE products CASCADE")
    shop.undo("--to", "observe")
    assert "orders_pkey" in {key[1] for key in shop.keys_alone()} and shop.execute(LEFT_OVER) == []


def test_an_index_that_cannot_be_built_is_not_left_behind(shop):
    """A row that comes while it looks ahead: the next run says which."""
    shop.migrate()
    with shop.connect() as holder:
        holder.execute("BEGIN; INSERT INTO orders (store_id, order_id) VALUES (9, 1)")
        runner = shop.start_undo("--to", "derive")
        process.wait_until(lambda: shop.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%%' AND datname = %s",
            (shop.name,)) == [(1,)], 20, "an index to be built")
        process.wait_until(
            lambda: [what for what, in shop.execute("SELECT what FROM shardferry.progress WHERE started IS NOT NULL AND finished IS NULL")
                     if what.startswith("take back: ")], 20, "the status to tell")
        holder.execute("COMMIT")
    assert runner.wait(30) == 1, shop.printed()
    assert "could not create unique index" in shop.printed()
    assert shop.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]
    assert "values of (order_id) are in more than one row: 1" in shop.refused("--to", "derive")
    shop.execute("DELETE FROM orders WHERE (store_id, order_id) = (9, 1)")
    shop.undo("--to", "derive")
    assert shop.execute(LEFT_OVER) == []


def test_an_index_that_the_server_still_builds_is_waited_for(shop):
    """As one of a runner that was killed may be: it is taken, not dropped and built anew."""
    shop.migrate("--to", "derive")
    shop.execute("ALTER TABLE orders ALTER store_id SET NOT NULL")
    build = shop.execute("SELECT format('CREATE UNIQUE INDEX CONCURRENTLY shardferry_key_%s ON orders (store_id, order_id)',"
                         " 'orders_pkey'::regclass::oid)")[0][0]
    building = "SELECT count(*) FROM pg_stat_progress_create_index WHERE relid = 'orders'::regclass"
    with shop.connect() as holder:
        holder.execute("BEGIN; UPDATE orders SET status = 'new' WHERE order_id = 100")
        builder = threading.Thread(target=shop.execute, args=(build,))
        builder.start()
        process.wait_until(lambda: shop.execute(building) == [(1,)], 20, "the index to be built")
        runner = shop.start("--to", "keyed")
        process.wait_until(lambda: shop.execute("SELECT 1 FROM shardferry.journal WHERE (step, object) = ('index', 'public.orders')"),
                           30, "the runner to come to that table")
        time.sleep(0.3)
        holder.execute("COMMIT")
    made = shop.execute("SELECT indexrelid FROM pg_index WHERE indexrelid = to_regclass(%s)", (build.split()[4],))
    builder.join()
    assert runner.wait(30) == 0, shop.printed()
    assert made and shop.execute("SELECT 'orders_pkey'::regclass::oid") == made


@pytest.mark.parametrize("args, says", [
    ((), "--to STAGE is missing"),
    (("--to", "nowhere"), 'there is no stage "nowhere"'),
    (("--to", "done"), "nothing lies behind it"),
])
def test_usage(shop, args, says):
    result = run_command("undo", "-c", str(shop.config), "--yes", *args)
    assert result.returncode == 2 and says in result.stderr


def test_without_a_migration_there_is_nothing_to_do(shop):
    assert "nothing to do" in shop.undo("--to", "observe")
    assert not shop.has_schema()


# Killed


@pytest.mark.limit(240)
def test_killed_at_any_instant(server, tmp_path):
    """Undos are killed at instants spread over the whole run; then one gets through, or a migration goes forth again."""
    template = tailspin.create(server)
    server.execute(MORE, dbname=template)
    names, kills, instants = [template], 0, random.Random(7)
    try:
        before = dump(server, template)
        names.append(server.create_database(template=template))
        migrated = UndoShop(server, tmp_path, names[-1])
        migrated.migrate()
        after = migrated.dump()
        whole = 1.0
        for turn in range(4):
            names.append(server.create_database(template=migrated.name))
            shop = UndoShop(server, tmp_path, names[-1])
            start = time.monotonic()
            for _ in range(3 if turn else 0):
                runner = shop.start_undo("--to", "observe")
                try:
                    runner.wait(instants.uniform(0.02, 0.8 * whole))
                except subprocess.TimeoutExpired:
                    runner.kill()
                    kills += 1
                runner.wait()
            if turn == 3:
                shop.migrate()
                assert shop.dump() == after
                assert shop.execute(LEFT_OVER) == []
            shop.undo("--to", "observe")
            whole = whole if turn else time.monotonic() - start
            assert shop.dump() == before
            assert shop.execute(LEFT_OVER) == [] and shop.execute(REMEMBERED) == []
        assert kills > 4
    finally:
        for name in reversed(names):
            server.drop_database(name)


# While the application runs


class Load(threading.Thread):
    """Writes and reads without a pause and keeps a ledger of its line items: id → (order, quantity)."""

    def __init__(self, proxy, number):
        super().__init__(daemon=True)
        self.proxy, self.number, self.rng = proxy, number, random.Random(number)
        self.ledger, self.statements, self.problem = {}, 0, None
        self._stop_now = threading.Event()
        self.start()

    def run(self):
        try:
            with psycopg.connect(autocommit=True, **self.proxy.endpoint().keywords()) as conn:
                while not self._stop_now.is_set():
                    self._turn(conn)
        except psycopg.Error as problem:
            self.problem = f"client {self.number}: {problem!r}"

    def _turn(self, conn):
        store = self.rng.randint(2, 20)
        product, quantity = store - 1, self.rng.randint(1, 9)
        with conn.transaction():
            order = conn.execute("INSERT INTO orders (store_id, status) VALUES (%s, 'new') RETURNING order_id", (store,)).fetchone()[0]
            item = conn.execute("INSERT INTO line_items (order_id, product_id, quantity) VALUES (%s, %s, %s) RETURNING line_item_id",
                                (order, product, quantity)).fetchone()[0]
        self.ledger[item] = (order, quantity)
        conn.execute("INSERT INTO line_items (line_item_id, order_id, product_id, quantity) VALUES (%s, %s, %s, %s)"
                     " ON CONFLICT (line_item_id) DO UPDATE SET quantity = excluded.quantity", (item, order, product, quantity + 1))
        self.ledger[item] = (order, quantity + 1)
        fresh = 1_000_000 * (self.number + 1) + self.statements
        conn.execute("INSERT INTO line_items (line_item_id, order_id, product_id, quantity) VALUES (%s, %s, %s, %s)"
                     " ON CONFLICT (line_item_id) DO NOTHING", (fresh, order, product, quantity))
        self.ledger[fresh] = (order, quantity)
        assert conn.execute("SELECT count(*) FROM line_items WHERE order_id = %s", (order,)).fetchone() == (2,)
        if self.rng.random() < 0.2:
            conn.execute("DELETE FROM line_items WHERE line_item_id = %s", (item,))
            del self.ledger[item]
        self.statements += 6

    def stop(self):
        self._stop_now.set()
        self.join(30)
        assert not self.is_alive()


@pytest.mark.limit(180)
def test_under_load_through_the_proxy(migration):
    before = dump(migration.server, migration.database)
    loads = [Load(migration.proxy, number) for number in range(4)]
    seen = []
    try:
        for command, stage in (("migrate", "resolve"), ("undo", "keyed"), ("undo", "derive"), ("undo", "observe")):
            done = run_command(command, "--to", stage, "--yes", "-c", migration.proxy.config, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            seen.append([load.statements for load in loads])
            time.sleep(0.3)
    finally:
        for load in loads:
            load.stop()
    assert not [load.problem for load in loads if load.problem]
    seen.append([load.statements for load in loads])
    assert all(later > earlier for a, b in zip(seen, seen[1:]) for earlier, later in zip(a, b)), "a client stood still"
    assert dump(migration.server, migration.database) == before
    ledger = {item: row for load in loads for item, row in load.ledger.items()}
    rows = migration.execute("SELECT line_item_id, order_id, quantity FROM line_items WHERE order_id > 200")
    assert {row[0]: row[1:] for row in rows} == ledger
    migration.migrate("resolve")
    assert migration.execute(tailspin.WRONG_ROWS) == []
