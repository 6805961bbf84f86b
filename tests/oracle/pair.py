"""A pair of databases that start equal, A reached directly and B through a proxy, and the comparison of what they say."""

import os
import struct

from harness import wire
from harness.migration import set_stage
from harness.proxy import Proxy, run_command

from . import schema
from .cases import prepare_all

# Fields of an ErrorResponse that say where in the server's source, or in a trigger, the error was made.
_NEVER_COMPARED = set("FLRWqpV")
# From keyed on the proxy refuses by itself what a constraint of A refuses: the code says the same, the words do not.
_OWN_WORDS = {"23502", "23503"}
# What A may say of a statement that the proxy refuses: that the transaction is aborted already; that one row of several
# is there already, while another has no parent.
_BEFORE_REFUSAL = ("25P02", "23505")
# How Citus puts it that a row has no tenant or no parent.
_CITUS_SAYS = ("with NULL in the partition column", "the partition column of table", "violates foreign key constraint")

# What is refused with 0A000 on distributed tables although a single node allows it: shapes, who refuses, why.
_ALLOWED = [
    (("update of the parent's tenant",), "proxy", "the tenant of a distributed row does not change"),
    (("merge",), "proxy", "Citus merges from a table, joined on the tenant"),
    (("on conflict", "insert select on conflict"), "proxy", "no volatile function in DO UPDATE"),
    (("on conflict", "insert select on conflict"), "Citus", "no volatile function in DO UPDATE"),
    (("update of the foreign key select", "update of the foreign key from"), "Citus",
     "the application's own read is of other tenants"),
]


def _allowed(shape, error):
    """Why such a refusal is right; None if it is not."""
    who = "Citus" if "R" in error else "proxy"  # the server's errors name the routine that made them
    for shapes, refuser, why in _ALLOWED if error.get("C") == "0A000" else ():
        if who == refuser and shape.startswith(shapes):
            return f"{refuser}, {why}"
    return None


# What Citus says of a statement that should not have reached it.
CITUS_REFUSES = ("subqueries are not supported within INSERT queries", "without a partition column value",
                 "modifying the partition value")


class Difference(Exception):
    """A and B do not agree. The text says in what."""


