/* What would stop a later step, found before the first one. */
#ifndef MIGRATE_PREFLIGHT_H
#define MIGRATE_PREFLIGHT_H

#include "migrate/step.h"

/* Appends all findings to `out`, two lines each (what, what to do); *n is their number. False with `err` only
 * if it could not look. */
MUST_USE bool preflight_run(const Migration *migration, Buf *out, int *n, Error *err);

#endif
