"""shardferry lint of what a server itself knows of its statements: its log, in each format, and pg_stat_statements."""

import json
import os
import re
import subprocess
import time

import psycopg
import pytest

from harness import proxy, tailspin
from harness.lint import CONFIGURATION, SHARDFERRY, Lint
from harness.postgres import PostgresServer

PREFIX = "%m [%p] %q%u@%d "
OWN_PREFIX = "<%t %a|%u|%d|%c> "
LOGGING = {
    "logging_collector": "on",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_directory": "log",
    "log_filename": "server.log",
    "log_line_prefix": PREFIX,
    "log_timezone": "UTC",
    "log_file_mode": "0644",
    "compute_query_id": "on",
}

SCOPED = "SELECT * FROM orders WHERE store_id = {} AND status = 'it''s; \"fine\"'"
MULTI_LINE = "SELECT count(*)\n\tFROM orders -- LOG:  no entry\n WHERE status = 'ERROR:  äöü €'\n\n"
EXTENDED = "SELECT * FROM line_items WHERE order_id = %s"
FAILING = "SELECT 1 / 0 FROM stores, orders"
MISSPELT = "SELEC count(*) FROM orders"


class LoggingServer:
    """A server whose log is read once it has all that was sent."""

    def __init__(self, **settings):
        self.server = PostgresServer(settings={**LOGGING, **settings}, preload="pg_stat_statements, auto_explain")
        try:
            self.server.create_database("app")
            self.server.create_database("other")
            self.server.execute(tailspin.SCHEMA)
            self.server.execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.orders (order_id int)")
            self.server.execute("GRANT ALL ON ALL TABLES IN SCHEMA public, elsewhere TO PUBLIC; GRANT USAGE ON SCHEMA elsewhere TO PUBLIC")
        except BaseException:
            self.server.remove()
            raise

    def log(self, kind):
        return os.path.join(self.server.data, "log", {"stderr": "server.log", "csvlog": "server.csv", "jsonlog": "server.json"}[kind])

    def connect(self, dbname="app", user="app_trust", application="shop"):
        return psycopg.connect(
            host="127.0.0.1", port=self.server.port, dbname=dbname, user=user, application_name=application, autocommit=True)

    def configure(self, lint):
        conninfo = f"host=127.0.0.1 port={self.server.port} dbname=app user=app_control"
        text = f"[control]\nconninfo = {conninfo}\n{CONFIGURATION}{tailspin.TABLES}"
        (lint.directory / "lint.ini").write_text(text)

    def record(self, traffic):
        """What the log says, by format, from here to the end of what `traffic` does."""
        starts = {kind: os.path.getsize(self.log(kind)) for kind in ("stderr", "csvlog", "jsonlog")}
        traffic(self)
        with self.connect("postgres", application="mark") as connection:
            mark = f"end of the traffic, {time.monotonic_ns()}"
            connection.execute(f"DO $$BEGIN RAISE LOG '{mark}'; END$$")
        texts = {}
        deadline = time.monotonic() + 20
        for kind, start in starts.items():
            while mark.encode() not in texts.get(kind, b"") or not texts[kind].endswith(b"\n"):
                assert time.monotonic() < deadline, f"{kind} lacks its end"
                with open(self.log(kind), "rb") as log:
                    log.seek(start)
                    texts[kind] = log.read()
        return texts


def simple(connection, sql):
    result = connection.pgconn.exec_(sql.encode())
    return result.error_message.decode()


