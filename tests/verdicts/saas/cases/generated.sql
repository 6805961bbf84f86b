-- As object-relational mappers and query builders write: Hibernate, SQLAlchemy, Prisma, Sequelize, TypeORM, Ecto, Laravel.

select t1_0.task_id,t1_0.title,t1_0.state from tasks t1_0 where t1_0.account_id=$1;
--> single-tenant

select t1_0.task_id,t1_0.title,p1_0.name from tasks t1_0 left join projects p1_0 on p1_0.project_id=t1_0.project_id where t1_0.account_id=$1;
--> refused public.projects: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

select t1_0.task_id,t1_0.title,p1_0.name from tasks t1_0 join projects p1_0 on p1_0.account_id=t1_0.account_id and p1_0.project_id=t1_0.project_id where t1_0.account_id=$1 and p1_0.name like $2 escape '\';
--> single-tenant

select count(t1_0.task_id) from tasks t1_0 where (t1_0.account_id=$1) and (t1_0.deleted_at IS NULL);
--> single-tenant

select distinct p1_0.project_id from projects p1_0 join tasks t1_0 on p1_0.project_id=t1_0.project_id and p1_0.account_id=t1_0.account_id where p1_0.account_id=$1 and t1_0.title in ($2,$3);
--> single-tenant

select t1_0.task_id from tasks t1_0 where t1_0.project_id=$1;
--> multi-tenant public.tasks

select t1_0.task_id from tasks t1_0 where (t1_0.account_id,t1_0.task_id) in (($1,$2));
--> single-tenant

select t1_0.task_id from tasks t1_0 where (t1_0.account_id,t1_0.task_id) in (($1,$2),($3,$4));
--> multi-tenant public.tasks

select t1_0.task_id from tasks t1_0 where t1_0.account_id=$1 and t1_0.task_id=$2 for no key update;
--> single-tenant

update tasks set title=$1,state='done' where account_id=$2 and task_id=$3;
--> single-tenant

update tasks set title=$1 where task_id=$2;
--> multi-tenant public.tasks

delete from tasks where account_id=$1 and task_id=$2;
--> single-tenant

insert into tasks (title,account_id,task_id,project_id) values ($1,$2,$3,$4);
--> single-tenant

SELECT tasks.account_id AS tasks_account_id, tasks.task_id AS tasks_task_id, projects_1.name AS projects_1_name FROM tasks LEFT OUTER JOIN projects AS projects_1 ON projects_1.account_id = tasks.account_id AND projects_1.project_id = tasks.project_id WHERE tasks.account_id = '00000000-0000-0000-0000-000000000005'::UUID ORDER BY tasks.task_id LIMIT 10 OFFSET 0;
--> single-tenant

SELECT anon_1.tasks_task_id, comments_1.body FROM (SELECT tasks.account_id AS tasks_account_id, tasks.task_id AS tasks_task_id FROM tasks WHERE tasks.account_id = $1 LIMIT 10) AS anon_1 LEFT OUTER JOIN comments AS comments_1 ON comments_1.account_id = anon_1.tasks_account_id AND comments_1.task_id = anon_1.tasks_task_id;
--> multi-tenant public.comments

SELECT anon_1.tasks_task_id, comments_1.body FROM (SELECT tasks.account_id AS tasks_account_id, tasks.task_id AS tasks_task_id FROM tasks WHERE tasks.account_id = $1 LIMIT 10) AS anon_1 LEFT OUTER JOIN comments AS comments_1 ON comments_1.task_id = anon_1.tasks_task_id;
--> multi-tenant public.comments

SELECT EXISTS (SELECT 1 FROM tasks WHERE tasks.account_id = $1 AND tasks.state = 'open') AS anon_1;
--> single-tenant

SELECT count(*) AS count_1 FROM (SELECT tasks.task_id AS tasks_task_id FROM tasks WHERE tasks.account_id = $1) AS anon_1;
--> single-tenant

SELECT count(*) AS count_1 FROM (SELECT tasks.task_id AS tasks_task_id FROM tasks) AS anon_1;
--> multi-tenant public.tasks

SELECT comments.task_id AS comments_task_id, comments.body FROM comments WHERE comments.task_id IN (1, 2, 3);
--> multi-tenant public.comments

SELECT comments.task_id AS comments_task_id, comments.body FROM comments WHERE (comments.account_id, comments.task_id) IN (('00000000-0000-0000-0000-000000000005', 1), ('00000000-0000-0000-0000-000000000005', 2), ('00000000-0000-0000-0000-000000000005', 3));
--> single-tenant

SELECT tasks.task_id FROM tasks JOIN (SELECT comments.account_id AS account_id, comments.task_id AS task_id, count(*) AS n FROM comments GROUP BY comments.account_id, comments.task_id) AS c ON c.account_id = tasks.account_id AND c.task_id = tasks.task_id WHERE tasks.account_id = $1;
--> single-tenant

UPDATE tasks SET state='done' WHERE tasks.account_id = $1 AND tasks.task_id IN (SELECT comments.task_id FROM comments WHERE comments.account_id = tasks.account_id);
--> multi-tenant public.comments

