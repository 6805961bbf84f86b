/* The runner: looks at all steps, says what is to do, does it in order.
 *
 *   connect → lock → snapshot → preflight → check every step → (confirm) → run those not done
 *
 * It remembers nothing between two runs; the journal is for people. */
#include "migrate/migrate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/load.h"
#include "catalog/stage.h"
#include "migrate/preflight.h"
#include "migrate/session.h"
#include "migrate/step.h"

#define LOCK_NOT_AVAILABLE "55P03"
#define LOAD_PAUSE_MS 200

/* In order, each with the stage that it is on the way to. */
static const struct {
    const Step *step;
    Stage to;
} STEPS[] = {
    {&step_schema, STAGE_DERIVE},   {&step_register, STAGE_DERIVE},     {&step_enrol, STAGE_DERIVE},
    {&step_column, STAGE_DERIVE},   {&step_derive, STAGE_DERIVE},       {&step_acknowledge, STAGE_DERIVE},
    {&step_settle, STAGE_DERIVE},   {&step_backfill, STAGE_KEYED},      {&step_verify, STAGE_KEYED},
    {&step_not_null, STAGE_KEYED},  {&step_index, STAGE_KEYED},         {&step_foreign_key, STAGE_KEYED},
    {&step_keyed, STAGE_KEYED},     {&step_acknowledge, STAGE_KEYED},   {&step_swap, STAGE_KEYED},
    {&step_resolve, STAGE_RESOLVE}, {&step_acknowledge, STAGE_RESOLVE},
};

/* A step for one table, or for all. */
typedef struct Task {
    const Step *step;
    const Table *table;
    bool done; /* when it was looked at */
} Task;

typedef struct Run {
    Migration migration;
    const MigrateOptions *options;
    Task *tasks; /* in the arena */
    int ntasks;
    int pending;
} Run;

static const char *description(const Run *run, const Task *task) {
    Buf buf = {0};
    const char *text;

    task->step->describe(&run->migration, task->table, &buf);
    text = arena_strndup(run->migration.arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return text;
}

/* ---- what is to do ---- */

static int by_path(const void *a, const void *b) {
    const Table *x = *(const Table *const *)a, *y = *(const Table *const *)b;
    int by_steps = x->path.nsteps - y->path.nsteps;
    int by_schema = by_steps ? by_steps : strcmp(x->schema, y->schema);

    return by_schema ? by_schema : strcmp(x->name, y->name);
}

/* A table whose path has more steps than another's is none of its ancestors. */
static void select_tables(Migration *migration) {
    const Snapshot *snapshot = migration->snapshot;
    size_t room = (size_t)snapshot->ntables + 1;

    migration->tables = ARENA_ARRAY(migration->arena, const Table *, room);
    migration->all = ARENA_ARRAY(migration->arena, const Table *, room);
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (table->partition_of || (table->kind != KIND_BACKFILL && table->kind != KIND_DISTRIBUTED))
            continue;
        migration->all[migration->nall++] = table;
        if (table->kind == KIND_BACKFILL)
            migration->tables[migration->ntables++] = table;
    }
    qsort(migration->tables, (size_t)migration->ntables, sizeof(Table *), by_path);
    qsort(migration->all, (size_t)migration->nall, sizeof(Table *), by_path);
}

static void list_tasks(Run *run) {
    const Migration *migration = &run->migration;

    run->tasks = ARENA_ARRAY(migration->arena, Task, ARRAY_LEN(STEPS) * (size_t)(migration->nall + 1));
    for (size_t i = 0; i < ARRAY_LEN(STEPS) && STEPS[i].to <= run->options->to; i++) {
        const Step *step = STEPS[i].step;
        const Table **tables = step->scope == STEP_EACH_BACKFILL ? migration->tables : migration->all;
        int n = step->scope == STEP_EACH_BACKFILL ? migration->ntables
                : step->scope == STEP_ONCE        ? 1
                                                  : migration->nall;

        for (int t = 0; t < n; t++)
            run->tasks[run->ntasks++] =
                (Task){.step = step, .table = step->scope == STEP_ONCE ? NULL : tables[t]};
    }
}

/* A wait for what another step will change cannot be over before that. */
static bool check_tasks(Run *run, Error *err) {
    for (int i = 0; i < run->ntasks; i++) {
        Task *task = &run->tasks[i];

        if (task->step->waits && run->pending > 0)
            task->done = false;
        else if (!task->step->check(&run->migration, task->table, &task->done, err))
            return error_prefix(err, "%s", task->step->name);
        run->pending += !task->done;
    }
    return true;
}

/* ---- doing it ---- */

