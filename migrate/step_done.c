/* Epoch → done: the proxies send what the application sends, and audit it. Only ever asked for by name:
 * nobody but the application's people can know that it needs no help any more. */
#include "migrate/stages.h"

STAGES_STEP(STAGE_DONE)
STAGES_REVERT(STAGE_DONE)

const Step step_done = {
    .name = "done",
    .why = "The application sends the tenant itself by now: the proxies need not add it any more.",
    .describe = describe,
    .script = script,
    .undo = undo,
    .check = check,
    .run = run,
    .revert = revert};
