/* The steps, in order. */
#include "migrate/step.h"

const StepEntry steps[] = {
    {&step_schema, STAGE_DERIVE},
    {&step_register, STAGE_DERIVE},
    {&step_enrol, STAGE_DERIVE},
    {&step_column, STAGE_DERIVE},
    {&step_derive, STAGE_DERIVE},
    {&step_acknowledge, STAGE_DERIVE},
    {&step_settle, STAGE_DERIVE},
    {&step_backfill, STAGE_KEYED},
    {&step_verify, STAGE_KEYED},
    {&step_not_null, STAGE_KEYED},
    {&step_index, STAGE_KEYED},
    {&step_foreign_key, STAGE_KEYED},
    {&step_keyed, STAGE_KEYED},
    {&step_acknowledge, STAGE_KEYED},
    {&step_swap, STAGE_KEYED},
    {&step_resolve, STAGE_RESOLVE},
    {&step_acknowledge, STAGE_RESOLVE},
};

const int steps_count = (int)ARRAY_LEN(steps);
