"""Modes: statements that are not scoped to one tenant are logged, warned of or blocked, by user and by application, but
for those that are allowed."""

import datetime
import random
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import Proxy
from harness.wire import (Wire, bind, close, describe, error_of, execute, fields, flush, function_call, kinds, message, parse, query,
                          rows, sync)
from test_psql import run_psql

MULTI = "SELECT count(*) FROM orders"
MULTI_TOO = "SELECT max(order_id) FROM orders"
SINGLE = "SELECT count(*) FROM orders WHERE store_id = 5"
OPAQUE = "DO $$ BEGIN PERFORM 1; END $$"
INSERT = "INSERT INTO orders (store_id, status) VALUES (5, 'by mode')"


def _proxy(server, authority, **settings):
    made = Proxy(server, authority=authority, tables=tailspin.TABLES, settings=settings)
    made.wait_for_catalog("line_items")
    return made


@pytest.fixture(scope="module")
def blocking(server, authority):
    """A proxy that blocks all that can be blocked."""
    from conftest import DIRECT

    if DIRECT:
        pytest.skip("of the proxy itself")
    made = _proxy(server, authority, **{"audit.mode": "block", "proxy.parse_bytes": "16kB", "proxy.max_statement_bytes": "1MB"})
    yield made
    made.close()
    server.execute("DELETE FROM orders WHERE status = 'by mode'")


@pytest.fixture(scope="module")
def noticing(server, authority):
    from conftest import DIRECT

    if DIRECT:
        pytest.skip("of the proxy itself")
    made = _proxy(server, authority, **{"audit.mode": "notice", "proxy.parse_bytes": "16kB"})
    yield made
    made.close()


def notices(messages):
    return [fields(payload) for kind, payload in messages if kind == "N"]


def fingerprint_of(proxy, text):
    found = [row["fingerprint"] for row in proxy.console("SHOW AUDIT") if (row["sample"] or "").rstrip(";") == text]
    assert len(found) == 1, (text, found)
    return found[0]


def total(proxy, counter):
    return next(int(row[counter]) for row in proxy.console("SHOW STATS") if row["worker"] == "total")


def is_blocked(messages):
    error = error_of(messages)
    return error.get("C") == "0A000" and error["M"].startswith("blocked: ")


def extended(text):
    return parse(text) + bind() + describe("P") + execute() + sync()


# ---- what a blocked statement looks like ----


def test_error_names_table_reason_and_what_to_do(blocking):
    with Wire(blocking.endpoint()) as conn:
        error = error_of(conn.ask(query("SELECT * FROM line_items l JOIN orders o USING (order_id) WHERE o.store_id = 5")))
        plain = error_of(conn.ask(query(MULTI)))
    assert error["S"] == error["V"] == "ERROR" and error["C"] == "0A000"
    assert "public.line_items" in error["M"] and "D" in error
    assert plain["M"] == "blocked: statement is not scoped to one tenant: public.orders"
    assert "store_id" in plain["D"]
    assert f"ALLOW {fingerprint_of(blocking, MULTI)}" in plain["H"]
    assert "P" not in plain and "P" not in error


@pytest.mark.parametrize("send", [query, extended], ids=["simple", "extended"])
@pytest.mark.parametrize("text, blocked", [
    (MULTI, True), (SINGLE, False), ("SELECT 1", False), ("", False), (";", False), ("SELECT count(*) FROM pg_class", False),
    ("UPDATE orders SET status = status WHERE order_id = 1", True), ("DELETE FROM orders WHERE order_id = -1", True),
    ("UPDATE orders SET status = status WHERE store_id = 5", False), ("TRUNCATE line_items", True),
    ("DECLARE c CURSOR WITH HOLD FOR " + MULTI, True), ("DECLARE c2 CURSOR WITH HOLD FOR " + SINGLE, False),
    ("COPY orders TO STDOUT", True), (f"COPY ({SINGLE}) TO STDOUT", False),
    ("EXPLAIN " + MULTI, False), ("EXPLAIN ANALYZE " + MULTI, True), ("EXPLAIN (ANALYZE off) " + MULTI, False),
    ("CREATE TEMP TABLE made_by_mode AS " + MULTI, True), (OPAQUE, True), ("EXECUTE nothing_of_the_kind", True),
    ("SET application_name = 'a'", False), ("SHOW search_path", False), ("BEGIN", False),
    ("LOCK TABLE orders IN ACCESS SHARE MODE", True), ("SELECT 1 FROM orders FOR UPDATE", True),
])
def test_what_is_blocked(blocking, send, text, blocked):
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(send(text))
        assert is_blocked(messages) == blocked, (text, messages)
        assert rows(conn.ask(query("SELECT 'goes on'"))) == [[b"goes on"]]


def test_syntax_error(blocking):
    """A prepared one is the server's to refuse: it is not executed. Else it is blocked, as what the proxy cannot read."""
    with Wire(blocking.endpoint()) as conn:
        assert error_of(conn.ask(extended("SELEC nonsense")))["C"] == "42601"
        error = error_of(conn.ask(query("SELEC nonsense")))
        assert error["C"] == "0A000" and error["M"] == "blocked: statement cannot be read" and "SELEC" in error["D"]


