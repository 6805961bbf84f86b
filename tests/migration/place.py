"""A place where a migration is run: one server or a cluster, an application's database, a proxy before it, the load, the
runner; and what is asked of all of them."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import psycopg

from applications import HERE

from harness import citus, leftovers, process, proxy
from harness.by_hand import differences, schema_of
from harness.postgres import PostgresServer

_SETTINGS = {
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "autovacuum": "on",
    "max_connections": "200",
    "max_worker_processes": "24",
    "maintenance_work_mem": "256MB",
    "log_lock_waits": "on",
    "log_min_duration_statement": "2s",
}
_HBA = "local all,replication all trust\nhost all,replication all 127.0.0.1/32 trust\n"
STAGES = ("derive", "keyed", "resolve", "distributed")


class Wrong(Exception):
    """What was to be seen was not."""


def say(text=""):
    print(text, flush=True)


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else None


class Place:
    """Roles are those of a real site: the application owns its tables, the runner is a member of the owner."""

    def __init__(self, application, scale, with_citus, server_settings=None, settings=None, superuser=False):
        self.application = application
        self.with_citus = with_citus
        self.cluster, self.proxies, self.processes = None, [], []
        self.nodes, self.disk = [], None
        self.directory = process.make_directory("sfmig-")
        self.settings = dict(settings or {})
        self.user = "postgres" if superuser else "shardferry"
        server_settings = {**_SETTINGS, **(server_settings or {})}
        try:
            if with_citus:
                self.cluster = citus.Citus(server_settings)
                self.nodes = self.cluster.nodes
            else:
                self.nodes = [PostgresServer(settings=server_settings)]
            for node in self.nodes:
                self._trust_everybody(node)
            self.scale = scale
            self._create()
        except BaseException:
            self.close()
            raise

    @property
    def server(self):
        return self.nodes[0]

    @property
    def database(self):
        return self.application.database

    @staticmethod
    def _trust_everybody(node):
        with open(os.path.join(node.data, "pg_hba.conf"), "w") as hba:
            hba.write(_HBA)
        node.execute("SELECT pg_reload_conf()", None, "postgres")

    def _create(self):
        self.counts = self.application.create(self.server.connect, self.scale)
        if self.with_citus:
            self._make_cluster()

    def renew(self):
        """The database as it was before everything, for one more migration; nothing runs beside."""
        for one in self.proxies:
            one.remove()
        self.proxies = []
        for node in reversed(self.nodes):
            node.drop_database(self.database)
            for role in ("shardferry", self.application.owner):
                node.execute(f"DROP ROLE {role}", None, "postgres")
        self._create()

    def _make_cluster(self):
        """The database was there before Citus came, and so were its roles."""
        application = self.application
        for node in self.nodes[1:]:
            for role in (application.owner, f"shardferry LOGIN IN ROLE {application.owner}"):
                node.execute(f"CREATE ROLE {role}", None, "postgres")
            node.execute(f"ALTER ROLE {application.owner} LOGIN", None, "postgres")
            node.execute(f"CREATE DATABASE {self.database} OWNER {application.owner}", None, "postgres")
            node.execute(f"GRANT CREATE ON DATABASE {self.database} TO shardferry", None, "postgres")
            node.execute(f"GRANT CREATE ON SCHEMA public TO {application.owner}", None, self.database)
        for node in self.nodes:
            node.execute("CREATE EXTENSION citus", None, self.database)
        self.execute(f"SELECT citus_set_coordinator_host('127.0.0.1', {self.server.port})")
        for node in self.nodes[1:]:
            self.execute(f"SELECT citus_add_node('127.0.0.1', {node.port})")

    # ---- reaching it ----

    def connect(self):
        return self.server.connect(self.database)

    def execute(self, sql, params=None):
        return self.server.execute(sql, params, self.database)

    def start_proxy(self, sections=""):
        """One more proxy; what the first is told in its configuration is what the runner goes by."""
        settings = {
            "control.conninfo": f"host=127.0.0.1 port={self.server.port} dbname={self.database} user={self.user} sslmode=disable",
            "tenant.table": self.application.tenant,
            "tenant.column": self.application.column,
            "tenant.reads": "join",
            **self.settings,
        }
        made = proxy.Proxy(self.server, self.database, settings, None, self.application.sections + sections)
        self.proxies.append(made)
        made.wait_for_catalog(self.application.tables[-1])
        return made

    @property
    def config(self):
        return self.proxies[0].config

    def migrate(self, to, *arguments):
        """Starts the runner; its output goes to migrate.log."""
        child = process.spawn([proxy.binary(), "migrate", "-c", self.config, "--to", to, "--yes", *arguments],
                              stderr=self.path("migrate.log"))
        self.processes.append(child)
        return child

    def path(self, name):
        return os.path.join(self.directory, name)

    def log(self, name="migrate.log", lines=25):
        try:
            with open(self.path(name), errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    def journal(self):
        """(step, object, event, seconds since the epoch), in order; nothing before there is one."""
        try:
            return self.execute("SELECT step, object, event, extract(epoch FROM at)::float8 FROM shardferry.journal ORDER BY id")
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []

    def slow_statements(self, most=8):
        """Of the application, on the coordinator; each kind once, with its longest duration in ms."""
        found = {}
        with open(self.server.log, errors="replace") as log:
            for line in log:
                parts = re.search(r"duration: ([\d.]+) ms +(?:statement|execute [^:]*): (.*)", line)
                if parts and not re.search(r"shardferry|pg_catalog|citus", parts[2]):
                    text = re.sub(r"\d+", "n", parts[2])[:140]
                    found[text] = max(found.get(text, 0), float(parts[1]))
        return [f"{duration:9,.0f} ms  {text}" for text, duration in sorted(found.items(), key=lambda one: -one[1])[:most]]

    # ---- what must hold ----

    def wrong_rows(self):
        with self.connect() as connection:
            if self.with_citus:
                # What is asked is whether rows lie together: a join must not take that for granted.
                connection.execute("SET citus.enable_repartition_joins = on")
            return [what for what, sql in self.application.invariants.items() if connection.execute(sql).fetchall()]

    def leftovers(self, patience=20):
        """Given a moment, for what goes away by itself."""
        end = time.monotonic() + patience
        while True:
            with contextlib.ExitStack() as stack:
                coordinator, *workers = [stack.enter_context(node.connect(self.database)) for node in self.nodes]
                found = leftovers.leftovers(coordinator, workers)
            if not found or time.monotonic() > end:
                return [" ".join(str(part) for part in one) for one in found]
            time.sleep(0.5)

    def state(self):
        """What an interrupted migration has to make exactly as one that was not: names, too."""
        tables = (list(self.application.tables),)
        return {
            "indexes": self.execute(
                "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY (%s) ORDER BY 1, 2", tables),
            "constraints": self.execute(
                "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated"
                " FROM pg_constraint WHERE conrelid = ANY (%s::regclass[]) ORDER BY 1, 2", tables),
            "stages": self.execute("SELECT table_name, stage, kind FROM shardferry.stage ORDER BY 1"),
        }

    def schema_by_hand(self, to):
        """The same job by hand in a database beside, with a few rows."""
        name = f"{self.database}_by_hand"
        with self.server.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            if to == "distributed":
                for node in self.nodes[1:]:
                    node.execute(f"CREATE DATABASE {name}", None, "postgres")
                for node in self.nodes:
                    node.execute("CREATE EXTENSION citus", None, name)
                self.server.execute(f"SELECT citus_set_coordinator_host('127.0.0.1', {self.server.port})", None, name)
                for node in self.nodes[1:]:
                    self.server.execute(f"SELECT citus_add_node('127.0.0.1', {node.port})", None, name)
            with open(os.path.join(HERE, "..", "data", "schemas", f"{self.application.name}.sql")) as file:
                self.server.execute(file.read(), None, name)
            scripts = [self.application.by_hand_keys]
            if to == "distributed":
                scripts.append(self.application.by_hand_distribution)
            with self.server.connect(name) as connection:
                for script in scripts:
                    for statement in script.split(";\n"):
                        if statement.strip():
                            connection.execute(statement)
                return schema_of(connection, self.application.tables)
        finally:
            for node in self.nodes:
                node.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", None, "postgres")

    def schema_differences(self, wanted):
        with self.connect() as connection:
            return differences(schema_of(connection, self.application.tables), wanted)

    # ---- the load ----

    def start_load(self, proxies=None):
        front = (proxies or self.proxies)[0]
        conninfo = f"host=127.0.0.1 port={front.port} dbname={self.database} user={self.application.owner} sslmode=disable"
        return Load(self, conninfo)

    def use_small_disk(self, disk):
        self.disk = disk

    def fill_disk(self):
        self.disk.fill()

    def empty_disk(self):
        self.disk.empty()

    def reset(self):
        """After something went wrong: whoever works here ends, every node is up."""
        self._kill_all()
        for node in self.nodes:
            if node.process is None:
                node.start()

    def _kill_all(self):
        for child in self.processes:
            if child.poll() is None:
                child.kill()
                child.wait()

    def close(self):
        self._kill_all()
        for one in self.proxies:
            one.remove()
        if self.cluster:
            self.cluster.remove()
        else:
            for node in self.nodes:
                node.remove()
        if self.disk:
            self.disk.remove()
        process.remove_directory(self.directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Load:
    """The application at work, in processes of its own."""

    def __init__(self, place, conninfo):
        self.place = place
        self.result = place.path(f"load-{random.randrange(1 << 30)}.json")
        self.child = process.spawn(
            [sys.executable, os.path.join(HERE, "applications.py"), place.application.name, conninfo, self.result],
            stderr=place.path("load.log"), death_signal=signal.SIGTERM)
        place.processes.append(self.child)
        # The application's clock is the monotonic one, the journal's is the server's.
        self.clock_offset = time.time() - time.monotonic()
        self.seen = None

    def stop(self):
        if self.child.poll() is not None:
            raise Wrong(f"the application ended by itself:\n{self.place.log('load.log')}")
        self.child.send_signal(signal.SIGTERM)
        try:
            status = self.child.wait(120)
        except subprocess.TimeoutExpired:
            raise Wrong(f"the application does not end; a statement of it hangs:\n{self.place.log('load.log')}") from None
        if status != 0:
            raise Wrong(f"the application ended with status {status}:\n{self.place.log('load.log')}")
        with open(self.result) as file:
            self.seen = json.load(file)
        return self.seen

    def ledger_problems(self):
        """Rows that were committed and are not there, or have another tenant; rows with a tenant that was never said."""
        problems = []
        for table, key in self.place.application.keys.items():
            column = self.place.application.column
            wanted = {row[2]: row[3] for row in self.seen["ledger"] if row[0] == table}
            perhaps = {row[2]: row[3] for row in self.seen["uncertain"] if row[0] == table}
            asked = list(wanted) + list(perhaps)
            has = {}
            for start in range(0, len(asked), 20_000):
                has.update(self.place.execute(f"SELECT {key}, {column} FROM {table} WHERE {key} = ANY (%s)",
                                             (asked[start:start + 20_000],)))
            lost = [one for one in wanted if one not in has]
            wrong = [one for one, tenant in has.items() if tenant != wanted.get(one, perhaps.get(one))]
            if lost:
                problems.append(f"{len(lost)} of {len(wanted)} rows of {table} are lost, such as {lost[:5]}")
            if wrong:
                problems.append(f"{len(wrong)} rows of {table} have a wrong {column}, such as {wrong[:5]}")
        return problems

    def committed(self):
        return {table: sum(1 for row in self.seen["ledger"] if row[0] == table) for table in self.place.application.keys}
