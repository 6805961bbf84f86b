SET citus.shard_count = 8;
SELECT create_distributed_table('public.shops', 'shop_id');
SELECT create_distributed_table('public.visits', 'shop_id', colocate_with => 'public.shops');
SELECT create_distributed_table('public.pages', 'shop_id', colocate_with => 'public.shops');
INSERT INTO public.shops SELECT n, 'shop ' || n FROM generate_series(1, 9) n;
INSERT INTO public.visits SELECT n, n, '/', n, n, n FROM generate_series(1, 9) n;
INSERT INTO public.pages SELECT n, '/', 'home' FROM generate_series(1, 9) n;
