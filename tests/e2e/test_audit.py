"""The audit: which statements are scoped to one tenant, how often they come, what they cost."""

import json
import os
import time

import psycopg
import pytest

from harness import process
from harness.wire import Wire, bind, error_of, execute, parse, query, sync

# Statement → verdict, in stage observe.
VERDICTS = {
    "SELECT 1": "no-tenant-table",
    "SELECT count(*) FROM pg_class": "no-tenant-table",
    "SELECT * FROM orders WHERE store_id = 5": "single-tenant",
    "SELECT * FROM orders WHERE store_id = 5 AND status = 'x' ORDER BY order_id LIMIT 3": "single-tenant",
    "SELECT * FROM orders WHERE order_id = 5": "multi-tenant",
    "SELECT count(*) FROM orders": "multi-tenant",
    "SELECT * FROM orders WHERE store_id = 5 OR status = 'y'": "multi-tenant",
    "SELECT * FROM orders WHERE store_id IN (5, 6)": "multi-tenant",
    "SELECT * FROM stores WHERE store_id = 5": "single-tenant",
    "SELECT * FROM orders o JOIN products p ON p.store_id = o.store_id WHERE o.store_id = 3": "single-tenant",
    "SELECT * FROM orders o JOIN products p ON p.product_id = o.order_id WHERE o.store_id = 3": "multi-tenant",
    "WITH o AS (SELECT * FROM orders WHERE store_id = 4) SELECT * FROM o": "single-tenant",
    "SELECT * FROM products WHERE store_id = 2 UNION ALL SELECT * FROM products WHERE store_id = 2": "single-tenant",
    "UPDATE orders SET status = 'done' WHERE store_id = 7 AND order_id = 6": "single-tenant",
    "UPDATE orders SET status = 'done' WHERE order_id = 6": "multi-tenant",
    "DELETE FROM products WHERE product_id = -1": "multi-tenant",
    "DELETE FROM products WHERE store_id = 3 AND product_id = -1": "single-tenant",
    "INSERT INTO orders (store_id, status) VALUES (5, 'audited')": "single-tenant",
    "DO $$ BEGIN PERFORM 1; END $$": "opaque",
    "SELEC nonsense": "unparsed",
}


def audit_of(proxy, text):
    return [row for row in proxy.console("SHOW AUDIT") if (row["sample"] or "").rstrip(";") == text]


@pytest.mark.parametrize("protocol", ["simple", "extended"])
@pytest.mark.parametrize("text", VERDICTS)
def test_verdict(text, protocol, migration_pool):
    proxy = migration_pool[protocol]
    with Wire(proxy.endpoint()) as conn:
        if protocol == "simple":
            conn.ask(query(text))
        else:
            conn.ask(parse(text) + bind() + execute() + sync())
    found = audit_of(proxy, text)
    assert [row["verdict"] for row in found] == [VERDICTS[text]]
    assert found[0]["calls"] == "1"
    if VERDICTS[text] == "multi-tenant":
        assert found[0]["unscoped"] and found[0]["reason"]


@pytest.fixture(scope="module")
def migration_pool(server, authority):
    """A proxy each for statements that come by simple query and by extended protocol: shapes are counted apart."""
    from conftest import DIRECT
    from harness import tailspin
    from harness.proxy import Proxy

    if DIRECT:
        pytest.skip("of the proxy itself")
    pool = {}
    try:
        for protocol in ("simple", "extended"):
            pool[protocol] = Proxy(server, authority=authority, tables=tailspin.TABLES, settings={"audit.redact": "off"})
            pool[protocol].wait_for_catalog("line_items")
        yield pool
    finally:
        for proxy in pool.values():
            proxy.close()
        server.execute("DELETE FROM orders WHERE status = 'audited'")


def test_counts_by_shape(make_proxy):
    """Literals do not matter, applications do not mix, errors are counted, latency is the client's."""
    proxy = make_proxy()
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.start_session(application_name="shop")
        for store in range(10):
            conn.ask(query(f"SELECT * FROM orders WHERE store_id = {store}"))
        for divisor in (1, 0, 0):
            conn.ask(query(f"SELECT count(*) / {divisor} FROM orders"))
        conn.ask(query("SELECT pg_sleep(0.2) FROM stores LIMIT 1"))
    rows = proxy.console("SHOW AUDIT")
    by_sample = {row["sample"]: row for row in rows}
    scoped = by_sample["SELECT * FROM orders WHERE store_id = 0"]
    assert scoped["calls"] == "10" and scoped["verdict"] == "single-tenant" and "shop" in scoped.values() and "postgres" in scoped.values()
    failing = by_sample["SELECT count(*) / 1 FROM orders"]
    assert failing["calls"] == "3" and failing["errors"] == "2" and failing["verdict"] == "multi-tenant"
    assert "orders" in failing["tables"] and "orders" in failing["unscoped"]
    # Sorted by cost: what slept is first.
    assert "pg_sleep" in rows[0]["sample"]


