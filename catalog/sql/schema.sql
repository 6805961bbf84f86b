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
    epoch         bigint NOT NULL, -- acknowledged: no statement planned under an older one is running; 0: none yet
    latency_us    bigint,          -- of the clients' statements, on average, when a backfill last asked
    measured      timestamptz
);

-- Whose new transactions the proxies hold at the moment, while the runner tries for a lock. One row, once there was
-- such a time.
CREATE TABLE IF NOT EXISTS shardferry.hold (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    until       timestamptz NOT NULL,
    tables      text[] NOT NULL, -- of pairs: schema, name
    backend_pid integer NOT NULL
);

-- How far the backfill of a table is. Written by the statement that fills the rows.
CREATE TABLE IF NOT EXISTS shardferry.backfill (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    last_key     text[],            -- of the primary key; NULL before the first batch
    driver       text NOT NULL DEFAULT 'runner' CHECK (driver IN ('runner', 'pg_cron')), -- who may move it
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

-- What the run at hand, or the last one, has before it and behind it, a row for each step and table in the order of
-- the run; for people. Written by the runner about once a second.
CREATE TABLE IF NOT EXISTS shardferry.progress (
    position        integer PRIMARY KEY,
    step            text NOT NULL,
    object          text,
    what            text NOT NULL, -- as a phrase
    started         timestamptz,   -- NULL: it is still to come
    updated         timestamptz,
    finished        timestamptz,   -- successfully
    phase           text,          -- of the statement, as the server names it
    work_done       bigint,
    work_total      bigint,
    unit            text,          -- of both: rows, blocks
    rate            bigint,        -- a second
    batch           bigint,
    waiting_for     text,          -- NULL while it works
    blocked_by      text,
    runner_pid      integer NOT NULL
);

-- Keys as they were before the migration took them away: what undo makes again. Names are as they are stored,
-- everything else is SQL.
CREATE TABLE IF NOT EXISTS shardferry.old_key (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    name         text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('p', 'u', 'f', 'i')), -- as in pg_constraint; i: a bare unique index
    definition   text NOT NULL,            -- USING btree (…) … of an index, FOREIGN KEY … of a foreign key
    timing       text NOT NULL DEFAULT '', -- of a constraint: DEFERRABLE …
    columns      text[],                   -- of an index; expressions are in parentheses
    predicate    text,
    tablespace   text,
    decoration   text NOT NULL DEFAULT '', -- statements: comments, clustering, replica identity
    parent       text,                     -- of a foreign key: the table that it refers to
    successor    text,                     -- of a foreign key: what took its place was there before, under this name
    dropped      timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (table_schema, table_name, name)
);

-- What the migration has added to tables, written before it is: what undo takes away. Keys that are to take the places of
-- old ones are known by their names until they do.
CREATE TABLE IF NOT EXISTS shardferry.made (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('column', 'not null', 'index', 'foreign key')),
    name         text NOT NULL,
    PRIMARY KEY (table_schema, table_name, kind, name)
);

-- Rows and checksums of tables before and after Citus distributed them, per tenant and in all. Order does not matter
-- to a checksum: it is the sum of the hashes of the rows' texts.
CREATE TABLE IF NOT EXISTS shardferry.checksum (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    phase        text NOT NULL CHECK (phase IN ('before', 'after')),
    tenant       text, -- NULL: the whole table
    row_count    bigint NOT NULL,
    checksum     numeric NOT NULL,
    taken        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    verified     timestamptz, -- of a whole table, after: what it refers to was found to be there, too
    UNIQUE (table_schema, table_name, phase, tenant)
);

-- Tables that were distributed while they were written, and what they are to be compared with.
CREATE TABLE IF NOT EXISTS shardferry.switch (
    table_schema text NOT NULL,
    table_name   text NOT NULL,
    old_shard    text,           -- in this schema: the rows as they were when the writers went over; NULL: dropped
    snapshots    jsonb NOT NULL, -- by node: what had been committed there just before
    switched     timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    proved       timestamptz,    -- found to be complete
    PRIMARY KEY (table_schema, table_name)
);

-- Foreign keys that are out of the way while Citus distributes their tables one after the other, from the transaction that
-- drops them until they are valid again. Columns and tables stay related by them for the proxies.
CREATE TABLE IF NOT EXISTS shardferry.detached_key (
    child_schema   text NOT NULL,
    child_table    text NOT NULL,
    name           text NOT NULL,
    parent_schema  text NOT NULL,
    parent_table   text NOT NULL,
    child_columns  text[] NOT NULL,
    parent_columns text[] NOT NULL,
    definition     text NOT NULL, -- FOREIGN KEY …, without NOT VALID
    on_delete      "char" NOT NULL,
    on_update      "char" NOT NULL,
    validated      boolean NOT NULL,
    comment        text,
    detached       timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (child_schema, child_table, name)
);

-- Proxies that are connected already load the catalog and register.
NOTIFY shardferry;
