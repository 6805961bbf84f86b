/* What lint says of each statement, in one of several forms: lines for people, JSON. */
#ifndef CLI_LINT_REPORT_H
#define CLI_LINT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "rewrite/decide.h"

#define LINT_VERDICTS (VERDICT_UNPARSED + 1)

typedef struct LintReport LintReport;

/* Where a text comes from. Absent strings are NULL. */
typedef struct LintOrigin {
    const char *file; /* a path, "stdin", or what stands for one: "pg_stat_statements", a function's name */
    int64_t line;     /* from 1; 0: it has none */
    const char *application;
    const char *user;
    const char *database;
    bool measured; /* the rest is known */
    uint64_t calls;
    double total_ms;
} LintOrigin;

/* One statement, as it was decided on. */
typedef struct LintResult {
    LintOrigin origin;
    Str sql;
    uint64_t fingerprint; /* 0: none, it was not parsed */
    const StatementDecision *decision;
    Str sent;     /* what the proxy sends instead; STR_NONE where the original is sent */
    Str proposed; /* the original with conditions that are proved, where the proxy does not add them; else
                     STR_NONE */
} LintResult;

/* A form of report: one file and one const entry each. */
typedef struct LintForm {
    const char *name;                  /* the option that asks for it; NULL: the default */
    void (*begin)(LintReport *report); /* NULL: nothing to do */
    void (*add)(LintReport *report, Arena *arena, const LintResult *result); /* `arena`: scratch */
    void (*end)(LintReport *report);                                         /* NULL: nothing to do */
} LintForm;

extern const LintForm lint_form_text;
extern const LintForm lint_form_json; /* an object a line */

struct LintReport {
    const LintForm *form;
    FILE *out;
    bool color;
    bool quiet; /* only what is a finding */
    void *data; /* the form's own, from begin to end */
    int64_t statements;
    int64_t verdicts[LINT_VERDICTS];
    int64_t rewritten; /* by the proxy */
    int64_t refused;   /* by Citus */
};

void lint_report_begin(LintReport *report);
/* Counts the statement and has it written. `arena` is for scratch. */
void lint_report_add(LintReport *report, Arena *arena, const LintResult *result);
void lint_report_end(LintReport *report);
/* Whether there was anything that deserves exit code 1. */
bool lint_report_has_findings(const LintReport *report) MUST_USE;

/* ---- for the forms ---- */

bool lint_verdict_is_finding(Verdict verdict) MUST_USE;
/* The text with a replacement character for each byte that belongs to no valid character. */
Str lint_valid_text(Arena *arena, Str text) MUST_USE;
/* The verdict's reason, and what the proxy would do where that is more: refuse the statement, or send it as
 * it is. NULL without. */
const char *lint_reason(Arena *arena, const StatementDecision *decision) MUST_USE;
/* 16 hexadecimal digits. */
const char *lint_fingerprint(Arena *arena, uint64_t fingerprint) MUST_USE;

#endif
