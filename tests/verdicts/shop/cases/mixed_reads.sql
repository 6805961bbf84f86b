-- Things put together: where a value is handed on, and where it only seems to be.

SELECT * FROM orders o LEFT JOIN customers c USING (store_id, customer_id) LEFT JOIN line_items l USING (store_id, order_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN customers c USING (store_id, customer_id) LEFT JOIN line_items l USING (store_id, order_id) WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN customers c USING (store_id, customer_id) LEFT JOIN line_items l ON l.store_id = c.store_id AND l.order_id = o.order_id WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id AND c.store_id = o.store_id JOIN line_items l ON l.store_id = c.store_id WHERE c.store_id = 5;
--> single-tenant

SELECT * FROM orders o LEFT JOIN customers c ON c.customer_id = o.customer_id JOIN line_items l ON l.store_id = c.store_id WHERE o.store_id = 5;
--> refused public.customers public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders a LEFT JOIN orders b ON b.store_id = a.store_id AND b.order_id = a.order_id - 1 AND a.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders a LEFT JOIN orders b ON b.store_id = 5 AND a.store_id = 5;
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders a RIGHT JOIN orders b ON a.store_id = 5 WHERE b.store_id = 5;
--> single-tenant

SELECT * FROM orders a NATURAL FULL JOIN archive.orders b WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND EXISTS (SELECT 1 FROM products p WHERE p.product_id = l.product_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND l.product_id IN (SELECT product_id FROM line_items x WHERE x.store_id = 5) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN line_items l ON l.store_id = o.store_id AND l.product_id IN (SELECT product_id FROM line_items) WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM orders o LEFT JOIN line_items l ON l.store_id = o.store_id AND l.order_id IN (SELECT order_id FROM archive.orders a WHERE a.store_id = 5) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND (SELECT count(*) FROM line_items WHERE store_id = 5) > 0;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND (SELECT count(*) FROM line_items) > 0;
--> multi-tenant public.line_items

SELECT * FROM orders WHERE store_id = 5 AND (SELECT true);
--> single-tenant

SELECT * FROM orders WHERE (SELECT store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (SELECT store_id) = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND EXISTS (VALUES (1));
--> single-tenant

SELECT * FROM orders WHERE EXISTS (SELECT 1 WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE EXISTS (SELECT 1 FROM products p WHERE o.store_id = 5);
--> single-tenant

SELECT * FROM orders o WHERE NOT EXISTS (SELECT 1 WHERE o.store_id <> 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5) IS NOT UNKNOWN;
--> multi-tenant public.orders

SELECT * FROM orders WHERE ((store_id = 5) IS TRUE) = true;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5 AND order_id = 7) IS TRUE;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5) AND (store_id = 5 OR true);
--> single-tenant

SELECT * FROM orders WHERE CASE store_id WHEN 5 THEN true ELSE false END;
--> multi-tenant public.orders

SELECT * FROM orders WHERE CASE WHEN order_id = 7 THEN store_id = 5 ELSE store_id = 5 END;
--> multi-tenant public.orders

SELECT * FROM orders WHERE num_nonnulls(nullif(store_id, 5)) = 0;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = ANY (ARRAY(SELECT 5));
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = ANY (ARRAY(SELECT store_id FROM stores WHERE store_id = 5));
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = ANY (string_to_array('5', ',')::bigint[]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY (string_to_array('5,6', ',')::bigint[]);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) = ANY (ARRAY[(5::bigint, 7::bigint)]);
--> refused public.orders: input of anonymous composite types is not implemented

SELECT * FROM orders WHERE (store_id, order_id) IN (VALUES (5, 7));
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN (VALUES (5, 7), (5, 8));
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) IN (VALUES (5, 7), (6, 8));
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) IN (SELECT 5, generate_series(1, 3));
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT DISTINCT store_id FROM line_items WHERE store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM line_items WHERE store_id = 5 LIMIT 1);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT max(store_id) FROM line_items WHERE store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM line_items WHERE store_id = 5 GROUP BY store_id);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM line_items WHERE store_id = 5 UNION SELECT store_id FROM customers WHERE store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM line_items WHERE store_id = 5 INTERSECT SELECT store_id FROM customers);
--> multi-tenant public.orders public.customers

SELECT * FROM (SELECT DISTINCT ON (order_id) * FROM orders ORDER BY order_id, placed_at) x WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT DISTINCT ON (store_id, customer_id) * FROM orders ORDER BY store_id, customer_id, placed_at) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, status, count(*) FROM orders GROUP BY ROLLUP (store_id, status)) x WHERE store_id = 5;
--> refused public.orders: could not run distributed query with GROUPING SETS, CUBE, or ROLLUP

