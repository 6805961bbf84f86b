-- Reports and dashboards, as people write them.

SELECT p.name, count(t.task_id) AS open FROM projects p LEFT JOIN tasks t ON t.account_id = p.account_id AND t.project_id = p.project_id AND t.state = 'open' WHERE p.account_id = '00000000-0000-0000-0000-000000000005' GROUP BY p.name ORDER BY open DESC;
--> single-tenant

SELECT p.name, count(t.task_id) AS open FROM projects p LEFT JOIN tasks t ON t.project_id = p.project_id AND t.state = 'open' WHERE p.account_id = '00000000-0000-0000-0000-000000000005' GROUP BY p.name;
--> refused public.tasks: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT a.name, count(*) FROM accounts a JOIN users u ON u.account_id = a.account_id GROUP BY a.name HAVING count(*) > 10;
--> multi-tenant public.accounts public.users

SELECT a.name, pl.name FROM accounts a JOIN plans pl USING (plan_id) WHERE a.deleted_at IS NULL;
--> multi-tenant public.accounts

SELECT a.name, pl.name FROM accounts a JOIN plans pl USING (plan_id) WHERE a.account_id = $1;
--> single-tenant

SELECT a.name, pl.seats - (SELECT count(*) FROM users u WHERE u.account_id = a.account_id) AS left FROM accounts a JOIN plans pl USING (plan_id) WHERE a.account_id = $1;
--> multi-tenant public.users

SELECT a.name, pl.seats - (SELECT count(*) FROM users u WHERE u.account_id = $1) AS left FROM accounts a JOIN plans pl USING (plan_id) WHERE a.account_id = $1;
--> single-tenant

SELECT date_trunc('week', c.created_at) AS week, count(*) FROM comments c WHERE c.account_id = $1 AND c.created_at >= now() - interval '90 days' GROUP BY 1 ORDER BY 1;
--> single-tenant

SELECT date_trunc('week', c.created_at) AS week, count(DISTINCT c.account_id) FROM comments c GROUP BY 1;
--> multi-tenant public.comments

WITH weeks AS (SELECT generate_series(date '2024-01-01', date '2024-03-01', interval '1 week') AS week) SELECT w.week, count(c.comment_id) FROM weeks w LEFT JOIN comments c ON date_trunc('week', c.created_at) = w.week AND c.account_id = $1 GROUP BY 1;
--> single-tenant

WITH weeks AS (SELECT generate_series(date '2024-01-01', date '2024-03-01', interval '1 week') AS week) SELECT w.week, count(c.comment_id) FROM weeks w LEFT JOIN (SELECT * FROM comments WHERE account_id = $1) c ON date_trunc('week', c.created_at) = w.week GROUP BY 1;
--> single-tenant

WITH weeks AS (SELECT generate_series(date '2024-01-01', date '2024-03-01', interval '1 week') AS week) SELECT w.week, (SELECT count(*) FROM comments c WHERE c.account_id = $1 AND date_trunc('week', c.created_at) = w.week) FROM weeks w;
--> single-tenant

WITH weeks AS (SELECT generate_series(date '2024-01-01', date '2024-03-01', interval '1 week') AS week) SELECT w.week, count(*) FROM weeks w JOIN comments c ON date_trunc('week', c.created_at) = w.week WHERE c.account_id = $1 GROUP BY 1;
--> single-tenant

SELECT u.name, count(*) FILTER (WHERE t.state = 'done') AS done, count(*) AS all FROM users u JOIN tasks t ON t.assignee_id = u.user_id AND t.account_id = u.account_id WHERE u.account_id = $1 GROUP BY u.user_id, u.name;
--> single-tenant

SELECT u.name, count(*) FROM users u JOIN tasks t ON t.assignee_id = u.user_id WHERE t.account_id = $1 GROUP BY u.name;
--> refused public.users: the query contains a join that requires repartitioning

SELECT u.name, s.n FROM users u JOIN (SELECT assignee_id, count(*) AS n FROM tasks WHERE account_id = $1 GROUP BY assignee_id) s ON s.assignee_id = u.user_id WHERE u.account_id = $1;
--> single-tenant

SELECT u.name, s.n FROM users u JOIN (SELECT assignee_id, count(*) AS n FROM tasks GROUP BY assignee_id) s ON s.assignee_id = u.user_id WHERE u.account_id = $1;
--> multi-tenant public.tasks

SELECT u.name, s.n FROM users u JOIN (SELECT account_id, assignee_id, count(*) AS n FROM tasks GROUP BY account_id, assignee_id) s ON s.assignee_id = u.user_id AND s.account_id = u.account_id WHERE u.account_id = $1;
--> single-tenant

