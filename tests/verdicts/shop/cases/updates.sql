-- UPDATE: alone, with FROM, with sub-selects; what may be set.

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND order_id = 7;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = $1 AND order_id = $2;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE order_id = 7;
--> multi-tenant public.orders

UPDATE orders SET status = 'paid';
--> multi-tenant public.orders

UPDATE orders AS o SET status = 'paid' WHERE o.store_id = 5;
--> single-tenant

UPDATE ONLY orders SET status = 'paid' WHERE store_id = 5;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id IN (5);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id IN (5, 6);
--> multi-tenant public.orders

UPDATE orders SET status = 'paid' WHERE store_id = 5 OR order_id = 7;
--> multi-tenant public.orders

UPDATE orders SET status = 'paid' WHERE (store_id, order_id) = (5, 7);
--> single-tenant

UPDATE orders SET status = 'paid', total = total + 1, lock_version = lock_version + 1 WHERE store_id = 5 AND lock_version = 3;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5 RETURNING *;
--> single-tenant

UPDATE orders SET status = 'paid' WHERE order_id = 7 RETURNING *;
--> multi-tenant public.orders

UPDATE orders SET placed_at = now() WHERE store_id = 5;
--> single-tenant

UPDATE orders SET placed_at = now() WHERE order_id = 5;
--> multi-tenant public.orders

UPDATE orders SET total = random() WHERE store_id = 5;
--> refused: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET total = random() WHERE order_id = 5;
--> refused public.orders: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET note = gen_random_uuid()::text WHERE store_id = 5;
--> refused: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET note = gen_random_uuid()::text WHERE order_id = 5;
--> refused public.orders: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET placed_at = clock_timestamp() WHERE status = 'new';
--> refused public.orders: functions used in UPDATE queries on distributed tables must not be VOLATILE

UPDATE orders SET status = DEFAULT WHERE store_id = 5;
--> single-tenant

UPDATE orders SET (status, note) = ('a', 'b') WHERE store_id = 5;
--> single-tenant

UPDATE orders SET (status, note) = (SELECT 'a', 'b') WHERE store_id = 5;
--> single-tenant

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.store_id = orders.store_id AND l.order_id = orders.order_id) WHERE store_id = 5;
--> multi-tenant public.line_items

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.store_id = 5 AND l.order_id = orders.order_id) WHERE store_id = 5;
--> single-tenant

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.order_id = orders.order_id) WHERE store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.store_id = 5) WHERE store_id = 5;
--> single-tenant

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.store_id = 6) WHERE store_id = 5;
--> multi-tenant public.orders public.line_items

UPDATE orders SET total = (SELECT sum(price) FROM line_items) WHERE store_id = 5;
--> multi-tenant public.line_items

UPDATE orders SET total = (SELECT price FROM products WHERE product_id = 5) WHERE store_id = 5;
--> single-tenant

UPDATE orders SET note = (SELECT value FROM settings WHERE key = 'theme') WHERE store_id = 5;
--> single-tenant

UPDATE orders SET total = (SELECT sum(price) FROM line_items l WHERE l.store_id = orders.store_id AND l.order_id = orders.order_id);
--> multi-tenant public.orders public.line_items

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = 5);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items);
--> multi-tenant public.line_items

UPDATE orders SET status = 'paid' WHERE order_id IN (SELECT order_id FROM line_items WHERE store_id = 5);
--> multi-tenant public.orders

UPDATE orders SET status = 'paid' WHERE (store_id, order_id) IN (SELECT store_id, order_id FROM line_items WHERE store_id = 5);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = orders.store_id AND l.order_id = orders.order_id);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = orders.order_id);
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND NOT EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = 5 AND l.order_id = orders.order_id);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE store_id = 5 AND order_id = (SELECT max(order_id) FROM orders WHERE store_id = 5);
--> single-tenant

UPDATE orders SET status = 'paid' WHERE order_id = (SELECT max(order_id) FROM orders WHERE store_id = 5);
--> multi-tenant public.orders

UPDATE orders o SET total = l.price FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id AND o.store_id = 5;
--> single-tenant

UPDATE orders o SET total = l.price FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id AND l.store_id = 5;
--> single-tenant

UPDATE orders o SET total = l.price FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id;
--> multi-tenant public.orders public.line_items

UPDATE orders o SET total = l.price FROM line_items l WHERE l.order_id = o.order_id AND o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE orders o SET total = l.price FROM line_items l WHERE l.order_id = o.order_id AND o.store_id = 5 AND l.store_id = 5;
--> single-tenant

