"""A Tailspin database under migration, with a proxy before it, or several; and the change of stages of any database."""

import os

from . import process, tailspin
from .proxy import ROOT, Proxy, run_command

TEMPLATE = "tailspin_template"


def set_stage(server, proxy, tables, stage, column="store_id"):
    """Writes a stage as the runner does, in one transaction with the next epoch, and waits until the proxy has it, and no
    older statement is running at any proxy that lives. Tables are of schema public."""
    with server.connect(proxy.dbname) as conn, conn.transaction():
        epoch = int(_run_sql(conn, "stage_lock").get_value(0, 0)) + 1
        for table in tables:
            _run_sql(conn, "stage_upsert", "public", table, stage, column, epoch, "backfill")
        _run_sql(conn, "stage_bump", epoch)
    process.wait_until(lambda: _shown(proxy, tables) == {stage}, 10, f"stage {stage} in SHOW TABLES")
    process.wait_until(lambda: not _lagging(server, proxy.dbname, epoch), 10, f"epoch {epoch} to be acknowledged")
    return epoch


def _run_sql(conn, name, *params):
    """Runs a statement of the program's own."""
    with open(os.path.join(ROOT, "catalog", "sql", f"{name}.sql"), "rb") as file:
        result = conn.pgconn.exec_params(file.read(), [str(param).encode() for param in params])
    assert not result.error_message, result.error_message
    return result


def _shown(proxy, tables):
    return {row["stage"] for name, row in proxy.tables().items() if name.strip('"') in tables}


def _lagging(server, database, epoch):
    """Whether a proxy is behind. One whose lease is over is waited for no longer."""
    with server.connect(database) as conn:
        _run_sql(conn, "stage_revoke", epoch)
        return _run_sql(conn, "stage_unacknowledged", epoch).ntuples > 0


class Migration:
    """Its own database and proxy. Starts in stage observe; derive() takes it on while clients stay connected.

    Once more proxies are added, whatever changes the stage returns when all have it."""

    def __init__(self, server, authority, settings=None):
        self.server = server
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,), "postgres"):
            tailspin.create(server, TEMPLATE)
        self.database = server.create_database(template=TEMPLATE)
        try:
            self.proxy = Proxy(server, self.database, settings, authority, tailspin.TABLES)
        except BaseException:
            server.drop_database(self.database)
            raise
        self.authority = authority
        self.proxies = [self.proxy]
        self.proxy.wait_for_catalog("line_items")

    def add_proxy(self, settings=None):
        """One more on the same database, which ends with the first."""
        self.proxies.append(Proxy(self.server, self.database, settings, self.authority, tailspin.TABLES))
        self.proxies[-1].wait_for_catalog("line_items")
        return self.proxies[-1]

    def migrate(self, stage):
        """Returns when every proxy has acknowledged the stage."""
        done = run_command("migrate", "--to", stage, "--yes", "-c", self.proxy.config, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        self._wait_for(stage)
        return done

    def derive(self):
        return self.migrate("derive")

    def keyed(self):
        """From derive on, by SQL and without the foreign keys to products and stores, so that tests may move line items to
        any order: those that have no store get it, the keys get the store, the old ones go."""
        self.execute(tailspin.KEYS)
        self._move("keyed")
        self.execute(tailspin.KEY_SWAP)
        for proxy in self.proxies:
            proxy.console("RELOAD")

    def resolve(self):
        self._move("resolve")

    def distributed(self):
        """The stage alone: whether Citus has the tables is up to the test."""
        self._move("distributed")

    def _move(self, stage):
        set_stage(self.server, self.proxy, ["line_items"], stage)
        self._wait_for(stage)

    def _wait_for(self, stage):
        for proxy in self.proxies:
            process.wait_until(lambda: proxy.tables()["line_items"]["stage"] == stage, 10, f"stage {stage} in SHOW TABLES")

    def stage(self, table):
        """The table's stage as the proxy has it."""
        return self.proxy.tables()[table]["stage"]

    def execute(self, sql, params=None):
        """Directly, behind the proxy's back."""
        return self.server.execute(sql, params, self.database)

    def stores_since(self, line_item_id):
        """(order, store) of the line items behind that id, oldest first."""
        return self.execute("SELECT order_id, store_id FROM line_items WHERE line_item_id > %s ORDER BY line_item_id",
                            (line_item_id,))

    def last_id(self):
        return self.execute("SELECT coalesce(max(line_item_id), 0) FROM line_items")[0][0]

    def close(self):
        try:
            for proxy in reversed(self.proxies):
                proxy.close()
        finally:
            for proxy in self.proxies:
                proxy.kill()
            self.server.drop_database(self.database)
