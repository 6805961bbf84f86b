/* The report at the end of a migration: what was done of each table, and how it was proved; what the
 * application still needs the proxy for; what is left to be tidied up. */
#ifndef MIGRATE_REPORT_H
#define MIGRATE_REPORT_H

#include "migrate/step.h"

/* Prints it to migration->out. The tables are distributed. */
MUST_USE bool report_print(const Migration *migration, Error *err);

#endif
