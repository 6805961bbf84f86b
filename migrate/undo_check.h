/* What would stop an undo on its way, found before it begins. */
#ifndef MIGRATE_UNDO_CHECK_H
#define MIGRATE_UNDO_CHECK_H

#include "migrate/findings.h"

/* Adds all findings for the way back to stage `to`; findings->migration is set. False with `err` only if it
 * could not look. */
MUST_USE bool undo_check(Findings *findings, Stage to, Error *err);

#endif
