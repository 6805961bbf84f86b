"""The grammar's other half: chains of WITH, MERGE, UPDATE, DELETE, COPY and reads. See statements.py."""

import struct

from .schema import SEEDED, TABLES, names
from .statements import Grammar
from .values import Values, encode


class Changes(Grammar):
    """All shapes of single statements."""

    # WITH chains

    def chain(self, extended=False):
        """Parent and child in one statement, the child fed by what the parent returns; or three levels."""
        values = Values(self.rng, extended, False)
        tenant = Values.quoted(self.seeds.tenant(self.rng.randint(1, 6)))
        form = self.rng.choice(["serial", "serial", "key", "three", "two parents", "text", "update"])
        given = f"{self.new_key(TABLES['orders'])[0]},~" if self.explicit_keys else ""
        column = "order_id,~" if given else ""
        order = f"o~AS~(INSERT~INTO~orders~({column}store_id,~status)~VALUES~({given}'{tenant}',~{values.spell('text', 'chained', True)})~RETURNING~order_id)"
        if form == "three":
            text = (f"WITH~{order},~l~AS~(INSERT~INTO~line_items~(order_id,~quantity)~SELECT~order_id,~2~FROM~o~RETURNING~line_item_id)~"
                    f"INSERT~INTO~parcels~(line_item_id,~weight)~SELECT~line_item_id,~1.5~FROM~l{self.returning(TABLES['parcels'])}")
        elif form == "two parents":
            text = (f"WITH~o~AS~(INSERT~INTO~orders~(store_id,~status)~VALUES~('{tenant}',~'a'),~('{Values.quoted(self.seeds.tenant(2))}',~'b')~RETURNING~*)~"
                    f"INSERT~INTO~line_items~(quantity,~order_id)~SELECT~1,~o.order_id~FROM~o~ORDER~BY~o.order_id{self.returning(TABLES['line_items'], drawn=True)}")
        elif form == "text":
            code = Values.quoted(self.new_key(TABLES["shelves"])[0])
            text = (f"WITH~s~AS~(INSERT~INTO~shelves~(code,~store_id)~VALUES~('{code}',~'{tenant}')~RETURNING~code)~"
                    f"INSERT~INTO~books~(code,~title)~SELECT~code,~'t' || code~FROM~s{self.returning(TABLES['books'])}")
        elif form == "key":
            key = self.new_key(TABLES["orders"])[0]
            # A's trigger cannot see a parent that the same statement inserts without feeding the child.
            text = (f"WITH~o~AS~(INSERT~INTO~orders~(order_id,~store_id)~VALUES~({key},~'{tenant}'))~INSERT~INTO~line_items~(order_id,~quantity"
                    f"‹, store_id¦›)~VALUES~({key},~3‹, '{tenant}'¦›)~RETURNING~order_id,~store_id")
        elif form == "update":
            key = self.existing_key(TABLES["orders"])[0]
            text = (f"WITH~o~AS~(UPDATE~orders~SET~status~=~'x'~WHERE~order_id~=~{values.spell('bigint', key, True)}~RETURNING~order_id)~"
                    f"INSERT~INTO~notes~(order_no,~body)~SELECT~order_id,~'n'~FROM~o{self.returning(TABLES['notes'])}")
        else:
            text = f"WITH~{order}~INSERT~INTO~line_items~(order_id)~SELECT~order_id~FROM~o{self.returning(TABLES['line_items'])}"
        return self.done(f"chain {form}", text, values)

    # MERGE

    def merge(self, extended=False):
        table = self.child("line_items", "books", "cart_rows", "notes", "parcels")
        parent = TABLES[table.parent]
        values = Values(self.rng, extended, False, True)
        last, kind = table.columns[-1]
        fresh = self.chance(0.8)
        key = self.new_key(table)[0] if fresh else self.existing_key(table)[0]
        fk = self.existing_key(parent)[0]
        fk_kind = table.type_of(table.fk[0])
        filler = self.plain_value(table, last)
        if self.chance(0.5):
            source = f"(SELECT~{values.spell('bigint', key, True)}::bigint~AS~id,~{values.spell(fk_kind, fk, True)}::{fk_kind}~AS~fk)~s"
            on, parent_of = f"t.{table.key[0]}~=~s.id", "s.fk"
            insert = f"({table.key[0]},~{table.fk[0]})~VALUES~(s.id,~{parent_of})"
        else:
            source = f"{parent.name}~s"
            on = f"t.{table.fk[0]}~=~s.{parent.key[0]}~AND~t.{table.key[0]}~=~{values.spell('bigint', key, True)}"
            insert = f"({table.key[0]},~{table.fk[0]},~{last})~VALUES~({values.spell('bigint', key, True)},~s.{parent.key[0]},~{values.spell(kind, filler, True)})"
            insert = insert if self.chance(0.8) else f"({table.fk[0]})~VALUES~(s.{parent.key[0]})"
        guard = f"~AND~s.{parent.key[0]}~=~{values.spell(parent.key_types[0], fk, True)}" if source.startswith(parent.name) else ""
        overriding = "~OVERRIDING~SYSTEM~VALUE" if table.identity and self.chance(0.3) else ""
        insert = insert.replace(")~VALUES", f"){overriding}~VALUES", 1)
        matched = self.rng.choice([f"~WHEN~MATCHED~THEN~UPDATE~SET~{last}~=~{values.spell(kind, filler, True)}", "~WHEN~MATCHED~THEN~DO~NOTHING",
                                   "~WHEN~MATCHED~THEN~DELETE", ""])
        text = f"MERGE~INTO~{self.name(table)}~t~USING~{source}~ON~{on}{matched}~WHEN~NOT~MATCHED{guard}~THEN~INSERT~{insert}"
        return self.done("merge", text, values)

    # UPDATE, DELETE

    def where_seed(self, table, values, alias=""):
        key = self.existing_key(table)
        prefix = f"{alias}." if alias else ""
        return "~AND~".join(f"{prefix}{column}~=~{values.spell(kind, part, True)}" for column, kind, part in zip(table.key, table.key_types, key))

    def update_plain(self, extended=False):
        table = self.child()
        values = Values(self.rng, extended, False)
        column, kind = table.columns[-1]
        text = f"UPDATE~{self.name(table)}~SET~{column}~=~{values.spell(kind, self.plain_value(table, column), True)}~WHERE~{self.where_seed(table, values)}"
        return self.done("update", text + self.returning(table), values)

    def update_fk(self, extended=False):
        """The foreign key changes, and the tenant with it."""
        table = self.child()
        values = Values(self.rng, extended)
        new = self.parent_key(table)
        cells = [values.spell(table.type_of(column), part) for column, part in zip(table.fk, new)]
        form = self.rng.choice(["plain", "plain", "alias", "row", "from", "select"])
        parent = TABLES[table.parent]
        if form == "alias":
            sets = ",~".join(f"{column}~=~{cell}" for column, cell in zip(table.fk, cells))
            text = f"UPDATE~{self.name(table)}~AS~t~SET~{sets}~WHERE~{self.where_seed(table, values, 't')}{self.returning(table, 't')}"
        elif form == "row":
            text = f"UPDATE~{self.name(table)}~SET~({names(table.fk)})~=~ROW({names(cells)})~WHERE~{self.where_seed(table, values)}{self.returning(table)}"
        elif form == "from":
            values = Values(self.rng, extended)
            sets = ",~".join(f"{column}~=~p.{key}" for column, key in zip(table.fk, parent.key))
            text = f"UPDATE~{self.name(table)}~t~SET~{sets}~FROM~{parent.name}~p~WHERE~{self.where_seed(parent, values, 'p')}~AND~{self.where_seed(table, values, 't')}"
        elif form == "select":
            values = Values(self.rng, extended)
            text = (f"UPDATE~{self.name(table)}~SET~({names(table.fk)})~=~(SELECT~{names(parent.key)}~FROM~{parent.name}~WHERE~"
                    f"{self.where_seed(parent, values)})~WHERE~{self.where_seed(table, values)}")
        else:
            sets = ",~".join(f"{column}~=~{cell}" for column, cell in zip(table.fk, cells))
            text = f"UPDATE~{self.name(table)}~SET~{sets}~WHERE~{self.where_seed(table, values)}{self.returning(table)}"
        return self.done(f"update of the foreign key {form}", text, values)

    def update_tenant_itself(self, extended=False):
        """The tenant is set to what it is."""
        table = TABLES[self.rng.choice(list(TABLES))]
        values = Values(self.rng, extended, False)
        n = self.rng.randint(1, SEEDED)
        if self.chance(0.6):
            return self.done("update of the tenant to itself", f"UPDATE~{self.name(table)}~SET~store_id~=~store_id~WHERE~{self.where_seed(table, values)}"
                             f"{self.returning(table)}", values)
        tenant = Values.quoted(self.seeds.tenant(n))
        where = "~AND~".join(f"{column}~=~{values.spell(kind, part, True)}" for column, kind, part in
                             zip(table.key, table.key_types, self.seeds.key(table, n)))
        return self.done("update of the tenant to itself", f"UPDATE~{self.name(table)}~SET~store_id~=~'{tenant}'~WHERE~{where}~AND~store_id~=~'{tenant}'", values)

    def update_parent_tenant(self, extended=False):
        """A parent moves to another tenant, and all that hangs on it with it."""
        table = TABLES[self.rng.choice(["orders", "orders", "shelves", "carts", "regions"])]
        values = Values(self.rng, extended, False)
        tenant = Values.quoted(self.seeds.tenant(self.rng.randint(1, 6)))
        cell = f"'{tenant}'" if self.chance(0.7) else f"(SELECT~max(store_id)~FROM~stores~WHERE~store_id~=~'{tenant}')"
        if self.seeds.tenants[0].count("-") > 2:
            cell = f"'{tenant}'"
        more = f",~{table.columns[-1][0]}~=~{values.spell(table.columns[-1][1], self.plain_value(table, table.columns[-1][0]), True)}" if self.chance(0.3) else ""
        return self.done("update of the parent's tenant", f"UPDATE~{self.name(table)}~SET~store_id~=~{cell}{more}~WHERE~{self.where_seed(table, values)}"
                         f"{self.returning(table)}", values)

    def delete(self, extended=False):
        table = self.child("parcels", "books", "cart_rows", '"Depots"', "notes", "line_items")
        values = Values(self.rng, extended, False)
        return self.done("delete", f"DELETE~FROM~{self.name(table)}~WHERE~{self.where_seed(table, values)}{self.returning(table)}", values)

    # Reads

    def read(self, extended=False):
        table = self.child()
        values = Values(self.rng, extended, False)
        form = self.rng.choice(["count", "join", "row", "currval"])
        if form == "join" and self.distributed:
            form = "count"
        if form == "count":
            text = f"SELECT~store_id,~count(*)~FROM~{table.name}~GROUP~BY~1~ORDER~BY~1"
        elif form == "join":
            on = "~AND~".join(f"c.{column}~=~p.{key}" for column, key in zip(table.fk, TABLES[table.parent].key))
            text = f"SELECT~p.store_id,~c.*~FROM~{table.name}~c~JOIN~{table.parent}~p~ON~{on}~WHERE~p.store_id~=~" \
                   f"'{Values.quoted(self.seeds.tenant(1))}'~ORDER~BY~c.{table.key[0]}"
        elif form == "row":
            text = f"SELECT~*~FROM~{table.name}~WHERE~{self.where_seed(table, values)}~ORDER~BY~1"
        else:
            text = "SELECT~nextval('aux_seq'),~currval('aux_seq'),~lastval()"
        return self.done("read", text, values)

    # COPY

    def copy(self, extended=False):
        """COPY … FROM STDIN: text, CSV and binary, with and without a list of columns."""
        table = self.child()
        form = self.rng.choice(["text", "text", "csv", "csv header", "binary", "options"])
        listed = self.chance(0.75)
        if listed and not self.explicit_keys and self.chance(0.5):
            columns = [*table.fk, table.columns[-1][0]]
        else:
            columns = [name for name, _ in table.columns]
        if listed and form != "binary" and self.chance(0.5):
            self.rng.shuffle(columns)
        rows = []
        for _ in range(self.rng.choice([0, 1, 2, 4])):
            given = dict(zip(table.key, self.new_key(table)))
            given.update(zip(table.fk, self.parent_key(table)))
            # Unique, since a COPY with two things wrong may be told of either.
            given.update((over, f"copied {self.next}") for _, over, _, _ in table.unique if over in columns)
            rows.append([given[column] if column in given else self.plain_value(table, column) for column in columns])
        kinds = [table.type_of(column) for column in columns]
        if form == "binary" and any(kind.startswith("numeric") for kind in kinds):
            form = "text"
        # The list of columns is what COPY t means for an application that does not know of the tenant.
        columns_text = f"~({names(columns)})"
        target = self.name(table) + (columns_text if listed else f"‹{columns_text}¦›")
        options, data = _ENCODERS[form](self, columns, kinds, rows)
        return self.done(f"copy {form}" + ("" if listed else " without columns"), f"COPY~{target}~FROM~STDIN{options}", copy_data=data)


