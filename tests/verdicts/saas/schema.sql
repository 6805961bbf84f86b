-- A project tracker whose accounts have a uuid: a partitioned table, a view over several, enums, arrays, JSON.

CREATE TYPE public.task_state AS ENUM ('open', 'doing', 'done');

CREATE TABLE public.accounts (
    account_id uuid PRIMARY KEY,
    name text NOT NULL,
    plan_id integer,
    deleted_at timestamp with time zone
);

CREATE TABLE public.plans (
    plan_id integer PRIMARY KEY,
    name text,
    seats integer
);

CREATE TABLE public.users (
    account_id uuid NOT NULL REFERENCES public.accounts (account_id),
    user_id uuid NOT NULL DEFAULT gen_random_uuid(),
    email text NOT NULL,
    name text,
    role text DEFAULT 'member',
    last_seen_at timestamp with time zone,
    PRIMARY KEY (account_id, user_id),
    UNIQUE (account_id, email)
);

CREATE TABLE public.projects (
    account_id uuid NOT NULL REFERENCES public.accounts (account_id),
    project_id bigint NOT NULL,
    parent_id bigint,
    owner_id uuid,
    name text,
    settings jsonb DEFAULT '{}',
    archived boolean DEFAULT false,
    created_at timestamp with time zone DEFAULT now(),
    PRIMARY KEY (account_id, project_id)
);

CREATE TABLE public.tasks (
    account_id uuid NOT NULL,
    task_id bigint NOT NULL,
    project_id bigint NOT NULL,
    assignee_id uuid,
    title text,
    state public.task_state DEFAULT 'open',
    labels text[] DEFAULT '{}',
    position integer DEFAULT 0,
    due_on date,
    estimate interval,
    deleted_at timestamp with time zone,
    PRIMARY KEY (account_id, task_id),
    FOREIGN KEY (account_id, project_id) REFERENCES public.projects (account_id, project_id) ON DELETE CASCADE
);

CREATE TABLE public.comments (
    account_id uuid NOT NULL,
    comment_id bigint NOT NULL,
    task_id bigint NOT NULL,
    author_id uuid,
    body text,
    created_at timestamp with time zone DEFAULT now(),
    PRIMARY KEY (account_id, comment_id),
    FOREIGN KEY (account_id, task_id) REFERENCES public.tasks (account_id, task_id)
);

CREATE TABLE public.events (
    account_id uuid NOT NULL,
    event_id bigint NOT NULL,
    kind text,
    payload jsonb,
    happened_at timestamp with time zone NOT NULL,
    PRIMARY KEY (account_id, event_id, happened_at)
)
PARTITION BY RANGE (happened_at);

CREATE TABLE public.events_2024 PARTITION OF public.events
    FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');

CREATE TABLE public.events_2025 PARTITION OF public.events
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');

CREATE TABLE public.feature_flags (
    name text PRIMARY KEY,
    enabled boolean
);

CREATE TABLE public.schema_migrations (
    version text PRIMARY KEY
);

CREATE VIEW public.open_tasks AS
    SELECT t.account_id, t.task_id, t.title, p.name AS project
    FROM public.tasks t
    JOIN public.projects p ON p.account_id = t.account_id AND p.project_id = t.project_id
    WHERE t.state <> 'done' AND t.deleted_at IS NULL;

CREATE VIEW public.activity AS
    SELECT account_id, author_id AS user_id, created_at AS at, 'comment' AS kind FROM public.comments
    UNION ALL
    SELECT account_id, NULL, happened_at, kind FROM public.events;

CREATE VIEW public.account_sizes AS
    SELECT a.account_id, a.name, (SELECT count(*) FROM public.users u WHERE u.account_id = a.account_id) AS users
    FROM public.accounts a;
