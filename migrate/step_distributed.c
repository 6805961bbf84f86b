/* Epoch → distributed: from here on the proxies send only what a distributed table takes, and refuse by name
 * what none does, above all that a parent is given to another tenant.
 *
 * It comes before the first table is handed to Citus. What they send then is right on a plain table, on one
 * that is local to Citus and on a distributed one, so nothing has to happen at the instants at which a table
 * changes from one to the next, whoever learns of it when. What they sent in resolve is not: there a parent
 * that moves takes its children along, by a statement that sees only one side of a table being split. */
#include "migrate/stages.h"

STAGES_STEP(STAGE_DISTRIBUTED)
STAGES_REVERT(STAGE_DISTRIBUTED)

const Step step_distributed = {
    .name = "distributed",
    .needs_citus = true,
    .why = "What the proxies send from here on is right for plain and for distributed tables alike.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
