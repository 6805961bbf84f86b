/* Writes: the tenant of the rows that an INSERT makes, and of those that UPDATE, DELETE and MERGE find. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/cell.h"
#include "rewrite/insert.h"

static void add_targets(Env *env, const Target *targets, int n) {
    for (int i = 0; i < n; i++)
        scope_add_sublinks(env, targets[i].expr);
}

static const Table *target_table(const Env *env, const Block *block) {
    NameMeaning meaning = names_resolve(env->names, NULL, &block->target->name);

    return meaning.kind == NAME_TABLE ? meaning.table : NULL;
}

static Pending *add_pending(Scope *scope, Pending pending) {
    scope->pending =
        scope_grow(scope, scope->pending, scope->npending, &scope->pending_capacity, sizeof(Pending));
    scope->pending[scope->npending] = pending;
    return &scope->pending[scope->npending++];
}

/* ---- INSERT ---- */

/* A tenant that is not known but is one: of a row's parent, or made by a default. */
static const Value *one_value(Scope *scope, const char *key) {
    Value *value = ARENA_NEW(scope->rw->arena, Value);

    value->key = key;
    return value;
}

/* The value that all rows have at `position`; NULL if they differ or one of them is not fixed. */
static const Value *common_value(Scope *scope, const Block *block, int position) {
    ValueList first = {0};

    for (int row = 0; row < block->nrows; row++) {
        const Value *value = position < block->rows[row].ncells
                                 ? scope_value(scope, block->rows[row].cells[position].expr)
                                 : NULL;

        if (!value || (row > 0 && !scope_has_value(scope, &first, value)))
            return NULL;
        if (row == 0)
            scope_add_value(scope, &first, value);
    }
    return first.n > 0 ? first.values[0] : NULL;
}

static bool is_default(const Block *block, int position) {
    const Expr *expr = position < block->rows[0].ncells ? block->rows[0].cells[position].expr : NULL;

    return expr && expr->kind == EXPR_DEFAULT;
}

/* One row has one tenant, even if a function makes it. Citus takes no sub-select there. */
static bool is_one_scalar(const Scope *scope, const Block *block, int position) {
    const Expr *expr =
        block->nrows == 1 && position < block->rows[0].ncells ? block->rows[0].cells[position].expr : NULL;

    if (!expr || expr->kind == EXPR_SUBLINK)
        return false;
    return cell_use(scope->rw, expr) == CELL_ONCE || cell_use(scope->rw, expr) == CELL_UNKNOWN;
}

static void bind_by_default(Ref *ref, const Block *block) {
    Scope *scope = ref->level->scope;
    const Column *column = ref->table->tenant;
    bool one_row = block->default_values || block->nrows == 1;

    if (column && (column->default_expr || column->identity) && one_row)
        scope_add_value(scope, &ref->values,
                        one_value(scope, arena_printf(scope->rw->arena, "default of %s", ref->table->name)));
    else if (column && (column->default_expr || column->identity))
        ref->reason = "each row gets another value by its default";
    else
        ref->reason = "the statement does not give it";
}

/* The parameter that all rows have at `position`, or the value of the only row. Literals of several rows are
 * not compared: bulk INSERTs differ in nothing else, and should stay one shape. */
static const Value *parent_value(Scope *scope, const Block *block, int position) {
    const Expr *expr = position < block->rows[0].ncells ? block->rows[0].cells[position].expr : NULL;

    if (block->nrows > 1 && (!expr || expr->kind != EXPR_PARAM))
        return NULL;
    for (int row = 1; row < block->nrows; row++) {
        const Expr *other = position < block->rows[row].ncells ? block->rows[row].cells[position].expr : NULL;

        if (!other || other->kind != EXPR_PARAM || other->number != expr->number)
            return NULL;
    }
    return scope_value(scope, expr);
}

/* The tenant that the row's parent has: of one row it is one, whichever. */
static void bind_by_parent(Ref *ref, const Block *block) {
    Scope *scope = ref->level->scope;
    const ForeignKey *fk = ref->table->path.steps[0];
    const char *key = arena_printf(scope->rw->arena, "parent of %s", ref->table->name);
    bool known = true;

    for (int k = 0; k < fk->ncolumns && known; k++) {
        int position = insert_column_index(block, ref->table, fk->child_columns[k]->name);
        const Value *value = NULL;

        if (block->nrows == 0 || position < 0 || is_default(block, position)) {
            if (!fk->child_columns[k]->default_expr) {
                ref->reason = "the rows have no parent to take it from";
                return;
            }
        } else {
            value = parent_value(scope, block, position);
        }
        known = value != NULL;
        key = known ? arena_printf(scope->rw->arena, "%s %s", key, value->key) : key;
    }
    if (known || block->nrows == 1)
        scope_add_value(scope, &ref->values, one_value(scope, key));
    else
        ref->reason = "the rows may have parents of several tenants";
}