def traffic(server):
    with server.connect() as connection:
        for store in (1, 2, 3):
            assert not simple(connection, SCOPED.format(store))
        assert not simple(connection, MULTI_LINE)
        assert not simple(connection, "SELECT 1; SELECT order_id FROM orders; SELECT 2")
        for order in range(4):
            connection.execute(EXTENDED, (order,))
        for order in range(3):
            connection.execute("SELECT name FROM stores WHERE store_id = %s", (order,), prepare=True)
        for sql in (FAILING, MISSPELT):
            with pytest.raises(psycopg.Error):
                connection.execute(sql)
        with connection.transaction():
            connection.execute("SET LOCAL search_path = elsewhere")
            assert not simple(connection, "DELETE FROM orders")
        assert not simple(connection, "DELETE FROM orders")
        assert not simple(connection, "PREPARE unscoped (text) AS UPDATE orders SET status = $1")
        assert not simple(connection, "EXECUTE unscoped ('Paid')")
        with connection.cursor().copy("COPY orders (order_id) FROM STDIN") as copy:
            copy.write("7001\n")
        with connection.transaction():
            cursor = connection.cursor("named")
            cursor.execute("SELECT product_id FROM products")
            cursor.fetchall()
    with server.connect(application="worker") as connection:
        connection.execute(EXTENDED, (5,))
    with server.connect("other") as connection:
        connection.execute("SELECT 'of another database'")


def judged(run):
    assert run.returncode == 1, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def by_start(rows, start):
    found = [row for row in rows if row["sql"].startswith(start)]
    assert len(found) == 1, (start, found)
    return found[0]


@pytest.fixture
def lint(tmp_path):
    return Lint(tmp_path)


@pytest.fixture(scope="module")
def make_logging():
    made = []

    def make(**settings):
        made.append(LoggingServer(**settings))
        return made[-1]

    yield make
    for server in made:
        server.server.remove()


@pytest.fixture(scope="module")
def timed(make_logging):
    return make_logging(log_min_duration_statement="0")


WAYS = {
    "durations": {"log_min_duration_statement": "0", "log_statement": "none"},
    "statements": {"log_min_duration_statement": "-1", "log_statement": "all"},
    "both": {"log_min_duration_statement": "0", "log_statement": "all"},
    "durations apart": {"log_min_duration_statement": "-1", "log_statement": "all", "log_duration": "on"},
    "verbose": {"log_min_duration_statement": "0", "log_error_verbosity": "verbose", "log_connections": "on", "log_disconnections": "on"},
    "own prefix": {"log_min_duration_statement": "0", "log_line_prefix": OWN_PREFIX},
    "automatic plans": {
        "log_min_duration_statement": "0", "log_statement": "all", "auto_explain.log_min_duration": "0"},
}


@pytest.fixture(params=WAYS)
def way(request, timed):
    settings = WAYS[request.param]
    try:
        for name, value in settings.items():
            timed.server.execute(f"ALTER SYSTEM SET {name} = '{value}'", dbname="postgres")
        timed.server.execute("SELECT pg_reload_conf()", dbname="postgres")
        time.sleep(0.3)
        yield request.param, timed
    finally:
        timed.server.execute("ALTER SYSTEM RESET ALL", dbname="postgres")
        timed.server.execute("SELECT pg_reload_conf()", dbname="postgres")


def test_formats_agree(lint, way):
    """All formats tell the same, and each statement is counted as often as it was sent, whatever the server logs."""
    name, server = way
    server.configure(lint)
    texts = server.record(traffic)
    told = {}
    for kind, text in texts.items():
        (lint.directory / kind).write_bytes(text)
        options = ["--log-line-prefix", OWN_PREFIX] if name == "own prefix" and kind == "stderr" else []
        run = lint.run("--from", "log", "--json", *options, kind, schema=False)
        rows = judged(run)
        assert b"of other databases (other" in run.stderr or b"of other databases (postgres" in run.stderr
        assert not any("another database" in row["sql"] for row in rows)
        counts = [(row["sql"], row["verdict"], row["tables"], row["calls"], row["total_ms"]) for row in rows]
        assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
        told[kind] = sorted(counts, key=repr)
        check_rows(rows, timed=name != "statements", application=kind != "stderr" or name == "own prefix")
    assert told["stderr"] == told["csvlog"] == told["jsonlog"]


