-- Each arm is a query of its own.

SELECT order_id FROM orders WHERE store_id = 5 UNION SELECT order_id FROM archive.orders WHERE store_id = 5;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = 5 UNION ALL SELECT order_id FROM archive.orders WHERE store_id = 5;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = 5 UNION ALL SELECT order_id FROM archive.orders WHERE store_id = 6;
--> multi-tenant public.orders archive.orders

SELECT order_id FROM orders WHERE store_id = 5 UNION SELECT order_id FROM archive.orders;
--> multi-tenant archive.orders

SELECT order_id FROM orders UNION ALL SELECT order_id FROM archive.orders;
--> multi-tenant public.orders archive.orders

SELECT order_id FROM orders WHERE store_id = 5 INTERSECT SELECT order_id FROM archive.orders WHERE store_id = 5;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = 5 EXCEPT SELECT order_id FROM archive.orders WHERE store_id = 5;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = 5 EXCEPT ALL SELECT order_id FROM archive.orders WHERE store_id = 6;
--> multi-tenant public.orders archive.orders

SELECT order_id FROM orders WHERE store_id = 5 EXCEPT SELECT order_id FROM archive.orders;
--> multi-tenant archive.orders

SELECT order_id FROM orders WHERE store_id = $1 UNION SELECT order_id FROM archive.orders WHERE store_id = $1;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = $1 UNION SELECT order_id FROM archive.orders WHERE store_id = $2;
--> multi-tenant public.orders archive.orders

SELECT order_id FROM orders WHERE store_id = 5 UNION SELECT product_id FROM products;
--> single-tenant

SELECT order_id FROM orders WHERE store_id = 5 UNION ALL SELECT 1;
--> single-tenant

SELECT order_id FROM orders UNION ALL SELECT 1;
--> multi-tenant public.orders

SELECT status FROM orders WHERE store_id = 5 UNION ALL SELECT key FROM settings;
--> single-tenant

SELECT key FROM settings UNION SELECT sku FROM products;
--> no-tenant-table

(SELECT order_id FROM orders WHERE store_id = 5 ORDER BY total LIMIT 1) UNION ALL (SELECT order_id FROM orders WHERE store_id = 5 ORDER BY total DESC LIMIT 1);
--> single-tenant

(SELECT order_id FROM orders WHERE store_id = 5) UNION (SELECT order_id FROM archive.orders WHERE store_id = 5 INTERSECT SELECT order_id FROM line_items WHERE store_id = 5) ORDER BY 1 LIMIT 10;
--> single-tenant

SELECT * FROM (SELECT store_id, order_id FROM orders UNION ALL SELECT store_id, order_id FROM archive.orders) u WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, order_id FROM orders UNION SELECT store_id, order_id FROM archive.orders) u WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, order_id FROM orders EXCEPT SELECT store_id, order_id FROM archive.orders) u WHERE store_id = 5;
--> multi-tenant public.orders archive.orders

SELECT * FROM (SELECT store_id, order_id FROM orders UNION SELECT order_id, store_id FROM archive.orders) u WHERE store_id = 5;
--> multi-tenant archive.orders

SELECT * FROM (SELECT store_id, order_id FROM orders UNION ALL SELECT 5, 7) u WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id, order_id FROM orders UNION SELECT store_id, order_id FROM archive.orders LIMIT 10) u WHERE store_id = 5;
--> multi-tenant public.orders archive.orders

SELECT count(*) FROM (SELECT order_id FROM orders WHERE store_id = 5 UNION SELECT order_id FROM archive.orders WHERE store_id = 5) u;
--> single-tenant

SELECT * FROM customers WHERE store_id = 5 AND customer_id IN (SELECT customer_id FROM orders WHERE store_id = 5 UNION SELECT customer_id FROM archive.orders WHERE store_id = 5);
--> single-tenant

SELECT * FROM customers WHERE store_id = 5 AND customer_id IN (SELECT customer_id FROM orders WHERE store_id = 5 UNION SELECT customer_id FROM archive.orders);
--> multi-tenant archive.orders

SELECT * FROM customers c WHERE store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = c.store_id UNION ALL SELECT 1 FROM archive.orders a WHERE a.store_id = 5);
--> refused public.orders: cannot push down this subquery

VALUES (1), (2);
--> no-tenant-table

VALUES ((SELECT count(*) FROM orders WHERE store_id = 5));
--> single-tenant

VALUES ((SELECT count(*) FROM orders));
--> multi-tenant public.orders
