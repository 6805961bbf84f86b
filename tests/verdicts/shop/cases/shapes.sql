-- Aggregates, windows, DISTINCT, ORDER BY, LIMIT, HAVING, row locks.

SELECT count(*) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT count(*) FROM orders;
--> multi-tenant public.orders

SELECT count(*), sum(total), avg(total), min(total), max(total) FROM orders;
--> multi-tenant public.orders

SELECT count(DISTINCT customer_id) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT count(DISTINCT customer_id) FROM orders;
--> multi-tenant public.orders

SELECT count(DISTINCT store_id) FROM orders;
--> multi-tenant public.orders

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders;
--> multi-tenant public.orders

SELECT string_agg(status, ',' ORDER BY order_id) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT string_agg(status, ',' ORDER BY order_id) FROM orders;
--> multi-tenant public.orders

SELECT array_agg(order_id) FILTER (WHERE status = 'paid') FROM orders WHERE store_id = 5;
--> single-tenant

SELECT count(*) FILTER (WHERE store_id = 5) FROM orders;
--> multi-tenant public.orders

SELECT sum(CASE WHEN store_id = 5 THEN total ELSE 0 END) FROM orders;
--> multi-tenant public.orders

SELECT status, count(*) FROM orders WHERE store_id = 5 GROUP BY status;
--> single-tenant

SELECT status, count(*) FROM orders GROUP BY status;
--> multi-tenant public.orders

SELECT store_id, count(*) FROM orders GROUP BY store_id;
--> multi-tenant public.orders

SELECT store_id, count(*) FROM orders GROUP BY store_id HAVING store_id = 5;
--> single-tenant

SELECT store_id, count(*) FROM orders GROUP BY store_id HAVING count(*) > 1;
--> multi-tenant public.orders

SELECT store_id, count(*) FROM orders GROUP BY store_id HAVING store_id = 5 AND count(*) > 1;
--> single-tenant

SELECT store_id, count(*) FROM orders GROUP BY store_id HAVING store_id = 5 OR count(*) > 1;
--> multi-tenant public.orders

SELECT store_id, status, count(*) FROM orders GROUP BY store_id, status HAVING store_id = $1;
--> single-tenant

SELECT max(store_id) FROM orders HAVING max(store_id) = 5;
--> multi-tenant public.orders

SELECT status, count(*) FROM orders GROUP BY status HAVING max(store_id) = 5;
--> multi-tenant public.orders

SELECT status, count(*) FROM orders WHERE store_id = 5 GROUP BY ROLLUP (status);
--> single-tenant

SELECT status, count(*) FROM orders GROUP BY ROLLUP (status);
--> refused public.orders: could not run distributed query with GROUPING SETS, CUBE, or ROLLUP

SELECT store_id, status, count(*) FROM orders WHERE store_id = 5 GROUP BY GROUPING SETS ((store_id), (status), ());
--> single-tenant

SELECT store_id, status, count(*) FROM orders GROUP BY GROUPING SETS ((store_id), (status)) HAVING store_id = 5;
--> refused public.orders: could not run distributed query with GROUPING SETS, CUBE, or ROLLUP

SELECT store_id, status, count(*) FROM orders GROUP BY CUBE (store_id, status) HAVING store_id = 5;
--> refused public.orders: could not run distributed query with GROUPING SETS, CUBE, or ROLLUP

SELECT date_trunc('day', placed_at), count(*) FROM orders WHERE store_id = 5 GROUP BY 1 ORDER BY 1;
--> single-tenant

SELECT date_trunc('day', placed_at), count(*) FROM orders GROUP BY 1 ORDER BY 1;
--> multi-tenant public.orders

SELECT DISTINCT status FROM orders WHERE store_id = 5;
--> single-tenant

SELECT DISTINCT status FROM orders;
--> multi-tenant public.orders

SELECT DISTINCT store_id FROM orders;
--> multi-tenant public.orders

SELECT DISTINCT ON (customer_id) * FROM orders WHERE store_id = 5 ORDER BY customer_id, placed_at DESC;
--> single-tenant

SELECT DISTINCT ON (customer_id) customer_id, placed_at FROM orders ORDER BY customer_id, placed_at DESC;
--> multi-tenant public.orders

