-- Hand-written SQL of the application.

SELECT * FROM users WHERE account_id = $1 AND lower(email) = lower($2);
--> single-tenant

SELECT * FROM users WHERE email = $1;
--> multi-tenant public.users

SELECT u.*, a.name AS account FROM users u JOIN accounts a USING (account_id) WHERE u.email = $1;
--> multi-tenant public.users public.accounts

SELECT u.*, a.name AS account FROM users u JOIN accounts a USING (account_id) WHERE a.account_id = $1 AND u.email = $2;
--> single-tenant

SELECT * FROM tasks WHERE account_id = $1::uuid AND task_id = $2;
--> single-tenant

SELECT * FROM tasks WHERE account_id = '00000000-0000-0000-0000-000000000005'::text::uuid AND task_id = $1;
--> single-tenant

SELECT * FROM tasks WHERE account_id::text = $1 AND task_id = $2;
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = '00000000-0000-0000-0000-000000000005' AND task_id = 7;
--> single-tenant

SELECT * FROM tasks WHERE account_id = '00000000-0000-0000-0000-000000000005'::uuid;
--> single-tenant

SELECT * FROM tasks WHERE account_id = uuid '00000000-0000-0000-0000-000000000005';
--> single-tenant

SELECT * FROM tasks WHERE account_id = upper('00000000-0000-0000-0000-000000000005')::uuid;
--> single-tenant

SELECT * FROM tasks WHERE account_id = ('{00000000-0000-0000-0000-000000000005}');
--> single-tenant

SELECT * FROM tasks WHERE account_id = current_setting('app.account', true)::uuid;
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = nullif(current_setting('app.account', true), '')::uuid;
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = md5('5')::uuid;
--> single-tenant

SELECT * FROM tasks WHERE account_id = gen_random_uuid();
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id IN ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000005');
--> single-tenant

SELECT * FROM tasks WHERE account_id IN ('00000000-0000-0000-0000-000000000005', '00000000-0000-0000-0000-000000000006');
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id IN ('00000000-0000-0000-0000-000000000005'::uuid);
--> single-tenant

SELECT * FROM tasks WHERE account_id = ANY ($1);
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = $1 AND task_id = ANY ($2);
--> single-tenant

SELECT * FROM tasks WHERE account_id = $1 AND ($2::text IS NULL OR title ILIKE '%' || $2 || '%') ORDER BY position, task_id LIMIT $3 OFFSET $4;
--> single-tenant

SELECT * FROM tasks WHERE ($1::uuid IS NULL OR account_id = $1) AND state = 'open';
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = coalesce($1, account_id);
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = CASE WHEN $1::uuid IS NULL THEN account_id ELSE $1 END;
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = $1 AND (position, task_id) > ($2, $3) ORDER BY position, task_id LIMIT 20;
--> single-tenant

SELECT * FROM tasks WHERE account_id = $1 AND deleted_at IS NULL AND project_id IN (SELECT project_id FROM projects WHERE account_id = $1 AND NOT archived);
--> single-tenant

SELECT * FROM tasks WHERE account_id = $1 AND project_id IN (SELECT project_id FROM projects WHERE NOT archived);
--> multi-tenant public.projects

SELECT * FROM tasks WHERE project_id IN (SELECT project_id FROM projects WHERE account_id = $1);
--> multi-tenant public.tasks

SELECT * FROM tasks t WHERE t.account_id = $1 AND EXISTS (SELECT FROM projects p WHERE p.account_id = t.account_id AND p.project_id = t.project_id AND p.owner_id = $2);
--> single-tenant

SELECT * FROM tasks t WHERE EXISTS (SELECT FROM projects p WHERE p.account_id = $1 AND p.project_id = t.project_id);
--> refused public.tasks: the query contains a join that requires repartitioning

SELECT * FROM tasks t WHERE EXISTS (SELECT FROM projects p WHERE p.account_id = $1 AND p.account_id = t.account_id AND p.project_id = t.project_id);
--> single-tenant

