"""shardferry migrate --to derive: what it makes, what it refuses, whom it waits for, and that it can be killed."""

import random
import re
import signal
import socket
import subprocess
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import binary, run_command
from test_psql import run_psql

RUNNER = "shardferry migrate"

STATE = """
SELECT (SELECT array_agg((attname, format_type(atttypid, atttypmod), attnotnull, attisdropped)::text ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = 'line_items'::regclass AND attnum > 0),
       (SELECT array_agg(s::text ORDER BY table_name) FROM shardferry.stage s WHERE kind = 'backfill'),
       (SELECT array_agg((epoch)::text) FROM shardferry.epoch)
"""

PROXY_ROW = """
INSERT INTO shardferry.proxy (id, host, pid, version, lease_until, lease_ms, epoch)
VALUES (gen_random_uuid(), 'elsewhere', 4711, '0', clock_timestamp() + make_interval(secs => %s), 1000, %s)
"""

BACK_TO_OBSERVE = """
UPDATE shardferry.epoch SET epoch = epoch + 1;
UPDATE shardferry.stage SET stage = 'observe', since_epoch = (SELECT epoch FROM shardferry.epoch)
"""


class Shop:
    """A database of its own, and the configuration of a migration of it."""

    def __init__(self, server, directory, name):
        self.server = server
        self.name = name
        self.config = directory / "shardferry.ini"
        self.log = str(directory / "runner.log")
        self.configure()

    def configure(self, tables=tailspin.TABLES, port=None, listen="127.0.0.1:1", user="postgres", tenant="stores", column="store_id",
                  lease="10s"):
        self.config.write_text(
            f"[proxy]\nlisten = {listen}\ncoordinator = host=127.0.0.1 port={self.server.port}\n"
            f"[control]\nconninfo = host=127.0.0.1 port={port or self.server.port} dbname={self.name} user={user} "
            f"sslmode=disable\nlease = {lease}\n[tenant]\ntable = {tenant}\ncolumn = {column}\n{tables}")

    def run(self, *args):
        return run_command("migrate", "-c", str(self.config), *args)

    def migrate(self, *args):
        """Runs it to its end, which must be a good one; returns what it printed."""
        result = self.run("--to", "derive", "--yes", *args)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def start(self, *args):
        return process.spawn([binary(), "migrate", "-c", str(self.config), "--to", "derive", "--yes", *args], stderr=self.log)

    def printed(self):
        with open(self.log) as log:
            return log.read()

    def connect(self, **more):
        return self.server.connect(self.name, **more)

    def execute(self, sql, params=None):
        return self.server.execute(sql, params, self.name)

    def state(self):
        return self.execute(STATE)[0]

    def stages(self):
        return dict(self.execute("SELECT table_name, stage FROM shardferry.stage WHERE kind = 'backfill'"))

    def has_schema(self):
        return self.execute("SELECT to_regnamespace('shardferry') IS NOT NULL")[0][0]


@pytest.fixture
def shop(server, tmp_path):
    made = Shop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


@pytest.fixture
def bare_shop(server, database, tmp_path):
    return Shop(server, tmp_path, database)


# What it makes


def test_reaches_derive_and_says_so(shop):
    printed = shop.migrate()
    assert shop.stages() == {"line_items": "derive"}
    lines = printed.splitlines()
    assert len(lines) == 8 and all("done (" in line for line in lines)
    assert "add column store_id to public.line_items" in printed
    columns, _, epochs = shop.state()
    assert columns[-1] == '(store_id,bigint,f,f)'
    assert len(epochs) == 1


def test_run_again_is_a_no_op_that_says_so(shop):
    shop.migrate()
    before = shop.state(), shop.execute("SELECT count(*) FROM shardferry.journal")
    assert "nothing to do" in shop.migrate()
    assert (shop.state(), shop.execute("SELECT count(*) FROM shardferry.journal")) == before