def test_nothing_of_a_string_is_executed(blocking, server):
    before = server.execute("SELECT count(*) FROM orders")
    with Wire(blocking.endpoint()) as conn:
        for text in (f"{INSERT}; {MULTI}; {SINGLE}", f"{MULTI}; {INSERT}", f"BEGIN; {INSERT}; COMMIT; {MULTI}"):
            messages = conn.ask(query(text))
            assert kinds(messages) == "EZ" and is_blocked(messages) and messages[-1][1] == b"I"
    assert server.execute("SELECT count(*) FROM orders") == before


def test_transaction_is_aborted_and_can_be_ended(blocking, server):
    with Wire(blocking.endpoint()) as conn:
        for end in ("ROLLBACK", "COMMIT", "ROLLBACK TO a; RELEASE a; COMMIT"):
            conn.ask(query("BEGIN"))
            conn.ask(query("SAVEPOINT a"))
            messages = conn.ask(query(MULTI))
            assert is_blocked(messages) and messages[-1][1] == b"E"
            # What the server says in an aborted transaction, it says itself.
            assert error_of(conn.ask(query(MULTI)))["C"] == "25P02"
            assert error_of(conn.ask(query(SINGLE)))["C"] == "25P02"
            # A string that ends the transaction may execute what stands behind.
            assert is_blocked(conn.ask(query(f"ROLLBACK; {MULTI}")))
            messages = conn.ask(query(end))
            assert not error_of(messages) and messages[-1][1] == b"I", end


def test_extended_protocol_fails_at_bind(blocking):
    """Parse and Describe of a statement work: it is not executed yet. The statement stays."""
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(parse(MULTI, "s") + describe("S", "s") + sync())
        assert kinds(messages) == "1tTZ"
        messages = conn.ask(bind(name="s") + describe("P") + execute() + sync())
        assert kinds(messages) == "EZ" and is_blocked(messages) and messages[-1][1] == b"I"
        # With a Flush the error comes at once, and what follows is skipped up to the Sync.
        conn.send(bind(name="s") + flush())
        assert is_blocked(conn.until("E"))
        assert kinds(conn.ask(execute() + parse("SELECT 1") + bind() + execute() + sync())) == "Z"
        assert kinds(conn.ask(close("S", "s") + sync())) == "3Z"


def test_pipeline_behind_a_block_is_skipped_to_its_sync(blocking, server):
    before = server.execute("SELECT count(*) FROM orders")
    one = parse(SINGLE) + bind() + execute()
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(parse(INSERT) + bind() + execute() + parse(MULTI) + bind() + execute() + one + sync() + one + sync(), syncs=2)
        assert kinds(messages) == "12C1EZ12DCZ"
        assert is_blocked(messages)
        # In a block the transaction is aborted, and ends with the client's ROLLBACK.
        messages = conn.ask(query("BEGIN") + one + parse(MULTI) + bind() + execute() + sync() + query("ROLLBACK"), syncs=3)
        assert kinds(messages) == "CZ12DC1EZCZ" and [payload for kind, payload in messages if kind == "Z"] == [b"T", b"E", b"I"]
    assert server.execute("SELECT count(*) FROM orders") == before


def test_psycopg_pipeline(blocking):
    with psycopg.connect(autocommit=True, **blocking.endpoint().keywords()) as conn:
        with conn.pipeline() as pipe:
            first = conn.execute(SINGLE)
            pipe.sync()
            conn.execute(MULTI)
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                pipe.sync()
            assert first.fetchone()
        assert conn.execute(SINGLE).fetchone()
        with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
            conn.execute("SELECT * FROM orders WHERE order_id = %s", [5], prepare=True)
        assert caught.value.diag.message_hint and caught.value.diag.message_detail


def test_copy_in(blocking, server):
    """COPY IN is judged before it begins: the client is not asked for data."""
    with Wire(blocking.endpoint()) as conn:
        for send in (query, extended):
            messages = conn.ask(send("COPY orders (store_id, status) FROM STDIN"))
            assert is_blocked(messages) and "G" not in kinds(messages)
        # Of a client that sends its data with the statement nothing is taken for one.
        messages = conn.ask(query("COPY orders (store_id, status) FROM STDIN") + message("d", b"5\tby mode\n") + message("c") + query("SELECT 1"), 2)
        assert kinds(messages) == "EZTDCZ"


def test_prepared_by_sql(blocking):
    with Wire(blocking.endpoint()) as conn:
        assert not error_of(conn.ask(query(f"PREPARE m AS {MULTI}")))
        assert not error_of(conn.ask(query(f"PREPARE s AS {SINGLE}")))
        for send in (query, extended):
            messages = conn.ask(send("EXECUTE m"))
            assert is_blocked(messages) and "public.orders" in error_of(messages)["M"]
            assert not error_of(conn.ask(send("EXECUTE s")))
            assert is_blocked(conn.ask(send("EXPLAIN ANALYZE EXECUTE m")))
            assert is_blocked(conn.ask(send("CREATE TEMP TABLE of_m AS EXECUTE m")))
            assert not error_of(conn.ask(send("EXPLAIN EXECUTE m")))
        # Prepared and executed in one breath: it is not known yet what a name stands for.
        assert is_blocked(conn.ask(query(f"PREPARE x AS {MULTI}; EXECUTE x")))
        messages = conn.ask(query(f"PREPARE x AS {MULTI}") + query("EXECUTE x"), syncs=2)
        assert kinds(messages) == "CZEZ" and is_blocked(messages)
        messages = conn.ask(parse("DEALLOCATE s") + bind() + execute() + parse(f"PREPARE s AS {MULTI}") + bind() + execute() +
                            parse("EXECUTE s") + bind() + execute() + sync())
        assert is_blocked(messages) and "D" not in kinds(messages)


