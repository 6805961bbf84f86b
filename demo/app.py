#!/usr/bin/python3
"""The application: Tailspin Toys' shop, written for the old schema, in which line_items has no store_id.

Several processes work until they are told to stop (SIGTERM), each over connections of its own and each in
another manner: psycopg2, which puts the values into the text and sends simple queries; psycopg 3 with the
extended protocol, in pipelines too; psycopg 3 with everything prepared once and used for ever. Nothing here knows
of shardferry.

    app.py CONNINFO RESULT

The file RESULT gets what the processes saw, for whoever wants to check: each statement's kind, start and
duration; the ledger, which has the table, the key and the tenant of each row that was committed, and the start of
the statement that inserted it; the same of rows of which nobody told whether they were committed; each error.
"""

import ctypes
import itertools
import json
import multiprocessing
import random
import signal
import sys
import time
import traceback

import psycopg
import psycopg2

PR_SET_PDEATHSIG = 1
RESULTS = ("statements", "ledger", "uncertain", "errors")
STORES = 442
FAVOURITE_STORE = 5


class Worker:
    """A process of the application. A subclass says how it connects and what its transactions are."""

    name = None
    pause = 0.006  # seconds between transactions, on average

    def __init__(self, conninfo, stop):
        self.conninfo = conninfo
        self.stop = stop
        self.random = random.Random(self.name)
        self.counter = itertools.count(1)
        self.statements = []
        self.pending = []
        self.ledger = []
        self.uncertain = []
        self.errors = []

    def run(self):
        connection = None
        while not self.stop.is_set():
            try:
                if connection is None:
                    connection = self.connect()
                self.transaction(connection)
                self.ledger += self.pending
            except (psycopg.Error, psycopg2.Error) as error:
                self.errors.append((time.monotonic(), f"{self.name}: {type(error).__name__}: {error}"))
                self.uncertain += self.pending
                connection = self.discard(connection)
                time.sleep(0.1)
            self.pending = []
            # A pool that gives up its connections now and then.
            if next(self.counter) % 400 == 0:
                connection = self.discard(connection)
            time.sleep(self.random.uniform(0, 2 * self.pause))
        self.discard(connection)

    @staticmethod
    def discard(connection):
        if connection is not None:
            connection.close()

    def result(self):
        return {name: getattr(self, name) for name in RESULTS}

    def inserted(self, table, start, key, tenant):
        """A row that is there once the transaction is committed."""
        self.pending.append((table, start, key, tenant))

    def timed(self, kind, call, *arguments):
        """Runs one statement; returns its start and what the call returned."""
        start = time.monotonic()
        result = call(*arguments)
        self.statements.append((kind, start, time.monotonic() - start))
        return start, result

    def store(self):
        return FAVOURITE_STORE if next(self.counter) % 3 == 0 else self.random.randint(1, STORES)

    def basket(self, products):
        """One to three (product, quantity, amount)."""
        for product_id, price in self.random.choices(products, k=self.random.randint(1, 3)):
            quantity = self.random.randint(1, 4)
            yield product_id, quantity, price * quantity


