"""The oracle's schema for one type of tenant id: tables, keys by stage, seeds, and what stands in for the proxy in A.

Stores are the tenants. Each child finds its store through one foreign key: line_items, notes (whose key is of another
type than the parent's) and parcels (in two steps) by bigint, books by text, cart_rows by uuid, "Depots" by a composite
key. In database A a trigger fills the tenant; nothing else differs between A and B.
"""

import dataclasses

TENANTS = {
    "bigint": ["1", "2", "3", "4", "5", "9000000000"],
    "integer": ["1", "2", "3", "4", "5", "-6"],
    "uuid": [f"5a1e0000-0000-4000-8000-00000000000{n}" for n in range(1, 7)],
    "text": ["acme", "o'brien", "back\\slash", "größe", "1", "A b"],
}
SEEDED = 12  # rows of each table at the start of a block
SERIAL_FROM, EXPLICIT_FROM = 1000, 5000
BLOCK_IDS, STAGE_BLOCKS = 10000, 20000  # ids of a block, blocks of a stage
STAGES = ("derive", "keyed", "resolve", "distributed")


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns are (name, type) without the tenant, in order; the key comes first."""

    name: str  # as in SQL
    columns: tuple
    key: tuple
    parent: str = ""  # "" for tables that have the tenant column from the start
    fk: tuple = ()  # columns that reference the parent's key
    unique: tuple = ()  # (name, what the index is over, WHERE …, whether it is a constraint)
    serial: bool = True
    identity: str = ""  # "always", "by default"

    @property
    def key_types(self):
        types = dict(self.columns)
        return [types[name] for name in self.key]

    def type_of(self, column):
        return dict(self.columns)[column]

    @property
    def sequence(self):
        """Of a serial key; as in SQL."""
        name = f"{self.name}_{self.key[0]}_seq".replace('"', "")
        return f'"{name}"' if '"' in self.name else name

    @property
    def stem(self):
        return self.name.strip('"').lower()


_TABLES = [
    Table("orders", (("order_id", "bigint"), ("status", "text"), ("note", "varchar(40)"), ("total", "numeric(10,2)")),
          ("order_id",)),
    Table("shelves", (("code", "text"), ("title", "text")), ("code",), serial=False),
    Table("carts", (("cart_id", "uuid"), ("note", "text")), ("cart_id",), serial=False),
    Table("regions", (("country", "text"), ("number", "integer"), ("note", "text")), ("country", "number"), serial=False),
    Table("line_items", (("line_item_id", "bigint"), ("order_id", "bigint"), ("quantity", "bigint"),
                         ("amount", "numeric(10,2)"), ("label", "text")), ("line_item_id",), "orders", ("order_id",),
          (("line_items_label", "label", "", True),)),
    Table("parcels", (("parcel_id", "bigint"), ("line_item_id", "bigint"), ("weight", "numeric"), ("tag", "varchar(60)")),
          ("parcel_id",), "line_items", ("line_item_id",), (("parcels_tag", "tag", " WHERE weight > 10", False),)),
    Table("books", (("book_id", "bigint"), ("code", "text"), ("title", "text")), ("book_id",), "shelves", ("code",),
          (("books_title", "lower(title)", "", False),)),
    Table("cart_rows", (("row_no", "bigint"), ("cart_id", "uuid"), ("n", "smallint")), ("row_no",), "carts", ("cart_id",),
          identity="by default"),
    Table('"Depots"', (('"Id"', "bigint"), ("country", "text"), ("number", "integer"), ('"select"', "text")), ('"Id"',),
          "regions", ("country", "number"), identity="always"),
    Table("notes", (("note_id", "bigint"), ("order_no", "integer"), ("body", "text")), ("note_id",), "orders", ("order_no",)),
]
TABLES = {table.name: table for table in _TABLES}
PARENTS = [table for table in _TABLES if not table.parent]
CHILDREN = [table for table in _TABLES if table.parent]


def names(columns):
    return ", ".join(columns)


def create(tenant_type):
    """The schema before any migration."""
    lines = [f"CREATE TABLE stores (store_id {tenant_type} PRIMARY KEY, name text);", "CREATE SEQUENCE aux_seq;"]
    for table in _TABLES:
        columns = []
        for name, kind in table.columns:
            if (name,) == table.key and table.identity:
                kind += f" GENERATED {table.identity.upper()} AS IDENTITY"
            elif (name,) == table.key and table.serial:
                kind = "bigserial"
            columns.append(f"{name} {kind}" + (" DEFAULT 1" if name == "quantity" else ""))
        if not table.parent:
            columns.insert(len(table.key), f"store_id {tenant_type} REFERENCES stores")
        columns.append(f"CONSTRAINT {table.stem}_pkey PRIMARY KEY ({names(table.key)})")
        if table.parent:
            columns.append(f"CONSTRAINT {table.stem}_fkey FOREIGN KEY ({names(table.fk)}) REFERENCES {table.parent}")
        lines.append(f"CREATE TABLE {table.name} ({', '.join(columns)});")
        for name, over, where, constraint in table.unique:
            lines.append(f"ALTER TABLE {table.name} ADD CONSTRAINT {name} UNIQUE ({over});" if constraint
                         else f"CREATE UNIQUE INDEX {name} ON {table.name} ({over}){where};")
    for tenant in TENANTS[tenant_type]:
        lines.append(f"INSERT INTO stores VALUES ({literal(tenant)}, 'store');")
    return "\n".join(lines)


def literal(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def add_columns(tenant_type):
    return "\n".join(f"ALTER TABLE {table.name} ADD COLUMN store_id {tenant_type};" for table in CHILDREN)


def build_keys():
    """What stage keyed presupposes: composite indexes, foreign keys beside the old ones, NOT NULL."""
    lines = []
    for table in _TABLES:
        lines.append(f"ALTER TABLE {table.name} ALTER store_id SET NOT NULL; "
                     f"CREATE UNIQUE INDEX {table.stem}_tenant_key ON {table.name} (store_id, {names(table.key)});")
        for name, over, where, _ in table.unique:
            lines.append(f"CREATE UNIQUE INDEX {name}_tenant ON {table.name} (store_id, {over}){where};")
    for table in CHILDREN:
        pair = f"{table.parent} (store_id, {names(TABLES[table.parent].key)})"
        lines.append(f"ALTER TABLE {table.name} ADD CONSTRAINT {table.stem}_tenant_fkey "
                     f"FOREIGN KEY (store_id, {names(table.fk)}) REFERENCES {pair};")
    return "\n".join(lines)


def swap_keys():
    """Once keyed is acknowledged: the old keys go. An index stays for lookups without the tenant; it also keeps ids unique
    over all tenants, as the application has it, and is no index that ON CONFLICT (id) could find."""
    lines = [f"ALTER TABLE {table.name} DROP CONSTRAINT {table.stem}_fkey;" for table in CHILDREN]
    for table in _TABLES:
        lines.append(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.stem}_pkey, "
                     f"ADD CONSTRAINT {table.stem}_pkey PRIMARY KEY USING INDEX {table.stem}_tenant_key, "
                     f"ADD CONSTRAINT {table.stem}_old_key EXCLUDE ({' WITH =, '.join(table.key)} WITH =);")
        for name, _, _, constraint in table.unique:
            lines.append(f"ALTER TABLE {table.name} DROP CONSTRAINT {name}; ALTER TABLE {table.name} "
                         f"ADD CONSTRAINT {name} UNIQUE USING INDEX {name}_tenant;" if constraint
                         else f"DROP INDEX {name}; ALTER INDEX {name}_tenant RENAME TO {name};")
    return "\n".join(lines)


def distribute():
    """Citus holds no constraint without the tenant."""
    indexes = "\n".join(f"ALTER TABLE {table.name} DROP CONSTRAINT {table.stem}_old_key; "
                        f"CREATE INDEX {table.stem}_old_key ON {table.name} ({names(table.key)});" for table in _TABLES)
    return indexes + "\n".join(f"SELECT create_distributed_table('{name}', 'store_id'{colocate});" for name, colocate in
                     [("stores", ""), *((table.name, ", colocate_with => 'stores'") for table in _TABLES)])


def triggers(tenant_type, stage):
    """What fills the tenant in A. From resolve on a parent that is not there is reported by the one who looks for it, and a
    row that gets another parent stays with its tenant: the foreign key takes a parent of the same one alone."""
    resolved = stage in ("resolve", "distributed")
    lines = []
    for table in CHILDREN:
        parent_key = TABLES[table.parent].key
        source, grandparent = f"SELECT p.store_id INTO NEW.store_id FROM {table.parent} p", TABLES[table.parent].parent
        if stage == "derive" and grandparent:  # a parent whose own column need not be filled yet does not count
            source = source.replace("p.store_id", "g.store_id")
            source += f" JOIN {grandparent} g USING ({names(TABLES[grandparent].key)})"
        given = " AND ".join(f"NEW.{column} IS NOT NULL" for column in table.fk)
        match = " AND ".join(f"p.{key} = NEW.{column}" for key, column in zip(parent_key, table.fk))
        old, new = (", ".join(f"{row}.{column}" for column in table.fk) for row in ("OLD", "NEW"))
        stays = f"({new}) IS NOT DISTINCT FROM ({old}) OR NEW.store_id IS DISTINCT FROM OLD.store_id"
        missing = "IF NOT FOUND THEN RAISE foreign_key_violation; END IF;" if resolved else ""
        first = f"IF session IS NOT NULL THEN NEW.store_id := session::{tenant_type}; RETURN NEW; END IF;"
        lines.append(f"""