def test_journal_tells_what_happened(shop):
    shop.migrate()
    rows = shop.execute("SELECT step, object, event FROM shardferry.journal ORDER BY id")
    assert ("column", "public.line_items", "started") in rows
    assert ("column", "public.line_items", "done") in rows
    assert [row[0] for row in rows if row[2] in ("done", "found done")] == [
        "schema", "register", "enrol", "column", "trigger", "derive", "acknowledge", "settle"]


def test_finds_a_column_that_is_there_already(shop):
    shop.execute("ALTER TABLE line_items ADD COLUMN store_id bigint")
    shop.configure("[table line_items]\nkind = backfill\ntenant_from = order_id -> orders(order_id)\n")
    assert "add column store_id to public.line_items" in shop.migrate()
    assert shop.execute("SELECT object, event FROM shardferry.journal WHERE step = 'column'") == [
        ("public.line_items", "found done")]


@pytest.mark.parametrize("key", [
    "uuid", "integer", "numeric(12,3)", "varchar(20)", 'text COLLATE "C"', 'varchar(7) COLLATE "POSIX"', "tenants.id",
    "tenants.\"Plain\""])
def test_column_has_exactly_the_type_of_the_key(bare_shop, key):
    bare_shop.execute('CREATE SCHEMA tenants; CREATE DOMAIN tenants.id AS text COLLATE "C"; CREATE DOMAIN tenants."Plain" AS int')
    bare_shop.execute(f'CREATE TABLE "Shops" ("The Id" {key} PRIMARY KEY);'
                      f'CREATE TABLE "Or""ders" (id int PRIMARY KEY, "Shop" {key} REFERENCES "Shops");'
                      'CREATE SCHEMA "Odd \'one\'";'
                      'CREATE TABLE "Odd \'one\'"."Line.Items" (id int PRIMARY KEY, o int REFERENCES "Or""ders")')
    bare_shop.configure("", tenant='"Shops"', column='"Shop"')
    bare_shop.migrate()
    assert bare_shop.execute("""
        SELECT a.atttypid = k.atttypid, a.atttypmod = k.atttypmod, a.attcollation = k.attcollation
        FROM pg_attribute a, pg_attribute k
        WHERE a.attrelid = '"Odd ''one''"."Line.Items"'::regclass AND a.attname = 'Shop'
          AND k.attrelid = '"Shops"'::regclass AND k.attname = 'The Id'""") == [(True, True, True)]
    assert bare_shop.stages() == {"Line.Items": "derive"}
    assert "nothing to do" in bare_shop.migrate()


def test_several_levels_and_partitions(bare_shop):
    bare_shop.execute("""
        CREATE TABLE stores (store_id int PRIMARY KEY);
        CREATE TABLE orders (order_id int PRIMARY KEY, store_id int REFERENCES stores);
        CREATE TABLE line_items (id int, order_id int REFERENCES orders, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE line_items_1 PARTITION OF line_items FOR VALUES FROM (0) TO (10);
        CREATE TABLE line_items_2 PARTITION OF line_items DEFAULT;
        CREATE TABLE notes (note_id int PRIMARY KEY, item int REFERENCES line_items (id));
        CREATE TABLE remarks (note_id int REFERENCES notes)""")
    bare_shop.configure("")
    bare_shop.migrate()
    assert bare_shop.execute("""
        SELECT attrelid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
        WHERE attname = 'store_id' AND relkind IN ('r', 'p') ORDER BY 1""") == [
            (name,) for name in ("line_items", "line_items_1", "line_items_2", "notes", "orders", "remarks", "stores")]
    assert set(bare_shop.stages().values()) == {"derive"}
    assert "nothing to do" in bare_shop.migrate()


