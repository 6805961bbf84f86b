"""Tables whose keys hold the tenant, and rows for them: NULLs in keys and values, parents without children, an empty table.

Numbers are unique over all tenants, as sequences make them; the unique indexes are on the pair alone.
"""

import dataclasses

STORES = 4


@dataclasses.dataclass(frozen=True)
class Table:
    name: str
    key: str
    parents: tuple = ()  # (column, table)
    rows: int = 10
    kind: str = "bigint"

    @property
    def columns(self):
        """In their order; the store is not always the last, nor the first."""
        return [self.key, *(column for column, _ in self.parents), "n", "store_id", "s"]

    def parent_of(self, column):
        return dict(self.parents).get(column)


TABLES = {table.name: table for table in (
    Table("accounts", "account_id", (("parent_id", "accounts"),), 9),
    Table("entries", "entry_id", (("account_id", "accounts"),), 14),
    Table("tags", "tag_id", (("entry_id", "entries"), ("account_id", "accounts")), 12),
    Table("memos", "memo_id", (("account_id", "accounts"),), 8),
    Table("documents", "document", (), 6, "uuid"),
    Table("pages", "page", (("document", "documents"), ("entry_id", "entries")), 9),
    Table("voids", "void_id", (("account_id", "accounts"),), 0),
)}

TENANT = "[tenant]\ntable = stores\ncolumn = store_id\nreads = {reads}\n"
COLOURS = "[table colours]\nkind = reference\n"
MEMOS = "[table memos]\nkind = backfill\n"


def _kind(table, column):
    parent = table.parent_of(column)
    return TABLES[parent].kind if parent else table.kind


def create():
    """In the spelling of pg_dump, which `shardferry lint` reads as well."""
    lines = ["CREATE TABLE public.stores (store_id bigint NOT NULL, name text);",
             "CREATE TABLE public.colours (colour text NOT NULL, n bigint);",
             "ALTER TABLE ONLY public.stores ADD CONSTRAINT stores_pkey PRIMARY KEY (store_id);",
             "ALTER TABLE ONLY public.colours ADD CONSTRAINT colours_pkey PRIMARY KEY (colour);"]
    for table in TABLES.values():
        keys = "".join(f"{column} {_kind(table, column)}, " for column, _ in table.parents)
        default = " DEFAULT gen_random_uuid()" if table.kind == "uuid" else ""
        lines.append(f"CREATE TABLE public.{table.name} ({table.key} {table.kind}{default} NOT NULL, {keys}n integer, "
                     "store_id bigint NOT NULL, s text);")
        if table.kind != "uuid":
            sequence = f"public.{table.name}_seq"
            lines.append(f"CREATE SEQUENCE {sequence};")
            lines.append(f"ALTER TABLE ONLY public.{table.name} ALTER COLUMN {table.key} SET DEFAULT nextval('{sequence}'::regclass);")
        lines.append(f"ALTER TABLE ONLY public.{table.name} ADD CONSTRAINT {table.name}_pkey PRIMARY KEY (store_id, {table.key});")
        lines.append(f"CREATE INDEX {table.name}_key ON public.{table.name} USING btree ({table.key});")
    for table in TABLES.values():
        for column, parent in table.parents:
            lines.append(f"ALTER TABLE ONLY public.{table.name} ADD CONSTRAINT {table.name}_{column}_fkey FOREIGN KEY "
                         f"(store_id, {column}) REFERENCES public.{parent}(store_id, {TABLES[parent].key});")
    return "\n".join(lines)


def _literal(value):
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


def fill(rng, only=None, shared=False):
    """INSERTs of random rows; with `only`, those of one store alone, the others' being made and left out. `shared`: the
    stores' numbers are not those of one sequence, and repeat."""
    lines = [f"INSERT INTO stores VALUES ({store}, 'store {store}');" for store in range(1, STORES + 1) if only in (None, store)]
    lines += [f"INSERT INTO colours VALUES ('{colour}', {n});" for n, colour in enumerate(("red", "green", "blue"))]
    made = {}
    for table in TABLES.values():
        rows = made[table.name] = []
        for number in range(table.rows):
            store = rng.randrange(1, STORES)  # the last one has no rows at all
            number = sum(mine == store for _, mine in rows) if shared else number
            key = number + 1 if table.kind == "bigint" else f"00000000-0000-4000-8000-{number:012x}"
            values = [key]
            for _, parent in table.parents:
                mine = [row[0] for row in made[parent] if row[1] == store]
                values.append(rng.choice(mine) if mine and rng.random() < 0.8 else None)
            values += [rng.choice((None, 0, 1, 1, 2, 3)), store, rng.choice((None, "a", "b", "c", "a' OR 'x"))]
            rows.append((key, store))
            if only in (None, store):
                texts = ", ".join(_literal(value.replace("'", "''") if isinstance(value, str) else value) for value in values)
                lines.append(f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({texts});")
    return "\n".join(lines)