static void bind_rows(Ref *ref, const Block *block) {
    Scope *scope = ref->level->scope;
    int position = insert_column_index(block, ref->table, ref->table->tenant_column);
    const Value *value = position < 0 || block->nrows == 0 ? NULL : common_value(scope, block, position);

    if (value && strcmp(value->key, "NULL") == 0) {
        ref->refused = "a row is given NULL";
        return;
    }
    if (!value && position >= 0 && is_one_scalar(scope, block, position))
        value = one_value(scope, arena_printf(scope->rw->arena, "value for %s", ref->table->name));
    if (value)
        scope_add_value(scope, &ref->values, value);
    else if (position >= 0 && block->nrows > 0 && !is_default(block, position))
        ref->reason = block->nrows > 1 ? "the rows are given several values, or values that are not fixed"
                                       : "it is given a value that is not fixed";
    else if (ref->table->path.nsteps > 0 && ref->table->kind == KIND_BACKFILL && position < 0)
        bind_by_parent(ref, block);
    else
        bind_by_default(ref, block);
}

/* Position of the tenant in the SELECT list of INSERT … SELECT. */
static int source_position(const Block *block, const Table *table) {
    if (block->has_column_list)
        return insert_column_index(block, table, table->tenant_column);
    for (int i = 0; i < table->ncolumns; i++) {
        if (strcmp(table->columns[i].name, table->tenant_column) == 0)
            return i;
    }
    return -1;
}

static void build_insert(Env *env) {
    const Block *block = env->block;
    Level *level = env->level;
    const Table *table = target_table(env, block);
    bool tenant = table && rewrite_is_tenant_table(table);
    const int before = level->scope->nrefs;
    Ref *ref = tenant ? scope_add_ref(level, table, table->name, SCOPE_NO_NODE) : NULL;
    Level *source = block->source ? scope_build(level->scope, block->source, env->names, env->outer) : NULL;

    if (source)
        scope_add_child(level, source, NULL);
    if (table && table->kind == KIND_REFERENCE && level->scope->nrefs > before)
        level->scope->refs[before]->refused = "its rows pass through the coordinator into a reference table";
    if (ref && source)
        add_pending(level->scope, (Pending){.ref = ref,
                                            .source = source,
                                            .output = source_position(block, table),
                                            .first = before + 1,
                                            .last = level->scope->nrefs});
    else if (ref)
        bind_rows(ref, block);
    for (int row = 0; row < block->nrows; row++) {
        for (int i = 0; i < block->rows[row].ncells; i++)
            scope_add_sublinks(env, block->rows[row].cells[i].expr);
    }
    add_targets(env, block->conflict_set, block->nconflict_set);
    scope_add_sublinks(env, block->conflict_set_where);
    add_targets(env, block->returning, block->nreturning);
}

/* ---- UPDATE, DELETE ---- */

static void check_set(Env *env, Ref *ref, const Target *set, int nset) {
    Scope *scope = env->level->scope;

    for (int i = 0; i < nset; i++) {
        if (!set[i].name || strcmp(set[i].name, ref->table->tenant_column) != 0)
            continue;
        if (scope_expr_node(env, set[i].expr) != ref->node)
            add_pending(scope, (Pending){.ref = ref, .set = scope_value(scope, set[i].expr)});
    }
}

static Tree *target_item(Env *env, Ref **ref) {
    const FromItem *item = env->block->target;
    const Table *table = target_table(env, env->block);
    Columns *columns = ARENA_NEW(env->level->scope->rw->arena, Columns);
    const Columns *view_columns;
    Tree *tree;
    int rel;

    *ref = NULL;
    if (table && table->relkind == 'v') {
        tree = scope_from_item(env, item, false, &view_columns);
        scope_add_visible(env, view_columns);
        return tree;
    }
    if (table) {
        tree = scope_table(env, item, table, columns, ref);
    } else {
        columns->open = true;
        tree = scope_new_rel(env->level, &rel);
    }
    scope_add_item(env, item->alias ? NULL : item->name.schema, item->alias ? item->alias : item->name.name,
                   columns);
    scope_add_visible(env, columns);
    return tree;
}

static void build_found_rows(Env *env) {
    const Block *block = env->block;
    Level *level = env->level;
    Ref *ref;

    scope_add_tree(level->scope, level->root, target_item(env, &ref));
    scope_fill_from(env, level->root, false);
    if (ref && block->kind == BLOCK_UPDATE)
        check_set(env, ref, block->targets, block->ntargets);
    add_targets(env, block->targets, block->ntargets);
    add_targets(env, block->returning, block->nreturning);
    scope_outputs(env, block->returning, block->nreturning, false, &level->outputs);
}

