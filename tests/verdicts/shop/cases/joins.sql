-- Inner joins: the tenant goes from table to table by equalities, wherever they stand.

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND l.order_id = o.order_id;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5 AND l.store_id = 6;
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = $1 AND l.store_id = $1;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = $1 AND l.store_id = $2;
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id;
--> refused public.orders public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id AND l.store_id = 5 WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.order_id = o.order_id AND l.store_id = 5 AND o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON o.store_id = l.store_id AND o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (store_id) WHERE store_id = $1;
--> single-tenant

SELECT * FROM orders o JOIN line_items l USING (order_id) WHERE o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l USING (store_id, order_id) AS j WHERE j.store_id = 5;
--> single-tenant

SELECT * FROM orders NATURAL JOIN line_items WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders NATURAL JOIN archive.line_items WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders NATURAL JOIN line_items;
--> multi-tenant public.orders public.line_items

SELECT * FROM orders o, line_items l WHERE o.store_id = l.store_id AND o.order_id = l.order_id AND o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, line_items l WHERE o.order_id = l.order_id AND o.store_id = 5;
--> refused public.line_items: the query contains a join that requires repartitioning

SELECT * FROM orders o, line_items l WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o, line_items l WHERE o.store_id = 5;
--> refused public.line_items: cannot perform distributed planning on this query

SELECT * FROM orders o CROSS JOIN line_items l WHERE o.store_id = 5 AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o CROSS JOIN line_items l WHERE o.store_id = l.store_id AND l.store_id = 5;
--> single-tenant

SELECT * FROM orders o CROSS JOIN line_items l;
--> refused public.orders public.line_items: cannot perform distributed planning on this query

