"""The corpus: statements in files, each followed by the line of its verdict.

    SELECT * FROM orders WHERE order_id = 7;
    --> multi-tenant public.orders

Behind the verdict stand the tables that make it so, and Citus's message behind a colon where it refuses the statement.
Tables are written by hand, for Citus does not name them; verdicts and messages are Citus's own (tests/verdicts/take
asks for them), but for those that no server can give: these end with `(by hand)`. A new statement is followed by
`--> ?`. A line that begins with -- is a comment.

A directory is a schema: schema.sql as pg_dump would write it, distribute.sql what makes a cluster of it, lint.ini the
same for shardferry lint, cases/ the statements. A file of cases is one session.
"""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent
VERDICTS = ("single-tenant", "multi-tenant", "refused", "no-tenant-table", "opaque", "unparsed", "?")

_TABLE = r'(?:"(?:[^"]|"")*"|[^\s":(])+'
_ANSWER = re.compile(
    rf"--> (?P<verdict>[a-z-]+|\?)(?P<tables>(?: {_TABLE})*)(?P<by_hand> \(by hand\))?(?:: (?P<message>.*))?")


class Malformed(Exception):
    """A file that is not as this module describes it."""


@dataclasses.dataclass
class Case:
    line: int  # of the verdict
    sql: str  # without the semicolon
    data: str  # what follows COPY FROM STDIN
    verdict: str
    tables: list
    by_hand: bool
    message: str | None

    def answer(self):
        """The line of the verdict."""
        words = ["-->", self.verdict, *self.tables] + ["(by hand)"] * self.by_hand
        return " ".join(words) + (f": {self.message}" if self.message else "")


def schemas():
    """The directories of the corpus."""
    return sorted(path.parent for path in ROOT.glob("*/schema.sql"))


def files(schema):
    return sorted((schema / "cases").glob("*.sql"))


def read(path):
    """The cases of a file, in its order."""
    cases, begun = [], []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.startswith("-->"):
            begun.append(line)
            continue
        match = _ANSWER.fullmatch(line)
        if not match or match["verdict"] not in VERDICTS:
            raise Malformed(f"{path}:{number}: not a verdict: {line}")
        sql, data = _split(begun)
        if not sql:
            raise Malformed(f"{path}:{number}: a verdict on nothing")
        cases.append(Case(number, sql, data, match["verdict"], re.findall(_TABLE, match["tables"]),
                          bool(match["by_hand"]), match["message"]))
        begun = []
    if _split(begun)[0]:
        raise Malformed(f"{path}: a statement without a verdict at the end")
    return cases


def write(path, cases):
    """Puts the cases' verdicts in the place of those in the file; says whether any has changed."""
    before = path.read_text()
    lines = before.splitlines()
    for case in cases:
        lines[case.line - 1] = case.answer()
    after = "\n".join(lines) + "\n"
    if after != before:
        path.write_text(after)
    return after != before


def _split(lines):
    """(statement, data of COPY) of the lines above a verdict."""
    text = "\n".join(line for line in lines if not line.startswith("--")).strip()
    sql, ended, data = text.partition(";\n") if text.endswith("\n\\.") else (text.removesuffix(";"), "", "")
    return sql, data.removesuffix("\\.")