class Simple(Worker):
    """psycopg2: values become part of the text, every statement is a simple query."""

    name = "shop-simple"

    def connect(self):
        return psycopg2.connect(self.conninfo, application_name=self.name)

    def transaction(self, connection):
        with connection, connection.cursor() as cursor:
            store_id = self.store()
            self.timed("read", cursor.execute, "SELECT product_id, price FROM products WHERE store_id = %s", (store_id,))
            basket = list(self.basket(cursor.fetchall()))
            start, _ = self.timed(
                "order",
                cursor.execute,
                "INSERT INTO orders (store_id, status, billing_address, ordered_at)"
                " VALUES (%s, 'Pending', %s, now()::date) RETURNING order_id",
                (store_id, "123 Main St., it's the red house"),
            )
            (order_id,) = cursor.fetchone()
            self.inserted("orders", start, order_id, store_id)
            self.random.choice((self.one_by_one, self.in_one_string))(cursor, store_id, order_id, basket)

    def one_by_one(self, cursor, store_id, order_id, basket):
        for product_id, quantity, amount in basket:
            start, _ = self.timed(
                "item",
                cursor.execute,
                "INSERT INTO line_items (line_item_id, product_id, order_id, quantity, line_amount)"
                " VALUES (DEFAULT, %s, %s, %s, %s) RETURNING line_item_id",
                (product_id, order_id, quantity, amount),
            )
            self.inserted("line_items", start, cursor.fetchone()[0], store_id)

    def in_one_string(self, cursor, store_id, order_id, basket):
        """Several statements in one query string; a key of the application's own making for each."""
        cursor.execute("SELECT nextval('line_items_line_item_id_seq') FROM generate_series(1, %s)", (len(basket),))
        ids = [row[0] for row in cursor.fetchall()]
        inserts = [
            cursor.mogrify(
                "INSERT INTO line_items (order_id, line_item_id, product_id, quantity, line_amount)"
                " VALUES (%s, %s, %s, %s, %s);",
                (order_id, line_item_id, *item),
            )
            for line_item_id, item in zip(ids, basket)
        ]
        string = b"\n".join([*inserts, b"UPDATE orders SET status = 'Paid' WHERE order_id = %d;" % order_id])
        start, _ = self.timed("item", cursor.execute, string)
        for line_item_id in ids:
            self.inserted("line_items", start, line_item_id, store_id)


class Modern(Worker):
    """psycopg 3: values are parameters, the protocol is the extended one."""

    prepare_threshold = None

    def connect(self):
        return psycopg.connect(
            self.conninfo, application_name=self.name, prepare_threshold=self.prepare_threshold
        )

    def transaction(self, connection):
        with connection.transaction(), connection.cursor() as cursor:
            store_id = self.store()
            self.timed("read", cursor.execute, "SELECT product_id, price FROM products WHERE store_id = %s", (store_id,))
            basket = list(self.basket(cursor.fetchall()))
            start, _ = self.timed(
                "order",
                cursor.execute,
                "INSERT INTO orders (store_id, status, billing_address, ordered_at)"
                " VALUES (%s, %s, %s, now()::date) RETURNING order_id",
                (store_id, "Pending", "123 Main St."),
            )
            (order_id,) = cursor.fetchone()
            self.inserted("orders", start, order_id, store_id)
            self.insert_items(connection, cursor, store_id, order_id, basket)

    def keep(self, start, cursor, store_id):
        for row in cursor.fetchall():
            self.inserted("line_items", start, row[0], store_id)


class Extended(Modern):
    """Nothing is prepared under a name; many rows a statement, or many statements a pipeline."""

    name = "shop-extended"

    def insert_items(self, connection, cursor, store_id, order_id, basket):
        self.random.choice((self.many_rows, self.pipeline))(connection, cursor, store_id, order_id, basket)

    def many_rows(self, connection, cursor, store_id, order_id, basket):
        rows = ", ".join(["(%s, %s, %s, %s)"] * len(basket))
        values = [value for item in basket for value in (order_id, *item)]
        start, _ = self.timed(
            "item",
            cursor.execute,
            'INSERT INTO public."line_items" AS item (order_id, product_id, quantity, line_amount)'
            f" VALUES {rows} RETURNING item.line_item_id",
            values,
        )
        self.keep(start, cursor, store_id)

    def pipeline(self, connection, cursor, store_id, order_id, basket):
        """The statements leave together; how long each took cannot be told, so the whole is timed."""

        def insert():
            with connection.pipeline():
                cursors = [connection.cursor() for _ in basket]
                for item_cursor, item in zip(cursors, basket):
                    item_cursor.execute(
                        "INSERT INTO line_items (product_id, order_id, quantity, line_amount)"
                        " VALUES (%s, %s, %s, %s::numeric) RETURNING line_item_id",
                        (item[0], order_id, *item[1:]),
                    )
            return cursors

        start, cursors = self.timed("item", insert)
        for item_cursor in cursors:
            self.keep(start, item_cursor, store_id)


