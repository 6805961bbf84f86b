"""Cases: statements in the ways in which a client can send them.

A case leaves no transaction open. Its steps are sent one after the other; all of a step is sent at once, to A and to B,
and the answers are read up to its last ReadyForQuery.
"""

import dataclasses

from harness import wire

from .copies import Copies
from .schema import TABLES
from .values import BINARY, OIDS, encode

# Statements that every session prepares when it starts and uses ever after, over all stages: the text, the types of its
# parameters, and the tables of which they are keys.
PREPARED = {
    "p_item": ("INSERT INTO line_items (order_id, quantity) VALUES ($1, $2) RETURNING line_item_id, store_id",
               ("bigint", "bigint"), ("orders", "")),
    "p_items": ("INSERT INTO line_items (quantity, order_id) VALUES ($1, $2), ($1, $3) RETURNING *",
                ("bigint", "bigint", "bigint"), ("", "orders", "orders")),
    "p_parcel": ("INSERT INTO parcels (line_item_id) VALUES ($1) RETURNING store_id", ("bigint",), ("line_items",)),
    "p_book": ("INSERT INTO books (title, code) VALUES (NULL, $1)", ("text",), ("shelves",)),
    "p_cart": ("INSERT INTO cart_rows (cart_id, n) VALUES ($1, 7) RETURNING row_no, store_id", ("uuid",), ("carts",)),
    "p_depot": ('INSERT INTO "Depots" (country, number) VALUES ($1, $2) RETURNING *',
                ("text", "integer"), ("regions", "regions")),
    "p_note": ("INSERT INTO notes (order_no, body) VALUES ($1, $2) RETURNING store_id", ("integer", "text"), ("orders", "")),
    "p_read": ("SELECT store_id FROM line_items WHERE order_id = $1 ORDER BY line_item_id LIMIT 3", ("bigint",), ("orders",)),
}
_PLAIN = ["insert_values", "insert_parent", "insert_tenant_given", "update_plain", "delete", "read"]


@dataclasses.dataclass
class Step:
    for_a: bytes
    for_b: bytes
    syncs: int  # how many ReadyForQuery end the answer
    note: str  # for people: what is sent, in B's words
    prepares: bool = False  # PREPARE, EXECUTE, DEALLOCATE
    string: bool = False  # one string of several statements


@dataclasses.dataclass
class Case:
    shape: str
    steps: list
    statements: int
    single: bool = False  # one statement, which may be refused


def prepare_all():
    """What a session sends when it starts."""
    parses = [wire.parse(text, name, [OIDS[kind] for kind in kinds]) for name, (text, kinds, _) in PREPARED.items()]
    return b"".join(parses) + wire.sync()


def _copied(statements):
    return "".join(f"\n     copy data {statement.copy_data!r}" for statement in statements if statement.copy_data is not None)


