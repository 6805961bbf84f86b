/* The runner: looks at all steps, says what is to do, does it in order.
 *
 *   open → preflight → check every step → (confirm) → run those not done, each checked again behind it
 *
 * It remembers nothing between two runs; the journal is for people. */
#include "migrate/migrate.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/leftovers.h"
#include "migrate/migration.h"
#include "migrate/preflight.h"
#include "migrate/report.h"
#include "migrate/session.h"
#include "migrate/sql/citus_offered.h"
#include "migrate/tasks.h"
#include "migrate/watch.h"

typedef struct Run {
    Migration migration;
    const MigrateOptions *options;
    Tasks tasks;
    bool script_remains; /* for a server with Citus: what is behind migration.to */
} Run;

/* ---- doing it ---- */

static void print_task(const Run *run, const Task *task, const char *event, int64_t ms) {
    step_say(&run->migration, "%-56s %s (%" PRId64 ".%03d s)", task_description(&run->migration, task), event,
             ms / 1000, (int)(ms % 1000));
}

/* The journal is there from the first step on, but not before. */
static bool journal(const Run *run, const Task *task, const char *event, const char *detail, Error *err) {
    PGconn *conn = run->migration.conn;
    bool exists;

    if (!stage_schema_exists(conn, &exists, err))
        return false;
    return !exists ||
           journal_write(conn, task->step->name,
                         task->table ? table_qualified_name(run->migration.arena, task->table) : NULL, event,
                         detail, err);
}

/* It has to be found done then: what a step believes to have done is not what counts. */
static bool run_step(Run *run, const Task *task, const Table *table, Error *err) {
    Migration *migration = &run->migration;
    const Step *step = task->step;
    bool done;

    if (!step->run(migration, table, err))
        return false;
    if (step->changes_catalog) {
        if (!migration_reload(migration, err))
            return false;
        table = task_table(migration, task);
    }
    if (!step->waits && !step->only_looks) {
        if (!step->check(migration, table, &done, err))
            return false;
        if (!done) {
            error_set(err, "55000", "it was run, but is not done");
            return error_hint(err,
                              "Somebody else changes the same tables; run it again when they have finished.");
        }
    }
    return !step->verify || step->verify(migration, table, err);
}

/* Looked at again: an earlier step may have taken its time. */
static bool begin_task(Run *run, const Task *task, const Table **table, bool *done, Error *err) {
    *table = task_table(&run->migration, task);
    if (task->table && !*table)
        return error_set(err, "42P01", "table %s is gone",
                         table_qualified_name(run->migration.arena, task->table));
    return watch_going(&run->migration, err) && task->step->check(&run->migration, *table, done, err);
}

static void fail_task(const Run *run, const Task *task, Error *err) {
    Error ignored;

    if (PQstatus(run->migration.conn) == CONNECTION_OK &&
        !journal(run, task, "failed", err->message, &ignored))
        error_detail(err, "It could not be written to the journal: %s", ignored.message);
    if (PQstatus(run->migration.conn) != CONNECTION_OK && !*err->hint)
        error_hint(err, "Run it again when the server is there: it goes on where it was.");
    error_prefix(err, "%s", task_description(&run->migration, task));
}

static bool run_task(Run *run, const Task *task, Error *err) {
    int64_t start = session_clock();
    const char *event = "done";
    const Table *table;
    bool done, ok;

    watch_begin(&run->migration, task->step, task->table);
    ok = begin_task(run, task, &table, &done, err);
    if (ok && done)
        event = "found done";
    else
        ok = ok && journal(run, task, "started", NULL, err) && run_step(run, task, table, err);
    watch_end(&run->migration, ok);
    print_task(run, task, ok ? event : "failed", session_clock() - start);
    if (ok)
        return journal(run, task, event, NULL, err);
    fail_task(run, task, err);
    return false;
}

static bool run_tasks(Run *run, Error *err) {
    for (int i = 0; i < run->tasks.n; i++) {
        if (!run_task(run, &run->tasks.items[i], err))
            return false;
    }
    return true;
}

static bool confirmed(const Run *run) {
    if (!run->options->confirm)
        return true;
    for (int i = 0; i < run->tasks.n; i++) {
        if (!run->tasks.items[i].done)
            step_say(&run->migration, "to do: %s", task_description(&run->migration, &run->tasks.items[i]));
    }
    return run->options->confirm();
}

