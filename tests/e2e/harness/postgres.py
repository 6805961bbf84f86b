"""A PostgreSQL server of the test's own: temporary directory, free port, settings that favour speed over safety."""

import os
import shutil
import signal
import subprocess
import time

import psycopg

from . import process
from .endpoint import Endpoint

PASSWORD = "it's a %26 pass\\word"

_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "150",
    "max_wal_size": "1GB",
    "wal_level": "logical",
    "max_wal_senders": "4",
    "max_replication_slots": "4",
    "autovacuum": "off",
    "jit": "off",
    "log_min_messages": "warning",
    "log_statement": "none",
    "logging_collector": "off",
    "max_prepared_transactions": "4",
    "lc_messages": "C",
}

# Who is authenticated how, on every kind of connection; app_tls may come over TLS alone.
_HBA = """\
local   all,replication  postgres,app_trust                        trust
local   all              app_password                              password
local   all              app_md5                                   md5
local   all              app_scram                                 scram-sha-256
host    all,replication  postgres,app_trust   127.0.0.1/32         trust
host    all              app_control          127.0.0.1/32         trust
host    all              app_password         127.0.0.1/32         password
host    all              app_md5              127.0.0.1/32         md5
host    all              app_scram            127.0.0.1/32         scram-sha-256
hostssl all              app_tls              127.0.0.1/32         trust
host    all              all                  127.0.0.1/32         reject
"""


def program(name):
    """Path of a PostgreSQL program: from $PGBIN, Debian's versioned directories, or the PATH."""
    candidates = [os.environ.get("PGBIN", "")]
    candidates += [f"/usr/lib/postgresql/{version}/bin" for version in range(30, 12, -1)]
    for directory in candidates:
        path = os.path.join(directory, name)
        if directory and os.access(path, os.X_OK):
            return path
    found = shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} not found; scripts/install-deps test installs it")
    return found


class PostgresServer:
    def __init__(self, authority=None, settings=None, preload=""):
        self.directory = process.make_directory("sfpg-")
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "server.log")
        self.port = process.free_port()
        self.authority = authority
        self.process = None
        self._databases = 0
        try:
            self._initialise(settings or {}, preload)
            self.start()
            self._create_roles()
        except BaseException:
            self.remove()
            raise

    def _initialise(self, settings, preload):
        subprocess.run(
            [program("initdb"), "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"],
            check=True, capture_output=True, cwd="/", **process.server_user())
        lines = dict(_SETTINGS, port=self.port, listen_addresses="127.0.0.1", unix_socket_directories=self.directory)
        if preload:
            lines["shared_preload_libraries"] = preload
        if self.authority:
            cert, key = self.authority.issue(f"server-{self.port}")
            self._install(cert, "server.crt", 0o644)
            self._install(key, "server.key", 0o600)
            lines["ssl"] = "on"
        lines.update(settings)
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in lines.items())
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as hba:
            hba.write(_HBA)

    def _install(self, source, name, mode):
        target = os.path.join(self.data, name)
        shutil.copyfile(source, target)
        os.chmod(target, mode)
        owner = process.server_user()
        if owner:
            os.chown(target, owner["user"], owner["group"])

    def _create_roles(self):
        with self.connect("postgres") as conn:
            conn.execute("CREATE ROLE app_trust LOGIN")
            conn.execute("CREATE ROLE app_control SUPERUSER LOGIN")
            conn.execute("CREATE ROLE app_tls LOGIN")
            for role, encryption in (("app_password", "scram-sha-256"), ("app_md5", "md5"), ("app_scram", "scram-sha-256")):
                conn.execute(f"SET password_encryption = '{encryption}'")
                conn.execute(psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                    psycopg.sql.Identifier(role), psycopg.sql.Literal(PASSWORD)))

    def start(self):
        assert self.process is None
        self.process = process.spawn(
            [program("postgres"), "-D", self.data], stderr=self.log, death_signal=signal.SIGQUIT, as_server_user=True, cwd="/")
        process.wait_until(self._answers, 30, f"the server to start; see {self.log}")

    def _answers(self):
        if self.process.poll() is not None:
            with open(self.log) as log:
                raise AssertionError("the server did not start:\n" + log.read())
        try:
            self.connect("postgres").close()
            return True
        except psycopg.OperationalError:
            return False

    def stop(self, mode="immediate"):
        """Ends the server; "fast" lets it disconnect its clients in good order first."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT if mode == "fast" else signal.SIGQUIT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def kill(self):
        """kill -9 of the postmaster. Its children notice by themselves."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def remove(self):
        self.stop()
        process.remove_directory(self.directory)

    # Reaching it

    def endpoint(self, dbname="app", **changes):
        endpoint = Endpoint("direct", "127.0.0.1", self.port, dbname)
        if self.authority:
            endpoint = endpoint.over(sslrootcert=self.authority.root)
        return endpoint.over(**changes)

    def unix_endpoint(self, dbname="app", **changes):
        return self.endpoint(dbname, host=self.directory, **changes)

    def connect(self, dbname="app", **more):
        """A direct autocommit connection as superuser over the Unix socket: for setting up and for looking behind
        the proxy's back."""
        words = self.unix_endpoint(dbname).keywords(**more)
        return psycopg.connect(autocommit=True, **words)

    def execute(self, sql, params=None, dbname="app"):
        """Runs a statement directly and returns its rows, or None if it returns none."""
        with self.connect(dbname) as conn:
            cursor = conn.execute(sql, params)
            return cursor.fetchall() if cursor.description else None

    def create_database(self, name=None, template="template0"):
        if name is None:
            self._databases += 1
            name = f"test_{self._databases}"
        with self.connect("postgres") as conn:
            conn.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop_database(self, name, seconds=30):
        """WITH (FORCE) ends the sessions there, and gives up on one that is not gone after five seconds."""
        with self.connect("postgres") as conn:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    conn.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
                    return
                except psycopg.errors.ObjectInUse as in_use:
                    if time.monotonic() > deadline:
                        left = conn.execute("SELECT pid, backend_type, application_name, state, wait_event, query"
                                            " FROM pg_stat_activity WHERE datname = %s", (name,)).fetchall()
                        raise RuntimeError(f"{name} is still used by {left}") from in_use

    def backends(self, application):
        """Process ids of the sessions that call themselves so."""
        rows = self.execute("SELECT pid FROM pg_stat_activity WHERE application_name = %s", (application,), "postgres")
        return [row[0] for row in rows]
