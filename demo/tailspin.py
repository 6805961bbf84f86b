"""Tailspin Toys: stores that sell products, their orders, and the orders' line items.

The tables stores, products and orders know their store; line_items reaches it only through its order. The
rows are made by the server, with foreign keys that hold, and skewed: every third order is store 5's.
"""

STORES = 442
PRODUCTS = 10_002
ORDERS = 1_999_680
LINE_ITEMS = 4_002_959

DATABASE = "tailspin"
OWNER = "tailspin"

TABLES = """
CREATE TABLE stores (store_id bigserial, name text, category text);
CREATE TABLE products (product_id bigserial, store_id bigint, name text, description text, price numeric);
CREATE TABLE orders (order_id bigserial, store_id bigint, status text, billing_address text,
                     shipping_address text, ordered_at timestamp);
CREATE TABLE line_items (line_item_id bigserial, product_id bigint, order_id bigint, quantity bigint,
                         line_amount numeric);
"""

# The product of a store's order is one of that store: products go round the stores, so store s has the products
# s, s + STORES, s + 2 * STORES … up to PRODUCTS.
ROWS = """
INSERT INTO stores (name, category)
SELECT 'Store ' || s, (ARRAY['puzzles', 'dolls', 'trains', 'kites', 'board games', 'models'])[s %% 6 + 1]
FROM generate_series(1, %(stores)s) s;

INSERT INTO products (store_id, name, description, price)
SELECT (p - 1) %% %(stores)s + 1, 'Toy ' || p, 'The toy with the number ' || p, round(3 + (p * 7919 %% 9000) / 100.0, 2)
FROM generate_series(1, %(products)s) p;

INSERT INTO orders (store_id, status, billing_address, shipping_address, ordered_at)
SELECT CASE WHEN o %% 3 = 0 THEN 5 ELSE (o * 48271 %% 2147483647) %% %(stores)s + 1 END,
       (ARRAY['Pending', 'Paid', 'Shipped', 'Delivered', 'Returned'])[o %% 5 + 1],
       o %% 997 || ' Main St.', CASE WHEN o %% 4 = 0 THEN o %% 991 || ' Side St.' END,
       timestamp '2024-01-01' + o * interval '15 seconds'
FROM generate_series(1, %(orders)s::bigint) o;

INSERT INTO line_items (product_id, order_id, quantity, line_amount)
SELECT p.product_id, i.order_id, i.quantity, i.quantity * p.price
FROM (SELECT o.order_id, (o.order_id * 31 + n) %% 4 + 1 AS quantity,
             o.store_id + %(stores)s * ((o.order_id * 7 + n * 3)
                                        %% ((%(products)s - o.store_id) / %(stores)s + 1)) AS product_id
      FROM orders o,
           generate_series(1, o.order_id %% 3 + 1 + CASE WHEN o.order_id %% 3 = 0 AND o.order_id / 3 <= %(extra)s
                                                         THEN 1 ELSE 0 END) n) i
JOIN products p USING (product_id);
"""

# The keys come after the rows, which is faster; then what any application of this kind has: an index on each
# foreign key that it looks rows up by.
KEYS = """
ALTER TABLE stores ADD PRIMARY KEY (store_id);
ALTER TABLE products ADD PRIMARY KEY (product_id), ADD FOREIGN KEY (store_id) REFERENCES stores (store_id);
ALTER TABLE orders ADD PRIMARY KEY (order_id), ADD FOREIGN KEY (store_id) REFERENCES stores (store_id);
ALTER TABLE line_items ADD PRIMARY KEY (line_item_id),
    ADD FOREIGN KEY (product_id) REFERENCES products (product_id),
    ADD FOREIGN KEY (order_id) REFERENCES orders (order_id);
CREATE INDEX ON products (store_id);
CREATE INDEX ON orders (store_id, ordered_at);
CREATE INDEX ON line_items (order_id);
"""


def sizes(scale):
    """How many orders and line items there are at a scale from 0 to 1."""
    orders = max(3, round(ORDERS * scale) // 3 * 3)
    return orders, max(2 * orders, round(LINE_ITEMS * scale))


def create(connect, scale):
    """Makes the database, its owner and a role for shardferry. `connect` opens an autocommit connection to the
    database that it is given, as superuser. Returns the number of rows by table."""
    with connect("postgres") as connection:
        connection.execute(f"CREATE ROLE {OWNER} LOGIN")
        connection.execute(f"CREATE ROLE shardferry LOGIN IN ROLE {OWNER}")
        connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        connection.execute(f"GRANT CREATE ON DATABASE {DATABASE} TO shardferry")
    orders, line_items = sizes(scale)
    # One to three items an order in turn make two on average; the first orders get one more to reach the total.
    rows = ROWS % {"stores": STORES, "products": PRODUCTS, "orders": orders, "extra": line_items - 2 * orders}
    with connect(DATABASE) as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {OWNER}")
        connection.execute(f"SET ROLE {OWNER}")
        for statement in (TABLES + rows + KEYS).split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute("RESET ROLE")
        connection.execute("VACUUM ANALYZE")
        # How often a table is written is told by what comes from now on.
        connection.execute("SELECT pg_stat_reset()")
        counts = {}
        for table in ("stores", "products", "orders", "line_items"):
            counts[table] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        return counts