class Pair:
    """Starts in stage derive. advance() takes both on, under the sessions' feet."""

    def __init__(self, server, tenant_type, citus=None):
        self.server, self.tenant_type, self.stage = server, tenant_type, "derive"
        self.node = citus.coordinator if citus else server
        self.citus = citus
        name = f"oracle_{tenant_type}_{os.getpid()}"
        self.database_a, self.database_b = f"{name}_a", f"{name}_b"
        self.proxy = None
        self.connections = {}
        self.errors = {}  # "shape SQLSTATE" → how often A answered so
        try:
            self._create()
        except BaseException:
            self.close()
            raise

    def _create(self):
        self.server.create_database(self.database_a)
        if self.citus:
            self.citus.create_database(self.database_b)
        else:
            self.server.create_database(self.database_b)
        self.run_directly(schema.create(self.tenant_type))
        self.proxy = Proxy(self.node, self.database_b)
        self.proxy.wait_for_catalog("notes")
        done = run_command("migrate", "--to", "derive", "--yes", "-c", self.proxy.config)
        assert done.returncode == 0, done.stdout + done.stderr
        self._run(self.server, self.database_a, schema.add_columns(self.tenant_type))
        self._triggers()
        self.connect()

    @staticmethod
    def _run(server, database, sql):
        with server.connect(database) as conn:
            conn.execute(sql)

    def run_directly(self, sql):
        self._run(self.server, self.database_a, sql)
        self._run(self.node, self.database_b, sql)

    def _triggers(self):
        self._run(self.server, self.database_a, schema.triggers(self.tenant_type, self.stage))

    def connect(self):
        """New sessions, with their prepared statements."""
        self._disconnect()
        endpoints = {"a": self.server.unix_endpoint(self.database_a), "b": self.proxy.unix_endpoint(),
                     "direct a": self.server.unix_endpoint(self.database_a),
                     "direct b": self.node.unix_endpoint(self.database_b)}
        for name, endpoint in endpoints.items():
            self.connections[name] = wire.Wire(endpoint, timeout=10)
        for name in "ab":
            answer = self.connections[name].ask(prepare_all())
            assert not wire.error_of(answer), (name, wire.error_of(answer))

    def _disconnect(self):
        for conn in self.connections.values():
            conn.close()
        self.connections = {}

    def close(self):
        self._disconnect()
        try:
            if self.proxy:
                self.proxy.close()
        finally:
            self.server.drop_database(self.database_a)
            (self.citus or self.server).drop_database(self.database_b)

    # Stages

    def advance(self):
        """The next stage, as the runner goes there: all of the DDL that it presupposes, in A as well."""
        following = schema.STAGES[schema.STAGES.index(self.stage) + 1]
        # No row of another stage's liberties may stand in the way of NOT NULL.
        self.reset(schema.Seeds(schema.STAGES.index(following) * schema.STAGE_BLOCKS, self.tenant_type))
        if following == "keyed":
            self.run_directly(schema.build_keys())
        set_stage(self.node, self.proxy, [table.name.strip('"') for table in schema.CHILDREN], following)
        self.stage = following
        if following == "keyed":
            self.run_directly(schema.swap_keys())
            self.proxy.console("RELOAD")
        if following == "distributed":
            self._run(self.node, self.database_b, schema.distribute())
            self.proxy.console("RELOAD")
        self._triggers()

    # Data

    def reset(self, seeds):
        """Both databases to the seeds of a block."""
        sql = wire.query(seeds.sql())
        for name in ("direct a", "direct b"):
            answer = self.connections[name].ask(sql)
            assert not wire.error_of(answer), wire.error_of(answer)

    def compare_tables(self):
        """Raises Difference where a table is not the same in both."""
        for table in schema.TABLES.values():
            data = wire.query(schema.dump(table, self.stage != "distributed"))
            texts = []
            for name in ("direct a", "direct b"):
                self.connections[name].send(data)
            for name in ("direct a", "direct b"):
                answer = self.connections[name].until("Z")
                assert not wire.error_of(answer), wire.error_of(answer)
                texts.append(wire.rows(answer)[0][0].decode())
            if texts[0] != texts[1]:
                only = [set(text.split("\n")) - set(other.split("\n")) for text, other in (texts, texts[::-1])]
                raise Difference(f"table {table.name} differs\n  only in A: {_some(only[0])}\n  only in B: {_some(only[1])}")

    def align_sequences(self):
        """After an error: what the proxy refuses leaves the server's sequences where they were, and COPY without a trigger
        reads on before it finds what is wrong with a row."""
        names = [table.sequence for table in schema.TABLES.values() if table.serial] + ["aux_seq"]
        read = wire.query("SELECT " + ", ".join(f"(SELECT last_value FROM {name})" for name in names))
        values = [wire.rows(self.connections[name].ask(read))[0] for name in ("direct a", "direct b")]
        moves = [f"setval('{name}', {max(int(a), int(b))})" for name, a, b in zip(names, *values) if a != b]
        for name in ("direct a", "direct b") if moves else ():
            self.connections[name].ask(wire.query("SELECT " + ", ".join(moves)))

    # Statements

    def run(self, case):
        """Runs a case on both and raises Difference if they do not say the same. Returns why B was allowed to refuse
        it, or None."""
        for number, step in enumerate(case.steps):
            if self.stage == "distributed" and case.single:
                seen = self._ask("b", step.for_b, step.syncs)
                why = _allowed(case.shape, wire.error_of(seen))
                if why:
                    self.align_sequences()
                    return why
                expected = self._ask("a", step.for_a, step.syncs)
            else:
                self.connections["a"].send(step.for_a)
                seen = self._ask("b", step.for_b, step.syncs)
                expected = self._ask("a", b"", step.syncs)
            for kind, payload in expected:
                if kind == "E":
                    key = f"{case.shape} {wire.fields(payload)['C']}"
                    self.errors[key] = self.errors.get(key, 0) + 1
            self._compare(case.shape, number, step, expected, seen)
            if any(kind == "E" for kind, _ in [*expected, *seen]):
                self.align_sequences()
        return None

    def _ask(self, name, data, syncs):
        conn = self.connections[name]
        try:
            if data:
                conn.send(data)
            return conn.until("Z", count=syncs)
        except OSError as problem:
            raise Difference(f"{name.upper()} does not answer: {problem!r}") from None

    def _compare(self, shape, number, step, expected, seen):
        words = wire.error_of(seen).get("M", "")  # as B said it, whatever is compared of it
        if any(text in words for text in CITUS_REFUSES):
            raise Difference(f"step {number + 1} reached Citus, which refused it: {words}")
        # Positions are compared where both got the same text.
        left_out = _NEVER_COMPARED | ({"P"} if step.for_a != step.for_b else set())
        expected, seen = (self._normalised(messages, "conflict" in shape, left_out) for messages in (expected, seen))
        if self.stage != "derive":
            expected, seen = _refused_early(expected, seen, step)
        if expected == seen:
            return
        for at, (a, b) in enumerate(zip([*expected, None], [*seen, None])):
            if a != b:
                raise Difference(f"message {at + 1} of the answer to step {number + 1} differs\n"
                                 f"  A: {_shown(a)}\n  B: {_shown(b)}\n"
                                 f"  all of A: {wire.kinds(expected)}\n  all of B: {wire.kinds(seen)}"
                                 + (f"\n  B's error: {words}" if words else ""))

    def _normalised(self, messages, conflict, left_out):
        """What is compared. conflict: the statement has ON CONFLICT; left_out: fields of errors and notices."""
        result = []
        for kind, payload in messages:
            if kind in "EN" and kind:
                fields = {letter: text for letter, text in wire.fields(payload).items() if letter not in left_out}
                words = fields["M"]
                if (self.stage != "derive" and fields["C"] in _OWN_WORDS) or self.stage == "distributed":
                    fields = {"C": fields["C"]}
                if fields["C"] == "XX000" and words.startswith("duplicate key value"):
                    fields["C"] = "23505"  # INSERT … SELECT goes through COPY, whose errors on a shard lose their code
                if self.stage != "derive" and (fields["C"] in _OWN_WORDS or any(text in words for text in _CITUS_SAYS)):
                    fields["C"] = "23502"  # which of them depends on how the parent is looked for
                result.append((kind, tuple(sorted(fields.items()))))
            elif kind == "T":
                result.append((kind, _without_oids(payload, self.stage != "distributed")))
            elif kind == "C" and conflict and self.stage == "distributed":
                result.append((kind, payload.rstrip(b"0123456789\0")))  # of INSERT … SELECT Citus counts what was selected
            else:
                result.append((kind, payload))
        if self.stage == "distributed":
            result = _rows_sorted(result)
        return result


