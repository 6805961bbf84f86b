"""What names mean follows the session through transactions, errors and pipelines: a schema of the same table names stands
beside the migrated one, and an INSERT is rewritten exactly where it goes to the latter."""

import pytest

from harness import process
from harness.tailspin import store_of
from harness.wire import Wire, bind, error_of, execute, parse, query, sync

ELSEWHERE = "SET search_path = elsewhere"


def insert(order):
    return f"INSERT INTO line_items (order_id, quantity) VALUES ({order}, 1)"


def extended(sql):
    return parse(sql) + bind() + execute()


@pytest.fixture(scope="module")
def world(derived):
    with Wire(derived.proxy.endpoint()) as conn:
        conn.ask(query("CREATE ROLE bob; CREATE SCHEMA elsewhere; CREATE SCHEMA bob;"
                       "CREATE TABLE elsewhere.line_items (order_id bigint, quantity bigint);"
                       "CREATE TABLE bob.line_items (order_id bigint, quantity bigint);"
                       "GRANT ALL ON SCHEMA bob TO bob; GRANT ALL ON bob.line_items TO bob"))
    process.wait_until(lambda: "bob.line_items" in derived.proxy.tables(), 10, "the new tables in SHOW TABLES")
    yield derived
    derived.execute("DROP OWNED BY bob; DROP ROLE bob")


# Each is a list of what is sent at once and the number of its ReadyForQuery; then order 5 goes into the migrated table.
BACK_IN_PUBLIC = {
    "reset behind the rollback of a failed transaction": [
        (query(ELSEWHERE), 1), (query("BEGIN"), 1), (query("SELECT 1/0"), 1), (query("ROLLBACK; RESET ALL"), 1)],
    "set behind the commit of a transaction with an error": [
        (query(ELSEWHERE), 1), (query("BEGIN; SAVEPOINT s"), 1), (query("SELECT 1/0"), 1), (query("ROLLBACK TO s"), 1),
        (query("COMMIT; SET search_path = public"), 1)],
    "prepare of a failed transaction": [
        (query("BEGIN"), 1), (query(ELSEWHERE), 1), (query("SELECT 1/0"), 1), (query("PREPARE TRANSACTION 'x'"), 1)],
    "a string that fails": [(query(ELSEWHERE + "; SELECT 1/0"), 1)],
    "local, extended": [(extended("SET LOCAL search_path = elsewhere") + sync(), 1)],
    "local in a block that ends": [(query("BEGIN") + query("SET LOCAL search_path = elsewhere") + query("COMMIT"), 3)],
}


@pytest.mark.parametrize("name", BACK_IN_PUBLIC)
def test_back_in_public(world, name):
    last = world.last_id()
    with Wire(world.proxy.endpoint()) as conn:
        for data, n in BACK_IN_PUBLIC[name]:
            conn.ask(data, n)
        conn.ask(query(insert(5)))
    assert world.stores_since(last) == [(5, store_of(5))]


@pytest.mark.parametrize("name", [name for name in BACK_IN_PUBLIC if name.startswith("local")])
def test_back_in_public_without_waiting(world, name):
    last = world.last_id()
    with Wire(world.proxy.endpoint()) as conn:
        conn.ask(b"".join(data for data, _ in BACK_IN_PUBLIC[name]) + query(insert(5)), 1 + sum(n for _, n in BACK_IN_PUBLIC[name]))
    assert world.stores_since(last) == [(5, store_of(5))]


def test_known_failure_ahead_of_what_still_runs(world):
    last = world.last_id()
    with Wire(world.proxy.endpoint()) as conn:
        conn.send(extended(ELSEWHERE) + extended("SELECT 1/0") + sync() + extended("SELECT pg_sleep(0.5)") + sync())
        conn.until("Z")
        conn.send(extended(insert(5)) + sync())
        conn.until("Z")
        assert not error_of(conn.until("Z"))
    assert world.stores_since(last) == [(5, store_of(5))]


@pytest.mark.parametrize("sql", [
    ELSEWHERE,
    'SET "SEARCH_PATH" = elsewhere',
    "SELECT set_config('search_path', 'elsewhere', false)",
    "SELECT set_config('Search_Path', 'elsewhere', false)",
    "SET ROLE bob",
    "SELECT set_config('role', 'bob', false)",
    "SET SESSION AUTHORIZATION bob",
    "SET SESSION AUTHORIZATION bob; SET ROLE none",
])
def test_elsewhere(world, sql):
    last = world.last_id()
    with Wire(world.proxy.endpoint()) as conn:
        conn.ask(query(sql))
        assert not error_of(conn.ask(query(insert(5))))
    assert world.stores_since(last) == []
