"""What preflight finds: each finding by the schema that provokes it, with the lines that a user reads."""

import os
import re
import time

import psycopg
import pytest

from harness import citus, process
from harness.postgres import PostgresServer
from harness.proxy import ROOT
from test_migrate import Relay, Shop

BASE = """
CREATE TABLE stores (store_id bigint PRIMARY KEY, name text);
CREATE TABLE products (product_id bigint PRIMARY KEY, store_id bigint REFERENCES stores);
CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint REFERENCES stores);
CREATE TABLE line_items (id bigint PRIMARY KEY, order_id bigint REFERENCES orders, quantity int);
INSERT INTO stores SELECT n FROM generate_series(1, 3) n;
INSERT INTO products SELECT n, 1 + n % 3 FROM generate_series(1, 9) n;
INSERT INTO orders SELECT n, 1 + n % 3 FROM generate_series(1, 30) n;
INSERT INTO line_items SELECT n, 1 + n % 30 FROM generate_series(1, 90) n;
"""
FUNCTION = "CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"


CONCURRENTLY = "".join(f"[table {table}]\nmethod = concurrently\n" for table in ("stores", "products", "orders", "line_items"))


class PreflightShop(Shop):
    """A database, and what preflight says of it: {line: the lines below it}."""

    def configure(self, tables=CONCURRENTLY, migration="", **more):
        super().configure(tables=f"[migration]\n{migration}\n{tables}", **more)

    def findings(self, *args):
        result = self.run("--dry-run", *args)
        assert result.returncode in (0, 1), result.stdout + result.stderr
        assert result.stderr == ""
        found, below = {}, None
        for line in (line.removeprefix("--   ") for line in result.stdout.splitlines()):
            if line.startswith(("error: ", "warning: ", "note: ")):
                below = found.setdefault(line, [])
            elif below is not None and line.startswith("    "):
                below.append(line.strip())
            else:
                below = None
        assert (result.returncode == 1) == any(line.startswith("error: ") for line in found)
        assert all(len(lines) == 2 and all(text.endswith(".") for text in lines) for lines in found.values()), found
        return found


@pytest.fixture(scope="module")
def emptied(server):
    name = server.create_database()
    yield name
    server.drop_database(name)


@pytest.fixture
def shop(server, emptied, tmp_path):
    made = PreflightShop(server, tmp_path, emptied)
    made.execute("DROP SCHEMA IF EXISTS shardferry CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;" + BASE)
    yield made
    made.execute("DROP PUBLICATION IF EXISTS feed")


def test_nothing_is_found_where_nothing_is_wrong(shop):
    assert shop.findings() == {}
    shop.migrate()
    assert shop.findings() == {}
    assert shop.run("--yes", "--to", "resolve").returncode == 0
    assert shop.findings() == {}


