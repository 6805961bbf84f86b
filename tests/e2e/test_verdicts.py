"""lint says of each statement of the corpus in tests/verdicts what Citus has said of it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

from harness import proxy
from harness.citus import NOT_OFFERED, is_offered

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from verdicts import corpus  # noqa: E402
from verdicts.differences import DIFFERENCES  # noqa: E402

FILES = [(schema, path) for schema in corpus.schemas() for path in corpus.files(schema)]
ASKED = os.environ.get("VERDICTS_ASKED", "shop/cases/equality.sql shop/cases/joins.sql text_tenants").split()  # of a real Citus; empty: all
NAMES = [f"{schema.name}/{path.stem}" for schema, path in FILES]


def judge(schema, path):
    """(case, lint's object) for each statement of a file."""
    command = [proxy.binary(), "lint", "-c", schema / "lint.ini", "--schema", schema / "schema.sql", "--json", path]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode in (0, 1), run.stderr
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    cases = corpus.read(path)
    assert len(rows) == len(cases), f"lint finds {len(rows)} statements, there are {len(cases)}"
    return list(zip(cases, rows))


def in_lints_words(case):
    """(verdict, unscoped tables, whether Citus refuses it), as lint has to say it."""
    refused = case.verdict == "refused"
    return "multi-tenant" if refused else case.verdict, sorted(case.tables), refused


@pytest.mark.parametrize("schema, path", FILES, ids=NAMES)
def test_agreement(schema, path):
    wrong = []
    for case, row in judge(schema, path):
        said = row["verdict"], sorted(row["unscoped"]), row["citus_error"] is not None
        agrees = said == in_lints_words(case)
        if case.sql in DIFFERENCES:
            assert not agrees, f"no difference any more: {case.sql}"
            assert row["verdict"] == "multi-tenant", case.sql
        elif not agrees:
            wrong.append(f"{path.name}:{case.line}: {case.sql}\n  {case.answer()}\n  lint: {said} {row['reason']}")
    assert not wrong, f"{len(wrong)} statements:\n" + "\n".join(wrong)


@pytest.mark.parametrize("schema, path", FILES, ids=NAMES)
def test_what_is_not_routed_says_why(schema, path):
    for case, row in judge(schema, path):
        finding = row["verdict"] not in ("single-tenant", "no-tenant-table")
        assert bool(row["reason"]) == finding, f"{path.name}:{case.line}: {case.sql}\n  {row}"
        if row["unscoped"]:
            names = [table.split(".")[-1].strip('"') for table in row["unscoped"]]
            assert any(name in row["reason"] for name in names), f"{path.name}:{case.line}: {case.sql}\n  {row}"


@pytest.mark.parametrize("schema, path", [each for each in FILES if each[1].stem.startswith("orm_")],
                         ids=[name for name in NAMES if "/orm_" in name])
def test_no_orm_statement_passes_silently(schema, path):
    for case, row in judge(schema, path):
        if case.verdict not in ("single-tenant", "no-tenant-table"):
            where = f"{path.name}:{case.line}: {case.sql}\n  {row}"
            assert row["verdict"] in ("multi-tenant", "opaque"), where
            assert row["reason"] and row["suggestion"], where


def test_the_corpus_is_complete():
    cases = [case for _, path in FILES for case in corpus.read(path)]
    assert DIFFERENCES.keys() <= {case.sql for case in cases}
    assert len(cases) >= 450
    for case in cases:
        assert case.verdict != "?", f"not asked yet: {case.sql}"
    assert {case.verdict for case in cases} == set(corpus.VERDICTS) - {"?"}
    assert sum(case.by_hand for case in cases) < len(cases) / 20


@pytest.mark.skipif(not is_offered(), reason=NOT_OFFERED)
@pytest.mark.limit(600)
def test_citus_still_says_so():
    run = subprocess.run([TESTS / "verdicts/take", "--check", *[TESTS / "verdicts" / name for name in ASKED]], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert ", 0 changed, 0 mistakes" in run.stdout
