"""The two applications whose databases are migrated: their schemas at any size, the load on them, and the questions that
only right rows answer well.

Tailspin Toys is the demonstration's; Wide World Importers, whose devices report events, is made here.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "demo"), os.path.join(ROOT, "tests", "e2e")]

import app  # noqa: E402
import tailspin  # noqa: E402
from harness import by_hand  # noqa: E402


class Tailspin:
    name = "tailspin"
    tenant, column = "stores", "store_id"
    tables = ("stores", "products", "orders", "line_items")
    keys = {"orders": "order_id", "line_items": "line_item_id"}
    sections = ""
    concurrently = ("orders", "line_items")
    by_hand_keys = by_hand.TAILSPIN_KEYS
    by_hand_distribution = by_hand.TAILSPIN_DISTRIBUTION
    database, owner = tailspin.DATABASE, tailspin.OWNER
    # Each must return no row.
    invariants = {
        "line items without store": "SELECT 1 FROM line_items WHERE store_id IS NULL LIMIT 1",
        "line items of another store than their order":
            "SELECT 1 FROM line_items i JOIN orders o USING (order_id) WHERE i.store_id <> o.store_id LIMIT 1",
        "line items without order":
            "SELECT 1 FROM line_items i LEFT JOIN orders o ON o.order_id = i.order_id AND o.store_id = i.store_id"
            " WHERE o.order_id IS NULL LIMIT 1",
    }

    @staticmethod
    def create(connect, scale):
        return tailspin.create(connect, scale)


class Importers:
    name = "importers"
    tenant, column = "devices", "device_id"
    tables = ("device_types", "devices", "events")
    keys = {"devices": "device_id", "events": "event_id"}
    sections = "[table device_types]\nkind = reference\n"
    concurrently = ("devices", "events")
    by_hand_keys = by_hand.IMPORTERS_KEYS
    by_hand_distribution = by_hand.IMPORTERS_DISTRIBUTION
    database, owner = "importers", "importers"
    invariants = {
        "events without device": "SELECT 1 FROM events WHERE device_id IS NULL LIMIT 1",
        "events of no device":
            "SELECT 1 FROM events e LEFT JOIN devices d USING (device_id) WHERE d.device_id IS NULL LIMIT 1",
    }

    TYPES, DEVICES, EVENTS = 25, 20_000, 2_000_000
    # Every third event is that of device 7, whose door never closes well.
    ROWS = """
        INSERT INTO device_types SELECT n, 'type ' || n FROM generate_series(1, %(types)s) n;
        INSERT INTO devices (device_type_id, name) SELECT n %% %(types)s + 1, 'cooler ' || n FROM generate_series(1, %(devices)s) n;
        INSERT INTO events (device_id, payload)
        SELECT CASE WHEN n %% 3 = 0 THEN 7 ELSE (n * 48271 %% 2147483647) %% %(devices)s + 1 END,
               jsonb_build_object('celsius', n %% 40 - 20, 'door', n %% 5 = 0)
        FROM generate_series(1, %(events)s::bigint) n;
        CREATE INDEX ON events (device_id)
    """

    @classmethod
    def create(cls, connect, scale):
        with connect("postgres") as connection:
            connection.execute(f"CREATE ROLE {cls.owner} LOGIN")
            connection.execute(f"CREATE ROLE shardferry LOGIN IN ROLE {cls.owner}")
            connection.execute(f"CREATE DATABASE {cls.database} OWNER {cls.owner}")
            connection.execute(f"GRANT CREATE ON DATABASE {cls.database} TO shardferry")
        sizes = {"types": cls.TYPES, "devices": max(100, round(cls.DEVICES * scale)), "events": round(cls.EVENTS * scale)}
        with open(os.path.join(ROOT, "tests", "data", "schemas", "importers.sql")) as file:
            schema = file.read()
        with connect(cls.database) as connection:
            connection.execute(f"GRANT CREATE ON SCHEMA public TO {cls.owner}")
            connection.execute(f"SET ROLE {cls.owner}")
            connection.execute(schema)
            connection.execute(cls.ROWS % sizes)
            connection.execute("RESET ROLE")
            connection.execute("VACUUM ANALYZE")
            connection.execute("SELECT pg_stat_reset()")
            return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in cls.tables}


# ---- the load on Wide World Importers: installers register devices, devices report, an engineer looks ----


class Devices:
    """What the workers share: how a device registers itself and what it reports."""

    def payload(self):
        return json.dumps({"celsius": round(self.random.uniform(-22, 8), 1), "door": self.random.random() < 0.2})

    def device(self):
        return 7 if next(self.counter) % 3 == 0 else self.random.randint(1, 100)

    def register(self, cursor):
        start, _ = self.timed("order", cursor.execute,
                              "INSERT INTO devices (device_type_id, name) VALUES (%s, %s) RETURNING device_id",
                              (self.random.randint(1, Importers.TYPES), f"cooler of {self.name}"))
        (device_id,) = cursor.fetchone()
        self.inserted("devices", start, device_id, device_id)
        return device_id

    def report(self, cursor, device_id, text="INSERT INTO events (device_id, payload) VALUES (%s, %s) RETURNING event_id"):
        start, _ = self.timed("item", cursor.execute, text, (device_id, self.payload()))
        self.inserted("events", start, cursor.fetchone()[0], device_id)


class Installer(Devices, app.Simple):
    """psycopg2: a device is registered and reports at once; sometimes it is given another name."""

    name = "importers-installer"

    def transaction(self, connection):
        with connection, connection.cursor() as cursor:
            device_id = self.register(cursor)
            for _ in range(self.random.randint(1, 3)):
                self.report(cursor, device_id)
            if self.random.random() < 0.3:
                self.timed("item", cursor.execute, "UPDATE devices SET name = name || '!' WHERE device_id = %s", (device_id,))


class Reporter(Devices, app.Modern):
    """psycopg 3: readings, many rows a statement."""

    name = "importers-reporter"

    def transaction(self, connection):
        with connection.transaction(), connection.cursor() as cursor:
            devices = [self.device() for _ in range(self.random.randint(1, 4))]
            rows = ", ".join(["(%s, %s::jsonb)"] * len(devices))
            start, _ = self.timed("item", cursor.execute,
                                  f"INSERT INTO events (device_id, payload) VALUES {rows} RETURNING event_id, device_id",
                                  [value for device_id in devices for value in (device_id, self.payload())])
            for event_id, device_id in cursor.fetchall():
                self.inserted("events", start, event_id, device_id)


class Prepared(Devices, app.Modern):
    """psycopg 3: everything is prepared once; a reading is corrected now and then, by its own key alone."""

    name = "importers-prepared"
    prepare_threshold = 0

    def transaction(self, connection):
        with connection.transaction(), connection.cursor() as cursor:
            self.report(cursor, self.device())
            event_id = self.pending[-1][2]
            if self.random.random() < 0.2:
                self.timed("item", cursor.execute, "UPDATE events SET payload = payload || '{\"seen\": true}' WHERE event_id = %s",
                           (event_id,))


class Engineer(Devices, app.Reader):
    name = "importers-engineer"

    READS = (
        "SELECT * FROM events WHERE device_id = %(device)s ORDER BY event_id DESC LIMIT 20",
        "SELECT d.name, t.name FROM devices d JOIN device_types t USING (device_type_id) WHERE d.device_id = %(device)s",
        "SELECT d.name, e.payload FROM devices d JOIN events e USING (device_id) WHERE d.device_id = %(device)s"
         " ORDER BY e.event_id DESC LIMIT 5",
        "SELECT * FROM events WHERE event_id = %(event)s",
        "SELECT name FROM device_types ORDER BY device_type_id",
    )
    REPORTS = (
        "SELECT count(*) FROM events WHERE (payload ->> 'door')::boolean",
        "SELECT t.name, count(*) FROM devices d JOIN device_types t USING (device_type_id) GROUP BY t.name ORDER BY 2 DESC",
    )
    LAST = "SELECT last_value FROM events_event_id_seq"

    def transaction(self, connection):
        connection.autocommit = True
        with connection.cursor() as cursor:
            self.report_if_due(cursor)
            self.timed("read", cursor.execute, self.random.choice(self.READS),
                       {"event": self.random.randint(1, self.last), "device": self.device()})
            cursor.fetchall()


Importers.workers = (Installer, Reporter, Reporter, Prepared, Engineer)
Tailspin.workers = app.WORKERS
APPLICATIONS = {application.name: application for application in (Tailspin, Importers)}


if __name__ == "__main__":
    # What a Place starts: NAME CONNINFO RESULT.
    app.main(*sys.argv[2:], APPLICATIONS[sys.argv[1]].workers)
