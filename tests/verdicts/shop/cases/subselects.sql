-- Sub-selects in WHERE: IN, EXISTS, scalar; correlated and not; nested.

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = 6);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE quantity > 1);
--> multi-tenant public.line_items

SELECT * FROM orders WHERE order_id IN (SELECT order_id FROM line_items WHERE store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = $1 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = $1);
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = $2);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders WHERE store_id = 5 AND order_id NOT IN (SELECT order_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id NOT IN (SELECT order_id FROM line_items WHERE store_id = 6);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders WHERE store_id = 5 AND order_id NOT IN (SELECT order_id FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM orders WHERE store_id = 5 AND order_id = ANY (SELECT order_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id > ALL (SELECT order_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id > ALL (SELECT order_id FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM orders WHERE (store_id, order_id) IN (SELECT store_id, order_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN (SELECT store_id, order_id FROM line_items) AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN (SELECT store_id, order_id FROM line_items WHERE quantity > 1);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders WHERE (store_id, order_id) NOT IN (SELECT store_id, order_id FROM line_items WHERE store_id = 5) AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) NOT IN (SELECT store_id, order_id FROM line_items) AND store_id = 5;
--> multi-tenant public.line_items

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM stores WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM stores WHERE name = 'store 5');
--> multi-tenant public.orders public.stores

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM line_items) AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM job_log WHERE id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT product_id FROM products WHERE product_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = (SELECT store_id FROM stores WHERE store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = (SELECT store_id FROM stores WHERE name = 'store 5');
--> multi-tenant public.orders public.stores

SELECT * FROM orders WHERE store_id = (SELECT value::bigint FROM settings WHERE key = '5');
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = (SELECT max(product_id) FROM products);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND total > (SELECT avg(total) FROM orders WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND total > (SELECT avg(total) FROM orders WHERE store_id = 6);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND total > (SELECT avg(total) FROM orders);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE store_id = 5 AND total > (SELECT avg(total) FROM orders i WHERE i.store_id = o.store_id);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE store_id = 5 AND total > (SELECT avg(total) FROM orders i WHERE i.store_id = o.store_id AND i.store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE total > (SELECT avg(total) FROM orders i WHERE i.store_id = o.store_id);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE total > (SELECT avg(total) FROM orders i WHERE i.store_id = o.store_id AND i.store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id);
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id);
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = 6 AND l.order_id = o.order_id);
--> refused public.orders public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id);
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id AND l.store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id AND l.store_id = 5 AND o.store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id);
--> refused public.orders public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o WHERE o.store_id = 5 AND NOT EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id);
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND NOT EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id);
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o WHERE o.store_id = 5 AND NOT EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id AND l.store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE NOT EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND o.store_id = 5);
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM orders o WHERE o.store_id = 5 AND (EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) OR o.status = 'new');
--> multi-tenant public.line_items

SELECT * FROM orders o WHERE o.store_id = 5 AND (o.status = 'new' OR o.order_id IN (SELECT order_id FROM line_items WHERE store_id = 5));
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND (o.status = 'new' OR o.order_id IN (SELECT order_id FROM line_items));
--> multi-tenant public.line_items

SELECT * FROM orders o WHERE o.store_id = 5 OR EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id);
--> multi-tenant public.orders public.line_items

SELECT EXISTS (SELECT 1 FROM orders WHERE store_id = 5);
--> single-tenant

SELECT EXISTS (SELECT 1 FROM orders WHERE order_id = 5);
--> multi-tenant public.orders

SELECT NOT EXISTS (SELECT 1 FROM orders WHERE store_id = 5 AND order_id = $1);
--> single-tenant

SELECT 1 WHERE EXISTS (SELECT 1 FROM orders WHERE store_id = 5);
--> single-tenant

SELECT (SELECT count(*) FROM orders WHERE store_id = 5);
--> single-tenant

