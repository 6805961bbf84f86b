-- INSERT: values, rows, defaults, SELECT, ON CONFLICT, RETURNING.

INSERT INTO orders (store_id, order_id) VALUES (5, 400);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ($1, $2);
--> single-tenant

INSERT INTO orders VALUES (5, 401);
--> single-tenant

INSERT INTO orders (order_id, store_id) VALUES (402, 5);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ('5', 403);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (2 + 3, 404);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 405), (5, 406);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 407), (6, 408);
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) VALUES ($1, $2), ($1, $3);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES ($1, $2), ($3, $4);
--> multi-tenant public.orders

INSERT INTO orders (order_id) VALUES (409);
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO orders (order_id, status) VALUES ($1, $2);
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO orders (store_id, order_id) VALUES (NULL, 410);
--> refused public.orders: cannot perform an INSERT with NULL in the partition column

INSERT INTO orders (store_id, order_id) VALUES (DEFAULT, 411);
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO orders DEFAULT VALUES;
--> refused public.orders: cannot perform an INSERT without a partition column value

INSERT INTO orders (store_id, order_id, status) VALUES (5, 412, DEFAULT);
--> single-tenant

INSERT INTO orders (store_id, order_id, total) VALUES (5, 413, (SELECT 1));
--> refused: subqueries are not supported within INSERT queries

INSERT INTO orders (store_id, order_id, total) VALUES (5, (SELECT max(order_id) + 1 FROM orders WHERE store_id = 5), 1);
--> refused: subqueries are not supported within INSERT queries

INSERT INTO orders (store_id, order_id) VALUES ((SELECT store_id FROM stores WHERE store_id = 5), 414);
--> refused public.orders: subqueries are not supported within INSERT queries

INSERT INTO orders (store_id, order_id) VALUES (5, nextval('invoice_numbers') + 1000);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, (random() * 100000)::bigint + 5000);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (nextval('invoice_numbers'), 415);
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (current_setting('server_version_num')::bigint, 416);
--> single-tenant

INSERT INTO orders (store_id, order_id, placed_at) VALUES (5, 417, now());
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 418) RETURNING *;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 419) RETURNING order_id, (SELECT 1);
--> refused: subqueries are not supported within INSERT queries

INSERT INTO orders (store_id, order_id) VALUES (5, 420), (6, 421) RETURNING order_id;
--> multi-tenant public.orders

INSERT INTO orders AS o (store_id, order_id) VALUES (5, 422) RETURNING o.order_id;
--> single-tenant

-- ON CONFLICT.

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT DO NOTHING;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO NOTHING;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (order_id, store_id) DO NOTHING;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (order_id) DO NOTHING;
--> refused: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT ON CONSTRAINT orders_pkey DO NOTHING;
--> single-tenant

INSERT INTO orders (store_id, order_id, status) VALUES (5, 5, 'a') ON CONFLICT (store_id, order_id) DO UPDATE SET status = excluded.status;
--> single-tenant

INSERT INTO orders (store_id, order_id, status) VALUES ($1, $2, $3) ON CONFLICT (store_id, order_id) DO UPDATE SET status = excluded.status;
--> single-tenant

INSERT INTO orders (store_id, order_id, status) VALUES (5, 5, 'a') ON CONFLICT (order_id) DO UPDATE SET status = excluded.status;
--> refused: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO orders (store_id, order_id, status) VALUES (5, 5, 'a'), (5, 6, 'b') ON CONFLICT (store_id, order_id) DO UPDATE SET status = excluded.status;
--> single-tenant

INSERT INTO orders (store_id, order_id, status) VALUES (5, 5, 'a'), (6, 6, 'b') ON CONFLICT (store_id, order_id) DO UPDATE SET status = excluded.status;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET updated_at = now();
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO orders (store_id, order_id, updated_at) VALUES (5, 5, now()) ON CONFLICT (store_id, order_id) DO UPDATE SET updated_at = excluded.updated_at;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET total = random();
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET lock_version = orders.lock_version + 1;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET status = 'a' WHERE orders.placed_at < now();
--> refused: functions used in the WHERE clause of the ON CONFLICT clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET status = (SELECT 'a');
--> refused: subqueries are not supported within INSERT queries

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET store_id = 6;
--> refused: modifying the partition value of rows is not allowed

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET store_id = excluded.store_id;
--> single-tenant

INSERT INTO orders (store_id, order_id) VALUES (5, 5) ON CONFLICT (store_id, order_id) DO UPDATE SET order_id = excluded.order_id;
--> single-tenant

