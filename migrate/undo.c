/* The way back.
 *
 *   open → look for what would stop it → list → (confirm) → the steps' reverts, last step first, children
 * first
 *
 * Each revert finds out from the catalog, shardferry.old_key and shardferry.made how much of its step there
 * is to take back, so it does not matter where a run before this one, of migrate or of undo, was broken off.
 * Each move of the stage is an epoch of its own that every proxy has acknowledged before anything relies on
 * it. At any time two adjacent epochs may be in use, and these are the reasons why both are right meanwhile:
 *
 * - distributed → resolve: the tables are plain again before the move. The proxies send the same values and
 * conflict targets in both.
 * - resolve → keyed: a value that was looked up and a sub-select on the parent give the same tenant, or run
 * into the foreign key with the tenant. Only a plain table takes a sub-select, so this comes behind the end
 * of Citus.
 * - keyed → derive: the stages differ in conflict targets alone. Before the move each old unique key is there
 * again beside the one with the tenant: ON CONFLICT (id) finds the one, ON CONFLICT (tenant, id) the other.
 * The names are still those of the keys with the tenant, whose constraints ON CONFLICT ON CONSTRAINT names:
 * it goes by the constraint, whatever its columns. Only behind the move do the old keys take their places
 * back and those with the tenant go. The old foreign keys are validated before the ones with the tenant are
 * dropped, so that no row is unchecked at any instant. From the move on NOT NULL may go, for no proxy needs
 * it any more.
 * - derive → observe: the column may be NULL by then, and no key holds it, so that INSERTs with it and
 * without it both succeed. Only behind the move, and when the transactions from before it are over, does the
 * column go: no statement names it any more.
 * - observe → nothing: the proxies send the same.
 *
 * Between the return of an old key and the departure of the new one, an id is unique over all tenants and
 * within each: a row that only the old rule forbids is refused from the moment on in which its index is made.
 */
#include "migrate/undo.h"

#include <inttypes.h>

#include "catalog/stage.h"
#include "migrate/cron.h"
#include "migrate/leftovers.h"
#include "migrate/migration.h"
#include "migrate/session.h"
#include "migrate/tasks.h"
#include "migrate/undo_check.h"
#include "migrate/watch.h"

typedef struct Undo {
    Migration migration;
    const MigrateOptions *options;
    Task *tasks; /* in the order in which they are taken back; `done`: there was nothing to take back */
    int n;
    int pending;
} Undo;

/* ---- what is to be taken back ---- */

/* Without Citus there is nothing of its steps; a stage is one also where somebody has set it by hand. */
static bool concerns(const Undo *undo, const Task *task) {
    return task->step->revert && task->to > undo->options->to &&
           (!task->step->needs_citus || task->step->scope == STEP_ONCE ||
            undo->migration.snapshot->has_citus);
}

static const char *undo_text(const Undo *undo, const Task *task, const Table *table) {
    Buf out = {0};

    task->step->undo(&undo->migration, table, &out);
    return step_text(&undo->migration, &out);
}

/* A step of Citus's shows in the table itself, or was finished. */
static bool look(const Undo *undo, const Task *task, const Table *table, bool *pending, Error *err) {
    *pending = *undo_text(undo, task, table) != '\0';
    if (*pending && task->step->needs_citus && table && table->citus == CITUS_NONE)
        return task->step->check(&undo->migration, table, pending, err);
    return true;
}

static bool list(Undo *undo, Error *err) {
    Tasks all = tasks_list(&undo->migration);

    undo->tasks = ARENA_ARRAY(undo->migration.arena, Task, (size_t)all.n + 1);
    for (int i = all.n - 1; i >= 0; i--) {
        Task *task = &undo->tasks[undo->n];
        bool pending;

        *task = all.items[i];
        if (!concerns(undo, task))
            continue;
        if (!look(undo, task, task->table, &pending, err))
            return error_prefix(err, "%s", task->step->name);
        task->done = !pending;
        undo->n++;
        undo->pending += pending;
    }
    return true;
}

static void print_script(const Undo *undo) {
    for (int i = 0; i < undo->n; i++) {
        const Task *task = &undo->tasks[i];

        if (!task->done)
            fprintf(undo->options->out, "-- take back: %s\n%s\n", task_description(&undo->migration, task),
                    undo_text(undo, task, task->table));
    }
}

static bool confirmed(const Undo *undo) {
    if (!undo->options->confirm || undo->pending == 0)
        return true;
    for (int i = 0; i < undo->n; i++) {
        if (!undo->tasks[i].done)
            step_say(&undo->migration, "to take back: %s",
                     task_description(&undo->migration, &undo->tasks[i]));
    }
    return undo->options->confirm();
}

