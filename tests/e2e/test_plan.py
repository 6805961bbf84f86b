"""shardferry plan: what it says of tables, paths, steps, findings and tenants; that it changes nothing; that its script, run by
psql alone, arrives where migrate does; and what it suggests where no tenant table is configured."""

import json
import random
import re
import subprocess

import psycopg
import pytest

from harness import tailspin
from harness.postgres import program
from harness.proxy import Proxy, binary, run_command
from test_migrate import Shop

IMPORTERS = """
CREATE TABLE device_types (device_type_id bigint PRIMARY KEY, name text);
CREATE TABLE devices (device_id bigint PRIMARY KEY, device_type_id bigint NOT NULL REFERENCES device_types, name text);
CREATE TABLE events (event_id bigserial PRIMARY KEY, device_id bigint NOT NULL REFERENCES devices, payload jsonb);
INSERT INTO device_types SELECT n, 'type ' || n FROM generate_series(1, 5) n;
INSERT INTO devices SELECT n, 1 + n % 5, 'device ' || n FROM generate_series(1, 200) n;
INSERT INTO events (device_id, payload) SELECT 1 + n % 200, '{}' FROM generate_series(1, 2000) n;
"""

# Names that have to be quoted, keys of two columns and of type uuid, keys of all kinds.
ODD = '''
CREATE SCHEMA "Odd 'one'";
CREATE TABLE "Odd 'one'"."The ""Shops""" ("Shop Id" uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text UNIQUE);
CREATE TABLE "Odd 'one'"."Or""ders" ("Shop" uuid NOT NULL REFERENCES "Odd 'one'"."The ""Shops""", region varchar(10), no int,
    note text, PRIMARY KEY (region, no), UNIQUE (note) DEFERRABLE);
CREATE TABLE "Odd 'one'"."Line.Items" (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), r varchar(10) NOT NULL, n int NOT NULL,
    "from" text, FOREIGN KEY (r, n) REFERENCES "Odd 'one'"."Or""ders" (region, no) ON DELETE CASCADE);
CREATE UNIQUE INDEX "odd'ix" ON "Odd 'one'"."Line.Items" (lower("from")) WHERE "from" IS NOT NULL;
CREATE TABLE sub_items (id serial PRIMARY KEY, item uuid NOT NULL REFERENCES "Odd 'one'"."Line.Items" ON DELETE CASCADE DEFERRABLE,
    previous int REFERENCES sub_items);
INSERT INTO "Odd 'one'"."The ""Shops""" (name) SELECT 'shop ' || n FROM generate_series(1, 10) n;
INSERT INTO "Odd 'one'"."Or""ders"
    SELECT "Shop Id", 'r' || g % 3, row_number() OVER (), 'n' || row_number() OVER () FROM "Odd 'one'"."The ""Shops""",
           generate_series(1, 30) g;
INSERT INTO "Odd 'one'"."Line.Items" (r, n, "from") SELECT region, no, 'f' || no FROM "Odd 'one'"."Or""ders";
INSERT INTO sub_items (item) SELECT id FROM "Odd 'one'"."Line.Items", generate_series(1, 3);
'''

# Without Citus's own copies of a table on the coordinator.
APPLICATION = r"n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'shardferry') AND %s !~ '_10\d{4}$'"
SCHEMA_STATE = [
    f"""SELECT c.conrelid::regclass::text, c.conname, c.contype::text, pg_get_constraintdef(c.oid), c.convalidated
        FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE {APPLICATION % "c.conrelid::regclass::text"} ORDER BY 1, 2""",
    f"""SELECT n.nspname::text, tablename::text, indexname::text, indexdef FROM pg_indexes
        JOIN pg_namespace n ON n.nspname = schemaname WHERE {APPLICATION % "tablename"} ORDER BY 1, 2, 3""",
    f"""SELECT c.oid::regclass::text, attnum, attname::text, format_type(atttypid, atttypmod), attnotnull, attisdropped
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE {APPLICATION % "relname"} AND relkind = 'r' AND attnum > 0 ORDER BY 1, 2""",
    "SELECT table_schema, table_name, stage, kind, tenant_column FROM shardferry.stage ORDER BY 1, 2",
    "SELECT epoch FROM shardferry.epoch",
]