def test_names_of_both_kinds(blocking):
    """SQL and the protocol prepare under the same names, and each executes what the other has prepared."""
    with Wire(blocking.endpoint()) as conn:
        conn.ask(query(f"PREPARE m AS {MULTI}") + query(f"PREPARE s AS {SINGLE}") + parse(MULTI, "pm") + parse(SINGLE, "ps") + sync(), syncs=3)
        assert is_blocked(conn.ask(bind(name="m") + execute() + sync()))
        assert kinds(conn.ask(bind(name="s") + execute() + sync())) == "2DCZ"
        for send in (query, extended):
            assert is_blocked(conn.ask(send("EXECUTE pm"))) and not error_of(conn.ask(send("EXECUTE ps")))
        assert error_of(conn.ask(bind(name="nothing") + execute() + sync()))["C"] == "26000"


@pytest.mark.parametrize("change", [close("S", "x"), close("S", "x") + parse(SINGLE, "x"), query("SELECT 1") + parse(SINGLE, "x")],
                         ids=["close", "other", "query"])
def test_what_a_failed_batch_was_to_change(blocking, change):
    """A batch behind one that fails meets what was there before that."""
    failing = parse("SELECT nothing") + change + sync()
    with Wire(blocking.endpoint()) as conn:
        for wait in (True, False):
            first = parse(MULTI, "x") + sync()
            messages = conn.ask(first) if wait else []
            messages = conn.ask((b"" if wait else close("S", "x") + first) + failing + bind(name="x") + execute() + sync(), syncs=2 if wait else 3)
            assert is_blocked(messages[-2:]) and kinds(messages)[-2:] == "EZ" and "D" not in kinds(messages)


def test_unnamed_statement_behind_a_failed_batch(blocking):
    """The server drops it for a simple query, but not for one that it skips."""
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(parse(MULTI) + sync() + parse("SELECT nothing", "n") + query("SELECT 1") + sync() + bind() + execute() + sync(), syncs=3)
        assert kinds(messages) == "1ZEZEZ" and is_blocked(messages[-2:])
        messages = conn.ask(parse(MULTI) + sync() + query("SELECT 1") + bind() + execute() + sync(), syncs=3)
        assert error_of(messages)["C"] == "26000"


def test_a_name_that_is_given_anew_behind_a_skipped_close(blocking):
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(parse("SELECT nothing") + parse(SINGLE, "y") + close("S", "y") + sync() + parse(MULTI, "y") + sync()
                            + bind(name="y") + execute() + sync(), syncs=3)
        assert is_blocked(messages[-2:]) and "D" not in kinds(messages)


def test_random_conversations(blocking, server):
    """A blocked statement behaves as one that fails when it is bound, whatever surrounds it."""
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)

    def steps():
        names = {"single": SINGLE, "bad": None, "begin": "BEGIN", "commit": "COMMIT", "rollback": "ROLLBACK", "savepoint": "SAVEPOINT a",
                 "back": "ROLLBACK TO a", "nothing": "SELECT nothing"}
        made = []
        for _ in range(chance.randrange(2, 14)):
            name = chance.choice(list(names) + ["bad"] * 3)
            made.append((chance.choice(["query", "step", "step", "step", "named", "bind", "parse", "sync", "close"]), names[name], chance.choice("xy")))
        return made + [("sync", "", ""), ("query", "ROLLBACK", "")]

    def data(made, bad):
        sent, syncs = b"", 0
        for kind, text, name in made:
            text = bad if text is None else text
            sent += {"query": query(text), "step": parse(text) + bind() + describe("P") + execute(), "parse": parse(text, name),
                     "named": parse(text, name) + bind(name=name) + execute() + close("S", name), "bind": bind(name=name) + execute(),
                     "sync": sync(), "close": close("S", name)}[kind]
            if kind == "query":  # one ReadyForQuery each only outside of a pipeline that has failed
                sent = sent[:-len(query(text))] + sync() + query(text)
                syncs += 1
            syncs += kind in ("sync", "query")
        return sent, syncs

    for _ in range(150):
        made = steps()
        with Wire(blocking.endpoint()) as proxied, Wire(server.endpoint()) as direct:
            seen = proxied.ask(*data(made, MULTI))
            expected = direct.ask(*data(made, "SELECT 1/0 FROM orders"))
        shape = lambda messages: [(kind, payload if kind == "Z" else None) for kind, payload in messages if kind != "N"]
        if any(kind == "E" and b"cannot be judged by its text" in payload for kind, payload in seen):
            # Behind a ROLLBACK TO that is under way, and may have found no savepoint, names are not known: nothing is to pass.
            assert ("ROLLBACK TO a" in [text for _, text, _ in made]), (seed, made)
            continue
        assert shape(seen) == shape(expected), (seed, made)


def test_cursor_of_a_single_tenant(blocking):
    with Wire(blocking.endpoint()) as conn:
        for text in ("BEGIN", "DECLARE c CURSOR FOR SELECT order_id FROM orders WHERE store_id = 5", "FETCH 1 FROM c", "MOVE 1 IN c", "CLOSE c", "COMMIT"):
            assert not error_of(conn.ask(query(text))), text


def test_function_call_passes(blocking, server):
    (oid,), = server.execute("SELECT 'pg_catalog.now()'::regprocedure::oid")
    with Wire(blocking.endpoint()) as conn:
        assert "V" in kinds(conn.ask(function_call(oid, [])))


