-- Conditions that name no column, beside outer joins and without.

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM customers WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM products);
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND (SELECT count(*) FROM customers WHERE store_id = 5) > 0;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND current_user = 'postgres';
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND current_setting('server_version_num')::int > 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND random() > 2;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND $1::boolean;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = $1 AND $2 = 'all';
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = $1 AND ($2 = 'all' OR o.status = $2);
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = $1 AND ($2::text IS NULL OR o.status = $2);
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND 1 = 1;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND 1 = 2;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND false;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND NULL;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND o.store_id = 6;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE false;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND now() > '2024-01-01' WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND EXISTS (SELECT 1 FROM products) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND false WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN products p ON p.product_id = o.order_id WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM customers WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders o LEFT JOIN settings s ON s.key = o.status WHERE o.store_id = 5 AND now() > '2024-01-01';
--> refused: Distributed queries with outer joins and pseudoconstant quals are not supported in PG15 and PG16.

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM customers WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM customers c LEFT JOIN line_items l USING (store_id) WHERE c.store_id = 5 AND now() > '2024-01-01');
--> single-tenant

SELECT * FROM orders o FULL JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

SELECT (SELECT count(*) FROM customers c LEFT JOIN line_items l USING (store_id) WHERE c.store_id = 5) FROM orders o WHERE o.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

SELECT (SELECT count(*) FROM customers c LEFT JOIN line_items l USING (store_id) WHERE c.store_id = 5) FROM orders o WHERE o.store_id = 5 AND EXISTS (SELECT 1 FROM line_items WHERE store_id = 5);
--> single-tenant

WITH x AS (SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5) SELECT * FROM x WHERE now() > '2024-01-01';
--> single-tenant

SELECT count(*) FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 HAVING now() > '2024-01-01';
--> single-tenant

UPDATE orders SET status = 'x' WHERE store_id = 5 AND now() > '2024-01-01';
--> single-tenant

UPDATE orders SET status = 'x' FROM customers c LEFT JOIN line_items l USING (store_id) WHERE orders.store_id = 5 AND c.store_id = 5 AND now() > '2024-01-01';
--> single-tenant

DELETE FROM line_items WHERE store_id = 5 AND EXISTS (SELECT 1 FROM customers c LEFT JOIN orders o USING (store_id, customer_id) WHERE c.store_id = 5) AND now() > '2024-01-01';
--> single-tenant
