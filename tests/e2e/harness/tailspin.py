"""The schema of Tailspin Toys, a seller's single-node multi-tenant application, with a few rows of data.

Stores own products and orders; line_items reach their store through orders alone, and lack its column.
"""

SCHEMA = """
CREATE TABLE stores (store_id bigserial PRIMARY KEY, name text, category text);
CREATE TABLE products (product_id bigserial PRIMARY KEY, store_id bigint REFERENCES stores (store_id),
                       name text, description text, price numeric);
CREATE TABLE orders (order_id bigserial PRIMARY KEY, store_id bigint REFERENCES stores (store_id), status text,
                     billing_address text, shipping_address text, ordered_at timestamp);
CREATE TABLE line_items (line_item_id bigserial PRIMARY KEY, product_id bigint REFERENCES products (product_id),
                         order_id bigint REFERENCES orders (order_id), quantity bigint, line_amount numeric);
"""

# Order n belongs to store 1 + n % 20, and so does product n: an order's store is known without asking.
DATA = """
INSERT INTO stores (name, category) SELECT 'store ' || n, 'toys' FROM generate_series(1, 20) n;
INSERT INTO products (store_id, name, price) SELECT 1 + n % 20, 'product ' || n, n FROM generate_series(1, 100) n;
INSERT INTO orders (store_id, status, ordered_at) SELECT 1 + n % 20, 'Pending', '2024-01-01' FROM generate_series(1, 200) n;
INSERT INTO line_items (product_id, order_id, quantity, line_amount)
SELECT 1 + n % 100, 1 + n % 200, 1, 1 FROM generate_series(1, 400) n;
"""

# What stage keyed presupposes: backfill, NOT NULL, composite keys beside the old ones. One transaction each.
KEYS = """
UPDATE line_items l SET store_id = o.store_id FROM orders o WHERE o.order_id = l.order_id AND l.store_id IS NULL;
DELETE FROM line_items WHERE store_id IS NULL;
ALTER TABLE line_items ALTER store_id SET NOT NULL;
ALTER TABLE orders ALTER store_id SET NOT NULL;
ALTER TABLE products ALTER store_id SET NOT NULL;
CREATE UNIQUE INDEX orders_tenant_key ON orders (store_id, order_id);
CREATE UNIQUE INDEX products_tenant_key ON products (store_id, product_id);
CREATE UNIQUE INDEX line_items_tenant_key ON line_items (store_id, line_item_id);
ALTER TABLE line_items ADD CONSTRAINT line_items_order FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id);
"""

# What follows once every proxy has acknowledged it. A plain index stays on the old key, for lookups without the store.
KEY_SWAP = """
ALTER TABLE line_items DROP CONSTRAINT line_items_order_id_fkey, DROP CONSTRAINT line_items_product_id_fkey,
    DROP CONSTRAINT line_items_pkey, ADD CONSTRAINT line_items_pkey PRIMARY KEY USING INDEX line_items_tenant_key;
ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_tenant_key;
ALTER TABLE products DROP CONSTRAINT products_pkey, ADD CONSTRAINT products_pkey PRIMARY KEY USING INDEX products_tenant_key;
CREATE INDEX ON orders (order_id);
CREATE INDEX ON products (product_id);
CREATE INDEX ON line_items (line_item_id);
"""

WRONG_ROWS = """
SELECT l.* FROM line_items l JOIN orders o USING (order_id) WHERE l.store_id IS DISTINCT FROM o.store_id
"""

# Paths to the tenant go through orders; that products lead there too is for the configuration to settle.
TABLES = "[table line_items]\ntenant_from = order_id -> orders(order_id)\n"


def store_of(order_id):
    return 1 + order_id % 20


def create(server, name=None):
    """Makes a database with schema and data; returns its name."""
    name = server.create_database(name)
    with server.connect(name) as conn:
        conn.execute(SCHEMA)
        conn.execute(DATA)
    return name
