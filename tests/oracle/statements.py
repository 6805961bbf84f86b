"""The grammar of single statements. Each shape is a method of Grammar, which returns a Statement.

Where A needs another text than B, both stand in it as `‹a¦b›`: from stage keyed on an application that is mended by hand
names the tenant in its conflict targets.
"""

import dataclasses
import re

from .schema import CHILDREN, EXPLICIT_FROM, SEEDED, TABLES, names
from .values import Values, finish

_PARAMETER = re.compile(r"(?<!')\$(\d+)")
_CHOICE = re.compile("‹([^¦]*)¦([^›]*)›")


@dataclasses.dataclass
class Statement:
    shape: str
    text: str
    params: list = dataclasses.field(default_factory=list)
    copy_data: bytes = None  # what follows a COPY … FROM STDIN
    ordered: bool = True  # whether the order of its result's rows is said

    def for_a(self):
        return _CHOICE.sub(r"\1", self.text)

    def for_b(self):
        return _CHOICE.sub(r"\2", self.text)


class Grammar:
    """Makes the statements of one block, from its seeds and its random numbers alone."""

    def __init__(self, rng, seeds, stage):
        self.rng = rng
        self.seeds = seeds
        self.stage = stage
        self.keyed = stage not in ("derive",)
        self.distributed = stage == "distributed"
        self.made = {}  # table name → keys that statements before have inserted, or have tried to
        self.next = EXPLICIT_FROM
        self.explicit_keys = False  # whether every row says its own key
        self.orphans = True  # whether a row may have no parent, or one that is not there
        self.nulls = 0.03 if self.keyed else 0.08
        self.missing = 0.04

    def chance(self, probability):
        return self.rng.random() < probability

    # Keys and rows

    def new_key(self, table):
        self.next += 1
        key = self.seeds.key(table, self.next)
        self.made.setdefault(table.name, []).append(key)
        return key

    def existing_key(self, table):
        made = self.made.get(table.name)
        if made and self.orphans and self.chance(0.3):
            return self.rng.choice(made[-8:])
        return self.seeds.key(table, self.rng.randint(1, SEEDED))

    def parent_key(self, table):
        """Values of a child's foreign key: of a parent that is there, of none, or NULL."""
        if self.orphans and self.chance(self.nulls):
            return tuple(None for _ in table.fk)
        parent = TABLES[table.parent]
        if self.orphans and self.chance(self.missing):
            return self.seeds.key(parent, self.rng.randint(900, 920))
        return self.existing_key(parent)

    def plain_value(self, table, column):
        kind = table.type_of(column)
        if self.chance(0.1):
            return None
        if column in ("label", "tag", "title"):
            return f"{column[0]}ä {self.rng.randint(1, 400)}" if self.chance(0.9) else f"Seed {self.rng.randint(1, SEEDED)}"
        if kind == "text" or kind.startswith("varchar"):
            return self.rng.choice(["new", "it's", "ü€", "", "a;b", "x -- y", "$1", "/*"])
        if kind.startswith("numeric"):
            return self.rng.choice(["1.5", "20", "-3.25", "100"])
        return str(self.rng.randint(0, 50))

    def tenant_of_seed(self, table, key):
        """The tenant that a seeded row has at first; None for other keys."""
        for n in range(1, SEEDED + 1):
            if self.seeds.key(table, n) == key:
                return self.seeds.tenant(n)
        return None

    def child(self, *others):
        return self.rng.choice([TABLES[name] for name in others] or CHILDREN)

    def name(self, table):
        spelling = table.name
        if self.chance(0.15) and not spelling.startswith('"'):
            spelling = f'"{spelling}"' if self.chance(0.5) else spelling.upper()
        return f"public.{spelling}" if self.chance(0.15) else spelling

    def key_given(self, table, values):
        """Whether a row of `table` should say its key, and how: None, or the key's expressions."""
        if not table.serial or table.identity == "always":
            needed = not table.serial
        else:
            needed = self.explicit_keys or self.chance(0.4)
        return [values.spell(kind, part) for kind, part in zip(table.key_types, self.new_key(table))] if needed else None

    def columns_of(self, table, key):
        """Columns that an INSERT lists, in random order."""
        rest = [name for name, _ in table.columns if name not in table.key and name not in table.fk]
        columns = [*(table.key if key else ()), *(table.fk if not self.orphans or self.chance(0.97) else table.fk[:-1]),
                   *(name for name in rest if self.chance(0.6))]
        if not columns:
            columns = [rest[0]]
        if self.chance(0.7):
            self.rng.shuffle(columns)
        return columns

    def row(self, table, columns, values, key=None, fk=None, plain=False):
        """One row's cells for the given columns."""
        given = dict(zip(table.key, key or []))
        given.update(fk if fk is not None else self.spelled_fk(table, values))
        cells = []
        for column in columns:
            if column in given:
                cells.append(given[column])
            elif column in table.key:
                cells.append(values.spell(table.type_of(column), self.new_key(table)[table.key.index(column)]))
            else:
                value = self.plain_value(table, column)
                cells.append("DEFAULT" if not plain and self.chance(0.06) else values.spell(table.type_of(column), value, True))
        return cells

    def spelled_fk(self, table, values):
        return {column: values.spell(table.type_of(column), value) for column, value in zip(table.fk, self.parent_key(table))}

    def returning(self, table, alias="", drawn=False):
        """A RETURNING clause or none. `drawn`: several rows may draw ids from a sequence, on Citus in any order."""
        if self.chance(0.4):
            return ""
        prefix = f"{alias}." if alias and self.chance(0.5) else ""
        if drawn and self.distributed:
            return f"~RETURNING~{prefix}store_id"
        columns = [name for name, _ in table.columns]
        choices = [prefix + table.key[0], f"{prefix}*" if prefix or self.chance(0.5) else "*", f"{prefix}store_id",
                   f"{prefix}{columns[-1]},~{prefix}{table.fk[0] if table.fk else columns[0]}", f"upper({prefix}{columns[-1]}::text)~AS~up",
                   f"{prefix}store_id::text || 'ä', 1", "NULL"]
        return f"~RETURNING~{self.rng.choice(choices)}"

    def done(self, shape, text, values=None, **more):
        """The statement, with the parameters that the text has in the end."""
        params = values.params if values else []
        used = sorted({int(number) for number in _PARAMETER.findall(text)}) if params else []
        if len(used) < len(params):
            text = _PARAMETER.sub(lambda found: f"${used.index(int(found[1])) + 1}", text)
        return Statement(shape, finish(self.rng, text), [params[number - 1] for number in used], **more)

    # INSERT

    def insert_values(self, extended=False, table=None, conflict=False):
        table = table or self.child()
        values = Values(self.rng, extended, not conflict)
        key = self.key_given(table, values)
        columns = self.columns_of(table, key)
        overriding, shape = "", "insert values"
        if table.identity == "always" and self.chance(0.3):
            key = [values.spell("bigint", self.new_key(table)[0])]
            columns, overriding = ['"Id"', *columns], "~OVERRIDING~SYSTEM~VALUE"
        elif table.identity == "by default" and self.chance(0.3):
            overriding = f"~OVERRIDING~{self.rng.choice(['USER', 'SYSTEM'])}~VALUE"
        head = f"~({',~'.join(columns)})"
        if self.chance(0.12) and table.identity != "always":
            columns = [name for name, _ in table.columns][:self.rng.randint(len(table.key) + len(table.fk), len(table.columns))]
            key, head, shape = None, "", "insert values without columns"
        rows = []
        for number in range(self.rng.choice([1, 1, 1, 1, 2, 3, 5])):
            if number and key:
                key = [values.spell(kind, part) for kind, part in zip(table.key_types, self.new_key(table))]
            rows.append("(" + ",~".join(self.row(table, columns, values, key)) + ")")
        alias = "t" if self.chance(0.2) else ""
        target = self.name(table) + (f"~AS~{alias}" if alias else "")
        if table.identity == "always" and any("DEFAULT" in row for row in rows) and len(rows) > 1:
            shape = "insert values with defaults"
        tail = ""
        if conflict:
            tail, shape = self.conflict(table, alias or table.name, values), "on conflict"
        return self.done(shape, f"INSERT~INTO~{target}{head}{overriding}~VALUES~{',~'.join(rows)}{tail}{self.returning(table, alias or table.name)}", values)

    def insert_tenant_given(self, extended=False):
        """The application names the tenant itself: nothing is added."""
        table = self.child()
        values = Values(self.rng, extended)
        n = self.rng.randint(1, SEEDED)
        fk = {column: values.spell(table.type_of(column), value) for column, value in
              zip(table.fk, self.seeds.key(TABLES[table.parent], n))}
        key = self.key_given(table, values)
        columns = self.columns_of(table, key)
        cells = self.row(table, columns, values, key, fk) + [f"'{Values.quoted(self.seeds.tenant(n))}'"]
        return self.done("insert with its tenant", f"INSERT~INTO~{self.name(table)}~({names([*columns, 'store_id'])})~VALUES~({names(cells)})"
                         f"{self.returning(table)}", values)

    def default_values(self, extended=False):
        table = self.child("line_items", "parcels", "books", "cart_rows", '"Depots"', "notes")
        return self.done("default values", f"INSERT~INTO~{self.name(table)}~DEFAULT~VALUES{self.returning(table)}")

    def insert_parent(self, extended=False, table=None):
        """A row of a table that has the tenant column from the start, and says it."""
        table = table or TABLES[self.rng.choice(["orders", "shelves", "carts", "regions"])]
        values = Values(self.rng, extended)
        key = [values.spell(kind, part, True) for kind, part in zip(table.key_types, self.new_key(table))]
        tenant = self.seeds.tenant(self.rng.randint(1, 6))
        columns = [*table.key, "store_id", table.columns[-1][0]]
        cells = [*key, f"'{Values.quoted(tenant)}'", values.spell(table.columns[-1][1], self.plain_value(table, columns[-1]), True)]
        return self.done("insert of a parent", f"INSERT~INTO~{self.name(table)}~({names(columns)})~VALUES~({names(cells)}){self.returning(table)}", values)

    def insert_select(self, extended=False, conflict=False):
        """From the parent, from a list, from the table itself: plain, grouped, DISTINCT, set operations, LIMIT."""
        table = self.child()
        parent = TABLES[table.parent]
        values = Values(self.rng, extended, declared=True)
        keys = [self.existing_key(parent) for _ in range(3)]
        last = table.columns[-1][0]
        fk, pk = names(table.fk), [f"p.{column}" for column in parent.key]
        where = f"p.{parent.key[0]}~IN~({',~'.join(values.spell(parent.key_types[0], key[0], True) for key in keys)})"
        if len(parent.key) > 1:
            where += f"~AND~p.{parent.key[1]}~=~{values.spell(parent.key_types[1], keys[0][1], True)}"
        order = f"~ORDER~BY~{names(pk)}"
        filler = self.rng.choice(["NULL", "'7'", "7"]) if table.type_of(last) == "smallint" else "'lit'"
        if any(last in over for _, over, _, _ in table.unique):
            filler = f"'lit {self.next} ' ||~p.{parent.key[0]}"
        form = self.rng.choice(["plain", "plain", "grouped", "distinct", "union", "limit", "literals", "values", "own", "star", "cte"])
        head = f"INSERT~INTO~{self.name(table)}"
        if form == "grouped":
            body = f"({fk})~SELECT~{names(pk)}~FROM~{parent.name}~p~WHERE~{where}~GROUP~BY~{names(pk)}~HAVING~count(*) > 0{order}"
        elif form == "distinct":
            body = f"({fk},~{last})~SELECT~DISTINCT~{names(pk)},~{filler}~FROM~{parent.name}~p{'' if self.distributed else ',~stores~s'}~WHERE~{where}{order}"
        elif form == "union":
            cells = names(values.spell(kind, part, True) for kind, part in zip((table.type_of(column) for column in table.fk), keys[1]))
            body = (f"({fk})~SELECT~{names(pk)}~FROM~{parent.name}~p~WHERE~{where}~UNION{self.rng.choice(['', '~ALL'])}~SELECT~{cells}"
                    f"~ORDER~BY~{names(str(n + 1) for n in range(len(pk)))}")
        elif form == "limit":
            body = f"({last},~{fk})~SELECT~{filler},~{names(pk)}~FROM~{parent.name}~p~WHERE~{where}{order}~LIMIT~{self.rng.randint(0, 3)}~OFFSET~0"
        elif form == "literals":
            filler = "'lit'" if filler.startswith("'") else filler
            body = f"({fk},~{last})~SELECT~{names(self.spelled_fk(table, values).values())},~{filler}"
        elif form == "values":
            rows = ",~".join("(" + names(values.spell(table.type_of(column), part, True) for column, part in zip(table.fk, key)) + ")"
                             for key in (*keys, self.parent_key(table)))
            kinds = names(f"v.c{n}::{table.type_of(column)}" for n, column in enumerate(table.fk))
            body = f"({fk})~SELECT~{kinds}~FROM~(VALUES~{rows})~v({names(f'c{n}' for n in range(len(table.fk)))})"
        elif form == "own":
            filler = filler.replace("p.", "").replace(parent.key[0], table.fk[0]) if "||" in filler else filler
            body = f"({last},~{fk})~SELECT~{filler},~{fk}~FROM~{table.name}~WHERE~{table.fk[0]}~=~{values.spell(table.type_of(table.fk[0]), keys[0][0], True)}" \
                   f"~ORDER~BY~{table.key[0]}~LIMIT~3"
        elif form == "star":
            source = names(f"{part if part is None else repr(part) if isinstance(part, int) else chr(39) + Values.quoted(part) + chr(39)}::{table.type_of(column)}"
                           f"~AS~{column}" for column, part in zip((*table.key, *table.fk), (*self.new_key(table), *keys[0])))
            body = f"SELECT~*~FROM~(SELECT~{source})~x"
            head += "~OVERRIDING~SYSTEM~VALUE" if table.identity else ""
        elif form == "cte":
            head = f"WITH~picked~AS~(SELECT~{names(pk)}~FROM~{parent.name}~p~WHERE~{where})~{head}"
            body = f"({fk})~SELECT~{names(parent.key)}~FROM~picked~ORDER~BY~{names(parent.key)}"
        else:
            body = f"({last},~{fk})~SELECT~{filler},~{names(pk)}~FROM~{self.name(parent)}~AS~p~WHERE~{where}{order}"
        tail = self.conflict(table, table.name, values) if conflict and form not in ("star",) else ""
        return self.done(f"insert select {form}" if not tail else "insert select on conflict", f"{head}~{body}{tail}{self.returning(table, drawn=True)}", values)

    # ON CONFLICT

    def conflict(self, table, alias, values):
        """A conflict clause of any kind; the target's tenant is in A's text only."""
        tenant = "store_id, " if self.keyed else ""

        def target(over):
            return f"‹({tenant}{over})¦({over})›"

        targets = [target(names(table.key))] * 3
        for name, over, where, constraint in table.unique:
            targets += [target(over) + where] * 2
            if constraint:
                targets.append(f"ON~CONSTRAINT~{name}")
        targets.append(f"ON~CONSTRAINT~{table.stem}_pkey")
        if self.chance(0.15):
            return "~ON~CONFLICT~DO~NOTHING"
        chosen = self.rng.choice(targets)
        if self.chance(0.3):
            return f"~ON~CONFLICT~{chosen}~DO~NOTHING"
        column, kind = self.rng.choice(table.columns[len(table.key) + len(table.fk):])
        sets = [f"{column}~=~excluded.{column}", f"{column}~=~{alias}.{column}", f"{column}~=~{values.spell(kind, self.plain_value(table, column), True)}",
                f"{column}~=~DEFAULT"]
        if "varchar" in kind or kind == "text":
            sets += [f"{column}~=~left((now() > '2000-01-01')::text, 3)", f"({column})~=~ROW(lower(excluded.{column}))"]
        elif kind != "numeric":
            sets += [f"{column}~=~extract(century FROM now())::int + random() * 0"]
        if len(table.fk) == 1 and self.chance(0.2):
            sets = [f"{table.fk[0]}~=~excluded.{table.fk[0]}"]
        where = self.rng.choice(["", "", f"~WHERE~{alias}.{column}~IS~DISTINCT~FROM~excluded.{column}", f"~WHERE~{alias}.{table.key[0]}~IS~NOT~NULL"])
        return f"~ON~CONFLICT~{chosen}~DO~UPDATE~SET~{self.rng.choice(sets)}{where}"

    def on_conflict(self, extended=False):
        """With keys that are there already as often as not."""
        table = self.child()
        if self.chance(0.2):
            return self.insert_select(extended, True)
        if self.chance(0.3):
            return self.insert_values(extended, table, True)
        values = Values(self.rng, extended, False)
        n = self.rng.randint(1, SEEDED)
        fk = self.seeds.key(TABLES[table.parent], n)
        columns = [*table.key, *table.fk, *(name for name, _ in table.columns[len(table.key) + len(table.fk):])]
        cells = [values.spell(kind, part, True) for kind, part in zip(table.key_types, self.seeds.key(table, n))]
        cells += [values.spell(table.type_of(column), part) for column, part in zip(table.fk, fk)]
        cells += [values.spell(table.type_of(column), self.plain_value(table, column), True) for column in columns[len(cells):]]
        overriding = "~OVERRIDING~SYSTEM~VALUE" if table.identity else ""
        return self.done("on conflict", f"INSERT~INTO~{table.name}~({names(columns)}){overriding}~VALUES~({names(cells)})"
                         f"{self.conflict(table, table.name, values)}{self.returning(table)}", values)
