"""Two schemas, migrated by shardferry and by an engineer with SQL of his own: both end the same, but for names."""

import os

import pytest

from harness import by_hand
from harness.leftovers import leftovers
from harness.proxy import ROOT
from test_migrate import Shop

TAILSPIN = ("stores", "products", "orders", "line_items")
IMPORTERS = ("device_types", "devices", "events")

TAILSPIN_ROWS = """
INSERT INTO stores (name) SELECT 'store ' || n FROM generate_series(1, 20) n;
INSERT INTO products (store_id, name, price) SELECT 1 + n % 20, 'product ' || n, n FROM generate_series(1, 100) n;
INSERT INTO orders (store_id, status) SELECT 1 + n % 20, 'Pending' FROM generate_series(1, 200) n;
INSERT INTO line_items (product_id, order_id, quantity, line_amount)
SELECT 1 + n % 100, 1 + n % 200, 1, 1 FROM generate_series(1, 400) n;
"""
IMPORTERS_ROWS = """
INSERT INTO device_types SELECT n, 'type ' || n FROM generate_series(1, 5) n;
INSERT INTO devices (device_type_id, name) SELECT 1 + n % 5, 'device ' || n FROM generate_series(1, 50) n;
INSERT INTO events (device_id, payload) SELECT 1 + n % 50, '{"celsius": 3}' FROM generate_series(1, 500) n;
"""

# name: tables, rows, the tenant, what is configured, and what is done by hand
SCHEMAS = {
    "tailspin": (TAILSPIN, TAILSPIN_ROWS, ("stores", "store_id"), "", by_hand.TAILSPIN_KEYS, by_hand.TAILSPIN_DISTRIBUTION),
    "importers": (IMPORTERS, IMPORTERS_ROWS, ("devices", "device_id"), "[table device_types]\nkind = reference\n",
                  by_hand.IMPORTERS_KEYS, by_hand.IMPORTERS_DISTRIBUTION),
}
CONTENTS = "SELECT count(*), sum(hashtext(({columns})::text)::bigint) FROM {table}"
METHODS = {"as it chooses": "", "concurrently": "".join(
    f"[table {table}]\nmethod = concurrently\n" for table in ("orders", "line_items"))}


def fill(server, name, schema):
    _, rows, *_ = SCHEMAS[schema]
    with open(os.path.join(ROOT, "tests", "data", "schemas", f"{schema}.sql")) as file:
        server.execute(file.read() + rows, None, name)


def do_by_hand(connection, *scripts):
    for script in scripts:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement)


def contents(connection, tables):
    """Count and checksum of each table, whatever the order of its rows."""
    made = {}
    for table in tables:
        columns = ", ".join(row[0] for row in connection.execute(
            "SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY 1", (table,)))
        made[table] = connection.execute(CONTENTS.format(columns=f"ROW({columns})", table=table)).fetchone()
    return made


def migrate(server, name, directory, schema, to, sections=""):
    _, _, (tenant, column), configured, *_ = SCHEMAS[schema]
    shop = Shop(server, directory, name)
    shop.configure(configured + sections, tenant=tenant, column=column)
    result = shop.run("--to", to, "--yes")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("schema", SCHEMAS)
def test_composite_keys(server, tmp_path, schema):
    tables, *_, keys, _ = SCHEMAS[schema]
    names = [server.create_database(), server.create_database()]
    try:
        for name in names:
            fill(server, name, schema)
        migrate(server, names[0], tmp_path, schema, "resolve")
        with server.connect(names[0]) as made, server.connect(names[1]) as wanted:
            do_by_hand(wanted, keys)
            assert by_hand.differences(by_hand.schema_of(made, tables), by_hand.schema_of(wanted, tables)) == []
            assert contents(made, tables) == contents(wanted, tables)
            assert leftovers(made) == []
    finally:
        for name in names:
            server.drop_database(name)


@pytest.mark.limit(180)
@pytest.mark.parametrize("schema, method", [("tailspin", "concurrently"), ("importers", "as it chooses")])
def test_distributed(cluster, tmp_path, schema, method):
    tables, *_, keys, distribution = SCHEMAS[schema]
    names = ["made", "wanted"]
    try:
        for name in names:
            cluster.create_database(name)
            fill(cluster.coordinator, name, schema)
        migrate(cluster.coordinator, "made", tmp_path, schema, "distributed", METHODS[method])
        with cluster.coordinator.connect("made") as made, cluster.coordinator.connect("wanted") as wanted:
            do_by_hand(wanted, keys, distribution)
            assert by_hand.differences(by_hand.schema_of(made, tables), by_hand.schema_of(wanted, tables)) == []
            assert contents(made, tables) == contents(wanted, tables)
            made.execute("CALL citus_cleanup_orphaned_resources()")
            workers = [node.connect("made") for node in cluster.nodes[1:]]
            try:
                assert leftovers(made, workers) == []
            finally:
                for worker in workers:
                    worker.close()
    finally:
        for name in names:
            cluster.drop_database(name)
