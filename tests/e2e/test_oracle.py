"""The same random statements directly, where a trigger fills the tenant, and through the proxy: nothing differs.

ORACLE_STATEMENTS says how many (10,000 without), ORACLE_SEED which (the same ones without, so that a run can be repeated);
the seed is in the output of a failure, with the command that runs the bad case alone.
"""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from oracle import parallel  # noqa: E402
from oracle.pair import Pair  # noqa: E402
from oracle.runner import Options, run_stage  # noqa: E402

STATEMENTS = int(os.environ.get("ORACLE_STATEMENTS", 10000))
SHAPES = ("insert values", "default values", "insert select", "on conflict", "chain", "merge", "copy", "update of the foreign key",
          "update of the parent's tenant", "update of the tenant to itself", "delete", "read", "string of statements", "pipeline",
          "transaction", "prepared statement", "session tenant", "cursor", "portal in portions")
SEED = int(os.environ.get("ORACLE_SEED", 100001))


@pytest.mark.limit(60 + STATEMENTS // 50)
def test_nothing_differs(server, shardferry, capsys):
    """Stages derive, keyed and resolve, tenants of four types, under sessions that live through all stages."""
    with capsys.disabled():
        print(f"\noracle: seed {SEED}", flush=True)
    total = parallel.run(server, Options(SEED), STATEMENTS)
    parallel.report(total)
    assert not total.findings, f"seed {SEED}: {len(total.findings)} differences, the first of them:\n{total.findings[0]}"
    assert total.statements >= STATEMENTS
    missing = [shape for shape in SHAPES if not any(seen.startswith(shape) for seen in total.shapes)]
    assert not missing, f"no statement of these shapes was made: {missing}"


def test_it_would_be_seen(server, shardferry):
    """A tenant that is wrong in one table is found, and the case that shows it is named."""
    pair = Pair(server, "bigint")
    try:
        server.execute('DROP TRIGGER "A_fill" ON books', None, pair.database_a)
        outcome = run_stage(pair, Options(SEED, ["insert_values"], ["single"]), 5000, 1)
    finally:
        pair.close()
    assert outcome.findings and "books" in outcome.findings[0].lower(), outcome
    assert f"--seed {SEED} --tenant bigint --stage derive --only " in outcome.findings[0]