SELECT * FROM (SELECT store_id, status, count(*) FROM orders GROUP BY GROUPING SETS ((store_id, status), (store_id))) x WHERE store_id = 5;
--> refused public.orders: could not run distributed query with GROUPING SETS, CUBE, or ROLLUP

SELECT * FROM (SELECT store_id, count(*) OVER (PARTITION BY store_id, status) FROM orders) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id, count(*) OVER (PARTITION BY store_id), count(*) OVER (PARTITION BY status) FROM orders) x WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT store_id, sum(total) AS total FROM orders GROUP BY store_id HAVING sum(total) > 1) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT min(store_id) AS store_id, order_id FROM orders GROUP BY order_id) x WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT coalesce(store_id, 0) AS store_id FROM orders) x WHERE store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT o.store_id FROM orders o LEFT JOIN line_items l USING (store_id, order_id)) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT l.store_id FROM orders o LEFT JOIN line_items l USING (store_id, order_id)) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT l.store_id FROM orders o LEFT JOIN line_items l ON l.order_id = o.order_id) x WHERE store_id = 5;
--> refused public.orders: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM (SELECT * FROM orders WHERE status = 'paid' FETCH FIRST 3 ROWS ONLY) x JOIN stores s USING (store_id) WHERE s.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM (SELECT * FROM orders UNION ALL SELECT * FROM orders) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id FROM orders UNION ALL SELECT store_id FROM line_items UNION ALL SELECT product_id FROM products) x WHERE store_id = 5;
--> single-tenant

SELECT * FROM (SELECT store_id FROM orders UNION ALL (SELECT store_id FROM line_items LIMIT 3)) x WHERE store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM (SELECT store_id, 1 AS k FROM orders UNION ALL SELECT store_id, 2 FROM line_items) x JOIN stores s USING (store_id) WHERE s.store_id = 5;
--> single-tenant

SELECT s.name, x.n FROM stores s JOIN (SELECT store_id, count(*) AS n FROM (SELECT store_id FROM orders UNION ALL SELECT store_id FROM archive.orders) u GROUP BY store_id) x USING (store_id) WHERE s.store_id = 5;
--> single-tenant

SELECT * FROM order_lines a JOIN order_lines b USING (store_id, order_id) WHERE a.store_id = 5;
--> single-tenant

SELECT * FROM order_lines a JOIN order_lines b USING (order_id) WHERE a.store_id = 5;
--> multi-tenant public.orders public.line_items

SELECT * FROM all_orders a JOIN customers c USING (store_id) WHERE c.store_id = 5;
--> single-tenant

SELECT * FROM all_orders a JOIN store_totals t USING (store_id) WHERE t.store_id = 5;
--> single-tenant

SELECT * FROM store_totals t LEFT JOIN all_orders a USING (store_id) WHERE t.store_id = 5;
--> single-tenant

SELECT * FROM largest_orders l JOIN orders o USING (store_id, order_id) WHERE o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders_of_five f JOIN orders o USING (order_id) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders_of_five f JOIN orders o USING (order_id);
--> multi-tenant public.orders

SELECT * FROM orders o, LATERAL (SELECT * FROM line_items l WHERE l.store_id = o.store_id) x, LATERAL (SELECT * FROM customers c WHERE c.store_id = x.store_id) y WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, LATERAL (SELECT count(*) AS n FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id) x WHERE o.store_id = 5 AND x.n > 1;
--> single-tenant

SELECT * FROM orders o, ROWS FROM (generate_series(1, 3), unnest(o.tags)) r WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, jsonb_to_recordset(o.details) AS r (a int) WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM json_to_recordset('[{"store_id": 5}]') AS r (store_id bigint) JOIN orders o USING (store_id);
--> multi-tenant public.orders

SELECT * FROM orders o WHERE o.store_id = 5 ORDER BY (SELECT count(*) FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id);
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5 ORDER BY (SELECT max(total) FROM orders);
--> multi-tenant public.orders

SELECT status, count(*) FROM orders WHERE store_id = 5 GROUP BY status HAVING count(*) > (SELECT count(*) FROM line_items WHERE store_id = 5);
--> single-tenant

SELECT status, count(*) FROM orders WHERE store_id = 5 GROUP BY status HAVING count(*) > (SELECT count(*) FROM line_items);
--> multi-tenant public.line_items

