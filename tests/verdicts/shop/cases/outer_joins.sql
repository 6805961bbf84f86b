-- A condition in ON does not bind the side that is kept.

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id AND o.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id AND l.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id AND l.store_id = 5 WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id AND l.store_id = 6 WHERE o.store_id = 5;
--> refused public.orders public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id AND l.store_id = $1 WHERE o.store_id = $1;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id AND l.store_id = $2 WHERE o.store_id = $1;
--> refused public.orders public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id AND l.store_id = 5;
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5 AND (l.store_id = 5 OR l.store_id IS NULL);
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5 AND l.line_item_id IS NULL;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l USING (store_id, order_id) WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders NATURAL LEFT JOIN line_items WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o RIGHT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o RIGHT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o RIGHT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id AND l.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o RIGHT JOIN line_items l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o RIGHT JOIN line_items l ON l.order_id = o.order_id AND o.store_id = 5 WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o FULL JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o FULL JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o FULL JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o FULL JOIN line_items l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o FULL JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5 OR l.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) o FULL JOIN (SELECT * FROM line_items WHERE store_id = 5) l USING (order_id);
--> single-tenant

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) o LEFT JOIN (SELECT * FROM line_items WHERE store_id = 5) l USING (order_id);
--> single-tenant

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) o LEFT JOIN line_items l USING (order_id);
--> multi-tenant public.line_items

SELECT * FROM (SELECT * FROM orders WHERE store_id = 5) o LEFT JOIN line_items l USING (store_id, order_id);
--> single-tenant

SELECT * FROM stores s LEFT JOIN orders o ON o.store_id = s.store_id LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM stores s LEFT JOIN orders o ON o.store_id = s.store_id LEFT JOIN line_items l ON l.order_id = o.order_id WHERE s.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM stores s LEFT JOIN orders o ON o.store_id = s.store_id JOIN line_items l ON l.store_id = o.store_id WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM stores s LEFT JOIN orders o ON o.store_id = s.store_id JOIN line_items l ON l.store_id = s.store_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN (line_items l JOIN customers c ON c.store_id = l.store_id) ON l.store_id = o.store_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN (line_items l LEFT JOIN archive.line_items a ON a.store_id = l.store_id) ON l.store_id = o.store_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM customers c LEFT JOIN orders o ON o.store_id = c.store_id AND o.customer_id = c.customer_id WHERE c.store_id = 5 AND o.order_id IS NOT NULL;
--> single-tenant

SELECT * FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id WHERE c.store_id = 5 AND o.store_id = c.store_id;
--> single-tenant

SELECT * FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id AND o.store_id = c.store_id AND c.store_id = 5 WHERE c.name = 'x';
--> multi-tenant public.customers public.orders

SELECT c.name, count(o.order_id) FROM customers c LEFT JOIN orders o ON o.store_id = c.store_id AND o.customer_id = c.customer_id WHERE c.store_id = 5 GROUP BY c.name;
--> single-tenant

SELECT * FROM orders o LEFT JOIN products p ON p.product_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM products p LEFT JOIN line_items l ON l.product_id = p.product_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM products p LEFT JOIN line_items l ON l.product_id = p.product_id AND l.store_id = 5;
--> single-tenant

SELECT * FROM products p LEFT JOIN line_items l ON l.product_id = p.product_id;
--> multi-tenant public.line_items

SELECT * FROM settings s LEFT JOIN orders o ON o.status = s.key AND o.store_id = 5;
--> single-tenant

SELECT * FROM settings s LEFT JOIN orders o ON o.status = s.key WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN settings s ON s.key = o.status WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o FULL JOIN settings s ON s.key = o.status WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN (VALUES (5)) v (id) ON v.id = o.store_id;
--> multi-tenant public.orders

SELECT * FROM (VALUES (5)) v (id) LEFT JOIN orders o ON o.store_id = v.id;
--> single-tenant

SELECT * FROM (VALUES (5::bigint)) v (id) LEFT JOIN orders o ON o.store_id = v.id;
--> single-tenant

SELECT * FROM orders o LEFT JOIN LATERAL (SELECT * FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id LIMIT 1) x ON true WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT * FROM orders o LEFT JOIN line_items l ON true WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN line_items l ON false WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT coalesce(o.store_id, l.store_id) FROM orders o FULL JOIN line_items l ON l.store_id = o.store_id WHERE coalesce(o.store_id, l.store_id) = 5;
--> multi-tenant public.orders public.line_items
