/* One row per kind of writing block. A family that cannot rewrite yet says what is left unchanged, so that
 * the audit shows it before the column is NOT NULL. */
#include "rewrite/write.h"

#include <string.h>

#include "rewrite/carry.h"
#include "rewrite/conflict.h"
#include "rewrite/copy.h"
#include "rewrite/insert.h"
#include "rewrite/insert_select.h"
#include "rewrite/merge.h"
#include "rewrite/survey.h"
#include "rewrite/update.h"
#include "rewrite/walk.h"

static void rewrite_insert(Rewrite *rw, const Block *block, const Table *table) {
    if (rewrite_is_migrating(table) && block->source)
        insert_select_rewrite(rw, block, table);
    else if (rewrite_is_migrating(table))
        insert_rewrite(rw, block, table);
    conflict_rewrite(rw, block, table);
}

typedef void RewriteBlock(Rewrite *rw, const Block *block, const Table *table);

/* Of any table: one that is not migrating may be the parent of one that is. */
static RewriteBlock *const block_families[] = {
    [BLOCK_INSERT] = rewrite_insert,
    [BLOCK_UPDATE] = update_rewrite,
    [BLOCK_DELETE] = NULL,
    [BLOCK_MERGE] = merge_rewrite,
};

static bool sets_column(const Block *update, const char *column) {
    for (int i = 0; i < update->ntargets; i++) {
        if (update->targets[i].name && strcmp(update->targets[i].name, column) == 0)
            return true;
    }
    return false;
}

/* A row that goes through a view arrives without its tenant. */
static void note_view(Rewrite *rw, const Block *block, const Table *view) {
    if (block->kind == BLOCK_DELETE)
        return;
    for (int i = 0; i < rw->survey->named.n; i++) {
        const Table *table = rw->survey->named.tables[i];

        const char *why =
            arena_printf(rw->arena, "the write goes through the view %s", rewrite_quoted(rw, view->name));

        if (rewrite_is_migrating(table))
            rewrite_leave(rw, table, why);
        if (block->kind == BLOCK_UPDATE && carry_needed(rw, table) && sets_column(block, table->tenant->name))
            carry_leave(rw, table, why);
    }
}

static bool on_block(const Block *block, void *arg) {
    Rewrite *rw = arg;
    NameMeaning target;

    if (block->kind < BLOCK_INSERT || !block->target)
        return true;
    target = names_resolve(rw->names, NULL, &block->target->name);
    if (target.kind != NAME_TABLE)
        return true;
    if (target.table->relkind == 'v')
        note_view(rw, block, target.table);
    else if (block_families[block->kind])
        block_families[block->kind](rw, block, target.table);
    return true;
}

void write_rewrite_blocks(Rewrite *rw, const Statement *stmt) {
    walk_statement(stmt, &(Walk){.block = on_block, .arg = rw});
}

void write_rewrite_copy(Rewrite *rw, const Statement *stmt) {
    const CopyFacts *copy = &stmt->copy;
    NameMeaning target = {.kind = NAME_UNKNOWN};

    write_rewrite_blocks(rw, stmt);
    if (copy->table && copy->is_from)
        target = names_resolve(rw->names, NULL, &copy->table->name);
    if (target.kind == NAME_TABLE)
        copy_rewrite(rw, copy, target.table);
}