UPDATE tasks SET state='done' WHERE tasks.account_id = $1 AND tasks.task_id IN (SELECT comments.task_id FROM comments WHERE comments.account_id = $1);
--> single-tenant

SELECT "public"."tasks"."task_id", "public"."tasks"."title" FROM "public"."tasks" WHERE ("public"."tasks"."account_id" = $1 AND "public"."tasks"."task_id" = $2) LIMIT $3 OFFSET $4;
--> single-tenant

SELECT "public"."tasks"."task_id" FROM "public"."tasks" WHERE ("public"."tasks"."account_id","public"."tasks"."task_id") IN (SELECT "t1"."account_id", "t1"."task_id" FROM "public"."tasks" AS "t1" INNER JOIN "public"."projects" AS "j1" ON ("j1"."account_id") = ("t1"."account_id") WHERE ("j1"."name" = $1 AND "t1"."account_id" = $2));
--> single-tenant

SELECT "public"."tasks"."task_id" FROM "public"."tasks" LEFT JOIN "public"."projects" AS "j1" ON ("j1"."account_id","j1"."project_id") = ("public"."tasks"."account_id","public"."tasks"."project_id") WHERE ("public"."tasks"."account_id" = $1 AND ("j1"."name" = $2 AND ("j1"."project_id" IS NOT NULL)));
--> single-tenant

SELECT "public"."comments"."body" FROM "public"."comments" WHERE ("public"."comments"."account_id" = $1 AND 1=1) OFFSET $2;
--> single-tenant

SELECT "public"."comments"."body" FROM "public"."comments" WHERE 1=1 OFFSET $1;
--> multi-tenant public.comments

SELECT "public"."comments"."body" FROM "public"."comments" WHERE 1=0 OFFSET $1;
--> single-tenant

SELECT "public"."comments"."body" FROM "public"."comments" WHERE ("public"."comments"."account_id" IN ($1) AND "public"."comments"."task_id" IN ($2,$3));
--> single-tenant

SELECT "public"."comments"."body" FROM "public"."comments" WHERE "public"."comments"."account_id" IN ($1,$2);
--> multi-tenant public.comments

INSERT INTO "public"."comments" ("account_id","comment_id","task_id","body") VALUES ($1,$2,$3,$4), ($5,$6,$7,$8) RETURNING "public"."comments"."comment_id";
--> multi-tenant public.comments

INSERT INTO "public"."users" ("account_id","email","name") VALUES ($1,$2,$3) ON CONFLICT ("account_id","email") DO UPDATE SET "name" = $4 WHERE ("public"."users"."account_id" = $5 AND 1=1) RETURNING "public"."users"."user_id";
--> single-tenant

SELECT "Task"."task_id", "Task"."title", "Comments"."body" AS "Comments.body" FROM "tasks" AS "Task" LEFT OUTER JOIN "comments" AS "Comments" ON "Task"."task_id" = "Comments"."task_id" WHERE "Task"."account_id" = '00000000-0000-0000-0000-000000000005';
--> refused public.comments: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT "Task"."task_id", "Task"."title", "Comments"."body" AS "Comments.body" FROM "tasks" AS "Task" LEFT OUTER JOIN "comments" AS "Comments" ON "Task"."task_id" = "Comments"."task_id" AND "Comments"."account_id" = '00000000-0000-0000-0000-000000000005' WHERE "Task"."account_id" = '00000000-0000-0000-0000-000000000005';
--> single-tenant

SELECT "Task".*, "Comments"."body" FROM (SELECT "Task"."account_id", "Task"."task_id" FROM "tasks" AS "Task" WHERE "Task"."account_id" = '00000000-0000-0000-0000-000000000005' ORDER BY "Task"."task_id" LIMIT 10) AS "Task" LEFT OUTER JOIN "comments" AS "Comments" ON "Task"."task_id" = "Comments"."task_id" AND "Task"."account_id" = "Comments"."account_id";
--> multi-tenant public.comments

SELECT count("Task"."task_id") AS "count" FROM "tasks" AS "Task" INNER JOIN "projects" AS "Project" ON "Task"."project_id" = "Project"."project_id" AND "Project"."account_id" = '00000000-0000-0000-0000-000000000005' WHERE "Task"."account_id" = '00000000-0000-0000-0000-000000000005';
--> single-tenant

SELECT "task_id" FROM "tasks" AS "Task" WHERE ("Task"."deleted_at" IS NULL AND ("Task"."account_id" = '00000000-0000-0000-0000-000000000005' AND "Task"."state" = 'open'));
--> single-tenant

SELECT "task_id" FROM "tasks" AS "Task" WHERE ("Task"."deleted_at" IS NULL AND ("Task"."account_id" = '00000000-0000-0000-0000-000000000005' OR "Task"."state" = 'open'));
--> multi-tenant public.tasks

INSERT INTO "comments" ("account_id","comment_id","task_id","body") VALUES ('00000000-0000-0000-0000-000000000005',301,7,'a'),('00000000-0000-0000-0000-000000000005',302,7,'b') ON CONFLICT ("account_id","comment_id") DO UPDATE SET "body"=EXCLUDED."body" RETURNING "comment_id";
--> single-tenant