# (schema, [the finding's first line, a piece of its remedy], the [table] sections)
TABLES = {
    "no path": (
        "CREATE TABLE lost (id int PRIMARY KEY)",
        "error: public.lost: no foreign key leads from it to a tenant: set tenant_from", "(tenant_from = column -> table(column))",
        "[table lost]\nkind = backfill\n"),
    "type of another table's column": (
        "CREATE TABLE returns (id int PRIMARY KEY, store_id int)",
        "error: public.returns: store_id is integer, but stores.store_id is bigint", "same type"),
    "generated tenant column": (
        "CREATE TABLE gains (id int PRIMARY KEY, a bigint, store_id bigint GENERATED ALWAYS AS (a) STORED)",
        "error: public.gains: store_id is a generated column: Citus cannot distribute by it", "DROP EXPRESSION"),
    "typed table": (
        "CREATE TYPE note AS (id bigint, order_id bigint); CREATE TABLE typed OF note (PRIMARY KEY (id), FOREIGN KEY (order_id) REFERENCES orders)",
        "error: public.typed: it is a table of type public.note", "ALTER TABLE public.typed NOT OF."),
    "1600 columns": (
        "DO $$ BEGIN EXECUTE 'CREATE TABLE wide (id int PRIMARY KEY, order_id bigint REFERENCES orders, ' || "
        "(SELECT string_agg('c' || n || ' bool', ', ') FROM generate_series(3, 1600) n) || ')'; END $$",
        "error: public.wide: it has 1600 columns, dropped ones among them", "fewer columns"),
    "no primary key": (
        "ALTER TABLE line_items DROP CONSTRAINT line_items_pkey",
        "error: public.line_items: it has no primary key (stage keyed)", "Add one."),
    "no replica identity": (
        "ALTER TABLE products DROP CONSTRAINT products_pkey",
        "warning: public.products: it has neither a primary key nor a replica identity (stage distributed)",
        "ALTER TABLE public.products REPLICA IDENTITY FULL"),
    "replica identity nothing": (
        "ALTER TABLE orders REPLICA IDENTITY NOTHING",
        "warning: public.orders: its replica identity is NOTHING (stage distributed)", "method = blocking"),
    "partitioned": (
        "CREATE TABLE parts (order_id bigint) PARTITION BY RANGE (order_id); ALTER TABLE parts ADD FOREIGN KEY (order_id) REFERENCES orders",
        "error: public.parts: it is partitioned (stage keyed)", "kind = local"),
    "parent of another table": (
        "CREATE TABLE old_items (reason text) INHERITS (line_items)",
        "warning: public.line_items: public.old_items inherits from it (stage distributed)", "ALTER TABLE public.old_items NO INHERIT public.line_items."),
    "child of another table": (
        "CREATE TABLE stamped (at timestamp); ALTER TABLE products ADD COLUMN at timestamp; ALTER TABLE products INHERIT stamped",
        "warning: public.products: it inherits from public.stamped (stage distributed)", "ALTER TABLE public.products NO INHERIT public.stamped."),
    "unlogged": (
        "ALTER TABLE line_items SET UNLOGGED",
        "warning: public.line_items: it is unlogged (stage distributed)", "SET LOGGED"),
    "row security": (
        "CREATE TABLE secrets (id bigint PRIMARY KEY, order_id bigint REFERENCES orders); ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;"
        "CREATE POLICY own ON secrets USING (id IN (SELECT product_id FROM products))",
        "warning: public.secrets: policy own has a subquery (stage distributed)", "as a function"),
    "identity": (
        "ALTER TABLE line_items ALTER id ADD GENERATED ALWAYS AS IDENTITY",
        "note: public.line_items: column id is an identity column (stage distributed)", "where it stood"),
    "one sequence, two types": (
        "CREATE SEQUENCE numbers; CREATE TABLE twice (id bigint PRIMARY KEY DEFAULT nextval('numbers'), n int DEFAULT nextval('numbers'), order_id bigint REFERENCES orders)",
        "warning: public.twice: sequence public.numbers gives its column id (bigint) values, and columns of another type elsewhere"
        " (stage distributed)", "its own sequence"),
    "column of a row type": (
        "ALTER TABLE products ADD COLUMN first orders",
        "warning: public.products: column first has the row type of public.orders (stage distributed)", "CREATE TYPE"),
}

KEYS = {
    "exclusion": (
        "ALTER TABLE line_items ADD CONSTRAINT one EXCLUDE USING btree (id WITH =)",
        "warning: public.line_items: exclusion constraint one does not hold the tenant (stage distributed)", "WITH ="),
    "unique constraint": (
        "ALTER TABLE products ADD COLUMN code text CONSTRAINT code UNIQUE",
        "warning: public.products: unique constraint code does not hold the tenant (stage keyed)", "two tenants"),
    "unique index": (
        'CREATE UNIQUE INDEX "Names" ON stores (lower(name))',
        'warning: public.stores: unique index "Names" does not hold the tenant (stage keyed)', "two tenants"),
    "foreign key of a local table": (
        "CREATE TABLE near (id int PRIMARY KEY, order_id bigint REFERENCES orders)",
        "error: public.orders: foreign key near_order_id_fkey of public.near, which will not be distributed, refers to orders_pkey (stage keyed)",
        "ALTER TABLE public.near DROP CONSTRAINT near_order_id_fkey", "[table near]\nkind = local\n"),
    "foreign key of a local table to the tenant's": (
        "CREATE TABLE far (id int PRIMARY KEY, store bigint REFERENCES stores)",
        "warning: public.stores: foreign key far_store_fkey of public.far, which will not be distributed, refers to stores_pkey (stage distributed)",
        "ALTER TABLE public.far DROP CONSTRAINT far_store_fkey", "[table far]\nkind = local\n"),
    "foreign key of a reference table": (
        "CREATE TABLE everywhere (id int PRIMARY KEY, order_id bigint REFERENCES orders)",
        "error: public.orders: foreign key everywhere_order_id_fkey of public.everywhere, which will be a reference table, refers to orders_pkey (stage keyed)",
        "tenant_from", "[table everywhere]\nkind = reference\n"),
    "foreign key to a local table": (
        "CREATE TABLE colours (id int PRIMARY KEY); ALTER TABLE products ADD colour int REFERENCES colours",
        "warning: public.products: foreign key products_colour_fkey refers to public.colours, which will be neither distributed nor a reference"
        " table (stage distributed)", "Give public.colours kind = reference", "[table colours]\nkind = local\n"),
    "on delete set null": (
        "ALTER TABLE line_items ADD CONSTRAINT emptied FOREIGN KEY (order_id) REFERENCES orders ON DELETE SET NULL",
        "warning: public.line_items: foreign key emptied is ON DELETE SET NULL (stage distributed)",
        "ALTER TABLE public.line_items DROP CONSTRAINT emptied"),
    "on update cascade": (
        "ALTER TABLE products DROP CONSTRAINT products_store_id_fkey, ADD CONSTRAINT store FOREIGN KEY (store_id) REFERENCES stores ON UPDATE CASCADE",
        "warning: public.products: foreign key store is ON UPDATE CASCADE (stage distributed)", "make it anew without"),
    "match full": (
        "ALTER TABLE orders ADD number int, ADD UNIQUE (order_id, number); CREATE TABLE pairs (id int PRIMARY KEY, order_id bigint NOT NULL, number int NOT NULL,"
        "CONSTRAINT whole FOREIGN KEY (order_id, number) REFERENCES orders (order_id, number) MATCH FULL)",
        "error: public.pairs: foreign key whole is MATCH FULL (stage keyed)", "without MATCH FULL"),
    "key of an extension's type": (
        "CREATE EXTENSION citext; CREATE TABLE codes (code citext PRIMARY KEY, order_id bigint REFERENCES orders)",
        "error: public.codes: column code, which the backfill goes by, is of type public.citext (stage keyed)", "by hand"),
    "view grouped by a key": (
        "CREATE VIEW totals AS SELECT o.order_id, o.store_id, count(*) FROM orders o JOIN line_items USING (order_id) GROUP BY o.order_id",
        "error: public.orders: view public.totals groups by orders_pkey, and selects what depends on it (stage keyed)", "GROUP BY"),
}