SELECT * FROM orders WHERE store_id = 5 LIMIT (SELECT count(*) FROM products);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 LIMIT (SELECT count(*) FROM line_items);
--> multi-tenant public.line_items

SELECT sum(total) FILTER (WHERE order_id IN (SELECT order_id FROM line_items WHERE store_id = 5)) FROM orders WHERE store_id = 5;
--> single-tenant

SELECT sum(total) FILTER (WHERE order_id IN (SELECT order_id FROM line_items)) FROM orders WHERE store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT CASE WHEN EXISTS (SELECT 1 FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id) THEN 'y' ELSE 'n' END FROM orders o WHERE o.store_id = 5;
--> multi-tenant public.line_items

SELECT CASE WHEN EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id) THEN 'y' ELSE 'n' END FROM orders o WHERE o.store_id = 5;
--> refused public.line_items: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT coalesce((SELECT name FROM customers WHERE store_id = 5 AND customer_id = 7), 'nobody');
--> single-tenant

SELECT coalesce((SELECT name FROM customers WHERE customer_id = 7), 'nobody');
--> multi-tenant public.customers

SELECT o.order_id, ARRAY(SELECT line_item_id FROM line_items l WHERE l.store_id = 5 AND l.order_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT o.order_id, (SELECT json_agg(l) FROM line_items l WHERE l.store_id = o.store_id AND l.order_id = o.order_id AND l.store_id = 5) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT o.order_id, (SELECT (SELECT c.name FROM customers c WHERE c.store_id = 5 AND c.customer_id = l.product_id) FROM line_items l WHERE l.store_id = 5 AND l.line_item_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT o.order_id, (SELECT (SELECT c.name FROM customers c WHERE c.customer_id = l.product_id) FROM line_items l WHERE l.store_id = 5 AND l.line_item_id = o.order_id) FROM orders o WHERE o.store_id = 5;
--> refused public.customers: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM orders o WHERE o.store_id = 5 AND o.customer_id = c.customer_id AND o.total > ALL (SELECT total FROM archive.orders a WHERE a.store_id = c.store_id));
--> multi-tenant archive.orders

SELECT * FROM customers c WHERE c.store_id = 5 AND c.customer_id IN (SELECT o.customer_id FROM orders o WHERE o.store_id = c.store_id);
--> multi-tenant public.orders

SELECT * FROM customers c WHERE c.store_id = 5 AND c.customer_id NOT IN (SELECT o.customer_id FROM orders o WHERE o.store_id = c.store_id);
--> multi-tenant public.orders

SELECT * FROM customers c WHERE c.store_id = 5 AND c.customer_id NOT IN (SELECT o.customer_id FROM orders o WHERE o.store_id = 5 AND o.customer_id IS NOT NULL);
--> single-tenant

SELECT * FROM customers c WHERE (c.store_id, c.customer_id) IN (SELECT o.store_id, o.customer_id FROM orders o WHERE o.store_id = $1);
--> single-tenant

SELECT * FROM customers c WHERE c.store_id = $1 AND (c.store_id, c.customer_id) IN (SELECT $1, o.customer_id FROM orders o WHERE o.store_id = $1);
--> single-tenant

SELECT * FROM customers c WHERE c.customer_id IN (SELECT o.customer_id FROM orders o WHERE o.store_id = c.store_id AND o.store_id = 5);
--> multi-tenant public.customers

SELECT * FROM customers c WHERE c.customer_id = (SELECT o.customer_id FROM orders o WHERE o.store_id = c.store_id AND o.store_id = 5 LIMIT 1);
--> multi-tenant public.customers

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM x WHERE x.customer_id = c.customer_id);
--> single-tenant

WITH x AS (SELECT * FROM orders) SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM x WHERE x.customer_id = c.customer_id AND x.store_id = c.store_id);
--> single-tenant

WITH x AS (SELECT * FROM orders) SELECT * FROM customers c WHERE c.store_id = 5 AND EXISTS (SELECT 1 FROM x WHERE x.customer_id = c.customer_id);
--> multi-tenant public.orders

WITH x AS (SELECT store_id FROM stores WHERE store_id = 5) SELECT * FROM orders WHERE store_id IN (SELECT store_id FROM x);
--> single-tenant

WITH x AS (SELECT store_id FROM stores WHERE store_id = 5) SELECT * FROM orders WHERE store_id = (SELECT store_id FROM x);
--> multi-tenant public.orders

