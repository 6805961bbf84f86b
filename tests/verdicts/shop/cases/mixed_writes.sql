-- Writes put together.

UPDATE orders SET status = 'a' FROM (SELECT order_id FROM line_items WHERE store_id = 5 LIMIT 3) x WHERE orders.store_id = 5 AND orders.order_id = x.order_id;
--> single-tenant

UPDATE orders SET status = 'a' FROM (SELECT store_id, order_id FROM line_items LIMIT 3) x WHERE orders.store_id = x.store_id AND orders.order_id = x.order_id AND orders.store_id = 5;
--> multi-tenant public.line_items

UPDATE orders SET status = 'a' FROM (VALUES (5::bigint, 7::bigint), (6, 8)) v (store_id, order_id) WHERE orders.store_id = v.store_id AND orders.order_id = v.order_id;
--> multi-tenant public.orders

UPDATE orders SET status = 'a' WHERE (store_id, order_id) IN (VALUES (5, 7));
--> single-tenant

UPDATE orders SET status = 'a' WHERE (store_id, order_id) IN ((5, 7), (5, 8));
--> single-tenant

UPDATE orders SET status = 'a' WHERE (store_id, order_id) IN ((5, 7), (6, 8));
--> multi-tenant public.orders

UPDATE orders o SET status = c.name FROM customers c LEFT JOIN line_items l ON l.store_id = c.store_id WHERE o.store_id = 5 AND c.store_id = 5 AND c.customer_id = o.customer_id;
--> single-tenant

UPDATE orders o SET status = c.name FROM customers c LEFT JOIN line_items l ON l.order_id = c.customer_id WHERE o.store_id = 5 AND c.store_id = 5 AND c.customer_id = o.customer_id;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE orders o SET (status, total) = (SELECT c.name, 1 FROM customers c WHERE c.store_id = 5 AND c.customer_id = o.customer_id) WHERE o.store_id = 5;
--> single-tenant

UPDATE orders o SET (status, total) = (SELECT c.name, 1 FROM customers c WHERE c.customer_id = o.customer_id) WHERE o.store_id = 5;
--> refused public.customers: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE orders SET status = (SELECT name FROM stores WHERE stores.store_id = orders.store_id) WHERE store_id = 5;
--> multi-tenant public.stores

UPDATE orders SET status = (SELECT name FROM stores WHERE stores.store_id = orders.store_id AND stores.store_id = 5) WHERE store_id = 5;
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING (SELECT count(*) FROM line_items WHERE store_id = 5);
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING (SELECT count(*) FROM line_items);
--> multi-tenant public.line_items

UPDATE orders SET status = 'a' WHERE store_id = 5 AND status = (SELECT value FROM settings WHERE key = 'theme');
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = 5 AND (SELECT count(*) FROM products) > 1;
--> single-tenant

UPDATE orders SET placed_at = placed_at + interval '1 day', updated_at = current_timestamp WHERE store_id = 5 AND placed_at < localtimestamp;
--> refused: STABLE functions used in UPDATE queries cannot be called with column references

UPDATE orders SET order_id = nextval('invoice_numbers') WHERE store_id = 5;
--> refused: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET tags = array_append(tags, 'x'), details = details || '{}' WHERE store_id = 5;
--> single-tenant

UPDATE orders SET tags[1] = 'x' WHERE store_id = 5;
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = (SELECT 5);
--> multi-tenant public.orders

UPDATE orders SET status = 'a' WHERE store_id = (SELECT store_id FROM stores WHERE store_id = 5);
--> multi-tenant public.orders

UPDATE orders SET status = 'a' WHERE store_id IN (SELECT store_id FROM stores WHERE store_id = 5);
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = 5 AND store_id = 5;
--> single-tenant

UPDATE orders SET status = 'a' WHERE store_id = order_id AND order_id = 5;
--> single-tenant

UPDATE orders SET store_id = o.store_id FROM orders o WHERE o.store_id = 5 AND orders.store_id = 5 AND orders.order_id = o.order_id;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET store_id = 5 WHERE store_id IN (5);
--> single-tenant

