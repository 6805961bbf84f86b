/* A list is walked as the server expands it: each * becomes the columns of the items that stand in FROM, in
 * order. A table whose tenant column is hidden shows the others. */
#include "rewrite/outputs.h"

#include <string.h>

/* More than PostgreSQL allows in a list. */
#define MAX_COLUMNS 1664

typedef struct Making {
    Rewrite *rw;
    const Block *block;
    int *budget;
    Output *columns;
    int n, capacity;
    bool known;
} Making;

static Making making(Rewrite *rw, const Block *block, int *budget) {
    return (Making){.rw = rw, .block = block, .budget = budget, .known = true};
}

static Outputs made(const Making *m) { return (Outputs){m->columns, m->n, m->known}; }

static void add(Making *m, Output output) {
    if (m->n >= MAX_COLUMNS || --*m->budget < 0) {
        m->known = false;
        return;
    }
    if (m->n == m->capacity) {
        int capacity = m->capacity ? 2 * m->capacity : 8;
        Output *columns = ARENA_ARRAY(m->rw->arena, Output, capacity);

        if (m->n > 0)
            memcpy(columns, m->columns, sizeof(Output) * (size_t)m->n);
        m->columns = columns;
        m->capacity = capacity;
    }
    m->columns[m->n++] = output;
}

const char *outputs_target_name(const Target *target) {
    const Expr *expr = target->expr;

    if (target->name)
        return target->name;
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    if (expr && expr->kind == EXPR_COLUMN)
        return expr->column;
    return expr && expr->kind == EXPR_FUNC ? expr->name.name : NULL;
}

const char *outputs_item_name(const FromItem *item) {
    if (item->alias)
        return item->alias;
    return item->kind == FROM_TABLE ? item->name.name : NULL;
}

int outputs_find(const Outputs *outputs, const char *name) {
    int found = -1;

    for (int i = 0; i < outputs->n; i++) {
        if (!outputs->columns[i].name || strcmp(outputs->columns[i].name, name) != 0)
            continue;
        if (found >= 0)
            return -1;
        found = i;
    }
    return found;
}

/* ---- items ---- */

static void add_table(Making *m, const Table *table) {
    for (int i = 0; i < table->ncolumns; i++) {
        const Column *column = &table->columns[i];

        if (!(table->hide_tenant && column == table->tenant))
            add(m, (Output){.name = column->name});
    }
}

static void add_query(Making *m, const Block *query) {
    Outputs outputs = outputs_of_block(m->rw, query, m->budget);

    for (int i = 0; i < outputs.n; i++)
        add(m, (Output){.name = outputs.columns[i].name});
    m->known = m->known && outputs.known;
}

/* The names that stand behind an item or a CTE count from its first column on. */
static void rename_first(Making *m, const char *const *names, int n) {
    for (int i = 0; i < n && i < m->n; i++)
        m->columns[i].name = names[i];
}

static void add_named(Making *m, const FromItem *item) {
    NameMeaning meaning =
        names_resolve(m->rw->names, item == m->block->target ? NULL : m->block, &item->name);

    if (meaning.kind == NAME_TABLE) {
        add_table(m, meaning.table);
    } else if (meaning.kind == NAME_CTE) {
        add_query(m, meaning.cte->block);
        rename_first(m, meaning.cte->columns, meaning.cte->ncolumns);
    } else {
        m->known = false;
    }
}

Outputs outputs_of_item(Rewrite *rw, const Block *block, const FromItem *item, int *budget) {
    Making m = making(rw, block, budget);

    if (--*budget < 0)
        return (Outputs){.known = false};
    if (item->kind == FROM_TABLE)
        add_named(&m, item);
    else if ((item->kind == FROM_SUBQUERY || item->kind == FROM_VALUES) && item->block)
        add_query(&m, item->block);
    else
        m.known = false;
    rename_first(&m, item->columns, item->ncolumns);
    return made(&m);
}

/* ---- lists ---- */

static void add_star_of(Making *m, const FromItem *item) {
    Outputs outputs;

    if (item->kind == FROM_JOIN) {
        /* A merged column stands once, in front. */
        if (item->natural || item->nusing > 0 || item->ncolumns > 0) {
            m->known = false;
            return;
        }
        add_star_of(m, item->left);
        add_star_of(m, item->right);
        return;
    }
    outputs = outputs_of_item(m->rw, m->block, item, m->budget);
    m->known = m->known && outputs.known;
    for (int i = 0; i < outputs.n; i++)
        add(m, (Output){outputs.columns[i].name, NULL, item, outputs.columns[i].name});
}

static const FromItem *find_item(const FromItem *item, const Name *name) {
    const FromItem *found = NULL;
    const char *own = outputs_item_name(item);

    if (item->kind == FROM_JOIN && !item->alias) {
        found = find_item(item->left, name);
        return found ? found : find_item(item->right, name);
    }
    if (!own || strcmp(own, name->name) != 0)
        return NULL;
    if (name->schema && (item->alias || (item->name.schema && strcmp(item->name.schema, name->schema) != 0)))
        return NULL;
    return item;
}

static void add_qualified_star(Making *m, const Name *name) {
    const Block *block = m->block;
    const FromItem *found = block->target ? find_item(block->target, name) : NULL;

    for (int i = 0; i < block->nfrom && !found; i++)
        found = find_item(block->from[i], name);
    if (found)
        add_star_of(m, found);
    else
        m->known = false;
}

static void add_bare_star(Making *m) {
    if (m->block->target)
        add_star_of(m, m->block->target);
    for (int i = 0; i < m->block->nfrom; i++)
        add_star_of(m, m->block->from[i]);
}

/* (x).*: as many columns as the type of x has. No other expression ends so. */
static bool is_row(const Making *m, const Target *target) {
    return !target->expr ||
           (target->expr->kind == EXPR_OTHER &&
            (target->expr_span.end == 0 || m->rw->text.ptr[target->expr_span.end - 1] == '*'));
}

static void add_list(Making *m, const Target *targets, int n) {
    for (int i = 0; i < n; i++) {
        const Expr *expr = targets[i].expr;
        const char *name = targets[i].name;

        if (is_row(m, &targets[i]))
            m->known = false;
        else if (expr->kind == EXPR_STAR && expr->name.name)
            add_qualified_star(m, &expr->name);
        else if (expr->kind == EXPR_STAR)
            add_bare_star(m);
        else
            add(m, (Output){.name = name                        ? name
                                    : expr->kind == EXPR_COLUMN ? expr->column
                                                                : NULL,
                            .expr = expr});
    }
}

static void add_values(Making *m) {
    for (int i = 0; m->block->nrows > 0 && i < m->block->rows[0].ncells; i++)
        add(m, (Output){.name = arena_printf(m->rw->arena, "column%d", i + 1)});
}

Outputs outputs_of_block(Rewrite *rw, const Block *block, int *budget) {
    Making m = making(rw, block, budget);

    if (!block || --*budget < 0)
        return (Outputs){.known = false};
    if (block->kind == BLOCK_SETOP)
        return outputs_of_block(rw, block->left, budget);
    if (block->kind == BLOCK_VALUES)
        add_values(&m);
    else if (block->kind == BLOCK_SELECT)
        add_list(&m, block->targets, block->ntargets);
    else
        add_list(&m, block->returning, block->nreturning);
    return made(&m);
}
