-- Writes what has changed of the run's steps, and returns the operator's wishes. $1: how many steps the run has; the
-- arrays hold those that changed, an empty text for what is not known; times are ms ago.
WITH gone AS (
    DELETE FROM shardferry.progress WHERE position > $1::integer
), written AS (
    INSERT INTO shardferry.progress AS p (position, step, object, what, started, updated, finished, phase, work_done,
                                          work_total, unit, rate, batch, waiting_for, blocked_by, runner_pid)
    SELECT n.position::integer, n.step, nullif(n.object, ''), n.what,
           pg_catalog.clock_timestamp() - nullif(n.started, '')::bigint * interval '1 ms',
           CASE WHEN n.started <> '' THEN pg_catalog.clock_timestamp() END,
           pg_catalog.clock_timestamp() - nullif(n.finished, '')::bigint * interval '1 ms',
           nullif(n.phase, ''), nullif(n.work_done, '')::bigint, nullif(n.work_total, '')::bigint, nullif(n.unit, ''),
           nullif(n.rate, '')::bigint, nullif(n.batch, '')::bigint, nullif(n.waiting_for, ''), nullif(n.blocked_by, ''),
           $2::integer
    FROM ROWS FROM (pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]),
                    pg_catalog.unnest($6::text[]), pg_catalog.unnest($7::text[]), pg_catalog.unnest($8::text[]),
                    pg_catalog.unnest($9::text[]), pg_catalog.unnest($10::text[]), pg_catalog.unnest($11::text[]),
                    pg_catalog.unnest($12::text[]), pg_catalog.unnest($13::text[]), pg_catalog.unnest($14::text[]),
                    pg_catalog.unnest($15::text[]), pg_catalog.unnest($16::text[]))
         AS n (position, step, object, what, started, finished, phase, work_done, work_total, unit, rate, batch,
               waiting_for, blocked_by)
    ON CONFLICT (position) DO UPDATE
       SET step = excluded.step, object = excluded.object, what = excluded.what, started = excluded.started,
           updated = excluded.updated, finished = excluded.finished, phase = excluded.phase,
           work_done = excluded.work_done, work_total = excluded.work_total, unit = excluded.unit,
           rate = excluded.rate, batch = excluded.batch, waiting_for = excluded.waiting_for,
           blocked_by = excluded.blocked_by, runner_pid = excluded.runner_pid
)
SELECT c.paused, c.rows_per_second, c.changed_by FROM shardferry.control c
