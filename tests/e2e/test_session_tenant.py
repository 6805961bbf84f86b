"""The session's tenant: SET shardferry.tenant and its kin. It shows in the store of a line item that has no order to take
one from; where the proxy does not know it, that item is refused. The server knows the setting's value as well."""

import random
import struct

import pytest

from harness import process
from harness.migration import Migration
from harness.wire import Wire, bind, describe, error_of, execute, kinds, parse, query, rows, sync

ITEM = "INSERT INTO line_items (quantity) VALUES (1) RETURNING store_id"
NOBODY = "23502"
SEED = random.randrange(1 << 32)


def simple(sql):
    return query(sql)


def extended(sql):
    return parse(sql) + bind() + execute() + sync()


protocols = pytest.mark.parametrize("send", [simple, extended])


@pytest.fixture(scope="module")
def world(derived):
    derived.keyed()
    derived.resolve()
    derived.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO app_trust; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app_trust")
    return derived


def outcome(messages):
    """The store, or the error's SQLSTATE."""
    return error_of(messages).get("C") or int(rows(messages)[0][0])


def tenant(conn, send=simple, item=ITEM):
    return outcome(conn.ask(send(item)))


def setting(conn):
    """What the server has, as the store that it must become."""
    value = rows(conn.ask(query("SELECT current_setting('shardferry.tenant', true)")))[0][0]
    return int(value) if value else NOBODY


def believed_and_set(conn, send, status):
    """(tenant(), setting()); status: of the last ReadyForQuery. A transaction survives the error."""
    expected = setting(conn)
    if status == b"T":
        conn.ask(query("SAVEPOINT probe"))
    found = tenant(conn, send)
    if status == b"T":
        conn.ask(query("ROLLBACK TO probe; RELEASE probe"))
    return found, expected


# What is executed, and the tenant behind it. What is sent at once is one entry.
SCRIPTS = {
    "set": [("SELECT 1", NOBODY), ("SET shardferry.tenant = '5'", 5), ("SET shardferry.tenant TO 6", 6), ("SET ShardFerry.Tenant = '7'", 7),
            ("SET shardferry.tenant = ''", NOBODY), ("SET SESSION shardferry.tenant = '8'", 8), ("RESET shardferry.tenant", NOBODY)],
    "reset": [("SET shardferry.tenant = '5'", 5), ("RESET ALL", NOBODY), ("SET shardferry.tenant = '5'", 5), ("DISCARD ALL", NOBODY),
              ("SET shardferry.tenant = '5'", 5), ("SET shardferry.tenant TO DEFAULT", NOBODY)],
    "transaction": [("BEGIN", NOBODY), ("SET LOCAL shardferry.tenant = '5'", 5), ("COMMIT", NOBODY), ("BEGIN", NOBODY),
                    ("SET shardferry.tenant = '6'", 6), ("SET LOCAL shardferry.tenant = '7'", 7), ("COMMIT", 6), ("BEGIN", 6),
                    ("SET shardferry.tenant = '8'", 8), ("ROLLBACK", 6), ("SET LOCAL shardferry.tenant = '9'", 6)],
    "savepoints": [("BEGIN", NOBODY), ("SET LOCAL shardferry.tenant = '5'", 5), ("SAVEPOINT a", 5), ("SET LOCAL shardferry.tenant = '6'", 6),
                   ("SAVEPOINT b", 6), ("SET shardferry.tenant = '7'", 7), ("RELEASE b", 7), ("ROLLBACK TO a", 5),
                   ("SET LOCAL shardferry.tenant = '8'", 8), ("RELEASE a", 8), ("COMMIT", NOBODY)],
    "set_config": [("SELECT set_config('shardferry.tenant', '5', false)", 5), ("BEGIN", 5),
                   ("SELECT pg_catalog.set_config('shardferry.tenant', '6', true)", 6), ("COMMIT", 5)],
    "a failed transaction": [("SET shardferry.tenant = '5'", 5), ("BEGIN", 5), ("SET shardferry.tenant = '6'", 6), ("SELECT 1/0", None),
                             ("SET shardferry.tenant = '7'", None), ("COMMIT", 5)],
    "other parameters": [("SET shardferry.tenant = '5'", 5), ("SET work_mem = '6MB'", 5), ("SET my.tenant = '7'", 5), ("RESET work_mem", 5)],
}


