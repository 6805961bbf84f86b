"""pgbench's three protocol modes, over each kind of connection."""

import os
import re
import subprocess

import pytest

from harness.postgres import program


@pytest.fixture(scope="module")
def bench_database(server):
    name = server.create_database("bench")
    subprocess.run([program("pgbench"), "-i", "-s", "1", "-q"], check=True, capture_output=True,
                   env=server.endpoint(name).environment(os.environ))
    yield name
    server.drop_database(name)


def run_pgbench(endpoint, *options):
    done = subprocess.run([program("pgbench"), "-n", *options], capture_output=True, text=True, timeout=60,
                          env=endpoint.environment(os.environ))
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower() and "aborted" not in done.stderr, done.stderr
    assert re.search(r"number of failed transactions: 0 ", done.stdout), done.stdout
    return int(re.search(r"number of transactions actually processed: (\d+)", done.stdout).group(1))


@pytest.mark.parametrize("mode", ["simple", "extended", "prepared"])
def test_mode(mode, way, bench_database, server):
    """Each transaction that pgbench counts is in the history table, once."""
    _, proxied = way
    before = server.execute("SELECT count(*) FROM pgbench_history", dbname=bench_database)[0][0]
    processed = run_pgbench(proxied.over(dbname=bench_database), "-M", mode, "-c", "4", "-j", "2", "-t", "60")
    after = server.execute("SELECT count(*) FROM pgbench_history", dbname=bench_database)[0][0]
    assert processed == 240 and after - before == processed


@pytest.mark.parametrize("mode", ["simple", "prepared"])
def test_reconnecting(mode, proxied, bench_database):
    """A new connection for every transaction."""
    assert run_pgbench(proxied.over(dbname=bench_database), "-M", mode, "-S", "-C", "-c", "4", "-t", "25") == 100


def test_pipeline(proxied, bench_database, tmp_path):
    script = tmp_path / "pipeline.sql"
    script.write_text("\\startpipeline\nSELECT 1;\nBEGIN;\nUPDATE pgbench_tellers SET tbalance = tbalance + 1 WHERE tid = 1;\n"
                      "COMMIT;\nSELECT 2;\n\\endpipeline\n")
    assert run_pgbench(proxied.over(dbname=bench_database), "-M", "extended", "-f", str(script), "-c", "2", "-t", "50") == 100
