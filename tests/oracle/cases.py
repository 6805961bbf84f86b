"""Cases: statements in the ways in which a client can send them.

A case leaves no transaction and no prepared statement behind. Its steps are sent one after the other; all of a step is
sent at once, to A and to B, and the answers are read up to its last ReadyForQuery.
"""

import dataclasses

from harness import wire

from .changes import Changes
from .schema import TABLES
from .values import BINARY, OIDS, encode

# Statements that every session prepares when it starts and uses ever after, over all stages: name → (text, types).
PREPARED = {
    "p_item": ("INSERT INTO line_items (order_id, quantity) VALUES ($1, $2) RETURNING line_item_id, store_id", ("bigint", "bigint")),
    "p_items": ("INSERT INTO line_items (quantity, order_id) VALUES ($1, $2), ($1, $3) RETURNING *", ("bigint", "bigint", "bigint")),
    "p_parcel": ("INSERT INTO parcels (line_item_id) VALUES ($1) RETURNING store_id", ("bigint",)),
    "p_book": ("INSERT INTO books (title, code) VALUES (NULL, $1)", ("text",)),
    "p_cart": ("INSERT INTO cart_rows (cart_id, n) VALUES ($1, 7) RETURNING row_no, store_id", ("uuid",)),
    "p_depot": ('INSERT INTO "Depots" (country, number) VALUES ($1, $2) RETURNING *', ("text", "integer")),
    "p_note": ("INSERT INTO notes (order_no, body) VALUES ($1, $2) RETURNING store_id", ("integer", "text")),
    "p_read": ("SELECT store_id FROM line_items WHERE order_id = $1 ORDER BY line_item_id LIMIT 3", ("bigint",)),
}
_PARENTS = {"p_item": ["orders"], "p_items": ["", "orders", "orders"], "p_parcel": ["line_items"], "p_book": ["shelves"],
            "p_cart": ["carts"], "p_depot": ["regions", "regions"], "p_note": ["orders"], "p_read": ["orders"]}


@dataclasses.dataclass
class Step:
    for_a: bytes
    for_b: bytes
    syncs: int
    note: str  # for people: what is sent, in B's words
    prepares: bool = False  # PREPARE, EXECUTE, DEALLOCATE
    string: bool = False  # one string of several statements


@dataclasses.dataclass
class Case:
    shape: str
    steps: list
    statements: int
    single: bool = False  # one statement, in a transaction of its own
    quiet_a: str = ""  # what A is told before and after, unseen, where B has it from the text: a session's tenant
    ordered: bool = True


def prepare_all():
    """What a session sends when it starts."""
    return b"".join(wire.parse(text, name, [OIDS[kind] for kind in kinds]) for name, (text, kinds) in PREPARED.items()) + wire.sync()


def _copy_messages(rng, data):
    """CopyData in pieces that do not respect lines."""
    cuts = sorted(rng.randint(0, len(data)) for _ in range(rng.choice([0, 1, 3])))
    pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
    return b"".join(wire.message("d", piece) for piece in pieces if piece or rng.random() < 0.5) + wire.message("c")