@protocols
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts(world, name, send):
    with Wire(world.proxy.endpoint()) as conn:
        for sql, expected in SCRIPTS[name]:
            status = conn.ask(send(sql))[-1][1]
            if expected is not None:
                assert (sql, believed_and_set(conn, send, status)) == (sql, (expected, expected))


@protocols
def test_what_cannot_be_followed(world, send):
    """A value that is not in the text is no tenant for anyone, until another is set."""
    with Wire(world.proxy.endpoint()) as conn:
        for sql in ("SELECT set_config('shardferry.tenant', 2 + 3 || '', false)",
                    "SELECT set_config('shardferry.tenant', '5', false) FROM stores WHERE false",
                    "SELECT set_config('shardferry' || '.tenant', '5', false)"):
            conn.ask(send("SET shardferry.tenant = '9'"))
            assert tenant(conn, send) == 9
            assert not error_of(conn.ask(send(sql)))
            assert (sql, tenant(conn, send)) == (sql, NOBODY)
        conn.ask(query("DISCARD ALL"))
        conn.ask(parse("SELECT set_config('shardferry.tenant', $1, false)") + bind(["5"]) + execute() + sync())
        assert tenant(conn, send) == NOBODY
        conn.ask(send("SET shardferry.tenant = '6'"))
        assert tenant(conn, send) == 6


def test_in_one_batch(world):
    """Set and used in one batch; the batch ends with the transaction."""
    with Wire(world.proxy.endpoint()) as conn:
        one = lambda sql: parse(sql) + bind() + execute()  # noqa: E731
        conn.send(one("SET LOCAL shardferry.tenant = '5'") + one(ITEM) + one("SET LOCAL shardferry.tenant = '6'") + one(ITEM) + sync())
        assert rows(conn.until("Z")) == [[b"5"], [b"6"]]
        assert tenant(conn) == NOBODY
        conn.send(one("BEGIN") + one("SET shardferry.tenant = '7'") + one(ITEM) + one("ROLLBACK") + one(ITEM) + sync())
        messages = conn.until("Z")
        assert rows(messages) == [[b"7"]] and error_of(messages)["C"] == NOBODY
        assert setting(conn) == NOBODY


def test_one_statement_for_many_tenants(world):
    """The tenant is asked for when a prepared statement is bound, and is not part of its plan."""
    with Wire(world.proxy.endpoint()) as conn:
        conn.ask(parse(ITEM, "item") + sync())
        anew = sum(int(row["prepared_anew"]) for row in world.proxy.console("SHOW STATS"))
        for store in (3, 4, 5, 6, 7):
            conn.ask(query(f"SET shardferry.tenant = '{store}'"))
            assert outcome(conn.ask(bind((), "", "item") + execute() + sync())) == store
        conn.ask(query("RESET shardferry.tenant"))
        assert outcome(conn.ask(bind((), "", "item") + execute() + sync())) == NOBODY
        assert sum(int(row["prepared_anew"]) for row in world.proxy.console("SHOW STATS")) == anew


# Failing, and what follows it, sent without waiting: the tenant that is set for good is 5.
PREMATURE = {
    "set in a string that fails": [query("SET shardferry.tenant = '6'; SELECT 1/0"), query(ITEM)],
    "commit that becomes a rollback": [query("BEGIN"), query("SET shardferry.tenant = '6'"), query("SELECT 1/0"), query("COMMIT"), query(ITEM)],
    "reset in a batch that fails": [parse("SELECT 1/0") + bind() + execute() + parse("SET shardferry.tenant = '6'") + bind() + execute() + sync(),
                                    parse(ITEM) + bind() + execute() + sync()],
}


@pytest.mark.parametrize("name", PREMATURE)
def test_never_a_tenant_that_was_not_set(world, name):
    """What is sent before the answer is known gets the right tenant or is refused."""
    with Wire(world.proxy.endpoint()) as conn:
        conn.ask(query("SET shardferry.tenant = '5'"))
        conn.send(b"".join(PREMATURE[name]))
        conn.until("Z", count=len(PREMATURE[name]) - 1)
        assert outcome(conn.until("Z")) in (5, NOBODY)
        assert tenant(conn) == 5


