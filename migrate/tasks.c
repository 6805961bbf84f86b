/* Listing, checking and printing tasks. */
#include "migrate/tasks.h"

static const Table **tables_of(const Migration *migration, const Step *step, int *n) {
    switch (step->scope) {
    case STEP_ONCE:
        *n = 0;
        return NULL;
    case STEP_EACH_BACKFILL:
        *n = migration->ntables;
        return migration->tables;
    case STEP_EACH_DISTRIBUTED:
        *n = migration->nall;
        return migration->all;
    case STEP_EACH_REFERENCE:
        *n = migration->nreferences;
        return migration->references;
    }
    *n = 0;
    return NULL;
}

Tasks tasks_list(const Migration *migration) {
    int per_step = 1 + migration->nall + migration->nreferences;
    Tasks tasks = {.items = ARENA_ARRAY(migration->arena, Task, (size_t)steps_count * (size_t)per_step)};

    for (int i = 0; i < steps_count && steps[i].to <= migration->to; i++) {
        const Step *step = steps[i].step;
        int n;
        const Table **tables = tables_of(migration, step, &n);

        if (step->scope == STEP_ONCE)
            tasks.items[tasks.n++] = (Task){.step = step, .to = steps[i].to};
        for (int t = 0; t < n; t++)
            tasks.items[tasks.n++] = (Task){.step = step, .table = tables[t], .to = steps[i].to};
    }
    return tasks;
}

bool tasks_check(const Migration *migration, Tasks *tasks, Error *err) {
    tasks->pending = 0;
    for (int i = 0; i < tasks->n; i++) {
        Task *task = &tasks->items[i];

        if (task->step->waits && tasks->pending > 0)
            task->done = false;
        else if (!task->step->check(migration, task->table, &task->done, err))
            return error_prefix(err, "%s", task->step->name);
        tasks->pending += !task->done;
    }
    return true;
}

const char *task_description(const Migration *migration, const Task *task) {
    Buf buf = {0};

    task->step->describe(migration, task->table, &buf);
    return step_text(migration, &buf);
}

const Table *task_table(const Migration *migration, const Task *task) {
    return task->table ? snapshot_table(migration->snapshot, task->table->schema, task->table->name) : NULL;
}

/* ---- as a script ---- */

/* The lines of a script as comments. */
void tasks_print_commented(const Buf *sql, FILE *out) {
    bool at_start = true;

    for (size_t i = 0; i < buf_len(sql); i++) {
        char c = (char)buf_ptr(sql)[i];

        if (at_start)
            fputs("--   ", out);
        fputc(c, out);
        at_start = c == '\n';
    }
}

/* On one line, whatever newlines the names in it hold. */
static void print_headline(const char *text, FILE *out) {
    fputs("-- ", out);
    for (; *text; text++)
        fputc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
}

static void print_task(const Migration *migration, const Task *task, bool undo, FILE *out) {
    Buf sql = {0}, back = {0};

    task->step->script(migration, task->table, &sql);
    task->step->undo(migration, task->table, &back);
    print_headline(task_description(migration, task), out);
    fputs(task->done ? ": found done\n" : "\n", out);
    if (!task->done && buf_len(&sql) > 0)
        fwrite(buf_ptr(&sql), 1, buf_len(&sql), out);
    if (undo && !task->done && buf_len(&back) > 0) {
        fputs("-- taken back by:\n", out);
        tasks_print_commented(&back, out);
    }
    fputc('\n', out);
    buf_free(&sql);
    buf_free(&back);
}

void tasks_print(const Migration *migration, const Tasks *tasks, bool undo, FILE *out) {
    for (int i = 0; i < tasks->n; i++)
        print_task(migration, &tasks->items[i], undo, out);
}
