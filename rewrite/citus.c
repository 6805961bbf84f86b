/* Refusals, and the way out of each.
 *
 * Citus plans a query with its CTEs in the places where they are read, and, if that fails, again with each of
 * them on its own: only what fails twice is refused. */
#include "rewrite/citus.h"

#include <string.h>

#include "rewrite/citus_ddl.h"
#include "rewrite/citus_write.h"
#include "rewrite/insert.h"
#include "rewrite/survey.h"

/* By how the message begins. `scope`: the way out is to bind the statement to one tenant, so that what the
 * verdict says of its tables stands. */
static const struct {
    const char *error;
    bool scope;
    const char *suggestion; /* NULL: the verdict's own, if it has one */
} ways_out[] = {
    {"the query contains a join that requires", true, NULL},
    {"complex joins are only supported", true, NULL},
    {"cannot perform distributed planning on this query", true, NULL},
    {"could not run distributed query with", true, NULL},
    {"recursive CTEs are only supported", true, NULL},
    {"cannot push down subquery on the target list", true,
     "compute the sub-select in a CTE and join it, or compare the tenant with a value"},
    {"cannot push down this subquery", true, NULL},
    {"correlated subqueries are not supported", true,
     "join the tenant table, or make the sub-select one that does not depend on the query around it"},
    {"cannot perform a lateral outer join", true, NULL},
    {"Distributed queries with outer joins and pseudoconstant", true,
     "compare the tenant with a value, or evaluate the condition without a column ahead of the statement"},
    {"Subqueries in HAVING", true, "compare the tenant with a value, or compute the sub-select in a CTE"},
    {"subquery in ", true, "give LIMIT and OFFSET constants or parameters"},
    {"CTEs that refer to other subqueries", true, NULL},
    {"direct joins between distributed and local tables", false,
     "read the local table with IN (SELECT …) or in a join, not in a sub-select that depends on the query "
     "around it, or make it a reference table"},
    {"relation ", false, "read the local table ahead of the statement, or make it a reference table"},
    {"cannot execute a distributed query from a query on a shard", false,
     "leave out the CTE that nothing reads"},
    {"functions used in UPDATE queries", false, "compute the value ahead of the statement and pass it"},
    {"functions used in the WHERE/ON/WHEN", false, "compute the value ahead of the statement and pass it"},
    {"STABLE functions used in UPDATE", false,
     "use what does not depend on the session's settings for columns: timestamp instead of timestamptz, AT "
     "TIME "
     "ZONE with a named zone, or the comparison turned round so that the column stands alone"},
    {"non-IMMUTABLE functions are not allowed in CASE", false,
     "pass the value of the function as a parameter"},
    {"non-IMMUTABLE functions are not allowed in the RETURNING", false,
     "return the columns alone, and compute the rest in the application"},
    {"non-IMMUTABLE functions are not yet supported in MERGE", false,
     "name every column whose default is computed and pass its value, or use INSERT … ON CONFLICT"},
    {"functions used in the DO UPDATE SET", false,
     "put the value into VALUES and use excluded.column in DO UPDATE"},
    {"functions used in the WHERE clause of the ON CONFLICT", false, "pass the value as a parameter"},
    {"modifying the partition value", false,
     "delete the row and insert it under the other tenant, or leave the column out of SET"},
    {"updating the distribution column", false, "leave the column out of SET"},
    {"subqueries are not supported within INSERT", false,
     "use INSERT … SELECT, or look the value up ahead of the statement"},
    {"cannot perform an INSERT without", true, "name the tenant column and give it a value"},
    {"cannot perform an INSERT with NULL", true, "give the tenant column a value"},
    {"the partition column", true, "have the SELECT list give the tenant column a value"},
    {"there is no unique or exclusion constraint", false,
     "name the tenant column in the target of ON CONFLICT"},
    {"cannot modify views", false, "write to the table itself"},
    {"cannot run DML queries with cursors", false, "name the row by its key, the tenant's column included"},
    {"cannot perform distributed planning for the given modification", false,
     "find the rows by their key instead of ctid"},
    {"a join with USING causes", false, "join with ON"},
    {"only reference tables may be queried", false,
     "read the tenant tables in a sub-select with GROUP BY, or ahead of the statement"},
    {"cannot perform select on a distributed table", false, "read the tenant table ahead of the statement"},
    {"Citus does not support COPY FROM with WHERE", false, "leave the rows out of the data"},
    {"Reference table as target", false, "use INSERT … ON CONFLICT"},
    {"The required join operation is missing", false,
     "add the equality of the tenant with a column of the source to ON"},
    {"MERGE", false, "use INSERT … ON CONFLICT, or UPDATE"},
    {"To MERGE", false, "use INSERT … ON CONFLICT, or UPDATE with the values in it"},
    {"creating unique indexes", false, "make the tenant column a part of the key"},
    {"cannot create constraint on", false, "make the tenant column a part of the key"},
    {"cannot create foreign key constraint", false,
     "make the tenant column a part of the key, without SET NULL, SET DEFAULT or ON UPDATE CASCADE"},
    {"referenced table must be", false, "make it a reference table"},
    {"cannot execute ADD COLUMN commands", false, "add the column with the default of a sequence of its own"},
    {"Source is not an explicit query", false, "make the source a sub-select"},
};

