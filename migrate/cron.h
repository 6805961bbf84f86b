/* The backfill by pg_cron: a job that goes on when the runner has ended.
 *
 * The job calls a procedure once a minute, which walks over the table as the runner would, batch by batch
 * with a commit behind each, and returns just before the minute is over. It looks at the same wishes and the
 * same reasons to wait (migrate/pace.h). The runner makes both, watches shardferry.backfill until the table
 * is done, and takes both away. One that is killed leaves them; the next one finds the job by its name.
 *
 * Who may move the cursor stands beside it, so that runner and job are never at it both. */
#ifndef MIGRATE_CRON_H
#define MIGRATE_CRON_H

#include "migrate/step.h"

/* Schedules the job for a table, or finds it, watches until the table is done, and unschedules it. False with
 * `err`: 57014 if the runner was asked to stop (the job goes on), 55000 if the job fails or is never started.
 */
MUST_USE bool cron_run(const Migration *migration, const Table *table, Error *err);

/* Takes the backfill of a table back from pg_cron; does nothing if the runner has it. */
MUST_USE bool cron_stop(const Migration *migration, const Table *table, Error *err);

/* The same for all tables, whatever their kind by now. */
MUST_USE bool cron_unschedule_all(const Migration *migration, Error *err);

#endif
