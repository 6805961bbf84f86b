/* What is asked, per worker, and which statements it concerns. */
#include "proxy/migration_hold.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/request.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "proxy/sqlprep.h"

/* As decisions name tables. */
typedef struct NameList {
    const char **names;
    int n, capacity;
} NameList;

struct MigrationHold {
    uint64_t number;
    uint64_t until; /* ns, monotonic */
    Arena *arena;
    RequestTable *tables;
    int ntables;
    /* By the worker's snapshot when it took it over: the tables, and those that are tied to them by foreign
     * keys. */
    NameList touched, written;
};

/* ---- handing it over ---- */

static void hold_free(MigrationHold *h) {
    if (!h)
        return;
    arena_free(h->arena);
    free(h);
}

static MigrationHold *hold_copy(uint64_t number, const RequestHeld *held) {
    MigrationHold *h = MEM_NEW(MigrationHold);
    h->number = number;
    h->until = uv_hrtime() + (uint64_t)held->ms * 1000000;
    h->arena = arena_new();
    h->ntables = held->ntables;
    h->tables = ARENA_ARRAY(h->arena, RequestTable, held->ntables + 1);
    for (int i = 0; i < held->ntables; i++)
        h->tables[i] = (RequestTable){arena_strdup(h->arena, held->tables[i].schema),
                                      arena_strdup(h->arena, held->tables[i].name)};
    return h;
}

void migration_hold_give(Proxy *proxy, uint64_t number, const RequestHeld *held) {
    for (int i = 0; i < proxy->nworkers; i++) {
        Worker *w = &proxy->workers[i];
        hold_free(atomic_exchange(&w->new_migration_hold, hold_copy(number, held)));
        uv_async_send(&w->wake);
    }
}

/* ---- the tables ---- */

static void add(NameList *list, Arena *arena, const Table *table) {
    if (list->n == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 16;
        const char **names = ARENA_ARRAY(arena, const char *, capacity);
        if (list->n > 0)
            memcpy(names, list->names, sizeof *names * (size_t)list->n);
        list->names = names;
        list->capacity = capacity;
    }
    list->names[list->n++] = table_qualified_name(arena, table);
}

/* Who locks a partition alone still keeps others from the whole. */
static void add_partitions(MigrationHold *h, const Snapshot *snapshot, const Table *whole) {
    const char *name = arena_printf(h->arena, "%s.%s", whole->schema, whole->name);
    for (int i = 0; i < snapshot->ntables; i++)
        if (snapshot->tables[i].partition_of && strcmp(snapshot->tables[i].partition_of, name) == 0)
            add(&h->touched, h->arena, &snapshot->tables[i]);
}

/* A row that is written has its key looked up in the parent, or is looked for in the children, which may be
 * deleted with it: that takes locks there. */
static void add_tied(MigrationHold *h, const Table *table) {
    for (int i = 0; i < table->nforeign_keys; i++)
        add(&h->written, h->arena, table->foreign_keys[i]->parent);
    for (int i = 0; i < table->nreferenced_by; i++)
        add(&h->written, h->arena, table->referenced_by[i]->child);
}

static void find_tables(MigrationHold *h, const Snapshot *snapshot) {
    for (int i = 0; i < h->ntables; i++) {
        const Table *table = snapshot_table(snapshot, h->tables[i].schema, h->tables[i].name);
        if (!table)
            continue;
        add(&h->touched, h->arena, table);
        if (table->relkind == 'p')
            add_partitions(h, snapshot, table);
        add_tied(h, table);
    }
}

/* ---- of a worker ---- */

static void drop(Worker *w) {
    hold_free(w->migration_hold);
    w->migration_hold = NULL;
    uv_timer_stop(&w->migration_hold_timer);
}

static void time_is_over(uv_timer_t *timer) {
    Worker *w = timer->data;
    worker_touch_clock(w);
    drop(w);
    hold_retry(w);
}

void migration_hold_init(Worker *w) {
    uv_timer_init(&w->loop, &w->migration_hold_timer);
    w->migration_hold_timer.data = w;
}

void migration_hold_take(Worker *w) {
    MigrationHold *h = atomic_exchange(&w->new_migration_hold, NULL);
    if (!h)
        return;
    drop(w);
    if (h->ntables == 0 || h->until <= w->now || !w->snapshot || w->stopping) {
        hold_free(h);
        return;
    }
    find_tables(h, w->snapshot);
    w->migration_hold = h;
    uv_timer_start(&w->migration_hold_timer, time_is_over, (h->until - w->now) / 1000000 + 1, 0);
}

void migration_hold_close(Worker *w) { uv_close((uv_handle_t *)&w->migration_hold_timer, NULL); }

void migration_hold_free(Worker *w) {
    hold_free(w->migration_hold);
    hold_free(atomic_exchange(&w->new_migration_hold, NULL));
}

/* ---- statements ---- */

static bool is_among(const NameList *list, const char *name) {
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

/* What is executed by name alone is looked up: `unknown` is not set for it. */
static bool names_one(const MigrationHold *h, const Plan *plan) {
    for (int i = 0; i < plan->nstatements; i++) {
        const StatementDecision *d = &plan->decision->statements[i];
        const Statement *stmt = plan_statement(plan, i);
        bool executes = stmt && stmt->kind == STMT_EXECUTE;
        if (!executes && (d->verdict == VERDICT_OPAQUE || d->verdict == VERDICT_UNPARSED))
            return true;
        for (int t = 0; t < d->ntables; t++)
            if (is_among(&h->touched, d->tables[t]) ||
                (plan->may_write && is_among(&h->written, d->tables[t])))
                return true;
    }
    return false;
}

/* The answer is kept in the plan. */
static bool touches(const MigrationHold *h, Plan *plan) {
    if (plan->asked_by_hold != h->number) {
        plan->asked_by_hold = h->number;
        plan->touches_held = names_one(h, plan);
    }
    return plan->touches_held;
}

/* What was prepared by SQL, and is executed by a statement of the text. */
static bool executes_one(Session *s, const MigrationHold *h, const Plan *plan) {
    bool found = false;
    for (int i = 0; !found && i < plan->nstatements; i++) {
        const Statement *stmt = plan_statement(plan, i);
        if (!stmt || stmt->kind != STMT_EXECUTE)
            continue;
        Plan *executed = sqlprep_plan(s, stmt->name);
        found = !executed || touches(h, executed);
        plan_unref(executed);
    }
    return found;
}

bool migration_hold_statement(Session *s, Plan *plan, Error **refusal) {
    const MigrationHold *h = s->worker->migration_hold;
    bool concerned = h && !s->begun && !plan->only_begins &&
                     (touches(h, plan) || (plan->executes_any && executes_one(s, h, plan)));
    if (concerned && hold_for_now(s))
        return true;
    if (concerned) {
        *refusal = MEM_NEW(Error);
        error_set(*refusal, SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    }
    s->begun |= !plan->only_begins;
    return false;
}
