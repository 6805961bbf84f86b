"""shardferry lint: every statement of a script, wherever it ends, gets the proxy's decision; no server is needed."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from harness import proxy, tailspin
from harness.lint import CONFIGURATION, SCHEMA, SHARDFERRY, Lint


@pytest.fixture
def lint(tmp_path):
    return Lint(tmp_path)


# What is said ----------------------------------------------------------------------------------------------


def test_fields(lint):
    (row,) = lint.json("\n\n  SELECT * FROM orders o JOIN line_items i ON i.order_id = o.order_id WHERE o.order_id = 7;\n")
    assert list(row) == [
        "n", "line", "sql", "fingerprint", "verdict", "tables", "unscoped", "reason", "suggestion", "rewritten",
        "citus_error", "applied", "source",
    ]  # fmt: skip
    assert row["line"] == 3
    assert row["sql"].startswith("SELECT * FROM orders o JOIN") and row["sql"].endswith("= 7")
    assert len(row["fingerprint"]) == 16 and int(row["fingerprint"], 16) > 0
    assert row["verdict"] == "multi-tenant"
    assert set(row["tables"]) == {"public.orders", "public.line_items"}
    assert "public.line_items" in row["unscoped"]
    assert row["reason"]
    assert row["rewritten"].startswith(row["sql"].split(" WHERE")[0] + " AND i.store_id = o.store_id")
    assert row["applied"] is False


@pytest.mark.parametrize(
    "sql, verdict",
    [
        ("SELECT * FROM orders WHERE store_id = 5", "single-tenant"),
        ("SELECT * FROM orders WHERE store_id = $1 AND status = 'Paid'", "single-tenant"),
        ("UPDATE orders SET status = 'Paid' WHERE store_id = 5 AND order_id = 7", "single-tenant"),
        ("INSERT INTO orders (order_id, store_id) VALUES (1, 5)", "single-tenant"),
        ("SELECT * FROM orders WHERE order_id = 7", "multi-tenant"),
        ("SELECT count(*) FROM orders", "multi-tenant"),
        ("SELECT * FROM orders WHERE store_id = 5 OR order_id = 7", "multi-tenant"),
        ("DELETE FROM orders WHERE order_id = 7", "multi-tenant"),
        ("SELECT 1", "no-tenant-table"),
        ("SELECT * FROM job_log", "no-tenant-table"),
        ("DO $$BEGIN DELETE FROM orders; END$$", "opaque"),
        ("SELEC 1", "unparsed"),
    ],
)
def test_verdict(lint, sql, verdict):
    (row,) = lint.json(sql + ";")
    assert row["verdict"] == verdict
    assert (row["reason"] is None) == (verdict in ("single-tenant", "no-tenant-table"))
    assert (row["fingerprint"] is None) == (verdict == "unparsed")


def test_fingerprint_is_of_the_shape(lint):
    rows = lint.json("SELECT * FROM orders WHERE store_id = 5; select * from orders where store_id = 99; SELECT 1;")
    assert rows[0]["fingerprint"] == rows[1]["fingerprint"] != rows[2]["fingerprint"]


# Where statements end --------------------------------------------------------------------------------------


def test_one_line(lint):
    assert lint.texts("SELECT 1; SELECT 2;SELECT 3") == [(1, "SELECT 1"), (1, "SELECT 2"), (1, "SELECT 3")]


def test_semicolons_that_end_nothing(lint):
    statements = [
        "SELECT ';', 'it''s;'",
        "SELECT E'\\';', U&'\\0041;'",
        "SELECT E'a'\n  'b\\';'",
        'SELECT 1 AS "a;""b"',
        "SELECT $$;$$, $q$ ; $$ ; $q$",
        "SELECT 1 -- not; here\n  , 2",
        "SELECT /* nor /* ; */ ; */ 2",
        "CREATE RULE r AS ON INSERT TO job_log DO ALSO (DELETE FROM job_log; SELECT 1)",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
        "CREATE OR REPLACE FUNCTION g() RETURNS void AS $f$ BEGIN DELETE FROM job_log; END; $f$ LANGUAGE plpgsql",
    ]
    assert [text for _, text in lint.texts(";\n".join(statements) + ";\n")] == statements
    assert all(row["verdict"] != "unparsed" for row in lint.json(";\n".join(statements)))


def test_nothing_but_comments(lint):
    assert lint.texts("") == []
    assert lint.texts(";;; -- nothing\n/* at all */ ;\n\n") == []


def test_syntax_errors_in_the_middle(lint):
    rows = lint.json("SELECT 1;\nSELECT FROM WHERE;\nSELECT (2;\nSELECT 3));\nINSERT INTO;\nSELECT count(*) FROM orders;")
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert [row["verdict"] for row in rows] == ["no-tenant-table", *["unparsed"] * 4, "multi-tenant"]
    assert "syntax error" in rows[1]["reason"]


def test_line_ends_and_byte_order_mark(lint):
    script = b"\xef\xbb\xbfSELECT 1;\r\n-- a comment\r\nSELECT 'a\r\nb';\r\nSELECT 3\r\n"
    assert lint.texts(script) == [(1, "SELECT 1"), (3, "SELECT 'a\r\nb'"), (5, "SELECT 3")]


def test_bytes_that_are_no_text(lint):
    rows = lint.json(b"SELECT 1;\nSELECT '\xff\xfe\xc3';\nSELECT 'a\0b';\nSELECT 'gr\xc3\xbc\xc3\x9fe';")
    assert [row["verdict"] for row in rows] == ["no-tenant-table", "unparsed", "unparsed", "no-tenant-table"]
    assert rows[1]["sql"] == "SELECT '\ufffd\ufffd\ufffd'" and "UTF-8" in rows[1]["reason"]
    assert rows[2]["sql"] == "SELECT 'a\ufffdb'" and "NUL" in rows[2]["reason"]
    assert rows[3]["sql"] == "SELECT 'grüße'"


def test_unterminated(lint):
    rows = lint.json("SELECT 1;\nSELECT 'never; ends;\nSELECT 2;")
    assert [(row["line"], row["verdict"]) for row in rows] == [(1, "no-tenant-table"), (2, "unparsed")]


# psql scripts ----------------------------------------------------------------------------------------------


def test_backslash_commands(lint):
    script = """\