def test_prepared_statement_is_counted_per_execution(make_proxy):
    proxy = make_proxy()
    proxy.wait_for_catalog("line_items")
    text = "SELECT * FROM orders WHERE order_id = $1"
    with Wire(proxy.endpoint()) as conn:
        conn.ask(parse(text, "s") + sync())
        for number in range(7):
            conn.ask(bind([str(number)], "", "s") + execute() + sync())
    assert [row["calls"] for row in audit_of(proxy, text)] == ["7"]


def test_stage_change_is_seen(migration):
    """The INSERT of a line item is reported as rewritten from derive on."""
    text = "INSERT INTO line_items (order_id) VALUES (1)"
    with Wire(migration.proxy.endpoint()) as conn:
        conn.ask(query(text))
        migration.derive()
        conn.ask(query(text))
    rewritten = [row for row in audit_of(migration.proxy, text) if row["rewritten"] in ("on", "t", "true", "yes")]
    assert rewritten


def test_log(make_proxy, tmp_path):
    """One JSON object a line; SIGHUP opens the file anew."""
    path = tmp_path / "audit.log"
    proxy = make_proxy(settings={"audit.log": str(path)})
    proxy.wait_for_catalog("line_items")

    def entries(file):
        if not os.path.exists(file):
            return []
        with open(file) as lines:
            return [json.loads(line) for line in lines]

    with Wire(proxy.endpoint()) as conn:
        conn.ask(query("SELECT 'a\"b\\\\\n\x01ü' FROM orders WHERE order_id = 1"))
        process.wait_until(lambda: [entry for entry in entries(path) if entry.get("verdict") == "multi-tenant"], what="a line in the log")
        os.rename(path, tmp_path / "audit.log.1")
        proxy.reload()
        process.wait_until(path.exists, what="the new file")
        conn.ask(query("SELECT 2 FROM products WHERE product_id = 1"))
        process.wait_until(lambda: [entry for entry in entries(path) if "products" in json.dumps(entry)], what="a line in the new file")
    assert "orders" in json.dumps(entries(tmp_path / "audit.log.1"))


def test_redaction(make_proxy, tmp_path):
    """No literal in samples or log."""
    path = tmp_path / "audit.log"
    proxy = make_proxy(settings={"audit.log": str(path), "audit.redact": "on"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        for text in ("SELECT * FROM orders WHERE status = 'top secret 4711'", "SELECT count(*) FROM orders WHERE order_id = 4711",
                     "SELECT 1 FROM orders WHERE status = $$4711$$ OR status = E'4711' OR order_id IN (4711, 4712)",
                     "SELECT '4711', nonsense FROM", "SET my.setting = 'n4711'", "ALTER ROLE app_trust PASSWORD '4711'"):
            conn.ask(query(text))
    time.sleep(0.3)
    shown = str(proxy.console("SHOW AUDIT"))
    assert "orders" in shown and "4711" not in shown
    if path.exists():
        assert "4711" not in path.read_text()
    assert "4711" not in proxy.stderr()


def test_bounded(make_proxy):
    """More shapes than the ledger holds share one entry; nothing grows."""
    proxy = make_proxy(settings={"audit.fingerprints": "20", "proxy.workers": "1"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        for number in range(100):
            conn.ask(query(f"SELECT order_id AS column_{number} FROM orders"))
    rows = proxy.console("SHOW AUDIT")
    assert len(rows) <= 22
    assert sum(int(row["calls"]) for row in rows) >= 100


def test_new_tables_are_noticed(proxy, server):
    """DDL that passes the proxy replaces the catalog: the next statement on the new table is judged with it."""
    name = "made_through_the_proxy"
    with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as conn:
        conn.execute(f"CREATE TABLE {name} (id bigint, store_id bigint, PRIMARY KEY (store_id, id))")
        try:
            def judged():
                conn.execute(f"SELECT count(*) FROM {name}")
                return [row for row in audit_of(proxy, f"SELECT count(*) FROM {name}") if row["verdict"] == "multi-tenant"]

            process.wait_until(judged, 10, "the new table in the audit", 0.1)
        finally:
            conn.execute(f"DROP TABLE {name}")


def test_control_connection_comes_back(make_proxy, server):
    """Its loss does not stop anybody; the catalog stays, and the connection is made again."""
    proxy = make_proxy(settings={"control.catalog_refresh": "1s"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        control = server.execute("SELECT pid FROM pg_stat_activity WHERE application_name ILIKE 'shardferry%%' AND pid <> pg_backend_pid()",
                                 (), "postgres")
        assert control
        for (pid,) in control:
            server.execute("SELECT pg_terminate_backend(%s)", (pid,), "postgres")
        assert not error_of(conn.ask(query("SELECT count(*) FROM orders")))
        assert "line_items" in proxy.tables()
        server.execute("CREATE TABLE after_the_loss (id int PRIMARY KEY, store_id bigint)")
        try:
            proxy.wait_for_catalog("after_the_loss", 30)
        finally:
            server.execute("DROP TABLE after_the_loss")
