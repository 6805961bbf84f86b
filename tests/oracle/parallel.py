"""A whole run: for each type of tenant id a pair of databases that goes through the stages; pairs share the processors."""

import concurrent.futures
import multiprocessing
import time

from harness.postgres import PostgresServer

from . import schema
from .pair import Pair
from .runner import Outcome, run_stage
from .schema import STAGES


_inherited = {}  # what a worker process has from its parent


def _inherit(server, citus):
    _inherited.update(server=server, citus=citus)


def _run_pair(tenant_type, stages, options, statements, give_up_after):
    """One pair through its stages. A process of its own."""
    outcome, began = Outcome(), time.monotonic()
    pair = Pair(_inherited["server"], tenant_type, _inherited["citus"])
    try:
        while True:
            if pair.stage in stages:
                outcome.add(run_stage(pair, options, statements, give_up_after))
            if pair.stage == stages[-1] or len(outcome.findings) >= give_up_after:
                break
            pair.advance()
        outcome.errors = pair.errors
    finally:
        try:
            pair.close()
        except AssertionError as problem:
            outcome.findings.append(f"tenant {tenant_type}: {problem}")
    return tenant_type, outcome, time.monotonic() - began


def run(server, options, statements, tenants=tuple(schema.TENANTS), stages=STAGES[:3], processes=2, give_up_after=3,
        citus=None, say=print):
    """Runs that many statements over all, and returns the outcome. A server of its own is made where none is given."""
    own = None if server else PostgresServer()
    stages = [stage for stage in STAGES if stage in stages]
    each = -(-statements // (len(tenants) * len(stages)))
    total = Outcome()
    try:
        with concurrent.futures.ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _inherit,
                                                    (server or own, citus)) as pool:
            jobs = [pool.submit(_run_pair, tenant, stages, options, each, give_up_after) for tenant in tenants]
            for job in concurrent.futures.as_completed(jobs):
                tenant, outcome, seconds = job.result()
                say(f"tenant {tenant}: {outcome.statements} statements, {len(outcome.findings)} differences, {seconds:.1f} s")
                total.add(outcome)
    finally:
        if own:
            own.remove()
    return total


def report(total, errors=False, say=print):
    """The counts, with how often A answered with an error if wanted, and every difference in full."""
    say(f"{total.statements} statements: " + ", ".join(f"{count} {shape}" for shape, count in sorted(total.shapes.items())))
    for what, count in sorted(total.errors.items()) if errors else ():
        say(f"error in both: {count} × {what}")
    for what, count in sorted(total.allowed.items()):
        say(f"refused, as it must be: {count} × {what}")
    for finding in total.findings:
        say(f"\n{finding}")
    if total.findings:
        say("\nwhere: " + ", ".join(f"{count} {shape}" for shape, count in sorted(total.failed_shapes.items())))
    say(f"{len(total.findings)} differences")