BY_ITSELF = {
    "trigger": (
        FUNCTION + "CREATE TRIGGER touch BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION touch()",
        "warning: public.orders: trigger touch fires on it (stage distributed)", "DROP TRIGGER touch ON public.orders"),
    "trigger on update": (
        FUNCTION + 'CREATE TRIGGER "Touch" BEFORE UPDATE ON line_items FOR EACH ROW EXECUTE FUNCTION touch()',
        'warning: public.line_items: trigger "Touch" fires on UPDATE (stage keyed)', "UPDATE OF"),
    "rule on update": (
        "CREATE RULE never AS ON UPDATE TO line_items DO INSTEAD NOTHING",
        "error: public.line_items: rule never rewrites its UPDATEs (stage keyed)", "DROP RULE never ON public.line_items"),
    "rule": (
        "CREATE RULE never AS ON DELETE TO orders DO INSTEAD NOTHING",
        "warning: public.orders: rule never rewrites its DELETEs (stage distributed)", "DROP RULE never ON public.orders"),
    "publication": (
        "CREATE PUBLICATION feed FOR TABLE orders, products",
        "warning: publication feed: publishes public.orders, public.products (stage distributed)", "change_data_capture"),
    "bound function": (
        "CREATE FUNCTION newest() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT max(order_id) FROM orders; END",
        "warning: public.orders: function public.newest() is bound to it (BEGIN ATOMIC) (stage distributed)", "as a string"),
    "function of the row type": (
        "CREATE FUNCTION first() RETURNS orders LANGUAGE sql AS 'SELECT * FROM orders LIMIT 1'",
        "warning: public.orders: function public.first() has its row type (stage distributed)", "method = blocking"),
    "function that returns the row": (
        "CREATE FUNCTION lines() RETURNS SETOF line_items LANGUAGE sql AS 'SELECT id, order_id, quantity FROM line_items LIMIT 1'",
        "warning: public.line_items: function public.lines() returns its row type", "select the tenant column"),
    "column of another table": (
        "CREATE TABLE archive (id int, was orders[])",
        "warning: public.orders: column was of public.archive has its row type (stage distributed)", "jsonb"),
    "rule of another table": (
        "CREATE TABLE inbox (id int); CREATE RULE pass AS ON INSERT TO inbox DO ALSO INSERT INTO orders VALUES (NEW.id)",
        "warning: public.orders: rule pass of public.inbox names it (stage distributed)", "DROP RULE pass ON public.inbox"),
    "policy of another table": (
        "CREATE TABLE outbox (id int); CREATE POLICY own ON outbox USING (id IN (SELECT order_id FROM orders))",
        "warning: public.orders: policy own of public.outbox names it (stage distributed)", "call a function"),
    "function that writes": (
        "CREATE FUNCTION book(o bigint) RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO line_items (id, order_id) VALUES (1, o); END'",
        "warning: function public.book(bigint): it seems to insert into public.line_items", "shardferry lint --from functions"),
}

