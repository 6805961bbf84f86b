/* The verdict, and what to say about it.
 *
 * A statement stays within one tenant if each reference to a tenant table, wherever it stands, is scoped, and
 * all are to one and the same value. */
#include "rewrite/scope.h"

#include <string.h>

#include "rewrite/citus.h"
#include "rewrite/scope_level.h"
#include "rewrite/suggest.h"
#include "rewrite/survey.h"

static const char *column_of(Rewrite *rw, const char *table, const Table *of) {
    return arena_printf(rw->arena, "%s.%s", rewrite_quoted(rw, table), rewrite_quoted(rw, of->tenant_column));
}

/* What cannot be known takes the place of a verdict that would be too good. */
static void check_opaque(Rewrite *rw) {
    StatementDecision *decision = rw->decision;
    const Survey *survey = rw->survey;

    if (decision->verdict == VERDICT_MULTI_TENANT || (!survey->unknown_name && !survey->unknown_function))
        return;
    decision->verdict = VERDICT_OPAQUE;
    decision->reason = survey->unknown_name
                           ? arena_printf(rw->arena, "what %s is, is not known", survey->unknown_name)
                           : arena_printf(rw->arena, "calls the function %s, which may read any table",
                                          survey->unknown_function);
}

static void add_unscoped(Rewrite *rw, const char **list, const Table *table) {
    StatementDecision *decision = rw->decision;
    const char *name = table_qualified_name(rw->arena, table);

    for (int i = 0; i < decision->nunscoped; i++) {
        if (strcmp(list[i], name) == 0)
            return;
    }
    list[decision->nunscoped++] = name;
}

static bool is_named_twice(const Scope *scope, const Ref *ref) {
    for (int i = 0; i < scope->nrefs; i++) {
        if (scope->refs[i] != ref && scope->refs[i]->table == ref->table)
            return true;
    }
    return false;
}

/* A tenant column by its table's name, or, where that stands in several places, as it is written there. */
static const char *tenant_of(const Scope *scope, const Ref *ref) {
    Rewrite *rw = scope->rw;

    if (strcmp(ref->alias, ref->table->name) == 0 || !is_named_twice(scope, ref))
        return column_of(rw, ref->table->name, ref->table);
    return arena_printf(rw->arena, "%s (%s)", column_of(rw, ref->alias, ref->table),
                        rewrite_quoted(rw, ref->table->name));
}

static const char *explain(const Scope *scope, const Ref *ref) {
    Rewrite *rw = scope->rw;
    const char *column = tenant_of(scope, ref);
    const ColumnNode *node = ref->node != SCOPE_NO_NODE ? &ref->level->nodes[ref->node] : NULL;

    if (ref->refused || ref->reason)
        return arena_printf(rw->arena, "%s: %s", column, ref->refused ? ref->refused : ref->reason);
    if (node && node->loose)
        return arena_printf(rw->arena, "%s is compared, but not for equality with one value%s%s", column,
                            node->loose_why ? ": " : "", node->loose_why ? node->loose_why : "");
    return arena_printf(rw->arena, "%s is neither compared with a value nor joined to a table whose %s is",
                        column, rewrite_quoted(rw, ref->table->tenant_column));
}

/* Two references that are not, or need not be, to one tenant. */
static void explain_difference(const Scope *scope) {
    Rewrite *rw = scope->rw;
    const Ref *first = NULL, *other = NULL;

    for (int i = 0; i < scope->nrefs && !other; i++) {
        const Ref *ref = scope->refs[i];

        if (ref->none)
            continue;
        if (!first)
            first = ref;
        else if (!scope_has_value((Scope *)scope, &ref->values, first->values.values[0]))
            other = ref;
    }
    if (other)
        rw->decision->reason =
            arena_printf(rw->arena, "%s is compared with values that differ, or may differ, from those of %s",
                         tenant_of(scope, first), tenant_of(scope, other));
}

/* ---- verdicts ---- */

/* A value that all references share, those aside of which no row counts; literals are compared only if there
 * are several. A reference that is to have several values has no row if they differ, and one of them if they
 * do not: what all share is the only tenant in either case. */