def check_rows(rows, timed, application):
    scoped = by_start(rows, SCOPED.format(1))
    assert (scoped["verdict"], scoped["calls"], scoped["user"], scoped["database"]) == ("single-tenant", 3, "app_trust", "app")
    lines = by_start(rows, "SELECT count(*)\n\tFROM")
    assert lines["sql"] == MULTI_LINE.rstrip() or lines["sql"] == MULTI_LINE
    assert (lines["verdict"], lines["calls"], lines["unscoped"]) == ("multi-tenant", 1, ["public.orders"])
    extended = by_start(rows, "SELECT * FROM line_items")
    assert extended["sql"].endswith("order_id = $1") and (extended["verdict"], extended["calls"]) == ("multi-tenant", 5)
    assert extended.get("application") == ("shop, worker" if application else None)
    assert by_start(rows, "SELECT name FROM stores")["calls"] == 3
    assert (by_start(rows, FAILING)["verdict"], by_start(rows, FAILING)["calls"]) == ("multi-tenant", 1)
    assert (by_start(rows, MISSPELT)["verdict"], by_start(rows, MISSPELT)["calls"]) == ("unparsed", 1)
    assert by_start(rows, "SELECT order_id FROM orders")["calls"] == 1
    deletes = {row["verdict"]: row["tables"] for row in rows if row["sql"] == "DELETE FROM orders"}
    assert deletes == {"multi-tenant": ["public.orders"], "no-tenant-table": ["elsewhere.orders"]}
    prepared = by_start(rows, "PREPARE unscoped")
    assert (prepared["verdict"], prepared["calls"]) == ("multi-tenant", 2)
    assert by_start(rows, "COPY orders")["verdict"] == "multi-tenant"
    assert by_start(rows, 'DECLARE "named"')["verdict"] == "multi-tenant"
    assert all((row["total_ms"] is None) == (not timed) for row in rows if row["sql"] not in (FAILING, MISSPELT)), rows
    if timed:
        times = [row["total_ms"] or 0 for row in rows]
        assert times == sorted(times, reverse=True) and times[0] > 0


# Logs as they are found ------------------------------------------------------------------------------------