class PlanShop(Shop):
    def plan(self, *args, status=0):
        result = self.run_plan(*args)
        assert result.returncode == status, result.stdout + result.stderr
        return result.stdout

    def run_plan(self, *args):
        return run_command("plan", "-c", str(self.config), *args)

    def json(self, *args, status=0):
        return json.loads(self.plan("--json", *args, status=status))

    def table(self, name):
        return {table["table"]: table for table in self.json()["tables"]}[name]

    def without_tenant(self, more=""):
        self.config.write_text(f"[control]\nconninfo = host=127.0.0.1 port={self.server.port} dbname={self.name} user=postgres"
                               f" sslmode=disable\n{more}")

    def psql(self, script):
        return subprocess.run([program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.server.port),
                               "-U", "postgres", "-f", "-", self.name], input=script, capture_output=True, timeout=120,
                              text=isinstance(script, str))

    def dump(self):
        lines = subprocess.run([program("pg_dump"), "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres", self.name],
                               check=True, capture_output=True, text=True).stdout.splitlines()
        return [line for line in lines if "restrict " not in line]

    def schema(self, *more):
        return [self.execute(sql) for sql in [*SCHEMA_STATE, *more]]


@pytest.fixture
def make_shop(server, tmp_path):
    made = []

    def make(*scripts, **options):
        directory = tmp_path / str(len(made))
        directory.mkdir()
        shop = PlanShop(server, directory, server.create_database())
        made.append(shop)
        for script in scripts:
            shop.execute(script)
        shop.configure(**options)
        return shop

    yield make
    for shop in made:
        server.drop_database(shop.name)


@pytest.fixture
def shop(make_shop):
    return make_shop(tailspin.SCHEMA, tailspin.DATA)


IMPORTERS_TENANT = {"tables": "", "tenant": "devices", "column": "device_id"}
ODD_TENANT = {"tables": "", "tenant": "\"Odd 'one'\".\"The \"\"Shops\"\"\"", "column": '"Shop"'}


# What it says


def test_says_all_there_is_to_say_and_changes_nothing(shop):
    before = shop.dump()
    text = shop.plan()
    for part in ["Tables", "tenant: public.stores, store_id bigint", "Paths to the tenant", "order_id -> public.orders(order_id)",
                 "(may be NULL, 1 step, agrees)", "Findings", "Steps to stage", "add column store_id to public.line_items",
                 "ACCESS EXCLUSIVE", "ALTER TABLE public.line_items ADD COLUMN store_id bigint", "undo:", "takes: a moment",
                 "Largest tenants", "Citus"]:
        assert part in text, part
    assert "\033[" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    shop.json()
    shop.plan("--sql")
    assert shop.dump() == before
    assert not shop.has_schema()


def test_json_has_the_keys_that_are_promised(shop):
    plan = shop.json()
    assert set(plan) == {"database", "server_version", "citus", "to", "tenant", "tables", "findings", "steps", "pending", "seconds",
                         "tenants", "errors"}
    assert plan["tenant"] == {"table": "public.stores", "column": "store_id", "type": "bigint"}
    assert plan["database"] == shop.name
    tables = {table["name"]: table for table in plan["tables"]}
    assert {name: (table["kind"], table["confidence"]) for name, table in tables.items()} == {
        "stores": ("distributed", "configured"), "products": ("distributed", "certain"),
        "orders": ("distributed", "certain"), "line_items": ("backfill", "configured")}
    line_items = tables["line_items"]
    assert set(line_items) == {"table", "schema", "name", "kind", "confidence", "why", "doubt", "rows", "bytes", "writes_per_second",
                               "stage", "citus", "tenant_column", "tenant_type", "method", "paths", "compared", "not_compared"}
    assert (line_items["tenant_type"], line_items["stage"]) == ("bigint", "observe")
    assert line_items["bytes"] > 8192 and line_items["method"]["name"] == "blocking" and line_items["method"]["why"]
    assert [(path["path"], path["chosen"], path["nullable"], path["disagree"]) for path in line_items["paths"]] == [
        ("order_id -> public.orders(order_id)", True, True, None),
        ("product_id -> public.products(product_id)", False, True, 0)]
    assert line_items["compared"] == {"rows": 400, "sampled": False, "without_tenant": 0}
    assert [step["number"] for step in plan["steps"]] == list(range(1, len(plan["steps"]) + 1))
    for step in plan["steps"]:
        assert set(step) == {"number", "step", "table", "to", "what", "why", "sql", "undo", "lock", "rows", "seconds", "waits",
                             "needs_citus", "done"}
        assert step["why"], step
        assert step["done"] or step["waits"] or step["sql"], step
    assert plan["pending"] == sum(not step["done"] for step in plan["steps"])
    column = next(step for step in plan["steps"] if step["step"] == "column")
    assert column["table"] == "public.line_items" and "ACCESS EXCLUSIVE" in column["lock"] and "DROP COLUMN" in column["undo"]