class Cases(Changes):
    """Chooses shapes by weight, and how they travel."""

    WEIGHTS = [("insert_values", 22), ("insert_tenant_given", 3), ("insert_parent", 4), ("default_values", 2), ("insert_select", 12),
               ("on_conflict", 10), ("chain", 6), ("merge", 5), ("copy", 6), ("update_fk", 7), ("update_plain", 3),
               ("update_tenant_itself", 3), ("update_parent_tenant", 4), ("delete", 3), ("read", 5)]
    WAYS = [("single", 60), ("multi", 8), ("transaction", 9), ("pipeline", 9), ("reuse", 8), ("session_tenant", 5), ("cursor", 3)]

    def __init__(self, rng, seeds, stage, shapes=None, ways=None):
        super().__init__(rng, seeds, stage)
        self.names = 0
        self.shapes = [(name, weight) for name, weight in self.WEIGHTS if not shapes or name in shapes]
        self.ways = [(name, weight) for name, weight in self.WAYS if not ways or name in ways]

    def weighted(self, choices):
        return self.rng.choices([name for name, _ in choices], [weight for _, weight in choices])[0]

    def statement(self, extended, only=None):
        shapes = [(name, weight) for name, weight in self.shapes if not only or name in only] or self.shapes
        return getattr(self, self.weighted(shapes))(extended)

    def case(self):
        self.explicit_keys = False
        case = getattr(self, self.weighted(self.ways))()
        self.explicit_keys = False
        return case

    # How a statement travels

    def simple(self, *statements):
        def text(side):
            return ";\n".join(getattr(statement, side)() for statement in statements)

        data = b"".join(_copy_messages(self.rng, statement.copy_data) for statement in statements if statement.copy_data is not None)
        return Step(wire.query(text("for_a")) + data, wire.query(text("for_b")) + data, 1, f"Query: {text('for_b')}" + _copied(statements),
                    string=len(statements) > 1)

    def messages(self, statement, name=""):
        """Parse, Bind, Describe, Execute for A, for B, and the note."""
        rng, params = self.rng, statement.params
        types = [OIDS[kind] if declared else 0 for kind, _, declared in params]
        while types and types[-1] == 0:
            types.pop()
        binary = [kind != "numeric" and rng.random() < 0.4 for kind, _, _ in params]
        raw = [encode(kind, value, as_binary) for (kind, value, _), as_binary in zip(params, binary)]
        formats = [int(as_binary) for as_binary in binary] if any(binary) else []
        if formats and all(formats):
            formats = [1]
        tail = wire.bind(raw, "", name, formats, rng.choice([(), (), (1,)]))
        described = rng.choice(["P", "P", "S", ""])
        head_describe = wire.describe("S", name) if described == "S" else b""
        tail += (wire.describe("P") if described == "P" else b"") + wire.execute()
        if statement.copy_data is not None:
            tail += _copy_messages(rng, statement.copy_data)
        if name:
            tail += wire.close("S", name)
        note = f"Parse{' ' + name if name else ''}: {statement.for_b()}\n     types {types}, formats {formats}, values {[value for _, value, _ in params]}"
        return (wire.parse(statement.for_a(), name, types) + head_describe + tail, wire.parse(statement.for_b(), name, types) + head_describe + tail,
                note + _copied([statement]))

    def statement_name(self):
        """One that no other statement of the block has: an error leaves it behind."""
        self.names += 1
        return f"n{self.seeds.block}_{self.names}"

    def extended(self, *statements, separate=False):
        """One pipeline."""
        sync = wire.sync()
        parts = [self.messages(statement, self.rng.choice(["", "", self.statement_name()])) for statement in statements]
        glue = sync if separate else b""
        return Step(glue.join(a for a, _, _ in parts) + sync, glue.join(b for _, b, _ in parts) + sync,
                    len(parts) if separate else 1, "\n".join(note for _, _, note in parts))

    def sql_prepared(self, statement):
        """PREPARE, EXECUTE, DEALLOCATE as statements, each a query of its own."""
        types = f" ({', '.join(kind for kind, _, _ in statement.params)})" if statement.params else ""
        arguments = ", ".join("NULL" if value is None else "'" + str(value).replace("'", "''") + "'" for _, value, _ in statement.params)
        name = self.statement_name()
        execute = f"EXECUTE {name}" + (f"({arguments})" if arguments else "")

        def text(side):
            return [f"PREPARE {name}{types} AS {getattr(statement, side)()}", execute, f"DEALLOCATE {name}"]

        for_a, for_b = (b"".join(wire.query(each) for each in text(side)) for side in ("for_a", "for_b"))
        return Step(for_a, for_b, 3, "\n".join(f"Query: {each}" for each in text("for_b")), True)

    def travel(self, extended, statement):
        if extended:
            if statement.copy_data is None and not statement.text.startswith("MERGE") and self.chance(0.15):
                return self.sql_prepared(statement)
            return self.extended(statement)
        return self.simple(statement)

    # Ways

    def single(self, only=None):
        extended = self.chance(0.5)
        statement = self.statement(extended, only)
        step = self.travel(extended, statement)
        return Case(statement.shape, [step], 1, single=step.syncs == 1, ordered=statement.ordered)

    def safe(self):
        """Shapes that may stand among others in every stage."""
        if self.keyed and not self.orphans:
            return ["insert_values", "insert_parent", "insert_tenant_given", "update_plain", "delete", "read"]
        return ["insert_values", "insert_parent", "insert_tenant_given", "update_plain", "delete", "read"] if self.distributed else \
            [name for name, _ in self.WEIGHTS if name != "copy"]

    def multi(self):
        """A string of several statements: an implicit transaction, or one of its own."""
        self.explicit_keys = self.keyed
        wrapped = self.chance(0.3)
        # A string with a statement that must be refused is refused whole: not even its BEGIN is run.
        self.orphans = not wrapped
        statements = [self.statement(False, self.safe()) for _ in range(self.rng.randint(2, 4))]
        self.orphans = True
        case = Case("string of statements", [self.simple(*statements)], len(statements))
        if wrapped:
            step = case.steps[0]
            wrap = self.rng.choice([("BEGIN; ", "; COMMIT"), ("BEGIN; ", "; ROLLBACK"), ("", ";")])
            for_a, for_b = (wire.query(wrap[0] + data[5:-1].decode() + wrap[1]) for data in (step.for_a, step.for_b))
            case.steps = [Step(for_a, for_b, 1, f"Query: {for_b[5:-1].decode()}", string=True), self.command("ROLLBACK")]
        return case

    @staticmethod
    def command(text):
        return Step(wire.query(text), wire.query(text), 1, f"Query: {text}")

    def transaction(self):
        """BEGIN, statements, savepoints, an end."""
        self.explicit_keys = self.keyed
        steps, open_savepoints, count = [self.command(self.rng.choice(["BEGIN", "START TRANSACTION", "begin isolation level repeatable read"]))], 0, 0
        for _ in range(self.rng.randint(2, 6)):
            roll = self.rng.random()
            if roll < 0.15:
                steps.append(self.command("SAVEPOINT s"))
                open_savepoints += 1
            elif roll < 0.3 and open_savepoints:
                steps.append(self.command(self.rng.choice(["ROLLBACK TO s", "RELEASE s", "ROLLBACK TO SAVEPOINT s"])))
            else:
                extended = self.chance(0.5)
                steps.append(self.travel(extended, self.statement(extended, [*self.safe(), *([] if self.distributed else ["copy"])])))
                count += 1
        steps.append(self.command(self.rng.choice(["COMMIT", "COMMIT", "ROLLBACK"])))
        return Case("transaction", steps, count + 2)

    def pipeline(self):
        """Parent and child without waiting, with more around them."""
        self.explicit_keys = self.keyed
        statements = []
        for _ in range(self.rng.randint(1, 2)):
            table = TABLES[self.rng.choice(["orders", "shelves", "carts", "regions"])]
            statements.append(self.insert_parent(True, table))
            child = self.rng.choice([each for each in TABLES.values() if each.parent == table.name])
            statements.append(self.insert_values(True, child))
        if self.chance(0.5):
            statements.insert(self.rng.randint(0, len(statements)), self.statement(True, self.safe()))
        steps = [self.extended(*statements, separate=self.chance(0.3))]
        if self.distributed:  # Citus takes no pipeline for a transaction: what stands before an error stays
            steps = [self.command("BEGIN"), *steps, self.command("COMMIT")]
        return Case("pipeline", steps, len(statements))

    def reuse(self):
        """The session's own prepared statements, one or more, in one go."""
        self.explicit_keys = False
        for_both, notes, count = b"", [], 0
        for _ in range(self.rng.choice([1, 1, 2, 4])):
            name = self.rng.choice(list(PREPARED))
            text, kinds = PREPARED[name]
            values, key = [], None
            for n, (kind, parent) in enumerate(zip(kinds, _PARENTS[name] + [""] * len(kinds))):
                key = key if name == "p_depot" and n else self.existing_key(TABLES[parent]) if parent else None
                missing = parent and self.chance(self.missing) and kind == "bigint"
                values.append("17" if not parent else str(self.seeds.number(910)) if missing else key[n if name == "p_depot" else 0])
            binary = [kind in (*BINARY, "uuid") and self.chance(0.5) for kind in kinds]
            raw = [encode(kind, value, as_binary) for kind, value, as_binary in zip(kinds, values, binary)]
            for_both += wire.bind(raw, "", name, [int(each) for each in binary]) + wire.describe("P") + wire.execute()
            notes.append(f"Bind {name} ({text}): {values}")
            count += 1
            if self.keyed or self.chance(0.3):
                for_both += wire.sync()
                notes.append("Sync")
        syncs = notes.count("Sync")
        if notes[-1] != "Sync":
            for_both += wire.sync()
            syncs += 1
        return Case("prepared statement", [Step(for_both, for_both, syncs, "\n".join(notes))], count)

    def session_tenant(self):
        """SET LOCAL in a transaction, SET and RESET: for rows without a parent, and from resolve on for all."""
        self.explicit_keys = self.keyed
        tenant = str(self.seeds.tenant(self.rng.randint(1, 6))).replace("'", "''")
        extended = self.chance(0.5)
        nulls, self.nulls = self.nulls, 0.5
        statements = [self.statement(extended, ["insert_values", "default_values"]) for _ in range(self.rng.randint(1, 2))]
        self.nulls = nulls
        form = self.rng.choice(["local", "set", "savepoint", "rolled back"])
        body = [self.travel(extended, statement) for statement in statements]
        if form == "set":
            steps = [self.command(f"SET shardferry.tenant = '{tenant}'"), *body, self.command(self.rng.choice(["RESET shardferry.tenant", "RESET ALL"]))]
        elif form == "local":
            steps = [self.command("BEGIN"), self.command(f"SET LOCAL shardferry.tenant TO '{tenant}'"), *body, self.command("COMMIT")]
        elif form == "savepoint":
            steps = [self.command("BEGIN"), self.command("SAVEPOINT s"), self.command(f"SET LOCAL shardferry.tenant = '{tenant}'"), body[0],
                     self.command("ROLLBACK TO s"), *body[1:], self.command("COMMIT")]
        else:
            steps = [self.command("BEGIN"), self.command(f"SET shardferry.tenant = '{tenant}'"), body[0], self.command("ROLLBACK"), *body[1:]]
        return Case(f"session tenant {form}", steps, len(body) + 1)

    def cursor(self):
        """A portal fetched in portions, a declared cursor, DISCARD and the like between."""
        if self.chance(0.5):
            key = self.existing_key(TABLES["orders"])[0]
            steps = [self.command("BEGIN"),
                     self.command(f"DECLARE c CURSOR FOR SELECT l.* FROM line_items l WHERE l.order_id = {key} ORDER BY line_item_id"),
                     self.command("FETCH 2 FROM c"), self.simple(self.insert_values(False, TABLES["notes"])), self.command("FETCH ALL FROM c"), self.command("COMMIT")]
            return Case("cursor", steps, 4)
        statement = self.insert_values(True, TABLES["line_items"])
        while "RETURNING" not in statement.text:
            statement = self.insert_values(True, TABLES["line_items"])
        params = statement.params
        types = [OIDS[kind] for kind, _, _ in params]
        tail = wire.bind([encode(kind, value, False) for kind, value, _ in params], "c1", "") + wire.execute("c1", 1) * 2 + wire.execute("c1") + wire.sync()
        for_a, for_b = wire.parse(statement.for_a(), "", types) + tail, wire.parse(statement.for_b(), "", types) + tail
        return Case("portal in portions", [Step(for_a, for_b, 1, f"Parse, portal c1 in portions: {statement.for_b()} {params}")], 1)


def _copied(statements):
    return "".join(f"\n     copy data {statement.copy_data!r}" for statement in statements if statement.copy_data is not None)
