"""The grammar of INSERT: VALUES, DEFAULT VALUES, SELECT, ON CONFLICT."""

from .grammar import Grammar, quoted
from .schema import SEEDED, TABLES, names


class Inserts(Grammar):
    def insert_values(self, extended=False, table=None, conflict=False):
        """One to five rows, with and without a list of columns, an alias, OVERRIDING."""
        table = table or self.child()
        values = self.values(extended, not conflict)
        key = self.own_key(table, values)
        columns, overriding, shape = self.columns_of(table, key), "", "insert values"
        if table.identity == "always" and (self.explicit_keys or self.chance(0.3)):
            key = self.key_cells(table, self.new_key(table), values)
            columns, overriding = [*table.key, *columns], "~OVERRIDING~SYSTEM~VALUE"
        elif table.identity == "by default" and not self.explicit_keys and self.chance(0.3):
            overriding = f"~OVERRIDING~{self.pick(['USER', 'SYSTEM'])}~VALUE"
        head = f"~({',~'.join(columns)})"
        if self.chance(0.12) and table.identity != "always":
            count = self.rng.randint(len(table.key) + len(table.fk), len(table.columns))
            key, columns, head, shape = None, [name for name, _ in table.columns][:count], "", "insert values without columns"
        rows = []
        for number in range(self.pick([1, 1, 1, 1, 2, 3, 5])):
            if number and key:
                key = self.key_cells(table, self.new_key(table), values)
            rows.append("(" + ",~".join(self.row(table, columns, values, key)) + ")")
        alias, tail = "t" if self.chance(0.2) else "", ""
        seen = alias or table.name
        if conflict:
            tail, shape = self.conflict(table, seen, values), "on conflict"
        return self.done(shape, f"INSERT~INTO~{self.name(table)}{alias and f'~AS~{alias}'}{head}{overriding}~"
                                f"VALUES~{',~'.join(rows)}{tail}{self.returning(table, seen)}", values)

    def insert_tenant_given(self, extended=False):
        """The application names the tenant itself: nothing is added."""
        table = self.child()
        values, n = self.values(extended, True), self.rng.randint(1, SEEDED)
        fk = self.fk_cells(table, self.seeds.key(TABLES[table.parent], n), values)
        key = self.own_key(table, values)
        columns = self.columns_of(table, key)
        cells = [*self.row(table, columns, values, key, fk), quoted(self.seeds.tenant(n))]
        return self.done("insert with its tenant", f"INSERT~INTO~{self.name(table)}~({names([*columns, 'store_id'])})~"
                                                   f"VALUES~({names(cells)}){self.returning(table)}", values)

    def default_values(self, extended=False):
        table = self.child()
        return self.done("default values", f"INSERT~INTO~{self.name(table)}~DEFAULT~VALUES{self.returning(table)}")

    def insert_parent(self, extended=False, table=None):
        """A row of a table that has the tenant column from the start, and says it."""
        table = table or TABLES[self.pick(["orders", "shelves", "carts", "regions"])]
        values, last = self.values(extended, True), table.columns[-1][0]
        cells = [*self.key_cells(table, self.new_key(table), values, True), self.tenant(), self.some_cell(table, last, values)]
        return self.done("insert of a parent", f"INSERT~INTO~{self.name(table)}~({names([*table.key, 'store_id', last])})~"
                                               f"VALUES~({names(cells)}){self.returning(table)}", values)

    # INSERT … SELECT

    _FORMS = ["plain", "plain", "grouped", "distinct", "union", "limit", "literals", "values", "own", "star", "cte"]

    def insert_select(self, extended=False, conflict=False):
        """From the parent, from a list, from the table itself."""
        table, values = self.child(), self.values(extended, declared=True)
        form = self.pick(self._FORMS)
        head, body = f"INSERT~INTO~{self.name(table)}~", self.select_of(form, table, values)
        if form == "star" and table.identity:
            head += "OVERRIDING~SYSTEM~VALUE~"
        if form == "cte":
            head, body = body[0] + head, body[1]
        tail = self.conflict(table, table.name, values) if conflict and form != "star" else ""
        shape = "insert select on conflict" if tail else f"insert select {form}"
        return self.done(shape, f"{head}{body}{tail}{self.returning(table, drawn=True)}", values)

    def filler(self, table, source):
        """An expression for the last column, whose values differ where they must. source: what tells rows apart."""
        last, kind = table.columns[-1]
        if any(last in over for _, over, _, _ in table.unique):
            return f"'lit {self.next} ' ||~{source}" if source else "'lit'"
        return self.pick(["NULL", "'7'", "7"]) if kind == "smallint" else "'lit'"

    def select_of(self, form, table, values):
        """The list of columns and the query; of form cte, (WITH clause, the rest)."""
        parent, last = TABLES[table.parent], table.columns[-1][0]
        keys = [self.existing_key(parent) for _ in range(3)]
        fk, pk = names(table.fk), names(f"p.{column}" for column in parent.key)
        filler = self.filler(table, f"p.{parent.key[0]}")
        listed = names(values.spell(parent.key_types[0], key[0], True) for key in keys)
        source = f"FROM~{parent.name}~p~WHERE~p.{parent.key[0]}~IN~({listed})"
        if len(parent.key) > 1:
            source += f"~AND~p.{parent.key[1]}~=~{values.spell(parent.key_types[1], keys[0][1], True)}"
        if form == "grouped":
            return f"({fk})~SELECT~{pk}~{source}~GROUP~BY~{pk}~HAVING~count(*) > 0~ORDER~BY~{pk}"
        if form == "distinct":
            if not self.distributed:
                source = source.replace("~p~", "~p,~stores~s~", 1)
            return f"({fk},~{last})~SELECT~DISTINCT~{pk},~{filler}~{source}~ORDER~BY~{pk}"
        if form == "union":
            more = names(self.fk_cells(table, keys[1], values, True))
            order = names(str(n + 1) for n in range(len(table.fk)))
            return f"({fk})~SELECT~{pk}~{source}~UNION{self.pick(['', '~ALL'])}~SELECT~{more}~ORDER~BY~{order}"
        if form == "limit":
            return f"({last},~{fk})~SELECT~{filler},~{pk}~{source}~ORDER~BY~{pk}~LIMIT~{self.rng.randint(0, 3)}~OFFSET~0"
        if form == "literals":
            cells = names(self.fk_cells(table, self.parent_key(table), values))
            return f"({fk},~{last})~SELECT~{cells},~{self.filler(table, '')}"
        if form == "values":
            return self.select_of_list(table, [*keys, self.parent_key(table)], values)
        if form == "own":
            key = values.spell(table.type_of(table.fk[0]), keys[0][0], True)
            return (f"({last},~{fk})~SELECT~{self.filler(table, table.fk[0])},~{fk}~FROM~{table.name}~"
                    f"WHERE~{table.fk[0]}~=~{key}~ORDER~BY~{table.key[0]}~LIMIT~3")
        if form == "star":
            cells = zip((*table.key, *table.fk), (*self.new_key(table), *keys[0]))
            row = names(f"{quoted(part)}::{table.type_of(column)}~AS~{column}" for column, part in cells)
            return f"SELECT~*~FROM~(SELECT~{row})~x"
        if form == "cte":
            order = names(parent.key)
            return f"WITH~picked~AS~(SELECT~{pk}~{source})~", f"({fk})~SELECT~{order}~FROM~picked~ORDER~BY~{order}"
        return f"({last},~{fk})~SELECT~{filler},~{pk}~{source}~ORDER~BY~{pk}"

    def select_of_list(self, table, keys, values):
        rows = ",~".join("(" + names(self.fk_cells(table, key, values, True)) + ")" for key in keys)
        columns = [f"c{n}" for n in range(len(table.fk))]
        cells = names(f"v.{name}::{table.type_of(column)}" for name, column in zip(columns, table.fk))
        return f"({names(table.fk)})~SELECT~{cells}~FROM~(VALUES~{rows})~v({names(columns)})"

    # ON CONFLICT

    def target(self, table):
        """A conflict target. Of a composite key only A's text names the tenant."""
        tenant = "store_id, " if self.keyed else ""
        overs = [(names(table.key), "")] * 3 + [(over, where) for _, over, where, _ in table.unique] * 2
        targets = [f"‹({tenant}{over})¦({over})›{where}" for over, where in overs]
        constraints = [f"{table.stem}_pkey"] + [name for name, _, _, constraint in table.unique if constraint]
        return self.pick(targets + [f"ON~CONSTRAINT~{name}" for name in constraints])

    def conflict(self, table, alias, values):
        """A conflict clause of any kind, for rows of a table that is seen as `alias`."""
        if self.chance(0.15):
            return "~ON~CONFLICT~DO~NOTHING"
        target = self.target(table)
        if self.chance(0.3):
            return f"~ON~CONFLICT~{target}~DO~NOTHING"
        column, kind = self.pick(table.columns[len(table.key) + len(table.fk):])
        sets = [f"{column}~=~excluded.{column}", f"{column}~=~{alias}.{column}", f"{column}~=~DEFAULT",
                f"{column}~=~{self.some_cell(table, column, values)}"]
        if kind == "text" or kind.startswith("varchar"):
            sets += [f"{column}~=~left((now() > '2000-01-01')::text, 3)", f"({column})~=~ROW(lower(excluded.{column}))"]
        elif kind != "numeric":
            sets.append(f"{column}~=~extract(century FROM now())::int + random() * 0")
        if len(table.fk) == 1 and table.name != "line_items" and self.chance(0.2):  # whose parcels would not come along
            sets = [f"{table.fk[0]}~=~excluded.{table.fk[0]}"]
        where = self.pick(["", "", f"~WHERE~{alias}.{column}~IS~DISTINCT~FROM~excluded.{column}",
                           f"~WHERE~{alias}.{table.key[0]}~IS~NOT~NULL"])
        return f"~ON~CONFLICT~{target}~DO~UPDATE~SET~{self.pick(sets)}{where}"

    def on_conflict(self, extended=False):
        """With keys that are there already as often as not."""
        table = self.child()
        if self.chance(0.2):
            return self.insert_select(extended, True)
        if self.chance(0.3):
            return self.insert_values(extended, table, True)
        values, n = self.values(extended), self.rng.randint(1, SEEDED)
        columns = [name for name, _ in table.columns]
        cells = self.key_cells(table, self.seeds.key(table, n), values, True)
        cells += self.fk_cells(table, self.seeds.key(TABLES[table.parent], n), values)
        cells += [self.some_cell(table, column, values) for column in columns[len(cells):]]
        overriding = "~OVERRIDING~SYSTEM~VALUE" if table.identity else ""
        return self.done("on conflict", f"INSERT~INTO~{table.name}~({names(columns)}){overriding}~VALUES~({names(cells)})"
                                        f"{self.conflict(table, table.name, values)}{self.returning(table)}", values)