UPDATE orders o SET total = l.price FROM line_items l WHERE l.order_id = o.order_id AND o.store_id = 5 AND l.store_id = 6;
--> refused public.orders public.line_items: router planner does not support queries that reference non-colocated distributed tables

UPDATE orders o SET total = l.price FROM line_items l JOIN products p USING (product_id) WHERE l.store_id = 5 AND o.store_id = 5 AND l.order_id = o.order_id;
--> single-tenant

UPDATE line_items l SET price = p.price FROM products p WHERE p.product_id = l.product_id AND l.store_id = 5;
--> single-tenant

UPDATE line_items l SET price = p.price FROM products p WHERE p.product_id = l.product_id;
--> multi-tenant public.line_items

UPDATE orders SET note = s.value FROM settings s WHERE orders.store_id = 5 AND s.key = 'theme';
--> single-tenant

UPDATE orders SET note = s.value FROM settings s WHERE s.key = orders.status;
--> multi-tenant public.orders

UPDATE orders SET total = v.total FROM (VALUES (7, 1.5), (8, 2.5)) v (order_id, total) WHERE orders.store_id = 5 AND orders.order_id = v.order_id;
--> single-tenant

UPDATE orders SET total = v.total FROM (VALUES (7, 1.5), (8, 2.5)) v (order_id, total) WHERE orders.order_id = v.order_id;
--> multi-tenant public.orders

UPDATE orders SET total = v.total FROM (VALUES (5, 7, 1.5)) v (store_id, order_id, total) WHERE orders.store_id = v.store_id AND orders.order_id = v.order_id;
--> single-tenant

UPDATE orders SET total = v.total FROM unnest($1::bigint[], $2::numeric[]) v (order_id, total) WHERE orders.store_id = $3 AND orders.order_id = v.order_id;
--> single-tenant

UPDATE orders SET total = x.n FROM (SELECT order_id, count(*) AS n FROM line_items WHERE store_id = 5 GROUP BY order_id) x WHERE orders.store_id = 5 AND orders.order_id = x.order_id;
--> single-tenant

UPDATE orders SET total = x.n FROM (SELECT store_id, order_id, count(*) AS n FROM line_items GROUP BY store_id, order_id) x WHERE orders.store_id = 5 AND orders.store_id = x.store_id AND orders.order_id = x.order_id;
--> single-tenant

UPDATE orders SET store_id = 5 WHERE store_id = 5;
--> single-tenant

UPDATE orders SET store_id = store_id WHERE store_id = 5;
--> single-tenant

UPDATE orders SET store_id = 6 WHERE store_id = 5;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET store_id = store_id + 1 WHERE store_id = 5;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET store_id = store_id;
--> multi-tenant public.orders

UPDATE orders SET store_id = $1 WHERE store_id = $1;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET store_id = $2 WHERE store_id = $1;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET store_id = 5, status = 'paid' WHERE order_id = 7;
--> refused public.orders: modifying the partition value of rows is not allowed

UPDATE orders SET order_id = 8 WHERE store_id = 5 AND order_id = 7;
--> single-tenant

UPDATE stores SET name = 'x' WHERE store_id = 5;
--> single-tenant

UPDATE stores SET name = 'x' WHERE name = 'store 5';
--> multi-tenant public.stores

UPDATE products SET price = 1 WHERE product_id = 5;
--> no-tenant-table

UPDATE products SET price = l.price FROM line_items l WHERE l.product_id = products.product_id AND l.store_id = 5;
--> refused: cannot perform select on a distributed table and modify a reference table

UPDATE settings SET value = 'x' WHERE key = 'theme';
--> no-tenant-table

UPDATE settings SET value = (SELECT count(*) FROM orders WHERE store_id = 5)::text WHERE key = 'theme';
--> single-tenant

UPDATE settings SET value = (SELECT count(*) FROM orders)::text WHERE key = 'theme';
--> multi-tenant public.orders

UPDATE settings SET value = o.status FROM orders o WHERE o.store_id = 5 AND settings.key = o.order_id::text;
--> single-tenant

UPDATE "OrderNotes" SET "Body Text" = 'x' WHERE store_id = 5 AND "NoteId" = 5;
--> single-tenant

UPDATE "OrderNotes" SET "Body Text" = 'x' WHERE "NoteId" = 5;
--> multi-tenant public."OrderNotes"

UPDATE archive.orders SET status = 'x' WHERE archive.orders.store_id = 5;
--> single-tenant