def test_at_startup(world):
    endpoint = world.proxy.endpoint()
    for params, expected in [({"options": "-c shardferry.tenant=5"}, 5), ({"options": "--shardferry.tenant=6 -c geqo=off"}, 6),
                             ({"shardferry.tenant": "7"}, 7), ({"options": "-cshardferry.tenant=5", "ShardFerry.Tenant": "8"}, 8),
                             ({"options": "-c shardferry.tenant="}, NOBODY), ({"options": "-c shardferry.tenants=5"}, NOBODY)]:
        with Wire(endpoint, connect=False) as conn:
            conn.start_session(**params)
            assert (params, tenant(conn)) == (params, expected)
            assert setting(conn) == expected
            conn.ask(query("SET shardferry.tenant = '9'"))
            assert tenant(conn) == 9
            conn.ask(query("RESET shardferry.tenant"))
            assert tenant(conn) == expected == setting(conn)


def fresh(world, user):
    """The tenant of a new session."""
    with Wire(world.proxy.endpoint(user=user)) as conn:
        return tenant(conn)


def test_defaults_of_role_and_database(world):
    """The closest counts; the client's own, at startup, is closer than all."""
    database = world.database
    closer = [(f"DATABASE {database}", 11), ("ROLE app_trust", 12), (f"ROLE app_trust IN DATABASE {database}", 13)]
    try:
        for of, store in closer:
            world.execute(f"ALTER {of} SET shardferry.tenant = '{store}'")
            world.proxy.console("RELOAD")
            process.wait_until(lambda: fresh(world, "app_trust") == store, 10, f"store {store} to be the default")
            with Wire(world.proxy.endpoint(user="app_trust")) as conn:
                assert tenant(conn) == store == setting(conn)
                conn.ask(query("SET shardferry.tenant = '5'"))
                conn.ask(query("DISCARD ALL"))
                assert tenant(conn) == store
        with Wire(world.proxy.endpoint()) as conn:
            assert tenant(conn) == 11 == setting(conn)
        with Wire(world.proxy.endpoint(user="app_trust"), connect=False) as conn:
            conn.start_session(options="-c shardferry.tenant=5")
            assert tenant(conn) == 5
    finally:
        for of, _ in closer:
            world.execute(f"ALTER {of} RESET ALL")
        world.proxy.console("RELOAD")


COMMENTS = {
    "behind": (ITEM + " /*tenant='6'*/", 6),
    "ahead": ("/*application='shop',tenant='7'*/ " + ITEM, 7),
    "in the midst, encoded": (ITEM.replace("VALUES", "/* route='%2Fcart', tenant='%38' */ VALUES"), 8),
    "not of the form": ("/* tenant = 9 */ " + ITEM, 5),
    "in a string": (ITEM.replace("(1)", "(length('/*tenant=''9''*/'))"), 5),
    "of a line": (ITEM + " -- /*tenant='9'*/", 5),
}


@protocols
@pytest.mark.parametrize("name", COMMENTS)
def test_comment(world, name, send):
    """It counts for its statement, and beats the session's."""
    item, expected = COMMENTS[name]
    with Wire(world.proxy.endpoint()) as conn:
        assert tenant(conn, send, item) == (expected if expected != 5 else NOBODY)
        conn.ask(query("SET shardferry.tenant = '5'"))
        assert tenant(conn, send, item) == expected
        assert tenant(conn, send) == 5


def test_comment_of_a_prepared_statement(world):
    with Wire(world.proxy.endpoint()) as conn:
        conn.ask(parse(ITEM + " /*tenant='6'*/", "six") + parse(ITEM, "other") + sync())
        conn.ask(query("SET shardferry.tenant = '5'"))
        for name, store in (("six", 6), ("other", 5), ("six", 6)):
            assert outcome(conn.ask(bind((), "", name) + execute() + sync())) == store


@protocols
def test_not_a_key(world, send):
    """What cannot be a store is the server's to refuse, and no SQL of anybody's."""
    with Wire(world.proxy.endpoint()) as conn:
        for value in ("it''s", "5 OR 1", "5'' AS text), (2", "\\", "$$", "5; DROP TABLE stores"):
            conn.ask(query(f"SET shardferry.tenant = '{value}'"))
            assert (value, tenant(conn, send)) == (value, "22P02")
        conn.ask(query("SET shardferry.tenant = '99999'"))
        assert tenant(conn, send) in (99999, "23503")
        assert tenant(conn, send, ITEM + " /*tenant='5%27), (7'*/") == "22P02"
        assert rows(conn.ask(query("SELECT count(*) FROM stores"))) == [[b"20"]]


