/* Following SET, transactions, savepoints and temporary tables. */
#include "proxy/track.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/mem.h"

/* Deeper nesting than any application has; beyond it the path counts as unknown after ROLLBACK TO. */
#define MAX_SAVEPOINTS 1000

struct TrackSavepoint {
    TrackSavepoint *outer;
    char *name;
    TrackValues *current;
    TrackValues *durable;
};

/* ---- values ---- */

static TrackValues *values_ref(TrackValues *v) {
    v->references++;
    return v;
}

static void values_unref(TrackValues *v) {
    if (!v || --v->references > 0)
        return;
    for (int i = 0; i < v->ntemps; i++)
        free(v->temps[i]);
    free(v->temps);
    free(v->search_path);
    free(v->role);
    free(v->authorization);
    free(v->tenant);
    free(v);
}

static void values_assign(TrackValues **slot, TrackValues *v) {
    TrackValues *old = *slot;
    *slot = values_ref(v);
    values_unref(old);
}

/* A copy that may be changed, with one reference. */
static TrackValues *values_copy(const TrackValues *v) {
    TrackValues *copy = MEM_NEW(TrackValues);
    copy->references = 1;
    copy->path_unknown = v->path_unknown;
    copy->search_path = v->search_path ? mem_strdup(v->search_path) : NULL;
    copy->role_unknown = v->role_unknown;
    copy->role = v->role ? mem_strdup(v->role) : NULL;
    copy->authorization = v->authorization ? mem_strdup(v->authorization) : NULL;
    copy->tenant = v->tenant ? mem_strdup(v->tenant) : NULL;
    copy->tenant_unknown = v->tenant_unknown;
    copy->ntemps = v->ntemps;
    if (v->ntemps > 0)
        copy->temps = mem_alloc(sizeof *copy->temps * (size_t)v->ntemps);
    for (int i = 0; i < v->ntemps; i++)
        copy->temps[i] = mem_strdup(v->temps[i]);
    return copy;
}

static void set_string(char **slot, const char *value) {
    free(*slot);
    *slot = value ? mem_strdup(value) : NULL;
}

