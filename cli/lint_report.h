/* What lint prints: a line of JSON, or a line for people, per statement. */
#ifndef CLI_LINT_REPORT_H
#define CLI_LINT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "rewrite/decide.h"

#define LINT_VERDICTS (VERDICT_UNPARSED + 1)

typedef struct LintReport {
    FILE *out;
    bool json;
    bool color;
    bool quiet; /* only what is a finding */
    int64_t statements;
    int64_t verdicts[LINT_VERDICTS];
    int64_t rewritten;
} LintReport;

/* One statement, as it was decided on. */
typedef struct LintResult {
    const char *file;
    int64_t line;
    Str sql;
    uint64_t fingerprint; /* 0: none, it was not parsed */
    const StatementDecision *decision;
    Str rewritten; /* STR_NONE where the original is sent */
} LintResult;

/* Counts the statement and prints it. `arena` is for scratch. */
void lint_report_add(LintReport *report, Arena *arena, const LintResult *result);
/* Prints the summary for people. */
void lint_report_end(LintReport *report);
/* Whether there was anything that deserves exit code 1. */
bool lint_report_has_findings(const LintReport *report) MUST_USE;

#endif
