"""psql sees through the proxy what it sees directly."""

import os
import subprocess

import pytest

from harness.postgres import program


def run_psql(endpoint, script, *options):
    """Output and error text of psql, which reads `script` from its standard input."""
    done = subprocess.run(
        [program("psql"), "-X", "-v", "VERBOSITY=verbose", *options],
        input=script, capture_output=True, encoding="utf-8", errors="backslashreplace", timeout=30,
        env=dict(endpoint.environment(os.environ), LC_ALL="C.UTF-8"))
    return done.stdout, done.stderr, done.returncode


SCRIPTS = {
    "rows": "SELECT n, n::text || 'ä', NULL FROM generate_series(1, 5) n;",
    "several statements": r"SELECT 1\; SELECT 2\; SELECT 3;",
    "gdesc": r"SELECT store_id, name, 1.5::numeric(10,2) AS price FROM stores \gdesc",
    "describe table": r"\d line_items",
    "crosstab": r"SELECT n % 2, n, n FROM generate_series(1, 4) n \crosstabview",
    "gexec": "SELECT 'SELECT ' || n FROM generate_series(1, 3) n \\gexec",
    "cursor": "\\set FETCH_COUNT 7\nSELECT n FROM generate_series(1, 50) n;",
    "bind": "PREPARE p(int, text) AS SELECT $1 + 1, $2;\nEXECUTE p(1, 'x');\nDEALLOCATE p;",
    "empty": ";\n",
    "transaction": "BEGIN;\nSAVEPOINT a;\nSELECT 1/0;\nROLLBACK TO a;\nSELECT 'on';\nCOMMIT;",
    "notices": "DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; RAISE INFO 'three'; END $$;",
    "error": "SELECT * FROM nowhere;",
    "error with caret": "SELECT 1,\n   2,\n   nocolumn,\n   4 FROM stores;",
    "error behind wide characters": "SELECT 'äöü€😀', nocolumn FROM stores;",
    "syntax error": "SELEC 1;",
    "syntax error at end": "SELECT (1;",
    "error fields": "INSERT INTO line_items (order_id) VALUES (-1);",
    "error in function": "SELECT 1 FROM (SELECT xpath('//', '<a/>'::xml)) x;",
    "hint": "SELECT nam FROM stores;",
    "copy to": "\\copy (SELECT n, 'a,\"b' || n FROM generate_series(1, 5) n) TO STDOUT WITH (FORMAT csv, HEADER)",
    "copy in": "CREATE TEMP TABLE c (a int, b text);\n\\copy c FROM STDIN\n1\tone\n2\t\\N\n\\.\nTABLE c;",
    "copy in csv": "CREATE TEMP TABLE c (a int, b text);\nCOPY c FROM STDIN CSV;\n1,\"a\nb\"\n2,\n\\.\nTABLE c;",
    "copy in fails": "CREATE TEMP TABLE c (a int);\nCOPY c FROM STDIN;\n1\nx\n3\n\\.\nSELECT count(*) FROM c;",
    "copy among statements": "CREATE TEMP TABLE c (a int);\nCOPY c FROM STDIN\\; SELECT 'behind';\n1\n\\.\n",
    "variables": r"\echo :ROW_COUNT :LAST_ERROR_SQLSTATE" "\nSELECT 1/0;\n" r"\echo :SQLSTATE",
    "encoding": "SET client_encoding = 'LATIN1';\nSELECT 'caf' || chr(233);\n\\encoding",
    "large object": "BEGIN;\n\\lo_import /etc/hostname\nSELECT count(*) FROM pg_largeobject WHERE loid = :LASTOID;\n"
                    "\\lo_unlink :LASTOID\nCOMMIT;",
    "conninfo": "SELECT current_user, current_database(), session_user;",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(name, same):
    def observe(endpoint):
        stdout, stderr, status = run_psql(endpoint, SCRIPTS[name], "-q")
        if name == "large object":  # its number is a new one each time
            lines = [line for line in (stdout + stderr).splitlines() if not line.startswith("lo_import")]
            return lines, status
        return stdout, stderr, status

    same(observe)


def test_each_way(way, same):
    """A session over TCP, TLS and a Unix socket; the client sees its TLS."""
    direct, proxied = way

    def observe(endpoint):
        return run_psql(endpoint, "SELECT 1;\nSELECT 1/0;\n\\copy stores (name) TO STDOUT\n", "-At")

    stdout, stderr, status = same(observe, way)
    assert stdout.startswith("1\nstore 1\n") and "22012" in stderr and status == 0
    banner, _, _ = run_psql(proxied, "\\conninfo\n")
    assert ("SSL connection" in banner) == proxied.is_tls


def test_caret(same):
    _, stderr, _ = same(lambda endpoint: run_psql(endpoint, SCRIPTS["error with caret"]))
    assert "LINE 3:    nocolumn,\n           ^" in stderr


def test_stops_at_error(same):
    _, _, status = same(lambda endpoint: run_psql(endpoint, "SELECT 1/0;\nSELECT 2;", "-v", "ON_ERROR_STOP=1"))
    assert status == 3


def test_copy_files(same, tmp_path):
    """\\copy of a few megabytes from and to a file, in text, csv and binary."""

    def observe(endpoint):
        results = []
        for options in ("", "WITH (FORMAT csv)", "WITH (FORMAT binary)"):
            path = tmp_path / "rows"
            results.append(run_psql(endpoint, (
                "CREATE TEMP TABLE big AS SELECT n, md5(n::text) AS m FROM generate_series(1, 40000) n;\n"
                f"\\copy big TO '{path}' {options}\n"
                "CREATE TEMP TABLE again (LIKE big);\n"
                f"\\copy again FROM '{path}' {options}\n"
                "SELECT count(*), sum(n) FROM (TABLE again EXCEPT TABLE big) x;\nSELECT count(*) FROM again;")))
        return results

    for stdout, _, status in same(observe):
        assert "COPY 40000" in stdout and status == 0


def test_dump_and_restore(same, database, server):
    """pg_dump reads a database and psql loads it into another one: any database can be named."""

    def observe(endpoint):
        dump = subprocess.run([program("pg_dump"), "--no-owner", "-d", "app"], capture_output=True, text=True, check=True,
                              env=endpoint.environment(os.environ)).stdout
        return [line for line in dump.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]

    dump = same(observe)
    assert any(line.startswith("COPY public.line_items") for line in dump)


def test_service_of_several_hosts(proxied):
    """A client that tries hosts in turn, with target_session_attrs, settles on the proxy."""
    conninfo = f"host=127.0.0.1,127.0.0.1 port=1,{proxied.port} dbname=app user=postgres target_session_attrs=read-write"
    done = subprocess.run([program("psql"), "-XAtc", "SELECT 1", conninfo], capture_output=True, text=True, timeout=20)
    assert done.stdout == "1\n", done.stderr
