/* One question, "which column of this item is the tenant?", asked of tables and, with an answer that goes
 * into their lists, of queries.
 *
 * Only a row that certainly has the key has the tenant beside it: where an outer join leaves one NULL, it
 * leaves the other NULL, too. A column is added to a list only where nobody says * of it, so that what the
 * client sees does not change. */
#include "rewrite/trace.h"

#include <stdio.h>
#include <string.h>

#include "parser/lex.h"
#include "rewrite/outputs.h"
#include "rewrite/trace_from.h"

#define MAX_DEPTH 32

/* One edit. A column that a list is given, and the new name of a CTE, are kept for the statement, so that
 * several readers share them. */
struct TraceAddition {
    const Block *block;
    const Table *parent;
    int first;        /* the number of the key's first column in the list */
    const char *name; /* of the column; NULL for other edits */
    const Cte *cte;   /* not NULL: `text` is this one's new name */
    uint32_t offset;
    const char *text;
    uint32_t removed; /* bytes behind the offset */
    TraceAddition *next;
};

/* Where the columns of a key come from. */
typedef struct RowKey {
    const FromItem *item;
    const char **columns; /* as the item calls them */
} RowKey;

Trace trace_begin(Rewrite *rw, const Table *table) {
    return (Trace){.rw = rw, .table = table, .fk = table->path.steps[0], .budget = OUTPUTS_BUDGET};
}

void trace_commit(Trace *trace) {
    Rewrite *rw = trace->rw;
    TraceAddition *next;

    for (TraceAddition *add = trace->additions; add; add = next) {
        next = add->next;
        edits_insert(rw->edits, rw->arena, add->offset, str_of(add->text));
        if (add->removed > 0)
            edits_remove(rw->edits, rw->arena, (Span){add->offset, add->offset + add->removed});
        add->next = rw->traced;
        rw->traced = add;
    }
    trace->additions = NULL;
}

/* The first one from `from` on; of several at one offset, one. */
static const TraceAddition *next_in(const TraceAddition *list, uint32_t from, uint32_t end) {
    const TraceAddition *found = NULL;

    for (; list; list = list->next) {
        if (list->offset >= from && list->offset <= end && (!found || list->offset < found->offset))
            found = list;
    }
    return found;
}

static void put_at(Rewrite *rw, uint32_t offset, uint32_t place) {
    for (const TraceAddition *add = rw->traced; add; add = add->next) {
        if (add->offset == place)
            edits_insert(rw->edits, rw->arena, offset, str_of(add->text));
    }
}

void trace_put_copy(Rewrite *rw, uint32_t offset, Span range) {
    uint32_t done = range.start, from = range.start;
    const TraceAddition *next;

    while ((next = next_in(rw->traced, from, range.end))) {
        if (next->offset > done)
            edits_insert_copy(rw->edits, rw->arena, offset, (Span){done, next->offset});
        put_at(rw, offset, next->offset);
        done = next->offset + next->removed;
        from = next->offset + 1;
    }
    if (range.end > done)
        edits_insert_copy(rw->edits, rw->arena, offset, (Span){done, range.end});
}

static void give(Trace *trace, TraceAddition addition) {
    TraceAddition *kept = ARENA_NEW(trace->rw->arena, TraceAddition);

    *kept = addition;
    kept->parent = trace->fk->parent;
    kept->next = trace->additions;
    trace->additions = kept;
}

static const char *given_in(const Trace *trace, const TraceAddition *list, const Block *block, int first) {
    for (; list; list = list->next) {
        if (list->block == block && list->parent == trace->fk->parent && list->first == first && list->name)
            return list->name;
    }
    return NULL;
}

static const char *already_given(const Trace *trace, const Block *block, int first) {
    const char *name = given_in(trace, trace->additions, block, first);

    return name ? name : given_in(trace, trace->rw->traced, block, first);
}

static bool same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

/* ---- tables ---- */

/* Whether a row that holds `columns` has its tenant from the same parent as the child's row. `fresh`: it has
 * been inserted by this very statement. */
static bool is_sibling(const Trace *trace, const Table *table, const char *const *columns, bool fresh) {
    const ForeignKey *fk = trace->fk, *step = table->path.nsteps > 0 ? table->path.steps[0] : NULL;

    if (table->kind != KIND_BACKFILL || !step || step->parent != fk->parent || step->ncolumns != fk->ncolumns)
        return false;
    for (int k = 0; k < fk->ncolumns; k++) {
        bool found = false;

        for (int i = 0; i < step->ncolumns && !found; i++)
            found = step->parent_columns[i] == fk->parent_columns[k] &&
                    same(step->child_columns[i]->name, columns[k]) &&
                    (fresh || step->child_columns[i]->not_null);
        if (!found)
            return false;
    }
    return true;
}

