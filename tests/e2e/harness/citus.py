"""A Citus cluster of the test's own: a coordinator and two workers, where the installation offers Citus."""

import glob
import os
import subprocess
import time

import psycopg

from .postgres import PostgresServer, program

NOT_OFFERED = "Citus is not offered by this server"

_SETTINGS = {
    "max_prepared_transactions": "200",
    "max_worker_processes": "24",
    "max_replication_slots": "16",
    "max_wal_senders": "16",
    "citus.shard_count": "4",
    "citus.enable_statistics_collection": "off",
    "citus.node_conninfo": "sslmode=disable",
    "citus.defer_shard_delete_interval": "-1",
}


def is_offered():
    """Whether the installation that the tests use has the extension."""
    found = [subprocess.run([os.path.join(os.path.dirname(os.path.realpath(program("postgres"))), "pg_config"), f"--{what}"],
                            capture_output=True, text=True).stdout.strip() for what in ("pkglibdir", "sharedir")]
    return all(found) and os.path.exists(f"{found[0]}/citus.so") and bool(glob.glob(f"{found[1]}/extension/citus.control"))


class Citus:
    """Databases made by create_database() have the extension and both workers."""

    def __init__(self, settings=None):
        self.nodes = []
        try:
            for _ in range(3):
                self.nodes.append(PostgresServer(settings={**_SETTINGS, **(settings or {})}, preload="citus"))
                self._allow_plugin(self.nodes[-1])
        except BaseException:
            self.remove()
            raise

    @staticmethod
    def _allow_plugin(node):
        """Recent minor releases decode with listed libraries alone; older ones do not know the setting."""
        known = node.execute("SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'", None, "postgres")
        if known:
            node.execute(f"ALTER SYSTEM SET output_plugin_libraries = {known[0][0]}, citus", None, "postgres")
            node.execute("SELECT pg_reload_conf()", None, "postgres")

    @property
    def coordinator(self):
        return self.nodes[0]

    def create_database(self, name):
        for node in self.nodes:
            node.execute("SET citus.enable_create_database_propagation = off", None, "postgres")
            node.create_database(name)
            node.execute("CREATE EXTENSION citus", None, name)
        with self.coordinator.connect(name) as conn:
            conn.execute(f"SELECT citus_set_coordinator_host('127.0.0.1', {self.coordinator.port})")
            for worker in self.nodes[1:]:
                self._add_node(conn, worker.port)
        return name

    @staticmethod
    def _add_node(conn, port, tries=5):
        """Two databases that add their nodes at the same time may get into each other's way."""
        for left in reversed(range(tries)):
            try:
                conn.execute(f"SELECT citus_add_node('127.0.0.1', {port})")
                return
            except psycopg.errors.InternalError_:
                if left == 0:
                    raise
                time.sleep(0.5)

    def drop_database(self, name):
        for node in self.nodes:
            node.drop_database(name)

    def remove(self):
        for node in self.nodes:
            node.remove()
