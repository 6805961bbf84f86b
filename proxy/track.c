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

/* ---- the state ---- */

void track_init(Track *track) {
    memset(track, 0, sizeof *track);
    track->current = MEM_NEW(TrackValues);
    track->current->references = 1;
    track->durable = values_ref(track->current);
    track->base = values_ref(track->current);
}

static void set_current(Track *track, TrackValues *v) {
    if (track->current != v)
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

static void forget_path(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    v->path_unknown = true;
}

static void forget_role(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    v->role_unknown = true;
}

static void reset_all(TrackValues *v, const Statement *stmt) {
    (void)stmt;
    set_string(&v->search_path, NULL);
    v->path_unknown = false;
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

/* The parameters that give names their meaning. Quoted, and in set_config(), a parameter's name may be
 * written in capitals as well. */
static const struct {
    const char *name;
    Change *set;
    Change *forget;
} PARAMETERS[] = {
    {"search_path", change_path, forget_path},
    {"role", change_role, forget_role},
    {"session_authorization", change_authorization, forget_role},
};

/* NULL: all of them, or any. */
static bool is_followed(const char *name) {
    for (size_t i = 0; name && i < ARRAY_LEN(PARAMETERS); i++)
        if (strcasecmp(name, PARAMETERS[i].name) == 0)
            return true;
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

static bool calls_set_config(const Statement *stmt) {
    for (int i = 0; i < stmt->nconfig_calls; i++)
        if (is_followed(stmt->config_calls[i].name))
            return true;
    return false;
}

static void apply_config_call(Track *track, const ConfigCall *call) {
    const Statement as_set = {.kind = STMT_SET, .set = {call->name, call->value, call->local}};
    bool known = call->name && call->value && call->local_known;
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
            change(track, stmt, forget_path, true);
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

bool track_changes_names(const Statement *stmt) {
    return track_concerns(stmt) &&
           !(stmt->kind == STMT_TRANSACTION && stmt->transaction == TRANSACTION_BEGIN);
}

bool track_concerns(const Statement *stmt) {
    switch (stmt->kind) {
    case STMT_SET:
        return is_followed(stmt->set.name);
    case STMT_TRANSACTION:
        return stmt->transaction != TRANSACTION_OTHER;
    case STMT_DISCARD:
        return stmt->discard_all || stmt->discard_temp;
    default:
        return stmt->creates_temp || stmt->drops || calls_set_config(stmt);
    }
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
        apply_config_call(track, &stmt->config_calls[i]);
}
