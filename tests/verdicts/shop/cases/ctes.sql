-- CTEs: inlined or not, used once, twice or never, recursive, data-modifying.

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x;
--> single-tenant

WITH x AS (SELECT * FROM orders) SELECT * FROM x WHERE store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM orders) SELECT * FROM x;
--> multi-tenant public.orders

WITH x AS MATERIALIZED (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x;
--> single-tenant

WITH x AS MATERIALIZED (SELECT * FROM orders) SELECT * FROM x WHERE store_id = 5;
--> multi-tenant public.orders

WITH x AS NOT MATERIALIZED (SELECT * FROM orders) SELECT * FROM x WHERE store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x a JOIN x b ON a.order_id = b.order_id;
--> single-tenant

WITH x AS (SELECT * FROM orders) SELECT * FROM x a JOIN x b ON a.store_id = b.store_id WHERE a.store_id = 5;
--> multi-tenant public.orders

WITH x AS NOT MATERIALIZED (SELECT * FROM orders) SELECT * FROM x a JOIN x b ON a.store_id = b.store_id WHERE a.store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x JOIN line_items l ON l.order_id = x.order_id WHERE l.store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x JOIN line_items l ON l.order_id = x.order_id AND l.store_id = x.store_id;
--> single-tenant

WITH x AS MATERIALIZED (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x JOIN line_items l ON l.order_id = x.order_id AND l.store_id = x.store_id;
--> multi-tenant public.line_items

WITH x AS MATERIALIZED (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x JOIN line_items l ON l.order_id = x.order_id AND l.store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x JOIN line_items l ON l.order_id = x.order_id;
--> multi-tenant public.line_items

WITH x AS (SELECT * FROM orders WHERE store_id = 5), y AS (SELECT * FROM line_items WHERE store_id = 5) SELECT * FROM x JOIN y USING (order_id);
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5), y AS (SELECT * FROM line_items WHERE store_id = 6) SELECT * FROM x JOIN y USING (order_id);
--> multi-tenant public.orders public.line_items

WITH x AS (SELECT * FROM orders WHERE store_id = $1), y AS (SELECT * FROM x WHERE status = 'paid') SELECT * FROM y;
--> single-tenant

WITH x AS (SELECT * FROM orders), y AS (SELECT * FROM x WHERE store_id = 5) SELECT count(*) FROM y;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5), y AS (SELECT * FROM line_items) SELECT * FROM x;
--> single-tenant

WITH unused AS (SELECT * FROM orders) SELECT * FROM line_items WHERE store_id = 5;
--> single-tenant

WITH x AS (SELECT order_id FROM line_items WHERE store_id = 5 GROUP BY order_id) SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM x);
--> single-tenant

WITH x AS (SELECT order_id FROM line_items GROUP BY order_id) SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM x);
--> multi-tenant public.line_items

WITH x AS (SELECT store_id, count(*) AS n FROM orders GROUP BY store_id) SELECT * FROM x WHERE store_id = 5;
--> single-tenant

WITH x (a, b) AS (SELECT store_id, order_id FROM orders) SELECT * FROM x WHERE a = 5;
--> single-tenant

WITH x (store_id, b) AS (SELECT order_id, store_id FROM orders) SELECT * FROM x WHERE store_id = 5;
--> multi-tenant public.orders

WITH x AS (SELECT 5 AS store) SELECT * FROM orders, x WHERE orders.store_id = x.store;
--> single-tenant

WITH x AS (SELECT 5::bigint AS store) SELECT * FROM orders JOIN x ON orders.store_id = x.store;
--> single-tenant

WITH x AS MATERIALIZED (SELECT 5::bigint AS store) SELECT * FROM orders JOIN x ON orders.store_id = x.store;
--> multi-tenant public.orders

WITH x AS (VALUES (5)) SELECT * FROM orders JOIN x ON orders.store_id = x.column1;
--> single-tenant

WITH x AS (SELECT $1::bigint AS store) SELECT * FROM orders WHERE store_id = (SELECT store FROM x);
--> multi-tenant public.orders

WITH orders AS (SELECT 1 AS order_id) SELECT * FROM orders;
--> no-tenant-table

WITH orders AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM orders;
--> single-tenant

WITH orders AS (SELECT * FROM settings) SELECT * FROM public.orders WHERE store_id = 5;
--> single-tenant

WITH x AS (WITH y AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM y) SELECT * FROM x;
--> single-tenant

WITH x AS (SELECT * FROM products) SELECT * FROM x JOIN line_items l USING (product_id) WHERE l.store_id = 5;
--> single-tenant

WITH x AS (SELECT * FROM settings) SELECT * FROM x;
--> no-tenant-table

WITH x AS (SELECT *, random() AS r FROM orders WHERE store_id = 5) SELECT * FROM x;
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5 FOR UPDATE) SELECT * FROM x;
--> single-tenant

WITH x AS (SELECT order_id FROM orders WHERE store_id = 5 LIMIT 10) SELECT * FROM line_items l WHERE l.store_id = 5 AND l.order_id IN (SELECT order_id FROM x);
--> single-tenant

