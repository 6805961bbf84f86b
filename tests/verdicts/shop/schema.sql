-- A shop system as it looks once it is ready to be distributed: each tenant table has store_id in its key.

CREATE SCHEMA archive;

CREATE TABLE public.stores (
    store_id bigint PRIMARY KEY,
    name text NOT NULL,
    category text,
    plan text DEFAULT 'basic',
    opened_at timestamp with time zone DEFAULT now()
);

CREATE TABLE public.customers (
    store_id bigint NOT NULL REFERENCES public.stores (store_id),
    customer_id bigint NOT NULL,
    email text,
    name text,
    referred_by bigint,
    created_at timestamp with time zone DEFAULT now(),
    PRIMARY KEY (store_id, customer_id)
);

CREATE TABLE public.products (
    product_id bigint PRIMARY KEY,
    sku text,
    name text,
    price numeric
);

CREATE TABLE public.countries (
    code text PRIMARY KEY,
    name text
);

CREATE TABLE public.orders (
    store_id bigint NOT NULL REFERENCES public.stores (store_id),
    order_id bigint NOT NULL,
    customer_id bigint,
    status text DEFAULT 'new',
    note text,
    country text,
    total numeric DEFAULT 0,
    tags text[],
    details jsonb,
    placed_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone,
    lock_version integer DEFAULT 0,
    PRIMARY KEY (store_id, order_id),
    FOREIGN KEY (store_id, customer_id) REFERENCES public.customers (store_id, customer_id)
);

CREATE TABLE public.line_items (
    store_id bigint NOT NULL,
    line_item_id bigint NOT NULL,
    order_id bigint,
    product_id bigint,
    quantity integer DEFAULT 1,
    price numeric,
    PRIMARY KEY (store_id, line_item_id),
    FOREIGN KEY (store_id, order_id) REFERENCES public.orders (store_id, order_id)
);

CREATE TABLE public."OrderNotes" (
    store_id bigint NOT NULL,
    "NoteId" bigint NOT NULL,
    "orderId" bigint,
    "Body Text" text,
    PRIMARY KEY (store_id, "NoteId")
);

CREATE TABLE archive.orders (
    store_id bigint NOT NULL,
    order_id bigint NOT NULL,
    customer_id bigint,
    status text,
    total numeric,
    archived_at timestamp with time zone,
    PRIMARY KEY (store_id, order_id)
);

CREATE TABLE archive.line_items (
    store_id bigint NOT NULL,
    line_item_id bigint NOT NULL,
    order_id bigint,
    quantity integer,
    PRIMARY KEY (store_id, line_item_id)
);

CREATE TABLE public.settings (
    key text PRIMARY KEY,
    value text
);

CREATE TABLE public.job_log (
    id bigint PRIMARY KEY,
    store_id bigint,
    message text,
    logged_at timestamp with time zone DEFAULT now()
);

CREATE SEQUENCE public.invoice_numbers;

CREATE VIEW public.paid_orders AS
    SELECT store_id, order_id, customer_id, total FROM public.orders WHERE status = 'paid';

CREATE VIEW public.recent_paid_orders AS
    SELECT store_id, order_id, total FROM public.paid_orders WHERE total > 10;

CREATE VIEW public.order_lines AS
    SELECT o.store_id, o.order_id, o.status, l.line_item_id, l.quantity, l.price
    FROM public.orders o
    JOIN public.line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id;

CREATE VIEW public.loose_lines AS
    SELECT o.store_id, o.order_id, l.line_item_id, l.quantity
    FROM public.orders o
    JOIN public.line_items l ON l.order_id = o.order_id;

CREATE VIEW public.store_totals AS
    SELECT store_id, count(*) AS orders, sum(total) AS total FROM public.orders GROUP BY store_id;

CREATE VIEW public.status_totals AS
    SELECT status, count(*) AS orders FROM public.orders GROUP BY status;

CREATE VIEW public.all_orders AS
    SELECT store_id, order_id, status, total FROM public.orders
    UNION ALL
    SELECT store_id, order_id, status, total FROM archive.orders;

CREATE VIEW public.largest_orders AS
    SELECT store_id, order_id, total FROM public.orders ORDER BY total DESC LIMIT 10;

CREATE VIEW public.orders_of_five AS
    SELECT order_id, status, total FROM public.orders WHERE store_id = 5;

CREATE VIEW public.renamed_orders AS
    SELECT store_id AS shop, order_id AS number, status FROM public.orders;

CREATE VIEW public.ranked_orders AS
    SELECT store_id, order_id, rank() OVER (PARTITION BY store_id ORDER BY total DESC) AS place FROM public.orders;

CREATE VIEW public.globally_ranked_orders AS
    SELECT store_id, order_id, rank() OVER (ORDER BY total DESC) AS place FROM public.orders;

CREATE VIEW public.cheap_products AS
    SELECT product_id, name FROM public.products WHERE price < 10;

CREATE FUNCTION public.order_total(bigint) RETURNS numeric LANGUAGE sql STABLE
    AS $$ SELECT sum(total) FROM public.orders WHERE order_id = $1 $$;

CREATE PROCEDURE public.close_orders(bigint) LANGUAGE sql
    AS $$ UPDATE public.orders SET status = 'closed' WHERE store_id = $1 $$;