def test_what_is_done_is_said(shop):
    assert shop.run("--to", "derive", "--yes").returncode == 0
    steps = {(step["step"], step["table"]): step for step in shop.json()["steps"]}
    assert steps["column", "public.line_items"]["done"] and steps["schema", None]["done"]
    assert not steps["backfill", "public.line_items"]["done"]
    assert "add column store_id to public.line_items: done already" in shop.plan()
    assert shop.table("public.line_items")["stage"] == "derive"
    assert "Nothing to do." in shop.plan("--to", "derive")


def test_nothing_is_done_before_the_column_is_there(shop):
    """What depends on a column that is still to come is still to be done."""
    done = {step["step"] for step in shop.json()["steps"] if step["table"] == "public.line_items" and step["done"]}
    assert done.isdisjoint({"column", "backfill", "verify", "not null", "index", "foreign key", "swap"})


@pytest.mark.parametrize("table, kind, confidence, says", [
    ("CREATE TABLE notes (id int PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders)", "backfill", "likely",
     "it leads to the tenant: order_id -> public.orders(order_id), "),
    ("CREATE TABLE notes (id int PRIMARY KEY, store_id bigint)", "distributed", "likely", "No foreign key says that its store_id"),
    ("CREATE TABLE notes (id int PRIMARY KEY, order_id bigint)", "local", "guess", "tenant_from = order_id -> public.orders"),
    ("CREATE TABLE notes (id int PRIMARY KEY); ALTER TABLE orders ADD note int REFERENCES notes", "reference", "likely",
     "these refer to it: public.orders"),
    ("CREATE TABLE notes (id int PRIMARY KEY); ALTER TABLE orders ADD note int REFERENCES notes;"
     "INSERT INTO notes SELECT generate_series(1, 10); ANALYZE notes;"
     "UPDATE pg_class SET reltuples = 5e6 WHERE relname = 'notes'", "reference", "guess", "5000000 rows, each of which would be on"),
])
def test_kinds_and_how_sure_they_are(shop, table, kind, confidence, says):
    shop.execute(table)
    row = {table["name"]: table for table in json.loads(shop.run_plan("--json").stdout)["tables"]}["notes"]
    assert (row["kind"], row["confidence"]) == (kind, confidence)
    text = row["why"] + ", " + (row["doubt"] or "")
    assert says in text, text


def test_paths_that_disagree_are_counted(shop):
    shop.execute("UPDATE line_items SET product_id = 1 + product_id % 100 WHERE line_item_id <= 30;"
                 "UPDATE line_items SET order_id = NULL WHERE line_item_id = 100")
    result = shop.run_plan("--json")
    row = {table["name"]: table for table in json.loads(result.stdout)["tables"]}["line_items"]
    assert row["paths"][1]["disagree"] == 30
    assert row["compared"] == {"rows": 400, "sampled": False, "without_tenant": 1}
    assert "another tenant in 30 rows" in shop.run_plan().stdout


def test_the_shortest_path_that_is_not_null_is_taken(make_shop):
    shop = make_shop("""
        CREATE TABLE stores (store_id int PRIMARY KEY);
        CREATE TABLE a (id int PRIMARY KEY, store_id int NOT NULL REFERENCES stores);
        CREATE TABLE b (id int PRIMARY KEY, a int NOT NULL REFERENCES a);
        CREATE TABLE c (id int PRIMARY KEY, a int REFERENCES a, b int NOT NULL REFERENCES b)""", tables="")
    paths = shop.table("public.c")["paths"]
    assert [(path["path"], path["nullable"], path["chosen"]) for path in paths] == [
        ("b -> public.b(id), a -> public.a(id)", False, True), ("a -> public.a(id)", True, False)]