SELECT u.name, s.n FROM users u LEFT JOIN (SELECT account_id, assignee_id, count(*) AS n FROM tasks GROUP BY account_id, assignee_id) s ON s.assignee_id = u.user_id AND s.account_id = u.account_id WHERE u.account_id = $1;
--> single-tenant

SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY t.project_id ORDER BY t.position) AS n FROM tasks t WHERE t.account_id = $1) x WHERE n <= 3;
--> single-tenant

SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY t.account_id, t.project_id ORDER BY t.position) AS n FROM tasks t) x WHERE n <= 3 AND account_id = $1;
--> single-tenant

SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY t.project_id ORDER BY t.position) AS n FROM tasks t) x WHERE n <= 3 AND account_id = $1;
--> multi-tenant public.tasks

SELECT p.project_id, x.title FROM projects p CROSS JOIN LATERAL (SELECT title FROM tasks t WHERE t.account_id = p.account_id AND t.project_id = p.project_id ORDER BY position LIMIT 3) x WHERE p.account_id = $1;
--> multi-tenant public.tasks

SELECT p.project_id, x.title FROM projects p CROSS JOIN LATERAL (SELECT title FROM tasks t WHERE t.account_id = $1 AND t.project_id = p.project_id ORDER BY position LIMIT 3) x WHERE p.account_id = $1;
--> single-tenant

SELECT percentile_disc(0.9) WITHIN GROUP (ORDER BY estimate) FROM tasks WHERE account_id = $1 AND estimate IS NOT NULL;
--> single-tenant

SELECT state, count(*), round(100.0 * count(*) / sum(count(*)) OVER (), 1) FROM tasks WHERE account_id = $1 GROUP BY state;
--> single-tenant

SELECT state, count(*), round(100.0 * count(*) / sum(count(*)) OVER (), 1) FROM tasks GROUP BY state;
--> multi-tenant public.tasks

SELECT kind, count(*) FROM events WHERE account_id = $1 AND happened_at >= '2024-01-01' AND happened_at < '2024-02-01' GROUP BY kind;
--> single-tenant

SELECT kind, count(*) FROM events WHERE happened_at >= '2024-01-01' AND happened_at < '2024-02-01' GROUP BY kind;
--> multi-tenant public.events

SELECT kind, count(*) FROM events_2024 WHERE account_id = $1 GROUP BY kind;
--> single-tenant

SELECT kind, count(*) FROM events_2024 GROUP BY kind;
--> multi-tenant public.events_2024

SELECT count(*) FROM events e JOIN users u ON u.user_id = (e.payload ->> 'user')::uuid WHERE e.account_id = $1 AND u.account_id = $1;
--> single-tenant

SELECT count(*) FROM events e JOIN users u ON u.user_id = (e.payload ->> 'user')::uuid WHERE e.account_id = $1;
--> refused public.users: complex joins are only supported when all distributed tables are joined on their distribution columns with equal operator

SELECT count(*) FROM events e WHERE e.payload ->> 'account_id' = '00000000-0000-0000-0000-000000000005';
--> multi-tenant public.events

SELECT count(*) FROM events e WHERE e.payload @> '{"account_id": 5}';
--> multi-tenant public.events

SELECT count(*) FROM events e WHERE (e.payload ->> 'account_id')::uuid = e.account_id;
--> multi-tenant public.events

SELECT * FROM open_tasks WHERE account_id = $1 ORDER BY task_id LIMIT 50;
--> single-tenant

SELECT * FROM open_tasks WHERE project = 'project';
--> multi-tenant public.tasks public.projects

SELECT project, count(*) FROM open_tasks GROUP BY project;
--> multi-tenant public.tasks public.projects

SELECT * FROM activity WHERE account_id = $1 ORDER BY at DESC LIMIT 20;
--> single-tenant

SELECT * FROM activity WHERE user_id = $1 ORDER BY at DESC LIMIT 20;
--> multi-tenant public.comments public.events

SELECT * FROM account_sizes WHERE account_id = $1;
--> multi-tenant public.users

SELECT * FROM account_sizes WHERE users > 100;
--> multi-tenant public.accounts public.users

SELECT 'users' AS what, count(*) FROM users WHERE account_id = $1 UNION ALL SELECT 'tasks', count(*) FROM tasks WHERE account_id = $1 UNION ALL SELECT 'comments', count(*) FROM comments WHERE account_id = $1;
--> single-tenant

SELECT 'users' AS what, count(*) FROM users WHERE account_id = $1 UNION ALL SELECT 'tasks', count(*) FROM tasks WHERE account_id = $1 UNION ALL SELECT 'comments', count(*) FROM comments;
--> multi-tenant public.comments

SELECT (SELECT count(*) FROM users WHERE account_id = $1) AS users, (SELECT count(*) FROM tasks WHERE account_id = $1) AS tasks;
--> single-tenant

