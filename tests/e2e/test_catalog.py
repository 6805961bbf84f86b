"""The catalog: a dump is read as the server that it is from, and locks of others neither delay nor hide it."""

import json
import os
import pathlib
import subprocess
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.postgres import program
from harness.proxy import binary, run_command

SCHEMAS = pathlib.Path(__file__).parent.parent / "data" / "schemas"

TENANTS = {
    "tailspin.sql": ("stores", "store_id", "[table line_items]\ntenant_from = order_id -> orders(order_id)\n"),
    "importers.sql": ("devices", "device_id", ""),
    "nasty.sql": ('"Sales"."Tenant"', '"TenantId"', ""),
}

# Whatever can be said about each table by a statement: its columns, keys, foreign keys and types take part in verdicts,
# suggestions and rewritten texts.
STATEMENTS = r"""
WITH tables AS (
    SELECT c.oid, c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
), columns AS (
    SELECT t.oid, t.name, quote_ident(a.attname) AS column, a.attnum
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
), keys AS (
    SELECT t.name, i.indexrelid, string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' ORDER BY k) AS columns
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique CROSS JOIN generate_series(1, i.indnkeyatts) k
    GROUP BY t.name, i.indexrelid
), foreign_keys AS (
    SELECT f.oid, f.conrelid::regclass AS child, f.confrelid::regclass AS parent,
           string_agg(format('c.%I = p.%I', c.attname, p.attname), ' AND ' ORDER BY k) AS condition
    FROM pg_constraint f CROSS JOIN generate_subscripts(f.conkey, 1) k
    JOIN pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = f.conkey[k]
    JOIN pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = f.confkey[k]
    WHERE f.contype = 'f' GROUP BY f.oid
)
SELECT format('SELECT * FROM %s', name) FROM tables
UNION ALL SELECT format('INSERT INTO %s DEFAULT VALUES', name) FROM tables
UNION ALL SELECT format('DELETE FROM %s', name) FROM tables
UNION ALL SELECT format('TRUNCATE %s', name) FROM tables
UNION ALL SELECT format('COPY %s FROM ''/file''', name) FROM tables
UNION ALL SELECT format('INSERT INTO %s SELECT * FROM %s', name, name) FROM tables
UNION ALL SELECT format('INSERT INTO %s VALUES (%s) RETURNING *', name, string_agg('$' || attnum, ', ' ORDER BY attnum))
          FROM columns GROUP BY name
UNION ALL SELECT format('INSERT INTO %s (%s) VALUES (%s), (%s)', name, string_agg("column", ', ' ORDER BY attnum),
                        string_agg('$' || attnum, ', ' ORDER BY attnum), string_agg('DEFAULT', ', '))
          FROM columns GROUP BY name
UNION ALL SELECT format('INSERT INTO %s (%s) VALUES ($1)', name, "column") FROM columns
UNION ALL SELECT format('INSERT INTO %s (%s) SELECT %s FROM %s', name, "column", "column", name) FROM columns
UNION ALL SELECT format('SELECT FROM %s WHERE %s = $1', name, "column") FROM columns
UNION ALL SELECT format('UPDATE %s SET %s = $1', name, "column") FROM columns
UNION ALL SELECT format('INSERT INTO %s AS t DEFAULT VALUES ON CONFLICT (%s) DO NOTHING', name, columns) FROM keys
UNION ALL SELECT format('SELECT FROM %s c JOIN %s p ON %s', child, parent, condition) FROM foreign_keys
ORDER BY 1
"""


class Database:
    def __init__(self, server, name, directory, schema):
        self.server = server
        self.name = name
        self.config = directory / "shardferry.ini"
        self.dump = directory / "dump.sql"
        tenant, column, self.tables = TENANTS[schema]
        self._text = f"[control]\nconninfo = host=127.0.0.1 port={server.port} dbname={name} user=postgres sslmode=disable\n" \
                     "%s[tenant]\ntable = {}\ncolumn = {}\n{}".format(tenant, column, self.tables)
        self.configure()

    def configure(self, control=""):
        self.config.write_text(self._text % control)

    def connect(self, **more):
        return self.server.connect(self.name, **more)

    def lint(self, statements, *args):
        """One object for each statement, without its place."""
        done = run_command("lint", "-c", str(self.config), "--json", *args, input="".join(s + ";\n" for s in statements))
        assert done.returncode in (0, 1), done.stderr
        said = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(said) == len(statements)
        return said


@pytest.fixture
def load(server, database, tmp_path):
    def make(schema):
        made = Database(server, database, tmp_path, schema)
        with made.connect() as conn:
            conn.execute((SCHEMAS / schema).read_text())
        return made

    return make


def dump_of(loaded):
    endpoint = loaded.server.unix_endpoint(loaded.name)
    done = subprocess.run([program("pg_dump"), "--schema-only", "-f", str(loaded.dump)], capture_output=True, text=True,
                          env=endpoint.environment(os.environ))
    assert done.returncode == 0, done.stderr
    return str(loaded.dump)


