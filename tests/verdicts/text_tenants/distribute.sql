SET citus.shard_count = 8;
SELECT create_distributed_table('public.companies', 'company');
SELECT create_distributed_table('public.invoices', 'company', colocate_with => 'public.companies');
SELECT create_distributed_table('public.payments', 'company', colocate_with => 'public.companies');
INSERT INTO public.companies SELECT n, 'company ' || n FROM generate_series(1, 9) n;
INSERT INTO public.invoices SELECT n, n, 'x', 1 FROM generate_series(1, 9) n;
INSERT INTO public.payments SELECT n, n, n, 1 FROM generate_series(1, 9) n;
