"""kill -9 of the runner at random instants, at least once in every step, and again until it is done: the end state is that
of a run which nobody interrupted, nothing is left over, and the application, which works all the while, notices nothing."""

import collections
import random
import time

import acceptance
from harness.by_hand import differences
from place import Place, Wrong, progress, say

# Seconds for a migration that is killed again and again.
ROUND_LIMIT = 600
# So often is a step aimed at before it is given up.
AIMS = 40
# Most often a migration is cut into more pieces than that; what takes long must have its chance to be over, too.
RUNS_IN_A_MIGRATION = 5


class Killer:
    """Runs one migration to its end, killing the runner on its way."""

    def __init__(self, place, to, reference, random_):
        self.place, self.to, self.reference, self.random = place, to, reference, random_
        self.durations = {}
        for step, spans in acceptance.windows(reference).items():
            self.durations[step] = max(end - begin for begin, end in spans)
        # The journal is made by the first step, which is not in it.
        self.steps = ["schema", *(step for step in self.durations if step != "schema")]
        self.total = reference[-1][3] - reference[0][3]
        self.hits = collections.Counter(dict.fromkeys(self.steps, 0))
        self.aims = collections.Counter()
        self.kills = 0

    def missed(self):
        return [step for step in self.steps if self.hits[step] == 0 and self.aims[step] < AIMS]

    @staticmethod
    def running(journal):
        """The step that had begun and not ended when the journal was read; None between two."""
        if not journal:
            return "schema"
        step, _, event, _ = journal[-1]
        return step if event == "started" else None

    def pick_target(self):
        """A step that was not hit yet and that this migration has not passed; None: any instant will do."""
        passed = {step for step, _, event, _ in self.place.journal() if event == "done"}
        left = [step for step in self.missed() if step not in passed]
        return left[0] if left and self.random.random() < 0.8 else None

    def wait_for_step(self, child, target):
        """Until it is in that step, or has passed it: some are over in a moment. False if it ended before."""
        since = len(self.place.journal())
        with self.place.connect() as connection:
            while child.poll() is None:
                try:
                    rows = connection.execute("SELECT step, event FROM shardferry.journal ORDER BY id OFFSET %s", (since,)).fetchall()
                except Exception:  # there is no journal yet
                    rows = []
                    time.sleep(0.002)
                if (target, "started") in rows or (target == "schema" and not since and not rows):
                    return True
        return False

    def attempt(self):
        """One start of the runner. Returns its exit status, None if it was killed."""
        target = self.pick_target()
        child = self.place.migrate(self.to)
        if target:
            self.aims[target] += 1
            if not self.wait_for_step(child, target):
                return child.wait()
            time.sleep(self.random.uniform(0, self.durations.get(target, 0.05)))
        else:
            pieces = RUNS_IN_A_MIGRATION if self.random.random() < 0.7 else 1
            end = time.monotonic() + self.random.uniform(0, self.total / pieces)
            while child.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
        if child.poll() is not None:
            return child.returncode
        child.kill()
        child.wait()
        self.kills += 1
        step = self.running(self.place.journal())
        if step:
            self.hits[step] += 1
        return None

    def run(self, enough):
        """Kills on until the migration is through; the last start is left in peace once `enough` were killed."""
        end = time.monotonic() + ROUND_LIMIT
        while time.monotonic() < end:
            progress(f"{self.kills} kills")
            if self.kills < enough or self.missed():
                status = self.attempt()
            else:
                status = acceptance.wait_for(self.place.migrate(self.to), self.place, ROUND_LIMIT)
            if status == 0:
                return
            if status is not None:
                raise Wrong(f"after {self.kills} kills migrate ended with status {status}:\n{self.place.log()}")
        raise Wrong(f"not done after {ROUND_LIMIT} s of kills:\n{self.place.log()}")


def sections_of(application, with_citus, number):
    """Every other round distributes concurrently what its size would not demand."""
    if not with_citus or number % 2 == 0:
        return ""
    made = ""
    for table in application.concurrently:
        made += f"[table {table}]\nmethod = concurrently\n"
    return made


def check_round(place, to, wanted, reference, load, problems):
    load.stop()
    problems += acceptance.errors_of(load, place.journal()) + load.ledger_problems()
    acceptance.check_end(place, to, wanted, problems)
    problems += [f"other than without kills: {line}" for line in differences(place.state(), reference)]


def run(application, scale, to, with_citus, kills, seed):
    """Returns the problems, texts."""
    seed = random.randrange(1 << 30) if seed is None else seed
    say(f"{application.name} to {to}{' with Citus' if with_citus else ''}: {kills} kills, seed {seed}")
    problems = []
    with Place(application, scale, with_citus) as place:
        wanted = place.schema_by_hand(to)
        place.start_proxy(sections_of(application, with_citus, 1))
        load = place.start_load()
        if acceptance.wait_for(place.migrate(to), place, ROUND_LIMIT) != 0:
            raise Wrong(f"without any kill migrate fails:\n{place.log()}")
        load.stop()
        killer = Killer(place, to, place.journal(), random.Random(seed))
        reference = place.state()
        rounds = 0
        # A round of its own ends when the runner was faster.
        while (killer.kills < kills or killer.missed()) and not problems:
            place.renew()
            place.start_proxy(sections_of(application, with_citus, rounds))
            load = place.start_load()
            killer.run(kills)
            check_round(place, to, wanted, reference, load, problems)
            rounds += 1
            say(f"  migration {rounds}: {killer.kills} kills so far; not hit yet: {', '.join(killer.missed()) or 'none'}")
        progress("")
        say(f"  {killer.kills} kills in {rounds} migrations; in each step: "
            + ", ".join(f"{step} {count}" for step, count in killer.hits.items()))
        if killer.kills >= kills:
            problems += [f"step {step} was never hit" for step, count in killer.hits.items() if count == 0]
    return problems