@pytest.mark.parametrize("stage", ["observe", "derive"])
@pytest.mark.parametrize("schema", sorted(TENANTS))
def test_a_dump_is_read_as_its_server(load, schema, stage):
    loaded = load(schema)
    with loaded.connect() as conn:
        statements = [row[0] for row in conn.execute(STATEMENTS)]
    of_server = loaded.lint(statements, "--stage", stage)
    of_dump = loaded.lint(statements, "--stage", stage, "--schema", dump_of(loaded))
    assert [pair for pair in zip(of_server, of_dump) if pair[0] != pair[1]] == []
    assert {"single-tenant", "multi-tenant", "no-tenant-table"} <= {one["verdict"] for one in of_server} or schema == "tailspin.sql"
    assert any(one["applied"] for one in of_server) == (stage == "derive" and schema != "importers.sql")


# Locks of others

VIEW = "CREATE VIEW dear_products AS SELECT name FROM products WHERE price > 99"


def test_a_locked_table_does_not_keep_the_catalog_from_being_read(load):
    """Defaults, keys and foreign keys are read without a lock on their table."""
    loaded = load("tailspin.sql")
    with loaded.connect() as holder:
        holder.execute("BEGIN; TRUNCATE stores CASCADE")
        start = time.monotonic()
        assert loaded.lint(["SELECT FROM stores"])[0]["verdict"] == "multi-tenant"
        assert time.monotonic() - start < 5


def test_a_locked_table_that_a_view_reads_is_named_with_who_holds_it(load):
    """The view's definition cannot be had; a catalog without it would be a wrong one."""
    loaded = load("tailspin.sql")
    with loaded.connect(application_name="nightly") as holder, loaded.connect() as other:
        other.execute(VIEW)
        other.execute("BEGIN; LOCK TABLE orders")
        holder.execute("BEGIN; TRUNCATE products CASCADE")
        start = time.monotonic()
        done = run_command("lint", "-c", str(loaded.config), "--json", input="SELECT 1")
        assert time.monotonic() - start < 3
        assert done.returncode == 2
        assert f'pid {holder.info.backend_pid} (nightly, role "postgres") has locked products.' in done.stderr
        assert str(other.info.backend_pid) not in done.stderr


def test_a_catalog_that_takes_too_long_is_given_up(load):
    loaded = load("tailspin.sql")
    with loaded.connect() as conn:
        conn.execute("CREATE FUNCTION slow() RETURNS regclass LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$")
        for n in range(1500):
            conn.execute("CREATE VIEW v%d AS %s" % (n, " UNION ALL ".join(["SELECT * FROM line_items"] * 30)))
    loaded.configure("lease = 1s\n")
    done = run_command("lint", "-c", str(loaded.config), "--json", input="SELECT 1")
    assert done.returncode == 2
    assert "not done after 500 ms" in done.stderr and "raise lease in [control]" in done.stderr


def test_a_proxy_keeps_its_lease_while_the_catalog_is_locked(migration, make_proxy):
    """The catalog cannot be read for longer than the lease; the stage has not changed, and nothing is refused."""
    migration.derive()
    migration.execute("CREATE TABLE news (headline text); CREATE VIEW latest AS SELECT * FROM news")
    proxy = make_proxy(dbname=migration.database, settings={"control.lease": "1s", "control.catalog_refresh": "1s"})
    proxy.wait_for_catalog("line_items")
    with migration.server.connect(migration.database, application_name="nightly") as holder, \
            psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as client:
        holder.execute("BEGIN; LOCK TABLE news")
        proxy.wait_for_log("nightly")
        end = time.monotonic() + 4
        while time.monotonic() < end:
            assert client.execute("INSERT INTO line_items (order_id) VALUES (3) RETURNING store_id").fetchone() == (tailspin.store_of(3),)
            time.sleep(0.05)
        holder.execute("ROLLBACK")
        proxy.wait_for_log("back to normal")


def test_a_migration_waits_for_the_catalog(load):
    loaded = load("tailspin.sql")
    log = str(loaded.dump)
    with loaded.connect(application_name="nightly") as holder:
        holder.execute(VIEW)
        holder.execute("BEGIN; LOCK TABLE products")
        loaded.config.write_text(f"[proxy]\nlisten = 127.0.0.1:1\ncoordinator = host=127.0.0.1 port={loaded.server.port}\n"
                                 + loaded.config.read_text())
        runner = process.spawn([binary(), "migrate", "-c", str(loaded.config), "--yes"], stderr=log)
        process.wait_until(lambda: "waiting to read the catalog: pid" in pathlib.Path(log).read_text(), 10, "the runner to say so")
        holder.execute("ROLLBACK")
        assert runner.wait(20) == 0, pathlib.Path(log).read_text()
