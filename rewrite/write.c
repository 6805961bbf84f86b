/* One row per kind of writing block. A family that cannot rewrite yet says what is left unchanged, so that
 * the audit shows it before the column is NOT NULL. */
#include "rewrite/write.h"

#include <string.h>

#include "rewrite/insert.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

/* ---- INSERT ---- */

/* Of ON CONFLICT DO UPDATE, too: `set` changes the parent of a row whose tenant stays. */
static void note_moved_parent(Rewrite *rw, const Table *table, const Target *set, int nset) {
    const ForeignKey *fk = table->path.nsteps > 0 ? table->path.steps[0] : NULL;
    const char *moved = NULL;

    for (int i = 0; i < nset; i++) {
        if (set[i].name && strcmp(set[i].name, table->tenant_column) == 0)
            return;
        for (int k = 0; fk && k < fk->ncolumns; k++) {
            if (set[i].name && strcmp(set[i].name, fk->child_columns[k]->name) == 0)
                moved = set[i].name;
        }
    }
    if (moved)
        rewrite_note(rw, arena_printf(rw->arena, "%s.%s does not follow when %s is set",
                                      rewrite_quoted(rw, table->name),
                                      rewrite_quoted(rw, table->tenant_column), rewrite_quoted(rw, moved)));
}

static void rewrite_insert(Rewrite *rw, const Block *block, const Table *table) {
    insert_rewrite(rw, block, table);
    note_moved_parent(rw, table, block->conflict_set, block->nconflict_set);
}

/* ---- UPDATE ---- */

static void rewrite_update(Rewrite *rw, const Block *block, const Table *table) {
    note_moved_parent(rw, table, block->targets, block->ntargets);
}

/* ---- MERGE ---- */

static void rewrite_merge(Rewrite *rw, const Block *block, const Table *table) {
    for (int i = 0; i < block->nmerge_actions; i++) {
        const Block *action = block->merge_actions[i];

        if (action->kind == BLOCK_INSERT && !insert_gives_tenant(action, table))
            rewrite_leave(rw, table, "MERGE is not rewritten");
        else if (action->kind == BLOCK_UPDATE)
            note_moved_parent(rw, table, action->targets, action->ntargets);
    }
}

/* ---- all of them ---- */

typedef void RewriteBlock(Rewrite *rw, const Block *block, const Table *table);

static RewriteBlock *const block_families[] = {
    [BLOCK_INSERT] = rewrite_insert,
    [BLOCK_UPDATE] = rewrite_update,
    [BLOCK_DELETE] = NULL,
    [BLOCK_MERGE] = rewrite_merge,
};

/* A row that goes through a view arrives without its tenant. */
static void note_view(Rewrite *rw, const Block *block, const Table *view) {
    if (block->kind == BLOCK_DELETE)
        return;
    for (int i = 0; i < rw->survey->named.n; i++) {
        const Table *table = rw->survey->named.tables[i];

        if (rewrite_is_migrating(table))
            rewrite_leave(rw, table,
                          arena_printf(rw->arena, "the write goes through the view %s",
                                       rewrite_quoted(rw, view->name)));
    }
}

/* The children's tenant is their parent's: the one must not change without the others. */
static void note_children(Rewrite *rw, const Block *block, const Table *parent) {
    if (block->kind != BLOCK_UPDATE)
        return;
    for (int i = 0; i < parent->nreferenced_by; i++) {
        const Table *child = parent->referenced_by[i]->child;
        bool derived = rewrite_is_migrating(child) && child->path.nsteps > 0 &&
                       child->path.steps[0] == parent->referenced_by[i] && parent->tenant_column;

        for (int k = 0; derived && k < block->ntargets; k++) {
            if (block->targets[k].name && strcmp(block->targets[k].name, parent->tenant_column) == 0)
                rewrite_note(rw, arena_printf(rw->arena, "%s.%s does not follow when %s.%s is set",
                                              rewrite_quoted(rw, child->name),
                                              rewrite_quoted(rw, child->tenant_column),
                                              rewrite_quoted(rw, parent->name),
                                              rewrite_quoted(rw, parent->tenant_column)));
        }
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
    else if (rewrite_is_migrating(target.table) && block_families[block->kind])
        block_families[block->kind](rw, block, target.table);
    note_children(rw, block, target.table);
    return true;
}

void write_rewrite_blocks(Rewrite *rw, const Statement *stmt) {
    walk_statement(stmt, &(Walk){.block = on_block, .arg = rw});
}

void write_rewrite_copy(Rewrite *rw, const Statement *stmt) {
    const CopyFacts *copy = &stmt->copy;
    NameMeaning target = {.kind = NAME_UNKNOWN};
    bool given = false;

    write_rewrite_blocks(rw, stmt);
    if (copy->table && copy->is_from)
        target = names_resolve(rw->names, NULL, &copy->table->name);
    if (target.kind != NAME_TABLE || !rewrite_is_migrating(target.table))
        return;
    for (int i = 0; i < copy->ncolumns; i++)
        given |= copy->columns[i] && strcmp(copy->columns[i], target.table->tenant_column) == 0;
    if (!given)
        rewrite_leave(rw, target.table,
                      copy->has_column_list ? "COPY is not rewritten"
                                            : "COPY without a column list is not rewritten");
}
