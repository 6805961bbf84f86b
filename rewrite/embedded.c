/* A function's body lets variables stand where columns do. A statement that was unambiguous when it was
 * written need not stay so when its tables get a column more, nor when a sub-select is put around it. */
#include "rewrite/embedded.h"

#include <string.h>

#include "rewrite/outputs.h"

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static bool is_late(const Table *table, const char *column) {
    return table->kind == KIND_BACKFILL && table->stage < STAGE_DONE && is(table->tenant_column, column);
}

static const Table *table_of(const Names *names, const FromItem *item, const Block *block) {
    const NameMeaning meaning = names_resolve(names, block, &item->name);

    return meaning.kind == NAME_TABLE ? meaning.table : NULL;
}

/* ---- clashes ---- */

typedef struct Clashing {
    Rewrite rw;
    const FactsVariable *variables;
    int budget;
    const Block *block;
    EmbeddedClashes found;
    int capacity;
} Clashing;

/* Whether an item of the FROM of `block`, or its target, has a column of this name; its table, if it has one.
 */
static bool has_column(Clashing *c, const FromItem *item, const Block *block, const char *name,
                       const Table **table) {
    Outputs outputs;

    if (item->kind == FROM_JOIN)
        return has_column(c, item->left, block, name, table) ||
               has_column(c, item->right, block, name, table);
    *table =
        item->kind == FROM_TABLE ? table_of(c->rw.names, item, item == block->target ? NULL : block) : NULL;
    if (*table && item->ncolumns == 0)
        return table_column(*table, name) != NULL;
    if (item->kind == FROM_FUNCTION && item->ncolumns == 0)
        return is(item->alias, name);
    outputs = outputs_of_item(&c->rw, block, item, &c->budget);
    for (int i = 0; i < outputs.n; i++) {
        if (is(outputs.columns[i].name, name))
            return true;
    }
    return false;
}

static bool holds_apart(const FromItem *item, const Block *child) {
    return item &&
           (item->kind == FROM_JOIN ? holds_apart(item->left, child) || holds_apart(item->right, child)
                                    : item->block == child && !item->lateral);
}

/* Whether `child`, which stands in `block`, sees no table of the block's own. */
static bool stands_apart(const Block *block, const Block *child) {
    if (block->kind == BLOCK_INSERT && block->source == child)
        return true;
    for (int i = 0; i < block->nctes; i++) {
        if (block->ctes[i].block == child)
            return true;
    }
    for (int i = 0; i < block->nfrom; i++) {
        if (holds_apart(block->from[i], child))
            return true;
    }
    return false;
}

/* VALUES see nothing of the table that they go to. */
static bool in_rows(const Block *block, uint32_t location) {
    return block->kind == BLOCK_INSERT && block->nrows > 0 &&
           location < block->rows[block->nrows - 1].span.end;
}

static bool visible_column(Clashing *c, const Expr *expr, const Table **table) {
    const Block *child = NULL;

    for (const Block *block = c->block; block; child = block, block = block->parent) {
        if (child && stands_apart(block, child))
            continue;
        if (block->target && !in_rows(block, expr->location) &&
            has_column(c, block->target, block, expr->column, table))
            return true;
        for (int i = 0; i < block->nfrom; i++) {
            if (has_column(c, block->from[i], block, expr->column, table))
                return true;
        }
    }
    return false;
}

static bool is_variable(const Clashing *c, const char *name) {
    for (const FactsVariable *v = c->variables; v; v = v->outer) {
        if (is(v->name, name) || is(v->label, name))
            return true;
    }
    return false;
}

static void add_clash(Clashing *c, EmbeddedClash clash) {
    if (c->found.n == c->capacity) {
        EmbeddedClash *old = c->found.clashes;

        c->capacity = c->capacity ? 2 * c->capacity : 8;
        c->found.clashes = ARENA_ARRAY(c->rw.arena, EmbeddedClash, c->capacity);
        if (old)
            memcpy(c->found.clashes, old, sizeof(EmbeddedClash) * (size_t)c->found.n);
    }
    c->found.clashes[c->found.n++] = clash;
}

static void on_expr(const Expr *expr, void *arg) {
    Clashing *c = arg;
    const Table *table = NULL;

    if (expr->kind == EXPR_COLUMN && expr->name.name && !expr->name.schema && is_variable(c, expr->name.name))
        add_clash(c, (EmbeddedClash){.offset = expr->location, .name = expr->name.name});
    else if (expr->kind == EXPR_PARAM && expr->column && !expr->name.name && visible_column(c, expr, &table))
        add_clash(c, (EmbeddedClash){expr->location, expr->column, expr->number, table,
                                     table && is_late(table, expr->column)});
}

static void on_block(const Block *block, void *arg) {
    Clashing *c = arg;

    c->block = block;
    facts_walk_exprs(block, on_expr, arg);
}

