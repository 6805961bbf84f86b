"""A Tailspin database under migration, with a proxy before it."""

from . import process, tailspin
from .proxy import Proxy, run_command

TEMPLATE = "tailspin_template"


class Migration:
    """Its own database and proxy. Starts in stage observe; derive() takes it on while clients stay connected."""

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
        self.proxy.wait_for_catalog("line_items")

    def derive(self):
        """Returns when every proxy has acknowledged stage derive."""
        done = run_command("migrate", "--to", "derive", "--yes", "-c", self.proxy.config)
        assert done.returncode == 0, done.stdout + done.stderr
        process.wait_until(lambda: self.stage("line_items") == "derive", 10, "stage derive in SHOW TABLES")
        return done

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
            self.proxy.close()
        finally:
            self.server.drop_database(self.database)
