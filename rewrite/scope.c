/* The verdict, and what to say about it.
 *
 * A statement stays within one tenant if each reference to a tenant table, wherever it stands, is scoped, and
 * all are to one and the same value. */
#include "rewrite/scope.h"

#include <string.h>

#include "rewrite/scope_level.h"
#include "rewrite/survey.h"

static bool is_tenant_table(const Table *table) {
    return (table->kind == KIND_DISTRIBUTED || table->kind == KIND_BACKFILL) && table->tenant_column;
}

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

/* ---- suggestions ---- */

static bool joined_on(Level *level, const ForeignKey *fk, const Ref *child, const Ref *parent) {
    for (int k = 0; k < fk->ncolumns; k++) {
        int a = scope_find_column(child->columns, fk->child_columns[k]->name);
        int b = scope_find_column(parent->columns, fk->parent_columns[k]->name);
        bool known = a >= 0 && b >= 0 && child->columns->nodes[a] >= 0 && parent->columns->nodes[b] >= 0;

        if (!known ||
            scope_class(level, child->columns->nodes[a]) != scope_class(level, parent->columns->nodes[b]))
            return false;
    }
    return true;
}

/* Whether rows of the two that are joined belong together by a foreign key, so that they have one tenant. */
static bool is_key_join(const Ref *a, const Ref *b) {
    const Ref *ends[][2] = {{a, b}, {b, a}};

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const Table *child = ends[i][0]->table;

        for (int k = 0; k < child->nforeign_keys; k++) {
            if (child->foreign_keys[k]->parent == ends[i][1]->table &&
                joined_on(a->level, child->foreign_keys[k], ends[i][0], ends[i][1]))
                return true;
        }
    }
    return false;
}

static const Ref *find_partner(const Scope *scope, const Ref *ref) {
    const Ref *partner = NULL;

    for (int i = 0; i < scope->nrefs && ref->columns && ref->node != SCOPE_NO_NODE; i++) {
        const Ref *other = scope->refs[i];

        if (other != ref && other->level == ref->level && other->columns && is_key_join(ref, other) &&
            (!partner || other->values.n > partner->values.n))
            partner = other;
    }
    return partner;
}

static const char *suggest(const Scope *scope, const Ref *ref) {
    Rewrite *rw = scope->rw;
    const Ref *partner = find_partner(scope, ref);
    const char *column = column_of(rw, ref->alias, ref->table);

    if (ref->reason && ref->node != SCOPE_NO_NODE)
        return NULL;
    if (ref->node == SCOPE_NO_NODE)
        return arena_printf(rw->arena, "give %s the same value in each row",
                            column_of(rw, ref->table->name, ref->table));
    if (!partner)
        return arena_printf(rw->arena, "add %s = the tenant's %s to the condition", column,
                            rewrite_quoted(rw, ref->table->tenant_column));
    if (partner->values.n > 0)
        return arena_printf(rw->arena, "add AND %s = %s", column,
                            column_of(rw, partner->alias, partner->table));
    return arena_printf(rw->arena, "add AND %s = %s, and compare one of them with the tenant's %s", column,
                        column_of(rw, partner->alias, partner->table),
                        rewrite_quoted(rw, ref->table->tenant_column));
}

static const char *explain(const Scope *scope, const Ref *ref) {
    Rewrite *rw = scope->rw;
    const char *column = column_of(rw, ref->table->name, ref->table);

    if (ref->reason)
        return arena_printf(rw->arena, "%s: %s", column, ref->reason);
    if (ref->node != SCOPE_NO_NODE && ref->level->nodes[ref->node].loose)
        return arena_printf(rw->arena, "%s is compared, but not for equality with one value", column);
    return arena_printf(rw->arena, "%s is neither compared with a value nor joined to a table whose %s is",
                        column, rewrite_quoted(rw, ref->table->tenant_column));
}

/* ---- verdicts ---- */

/* A value that all references share; literals are compared only if there are several. */
static bool share_value(Scope *scope) {
    const ValueList *first = &scope->refs[0]->values;
    bool shared = false;

    for (int i = 0; i < first->n && !shared; i++) {
        shared = true;
        for (int k = 1; k < scope->nrefs && shared; k++)
            shared = scope_has_value(scope, &scope->refs[k]->values, first->values[i]);
    }
    return shared;
}

/* A column that is to be equal to values that differ, or may differ: no row is, but Citus does not prune by
 * that. */
static void drop_contradictions(Scope *scope) {
    for (int i = 0; i < scope->nrefs; i++) {
        Ref *ref = scope->refs[i];

        for (int k = 1; k < ref->values.n; k++) {
            const ValueList first = {ref->values.values, 1, 1};

            if (!scope_has_value(scope, &first, ref->values.values[k])) {
                ref->reason = "it is compared with several values";
                ref->values.n = 0;
            }
        }
    }
}

static void judge_refs(Scope *scope) {
    Rewrite *rw = scope->rw;
    StatementDecision *decision = rw->decision;
    const char **unscoped = ARENA_ARRAY(rw->arena, const char *, scope->nrefs);
    const Ref *first = NULL;

    decision->unscoped = unscoped;
    for (int i = 0; i < scope->nrefs; i++) {
        if (scope->refs[i]->values.n > 0)
            continue;
        first = first ? first : scope->refs[i];
        add_unscoped(rw, unscoped, scope->refs[i]->table);
    }
    if (!first && (scope->nrefs == 0 || share_value(scope))) {
        decision->verdict = scope->nrefs == 0 ? VERDICT_NO_TENANT_TABLE : VERDICT_SINGLE_TENANT;
        return;
    }
    decision->verdict = VERDICT_MULTI_TENANT;
    if (first) {
        decision->reason = explain(scope, first);
        decision->suggestion = suggest(scope, first);
        return;
    }
    for (int i = 0; i < scope->nrefs; i++)
        add_unscoped(rw, unscoped, scope->refs[i]->table);
    decision->reason = arena_printf(rw->arena, "%s is compared with values that differ, or may differ",
                                    column_of(rw, scope->refs[0]->table->name, scope->refs[0]->table));
}

static void judge_too_large(Rewrite *rw) {
    rw->decision->verdict = VERDICT_MULTI_TENANT;
    rw->decision->unscoped = NULL;
    rw->decision->nunscoped = 0;
    rw->decision->reason = "the statement names too many columns to be followed";
}

void scope_judge_query(Rewrite *rw, const Statement *stmt) {
    Scope scope = {.rw = rw};
    Level *level;

    if (!stmt->block) {
        rw->decision->verdict = VERDICT_NO_TENANT_TABLE;
        return;
    }
    scope_count_ctes(&scope, stmt);
    level = scope_build(&scope, stmt->block, rw->names, NULL);
    scope_solve(level);
    scope_settle(&scope);
    drop_contradictions(&scope);
    if (scope.gave_up)
        judge_too_large(rw);
    else
        judge_refs(&scope);
    check_opaque(rw);
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

        if (!is_tenant_table(named->tables[i]))
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
}
