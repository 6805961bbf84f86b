-- Views are what they stand for.

SELECT * FROM paid_orders WHERE store_id = 5;
--> single-tenant

SELECT * FROM paid_orders WHERE order_id = 5;
--> multi-tenant public.orders

SELECT * FROM paid_orders;
--> multi-tenant public.orders

SELECT * FROM recent_paid_orders WHERE store_id = $1;
--> single-tenant

SELECT * FROM recent_paid_orders WHERE total > 5;
--> multi-tenant public.orders

SELECT * FROM order_lines WHERE store_id = 5;
--> single-tenant

SELECT * FROM order_lines WHERE order_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM loose_lines WHERE store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM loose_lines;
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

SELECT * FROM store_totals WHERE store_id = 5;
--> single-tenant

SELECT * FROM store_totals WHERE total > 100;
--> multi-tenant public.orders

SELECT * FROM status_totals WHERE status = 'paid';
--> multi-tenant public.orders

SELECT * FROM all_orders WHERE store_id = 5;
--> single-tenant

SELECT * FROM all_orders WHERE order_id = 5;
--> multi-tenant public.orders archive.orders

SELECT * FROM largest_orders WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders_of_five;
--> single-tenant

SELECT * FROM orders_of_five f JOIN line_items l ON l.order_id = f.order_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders_of_five f JOIN line_items l ON l.order_id = f.order_id WHERE l.store_id = 6;
--> multi-tenant public.orders public.line_items

SELECT * FROM renamed_orders WHERE shop = 5;
--> single-tenant

SELECT * FROM renamed_orders WHERE number = 5;
--> multi-tenant public.orders

SELECT * FROM ranked_orders WHERE store_id = 5 AND place = 1;
--> single-tenant

SELECT * FROM ranked_orders WHERE place = 1;
--> multi-tenant public.orders

SELECT * FROM globally_ranked_orders WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM cheap_products;
--> no-tenant-table

SELECT * FROM cheap_products c JOIN line_items l ON l.product_id = c.product_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM paid_orders p JOIN line_items l ON l.store_id = p.store_id AND l.order_id = p.order_id WHERE p.store_id = 5;
--> single-tenant

SELECT * FROM paid_orders p JOIN order_lines l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM paid_orders p LEFT JOIN store_totals t ON t.store_id = p.store_id WHERE p.store_id = 5;
--> single-tenant

SELECT * FROM paid_orders p LEFT JOIN order_lines l ON l.order_id = p.order_id WHERE p.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM paid_orders p WHERE p.store_id = c.store_id AND p.customer_id = c.customer_id);
--> single-tenant

SELECT * FROM customers c WHERE c.store_id = 5 AND c.customer_id IN (SELECT customer_id FROM paid_orders);
--> multi-tenant public.orders

WITH x AS (SELECT * FROM paid_orders WHERE store_id = 5) SELECT count(*) FROM x;
--> single-tenant

SELECT order_id FROM paid_orders WHERE store_id = 5 UNION SELECT order_id FROM orders_of_five;
--> single-tenant

UPDATE paid_orders SET total = 1 WHERE store_id = 5;
--> refused: cannot modify views when the query contains citus tables

DELETE FROM paid_orders WHERE store_id = 5;
--> refused: cannot modify views when the query contains citus tables

INSERT INTO paid_orders (store_id, order_id, customer_id, total) VALUES (5, 300, 5, 1);
--> refused: cannot modify views when the query contains citus tables

UPDATE orders SET total = 2 FROM paid_orders p WHERE orders.store_id = p.store_id AND orders.order_id = p.order_id AND p.store_id = 5;
--> single-tenant