INSERT INTO settings (key, value) VALUES ('a', 'b') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
--> no-tenant-table

INSERT INTO settings (key, value) VALUES ('a', (SELECT count(*) FROM orders WHERE store_id = 5)::text);
--> refused: subqueries are not supported within INSERT queries

INSERT INTO settings (key, value) VALUES ('a', (SELECT count(*) FROM orders)::text);
--> refused public.orders: subqueries are not supported within INSERT queries

INSERT INTO products (product_id, name) VALUES (500, 'x');
--> no-tenant-table

INSERT INTO products (product_id, name) VALUES (500, 'x') ON CONFLICT (product_id) DO UPDATE SET name = excluded.name;
--> no-tenant-table

-- INSERT ... SELECT.

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE store_id = $1 AND placed_at < $2;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders;
--> multi-tenant archive.orders public.orders

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE status = 'paid' RETURNING order_id;
--> multi-tenant archive.orders public.orders

INSERT INTO archive.orders (order_id, store_id) SELECT order_id + 100, store_id FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT customer_id, order_id + 100 FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT 6, order_id + 100 FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders public.orders

INSERT INTO archive.orders (store_id, order_id) SELECT 5, order_id + 100 FROM orders WHERE store_id = 5;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT $1, order_id + 100 FROM orders WHERE store_id = $1;
--> multi-tenant archive.orders

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE store_id = 5 ORDER BY order_id LIMIT 5;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, max(order_id) + 100 FROM orders WHERE store_id = 5 GROUP BY store_id;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, max(order_id) + 100 FROM orders GROUP BY store_id;
--> multi-tenant archive.orders public.orders

INSERT INTO archive.orders (store_id, order_id, total) SELECT o.store_id, o.order_id + 100, sum(l.price) FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 GROUP BY 1, 2;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id, total) SELECT o.store_id, o.order_id + 100, l.price FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE store_id = 5 ON CONFLICT DO NOTHING;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id, status) SELECT store_id, order_id, status FROM orders WHERE store_id = 5 ON CONFLICT (store_id, order_id) DO UPDATE SET status = excluded.status;
--> single-tenant

INSERT INTO archive.orders (store_id, order_id) SELECT store_id, order_id + 100 FROM orders WHERE store_id = 5 UNION SELECT store_id, line_item_id + 200 FROM line_items WHERE store_id = 5;
--> single-tenant

INSERT INTO archive.orders SELECT * FROM archive.orders WHERE store_id = 500;
--> single-tenant

INSERT INTO orders (store_id, order_id) SELECT 5, 430;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT 5, 431 WHERE NOT EXISTS (SELECT 1 FROM orders WHERE store_id = 5 AND order_id = 431);
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT 5, g + 5000 FROM generate_series(1, 3) g;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT $1, u + 5000 FROM unnest($2::bigint[]) u;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT * FROM (VALUES (5, 440), (5, 441)) v;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT store_id, id + 6000 FROM job_log;
--> multi-tenant public.orders

INSERT INTO orders (store_id, order_id) SELECT 5, product_id + 7000 FROM products;
--> multi-tenant public.orders

INSERT INTO line_items (store_id, line_item_id, order_id, product_id) SELECT o.store_id, o.order_id + 300, o.order_id, p.product_id FROM orders o CROSS JOIN products p WHERE o.store_id = 5 AND p.product_id = 5;
--> multi-tenant public.line_items

INSERT INTO job_log (id, store_id) SELECT order_id + 100, store_id FROM orders WHERE store_id = 5;
--> single-tenant

INSERT INTO job_log (id, store_id) SELECT order_id + 100, store_id FROM orders;
--> multi-tenant public.orders

INSERT INTO job_log (id) SELECT product_id + 100 FROM products;
--> no-tenant-table

INSERT INTO products (product_id) SELECT order_id + 800 FROM orders WHERE store_id = 5;
--> multi-tenant public.orders

INSERT INTO products (product_id) SELECT order_id + 800 FROM orders;
--> multi-tenant public.orders

INSERT INTO stores (store_id, name) VALUES (5000, 'new');
--> single-tenant

INSERT INTO stores (name) VALUES ('new');
--> refused public.stores: cannot perform an INSERT without a partition column value

INSERT INTO "OrderNotes" (store_id, "NoteId", "Body Text") VALUES (5, 800, 'x');
--> single-tenant

INSERT INTO "OrderNotes" ("NoteId", "Body Text") VALUES (800, 'x');
--> refused public."OrderNotes": cannot perform an INSERT without a partition column value
