"""Blocks of cases, run on a pair of databases; on a difference, the search for the statement that made it.

A block is known by its number, its stage and the run's seed: it starts from rows of its own, and nothing that happened
before it has a part in it. So any block, or any one case of it, can be run again alone.
"""

import dataclasses
import random

from . import schema
from .cases import Cases
from .pair import Difference
from .schema import STAGES

BLOCK_CASES = 60
COMPARE_EVERY = 15


@dataclasses.dataclass
class Options:
    seed: int
    shapes: list = None  # names of Grammar's methods; None: all
    ways: list = None
    only: str = ""  # "block" or "block.case"


@dataclasses.dataclass
class Outcome:
    """What a part of the run has seen. Findings are texts for people."""

    statements: int = 0
    shapes: dict = dataclasses.field(default_factory=dict)
    allowed: dict = dataclasses.field(default_factory=dict)
    findings: list = dataclasses.field(default_factory=list)
    failed_shapes: dict = dataclasses.field(default_factory=dict)
    errors: dict = dataclasses.field(default_factory=dict)

    def add(self, other):
        self.statements += other.statements
        self.findings += other.findings
        for name in ("shapes", "allowed", "failed_shapes", "errors"):
            mine = getattr(self, name)
            for key, count in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + count


def cases_of(options, tenant_type, stage, block):
    """The cases of a block, always the same ones."""
    rng = random.Random(f"{options.seed} {tenant_type} {stage} {block}")
    seeds = schema.Seeds(STAGES.index(stage) * schema.STAGE_BLOCKS + block + 1, tenant_type)
    cases = Cases(rng, seeds, stage, options.shapes, options.ways)
    return seeds, [cases.case() for _ in range(BLOCK_CASES)]


def _play(pair, seeds, cases, every):
    """Runs cases from the seeds on. Returns the number of the case after which a difference was seen and the difference,
    or (None, None); and what was allowed."""
    pair.reset(seeds)
    excused = {}
    for number, case in enumerate(cases):
        try:
            why = pair.run(case)
            if why:
                key = f"{case.shape}: {why}"
                excused[key] = excused.get(key, 0) + 1
            if number % every == every - 1 or number == len(cases) - 1:
                pair.compare_tables()
        except Difference as difference:
            pair.connect()
            return number, difference, excused
    return None, None, excused


def _say(options, pair, block, number, case, difference, alone):
    where = f"--tenant {pair.tenant_type} --stage {pair.stage} --only {block}.{number}"
    steps = "\n".join(f"  {n + 1}. {step.note}" for n, step in enumerate(case.steps))
    head = f"seed {options.seed}, tenant {pair.tenant_type}, stage {pair.stage}, case {block}.{number}: {case.shape}"
    return (f"{head}\n{steps}\n{difference}\n  again: tests/oracle/run --seed {options.seed} {where}" + ("" if alone else
            f"\n  (not alone: only after the cases before it, --only {block})"))


def run_block(pair, options, block):
    """Runs a block and, if A and B differ, finds the case in which they begin to."""
    seeds, cases = cases_of(options, pair.tenant_type, pair.stage, block)
    outcome = Outcome()
    wanted = options.only.split(".")[1:]
    chosen = [int(wanted[0])] if wanted else range(len(cases))
    at, difference, outcome.allowed = _play(pair, seeds, [cases[n] for n in chosen], COMPARE_EVERY)
    done = len(chosen) if at is None else at + 1
    for number in chosen[:done]:
        outcome.statements += cases[number].statements
        outcome.shapes[cases[number].shape] = outcome.shapes.get(cases[number].shape, 0) + cases[number].statements
    if difference is None:
        return outcome
    if not wanted:
        # A table that differs may do so for some cases already.
        again, exact, _ = _play(pair, seeds, cases[:at + 1], 1)
        if exact is not None:
            at, difference = again, exact
    number = chosen[at]
    alone, by_itself, _ = _play(pair, seeds, [cases[number]], 1)
    outcome.findings.append(_say(options, pair, block, number, cases[number], by_itself or difference, by_itself is not None))
    outcome.failed_shapes[f"{pair.stage}: {cases[number].shape}"] = 1
    return outcome


def run_stage(pair, options, statements, give_up_after):
    """Blocks of the pair's stage until that many statements have run, or that many differences were found."""
    outcome, block = Outcome(), 0
    if options.only:
        return run_block(pair, options, int(options.only.split(".")[0]))
    while outcome.statements < statements and len(outcome.findings) < give_up_after:
        outcome.add(run_block(pair, options, block))
        block += 1
    return outcome