SELECT (SELECT count(*) FROM orders WHERE store_id = 5), (SELECT count(*) FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT (SELECT count(*) FROM orders WHERE store_id = 5), (SELECT count(*) FROM line_items WHERE store_id = 6);
--> multi-tenant public.orders public.line_items

SELECT (SELECT count(*) FROM orders);
--> multi-tenant public.orders

SELECT (SELECT count(*) FROM products);
--> no-tenant-table

SELECT ARRAY(SELECT order_id FROM orders WHERE store_id = 5);
--> single-tenant

-- In the select list.

SELECT o.order_id, (SELECT count(*) FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT o.order_id, (SELECT count(*) FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT o.order_id, (SELECT count(*) FROM line_items l WHERE l.order_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT o.order_id, (SELECT l.quantity FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id LIMIT 1) FROM orders o WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT o.order_id, (SELECT l.quantity FROM line_items l WHERE l.store_id = o.store_id AND l.line_item_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT o.order_id, (SELECT count(*) FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) FROM orders o;
--> multi-tenant public.orders public.line_items

SELECT o.order_id, (SELECT p.name FROM products p WHERE p.product_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT o.order_id, (SELECT p.name FROM products p WHERE p.product_id = o.order_id) FROM orders o;
--> multi-tenant public.orders

SELECT o.order_id, (SELECT value FROM settings WHERE key = 'theme') FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT p.name, (SELECT count(*) FROM line_items l WHERE l.product_id = p.product_id AND l.store_id = 5) FROM products p;
--> single-tenant

SELECT p.name, (SELECT count(*) FROM line_items l WHERE l.product_id = p.product_id) FROM products p;
--> refused public.line_items: correlated subqueries are not supported when the FROM clause contains a reference table

-- In FROM.

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) o;
--> single-tenant

SELECT * FROM (SELECT * FROM orders) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id AS s, order_id FROM orders) o WHERE o.s = 5;
--> single-tenant

SELECT * FROM (SELECT order_id AS store_id, total FROM orders) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT * FROM (SELECT * FROM orders) a) b WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT * FROM orders LIMIT 10) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5 LIMIT 10) o;
--> single-tenant

SELECT * FROM (SELECT * FROM orders ORDER BY total) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT * FROM orders OFFSET 0) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT DISTINCT store_id, status FROM orders) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT DISTINCT ON (store_id) store_id, status FROM orders ORDER BY store_id) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT DISTINCT ON (status) store_id, status FROM orders ORDER BY status) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id, count(*) FROM orders GROUP BY store_id) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, status, count(*) FROM orders GROUP BY store_id, status) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT max(store_id) AS store_id, status FROM orders GROUP BY status) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id + 0 AS store_id FROM orders) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT 5 AS store_id, order_id FROM orders) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id, rank() OVER (PARTITION BY store_id ORDER BY total) FROM orders) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, rank() OVER (ORDER BY total) FROM orders) o WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id, rank() OVER (ORDER BY total) FROM orders WHERE store_id = 5) o WHERE o.rank = 1;
--> single-tenant

SELECT * FROM (SELECT store_id, random() AS r FROM orders) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, generate_series(1, 3) AS g FROM orders) o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT o.store_id AS a, l.store_id AS b FROM orders o JOIN line_items l USING (order_id)) x WHERE a = 5 AND b = 5;
--> single-tenant

SELECT * FROM (SELECT o.store_id AS a, l.store_id AS b FROM orders o JOIN line_items l USING (order_id)) x WHERE a = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) a JOIN (SELECT * FROM line_items WHERE store_id = 5) b ON a.order_id = b.order_id;
--> single-tenant

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) a JOIN (SELECT * FROM line_items WHERE store_id = 6) b ON a.order_id = b.order_id;
--> multi-tenant public.orders public.line_items

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) a JOIN line_items b ON a.order_id = b.order_id AND a.store_id = b.store_id;
--> single-tenant

SELECT * FROM (SELECT store_id, sum(total) AS total FROM orders GROUP BY store_id) a JOIN stores s ON s.store_id = a.store_id WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, sum(total) AS total FROM orders GROUP BY store_id) a JOIN stores s ON s.store_id = a.store_id WHERE a.total > 5;
--> multi-tenant public.orders public.stores

