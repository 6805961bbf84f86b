/* WITH chains: parent and child inserted by one statement, which a sub-select on the parent would not see. */
#ifndef REWRITE_CHAIN_H
#define REWRITE_CHAIN_H

#include "rewrite/insert_plan.h"

/* Finds, for each row with a parent, its tenant in the statement's own text, and makes it ROW_BY_TEXT. False,
 * with nothing changed, if some row's is not there. */
bool chain_find(InsertPlan *plan) MUST_USE;

/* Inserts the tenant of such a row. */
void chain_put(InsertPlan *plan, int row, uint32_t offset);

#endif