def log(lint, text, *options, name="server.log", expect=1):
    """The results of a log that is text or bytes, by --json."""
    (lint.directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    run = lint.run("--from", "log", "--json", *options, name)
    assert run.returncode == expect, run.stderr
    lint.stderr = run.stderr.decode()
    return [json.loads(line) for line in run.stdout.splitlines()]


AT = "2026-01-02 03:04:05.678 UTC"


def csv_record(message, *, user="app", database="shop", pid=7, session="65f.7", severity="LOG", detail="", query="",
               application="web", columns=26):
    def quoted(text):
        return '"' + text.replace('"', '""') + '"' if text else ""

    fields = [AT, quoted(user), quoted(database), str(pid), quoted("127.0.0.1:5000"), session, "1", quoted("SELECT"), AT, "3/4",
              "0", severity, "00000", quoted(message), quoted(detail), "", "", "", "", quoted(query), "", "", quoted(application),
              quoted("client backend"), "", "0"]  # fmt: skip
    return ",".join(fields[:columns]) + "\n"


@pytest.mark.parametrize("columns", [23, 24, 26])
def test_csv_of_all_versions(lint, columns):
    text = csv_record("duration: 1.500 ms  statement: SELECT 'a\n\"b\"',\n count(*) FROM orders", columns=columns)
    text += csv_record("duration: 2.500 ms  execute S_1/C_2: SELECT 2 FROM orders", columns=columns, detail="parameters: $1 = 'x'")
    (second, first) = log(lint, text)
    assert (first["sql"], first["line"], first["calls"], first["total_ms"]) == ("SELECT 'a\n\"b\"',\n count(*) FROM orders", 1, 1, 1.5)
    assert (second["line"], second["user"], second["database"], second["application"]) == (4, "app", "shop", "web")
    assert lint.stderr == ""


def test_damaged_logs(lint):
    """What is cut off is left out and counted; what follows it is read."""
    whole = csv_record("duration: 1 ms  statement: SELECT 1 FROM orders")
    cut = csv_record("duration: 1 ms  statement: SELECT '\nlost\n', 2 FROM orders")
    rows = log(lint, cut[-40:] + whole + cut[: len(cut) // 2] + "\n" + whole + whole + cut[:120], name="server.csv")
    assert [(row["calls"], row["sql"]) for row in rows] == [(3, "SELECT 1 FROM orders")]
    assert "2 entries are cut off" in lint.stderr

    def entry(sql):
        return json.dumps({"timestamp": AT, "user": "a", "dbname": "b", "pid": 7, "session_id": "1.7", "error_severity": "LOG",
                           "message": f"duration: 0.25 ms  statement: {sql}"}) + "\n"  # fmt: skip

    rows = log(lint, entry("SELECT '\u00e4\t\\' FROM orders")[60:] + entry("SELECT '\u00e4\t\\' FROM orders") + entry("x")[:90], name="server.json")
    assert [(row["calls"], row["total_ms"], row["sql"]) for row in rows] == [(1, 0.25, "SELECT 'ä\t\\' FROM orders")]
    assert "1 entry is cut off" in lint.stderr

    rows = log(lint, f"\tof an entry before\nnoise\n{AT} [7] LOG:  duration: 1 ms  statement: SELECT 1\n\tFROM orders\nnoise\n\tmore noise\n")
    assert [(row["line"], row["sql"]) for row in rows] == [(3, "SELECT 1\nFROM orders")]


@pytest.mark.parametrize(
    "prefix, user, options",
    [
        (f"{AT} [77] ", None, []),
        (f"{AT} [77] app@shop ", "app", []),
        ("2026-01-02 03:04:05 CET:10.0.0.1(4000):app@shop:[77]:", "app", []),
        ("2026-01-02 03:04:05 UTC-65f.7-", None, []),
        (f"{AT} [77]: [3-1] user=app,db=shop,app=[unknown],client=10.0.0.1 ", "app", []),
        ("app of shop, 65f.7: ", "app", ["--log-line-prefix", "%u of %d, %c: "]),
        ("       app|77    |100%|", "app", ["--log-line-prefix", "%10u|%-6p|100%%|%q"]),
    ],
)
def test_prefixes(lint, prefix, user, options):
    """With the session known, a duration finds its statement, and a search_path its session's names."""
    other = prefix.replace("77", "78").replace("65f.7", "65f.8")
    rows = log(lint, "".join(f"{line}\n" for line in (
        prefix + "LOG:  statement: SELECT 1 FROM orders",
        other + "LOG:  statement: SET search_path = elsewhere",
        prefix + "LOG:  duration: 2.500 ms",
        other + "LOG:  statement: SELECT 1 FROM orders",
        prefix + "LOG:  statement: SELECT 1 FROM orders",
    )), *options)  # fmt: skip
    found = [(row["calls"], row["total_ms"], row["tables"]) for row in rows if row["sql"] == "SELECT 1 FROM orders"]
    assert found == [(2, 2.5, ["public.orders"]), (1, None, [])]
    assert rows[0].get("user") == user
    assert lint.stderr == ""


def test_unknown_prefix(lint):
    """Without sessions nothing is mixed up: no times, no search_path; lint says so."""
    rows = log(lint, "\n".join(f"%% LOG:  {message}" for message in (
        "statement: SET search_path = elsewhere", "statement: SELECT 1 FROM orders", "duration: 2.5 ms",
        "duration: 1.5 ms  statement: SELECT status FROM orders")))  # fmt: skip
    assert [(row["sql"], row["total_ms"], row["tables"]) for row in rows] == [
        ("SELECT status FROM orders", 1.5, ["public.orders"]),
        ("SET search_path = elsewhere", None, []),
        ("SELECT 1 FROM orders", None, ["public.orders"]),
    ]
    assert "--log-line-prefix" in lint.stderr


def test_rotated_logs(lint):
    """Files are one log: a statement of the first may get its duration in the second, and keeps its place."""
    (lint.directory / "one.log").write_text(f"{AT} [7] LOG:  statement: SELECT 1\n\tFROM orders\n")
    (lint.directory / "two.log").write_text(f"{AT} [7] LOG:  duration: 3.5 ms\n")
    run = lint.run("--from", "log", "--json", "one.log", "two.log")
    (row,) = [json.loads(line) for line in run.stdout.splitlines()]
    assert (row["source"], row["line"], row["total_ms"]) == ("one.log", 1, 3.5)


def test_order_of_cost_in_text(lint):
    lines = [f"{AT} [7] LOG:  duration: {ms} ms  statement: SELECT {what} FROM orders\n" for ms, what in ((1, "a"), (7, "b"), (3, "a"), (2, "b"))]
    (lint.directory / "server.log").write_text("".join(lines))
    first, second, last = lint.run("--from", "log", "server.log").stdout.decode().splitlines()
    assert first.startswith("server.log:2: multi-tenant  9.0 ms in 2 calls  ")
    assert second.startswith("server.log:1: multi-tenant  4.0 ms in 2 calls  ")
    assert last == "2 statements: 2 multi-tenant"


def test_other_databases(lint):
    text = csv_record("duration: 1 ms  statement: SELECT 1", database="a") + csv_record("duration: 1 ms  statement: SELECT b", database="b", session="9.9")
    assert [row["sql"] for row in log(lint, text, "--database", "b", expect=0)] == ["SELECT b"]
    assert "1 statement is of other databases (a" in lint.stderr
    assert len(log(lint, text, expect=0)) == 2


def test_nothing_in_it(lint):
    assert log(lint, "this is\nno log\n", expect=0) == []
    assert "no line of it is an entry" in lint.stderr and "log_min_duration_statement" in lint.stderr
    assert log(lint, "", expect=0) == []


def test_many_shapes_in_little_memory(lint):
    """What does not fit is left out, the findings last, and said to be."""
    with open(lint.directory / "server.log", "w") as out:
        for number in range(32_000):
            table = "orders" if number % 50 == 0 else "job_log"
            out.write(f"{AT} [7] LOG:  duration: 1 ms  statement: SELECT a{number}, '{'x' * 2400}' FROM {table}\n")
    run = subprocess.run(["/usr/bin/python3", "-c", PEAK, SHARDFERRY, "lint", "-c", "lint.ini", "--schema", "schema.sql",
                          "--from", "log", "server.log"], cwd=lint.directory, capture_output=True, text=True)  # fmt: skip
    assert run.returncode == 1
    assert "kinds of least cost" in run.stderr and " 0 of them findings" in run.stderr
    assert "640 multi-tenant" in run.stdout
    if not proxy.is_sanitized():
        assert int(run.stderr.splitlines()[-1]) < 250_000  # kB


PEAK = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


# Scripts, as psql itself reads them ------------------------------------------------------------------------

SCRIPT = r"""\set quiet 1
SELECT 1, ';' -- a; b
  , E'\';', U&'\0041;', $a$;$$;$a$;SELECT 2 /* ; /* ; */ ; */ AS "a;b";
CREATE FUNCTION atomic(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a = 1 THEN 2 END; SELECT 3; END;
CREATE RULE twice AS ON DELETE TO job_log DO ALSO (SELECT 1; SELECT 2);
COPY job_log (note) FROM stdin;
SELECT 'data; no statement';
\.
COPY job_log (note) FROM STDIN; SELECT 'behind';
more 'data
\.
SELECT 'a' \gset pre_ \\ SELECT 'b';
SELECT 'oops' \r
SELECT 'c'\; SELECT 'd';
\if false
\else
SELECT 'e' \g
\endif
\echo this; is 'not SQL'
\! echo "nor; this'
SET standard_conforming_strings = off;
SELECT 'it\'s; f';
SET standard_conforming_strings = on;
SELECT 'g\'; SELECT e'h\';';
SELECT 'j' \crosstabview
SELECT 'format(k)' AS x \gexec
\copy job_log (note) from pstdin
\copy job_log (note) to '/dev/null' with (format csv, null ';')
PREPARE l AS SELECT $1::int; EXECUTE l (1);
SELECT '
m;
' AS "n
;"; SELECT 'the end'"""


def test_statements_end_where_psql_ends_them(lint, timed):
    """What lint takes for statements is what psql sends, by the server's own log."""
    timed.server.execute("DROP TABLE IF EXISTS job_log; CREATE TABLE job_log (id serial, note text); GRANT ALL ON job_log, job_log_id_seq TO PUBLIC")
    timed.server.execute("GRANT CREATE ON SCHEMA public TO PUBLIC; ALTER TABLE job_log OWNER TO app_trust")
    for end in ("\n", "\r\n"):
        (lint.directory / "script.sql").write_bytes(b"\xef\xbb\xbf" + SCRIPT.replace("\n", end).encode())
        command = ["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(timed.server.port), "-U", "app_trust", "-d", "app",
                   "-f", str(lint.directory / "script.sql")]  # fmt: skip
        texts = timed.record(lambda _: subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=30))
        timed.server.execute("DROP FUNCTION IF EXISTS atomic; DROP RULE IF EXISTS twice ON job_log")
        sent = []
        for line in texts["jsonlog"].decode().splitlines():
            message = json.loads(line)["message"]
            if json.loads(line).get("user") == "app_trust" and "  statement: " in message and "end of the traffic" not in message:
                sent.append(message.split("  statement: ", 1)[1])
        taken = [row["sql"] for row in map(json.loads, lint.run("--json", "script.sql").stdout.splitlines())]
        assert skeleton(taken) == skeleton(text for text in sent if text not in ("k", "format(k)"))


def skeleton(statements):
    """All texts in one, without what psql and lint may leave out or add in between."""
    text = re.sub(r"--[^\n]*", "", "".join(statements))
    return re.sub(r"[\s;]+", "", text).upper()


# pg_stat_statements ----------------------------------------------------------------------------------------


def statements(lint, *options, expect=1):
    run = lint.run("--from", "pg_stat_statements", *options, schema=False)
    assert run.returncode == expect, run.stderr
    lint.stderr = run.stderr.decode()
    return [json.loads(line) for line in run.stdout.splitlines()] if "--json" in options else run.stdout.decode()


def test_statements_counted_by_the_server(lint, timed):
    timed.configure(lint)
    timed.server.execute("DROP EXTENSION IF EXISTS pg_stat_statements; CREATE SCHEMA extensions; CREATE EXTENSION pg_stat_statements SCHEMA extensions")
    timed.server.execute("CREATE ROLE mover LOGIN; ALTER ROLE mover SET search_path = elsewhere; GRANT ALL ON orders TO mover")
    timed.server.execute("GRANT ALL ON elsewhere.orders TO mover; SELECT extensions.pg_stat_statements_reset()")
    with timed.connect() as connection:
        for store in (1, 2):
            connection.execute(f"SELECT status FROM orders WHERE store_id = {store}")
            connection.execute(f"SELECT DATE '2026-01-0{store}', INTERVAL '{store} days', timestamp(3) '2026-01-01' FROM orders")
        connection.execute("SELECT 1 FROM orders WHERE status = 'a' AND store_id IN (1, 2)")
        connection.execute("SET search_path = elsewhere")
        connection.execute("DO $$BEGIN PERFORM count(*) FROM elsewhere.orders; END$$")
    with timed.connect("other") as connection:
        connection.execute("SELECT 'of another database'")
    timed.server.execute("ALTER ROLE app_control SET search_path = ''")
    with psycopg.connect(host="127.0.0.1", port=timed.server.port, dbname="app", user="app_control") as connection:
        connection.execute("SET SESSION AUTHORIZATION mover; SET search_path = elsewhere")
        connection.execute("SELECT order_id FROM orders")
    rows = statements(lint, "--json")
    assert not any("another database" in row["sql"] for row in rows)
    times = [row["total_ms"] for row in rows]
    assert times == sorted(times, reverse=True) and times[0] > 0
    scoped = by_start(rows, "SELECT status")
    assert (scoped["sql"], scoped["verdict"], scoped["calls"]) == ("SELECT status FROM orders WHERE store_id = $1", "single-tenant", 2)
    assert (scoped["user"], scoped["database"], scoped["source"]) == ("app_trust", "app", "pg_stat_statements")
    literals = by_start(rows, "SELECT DATE")
    assert literals["sql"].startswith("SELECT DATE $1, INTERVAL $2, timestamp(3) $3")
    assert (literals["verdict"], literals["calls"], literals["unscoped"]) == ("multi-tenant", 2, ["public.orders"])
    assert by_start(rows, "SELECT order_id")["tables"] == ["elsewhere.orders"]
    assert by_start(rows, "DO $$")["verdict"] == "opaque"
    assert "change the search_path" in lint.stderr
    text = statements(lint, "--quiet")
    assert text.index("pg_stat_statements: ") == 0 and "no-tenant-table  " not in text
    timed.server.execute("ALTER ROLE app_control RESET search_path")


def test_statements_inside_functions_are_left_out(lint, timed):
    timed.configure(lint)
    timed.server.execute("DROP EXTENSION IF EXISTS pg_stat_statements; CREATE EXTENSION pg_stat_statements; SELECT pg_stat_statements_reset()")
    with psycopg.connect(host="127.0.0.1", port=timed.server.port, dbname="app", user="app_control", autocommit=True) as connection:
        connection.execute("SET pg_stat_statements.track = 'all'")
        connection.execute("DO $$BEGIN PERFORM count(*) FROM line_items; END$$")
    assert not any("line_items" in row["sql"] and not row["sql"].startswith("DO") for row in statements(lint, "--json"))
    assert "1 statements inside functions are left out" in lint.stderr


def test_statements_that_may_not_be_seen(lint, timed, make_logging):
    timed.configure(lint)
    timed.server.execute("DROP EXTENSION IF EXISTS pg_stat_statements")
    statements(lint, expect=2)
    assert "CREATE EXTENSION" in lint.stderr
    timed.server.execute("CREATE EXTENSION pg_stat_statements")
    ini = (lint.directory / "lint.ini").read_text().replace("user=app_control", "user=app_trust")
    (lint.directory / "lint.ini").write_text(ini)
    statements(lint, expect=0)
    assert "are hidden from this role: GRANT pg_read_all_stats" in lint.stderr
    timed.server.execute("REVOKE SELECT ON pg_stat_statements FROM PUBLIC")
    statements(lint, expect=2)
    assert "permission denied" in lint.stderr and "GRANT pg_read_all_stats" in lint.stderr


def test_statements_of_a_server_that_does_not_count(lint, server, database):
    conninfo = server.endpoint().over(dbname=database).conninfo()
    server.execute(tailspin.SCHEMA + "CREATE EXTENSION pg_stat_statements", dbname=database)
    (lint.directory / "lint.ini").write_text(f"[control]\nconninfo = {conninfo}\n{CONFIGURATION}{tailspin.TABLES}")
    statements(lint, expect=2)
    assert "shared_preload_libraries" in lint.stderr
    (lint.directory / "lint.ini").write_text(CONFIGURATION)
    run = lint.run("--from", "pg_stat_statements")
    assert run.returncode == 2 and b"conninfo" in run.stderr


def test_wrong_options(lint):
    assert lint.run("--database", "x").returncode == 2
    assert lint.run("--log-line-prefix", "%m").returncode == 2
    assert lint.run("--from", "log", "nothing-there.log").returncode == 2
    assert lint.run("--from", "log", ".").returncode == 2
    assert lint.run("--from", "pg_stat_statements", "file.sql").returncode == 2