def test_psql(blocking):
    script = f"BEGIN;\n{SINGLE};\n{MULTI};\nROLLBACK;\n{SINGLE};\n\\d orders\n\\set FETCH_COUNT 3\nSELECT order_id FROM orders;\n"
    out, err, _ = run_psql(blocking.endpoint(), script)
    assert err.count("0A000") == 2 and "DETAIL" in err and "HINT" in err
    assert "Foreign-key constraints" in out and "Referenced by" in out


# ---- what cannot be read ----


CONTROL = ["BEGIN", "SAVEPOINT a", "ROLLBACK TO a", "COMMIT", "SHOW client_encoding", "BEGIN; ROLLBACK", "/* c */ begin -- c"]


@pytest.mark.parametrize("state", ["SET client_encoding = 'SJIS'", "SET standard_conforming_strings = off"])
@pytest.mark.parametrize("send", [query, extended], ids=["simple", "extended"])
def test_unreadable_session(blocking, state, send):
    """Everything is blocked but what ends a transaction and puts the session right."""
    with Wire(blocking.endpoint()) as conn:
        assert not error_of(conn.ask(query(state)))
        for text in ("SELECT 1", SINGLE, "SELECT 'x'", "SET search_path = 'a\\'", "BEGIN; SELECT 1", "ROLLBACK; DELETE FROM orders",
                     "SET application_name = 'ä'"):
            messages = conn.ask(send(text))
            assert is_blocked(messages) or (send is extended and error_of(messages)["C"] == "42601"), text
        for text in CONTROL:
            if send is query or ";" not in text:
                assert not error_of(conn.ask(send(text))), text
        assert not error_of(conn.ask(send("RESET ALL")))
        assert not error_of(conn.ask(query(SINGLE)))


def test_invalid_utf8(blocking):
    with Wire(blocking.endpoint()) as conn:
        messages = conn.ask(message("Q", b"SELECT invalid, '\xff'\0"))
        assert is_blocked(messages) and "UTF-8" in error_of(messages)["D"]


@pytest.mark.parametrize("settings, log", [("block", True), ("block, unparsed: log", False)])
def test_text_over_parse_bytes(make_proxy, settings, log):
    proxy = make_proxy(settings={"audit.mode": settings, "proxy.parse_bytes": "2kB", "proxy.max_statement_bytes": "1MB"})
    proxy.wait_for_catalog("line_items")
    long = "SET x.y = 1; -- " + "x" * 20000 + "\n; " + SINGLE
    padded = SINGLE + " /* " + "x" * 300000 + " */"
    with Wire(proxy.endpoint()) as conn:
        for text in (long, padded):
            assert is_blocked(conn.ask(query(text))) == log
            assert rows(conn.ask(query("SELECT 'goes on'"))) == [[b"goes on"]]
        messages = conn.ask(parse(padded, "long") + describe("S", "long") + sync())
        assert kinds(messages) == "1tTZ"
        for _ in range(2):
            messages = conn.ask(bind(name="long") + execute() + sync())
            assert is_blocked(messages) == log and ("D" in kinds(messages)) != log
        # In the place of another, and closed again.
        conn.ask(parse("SELECT 1", "long2") + close("S", "long") + parse(SINGLE, "long") + sync())
        assert kinds(conn.ask(bind(name="long") + execute() + sync())) == "2DCZ"
        conn.ask(query("BEGIN"))
        conn.ask(query("SELECT 1/0"))
        assert is_blocked(conn.ask(query("ROLLBACK; " + padded))) == log
        conn.ask(query("ROLLBACK"))
        assert error_of(conn.ask(query("SELECT '" + "x" * 1100000 + "'")))["C"] == "54000"