def test_large_tables_are_sampled_and_take_their_time(shop):
    shop.execute("SET session_replication_role = replica; INSERT INTO line_items (product_id, order_id)"
                 " SELECT 1 + n % 100, 1 + n % 200 FROM generate_series(1, 250000) n; ANALYZE line_items")
    plan = shop.json()
    row = {table["name"]: table for table in plan["tables"]}["line_items"]
    assert 249000 <= row["rows"] <= 252000
    assert row["compared"]["sampled"] and 50000 < row["compared"]["rows"] < 200000
    assert row["compared"]["without_tenant"] == 0 and row["paths"][1]["disagree"] == 0
    assert plan["tenants"]["sampled"] and 200000 < plan["tenants"]["rows"] < 300000
    steps = {(step["step"], step["table"]): step for step in plan["steps"]}
    backfill = steps["backfill", "public.line_items"]
    assert backfill["rows"] == row["rows"]
    assert 0.5 < backfill["seconds"]["low"] < backfill["seconds"]["high"] < 120
    assert steps["index", "public.orders"]["seconds"] == {"low": 0, "high": 0}
    assert plan["seconds"]["low"] >= backfill["seconds"]["low"]


def test_tenants_and_skew(shop):
    shop.execute("INSERT INTO orders (store_id) SELECT 7 FROM generate_series(1, 2000)")
    tenants = shop.json()["tenants"]
    assert tenants["tenants"] == 20 and tenants["rows"] == 2720 and tenants["median"] == 36
    assert tenants["largest"][0] == {"tenant": "7", "rows": 2036}
    assert tenants["shards"]["count"] == 32 and tenants["shards"]["empty"] >= 12
    assert 2036 <= tenants["shards"]["largest_rows"] < 2200
    assert "2,036 rows  74.85 %" in shop.plan()


@pytest.mark.parametrize("key, value", [("uuid", "md5(n::text)::uuid"), ("text", "'t' || n"), ("varchar(9)", "'t' || n"),
                                        ("numeric(9,2)", "n"), ("own", "n")])
def test_skew_for_other_types_of_keys(make_shop, key, value):
    shop = make_shop(f"""
        CREATE DOMAIN own AS int;
        CREATE TABLE stores (id {key} PRIMARY KEY);
        CREATE TABLE orders (id int PRIMARY KEY, store_id {key} NOT NULL REFERENCES stores);
        INSERT INTO stores SELECT {value} FROM generate_series(1, 100) n;
        INSERT INTO orders SELECT n, {value.replace('n', '(1 + n % 100)', 1) if value == 'n' else value.replace('n', '(1 + n % 100)')}
            FROM generate_series(1, 1000) n""", tables="")
    tenants = shop.json()["tenants"]
    assert (tenants["tenants"], tenants["rows"], tenants["median"]) == (100, 1100, 11)
    assert tenants["shards"]["count"] == 32


# Findings and exit codes


def test_an_error_among_the_findings_is_exit_status_1(shop):
    shop.execute("ALTER TABLE products ALTER store_id TYPE int")
    result = shop.run_plan()
    assert result.returncode == 1
    assert "error" in result.stdout and "public.products" in result.stdout
    plan = shop.json(status=1)
    assert plan["errors"] > 0
    finding = plan["findings"][0]
    assert set(finding) == {"severity", "code", "object", "what", "why", "remedy", "from"} and finding["severity"] == "error"
    script = shop.plan("--sql", status=1)
    assert all(line.startswith("--") for line in script.splitlines()), script


def test_a_table_without_a_way_to_the_tenant_is_planned_around(shop):
    shop.execute("CREATE TABLE notes (id int PRIMARY KEY)")
    shop.configure(tables=tailspin.TABLES + "[table notes]\nkind = backfill\n")
    plan = shop.json(status=1)
    assert any(finding["object"] == "public.notes" for finding in plan["findings"])


@pytest.mark.parametrize("args, says", [
    ((), "-c FILE is missing"),
    (("-c", "/nowhere/x.ini"), "/nowhere/x.ini"),
    (("-c", "-", "--sql", "--json"), "exclude each other"),
    (("-c", "-", "--to", "moon"), "no stage"),
    (("-c", "-", "--to", "observe"), "--to observe"),
    (("-c", "-", "more"), "unexpected argument"),
])
def test_wrong_usage_is_exit_status_2(args, says):
    result = run_command("plan", *args, input="")
    assert result.returncode == 2 and says in result.stderr, result.stderr


def test_a_missing_tenant_table_is_exit_status_2(shop):
    shop.configure(tenant="shops", tables="")
    result = shop.run_plan()
    assert result.returncode == 2 and "there is no table shops" in result.stderr
    shop.without_tenant()
    result = shop.run_plan("--sql")
    assert result.returncode == 2 and "[tenant] table is missing" in result.stderr and result.stdout == ""


# The script