/* ---- doing it ---- */

static bool journal(const Undo *undo, const Task *task, const char *event, const char *detail, Error *err) {
    return journal_write(undo->migration.conn, task->step->name,
                         task->table ? table_qualified_name(undo->migration.arena, task->table) : NULL, event,
                         detail, err);
}

static bool take_back(Undo *undo, const Task *task, const Table *table, Error *err) {
    Migration *migration = &undo->migration;

    return watch_going(migration, err) && task->step->revert(migration, table, err) &&
           ((!task->step->changes_catalog && !task->step->needs_citus) || migration_reload(migration, err));
}

/* Where there was nothing to take back, a wait may remain that an earlier run did not come to. */
static bool run_task(Undo *undo, const Task *task, Error *err) {
    const char *what =
        arena_printf(undo->migration.arena, "take back: %s", task_description(&undo->migration, task));
    const Table *table = task_table(&undo->migration, task);
    int64_t start = session_clock(), ms;
    Error ignored;
    bool ok;

    if (task->table && !table)
        return true;
    watch_begin(&undo->migration, task->step, table);
    ok = (task->done || journal(undo, task, "started", "undo", err)) && take_back(undo, task, table, err);
    watch_end(&undo->migration, ok);
    ms = session_clock() - start;
    if (!ok || !task->done)
        step_say(&undo->migration, "%-56s %s (%" PRId64 ".%03d s)", what, ok ? "done" : "failed", ms / 1000,
                 (int)(ms % 1000));
    if (ok)
        return task->done || journal(undo, task, "undone", NULL, err);
    if (PQstatus(undo->migration.conn) == CONNECTION_OK &&
        !journal(undo, task, "failed", err->message, &ignored))
        error_detail(err, "It could not be written to the journal: %s", ignored.message);
    return error_prefix(err, "%s", what);
}

static bool run_tasks(Undo *undo, Error *err) {
    for (int i = 0; i < undo->n; i++) {
        if (!run_task(undo, &undo->tasks[i], err))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

/* In front of a script as comments. */
static void print_text(const Undo *undo, const Buf *text) {
    bool at_start = true;

    for (size_t i = 0; i < buf_len(text); i++) {
        if (at_start && undo->options->dry_run)
            fputs("-- ", undo->options->out);
        fputc(buf_ptr(text)[i], undo->options->out);
        at_start = buf_ptr(text)[i] == '\n';
    }
}

static bool print_findings(const Undo *undo, const Findings *findings) {
    Buf out = {0};

    for (int i = 0; i < findings->n; i++)
        findings_print(&findings->items[i], &out);
    print_text(undo, &out);
    buf_free(&out);
    if (findings->errors > 0)
        step_say(&undo->migration, "%d error%s: nothing was changed", findings->errors,
                 findings->errors == 1 ? "" : "s");
    return findings->errors > 0;
}

static MigrateResult proceed(Undo *undo, Error *err) {
    Migration *migration = &undo->migration;
    Findings findings = {.migration = migration};
    bool exists;

    if (!stage_schema_exists(migration->conn, &exists, err))
        return MIGRATE_FAILED;
    if (exists && !undo_check(&findings, undo->options->to, err))
        return MIGRATE_FAILED;
    if (print_findings(undo, &findings))
        return MIGRATE_FINDINGS;
    if (exists && !list(undo, err))
        return MIGRATE_FAILED;
    if (undo->options->dry_run) {
        print_script(undo);
        return MIGRATE_DONE;
    }
    if (!confirmed(undo))
        return MIGRATE_DECLINED;
    if (!leftovers_wait(migration, err) || !cron_unschedule_all(migration, err) || !run_tasks(undo, err))
        return MIGRATE_FAILED;
    if (undo->pending == 0)
        step_say(migration, "nothing to do: no table is behind stage %s", stage_name(undo->options->to));
    return MIGRATE_DONE;
}

MigrateResult undo_run(const Config *config, const MigrateOptions *options, Error *err) {
    Undo undo = {
        .options = options,
        .migration = {
            .to = STAGE_DONE, .undoing = true, .out = options->out, .lock_wait = options->lock_wait * 1000}};
    MigrateResult result = MIGRATE_FAILED;

    if (!migration_open(&undo.migration, config, !options->dry_run, err))
        return MIGRATE_FAILED;
    if (options->dry_run || (undo.migration.watch = watch_open(config, options->out, err)))
        result = proceed(&undo, err);
    migration_close(&undo.migration);
    return result;
}
