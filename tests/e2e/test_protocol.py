"""The same bytes, sent to the server and to the proxy, get the same messages back, byte for byte.

Each case is what a client sends after its startup, in one piece and again byte by byte, and how many ReadyForQuery
answer it.
"""

import struct
import time

import pytest

from harness import wire
from harness.wire import Wire, bind, close, cstring, describe, execute, flush, function_call, message, parse, query, sync

ROWS = "SELECT n FROM generate_series(1, 10) n"
TEXT, INT4, INT8 = 25, 23, 20


def fast_path(name):
    """The OID of a built-in function, fixed in pg_proc.dat."""
    return {"lo_creat": 957, "lo_unlink": 964, "int4pl": 177, "pg_backend_pid": 2026}[name]


CASES = {
    # simple queries
    "select": (query("SELECT 1, 'two', NULL"), 1),
    "empty query": (query(""), 1),
    "comment alone": (query("-- nothing"), 1),
    "semicolons": (query(";;;"), 1),
    "several statements": (query("SELECT 1; SELECT 2; VALUES (3), (4)"), 1),
    "error among several": (query("SELECT 1; SELECT 1/0; SELECT 3"), 1),
    "syntax error": (query("SELECT FROM WHERE"), 1),
    "two queries at once": (query("SELECT 1") + query("SELECT 2"), 2),
    "transaction block": (query("BEGIN") + query("SELECT 1/0") + query("SELECT 1") + query("ROLLBACK"), 4),
    "set and show": (query("SET application_name = 'x'") + query("SHOW application_name"), 2),
    "notice": (query("DO $$ BEGIN RAISE NOTICE 'n' USING DETAIL = 'd', HINT = 'h'; END $$"), 1),
    "long query": (query("SELECT length('" + "x" * 300000 + "')"), 1),
    "wide row": (query("SELECT repeat('x', 500000)"), 1),
    "many columns": (query("SELECT " + ", ".join(map(str, range(1600)))), 1),
    "invalid utf-8": (message("Q", b"SELECT '\xff\xfe'\0"), 1),
    # extended
    "extended": (parse("SELECT $1::int + 1") + bind(["41"]) + describe("P") + execute() + sync(), 1),
    "named": (parse("SELECT $1::text", "s") + bind(["a"], "p", "s") + execute("p") + bind(["b"], "p2", "s") + execute("p2")
              + close("P", "p") + close("S", "s") + sync(), 1),
    "named, reused over syncs": (parse("SELECT $1::int", "s") + sync() + bind(["1"], "", "s") + execute() + sync()
                                 + bind(["2"], "", "s") + execute() + sync() + close("S", "s") + sync(), 4),
    "statement name twice": (parse("SELECT 1", "s") + sync() + parse("SELECT 2", "s") + sync() + bind((), "", "s") + execute()
                             + sync(), 3),
    "unnamed statement replaced": (parse("SELECT 1") + parse("SELECT 2") + bind() + execute() + sync(), 1),
    "unnamed statement gone after a query": (parse("SELECT 1") + sync() + query("SELECT 2") + bind() + execute() + sync(), 3),
    "describe statement": (parse("SELECT $1::int AS a, $2::text AS b", "s") + describe("S", "s") + sync() + close("S", "s") + sync(),
                           2),
    "describe without result": (parse("CREATE TEMP TABLE never (a int)") + describe("S") + sync(), 1),
    "declared types": (parse("SELECT $1, $2", types=[INT8, TEXT]) + describe("S") + bind(["5", "x"]) + execute() + sync(), 1),
    "binary": (parse("SELECT $1::int4, $2::text", types=[INT4, TEXT])
               + bind([struct.pack("!i", -5), b"abc"], formats=[1], result_formats=[1, 0]) + describe("P") + execute() + sync(), 1),
    "null parameter": (parse("SELECT $1::int IS NULL") + bind([None]) + execute() + sync(), 1),
    "empty in extended": (parse("") + bind() + describe("P") + execute() + sync(), 1),
    "max rows": (parse(ROWS) + bind() + execute("", 3) + execute("", 3) + execute("", 0) + execute("", 5) + sync(), 1),
    "portal across executes in a transaction": (
        query("BEGIN") + parse(ROWS) + bind((), "c") + execute("c", 4) + sync() + execute("c", 4) + sync() + execute("c", 4) + sync()
        + query("COMMIT") + execute("c", 1) + sync(), 6),
    "two portals side by side": (parse(ROWS, "s") + bind((), "a", "s") + bind((), "b", "s") + execute("a", 2) + execute("b", 3)
                                 + execute("a", 2) + execute("b", 0) + close("S", "s") + sync(), 1),
    "command in extended": (parse("SET work_mem = '5MB'") + bind() + execute() + parse("SHOW work_mem") + bind() + execute()
                            + sync(), 1),
    "sync alone": (sync() + sync() + sync(), 3),
    "close what is not there": (close("S", "nothing") + close("P", "nothing") + sync(), 1),
    "pipeline of syncs": (b"".join(parse("SELECT $1::int") + bind([str(n)]) + execute() + sync() for n in range(20)), 20),
    "pipeline without syncs": (b"".join(parse(f"SELECT {n}") + bind() + execute() for n in range(20)) + sync(), 1),
    # errors skip to Sync
    "error in parse": (parse("SELEC 1") + bind() + describe("P") + execute() + sync() + query("SELECT 'on'"), 2),
    "error in bind": (parse("SELECT $1::int") + bind(["x"]) + execute() + sync() + query("SELECT 'on'"), 2),
    "error in execute": (parse("SELECT 1/$1::int") + bind(["0"]) + execute() + parse("SELECT 2") + bind() + execute() + sync()
                         + parse("SELECT 3") + bind() + execute() + sync(), 2),
    "too few parameters": (parse("SELECT $1::int, $2::int") + bind(["1"]) + execute() + sync(), 1),
    "unknown statement": (bind((), "", "nothing") + execute() + sync(), 1),
    "unknown portal": (execute("nothing") + sync() + describe("P", "nothing") + sync() + describe("S", "nothing") + sync(), 3),
    "query behind an error is skipped": (parse("SELEC") + query("SELECT 'skipped'") + sync() + query("SELECT 'seen'"), 2),
    "syncs each with an error": (b"".join(parse("SELECT 1/0") + bind() + execute() + sync() for _ in range(5)), 5),
    "error aborts the implicit transaction": (
        parse("CREATE TEMP TABLE gone (a int)") + bind() + execute() + parse("SELECT 1/0") + bind() + execute() + sync()
        + query("SELECT count(*) FROM pg_class WHERE relname = 'gone'"), 2),
    "aborted block in extended": (query("BEGIN") + parse("SELECT 1/0") + bind() + execute() + sync() + parse("SELECT 1") + sync()
                                  + query("ROLLBACK"), 4),
    "statement made in an aborted pipeline": (parse("SELECT 1", "s") + parse("SELEC") + sync() + bind((), "", "s") + execute() + sync(),
                                              2),
    "deallocate": (parse("SELECT 1", "s") + sync() + query("DEALLOCATE s") + bind((), "", "s") + sync(), 3),
    "deallocate all": (parse("SELECT 1", "s") + parse("SELECT 2", "t") + sync() + query("DEALLOCATE ALL") + bind((), "", "t") + sync(),
                       3),
    "discard all": (parse("SELECT 1", "s") + sync() + query("DISCARD ALL") + bind((), "", "s") + sync(), 3),
    "prepare and protocol share names": (query("PREPARE s AS SELECT 7") + bind((), "", "s") + describe("P") + execute() + sync()
                                         + parse("SELECT 8", "t") + sync() + query("EXECUTE t") + query("DEALLOCATE ALL"), 5),
    "cursor by SQL": (query("BEGIN") + query(f"DECLARE c CURSOR FOR {ROWS}") + query("FETCH 3 FROM c") + execute("c", 2) + sync()
                      + query("MOVE 1 FROM c") + query("FETCH ALL FROM c") + query("COMMIT"), 7),
    # COPY
    "copy out": (query("COPY (SELECT n FROM generate_series(1, 5) n) TO STDOUT"), 1),
    "copy out in extended": (parse("COPY (SELECT 1) TO STDOUT") + bind() + describe("P") + execute() + sync(), 1),
    "copy in": (query("CREATE TEMP TABLE c (a int); COPY c FROM STDIN; SELECT sum(a) FROM c")
                + message("d", b"1\n2\n") + message("d", b"3") + message("d", b"9\n") + message("c"), 1),
    "copy in fails": (query("CREATE TEMP TABLE c (a int); COPY c FROM STDIN") + message("d", b"1\n") + message("f", b"no more\0")
                      + query("SELECT 'on'"), 2),
    "copy in, bad row": (query("CREATE TEMP TABLE c (a int)") + query("COPY c FROM STDIN") + message("d", b"x\n") + message("d", b"2\n")
                         + message("c") + query("SELECT 'on'"), 3),
    "copy in, flush and sync within": (query("CREATE TEMP TABLE c (a int)") + query("COPY c FROM STDIN") + message("d", b"1\n")
                                       + flush() + sync() + message("d", b"2\n") + message("c") + query("SELECT sum(a) FROM c"), 3),
    "copy in, extended": (query("CREATE TEMP TABLE c (a int)") + parse("COPY c FROM STDIN") + bind() + execute() + sync()
                          + message("d", b"1\n") + message("c") + sync() + query("TABLE c"), 3),
    "copy in, extended, fails": (query("CREATE TEMP TABLE c (a int)") + parse("COPY c FROM STDIN") + bind() + execute()
                                 + message("d", b"1\n") + message("f", b"stop\0") + sync() + query("TABLE c"), 3),
    "copy in, two in one string": (query("CREATE TEMP TABLE c (a int); COPY c FROM STDIN; COPY c FROM STDIN; TABLE c")
                                   + message("d", b"1\n") + message("c") + message("d", b"2\n") + message("c"), 1),
    "copy in, another message within": (query("CREATE TEMP TABLE c (a int)") + query("COPY c FROM STDIN") + parse("SELECT 1")
                                        + sync() + query("SELECT 'on'"), 3),
    "copy data without copy": (message("d", b"1\n") + message("c") + query("SELECT 'on'"), 1),
    # function calls
    "function call": (function_call(fast_path("int4pl"), [b"20", b"22"]), 1),
    "function call, binary": (function_call(fast_path("int4pl"), [struct.pack("!i", 20), struct.pack("!i", 22)], [1], 1), 1),
    "function call, unknown": (function_call(4, []) + query("SELECT 'on'"), 2),
    "function call, wrong count": (function_call(fast_path("int4pl"), [b"1"]) + query("SELECT 'on'"), 2),
    # what notifies
    "listen and notify": (query("LISTEN ch") + query("SELECT pg_notify('ch', 'payload')") + query("UNLISTEN *"), 3),
    "terminate": (query("SELECT 1") + message("X"), 1),
    # other
    "prepared transaction": (query("BEGIN") + query("PREPARE TRANSACTION 'e2e'") + query("ROLLBACK PREPARED 'e2e'"), 3),
    "many parameters": (parse("SELECT " + "+".join(f"${n}::int" for n in range(1, 1001))) + bind(["1"] * 1000) + execute() + sync(), 1),
    "65535 parameters": (parse("SELECT cardinality(ARRAY[" + ",".join(f"${n}" for n in range(1, 65536)) + "]::int[])")
                         + bind(["1"] * 65535) + execute() + sync(), 1),
    "deep nesting": (query("SELECT " + "(" * 500 + "1" + ")" * 500), 1),
    "many terms": (query("SELECT " + "1+" * 4000 + "1"), 1),
    "temporary table shadows": (query("BEGIN") + query("CREATE TEMP TABLE orders (order_id int)") + query("INSERT INTO orders VALUES (1)")
                                + query("TABLE orders") + query("ROLLBACK"), 5),
}


