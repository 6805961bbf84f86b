/* The search_path has up to three values at a time:
 *
 *   current  -- in force
 *   session  -- in force after COMMIT: SET LOCAL changes `current` alone
 *   before   -- in force after ROLLBACK: what `session` was at BEGIN
 *
 * NULL stands for one that cannot be known from the text. */
#include "cli/lint_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

struct LintSession {
    char *login; /* the role that connected; NULL: not known. Owned, as are the others */
    char *role;  /* the current one */
    char *initial;
    char *current;
    char *session;
    char *before;
    bool in_transaction;
    char **temp_names;
    int ntemp_names;
    LintPreparedEntry *prepared; /* a table */
    bool changed;                /* the context, by the statement that is followed */
    Buf key;                     /* of the context; empty: to be made */
};

static char *copy(const char *s) { return s ? mem_strdup(s) : NULL; }

static void replace(char **where, const char *value) {
    char *old = *where;
    *where = copy(value);
    free(old);
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static void set_current(LintSession *s, const char *value) {
    s->changed |= !same(value, s->current);
    replace(&s->current, value);
}

static LintSession *make(const char *search_path, const char *role) {
    LintSession *s = MEM_NEW(LintSession);
    s->login = copy(role);
    s->role = copy(role);
    s->initial = copy(search_path);
    s->current = copy(search_path);
    s->session = copy(search_path);
    return s;
}

LintSession *lint_session_new(const char *search_path) { return make(search_path, NULL); }

LintSession *lint_session_of_client(const Snapshot *snapshot, const char *role, const char *database) {
    const char *best = snapshot->search_path, *here = database ? database : snapshot->database;
    int best_rank = 0;
    for (int i = 0; i < snapshot->nsettings; i++) {
        const RoleSetting *set = &snapshot->settings[i];
        bool applies = strcasecmp(set->name, "search_path") == 0 &&
                       (!set->role || (role && strcmp(set->role, role) == 0)) &&
                       (!set->database || !here || strcmp(set->database, here) == 0);
        int rank = 1 + (set->database ? 1 : 0) + (set->role ? 2 : 0); /* a role's own comes first */
        if (applies && rank > best_rank) {
            best_rank = rank;
            best = set->value;
        }
    }
    return make(best, role);
}

static void forget_temp_names(LintSession *s) {
    s->changed |= s->ntemp_names > 0;
    for (int i = 0; i < s->ntemp_names; i++)
        free(s->temp_names[i]);
    free(s->temp_names);
    s->temp_names = NULL;
    s->ntemp_names = 0;
}

void lint_session_free(LintSession *session) {
    if (!session)
        return;
    forget_temp_names(session);
    lint_prepared_clear(&session->prepared);
    buf_free(&session->key);
    free(session->login);
    free(session->role);
    free(session->initial);
    free(session->current);
    free(session->session);
    free(session->before);
    free(session);
}

SessionContext lint_session_context(const LintSession *s) {
    return (SessionContext){.search_path = s->current ? s->current : "",
                            .role = s->role,
                            .search_path_known = s->current != NULL,
                            .temp_tables = s->ntemp_names > 0,
                            .temp_names = (const char *const *)s->temp_names,
                            .ntemp_names = s->ntemp_names};
}

Str lint_session_key(LintSession *s) {
    if (buf_len(&s->key) == 0) {
        bool asks_role = s->current && strstr(s->current, "$user");
        buf_put_u8(&s->key, s->current != NULL);
        buf_put_cstr(&s->key, s->current ? s->current : "");
        buf_put_cstr(&s->key, asks_role && s->role ? s->role : "");
        for (int i = 0; i < s->ntemp_names; i++)
            buf_put_cstr(&s->key, s->temp_names[i]);
    }
    return (Str){(const char *)buf_ptr(&s->key), buf_len(&s->key)};
}

bool lint_session_is_as_begun(const LintSession *s) {
    return s->ntemp_names == 0 && same(s->current, s->initial) && same(s->role, s->login);
}

static void set_search_path(LintSession *s, const char *value, bool local) {
    if (local && !s->in_transaction)
        return;
    set_current(s, value);
    if (!local)
        replace(&s->session, value);
}

/* SET ROLE and SET SESSION AUTHORIZATION, as if for the rest of the session: $user follows them. */
static void set_role(LintSession *s, const char *value) {
    const char *role = !value || strcasecmp(value, "none") == 0 ? s->login : value;
    s->changed |= !same(role, s->role);
    replace(&s->role, role);
}

static void follow_set(LintSession *s, const SetFacts *set) {
    bool is_reset_all = set->name == NULL;
    if (!is_reset_all &&
        (strcasecmp(set->name, "role") == 0 || strcasecmp(set->name, "session_authorization") == 0))
        set_role(s, set->value);
    if (is_reset_all || strcasecmp(set->name, "search_path") == 0)
        set_search_path(s, set->value ? set->value : s->initial, set->local);
}

static void follow_transaction(LintSession *s, TransactionKind kind) {
    switch (kind) {
    case TRANSACTION_BEGIN:
        if (!s->in_transaction)
            replace(&s->before, s->session);
        s->in_transaction = true;
        break;
    case TRANSACTION_COMMIT:
    case TRANSACTION_PREPARE:
        set_current(s, s->session);
        s->in_transaction = false;
        break;
    case TRANSACTION_ROLLBACK:
        if (s->in_transaction) {
            replace(&s->session, s->before);
            set_current(s, s->before);
        }
        s->in_transaction = false;
        break;
    default:
        break;
    }
}

static bool is_set_config(const Expr *call) {
    return call && call->kind == EXPR_FUNC && call->nargs == 3 && call->name.name &&
           strcmp(call->name.name, "set_config") == 0;
}

/* SELECT set_config('search_path', …, false): what pg_dump begins its scripts with. */
static void follow_select(LintSession *s, const Block *block) {
    for (int i = 0; i < block->ntargets; i++) {
        const Expr *call = block->targets[i].expr;
        if (!is_set_config(call))
            continue;
        const Expr *name = call->args[0], *value = call->args[1], *local = call->args[2];
        bool is_other =
            name->kind == EXPR_CONST && name->value && strcasecmp(name->value, "search_path") != 0;
        if (is_other)
            continue;
        bool is_known = name->kind == EXPR_CONST && value->kind == EXPR_CONST && local->kind == EXPR_CONST;
        bool is_local = is_known && local->value && (local->value[0] | 0x20) == 't';
        set_search_path(s, is_known ? value->value : NULL, is_local);
    }
}

static void follow_temporary(LintSession *s, const Statement *statement) {
    for (int i = 0; i < statement->ntables; i++) {
        s->temp_names = mem_realloc(s->temp_names, sizeof(char *) * (size_t)(s->ntemp_names + 1));
        s->temp_names[s->ntemp_names++] = mem_strdup(statement->tables[i]->name.name);
        s->changed = true;
    }
}

static void follow_deallocate(LintSession *s, const char *name) {
    if (name)
        lint_prepared_remove(&s->prepared, name);
    else
        lint_prepared_clear(&s->prepared);
}

static void discard_all(LintSession *s) {
    set_role(s, NULL);
    set_search_path(s, s->initial, false);
    forget_temp_names(s);
    lint_prepared_clear(&s->prepared);
}

LintPrepared *lint_session_executed(const LintSession *session, const Statement *statement) {
    while (statement && statement->kind != STMT_EXECUTE)
        statement = statement->inner;
    return statement && statement->name ? lint_prepared_find(session->prepared, statement->name) : NULL;
}

bool lint_session_ignores(const Statement *statement) {
    switch (statement->kind) {
    case STMT_INSERT:
    case STMT_UPDATE:
    case STMT_DELETE:
        return true;
    case STMT_SELECT:
        for (int i = 0; statement->block && i < statement->block->ntargets; i++)
            if (is_set_config(statement->block->targets[i].expr))
                return false;
        return true;
    default:
        return false;
    }
}

void lint_session_follow(LintSession *session, const Statement *statement, Str text) {
    session->changed = false;
    if (lint_session_ignores(statement))
        return;
    if (statement->creates_temp)
        follow_temporary(session, statement);
    switch (statement->kind) {
    case STMT_SET:
        follow_set(session, &statement->set);
        break;
    case STMT_TRANSACTION:
        follow_transaction(session, statement->transaction);
        break;
    case STMT_SELECT:
        follow_select(session, statement->block);
        break;
    case STMT_DISCARD:
        if (statement->discard_all)
            discard_all(session);
        break;
    case STMT_PREPARE: {
        Span span = statement->span;
        lint_prepared_add(&session->prepared, statement->name,
                          (Str){text.ptr + span.start, span.end - span.start});
        break;
    }
    case STMT_DEALLOCATE:
        follow_deallocate(session, statement->name);
        break;
    default:
        break;
    }
    if (session->changed)
        buf_clear(&session->key);
}