def test_unusual_settings_of_the_role_do_not_matter(shop):
    shop.execute("""
        CREATE SCHEMA evil;
        CREATE FUNCTION evil.to_regclass(text) RETURNS regclass LANGUAGE sql AS 'SELECT NULL::regclass';
        CREATE TABLE evil.line_items (id int);
    """)
    with shop.connect() as conn:
        for setting in ("search_path = evil, public", "default_transaction_read_only = on", "statement_timeout = 10",
                        "default_transaction_isolation = serializable", "lock_timeout = 1", "quote_all_identifiers = on",
                        "standard_conforming_strings = off", "client_min_messages = debug5"):
            conn.execute(f'ALTER DATABASE "{shop.name}" SET {setting}')
    shop.configure(tailspin.TABLES.replace("line_items", "public.line_items").replace("orders(", "public.orders("),
                   tenant="public.stores")
    with shop.connect() as conn:
        conn.execute("SET default_transaction_read_only = off; SET search_path = public; SET statement_timeout = 0")
        result = shop.run("--yes")
        assert result.returncode == 0, result.stdout + result.stderr
        assert conn.execute("SELECT attrelid::regclass::text FROM pg_attribute WHERE attname = 'store_id' AND "
                            "attrelid = 'public.line_items'::regclass").rowcount == 1


# What it refuses


def test_dry_run_prints_sql_and_changes_nothing(shop):
    result = shop.run("--dry-run")
    assert result.returncode == 0
    assert "ALTER TABLE public.line_items ADD COLUMN store_id bigint;" in result.stdout
    assert not shop.has_schema()


def test_sql_of_a_dry_run_does_the_same(shop, server):
    script = shop.run("--dry-run", "--to", "derive").stdout
    _, errors, status = run_psql(shop.server.endpoint(shop.name), script, "-v", "ON_ERROR_STOP=1")
    assert status == 0, errors
    by_hand = shop.state()
    assert "nothing to do" in shop.migrate()
    other = tailspin.create(server)
    try:
        second = Shop(server, shop.config.parent, other)
        second.migrate()
        assert second.state() == by_hand
    finally:
        server.drop_database(other)


def test_a_server_without_citus_is_taken_to_resolve(shop):
    """And what remains is printed as a script."""
    result = shop.run("--yes", "--to", "distributed")
    assert result.returncode == 0, result.stderr
    assert {stage for _, stage in shop.execute("SELECT table_name, stage FROM shardferry.stage")} == {"resolve"}
    _, remains = result.stdout.split("-- This server does not offer Citus.")
    assert "create_distributed_table" in remains and "ALTER TABLE public.line_items ADD COLUMN" not in remains
    assert "resolve" not in remains.splitlines()[0]


@pytest.mark.parametrize("args, says", [
    ((), "--yes"), (("--to", "nowhere", "--yes"), "nowhere"), (("--yes", "x"), "unexpected argument"), (("--lock-wait", "1x", "--yes"), "1x"),
    (("--to", "observe", "--yes"), "does not go back")])
def test_wrong_usage(shop, args, says):
    result = shop.run(*args)
    assert result.returncode == 2
    assert says in result.stderr
    assert not shop.has_schema()


def test_all_findings_at_once(bare_shop):
    bare_shop.execute("""
        CREATE TABLE stores (store_id numeric(10,2) PRIMARY KEY);
        CREATE TABLE orders (order_id int PRIMARY KEY, store_id numeric(10,2) REFERENCES stores);
        CREATE TABLE returns (return_id int PRIMARY KEY, store_id numeric(11,2));
        CREATE TABLE line_items (id int PRIMARY KEY, order_id int REFERENCES orders);
        CREATE TABLE lost (id int PRIMARY KEY);
        DROP ROLE IF EXISTS writer; CREATE ROLE writer;
        DROP ROLE IF EXISTS some_writer; CREATE ROLE some_writer;
        DROP ROLE IF EXISTS reader; CREATE ROLE reader;
        GRANT INSERT ON line_items TO writer;
        GRANT INSERT (id, order_id) ON line_items TO some_writer;
        GRANT SELECT (order_id, store_id) ON orders TO some_writer;
        GRANT INSERT, SELECT ON ALL TABLES IN SCHEMA public TO reader""")
    bare_shop.configure("[table lost]\nkind = backfill\n")
    try:
        result = bare_shop.run("--yes")
        assert result.returncode == 1
        assert "public.lost: no foreign key leads" in result.stdout
        assert "public.returns: column store_id is numeric(11,2), but the tenant's key is numeric(10,2)" in result.stdout
        assert 'public.line_items: role "writer" may insert into it, but lacks SELECT on order_id, store_id of public.orders' in result.stdout
        assert 'role "some_writer" may insert into some of its columns only' in result.stdout
        assert 'role "some_writer" may insert into it' not in result.stdout
        assert "reader" not in result.stdout
        assert "4 errors" in result.stdout
        assert not bare_shop.has_schema()
    finally:
        bare_shop.execute("DROP OWNED BY writer, some_writer, reader; DROP ROLE writer, some_writer, reader")