WITH x AS (SELECT order_id FROM orders WHERE store_id = 5 LIMIT 10), y AS (SELECT order_id FROM archive.orders WHERE store_id = 5) SELECT * FROM x UNION ALL SELECT * FROM y;
--> single-tenant

-- Recursive.

WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n;
--> no-tenant-table

WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT * FROM n JOIN orders ON orders.order_id = n.i WHERE orders.store_id = 5;
--> single-tenant

WITH RECURSIVE r AS (SELECT store_id, customer_id, referred_by FROM customers WHERE store_id = 5 AND customer_id = 7 UNION ALL SELECT c.store_id, c.customer_id, c.referred_by FROM customers c JOIN r ON c.customer_id = r.referred_by WHERE c.store_id = 5) SELECT * FROM r;
--> single-tenant

WITH RECURSIVE r AS (SELECT store_id, customer_id, referred_by FROM customers WHERE store_id = 5 AND customer_id = 7 UNION ALL SELECT c.store_id, c.customer_id, c.referred_by FROM customers c JOIN r ON c.customer_id = r.referred_by AND c.store_id = r.store_id) SELECT * FROM r;
--> refused public.customers: recursive CTEs are only supported when they contain a filter on the distribution column

WITH RECURSIVE r AS (SELECT store_id, customer_id, referred_by FROM customers WHERE customer_id = 7 UNION ALL SELECT c.store_id, c.customer_id, c.referred_by FROM customers c JOIN r ON c.customer_id = r.referred_by) SELECT * FROM r;
--> refused public.customers: recursive CTEs are only supported when they contain a filter on the distribution column

WITH RECURSIVE r AS (SELECT store_id, customer_id, referred_by FROM customers WHERE store_id = $1 AND customer_id = $2 UNION SELECT c.store_id, c.customer_id, c.referred_by FROM customers c JOIN r ON c.customer_id = r.referred_by WHERE c.store_id = $1) SELECT * FROM r ORDER BY customer_id;
--> single-tenant

WITH RECURSIVE x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x;
--> single-tenant

-- Data-modifying.

WITH x AS (UPDATE orders SET status = 'paid' WHERE store_id = 5 AND order_id = 5 RETURNING *) SELECT * FROM x;
--> single-tenant

WITH x AS (UPDATE orders SET status = 'paid' WHERE order_id = 5 RETURNING *) SELECT * FROM x;
--> multi-tenant public.orders

WITH x AS (DELETE FROM line_items WHERE store_id = 5 RETURNING *) INSERT INTO archive.line_items (store_id, line_item_id, order_id, quantity) SELECT store_id, line_item_id + 100, order_id, quantity FROM x;
--> multi-tenant archive.line_items

WITH x AS (DELETE FROM line_items WHERE store_id = 5 RETURNING *) SELECT count(*) FROM x;
--> single-tenant

WITH x AS (DELETE FROM line_items WHERE store_id = 5) DELETE FROM archive.line_items WHERE store_id = 5;
--> single-tenant

WITH x AS (DELETE FROM line_items WHERE store_id = 5) DELETE FROM archive.line_items WHERE store_id = 6;
--> multi-tenant public.line_items archive.line_items

WITH x AS (INSERT INTO orders (store_id, order_id) VALUES (5, 200) RETURNING store_id, order_id) SELECT * FROM x;
--> single-tenant

WITH x AS (INSERT INTO orders (store_id, order_id) VALUES (5, 201) RETURNING store_id, order_id) INSERT INTO line_items (store_id, line_item_id, order_id) SELECT store_id, 201, order_id FROM x;
--> multi-tenant public.line_items

WITH x AS (INSERT INTO orders (store_id, order_id) VALUES (5, 202) RETURNING order_id) INSERT INTO line_items (store_id, line_item_id, order_id) SELECT 5, 202, order_id FROM x;
--> multi-tenant public.line_items

WITH x AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id) UPDATE line_items SET quantity = 2 WHERE store_id = 5 AND order_id IN (SELECT order_id FROM x);
--> single-tenant

WITH x AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id) UPDATE line_items SET quantity = 2 WHERE order_id IN (SELECT order_id FROM x);
--> multi-tenant public.line_items

WITH x AS (SELECT order_id FROM orders WHERE store_id = 5 AND status = 'paid') UPDATE line_items SET quantity = 2 FROM x WHERE line_items.store_id = 5 AND line_items.order_id = x.order_id;
--> single-tenant

WITH x AS (SELECT order_id FROM orders WHERE store_id = 5 AND status = 'paid' LIMIT 1 FOR UPDATE SKIP LOCKED) UPDATE orders SET status = 'x' FROM x WHERE orders.store_id = 5 AND orders.order_id = x.order_id RETURNING orders.*;
--> single-tenant

WITH x AS (INSERT INTO job_log (id, message) VALUES (100, 'x') RETURNING id) SELECT * FROM orders WHERE store_id = 5;
--> single-tenant
