"""The whole migration under load: nothing lost, nothing wrong, no error; and what the application felt in each step."""

import collections
import time

from place import Place, Wrong, percentile, say

WRITES, READS = ("order", "item"), ("read",)


def windows(journal):
    """{step: [(begin, end)]} in the order of their first begin, of what the journal tells."""
    found, open_tasks = {}, {}
    for step, thing, event, at in journal:
        if event == "started":
            open_tasks[step, thing] = at
        elif event in ("done", "failed") and (step, thing) in open_tasks:
            found.setdefault(step, []).append((open_tasks.pop((step, thing)), at))
    return found


def latencies(statements, kinds, spans, offset):
    """Durations in ms of the statements of some kinds that ran within one of the spans, if only in part."""
    return [duration * 1000 for kind, start, duration in statements
            if kind in kinds and any(start + offset <= end and start + duration + offset >= begin for begin, end in spans)]


def table_of_latencies(load, journal, begun, ended):
    statements, offset = load.seen["statements"], load.clock_offset
    steps = windows(journal)
    spans = {"before": [(0, begun)], **steps, "all of it": [(begun, ended)], "after": [(ended, float("inf"))]}
    say(f"  {'':16}{'seconds':>9}{'writes':>9}{'p50':>8}{'p99':>9}{'max':>9}{'reads':>9}{'p50':>8}{'p99':>9}{'max':>9}   in ms")
    results = {}
    for name, of in spans.items():
        seconds = sum(end - begin for begin, end in of) if name not in ("before", "after") else None
        line = f"  {name:16}" + (f"{seconds:9.2f}" if seconds is not None else " " * 9)
        results[name] = {"seconds": seconds}
        for label, kinds in (("writes", WRITES), ("reads", READS)):
            values = latencies(statements, kinds, of, offset)
            figures = [percentile(values, 0.5), percentile(values, 0.99), max(values, default=None)]
            results[name][label] = [len(values), *figures]
            line += f"{len(values):9,}" + "".join(f"{figure:{width}.1f}" if figure is not None else " " * width
                                                   for figure, width in zip(figures, (8, 9, 9)))
        say(line)
    return results


def wait_for(child, place, seconds):
    end = time.monotonic() + seconds
    while child.poll() is None:
        if time.monotonic() > end:
            child.kill()
            raise Wrong(f"migrate is not done after {seconds} s:\n{place.log()}")
        time.sleep(0.1)
    return child.returncode


def check_end(place, to, wanted, problems):
    """What must hold of a finished migration, whoever interrupted it on its way."""
    problems += [f"schema: {line}" for line in place.schema_differences(wanted)]
    problems += place.wrong_rows()
    problems += [f"left over: {line}" for line in place.leftovers()]
    again = place.migrate(to)
    if wait_for(again, place, 120) != 0 or "nothing to do" not in place.log(lines=3):
        problems.append(f"a further run finds something to do:\n{place.log(lines=5)}")


def errors_of(load, journal=()):
    """The application's errors, with the steps in which they came."""
    counted = collections.Counter()
    steps = windows(journal)
    for at, text in load.seen["errors"]:
        instant = at + load.clock_offset
        during = [step for step, spans in steps.items() if any(begin <= instant <= end for begin, end in spans)]
        counted[" and ".join(during) or "between steps", text.strip()] += 1
    found = [f"{count} x in {step}: {text}" for (step, text), count in counted.most_common(8)]
    return [f"{sum(counted.values())} errors of the application:", *found] if found else []


def run(application, scale, to, with_citus, before=20, after=20, limit=3600):
    """Returns the problems, texts."""
    problems = []
    start = time.monotonic()
    with Place(application, scale, with_citus) as place:
        rows = ", ".join(f"{count:,} {table}" for table, count in place.counts.items())
        say(f"{application.name} to {to}{', Citus with two workers' if with_citus else ''}: {rows}"
            f" ({time.monotonic() - start:.0f} s)")
        wanted = place.schema_by_hand(to)
        place.start_proxy()
        load = place.start_load()
        time.sleep(before)
        begun = time.time()
        status = wait_for(place.migrate(to), place, limit)
        ended = time.time()
        say(place.log(lines=200).rstrip())
        if status != 0:
            problems.append(f"migrate ended with status {status}")
        time.sleep(after)
        load.stop()
        table_of_latencies(load, place.journal(), begun, ended)
        for line in place.slow_statements():
            say(f"  slow: {line}")
        say("  " + ", ".join(f"{count:,} {table}" for table, count in load.committed().items()) + " committed by the application")
        problems += errors_of(load, place.journal())
        if status != 0:
            return problems
        problems += load.ledger_problems()
        for table, count in place.counts.items():
            has = place.execute(f"SELECT count(*) FROM {table}")[0][0]
            expected = count + load.committed().get(table, 0)
            if has != expected and not load.seen["uncertain"]:
                problems.append(f"{table} has {has:,} rows, of {expected:,}")
        check_end(place, to, wanted, problems)
        place.proxies[0].check_sanitizers()
    return problems