class Prepared(Modern):
    """Each statement is prepared when it is first used, and used until the connection ends."""

    name = "shop-prepared"
    prepare_threshold = 0
    INSERTS = (
        "INSERT INTO line_items (product_id, order_id, quantity, line_amount) VALUES (%s, %s, %s, %s)"
        " RETURNING line_item_id",
        "INSERT INTO line_items VALUES (DEFAULT, %s, %s, %s, %s) RETURNING line_item_id",
    )

    def insert_items(self, connection, cursor, store_id, order_id, basket):
        for product_id, quantity, amount in basket:
            text = self.random.choice(self.INSERTS)
            start, _ = self.timed("item", cursor.execute, text, (product_id, order_id, quantity, amount))
            self.keep(start, cursor, store_id)


class Reader(Modern):
    """Customers and shopkeepers look at orders; the management wants a report now and then."""

    name = "shop-reader"
    prepare_threshold = 5
    reports_every = 1.5  # seconds

    READS = (
        "SELECT * FROM orders WHERE order_id = %(order)s",
        "SELECT o.order_id, o.status, i.product_id, i.quantity, i.line_amount"
         " FROM orders o JOIN line_items i ON i.order_id = o.order_id WHERE o.order_id = %(order)s",
        "SELECT sum(line_amount) FROM line_items WHERE order_id = %(order)s",
        "SELECT order_id, status, ordered_at FROM orders WHERE store_id = %(store)s"
         " ORDER BY ordered_at DESC LIMIT 20",
        "SELECT o.order_id, p.name, i.quantity FROM orders o JOIN line_items i ON i.order_id = o.order_id"
         " JOIN products p ON p.product_id = i.product_id AND p.store_id = o.store_id"
         " WHERE o.store_id = %(store)s AND o.status = 'Pending' ORDER BY o.ordered_at DESC LIMIT 10",
        "SELECT s.name, count(*) FROM stores s JOIN products p USING (store_id) WHERE s.store_id = %(store)s"
         " GROUP BY s.name",
    )
    REPORTS = (
        "SELECT status, count(*) FROM orders GROUP BY status ORDER BY status",
        "SELECT p.name, sum(i.quantity) AS sold FROM line_items i JOIN products p USING (product_id)"
        " GROUP BY p.name ORDER BY sold DESC LIMIT 10",
        "SELECT s.category, sum(i.line_amount) AS turnover FROM stores s JOIN orders o USING (store_id)"
        " JOIN line_items i USING (order_id) GROUP BY s.category ORDER BY turnover DESC",
    )

    LAST = "SELECT last_value FROM orders_order_id_seq"

    def __init__(self, conninfo, stop):
        super().__init__(conninfo, stop)
        self.next_report = time.monotonic() + 1
        self.reports = itertools.cycle(self.REPORTS)
        self.last = 1

    def transaction(self, connection):
        connection.autocommit = True
        with connection.cursor() as cursor:
            self.report_if_due(cursor)
            text = self.random.choice(self.READS)
            self.timed("read", cursor.execute, text, {"order": self.random.randint(1, self.last), "store": self.store()})
            cursor.fetchall()

    def report_if_due(self, cursor):
        if time.monotonic() >= self.next_report:
            self.timed("report", cursor.execute, next(self.reports))
            self.next_report = time.monotonic() + self.reports_every
            (self.last,) = cursor.execute(self.LAST).fetchone()


WORKERS = (Simple, Simple, Extended, Prepared, Reader)


def work(worker, number, conninfo, stop, results):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # A parent that is killed cannot say when to stop.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    process = worker(conninfo, stop)
    process.random.seed(f"{worker.name} {number}")
    try:
        process.run()
    except Exception:
        process.errors.append((time.monotonic(), f"{worker.name}: {traceback.format_exc()}"))
    results.put(process.result())


def main(conninfo, path, workers=WORKERS):
    """Runs the workers until SIGTERM, then writes what they saw to the file `path`."""
    stop, results = multiprocessing.Event(), multiprocessing.Queue()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    processes = [
        multiprocessing.Process(target=work, args=(worker, number, conninfo, stop, results))
        for number, worker in enumerate(workers)
    ]
    for process in processes:
        process.start()
    together = {name: [] for name in RESULTS}
    for _ in processes:
        for name, values in results.get().items():
            together[name] += values
    for process in processes:
        process.join()
    with open(path, "w") as file:
        json.dump(together, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
