"""What all shapes of statements are made of: keys that are there or not, rows, names, RETURNING.

Where A needs another text than B, both stand in it as `‹a¦b›`: from stage keyed on, an application that is mended by hand
names the tenant in its conflict targets.
"""

import dataclasses
import re

from .schema import CHILDREN, EXPLICIT_FROM, SEEDED, TABLES
from .values import Values, finish

_CHOICE = re.compile("‹([^¦]*)¦([^›]*)›")
_PARAMETER = re.compile(r"(?<!')\$(\d+)")


@dataclasses.dataclass
class Statement:
    shape: str
    text: str
    params: list = dataclasses.field(default_factory=list)  # (type, value, whether the type is declared)
    copy_data: bytes = None  # what follows a COPY … FROM STDIN

    def for_a(self):
        return _CHOICE.sub(r"\1", self.text)

    def for_b(self):
        return _CHOICE.sub(r"\2", self.text)


def quoted(value):
    return "'" + Values.quoted(value) + "'"


class Grammar:
    """Makes the statements of one block, from its seeds and its random numbers alone."""

    def __init__(self, rng, seeds, stage):
        self.rng = rng
        self.pick = rng.choice
        self.seeds = seeds
        self.keyed = stage != "derive"
        self.resolved = stage in ("resolve", "distributed")
        self.distributed = stage == "distributed"
        self.next = EXPLICIT_FROM
        self.made = {}  # table name → keys that statements before have inserted, or have tried to
        self.touched = set()  # (table name, key) that an UPDATE may have moved to another tenant
        self.explicit_keys = False  # whether every row says its own key
        self.session = None  # the session's tenant, as a number of Seeds.tenant
        self.orphans = True  # whether a row may have no parent, or one that is not there
        self.nulls = 0.03 if self.keyed else 0.08
        self.missing = 0.04

    def chance(self, probability):
        return self.rng.random() < probability

    def values(self, extended, volatile=False, declared=False):
        return Values(self.rng, extended, volatile, declared)

    # Keys

    def new_key(self, table):
        self.next += 1
        key = self.seeds.key(table, self.next)
        self.made.setdefault(table.name, []).append(key)
        return key

    def existing_key(self, table):
        made = self.made.get(table.name)
        if made and self.orphans and self.chance(0.3):
            return self.pick(made[-8:])
        return self.seeds.key(table, self.rng.randint(1, SEEDED))

    def parent_key(self, table):
        """Values of a child's foreign key: of a parent that is there, of none, or NULL."""
        parent, none = TABLES[table.parent], (None,) * len(table.fk)
        if self.session is not None:
            # A sub-select on the parent says nothing of the session: before resolve a row without parent has no key at all.
            if self.resolved and self.chance(0.5):
                return none
            return self.pick(self.keys_of_session(parent) or [self.seeds.key(parent, 900)])
        if self.orphans and self.chance(self.nulls):
            return none
        if self.orphans and self.chance(self.missing):
            return self.seeds.key(parent, self.rng.randint(900, 920))
        return self.existing_key(parent)

    def keys_of_session(self, parent):
        """Parents of the session's tenant: whether the session or the parent is asked first must not show."""
        tenant = self.seeds.tenant(self.session)
        keys = [self.seeds.key(parent, n) for n in range(1, SEEDED + 1) if self.seeds.tenant(n) == tenant]
        return [key for key in keys if (parent.name, key) not in self.touched]

    # Words

    def child(self, *others):
        """A random child table, of all or of those named."""
        chosen = [TABLES[name] for name in others] or CHILDREN
        if self.session is not None:
            chosen = [table for table in chosen if not TABLES[table.parent].parent]
        return self.pick(chosen)

    def name(self, table):
        spelling = table.name
        if self.chance(0.15) and not spelling.startswith('"'):
            spelling = f'"{spelling}"' if self.chance(0.5) else spelling.upper()
        return f"public.{spelling}" if self.chance(0.15) else spelling

    def tenant(self):
        """Any tenant, as a literal."""
        return quoted(self.seeds.tenant(self.rng.randint(1, 6)))

    def where(self, table, values, alias="", key=None):
        """The row with that key, or with any: a seeded one, or one that may have been made."""
        key = key or self.existing_key(table)
        self.touched.add((table.name, key))
        prefix = f"{alias}." if alias else ""
        return "~AND~".join(f"{prefix}{column}~=~{values.spell(kind, part, True)}"
                            for column, kind, part in zip(table.key, table.key_types, key))

    def returning(self, table, alias="", drawn=False):
        """A RETURNING clause or none. `drawn`: several rows may draw ids from a sequence, on Citus in any order."""
        if self.chance(0.4):
            return ""
        dot = f"{alias}." if alias and self.chance(0.5) else ""
        last = table.columns[-1][0]
        if drawn and self.distributed:
            return f"~RETURNING~{dot}store_id"
        return "~RETURNING~" + self.pick([
            f"{dot}{table.key[0]}", f"{dot}*", f"{dot}store_id", "NULL", f"{dot}store_id::text || 'ä', 1",
            f"{dot}{last},~{dot}{table.fk[0] if table.fk else table.key[0]}", f"upper({dot}{last}::text)~AS~up"])

    def done(self, shape, text, values=None, **more):
        """The statement, with the parameters that the text has in the end."""
        params = values.params if values else []
        used = sorted({int(number) for number in _PARAMETER.findall(text)}) if params else []
        if len(used) < len(params):
            text = _PARAMETER.sub(lambda found: f"${used.index(int(found[1])) + 1}", text)
        return Statement(shape, finish(self.rng, text), [params[number - 1] for number in used], **more)

    # Rows

    def some_value(self, table, column):
        """A value for a column that is in no key but perhaps a unique one."""
        kind = table.type_of(column)
        if self.chance(0.1):
            return None
        if column in ("label", "tag", "title"):
            return f"{column[0]}ä {self.rng.randint(1, 400)}" if self.chance(0.9) else f"Seed {self.rng.randint(1, SEEDED)}"
        if kind == "text" or kind.startswith("varchar"):
            return self.pick(["new", "it's", "ü€", "", "a;b", "x -- y", "$1", "/*"])
        if kind.startswith("numeric"):
            return self.pick(["1.5", "20", "-3.25", "100"])
        return str(self.rng.randint(0, 50))

    def some_cell(self, table, column, values):
        return values.spell(table.type_of(column), self.some_value(table, column), True)

    @staticmethod
    def key_cells(table, key, values, plain=False):
        return [values.spell(kind, part, plain) for kind, part in zip(table.key_types, key)]

    def fk_cells(self, table, key, values, plain=False):
        plain = plain or self.session is not None  # a computed key makes a join of the row, in which the session has no say
        return [values.spell(table.type_of(column), part, plain) for column, part in zip(table.fk, key)]

    def own_key(self, table, values):
        """The cells of a new key where a row of `table` should say it, else None."""
        needed = not table.serial or (table.identity != "always" and (self.explicit_keys or self.chance(0.4)))
        return self.key_cells(table, self.new_key(table), values) if needed else None

    def columns_of(self, table, key):
        """Columns that an INSERT lists, in random order."""
        rest = [name for name, _ in table.columns if name not in table.key and name not in table.fk]
        fk = table.fk if not self.orphans or self.chance(0.97 if self.session is None else 0.5) else table.fk[:-1]
        columns = [*(table.key if key else ()), *fk, *(name for name in rest if self.chance(0.6))] or rest[:1]
        if self.chance(0.7):
            self.rng.shuffle(columns)
        return columns

    def row(self, table, columns, values, key=None, fk=None):
        """One row's cells for the given columns; key and fk are cells, made up where they are None."""
        given = dict(zip(table.key, key or []))
        given.update(zip(table.fk, fk or self.fk_cells(table, self.parent_key(table), values)))
        cells = []
        for column in columns:
            if column in given:
                cells.append(given[column])
            elif column in table.key:
                cells.append(values.spell(table.type_of(column), self.new_key(table)[table.key.index(column)]))
            else:
                cells.append("DEFAULT" if self.chance(0.06) else self.some_cell(table, column, values))
        return cells
