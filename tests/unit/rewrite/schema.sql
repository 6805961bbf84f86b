-- Stores have orders, orders have line items: line_items has got its column by a migration. The others are there for
-- the odder paths: composite keys, two steps, types, names that need quotes.
CREATE SCHEMA sales;
CREATE SCHEMA "Odd Schema";

CREATE TABLE stores (store_id bigint PRIMARY KEY, name text);
CREATE TABLE products (product_id bigint PRIMARY KEY, sku text);
CREATE TABLE settings (name text PRIMARY KEY, value text);
CREATE TABLE orders (
    order_id bigserial PRIMARY KEY,
    store_id bigint NOT NULL REFERENCES stores,
    status text,
    placed timestamptz DEFAULT now()
);
CREATE TABLE line_items (
    line_item_id bigserial PRIMARY KEY,
    order_id bigint REFERENCES orders,
    product_id bigint REFERENCES products,
    quantity numeric(10,2) DEFAULT 1,
    note text,
    store_id bigint
);
CREATE TABLE parcels (
    parcel_id uuid PRIMARY KEY,
    line_item_id bigint NOT NULL REFERENCES line_items,
    label text,
    store_id bigint
);
CREATE TABLE sales.shipments (
    depot text NOT NULL,
    number integer NOT NULL,
    store_id bigint NOT NULL REFERENCES stores,
    PRIMARY KEY (depot, number)
);
CREATE TABLE sales.packages (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    depot character varying(5) DEFAULT 'north',
    number integer,
    weight numeric,
    grams numeric GENERATED ALWAYS AS (weight * 1000) STORED,
    store_id bigint,
    FOREIGN KEY (depot, number) REFERENCES sales.shipments
);
CREATE TABLE "Odd Schema"."Order Notes" (
    "Note Id" integer PRIMARY KEY,
    "Order" bigint REFERENCES orders,
    "select" text,
    store_id bigint
);
CREATE TABLE kept (kept_id bigint PRIMARY KEY, order_id bigint REFERENCES orders, store_id bigint);
CREATE TABLE settled (settled_id bigint PRIMARY KEY, order_id bigint REFERENCES orders, store_id bigint);
CREATE TABLE pending (pending_id bigint PRIMARY KEY, order_id bigint REFERENCES orders);
CREATE TABLE preset (preset_id bigint PRIMARY KEY, order_id bigint DEFAULT '42'::bigint REFERENCES orders,
                     computed bigint, store_id bigint);
CREATE TABLE counted (counted_id bigint PRIMARY KEY, order_id bigint DEFAULT nextval('orders_order_id_seq'::regclass)
                      REFERENCES orders, store_id bigint);

CREATE VIEW open_orders AS SELECT orders.order_id, orders.store_id, orders.status FROM public.orders
    WHERE orders.status = 'open'::text;
CREATE VIEW store_totals AS SELECT orders.store_id, count(*) AS n FROM public.orders GROUP BY orders.store_id;
CREATE VIEW plain_items AS SELECT line_items.line_item_id, line_items.order_id, line_items.note
    FROM public.line_items;