WITH x AS (SELECT 5::bigint AS id) SELECT * FROM orders WHERE store_id IN (SELECT id FROM x);
--> single-tenant

WITH x AS (SELECT 5::bigint AS id), y AS (SELECT * FROM orders WHERE store_id IN (SELECT id FROM x)) SELECT * FROM y JOIN line_items l USING (store_id, order_id);
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5), y AS (SELECT * FROM x), z AS (SELECT * FROM x) SELECT * FROM y JOIN z USING (order_id);
--> single-tenant

WITH x AS (SELECT * FROM orders), y AS (SELECT * FROM x WHERE store_id = 5), z AS (SELECT * FROM x WHERE store_id = 6) SELECT * FROM y UNION ALL SELECT * FROM z;
--> multi-tenant public.orders

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM (WITH x AS (SELECT * FROM line_items) SELECT * FROM x) q;
--> multi-tenant public.line_items

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM x WHERE order_id IN (WITH x AS (SELECT order_id FROM line_items WHERE store_id = 5) SELECT order_id FROM x);
--> single-tenant

WITH x AS (SELECT * FROM orders WHERE store_id = 5) SELECT (SELECT count(*) FROM x), (SELECT max(total) FROM x);
--> single-tenant

WITH RECURSIVE x AS (SELECT order_id FROM orders WHERE store_id = 5 UNION ALL SELECT x.order_id FROM x JOIN line_items l ON l.order_id = x.order_id WHERE l.store_id = 5 AND false) SELECT * FROM x;
--> single-tenant

WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3), x AS (SELECT * FROM orders WHERE store_id = 5) SELECT * FROM n, x;
--> single-tenant

WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3), x AS (SELECT * FROM orders) SELECT * FROM n, x;
--> refused public.orders: recursive CTEs are only supported when they contain a filter on the distribution column

SELECT * FROM orders WHERE store_id = 5 AND placed_at = (SELECT max(placed_at) FROM orders i WHERE i.store_id = 5 AND i.customer_id = orders.customer_id);
--> single-tenant

SELECT * FROM orders o WHERE placed_at = (SELECT max(placed_at) FROM orders i WHERE i.store_id = o.store_id AND i.customer_id = o.customer_id) AND o.store_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders o JOIN (SELECT customer_id, max(placed_at) AS last FROM orders WHERE store_id = 5 GROUP BY customer_id) m ON m.customer_id = o.customer_id AND m.last = o.placed_at WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o JOIN (SELECT store_id, customer_id, max(placed_at) AS last FROM orders GROUP BY store_id, customer_id) m USING (store_id, customer_id) WHERE o.store_id = 5 AND m.last = o.placed_at;
--> single-tenant

SELECT * FROM orders o LEFT JOIN orders later ON later.store_id = o.store_id AND later.customer_id = o.customer_id AND later.placed_at > o.placed_at WHERE o.store_id = 5 AND later.order_id IS NULL;
--> single-tenant

SELECT * FROM orders o JOIN products p ON true JOIN settings s ON true WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM orders o, stores s WHERE o.store_id = 5 AND s.store_id = o.store_id AND s.plan IN (SELECT value FROM settings);
--> single-tenant

SELECT (SELECT name FROM stores WHERE store_id = 5), o.* FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT (SELECT name FROM stores WHERE store_id = 6), o.* FROM orders o WHERE o.store_id = 5;
--> refused public.orders public.stores: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT (SELECT max(store_id) FROM stores), o.* FROM orders o WHERE o.store_id = 5;
--> multi-tenant public.stores

SELECT EXISTS (SELECT 1 FROM orders WHERE store_id = 5 EXCEPT SELECT 1 FROM archive.orders WHERE store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND order_id = 7 UNION ALL SELECT * FROM orders WHERE store_id = 5 AND order_id = 8 ORDER BY order_id LIMIT 1;
--> single-tenant

SELECT 1 FROM orders WHERE store_id = 5 HAVING count(*) > 1;
--> single-tenant

SELECT max(store_id) FROM orders;
--> multi-tenant public.orders

SELECT store_id FROM orders ORDER BY store_id LIMIT 1;
--> multi-tenant public.orders

SELECT min(order_id), 5 AS store_id FROM orders;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND xmin::text = '1';
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 WINDOW w AS (ORDER BY total);
--> single-tenant

SELECT * FROM orders ORDER BY CASE WHEN store_id = 5 THEN 0 ELSE 1 END LIMIT 1;
--> multi-tenant public.orders
