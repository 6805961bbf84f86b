-- What shardferry keeps in the database. Made by `shardferry migrate`, read by every proxy.
-- One transaction; safe to run again.
CREATE SCHEMA IF NOT EXISTS shardferry;

-- One row. Grows by one with every stage change; see docs/epoch.
CREATE TABLE IF NOT EXISTS shardferry.epoch (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch    bigint NOT NULL,
    changed  timestamptz NOT NULL DEFAULT pg_catalog.now()
);
INSERT INTO shardferry.epoch (epoch) VALUES (1) ON CONFLICT DO NOTHING;

-- The stage of each table under migration: one that gets its tenant column, or one that has always had it and
-- whose keys get it. By name, not by OID: Citus gives a table a new OID when it
-- distributes it.
CREATE TABLE IF NOT EXISTS shardferry.stage (
    table_schema  text NOT NULL,
    table_name    text NOT NULL,
    stage         text NOT NULL CHECK (stage IN ('observe', 'derive', 'keyed', 'resolve', 'distributed', 'done')),
    kind          text NOT NULL DEFAULT 'backfill' CHECK (kind IN ('backfill', 'distributed')),
    tenant_column text NOT NULL,
    since_epoch   bigint NOT NULL,
    PRIMARY KEY (table_schema, table_name)
);

-- Proxies. One whose lease has run out has fenced itself; the runner, before it goes on without it, revokes its
-- registration, so that it cannot come back with what it knew before.
CREATE TABLE IF NOT EXISTS shardferry.proxy (
    id            uuid PRIMARY KEY,
    host          text NOT NULL,
    pid           integer NOT NULL,
    version       text NOT NULL,
    started       timestamptz NOT NULL DEFAULT pg_catalog.now(),
    lease_until   timestamptz NOT NULL,
    lease_ms      integer NOT NULL,
    revoked       boolean NOT NULL DEFAULT false,
    epoch         bigint NOT NULL  -- acknowledged: no statement planned under an older one is running; 0: none yet
);

-- How far the backfill of a table is. Written by the statement that fills the rows.
CREATE TABLE IF NOT EXISTS shardferry.backfill (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    last_key     text[],            -- of the primary key; NULL before the first batch
    rows_seen    bigint NOT NULL DEFAULT 0,
    rows_filled  bigint NOT NULL DEFAULT 0,
    started      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished     timestamptz,
    PRIMARY KEY (table_schema, table_name)
);

-- What each step did, for people; decisions are made from the catalog.
CREATE TABLE IF NOT EXISTS shardferry.journal (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    step        text NOT NULL,
    object      text,
    event       text NOT NULL CHECK (event IN ('started', 'done', 'found done', 'failed', 'undone')),
    detail      text,
    backend_pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid()
);

-- What the operator wants of a running migration: from a proxy's console, or by hand. One row.
CREATE TABLE IF NOT EXISTS shardferry.control (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    paused          boolean NOT NULL DEFAULT false,
    rows_per_second bigint CHECK (rows_per_second > 0), -- of a backfill; NULL: no limit
    changed         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    changed_by      text
);
INSERT INTO shardferry.control DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Where the running step is, and where the last ones ended; for people. Written by the runner now and then.
CREATE TABLE IF NOT EXISTS shardferry.progress (
    step            text NOT NULL,
    object          text NOT NULL DEFAULT '',
    started         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    updated         timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished        timestamptz,
    work_done       bigint,
    work_total      bigint,
    unit            text,   -- of both: rows, blocks, bytes, tables
    rate            bigint, -- a second
    batch           bigint,
    waiting_for     text,   -- what it waits for; NULL while it works
    blocked_by      text,
    runner_pid      integer NOT NULL,
    PRIMARY KEY (step, object)
);

-- Keys and constraints as they were before the migration took them away: what undo makes again.
CREATE TABLE IF NOT EXISTS shardferry.old_key (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    name         text NOT NULL,
    kind         text NOT NULL, -- p, u, f as in pg_constraint; i: a bare unique index
    definition   text NOT NULL,
    dropped      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (table_schema, table_name, name)
);

-- Proxies that are connected already load the catalog and register.
NOTIFY shardferry;
