"""shardferry migrate while something fails around it: it waits, tries again, or stops and says what to do; a later run
completes, and nothing is lost."""

import errno
import os
import signal
import subprocess
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.leftovers import leftovers
from harness.proxy import Proxy
from test_migrate_keys import EXPECTED, KeyShop

pytestmark = pytest.mark.limit(120)

ROWS = 8_000
MORE_ROWS = f"""
INSERT INTO line_items (product_id, order_id, quantity, line_amount)
SELECT 1 + n % 100, 1 + n % 200, 1, 1 FROM generate_series(1, {ROWS}) n
"""
# Batches so small that a backfill lasts.
SLOW = tailspin.TABLES + "[migration]\nbatch_duration = 2ms\n"


class Shop(KeyShop):
    def wait_for_step(self, runner, step):
        """Until the runner is in it."""
        def is_there():
            assert runner.poll() is None, self.printed()
            if not self.execute("SELECT to_regclass('shardferry.journal') IS NOT NULL")[0][0]:
                return False
            return self.execute("SELECT step, event FROM shardferry.journal ORDER BY id DESC LIMIT 1") == [(step, "started")]

        process.wait_until(is_there, 60, f"step {step}", 0.002)

    def stopped(self, runner, *says):
        """The runner has given up, and said why."""
        assert runner.wait(60) == 1, self.printed()
        for text in says:
            assert text in self.printed()

    def check_complete(self, printed=True):
        assert {key[:4] for key in self.keys_alone()} == EXPECTED
        assert self.execute(tailspin.WRONG_ROWS) == []
        assert self.execute("SELECT count(*), count(store_id) FROM line_items") == [(ROWS + 400, ROWS + 400)]
        with self.connect() as conn:
            assert leftovers(conn) == []

    def run_again(self):
        self.migrate()
        self.check_complete()


def make_shop(server, directory):
    shop = Shop(server, directory, tailspin.create(server))
    shop.execute(MORE_ROWS)
    shop.configure(SLOW)
    return shop


@pytest.fixture
def shop(server, tmp_path):
    made = make_shop(server, tmp_path)
    yield made
    server.drop_database(made.name)


def test_its_backend_is_terminated(shop):
    runner = shop.start()
    shop.wait_for_step(runner, "backfill")
    shop.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shardferry migrate'"
                 " AND datname = current_database()")
    shop.stopped(runner, "filling a batch", "terminating connection")
    done = shop.execute("SELECT rows_seen FROM shardferry.backfill")[0][0]
    assert done < ROWS
    shop.run_again()
    assert shop.execute("SELECT rows_seen FROM shardferry.backfill")[0][0] == ROWS + 400


def ended(connection):
    try:
        connection.execute("SELECT 1")
        return False
    except psycopg.OperationalError:
        return True


def answers(server):
    try:
        server.connect("postgres").close()
        return True
    except psycopg.OperationalError:
        return False


@pytest.mark.parametrize("how", ["backend", "server", "restart"])
def test_the_server_goes_down(make_server, tmp_path, how):
    """kill -9 of a backend makes the server end all sessions and recover; kill -9 of the server; a restart in good order."""
    server = make_server()
    shop = make_shop(server, tmp_path)
    runner = shop.start()
    shop.wait_for_step(runner, "backfill")
    if how == "backend":
        with server.connect("postgres") as witness:
            (pid,) = server.backends("shardferry migrate")
            os.kill(pid, signal.SIGKILL)
            process.wait_until(lambda: ended(witness), 20, "the server to end its sessions")
        process.wait_until(lambda: answers(server), 20, "the server to recover")
    else:
        server.stop("immediate" if how == "server" else "fast")
        server.start()
    shop.stopped(runner, "line_items")
    shop.run_again()


def test_a_proxy_is_killed(shop):
    """What it had promised ends with its lease."""
    shop.configure(SLOW, lease="1s")
    proxy = Proxy(shop.server, shop.name, {"control.lease": "1s"}, None, tailspin.TABLES)
    try:
        proxy.wait_for_catalog("line_items")
        runner = shop.start()
        shop.wait_for_step(runner, "backfill")
        proxy.kill()
        assert runner.wait(60) == 0, shop.printed()
        shop.check_complete()
        # One that comes back begins anew.
        proxy.start()
        proxy.wait_for_catalog("line_items")
        assert proxy.tables()["line_items"]["stage"] == "resolve"
    finally:
        proxy.close()


def test_an_old_snapshot_keeps_an_index_waiting(shop):
    with shop.connect(application_name="a report") as report:
        runner = shop.start()
        shop.wait_for_step(runner, "backfill")
        report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM stores")
        shop.wait_for_step(runner, "index")
        time.sleep(1)
        assert runner.poll() is None, shop.printed()
        report.execute("COMMIT")
        assert runner.wait(60) == 0, shop.printed()
    shop.check_complete()


class Readers:
    """Sessions of which one at least reads the table at every instant, in transactions that take their time."""

    def __init__(self, shop, seconds=0.6, count=3):
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.read, args=(shop, seconds, number * seconds / count), daemon=True)
                        for number in range(count)]

    def read(self, shop, seconds, after):
        time.sleep(after)
        with shop.connect(application_name="a reader") as conn:
            while not self.stop.is_set():
                conn.execute("BEGIN; SELECT 1 FROM line_items LIMIT 1")
                self.stop.wait(seconds)
                conn.execute("COMMIT")

    def __enter__(self):
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_a_table_that_is_never_free(shop):
    with Readers(shop):
        time.sleep(0.5)
        runner = shop.start("--lock-wait", "2")
        shop.stopped(runner, "could not lock public.line_items", "a reader")
    shop.run_again()


@pytest.fixture
def small_disk(make_server, tmp_path):
    """A server, and a tablespace of 40 MB on it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    server = make_server()
    disk = os.path.join(server.directory, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", disk]).returncode != 0:
        pytest.skip("a disk cannot be mounted here")
    try:
        os.mkdir(f"{disk}/data", 0o700)
        owner = process.server_user()
        os.chown(f"{disk}/data", owner["user"], owner["group"])
        server.execute(f"CREATE TABLESPACE small LOCATION '{disk}/data'", None, "postgres")
        yield server, disk
    finally:
        server.stop()
        subprocess.run(["umount", disk], check=True)


def fill(path):
    """Takes all that is left of the disk, while somebody else does so, too."""
    with open(path, "wb", buffering=0) as ballast:
        try:
            while ballast.write(bytes(1 << 16)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC


@pytest.mark.parametrize("step", ["backfill", "index"])
def test_the_disk_is_full(small_disk, tmp_path, step):
    server, disk = small_disk
    shop = make_shop(server, tmp_path)
    server.execute(f"ALTER DATABASE {shop.name} SET TABLESPACE small", None, "postgres")
    runner = shop.start()
    shop.wait_for_step(runner, step)
    fill(f"{disk}/ballast")
    shop.stopped(runner, "No space left on device")
    assert shop.execute("SELECT count(*) FROM line_items") == [(ROWS + 400,)]
    os.unlink(f"{disk}/ballast")
    shop.run_again()