SELECT (SELECT count(*) FROM users WHERE account_id = $1) AS users, (SELECT count(*) FROM tasks WHERE account_id = $2) AS tasks;
--> multi-tenant public.users public.tasks

SELECT now() AS at, (SELECT name FROM accounts WHERE account_id = $1);
--> single-tenant

SELECT a.account_id, max(e.happened_at) FROM accounts a LEFT JOIN events e USING (account_id) WHERE a.account_id IN ($1, $2) GROUP BY a.account_id;
--> multi-tenant public.accounts public.events

SELECT a.account_id, max(e.happened_at) FROM accounts a LEFT JOIN events e USING (account_id) WHERE a.account_id = $1 GROUP BY a.account_id;
--> single-tenant

SELECT account_id FROM accounts WHERE account_id NOT IN (SELECT account_id FROM events);
--> multi-tenant public.accounts public.events

SELECT account_id FROM accounts a WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.account_id = a.account_id);
--> multi-tenant public.accounts public.users

SELECT t.labels, count(*) FROM tasks t, unnest(t.labels) l WHERE t.account_id = $1 GROUP BY 1;
--> single-tenant

SELECT l, count(*) FROM tasks t CROSS JOIN unnest(t.labels) l WHERE l = 'bug' GROUP BY l;
--> multi-tenant public.tasks

SELECT * FROM tasks WHERE account_id = $1 AND labels && ARRAY['bug', 'urgent'] AND state = ANY (ARRAY['open', 'doing']::task_state[]);
--> single-tenant

SELECT * FROM tasks WHERE labels && ARRAY['bug', 'urgent'];
--> multi-tenant public.tasks

SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM tasks WHERE account_id = $1 UNION ALL SELECT count(*) FROM comments WHERE account_id = $1) x;
--> single-tenant

SELECT DISTINCT u.email FROM users u, tasks t, comments c WHERE u.account_id = t.account_id AND t.account_id = c.account_id AND c.author_id = u.user_id AND c.task_id = t.task_id AND c.account_id = $1;
--> single-tenant

SELECT DISTINCT u.email FROM users u, tasks t, comments c WHERE u.account_id = t.account_id AND c.author_id = u.user_id AND c.task_id = t.task_id AND u.account_id = $1;
--> refused public.comments: the query contains a join that requires repartitioning

WITH mine AS (SELECT task_id FROM tasks WHERE account_id = $1 AND assignee_id = $2), talk AS (SELECT task_id, count(*) AS n FROM comments WHERE account_id = $1 GROUP BY task_id) SELECT m.task_id, coalesce(t.n, 0) FROM mine m LEFT JOIN talk t USING (task_id);
--> single-tenant

WITH mine AS (SELECT task_id FROM tasks WHERE account_id = $1 AND assignee_id = $2), talk AS (SELECT task_id, count(*) AS n FROM comments GROUP BY task_id) SELECT m.task_id, coalesce(t.n, 0) FROM mine m LEFT JOIN talk t USING (task_id);
--> multi-tenant public.comments

WITH mine AS (SELECT account_id, task_id FROM tasks WHERE account_id = $1 AND assignee_id = $2), talk AS (SELECT account_id, task_id, count(*) AS n FROM comments GROUP BY 1, 2) SELECT m.task_id, coalesce(t.n, 0) FROM mine m LEFT JOIN talk t USING (account_id, task_id);
--> single-tenant

SELECT grouping(p.name), p.name, t.state, count(*) FROM projects p JOIN tasks t USING (account_id, project_id) WHERE p.account_id = $1 GROUP BY GROUPING SETS ((p.name, t.state), (p.name), ());
--> single-tenant

SELECT to_char(due_on, 'YYYY-MM'), count(*) FROM tasks WHERE account_id = $1 AND due_on BETWEEN $2 AND $3 GROUP BY 1;
--> single-tenant

SELECT first_value(title) OVER w, lead(due_on, 2) OVER w FROM tasks WHERE account_id = $1 WINDOW w AS (PARTITION BY project_id ORDER BY due_on);
--> single-tenant

SELECT array_agg(json_build_object('id', t.task_id, 'comments', (SELECT json_agg(c.body) FROM comments c WHERE c.account_id = t.account_id AND c.task_id = t.task_id))) FROM tasks t WHERE t.account_id = $1;
--> multi-tenant public.comments

SELECT json_agg(x) FROM (SELECT t.task_id, json_agg(c.body) AS comments FROM tasks t LEFT JOIN comments c ON c.account_id = t.account_id AND c.task_id = t.task_id WHERE t.account_id = $1 GROUP BY t.task_id) x;
--> single-tenant