/* ---- MERGE ---- */

static void merge_insert(Env *env, const Block *action, const Table *table) {
    Scope *scope = env->level->scope;
    int position = insert_column_index(action, table, table->tenant_column);
    const Expr *expr = position >= 0 && action->nrows == 1 && position < action->rows[0].ncells
                           ? action->rows[0].cells[position].expr
                           : NULL;
    const Value *value = scope_value(scope, expr);
    Ref *ref = scope_add_ref(env->level, table, table->name, scope_expr_node(env, expr));

    if (value)
        ref->refused = "Citus has MERGE insert the source's tenant column, nothing else";
    else if (ref->node == SCOPE_NO_NODE)
        ref->reason = "MERGE does not give it to the rows that it inserts";
}

/* Whether rows of the source that match nothing are asked for: else MERGE is an inner join. */
static bool inserts(const Block *merge) {
    for (int i = 0; i < merge->nmerge_actions; i++) {
        if (!merge->merge_actions[i]->merge_matched && merge->merge_actions[i]->kind == BLOCK_INSERT)
            return true;
    }
    return false;
}

static void merge_actions(Env *env, Ref *ref) {
    const Block *block = env->block;

    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        scope_add_sublinks(env, action->where);
        add_targets(env, action->targets, action->ntargets);
        if (ref && action->kind == BLOCK_UPDATE)
            check_set(env, ref, action->targets, action->ntargets);
        if (ref && action->kind == BLOCK_INSERT)
            merge_insert(env, action, ref->table);
        for (int k = 0; k < action->nrows; k++) {
            for (int c = 0; c < action->rows[k].ncells; c++)
                scope_add_sublinks(env, action->rows[k].cells[c].expr);
        }
    }
}

/* Where rows of the source that match nothing are read, too, the condition binds the target alone. */
static void build_merge(Env *env) {
    const Block *block = env->block;
    Level *level = env->level;
    const bool outer = inserts(block);
    const int before = level->scope->nrefs;
    Tree *join = scope_new_tree(level->scope, outer ? TREE_LEFT : TREE_FROM, level->nrels);
    Tree *source = scope_new_tree(level->scope, TREE_FROM, level->nrels);
    Tree *target;
    Ref *ref;
    bool without;

    scope_fill_from(env, source, outer);
    without = level->scope->nrefs == before;
    target = target_item(env, &ref);
    if (ref && (without || level->scope->mixed))
        ref->refused = "Citus takes MERGE only from a source of distributed tables, joined on the tenant";
    scope_add_tree(level->scope, join, source);
    scope_add_tree(level->scope, join, target);
    scope_add_tree(level->scope, level->root, join);
    scope_add_quals(env, block->merge_on, join, false);
    merge_actions(env, ref);
}

void scope_build_write(Env *env) {
    if (env->block->kind == BLOCK_INSERT)
        build_insert(env);
    else if (env->block->kind == BLOCK_MERGE)
        build_merge(env);
    else
        build_found_rows(env);
}

/* An UPDATE may set the tenant to what it is. */
static void settle_set(const Scope *scope, const Pending *pending) {
    Ref *ref = pending->ref;

    if (!pending->set || !scope_has_value((Scope *)scope, &ref->values, pending->set))
        ref->refused = "it is set to another value";
    else if (strchr(pending->set->key, '$'))
        ref->refused = "it is set to a parameter, which Citus refuses whatever its value is";
}

/* Whether the SELECT reads tenant tables, and no row of any. */
static bool selects_nothing(const Scope *scope, const Pending *pending) {
    bool nothing = pending->last > pending->first && pending->source->block->kind == BLOCK_SELECT;

    for (int i = pending->first; i < pending->last; i++)
        nothing &= scope->refs[i]->none;
    return nothing;
}

static void settle_source(Scope *scope, const Pending *pending) {
    Ref *ref = pending->ref;
    const Level *source = pending->source;

    ref->none = selects_nothing(scope, pending);
    if (pending->output < 0)
        ref->reason = "the statement does not give it";
    else if (!source->outputs.open)
        ref->values = scope_output_values(pending->source, pending->output);
    if (ref->none || ref->values.n > 0)
        ref->refused = scope_insert_detour(scope, ref->table, source->block->parent, source, pending->output);
    else if (!ref->reason)
        ref->reason = "the rows that are selected are not of one tenant";
}

void scope_settle(Scope *scope) {
    for (int i = 0; i < scope->npending && !scope->gave_up; i++) {
        if (scope->pending[i].source)
            settle_source(scope, &scope->pending[i]);
        else
            settle_set(scope, &scope->pending[i]);
    }
}
