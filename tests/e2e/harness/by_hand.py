"""The same job done by hand: the SQL with which an engineer takes the two schemas to composite keys, and to Citus, and a
description of a schema by which the results can be compared. Names of constraints and indexes are left out of it: these
are whoever's makes them.
"""

# Keys with the tenant by the swap of unique indexes; the children's foreign keys follow their parents.
TAILSPIN_KEYS = """
ALTER TABLE line_items ADD COLUMN store_id bigint;
UPDATE line_items i SET store_id = o.store_id FROM orders o WHERE o.order_id = i.order_id;
CREATE UNIQUE INDEX by_hand_orders ON orders (store_id, order_id);
CREATE UNIQUE INDEX by_hand_products ON products (store_id, product_id);
CREATE UNIQUE INDEX by_hand_line_items ON line_items (store_id, line_item_id);
BEGIN;
ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE, ADD PRIMARY KEY USING INDEX by_hand_orders;
ALTER TABLE line_items ADD FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id);
COMMIT;
BEGIN;
ALTER TABLE products DROP CONSTRAINT products_pkey CASCADE, ADD PRIMARY KEY USING INDEX by_hand_products;
ALTER TABLE line_items ADD FOREIGN KEY (store_id, product_id) REFERENCES products (store_id, product_id);
COMMIT;
BEGIN;
ALTER TABLE line_items DROP CONSTRAINT line_items_pkey, ADD PRIMARY KEY USING INDEX by_hand_line_items;
ALTER TABLE line_items ADD FOREIGN KEY (store_id) REFERENCES stores (store_id);
COMMIT;
"""

IMPORTERS_KEYS = """
BEGIN;
ALTER TABLE events DROP CONSTRAINT events_pkey, ADD PRIMARY KEY (device_id, event_id);
COMMIT;
"""

# Parents first, so that the foreign keys can stay; but once a parent is distributed among Citus's local tables, its child's
# cannot.
TAILSPIN_DISTRIBUTION = """
SELECT create_distributed_table('stores', 'store_id');
SELECT create_distributed_table('products', 'store_id', colocate_with => 'stores');
SELECT create_distributed_table('orders', 'store_id', colocate_with => 'stores');
SELECT create_distributed_table('line_items', 'store_id', colocate_with => 'stores');
SELECT truncate_local_data_after_distributing_table('stores');
"""

IMPORTERS_DISTRIBUTION = """
ALTER TABLE events DROP CONSTRAINT events_device_id_fkey;
SELECT create_reference_table('device_types');
SELECT create_distributed_table('devices', 'device_id');
SELECT create_distributed_table('events', 'device_id', colocate_with => 'devices');
ALTER TABLE events ADD FOREIGN KEY (device_id) REFERENCES devices (device_id);
SELECT truncate_local_data_after_distributing_table('devices');
SELECT truncate_local_data_after_distributing_table('device_types');
"""

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname = ANY (%(tables)s)
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_CONSTRAINTS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid), convalidated
FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text = ANY (%(tables)s)
ORDER BY 1, 2
"""

_TRIGGERS = """
SELECT tgrelid::regclass::text, tgname FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid::regclass::text = ANY (%(tables)s)
ORDER BY 1, 2
"""

_DISTRIBUTION = """
SELECT table_name::text, citus_table_type, distribution_column, dense_rank() OVER (ORDER BY colocation_id)
FROM citus_tables WHERE table_name::text = ANY (%(tables)s)
ORDER BY 1
"""

# What the coordinator itself still has of a distributed table.
_LOCAL_ROWS = """
SELECT relname FROM pg_class WHERE relname = ANY (%(tables)s) AND relkind = 'r'
  AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
ORDER BY 1
"""


def schema_of(connection, tables):
    """Columns, keys, triggers and, with Citus, how the tables are distributed, as a dictionary of lists."""
    def rows(sql):
        return connection.execute(sql, {"tables": list(tables)}).fetchall()

    made = {"columns": rows(_COLUMNS), "constraints": rows(_CONSTRAINTS), "triggers": rows(_TRIGGERS)}
    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone():
        made["distribution"] = rows(_DISTRIBUTION)
        made["local rows"] = rows(_LOCAL_ROWS) if made["distribution"] else []
    return made


def differences(made, wanted):
    """What one description has and the other has not, a line each."""
    lines = []
    for part in sorted(set(made) | set(wanted)):
        has, should = made.get(part, []), wanted.get(part, [])
        lines += [f"{part}: {row} should not be there" for row in has if row not in should]
        lines += [f"{part}: {row} is missing" for row in should if row not in has]
    return lines