static bool share_value(Scope *scope) {
    const ValueList *first = NULL;
    bool shared = true;

    for (int i = 0; i < scope->nrefs && !first; i++)
        first = scope->refs[i]->none ? NULL : &scope->refs[i]->values;
    for (int i = 0; first && i < first->n; i++) {
        shared = true;
        for (int k = 0; k < scope->nrefs && shared; k++)
            shared =
                scope->refs[k]->none || scope_has_value(scope, &scope->refs[k]->values, first->values[i]);
        if (shared)
            return true;
    }
    return shared;
}

static bool is_scoped(const Ref *ref) { return !ref->refused && (ref->none || ref->values.n > 0); }

static void list_all(const Scope *scope, const char **unscoped) {
    for (int i = 0; i < scope->nrefs; i++) {
        if (!scope->refs[i]->none)
            add_unscoped(scope->rw, unscoped, scope->refs[i]->table);
    }
}

static bool all_have_values(const Scope *scope) {
    for (int i = 0; i < scope->nrefs; i++) {
        if (!scope->refs[i]->none && scope->refs[i]->values.n == 0)
            return false;
    }
    return true;
}

/* A query that no row passes is routed as a whole; what is taken apart, for a local table or for a
 * sub-select, is planned once more without what contradicted it, or refused. */
static bool is_taken_apart(const Scope *scope) { return scope->empty && (scope->mixed || scope->nparts > 1); }

static void judge_taken_apart(const Scope *scope, const char **unscoped) {
    StatementDecision *decision = scope->rw->decision;

    decision->verdict = VERDICT_MULTI_TENANT;
    for (int i = 0; i < scope->nrefs; i++)
        add_unscoped(scope->rw, unscoped, scope->refs[i]->table);
    decision->reason =
        arena_printf(scope->rw->arena,
                     "the conditions contradict each other, or may, which Citus does not route beside %s",
                     scope->mixed ? "a local table" : "a sub-select that it plans by itself");
}

static void judge_refs(Scope *scope) {
    Rewrite *rw = scope->rw;
    StatementDecision *decision = rw->decision;
    const char **unscoped = ARENA_ARRAY(rw->arena, const char *, scope->nrefs);
    const Ref *first = NULL;

    decision->unscoped = unscoped;
    for (int i = 0; i < scope->nrefs; i++) {
        if (is_scoped(scope->refs[i]))
            continue;
        first = first ? first : scope->refs[i];
        add_unscoped(rw, unscoped, scope->refs[i]->table);
    }
    if (!first && (scope->nrefs == 0 || share_value(scope))) {
        decision->verdict = scope->nrefs == 0 ? VERDICT_NO_TENANT_TABLE : VERDICT_SINGLE_TENANT;
        if (scope->nrefs > 0 && is_taken_apart(scope))
            judge_taken_apart(scope, unscoped);
        return;
    }
    decision->verdict = VERDICT_MULTI_TENANT;
    if (first) {
        decision->reason = explain(scope, first);
        decision->suggestion = suggest_condition(scope, first);
        if (first->refused && all_have_values(scope) && !share_value(scope))
            list_all(scope, unscoped);
        return;
    }
    list_all(scope, unscoped);
    decision->reason = arena_printf(rw->arena, "%s is compared with values that differ, or may differ",
                                    column_of(rw, scope->refs[0]->table->name, scope->refs[0]->table));
    explain_difference(scope);
}

static void judge_too_large(Rewrite *rw) {
    rw->decision->verdict = VERDICT_MULTI_TENANT;
    rw->decision->suggestion = NULL;
    rw->decision->unscoped = NULL;
    rw->decision->nunscoped = 0;
    rw->decision->reason = "the statement names too many columns to be followed";
}