class Cases(Copies):
    """Chooses shapes by weight, and how they travel."""

    WEIGHTS = [("insert_values", 22), ("insert_tenant_given", 3), ("insert_parent", 4), ("default_values", 2),
               ("insert_select", 12), ("on_conflict", 10), ("chain", 6), ("merge", 5), ("copy", 6), ("update_fk", 7),
               ("update_plain", 3), ("update_tenant_itself", 3), ("update_parent_tenant", 4), ("delete", 3), ("read", 5)]
    WAYS = [("single", 60), ("multi", 8), ("transaction", 9), ("pipeline", 9), ("reuse", 8), ("session_tenant", 5),
            ("cursor", 3)]

    def __init__(self, rng, seeds, stage, shapes=None, ways=None):
        super().__init__(rng, seeds, stage)
        self.shapes = [(name, weight) for name, weight in self.WEIGHTS if not shapes or name in shapes]
        self.ways = [(name, weight) for name, weight in self.WAYS if not ways or name in ways]
        self.statement_names = 0

    def weighted(self, choices):
        return self.rng.choices([name for name, _ in choices], [weight for _, weight in choices])[0]

    def statement(self, extended, only=None):
        """A statement of any shape, or of one of those given if any of them is wanted at all."""
        shapes = [(name, weight) for name, weight in self.shapes if not only or name in only] or self.shapes
        return getattr(self, self.weighted(shapes))(extended)

    def case(self):
        self.explicit_keys = False
        return getattr(self, self.weighted(self.ways))()

    # How statements travel

    @staticmethod
    def command(text):
        return Step(wire.query(text), wire.query(text), 1, f"Query: {text}")

    def commands(self, steps):
        """Steps, some of which are texts."""
        return [self.command(step) if isinstance(step, str) else step for step in steps]

    def copy_messages(self, data):
        """CopyData in pieces that do not respect lines, without waiting to be asked for them."""
        cuts = sorted(self.rng.randint(0, len(data)) for _ in range(self.pick([0, 1, 3])))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
        return b"".join(wire.message("d", piece) for piece in pieces if piece or self.chance(0.5)) + wire.message("c")

    def simple(self, *statements, before="", after=""):
        """One Query."""
        data = b"".join(self.copy_messages(each.copy_data) for each in statements if each.copy_data is not None)
        for_a = before + ";\n".join(each.for_a() for each in statements) + after
        for_b = before + ";\n".join(each.for_b() for each in statements) + after
        return Step(wire.query(for_a) + data, wire.query(for_b) + data, 1, f"Query: {for_b}{_copied(statements)}",
                    string=len(statements) > 1)

    def statement_name(self):
        """One that no other statement of the block has: an error leaves it behind."""
        self.statement_names += 1
        return f"n{self.seeds.block}_{self.statement_names}"

    def messages(self, statement, name=""):
        """Parse, Bind, Describe, Execute for A and for B, and the note."""
        types = [OIDS[kind] if declared else 0 for kind, _, declared in statement.params]
        while types and types[-1] == 0:
            types.pop()
        formats = [int(kind != "numeric" and self.chance(0.4)) for kind, _, _ in statement.params]
        raw = [encode(kind, value, binary) for (kind, value, _), binary in zip(statement.params, formats)]
        if len(set(formats)) < 2:
            formats = formats[:1] if any(formats) else []
        described = self.pick(["P", "P", "S", ""])
        tail = wire.describe("S", name) if described == "S" else b""
        tail += wire.bind(raw, "", name, formats, self.pick([(), (), (1,)]))
        tail += (wire.describe("P") if described == "P" else b"") + wire.execute()
        if statement.copy_data is not None:
            tail += self.copy_messages(statement.copy_data)
        if name:
            tail += wire.close("S", name)
        note = (f"Parse{name and ' '}{name}: {statement.for_b()}{_copied([statement])}\n"
                f"     types {types}, formats {formats}, values {[value for _, value, _ in statement.params]}")
        return wire.parse(statement.for_a(), name, types) + tail, wire.parse(statement.for_b(), name, types) + tail, note

    def extended(self, *statements, separate=False):
        """One pipeline; separate: with a Sync behind each statement."""
        sync = wire.sync()
        parts = [self.messages(statement, self.pick(["", "", self.statement_name()])) for statement in statements]
        glue = sync if separate else b""
        return Step(glue.join(a for a, _, _ in parts) + sync, glue.join(b for _, b, _ in parts) + sync,
                    len(parts) if separate else 1, "\n".join(note for _, _, note in parts))

    def sql_prepared(self, statement):
        """PREPARE, EXECUTE, DEALLOCATE as statements, each a query of its own."""
        types = f" ({', '.join(kind for kind, _, _ in statement.params)})" if statement.params else ""
        arguments = ["NULL" if value is None else "'" + str(value).replace("'", "''") + "'" for _, value, _ in statement.params]
        name = self.statement_name()
        rest = [f"EXECUTE {name}" + (f"({', '.join(arguments)})" if arguments else ""), f"DEALLOCATE {name}"]
        for_a, for_b = ([f"PREPARE {name}{types} AS {text}", *rest] for text in (statement.for_a(), statement.for_b()))
        return Step(b"".join(wire.query(each) for each in for_a), b"".join(wire.query(each) for each in for_b), 3,
                    "\n".join(f"Query: {each}" for each in for_b), prepares=True)

    def travel(self, extended, statement):
        if not extended:
            return self.simple(statement)
        # PREPARE takes no COPY and no MERGE; and what it has prepared cannot carry the tenant of a later session.
        preparable = statement.copy_data is None and not statement.text.startswith("MERGE") and self.session is None
        return self.sql_prepared(statement) if preparable and self.chance(0.15) else self.extended(statement)

    # Ways

    def single(self):
        extended = self.chance(0.5)
        statement = self.statement(extended)
        step = self.travel(extended, statement)
        return Case(statement.shape, [step], 1, single=True)

    def safe(self):
        """Shapes that may stand among others: what is refused on Citus alone stands by itself."""
        return _PLAIN if self.distributed else [name for name, _ in self.WEIGHTS if name != "copy"]

    def multi(self):
        """A string of several statements: an implicit transaction, or one of its own."""
        self.explicit_keys, count = self.keyed, self.rng.randint(2, 4)
        if self.chance(0.7):
            statements = [self.statement(False, self.safe()) for _ in range(count)]
            return Case("string of statements", [self.simple(*statements)], count)
        # A string with a statement that must be refused is refused whole: not even its BEGIN is run.
        self.orphans = False
        statements = [self.statement(False, _PLAIN if self.keyed else self.safe()) for _ in range(count)]
        self.orphans = True
        before, after = self.pick([("BEGIN; ", "; COMMIT"), ("BEGIN; ", "; ROLLBACK"), ("", ";")])
        steps = [self.simple(*statements, before=before, after=after), self.command("ROLLBACK")]
        return Case("string of statements", steps, count)

    def transaction(self):
        """BEGIN, statements, savepoints, an end."""
        self.explicit_keys = self.keyed
        shapes = _PLAIN if self.distributed else [name for name, _ in self.WEIGHTS]
        steps = [self.command(self.pick(["BEGIN", "START TRANSACTION", "begin isolation level repeatable read"]))]
        savepoint, count = False, 2
        for _ in range(self.rng.randint(2, 6)):
            roll = self.rng.random()
            if roll < 0.15:
                steps.append(self.command("SAVEPOINT s"))
                savepoint = True
            elif roll < 0.3 and savepoint:
                steps.append(self.command(self.pick(["ROLLBACK TO s", "RELEASE s", "ROLLBACK TO SAVEPOINT s"])))
            else:
                extended = self.chance(0.5)
                steps.append(self.travel(extended, self.statement(extended, shapes)))
                count += 1
        steps.append(self.command(self.pick(["COMMIT", "COMMIT", "ROLLBACK"])))
        return Case("transaction", steps, count)

    def pipeline(self):
        """Parent and child without waiting, with more around them."""
        self.explicit_keys, separate, statements = self.keyed, self.chance(0.3), []
        for _ in range(self.rng.randint(1, 2)):
            parent = TABLES[self.pick(["orders", "shelves", "carts", "regions"])]
            child = self.pick([table for table in TABLES.values() if table.parent == parent.name])
            statements += [self.insert_parent(True, parent), self.insert_values(True, child)]
        if self.chance(0.5):
            # Behind what is refused no id may be drawn from a sequence before the runner has aligned it.
            shapes = _PLAIN if separate and self.keyed else self.safe()
            statements.insert(self.rng.randint(0, len(statements)), self.statement(True, shapes))
        steps = [self.extended(*statements, separate=separate)]
        if self.distributed:  # Citus takes no pipeline for a transaction: what stands before an error stays
            steps = [self.command("BEGIN"), *steps, self.command("COMMIT")]
        return Case("pipeline", steps, len(statements))

    def reuse(self):
        """The session's own prepared statements, one or more, in one go; from keyed on each in a step of its own, for a row
        that is refused takes no id from its sequence."""
        uses = [self.use(self.pick(list(PREPARED))) for _ in range(self.pick([1, 1, 2, 4]))]
        if self.keyed:
            steps = [Step(data + wire.sync(), data + wire.sync(), 1, note) for data, note in uses]
        else:
            data = b"".join(data for data, _ in uses) + wire.sync()
            steps = [Step(data, data, 1, "\n".join(note for _, note in uses))]
        return Case("prepared statement", steps, len(uses))

    def use(self, name):
        """Bind, Describe, Execute of a prepared statement, and a note."""
        text, kinds, parents = PREPARED[name]
        region, values = self.existing_key(TABLES["regions"]), []
        for n, (kind, parent) in enumerate(zip(kinds, parents)):
            if not parent:
                values.append("17")
            elif parent == "regions":
                values.append(region[n])
            elif kind == "bigint" and self.chance(self.missing):
                values.append(self.seeds.number(910))
            else:
                values.append(self.existing_key(TABLES[parent])[0])
        formats = [int(kind in (*BINARY, "uuid") and self.chance(0.5)) for kind in kinds]
        raw = [encode(kind, value, binary) for kind, value, binary in zip(kinds, values, formats)]
        data = wire.bind(raw, "", name, formats) + wire.describe("P") + wire.execute()
        return data, f"Bind {name} ({text}): {values}"

    def session_tenant(self):
        """SET LOCAL in a transaction, SET and RESET: for rows without a parent, and from resolve on for all."""
        self.explicit_keys, self.session, extended = self.keyed, self.rng.randint(1, 6), self.chance(0.5)
        body = [self.travel(extended, self.statement(extended, ["insert_values", "default_values"]))
                for _ in range(self.pick([1, 2]))]
        value = "'" + str(self.seeds.tenant(self.session)).replace("'", "''") + "'"
        self.session = None
        local, whole = f"SET LOCAL shardferry.tenant TO {value}", f"SET shardferry.tenant = {value}"
        form = self.pick(["local", "set", "savepoint", "rolled back"])
        steps = {
            "set": [whole, *body, self.pick(["RESET shardferry.tenant", "RESET ALL"])],
            "local": ["BEGIN", local, *body, "COMMIT"],
            "savepoint": ["BEGIN", "SAVEPOINT s", local, body[0], "ROLLBACK TO s", *body[1:], "COMMIT"],
            "rolled back": ["BEGIN", whole, body[0], "ROLLBACK", *body[1:]],
        }[form]
        return Case(f"session tenant {form}", self.commands(steps), len(body) + 1)

    def cursor(self):
        """A declared cursor with a write between two fetches, or a portal fetched in portions."""
        if self.distributed or self.chance(0.5):
            key = self.existing_key(TABLES["orders"])[0]
            query = f"SELECT l.* FROM line_items l WHERE l.order_id = {key} ORDER BY line_item_id"
            steps = ["BEGIN", f"DECLARE c CURSOR FOR {query}", "FETCH 2 FROM c",
                     self.simple(self.insert_values(False, TABLES["notes"])), "FETCH ALL FROM c", "COMMIT"]
            return Case("cursor", self.commands(steps), 4)
        statement = self.insert_values(True, TABLES["line_items"])
        while "RETURNING" not in statement.text:
            statement = self.insert_values(True, TABLES["line_items"])
        raw = [encode(kind, value, False) for kind, value, _ in statement.params]
        tail = wire.bind(raw, "c1", "") + wire.execute("c1", 1) * 2 + wire.execute("c1") + wire.sync()
        types = [OIDS[kind] for kind, _, _ in statement.params]
        return Case("portal in portions", [Step(wire.parse(statement.for_a(), "", types) + tail,
                                                wire.parse(statement.for_b(), "", types) + tail, 1,
                                                f"Parse, portal c1 in portions: {statement.for_b()} {statement.params}")], 1)
