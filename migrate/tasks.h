/* What is to do: each step for each table that it concerns, in order. */
#ifndef MIGRATE_TASKS_H
#define MIGRATE_TASKS_H

#include "migrate/step.h"

/* A step for one table, or for all. */
typedef struct Task {
    const Step *step;
    const Table *table; /* NULL for STEP_ONCE */
    Stage to;
    bool done; /* when it was looked at */
} Task;

typedef struct Tasks {
    Task *items; /* in the migration's arena */
    int n;
    int pending;
} Tasks;

/* The tasks up to stage migration->to. */
Tasks tasks_list(const Migration *migration) MUST_USE;

/* Looks which of them are done. A wait for what another step will change cannot be over before that. */
MUST_USE bool tasks_check(const Migration *migration, Tasks *tasks, Error *err);

/* What it does, as a phrase, in the arena. */
const char *task_description(const Migration *migration, const Task *task) MUST_USE;

/* The task's table as the catalog has it now; NULL if the task has none, or it is gone. */
const Table *task_table(const Migration *migration, const Task *task) MUST_USE;

/* Prints text as comments of a script. */
void tasks_print_commented(const Buf *text, FILE *out);

/* Prints what is not done as a script that psql can run, each step under its description; with `undo` also,
 * in comments, what takes it back. */
void tasks_print(const Migration *migration, const Tasks *tasks, bool undo, FILE *out);

#endif
