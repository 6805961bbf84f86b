/* A DELETE takes away what a sub-select still sees, and the foreign key says so. An UPDATE of other columns
 * changes nothing that matters. */
#include "rewrite/written.h"

#include <string.h>

#include "rewrite/survey.h"
#include "rewrite/walk.h"

/* Whether one is the other, or both belong to one partitioned table, at any depth. */
static bool may_overlap(const Table *a, const Table *b) {
    return a == b || ((a->relkind == 'p' || a->partition_of) && (b->relkind == 'p' || b->partition_of));
}

typedef struct Look {
    const Rewrite *rw;
    const Table *table;
    bool found;
} Look;

static bool on_path(const Look *look, const Table *written) {
    const TenantPath *path = &look->table->path;
    bool found = false;

    for (int i = 0; i < path->nsteps && !found; i++)
        found = may_overlap(written, path->steps[i]->parent);
    return found && written != look->table;
}

static bool links(const Look *look, const char *column) {
    const TenantPath *path = &look->table->path;
    bool found = strcmp(column, look->table->tenant_column) == 0;

    for (int i = 0; i < path->nsteps && !found; i++) {
        const ForeignKey *fk = path->steps[i];

        found = fk->parent->tenant_column && strcmp(column, fk->parent->tenant_column) == 0;
        for (int k = 0; k < fk->ncolumns && !found; k++)
            found = strcmp(column, fk->parent_columns[k]->name) == 0 ||
                    strcmp(column, fk->child_columns[k]->name) == 0;
    }
    return found;
}

static bool sets_link(const Look *look, const Block *update) {
    for (int i = 0; i < update->ntargets; i++) {
        if (!update->targets[i].name || links(look, update->targets[i].name))
            return true;
    }
    return false;
}

static bool on_block(const Block *block, void *arg) {
    Look *look = arg;
    NameMeaning target;

    if (look->found || block->kind < BLOCK_INSERT || !block->target)
        return !look->found;
    target = names_resolve(look->rw->names, NULL, &block->target->name);
    if (target.kind == NAME_TABLE && target.table->relkind == 'v')
        look->found = true;
    else if (target.kind == NAME_TABLE && on_path(look, target.table))
        look->found = block->kind == BLOCK_INSERT || block->kind == BLOCK_MERGE ||
                      (block->kind == BLOCK_UPDATE && sets_link(look, block));
    return !look->found;
}

static bool find_write(Rewrite *rw, const Table *table) {
    Look look = {.rw = rw, .table = table, .found = rw->survey->writes_unknown};
    const TableSet *written = &rw->survey->written;
    bool possible = look.found;

    for (int i = 0; i < written->n && !possible; i++)
        possible = written->tables[i]->relkind == 'v' || on_path(&look, written->tables[i]);
    if (possible && !look.found)
        walk_statement(rw->statement, &(Walk){.block = on_block, .arg = &look});
    return look.found;
}

bool written_path(Rewrite *rw, const Table *table) {
    if (rw->written_in != rw->statement || rw->written_table != table) {
        rw->written = find_write(rw, table);
        rw->written_in = rw->statement;
        rw->written_table = table;
    }
    return rw->written;
}
