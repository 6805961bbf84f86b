-- Made for one table. The texts between @ are put in: its batches, its name, the settings.
CREATE OR REPLACE PROCEDURE @procedure@()
LANGUAGE plpgsql
AS $walk$
#variable_conflict use_column
<<shardferry_walk>>
DECLARE
    v_end   pg_catalog.timestamptz; -- of this run
    v_look  pg_catalog.timestamptz; -- at others, next
    v_free  pg_catalog.timestamptz; -- when the operator's limit permits the next batch
    v_begun pg_catalog.timestamptz;
    v_key   pg_catalog.text[];
    v_over  pg_catalog.bool;
    v_seen  pg_catalog.int8;
    v_was   pg_catalog.int8;
    v_fill  pg_catalog.int8;
    v_limit pg_catalog.int8;
    v_rows  pg_catalog.int8 := @first_batch@;
    v_waits pg_catalog.bool;
    v_held  pg_catalog.bool;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog', false),
            pg_catalog.set_config('enable_hashjoin', 'off', false),
            pg_catalog.set_config('enable_mergejoin', 'off', false),
            pg_catalog.set_config('enable_seqscan', 'off', false),
            pg_catalog.set_config('lock_timeout', '100ms', false);
    v_end := clock_timestamp() + interval '55 s';
    v_look := clock_timestamp();
    v_free := clock_timestamp();
    LOOP
        SELECT b.last_key, b.rows_seen, b.finished IS NOT NULL INTO v_key, v_was, v_over
        FROM shardferry.backfill b
        WHERE b.table_schema = @schema@ AND b.table_name = @table@ AND b.driver = 'pg_cron';
        EXIT WHEN NOT FOUND OR v_over OR clock_timestamp() > v_end;
        v_waits := coalesce((SELECT c.paused FROM shardferry.control c), false);
        IF NOT v_waits AND clock_timestamp() > v_look THEN
            v_waits := @max_lag@ > 0 AND coalesce((SELECT max(extract(epoch FROM r.replay_lag) * 1000)
                                                   FROM pg_catalog.pg_stat_replication r), 0) > @max_lag@
                    OR @max_latency@ > 0 AND coalesce((SELECT max(p.latency_us) FROM shardferry.proxy p
                                                       WHERE p.measured > clock_timestamp() - interval '4 s'), 0)
                                             > @max_latency@ * 1000;
            PERFORM pg_notify('@channel@', 'latency');
            IF NOT v_waits THEN
                v_look := clock_timestamp() + interval '1 s';
            END IF;
        END IF;
        COMMIT;
        IF v_waits OR clock_timestamp() < v_free THEN
            PERFORM pg_sleep(CASE WHEN v_waits THEN 0.5
                                  ELSE least(0.5, extract(epoch FROM v_free - clock_timestamp())) END);
            COMMIT;
            CONTINUE;
        END IF;
        v_begun := clock_timestamp();
        v_held := false;
        BEGIN
            IF v_key IS NULL THEN
                @first@ INTO v_key, v_seen, v_fill, v_over;
            ELSE
                @next@ INTO v_key, v_seen, v_fill, v_over;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            v_held := true;
        END;
        COMMIT;
        IF v_held THEN
            v_rows := greatest(v_rows / 2, @smallest_batch@);
            PERFORM pg_sleep(0.1);
            COMMIT;
            CONTINUE;
        END IF;
        v_rows := v_rows * least(2, greatest(0.5, @duration@ / greatest(1, 1000 * extract(epoch FROM clock_timestamp()
                                                                                             - v_begun))));
        v_rows := greatest(least(v_rows, @largest_batch@), @smallest_batch@);
        v_limit := (SELECT c.rows_per_second FROM shardferry.control c);
        IF v_limit IS NOT NULL THEN
            v_free := greatest(v_free, v_begun) + (v_seen - v_was) * interval '1 s' / v_limit;
            v_rows := least(v_rows, v_limit);
        END IF;
    END LOOP;
END
$walk$
