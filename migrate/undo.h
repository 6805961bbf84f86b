/* The way back: takes the database to an earlier stage, step by step, while the application runs; can be
 * killed and run again at any instant like a migration. */
#ifndef MIGRATE_UNDO_H
#define MIGRATE_UNDO_H

#include "migrate/migrate.h"

/* `options->to` is the stage to go back to. Findings are printed, and nothing is changed then. */
MUST_USE MigrateResult undo_run(const Config *config, const MigrateOptions *options, Error *err);

#endif