static bool is_parent(const Trace *trace, const Table *table, const char *const *columns) {
    bool all = table == trace->fk->parent;

    for (int k = 0; k < trace->fk->ncolumns && all; k++)
        all = same(trace->fk->parent_columns[k]->name, columns[k]);
    return all;
}

/* The column of `table` that is the tenant of the child's row; NULL if none is for certain. */
static const char *table_tenant(const Trace *trace, const Table *table, const char *const *columns,
                                bool fresh) {
    const bool filled = table->kind == KIND_DISTRIBUTED || table->stage >= STAGE_KEYED;

    if (!table->tenant || !(filled || fresh))
        return NULL;
    if (!is_parent(trace, table, columns) && !is_sibling(trace, table, columns, fresh))
        return NULL;
    return table->tenant->name;
}

/* ---- queries ---- */

static const char *add_column(Trace *trace, const Block *block, const int *columns, const char *name);
static const char *item_tenant(Trace *trace, const Block *block, const RowKey *key);

static const char *qualified(Trace *trace, const FromItem *item, const char *column) {
    return arena_printf(trace->rw->arena, "%s.%s", rewrite_quoted(trace->rw, outputs_item_name(item)),
                        rewrite_quoted(trace->rw, column));
}

/* GROUP BY has each column of the key, so that a group has one tenant. */
static bool is_grouped_by(Rewrite *rw, const Block *block, const Outputs *outputs, const int *columns,
                          int n) {
    for (int k = 0; k < n; k++) {
        const Output *output = &outputs->columns[columns[k]];
        const char *column = output->expr ? output->expr->column : output->column;
        const char *item = output->expr ? output->expr->name.name : outputs_item_name(output->item);
        bool found = false;

        for (int i = 0; i < block->ngroup_by && !found; i++) {
            const Expr *expr = block->group_by[i];
            char number[16];

            snprintf(number, sizeof(number), "%d", columns[k] + 1);
            rw->literals_matter |= expr->kind == EXPR_CONST;
            found = (expr->kind == EXPR_CONST && expr->const_type == CONST_INTEGER &&
                     same(expr->value, number)) ||
                    (expr->kind == EXPR_COLUMN && same(expr->column, column) &&
                     (!item || !expr->name.name || same(item, expr->name.name)));
        }
        if (!found)
            return false;
    }
    return true;
}

static bool may_group(Trace *trace, const Block *block, const Outputs *outputs, const int *columns) {
    if (block->ngroup_by == 0)
        return true;
    return !block->group_distinct_or_sets && block->group_by_end > 0 &&
           is_grouped_by(trace->rw, block, outputs, columns, trace->fk->ncolumns);
}

/* All candidates for the first column of the key are tried: a merged column of a join is that of either. */
static const char *select_tenant(Trace *trace, const Block *block, const Outputs *outputs,
                                 const int *columns) {
    const int nkeys = trace->fk->ncolumns;
    TraceFound *found = ARENA_ARRAY(trace->rw->arena, TraceFound, nkeys);
    RowKey key = {.columns = ARENA_ARRAY(trace->rw->arena, const char *, nkeys)};

    for (int k = 0; k < nkeys; k++) {
        found[k] = trace_find(trace, block, &outputs->columns[columns[k]]);
        if (found[k].n == 0)
            return NULL;
    }
    for (int i = 0; i < found[0].n; i++) {
        TraceAddition *before = trace->additions;
        const char *name;
        bool all = true;

        key.item = found[0].places[i].item;
        for (int k = 0; k < nkeys && all; k++) {
            key.columns[k] = trace_column_in(&found[k], key.item);
            all = key.columns[k] != NULL;
        }
        name = all ? item_tenant(trace, block, &key) : NULL;
        if (name)
            return qualified(trace, key.item, name);
        trace->additions = before;
    }
    return NULL;
}

const char *trace_column(Trace *trace, const Block *block, const int *columns) {
    Outputs outputs = outputs_of_block(trace->rw, block, &trace->budget);
    const char *tenant = NULL;

    for (int k = 0; k < trace->fk->ncolumns; k++) {
        if (!outputs.known || columns[k] >= outputs.n)
            return NULL;
    }
    if (block->kind != BLOCK_SELECT || block->is_table_command || block->targets_end == 0 ||
        !may_group(trace, block, &outputs, columns))
        return NULL;
    tenant = select_tenant(trace, block, &outputs, columns);
    if (tenant && block->ngroup_by > 0)
        give(trace, (TraceAddition){.block = block,
                                    .first = columns[0],
                                    .offset = block->group_by_end,
                                    .text = arena_printf(trace->rw->arena, ", %s", tenant)});
    return tenant;
}

/* ---- RETURNING ---- */

