/* What becomes of statements that read reference and local tables beside tenant tables.
 *
 * Reference tables are on every node and join with anything. A sub-select on local tables alone is run by
 * Citus by itself, ahead of the rest: what it fixes is not seen outside. INSERT … SELECT is sent to the
 * shards if each row's tenant is that of a row that was read there: to those that the SELECT is not pruned
 * for, and a reference table is never pruned. Else the coordinator reads the rows, and distributes them. */
#include "rewrite/scope_level.h"

#include <string.h>

#include "rewrite/survey.h"
#include "rewrite/walk.h"

static bool is_kind(const Table *table, TableKind kind) {
    bool tenant = rewrite_is_tenant_table(table);

    if (table->relkind == 'v')
        return false;
    if (kind == KIND_DISTRIBUTED)
        return tenant;
    return table->kind == kind && !tenant;
}

bool scope_is_mixed(const Scope *scope, TableKind kind) {
    const TableSet *named = &scope->rw->survey->named;
    bool tenant = false, other = false;

    for (int i = 0; i < named->n; i++) {
        tenant |= is_kind(named->tables[i], KIND_DISTRIBUTED);
        other |= is_kind(named->tables[i], kind);
    }
    return tenant && other;
}

typedef struct Reads {
    Scope *scope;
    const Names *names;
    TableKind kind;
    const Table *found;
    struct Seen *seen; /* of all that one search walks over */
} Reads;

/* Definitions of views and CTEs that have been walked over: one of them is read but once. */
typedef struct Seen {
    const Block **blocks;
    int n, capacity;
} Seen;

static bool is_new(Reads *reads, const Block *block) {
    Seen *seen = reads->seen;

    for (int i = 0; i < seen->n; i++) {
        if (!scope_spend(reads->scope, 1) || seen->blocks[i] == block)
            return false;
    }
    seen->blocks = scope_grow(reads->scope, seen->blocks, seen->n, &seen->capacity, sizeof(Block *));
    seen->blocks[seen->n++] = block;
    return true;
}

static bool on_from(const FromItem *item, const Block *block, void *arg) {
    Reads *reads = arg;
    NameMeaning meaning;
    Reads inside = *reads;
    const Block *definition = NULL;

    if (!scope_spend(reads->scope, 1) || reads->found)
        return false;
    if (item->kind != FROM_TABLE || item == block->target)
        return true;
    meaning = names_resolve(reads->names, block, &item->name);
    if (meaning.kind == NAME_TABLE && is_kind(meaning.table, reads->kind))
        reads->found = meaning.table;
    if (meaning.kind == NAME_TABLE && meaning.table->relkind == 'v') {
        definition = survey_view(reads->scope->rw->survey, meaning.table);
        inside.names = reads->scope->rw->view_names;
    } else if (meaning.kind == NAME_CTE) {
        definition = meaning.cte->block;
    }
    if (definition && is_new(reads, definition)) {
        walk_block(definition, &(Walk){.from = on_from, .arg = &inside});
        reads->found = inside.found;
    }
    return true;
}

const Table *scope_reads(Scope *scope, const Names *names, const Block *block, TableKind kind) {
    Seen seen = {0};
    Reads reads = {scope, names, kind, NULL, &seen};

    walk_block(block, &(Walk){.from = on_from, .arg = &reads});
    return reads.found;
}

bool scope_runs_ahead(Scope *scope, const Names *names, const Block *block) {
    return scope->mixed && scope_reads(scope, names, block, KIND_LOCAL) &&
           !scope_reads(scope, names, block, KIND_DISTRIBUTED);
}

/* ---- INSERT … SELECT ---- */

/* Whether a column that the INSERT leaves out is filled by what differs from call to call. */
static bool has_volatile_default(const Table *table, const Block *insert) {
    static const char *const calls[] = {"nextval(", "random", "uuid", "clock_timestamp(", "txid_"};
    bool is_volatile = false;

    for (int i = 0; i < table->ncolumns && insert->has_column_list; i++) {
        const Column *column = &table->columns[i];
        bool listed = false;

        for (int k = 0; k < insert->ncolumns && !listed; k++)
            listed = insert->columns[k] && strcmp(insert->columns[k], column->name) == 0;
        is_volatile |= !listed && column->identity;
        for (size_t k = 0; k < ARRAY_LEN(calls) && !listed && column->default_expr; k++)
            is_volatile |= strstr(column->default_expr, calls[k]) != NULL;
    }
    return is_volatile;
}

/* Whether an output is the tenant column of a table as it stands, through sub-selects that are not CTEs. */
static bool is_tenant_column(const Scope *scope, const Level *level, int output) {
    int node;

    while (level->left)
        level = level->left;
    node = output < level->outputs.n ? level->outputs.nodes[output] : SCOPE_NO_NODE;
    if (node == SCOPE_NO_NODE)
        return false;
    for (int i = 0; i < scope->nrefs; i++) {
        if (scope->refs[i]->level == level && scope->refs[i]->node == node)
            return true;
    }
    for (int i = 0; i < level->nchildren; i++) {
        const Child *child = &level->children[i];

        for (int k = 0; child->nodes && k < child->level->outputs.n; k++) {
            if (child->nodes[k] == node)
                return is_tenant_column(scope, child->level, k);
        }
    }
    return false;
}

static bool reads_ctes(const Scope *scope, const Block *insert) {
    for (int i = 0; i < scope->nctes; i++) {
        for (int k = 0; k < insert->nctes; k++) {
            if (scope->ctes[i].cte == &insert->ctes[k] && scope->ctes[i].references > 0)
                return true;
        }
    }
    return false;
}

const char *scope_insert_detour(Scope *scope, const Table *table, const Block *insert, const Level *source,
                                int output) {
    const Names *names = source->env->names;
    const Table *reference = NULL;

    if (!is_tenant_column(scope, source, output))
        return "the SELECT does not take it from a tenant column, so that all rows pass through the "
               "coordinator";
    if (scope->mixed || reads_ctes(scope, insert))
        return "the SELECT reads what Citus has only on the coordinator, and all rows pass through it";
    if (has_volatile_default(table, insert) || scope_is_volatile(names, source->block))
        return "rows that a volatile function makes pass through the coordinator";
    if (scope_is_mixed(scope, KIND_REFERENCE))
        reference = scope_reads(scope, names, source->block, KIND_REFERENCE);
    if (!reference)
        return NULL;
    return arena_printf(scope->rw->arena,
                        "the SELECT reads the reference table %s, and so is run for every shard",
                        rewrite_quoted(scope->rw, reference->name));
}
