"""Reads that are rewritten: the same rows come out, and with a filter, those of the session's tenant.

READS_STATEMENTS says how many are compared (10,000 without), READS_SEED which.
"""

import os
import sys

import psycopg
import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.proxy import Proxy  # noqa: E402
from harness.wire import Wire, bind, describe, error_of, execute, kinds, parse, query, rows, sync  # noqa: E402
from reads import compare, schema  # noqa: E402

STATEMENTS = int(os.environ.get("READS_STATEMENTS", 10000))
SEED = int(os.environ.get("READS_SEED", 40001))
DATA = 7
TENANT = 2


def make_reads_proxy(server, database, reads):
    made = Proxy(server, database, {"tenant.reads": reads}, tables=schema.COLOURS)
    made.wait_for_catalog("accounts")
    return made


def check(run, wanted, capsys):
    with capsys.disabled():
        print(f"\nreads: seed {SEED}: {run}", flush=True)
    assert not run.differences, f"seed {SEED}: {len(run.differences)} differences, the first of them:\n{run.differences[0]}"
    assert run.statements >= wanted
    assert run.cancelled <= wanted // 100 and run.failed < wanted // 20 and run.empty < wanted * 0.7, str(run)


def run_linted(server, database, made):
    """Each statement as it is and as it is sent with reads = join."""
    run = compare.Run()
    client = compare.Client(server.unix_endpoint(database))
    for (text, changed), decision in zip(made, compare.lint([text for text, _ in made])):
        run.verdicts[decision["verdict"]] += 1
        run.rewritten += decision["rewritten"] is not None
        if decision["rewritten"] is None:
            run.statements += 1
        else:
            compare.compare(run, client, client, text, decision["rewritten"], changed)
    client.close()
    return run