static bool are_tables(FromItem *const *items, int n, const Scope *scope, const Block *block) {
    for (int i = 0; i < n; i++) {
        FromItem *const sides[] = {items[i]->left, items[i]->right};
        NameMeaning meaning;

        if (items[i]->kind == FROM_JOIN) {
            if ((items[i]->join != JOIN_TYPE_INNER && items[i]->join != JOIN_TYPE_CROSS) ||
                !are_tables(sides, 2, scope, block))
                return false;
            continue;
        }
        meaning = names_resolve(scope->rw->names, block, &items[i]->name);
        if (items[i]->kind != FROM_TABLE || meaning.kind != NAME_TABLE || meaning.table->relkind == 'v')
            return false;
    }
    return true;
}

static bool has_sublink(const Level *level) {
    const Tree *root = level->root;

    return level->nchildren > 0 || root->nitems > level->block->nfrom;
}

static void look_for_window(const Expr *expr, void *arg) {
    bool *found = arg;

    *found |= expr->kind == EXPR_FUNC && expr->is_window;
}

static bool has_windows(const Block *block) {
    bool found = false;

    facts_walk_exprs(block, look_for_window, &found);
    return found;
}

static bool is_plain(const Scope *scope, const Level *level) {
    const Block *block = level->block;

    return block->kind == BLOCK_SELECT && !block->locking && !scope->mixed && !has_sublink(level) &&
           !has_windows(block) && are_tables(block->from, block->nfrom, scope, block);
}

void scope_judge_query(Rewrite *rw, const Statement *stmt) {
    Scope scope = {.rw = rw};
    Level *level;

    if (!stmt->block) {
        rw->decision->verdict = VERDICT_NO_TENANT_TABLE;
        return;
    }
    scope.mixed = scope_is_mixed(&scope, KIND_LOCAL);
    scope_count_ctes(&scope, stmt);
    level = scope_build(&scope, stmt->block, rw->names, NULL);
    level->plain = is_plain(&scope, level);
    scope_solve(level);
    scope_settle(&scope);
    if (!scope.gave_up)
        judge_refs(&scope);
    if (scope.gave_up) { /* then, or now */
        judge_too_large(rw);
        return;
    }
    check_opaque(rw);
    citus_judge_query(rw, stmt);
}

/* All tenant tables that the statement names, whole. */
static void judge_all(Rewrite *rw, const char *format) {
    StatementDecision *decision = rw->decision;
    const TableSet *named = &rw->survey->named;
    const char **unscoped = ARENA_ARRAY(rw->arena, const char *, named->n);

    decision->verdict = VERDICT_NO_TENANT_TABLE;
    decision->unscoped = unscoped;
    for (int i = 0; i < named->n; i++) {
        const char *name;

        if (!rewrite_is_tenant_table(named->tables[i]))
            continue;
        name = rewrite_quoted(rw, named->tables[i]->name);
        decision->verdict = VERDICT_MULTI_TENANT;
        if (decision->nunscoped == 0)
            decision->reason = arena_printf(rw->arena, "%s %s, of all tenants", format, name);
        add_unscoped(rw, unscoped, named->tables[i]);
    }
}

void scope_judge_copy(Rewrite *rw, const Statement *stmt) {
    if (!stmt->copy.table) {
        scope_judge_query(rw, stmt);
        return;
    }
    judge_all(rw, stmt->copy.is_from ? "COPY may bring rows into" : "COPY reads the whole of");
    check_opaque(rw);
    citus_judge_copy(rw, stmt);
}

void scope_judge_whole_tables(Rewrite *rw, const Statement *stmt) {
    static const struct {
        StmtKind kind;
        const char *what;
    } verbs[] = {
        {STMT_TRUNCATE, "TRUNCATE empties"},
        {STMT_LOCK, "LOCK locks the whole of"},
        {STMT_DDL, "the statement changes or names"},
        {STMT_UTILITY, "the statement works on the whole of"},
    };

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (verbs[i].kind == stmt->kind)
            judge_all(rw, verbs[i].what);
    }
    /* Of a table that DDL makes or removes nothing is known before. */
    if (stmt->kind == STMT_TRUNCATE || stmt->kind == STMT_LOCK)
        check_opaque(rw);
    if (stmt->kind == STMT_DDL)
        citus_judge_ddl(rw, stmt);
}
