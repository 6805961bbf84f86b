"""A shardferry proxy of the test's own, and its administration console."""

import os
import re
import signal
import subprocess

import psycopg

from . import process
from .endpoint import Endpoint

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
_SANITIZER = re.compile(r"ERROR: (Address|Leak|Memory)Sanitizer|runtime error:|SUMMARY: \w*Sanitizer")


def binary():
    return os.environ.get("SHARDFERRY") or os.path.join(ROOT, "build", "shardferry")


def is_sanitized():
    """Whether the binary carries AddressSanitizer, whose own memory hides that of the program."""
    with open(binary(), "rb") as file:
        return b"__asan_init" in file.read()


def run_command(*args, timeout=60, input=None):
    """Runs `shardferry args…` to its end. CompletedProcess with text outputs; the exit status is the caller's to judge."""
    return subprocess.run([binary(), *args], capture_output=True, text=True, timeout=timeout, input=input,
                          env=_environment())


def _environment():
    env = {key: value for key, value in os.environ.items() if not key.startswith("PG") and key != "JOURNAL_STREAM"}
    env.setdefault("ASAN_OPTIONS", "quarantine_size_mb=16:detect_leaks=1:abort_on_error=0")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    return env


class Proxy:
    """Settings are written "section.name" → value; those given replace the defaults, None leaves a line out.

    The defaults: a TCP listener on a free port, a Unix socket, TLS allowed if there is an authority, the server reached
    over TCP without TLS, a control connection to `dbname`, the Tailspin tenant, `postgres` as administrator.
    """

    def __init__(self, server, dbname="app", settings=None, authority=None, tables="", start=True):
        self.server = server
        self.dbname = dbname
        self.authority = authority
        self.directory = process.make_directory("sfpx-")
        self.config = os.path.join(self.directory, "shardferry.ini")
        self.log = os.path.join(self.directory, "stderr.log")
        self.port = process.free_port()
        self.process = None
        self._tables = tables
        port = server.port if server else 1
        self.settings = {
            "proxy.listen": f"127.0.0.1:{self.port}",
            "proxy.unix_socket_dir": self.directory,
            "proxy.coordinator": f"host=127.0.0.1 port={port} sslmode=disable",
            "proxy.workers": "2",
            "proxy.admin_users": "postgres",
            "control.conninfo": f"host=127.0.0.1 port={port} dbname={dbname} user=postgres sslmode=disable",
            "tenant.table": "stores",
            "tenant.column": "store_id",
        }
        if authority:
            cert, key = authority.issue(f"proxy-{self.port}")
            self.settings.update({"proxy.client_tls": "allow", "proxy.client_tls_cert": cert, "proxy.client_tls_key": key})
        self.configure(settings or {})
        if start:
            try:
                self.start()
            except BaseException:
                self.remove()
                raise

    def configure(self, changes):
        """Writes the file anew with some settings changed; a running proxy reads it at reload()."""
        self.settings.update(changes)
        sections = {}
        for key, value in self.settings.items():
            section, name = key.split(".", 1)
            if value is not None:
                sections.setdefault(section, []).append(f"{name} = {value}\n")
        with open(self.config, "w") as file:
            for section, lines in sections.items():
                file.write(f"[{section}]\n" + "".join(lines) + "\n")
            file.write(self._tables)

    def start(self):
        assert self.process is None
        self.process = process.spawn([binary(), "proxy", "-c", self.config], stderr=self.log, env=_environment())
        process.wait_until(self._answers, 20, f"the proxy to listen; see {self.log}", 0.02)

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("the proxy did not start:\n" + self.stderr())
        socket_dir = self.settings["proxy.unix_socket_dir"]
        return process.port_answers(self.port) and (
            not socket_dir or process.socket_answers(f"{socket_dir}/.s.PGSQL.{self.port}"))

    def stop(self, signum=signal.SIGTERM, timeout=20):
        """Ends the proxy and returns its exit status; AssertionError if it does not end in time."""
        if self.process is None:
            return None
        self.process.send_signal(signum)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"the proxy did not end within {timeout} s of signal {signum}:\n{self.stderr()}") from None
        finally:
            self.process = None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self):
        """The end of a test: stops the proxy, checks that it left in good order, removes its directory."""
        try:
            alive = self.is_alive()
            started = self.process is not None
            status = self.stop() if alive else None
            self.check_sanitizers()
            if started:
                assert alive, f"the proxy died by itself, status {self.process.returncode}:\n{self.stderr()}"
                assert status == 0, f"the proxy's exit status is {status}:\n{self.stderr()}"
        finally:
            self.remove()

    def remove(self):
        self.kill()
        process.remove_directory(self.directory)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def check_sanitizers(self):
        text = self.stderr()
        assert not _SANITIZER.search(text), f"a sanitizer found something:\n{text}"

    def stderr(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern, timeout=10):
        return process.wait_until(lambda: re.search(pattern, self.stderr()), timeout,
                                  f"/{pattern}/ in the proxy's log, which has:\n{self.stderr()}")

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    @property
    def pid(self):
        return self.process.pid

    def rss(self):
        return process.rss_bytes(self.pid)

    # Reaching it

    def endpoint(self, dbname=None, **changes):
        endpoint = Endpoint("proxied", "127.0.0.1", self.port, dbname or self.dbname)
        if self.authority:
            endpoint = endpoint.over(sslrootcert=self.authority.root)
        return endpoint.over(**changes)

    def unix_endpoint(self, dbname=None, **changes):
        return self.endpoint(dbname, host=self.directory, **changes)

    def console(self, command, user="postgres"):
        """Runs a console command; returns its rows as dictionaries, or the command tag if it has none."""
        words = self.unix_endpoint("shardferry", user=user).keywords()
        with psycopg.connect(autocommit=True, **words) as conn:
            result = conn.pgconn.exec_(command.encode())
            if result.status == psycopg.pq.ExecStatus.TUPLES_OK:
                names = [result.fname(column).decode() for column in range(result.nfields)]
                return [
                    {name: _text(result.get_value(row, column)) for column, name in enumerate(names)}
                    for row in range(result.ntuples)
                ]
            if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
                raise psycopg.errors.lookup(result.error_field(psycopg.pq.DiagnosticField.SQLSTATE).decode())(
                    result.error_message.decode())
            return result.command_status.decode()

    def tables(self):
        """SHOW TABLES by table name, without the schema where that is public."""
        return {row["table"].removeprefix("public."): row for row in self.console("SHOW TABLES")}

    def wait_for_catalog(self, table, timeout=20):
        """Until the proxy has loaded a catalog in which `table` is."""
        process.wait_until(lambda: table in self.tables(), timeout, f"{table} in SHOW TABLES")


def _text(value):
    return None if value is None else value.decode()
