-- The tenant column compared with one value, in the many ways to write it, and what only looks like it.

SELECT * FROM orders WHERE store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE 5 = store_id;
--> single-tenant

SELECT order_id FROM orders WHERE (store_id = 5);
--> single-tenant

SELECT order_id FROM orders WHERE ((store_id) = (5)) AND status = 'paid';
--> single-tenant

SELECT * FROM orders WHERE orders.store_id = 5;
--> single-tenant

SELECT * FROM orders o WHERE o.store_id = 5;
--> single-tenant

SELECT * FROM public.orders WHERE public.orders.store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = '5';
--> single-tenant

SELECT * FROM orders WHERE store_id = 5::bigint;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5::int;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5::smallint;
--> single-tenant

SELECT * FROM orders WHERE store_id = '5'::bigint;
--> single-tenant

SELECT * FROM orders WHERE store_id = bigint '5';
--> single-tenant

SELECT * FROM orders WHERE store_id = CAST('5' AS bigint);
--> single-tenant

SELECT * FROM orders WHERE store_id = CAST(5 AS bigint);
--> single-tenant

SELECT * FROM orders WHERE store_id = 5.0;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5::numeric;
--> single-tenant

SELECT * FROM orders WHERE store_id = 5::double precision;
--> single-tenant

SELECT * FROM orders WHERE store_id::int = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id::text = '5';
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id::bigint = 5;
--> single-tenant

SELECT * FROM orders WHERE CAST(store_id AS bigint) = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = 2 + 3;
--> single-tenant

SELECT * FROM orders WHERE store_id = 10 / 2;
--> single-tenant

SELECT * FROM orders WHERE store_id = abs(-5);
--> single-tenant

SELECT * FROM orders WHERE store_id = length('12345');
--> single-tenant

SELECT * FROM orders WHERE store_id = (SELECT 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = - -5;
--> single-tenant

SELECT * FROM orders WHERE store_id = coalesce(5, 6);
--> single-tenant

SELECT * FROM orders WHERE store_id = coalesce(NULL, 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = CASE WHEN true THEN 5 ELSE 6 END;
--> single-tenant

SELECT * FROM orders WHERE store_id = greatest(4, 5);
--> single-tenant

SELECT * FROM orders WHERE store_id = nullif(5, 6);
--> single-tenant

SELECT * FROM orders WHERE store_id = (ARRAY[5, 6])[1];
--> single-tenant

SELECT * FROM orders WHERE store_id = ('{"store": 5}'::json ->> 'store')::bigint;
--> single-tenant

SELECT * FROM orders WHERE store_id = current_setting('shop.store', true)::bigint;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = random()::bigint;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = floor(5.7);
--> single-tenant

SELECT * FROM orders WHERE store_id = extract(day FROM date '2024-01-05');
--> single-tenant

SELECT * FROM orders WHERE store_id + 0 = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id - 5 = 0;
--> multi-tenant public.orders

SELECT * FROM orders WHERE -store_id = -5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE coalesce(store_id, 0) = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE abs(store_id) = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = order_id;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = store_id;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = order_id AND order_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = customer_id AND customer_id = order_id AND order_id = 5;
--> single-tenant

SELECT * FROM orders WHERE order_id = 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE customer_id = 5 AND status = 'paid';
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id = lock_version AND lock_version = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = total AND total = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id OPERATOR(pg_catalog.=) 5;
--> single-tenant

SELECT * FROM orders WHERE int8eq(store_id, 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE pg_catalog.int8eq(store_id, 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5) = true;
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5) IS TRUE;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5) IS NOT FALSE;
--> multi-tenant public.orders

SELECT * FROM orders WHERE true = (store_id = 5);
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5) <> false;
--> single-tenant

SELECT * FROM orders WHERE (store_id = 5) = false;
--> multi-tenant public.orders

SELECT * FROM orders WHERE (store_id = 5)::bool;
--> single-tenant

SELECT * FROM orders WHERE NOT NOT store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE NOT (store_id <> 5);
--> single-tenant

SELECT * FROM orders WHERE NOT (store_id != 5 OR status <> 'paid');
--> single-tenant

SELECT * FROM orders WHERE NOT (store_id = 5);
--> multi-tenant public.orders

SELECT * FROM orders WHERE NOT (store_id <> 5 AND status <> 'paid');
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id <> 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id > 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id >= 5 AND store_id <= 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id BETWEEN 5 AND 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id BETWEEN SYMMETRIC 5 AND 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id < 6 AND store_id > 4;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IS NULL;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IS NOT NULL;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IS NOT NULL AND store_id = 5;
--> single-tenant

SELECT * FROM orders WHERE store_id = NULL;
--> single-tenant

SELECT * FROM orders WHERE store_id IS NOT DISTINCT FROM 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id IS DISTINCT FROM 5;
--> multi-tenant public.orders

SELECT * FROM orders WHERE store_id::text LIKE '5';
--> multi-tenant public.orders

SELECT * FROM orders WHERE CASE WHEN store_id = 5 THEN true ELSE false END;
--> multi-tenant public.orders

SELECT * FROM orders WHERE CASE WHEN true THEN store_id = 5 END;
--> single-tenant

SELECT * FROM orders WHERE coalesce(store_id = 5, false);
--> multi-tenant public.orders

SELECT * FROM orders;
--> multi-tenant public.orders

TABLE orders;
--> multi-tenant public.orders

SELECT ALL * FROM ONLY orders WHERE store_id = 5;
--> single-tenant

SELECT count(*) FROM orders WHERE true;
--> multi-tenant public.orders

SELECT count(*) FROM orders WHERE store_id = 5 AND true;
--> single-tenant

SELECT count(*) FROM orders WHERE store_id = 5 AND 1 = 1;
--> single-tenant

SELECT * FROM orders WHERE placed_at > now() - interval '1 day' AND store_id = 5 ORDER BY placed_at DESC LIMIT 10 OFFSET 20;
--> single-tenant

SELECT * FROM orders TABLESAMPLE bernoulli (10) WHERE store_id = 5;
--> single-tenant

SELECT order_id, store_id = 5 FROM orders;
--> multi-tenant public.orders

SELECT order_id FROM orders ORDER BY store_id = 5;
--> multi-tenant public.orders
