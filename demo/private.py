"""Private servers: a PostgreSQL in a temporary directory, and other processes beside it, all of which are gone
when the program ends, whichever way it ends.

Each child is a session of its own, so that ^C at the terminal reaches this program alone, which then stops
its children in order, by their process ids. Should this program be killed outright, the kernel tells the
children to stop.
"""

import ctypes
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What went wrong, in words for the user."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged():
    """Arguments of Popen that run a child without privileges; PostgreSQL and PgBouncer refuse to be root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def postgres_bindir():
    """PostgreSQL 15's programs, or those of the nearest version that is installed."""
    found = [path for path in glob.glob("/usr/lib/postgresql/*/bin") if os.access(path + "/initdb", os.X_OK)]
    if not found:
        initdb = shutil.which("initdb")
        if not initdb:
            raise Failure("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql-15)")
        return os.path.dirname(os.path.realpath(initdb))
    return min(found, key=lambda path: abs(int(re.search(r"/(\d+)/", path).group(1)) - 15))


class Workspace:
    """A temporary directory and the processes that belong to it. Use it in a with statement."""

    def __init__(self, name, keep=False):
        self.keep = keep
        self.directory = tempfile.mkdtemp(prefix=f"shardferry-{name}-")
        os.chmod(self.directory, 0o755)
        self.children = []

    def __enter__(self):
        for signum in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda signum, frame: sys.exit(128 + signum))
        return self

    def __exit__(self, kind, error, trace):
        if self.keep and kind is None:
            return
        self.stop()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def writable_directory(self, name):
        """A directory for a child that runs unprivileged."""
        path = self.path(name)
        os.mkdir(path, 0o755)
        owner = unprivileged()
        if owner:
            os.chown(path, owner["user"], owner["group"])
        return path

    def start(self, name, command, stop_signal=signal.SIGTERM, privileged=True, **arguments):
        """Starts a child whose output goes to NAME.log. It is stopped in the reverse order of starting."""
        libc = ctypes.CDLL(None, use_errno=True)

        def die_with_parent():
            libc.prctl(PR_SET_PDEATHSIG, stop_signal)

        with open(self.path(name + ".log"), "ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=None if self.keep else die_with_parent,
                **({} if privileged else unprivileged()),
                **arguments,
            )
        self.children.append((name, child, stop_signal))
        return child

    def log(self, name, lines=20):
        with open(self.path(name + ".log"), errors="replace") as log:
            return "".join(log.readlines()[-lines:])

    def wait_until(self, name, child, ready, seconds=20):
        """Waits until ready() is true; fails with the child's log if it ends first or takes too long."""
        deadline = time.monotonic() + seconds
        while not ready():
            if child.poll() is not None:
                raise Failure(f"{name} ended with status {child.returncode}:\n{self.log(name)}")
            if time.monotonic() > deadline:
                raise Failure(f"{name} is not ready after {seconds} s:\n{self.log(name)}")
            time.sleep(0.02)

    def stop_child(self, child, seconds=10):
        """Stops one child and returns its exit status."""
        for entry in list(self.children):
            if entry[1] is child:
                self.children.remove(entry)
                if child.poll() is None:
                    child.send_signal(entry[2])
        try:
            return child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()

    def stop(self):
        """Stops everything and removes the directory. A second ^C must not leave half of it behind."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, signal.SIG_IGN)
        for _, child, _ in reversed(list(self.children)):
            self.stop_child(child)
        shutil.rmtree(self.directory, ignore_errors=True)


class Postgres:
    """A PostgreSQL server of a workspace. Its superuser is postgres; everybody on 127.0.0.1 is trusted."""

    def __init__(self, workspace, settings=(), name="postgres", like=None):
        """`name` tells it from others in the workspace; `like` is one that has not been started, whose files are copied."""
        self.workspace = workspace
        self.name = name
        self.settings = dict(settings)
        self.port = free_port()
        self.socket_directory = workspace.writable_directory(name)
        self.data = os.path.join(self.socket_directory, "data")
        if like:
            command = ["cp", "-R", like.data, self.data]
        else:
            command = [postgres_bindir() + "/initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                       "--locale=C.UTF-8", "-N"]
        made = subprocess.run(command, capture_output=True, text=True, cwd=self.socket_directory, **unprivileged())
        if made.returncode != 0:
            raise Failure(f"{command[0]} failed:\n{made.stdout}{made.stderr}")

    def start(self):
        fixed = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.socket_directory}
        options = [part for name, value in {**fixed, **self.settings}.items() for part in ("-c", f"{name}={value}")]
        bindir = postgres_bindir()
        # SIGINT is PostgreSQL's fast shutdown: sessions are ended, not waited for.
        self.child = self.workspace.start(
            f"{self.name}-server",
            [bindir + "/postgres", "-D", self.data, *options],
            stop_signal=signal.SIGINT,
            privileged=False,
            cwd=self.socket_directory,
        )
        is_ready = [bindir + "/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        self.workspace.wait_until(f"{self.name}-server", self.child, lambda: subprocess.run(is_ready).returncode == 0)
        return self

    def conninfo(self, dbname, user="postgres"):
        return f"host=127.0.0.1 port={self.port} dbname={dbname} user={user}"


# ---- Citus ----

CITUS_SETTINGS = {
    "shared_preload_libraries": "citus",
    "wal_level": "logical",
    "max_prepared_transactions": "200",
    "max_worker_processes": "24",
    "max_replication_slots": "16",
    "max_wal_senders": "16",
    "citus.shard_count": "8",
    "citus.node_conninfo": "sslmode=disable",
    "citus.enable_statistics_collection": "off",
}


def citus_is_offered():
    """Whether the installation has the extension."""
    found = [
        subprocess.run([postgres_bindir() + "/pg_config", f"--{what}"], capture_output=True, text=True).stdout.strip()
        for what in ("pkglibdir", "sharedir")
    ]
    return all(found) and os.path.exists(f"{found[0]}/citus.so") and os.path.exists(f"{found[1]}/extension/citus.control")


class Cluster:
    """A server that can become Citus's coordinator, and two that can become its workers. `connect` opens an autocommit
    connection, as superuser, by a conninfo."""

    def __init__(self, workspace, settings, connect):
        self.connect = connect
        coordinator = Postgres(workspace, {**settings, **CITUS_SETTINGS}, "coordinator")
        workers = [Postgres(workspace, coordinator.settings, f"worker-{number}", coordinator) for number in (1, 2)]
        self.nodes = [node.start() for node in (coordinator, *workers)]
        for node in self.nodes:
            with connect(node.conninfo("postgres")) as connection:
                self.allow_plugin(connection)

    @property
    def coordinator(self):
        return self.nodes[0]

    @staticmethod
    def allow_plugin(connection):
        """Recent minor releases decode with listed libraries alone; older ones do not know the setting."""
        known = connection.execute("SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'").fetchone()
        if known:
            connection.execute(f"ALTER SYSTEM SET output_plugin_libraries = {known[0]}, citus")
            connection.execute("SELECT pg_reload_conf()")

    def scale_out(self, database, owner, member):
        """Makes a cluster for a database of the coordinator that is there already, with its owner and a member of that."""
        for node in self.nodes[1:]:
            with self.connect(node.conninfo("postgres")) as connection:
                connection.execute(f"CREATE ROLE {owner} LOGIN")
                connection.execute(f"CREATE ROLE {member} LOGIN IN ROLE {owner}")
                connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
                connection.execute(f"GRANT CREATE ON DATABASE {database} TO {member}")
            with self.connect(node.conninfo(database)) as connection:
                connection.execute(f"GRANT CREATE ON SCHEMA public TO {owner}")
        for node in self.nodes:
            with self.connect(node.conninfo(database)) as connection:
                connection.execute("CREATE EXTENSION citus")
        with self.connect(self.coordinator.conninfo(database)) as connection:
            connection.execute(f"SELECT citus_set_coordinator_host('127.0.0.1', {self.coordinator.port})")
            for node in self.nodes[1:]:
                connection.execute(f"SELECT citus_add_node('127.0.0.1', {node.port})")