UPDATE orders SET store_id = '5' WHERE store_id = 5;
--> single-tenant

UPDATE orders SET store_id = 2 + 3 WHERE store_id = 5;
--> single-tenant

UPDATE orders SET customer_id = store_id WHERE store_id = 5;
--> single-tenant

WITH x AS (SELECT 5 AS store, 7 AS id) UPDATE orders SET status = 'a' FROM x WHERE orders.store_id = x.store AND orders.order_id = x.id;
--> single-tenant

WITH x (store, id) AS (VALUES (5::bigint, 7::bigint)) UPDATE orders SET status = 'a' FROM x WHERE orders.store_id = x.store AND orders.order_id = x.id;
--> single-tenant

WITH x (store, id) AS (VALUES (5::bigint, 7::bigint), (6, 8)) UPDATE orders SET status = 'a' FROM x WHERE orders.store_id = x.store AND orders.order_id = x.id;
--> multi-tenant public.orders

WITH x AS (SELECT order_id FROM orders WHERE store_id = 5 FOR UPDATE) UPDATE orders SET status = 'a' WHERE store_id = 5 AND order_id IN (SELECT order_id FROM x);
--> single-tenant

WITH x AS (SELECT order_id FROM orders WHERE status = 'b') UPDATE orders SET status = 'a' WHERE store_id = 5 AND order_id IN (SELECT order_id FROM x);
--> multi-tenant public.orders

WITH a AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id), b AS (DELETE FROM line_items WHERE store_id = 5 RETURNING order_id) SELECT * FROM a JOIN b USING (order_id);
--> single-tenant

WITH a AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id), b AS (DELETE FROM line_items WHERE store_id = 6 RETURNING order_id) SELECT * FROM a JOIN b USING (order_id);
--> multi-tenant public.orders public.line_items

WITH a AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id) SELECT * FROM customers WHERE store_id = 5;
--> single-tenant

WITH a AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id) SELECT * FROM customers;
--> multi-tenant public.customers

WITH a AS (UPDATE orders SET status = 'a' WHERE store_id = 5 RETURNING order_id) SELECT 1;
--> single-tenant

WITH a AS (UPDATE products SET name = 'a' WHERE product_id = 5 RETURNING *) SELECT * FROM a;
--> no-tenant-table

WITH a AS (UPDATE products SET name = 'a' WHERE product_id = 5 RETURNING *) SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

WITH a AS (INSERT INTO orders (store_id, order_id) VALUES (5, 3000), (6, 3001) RETURNING order_id) SELECT * FROM a;
--> multi-tenant public.orders

WITH a AS (DELETE FROM line_items WHERE order_id = 7 RETURNING *) SELECT * FROM orders WHERE store_id = 5;
--> multi-tenant public.line_items

WITH a AS (SELECT 1) INSERT INTO orders (store_id, order_id) VALUES (5, 3002);
--> single-tenant

WITH a AS (SELECT store_id, order_id + 4000 AS order_id FROM orders WHERE store_id = 5) INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id FROM a;
--> multi-tenant archive.orders

WITH a AS (SELECT store_id, order_id + 4000 AS order_id FROM orders) INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id FROM a WHERE store_id = 5;
--> multi-tenant archive.orders

WITH a AS (SELECT 5::bigint AS store_id) INSERT INTO archive.orders (store_id, order_id) SELECT store_id, 4100 FROM a;
--> multi-tenant archive.orders

DELETE FROM line_items WHERE (store_id, line_item_id) IN (SELECT store_id, line_item_id FROM line_items WHERE store_id = 5 LIMIT 3);
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = 5 AND (store_id, line_item_id) IN (SELECT store_id, line_item_id FROM line_items WHERE store_id = 5 LIMIT 3);
--> single-tenant

DELETE FROM line_items WHERE (store_id, line_item_id) IN ((5, 7), (5, 8));
--> single-tenant

DELETE FROM line_items l USING orders o, customers c WHERE o.store_id = l.store_id AND c.store_id = o.store_id AND c.customer_id = o.customer_id AND o.order_id = l.order_id AND c.store_id = 5;
--> single-tenant