ROWS = {
    "foreign key without a value": (
        "UPDATE line_items SET order_id = NULL WHERE id IN (3, 5)",
        "error: public.line_items: 2 rows have no order_id: 3, 5 (stage keyed)", "WHERE order_id IS NULL"),
    "no tenant": (
        "UPDATE orders SET store_id = NULL WHERE order_id = 7",
        "error: public.orders: 1 row has no store_id: 7 (stage keyed)", "delete them"),
    "orphans": (
        "ALTER TABLE line_items DROP CONSTRAINT line_items_order_id_fkey; UPDATE line_items SET order_id = 99 WHERE id = 4;"
        "ALTER TABLE line_items ADD FOREIGN KEY (order_id) REFERENCES orders NOT VALID",
        "error: public.line_items: 1 row has no parent in public.orders (order_id): 4 (stage keyed)", "Give them a parent"),
    "orphans without a foreign key": (
        "CREATE TABLE notes (a int, b int, o bigint, PRIMARY KEY (a, b)); INSERT INTO notes VALUES (1, 1, 1), (1, 2, 31), (2, 1, 32)",
        "error: public.notes: 2 rows have no parent in public.orders (o): (1, 2), (2, 1) (stage keyed)", "Give them a parent",
        "[table notes]\ntenant_from = o -> orders(order_id)\n"),
    "two tenants": (
        "ALTER TABLE line_items ALTER order_id SET NOT NULL, ADD product_id bigint REFERENCES products; UPDATE line_items SET product_id = 1 + (order_id + 2) % 3;"
        "UPDATE line_items SET product_id = 2 WHERE id IN (2, 5)",
        "error: public.line_items: 2 rows have another store_id than their row of public.products: 2, 5 (stage keyed)",
        "drop the foreign key line_items_product_id_fkey"),
    "two tenants, on two levels": (
        "CREATE TABLE notes (id int PRIMARY KEY, line bigint NOT NULL REFERENCES line_items, product bigint REFERENCES products);"
        "INSERT INTO notes VALUES (1, 1, 2), (2, 1, 3)",
        "error: public.notes: 1 row has another store_id than their row of public.line_items: 2 (stage keyed)", "notes_line_fkey"),
    "more than anybody counts": (
        "INSERT INTO line_items (id) SELECT n FROM generate_series(100, 20100) n",
        "error: public.line_items: more than 10000 rows have no order_id: 100, 101, 102, 103, 104 (stage keyed)", "Give them one"),
}


def check(shop, cases):
    """What is found where all of that is wrong at once."""
    shop.configure("".join(sections[0] for _, _, _, *sections in cases if sections) + CONCURRENTLY)
    for schema, *_ in cases:
        shop.execute(schema)
    found = shop.findings()
    assert {line for _, line, *_ in cases} - set(found) == set(), found
    for _, line, remedy, *_ in cases:
        assert remedy in found[line][1], line


@pytest.mark.parametrize("cases", [TABLES, KEYS, BY_ITSELF], ids=["tables", "keys", "by itself"])
def test_findings(shop, cases):
    check(shop, list(cases.values()))


@pytest.mark.parametrize("case", ROWS)
def test_rows(shop, case):
    check(shop, [ROWS[case]])


def test_what_only_matters_to_a_copy_beside_the_writers_is_not_found_without(shop):
    shop.configure(CONCURRENTLY.replace("concurrently", "blocking"))
    shop.execute("ALTER TABLE line_items SET UNLOGGED, ALTER id ADD GENERATED ALWAYS AS IDENTITY; ALTER TABLE products DROP CONSTRAINT products_pkey;"
                 "CREATE RULE never AS ON DELETE TO orders DO INSTEAD NOTHING;"
                 "CREATE FUNCTION first() RETURNS orders LANGUAGE sql BEGIN ATOMIC SELECT * FROM orders LIMIT 1; END")
    assert shop.findings() == {}


def test_a_large_table_that_cannot_be_copied_beside_its_writers(shop):
    shop.configure("", migration="blocking_rows = 5\n")
    shop.execute("ALTER TABLE products DROP CONSTRAINT products_pkey; ANALYZE products")
    assert [line for line in shop.findings() if line.startswith(
        "warning: public.products: its writers would wait while it is distributed: it has neither a primary key nor a replica identity")]