# The server gives up on such a session, which may cut its last words off: sent in one piece only.
ENDS_THE_SESSION = {"copy in, another message within"}


def comparable(messages):
    """Without what differs from session to session: a notification's sender, the OID of a table just made."""
    result = []
    for kind, payload in messages:
        if kind == "A":
            payload = payload[4:]
        elif kind == "T":
            payload = without_table_oids(payload)
        result.append((kind, payload))
    return result


def without_table_oids(description):
    fields, rest = [description[:2]], description[2:]
    for _ in range(struct.unpack("!H", description[:2])[0]):
        name, rest = rest.split(b"\0", 1)
        fields += [name, b"\0", rest[4:18]]
        rest = rest[18:]
    return b"".join(fields) + rest


def converse(endpoint, data, readies, chunk=None, pause=0.0):
    with Wire(endpoint) as conn:
        if chunk is None:
            conn.send(data)
        else:
            for start in range(0, len(data), chunk):
                conn.send(data[start:start + chunk])
                time.sleep(pause)
        return comparable(conn.until("Z", count=readies))


@pytest.mark.parametrize("name", CASES)
def test_reply(name, same):
    data, readies = CASES[name]
    same(lambda endpoint: converse(endpoint, data, readies))


@pytest.mark.parametrize("name", [name for name, (data, _) in CASES.items() if len(data) < 400
                                  and name not in ENDS_THE_SESSION])