DELETE FROM line_items l USING orders o, customers c WHERE o.store_id = l.store_id AND c.customer_id = o.customer_id AND o.order_id = l.order_id AND l.store_id = 5;
--> refused public.customers: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM line_items l USING orders o LEFT JOIN customers c USING (store_id, customer_id) WHERE o.store_id = 5 AND l.store_id = 5 AND o.order_id = l.order_id;
--> single-tenant

DELETE FROM line_items l USING (VALUES (7), (8)) v (id) WHERE l.store_id = 5 AND l.line_item_id = v.id;
--> single-tenant

DELETE FROM line_items l USING (VALUES (5, 7), (5, 8)) v (store_id, id) WHERE l.store_id = v.store_id AND l.line_item_id = v.id;
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = 5 AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.store_id = line_items.store_id AND o.order_id = line_items.order_id);
--> single-tenant

DELETE FROM line_items WHERE store_id = 5 AND order_id = (SELECT max(order_id) FROM orders WHERE store_id = line_items.store_id);
--> multi-tenant public.orders

DELETE FROM line_items WHERE store_id = 5 AND quantity < (SELECT avg(quantity) FROM line_items WHERE store_id = 5);
--> single-tenant

DELETE FROM line_items WHERE store_id = 5 AND quantity < (SELECT avg(quantity) FROM line_items);
--> multi-tenant public.line_items

DELETE FROM line_items WHERE store_id = $1 AND order_id = ANY ($2);
--> single-tenant

DELETE FROM line_items WHERE store_id = ANY ($1);
--> multi-tenant public.line_items

DELETE FROM products WHERE product_id IN (SELECT product_id FROM line_items WHERE store_id = 5);
--> refused: cannot perform select on a distributed table and modify a reference table

DELETE FROM products WHERE NOT EXISTS (SELECT 1 FROM line_items l WHERE l.product_id = products.product_id);
--> refused public.line_items: only reference tables may be queried when targeting a reference table with multi shard UPDATE/DELETE queries with multiple tables 

DELETE FROM settings WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.store_id = 5 AND o.status = settings.key);
--> refused: relation settings is not distributed

INSERT INTO orders (store_id, order_id, status) VALUES (5, 3100, 'a' || 'b'), (5, 3101, upper('c'));
--> single-tenant

INSERT INTO orders (store_id, order_id, status) VALUES (5, 3102, CASE WHEN now() > '2024-01-01' THEN 'a' ELSE 'b' END);
--> single-tenant

INSERT INTO orders (store_id, order_id, placed_at) VALUES (5, 3103, clock_timestamp());
--> single-tenant

INSERT INTO orders (store_id, order_id, tags, details) VALUES ($1, $2, ARRAY['a'], '{"a": 1}');
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ($1 + 0, $2);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (coalesce($1, 5), $2);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ((5), (3104)), ('5', 3105);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 3106), (2 + 3, 3107);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ($1, 3108), (5, 3109);
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) WHERE total > 0 DO NOTHING;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET (status, total) = (excluded.status, 1);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET total = orders.total + excluded.total WHERE orders.status <> 'x';
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET order_id = nextval('invoice_numbers');
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET status = current_user;
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET status = 'x' RETURNING *;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 3110) RETURNING (SELECT count(*) FROM orders WHERE store_id = 5);
--> refused: subqueries are not supported within INSERT queries

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 900 FROM paid_orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 900 FROM all_orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, 901 FROM store_totals WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT o.store_id, o.order_id + 900 FROM orders o LEFT JOIN archive.orders a USING (store_id, order_id) WHERE o.store_id = 5 AND a.order_id IS NULL;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT o.store_id, o.order_id + 900 FROM orders o WHERE o.store_id = 5 AND NOT EXISTS (SELECT 1 FROM archive.orders a WHERE a.store_id = o.store_id AND a.order_id = o.order_id);
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT o.store_id, o.order_id + 900 FROM orders o WHERE o.store_id = 5 AND NOT EXISTS (SELECT 1 FROM archive.orders a WHERE a.order_id = o.order_id);
--> refused archive.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

