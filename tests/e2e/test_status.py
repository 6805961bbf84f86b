"""Watching a migration and steering it: status, the console, signals, what a terminal shows."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import psycopg
import pytest

from harness import process, tailspin
from harness.proxy import binary, run_command
from test_migrate_citus import make_shop  # noqa: F401  a fixture
from test_migrate_keys import LEFT_OVER, KeyShop

WATCH = "shardferry watch"
STEP = {"position", "step", "table", "what", "state", "started", "elapsed_ms", "phase", "done", "total", "unit", "rate", "batch",
        "left_s", "waiting_for", "blocked_by"}
WHOLE = {"state", "epoch", "paused", "rows_per_second", "changed_by", "changed", "runner", "last_failure", "next", "steps_done",
         "tables", "steps", "proxies"}


class StatusShop(KeyShop):
    """With more line items than are filled in a moment, once the backfill is limited."""

    def fill(self, rows):
        self.execute("INSERT INTO line_items (product_id, order_id, quantity) SELECT 1 + n %% 100, 1 + n %% 200, 1 "
                     "FROM generate_series(1, %s) n", (rows,))
        self.execute("ANALYZE line_items")

    def prepare(self, rows_per_second=None, rows=20000):
        """In stage derive, so that the backfill is next, and limited."""
        self.fill(rows)
        result = self.run("--to", "derive", "--yes")
        assert result.returncode == 0, result.stdout + result.stderr
        self.execute("UPDATE shardferry.control SET rows_per_second = %s", (rows_per_second,))

    def prepare_for_indexes(self):
        """So that the next step that takes a lock is the one that builds indexes."""
        assert self.run("--to", "derive", "--yes").returncode == 0
        self.execute("UPDATE line_items l SET store_id = o.store_id FROM orders o WHERE o.order_id = l.order_id;"
                     "ALTER TABLE line_items ALTER store_id SET NOT NULL; ALTER TABLE orders ALTER store_id SET NOT NULL;"
                     "ALTER TABLE products ALTER store_id SET NOT NULL")

    def unlimit(self):
        self.execute("UPDATE shardferry.control SET rows_per_second = NULL")

    def status(self, *args):
        return run_command("status", "-c", str(self.config), *args)

    def json(self):
        result = self.status("--json")
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("\n") == 1
        return json.loads(result.stdout)

    def at_hand(self):
        """The step that runs or waits; None between two."""
        return next((step for step in self.json()["steps"] if step["state"] in ("running", "waiting")), None)

    def wait_for_step(self, name, **wanted):
        def there():
            step = self.at_hand()
            return step and step["step"] == name and all(step[key] for key in wanted) and step

        return process.wait_until(there, 20, f"step {name}; printed: {self.printed()}", 0.1)

    def seen(self):
        rows = self.execute("SELECT rows_seen FROM shardferry.backfill WHERE table_name = 'line_items'")
        return rows[0][0] if rows else 0

    def wait_for_rows(self):
        process.wait_until(lambda: self.seen() > 0, 20, f"the first batch; printed: {self.printed()}")


@pytest.fixture
def shop(server, tmp_path):
    made = StatusShop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


def end(runner, shop):
    assert runner.wait(30) == 0, shop.printed()


# Before and after


def test_before_any_migration(shop):
    seen = shop.json()
    assert set(seen) == WHOLE
    assert seen["state"] == "not begun" and seen["epoch"] == 0 and seen["steps"] == seen["tables"] == []
    printed = shop.status()
    assert printed.returncode == 0
    assert "migration: not begun" in printed.stdout and "shardferry migrate" in printed.stdout
    assert shop.status("--watch").stdout == printed.stdout


def test_after_a_migration(shop):
    shop.run("--to", "derive", "--yes")
    seen = shop.json()
    assert seen["state"] == "finished" and seen["runner"] is None and seen["last_failure"] is None
    assert seen["tables"] == [{"table": "public.line_items", "kind": "backfill", "stage": "derive", "tenant_column": "store_id",
                               "since_epoch": seen["epoch"]}] or len(seen["tables"]) > 1
    assert all(set(step) == STEP and step["state"] == "done" for step in seen["steps"])
    assert [step["position"] for step in seen["steps"]] == list(range(1, len(seen["steps"]) + 1))
    assert {"schema", "column", "derive"} <= {step["step"] for step in seen["steps"]}
    assert seen["steps_done"] == len(seen["steps"])
    printed = shop.status().stdout
    assert "migration: finished" in printed and "done     add column store_id to public.line_items" in printed


def test_a_run_that_failed(shop):
    shop.run("--to", "derive", "--yes")
    shop.execute("ALTER TABLE line_items ADD CHECK (store_id IS NULL)")
    result = shop.run("--to", "keyed", "--yes")
    assert result.returncode == 1
    seen = shop.json()
    assert seen["state"] == "failed" and seen["last_failure"]["step"] == "backfill"
    assert seen["last_failure"]["table"] == "public.line_items" and "check constraint" in seen["last_failure"]["message"]
    assert [step["state"] for step in seen["steps"] if step["step"] == "backfill"] == ["failed"]
    assert "failed:    backfill of public.line_items" in shop.status().stdout


@pytest.mark.parametrize("args, says", [((), "-c FILE is missing"), (("-c", "x", "y"), "unexpected argument")])
def test_wrong_usage(args, says):
    result = run_command("status", *args)
    assert result.returncode == 2 and says in result.stderr


def test_no_server(shop):
    shop.configure(port=process.free_port())
    result = shop.status()
    assert result.returncode == 1 and "[control] conninfo" in result.stderr


def test_a_role_that_may_not_look_is_told(shop):
    shop.run("--to", "derive", "--yes")
    shop.configure(user="app_trust")
    result = shop.status()
    assert result.returncode == 1
    assert 'GRANT USAGE ON SCHEMA shardferry TO "app_trust"' in result.stderr


# From a proxy's console


def test_the_console_steers_the_backfill(shop, make_proxy):
    shop.prepare(1500)
    proxy = make_proxy(shop.server, dbname=shop.name)
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()

    step = shop.wait_for_step("backfill", rate=True)
    assert step["table"] == "public.line_items" and step["unit"] == "rows" and 0 < step["done"] < step["total"]
    assert step["batch"] > 0 and step["left_s"] > 0
    whole, *steps = proxy.console("SHOW MIGRATION")
    assert whole["state"] == "running" and whole["unit"] == "steps" and int(whole["total"]) == len(steps)
    assert set(whole) == STEP
    assert [one["state"] for one in steps if one["step"] == "backfill"][0] in ("running", "waiting")
    assert "step" in shop.status().stdout and "in a batch" in shop.status().stdout

    start, before = time.monotonic(), shop.seen()
    time.sleep(4)
    rate = (shop.seen() - before) / (time.monotonic() - start)
    assert 1050 < rate < 1950

    assert proxy.console("PAUSE MIGRATION") == "PAUSE MIGRATION"
    time.sleep(2)
    stopped = shop.seen()
    time.sleep(1)
    assert shop.seen() == stopped
    seen = shop.json()
    assert seen["state"] == "paused" and seen["paused"] and "postgres" in seen["changed_by"]
    assert "paused by postgres" in shop.at_hand()["waiting_for"]
    assert proxy.console("SHOW MIGRATION")[0]["state"] == "paused"

    assert proxy.console("THROTTLE MIGRATION OFF") == "THROTTLE MIGRATION"
    proxy.console("RESUME MIGRATION")
    end(runner, shop)
    assert re.search(r"^paused by postgres \(.*\n(.*\n)*resumed$", shop.printed(), re.M)
    assert shop.json()["state"] == "finished"


def test_the_console_says_what_is_missing(shop, make_proxy):
    proxy = make_proxy(shop.server, dbname=shop.name)
    assert [row["state"] for row in proxy.console("SHOW MIGRATION")] == ["not begun"]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="no migration has begun in database"):
        proxy.console("PAUSE MIGRATION")
    for wrong in ("THROTTLE MIGRATION", "THROTTLE MIGRATION 5", "THROTTLE MIGRATION TO", "THROTTLE MIGRATION TO 0",
                  "THROTTLE MIGRATION TO -1", "THROTTLE MIGRATION TO 5x", "THROTTLE MIGRATION TO 99999999999999999999", "PAUSE MIGRATION 1"):
        with pytest.raises(psycopg.errors.SyntaxError):
            proxy.console(wrong)
    assert {"SHOW MIGRATION", "PAUSE MIGRATION", "RESUME MIGRATION", "THROTTLE MIGRATION TO ROWS | OFF"} <= {
        row["command"] for row in proxy.console("SHOW HELP")}
    result = run_command("migrate", "-c", proxy.config, "--to", "derive", "--yes")
    assert result.returncode == 0, result.stderr
    proxy.console("throttle migration to 500;")
    assert shop.execute("SELECT rows_per_second FROM shardferry.control") == [(500,)]
    proxy.console("THROTTLE MIGRATION TO OFF")
    assert shop.execute("SELECT rows_per_second FROM shardferry.control") == [(None,)]


def test_the_console_needs_privileges(shop, make_proxy):
    result = shop.run("--to", "derive", "--yes")
    assert result.returncode == 0, result.stderr
    conninfo = f"host=127.0.0.1 port={shop.server.port} dbname={shop.name} user=app_trust sslmode=disable"
    proxy = make_proxy(shop.server, dbname=shop.name, settings={"control.conninfo": conninfo})
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match='UPDATE ON shardferry.control TO "app_trust"'):
        proxy.console("PAUSE MIGRATION")
    shop.execute("GRANT USAGE ON SCHEMA shardferry TO app_trust; GRANT SELECT ON ALL TABLES IN SCHEMA shardferry TO app_trust")
    assert proxy.console("SHOW MIGRATION")[0]["state"] == "finished"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        proxy.console("PAUSE MIGRATION")
    shop.execute("GRANT UPDATE ON shardferry.control TO app_trust")
    proxy.console("PAUSE MIGRATION")
    shop.execute("REVOKE ALL ON ALL TABLES IN SCHEMA shardferry FROM app_trust; REVOKE ALL ON SCHEMA shardferry FROM app_trust")


# Signals


def test_an_interrupt_stops_it_behind_the_batch(shop):
    shop.prepare(1500)
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()
    runner.send_signal(signal.SIGINT)
    assert runner.wait(10) == 1
    printed = shop.printed()
    assert "stopping: what is at hand is finished first" in printed
    assert "stopped on request" in printed and "Run it again" in printed
    assert 0 < shop.seen() < 20000
    seen = shop.json()
    assert seen["state"] == "unfinished" and seen["steps_done"] < len(seen["steps"])
    shop.unlimit()
    end(shop.start("--to", "keyed"), shop)
    assert shop.execute(tailspin.WRONG_ROWS) == []


def test_a_second_interrupt_cancels_the_statement(shop):
    """CREATE INDEX CONCURRENTLY waits for whoever has written to the table, and leaves an INVALID index where it is
    cancelled."""
    shop.prepare_for_indexes()
    with shop.connect(application_name="importer") as writer:
        writer.execute("BEGIN; UPDATE products SET name = name WHERE product_id = 1")
        runner = shop.start("--to", "keyed")
        step = shop.wait_for_step("index", blocked_by=True)
        assert f"pid {writer.info.backend_pid} (importer, user postgres, idle in transaction" in step["blocked_by"]
        assert step["phase"].startswith("waiting for")
        text = shop.status().stdout
        assert f"blocked by pid {writer.info.backend_pid} (importer" in text
        runner.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert runner.poll() is None
        runner.send_signal(signal.SIGINT)
        assert runner.wait(10) == 1
        writer.execute("ROLLBACK")
    assert "stopped on request: cancelled" in shop.printed() and "Run it again" in shop.printed()
    assert shop.execute(LEFT_OVER) != []
    assert shop.json()["state"] == "unfinished"
    end(shop.start("--to", "keyed"), shop)
    assert shop.execute(LEFT_OVER) == []


def test_a_third_interrupt_ends_it_at_once(shop):
    shop.prepare(1500)
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()
    shop.execute("UPDATE shardferry.control SET paused = true")
    for _ in range(3):
        runner.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert runner.wait(10) in (1, -signal.SIGINT)


def test_the_server_ends_the_runners_session(shop):
    shop.prepare(1500)
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()
    shop.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shardferry migrate' "
                 "AND datname = %s", (shop.name,))
    assert runner.wait(10) == 1
    assert "Run it again when the server is there" in shop.printed()


# What it stands


def test_the_second_connection_may_go(shop):
    shop.prepare(1500, rows=9000)
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()
    ended = shop.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s AND datname = %s",
                         (WATCH, shop.name))
    assert ended == [(1,)]
    process.wait_until(lambda: shop.execute(
        "SELECT 1 FROM pg_stat_activity WHERE application_name = %s AND datname = %s", (WATCH, shop.name)), 10, "another one")
    shop.server.execute(f'ALTER DATABASE "{shop.name}" ALLOW_CONNECTIONS false', None, "postgres")
    shop.server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND datname = %s",
                        (WATCH, shop.name), "postgres")
    end(runner, shop)
    shop.server.execute(f'ALTER DATABASE "{shop.name}" ALLOW_CONNECTIONS true', None, "postgres")
    assert shop.stages()["line_items"] == "keyed"


def test_paused_from_the_start(shop):
    shop.prepare()
    shop.execute("UPDATE shardferry.control SET paused = true, changed_by = 'me'")
    runner = shop.start("--to", "keyed")
    process.wait_until(lambda: "paused by me" in shop.printed(), 10, "it to say so")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(10) == 1 and "stopped on request" in shop.printed()
    assert shop.seen() == 0
    assert "it is paused" in shop.json()["next"]


# What is shown


class Terminal:
    """A command on a terminal of its own; `text` is all that it has written."""

    def __init__(self, *args, columns=80, env=None):
        self.master, slave = pty.openpty()
        self.resize(columns)
        self.process = subprocess.Popen([binary(), *args], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", **(env or {})},
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while True:
            try:
                if select.select([self.master], [], [], 30)[0]:
                    data = os.read(self.master, 65536)
                    if not data:
                        return
                    self.text += data.decode()
            except OSError:
                return

    def resize(self, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def write(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, pattern):
        return process.wait_until(lambda: re.search(pattern, self.text), 15, f"/{pattern}/ in {self.text!r}")

    def end(self):
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self._reader.join(5)
            os.close(self.master)


BAR = r"\[\x1b\[32m=*>? *\x1b\[0m\] +\d+ %  [\d,]+ of [\d,]+ rows  [\d,]+ a second"


def test_bars_on_a_terminal(shop):
    shop.prepare(3000)
    terminal = Terminal("migrate", "-c", str(shop.config), "--to", "keyed", "--yes", columns=120)
    terminal.wait_for(BAR)
    terminal.resize(60)
    terminal.write("\x03")
    terminal.wait_for("stopping: what is at hand")
    assert terminal.end() == 1
    assert "\x1b[J" in terminal.text and "step " in terminal.text


def test_no_color_and_a_dumb_terminal(shop):
    shop.prepare(20000)
    shop.execute("UPDATE shardferry.control SET paused = true")
    for env, bars in (({"NO_COLOR": "1"}, True), ({"TERM": "dumb"}, False)):
        terminal = Terminal("migrate", "-c", str(shop.config), "--to", "keyed", "--yes", env=env)
        terminal.wait_for("so far")
        terminal.write("\x03")
        assert terminal.end() == 1
        assert ("\x1b[J" in terminal.text) == bars and not re.search(r"\x1b\[\d*m", terminal.text)


def test_an_interrupt_at_the_question_ends_it(shop):
    terminal = Terminal("migrate", "-c", str(shop.config), "--to", "derive")
    terminal.wait_for("Go on")
    terminal.write("\x03")
    assert terminal.end() == -signal.SIGINT
    assert not shop.has_schema()


def test_plain_lines_without_a_terminal(shop):
    shop.prepare_for_indexes()
    with shop.connect(application_name="importer") as writer:
        writer.execute("BEGIN; UPDATE products SET name = name WHERE product_id = 1")
        runner = shop.start("--to", "keyed")
        line = rf"^  build the indexes of public.products .*: .*; blocked by pid {writer.info.backend_pid} \(importer"
        process.wait_until(lambda: re.search(line, shop.printed(), re.M), 15, "a line")
        writer.execute("ROLLBACK")
        end(runner, shop)
    assert "\x1b" not in shop.printed()


def test_watching_the_status(shop):
    shop.prepare(1500)
    terminal = Terminal("status", "-c", str(shop.config), "--watch")
    assert terminal.end() == 0
    assert "migration: finished" in terminal.text
    runner = shop.start("--to", "keyed")
    shop.wait_for_rows()
    terminal = Terminal("status", "-c", str(shop.config), "--watch", columns=120)
    lines = subprocess.Popen([binary(), "status", "-c", str(shop.config), "--watch", "--json"], stdout=subprocess.PIPE, text=True)
    terminal.wait_for(BAR)
    shop.unlimit()
    end(runner, shop)
    assert terminal.end() == 0 and "migration: finished" in terminal.text
    states = [json.loads(line)["state"] for line in lines.communicate(timeout=20)[0].splitlines()]
    assert lines.returncode == 0 and states[0] == "running" and states[-1] == "finished" and len(states) > 1


# In a cluster


@pytest.mark.limit(180)
def test_distribution_is_watched_on_all_nodes(make_shop):  # noqa: F811
    """A replication slot is made when all transactions that write, to whatever table, are over."""
    made = make_shop(tailspin.SCHEMA, tailspin.DATA, "CREATE TABLE notes (n int)",
                     tables=tailspin.TABLES + "method = concurrently\n")
    shop = StatusShop(made.server, made.config.parent, made.name)
    shop.config = made.config
    made.configure(tables=tailspin.TABLES + "method = concurrently\n")
    shop.fill(50000)
    result = made.run("--yes", "--to", "resolve")
    assert result.returncode == 0, result.stderr
    with shop.connect(application_name="importer") as writer:
        writer.execute("BEGIN; INSERT INTO notes VALUES (1)")
        runner = made.start()
        pid = f"pid {writer.info.backend_pid} "
        step = process.wait_until(
            lambda: next((one for one in shop.json()["steps"] if pid in f"{one['waiting_for']}; {one['blocked_by']}"), None),
            60, "it to be said who is waited for", 0.2)
        assert step["table"] == "public.line_items"
        writer.execute("ROLLBACK")
    assert runner.wait(120) == 0, made.printed()