/* ---- the whole ---- */

static void print_findings(const Run *run, const Findings *findings) {
    Buf out = {0};

    for (int i = 0; i < findings->n; i++)
        findings_print(&findings->items[i], &out);
    if (run->options->dry_run)
        tasks_print_commented(&out, run->options->out); /* the output is a script */
    else if (buf_len(&out) > 0)
        fwrite(buf_ptr(&out), 1, buf_len(&out), run->options->out);
    buf_free(&out);
    if (findings->errors > 0)
        step_say(&run->migration, "%d error%s: nothing was changed", findings->errors,
                 findings->errors == 1 ? "" : "s");
}

/* Those behind resolve, as a script for a server that has Citus. */
static void print_remaining(Run *run) {
    Migration *migration = &run->migration;
    Tasks all, remaining = {0};

    migration->to = run->options->to;
    all = tasks_list(migration);
    remaining.items = all.items;
    for (int i = 0; i < all.n; i++) {
        if (all.items[i].to > STAGE_RESOLVE)
            remaining.items[remaining.n++] = all.items[i];
    }
    step_say(migration, "\n-- This server does not offer Citus. What remains, for psql, where it does:\n");
    tasks_print(migration, &remaining, false, run->options->out);
}

/* What an earlier runner left running ends first; and what Citus made for a distribution that was broken off
 * goes, else it would be taken for the application's tables. */
static bool clear_the_way(Run *run, Error *err) {
    Migration *migration = &run->migration;

    if (!leftovers_wait(migration, err))
        return false;
    return !migration->snapshot->has_citus ||
           (watch_script(migration, "cleaning up", "CALL pg_catalog.citus_cleanup_orphaned_resources()",
                         err) &&
            migration_reload(migration, err));
}

static MigrateResult proceed(Run *run, Error *err) {
    Migration *migration = &run->migration;
    Findings findings = {.migration = migration};

    if ((!run->options->dry_run && !clear_the_way(run, err)) || !preflight_run(&findings, err))
        return MIGRATE_FAILED;
    print_findings(run, &findings);
    if (findings.errors > 0)
        return MIGRATE_FINDINGS;
    run->tasks = tasks_list(migration);
    if (!tasks_check(migration, &run->tasks, err))
        return MIGRATE_FAILED;
    if (run->options->dry_run) {
        tasks_print(migration, &run->tasks, true, run->options->out);
        if (run->script_remains)
            print_remaining(run);
        return MIGRATE_DONE;
    }
    if (run->tasks.pending == 0) {
        step_say(migration, "nothing to do: %d table%s found in stage %s or behind it", migration->nall,
                 migration->nall == 1 ? "" : "s", stage_name(migration->to));
    } else {
        if (!confirmed(run))
            return MIGRATE_DECLINED;
        if (!run_tasks(run, err) || (migration->to >= STAGE_DISTRIBUTED && !report_print(migration, err)))
            return MIGRATE_FAILED;
    }
    if (run->script_remains)
        print_remaining(run);
    return MIGRATE_DONE;
}

/* A server without Citus is taken as far as it goes. */
static bool choose_end(Run *run, Error *err) {
    Migration *migration = &run->migration;
    PGresult *result = query_run(migration->conn, "looking for Citus", sql_citus_offered, 0, NULL, err);

    if (!result)
        return false;
    if (migration->to > STAGE_RESOLVE && !query_bool(result, 0, 0)) {
        run->script_remains = true;
        migration->to = STAGE_RESOLVE;
    }
    PQclear(result);
    return true;
}

MigrateResult migrate_run(const Config *config, const MigrateOptions *options, Error *err) {
    Run run = {.options = options,
               .migration = {.to = options->to, .out = options->out, .lock_wait = options->lock_wait * 1000}};
    MigrateResult result = MIGRATE_FAILED;

    if (!migration_open(&run.migration, config, !options->dry_run, err))
        return MIGRATE_FAILED;
    if (choose_end(&run, err) &&
        (options->dry_run || (run.migration.watch = watch_open(config, options->out, err))))
        result = proceed(&run, err);
    migration_close(&run.migration);
    return result;
}