def _text(grammar, columns, kinds, rows, delimiter="\t", null="\\N"):
    def cell(value):
        if value is None:
            return null
        return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace(delimiter, "\\" + delimiter)

    end = grammar.rng.choice(["", "\\.\n"])
    return "".join(delimiter.join(cell(value) for value in row) + "\n" for row in rows) + (end if rows else "")


def _encode_text(grammar, columns, kinds, rows):
    return grammar.rng.choice(["", "~WITH~(FORMAT~text)", "~(FORMAT~'text')"]), _text(grammar, columns, kinds, rows).encode()


def _encode_options(grammar, columns, kinds, rows):
    choice = grammar.rng.choice(["~WITH~(DELIMITER~'|',~NULL~'-')", "~WITH~DELIMITER~'|'~NULL~AS~'-'", "~DELIMITERS~'|'~NULL~'-'"])
    if "DELIMITERS" in choice:
        choice = "~DELIMITERS~'|'~WITH~NULL~'-'"
    return choice, _text(grammar, columns, kinds, rows, "|", "-").encode()


def _encode_csv(grammar, columns, kinds, rows, header=False):
    def cell(value):
        if value is None:
            return ""
        value = str(value)
        return '"' + value.replace('"', '""') + '"' if value == "" or any(c in value for c in '",\n') or grammar.chance(0.3) else value

    lines = [",".join(column.strip('"') for column in columns)] if header else []
    lines += [",".join(cell(value) for value in row) for row in rows]
    options = "~WITH~(FORMAT~csv" + (",~HEADER" if header else "") + ")"
    if not header and grammar.chance(0.3):
        options = "~CSV"
    return options, "".join(line + grammar.rng.choice(["\n"]) for line in lines).encode()


def _encode_header(grammar, columns, kinds, rows):
    return _encode_csv(grammar, columns, kinds, rows, True)


def _encode_binary(grammar, columns, kinds, rows):
    data = b"PGCOPY\n\377\r\n\0" + struct.pack("!ii", 0, 0)
    for row in rows:
        data += struct.pack("!h", len(row))
        for kind, value in zip(kinds, row):
            raw = encode(kind.split("(")[0], value, True)
            data += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return "~WITH~(FORMAT~binary)", data + struct.pack("!h", -1)


_ENCODERS = {"text": _encode_text, "csv": _encode_csv, "csv header": _encode_header, "binary": _encode_binary, "options": _encode_options}