static bool same_string(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static bool same_names(const TrackValues *a, const TrackValues *b) {
    if (a->path_unknown != b->path_unknown || a->role_unknown != b->role_unknown || a->ntemps != b->ntemps ||
        !same_string(a->search_path, b->search_path) || !same_string(a->role, b->role) ||
        !same_string(a->authorization, b->authorization))
        return false;
    for (int i = 0; i < a->ntemps; i++)
        if (strcmp(a->temps[i], b->temps[i]) != 0)
            return false;
    return true;
}

/* ---- the state ---- */

void track_init(Track *track) {
    memset(track, 0, sizeof *track);
    track->current = MEM_NEW(TrackValues);
    track->current->references = 1;
    track->durable = values_ref(track->current);
    track->base = values_ref(track->current);
}

static void set_current(Track *track, TrackValues *v) {
    if (track->current != v && !same_names(track->current, v))
        track->changes++;
    values_assign(&track->current, v);
}

static void pop_savepoint(Track *track) {
    TrackSavepoint *top = track->savepoints;
    track->savepoints = top->outer;
    track->nsavepoints--;
    values_unref(top->current);
    values_unref(top->durable);
    free(top->name);
    free(top);
}

static void push_savepoint(Track *track, const char *name, TrackValues *current, TrackValues *durable) {
    TrackSavepoint *s = MEM_NEW(TrackSavepoint);
    s->name = mem_strdup(name);
    s->current = values_ref(current);
    s->durable = values_ref(durable);
    s->outer = track->savepoints;
    track->savepoints = s;
    track->nsavepoints++;
}

void track_free(Track *track) {
    while (track->savepoints)
        pop_savepoint(track);
    values_unref(track->current);
    values_unref(track->durable);
    values_unref(track->base);
    memset(track, 0, sizeof *track);
}

static void copy_savepoints(Track *to, const TrackSavepoint *from) {
    if (!from)
        return;
    copy_savepoints(to, from->outer);
    push_savepoint(to, from->name, from->current, from->durable);
}

void track_copy(Track *to, const Track *from) {
    while (to->savepoints)
        pop_savepoint(to);
    set_current(to, from->current);
    values_assign(&to->durable, from->durable);
    values_assign(&to->base, from->base);
    to->in_block = from->in_block;
    copy_savepoints(to, from->savepoints);
}

bool track_equal(const Track *a, const Track *b) {
    return a->current == b->current && a->durable == b->durable && a->base == b->base &&
           a->nsavepoints == b->nsavepoints && a->in_block == b->in_block;
}

static bool same_tenant(const TrackValues *a, const TrackValues *b) {
    return a->tenant_unknown == b->tenant_unknown && same_string(a->tenant, b->tenant);
}

bool track_tenant_is_steady(const Track *track) {
    return track->nsavepoints == 0 && same_tenant(track->current, track->durable) &&
           same_tenant(track->current, track->base);
}

/* ---- effects ---- */

typedef void Change(TrackValues *values, const Statement *stmt);

/* Changes current, and durable too unless the effect ends with the transaction. */
static void change(Track *track, const Statement *stmt, Change *apply, bool local) {
    bool same = track->current == track->durable;
    TrackValues *v = values_copy(track->current);
    apply(v, stmt);
    set_current(track, v);
    if (!local && same) {
        values_assign(&track->durable, v);
    } else if (!local) {
        TrackValues *d = values_copy(track->durable);
        apply(d, stmt);
        values_assign(&track->durable, d);
        values_unref(d);
    }
    values_unref(v);
}

static void change_path(TrackValues *v, const Statement *stmt) {
    set_string(&v->search_path, stmt->set.value);
    v->path_unknown = stmt->set.unknown;
}

static void change_role(TrackValues *v, const Statement *stmt) {
    bool none = !stmt->set.value || strcmp(stmt->set.value, "none") == 0;
    set_string(&v->role, none ? NULL : stmt->set.value);
    v->role_unknown = stmt->set.unknown;
}

/* It also does what SET ROLE NONE does. */
static void change_authorization(TrackValues *v, const Statement *stmt) {
    set_string(&v->role, NULL);
    set_string(&v->authorization, stmt->set.value);
    v->role_unknown = stmt->set.unknown;
}

static void change_tenant(TrackValues *v, const Statement *stmt) {
    set_string(&v->tenant, stmt->set.value);
    v->tenant_unknown = stmt->set.unknown;
}

static void forget_path(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    v->path_unknown = true;
}

static void forget_role(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    v->role_unknown = true;
}

static void forget_tenant(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    v->tenant_unknown = true;
}

static void forget_settings(TrackValues *v, const Statement *stmt) {
    forget_path(v, stmt);
    forget_tenant(v, stmt);
}

static void reset_all(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    set_string(&v->search_path, NULL);
    v->path_unknown = false;
    set_string(&v->tenant, NULL);
    v->tenant_unknown = false;
}

static void drop_temps(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    for (int i = 0; i < v->ntemps; i++)
        free(v->temps[i]);
    v->ntemps = 0;
}

static void discard_all(TrackValues *v, const Statement *stmt) {
    reset_all(v, stmt);
    change_authorization(v, stmt);
    drop_temps(v, stmt);
}

static void add_temps(TrackValues *v, const Statement *stmt) {
    for (int i = 0; i < stmt->ntables; i++) {
        v->temps = mem_realloc(v->temps, sizeof *v->temps * (size_t)(v->ntemps + 1));
        v->temps[v->ntemps++] = mem_strdup(stmt->tables[i]->name.name);
    }
}

/* DROP of a name that may be a temporary one: without a schema, or in pg_temp. */
static bool may_be_temp(const Name *name) {
    return !name->schema || strncmp(name->schema, "pg_temp", 7) == 0;
}

static void remove_temps(TrackValues *v, const Statement *stmt) {
    for (int i = 0; i < stmt->ntables; i++)
        for (int j = 0; j < v->ntemps && may_be_temp(&stmt->tables[i]->name); j++)
            if (strcmp(v->temps[j], stmt->tables[i]->name.name) == 0) {
                free(v->temps[j]);
                v->temps[j] = v->temps[--v->ntemps];
                break;
            }
}

/* What a parameter gives its meaning to. */
enum { OF_NAMES = 1, OF_TENANT = 2 };

/* The parameters that are followed. Quoted, and in set_config(), a parameter's name may be written in
 * capitals as well. */
static const struct {
    const char *name;
    Change *set;
    Change *forget;
    unsigned of;
} PARAMETERS[] = {
    {"search_path", change_path, forget_path, OF_NAMES},
    {"role", change_role, forget_role, OF_NAMES},
    {"session_authorization", change_authorization, forget_role, OF_NAMES},
    {TRACK_TENANT, change_tenant, forget_tenant, OF_TENANT},
};

/* NULL: all of them, or any. */
static bool is_parameter(const char *name, unsigned of) {
    for (size_t i = 0; name && i < ARRAY_LEN(PARAMETERS); i++)
        if (strcasecmp(name, PARAMETERS[i].name) == 0)
            return PARAMETERS[i].of & of;
    return !name;
}

static void apply_set(Track *track, const Statement *stmt) {
    const char *name = stmt->set.name;
    if (!name)
        change(track, stmt, reset_all, false);
    for (size_t i = 0; name && !stmt->set.from_current && i < ARRAY_LEN(PARAMETERS);
         i++) /* FROM CURRENT: to what it is */
        if (strcasecmp(name, PARAMETERS[i].name) == 0)
            change(track, stmt, PARAMETERS[i].set, stmt->set.local);
}

/* SET, RESET, or a call of set_config() somewhere. */
static bool sets_parameter(const Statement *stmt, unsigned of) {
    for (int i = 0; i < stmt->nconfig_calls; i++)
        if (is_parameter(stmt->config_calls[i].name, of))
            return true;
    return stmt->kind == STMT_SET && is_parameter(stmt->set.name, of);
}

static bool is_config_call(const Expr *e) {
    while (e && e->kind == EXPR_CAST && e->nargs == 1)
        e = e->args[0];
    return e && e->kind == EXPR_FUNC && e->name.name && strcmp(e->name.name, "set_config") == 0;
}

/* Whether each call of set_config() in the statement is executed exactly once: SELECT set_config(…), … */
static bool calls_for_certain(const Statement *stmt) {
    const Block *b = stmt->block;
    int direct = 0;
    if (stmt->kind != STMT_SELECT || !b || b->kind != BLOCK_SELECT || b->nfrom > 0 || b->where ||
        b->ngroup_by > 0 || b->having || b->limit || b->offset)
        return false;
    for (int i = 0; i < b->ntargets; i++)
        direct += is_config_call(b->targets[i].expr);
    return direct == stmt->nconfig_calls;
}

static void apply_config_call(Track *track, const ConfigCall *call, bool certain) {
    const Statement as_set = {.kind = STMT_SET, .set = {call->name, call->value, call->local}};
    bool known = certain && call->name && call->value && call->local_known;
    for (size_t i = 0; i < ARRAY_LEN(PARAMETERS); i++)
        if (!call->name || strcasecmp(call->name, PARAMETERS[i].name) == 0)
            change(track, &as_set, known ? PARAMETERS[i].set : PARAMETERS[i].forget,
                   call->local_known && call->local);
}

void track_transaction_end(Track *track, bool failed) {
    track->in_block = false;
    while (track->savepoints)
        pop_savepoint(track);
    if (track->current == track->durable && track->durable == track->base)
        return;
    TrackValues *after = values_ref(failed ? track->base : track->durable);
    set_current(track, after);
    values_assign(&track->durable, after);
    values_assign(&track->base, after);
    values_unref(after);
}

static TrackSavepoint *find_savepoint(const Track *track, const char *name) {
    TrackSavepoint *s = track->savepoints;
    while (s && strcmp(s->name, name) != 0)
        s = s->outer;
    return s;
}

static void apply_transaction(Track *track, const Statement *stmt, Str tag) {
    TrackSavepoint *s = stmt->savepoint ? find_savepoint(track, stmt->savepoint) : NULL;
    switch (stmt->transaction) {
    case TRANSACTION_BEGIN:
        track->in_block = true;
        break;
    case TRANSACTION_COMMIT:
    case TRANSACTION_ROLLBACK:
    case TRANSACTION_PREPARE:
        track_transaction_end(track, stmt->transaction == TRANSACTION_ROLLBACK || str_is(tag, "ROLLBACK"));
        track->in_block = stmt->chain;
        break;
    case TRANSACTION_SAVEPOINT:
        if (track->nsavepoints < MAX_SAVEPOINTS)
            push_savepoint(track, stmt->savepoint, track->current, track->durable);
        break;
    case TRANSACTION_RELEASE:
        while (s && track->savepoints != s)
            pop_savepoint(track);
        if (s)
            pop_savepoint(track);
        break;
    case TRANSACTION_ROLLBACK_TO:
        if (!s) {
            change(track, stmt, forget_settings, true);
            break;
        }
        while (track->savepoints != s)
            pop_savepoint(track);
        set_current(track, s->current);
        values_assign(&track->durable, s->durable);
        break;
    case TRANSACTION_OTHER:
        break;
    }
}

static bool changes_temps(const Statement *stmt) {
    return stmt->creates_temp || stmt->drops ||
           (stmt->kind == STMT_DISCARD && (stmt->discard_all || stmt->discard_temp));
}

static bool ends_transaction(const Statement *stmt) {
    return stmt->kind == STMT_TRANSACTION &&
           (stmt->transaction == TRANSACTION_COMMIT || stmt->transaction == TRANSACTION_ROLLBACK ||
            stmt->transaction == TRANSACTION_PREPARE || stmt->transaction == TRANSACTION_ROLLBACK_TO);
}

bool track_changes_names(const Statement *stmt) {
    return changes_temps(stmt) || ends_transaction(stmt) || sets_parameter(stmt, OF_NAMES);
}

TrackTenant track_changes_tenant(const Statement *stmt) {
    if ((stmt->kind == STMT_DISCARD && stmt->discard_all) || sets_parameter(stmt, OF_TENANT))
        return TRACK_TENANT_SET;
    return ends_transaction(stmt) ? TRACK_TENANT_RESTORED : TRACK_TENANT_KEPT;
}

bool track_concerns(const Statement *stmt) {
    return changes_temps(stmt) || sets_parameter(stmt, OF_NAMES | OF_TENANT) ||
           (stmt->kind == STMT_TRANSACTION && stmt->transaction != TRANSACTION_OTHER);
}

void track_apply(Track *track, const Statement *stmt, Str tag) {
    if (stmt->kind == STMT_SET)
        apply_set(track, stmt);
    else if (stmt->kind == STMT_TRANSACTION)
        apply_transaction(track, stmt, tag);
    else if (stmt->kind == STMT_DISCARD && (stmt->discard_all || stmt->discard_temp))
        change(track, stmt, stmt->discard_all ? discard_all : drop_temps, false);
    else if (stmt->creates_temp)
        change(track, stmt, add_temps, false);
    else if (stmt->drops && track->current->ntemps > 0)
        change(track, stmt, remove_temps, false);
    for (int i = 0; i < stmt->nconfig_calls; i++)
        apply_config_call(track, &stmt->config_calls[i], calls_for_certain(stmt));
}
