"""Runs statements as they are and as they are sent, and compares what comes out."""

import collections
import json
import os
import random
import tempfile

import psycopg

from harness.proxy import run_command

from . import schema
from .grammar import Grammar

# Too slow for either one says nothing.
_CANCELLED = b"57014"
_TIMEOUT = "2s"


class Run:
    """What has been seen."""

    def __init__(self):
        self.statements = self.rewritten = self.cancelled = self.failed = self.empty = 0
        self.verdicts = collections.Counter()
        self.differences = []

    def __str__(self):
        return (f"{self.statements} statements, {self.rewritten} rewritten, {self.failed} fail in both, {self.empty} without rows, "
                f"{self.cancelled} too slow; " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items())))


def make_database(server, seed, **how):
    database = server.create_database()
    with server.connect(database) as conn:
        conn.execute(schema.create() + schema.fill(random.Random(seed), **how) + "ANALYZE;")
    return database


def statements(seed, n, bare=False):
    grammar = Grammar(random.Random(seed), bare)
    return [grammar.statement() for _ in range(n)]


class Client:
    """A connection; `where` is a condition on what is looked at of a table that was changed."""

    def __init__(self, endpoint, where="true"):
        self.conn = psycopg.connect(**endpoint.keywords(), autocommit=True)
        self.pgconn, self.where = self.conn.pgconn, where
        self.conn.execute(f"SET statement_timeout = '{_TIMEOUT}'")

    def close(self):
        self.conn.close()

    def answer(self, text, changed, extended=False):
        """(SQLSTATE or None, tag, the rows, sorted; where a table is changed: its rows, and then it is as before)"""
        if changed:
            self.pgconn.exec_(b"BEGIN")
        result = self.pgconn.exec_params(text.encode(), []) if extended else self.pgconn.exec_(text.encode())
        state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE)
        tag = result.command_status
        if changed and not state:
            result = self.pgconn.exec_(f"SELECT * FROM {changed} WHERE {self.where}".encode())
        rows = sorted(tuple(result.get_value(row, column) or b"<NULL>" for column in range(result.nfields))
                      for row in range(result.ntuples))
        if changed:
            self.pgconn.exec_(b"ROLLBACK")
        return state, tag if not state else None, rows


def lint(texts, stage="keyed", reads="join"):
    """What the program says of each."""
    with tempfile.TemporaryDirectory() as directory:
        def write(name, text):
            path = os.path.join(directory, name)
            with open(path, "w") as file:
                file.write(text)
            return path

        config = write("reads.ini", schema.TENANT.format(reads=reads) + schema.COLOURS + schema.MEMOS)
        done = run_command("lint", "-c", config, "--schema", write("schema.sql", schema.create()), "--stage", stage, "--json",
                           write("statements.sql", "".join(f"{text};\n" for text in texts)), timeout=120)
    assert done.returncode in (0, 1), done.stderr
    decisions = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(decisions) == len(texts), (len(decisions), len(texts))
    return decisions


def compare(run, first, second, text, other, changed, extended=False):
    """`first` runs the text, `second` the other one."""
    expected, found = first.answer(text, changed), second.answer(other, changed, extended)
    run.statements += 1
    if _CANCELLED in (expected[0], found[0]):
        run.cancelled += 1
        return
    run.failed += expected[0] is not None
    run.empty += not expected[2]
    if expected != found:
        run.differences.append(f"{text}\n  with    {other}\n  expected {expected}\n  found    {found}")