def commands(dice):
    """Random statements that set, keep and bring back."""
    names = ("a", "b")
    while True:
        store = dice.randint(1, 20)
        yield dice.choice([
            f"SET shardferry.tenant = '{store}'", f"SET LOCAL shardferry.tenant = '{store}'", "RESET shardferry.tenant",
            f"SELECT set_config('shardferry.tenant', '{store}', {dice.choice(['true', 'false'])})", "RESET ALL", "SET shardferry.tenant = ''",
            "BEGIN", "BEGIN", "COMMIT", "ROLLBACK", "COMMIT AND CHAIN", f"SAVEPOINT {dice.choice(names)}", f"SAVEPOINT {dice.choice(names)}",
            f"RELEASE {dice.choice(names)}", f"ROLLBACK TO {dice.choice(names)}", f"ROLLBACK TO {dice.choice(names)}", "DISCARD ALL", "SELECT 1/0",
            f"SET LOCAL shardferry.tenant = '{store}'; SAVEPOINT a", f"SET shardferry.tenant = '{store}'; SELECT 1/0",
        ])


@protocols
def test_any_sequence(world, send):
    """The proxy's belief and the server's are one, whatever happens."""
    done = []
    with Wire(world.proxy.endpoint()) as conn:
        for sql, _ in zip(commands(random.Random(SEED)), range(400)):
            if send is extended and ";" in sql:
                continue
            done.append(sql)
            status = conn.ask(send(sql))[-1][1]
            if status != b"E":
                found, expected = believed_and_set(conn, send, status)
                assert found == expected, f"seed {SEED}, behind " + "; ".join(done[-12:])


# Rows whose key may turn out to be NULL: the parent is asked, and only where there is none, the session. Until the stage
# resolve the database is the one asked; store_id may be NULL in derive.
KEYED_ITEM = "INSERT INTO line_items (order_id, quantity) VALUES ($1, 1) RETURNING store_id"
UNKNOWN = {"derive": None, "keyed": NOBODY, "resolve": NOBODY}


class Staged(Migration):
    def __init__(self, stage, *arguments):
        super().__init__(*arguments)
        self.name = stage
        self.unknown = UNKNOWN[stage]
        self.derive()
        if stage != "derive":
            self.keyed()
        if stage == "resolve":
            self.resolve()
        self.order, self.store = self.execute("SELECT order_id, store_id FROM orders WHERE store_id <> 5 LIMIT 1")[0]

    def anew(self):
        return sum(int(row["prepared_anew"]) for row in self.proxy.console("SHOW STATS"))


@pytest.fixture(scope="module", params=UNKNOWN)
def staged(request, server, authority):
    migration = Staged(request.param, server, authority)
    yield migration
    migration.close()


def found(messages):
    """All stores, None being NULL; or the SQLSTATE."""
    return error_of(messages).get("C") or [row[0] and int(row[0]) for row in rows(messages)]


def unknown_or(world, stores):
    """What is found where the tenant of some row is not known."""
    return stores if world.name == "derive" else NOBODY


def keyed_bind(order, binary=False, name="item"):
    value = order if order is None else struct.pack("!q", order) if binary else str(order)
    return bind([value], "", name, [int(binary)], [0]) + execute() + sync()


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("types", [(), (20,)], ids=["undeclared", "declared"])
def test_key_bound_as_null(staged, types, binary):
    """One prepared statement, bound with keys and with NULL, for one tenant after another and for none."""
    without = [None] if staged.unknown is None else NOBODY
    with Wire(staged.proxy.endpoint()) as conn:
        conn.ask(parse(KEYED_ITEM, "item", types) + sync())
        for _ in range(2):
            assert found(conn.ask(keyed_bind(staged.order, binary))) == [staged.store]
            assert found(conn.ask(keyed_bind(None, binary))) == without
            for store in (5, 6, 7):
                conn.ask(query(f"SET shardferry.tenant = '{store}'"))
                assert found(conn.ask(keyed_bind(None, binary))) == [store]
                if staged.name != "resolve":
                    assert found(conn.ask(keyed_bind(staged.order, binary))) == [staged.store]
                messages = conn.ask(describe("S", "item") + sync())
                assert [m for m in messages if m[0] == "t"][0][1][:2] == struct.pack("!H", 1)
            conn.ask(query(f"SET shardferry.tenant = '{staged.store}'"))
            assert found(conn.ask(keyed_bind(staged.order, binary))) == [staged.store]
            conn.ask(query("RESET shardferry.tenant"))