def test_reply_byte_by_byte(name, both):
    """However the stream is cut, messages are found."""
    direct, proxied = both
    data, readies = CASES[name]
    assert converse(proxied, data, readies, chunk=1) == converse(direct, data, readies)


@pytest.mark.parametrize("name", ["extended", "error in execute", "copy in", "function call", "max rows"])
def test_reply_over_tls(name, same, server, proxied):
    data, readies = CASES[name]
    ways = [endpoint.over(sslmode="verify-full") for endpoint in (server.endpoint(), proxied)]
    same(lambda endpoint: converse(endpoint, data, readies, chunk=7), ways)


def test_headers_cut_with_pauses(both):
    """A pause within a header, a length, a payload."""
    direct, proxied = both
    data = parse("SELECT $1::int") + bind(["1"]) + execute() + sync()
    assert converse(proxied, data, 1, chunk=3, pause=0.01) == converse(direct, data, 1)


def test_flush_answers_at_once(same):
    """Flush brings the replies so far; nothing comes unasked."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            conn.send(parse("SELECT 1", "s") + describe("S", "s") + flush())
            first = [conn.receive() for _ in range(3)]
            conn.send(bind((), "", "s") + execute() + flush())
            second = [conn.receive() for _ in range(3)]
            return first, second, conn.ask(sync())

    first, second, _ = same(observe)
    assert wire.kinds(first) == "1tT" and wire.kinds(second) == "2DC"


def test_error_comes_before_sync(same):
    """A server reports an error at once, whether or not a Sync follows."""

    def observe(endpoint):
        with Wire(endpoint) as conn:
            conn.send(parse("SELEC 1") + bind())
            error = conn.receive()
            return error, conn.ask(execute() + sync())

    error, rest = same(observe)
    assert error[0] == "E" and wire.kinds(rest) == "Z"


def test_first_rows_come_while_the_statement_runs(proxied):
    """What the server has sent is not held back until the statement's end."""
    with Wire(proxied) as conn:
        started = time.monotonic()
        conn.send(query("SELECT repeat('x', 9000), CASE n WHEN 20 THEN pg_sleep(3) END FROM generate_series(1, 20) n"))
        assert conn.receive()[0] == "T" and conn.receive()[0] == "D"
        assert time.monotonic() - started < 2
        assert conn.until("Z")[-1][0] == "Z"


