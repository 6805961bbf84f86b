"""Random SELECT, UPDATE, DELETE and MERGE over the tables of schema.py: joins of all kinds, mostly on keys."""

import dataclasses

from .schema import TABLES

COLUMNS_PER_ITEM = 2


@dataclasses.dataclass
class Item:
    """Something in FROM: its name, and its columns by what they are, (table, column) or None, under their own names."""

    name: str
    columns: dict

    def find(self, table, column):
        """How a column is written; None if it is not there."""
        for name, origin in self.columns.items():
            if origin == (table, column):
                return f"{self.name}.{name}"
        return None

    def tenants(self):
        return [f"{self.name}.{name}" for name, origin in self.columns.items() if origin and origin[1] == "store_id"]


class Grammar:
    """With `bare`, the statements do not name the store, and leave no table that a filter cannot be added to."""

    def __init__(self, rng, bare=False):
        self.rng, self.tenants, self.bare = rng, not bare, bare
        self.names = 0
        self.ctes = []

    def chance(self, share):
        return self.rng.random() < share

    def statement(self):
        """(text, the table that it changes or None)"""
        self.names, self.ctes = 0, []
        pick = self.rng.random()
        if pick < 0.06:
            return self.delete()
        if pick < 0.14:
            return self.update()
        if pick < 0.16 and not self.bare:
            return self.merge()
        if pick < 0.24:
            return f"{self.select()} {self.rng.choice(('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'))} {self.select()}", None
        if pick < 0.34:
            return self.with_select(), None
        return self.select(star=True, tail=True), None

    # Names and items

    def name(self):
        self.names += 1
        return self.rng.choice((f"t{self.names}", f"t{self.names}", f't{self.names}', f'"T {self.names}"'))

    def table_item(self, taken=()):
        table = TABLES[self.rng.choice([*TABLES, "accounts", "entries", "entries", "tags"])]
        columns = {column: (table.name, column) for column in table.columns}
        if self.chance(0.12) and table.name not in taken:
            schema = "public." if self.chance(0.3) else ""
            return f"{schema}{table.name}", Item(table.name, columns)
        name = self.name()
        if self.chance(0.05):
            renamed = {f"c{n}": (table.name, column) for n, column in enumerate(table.columns)}
            return f"{table.name} AS {name}({', '.join(renamed)})", Item(name, renamed)
        return f"{table.name}{self.rng.choice((' ', ' AS '))}{name}", Item(name, columns)

    def derived_item(self, outer=(), depth=1):
        source, items = self.source(self.rng.choice((1, 1, 2)), depth + 1)
        names, columns = [], {}
        for item in items:
            for name, origin in self.rng.sample(list(item.columns.items()), min(3, len(item.columns))):
                self.names += 1
                columns[f"d{self.names}"] = origin
                names.append(f"{item.name}.{name} AS d{self.names}")
            if self.chance(0.6):
                for tenant in item.tenants()[:1]:
                    self.names += 1
                    columns[f"d{self.names}"] = item.columns[tenant.split(".")[-1]]
                    names.append(f"{tenant} AS d{self.names}")
        where = self.where([*items], depth + 1, outer)
        tail = ""
        if self.chance(0.15):
            tail = f" ORDER BY {', '.join(str(n + 1) for n in range(len(names)))} LIMIT {self.rng.randrange(1, 8)}"
        distinct = "DISTINCT " if self.chance(0.15) else ""
        name = self.name()
        return f"(SELECT {distinct}{', '.join(names)} FROM {source}{where}{tail}) {name}", Item(name, columns)

    def item(self, taken, depth):
        if self.ctes and self.chance(0.5):
            cte = self.rng.choice(self.ctes)
            name = self.name()
            return f"{cte.name} {name}", Item(name, cte.columns)
        if depth < 3 and self.chance(0.1):
            return self.derived_item(depth=depth)
        return self.table_item(taken)

    # Conditions

    @staticmethod
    def links(left, right):
        """The pairs of columns of a foreign key, of a key with itself, or of two children of one parent."""
        found = []
        for a in left:
            for name, origin in a.columns.items():
                for b in right:
                    for other, of in b.columns.items():
                        if origin and of and _row_of(origin) == _row_of(of) and _row_of(origin):
                            found.append((f"{a.name}.{name}", f"{b.name}.{other}"))
        return found

    def link(self, left, right):
        """A condition of a join."""
        links = self.links(left, right)
        if not links or self.chance(0.08):
            a, b = (self.rng.choice([f"{item.name}.{name}" for item in side for name, origin in item.columns.items()
                                     if origin and origin[1] == "n"] or ["1"]) for side in (left, right))
            return f"{a} = {b}"
        a, b = self.rng.choice(links)
        parts = [f"{a} = {b}" if self.chance(0.5) else f"{b} = {a}"]
        if len(links) > 1 and self.chance(0.1):
            a, b = self.rng.choice(links)
            parts.append(f"{a} = {b}")
        if self.tenants and self.chance(0.2):
            tenants = [tenant for side in (left, right) for tenant in [t for item in side for t in item.tenants()][:1]]
            if len(tenants) == 2:
                parts.append(" = ".join(tenants))
        if self.chance(0.25):
            parts.append(self.comparison([*left, *right]))
        text = " AND ".join(parts)
        return f"{text} OR {self.comparison([*left, *right])}" if self.chance(0.05) else text

    def comparison(self, items):
        item = self.rng.choice(items)
        name, origin = self.rng.choice(list(item.columns.items()))
        column = f"{item.name}.{name}"
        if self.tenants and self.chance(0.2) and item.tenants():
            return f"{item.tenants()[0]} {self.rng.choice(('=', '=', '=', '<>', '>'))} {self.rng.randrange(1, 5)}"
        if not origin or self.chance(0.3):
            return f"{column} IS {self.rng.choice(('', 'NOT '))}NULL"
        if origin[1] == "n":
            return f"{column} {self.rng.choice(('=', '<', '<>', '>='))} {self.rng.randrange(4)}"
        if origin[1] == "s":
            return f"{column} {self.rng.choice(('=', '<>', 'LIKE'))} '{self.rng.choice('abc')}'"
        if origin[1] == "store_id" or (TABLES[origin[0]].kind == "uuid" or origin[1] == "document"):
            return f"{column} IS NOT NULL"
        return f"{column} {self.rng.choice(('<', '>', '<>', '='))} {self.rng.randrange(1, 12)}"

    def subquery(self, items, depth):
        """One that is correlated by a key, and its select list's column."""
        text, inner = self.table_item([item.name for item in items])
        links = self.links([inner], items)
        condition = " = ".join(self.rng.choice(links)) if links else self.comparison([inner])
        if self.chance(0.3):
            condition += f" {self.rng.choice(('AND', 'AND', 'OR'))} {self.comparison([inner])}"
        if depth < 3 and self.chance(0.1):
            condition += f" AND {self.exists([inner], depth + 1)}"
        return f"FROM {text} WHERE {condition}", inner

    def exists(self, items, depth):
        body, _ = self.subquery(items, depth)
        return f"{self.rng.choice(('', '', 'NOT '))}EXISTS (SELECT 1 {body})"

    def within(self, items):
        text, inner = self.table_item([item.name for item in items])
        links = self.links(items, [inner])
        if not links:
            return self.comparison(items)
        outer, column = self.rng.choice(links)
        where = f" WHERE {self.comparison([inner])}" if self.chance(0.6) else ""
        return f"{outer} {self.rng.choice(('', '', '', 'NOT '))}IN (SELECT {column} FROM {text}{where})"

    def scalar(self, items, depth):
        body, inner = self.subquery(items, depth)
        name = self.rng.choice(list(inner.columns))
        return f"(SELECT {self.rng.choice(('count(*)', f'count({inner.name}.{name})', f'max({inner.name}.{name}::text)'))} {body})"

    def condition(self, items, depth):
        pick = self.rng.random()
        if depth < 3 and pick < 0.2:
            return self.exists(items, depth)
        if depth < 3 and pick < 0.32:
            return self.within(items)
        if depth < 3 and pick < 0.36:
            return f"{self.scalar(items, depth)} IS NOT NULL"
        if len(items) > 1 and pick < 0.5:
            left = self.rng.choice(items)
            return self.link([left], [item for item in items if item is not left])
        if pick < 0.55:
            return f"NOT ({self.comparison(items)})"
        return self.comparison(items)

    def where(self, items, depth=0, outer=(), wanted=0.7):
        if not self.chance(wanted):
            return ""
        text = self.condition(items, depth)
        while self.chance(0.35):
            text += f" {self.rng.choice(('AND', 'AND', 'OR'))} {self.condition(items, depth)}"
        comment = self.rng.choice(("", "", "", " -- why\n", " /* WHERE */"))
        return f" WHERE {text}{comment}"

    # FROM

    def joined(self, left, right, text, other):
        kind = self.rng.choice(("JOIN", "JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN"))
        if self.bare and kind == "FULL JOIN":
            kind = "JOIN"
        if len(left) == 1 and len(right) == 1 and self.chance(0.12) and not (self.bare and "JOIN" != kind):
            common = [name for name, origin in left[0].columns.items()
                      if origin and origin[1] != "store_id" and _row_of(origin) and
                      _row_of(right[0].columns.get(name) or (None, None)) == _row_of(origin)]
            if common:
                return f"{text} {kind} {other} USING ({common[0]})"
        condition = self.link(left, right)
        if kind == "FULL JOIN" and " OR " in condition:
            kind = "JOIN"
        return f"{text} {kind} {other} ON {condition}"

    def source(self, n, depth=0):
        """FROM's list: (text, items)"""
        text, first = self.item([], depth)
        items = [first]
        for _ in range(n - 1):
            taken = [item.name for item in items]
            if depth == 0 and self.chance(0.08):
                body, inner = self.subquery(items, 2)
                name = self.name()
                columns = list(inner.columns)
                text += (f", LATERAL (SELECT {', '.join(f'{inner.name}.{column}' for column in columns)} {body} "
                         f"ORDER BY {', '.join(str(k + 1) for k in range(len(columns)))} LIMIT 3) {name}")
                items.append(Item(name, inner.columns))
                continue
            if n > 2 and self.chance(0.15):
                other, more = self.item(taken, depth)
                third, last = self.item([*taken, more.name], depth)
                inner = self.joined([more], [last], other, third)
                text = self.joined(items, [more, last], text, f"({inner})")
                items += [more, last]
                continue
            other, more = self.item(taken, depth)
            if self.chance(0.12):
                text += f", {other}"
            else:
                text = self.joined(items[-1:] if ", " in text else items, [more], text, other)
            items.append(more)
        return text, items

    # Statements

    def select(self, star=False, tail=False):
        source, items = self.source(self.rng.choice((1, 2, 2, 2, 3, 3, 4)))
        where = self.where(items)
        shapes = [f"{item.name}.{name}" for item in items for name in item.columns]
        listed = self.rng.sample(shapes, min(len(shapes), COLUMNS_PER_ITEM)) if len(shapes) > 1 else shapes * 2
        if star and self.chance(0.12):
            grouped = ", ".join(listed)
            return (f"SELECT {grouped}, count(*), max({self.rng.choice(shapes)}::text) FROM {source}{where} GROUP BY {grouped}"
                    f"{' HAVING count(*) > 1' if self.chance(0.3) else ''}")
        if star and self.chance(0.2):
            return f"SELECT * FROM {source}{where}"
        if star and self.chance(0.2):
            listed.append(self.scalar(items, 1))
        if not star:
            listed = [f"{column}::text" for column in listed]
        text = f"SELECT {'DISTINCT ' if self.chance(0.1) else ''}{', '.join(listed)} FROM {source}{where}"
        if tail and self.chance(0.15):
            text += f" ORDER BY {', '.join(str(n + 1) for n in range(len(listed)))} LIMIT {self.rng.randrange(1, 9)}"
        return text

    def with_select(self):
        for _ in range(self.rng.choice((1, 1, 2))):
            body, item = self.derived_item(depth=2)
            name = f"w{len(self.ctes)}"
            kept = self.rng.choice(("", "", "MATERIALIZED ", "NOT MATERIALIZED "))
            self.ctes.append(Item(name, item.columns))
            self.ctes[-1].body = f"{name} AS {kept}{body[:body.rindex(')') + 1]}"
        bodies = ", ".join(cte.body for cte in self.ctes)
        return f"WITH {bodies} {self.select(tail=True, star=True)}"

    def update(self):
        text, target = self.table_item()
        table = next(iter(target.columns.values()))[0]
        if "(" in text:
            text, target = table, Item(table, {column: (table, column) for column in TABLES[table].columns})
        value = self.scalar([target], 1).replace("max", "count") if self.chance(0.3) else str(self.rng.randrange(9))
        if self.chance(0.5):
            source, items = self.source(self.rng.choice((1, 1, 2)), 1)
            links = self.links([target], items)
            join = " = ".join(self.rng.choice(links)) if links else self.comparison(items)
            extra = f" AND {self.condition([target, *items], 2)}" if self.chance(0.5) else ""
            return f"UPDATE {text} SET n = {value} FROM {source} WHERE {join}{extra}", table
        return f"UPDATE {text} SET n = {value}{self.where([target], 1)}", table

    def delete(self):
        table = TABLES[self.rng.choice(("tags", "pages", "memos"))]  # nothing refers to them
        name = self.name()
        target = Item(name, {column: (table.name, column) for column in table.columns})
        if self.chance(0.5):
            source, items = self.source(self.rng.choice((1, 1, 2)), 1)
            links = self.links([target], items)
            join = " = ".join(self.rng.choice(links)) if links else self.comparison(items)
            extra = f" AND {self.condition([target, *items], 2)}" if self.chance(0.5) else ""
            return f"DELETE FROM {table.name} {name} USING {source} WHERE {join}{extra}", table.name
        return f"DELETE FROM {table.name} AS {name}{self.where([target], 1)}", table.name

    def merge(self):
        text, source = self.table_item()
        table = TABLES["accounts"]
        target = Item("target", {column: (table.name, column) for column in table.columns})
        links = self.links([target], [source])
        condition = " = ".join(self.rng.choice(links)) if links else "false"
        return (f"MERGE INTO accounts target USING {text} ON {condition}{' OR false' if self.chance(0.2) else ''} "
                "WHEN MATCHED THEN UPDATE SET n = 7"), "accounts"


def _row_of(origin):
    """The table whose row a key column means; None for other columns."""
    table, column = origin
    if table not in TABLES:
        return None
    return table if TABLES[table].key == column else TABLES[table].parent_of(column)
