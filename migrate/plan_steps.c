/* The steps in order, each with its SQL and about how long it takes.
 *
 * A step's own figure is for rows of a usual width on an idle machine: the least that can be expected is half
 * of it, and wide rows, a busy server and a slow disk take their time on top. */
#include "migrate/plan_model.h"

/* Bytes of a row, its indexes included, on which the steps' figures were measured. */
#define USUAL_ROW_BYTES 250.0
#define LEAST 0.5
#define MOST 3.0
#define WIDEST 20.0

/* Below this a step takes a moment. */
#define MOMENT_SECONDS 1.0

static double width_factor(const PlanTable *table) {
    double bytes = table->rows > 0 ? (double)table->bytes / (double)table->rows : 0;
    double factor = bytes / USUAL_ROW_BYTES;

    return factor < 1 ? 1 : factor > WIDEST ? WIDEST : factor;
}

static void estimate(const Plan *plan, PlanStep *step) {
    const PlanTable *table = plan_table(plan, step->task->table);
    double us = step->task->step->us_per_row;

    if (us <= 0 || !table)
        return;
    step->rows = table->rows;
    step->low = step->high = -1;
    if (table->rows < 0)
        return;
    step->low = (double)table->rows * us * LEAST / 1e6;
    step->high = (double)table->rows * us * MOST * width_factor(table) / 1e6;
    if (step->high < MOMENT_SECONDS)
        step->low = step->high = 0;
}

static const char *sql_of(const Plan *plan, StepSql *write, const Table *table) {
    Buf buf = {0};

    write(&plan->migration, table, &buf);
    return step_text(&plan->migration, &buf);
}

/* Of a table that cannot be migrated nothing can be written; the findings say why. */
static bool is_sound(const Task *task) { return !task->table || !task->table->problem; }

static PlanStep describe(const Plan *plan, const Task *task, int number) {
    PlanStep step = {.number = number,
                     .task = task,
                     .what = task_description(&plan->migration, task),
                     .sql =
                         task->done || !is_sound(task) ? "" : sql_of(plan, task->step->script, task->table),
                     .undo = !is_sound(task) ? "" : sql_of(plan, task->step->undo, task->table)};

    estimate(plan, &step);
    return step;
}

static void add_up(Plan *plan, const PlanStep *step) {
    if (step->task->done)
        return;
    if (step->low < 0) {
        plan->incomplete = true;
        return;
    }
    plan->low += step->low;
    plan->high += step->high;
}

/* A step that cannot even look is what a run would stop at. */
static bool check(Plan *plan, Error *err) {
    Error why = {0};

    plan->tasks = tasks_list(&plan->migration);
    if (tasks_check(&plan->migration, &plan->tasks, &why))
        return true;
    if (PQstatus(plan->migration.conn) != CONNECTION_OK) {
        *err = why;
        return false;
    }
    plan->tasks = (Tasks){0};
    findings_add(&plan->findings,
                 (Finding){.severity = FINDING_ERROR,
                           .from = plan->migration.to,
                           .code = "step-check",
                           .object = "steps",
                           .what = arena_strdup(plan->migration.arena, why.message),
                           .remedy = *why.hint ? arena_strdup(plan->migration.arena, why.hint) : NULL});
    findings_sort(&plan->findings);
    return true;
}

bool plan_steps(Plan *plan, Error *err) {
    if (!check(plan, err))
        return false;
    plan->steps = ARENA_ARRAY(plan->migration.arena, PlanStep, plan->tasks.n + 1);
    for (int i = 0; i < plan->tasks.n; i++) {
        plan->steps[i] = describe(plan, &plan->tasks.items[i], i + 1);
        add_up(plan, &plan->steps[i]);
    }
    plan->nsteps = plan->tasks.n;
    return true;
}