SELECT t.*, p.name FROM tasks t JOIN projects p ON (p.account_id, p.project_id) = (t.account_id, t.project_id) WHERE t.account_id = $1;
--> single-tenant

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id WHERE t.account_id = $1 AND p.account_id = $1;
--> single-tenant

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id WHERE t.account_id = $1 AND p.account_id = $1::uuid;
--> single-tenant

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id WHERE t.account_id = $1 AND p.account_id = '00000000-0000-0000-0000-000000000005';
--> refused public.tasks public.projects: the query contains a join that requires repartitioning

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id WHERE '00000000-0000-0000-0000-000000000005' IN (t.account_id, p.account_id);
--> refused public.tasks public.projects: the query contains a join that requires repartitioning

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id WHERE t.account_id = '00000000-0000-0000-0000-000000000005' AND p.account_id = '00000000-0000-0000-0000-000000000005';
--> single-tenant

SELECT t.*, p.name FROM tasks t JOIN projects p ON p.project_id = t.project_id AND p.account_id = t.account_id WHERE '00000000-0000-0000-0000-000000000005' = p.account_id;
--> single-tenant

SELECT t.*, u.name FROM tasks t LEFT JOIN users u ON u.user_id = t.assignee_id AND u.account_id = t.account_id WHERE t.account_id = $1;
--> single-tenant

SELECT t.*, u.name FROM tasks t LEFT JOIN users u ON u.user_id = t.assignee_id WHERE t.account_id = $1;
--> refused public.users: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT t.*, u.name FROM tasks t LEFT JOIN users u ON u.user_id = t.assignee_id AND u.account_id = $1 WHERE t.account_id = $1;
--> single-tenant

SELECT t.*, u.name FROM tasks t LEFT JOIN users u ON u.user_id = t.assignee_id AND u.account_id = $1 AND t.account_id = $1;
--> refused public.tasks: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT t.*, f.enabled FROM tasks t LEFT JOIN feature_flags f ON f.name = 'beta' WHERE t.account_id = $1;
--> single-tenant

SELECT f.name FROM feature_flags f WHERE f.enabled AND f.name NOT IN (SELECT version FROM schema_migrations);
--> no-tenant-table

SELECT f.name, (SELECT count(*) FROM accounts a WHERE a.plan_id = 1) FROM feature_flags f;
--> multi-tenant public.accounts

SELECT version FROM schema_migrations ORDER BY version;
--> no-tenant-table

SELECT * FROM projects p WHERE p.account_id = $1 AND p.settings ->> 'color' = 'red';
--> single-tenant

SELECT * FROM projects p WHERE p.settings @> '{"public": true}';
--> multi-tenant public.projects

SELECT * FROM projects p WHERE p.account_id = $1 OR p.settings @> '{"public": true}';
--> multi-tenant public.projects

SELECT * FROM projects p WHERE p.account_id = $1 AND p.owner_id = p.account_id;
--> single-tenant

SELECT * FROM projects p JOIN users u ON u.user_id = p.owner_id AND u.account_id = p.owner_id WHERE p.account_id = $1;
--> refused public.users: the query contains a join that requires repartitioning

SELECT * FROM projects p JOIN users u ON u.account_id = p.owner_id WHERE p.account_id = $1 AND p.owner_id = $1;
--> single-tenant

WITH RECURSIVE tree AS (SELECT account_id, project_id, parent_id, 1 AS depth FROM projects WHERE account_id = $1 AND parent_id IS NULL UNION ALL SELECT p.account_id, p.project_id, p.parent_id, t.depth + 1 FROM projects p JOIN tree t ON p.parent_id = t.project_id AND p.account_id = t.account_id) SELECT * FROM tree;
--> refused public.projects: recursive CTEs are only supported when they contain a filter on the distribution column

WITH RECURSIVE tree AS (SELECT account_id, project_id, parent_id, 1 AS depth FROM projects WHERE account_id = $1 AND parent_id IS NULL UNION ALL SELECT p.account_id, p.project_id, p.parent_id, t.depth + 1 FROM projects p JOIN tree t ON p.parent_id = t.project_id WHERE p.account_id = $1) SELECT * FROM tree WHERE depth < 5;
--> single-tenant

WITH RECURSIVE tree AS (SELECT project_id FROM projects WHERE account_id = $1 AND project_id = $2 UNION SELECT p.project_id FROM projects p JOIN tree t ON p.parent_id = t.project_id) SELECT * FROM tasks WHERE account_id = $1 AND project_id IN (SELECT project_id FROM tree);
--> refused public.projects: recursive CTEs are only supported when they contain a filter on the distribution column

-- Queues, locks, writes.

SELECT task_id FROM tasks WHERE account_id = $1 AND state = 'open' ORDER BY position FOR UPDATE SKIP LOCKED LIMIT 1;
--> single-tenant