INSERT INTO "comments" ("comment_id","task_id","body") VALUES (303,7,'a') RETURNING "comment_id";
--> refused public.comments: cannot perform an INSERT without a partition column value

SELECT DISTINCT "distinctAlias"."Task_task_id" AS "ids_Task_task_id" FROM (SELECT "Task"."task_id" AS "Task_task_id", "Task"."title" AS "Task_title" FROM "tasks" "Task" LEFT JOIN "comments" "Task__comments" ON "Task__comments"."task_id"="Task"."task_id" AND "Task__comments"."account_id"="Task"."account_id" WHERE "Task"."account_id" = $1) "distinctAlias" ORDER BY "Task_task_id" ASC LIMIT 1;
--> single-tenant

SELECT COUNT(DISTINCT("Task"."task_id")) AS "cnt" FROM "tasks" "Task" LEFT JOIN "projects" "Project" ON "Project"."project_id"="Task"."project_id" WHERE "Task"."account_id" = $1;
--> refused public.projects: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

SELECT t0."task_id", t0."title" FROM "tasks" AS t0 WHERE (t0."account_id" = $1) AND (t0."task_id" = ANY($2));
--> single-tenant

SELECT t0."task_id", p1."name" FROM "tasks" AS t0 INNER JOIN "projects" AS p1 ON (p1."project_id" = t0."project_id") AND (p1."account_id" = t0."account_id") WHERE (t0."account_id" = $1) AND (NOT (p1."archived"));
--> single-tenant

SELECT t0."task_id", p1."name" FROM "tasks" AS t0 INNER JOIN "projects" AS p1 ON p1."project_id" = t0."project_id" WHERE (p1."account_id" = $1);
--> refused public.tasks: the query contains a join that requires repartitioning

SELECT s0."task_id" FROM (SELECT st0."task_id" AS "task_id", st0."account_id" AS "account_id" FROM "tasks" AS st0 GROUP BY st0."account_id", st0."task_id") AS s0 WHERE (s0."account_id" = $1);
--> single-tenant

SELECT c0."body", c0."task_id" FROM "comments" AS c0 WHERE (c0."task_id" = ANY($1)) ORDER BY c0."task_id";
--> multi-tenant public.comments

UPDATE "tasks" AS t0 SET "state" = 'done' FROM "projects" AS p1 WHERE (p1."project_id" = t0."project_id" AND p1."account_id" = t0."account_id") AND (t0."account_id" = $1);
--> single-tenant

DELETE FROM "comments" AS c0 USING "tasks" AS t1 WHERE (t1."task_id" = c0."task_id") AND (c0."account_id" = $1);
--> refused public.tasks: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

select * from "tasks" where "tasks"."account_id" = $1 and "tasks"."account_id" is not null and "state" = 'open';
--> single-tenant

select * from "tasks" where "tasks"."project_id" = $1 and "tasks"."project_id" is not null;
--> multi-tenant public.tasks

select "tasks".*, (select count(*) from "comments" where "tasks"."task_id" = "comments"."task_id") as "comments_count" from "tasks" where "account_id" = $1;
--> refused public.comments: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

select "tasks".*, (select count(*) from "comments" where "tasks"."task_id" = "comments"."task_id" and "comments"."account_id" = $1) as "comments_count" from "tasks" where "account_id" = $1;
--> single-tenant

select "tasks".*, (select count(*) from "comments" where "tasks"."task_id" = "comments"."task_id" and "tasks"."account_id" = "comments"."account_id") as "comments_count" from "tasks" where "account_id" = $1;
--> multi-tenant public.comments

select * from "projects" where "account_id" = $1 and exists (select * from "tasks" where "projects"."project_id" = "tasks"."project_id" and "state" = 'open');
--> refused public.tasks: complex joins are only supported when all distributed tables are co-located and joined on their distribution columns

select * from "projects" where "account_id" = $1 and exists (select * from "tasks" where "projects"."project_id" = "tasks"."project_id" and "projects"."account_id" = "tasks"."account_id" and "state" = 'open');
--> single-tenant

select count(*) as aggregate from "tasks" where "account_id" = $1 and ("title" like $2 or "title" like $3);
--> single-tenant

select * from "tasks" where ("account_id" = $1) and not exists (select 1 from "comments" where "comments"."task_id" = "tasks"."task_id" and "comments"."account_id" = "tasks"."account_id");
--> single-tenant

insert into "comments" ("account_id", "comment_id", "task_id") values ($1, $2, $3), ($1, $4, $5);
--> single-tenant

update "tasks" set "position" = "position" + 1 where "account_id" = $1 and "project_id" = $2;
--> single-tenant

update "tasks" set "position" = case when "task_id" = 7 then 1 else 2 end where "account_id" = $1 and "task_id" in (7, 8);
--> single-tenant

select exists(select * from "tasks" where "account_id" = $1) as "exists";
--> single-tenant

select exists(select * from "tasks" where "task_id" = $1) as "exists";
--> multi-tenant public.tasks
