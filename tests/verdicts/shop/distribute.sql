-- What makes a cluster of it, and the rows that the statements find: few, of eight tenants.

SET citus.shard_count = 8;
SELECT create_distributed_table('public.stores', 'store_id');
SELECT create_distributed_table('public.customers', 'store_id', colocate_with => 'public.stores');
SELECT create_reference_table('public.products');
SELECT create_reference_table('public.countries');
SELECT create_distributed_table('public.orders', 'store_id', colocate_with => 'public.stores');
SELECT create_distributed_table('public.line_items', 'store_id', colocate_with => 'public.stores');
SELECT create_distributed_table('public."OrderNotes"', 'store_id', colocate_with => 'public.stores');
SELECT create_distributed_table('archive.orders', 'store_id', colocate_with => 'public.stores');
SELECT create_distributed_table('archive.line_items', 'store_id', colocate_with => 'public.stores');

INSERT INTO public.products SELECT n, 'sku' || n, 'product ' || n, n FROM generate_series(1, 9) n;
INSERT INTO public.countries VALUES ('de', 'Germany'), ('nl', 'Netherlands');
INSERT INTO public.stores SELECT n, 'store ' || n, 'toys' FROM generate_series(1, 9) n;
INSERT INTO public.customers SELECT n, n, n || '@example.com', 'customer ' || n FROM generate_series(1, 9) n;
INSERT INTO public.orders (store_id, order_id, customer_id, status, total)
    SELECT n, n, n, 'paid', n * 10 FROM generate_series(1, 9) n;
INSERT INTO public.line_items SELECT n, n, n, n, 1, 10 FROM generate_series(1, 9) n;
INSERT INTO public."OrderNotes" SELECT n, n, n, 'note' FROM generate_series(1, 9) n;
INSERT INTO archive.orders SELECT n, n, n, 'paid', 1, now() FROM generate_series(1, 9) n;
INSERT INTO archive.line_items SELECT n, n, n, 1 FROM generate_series(1, 9) n;
INSERT INTO public.settings VALUES ('theme', 'dark'), ('5', '5');
INSERT INTO public.job_log SELECT n, n, 'done' FROM generate_series(1, 9) n;
