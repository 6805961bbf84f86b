/* By the names of the columns that it assigns, wherever it does: UPDATE, MERGE, ON CONFLICT DO UPDATE.
 * Deleting a parent moves nothing: its children cannot be inserted any more, whatever their tenant. */
#include "rewrite/moves.h"

#include <string.h>

#include "rewrite/walk.h"

typedef struct Look {
    Rewrite *rw;
    bool found;
} Look;

static bool is_referenced(const Table *table, const char *column) {
    if (table->tenant_column && strcmp(column, table->tenant_column) == 0)
        return true;
    for (int i = 0; i < table->nreferenced_by; i++) {
        const ForeignKey *fk = table->referenced_by[i];

        for (int k = 0; k < fk->ncolumns; k++) {
            if (strcmp(fk->parent_columns[k]->name, column) == 0)
                return true;
        }
    }
    return false;
}

static bool assigns(const Table *table, const Target *targets, int n) {
    bool found = false;

    for (int i = 0; i < n && !found; i++)
        found = targets[i].name && is_referenced(table, targets[i].name);
    return found;
}

static bool on_block(const Block *block, void *arg) {
    Look *look = arg;
    NameMeaning meaning;

    if (block->kind < BLOCK_INSERT || !block->target)
        return true;
    meaning = names_resolve(look->rw->names, NULL, &block->target->name);
    if (meaning.kind != NAME_TABLE) {
        look->found |= block->kind == BLOCK_UPDATE && meaning.kind == NAME_UNKNOWN;
        return true;
    }
    if (meaning.table->nreferenced_by == 0 && !meaning.table->partition_of)
        return true;
    if (block->kind == BLOCK_UPDATE)
        look->found |= assigns(meaning.table, block->targets, block->ntargets);
    look->found |= assigns(meaning.table, block->conflict_set, block->nconflict_set);
    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        look->found |=
            action->kind == BLOCK_UPDATE && assigns(meaning.table, action->targets, action->ntargets);
    }
    return true;
}

bool moves_parents(Rewrite *rw, const Statement *stmt) {
    Look look = {.rw = rw};

    walk_statement(stmt, &(Walk){.block = on_block, .arg = &look});
    return look.found || stmt->kind == STMT_TRUNCATE;
}