def _refused_early(expected, seen, step):
    """The proxy may refuse at Parse, or at PREPARE, or ahead of a whole string, what A refuses when it is executed: where
    both refuse, what they have said before that is left out."""
    groups = [_by_sync(expected), _by_sync(seen)]
    if step.prepares and _refusal(groups[1][0]) and _refusal(groups[1][0]) == _refusal(groups[0][1]):
        return [], []
    for n, (a, b) in enumerate(zip(*groups)):
        code = _refusal(a)
        if step.string and _refusal(b) and any(kind == "E" for kind, _ in a):
            groups[0][n] = groups[1][n] = []
        elif _refusal(b) and code in (_refusal(b), *_BEFORE_REFUSAL):
            left_out = "123nTtE" if code in _BEFORE_REFUSAL else "123nTt"
            for group, messages in zip(groups, (a, b)):
                group[n] = [message for message in messages if message[0] not in left_out]
    return [sum(group, []) for group in groups]


def _by_sync(messages):
    groups = [[]]
    for message in messages:
        groups[-1].append(message)
        if message[0] == "Z":
            groups.append([])
    return groups


def _refusal(messages):
    """The SQLSTATE of an error that the proxy may raise by itself, or in whose place, among messages; None without."""
    codes = [dict(fields)["C"] for kind, fields in messages if kind == "E"]
    return codes[0] if codes and codes[0] in (*_OWN_WORDS, *_BEFORE_REFUSAL) else None


def _without_oids(payload, origin):
    """A RowDescription with the tables' OIDs left out, which are of two databases, and if it has no `origin` from which
    column a value comes: Citus makes up tables."""
    (count,), offset, columns = struct.unpack("!h", payload[:2]), 2, []
    for _ in range(count):
        end = payload.index(b"\0", offset)
        table, *rest = struct.unpack("!ihihih", payload[end + 1:end + 19])
        columns.append((payload[offset:end], *((table != 0, rest[0]) if origin else ()), *rest[1:]))
        offset = end + 19
    return tuple(columns)


def _rows_sorted(messages):
    result, rows = [], []
    for message in messages:
        if message[0] == "D":
            rows.append(message)
        else:
            result += sorted(rows) + [message]
            rows = []
    return result + rows


def _some(rows):
    rows = sorted(rows)
    return "\n             ".join(rows[:5]) + (f"\n             … {len(rows) - 5} more" if len(rows) > 5 else "") or "nothing"


def _shown(message):
    return "nothing more" if message is None else f"{message[0]} {message[1]}"