\\set ON_ERROR_STOP on
\\echo this; is not SQL 'neither; this'
SELECT 1 \\g
SELECT 2 \\gset prefix_ \\\\ SELECT 3;
\\if true
SELECT 4\\; SELECT 5;
\\endif
SELECT oops \\r
SELECT 6;
\\! echo "a; b"
\\q
"""
    assert lint.texts(script) == [
        (3, "SELECT 1"),
        (4, "SELECT 2"),
        (4, "SELECT 3"),
        (6, "SELECT 4"),
        (6, "SELECT 5"),
        (9, "SELECT 6"),
    ]


def test_included_file_is_named(lint):
    assert lint.texts("\\i other.sql\nSELECT 1;") == [(2, "SELECT 1")]
    assert "script.sql:1: " in lint.stderr


def test_copy_data_is_skipped(lint):
    script = """\
COPY public.job_log (id, at) FROM stdin;
1\t2024-01-01; DELETE FROM orders;
it's\tnot SQL
\\.

SELECT 1; copy job_log from STDIN WITH (format csv); SELECT 2;
'"
\\.
\\copy job_log (id) from 'file;name.csv' csv
\\copy job_log from stdin
3
\\.
SELECT 3;
"""
    assert [(line, sql.split()[0]) for line, sql in lint.texts(script)] == [
        (1, "COPY"),
        (6, "SELECT"),
        (6, "copy"),
        (6, "SELECT"),
        (9, "COPY"),
        (10, "COPY"),
        (13, "SELECT"),
    ]


def test_copy_without_data(lint):
    script = "COPY job_log FROM STDIN;\nSELECT 1;\nCOPY job_log FROM STDIN;\nSELECT 2;\n"
    assert [line for line, _ in lint.texts(script)] == [1, 2, 3, 4]
    run = lint.run("--json", "-", stdin=script.encode())
    assert len(run.stdout.splitlines()) == 1
    assert b"stdin:2: " in run.stderr and b"COPY" in run.stderr


# The session -----------------------------------------------------------------------------------------------


def test_search_path_is_followed(lint):
    unscoped = "SELECT count(*) FROM orders;\n"
    rows = lint.json(
        unscoped
        + "SET search_path = elsewhere;\n" + unscoped
        + "RESET search_path;\n" + unscoped
        + "BEGIN; SET LOCAL search_path = elsewhere;\n" + unscoped
        + "COMMIT;\n" + unscoped
        + "BEGIN; SET search_path = elsewhere; ROLLBACK;\n" + unscoped
        + "SELECT pg_catalog.set_config('search_path', '', false);\n" + unscoped
    )  # fmt: skip
    named = [bool(row["tables"]) for row in rows if "count(*)" in row["sql"]]
    assert named == [True, False, True, False, True, True, False]


def test_temporary_tables_shadow(lint):
    read = "SELECT * FROM orders;"
    rows = lint.json(f"{read} CREATE TEMP TABLE orders (id int); {read} SELECT * FROM public.orders;")
    assert [row["verdict"] for row in rows if row["sql"].startswith("SELECT")] == [
        "multi-tenant",
        "no-tenant-table",
        "multi-tenant",
    ]


def said(row):
    return row["verdict"], row["tables"], row["unscoped"]


def test_execute_is_judged_as_what_was_prepared(lint):
    rows = lint.json("""
        PREPARE one (bigint) AS SELECT * FROM orders WHERE store_id = $1;
        EXECUTE one (5);
        PREPARE "Two" AS UPDATE orders SET status = 'Paid' WHERE order_id = $1;
        EXECUTE "Two" (7);
        EXECUTE two (7);
        EXPLAIN ANALYZE EXECUTE "Two" (7);
        CREATE TEMP TABLE kept AS EXECUTE one (5);
        PREPARE none AS SELECT 1;
        EXECUTE none;
        PREPARE far AS SELECT * FROM orders o JOIN line_items l USING (order_id)
            WHERE o.store_id = $1 AND l.store_id = $2;
        EXECUTE far (5, 6);
    """)
    one, of_one, two, of_two, unknown, explained, kept, _, none, far, of_far = rows
    assert said(one) == said(of_one) == said(kept) == ("single-tenant", ["public.orders"], [])
    assert said(two) == said(of_two) == said(explained) == ("multi-tenant", ["public.orders"], ["public.orders"])
    assert (unknown["verdict"], unknown["tables"]) == ("opaque", [])
    assert none["verdict"] == "no-tenant-table"
    assert said(far) == said(of_far)
    for prepared, executed in ((two, of_two), (two, explained), (far, of_far)):
        for key in ("reason", "suggestion", "citus_error"):
            assert executed[key] == prepared[key]
    assert two["reason"] and far["reason"]
    for row in rows:
        assert not row["sql"].startswith("EXECUTE") or row["rewritten"] is row["applied"] is None


def test_execute_stays_as_it_is_where_the_proxy_rewrites(lint):
    (lint.directory / "tailspin.sql").write_text(tailspin.SCHEMA)
    (lint.directory / "lint.ini").write_text(CONFIGURATION + tailspin.TABLES)
    script = b"PREPARE p AS INSERT INTO line_items (product_id, order_id) VALUES ($1, $2); EXECUTE p (1, 2);"
    run = lint.run("--schema", "tailspin.sql", "--stage", "derive", "--json", stdin=script, schema=False)
    prepared, executed = [json.loads(line) for line in run.stdout.splitlines()]
    assert prepared["rewritten"] and prepared["applied"]
    assert executed["rewritten"] is executed["applied"] is None
    assert said(executed) == said(prepared) == ("single-tenant", ["public.line_items"], [])


def test_prepared_statements_are_forgotten(lint):
    one, all_ = "PREPARE p AS SELECT * FROM orders WHERE store_id = $1;", "PREPARE p AS SELECT * FROM orders;"
    run = "EXECUTE p (5);"
    rows = lint.json(
        run + one + run
        + all_ + run  # the server refuses it, for the name is taken
        + "DEALLOCATE q;" + run
        + "DEALLOCATE p;" + run + all_ + run
        + "DISCARD PLANS; BEGIN; ROLLBACK;" + run
        + "DISCARD ALL;" + run + one + run
        + "DEALLOCATE ALL;" + run
    )  # fmt: skip
    assert [row["verdict"] for row in rows if row["sql"].startswith("EXECUTE")] == [
        "opaque", "single-tenant", "single-tenant", "single-tenant", "opaque", "multi-tenant", "multi-tenant", "opaque",
        "single-tenant", "opaque",
    ]  # fmt: skip


def test_prepared_statements_follow_the_search_path(lint):
    """As the server does, which analyses a statement anew when the search_path has changed."""
    run = "EXECUTE p;"
    rows = lint.json(
        "PREPARE p AS SELECT * FROM orders;" + run + run
        + "SET search_path = elsewhere;" + run
        + "RESET search_path;" + run
        + "PREPARE away AS SELECT set_config('search_path', $1, false); EXECUTE away ('elsewhere');" + run
    )  # fmt: skip
    assert [row["verdict"] for row in rows if row["sql"] == run[:-1]] == [
        "multi-tenant", "multi-tenant", "opaque", "multi-tenant", "opaque",
    ]  # fmt: skip


def test_executes_of_one_shape_in_one_string(lint):
    rows = lint.json(
        "PREPARE a AS SELECT * FROM orders WHERE store_id = $1\\; PREPARE b AS SELECT * FROM orders\\;"
        " EXECUTE a (5)\\; EXECUTE b (5)\\; DEALLOCATE b\\; EXECUTE b (5)\\; EXECUTE a (6);"
    )
    assert [row["verdict"] for row in rows if row["sql"].startswith("EXECUTE")] == [
        "single-tenant", "multi-tenant", "opaque", "single-tenant",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "arguments, verdict",
    [
        ("5", "single-tenant"),
        ("$1", "single-tenant"),
        ("-5::bigint", "single-tenant"),
        ("length('five') + 1", "single-tenant"),
        ("unknown_function(5)", "opaque"),
        ("1, unknown_function(5) /* here */", "opaque"),
    ],
)
def test_arguments_of_execute(lint, arguments, verdict):
    row = lint.json(f"PREPARE p AS SELECT * FROM orders WHERE store_id = $1; EXECUTE p ({arguments});")[1]
    assert row["verdict"] == verdict
    assert bool(row["reason"]) == (verdict == "opaque")
    row = lint.json(f"PREPARE p AS SELECT * FROM orders; EXECUTE p ({arguments});")[1]
    assert row["verdict"] == "multi-tenant"


@pytest.mark.parametrize(
    "sql, unscoped",
    [
        ("VACUUM orders", ["public.orders"]),
        ("VACUUM (FULL) job_log, orders (status)", ["public.orders"]),
        ("ANALYZE orders", ["public.orders"]),
        ("REINDEX TABLE orders", ["public.orders"]),
        ("CLUSTER orders", ["public.orders"]),
        ("COMMENT ON TABLE orders IS 'x'", ["public.orders"]),
        ("COMMENT ON COLUMN orders.status IS 'x'", ["public.orders"]),
        ("ALTER TABLE orders ADD a int", ["public.orders"]),
        ("VACUUM", []),
        ("ANALYZE", []),
        ("CLUSTER", []),
        ("VACUUM job_log", []),
        ("REINDEX DATABASE app", []),
        ("COMMENT ON INDEX orders_pkey IS 'x'", []),
    ],
)
def test_maintenance_names_its_tables(lint, sql, unscoped):
    (row,) = lint.json(sql + ";")
    assert row["unscoped"] == unscoped
    assert row["verdict"] == ("multi-tenant" if unscoped else "no-tenant-table")
    assert ("of all tenants" in (row["reason"] or "")) == bool(unscoped)


def test_each_file_is_a_session(lint):
    (lint.directory / "a.sql").write_text("SET search_path = elsewhere;")
    (lint.directory / "b.sql").write_text("SELECT count(*) FROM orders;")
    run = lint.run("--json", "a.sql", "b.sql")
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [(row["n"], row["line"], row["verdict"]) for row in rows] == [
        (1, 1, "no-tenant-table"),
        (2, 1, "multi-tenant"),
    ]


# For people ------------------------------------------------------------------------------------------------


def test_text(lint):
    (lint.directory / "app.sql").write_text("SELECT 1;\n\nSELECT count(*)\nFROM orders;\nSELEC;")
    run = lint.run("app.sql")
    lines = run.stdout.decode().splitlines()
    assert run.returncode == 1
    assert lines[0] == "app.sql:1: no-tenant-table"
    assert lines[1].startswith("app.sql:3: multi-tenant  ")
    assert lines[2].startswith("app.sql:5: unparsed  syntax error")
    assert lines[3] == "3 statements: 1 no-tenant-table, 1 multi-tenant, 1 unparsed"
    quiet = lint.run("--quiet", "app.sql").stdout.decode().splitlines()
    assert quiet == lines[1:]


def test_no_escape_sequence_gets_out(lint):
    run = lint.run(stdin="SELEC \x1b[31m \x9b2J \xff;".encode("latin-1"))
    assert run.returncode == 1
    assert b"\x1b" not in run.stdout and b"\x9b" not in run.stdout


def test_standard_input(lint):
    for arguments in ((), ("-",)):
        run = lint.run("--json", *arguments, stdin=b"SELECT 1;")
        assert run.returncode == 0
        assert json.loads(run.stdout)["sql"] == "SELECT 1"


@pytest.mark.parametrize(
    "arguments, settings",
    [
        (("nothing-there.sql",), {}),
        (("--no-such-option",), {}),
        ((), {"configuration": "nothing-there.ini"}),
        ((), {"configuration": "bad.ini"}),
        (("--schema", "nothing-there.sql"), {"schema": False}),
        (("--schema", "."), {"schema": False}),
        ((".",), {}),
    ],
)
def test_wrong_usage(lint, arguments, settings):
    (lint.directory / "bad.ini").write_text("[tenant]\ncolumn = store_id\n")
    run = lint.run(*arguments, **settings)
    assert run.returncode == 2
    assert run.stderr


def test_a_server_is_needed_without_a_schema(lint):
    run = lint.run(schema=False)
    assert run.returncode == 2
    assert b"--schema" in run.stderr and b"conninfo" in run.stderr


def test_a_server_tells_stages(lint, server):
    """Once a table is in stage derive, lint prints what the proxy sends for each statement, even of one string."""
    database = tailspin.create(server)
    try:
        conninfo = server.endpoint().over(dbname=database).conninfo()
        configuration = f"[control]\nconninfo = {conninfo}\n{CONFIGURATION}{tailspin.TABLES}"
        (lint.directory / "server.ini").write_text(configuration)
        insert = "INSERT INTO line_items (order_id, quantity) VALUES (%d, 1)"
        script = f"SELECT 1\\; {insert % 7}\\; {insert % 8};\n{insert % 9};\n{insert % 10};\n"

        def rewritten():
            run = lint.run("--json", stdin=script.encode(), schema=False, configuration="server.ini")
            return [json.loads(line)["rewritten"] for line in run.stdout.splitlines()]

        assert rewritten() == [None] * 5
        migrate = [SHARDFERRY, "migrate", "-c", str(lint.directory / "server.ini"), "--to", "derive", "--yes"]
        subprocess.run(migrate, check=True, capture_output=True, timeout=60)
        first, *others = rewritten()
        assert first is None
        with server.connect(database) as connection:
            for text, order in zip(others, (7, 8, 9, 10), strict=True):
                assert text.count("INSERT INTO line_items") == 1
                (store,) = connection.execute(text + " RETURNING store_id").fetchone()
                assert store == tailspin.store_of(order)
    finally:
        server.drop_database(database)


def test_stage(lint):
    """With --stage derive, lint prints what the proxy will send, by a schema in which the column is not there yet."""
    (lint.directory / "tailspin.sql").write_text(tailspin.SCHEMA)
    script = (
        "INSERT INTO line_items (product_id, order_id) VALUES (1, 2);\n"
        "INSERT INTO line_items (product_id, order_id, store_id) VALUES (1, 2, 3);\n"
        "INSERT INTO line_items (quantity) VALUES (1);\n"
        "SELECT * FROM line_items WHERE store_id = 5;\n"
        "INSERT INTO orders (store_id, status) VALUES (5, 'Paid');\n"
    )

    def rewritten(*arguments):
        run = lint.run("--schema", "tailspin.sql", "--json", *arguments, stdin=script.encode(), schema=False)
        return [json.loads(line)["rewritten"] for line in run.stdout.splitlines()]

    assert rewritten() == rewritten("--stage", "observe") == [None] * 5
    (lint.directory / "lint.ini").write_text(CONFIGURATION + tailspin.TABLES)
    named, given, orphan, *others = rewritten("--stage", "derive")
    assert named.startswith("INSERT INTO line_items (product_id, order_id, store_id) VALUES (1, 2, (SELECT ")
    assert "public.orders" in named
    assert given is None and others == [None] * 2
    assert orphan == "INSERT INTO line_items (quantity, store_id) VALUES (1, CAST($1 AS pg_catalog.int8))"
    text = lint.run("--schema", "tailspin.sql", "--stage", "derive", stdin=script.encode(), schema=False).stdout
    assert f"sent as: {named}\n" in text.decode() and b"2 would be rewritten" in text
    assert rewritten("--stage", "resolve")[0] == (
        "INSERT INTO line_items (product_id, order_id, store_id) VALUES (1, 2, CAST($1 AS pg_catalog.int8))")


def test_stage_with_a_server(lint, server):
    """What lint announces before the migration is what it finds after it."""
    database = tailspin.create(server)
    try:
        conninfo = server.endpoint().over(dbname=database).conninfo()
        (lint.directory / "server.ini").write_text(
            f"[control]\nconninfo = {conninfo}\n{CONFIGURATION}{tailspin.TABLES}"
        )
        script = b"INSERT INTO line_items (product_id, order_id) VALUES (1, 2); SELECT * FROM line_items;"

        def output(*arguments):
            return lint.run("--json", *arguments, stdin=script, schema=False, configuration="server.ini").stdout

        before = output("--stage", "derive")
        assert json.loads(before.splitlines()[0])["rewritten"] and before != output()
        migrate = [SHARDFERRY, "migrate", "-c", str(lint.directory / "server.ini"), "--to", "derive", "--yes"]
        subprocess.run(migrate, check=True, capture_output=True, timeout=60)
        assert output() == output("--stage", "observe") == before
    finally:
        server.drop_database(database)


# Variables of psql -----------------------------------------------------------------------------------------


def test_variables_are_values(lint):
    """psql's variables are taken for values, the same for the same name; what is printed is what is written."""
    script = """\
SELECT * FROM orders WHERE store_id = :store AND status = :'status' AND order_id::text = DATE :'day';
SELECT * FROM orders o JOIN orders p ON o.store_id = :a AND p.store_id = :a;
SELECT * FROM orders o JOIN orders p ON o.store_id = :a AND p.store_id = :b;
SELECT * FROM orders o JOIN orders p ON o.store_id = :a AND p.store_id = $1;
SELECT * FROM :orders WHERE store_id = 5;
"""
    rows = lint.json(script)
    assert [row["sql"] for row in rows] == script.replace(";", "").splitlines()
    assert [row["verdict"] for row in rows] == ["single-tenant", "single-tenant", "multi-tenant", "multi-tenant", "unparsed"]
    assert rows[1]["fingerprint"] == rows[2]["fingerprint"]
    assert "write this one out" in rows[4]["suggestion"]


