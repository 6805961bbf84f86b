-- Statements around queries, and those that are none.

EXPLAIN SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

EXPLAIN SELECT * FROM orders;
--> multi-tenant public.orders

EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

EXPLAIN ANALYZE SELECT * FROM orders;
--> multi-tenant public.orders

EXPLAIN ANALYZE DELETE FROM line_items WHERE store_id = 5;
--> single-tenant

EXPLAIN (FORMAT json) SELECT * FROM products;
--> no-tenant-table

DECLARE c CURSOR FOR SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

DECLARE c CURSOR FOR SELECT * FROM orders;
--> multi-tenant public.orders

DECLARE c NO SCROLL CURSOR FOR SELECT * FROM orders WHERE store_id = 5 ORDER BY placed_at;
--> single-tenant

DECLARE c CURSOR FOR SELECT * FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

DECLARE c CURSOR FOR SELECT * FROM products;
--> no-tenant-table

CREATE TEMP TABLE copied AS SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

CREATE TEMP TABLE copied_all AS SELECT * FROM orders;
--> multi-tenant public.orders

CREATE TABLE copied_products AS SELECT * FROM products;
--> no-tenant-table

SELECT * INTO TEMP copied_into FROM orders WHERE store_id = 5;
--> single-tenant

SELECT * INTO TEMP copied_all_into FROM orders;
--> multi-tenant public.orders

COPY orders TO STDOUT;
--> multi-tenant public.orders

COPY orders (store_id, order_id) TO STDOUT WITH (FORMAT csv, HEADER);
--> multi-tenant public.orders

COPY (SELECT * FROM orders WHERE store_id = 5) TO STDOUT;
--> single-tenant

COPY (SELECT * FROM orders) TO STDOUT WITH CSV;
--> multi-tenant public.orders

COPY (SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5) TO STDOUT;
--> single-tenant

COPY products TO STDOUT;
--> no-tenant-table

COPY settings TO STDOUT;
--> no-tenant-table

TRUNCATE line_items;
--> multi-tenant public.line_items

TRUNCATE orders, line_items;
--> multi-tenant public.orders public.line_items

TRUNCATE job_log;
--> no-tenant-table

TRUNCATE products;
--> no-tenant-table

LOCK TABLE orders IN SHARE MODE;
--> multi-tenant public.orders (by hand)

LOCK TABLE settings;
--> no-tenant-table

ALTER TABLE orders ADD COLUMN extra text;
--> multi-tenant public.orders

ALTER TABLE orders DROP COLUMN note;
--> multi-tenant public.orders

ALTER TABLE settings ADD COLUMN extra text;
--> no-tenant-table

CREATE INDEX ON orders (placed_at);
--> multi-tenant public.orders

CREATE INDEX ON settings (value);
--> no-tenant-table

DROP TABLE line_items CASCADE;
--> multi-tenant public.line_items

DROP TABLE settings;
--> no-tenant-table

ANALYZE orders;
--> multi-tenant public.orders

ANALYZE settings;
--> no-tenant-table

COMMENT ON TABLE settings IS 'x';
--> no-tenant-table

GRANT SELECT ON settings TO PUBLIC;
--> no-tenant-table

CREATE VIEW new_view AS SELECT * FROM orders WHERE store_id = 5;
--> no-tenant-table (by hand)

CREATE VIEW new_products AS SELECT * FROM products;
--> no-tenant-table

SHOW search_path;
--> no-tenant-table

SET LOCAL work_mem = '8MB';
--> no-tenant-table

SET statement_timeout = '5s';
--> no-tenant-table

SAVEPOINT here;
--> no-tenant-table

LISTEN channel;
--> no-tenant-table

NOTIFY channel, 'x';
--> no-tenant-table

CREATE TABLE new_table (id int);
--> no-tenant-table

CREATE SEQUENCE new_sequence;
--> no-tenant-table

COPY orders (store_id, order_id) FROM STDIN;
5	900
6	900
\.
--> multi-tenant public.orders

COPY archive.line_items FROM STDIN WITH (FORMAT csv);
5,901,1,1
6,901,1,1
\.
--> multi-tenant archive.line_items

COPY orders (order_id) FROM STDIN;
902
\.
--> refused public.orders: the partition column of table public.orders cannot be NULL

COPY orders (store_id, order_id) FROM STDIN WHERE store_id = 5;
5	903
\.
--> refused public.orders: Citus does not support COPY FROM with WHERE

COPY products (product_id, name) FROM STDIN;
904	x
\.
--> no-tenant-table

COPY settings FROM STDIN;
a	b
\.
--> no-tenant-table

-- What no server says before it has happened.

DO $$ BEGIN DELETE FROM line_items WHERE store_id = 5; END $$;
--> opaque (by hand)

DO LANGUAGE plpgsql 'BEGIN PERFORM 1; END';
--> opaque (by hand)

CALL close_orders(5);
--> opaque (by hand)

SELECT order_total(5);
--> opaque (by hand)

SELECT order_total(order_id) FROM orders WHERE store_id = 5;
--> opaque (by hand)

SELECT order_total(order_id) FROM orders;
--> multi-tenant public.orders (by hand)

SELECT * FROM orders WHERE store_id = 5 AND total > order_total(order_id);
--> opaque (by hand)

SELECT * FROM order_total(5);
--> opaque (by hand)

SELECT unknown_function(5);
--> opaque (by hand)

SELECT public.now();
--> opaque (by hand)

SELECT query_to_xml('SELECT * FROM orders', true, true, '');
--> opaque (by hand)

SELECT * FROM unknown_table WHERE store_id = 5;
--> opaque (by hand)

EXECUTE of_unknown (5);
--> opaque (by hand)

VACUUM orders;
--> multi-tenant public.orders (by hand)

CREATE INDEX CONCURRENTLY ON orders (placed_at);
--> multi-tenant public.orders (by hand)

REINDEX TABLE orders;
--> multi-tenant public.orders (by hand)

BEGIN;
--> no-tenant-table (by hand)

COMMIT;
--> no-tenant-table (by hand)

SELEC * FROM orders WHERE store_id = 5;
--> unparsed (by hand)

SELECT * FROM orders WHERE store_id = ;
--> unparsed (by hand)

INSERT INTO orders VALUES 5, 6;
--> unparsed (by hand)