/* The target's column that stands in the list; NULL if it is none. */
static const char *returned_column(const Block *block, const Table *table, const Output *output) {
    const Expr *expr = output->expr;

    if (!expr)
        return output->item == block->target ? output->column : NULL;
    if (expr->kind != EXPR_COLUMN || !table_column(table, expr->column))
        return NULL;
    return !expr->name.name || same(expr->name.name, outputs_item_name(block->target)) ? expr->column : NULL;
}

static const char *returned_tenant(Trace *trace, const Block *block, const int *columns) {
    Outputs outputs = outputs_of_block(trace->rw, block, &trace->budget);
    const char **names = ARENA_ARRAY(trace->rw->arena, const char *, trace->fk->ncolumns);
    NameMeaning target;

    if (!outputs.known || !block->target || block->kind == BLOCK_MERGE || block->returning_end == 0)
        return NULL;
    target = names_resolve(trace->rw->names, NULL, &block->target->name);
    if (target.kind != NAME_TABLE)
        return NULL;
    for (int k = 0; k < trace->fk->ncolumns; k++) {
        names[k] = returned_column(block, target.table, &outputs.columns[columns[k]]);
        if (!names[k])
            return NULL;
    }
    return table_tenant(trace, target.table, names,
                        block->kind == BLOCK_INSERT && block->conflict != CONFLICT_UPDATE);
}

static const char *add_returning(Trace *trace, const Block *block, const int *columns, const char *name) {
    const char *tenant = returned_tenant(trace, block, columns);

    if (!tenant)
        return NULL;
    tenant = block->nfrom > 0 ? qualified(trace, block->target, tenant) : rewrite_quoted(trace->rw, tenant);
    give(trace, (TraceAddition){.block = block,
                                .first = columns[0],
                                .name = name,
                                .offset = block->returning_end,
                                .text = arena_printf(trace->rw->arena, ", %s AS %s", tenant, name)});
    return name;
}

/* ---- lists get one more column ---- */

static const char *add_select(Trace *trace, const Block *block, const int *columns, const char *name) {
    const char *tenant = trace_column(trace, block, columns);

    if (!tenant)
        return NULL;
    give(trace, (TraceAddition){.block = block,
                                .first = columns[0],
                                .name = name,
                                .offset = block->targets_end,
                                .text = arena_printf(trace->rw->arena, ", %s AS %s", tenant, name)});
    return name;
}

/* Returns the column's name: `name`, or the one that the list has been given before. */
static const char *add_column(Trace *trace, const Block *block, const int *columns, const char *name) {
    const char *given = already_given(trace, block, columns[0]);

    if (given)
        return given;
    switch (block->kind) {
    case BLOCK_SELECT:
        return add_select(trace, block, columns, name);
    case BLOCK_SETOP:
        name = add_column(trace, block->left, columns, name);
        return name ? add_column(trace, block->right, columns, name) : NULL;
    case BLOCK_INSERT:
    case BLOCK_UPDATE:
    case BLOCK_DELETE:
        return add_returning(trace, block, columns, name);
    default:
        return NULL;
    }
}

/* A RETURNING list that has the tenant already: its number, -1 if it has not. */
static int returns_tenant(Trace *trace, const Block *block, const int *columns) {
    Outputs outputs;
    const char *tenant;
    NameMeaning target;

    if (block->kind < BLOCK_INSERT)
        return -1;
    tenant = returned_tenant(trace, block, columns);
    if (!tenant)
        return -1;
    outputs = outputs_of_block(trace->rw, block, &trace->budget);
    target = names_resolve(trace->rw->names, NULL, &block->target->name);
    for (int i = 0; i < outputs.n; i++) {
        if (same(returned_column(block, target.table, &outputs.columns[i]), tenant))
            return i;
    }
    return -1;
}

/* ---- a CTE that somebody reads by * ----
 *
 *   WITH o AS (INSERT … RETURNING order_id), … FROM o …
 *   WITH made_1 AS (INSERT … RETURNING order_id, store_id AS made_2), o AS (SELECT order_id FROM made_1), …
 *        FROM made_1 AS o …
 */

static const char *renamed_in(const TraceAddition *list, const Cte *cte) {
    while (list && list->cte != cte)
        list = list->next;
    return list ? list->text : NULL;
}

/* "a, b": the columns by the names that readers know; NULL if some have none of their own. */
static const char *list_columns(Trace *trace, const Cte *cte) {
    Rewrite *rw = trace->rw;
    Outputs outputs = outputs_of_block(rw, cte->block, &trace->budget);
    const char *list = NULL;

    for (int i = 0; i < cte->ncolumns && i < outputs.n; i++)
        outputs.columns[i].name = cte->columns[i];
    for (int i = 0; i < outputs.n; i++) {
        const char *name = outputs.columns[i].name;

        if (!outputs.known || !name || outputs_find(&outputs, name) != i)
            return NULL;
        list =
            arena_printf(rw->arena, "%s%s%s", list ? list : "", list ? ", " : "", rewrite_quoted(rw, name));
    }
    return list;
}

