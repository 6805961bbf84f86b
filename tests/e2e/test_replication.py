"""Replication connections are relayed: walsender commands, COPY in both directions, base backups."""

import os
import signal
import subprocess
import time

import psycopg2
import psycopg2.extras
import pytest

from harness import process
from harness.postgres import program
from harness.wire import Wire, message, query, rows


def test_walsender_commands(same, both):
    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.start_session(replication="true")
            return [conn.ask(query(command))[:2] for command in ("IDENTIFY_SYSTEM", "SHOW wal_level")][1]

    same(observe)


def test_sql_on_a_logical_connection(same):
    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.start_session(replication="database")
            return rows(conn.ask(query("SELECT current_database()"))), rows(conn.ask(query("SHOW wal_level")))

    assert same(observe) == ([[b"app"]], [[b"logical"]])


def test_logical_decoding(proxied, server):
    """START_REPLICATION: both directions at once; the changes of another session arrive."""
    conn = psycopg2.connect(connection_factory=psycopg2.extras.LogicalReplicationConnection, **proxied.keywords())
    cursor = conn.cursor()
    cursor.create_replication_slot("e2e_slot", output_plugin="test_decoding")
    try:
        cursor.start_replication(slot_name="e2e_slot", decode=True, options={"skip-empty-xacts": "1"})
        server.execute("CREATE TABLE replicated (a int); INSERT INTO replicated SELECT generate_series(1, 200);")
        server.execute("DROP TABLE replicated")
        seen = []

        def receive():
            got = cursor.read_message()
            if got:
                seen.append(got.payload)
                cursor.send_feedback(flush_lsn=got.data_start)
            return sum("INSERT" in payload for payload in seen) == 200

        process.wait_until(receive, 20, "200 changes", interval=0.001)
    finally:
        conn.close()
        process.wait_until(lambda: not server.execute(
            "SELECT 1 FROM pg_replication_slots WHERE slot_name = 'e2e_slot' AND active"), what="the slot to be released")
        server.execute("SELECT pg_drop_replication_slot('e2e_slot')")


@pytest.mark.parametrize("sslmode", ["disable", "verify-full"])
def test_base_backup(sslmode, proxied, tmp_path):
    """A whole cluster, with the WAL of the meantime over a second connection."""
    done = subprocess.run([program("pg_basebackup"), "-D", str(tmp_path / "backup"), "-X", "stream", "-c", "fast", "--no-sync"],
                          capture_output=True, text=True, timeout=50, env=proxied.over(sslmode=sslmode).environment(os.environ))
    assert done.returncode == 0, done.stderr
    checked = subprocess.run([program("pg_verifybackup"), str(tmp_path / "backup")], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr


def test_receive_wal(proxied, server, tmp_path):
    receiver = subprocess.Popen([program("pg_receivewal"), "-D", str(tmp_path), "--no-sync", "-n", "-s", "1"], stderr=subprocess.PIPE, text=True,
                                env=proxied.environment(os.environ), preexec_fn=process.die_with_parent(signal.SIGKILL))
    try:
        def streams():
            server.execute("SELECT pg_create_restore_point('e2e')")  # at a segment's very start there is nothing to stream
            return os.listdir(tmp_path)

        process.wait_until(streams, 15, "pg_receivewal to stream")
        before = server.execute("SELECT pg_walfile_name(pg_current_wal_lsn())")[0][0]
        server.execute("CREATE TABLE walled AS SELECT generate_series(1, 1000); DROP TABLE walled; SELECT pg_switch_wal()")
        process.wait_until(lambda: before in os.listdir(tmp_path), 20, f"{before} complete")
    finally:
        receiver.send_signal(signal.SIGINT)
        receiver.wait(10)


def test_copy_both_ended_by_the_client(same, server):
    """The client ends the stream with CopyDone, and the session takes commands again."""

    def observe(endpoint):
        with Wire(endpoint, connect=False) as conn:
            conn.start_session(replication="database")
            conn.ask(query("CREATE_REPLICATION_SLOT e2e_both TEMPORARY LOGICAL test_decoding"))
            conn.send(query("START_REPLICATION SLOT e2e_both LOGICAL 0/0"))
            assert conn.receive()[0] == "W"
            time.sleep(0.1)
            conn.send(message("c"))
            kinds = [kind for kind, _ in conn.until("Z") if kind != "d"]
            return kinds, rows(conn.ask(query("SELECT 1")))

    assert same(observe)[1] == [[b"1"]]