CREATE OR REPLACE FUNCTION fill_{table.stem}() RETURNS trigger LANGUAGE plpgsql AS $fill$
DECLARE
    session text := nullif(current_setting('shardferry.tenant', true), '');
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.store_id IS NOT NULL THEN RETURN NEW; END IF;
        {first if resolved else ""}
    ELSIF {"true" if resolved else stays} THEN
        RETURN NEW;
    END IF;
    IF {given} THEN
        {source} WHERE {match};
        {missing}
    ELSIF TG_OP = 'INSERT' THEN
        NEW.store_id := session::{tenant_type};
    END IF; -- a row that loses its parent keeps its tenant
    RETURN NEW;
END $fill$;
CREATE OR REPLACE TRIGGER "A_fill" BEFORE INSERT OR UPDATE ON {table.name} FOR EACH ROW
EXECUTE FUNCTION fill_{table.stem}();""")
    for parent in {table.parent for table in CHILDREN}:
        stem = TABLES[parent].stem
        carries = []
        for table in (table for table in CHILDREN if table.parent == parent):
            match = " AND ".join(f"{column} = NEW.{key}" for key, column in zip(TABLES[parent].key, table.fk))
            carries.append(f"UPDATE {table.name} SET store_id = NEW.store_id "
                           f"WHERE {match} AND store_id IS DISTINCT FROM NEW.store_id;")
        # It fires before the constraints' own triggers, which go by name too.
        lines.append(f"""
