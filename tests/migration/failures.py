"""What fails around the runner: it waits, tries again, or stops and says what to do; the application feels no more than the
failure itself; and a later run completes."""

import errno
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Callable

import acceptance
import psycopg
from harness import process
from place import Place, Wrong, say

LIMIT = 600


@dataclass
class Case:
    """`run` starts the migration, makes something fail and returns the runner's exit status once that is mended."""

    run: Callable
    stops: str = None          # what a runner that stopped must have said, as an expression; None: it must not stop
    application_feels: bool = False
    needs_citus: bool = False
    on_a_small_disk: bool = False


# ---- moments ----


def wait_for_step(place, child, step, thing=None):
    """Until the runner is in a step. False if it ended without."""
    end = time.monotonic() + LIMIT
    while child.poll() is None and time.monotonic() < end:
        journal = place.journal()
        if journal and journal[-1][0] == step and journal[-1][2] == "started" and thing in (None, journal[-1][1]):
            return True
        time.sleep(0.01)
    return False


def ends(place, child):
    return acceptance.wait_for(child, place, LIMIT)


def main_step(to):
    """The one that takes longest on the way to a stage."""
    return "backfill" if to == "resolve" else "distribute"


# ---- what fails ----


def proxy_killed(place, to):
    """Not the application's: the runner waits out its lease."""
    other = place.start_proxy()
    child = place.migrate(to)
    wait_for_step(place, child, "index")
    other.kill()
    return ends(place, child)


def proxy_of_the_application_killed(place, to):
    child = place.migrate(to)
    wait_for_step(place, child, "index")
    place.proxies[0].kill()
    time.sleep(1)
    place.proxies[0].start()
    return ends(place, child)


def proxy_hangs(place, to):
    """One that is stopped and comes back: it has fenced itself, and goes on when it knows the new epoch."""
    other = place.start_proxy()
    child = place.migrate(to)
    wait_for_step(place, child, "index")
    other.process.send_signal(signal.SIGSTOP)
    try:
        return ends(place, child)
    finally:
        other.process.send_signal(signal.SIGCONT)


def backend_killed(place, to):
    """With kill -9, which makes the server end all its sessions and recover."""
    child = place.migrate(to)
    wait_for_step(place, child, main_step(to))
    (pid,) = place.server.backends("shardferry migrate")
    os.kill(pid, signal.SIGKILL)
    status = ends(place, child)
    process.wait_until(lambda: answers(place.server), 60, "the server to recover")
    return status


def backend_terminated(place, to):
    child = place.migrate(to)
    wait_for_step(place, child, main_step(to))
    place.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shardferry migrate'")
    return ends(place, child)


def server_restarted(place, to):
    child = place.migrate(to)
    wait_for_step(place, child, main_step(to))
    place.server.stop("fast")
    status = ends(place, child)
    place.server.start()
    return status


def server_crashes(place, to):
    child = place.migrate(to)
    wait_for_step(place, child, "index")
    place.server.stop("immediate")
    status = ends(place, child)
    place.server.start()
    return status


def worker_down(place, to):
    child = place.migrate(to)
    wait_for_step(place, child, "distribute")
    worker = place.nodes[2]
    worker.stop("immediate")
    time.sleep(5)
    status = child.poll()
    worker.start()
    return ends(place, child) if status is None else status


def worker_down_from_the_beginning(place, to):
    worker = place.nodes[1]
    worker.stop("immediate")
    status = ends(place, place.migrate(to))
    worker.start()
    return status


def long_transaction(place, to, seconds=60):
    """Somebody has read a table and does not end his transaction."""
    with place.connect() as connection, connection.transaction():
        connection.execute(f"SELECT 1 FROM {place.application.tables[-1]} LIMIT 1")
        child = place.migrate(to)
        time.sleep(seconds)
    return ends(place, child)


def long_write(place, to, seconds=60):
    """Somebody has written, elsewhere, and does not end his transaction: nobody knows yet what he will see."""
    with place.connect() as connection, connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE note (text text)")
        connection.execute("SELECT pg_current_xact_id()")
        child = place.migrate(to)
        time.sleep(seconds)
    return ends(place, child)


class Readers:
    """Sessions that, one at least at every instant, hold ACCESS SHARE on a table for seconds, behind the proxy's back."""

    def __init__(self, place, table, count=3, seconds=2):
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.read, args=(place, table, seconds, number * seconds / count), daemon=True)
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def read(self, place, table, seconds, after):
        time.sleep(after)
        with place.connect() as connection:
            while not self.stop.is_set():
                with connection.transaction():
                    connection.execute(f"SELECT 1 FROM {table} LIMIT 1")
                    self.stop.wait(seconds)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def lock_fight(place, to):
    readers = Readers(place, place.application.tables[-1])
    child = place.migrate(to, "--lock-wait", "15")
    try:
        end = time.monotonic() + 120
        while child.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        readers.end()
    return ends(place, child)


def disk_full(place, to):
    """A ballast takes what is left of the disk that the tables are on; later it is taken away."""
    child = place.migrate(to)
    wait_for_step(place, child, "backfill" if place.application.name == "tailspin" else "index")
    place.fill_disk()
    try:
        return ends(place, child)
    finally:
        place.empty_disk()


