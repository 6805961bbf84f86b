/* A suggestion names the tenant column as the statement can name it, and the clause in which a condition on
 * it changes nothing but which tenants' rows are read. */
#include "rewrite/suggest.h"

#include <string.h>

#include "rewrite/reads.h"

static const ReadsReference *find_reference(const Reads *reads, const Ref *ref) {
    const ReadsReference *found = NULL;

    for (int i = 0; i < reads->nreferences && !(found && found->name); i++) {
        const ReadsReference *reference = &reads->references[i];

        if (reference->table == ref->table && strcmp(reference->alias, ref->alias) == 0)
            found = reference;
    }
    return found;
}

static const char *tenant_of(Rewrite *rw, const Table *table) {
    return arena_printf(rw->arena, "the tenant's %s", rewrite_quoted(rw, table->tenant_column));
}

const char *suggest_condition(const Scope *scope, const Ref *ref) {
    Rewrite *rw = scope->rw;
    const ReadsReference *reference = rw->reads ? find_reference(rw->reads, ref) : NULL;

    if (ref->node == SCOPE_NO_NODE)
        return arena_printf(rw->arena, "give %s.%s the same value in each row",
                            rewrite_quoted(rw, ref->table->name),
                            rewrite_quoted(rw, ref->table->tenant_column));
    if (ref->reason || !reference || !reference->name)
        return NULL;
    return arena_printf(rw->arena, "add %s = %s to the %s", reference->name, tenant_of(rw, ref->table),
                        reference->of_join ? "condition of its join" : "condition");
}
