"""Two proxies before one database, clients that insert without pause through the change observe → derive → keyed → resolve,
and a control connection that is lost again and again: no error, and no row without its store or with another's."""

import asyncio
import dataclasses
import os
import random
import threading
import time

import asyncpg
import pytest

from harness import process
from harness.migration import Migration
from harness.tailspin import store_of

CLIENTS = 16
SECONDS = float(os.environ.get("TWO_PROXIES_SECONDS", "10"))  # of load: a quarter before the changes, and for each of them
LEASE = 2
SETTINGS = {"control.lease": f"{LEASE}s", "control.hold_timeout": "30s"}
ROLE = "app_control"  # of the second proxy's control connection
OUTAGES = (0, 0, 0.2, 1, LEASE + 0.5)

ITEM = "INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)"
ITEMS = "INSERT INTO line_items (quantity, order_id) VALUES ($2, $1), ($3, $1), ($4, $1) RETURNING line_item_id"
COPIED = "INSERT INTO line_items (order_id, quantity) SELECT o.order_id, $2 FROM orders o WHERE o.order_id = $1"
ORDER = "INSERT INTO orders (store_id, status) VALUES ($1, 'Pending') RETURNING order_id"


@dataclasses.dataclass
class Ledger:
    """What the clients have done. A line item is known by its quantity, which no other has."""

    stores: dict = dataclasses.field(default_factory=dict)  # quantity → (order, store): committed
    taken: list = dataclasses.field(default_factory=list)   # (proxy, start, end) of each statement
    rounds: list = dataclasses.field(default_factory=lambda: [0] * CLIENTS)
    problems: list = dataclasses.field(default_factory=list)


class Client:
    def __init__(self, number, endpoint, ledger):
        self.number, self.endpoint, self.ledger = number, endpoint, ledger
        self.dice = random.Random(number)
        self.quantity = 1_000_000 * (number + 1)

    async def timed(self, statement, *args):
        start = time.monotonic()
        result = await statement(*args)
        self.ledger.taken.append((self.number % 2, start, time.monotonic()))
        return result

    def next(self):
        self.quantity += 1
        return self.quantity

    async def known_order(self, conn, item, copied):
        order, quantity = self.dice.randint(1, 200), self.next()
        way = self.dice.randrange(3)
        if way == 0:
            await self.timed(conn.execute, f"INSERT INTO line_items (order_id, quantity) VALUES ({order}, {quantity})")
        else:
            await self.timed((item if way == 1 else copied).fetch, order, quantity)
        self.ledger.stores[quantity] = (order, store_of(order))

    async def new_order(self, conn, order, item, items):
        """An order and its line items in one transaction, which is rolled back now and then."""
        store, quantities = self.dice.randint(1, 20), [self.next() for _ in range(4)]
        transaction = conn.transaction()
        await transaction.start()
        number = (await self.timed(order.fetch, store))[0]["order_id"]
        await self.timed(item.fetch, number, quantities[0])
        await asyncio.sleep(self.dice.random() / 100)
        assert len(await self.timed(items.fetch, number, *quantities[1:])) == 3
        if self.dice.random() < 0.1:
            await transaction.rollback()
        else:
            await transaction.commit()
            self.ledger.stores.update({quantity: (number, store) for quantity in quantities})

    async def work(self, stop):
        e = self.endpoint
        conn = await asyncpg.connect(host=e.host, port=e.port, user=e.user, database=e.dbname, ssl=False)
        try:
            order, item, items, copied = [await conn.prepare(sql) for sql in (ORDER, ITEM, ITEMS, COPIED)]
            while not stop.is_set():
                if self.dice.random() < 0.7:
                    await self.known_order(conn, item, copied)
                else:
                    await self.new_order(conn, order, item, items)
                self.ledger.rounds[self.number] += 1
                await asyncio.sleep(self.dice.random() / 50)
        finally:
            await conn.close(timeout=5)


def run_clients(endpoints, ledger, stop):
    """Until `stop`, or until one has a problem."""

    async def guarded(client):
        try:
            await client.work(stop)
        except Exception as problem:  # noqa: BLE001  whatever it is, the test names it
            ledger.problems.append(f"client {client.number}: {problem!r}")
            stop.set()

    async def all_of_them():
        await asyncio.gather(*[guarded(Client(number, endpoints[number % 2], ledger)) for number in range(CLIENTS)])

    asyncio.run(all_of_them())


