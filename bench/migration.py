"""The migration beside the same job done by hand: a backfill by batches of 100,000 rows, back to back, each found by its NULL and
locked as it is found; and keys that are swapped, dropped and added in transactions of their own.

Both work on copies of one database of BENCH_ROWS line items (4,000,000), at the same size and on the same server, one after the
other. What the application feels is measured at a steady rate of updates through the proxy, each of whose durations counts from
the instant at which it was due.
"""

import glob
import os
import signal
import subprocess
import threading
import time

import private
import psycopg
import tailspin
from private import Failure

ROWS = int(os.environ.get("BENCH_ROWS") or 4_000_000)
RATE = 200
SECONDS_WITHOUT = 20
BATCH = 100_000
TABLES = ("stores", "products", "orders", "line_items")
KEYS = dict(zip(TABLES, ("store_id", "product_id", "order_id", "line_item_id")))

SERVER_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "256MB",
    "max_connections": "100",
}

CONFIGURATION = """\
[proxy]
listen      = 127.0.0.1:{port}
coordinator = host=127.0.0.1 port={server_port}

[control]
conninfo    = host=127.0.0.1 port={server_port} dbname={database} user=shardferry

[tenant]
table       = stores
column      = store_id
"""

UPDATE = """\
\\set item random(1, {rows})
UPDATE line_items SET quantity = quantity + 1 WHERE line_item_id = :item;
"""

# As much as one batch is told by its count, so that the last one is known.
BATCH_BY_HAND = f"""
CREATE FUNCTION fill_batch() RETURNS bigint LANGUAGE sql AS $$
    WITH empty AS (
        SELECT line_item_id, order_id FROM line_items WHERE store_id IS NULL LIMIT {BATCH} FOR UPDATE SKIP LOCKED
    ), filled AS (
        UPDATE line_items SET store_id = orders.store_id FROM empty JOIN orders USING (order_id)
        WHERE line_items.line_item_id = empty.line_item_id
        RETURNING 1
    )
    SELECT count(*) FROM filled
$$
"""

INDEXES_BY_HAND = tuple(
    f"CREATE UNIQUE INDEX CONCURRENTLY next_{table} ON {table} (store_id, {KEYS[table]})" for table in TABLES[1:])
SWAP_BY_HAND = (
    """ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE, ADD PRIMARY KEY USING INDEX next_orders;
    ALTER TABLE line_items ADD FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id);""",
    """ALTER TABLE products DROP CONSTRAINT products_pkey CASCADE, ADD PRIMARY KEY USING INDEX next_products;
    ALTER TABLE line_items ADD FOREIGN KEY (store_id, product_id) REFERENCES products (store_id, product_id);""",
    """ALTER TABLE line_items DROP CONSTRAINT line_items_pkey, ADD PRIMARY KEY USING INDEX next_line_items;
    ALTER TABLE line_items ADD FOREIGN KEY (store_id) REFERENCES stores (store_id);""",
)

# The backfill is over, and both sides begin with the keys.
FILLED = (
    "ALTER TABLE line_items ADD COLUMN store_id bigint",
    "UPDATE line_items i SET store_id = o.store_id FROM orders o WHERE o.order_id = i.order_id",
    "ALTER TABLE line_items ALTER store_id SET NOT NULL",
    "VACUUM ANALYZE line_items",
)

