/* What Citus makes of functions in SQL.
 *
 * PostgreSQL gives their statements to the planner without the values of parameters, which PL/pgSQL's have.
 * Citus waits for the values where it can: to find the shard of one table's rows by `tenant = parameter`, and
 * in whatever changes rows. Anything else that has a parameter it cannot plan. */
#include "cli/lint_functions.h"

static void find_parameter(const Expr *expr, void *arg) { *(bool *)arg |= expr->kind == EXPR_PARAM; }

static void look_for_parameter(const Block *block, void *arg) {
    facts_walk_exprs(block, find_parameter, arg);
}

bool lint_functions_has_parameters(const Statement *stmt) {
    bool found = false;
    facts_walk_blocks(stmt, look_for_parameter, &found);
    return found;
}

static void count_block(const Block *block, void *arg) {
    (void)block;
    ++*(int *)arg;
}

/* One table, and nothing inside the query that is a query. */
static bool is_plain(const Statement *stmt) {
    const Block *block = stmt->block;
    int nblocks = 0;
    facts_walk_blocks(stmt, count_block, &nblocks);
    return nblocks == 1 && block->kind == BLOCK_SELECT && block->nfrom == 1 &&
           block->from[0]->kind == FROM_TABLE;
}

const char *lint_functions_citus_error(const Statement *stmt, const StatementDecision *decision, bool bound) {
    bool reads =
        stmt->kind == STMT_SELECT || (stmt->kind == STMT_INSERT && stmt->block && stmt->block->source);
    bool is_single = decision->verdict == VERDICT_SINGLE_TENANT;
    if (!reads || !stmt->block || decision->verdict == VERDICT_NO_TENANT_TABLE ||
        !lint_functions_has_parameters(stmt) || (is_single && (bound || is_plain(stmt))))
        return NULL;
    return "parameters of a function in SQL have no values when it is planned: write the function in "
           "PL/pgSQL";
}