/* Behind the ")" of the CTE; 0 if it does not stand right behind the query. */
static uint32_t behind_cte(const Rewrite *rw, const Cte *cte) {
    const Str text = rw->text;
    LexToken close = lex_next(text.ptr, text.len, cte->block->span.end);
    LexToken next = lex_next(text.ptr, text.len, close.end);

    if (cte->block->span.end == 0 || !lex_is_char(text.ptr, close, ')') || lex_is_char(text.ptr, next, ')'))
        return 0;
    return (uint32_t)close.end;
}

/* Gives the CTE a new name, and the old one to a query on it. Returns the new one; NULL if that cannot be. */
static const char *rename_cte(Trace *trace, const Cte *cte) {
    Rewrite *rw = trace->rw;
    const LexToken name = lex_next(rw->text.ptr, rw->text.len, cte->location);
    const LexToken next = lex_next(rw->text.ptr, rw->text.len, name.end);
    const uint32_t behind = behind_cte(rw, cte);
    const char *made = renamed_in(trace->additions, cte), *columns;

    if (!made)
        made = renamed_in(rw->traced, cte);
    if (made)
        return made;
    columns = list_columns(trace, cte);
    if (!columns || behind == 0 || cte->block->parent == NULL || cte->block->parent->recursive ||
        (name.kind != LEX_WORD && name.kind != LEX_QUOTED) || lex_is_word(rw->text.ptr, next, "uescape"))
        return NULL;
    made = rewrite_made_name(rw);
    give(trace, (TraceAddition){.cte = cte,
                                .offset = (uint32_t)name.start,
                                .text = made,
                                .removed = (uint32_t)(name.end - name.start)});
    give(trace, (TraceAddition){.offset = behind,
                                .text = arena_printf(rw->arena, ", %s AS (SELECT %s FROM %s)",
                                                     rewrite_quoted(rw, cte->name), columns, made)});
    return made;
}

/* The tenant's column in the CTE under its new name, which `item` then reads. */
static const char *renamed_tenant(Trace *trace, const Cte *cte, const Block *block, const FromItem *item,
                                  const int *columns) {
    Rewrite *rw = trace->rw;
    const char *made, *name;

    if (item->span.end == 0 || trace_reads_all(trace, block, item))
        return NULL;
    made = rename_cte(trace, cte);
    name = made ? add_column(trace, cte->block, columns, rewrite_made_name(rw)) : NULL;
    if (!name)
        return NULL;
    if (!item->alias)
        made = arena_printf(rw->arena, "%s AS %s", made, rewrite_quoted(rw, cte->name));
    give(trace, (TraceAddition){
                    .offset = item->span.start, .text = made, .removed = item->span.end - item->span.start});
    return name;
}

static const char *query_tenant(Trace *trace, const Block *query, const Cte *cte, const Block *block,
                                const RowKey *key) {
    Outputs outputs = outputs_of_item(trace->rw, block, key->item, &trace->budget);
    int *columns = ARENA_ARRAY(trace->rw->arena, int, trace->fk->ncolumns);
    int has;

    for (int k = 0; k < trace->fk->ncolumns; k++) {
        columns[k] = outputs.known ? outputs_find(&outputs, key->columns[k]) : -1;
        if (columns[k] < 0)
            return NULL;
    }
    has = returns_tenant(trace, query, columns);
    if (has >= 0 && outputs.columns[has].name && outputs_find(&outputs, outputs.columns[has].name) == has)
        return outputs.columns[has].name;
    if (!trace_may_add(trace, block, key->item, cte))
        return cte ? renamed_tenant(trace, cte, block, key->item, columns) : NULL;
    return add_column(trace, query, columns, rewrite_made_name(trace->rw));
}

static const char *item_tenant(Trace *trace, const Block *block, const RowKey *key) {
    const FromItem *item = key->item;
    const char *name = NULL;
    NameMeaning meaning;

    if (trace->depth >= MAX_DEPTH || trace->budget <= 0)
        return NULL;
    trace->depth++;
    if (item->kind == FROM_SUBQUERY) {
        name = query_tenant(trace, item->block, NULL, block, key);
    } else if (item->kind == FROM_TABLE) {
        meaning = names_resolve(trace->rw->names, block, &item->name);
        if (meaning.kind == NAME_CTE)
            name = query_tenant(trace, meaning.cte->block, meaning.cte, block, key);
        else if (meaning.kind == NAME_TABLE && item->ncolumns == 0)
            name = table_tenant(trace, meaning.table, key->columns, false);
    }
    trace->depth--;
    return name;
}