def test_long_statement_is_blocked_after_a_reload(make_proxy):
    proxy = make_proxy(settings={"proxy.parse_bytes": "2kB"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        assert kinds(conn.ask(parse(SINGLE + " " * 5000, "s") + bind(name="s") + execute() + sync())) == "12DCZ"
        _reload(proxy, {"audit.mode": "log, unparsed: block"})
        assert is_blocked(conn.ask(bind(name="s") + execute() + sync()))


# ---- who ----


def outcome(conn, text):
    """log, notice or block."""
    messages = conn.ask(query(text))
    if is_blocked(messages):
        return "block"
    assert not error_of(messages), messages
    return "notice" if notices(messages) else "log"


def test_precedence(make_proxy):
    """The application's mode over the user's over that of [audit], each for what it names."""
    proxy = make_proxy(settings={
        "audit.mode": "notice, opaque: block",
        "user app_trust.mode": "multi-tenant: block",
        'user "App_Trust".mode': "log",
        "application nightly.mode": "multi-tenant: log",
        'application "Web App*".mode': "block",
        'application "Web App: psql".mode': "log",
        "application Web.mode": "opaque: notice",
    })
    proxy.wait_for_catalog("line_items")
    cases = [
        ("postgres", "", "notice", "block"), ("app_trust", "", "block", "block"), ("postgres", "nightly", "log", "block"),
        ("app_trust", "nightly", "log", "block"), ("postgres", "Web App: 17", "block", "block"), ("app_trust", "Web App: psql", "log", "log"),
        ("app_trust", "Web", "block", "notice"), ("app_trust", "web", "block", "block"), ("postgres", "Web Ap", "notice", "block"),
    ]
    for user, application, multi, opaque in cases:
        with Wire(proxy.endpoint(user=user), connect=False) as conn:
            conn.start_session(**({"application_name": application} if application else {}))
            assert (outcome(conn, MULTI), outcome(conn, OPAQUE)) == (multi, opaque), (user, application)
            if application == "Web App: 17":
                assert [row["mode"] for row in proxy.console("SHOW CLIENTS") if row["application_name"] == application] == ["block"]


def test_application_name_is_followed(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "log", "application strict.mode": "block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        assert outcome(conn, MULTI) == "log"
        conn.ask(query("SET application_name = 'strict'"))
        assert outcome(conn, MULTI) == "block"
        conn.ask(query("RESET application_name"))
        assert outcome(conn, MULTI) == "log"
        conn.ask(query("BEGIN; SET LOCAL application_name = 'strict'"))
        assert outcome(conn, MULTI) == "block"
        conn.ask(query("ROLLBACK"))
        assert outcome(conn, MULTI) == "log"


def test_refused_by_citus_has_a_mode_of_its_own(make_proxy):
    """SELECT … FOR UPDATE without the tenant is more than fan-out, where the proxy says so."""
    text = "SELECT * FROM orders WHERE order_id = 1 FOR UPDATE"
    proxy = make_proxy(settings={"audit.mode": "log, refused: block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        if outcome(conn, text) == "log":
            pytest.skip("what Citus refuses is not told apart")
        assert "Citus" in error_of(conn.ask(query(text)))["M"]
        assert outcome(conn, MULTI) == "log"
        _reload(proxy, {"audit.mode": "log, multi-tenant: notice, refused: log"})
        assert outcome(conn, text) == "log" and outcome(conn, MULTI) == "notice"


# ---- reload ----


def _reload(proxy, changes):
    proxy.configure(changes)
    assert proxy.console("RELOAD") == "RELOAD"


def test_reload_reaches_open_sessions(make_proxy):
    proxy = make_proxy()
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        prepared = bind(name="s") + execute() + sync()
        conn.ask(parse(MULTI, "s") + sync() + query(f"PREPARE p AS {MULTI}"), syncs=2)
        assert kinds(conn.ask(prepared)) == "2DCZ" and outcome(conn, "EXECUTE p") == "log"
        conn.ask(query("BEGIN"))
        conn.ask(parse("SELECT order_id FROM orders ORDER BY 1", "t") + bind(portal="fresh", name="t") + bind(portal="begun", name="t") +
                 execute("begun", 2) + sync())
        _reload(proxy, {"audit.mode": "block"})
        # What has begun goes on; what was only bound is not begun.
        assert kinds(conn.ask(execute("begun", 2) + sync())) == "DDsZ"
        messages = conn.ask(execute("fresh", 2) + sync())
        assert kinds(messages) == "EZ" and is_blocked(messages)
        conn.ask(query("ROLLBACK"))
        assert is_blocked(conn.ask(prepared)) and outcome(conn, "EXECUTE p") == "block" and outcome(conn, MULTI) == "block"
        _reload(proxy, {"audit.mode": "log"})
        assert kinds(conn.ask(prepared)) == "2DCZ" and outcome(conn, "EXECUTE p") == "log"


def test_what_is_wrong_with_a_file_leaves_the_old_one_in_force(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "log, multi-tenant: block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        for wrong in ({"audit.mode": "loud"}, {"audit.mode": "single-tenant: block"}, {"audit.mode": "log", "allow.123": "forever"},
                      {"allow.123": None, "allow.00000000000000ab": "2027-02-30"}):
            proxy.configure(wrong)
            with pytest.raises(psycopg.Error):
                proxy.console("RELOAD")
            assert outcome(conn, MULTI) == "block"


def test_search_path_changes_what_is_blocked(make_proxy, server):
    """A decision belongs to the catalog and the search_path: a plan that is made anew has another."""
    server.execute("CREATE SCHEMA mode_other CREATE TABLE orders (order_id bigint)")
    try:
        proxy = make_proxy(settings={"audit.mode": "block"})
        proxy.wait_for_catalog("mode_other.orders")
        with Wire(proxy.endpoint()) as conn:
            conn.ask(query("SET search_path = mode_other") + parse(MULTI, "s") + sync(), syncs=2)
            assert kinds(conn.ask(bind(name="s") + execute() + sync())) == "2DCZ"
            conn.ask(query("SET search_path = public"))
            assert is_blocked(conn.ask(bind(name="s") + execute() + sync()))
    finally:
        server.execute("DROP SCHEMA mode_other CASCADE")


# ---- notices ----


@pytest.mark.parametrize("send", [query, extended], ids=["simple", "extended"])
def test_notice_comes_ahead_of_the_reply(noticing, send):
    with Wire(noticing.endpoint()) as conn:
        direct = [kind for kind in kinds(conn.ask(send(SINGLE)))]
        messages = conn.ask(send(MULTI))
        notice, = notices(messages)
        assert notice["S"] == notice["V"] == "WARNING" and notice["C"] == "01000"
        assert notice["M"] == "statement is not scoped to one tenant: public.orders" and "store_id" in notice["D"]
        assert kinds(messages).replace("N", "") == "".join(direct)
        assert kinds(messages).index("N") <= kinds(messages).index("T") and not error_of(messages)


def test_notice_once_in_a_session_for_each_shape(noticing):
    def shape(number):
        return "SELECT order_id" + "".join(" + (order_id" if number & 1 << bit else " - (order_id" for bit in range(11)) + ")" * 11 + " FROM orders LIMIT 0"

    with Wire(noticing.endpoint()) as conn:
        text = "SELECT count(*) FROM orders WHERE order_id = {}"
        seen = [len(notices(conn.ask(query(text.format(number))))) for number in range(5)]
        assert seen == [1, 0, 0, 0, 0]
        assert len(notices(conn.ask(query(MULTI_TOO)))) == 1
        assert not notices(conn.ask(extended(MULTI_TOO)))
        # Many shapes: each once, and an end to it.
        count = 0
        for number in range(0, 1100, 10):
            count += len(notices(conn.ask(query("; ".join(shape(n) for n in range(number, number + 10))))))
        assert count == 1024 - 2
        assert not notices(conn.ask(query(shape(2000))))
    with Wire(noticing.endpoint()) as conn:
        assert len(notices(conn.ask(query(text.format(1))))) == 1


def test_notices_keep_their_order_in_a_pipeline(noticing):
    with Wire(noticing.endpoint()) as conn:
        step = lambda text: parse(text) + bind() + execute()
        messages = conn.ask(step(SINGLE) + step(MULTI) + step("SELECT 1") + step(MULTI_TOO) + sync() + step("SELECT nothing") + step("SELECT max(status) FROM orders") + sync() +
                            query("SELECT 2") + query("SELECT max(status) FROM orders"), syncs=4)
        assert kinds(messages) == "12DC1N2DC12DC1N2DCZ" + "EZ" + "TDCZ" + "NTDCZ"
        # In an aborted transaction nothing is executed and nothing said.
        conn.ask(query("BEGIN"))
        conn.ask(query("SELECT 1/0"))
        messages = conn.ask(query("SELECT min(status) FROM orders"))
        assert kinds(messages) == "EZ"
        conn.ask(query("ROLLBACK"))
        assert kinds(conn.ask(query("SELECT min(status) FROM orders"))) == "NTDCZ"


def test_notice_of_each_kind(noticing):
    with Wire(noticing.endpoint()) as conn:
        conn.ask(query(f"PREPARE m AS {MULTI}"))
        for data, said in ((query("EXECUTE m"), "public.orders"), (query(OPAQUE), "judged"), (query("SELEC 1"), "read"),
                           (query("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM orders"), "public.orders"),
                           (query(SINGLE + " " * 20000), "read"), (query("COPY orders TO STDOUT"), "public.orders")):
            messages = conn.ask(data)
            assert kinds(messages)[0] == "N" and said in notices(messages)[0]["M"], (data[:60], messages[:2])
        messages = conn.ask(parse(SINGLE + " " * 30000) + bind() + execute() + sync())
        assert kinds(messages) == "1N2DCZ"


def test_copy_with_a_notice(noticing):
    with Wire(noticing.endpoint()) as conn:
        messages = conn.ask(query("COPY orders (order_id, store_id, status) FROM STDIN") + message("f", b"no\0"))
        assert kinds(messages)[:2] == "NG" and kinds(messages)[-2:] == "EZ"


def test_psycopg_sees_the_notice(noticing):
    seen = []
    with psycopg.connect(autocommit=True, **noticing.endpoint().keywords()) as conn:
        conn.add_notice_handler(lambda diag: seen.append((diag.severity, diag.sqlstate, diag.message_primary)))
        with conn.pipeline():
            first, second = conn.execute(MULTI), conn.execute(SINGLE)
        assert first.fetchone() and second.fetchone()
        with conn.cursor().copy("COPY orders TO STDOUT") as copy:
            assert len(list(copy)) >= 200
    assert [severity for severity, _, _ in seen] == ["WARNING"] * 2


def test_rows_stream_behind_a_notice(noticing):
    with Wire(noticing.endpoint()) as conn:
        messages = conn.ask(query("SELECT repeat('x', 1000) FROM orders, generate_series(1, 50)"))
        assert kinds(messages)[0] == "N" and len(rows(messages)) >= 10000 and kinds(messages)[-2:] == "CZ"


def test_counters(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "notice, opaque: block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        for _ in range(3):
            conn.ask(query(MULTI))
        for _ in range(2):
            conn.ask(query(OPAQUE))
        conn.ask(query(SINGLE))
    assert (total(proxy, "noticed"), total(proxy, "blocked"), total(proxy, "errors")) == (3, 2, 2)


# ---- the allow-list ----


def _iso(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def allowed(proxy):
    return {row["fingerprint"]: row for row in proxy.console("SHOW ALLOWED")}


def test_allow_on_the_console(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "block"})
    proxy.wait_for_catalog("line_items")
    prepared = bind(name="s") + execute() + sync()
    with Wire(proxy.endpoint()) as conn:
        conn.ask(parse(MULTI, "s") + sync())
        assert outcome(conn, MULTI) == "block" and is_blocked(conn.ask(prepared))
        fingerprint = fingerprint_of(proxy, MULTI)
        assert proxy.console(f"ALLOW {fingerprint}") == "ALLOW"
        assert outcome(conn, MULTI) == "log" and kinds(conn.ask(prepared)) == "2DCZ"
        assert outcome(conn, f"{SINGLE}; {MULTI}") == "log"
        assert outcome(conn, f"{MULTI_TOO}; {MULTI}") == "block" and outcome(conn, MULTI_TOO) == "block"
        row = allowed(proxy)[fingerprint]
        assert row["until"] == "forever" and row["source"] == "console" and row["allowed_by"].startswith("postgres") and row["expired"] == "f"
        assert int(row["hits"]) >= 3 and row["last_hit"]
        _reload(proxy, {"audit.fingerprints": "5000"})
        assert outcome(conn, MULTI) == "log"  # the console's entries survive a reload
        assert proxy.console(f"disallow '{fingerprint.upper()}' ;") == "DISALLOW"
        assert outcome(conn, MULTI) == "block" and is_blocked(conn.ask(prepared)) and fingerprint not in allowed(proxy)
        with pytest.raises(psycopg.Error, match="not allowed on the console"):
            proxy.console(f"DISALLOW {fingerprint}")


def test_allow_ends_in_time(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        outcome(conn, MULTI)
        fingerprint = fingerprint_of(proxy, MULTI)
        end = int(time.time()) + 3
        stamp = datetime.datetime.fromtimestamp(end, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
        proxy.console(f"ALLOW {fingerprint} UNTIL '{stamp}'")
        assert allowed(proxy)[fingerprint]["until"] == stamp + "+00"
        while time.time() < end - 0.4:
            assert outcome(conn, MULTI) == "log"
            time.sleep(0.1)
        time.sleep(max(0, end + 0.4 - time.time()))
        assert outcome(conn, MULTI) == "block"
        assert allowed(proxy)[fingerprint]["expired"] == "t"
        proxy.console(f"ALLOW {fingerprint}")
        assert outcome(conn, MULTI) == "log"


@pytest.mark.parametrize("command", [
    "ALLOW", "ALLOW 12", "ALLOW zzzzzzzzzzzzzzzz", "ALLOW 0000000000000000", "ALLOW 50fde20626009aba UNTIL", "ALLOW 50fde20626009aba UNTIL 2099-01-01",
    "ALLOW 50fde20626009aba UNTIL 'tomorrow'", "ALLOW 50fde20626009aba UNTIL '2020-01-01'", "ALLOW 50fde20626009aba UNTIL '2099-01-01' x",
    "ALLOW 50fde20626009aba FOR '2099-01-01'", "ALLOW 50fde20626009aba UNTIL '2099-01-01 because'", "ALLOW 50fde20626009aba UNTIL '2099-01-01",
    "DISALLOW", "DISALLOW 50fde20626009aba x", "ALLOWED", "ALLOW50fde20626009aba",
])
def test_wrong_commands(blocking, command):
    with pytest.raises(psycopg.Error) as caught:
        blocking.console(command)
    assert caught.value.sqlstate in ("42601", "F0000", "0A000")
    assert "50fde20626009aba" not in allowed(blocking)


def test_console_commands_in_the_extended_protocol(make_proxy):
    proxy = make_proxy()
    with psycopg.connect(autocommit=True, **proxy.unix_endpoint("shardferry").keywords()) as conn:
        conn.execute("ALLOW 50fde20626009aba UNTIL '2099-01-01'", prepare=False, binary=False)
        assert [row[0] for row in conn.execute("SHOW ALLOWED").fetchall()] == ["50fde20626009aba"]
        conn.execute("DISALLOW 50fde20626009aba")
        assert conn.execute("SHOW ALLOWED").fetchall() == []
        help = dict(conn.execute("SHOW HELP").fetchall())
    assert "ALLOW FINGERPRINT [UNTIL 'TIME']" in help and "DISALLOW FINGERPRINT" in help and "SHOW ALLOWED" in help


def test_allow_in_the_file(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "block"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        for text in (MULTI, MULTI_TOO, OPAQUE, "SELEC nonsense"):
            assert outcome(conn, text) == "block"
        fingerprints = {text: fingerprint_of(proxy, text) for text in (MULTI, MULTI_TOO, OPAQUE, "SELEC nonsense")}
        _reload(proxy, {f"allow.{fingerprints[MULTI]}": "forever the nightly count", f"allow.{fingerprints[MULTI_TOO]}": "2020-01-01 12:00",
                        f"allow.{fingerprints['SELEC nonsense']}": "2099-01-01 12:00+02:00", f"allow.{fingerprints[OPAQUE].upper()}": _iso(3600)})
        assert outcome(conn, MULTI) == "log" and outcome(conn, MULTI_TOO) == "block" and outcome(conn, OPAQUE) == "log"
        assert error_of(conn.ask(query("SELEC nonsense")))["C"] == "42601"
        proxy.wait_for_log(f"{fingerprints[MULTI_TOO]} is not allowed any more: that ended at 2020-01-01 12:00:00")
        rows = allowed(proxy)
        assert rows[fingerprints[MULTI]]["reason"] == "the nightly count" and rows[fingerprints[MULTI]]["hits"] == "1"
        assert proxy.config + ":" in rows[fingerprints[MULTI]]["source"] and rows[fingerprints[MULTI]]["allowed_by"] is None
        assert rows[fingerprints[MULTI_TOO]]["expired"] == "t" and rows[fingerprints["SELEC nonsense"]]["until"] == "2099-01-01 10:00:00+00"
        with pytest.raises(psycopg.Error, match="by the configuration file"):
            proxy.console(f"DISALLOW {fingerprints[MULTI]}")
        # The console may add to what the file says, and the file's entries go with their lines.
        proxy.console(f"ALLOW {fingerprints[MULTI_TOO]}")
        assert outcome(conn, MULTI_TOO) == "log"
        _reload(proxy, {f"allow.{fingerprint}": None for text, fingerprint in fingerprints.items()} | {f"allow.{fingerprints[OPAQUE].upper()}": None})
        assert outcome(conn, MULTI) == "block" and outcome(conn, OPAQUE) == "block" and outcome(conn, MULTI_TOO) == "log"
    # Fingerprints are the same in every process, also of what cannot be parsed.
    other = make_proxy(settings={"audit.mode": "block", f"allow.{fingerprints['SELEC nonsense']}": "forever"})
    other.wait_for_catalog("line_items")
    with Wire(other.endpoint()) as conn:
        assert error_of(conn.ask(query("SELEC nonsense")))["C"] == "42601"


def test_a_statement_that_is_allowed_is_not_warned_of(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "notice"})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        conn.ask(query(MULTI))
    proxy.console(f"ALLOW {fingerprint_of(proxy, MULTI)}")
    with Wire(proxy.endpoint()) as conn:
        assert outcome(conn, MULTI) == "log" and outcome(conn, MULTI_TOO) == "notice"


# ---- with the migration under way ----


def test_rewritten_statements(migration):
    """Lookups and rewritten COPY of the proxy's own are never blocked, and a warning is given once."""
    migration.derive()
    migration.keyed()
    migration.resolve()
    _reload(migration.proxy, {"audit.mode": "notice"})
    with Wire(migration.proxy.endpoint()) as conn:
        for order in (11, 12, 12):
            messages = conn.ask(query(f"INSERT INTO line_items (order_id, product_id) VALUES ({order}, 1)"))
            assert not error_of(messages)
            messages = conn.ask(parse("INSERT INTO line_items (order_id, product_id) VALUES ($1, 1)") + bind([str(order + 5)]) + execute() + sync())
            assert not error_of(messages)
        messages = conn.ask(query("COPY line_items (order_id, product_id) FROM STDIN") + message("d", b"21\t1\n22\t1\n") + message("c"))
        assert not error_of(messages) and kinds(messages).count("N") <= 1 and kinds(messages)[-2:] == "CZ"
    before = migration.execute("SELECT count(*) FROM line_items")
    _reload(migration.proxy, {"audit.mode": "block"})
    with Wire(migration.proxy.endpoint()) as conn:
        messages = conn.ask(query("UPDATE line_items SET quantity = 2 WHERE order_id = 11"))
        assert is_blocked(messages)
        for send in (query, extended):
            messages = conn.ask(send("COPY line_items (order_id, product_id) FROM STDIN"))
            if is_blocked(messages):
                assert "G" not in kinds(messages)
            else:
                conn.ask(message("f", b"no\0"))
    assert migration.execute("SELECT count(*) FROM line_items") == before
    assert migration.execute(tailspin.WRONG_ROWS) == []


# ---- the audit's switch ----


def test_audit_off(make_proxy, tmp_path):
    """Nothing is counted or logged; modes hold; it is turned on and off by a reload."""
    log = tmp_path / "audit.log"
    proxy = make_proxy(settings={"audit.enabled": "off", "audit.mode": "log, opaque: block", "audit.log": str(log)})
    proxy.wait_for_catalog("line_items")
    with Wire(proxy.endpoint()) as conn:
        conn.ask(parse(MULTI, "s") + sync())
        prepared = bind(name="s") + execute() + sync()
        assert kinds(conn.ask(prepared)) == "2DCZ" and outcome(conn, MULTI) == "log" and outcome(conn, OPAQUE) == "block"
        assert proxy.console("SHOW AUDIT") == [] and total(proxy, "unscoped") == 0 and total(proxy, "blocked") == 1
        _reload(proxy, {"audit.enabled": "on"})
        conn.ask(prepared)
        conn.ask(query(MULTI))
        assert [row["calls"] for row in proxy.console("SHOW AUDIT") if row["sample"] == MULTI] == ["2"] and total(proxy, "unscoped") == 2
        process.wait_until(lambda: log.read_text().count("\n") == 1, what="a line in the audit log")
        _reload(proxy, {"audit.enabled": "off"})
        conn.ask(prepared)
        conn.ask(query(MULTI))
        conn.ask(query(MULTI_TOO))
        assert [row["calls"] for row in proxy.console("SHOW AUDIT") if row["sample"] == MULTI] == ["2"] and total(proxy, "unscoped") == 2
    assert log.read_text().count("\n") == 1


# ---- the configuration ----


def test_config_prints_what_it_took(shardferry, tmp_path):
    file = tmp_path / "modes.ini"
    file.write_text("[proxy]\nlisten = *:6432\ncoordinator = host=db\n[audit]\nmode = block, opaque: log\n[user \"Ada\"]\nmode = log\n"
                    "[application \"puma*\"]\nmode = multi-tenant: notice\n[allow]\n50fde20626009aba = 2020-01-01 old\n")
    done = shardferry("config", "-c", str(file))
    assert done.returncode == 0, done.stderr
    assert "mode = block, opaque: log" in done.stdout and '[user "Ada"]' in done.stdout and '[application "puma*"]' in done.stdout
    assert "50fde20626009aba = 2020-01-01 00:00:00+00 old" in done.stdout
    assert "50fde20626009aba is not allowed any more" in done.stderr
    again = tmp_path / "again.ini"
    again.write_text(done.stdout)
    repeated = shardferry("config", "-c", str(again))
    strip = lambda text: [line.split(" ;")[0].rstrip() for line in text.splitlines()]
    assert strip(repeated.stdout) == strip(done.stdout)