# Those that keep writers waiting, or readers, too.
STRONG_LOCKS = """
SELECT relation::regclass::text, mode, virtualtransaction FROM pg_locks
WHERE granted AND locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND relation = ANY (%s::regclass[])
  AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


def say(text=""):
    print(text, flush=True)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


class LockProbe:
    """Looks how long strong locks are held on the tables, in two ways: short statements on each of them, one that reads and one
    that writes, and their durations; and pg_locks, again and again."""

    PAUSE = 0.002

    def __init__(self, connect):
        self.connect = connect
        self.over = threading.Event()
        self.longest = {"read": (0, None), "write": (0, None), "held": (0, None)}
        self.threads = [threading.Thread(target=self.watch_locks, daemon=True)]
        for table in TABLES:
            key = KEYS[table]
            self.threads += [
                threading.Thread(target=self.probe, daemon=True, args=arguments) for arguments in (
                    ("read", table, f"SELECT 1 FROM {table} WHERE {key} = 1"),
                    ("write", table, f"DELETE FROM {table} WHERE {key} = -1"))]

    def probe(self, kind, table, statement):
        with self.connect() as connection:
            while not self.over.is_set():
                start = time.monotonic()
                connection.execute(statement, prepare=True)
                self.note(kind, time.monotonic() - start, table)
                time.sleep(self.PAUSE)

    def watch_locks(self):
        since = {}
        with self.connect() as connection:
            while not self.over.is_set():
                now = time.monotonic()
                seen = set(connection.execute(STRONG_LOCKS, (list(TABLES),), prepare=True).fetchall())
                since = {lock: since.get(lock, now) for lock in seen}
                for (table, mode, _), begin in since.items():
                    self.note("held", now - begin, f"{mode.removesuffix('Lock')} on {table}")
                time.sleep(self.PAUSE)

    def note(self, kind, seconds, what):
        if seconds > self.longest[kind][0]:
            self.longest[kind] = (seconds, what)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        # Their connections are open, and their statements prepared.
        time.sleep(1)
        self.longest = dict.fromkeys(self.longest, (0, None))
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


class MigrationBench:
    """The parts that work on many rows, on a server of their own."""

    def __init__(self, workspace, shardferry):
        self.workspace = workspace
        self.shardferry = shardferry
        self.started = 0
        self.server = None
        self.measured = {}

    # ---- databases ----

    def connect(self, database=tailspin.DATABASE):
        return psycopg.connect(self.server.conninfo(database), autocommit=True)

    def start(self):
        if self.server is None:
            say(f"\n{ROWS:,} line items are being made")
            self.server = private.Postgres(self.workspace, SERVER_SETTINGS, "migration").start()
            tailspin.create(self.connect, ROWS / tailspin.LINE_ITEMS)

    def copy(self, name, template=tailspin.DATABASE):
        with self.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {tailspin.OWNER}")
            connection.execute(f"GRANT CREATE ON DATABASE {name} TO shardferry")
            connection.execute("CHECKPOINT")
        return name

    def drop(self, name):
        with self.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def sizes(self, database):
        with self.connect(database) as connection:
            return connection.execute("SELECT pg_table_size('line_items'), pg_indexes_size('line_items')").fetchone()

    # ---- proxy, runner, load ----

    def start_proxy(self, database):
        self.started += 1
        self.port = private.free_port()
        self.configuration = self.workspace.path(f"migration-{self.started}.ini")
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION.format(port=self.port, server_port=self.server.port, database=database))
        name = f"migration-proxy-{self.started}"
        proxy = self.workspace.start(name, [self.shardferry, "proxy", "-c", self.configuration])

        def answers():
            try:
                psycopg.connect(f"host=127.0.0.1 port={self.port} dbname={database} user={tailspin.OWNER}").close()
                return True
            except psycopg.OperationalError:
                return False

        self.workspace.wait_until(name, proxy, answers)
        return proxy

    def migrate(self, to):
        log = self.workspace.path(f"migrate-{self.started}-{to}.log")
        with open(log, "wb") as file:
            return subprocess.Popen([self.shardferry, "migrate", "-c", self.configuration, "--to", to, "--yes"], stdout=file,
                                    stderr=file, stdin=subprocess.DEVNULL), log

    @staticmethod
    def finish(started):
        child, log = started
        if child.wait() != 0:
            with open(log) as file:
                raise Failure(f"migrate failed:\n{file.read()}")

    def updates(self, database, name, seconds):
        """Starts RATE updates a second through the proxy for so many seconds."""
        script = self.workspace.path("update.sql")
        with open(script, "w") as file:
            file.write(UPDATE.format(rows=ROWS))
        return subprocess.Popen(
            ["pgbench", "-n", "-M", "prepared", "-c", "8", "-j", "2", "-R", str(RATE), "-T", str(seconds), "-f", script, "--log",
             "--log-prefix", self.workspace.path(f"updates-{name}"),
             f"host=127.0.0.1 port={self.port} dbname={database} user={tailspin.OWNER}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def durations(self, name, begin, end):
        """Of the updates that ended between two instants, in ms."""
        found = []
        for path in glob.glob(self.workspace.path(f"updates-{name}*")):
            with open(path) as file:
                for line in file:
                    fields = line.split()
                    if len(fields) < 6:  # the last one, half written
                        continue
                    _, _, microseconds, _, second, fraction = fields[:6]
                    if begin <= int(second) + int(fraction) / 1e6 <= end:
                        found.append(int(microseconds) / 1000)
        if len(found) < 100:
            raise Failure(f"only {len(found)} updates were made: {name}")
        return found

    @staticmethod
    def stop(child):
        """A moment later, so that what matters has left pgbench's buffer for the log."""
        time.sleep(3)
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.communicate()

    # ---- backfill ----

    def backfill_by_shardferry(self, database):
        """Up to derive without the load, then the backfill with it; what follows the backfill is not waited for."""
        self.finish(self.migrate("derive"))
        updates = self.updates(database, "shardferry", 86400)
        time.sleep(1)
        runner, log = self.migrate("keyed")
        end = None
        with self.connect(database) as connection:
            while end is None:
                if runner.poll() is not None:
                    self.finish((runner, log))
                row = connection.execute(
                    "SELECT extract(epoch FROM min(at) FILTER (WHERE event = 'started'))::float8,"
                    "       extract(epoch FROM max(at) FILTER (WHERE event = 'done'))::float8"
                    " FROM shardferry.journal WHERE step = 'backfill'").fetchone()
                begin, end = row
                time.sleep(0.02)
        runner.kill()
        runner.wait()
        self.stop(updates)
        return begin, end

    def backfill_by_hand(self, database):
        with self.connect(database) as connection:
            connection.execute("SET ROLE " + tailspin.OWNER)
            connection.execute("ALTER TABLE line_items ADD COLUMN store_id bigint")
            connection.execute(BATCH_BY_HAND)
            updates = self.updates(database, "by hand", 86400)
            time.sleep(1)
            begin = time.time()
            while connection.execute("SELECT fill_batch()").fetchone()[0]:
                pass
            # A batch passes over the rows that somebody else has locked.
            while connection.execute("SELECT 1 FROM line_items WHERE store_id IS NULL LIMIT 1").fetchone():
                connection.execute("SELECT fill_batch()")
            end = time.time()
        self.stop(updates)
        return begin, end

    def backfill(self):
        self.start()
        results = {"rows": ROWS, "updates_per_second": RATE}
        for name, run in (("shardferry", self.backfill_by_shardferry), ("by hand", self.backfill_by_hand)):
            database = self.copy("filling")
            proxy = self.start_proxy(database)
            before = self.sizes(database)
            begin = time.time()
            without = self.updates(database, f"without, {name}", SECONDS_WITHOUT)
            without.communicate()
            alone = self.durations(f"without, {name}", begin, time.time())
            begin, end = run(database)
            beside = self.durations(name, begin, end)
            after = self.sizes(database)
            self.check_filled(database)
            self.workspace.stop_child(proxy)
            self.drop(database)
            results[name] = {
                "seconds": end - begin, "table": [before[0], after[0]], "indexes": [before[1], after[1]],
                "p99_without": percentile(alone, 0.99),
                **{f"p{part * 100:.0f}": percentile(beside, part) for part in (0.5, 0.99)}, "max": max(beside)}
        self.show_backfill(results)
        return results

    def check_filled(self, database):
        with self.connect(database) as connection:
            wrong = connection.execute("SELECT count(*) FROM line_items i JOIN orders o USING (order_id)"
                                       " WHERE i.store_id IS DISTINCT FROM o.store_id").fetchone()[0]
        if wrong:
            raise Failure(f"{wrong} line items have no store, or a wrong one")

    @staticmethod
    def show_backfill(results):
        say(f"\nbackfill of {results['rows']:,} rows beside {RATE} updates a second, by hand in batches of {BATCH:,}: seconds;"
            "\nsize of the table and of its indexes, times what it was; the updates' duration in ms, and p99 times that without")
        say(f"  {'':12}{'seconds':>9}{'table':>8}{'indexes':>9}{'p50':>9}{'p99':>10}{'max':>10}{'p99 alone':>11}{'ratio':>9}")
        for name in ("shardferry", "by hand"):
            one = results[name]
            one["p99_ratio"] = one["p99"] / one["p99_without"]
            say(f"  {name:12}{one['seconds']:9.1f}{one['table'][1] / one['table'][0]:8.2f}"
                f"{one['indexes'][1] / one['indexes'][0]:9.2f}{one['p50']:9.2f}{one['p99']:10.2f}{one['max']:10.1f}"
                f"{one['p99_without']:11.2f}{one['p99_ratio']:9.2f}")
        ratio = results["shardferry"]["seconds"] / results["by hand"]["seconds"]
        p99 = results["by hand"]["p99"] / results["shardferry"]["p99"]
        say(f"  shardferry takes {ratio:.2f} times as long; the updates' p99 is {p99:.1f} times as high by hand")

    # ---- keys ----

    def keys_by_shardferry(self, database):
        proxy = self.start_proxy(database)
        self.finish(self.migrate("derive"))
        with LockProbe(lambda: self.connect(database)) as probe:
            self.finish(self.migrate("resolve"))
        self.workspace.stop_child(proxy)
        with self.connect(database) as connection:
            spans = connection.execute(
                "SELECT extract(epoch FROM max(at) - min(at))::float8 FROM shardferry.journal"
                " WHERE step IN ('index', 'foreign key', 'swap') AND event IN ('started', 'done')").fetchone()
        return spans[0], probe.longest

    def keys_by_hand(self, database):
        with self.connect(database) as connection:
            start = time.monotonic()
            with LockProbe(lambda: self.connect(database)) as probe:
                for statement in INDEXES_BY_HAND:
                    connection.execute(statement)
                for statements in SWAP_BY_HAND:
                    connection.execute(f"BEGIN; {statements} COMMIT")
            return time.monotonic() - start, probe.longest

    def keyswap(self):
        self.start()
        filled = self.copy("filled")
        with self.connect(filled) as connection:
            connection.execute("SET ROLE " + tailspin.OWNER)
            for statement in FILLED:
                connection.execute(statement)
        results = {"rows": ROWS}
        say(f"\nkeys with the tenant for {ROWS:,} line items: seconds in all; how long at most a strong lock was held on any table,"
            "\nand a short statement took that read or wrote one, in ms")
        say(f"  {'':12}{'seconds':>9}{'lock held':>11}{'read':>9}{'write':>9}")
        for name, run in (("shardferry", self.keys_by_shardferry), ("by hand", self.keys_by_hand)):
            database = self.copy("keyed", filled)
            seconds, longest = run(database)
            self.drop(database)
            results[name] = {"seconds": seconds, **{kind: {"ms": value * 1000, "what": what}
                                                    for kind, (value, what) in longest.items()}}
            one = results[name]
            say(f"  {name:12}{seconds:9.1f}{one['held']['ms']:11.1f}{one['read']['ms']:9.1f}{one['write']['ms']:9.1f}"
                f"   {one['held']['what'] or 'too short to be seen'}")
        self.drop(filled)
        ours = max(results["shardferry"]["held"]["ms"], 1)
        say(f"  by hand a lock is held {results['by hand']['held']['ms'] / ours:.0f} times as long")
        return results