class Cutter:
    """Loses the second proxy's control connection at random moments, and for random times."""

    def __init__(self, migration):
        self.migration, self.stop = migration, threading.Event()
        self.dice = random.Random()
        self.cuts, self.problems = [], []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            # One that is cut off when the schema is first made cannot be known of.
            while not self.stop.is_set() and not self._registered():
                time.sleep(0.02)
            while not self.stop.wait(self.dice.random()):
                self._lose(self.dice.choice(OUTAGES))
        except Exception as problem:  # noqa: BLE001
            self.problems.append(repr(problem))

    def _registered(self):
        (exists,), = self.migration.execute("SELECT to_regclass('shardferry.proxy') IS NOT NULL")
        return exists and self.migration.execute("SELECT count(*) FROM shardferry.proxy WHERE epoch > 0") == [(2,)]

    def _lose(self, seconds):
        self.migration.execute(f"ALTER ROLE {ROLE} NOLOGIN")
        try:
            self.migration.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (ROLE,))
            self.cuts.append(seconds)
            time.sleep(seconds)
        finally:
            self.migration.execute(f"ALTER ROLE {ROLE} LOGIN")

    def join(self):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def two(server, authority):
    """A migration with two proxies."""
    made = Migration(server, authority, SETTINGS)
    try:
        conninfo = made.proxy.settings["control.conninfo"].replace("user=postgres", f"user={ROLE}")
        made.add_proxy({**SETTINGS, "control.conninfo": conninfo})
        yield made
    finally:
        made.close()


def percentiles(taken, proxy, window):
    """(number, p50, p99, longest), times in ms, of the proxy's statements that ran in the window for some time."""
    took = sorted(1000 * (end - start) for which, start, end in taken if which == proxy and start < window[1] and end > window[0])
    return len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1]


def report(taken, windows, cuts):
    lines = [f"two proxies, the second one cut off {len(cuts)} times, for {sum(cuts):.1f} s in all; statements, ms:",
             f"{'':18}{'first: n':>10}{'p50':>8}{'p99':>8}{'max':>8}{'second: n':>12}{'p50':>8}{'p99':>8}{'max':>8}"]
    for name, window in windows.items():
        first, second = (percentiles(taken, proxy, window) for proxy in (0, 1))
        lines.append(f"{name:8}{window[1] - window[0]:8.1f} s{first[0]:10}" + "".join(f"{ms:8.1f}" for ms in first[1:])
                     + f"{second[0]:12}" + "".join(f"{ms:8.1f}" for ms in second[1:]))
    return "\n".join(lines)


def without_store(migration):
    return migration.execute("SELECT line_item_id FROM line_items WHERE store_id IS NULL ORDER BY 1")


@pytest.mark.limit(180 + 5 * SECONDS)
def test_two_proxies(two, capsys):
    migration = two
    ledger, stop, windows = Ledger(), threading.Event(), {}
    share = SECONDS / 4
    clients = threading.Thread(target=run_clients, args=([proxy.endpoint() for proxy in migration.proxies], ledger, stop))

    def during(name, change):
        """The change and what follows it, for its share of the time at least."""
        start = time.monotonic()
        change()
        windows[name] = (start, time.monotonic())
        stop.wait(max(0.5, start + share - time.monotonic()))

    clients.start()
    cutter = None
    try:
        process.wait_until(lambda: min(ledger.rounds) > 5 or stop.is_set(), 20, "all clients to be at work")
        during("before", lambda: stop.wait(share))
        cutter = Cutter(migration)
        during("derive", migration.derive)
        # From here on a row without a store would be there for good: migrate has waited for all that had written before.
        bare = without_store(migration)
        stop.wait(0.5)
        assert without_store(migration) == bare
        during("keyed", lambda: migration.migrate("keyed"))
        during("resolve", lambda: migration.migrate("resolve"))
        rounds = list(ledger.rounds)
        cutter.join()
        process.wait_until(lambda: all(new > old for new, old in zip(ledger.rounds, rounds)) or stop.is_set(), 20,
                           "all clients to be at work still")
    finally:
        if cutter:
            cutter.join()
        stop.set()
        clients.join()
    assert not ledger.problems and not cutter.problems
    assert cutter.cuts
    rows = migration.execute("SELECT quantity, order_id, store_id FROM line_items WHERE quantity >= 1000000")
    assert len(rows) == len(ledger.stores)
    assert {quantity: (order, store) for quantity, order, store in rows} == ledger.stores
    with capsys.disabled():
        print("\n" + report(ledger.taken, windows, cutter.cuts))