def test_later_stages_only_warn(shop):
    shop.execute("ALTER TABLE line_items DROP CONSTRAINT line_items_pkey")
    assert "warning: public.line_items: it has no primary key (stage keyed)" in shop.findings("--to", "derive")


def test_a_role_of_few_rights(server, shop):
    shop.configure(user="app_trust")
    shop.execute("ALTER TABLE line_items OWNER TO app_trust; ALTER TABLE line_items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                 "GRANT USAGE ON SCHEMA public TO app_trust; GRANT SELECT ON orders, stores TO app_trust")
    found = shop.findings()
    assert set(found) == {
        "error: public.line_items: its row security holds for role app_trust, too (stage keyed)",
        "error: public.orders: it is owned by postgres", "error: public.products: it is owned by postgres", "error: public.stores: it is owned by postgres",
        "error: schema public: this role lacks CREATE on it (stage keyed)",
        "warning: public.line_items: its owner app_trust lacks CREATE on schema public (stage distributed)",
        f"error: database {shop.name}: it does not let this role make the schema shardferry",
        "warning: public.products: whether its rows have store_id could not be seen: looking at rows: permission denied for table products (stage keyed)"}
    assert found["error: public.orders: it is owned by postgres"][1] == "Run it as the owner, or GRANT postgres TO app_trust."
    assert found["error: schema public: this role lacks CREATE on it (stage keyed)"][1] == "GRANT CREATE ON SCHEMA public TO app_trust."


def test_rows_that_cannot_be_seen_are_no_error(shop):
    with shop.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE orders")
        printed = shop.run("--dry-run").stdout
    assert "warning: public.orders: somebody has locked it\n" in printed
    assert "warning: public.orders: whether its rows have store_id could not be seen: looking at rows: canceling statement due to lock timeout (stage" in printed
    assert "error: " not in printed


def test_many_rows_are_looked_at_in_part(shop):
    """A policy that takes its time with each row stands for more rows than a test can have."""
    shop.execute("""
        CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.0012); RETURN true; END';
        CREATE TABLE moves (id bigint PRIMARY KEY, order_id bigint NOT NULL, product_id bigint);
        INSERT INTO moves SELECT n, 1 + n % 30, 1 + (n + (n % 9 = 0)::int) % 3 FROM generate_series(1, 100000) n;
        ALTER TABLE moves ADD FOREIGN KEY (order_id) REFERENCES orders, ADD FOREIGN KEY (product_id) REFERENCES products;
        ANALYZE moves;
        ALTER TABLE moves ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        CREATE POLICY slow ON moves USING (id % 20 <> 0 OR slow());
        GRANT postgres TO app_trust""")
    shop.configure(user="app_trust")
    try:
        start = time.monotonic()
        found = [line for line in shop.findings() if ": public.moves: " in line]
        assert time.monotonic() - start < 20
    finally:
        shop.execute("REVOKE postgres FROM app_trust")
    assert ("note: public.moves: whether its rows are of the same tenant as their row of public.products was looked at in about 5000 of its"
            " rows only (stage keyed)") in found
    assert [line for line in found if re.match(
        r"error: public\.moves: in a sample \d+ rows have another store_id than their row of public\.products: \d+, ", line)], found


# What goes on in the database


def rows_of(shop, name, *params):
    """The rows of a query of preflight itself."""
    with open(os.path.join(ROOT, "migrate", "sql", name + ".sql"), "rb") as file, shop.connect() as conn:
        result = conn.pgconn.exec_params(file.read(), [param.encode() for param in params])
        assert not result.error_message, result.error_message
        return [[result.get_value(row, column).decode() for column in range(7)] for row in range(result.ntuples)]


def test_open_transactions(shop):
    with shop.connect(application_name="report") as reader, shop.connect() as writer:
        pid = f"pid {reader.info.backend_pid}"
        reader.execute("BEGIN; SELECT 1")
        writer.execute("BEGIN; DELETE FROM line_items; PREPARE TRANSACTION 'it''s'")
        try:
            time.sleep(1.2)
            assert rows_of(shop, "preflight_transactions", "60") == []
            found = {row[3]: row for row in rows_of(shop, "preflight_transactions", "1")}
        finally:
            shop.execute("ROLLBACK PREPARED 'it''s'")
    assert set(found) == {pid, "prepared transaction 'it''s'"}
    assert found[pid][:3] == ["warning", "derive", "long-transaction"]
    assert found[pid][4] == "a transaction of postgres (report) has been open for 00:00:01"
    assert f"pg_terminate_backend({pid.split()[1]})" in found[pid][6]
    assert found["prepared transaction 'it''s'"][4] == "postgres prepared it 00:00:01 ago, and it has been neither committed nor rolled back"
    assert "ROLLBACK PREPARED 'it''s'" in found["prepared transaction 'it''s'"][6]


def test_writers_past_the_proxies(shop):
    """Of those who come from a proxy's own host nobody can tell; who may write nothing is none."""
    shop.execute("GRANT USAGE ON SCHEMA public TO app_trust")
    with shop.connect(user="app_trust"), shop.connect() as app:
        lines = [line for line in shop.findings() if line.startswith("warning: proxy: ")]
        assert lines == ["warning: proxy: none is connected to this database, and 1 session may write to its tables"]
        with shop.connect(application_name="shardferry control") as control:
            control.execute("SELECT pg_advisory_lock_shared(1936093304, 1)")
            assert shop.findings() == {}
        with shop.server.connect(shop.name, application_name="app", user="postgres") as second:
            assert second.info.backend_pid != app.info.backend_pid
            lines = [line for line in shop.findings() if line.startswith("warning: proxy: ")]
        assert lines == ["warning: proxy: none is connected to this database, and 2 sessions may write to its tables"]


def test_a_writer_from_another_host(make_server, tmp_path):
    """A proxy here, a client there: their addresses tell them apart. 127.0.0.2 is the other host."""
    server = make_server()
    with open(os.path.join(server.data, "pg_hba.conf"), "a") as hba:
        hba.write("host all postgres 127.0.0.2/32 trust\n")
    shop = PreflightShop(server, tmp_path, server.create_database("far"))
    shop.execute(BASE + "SELECT pg_reload_conf()")
    relay = Relay(server.port, "127.0.0.2")
    relay.start()
    with shop.connect(application_name="shardferry control") as control:
        control.execute("SELECT pg_advisory_lock_shared(1936093304, 1)")
        with psycopg.connect(host="127.0.0.1", port=relay.port, user="postgres", dbname="far", sslmode="disable", application_name="importer"):
            line = "warning: role postgres: 1 session (importer, from 127.0.0.2) does not come through a proxy"
            found = shop.findings()
    assert list(found) == [line]
    assert "trigger = on" in found[line][1]


def test_pg_cron_that_is_not_there(shop):
    shop.configure(migration="driver = pg_cron\n")
    found = [line for line in shop.findings() if "pg_cron" in line]
    assert found in (["error: server: pg_cron is not installed (stage keyed)"],
                     ["error: server: the extension pg_cron is not in this database (stage keyed)"])


def test_jobs_of_pg_cron(shop):
    """A table of pg_cron's shape stands for it."""
    shop.execute("DROP SCHEMA IF EXISTS cron CASCADE; CREATE SCHEMA cron;"
                 "CREATE TABLE cron.job (jobid bigint, schedule text, command text, database text, active boolean, jobname name)")
    try:
        shop.execute("INSERT INTO cron.job VALUES (1, '* * * * *', 'insert INTO public . line_items (id) SELECT 1', %s, true, 'fill'),"
                     "(2, '* * * * *', 'INSERT INTO line_items_2 SELECT 1', %s, true, 'other table'),"
                     "(3, '* * * * *', 'INSERT INTO line_items SELECT 1', %s, false, 'inactive'),"
                     "(4, '* * * * *', 'INSERT INTO line_items SELECT 1', 'elsewhere', true, NULL)", (shop.name,) * 3)
        found = shop.findings()
        assert list(found) == ["warning: pg_cron job 'fill': it writes to public.line_items"]
    finally:
        shop.execute("DROP SCHEMA cron CASCADE")


def test_logical_slots(shop):
    shop.execute("SELECT pg_create_logical_replication_slot('feed', 'pgoutput')")
    try:
        line = "warning: replication slot feed: it decodes changes of this database (plugin pgoutput) (stage distributed)"
        assert list(shop.findings()) == [line]
    finally:
        shop.execute("SELECT pg_drop_replication_slot('feed')")


def test_functions_are_looked_at_by_their_text(shop):
    shop.execute("""
        CREATE FUNCTION reads() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM line_items';
        CREATE FUNCTION other() RETURNS void LANGUAGE sql AS 'DELETE FROM line_items; INSERT INTO orders DEFAULT VALUES';
        CREATE TABLE line_items_2 (id int);
        CREATE FUNCTION second() RETURNS void LANGUAGE sql AS 'INSERT INTO line_items_2 VALUES (1)';
        CREATE FUNCTION quoted() RETURNS void LANGUAGE plpgsql AS 'BEGIN insert  into "public"."line_items"(id) VALUES (1); END' """)
    assert list(shop.findings()) == ["warning: function public.quoted(): it seems to insert into public.line_items"]


def test_disk_space(server, shop):
    """What is free is known of a server on this host; one whose directory cannot be looked at is believed to have room."""
    shop.execute("INSERT INTO line_items SELECT n, 1 FROM generate_series(1000, 30000) n; ANALYZE line_items")
    rows = shop.execute("SELECT pg_relation_size('line_items') + pg_indexes_size('line_items') + 2 * pg_relation_size('line_items_pkey')"
                        " + 2 * pg_relation_size('orders_pkey') + 2 * pg_relation_size('products_pkey')")
    with open(os.path.join(ROOT, "migrate", "sql", "preflight_disk.sql"), "rb") as file, shop.connect() as conn:
        oids = [str(row[0]) for row in conn.execute("SELECT unnest('{line_items,orders,products}'::regclass[])::oid")]
        result = conn.pgconn.exec_params(file.read(), [text.encode() for text in (
            "{" + ",".join(oids) + "}", "{backfill,distributed,distributed}", "{store_id,store_id,store_id}", "{f,f,f}")])
        assert not result.error_message, result.error_message
        assert (result.get_value(0, 0), int(result.get_value(0, 1)), result.get_value(0, 3)) == (b"pg_default", rows[0][0], b"t")
        assert result.get_value(0, 2).decode() == server.data


# With Citus


@pytest.fixture(scope="module")
def lone_coordinator():
    """A server of its own with Citus and settings that do not do."""
    if not citus.is_offered():
        pytest.skip(citus.NOT_OFFERED)
    made = PostgresServer(settings={"max_replication_slots": "1", "max_wal_senders": "1", "citus.shard_replication_factor": "2",
                                    "wal_level": "replica", "max_prepared_transactions": "5"}, preload="citus")
    yield made
    made.remove()


def test_a_coordinator_alone(lone_coordinator, tmp_path):
    shop = PreflightShop(lone_coordinator, tmp_path, lone_coordinator.create_database("alone"))
    shop.execute("CREATE EXTENSION citus;" + BASE)
    shop.configure(CONCURRENTLY)
    expected = {
        "error: server: wal_level is replica (stage distributed)": "wal_level = logical",
        "error: server: max_replication_slots is 1, and 0 are in use (stage distributed)": "max_replication_slots",
        "error: server: max_wal_senders is 1, and 0 are in use (stage distributed)": "max_wal_senders",
        "error: server: citus.shard_replication_factor is more than 1 (stage distributed)": "Set it to 1",
        "error: cluster: it has no worker that may hold shards (stage distributed)": "citus_add_node",
        "error: cluster: the coordinator is not among its nodes (stage distributed)": "citus_set_coordinator_host",
    }
    found = shop.findings()
    assert {line for line in found if line.startswith("error: ")} - {PLUGINS} == set(expected)
    expected["warning: server: max_prepared_transactions is 5, and max_connections 150 (stage distributed)"] = "every node"
    for line, remedy in expected.items():
        assert remedy in found[line][1]
    shop.configure(CONCURRENTLY, migration="workers = 127.0.0.1:1\ncoordinator_host = 127.0.0.1:2\n")
    assert "cluster: it has no worker" not in str(shop.findings()) and "cluster: the coordinator" not in str(shop.findings())
    shop.configure("")
    assert "wal_level" not in str(shop.findings())


PLUGINS = "error: server: output_plugin_libraries is pgoutput, test_decoding, without citus (stage distributed)"


@pytest.fixture
def citus_shop(cluster, tmp_path):
    made = PreflightShop(cluster.coordinator, tmp_path, cluster.create_database("found"))
    made.execute(BASE)
    made.configure(CONCURRENTLY)
    yield made
    cluster.drop_database(made.name)


def test_a_cluster_and_what_it_refuses(cluster, citus_shop):
    assert citus_shop.findings() == {}
    cases = [case for name, case in TABLES.items() if name in ("row security", "parent of another table", "replica identity nothing", "unlogged")]
    cases += [case for name, case in KEYS.items() if name in ("exclusion", "on delete set null", "foreign key of a local table to the tenant's")]
    cases += [case for name, case in BY_ITSELF.items() if name in ("trigger", "bound function", "column of another table")]
    citus_shop.configure(CONCURRENTLY + "".join(case[3] for case in cases if len(case) > 3))
    for schema, *_ in cases:
        citus_shop.execute(schema)
    found = citus_shop.findings()
    assert {line.replace("warning: ", "error: ") for _, line, *_ in cases} <= set(found)
    assert not any(line.startswith("error: ") for line in citus_shop.findings("--to", "resolve"))


def test_nodes_that_read_dates_differently(cluster, citus_shop):
    cluster.nodes[1].execute(f"ALTER DATABASE {citus_shop.name} SET DateStyle = 'ISO, DMY'", None, "postgres")
    found = citus_shop.findings()
    assert "ALTER DATABASE" in found["warning: cluster: DateStyle, IntervalStyle are not the same on all nodes: "
                                     "ISO, DMY, postgres and ISO, MDY, postgres (stage distributed)"][-1]


def test_a_node_that_is_made_otherwise(cluster, citus_shop):
    worker, name = cluster.nodes[1], citus_shop.name
    worker.drop_database(name)
    worker.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", None, "postgres")
    worker.execute("CREATE EXTENSION citus", None, name)
    citus_shop.execute("CREATE EXTENSION hstore; SET allow_system_table_mods = on;"
                       " UPDATE pg_extension SET extname = 'from_elsewhere' WHERE extname = 'hstore'")
    ours = citus_shop.execute("SELECT concat_ws(', ', datcollate, datctype) FROM pg_database WHERE datname = current_database()")[0][0]
    node = f"node 127.0.0.1:{worker.port}"
    found = citus_shop.findings()
    assert f"error: {node}: its database is in LATIN1, the coordinator's in UTF8 (stage distributed)" in found
    if ours != "C, C":
        assert f"warning: {node}: its database has the collation C, C, the coordinator's {ours} (stage distributed)" in found
    assert f"warning: {node}: it does not offer the extension from_elsewhere (stage distributed)" in found


def test_a_node_that_cannot_subscribe(cluster, citus_shop):
    """Citus waits for such a node without a word and without an end."""
    worker = cluster.nodes[1]
    settings = ("max_logical_replication_workers", "max_replication_slots")
    try:
        for setting in settings:
            worker.execute(f"ALTER SYSTEM SET {setting} = 0", None, "postgres")
        worker.restart()
        found = citus_shop.findings()
        for setting in settings:
            line = f"error: node 127.0.0.1:{worker.port}: its {setting} is 0 (stage distributed)"
            assert f"ALTER SYSTEM SET {setting} to 10" in found[line][1]
    finally:
        for setting in settings:
            worker.execute(f"ALTER SYSTEM RESET {setting}", None, "postgres")
        worker.restart()
    assert citus_shop.findings() == {}


def test_a_node_that_cannot_be_reached(cluster, citus_shop):
    worker = cluster.nodes[1].port
    citus_shop.execute("SELECT citus_disable_node('127.0.0.1', %s, true)", (worker,))
    assert f"error: node 127.0.0.1:{worker}: it is not active (stage distributed)" in citus_shop.findings()
    citus_shop.execute("SELECT citus_activate_node('127.0.0.1', %s)", (worker,))
    citus_shop.execute("UPDATE pg_dist_node SET nodeport = 1 WHERE nodeport = %s", (worker,))
    line = f"error: node 127.0.0.1:1: 127.0.0.1:{cluster.coordinator.port} cannot connect to it (stage distributed)"
    found = citus_shop.findings()
    assert line in found and "pg_hba.conf" in found[line][1]


def test_plugins(cluster, citus_shop):
    known = citus_shop.execute("SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'")
    if not known:
        pytest.skip("this release decodes with any plugin")

    def lines(value):
        citus_shop.execute(f"ALTER SYSTEM SET output_plugin_libraries = {value}")
        citus_shop.execute("SELECT pg_reload_conf()")
        process.wait_until(lambda: citus_shop.execute("SHOW output_plugin_libraries")[0][0].replace('"', "").endswith(value.strip("'").split(", ")[-1]), 10,
                           "the setting")
        found = citus_shop.findings()
        assert all("SET output_plugin_libraries = pgoutput, " in below[1] and "citus, each a word" in below[1]
                   for line, below in found.items() if "output_plugin_libraries" in line)
        return [line for line in found if "output_plugin_libraries" in line]

    try:
        assert lines("pgoutput, test_decoding") == [PLUGINS]
        assert lines("'pgoutput, citus'") == ['error: server: output_plugin_libraries is "pgoutput, citus", without citus (stage distributed)']
        assert lines("pgoutput, citus") == []
    finally:
        citus_shop.execute("ALTER SYSTEM RESET output_plugin_libraries")
        cluster._allow_plugin(cluster.coordinator)


def test_what_is_distributed_is_found_no_more(citus_shop):
    citus_shop.configure("")
    result = citus_shop.run("--yes")
    assert result.returncode == 0, result.stdout + result.stderr
    assert citus_shop.findings() == {}
