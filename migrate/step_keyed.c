/* Epoch → keyed: from here on the proxies name the tenant in conflict targets, for which both keys are there
 * until the old one goes. */
#include "migrate/stages.h"

STAGES_STEP(STAGE_KEYED)
STAGES_REVERT(STAGE_KEYED)

const Step step_keyed = {
    .name = "keyed",
    .why = "From here on the proxies name the tenant in conflict targets, for which both keys are there.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