def compare(shops, *more):
    """The first one is migrated, the second one gets the script that was written for it beforehand."""
    migrated, scripted = shops
    script = scripted.plan("--sql")
    done = migrated.run("--to", migrated.json()["to"], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    run = scripted.psql(script)
    assert run.returncode == 0, run.stderr
    assert scripted.schema(*more) == migrated.schema(*more)
    assert scripted.execute("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []
    # And nothing is left for the runner to do but to look once more, and to clean up behind Citus.
    again = scripted.run("--to", scripted.json()["to"], "--yes")
    done = [line for line in again.stdout.splitlines() if re.search(r"(?<!found )done \(", line)]
    assert again.returncode == 0 and all(line.startswith(("clean up", "verify")) for line in done), again.stdout


@pytest.mark.parametrize("scripts, options", [
    ((tailspin.SCHEMA, tailspin.DATA), {}), ((IMPORTERS,), IMPORTERS_TENANT), ((ODD,), ODD_TENANT)],
    ids=["tailspin", "importers", "odd"])
def test_psql_alone_arrives_at_the_same_schema(make_shop, scripts, options):
    shops = make_shop(*scripts, **options), make_shop(*scripts, **options)
    compare(shops)
    wrong = shops[1].execute(tailspin.WRONG_ROWS) if not options else []
    assert wrong == []


@pytest.mark.parametrize("stage", ["derive", "keyed"])
def test_the_script_goes_on_from_any_stage(make_shop, stage):
    shops = [make_shop(tailspin.SCHEMA, tailspin.DATA) for _ in range(2)]
    assert shops[1].run("--to", stage, "--yes").returncode == 0
    compare(shops)


def test_the_script_up_to_a_stage(shop):
    assert shop.psql(shop.plan("--sql", "--to", "derive")).returncode == 0
    assert shop.stages() == {"line_items": "derive"}
    assert "stage keyed" not in shop.plan("--sql", "--to", "derive")


def test_the_script_waits_for_proxies_and_for_the_runner(server, make_shop, authority):
    shop = make_shop(tailspin.SCHEMA, tailspin.DATA)
    script = shop.plan("--sql", "--to", "derive")
    with shop.connect() as conn:
        conn.execute("SELECT pg_advisory_lock(8316003855878219122)")
        stopped = shop.psql(script)
    assert stopped.returncode == 3 and "another migration" in stopped.stderr
    assert not shop.has_schema()
    proxy = Proxy(server, shop.name, None, authority, tailspin.TABLES)
    try:
        proxy.wait_for_catalog("line_items")
        assert shop.psql(script).returncode == 0
        # It works by it when the script is over, not some time later.
        epochs = shop.execute("SELECT p.epoch, e.epoch FROM shardferry.proxy p, shardferry.epoch e")
        assert len(epochs) == 1 and epochs[0][0] == epochs[0][1]
        with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as client:
            client.execute("INSERT INTO line_items (order_id, quantity) VALUES (4, 1)")
        assert shop.execute("SELECT store_id FROM line_items ORDER BY line_item_id DESC LIMIT 1") == [(5,)]
    finally:
        proxy.close()


def test_without_citus_the_rest_is_in_comments(shop):
    if shop.json()["citus"]["offered"]:
        pytest.skip("Citus is offered by this server")
    script = shop.plan("--sql")
    lines = [line for line in script.splitlines() if "create_distributed_table" in line]
    assert lines and all(line.startswith("--") for line in lines)


def test_names_cannot_leave_a_comment(make_shop):
    shop = make_shop("CREATE TABLE stores (store_id int PRIMARY KEY)", tables="")
    shop.execute('CREATE TABLE "x\nDROP TABLE stores; --" (id int PRIMARY KEY, store_id int NOT NULL REFERENCES stores)')
    shop.execute('CREATE TABLE "y\rDROP TABLE stores; --" (id int PRIMARY KEY, store_id int NOT NULL REFERENCES stores)')
    plans = [subprocess.run([binary(), "plan", "-c", str(shop.config), *args], check=True, capture_output=True).stdout
             for args in [(), ("--sql",)]]
    assert b"\r" not in plans[0] and b"\\x0dDROP" in plans[0]
    run = shop.psql(plans[1])
    assert run.returncode == 0, run.stderr
    assert shop.execute("SELECT to_regclass('stores') IS NOT NULL")[0][0]


# Suggestions


def test_a_tenant_table_is_suggested(make_shop):
    shop = make_shop(tailspin.SCHEMA, tailspin.DATA,
                     "INSERT INTO stores (name) SELECT n FROM generate_series(21, 200) n; ANALYZE")
    shop.without_tenant()
    text = shop.plan(status=1)
    assert "table       = public.stores\ncolumn      = store_id\n" in text
    assert f"coordinator = host=127.0.0.1 port={shop.server.port}" in text
    plan = shop.json(status=1)
    assert set(plan) == {"database", "server_version", "suggestions", "settings", "traffic_source"}
    assert [row["table"] for row in plan["suggestions"]][0] == "public.stores"
    assert plan["suggestions"][0]["tables"] == 4 and plan["suggestions"][0]["column"] == "store_id"
    # What it says to write can be written.
    shop.without_tenant(plan["settings"])
    shop.plan()


def test_a_lookup_table_is_no_tenant_table(make_shop):
    shop = make_shop(IMPORTERS, "ANALYZE")
    shop.without_tenant()
    assert [(row["table"], row["column"]) for row in shop.json(status=1)["suggestions"]] == [
        ("public.devices", "device_id"), ("public.device_types", "device_type_id")]
    assert "It has only 5 rows" in shop.plan(status=1)


def test_a_database_without_foreign_keys_gets_no_suggestion(make_shop):
    shop = make_shop("CREATE TABLE alone (id int PRIMARY KEY)")
    shop.without_tenant()
    assert "none can be suggested" in shop.plan(status=1)
    assert shop.json(status=1)["suggestions"] == []


TWO_ABOVE = """
CREATE TABLE regions (region_id int PRIMARY KEY); CREATE TABLE sellers (seller_id int PRIMARY KEY);
CREATE TABLE sales (id int PRIMARY KEY, region_id int NOT NULL REFERENCES regions, seller_id int NOT NULL REFERENCES sellers);
CREATE TABLE parts (id int PRIMARY KEY, sale int NOT NULL REFERENCES sales);
INSERT INTO regions SELECT generate_series(1, 100); INSERT INTO sellers SELECT generate_series(1, 100);
INSERT INTO sales SELECT n, 1 + n % 100, 1 + n % 100 FROM generate_series(1, 1000) n; ANALYZE
"""


@pytest.mark.parametrize("column, table", [("region_id", "public.regions"), ("seller_id", "public.sellers")])
def test_traffic_decides_between_two(server, make_shop, authority, column, table):
    shop = make_shop(TWO_ABOVE)
    proxy = Proxy(server, shop.name, {"tenant.table": None, "tenant.column": None}, authority)
    try:
        with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as client:
            for n in range(20):
                client.execute(f"SELECT count(*) FROM sales s JOIN parts p ON p.sale = s.id WHERE s.{column} = %s", (n,))
                client.execute(f"SELECT * FROM sales WHERE {column} IN (1, %s)", (n,))
            client.execute("SELECT * FROM parts WHERE id = 4")
        plan = json.loads(run_command("plan", "-c", proxy.config, "--json").stdout)
    finally:
        proxy.close()
    assert plan["traffic_source"] == "the audit of the proxy"
    assert plan["suggestions"][0]["table"] == table and plan["suggestions"][0]["traffic"] > 0.9
    assert plan["suggestions"][1]["traffic"] == 0


# With Citus


@pytest.mark.limit(180)
@pytest.mark.parametrize("scripts, options", [
    ((tailspin.SCHEMA, tailspin.DATA), {}),
    ((IMPORTERS,), {**IMPORTERS_TENANT, "tables": "[table events]\nmethod = concurrently\n"})], ids=["tailspin", "importers"])
def test_psql_alone_arrives_at_the_same_cluster(cluster, tmp_path, scripts, options):
    shops = []
    try:
        for n in range(2):
            directory = tmp_path / str(n)
            directory.mkdir()
            name = cluster.create_database(f"plan_{random.randrange(1 << 30)}")
            shops.append(PlanShop(cluster.coordinator, directory, name))
            for script in scripts:
                shops[-1].execute(script)
            shops[-1].configure(**options)
        compare(shops, "SELECT logicalrelid::text, partmethod::text, column_to_column_name(logicalrelid, partkey),"
                       " dense_rank() OVER (ORDER BY colocationid) FROM pg_dist_partition ORDER BY 1")
        assert {row["citus"] for row in shops[0].json()["tables"]} <= {"distributed", "reference"}
    finally:
        for shop in shops:
            cluster.drop_database(shop.name)
