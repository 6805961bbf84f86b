-- What a session changes: the search path, temporary tables, prepared statements.

SELECT count(*) FROM orders WHERE orders.store_id = 5;
--> single-tenant

SET search_path = archive, public;
--> no-tenant-table

SELECT * FROM orders WHERE archived_at IS NULL;
--> multi-tenant archive.orders

SELECT * FROM orders WHERE archived_at IS NULL AND store_id = 5;
--> single-tenant

SELECT * FROM customers WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN public.orders p ON p.order_id = o.order_id WHERE o.store_id = 5;
--> refused public.orders: the query contains a join that requires repartitioning

SET search_path = archive;
--> no-tenant-table

SELECT * FROM orders JOIN line_items USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

RESET search_path;
--> no-tenant-table

SELECT * FROM orders WHERE customer_id IS NULL AND store_id = 5;
--> single-tenant

CREATE TEMP TABLE customers (customer_id bigint, store_id bigint);
--> no-tenant-table

SELECT * FROM customers;
--> no-tenant-table

SELECT * FROM public.customers;
--> multi-tenant public.customers

SELECT * FROM public.customers WHERE store_id = 5;
--> single-tenant

SELECT * FROM customers t JOIN orders o ON o.customer_id = t.customer_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM customers t JOIN orders o ON o.customer_id = t.customer_id WHERE t.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM customers t JOIN orders o ON o.store_id = t.store_id WHERE t.store_id = 5;
--> single-tenant

INSERT INTO customers (customer_id) VALUES (5);
--> no-tenant-table

INSERT INTO customers SELECT customer_id, store_id FROM orders WHERE store_id = 5;
--> single-tenant

UPDATE customers SET store_id = 5;
--> no-tenant-table

DELETE FROM customers;
--> no-tenant-table

-- An EXECUTE is what it executes.

PREPARE of_store (bigint) AS SELECT * FROM orders WHERE store_id = $1;
--> single-tenant

EXECUTE of_store (5);
--> single-tenant

PREPARE of_order (bigint) AS SELECT * FROM orders WHERE order_id = $1;
--> multi-tenant public.orders

EXECUTE of_order (5);
--> multi-tenant public.orders

PREPARE of_two (bigint, bigint) AS SELECT * FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = $1 AND l.store_id = $2;
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

EXECUTE of_two (5, 6);
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

PREPARE paying AS UPDATE orders SET status = 'paid' WHERE store_id = $1 AND order_id = $2;
--> single-tenant

PREPARE of_reference AS SELECT * FROM products WHERE product_id = $1;
--> no-tenant-table

EXECUTE of_reference (5);
--> no-tenant-table

DEALLOCATE of_store;
--> no-tenant-table
