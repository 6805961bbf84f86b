SET citus.shard_count = 8;
SELECT create_reference_table('public.plans');
SELECT create_reference_table('public.feature_flags');
SELECT create_distributed_table('public.accounts', 'account_id');
SELECT create_distributed_table('public.users', 'account_id', colocate_with => 'public.accounts');
SELECT create_distributed_table('public.projects', 'account_id', colocate_with => 'public.accounts');
SELECT create_distributed_table('public.tasks', 'account_id', colocate_with => 'public.accounts');
SELECT create_distributed_table('public.comments', 'account_id', colocate_with => 'public.accounts');
SELECT create_distributed_table('public.events', 'account_id', colocate_with => 'public.accounts');

INSERT INTO public.plans VALUES (1, 'free', 3), (2, 'paid', 100);
INSERT INTO public.feature_flags VALUES ('beta', true);
INSERT INTO public.schema_migrations VALUES ('1');
INSERT INTO public.accounts SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'account ' || n, 1 FROM generate_series(1, 9) n;
INSERT INTO public.users (account_id, email) SELECT account_id, name || '@example.com' FROM public.accounts;
INSERT INTO public.projects (account_id, project_id, name) SELECT account_id, 7, 'project' FROM public.accounts;
INSERT INTO public.tasks (account_id, task_id, project_id, title) SELECT account_id, 7, 7, 'task' FROM public.accounts;
INSERT INTO public.comments (account_id, comment_id, task_id, body) SELECT account_id, 7, 7, 'comment' FROM public.accounts;
INSERT INTO public.events SELECT account_id, 7, 'login', '{}', '2024-05-05' FROM public.accounts;