static void print_task(const Run *run, const Task *task, const char *event, int64_t ms) {
    step_say(&run->migration, "%-56s %s (%" PRId64 ".%03d s)", description(run, task), event, ms / 1000,
             (int)(ms % 1000));
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

static bool run_task(const Run *run, const Task *task, Error *err) {
    int64_t start = session_clock();
    bool done;

    /* Looked at again: an earlier step may have taken its time. */
    if (!task->step->check(&run->migration, task->table, &done, err))
        goto failed;
    if (done) {
        print_task(run, task, "found done", session_clock() - start);
        return journal(run, task, "found done", NULL, err);
    }
    if (!journal(run, task, "started", NULL, err) || !task->step->run(&run->migration, task->table, err))
        goto failed;
    print_task(run, task, "done", session_clock() - start);
    return journal(run, task, "done", NULL, err);

failed:
    print_task(run, task, "failed", session_clock() - start);
    if (PQstatus(run->migration.conn) == CONNECTION_OK) {
        Error ignored;

        if (!journal(run, task, "failed", err->message, &ignored))
            error_detail(err, "It could not be written to the journal: %s", ignored.message);
    }
    return error_prefix(err, "%s", description(run, task));
}

static bool run_tasks(const Run *run, Error *err) {
    for (int i = 0; i < run->ntasks; i++) {
        if (!run_task(run, &run->tasks[i], err))
            return false;
    }
    return true;
}

/* The lines of a script as comments. */
static void print_commented(const Buf *sql, FILE *out) {
    bool at_start = true;

    for (size_t i = 0; i < buf_len(sql); i++) {
        char c = (char)buf_ptr(sql)[i];

        if (at_start)
            fputs("--   ", out);
        fputc(c, out);
        at_start = c == '\n';
    }
}

static void print_scripts(const Run *run) {
    FILE *out = run->options->out;

    for (int i = 0; i < run->ntasks; i++) {
        const Task *task = &run->tasks[i];
        Buf sql = {0}, undo = {0};

        task->step->script(&run->migration, task->table, &sql);
        task->step->undo(&run->migration, task->table, &undo);
        fprintf(out, "-- %s%s\n", description(run, task), task->done ? ": found done" : "");
        if (!task->done && buf_len(&sql) > 0)
            fwrite(buf_ptr(&sql), 1, buf_len(&sql), out);
        if (!task->done && buf_len(&undo) > 0) {
            fputs("-- taken back by:\n", out);
            print_commented(&undo, out);
        }
        fputc('\n', out);
        buf_free(&sql);
        buf_free(&undo);
    }
}

static bool confirmed(const Run *run) {
    if (!run->options->confirm)
        return true;
    for (int i = 0; i < run->ntasks; i++) {
        if (!run->tasks[i].done)
            step_say(&run->migration, "to do: %s", description(run, &run->tasks[i]));
    }
    return run->options->confirm();
}

/* ---- the whole ---- */

static MigrateResult proceed(Run *run, Error *err) {
    Buf findings = {0};
    int n;

    if (!preflight_run(&run->migration, &findings, &n, err))
        goto failed;
    if (n > 0) {
        fwrite(buf_ptr(&findings), 1, buf_len(&findings), run->options->out);
        step_say(&run->migration, "%d finding%s: nothing was changed", n, n == 1 ? "" : "s");
        buf_free(&findings);
        return MIGRATE_FINDINGS;
    }
    list_tasks(run);
    if (!check_tasks(run, err))
        goto failed;
    if (run->options->dry_run) {
        print_scripts(run);
        return MIGRATE_DONE;
    }
    if (run->pending == 0) {
        step_say(&run->migration, "nothing to do: %d table%s found in stage %s or behind it",
                 run->migration.ntables, run->migration.ntables == 1 ? "" : "s",
                 stage_name(run->options->to));
        return MIGRATE_DONE;
    }
    if (!confirmed(run))
        return MIGRATE_DECLINED;
    return run_tasks(run, err) ? MIGRATE_DONE : MIGRATE_FAILED;

failed:
    buf_free(&findings);
    return MIGRATE_FAILED;
}

/* Reads the catalog; waits as long for a lock as a step does. */
static Snapshot *read_catalog(const Run *run, const Config *config, Error *err) {
    int64_t end = session_clock() + run->migration.lock_wait;
    Snapshot *snapshot;
    bool said = false;

    while (!(snapshot = catalog_load(run->migration.conn, config, err)) &&
           strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 && session_clock() < end) {
        if (!said)
            step_say(&run->migration, "waiting to read the catalog: %s", err->detail);
        said = true;
        session_sleep(LOAD_PAUSE_MS);
    }
    return snapshot;
}

MigrateResult migrate_run(const Config *config, const MigrateOptions *options, Error *err) {
    Run run = {.options = options,
               .migration = {.to = options->to,
                             .out = options->out,
                             .lock_wait = options->lock_wait * 1000,
                             .lease = config->lease,
                             .batch_duration = config->batch_duration,
                             .max_replication_lag = config->max_replication_lag}};
    MigrateResult result = MIGRATE_FAILED;
    Snapshot *snapshot = NULL;
    PGconn *conn = session_open(config, err);

    if (!conn)
        return MIGRATE_FAILED;
    run.migration.conn = conn;
    run.migration.arena = arena_new();
    if (!options->dry_run && !session_lock(conn, err))
        goto done;
    snapshot = read_catalog(&run, config, err);
    if (!snapshot)
        goto done;
    run.migration.snapshot = snapshot;
    if (!snapshot->tenant_table) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "[tenant] table: there is no table %s",
                  config->tenant_table);
        goto done;
    }
    select_tables(&run.migration);
    result = proceed(&run, err);

done:
    snapshot_unref(snapshot);
    arena_free(run.migration.arena);
    PQfinish(conn);
    return result;
}