def test_row_security_of_a_parent_is_found(shop):
    shop.execute("ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON orders USING (status = 'x');"
                 "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO app_trust; GRANT USAGE ON SCHEMA public TO app_trust")
    result = shop.run("--yes")
    assert result.returncode == 1
    assert 'role "app_trust" may insert into it, but lacks BYPASSRLS' in result.stdout


def test_a_domain_that_would_rewrite_the_table_is_found(bare_shop):
    bare_shop.execute("""
        CREATE DOMAIN tenant AS int CHECK (VALUE > 0);
        CREATE TABLE stores (store_id tenant PRIMARY KEY);
        CREATE TABLE orders (order_id int PRIMARY KEY, store_id tenant REFERENCES stores);
        CREATE TABLE line_items (id int PRIMARY KEY, order_id int REFERENCES orders)""")
    bare_shop.configure("")
    result = bare_shop.run("--yes")
    assert result.returncode == 1
    assert "domain public.tenant" in result.stdout


def test_a_role_that_owns_nothing_is_told(shop):
    shop.configure(user="app_trust")
    result = shop.run("--yes")
    assert result.returncode == 1
    assert "public.line_items: it is owned by postgres" in result.stdout
    assert "GRANT CREATE ON DATABASE" in result.stdout


def test_no_tenant_table(shop):
    shop.configure("", tenant="shops")
    result = shop.run("--yes")
    assert result.returncode == 2
    assert "shops" in result.stderr


def test_no_server(shop):
    shop.configure(port=process.free_port())
    result = shop.run("--yes")
    assert result.returncode == 1
    assert "[control] conninfo" in result.stderr


class Relay(threading.Thread):
    """Passes bytes on to a server, as a proxy does that the runner must not go through."""

    def __init__(self, port, source="127.0.0.1"):
        super().__init__(daemon=True)
        self.target = port
        self.source = source
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self):
        client, _ = self.listener.accept()
        with client, socket.create_connection(("127.0.0.1", self.target), source_address=(self.source, 0)) as backend:
            back = threading.Thread(target=self._pass, args=(backend, client), daemon=True)
            back.start()
            self._pass(client, backend)
            back.join()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.parametrize("listens", [True, False])
def test_through_a_proxy(shop, listens):
    relay = Relay(shop.server.port)
    relay.start()
    shop.configure(port=relay.port, listen=f"127.0.0.1:{relay.port if listens else 1}")
    result = shop.run("--yes")
    relay.join(10)
    relay.listener.close()
    if listens:
        assert result.returncode == 2
        assert f"leads through the proxy at port {relay.port}" in result.stderr
    else:
        assert result.returncode == 0, result.stderr


# Whom it waits for


def blocked_table(shop, **more):
    """A transaction that has merely read the table, and stays open."""
    conn = shop.connect(application_name="a report", **more)
    conn.execute("BEGIN")
    conn.execute("SELECT count(*) FROM line_items")
    return conn


def test_gives_up_on_a_lock_and_names_the_holder(shop):
    with blocked_table(shop) as report:
        pid = report.info.backend_pid
        result = shop.run("--yes", "--lock-wait", "1")
        assert result.returncode == 1
        assert "could not lock public.line_items" in result.stderr
        assert f"pid {pid} (a report, user postgres, idle in transaction" in result.stderr
        assert shop.stages() == {"line_items": "observe"}
        assert shop.execute("SELECT event FROM shardferry.journal WHERE step = 'column' ORDER BY id") == [
            ("started",), ("failed",)]
        report.execute("COMMIT")
    shop.migrate()
    assert shop.stages() == {"line_items": "derive"}