CREATE OR REPLACE FUNCTION carry_{stem}() RETURNS trigger LANGUAGE plpgsql AS $carry$
BEGIN
    {" ".join(carries)}
    RETURN NULL;
END $carry$;
CREATE OR REPLACE TRIGGER "A_carry" AFTER UPDATE ON {parent} FOR EACH ROW WHEN (NEW.store_id IS DISTINCT FROM OLD.store_id)
EXECUTE FUNCTION carry_{stem}();""")
    return "\n".join(lines)


class Seeds:
    """The rows that a block starts with. No key of one block is ever used by another, so that nobody who remembers a
    parent of an earlier one is wrong."""

    def __init__(self, block, tenant_type):
        self.block = block
        self.base = (block + 1) * BLOCK_IDS
        self.tenants = TENANTS[tenant_type]

    def tenant(self, n):
        return self.tenants[n % len(self.tenants)]

    def number(self, n):
        return self.base + n

    def code(self, n):
        return f"s{self.block}-{n}"

    def uuid(self, n):
        return f"c0ffee00-0000-4000-8000-{self.block:06x}{n:06x}"

    def region(self, n):
        return f"land {self.block}", n

    def key(self, table, n):
        """The n-th key, seeded or not, of a table: a tuple."""
        if table.name == "shelves":
            return (self.code(n),)
        if table.name == "carts":
            return (self.uuid(n),)
        if table.name == "regions":
            return self.region(n)
        return (self.number(n),)

    def sql(self):
        """Replaces all rows but the stores."""
        lines = [f"DELETE FROM {table.name};" for table in (*reversed(CHILDREN), *PARENTS)]
        for table in _TABLES:
            rows = []
            for n in range(1, SEEDED + 1):
                values = list(self.key(table, n))
                values += self.key(TABLES[table.parent], n) if table.parent else []
                values += ["seed" if kind == "text" or kind.startswith("varchar") else "1" for name, kind in
                           table.columns[len(values):]]
                if table.unique:  # their last columns
                    values[-1] = f"Seed {n}"
                rows.append("(" + ", ".join(literal(value) for value in [*values, self.tenant(n)]) + ")")
            columns = names([*(name for name, _ in table.columns), "store_id"])
            lines.append(f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE VALUES {', '.join(rows)};")
            if table.serial:
                lines.append(f"SELECT setval({literal(table.sequence)}, {self.base + SERIAL_FROM});")
        lines.append("SELECT setval('aux_seq', 1);")
        return "\n".join(lines)


def dump(table, serials=True):
    """A query that returns all of a table in one value, in the order of its rows' text. Without `serials`, ids that a
    sequence has given are left out: Citus gives them to the rows of an INSERT … SELECT in an order of its own."""
    row = "t"
    if not serials:
        drawn = f"BETWEEN {SERIAL_FROM + 1} AND {EXPLICIT_FROM}"
        columns = [f"CASE WHEN {name} % {BLOCK_IDS} {drawn} THEN NULL ELSE {name} END"
                   if kind == "bigint" and name != "quantity" else name for name, kind in (*table.columns, ("store_id", ""))]
        row = f"ROW({names(columns)})"
    return f"SELECT coalesce(string_agg({row}::text, E'\\n' ORDER BY {row}::text), '') FROM {table.name} t"