SELECT * FROM orders ORDER BY placed_at DESC LIMIT 10;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 ORDER BY placed_at DESC LIMIT 10;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 ORDER BY placed_at FETCH FIRST 5 ROWS WITH TIES;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 LIMIT ALL;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 LIMIT (SELECT 1);
--> single-tenant

SELECT order_id, rank() OVER (ORDER BY total) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT order_id, rank() OVER (ORDER BY total) FROM orders;
--> multi-tenant public.orders

SELECT order_id, rank() OVER (PARTITION BY store_id ORDER BY total) FROM orders;
--> multi-tenant public.orders

SELECT order_id, sum(total) OVER w FROM orders WHERE store_id = 5 WINDOW w AS (PARTITION BY customer_id ORDER BY placed_at);
--> single-tenant

SELECT order_id, lag(total) OVER (PARTITION BY customer_id ORDER BY placed_at) FROM orders;
--> multi-tenant public.orders

SELECT order_id, count(*) OVER () FROM orders WHERE store_id = 5 LIMIT 10;
--> single-tenant

SELECT order_id, count(*) OVER () FROM orders LIMIT 10;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 FOR UPDATE;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id = 5 FOR UPDATE;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 FOR UPDATE SKIP LOCKED;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 FOR UPDATE NOWAIT;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 FOR NO KEY UPDATE;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 FOR SHARE;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 FOR KEY SHARE;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 ORDER BY order_id LIMIT 1 FOR UPDATE;
--> single-tenant

SELECT * FROM orders WHERE order_id = 5 FOR UPDATE;
--> refused public.orders: could not run distributed query with FOR UPDATE/SHARE commands

SELECT * FROM orders WHERE order_id = 5 FOR SHARE;
--> refused public.orders: could not run distributed query with FOR UPDATE/SHARE commands

SELECT * FROM orders FOR UPDATE;
--> refused public.orders: could not run distributed query with FOR UPDATE/SHARE commands

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 FOR UPDATE OF o;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) FOR UPDATE;
--> refused public.orders public.line_items: could not run distributed query with FOR UPDATE/SHARE commands

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5 FOR UPDATE;
--> refused public.line_items: could not run distributed query with FOR UPDATE/SHARE commands

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5 FOR UPDATE) o;
--> single-tenant

SELECT * FROM products WHERE product_id = 5 FOR UPDATE;
--> no-tenant-table

SELECT * FROM settings WHERE key = 'theme' FOR UPDATE;
--> no-tenant-table

SELECT * FROM line_items l JOIN products p USING (product_id) WHERE l.store_id = 5 FOR UPDATE;
--> single-tenant

SELECT o.* FROM orders o WHERE store_id = 5 AND order_id = (SELECT min(order_id) FROM orders WHERE store_id = 5) FOR UPDATE;
--> single-tenant

SELECT 1;
--> no-tenant-table

SELECT now(), version(), current_user;
--> no-tenant-table

SELECT nextval('invoice_numbers');
--> no-tenant-table

SELECT nextval('invoice_numbers'), order_id FROM orders WHERE store_id = 5;
--> single-tenant

SELECT pg_sleep(0);
--> no-tenant-table

SELECT * FROM generate_series(1, 5);
--> no-tenant-table

SELECT *, upper(status), now(), total * 2 FROM orders WHERE store_id = $1;
--> single-tenant

SELECT random(), order_id FROM orders WHERE store_id = 5;
--> single-tenant

SELECT random(), order_id FROM orders;
--> multi-tenant public.orders

SELECT to_json(o) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT row_to_json(o) FROM orders o;
--> multi-tenant public.orders

SELECT o FROM orders o WHERE (o).store_id = 5;
--> single-tenant

SELECT (o).order_id FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT unnest(tags) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT generate_series(1, 3), order_id FROM orders;
--> multi-tenant public.orders

SELECT count(*) FROM pg_class;
--> no-tenant-table

SELECT table_name FROM information_schema.tables WHERE table_name = 'orders';
--> no-tenant-table

SELECT pg_relation_size('orders');
--> no-tenant-table

SELECT * FROM orders WHERE tableoid = 5 AND store_id = 5;
--> single-tenant

SELECT ctid, * FROM orders WHERE store_id = 5;
--> single-tenant

SELECT INTO temporary_copy FROM orders WHERE store_id = 5;
--> single-tenant