def test_switching_costs_nothing_once_there_is_a_tenant(staged):
    with Wire(staged.proxy.endpoint()) as conn:
        conn.ask(query("SET shardferry.tenant = '5'"))
        conn.ask(parse(KEYED_ITEM, "item") + sync())
        anew = staged.anew()
        for store in (5, 6, 7, 5):
            conn.ask(query(f"SET shardferry.tenant = '{store}'"))
            assert found(conn.ask(keyed_bind(None))) == [store]
        assert staged.anew() == anew


ROWS = {  # text: the stores, S being the parent's and None the session's
    "literals": ("VALUES (NULL, 1), ({order}, 1)", [None, "S"]),
    "an expression that is NULL": ("VALUES (NULLIF({order}, {order}), 1), (NULLIF({order}, 0), 1)", [None, "S"]),
    "computed once": ("VALUES (NULL, 1), (NULLIF({order}, 0 * (1 + random())::int), 1), ((CASE WHEN random() > 2 THEN 1 END), 1)", [None, "S", None]),
    "one row, computed once": ("VALUES ((SELECT NULLIF(max(store_id), max(store_id)) FROM stores), 1)", [None]),
    "one row, from a table": ("VALUES ((SELECT max(order_id) FROM orders WHERE order_id = {order}), 1)", ["S"]),
    "SELECT without FROM": ("SELECT NULLIF({order}, {order}), 1", [None]),
    "SELECT with an outer join": ("SELECT o.order_id, 1 FROM (VALUES ({order}), (-1)) v(n) LEFT JOIN orders o ON o.order_id = v.n ORDER BY v.n", [None, "S"]),
    "SELECT of an expression": ("SELECT NULLIF(n, -1), 1 FROM (VALUES (-1), ({order})) v(n) ORDER BY n", [None, "S"]),
}


@protocols
@pytest.mark.parametrize("name", ROWS)
def test_rows_without_parent(staged, name, send):
    values, stores = ROWS[name]
    item = f"INSERT INTO line_items (order_id, quantity) {values.format(order=staged.order)} RETURNING store_id"
    with Wire(staged.proxy.endpoint()) as conn:
        for tenant in (staged.store, None, staged.store, 5):
            if tenant == 5 and staged.name == "resolve" and "S" in stores:
                continue  # the session's comes first there, and may not be another than the parent's
            conn.ask(query(f"SET shardferry.tenant = '{tenant}'" if tenant else "RESET shardferry.tenant"))
            expected = [staged.store if store == "S" else tenant for store in stores]
            assert found(conn.ask(send(item))) == (unknown_or(staged, expected) if None in expected else expected)


@protocols
def test_parent_that_is_not_there(staged, send):
    """It is the constraint's to find, whatever the session has."""
    item = "INSERT INTO line_items (order_id, quantity) VALUES (-7 - 0 * length('x'), 1) RETURNING store_id"
    with Wire(staged.proxy.endpoint()) as conn:
        conn.ask(query("SET shardferry.tenant = '5'"))
        assert found(conn.ask(send(item))) == "23503"


def test_set_in_the_same_pipeline(staged):
    """Not known to be set yet, and needed."""
    with Wire(staged.proxy.endpoint()) as conn:
        conn.ask(parse(KEYED_ITEM, "item") + sync())
        conn.send(query("SET shardferry.tenant = '5'") + keyed_bind(None) + query("SET shardferry.tenant = '6'") + keyed_bind(None))
        messages = conn.until("Z", count=4)
        assert found(messages) == [5, 6], kinds(messages)


def test_comment_and_none_by_turns(staged):
    """Texts with a tenant and without one, in one session: neither is planned anew each time."""
    null = "INSERT INTO line_items (order_id, quantity) VALUES (NULLIF(1, 1), 1) RETURNING store_id"
    with Wire(staged.proxy.endpoint()) as conn:
        replanned = []
        for _ in range(4):
            assert found(conn.ask(query(null + " /*tenant='6'*/"))) == [6]
            assert found(conn.ask(query(null))) == unknown_or(staged, [None])
            replanned.append(sum(int(row["replanned"]) for row in staged.proxy.console("SHOW CACHE")))
        assert replanned[1:] == replanned[1:2] * 3
