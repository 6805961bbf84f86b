-- IN, ANY, row comparisons, AND, OR, NOT, and conditions that no row can meet.

SELECT * FROM orders WHERE store_id IN (5);
--> single-tenant

SELECT * FROM orders WHERE store_id IN (5, 5);
--> single-tenant

SELECT * FROM orders WHERE store_id IN (5, 6);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN ($1);
--> single-tenant

SELECT * FROM orders WHERE store_id IN ($1, $2);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN ($1, $1);
--> single-tenant

SELECT * FROM orders WHERE store_id NOT IN (5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE NOT store_id IN (5, 6);
--> multi-tenant public.orders

SELECT * FROM orders WHERE NOT (store_id NOT IN (5));
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY ('{5}');
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY ('{5}'::bigint[]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY ('{5,6}');
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = ANY (ARRAY[5]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY (ARRAY[5, 6]);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = ANY (ARRAY[$1]::bigint[]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY ($1);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = SOME (ARRAY[5::bigint]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ALL (ARRAY[5]);
--> single-tenant

SELECT * FROM orders WHERE store_id = ALL ('{5,5}');
--> single-tenant

SELECT * FROM orders WHERE store_id <> ALL (ARRAY[5]);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = ANY (SELECT 5);
--> single-tenant

SELECT * FROM orders WHERE store_id IN (VALUES (5));
--> single-tenant

SELECT * FROM orders WHERE store_id IN (VALUES (5), (6));
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT unnest(ARRAY[5]));
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (SELECT generate_series(5, 5));
--> multi-tenant public.orders

SELECT * FROM orders WHERE ARRAY[store_id] = ARRAY[5::bigint];
--> multi-tenant public.orders

SELECT * FROM orders WHERE ARRAY[5, 6] @> ARRAY[store_id::int];
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IN (5) AND store_id IN (5, 6);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id IN (5, 6);
--> single-tenant

SELECT * FROM orders WHERE store_id IN (5, 6) AND store_id IN (5, 7);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) = (5, 7);
--> single-tenant

SELECT * FROM orders WHERE (order_id, store_id) = (7, 5);
--> single-tenant

SELECT * FROM orders WHERE ROW(store_id, order_id) = ROW(5, 7);
--> single-tenant

SELECT * FROM orders WHERE (5, 7) = (store_id, order_id);
--> single-tenant

SELECT * FROM orders WHERE (store_id, 7) = (5, order_id);
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) = ($1, $2);
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN ((5, 7));
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN ((5, 7), (5, 8));
--> single-tenant

SELECT * FROM orders WHERE (store_id, order_id) IN ((5, 7), (6, 8));
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) >= (5, 7);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) <> (5, 7);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id, order_id) IS NOT DISTINCT FROM (5, 7);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND (placed_at, order_id) > ('2024-01-01', 7);
--> single-tenant

SELECT * FROM orders WHERE NOT ((store_id, order_id) <> (5, 7));
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 OR order_id = 7;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 OR store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 OR store_id = 6;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = $1 OR store_id = $1;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 OR false;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 OR true;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 OR 1 = 2;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 OR NULL;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND (order_id = 7 OR status = 'paid');
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5 AND order_id = 7) OR (store_id = 5 AND order_id = 8);
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5 AND order_id = 7) OR (store_id = 6 AND order_id = 8);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5 AND order_id = 7) OR order_id = 8;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5 AND status = 'paid') OR (status = 'new' AND 5 = store_id);
--> single-tenant

SELECT * FROM orders WHERE (store_id = $1 AND status = $2) OR (store_id = $1 AND status = $3);
--> single-tenant

SELECT * FROM orders WHERE (store_id = $1 AND status = $2) OR (store_id = $3 AND status = $2);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5 OR status = 'paid') AND (store_id = 5 OR status = 'new');
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5 OR status = 'paid') AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5 OR order_id = 5) AND (store_id = 5 OR order_id = 6);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND NOT (order_id = 7 OR store_id <> 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id = 6;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 AND store_id = $2;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 AND store_id = $1;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id <> 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id > 7;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND store_id IS NULL;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5 AND false;
--> single-tenant

SELECT * FROM orders WHERE false;
--> single-tenant

SELECT * FROM orders WHERE 1 = 0;
--> single-tenant

SELECT * FROM orders WHERE NULL;
--> single-tenant

SELECT count(*) FROM orders WHERE store_id = 5 AND NULL;
--> single-tenant

SELECT * FROM orders LIMIT 0;
--> multi-tenant public.orders

SELECT o.order_id FROM orders o JOIN customers c ON c.customer_id = o.customer_id WHERE false;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 AND order_id = $2;
--> single-tenant

SELECT * FROM orders WHERE $1 = store_id;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1::bigint;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1::int;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1::text::bigint;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1 + 0;
--> single-tenant

SELECT * FROM orders WHERE store_id = $1::bigint + $2;
--> single-tenant

SELECT * FROM orders WHERE store_id = coalesce($1, 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = nullif($1, 0);
--> single-tenant

SELECT * FROM orders WHERE store_id + $1 = $2;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = $1 OR $1 IS NULL);
--> multi-tenant public.orders

SELECT * FROM orders WHERE ($1::bigint IS NULL OR store_id = $1);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = coalesce($1, store_id);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = 5 AND ($1::text IS NULL OR status = $1);
--> single-tenant

SELECT * FROM orders WHERE order_id = $1 AND customer_id = $2;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id BETWEEN $1 AND $1;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = $1 LIMIT $2 OFFSET $3;
--> single-tenant