SELECT task_id FROM tasks WHERE state = 'open' ORDER BY position FOR UPDATE SKIP LOCKED LIMIT 1;
--> refused public.tasks: could not run distributed query with FOR UPDATE/SHARE commands

UPDATE tasks SET state = 'doing' WHERE account_id = $1 AND task_id = (SELECT task_id FROM tasks WHERE account_id = $1 AND state = 'open' ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *;
--> single-tenant

UPDATE tasks SET state = 'doing' WHERE task_id = (SELECT task_id FROM tasks WHERE state = 'open' ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING *;
--> refused public.tasks: could not run distributed query with FOR UPDATE/SHARE commands

UPDATE tasks SET position = position + 1 WHERE account_id = $1 AND project_id = $2 AND position >= $3;
--> single-tenant

UPDATE tasks SET position = position + 1 WHERE project_id = $1 AND position >= $2;
--> multi-tenant public.tasks

UPDATE tasks t SET position = v.position FROM (VALUES (7::bigint, 1), (8, 2)) v (task_id, position) WHERE t.account_id = $1 AND t.task_id = v.task_id;
--> single-tenant

UPDATE tasks t SET position = v.position FROM (VALUES ($1::uuid, 7::bigint, 1), ($1, 8, 2)) v (account_id, task_id, position) WHERE t.account_id = v.account_id AND t.task_id = v.task_id;
--> multi-tenant public.tasks

UPDATE tasks SET due_on = current_date + 1 WHERE account_id = $1;
--> single-tenant

UPDATE tasks SET title = title || ' ' || now()::text WHERE account_id = $1 AND task_id = $2;
--> single-tenant

UPDATE tasks t SET assignee_id = u.user_id FROM users u WHERE u.account_id = t.account_id AND u.email = $2 AND t.account_id = $1;
--> single-tenant

UPDATE tasks t SET assignee_id = u.user_id FROM users u WHERE u.email = $2 AND t.account_id = $1;
--> refused public.users: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE tasks SET assignee_id = (SELECT user_id FROM users WHERE account_id = $1 AND email = $2) WHERE account_id = $1 AND task_id = $3;
--> single-tenant

UPDATE tasks SET assignee_id = (SELECT user_id FROM users WHERE email = $2) WHERE account_id = $1 AND task_id = $3;
--> refused public.users: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

UPDATE users SET last_seen_at = now() WHERE user_id = $1;
--> multi-tenant public.users

UPDATE users SET last_seen_at = now() WHERE account_id = $1 AND user_id = $2 AND (last_seen_at IS NULL OR last_seen_at < now() - interval '1 minute');
--> single-tenant

UPDATE accounts SET plan_id = p.plan_id FROM plans p WHERE p.name = 'paid' AND accounts.account_id = $1;
--> single-tenant

UPDATE accounts SET deleted_at = now() WHERE account_id = $1 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.account_id = accounts.account_id);
--> single-tenant

UPDATE projects SET settings = settings || '{"a": 1}' WHERE account_id = $1 AND project_id = $2 RETURNING settings;
--> single-tenant

UPDATE projects SET settings = jsonb_set(settings, '{a}', '1') WHERE project_id = $1;
--> multi-tenant public.projects

DELETE FROM comments WHERE account_id = $1 AND task_id IN (SELECT task_id FROM tasks WHERE account_id = $1 AND state = 'done');
--> single-tenant

DELETE FROM comments WHERE task_id IN (SELECT task_id FROM tasks WHERE account_id = $1 AND state = 'done');
--> multi-tenant public.comments

DELETE FROM comments c USING tasks t WHERE t.account_id = c.account_id AND t.task_id = c.task_id AND t.account_id = $1 AND t.deleted_at < now();
--> single-tenant

DELETE FROM comments c USING tasks t WHERE t.task_id = c.task_id AND t.account_id = $1;
--> refused public.comments: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

DELETE FROM events WHERE account_id = $1 AND happened_at < '2024-06-01';
--> single-tenant

DELETE FROM events WHERE happened_at < now() - interval '1 year';
--> multi-tenant public.events

DELETE FROM events_2024 WHERE kind = 'login';
--> multi-tenant public.events_2024

INSERT INTO tasks (account_id, task_id, project_id, title) VALUES ($1, $2, $3, $4) RETURNING *;
--> single-tenant

INSERT INTO tasks (account_id, task_id, project_id, title) VALUES ('00000000-0000-0000-0000-000000000005', 100, 7, 'a'), ('00000000-0000-0000-0000-000000000005', 101, 7, 'b');
--> single-tenant

INSERT INTO tasks (account_id, task_id, project_id, title) VALUES ('00000000-0000-0000-0000-000000000005', 102, 7, 'a'), ('00000000-0000-0000-0000-000000000006', 103, 7, 'b');
--> multi-tenant public.tasks

INSERT INTO tasks (task_id, project_id, title) VALUES ($1, $2, $3);
--> refused public.tasks: cannot perform an INSERT without a partition column value

INSERT INTO tasks (account_id, task_id, project_id, position) VALUES ($1, $2, $3, (SELECT coalesce(max(position), 0) + 1 FROM tasks WHERE account_id = $1));
--> refused: subqueries are not supported within INSERT queries

INSERT INTO tasks (account_id, task_id, project_id, position) SELECT $1, $2, $3, coalesce(max(position), 0) + 1 FROM tasks WHERE account_id = $1;
--> multi-tenant public.tasks

INSERT INTO tasks (account_id, task_id, project_id, title) SELECT account_id, task_id + 1000, project_id, title FROM tasks WHERE account_id = $1 AND project_id = $2;
--> single-tenant

INSERT INTO tasks (account_id, task_id, project_id, title) SELECT account_id, task_id + 1000, project_id, title FROM tasks WHERE project_id = $1;
--> multi-tenant public.tasks

INSERT INTO users (account_id, email) VALUES ($1, $2) ON CONFLICT (account_id, email) DO UPDATE SET last_seen_at = excluded.last_seen_at RETURNING user_id;
--> single-tenant

INSERT INTO users (account_id, email) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING;
--> refused: there is no unique or exclusion constraint matching the ON CONFLICT specification

INSERT INTO users (account_id, email, last_seen_at) VALUES ($1, $2, now()) ON CONFLICT (account_id, email) DO UPDATE SET last_seen_at = now();
--> refused: functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be marked IMMUTABLE

INSERT INTO users (account_id, user_id, email) VALUES ($1, gen_random_uuid(), $2);
--> single-tenant

INSERT INTO accounts (account_id, name) VALUES (gen_random_uuid(), 'new') RETURNING account_id;
--> single-tenant

INSERT INTO accounts (name) VALUES ('new');
--> refused public.accounts: cannot perform an INSERT without a partition column value

INSERT INTO events (account_id, event_id, kind, happened_at) VALUES ($1, $2, 'login', '2024-07-01');
--> single-tenant

INSERT INTO events (account_id, event_id, kind, happened_at) SELECT account_id, 900, 'tick', '2024-07-01' FROM accounts;
--> multi-tenant public.events public.accounts

INSERT INTO events_2024 (account_id, event_id, kind, happened_at) VALUES ($1, $2, 'login', '2024-07-01');
--> single-tenant

WITH gone AS (DELETE FROM comments WHERE account_id = $1 AND comment_id = $2 RETURNING task_id) UPDATE tasks SET title = 'x' WHERE account_id = $1 AND task_id IN (SELECT task_id FROM gone);
--> single-tenant

WITH new AS (INSERT INTO projects (account_id, project_id, name) VALUES ($1, $2, 'p') RETURNING account_id, project_id) INSERT INTO tasks (account_id, task_id, project_id) SELECT account_id, 500, project_id FROM new;
--> multi-tenant public.tasks

WITH new AS (INSERT INTO projects (account_id, project_id, name) VALUES ($1, $2, 'p') RETURNING project_id) SELECT * FROM new;
--> single-tenant

WITH moved AS (UPDATE tasks SET project_id = $2 WHERE account_id = $1 AND project_id = $3 RETURNING 1) SELECT count(*) FROM moved;
--> single-tenant

WITH moved AS (UPDATE tasks SET project_id = $1 WHERE project_id = $2 RETURNING 1) SELECT count(*) FROM moved;
--> multi-tenant public.tasks

SELECT pg_advisory_xact_lock(hashtext($1));
--> no-tenant-table

SELECT set_config('app.account', $1, true);
--> no-tenant-table

SELECT pg_notify('tasks', $1);
--> no-tenant-table

SELECT 1 FROM tasks WHERE account_id = $1 AND task_id = $2 FOR KEY SHARE OF tasks;
--> single-tenant