INSERT INTO archive.orders (store_id, order_id) SELECT DISTINCT store_id, customer_id + 900 FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, row_number() OVER (ORDER BY order_id) + 900 FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id + 0, order_id + 900 FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT l.store_id, o.order_id + 900 FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT s.store_id, p.product_id + 900 FROM stores s, products p WHERE s.store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT s.store_id, j.id + 900 FROM stores s, job_log j WHERE s.store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id, archived_at) SELECT store_id, order_id + 900, now() FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, nextval('invoice_numbers') + 100000 FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, (random() * 1000000)::bigint FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id, total) SELECT store_id, order_id + 900, (SELECT sum(price) FROM line_items WHERE store_id = 5) FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id, total) SELECT store_id, order_id + 900, (SELECT sum(price) FROM line_items) FROM orders WHERE store_id = 5;
--> multi-tenant public.line_items

INSERT INTO archive.orders TABLE archive.orders;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) (SELECT store_id, order_id + 900 FROM orders WHERE store_id = 5);
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 900 FROM orders WHERE store_id = 5 UNION ALL SELECT store_id, order_id + 950 FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 900 FROM orders WHERE store_id = 5 UNION ALL SELECT store_id, order_id + 950 FROM orders WHERE store_id = 6;
--> multi-tenant archive.orders

INSERT INTO archive.line_items (store_id, line_item_id, quantity) SELECT store_id, line_item_id + 900, quantity FROM order_lines WHERE store_id = $1;
--> single-tenant

INSERT INTO settings (key) SELECT 'o' || order_id FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO settings (key) SELECT 'o' || order_id FROM orders;
--> multi-tenant public.orders

MERGE INTO customers t USING (SELECT store_id, customer_id, count(*) AS n FROM orders WHERE store_id = 5 GROUP BY 1, 2) s ON t.store_id = s.store_id AND t.customer_id = s.customer_id WHEN MATCHED THEN UPDATE SET name = s.n::text;
--> multi-tenant public.customers

MERGE INTO archive.orders t USING orders s ON t.store_id = s.store_id AND t.order_id = s.order_id AND t.store_id = 5 WHEN MATCHED THEN DELETE;
--> single-tenant

MERGE INTO archive.orders t USING orders s ON t.store_id = s.store_id AND t.order_id = s.order_id AND s.store_id = 5 WHEN NOT MATCHED THEN INSERT (store_id, order_id) VALUES (s.store_id, s.order_id);
--> multi-tenant public.orders archive.orders

MERGE INTO archive.orders t USING orders s ON t.store_id = 5 AND s.store_id = 5 AND t.order_id = s.order_id WHEN MATCHED THEN DELETE;
--> single-tenant

MERGE INTO archive.orders t USING (SELECT * FROM orders WHERE store_id = 5) s ON t.order_id = s.order_id WHEN MATCHED THEN DELETE;
--> refused archive.orders: The required join operation is missing between the target's distribution column and any expression originating from the source. The issue may arise from a non-equi-join.

MERGE INTO archive.orders t USING (SELECT * FROM orders WHERE store_id = $1) s ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN MATCHED THEN UPDATE SET status = s.status WHEN NOT MATCHED THEN INSERT (store_id, order_id) VALUES (s.store_id, s.order_id);
--> single-tenant

MERGE INTO archive.orders t USING (SELECT * FROM orders WHERE store_id = 5) s ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN NOT MATCHED THEN INSERT (store_id, order_id) VALUES (6, s.order_id);
--> refused archive.orders: MERGE INSERT is using unsupported expression type for distribution column

MERGE INTO archive.orders t USING paid_orders s ON t.store_id = s.store_id AND t.order_id = s.order_id WHEN MATCHED THEN DO NOTHING;
--> multi-tenant public.orders archive.orders

UPDATE line_items l SET quantity = 2 WHERE l.store_id = 5 AND EXISTS (SELECT 1 FROM settings s JOIN stores t ON true WHERE t.store_id = l.store_id);
--> refused: relation settings is not distributed

WITH c AS (SELECT * FROM products) INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100000 FROM paid_orders WHERE store_id = 5;
--> refused: cannot execute a distributed query from a query on a shard