SELECT * FROM (SELECT order_id FROM orders WHERE store_id = 5) a JOIN products p ON p.product_id = a.order_id;
--> single-tenant

SELECT count(*) FROM (SELECT 1 FROM orders WHERE store_id = 5 GROUP BY customer_id HAVING count(*) > 1) x;
--> single-tenant

-- LATERAL.

SELECT * FROM orders o, LATERAL (SELECT * FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) x WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, LATERAL (SELECT * FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id LIMIT 2) x WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT * FROM orders o, LATERAL (SELECT * FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id LIMIT 2) x WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, LATERAL (SELECT count(*) FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) x WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT * FROM orders o, LATERAL (SELECT * FROM line_items l WHERE l.order_id = o.order_id) x WHERE o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN LATERAL (SELECT * FROM line_items l WHERE l.store_id = o.store_id ORDER BY l.price DESC LIMIT 3) x ON true WHERE x.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM stores s, LATERAL (SELECT * FROM orders o WHERE o.store_id = s.store_id ORDER BY total DESC LIMIT 3) x;
--> multi-tenant public.stores public.orders

SELECT * FROM orders o, LATERAL unnest(o.tags) t WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, unnest(o.tags) t;
--> multi-tenant public.orders

SELECT * FROM orders o, jsonb_each(o.details) d WHERE o.store_id = $1;
--> single-tenant

SELECT * FROM orders o CROSS JOIN LATERAL (SELECT o.total * 2 AS twice) x WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o CROSS JOIN LATERAL (SELECT o.store_id AS s) x WHERE x.s = 5;
--> single-tenant

-- Nested.

SELECT * FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = 5 AND product_id IN (SELECT product_id FROM products WHERE price > 5));
--> single-tenant

SELECT * FROM customers WHERE store_id = 5 AND customer_id IN (SELECT customer_id FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items WHERE store_id = 5));
--> single-tenant

SELECT * FROM customers WHERE store_id = 5 AND customer_id IN (SELECT customer_id FROM orders WHERE store_id = 5 AND order_id IN (SELECT order_id FROM line_items));
--> multi-tenant public.line_items

SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = c.store_id AND o.customer_id = c.customer_id AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id));
--> single-tenant

SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = c.store_id AND EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id));
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.customer_id AND EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = c.store_id AND l.order_id = o.order_id));
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders WHERE store_id = 5 AND customer_id = (SELECT customer_id FROM customers WHERE store_id = 5 AND email = 'x' LIMIT 1);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND customer_id = (SELECT customer_id FROM customers WHERE email = 'x' LIMIT 1);
--> multi-tenant public.customers

SELECT * FROM orders WHERE store_id = 5 AND status IN (SELECT key FROM settings);
--> single-tenant

SELECT * FROM orders WHERE status IN (SELECT key FROM settings);
--> multi-tenant public.orders

SELECT * FROM settings WHERE key IN (SELECT status FROM orders WHERE store_id = 5);
--> single-tenant

SELECT * FROM settings WHERE key IN (SELECT status FROM orders);
--> multi-tenant public.orders

SELECT * FROM products WHERE product_id IN (SELECT product_id FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT * FROM products WHERE product_id IN (SELECT product_id FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM products p WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.product_id = p.product_id AND l.store_id = 5);
--> single-tenant

SELECT * FROM products p WHERE NOT EXISTS (SELECT 1 FROM line_items l WHERE l.product_id = p.product_id AND l.store_id = 5);
--> single-tenant

SELECT * FROM products p WHERE NOT EXISTS (SELECT 1 FROM line_items l WHERE l.product_id = p.product_id);
--> refused public.line_items: correlated subqueries are not supported when the FROM clause contains a reference table

SELECT * FROM products WHERE product_id NOT IN (SELECT product_id FROM line_items WHERE store_id = $1);
--> single-tenant