SELECT * FROM orders o JOIN line_items l ON o.store_id + 0 = l.store_id AND o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM orders o JOIN line_items l ON o.store_id::text = l.store_id::text WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM orders o JOIN line_items l ON o.store_id IS NOT DISTINCT FROM l.store_id WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM orders o JOIN line_items l ON o.store_id >= l.store_id AND o.store_id <= l.store_id WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM orders o JOIN line_items l ON o.store_id = l.store_id OR o.order_id = l.order_id WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT * FROM orders o JOIN line_items l ON (o.store_id, o.order_id) = (l.store_id, l.order_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON NOT (o.store_id <> l.store_id) AND o.order_id = l.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id JOIN customers c ON c.store_id = l.store_id WHERE c.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id JOIN customers c ON c.customer_id = o.customer_id WHERE o.store_id = 5;
--> refused public.customers: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id JOIN customers c ON c.store_id = 5 WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM stores s JOIN orders o USING (store_id) JOIN line_items l USING (store_id, order_id) JOIN customers c USING (store_id, customer_id) WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM stores s JOIN orders o USING (store_id) JOIN line_items l USING (store_id, order_id) JOIN customers c USING (store_id, customer_id) WHERE s.name = 'store 5';
--> multi-tenant public.stores public.orders public.line_items public.customers

SELECT * FROM stores s JOIN orders o ON o.store_id = s.store_id WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM stores s JOIN orders o ON o.store_id = s.store_id WHERE s.name = 'store 5';
--> multi-tenant public.stores public.orders

SELECT * FROM (orders o JOIN line_items l ON l.store_id = o.store_id) JOIN customers c ON c.store_id = o.store_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN (line_items l JOIN products p ON p.product_id = l.product_id) ON l.store_id = o.store_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM (orders o JOIN line_items l ON l.order_id = o.order_id) AS j (s, a, b, c, d, e, f, g, h, i, k, m, s2) WHERE j.s = 5 AND j.s2 = 5;
--> single-tenant

SELECT * FROM (orders o JOIN line_items l ON l.order_id = o.order_id) AS j (s, a, b, c, d, e, f, g, h, i, k, m, s2) WHERE j.s = 5 AND j.s2 = j.s;
--> single-tenant

SELECT * FROM (orders o JOIN line_items l ON l.order_id = o.order_id) AS j (s, a, b, c, d, e, f, g, h, i, k, m, s2) WHERE j.s = 5;
--> refused public.line_items: Unrecognized range table id 3

SELECT a.order_id FROM orders a JOIN orders b ON a.store_id = b.store_id AND a.customer_id = b.customer_id WHERE a.store_id = 5 AND a.order_id < b.order_id;
--> single-tenant

SELECT a.order_id FROM orders a JOIN orders b ON a.customer_id = b.customer_id WHERE a.store_id = 5 AND a.order_id < b.order_id;
--> refused public.orders: the query contains a join that requires repartitioning

SELECT a.order_id FROM orders a JOIN orders b ON a.store_id = b.order_id WHERE a.store_id = 5 AND b.store_id = 5;
--> single-tenant

SELECT a.order_id FROM orders a JOIN orders b ON a.store_id = b.order_id WHERE a.store_id = 5;
--> refused public.orders: the query contains a join that requires repartitioning

SELECT * FROM orders o JOIN archive.orders a ON a.store_id = o.store_id AND a.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN archive.orders a ON a.order_id = o.order_id WHERE o.store_id = 5;
--> refused archive.orders: the query contains a join that requires repartitioning

-- The tenant by way of something that is none.

SELECT * FROM orders o JOIN job_log j ON j.store_id = o.store_id WHERE j.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN job_log j ON j.store_id = o.store_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN job_log j ON j.store_id = o.store_id WHERE j.id = 5;
--> multi-tenant public.orders

SELECT * FROM orders o JOIN settings s ON s.key = o.status WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, settings s WHERE o.store_id = s.value::bigint AND s.key = '5';
--> multi-tenant public.orders

SELECT * FROM orders o JOIN products p ON p.product_id = o.store_id WHERE p.product_id = 5;
--> single-tenant

SELECT * FROM line_items l JOIN products p ON p.product_id = l.product_id WHERE l.store_id = 5;
--> single-tenant

SELECT * FROM line_items l JOIN products p ON p.product_id = l.product_id WHERE p.sku = 'sku5';
--> multi-tenant public.line_items

SELECT * FROM line_items l JOIN products p USING (product_id) JOIN orders o USING (store_id, order_id) JOIN countries c ON c.code = o.country WHERE o.store_id = $1;
--> single-tenant

SELECT * FROM orders o JOIN (VALUES (5)) v (store) ON v.store = o.store_id;
--> single-tenant

SELECT * FROM orders o JOIN (VALUES (5::bigint)) v (store) ON v.store = o.store_id;
--> single-tenant

SELECT * FROM orders o JOIN (VALUES (5), (6)) v (store) ON v.store = o.store_id;
--> multi-tenant public.orders

SELECT * FROM orders o JOIN (VALUES ($1::bigint)) v (store) ON v.store = o.store_id;
--> single-tenant

SELECT * FROM orders o JOIN (SELECT 5 AS store) v ON v.store = o.store_id;
--> single-tenant

SELECT * FROM orders o JOIN (SELECT 5::bigint AS store_id) v USING (store_id);
--> single-tenant

SELECT * FROM orders o JOIN generate_series(5, 5) g ON g = o.store_id;
--> multi-tenant public.orders

SELECT * FROM orders o JOIN unnest(ARRAY[5::bigint]) u ON u = o.store_id;
--> multi-tenant public.orders

SELECT * FROM orders o JOIN unnest($1::bigint[]) u ON u = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN unnest('{1,2}'::bigint[], '{a,b}'::text[]) AS u (id, name) ON u.id = o.order_id WHERE o.store_id = $1;
--> single-tenant

SELECT * FROM products p JOIN countries c ON c.name = p.name;
--> no-tenant-table

SELECT * FROM settings s JOIN products p ON p.sku = s.key;
--> no-tenant-table

SELECT * FROM settings s JOIN job_log j ON j.message = s.key;
--> no-tenant-table
