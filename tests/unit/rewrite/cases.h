/* Cases in files: what a person writes down as "this text becomes that one".
 *
 *   -- a line of comment                     skipped
 *   stage line_items keyed                   settings that hold for the case, any number
 *   path public, sales
 *   > INSERT …                               the text; several lines continue it
 *   = INSERT …                               what is expected, by the first character of the line
 *                                            an empty line ends the case */
#ifndef TESTS_UNIT_REWRITE_CASES_H
#define TESTS_UNIT_REWRITE_CASES_H

#include "catalog/snapshot.h"
#include "rewrite/decide.h"

typedef struct Case {
    const char *file;
    int line;
    const char *text;
    SessionContext context;
    const char *path;        /* search_path; NULL: unknown */
    char expected[16][4096]; /* whole lines, their first character included */
    int nexpected;
    Snapshot *snapshot;
} Case;

typedef void CaseRun(const Case *c, const Decision *decision, Arena *arena);

/* Runs each case of a file; returns how many there were. */
int cases_run(const char *file, CaseRun *run);

/* The text as the proxy would send it, in the arena. */
const char *case_rewritten(const Case *c, const Decision *decision, Arena *arena);

/* Fails the test, naming the case. */
void case_fail(const Case *c, const char *what, const char *expected, const char *actual);

/* The snapshot of schema.sql, all backfill tables that have their column in stage derive, but kept (keyed)
 * and settled (resolve). */
Snapshot *cases_snapshot(void);

#endif