CASES = {
    "proxy-killed": Case(proxy_killed),
    "own-proxy-killed": Case(proxy_of_the_application_killed, application_feels=True),
    "proxy-hangs": Case(proxy_hangs),
    "backend-killed": Case(backend_killed, stops="connection|terminat", application_feels=True),
    "backend-terminated": Case(backend_terminated, stops="connection|terminat"),
    "server-restarted": Case(server_restarted, stops="connection|terminat|shut", application_feels=True),
    "server-crashes": Case(server_crashes, stops="connection|terminat|shut", application_feels=True),
    "worker-down": Case(worker_down, stops="connection|worker|node", application_feels=True, needs_citus=True),
    "worker-down-at-first": Case(worker_down_from_the_beginning, stops="connection|worker|node", needs_citus=True),
    "long-transaction": Case(long_transaction),
    "long-write": Case(long_write),
    "lock-fight": Case(lock_fight, stops="lock|holds"),
    "disk-full": Case(disk_full, stops="space|disk", application_feels=True, on_a_small_disk=True),
}


class SmallDisk:
    """A tablespace on a tmpfs, to which the database moves."""

    def __init__(self, place):
        self.path = place.path("disk")
        os.mkdir(self.path)
        size = place.execute("SELECT pg_database_size(current_database())")[0][0]
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size * 4 + (64 << 20)},mode=0777", "tmpfs", self.path], check=True)
        try:
            self.move_there(place)
        except BaseException:
            self.remove()
            raise

    def move_there(self, place):
        # PostgreSQL wants an empty directory of its own.
        data = os.path.join(self.path, "data")
        os.mkdir(data, 0o700)
        owner = process.server_user()
        os.chown(data, owner["user"], owner["group"])
        place.server.execute(f"CREATE TABLESPACE small LOCATION '{data}'", None, "postgres")
        place.server.execute(f"ALTER DATABASE {place.database} SET TABLESPACE small", None, "postgres")

    @property
    def ballast(self):
        return os.path.join(self.path, "ballast")

    def fill(self):
        """Takes all that is left, while others do so, too."""
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty(self):
        os.unlink(self.ballast)

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)


def answers(server):
    try:
        server.connect("postgres").close()
        return True
    except psycopg.OperationalError:
        return False


def check_case(case, status, place, to, problems):
    """Of a run that a failure has met: it went on to the end, or stopped and said why."""
    if status == 0:
        say("    went on to the end")
        return
    said = [line for line in place.log(lines=30).splitlines() if line.strip()]
    error = next((number for number, line in enumerate(said) if line.startswith("shardferry:")), len(said) - 4)
    for line in said[max(0, error):]:
        say(f"    | {line}")
    if case.stops is None:
        problems.append(f"it stopped with status {status}")
    elif not re.search(case.stops, "\n".join(said[max(0, error):]), re.IGNORECASE):
        problems.append("it stopped, and said nothing of the failure")


def complete(place, to, problems, tries=3):
    """A later run completes; the first may still have to wait for what the failure left."""
    for _ in range(tries):
        if ends(place, place.migrate(to)) == 0:
            return True
    problems.append(f"{tries} later runs do not complete:\n{place.log()}")
    return False


def run_case(name, place, to, wanted):
    case, problems = CASES[name], []
    load = place.start_load()
    time.sleep(1)
    status = case.run(place, to)
    check_case(case, status, place, to, problems)
    if status == 0 or complete(place, to, problems):
        time.sleep(1)
        load.stop()
        if not case.application_feels:
            problems += acceptance.errors_of(load, place.journal())
        problems += load.ledger_problems()
        acceptance.check_end(place, to, wanted, problems)
    return [f"{name}: {problem}" for problem in problems]


def cases_for(to, with_citus, only):
    for name, case in CASES.items():
        if (not only or name in only) and (with_citus or not case.needs_citus):
            if case.on_a_small_disk and os.geteuid() != 0:
                say(f"  {name}: left out, as only root can mount a disk")
            elif case.on_a_small_disk and with_citus:
                say(f"  {name}: left out, as a database with Citus's sessions in it cannot be moved to one")
            else:
                yield name, case


def run(application, scale, to, with_citus, only):
    """Returns the problems, texts."""
    say(f"{application.name} to {to}{' with Citus' if with_citus else ''}: failures")
    problems = []
    with Place(application, scale, with_citus) as place:
        wanted = place.schema_by_hand(to)
        first = True
        for name, case in cases_for(to, with_citus, only):
            if not first:
                place.renew()
            first = False
            start = time.monotonic()
            say(f"  {name}")
            if case.on_a_small_disk:
                place.use_small_disk(SmallDisk(place))
            place.start_proxy()
            try:
                found = run_case(name, place, to, wanted)
            except (Wrong, AssertionError, psycopg.Error) as error:
                found = [f"{name}: {error}"]
                place.reset()
            problems += found
            say("\n".join([f"    NOT as it must be: {one}" for one in found] or ["    as it must be"])
                + f" ({time.monotonic() - start:.0f} s)")
    return problems
