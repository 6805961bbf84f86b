/* What would stop a later step, found before the first one. */
#ifndef MIGRATE_PREFLIGHT_H
#define MIGRATE_PREFLIGHT_H

#include "migrate/findings.h"

/* Adds all findings, sorted; findings->migration is set. False with `err` only if it could not look. */
MUST_USE bool preflight_run(Findings *findings, Error *err);

#endif
