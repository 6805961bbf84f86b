"""The pace of the backfill: what it waits for and says, what it leaves to others; and the backfill by pg_cron."""

import glob
import signal
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.postgres import PostgresServer
from harness.proxy import binary, run_command
from test_migrate import Shop

ROWS = 3000
MORE_ROWS = f"""INSERT INTO line_items (product_id, order_id, quantity) SELECT 1 + n % 100, 1 + n % 200, 2 FROM generate_series(401, {ROWS}) n;
ANALYZE line_items"""
WRONG = """SELECT count(*) FROM line_items l JOIN orders o USING (order_id) WHERE l.store_id IS DISTINCT FROM o.store_id"""


class BackfillShop(Shop):
    """In stage derive, with some rows to fill."""

    def __init__(self, server, directory, name):
        super().__init__(server, directory, name)
        self.execute(MORE_ROWS)
        assert self.run("--to", "derive", "--yes").returncode == 0

    def set(self, **settings):
        self.config.write_text(self.config.read_text() + "[migration]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))

    def begin(self):
        return process.spawn([binary(), "migrate", "-c", str(self.config), "--to", "keyed", "--yes"], stderr=self.log)

    def waiting_for(self):
        rows = self.execute("SELECT waiting_for FROM shardferry.progress WHERE step = 'backfill' AND finished IS NULL")
        return rows[0][0] or "" if rows else ""

    def seen(self):
        rows = self.execute("SELECT rows_seen FROM shardferry.backfill")
        return rows[0][0] if rows else 0

    def is_analyzed(self):
        return self.execute("SELECT null_frac FROM pg_stats WHERE tablename = 'line_items' AND attname = 'store_id'") == [(0,)]

    def end(self, runner, status=0):
        assert runner.wait(40) == status, self.printed()
        if status == 0:
            assert self.execute(WRONG) == [(0,)] and self.seen() >= ROWS


@pytest.fixture
def shop(server, tmp_path):
    made = BackfillShop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


# What it waits for


def test_a_held_row_and_its_holder_are_named(shop):
    with shop.connect() as conn, conn.transaction():
        conn.execute("SET application_name = 'holds a row'")
        conn.execute("SELECT FROM line_items WHERE line_item_id = 1200 FOR UPDATE")
        runner = shop.begin()
        process.wait_until(lambda: "row {1200} of public.line_items" in shop.waiting_for(), 20, "the row to be named")
        assert f"pid {conn.info.backend_pid} (holds a row" in shop.waiting_for()
        assert shop.seen() < 1200
    shop.end(runner)


def test_the_operators_limit(shop):
    """Rows a second; lifted while the backfill runs."""
    shop.execute("UPDATE shardferry.control SET rows_per_second = 500")
    runner = shop.begin()
    process.wait_until(lambda: shop.seen() > 0, 20, "the backfill to begin")
    before, started = shop.seen(), time.monotonic()
    time.sleep(2)
    rate = (shop.seen() - before) / (time.monotonic() - started)
    assert 200 < rate < 1000
    assert "limit" in shop.waiting_for()
    shop.execute("UPDATE shardferry.control SET rows_per_second = NULL")
    shop.end(runner)


def test_slow_statements_at_a_proxy(shop, make_proxy):
    """The backfill waits while they are slow, says whose they are, and goes on when they are fast again."""
    proxy = make_proxy(dbname=shop.name)
    shop.set(max_latency="50ms", batch_duration="10ms")
    shop.execute("UPDATE shardferry.control SET rows_per_second = 1000")
    stop, slow = threading.Event(), [0.2]

    def work():
        with psycopg.connect(autocommit=True, **proxy.endpoint().keywords()) as conn:
            while not stop.is_set():
                conn.execute("SELECT pg_sleep(%s)", (slow[0],))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        runner = shop.begin()
        process.wait_until(lambda: f"(pid {proxy.pid}), whose clients' statements take" in shop.waiting_for(), 20, "the backfill to wait")
        seen = shop.seen()
        time.sleep(1)
        assert shop.seen() == seen
        slow[0] = 0.005
        shop.execute("UPDATE shardferry.control SET rows_per_second = NULL")
        shop.end(runner)
    finally:
        stop.set()
        worker.join()


def test_no_more_room_than_needed(shop):
    """The room of the rows' old selves is used again while the backfill goes on."""
    shop.execute("ALTER TABLE line_items SET (autovacuum_enabled = off)")
    shop.execute("INSERT INTO line_items (product_id, order_id, quantity) SELECT 1 + n % 100, 1 + n % 200, 3 FROM generate_series(1, 80000) n")
    shop.execute("VACUUM ANALYZE line_items")
    before = shop.execute("SELECT pg_relation_size('line_items')")[0][0]
    shop.end(shop.begin())
    assert shop.execute("SELECT pg_relation_size('line_items')")[0][0] < 1.95 * before
    assert shop.is_analyzed()


# By pg_cron


@pytest.fixture(scope="module")
def cron_server():
    """A server whose pg_cron keeps its jobs in database shop."""
    if not glob.glob("/usr/share/postgresql/*/extension/pg_cron.control"):
        pytest.skip("pg_cron is not installed: scripts/install-deps test installs it where it is offered")
    made = PostgresServer(settings={"cron.database_name": "shop", "cron.use_background_workers": "on"}, preload="pg_cron")
    try:
        made.create_database("shop")
        made.execute("CREATE EXTENSION pg_cron", None, "shop")
        yield made
    finally:
        made.remove()


class CronShop(BackfillShop):
    def jobs(self):
        return self.execute("SELECT jobname, command FROM cron.job")

    def procedure(self):
        return f"shardferry.backfill_{self.execute('SELECT %s::regclass::oid', ('line_items',))[0][0]}"

    def wait_for_job(self):
        process.wait_until(self.jobs, 20, "the job to be scheduled")
        assert self.jobs() == [("shardferry: public.line_items of shop", f"CALL {self.procedure()}()")]

    def call(self):
        """What pg_cron does at the full minute."""
        with self.connect() as conn:
            conn.execute(f"CALL {self.procedure()}()")

    def is_clean(self):
        return not self.jobs() and self.execute("SELECT to_regproc(%s), (SELECT driver FROM shardferry.backfill)",
                                                (self.procedure(),)) == [(None, "runner")]


@pytest.fixture
def cron_shop(cron_server, tmp_path):
    cron_server.execute(tailspin.SCHEMA + tailspin.DATA, None, "shop")
    made = CronShop(cron_server, tmp_path, "shop")
    made.set(driver="pg_cron")
    yield made
    made.execute("SELECT cron.unschedule(jobid) FROM cron.job; DROP SCHEMA shardferry CASCADE; DROP TABLE line_items, orders, products, stores")


@pytest.mark.limit(150)
def test_pg_cron_runs_the_backfill(cron_shop):
    """Scheduled, watched, unscheduled; the runner itself fills nothing."""
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    assert cron_shop.seen() == 0
    assert runner.wait(90) == 0, cron_shop.printed()
    cron_shop.end(runner)
    assert cron_shop.is_clean()
    assert cron_shop.execute("SELECT count(*) > 0 FROM cron.job_run_details WHERE status = 'succeeded'") == [(True,)]


def test_undo_takes_the_job_away(cron_shop):
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    runner.kill()
    runner.wait(10)
    done = run_command("undo", "-c", str(cron_shop.config), "--to", "observe", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert cron_shop.execute("SELECT count(*) FROM cron.job") == [(0,)]


def test_job_of_a_killed_runner_goes_on_and_is_found(cron_shop):
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    cron_shop.execute("UPDATE shardferry.control SET rows_per_second = 150")
    caller = threading.Thread(target=cron_shop.call)
    caller.start()
    process.wait_until(lambda: cron_shop.seen() > 0, 10, "the job to go on")
    runner = cron_shop.begin()
    process.wait_until(lambda: "of pg_cron is found" in cron_shop.printed(), 10, "the job to be found")
    cron_shop.execute("UPDATE shardferry.control SET rows_per_second = NULL, paused = true")
    time.sleep(1)
    seen = cron_shop.seen()
    assert 0 < seen < ROWS
    time.sleep(1)
    assert cron_shop.seen() == seen
    cron_shop.execute("UPDATE shardferry.control SET paused = false")
    cron_shop.end(runner)
    caller.join()
    assert cron_shop.is_clean()


def test_what_a_job_has_filled_alone_is_analyzed(cron_shop):
    """The checks of the foreign keys are planned by what statistics say of the column."""
    cron_shop.execute("ALTER TABLE line_items SET (autovacuum_enabled = off)")
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    runner.kill()
    runner.wait()
    cron_shop.call()
    cron_shop.end(cron_shop.begin())
    assert cron_shop.is_analyzed()


def test_back_to_the_runner_while_the_job_runs(cron_shop):
    """They are never at it both: what the job still does comes to nothing."""
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    cron_shop.execute("UPDATE shardferry.control SET rows_per_second = 300")
    caller = threading.Thread(target=cron_shop.call)
    caller.start()
    process.wait_until(lambda: cron_shop.seen() > 0, 10, "the job to go on")
    cron_shop.config.write_text(cron_shop.config.read_text().replace("driver = pg_cron", "driver = runner"))
    runner = cron_shop.begin()
    process.wait_until(lambda: not caller.is_alive(), 10, "the job to end")
    cron_shop.execute("UPDATE shardferry.control SET rows_per_second = NULL")
    cron_shop.end(runner)
    assert cron_shop.is_clean() and cron_shop.seen() == ROWS
    assert cron_shop.execute("SELECT rows_filled FROM shardferry.backfill") <= [(ROWS,)]


def test_failures_of_the_job_are_named(cron_shop):
    runner = cron_shop.begin()
    cron_shop.wait_for_job()
    cron_shop.execute("INSERT INTO cron.job_run_details (jobid, runid, status, return_message, start_time)"
                             " SELECT jobid, 1000000 + n, 'failed', 'connection failed', clock_timestamp() FROM cron.job, generate_series(1, 2) n")
    assert runner.wait(20) == 1
    assert "fails" in cron_shop.printed() and "connection failed" in cron_shop.printed()


def test_without_pg_cron(shop):
    shop.set(driver="pg_cron")
    result = run_command("migrate", "-c", str(shop.config), "--to", "keyed", "--yes")
    assert result.returncode == 1 and "pg_cron is not in this database" in result.stdout + result.stderr