@pytest.mark.limit(60 + STATEMENTS // 40)
def test_the_same_rows(server, shardferry, capsys):
    database = compare.make_database(server, DATA)
    run = run_linted(server, database, compare.statements(SEED, STATEMENTS))
    server.drop_database(database)
    check(run, STATEMENTS, capsys)
    assert run.rewritten > STATEMENTS * 0.3, run


def test_a_difference_would_be_seen(server, shardferry):
    """Where numbers are those of each tenant, and not of one sequence, the proof does not hold: rows get lost."""
    database = compare.make_database(server, DATA, shared=True)
    run = run_linted(server, database, compare.statements(SEED, 300))
    server.drop_database(database)
    assert len(run.differences) > 10, run


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_through_the_proxy(extended, server, capsys):
    database = compare.make_database(server, DATA)
    proxy = make_reads_proxy(server, database, "join")
    run = compare.Run()
    try:
        direct, proxied = compare.Client(server.unix_endpoint(database)), compare.Client(proxy.unix_endpoint())
        for text, changed in compare.statements(SEED + 1 + extended, STATEMENTS // 20):
            compare.compare(run, direct, proxied, text, text, changed, extended)
        direct.close()
        proxied.close()
    finally:
        proxy.close()
    server.drop_database(database)
    check(run, STATEMENTS // 20, capsys)


@pytest.mark.parametrize("extended", [False, True], ids=["simple", "extended"])
def test_filter(extended, server, capsys):
    """What a session of one tenant sees of all is what there is where no other tenant has rows."""
    everything, alone = compare.make_database(server, DATA), compare.make_database(server, DATA, only=TENANT)
    proxy = make_reads_proxy(server, everything, "join,filter")
    run = compare.Run()
    try:
        direct = compare.Client(server.unix_endpoint(alone))
        proxied = compare.Client(proxy.unix_endpoint(), f"store_id = {TENANT}")
        proxied.conn.execute(f"SET shardferry.tenant = '{TENANT}'")
        for text, changed in compare.statements(SEED + 3 + extended, STATEMENTS // 20, bare=True):
            compare.compare(run, direct, proxied, text, text, changed, extended)
        direct.close()
        proxied.close()
    finally:
        proxy.close()
    server.drop_database(everything)
    server.drop_database(alone)
    check(run, STATEMENTS // 20, capsys)


# ---- sessions ----

COUNT = "SELECT count(*) FROM accounts"


@pytest.fixture(scope="module")
def filtered(server):
    """A proxy that filters: 3 accounts, of the stores 1, 2 and 2."""
    database = server.create_database()
    with server.connect(database) as conn:
        conn.execute(schema.create())
        conn.execute("INSERT INTO stores VALUES (1), (2); INSERT INTO accounts (store_id, n) VALUES (1, 1), (2, 1), (2, 2); "
                     "INSERT INTO entries (account_id, store_id, n) SELECT account_id, store_id, n FROM accounts")
    proxy = make_reads_proxy(server, database, "join, filter")
    yield proxy
    proxy.close()
    server.drop_database(database)


@pytest.fixture
def wire(filtered):
    conn = Wire(filtered.unix_endpoint(), timeout=10)
    yield conn
    conn.close()


def value(messages):
    assert not error_of(messages), error_of(messages)
    return int(rows(messages)[-1][0])


def simple(sql):
    return query(sql)


def extended(sql):
    return parse(sql) + bind() + execute() + sync()


protocols = pytest.mark.parametrize("send", [simple, extended])


@protocols
def test_the_sessions_tenant(send, wire):
    """It is asked for anew each time; where there is none, nothing is filtered, and nothing fails."""
    for statement, expected in (("SELECT 1", 3), ("SET shardferry.tenant = '2'", 2), ("SET shardferry.tenant = '1'", 1),
                                ("RESET shardferry.tenant", 3), ("BEGIN", 3), ("SET LOCAL shardferry.tenant = '2'", 2),
                                ("ROLLBACK", 3), ("SET shardferry.tenant = ''", 3)):
        assert not error_of(wire.ask(send(statement)))
        assert value(wire.ask(send(COUNT))) == expected, statement


@protocols
def test_the_tenant_of_a_comment(send, wire):
    assert value(wire.ask(send(f"{COUNT} /*tenant='2'*/"))) == 2
    assert value(wire.ask(send(COUNT))) == 3


def test_a_prepared_statement(wire):
    """One that was prepared for a tenant is right for another one, and without one."""
    assert not error_of(wire.ask(query("SET shardferry.tenant = '2'")))
    wire.ask(parse("SELECT count(*) FROM accounts WHERE n = $1", name="s") + sync())
    run = bind(["1"], name="s") + execute() + sync()
    assert value(wire.ask(run)) == 1
    described = wire.ask(describe("S", "s") + sync())
    assert [body for kind, body in described if kind == "t"] == [b"\x00\x01\x00\x00\x00\x17"]
    for statement, expected in (("SET shardferry.tenant = '1'", 1), ("RESET shardferry.tenant", 2), ("SET shardferry.tenant = '2'", 1)):
        wire.ask(query(statement))
        assert value(wire.ask(run)) == expected, statement


def test_in_one_batch(wire):
    """A SET ahead in the pipeline counts; one that fails does not."""
    batch = parse("SET shardferry.tenant = '2'") + bind() + execute() + parse(COUNT) + bind() + execute() + sync()
    assert value(wire.ask(batch)) == 2
    wire.ask(query("RESET shardferry.tenant"))
    answer = wire.ask(query("SELECT 1/0; SET shardferry.tenant = '2'") + query(COUNT), syncs=2)
    assert int(rows(answer)[-1][0]) == 3


def test_several_statements(wire):
    """Between them nothing is found out: they are as they were."""
    wire.ask(query("SET shardferry.tenant = '2'"))
    assert value(wire.ask(query(f"SELECT 1; {COUNT}"))) == 3


def test_what_is_kept_is_not_filtered(wire):
    """A statement under a name, a definition: who uses it later may be another tenant."""
    wire.ask(query("SET shardferry.tenant = '2'"))
    wire.ask(query(f"PREPARE p AS {COUNT}"))
    assert value(wire.ask(query("EXECUTE p"))) == 3
    wire.ask(query("CREATE TEMP TABLE copied AS SELECT * FROM accounts"))
    assert value(wire.ask(query("SELECT count(*) FROM copied"))) == 3


def test_writes(wire):
    wire.ask(query("BEGIN"))
    wire.ask(query("SET LOCAL shardferry.tenant = '2'"))
    assert kinds(wire.ask(query("UPDATE accounts SET n = 7"))).count("C") == 1
    wire.ask(query("DELETE FROM entries"))
    wire.ask(query("RESET shardferry.tenant"))
    assert value(wire.ask(query("SELECT count(*) FROM accounts WHERE n = 7"))) == 2
    assert value(wire.ask(query("SELECT count(*) FROM entries"))) == 1
    wire.ask(query("ROLLBACK"))


# ---- errors ----

POSITIONS = {
    "behind ON": "SELECT * FROM accounts a JOIN entries e ON e.account_id = a.account_id WHERE a.nope = 1",
    "behind parentheses": "SELECT * FROM accounts a, entries e WHERE (e.account_id = a.account_id) AND (a.n = 1 OR a.n = 2) ORDER BY a.nope",
    "inside": "SELECT * FROM accounts a JOIN entries e ON e.account_id = a.account_id AND e.nope LEFT JOIN tags t ON true",
    "of a sub-select": "SELECT 'äö', a.n FROM accounts a WHERE EXISTS (SELECT 1 FROM entries e WHERE e.account_id = a.account_id) AND a.n = 'x'",
    "returning": "UPDATE entries e SET n = 1 FROM accounts a WHERE e.account_id = a.account_id RETURNING nope",
}


@pytest.mark.parametrize("name", POSITIONS)
@pytest.mark.parametrize("tenant", ["", "2"])
def test_position(name, tenant, filtered, server):
    seen = []
    for endpoint in (server.unix_endpoint(filtered.dbname), filtered.unix_endpoint()):
        with psycopg.connect(**endpoint.keywords(), autocommit=True) as conn:
            conn.execute(f"SET shardferry.tenant = '{tenant}'")
            with pytest.raises(psycopg.Error) as failure:
                conn.execute(POSITIONS[name])
            seen.append((failure.value.diag.sqlstate, failure.value.diag.message_primary, failure.value.diag.statement_position))
    assert seen[0] == seen[1]


# ---- Citus ----

# Refused, or run on all shards.
FOR_CITUS = [
    "SELECT a.n, e.n FROM accounts a JOIN entries e ON e.account_id = a.account_id WHERE a.store_id = 2",
    "SELECT a.n, e.n FROM accounts a LEFT JOIN entries e ON e.account_id = a.account_id WHERE a.store_id = 2",
    "SELECT n FROM accounts a WHERE a.store_id = 2 AND EXISTS (SELECT 1 FROM entries e WHERE e.account_id = a.account_id)",
    "SELECT t.n FROM tags t JOIN entries e ON t.entry_id = e.entry_id JOIN accounts a ON a.account_id = e.account_id WHERE a.store_id = 2",
    "UPDATE entries e SET n = 9 FROM accounts a WHERE e.account_id = a.account_id AND a.store_id = 2",
    "SELECT n FROM entries e WHERE e.store_id = 2 AND e.account_id IN (SELECT a.account_id FROM accounts a WHERE a.n = 1)",
    "DELETE FROM tags t USING entries e WHERE t.entry_id = e.entry_id AND e.store_id = 2",
]
ONLY_WITH_A_FILTER = [
    "SELECT count(*) FROM accounts",
    "SELECT a.n, e.n FROM accounts a JOIN entries e ON e.account_id = a.account_id",
    "SELECT n FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM entries e WHERE e.account_id = a.account_id)",
    "SELECT n, (SELECT count(*) FROM entries e WHERE e.account_id = a.account_id) FROM accounts a",
    "UPDATE entries SET n = 9 WHERE n = 1",
    "SELECT n FROM accounts FOR UPDATE",
]


def tasks(conn, sql):
    """How many shards are asked; 0 if it is refused."""
    result = conn.pgconn.exec_(b"EXPLAIN (COSTS OFF) " + sql.encode())
    if result.error_message:
        return 0
    plan = "\n".join(result.get_value(row, 0).decode() for row in range(result.ntuples))
    return int(plan.split("Task Count: ")[1].split()[0]) if "Task Count: " in plan else 0


@pytest.mark.limit(180)
def test_citus(cluster):
    """What Citus refuses, or sends to all shards, goes to one."""
    database = cluster.create_database("reads")
    with cluster.coordinator.connect(database) as conn:
        conn.execute(schema.create())
        conn.execute("SELECT create_reference_table('colours')")
        for table in ("stores", *schema.TABLES):
            conn.execute(f"SELECT create_distributed_table('{table}', 'store_id')")
        direct = {sql: tasks(conn, sql) for sql in FOR_CITUS + ONLY_WITH_A_FILTER}
    proxy = make_reads_proxy(cluster.coordinator, database, "join, filter")
    try:
        with psycopg.connect(**proxy.unix_endpoint().keywords(), autocommit=True) as conn:
            sent = {sql: tasks(conn, sql) for sql in FOR_CITUS}
            conn.execute("SET shardferry.tenant = '2'")
            sent.update((sql, tasks(conn, sql)) for sql in ONLY_WITH_A_FILTER)
    finally:
        proxy.close()
    assert [sql for sql, count in direct.items() if count == 1] == []
    assert [sql for sql, count in sent.items() if count != 1] == []