EmbeddedClashes embedded_clashes(Arena *arena, Str text, const Facts *facts, const FactsVariable *variables,
                                 const Snapshot *snapshot, const SessionContext *context) {
    const Names names = names_of(arena, snapshot, context), view_names = names_of_view(arena, snapshot);
    Clashing c = {.rw = {.arena = arena,
                         .text = text,
                         .snapshot = snapshot,
                         .names = &names,
                         .view_names = &view_names},
                  .variables = variables,
                  .budget = OUTPUTS_BUDGET};

    for (int i = 0; i < facts->nstatements; i++)
        facts_walk_blocks(&facts->statements[i], on_block, &c);
    return c.found;
}

/* ---- rows that get another parent ---- */

typedef struct Look {
    const Names *names;
    const Table *table;
} Look;

static bool sets(const Target *targets, int n, const char *column) {
    for (int i = 0; i < n; i++) {
        if (is(targets[i].name, column))
            return true;
    }
    return false;
}

static void look_at_set(Look *m, const FromItem *target, const Target *targets, int n) {
    const Table *table = target && n > 0 ? table_of(m->names, target, NULL) : NULL;
    const ForeignKey *fk;

    if (!table || table->kind != KIND_BACKFILL || table->stage >= STAGE_DONE || table->path.nsteps == 0 ||
        sets(targets, n, table->tenant_column))
        return;
    fk = table->path.steps[0];
    for (int k = 0; k < fk->ncolumns; k++) {
        if (sets(targets, n, fk->child_columns[k]->name))
            m->table = table;
    }
}

static void look_at_block(const Block *block, void *arg) {
    Look *m = arg;

    if (block->kind == BLOCK_UPDATE && block->target)
        look_at_set(m, block->target, block->targets, block->ntargets);
    if (block->kind == BLOCK_INSERT)
        look_at_set(m, block->target, block->conflict_set, block->nconflict_set);
    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        if (action->kind == BLOCK_UPDATE)
            look_at_set(m, block->target, action->targets, action->ntargets);
    }
}

const Table *embedded_moves(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                            const SessionContext *context) {
    const Names names = names_of(arena, snapshot, context);
    Look moving = {.names = &names};

    facts_walk_blocks(stmt, look_at_block, &moving);
    return moving.table;
}

/* ---- keys that get the tenant ---- */

static void look_at_conflict(const Block *block, void *arg) {
    Look *m = arg;
    const Table *table = block->kind == BLOCK_INSERT && block->nconflict_target > 0 && block->target
                             ? table_of(m->names, block->target, NULL)
                             : NULL;

    if (!table || !table->tenant_column)
        return;
    for (int i = 0; i < block->nconflict_target; i++) {
        const Expr *expr = block->conflict_target[i];

        if (expr && expr->kind == EXPR_COLUMN && is(expr->column, table->tenant_column))
            return;
    }
    m->table = table;
}

const Table *embedded_names_key(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                                const SessionContext *context) {
    const Names names = names_of(arena, snapshot, context);
    Look found = {.names = &names};

    facts_walk_blocks(stmt, look_at_conflict, &found);
    return found.table;
}

/* ---- columns that come into results ---- */

static const Table *shown(const Names *names, const Block *block);

/* The first table in FROM that gets its column, of those that `qualifier` means; NULL: all. */
static const Table *late_table(const Names *names, const Block *block, const FromItem *item,
                               const char *qualifier) {
    const Table *table;

    if (!item)
        return NULL;
    if (item->kind == FROM_JOIN) {
        table = late_table(names, block, item->left, qualifier);
        return table ? table : late_table(names, block, item->right, qualifier);
    }
    if (qualifier && !is(outputs_item_name(item), qualifier))
        return NULL;
    if (item->kind == FROM_SUBQUERY)
        return shown(names, item->block);
    if (item->kind != FROM_TABLE)
        return NULL;
    table = table_of(names, item, block);
    return table && !table->hide_tenant && table->tenant_column && is_late(table, table->tenant_column)
               ? table
               : NULL;
}

static const Table *shown(const Names *names, const Block *block) {
    const Table *table = NULL;

    if (block->kind == BLOCK_SETOP) {
        table = shown(names, block->left);
        return table ? table : shown(names, block->right);
    }
    for (int i = 0; i < block->ntargets && block->kind == BLOCK_SELECT; i++) {
        const Expr *expr = block->targets[i].expr;

        for (int n = 0; n < block->nfrom && expr && expr->kind == EXPR_STAR && !table; n++)
            table = late_table(names, block, block->from[n], expr->name.name);
    }
    return table;
}

const Table *embedded_shows_column(Arena *arena, const Statement *stmt, const Snapshot *snapshot,
                                   const SessionContext *context) {
    const Names names = names_of(arena, snapshot, context);

    return stmt->block ? shown(&names, stmt->block) : NULL;
}