def test_nonstandard_strings(lint):
    """A parser for standard strings is not asked about others; statements end where psql ends them."""
    rows = lint.json("SET standard_conforming_strings = off; SELECT 'a\\';b' FROM orders; SELECT 'c' FROM job_log;")
    assert [(row["sql"], row["verdict"]) for row in rows[1:]] == [
        ("SELECT 'a\\';b' FROM orders", "unparsed"),
        ("SELECT 'c' FROM job_log", "no-tenant-table"),
    ]
    assert "standard_conforming_strings" in rows[1]["reason"]


# SARIF -----------------------------------------------------------------------------------------------------


def region_text(text, region):
    """What a region covers; columns count characters, from 1."""
    lines = text.splitlines(keepends=True)[region["startLine"] - 1 : region["endLine"]]
    lines[-1] = lines[-1][: region["endColumn"] - 1]
    lines[0] = lines[0][region["startColumn"] - 1 :]
    return "".join(lines)


def check_sarif(document):
    """What the schema of SARIF 2.1.0 requires of the parts that are there."""
    assert document["version"] == "2.1.0" and document["$schema"].endswith("sarif-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "shardferry" and driver["version"]
    for rule in driver["rules"]:
        assert re.fullmatch(r"[a-z-]+", rule["id"]) and rule["shortDescription"]["text"].endswith(".")
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len({rule["id"] for rule in driver["rules"]}) == len(driver["rules"])
    for result in run["results"]:
        rule = driver["rules"][result["ruleIndex"]]
        assert (rule["id"], rule["defaultConfiguration"]["level"]) == (result["ruleId"], result["level"])
        assert result["message"]["text"]
        (location,) = result["locations"]
        if "physicalLocation" in location:
            place = location["physicalLocation"]
            assert re.fullmatch(r"(file://)?([A-Za-z0-9/._~-]|%[0-9A-F]{2})+", place["artifactLocation"]["uri"])
            region = place["region"]
            assert 1 <= region["startLine"] <= region["endLine"] and region["snippet"]["text"]
        assert all(re.fullmatch(r"[0-9a-f]{16}", value) for value in result.get("partialFingerprints", {}).values())
    return run["results"]


def sarif(lint, *files):
    run = lint.run("--sarif", *files)
    return run.returncode, check_sarif(json.loads(run.stdout.decode()))


def test_sarif(lint):
    """Findings alone, each at its place, with a rule and a level."""
    script = """\
SELECT 1; SELECT * FROM orders WHERE store_id = 5;
-- first
 /* Ä */ SELECT count(*)
   FROM orders; DO 'BEGIN END'; SELEC 'ö'; SELECT count(*) FROM orders \\g
"""
    (lint.directory / "an app.sql").write_text(script)
    status, results = sarif(lint, "./an app.sql")
    assert status == 1
    assert [(result["ruleId"], result["level"]) for result in results] == [
        ("multi-tenant", "warning"), ("opaque", "note"), ("unparsed", "note"), ("multi-tenant", "warning")]  # fmt: skip
    for result, text in zip(results, ("/* Ä */ SELECT count(*)\n   FROM orders", "DO 'BEGIN END'", "SELEC 'ö'", "SELECT count(*) FROM orders"), strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "an%20app.sql"
        assert place["region"]["snippet"]["text"] == text == region_text(script, place["region"])
    assert results[0]["partialFingerprints"] == results[3]["partialFingerprints"]
    assert "partialFingerprints" not in results[2]
    assert results[0]["properties"]["unscoped"] == ["public.orders"]
    assert "store_id" in results[0]["message"]["text"]


def test_sarif_without_findings(lint):
    (lint.directory / "app.sql").write_text("SELECT 1;")
    assert sarif(lint, "app.sql") == (0, [])
    assert sarif(lint, str(lint.directory / "app.sql")) == (0, [])
    assert lint.run("--sarif", "nothing-there.sql").returncode == 2
    assert lint.run("--sarif", "--json").returncode == 2


def test_sarif_fixes(lint):
    """Where the mended statement is known, it is offered in the place of the whole old one, and is a finding no more."""
    script = "SELECT 1; SELECT o.status FROM orders o\nJOIN line_items i ON i.order_id = o.order_id WHERE o.store_id = 5; SELECT 2;\n"
    (lint.directory / "schema.sql").write_text(SCHEMA.replace("order_id bigint, quantity", "order_id bigint, store_id bigint, quantity"))
    (lint.directory / "app.sql").write_text(script)
    _, (result,) = sarif(lint, str(lint.directory / "app.sql"))
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "file://" + str(lint.directory / "app.sql")
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    (replacement,) = change["replacements"]
    region = replacement["deletedRegion"]
    assert region_text(script, region) == script.split("; ")[1]
    mended = script.replace(script.split("; ")[1], replacement["insertedContent"]["text"])
    (lint.directory / "app.sql").write_text(mended)
    assert sarif(lint, "app.sql") == (0, [])


# Size ------------------------------------------------------------------------------------------------------


def test_large_statement_is_cut(lint):
    (lint.directory / "lint.ini").write_text(CONFIGURATION + "\n[proxy]\nparse_bytes = 4kB\n")
    rows = lint.json("SELECT 1;\nSELECT '" + "x" * 100_000 + "';\nSELECT 2;")
    assert [(row["line"], row["verdict"]) for row in rows] == [
        (1, "no-tenant-table"),
        (2, "unparsed"),
        (3, "no-tenant-table"),
    ]
    assert "parse_bytes" in rows[1]["reason"] and len(rows[1]["sql"]) == 4096


def test_nesting_does_not_crash(lint):
    rows = lint.json("SELECT " + "(" * 100_000 + ";\nSELECT " + "+".join("1" * 50_000) + ";\nSELECT 2;")
    assert [row["verdict"] for row in rows] == ["unparsed", "unparsed", "no-tenant-table"]


def test_memory_is_bounded(lint):
    """A large script, with COPY data and one unending statement, is read in little memory."""

    def script():
        for number in range(2000):
            yield b"SELECT * FROM orders WHERE store_id = 5 AND order_id = %d;\n" % number
        yield b"COPY job_log FROM stdin;\n"
        for _ in range(400):
            yield (b"1\t" + b"x" * 100 + b"\n") * 1000
        yield b"\\.\nSELECT '"
        for _ in range(400):
            yield b"y" * 100_000

    command = [SHARDFERRY, "lint", "-c", "lint.ini", "--schema", "schema.sql", "--json", "-"]
    child = subprocess.Popen(command, cwd=lint.directory, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    for part in script():
        child.stdin.write(part)
    child.stdin.flush()
    status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
    child.communicate()
    assert child.returncode == 1
    if not proxy.is_sanitized():
        assert int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) < 60_000  # kB
