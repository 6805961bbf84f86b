/* The trigger that fills the tenant column for writers who come past the proxies. */
#ifndef MIGRATE_TRIGGER_H
#define MIGRATE_TRIGGER_H

#include "migrate/step.h"

typedef struct TriggerState {
    bool present;  /* all of it or a part */
    bool complete; /* and as it has to be now */
} TriggerState;

MUST_USE bool trigger_read(const Migration *migration, const Table *table, TriggerState *state, Error *err);

/* The SQL that makes it, and that drops it, in the migration's arena: both are for one transaction. */
const char *trigger_sql(const Migration *migration, const Table *table, bool replace) MUST_USE;
const char *trigger_drop_sql(const Migration *migration, const Table *table) MUST_USE;

/* Make it where it is not complete; drop what there is of it. */
StepAction trigger_make;
StepAction trigger_drop;

#endif