static void refuse(Rewrite *rw, const char *error) {
    StatementDecision *decision = rw->decision;
    const bool was_multi = decision->verdict == VERDICT_MULTI_TENANT;
    const char *suggestion = NULL;
    bool scope = false;

    for (size_t i = 0; i < ARRAY_LEN(ways_out); i++) {
        if (strncmp(error, ways_out[i].error, strlen(ways_out[i].error)) == 0) {
            suggestion = ways_out[i].suggestion;
            scope = ways_out[i].scope;
            break;
        }
    }
    decision->citus_error = error;
    decision->verdict = VERDICT_MULTI_TENANT;
    if (!was_multi || !decision->reason)
        decision->reason = arena_printf(rw->arena, "Citus refuses it: %s", error);
    if (suggestion && !(scope && decision->suggestion))
        decision->suggestion = suggestion;
}

/* Whether there is anything to look for. A SELECT that is routed has nothing to fear but local tables. */
static bool is_concerned(const Rewrite *rw, const Statement *stmt) {
    const TableSet *named = &rw->survey->named;
    const bool select = stmt->block->kind <= BLOCK_VALUES && rw->survey->written.n == 0;
    const Verdict verdict = rw->decision->verdict;
    bool citus = false, local = false;

    if (verdict == VERDICT_OPAQUE || verdict == VERDICT_UNPARSED || rw->survey->unknown_name)
        return false;
    for (int i = 0; i < named->n; i++) {
        local |= named->tables[i]->kind == KIND_LOCAL && named->tables[i]->relkind != 'v';
        citus |= named->tables[i]->kind != KIND_LOCAL;
    }
    if (!citus || (select && verdict == VERDICT_NO_TENANT_TABLE))
        return false;
    return !select || local || verdict == VERDICT_MULTI_TENANT;
}

/* What may be refused is not called routed, even if it is not seen to be. */
static void doubt(Rewrite *rw) {
    rw->decision->verdict = VERDICT_MULTI_TENANT;
    rw->decision->reason =
        "an outer join and a condition that names no column stand beside a local table, which "
        "Citus may refuse";
    rw->decision->suggestion = "evaluate the condition without a column ahead of the statement";
}

static const char *judge_tree(Rewrite *rw, const Statement *stmt, bool inline_ctes, bool *again) {
    CitusTree tree;
    CitusQuery *query = citus_tree_build(&tree, rw, stmt, inline_ctes);
    const char *error = NULL;

    /* What binds a routed statement to its tenant may be more than is seen here. */
    const bool routed = rw->decision->verdict == VERDICT_SINGLE_TENANT;

    if (tree.gave_up || tree.scope.gave_up)
        return NULL;
    if (stmt->block->kind > BLOCK_VALUES)
        error = citus_write_error(query);
    else if (!routed || citus_plan_is_local(query) || rw->survey->written.n > 0)
        error = citus_plan_query(query);
    if (!error && routed && citus_outer_may_be_refused(query) && scope_is_mixed(&tree.scope, KIND_LOCAL))
        doubt(rw);
    tree.gave_up |= tree.scope.gave_up;
    *again = error && tree.inlined && !tree.gave_up;
    return tree.gave_up ? NULL : error;
}

void citus_judge_query(Rewrite *rw, const Statement *stmt) {
    bool again = false;
    const char *error;

    if (!stmt->block || !is_concerned(rw, stmt))
        return;
    error = judge_tree(rw, stmt, true, &again);
    if (again)
        error = judge_tree(rw, stmt, false, &again);
    if (error)
        refuse(rw, error);
}

void citus_judge_copy(Rewrite *rw, const Statement *stmt) {
    const CopyFacts *copy = &stmt->copy;
    NameMeaning target = {.kind = NAME_UNKNOWN};
    bool listed;

    if (!copy->table || !copy->is_from || rw->decision->verdict == VERDICT_OPAQUE)
        return;
    target = names_resolve(rw->names, NULL, &copy->table->name);
    if (target.kind != NAME_TABLE || target.table->kind == KIND_LOCAL)
        return;
    if (copy->where) {
        refuse(rw, "Citus does not support COPY FROM with WHERE");
        return;
    }
    if (target.table->kind != KIND_DISTRIBUTED || !copy->has_column_list)
        return;
    listed = target.table->tenant && target.table->tenant->default_expr;
    for (int i = 0; i < copy->ncolumns; i++)
        listed |= strcmp(copy->columns[i], target.table->tenant_column) == 0;
    if (!listed)
        refuse(rw, "the partition column of the table should have a value");
}

void citus_judge_ddl(Rewrite *rw, const Statement *stmt) {
    const char *error = rw->decision->verdict == VERDICT_OPAQUE ? NULL : citus_ddl_error(rw, stmt);

    if (error)
        refuse(rw, error);
}
