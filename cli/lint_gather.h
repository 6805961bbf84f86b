/* Results of the same kind gathered into one, for sources that name a statement as often as it was sent.
 *
 * A kind is a shape and what was found out about it. Each is kept once, with the first text of it that was
 * seen, how often it was sent and what that cost; they are reported in the order of their cost. Memory is
 * bounded: where there are too many kinds, those of least cost, findings last, are given up and counted. */
#ifndef CLI_LINT_GATHER_H
#define CLI_LINT_GATHER_H

#include "cli/lint_report.h"

typedef struct LintGather LintGather;

/* Holds at most about `max_bytes`. */
LintGather *lint_gather_new(size_t max_bytes) MUST_USE;
void lint_gather_free(LintGather *gather); /* NULL is permitted */

/* Takes a copy. The origin's calls and total_ms are added up if it is measured, else it counts as one call of
 * unknown cost. */
void lint_gather_add(LintGather *gather, const LintResult *result);

/* What was given up. */
typedef struct LintGathered {
    int64_t kinds;
    int64_t findings; /* of those */
    uint64_t calls;
    double total_ms;
} LintGathered;

/* Hands all results to the report, the costliest first, and returns what there is no result of. */
LintGathered lint_gather_report(LintGather *gather, LintReport *report) MUST_USE;

#endif