def test_waits_for_a_lock_without_stopping_the_others(shop):
    with blocked_table(shop) as report, shop.connect() as other:
        runner = shop.start()
        slowest = 0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            start = time.monotonic()
            other.execute("INSERT INTO line_items (order_id) VALUES (1)")
            slowest = max(slowest, time.monotonic() - start)
        assert runner.poll() is None
        report.execute("COMMIT")
        assert runner.wait(20) == 0, shop.printed()
    assert slowest < 1
    assert shop.stages() == {"line_items": "derive"}


def test_one_runner_at_a_time(shop):
    with blocked_table(shop) as report:
        first = shop.start()
        holder = process.wait_until(lambda: [pid for (pid,) in shop.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = %s", (RUNNER, shop.name))], 10,
            "the first runner's session")[0]
        process.wait_until(shop.has_schema, 10, "the first runner's first step")
        second = shop.run("--yes")
        assert second.returncode == 1
        assert "another migration is running" in second.stderr
        assert f"pid {holder} ({RUNNER}, user postgres" in second.stderr
        assert first.poll() is None
        report.execute("COMMIT")
        assert first.wait(20) == 0, shop.printed()


def prepare_for_derive(shop):
    """Everything up to the column, so that what follows is the stage change alone."""
    shop.migrate()
    shop.execute(BACK_TO_OBSERVE)
    shop.execute("TRUNCATE shardferry.journal")


def test_waits_out_the_lease_of_a_proxy_that_does_not_answer(shop):
    prepare_for_derive(shop)
    shop.execute(PROXY_ROW, (3.5, 1))
    start = time.monotonic()
    printed = shop.migrate()
    assert time.monotonic() - start > 3
    assert "waiting for proxy on elsewhere (pid 4711)" in printed


def test_does_not_wait_for_an_expired_lease(shop):
    prepare_for_derive(shop)
    shop.execute(PROXY_ROW, (-1, 1))
    assert "waiting" not in shop.migrate()


def test_goes_on_when_the_proxy_acknowledges(shop):
    prepare_for_derive(shop)
    shop.execute(PROXY_ROW, (60, 1))
    runner = shop.start()
    process.wait_until(lambda: shop.stages() == {"line_items": "derive"}, 10, "the stage")
    time.sleep(0.3)
    assert runner.poll() is None
    shop.execute("UPDATE shardferry.proxy SET epoch = (SELECT epoch FROM shardferry.epoch)")
    assert runner.wait(10) == 0, shop.printed()


def test_an_expired_lease_is_revoked_only_where_it_is_behind(shop):
    """A heartbeat extends the lease of a proxy that was late, but not if a migration has gone on without it."""
    prepare_for_derive(shop)
    shop.execute(PROXY_ROW, (-1, 1))
    shop.execute(PROXY_ROW, (-1, 1000))
    shop.migrate()
    assert shop.execute("SELECT epoch, revoked FROM shardferry.proxy ORDER BY epoch") == [(1, True), (1000, False)]


def test_a_heartbeat_under_way_counts(shop):
    """The lease runs out while the heartbeat that extends it is not committed yet."""
    prepare_for_derive(shop)
    shop.execute(PROXY_ROW, (0.5, 1))
    with shop.connect() as proxy:
        proxy.execute("BEGIN")
        proxy.execute("UPDATE shardferry.proxy SET lease_until = clock_timestamp() + '60 s'")
        runner = shop.start()
        time.sleep(1.5)
        assert runner.poll() is None
        proxy.execute("COMMIT")
        time.sleep(0.5)
        assert runner.poll() is None
    shop.execute("UPDATE shardferry.proxy SET epoch = (SELECT epoch FROM shardferry.epoch)")
    assert runner.wait(10) == 0, shop.printed()
    assert shop.execute("SELECT revoked FROM shardferry.proxy") == [(False,)]


def announced(shop, key=0x0a0b0c0d, **more):
    """A proxy's control connection before its first load of the catalog."""
    conn = shop.connect(application_name="shardferry control", **more)
    conn.execute("SELECT pg_advisory_lock_shared(1936093304, %s)", (key,))
    return conn


def register(shop, first_digits):
    shop.execute("INSERT INTO shardferry.proxy (id, host, pid, version, lease_until, lease_ms, epoch) "
                 "VALUES (%s, 'elsewhere', 4711, '0', clock_timestamp() + '60 s', 1000, 0)",
                 (first_digits + "-0000-4000-8000-000000000000",))


def test_waits_for_connected_proxies_to_register(shop):
    """The first migration of a database: nobody can have registered before there is the schema."""
    with announced(shop) as one, announced(shop, -2) as other:
        runner = shop.start()
        process.wait_until(lambda: "waiting for proxies to register" in shop.printed(), 10, "the runner to say whom it waits for")
        assert f'pid {one.info.backend_pid} (shardferry control, role "postgres", from the server\'s own host)' in shop.printed()
        assert f"pid {other.info.backend_pid} (" in shop.printed()
        register(shop, "0a0b0c0d")
        time.sleep(0.3)
        assert runner.poll() is None
        assert shop.stages() == {}
        register(shop, "fffffffe")
        process.wait_until(lambda: shop.stages() == {"line_items": "derive"}, 10, "the stage")
        time.sleep(0.3)
        assert runner.poll() is None, "a registration acknowledges nothing"
        shop.execute("UPDATE shardferry.proxy SET epoch = (SELECT epoch FROM shardferry.epoch)")
        assert runner.wait(10) == 0, shop.printed()


def test_waits_for_a_proxy_that_comes_while_it_runs(shop):
    """Announced, but not registered, when the last stage is committed: it may have loaded the one before."""
    prepare_for_derive(shop)
    with announced(shop):
        shop.execute(PROXY_ROW, (60, 1000))  # of somebody else
        runner = shop.start()
        process.wait_until(lambda: "waiting for proxies to register" in shop.printed(), 10, "the runner to say whom it waits for")
        register(shop, "0a0b0c0d")
        shop.execute("UPDATE shardferry.proxy SET epoch = 1000")
        assert runner.wait(10) == 0, shop.printed()


def test_other_advisory_locks_are_nothing_to_it(shop, server, database):
    with announced(Shop(server, shop.config.parent, database)) as elsewhere, shop.connect() as conn:
        elsewhere.execute("SELECT pg_advisory_lock(1936093304, 1)")
        conn.execute("SELECT pg_advisory_lock_shared(1936093305, 1), pg_advisory_lock_shared(1936093304 * 4294967296 + 1)")
        shop.configure()
        assert "waiting" not in shop.migrate()


def test_making_the_schema_is_notified(shop):
    with announced(shop) as control:
        control.execute("LISTEN shardferry")
        runner = shop.start()
        try:
            assert next(control.notifies()).channel == "shardferry"
        finally:
            runner.kill()
            runner.wait()


def test_a_proxy_that_does_not_register_is_an_error(shop):
    shop.configure(lease="1s")
    with announced(shop) as control:
        result = shop.run("--yes")
        assert result.returncode == 1
        assert re.search(rf"has not registered for 3\.\d s: pid {control.info.backend_pid} \(shardferry control", result.stderr)
        assert f"pg_terminate_backend({control.info.backend_pid})" in result.stderr
        assert shop.stages() == {}
    shop.migrate()


def test_a_proxy_that_may_not_register_is_an_error_with_the_grants_to_give(shop):
    with announced(shop, user="app_trust") as control:
        result = shop.run("--yes")
        assert result.returncode == 1
        assert f"a proxy may not register in schema shardferry: pid {control.info.backend_pid} " in result.stderr
        assert shop.stages() == {}
        shop.execute(re.search(r"GRANT USAGE.*proxy TO app_trust;", result.stderr, re.DOTALL).group())
        runner = shop.start()
        process.wait_until(lambda: "waiting for proxies to register" in shop.printed(), 10, "the runner to wait")
        # All that a proxy does there:
        control.execute("SELECT epoch, table_name FROM shardferry.epoch LEFT JOIN shardferry.stage ON true FOR SHARE OF epoch")
        control.execute("DELETE FROM shardferry.proxy WHERE lease_until < now() - '1 day'::interval")
        control.execute("INSERT INTO shardferry.proxy (id, host, pid, version, lease_until, lease_ms, epoch) "
                        "VALUES ('0a0b0c0d-0000-4000-8000-000000000000', 'h', 1, '0', now() + '60 s', 1000, 0)")
        control.execute("UPDATE shardferry.proxy SET epoch = 1000")
        assert runner.wait(10) == 0, shop.printed()


def test_no_row_without_tenant_once_it_has_returned(shop, make_proxy):
    """A proxy that has loaded the catalog when there was no schema yet, and clients that never pause."""
    proxy = make_proxy(dbname=shop.name, settings={"control.catalog_refresh": "1h"})
    proxy.wait_for_catalog("line_items")
    stop = threading.Event()

    def insert():
        with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as conn:
            while not stop.is_set():
                conn.execute("INSERT INTO line_items (order_id) VALUES (7)")

    clients = [threading.Thread(target=insert) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        printed = shop.migrate()
        last = shop.execute("SELECT max(line_item_id) FROM line_items")[0][0]
        process.wait_until(lambda: shop.execute("SELECT max(line_item_id) > %s FROM line_items", (last + 50,))[0][0], 10, "more rows")
    finally:
        stop.set()
        for client in clients:
            client.join()
    assert "waiting" not in printed
    assert shop.execute("SELECT count(*) FROM line_items WHERE line_item_id > %s AND store_id IS DISTINCT FROM 8", (last,)) == [(0,)]


def test_waits_for_older_writers_but_not_for_readers(shop):
    prepare_for_derive(shop)
    with blocked_table(shop), shop.connect(application_name="importer") as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO line_items (order_id) VALUES (1)")
        runner = shop.start()
        process.wait_until(lambda: "waiting for pid" in shop.printed(), 10, "the runner to say whom it waits for")
        assert f"waiting for pid {writer.info.backend_pid} (importer" in shop.printed()
        assert runner.poll() is None
        # Who starts to write now is not waited for.
        with shop.connect() as late:
            late.execute("BEGIN")
            late.execute("INSERT INTO line_items (order_id, store_id) VALUES (1, 2)")
            writer.execute("COMMIT")
            assert runner.wait(10) == 0, shop.printed()


def test_names_who_holds_a_partition(bare_shop):
    bare_shop.execute("""
        CREATE TABLE stores (store_id int PRIMARY KEY);
        CREATE TABLE orders (order_id int PRIMARY KEY, store_id int REFERENCES stores);
        CREATE TABLE line_items (order_id int REFERENCES orders) PARTITION BY RANGE (order_id);
        CREATE TABLE line_items_1 PARTITION OF line_items DEFAULT""")
    bare_shop.configure("")
    with bare_shop.connect(application_name="archiver") as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM line_items_1")
        result = bare_shop.run("--to", "derive", "--yes", "--lock-wait", "0")
        assert result.returncode == 1
        assert f"pid {holder.info.backend_pid} (archiver" in result.stderr


def test_names_a_prepared_transaction_that_holds_the_lock(shop):
    with shop.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO line_items (order_id) VALUES (1)")
        writer.execute("PREPARE TRANSACTION 'forgotten'")
    try:
        result = shop.run("--yes", "--lock-wait", "0")
        assert result.returncode == 1
        assert 'prepared transaction "forgotten" of postgres' in result.stderr
    finally:
        shop.execute("ROLLBACK PREPARED 'forgotten'")
    shop.migrate()


def test_waits_for_prepared_transactions(shop):
    prepare_for_derive(shop)
    with shop.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO line_items (order_id) VALUES (1)")
        writer.execute("PREPARE TRANSACTION 'half done'")
    runner = shop.start()
    try:
        process.wait_until(lambda: "waiting for" in shop.printed(), 10, "the runner to say whom it waits for")
        assert 'waiting for prepared transaction "half done" of postgres' in shop.printed()
    finally:
        shop.execute("COMMIT PREPARED 'half done'")
    assert runner.wait(10) == 0, shop.printed()


# That it can be killed


def test_a_server_that_goes_away_is_an_error(shop):
    with blocked_table(shop):
        runner = shop.start()
        process.wait_until(lambda: shop.has_schema() and shop.execute(
            "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_stat_activity WHERE application_name = %s AND datname = %s AND EXISTS "
            "(SELECT FROM shardferry.journal WHERE step = 'column')", (RUNNER, shop.name))[0][0], 10, "the runner's session")
        assert runner.wait(10) == 1, shop.printed()
    shop.migrate()


@pytest.mark.limit(240)
def test_killed_at_any_instant_and_run_again_ends_the_same(server, tmp_path):
    """Each round kills runners of one database at instants spread over the whole run until one gets through."""
    template = tailspin.create(server)
    expected, kills, seed = None, 0, random.randrange(1 << 32)
    instants = random.Random(seed)

    def fresh():
        return Shop(server, tmp_path, server.create_database(template=template))

    try:
        shop = fresh()
        start = time.monotonic()
        shop.migrate()
        whole = time.monotonic() - start
        expected = shop.state()
        server.drop_database(shop.name)
        reached = set()
        while kills < 30 or len(reached) < 2:  # a machine busy elsewhere may kill all of them before the first step
            shop = fresh()
            while True:
                runner = shop.start()
                try:
                    runner.wait(instants.uniform(0, 1.2 * whole))
                except subprocess.TimeoutExpired:
                    runner.kill()
                    kills += 1
                if runner.wait() == 0:
                    break
                assert runner.returncode == -signal.SIGKILL, f"seed {seed}: {shop.printed()}"
                reached.add(len(shop.execute("SELECT 1 FROM pg_attribute WHERE attname = 'store_id' AND attrelid = 'line_items'::regclass"))
                            + 2 * shop.has_schema())
            assert shop.state() == expected, f"seed {seed}"
            assert "nothing to do" in shop.migrate()
            server.drop_database(shop.name)
    finally:
        server.drop_database(template)


@pytest.mark.limit(120)
@pytest.mark.parametrize("step", ["schema", "enrol", "column", "derive", "acknowledge"])
def test_killed_right_after_a_step_begins(shop, step):
    """The journal's line tells when a step begins; a lock on the journal's next one stops the runner there."""
    if step == "schema":
        with shop.connect() as conn:
            conn.execute("BEGIN; CREATE SCHEMA shardferry")
            runner = shop.start()
            time.sleep(0.5)
            assert runner.poll() is None
            runner.kill()
            runner.wait()
            conn.execute("ROLLBACK")
    else:
        shop.migrate()
        shop.execute("ALTER TABLE line_items DROP COLUMN store_id; TRUNCATE shardferry.journal")
        shop.execute(BACK_TO_OBSERVE if step != "enrol" else "DELETE FROM shardferry.stage")
        shop.execute(PROXY_ROW, (3 if step == "acknowledge" else -1, 1))
        shop.execute(f"""
            CREATE FUNCTION shardferry.stop() RETURNS trigger LANGUAGE plpgsql AS
                $$BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN NEW; END$$;
            CREATE TRIGGER stop BEFORE INSERT ON shardferry.journal FOR EACH ROW
                WHEN (NEW.step = '{step}' AND NEW.event = 'done') EXECUTE FUNCTION shardferry.stop()""")
        runner = shop.start()
        process.wait_until(lambda: shop.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = %s AND wait_event = 'PgSleep'",
            (RUNNER, shop.name))[0][0], 20, f"step {step} to be done")
        runner.kill()
        runner.wait()
        shop.execute("DROP TRIGGER stop ON shardferry.journal; DROP FUNCTION shardferry.stop")
    shop.migrate()
    assert shop.stages() == {"line_items": "derive"}
    columns, _, epochs = shop.state()
    assert columns[-1] == '(store_id,bigint,f,f)' and len(epochs) == 1