def test_transaction_status_is_reported(same):
    def observe(endpoint):
        with Wire(endpoint) as conn:
            return [conn.ask(query(sql))[-1] for sql in ("SELECT 1", "BEGIN", "SELECT 1/0", "ROLLBACK")]

    assert [payload for _, payload in same(observe)] == [b"I", b"T", b"E", b"I"]


def test_parameter_status_is_reported(same):
    def observe(endpoint):
        with Wire(endpoint) as conn:
            return conn.ask(query("SET TimeZone = 'Asia/Tokyo'; SET client_encoding = 'LATIN1'; SET work_mem = '5MB'"))

    statuses = [payload for kind, payload in same(observe) if kind == "S"]
    assert sorted(statuses) == [b"TimeZone\0Asia/Tokyo\0", b"client_encoding\0LATIN1\0"]


def test_notification_comes_unasked(both, server):
    for endpoint in both:
        with Wire(endpoint) as conn:
            conn.ask(query("LISTEN idle_channel"))
            server.execute("SELECT pg_notify('idle_channel', %s)", ("x" * 7000,))
            kind, payload = conn.receive()
            assert kind == "A" and payload[4:] == b"idle_channel\0" + b"x" * 7000 + b"\0"


def test_unterminated_strings(same):
    """Payloads that the server refuses get its error, and the session goes on or ends as it does there."""
    payloads = [message("Q", b"SELECT 1"), message("P", b"name"), message("D", b"S"), message("D", b"Zname\0"), message("C", b""),
                message("E", b"portal\0"), message("B", cstring("") + cstring("") + b"\0\1"), message("F", b"\0\0")]

    def observe(endpoint):
        seen = []
        for payload in payloads:
            with Wire(endpoint) as conn:
                conn.send(payload + sync())
                messages = conn.until("Z", count=1)
                seen.append((wire.kinds(messages), wire.error_of(messages).get("C")))
        return seen

    assert all("E" in kinds for kinds, _ in same(observe))
