/* What lint says of each statement, in one of several forms: lines for people, JSON. */
#ifndef CLI_LINT_REPORT_H
#define CLI_LINT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "rewrite/decide.h"

#define LINT_VERDICTS (VERDICT_UNPARSED + 1)

typedef struct LintReport LintReport;

/* An application and a role, and their part of what a statement cost. Both names NULL: all others. */
typedef struct LintClient {
    const char *application;
    const char *user;
    uint64_t calls;
    uint64_t errors;
    double total_ms;
    uint64_t blocked; /* by the proxy: not sent, and none of the calls */
    uint64_t noticed; /* of the calls: with a NOTICE from the proxy */
} LintClient;

/* What a running proxy has counted of a statement. */
typedef struct LintTraffic {
    uint64_t errors;
    uint64_t blocked;
    uint64_t noticed;
    double max_ms;
    const char *first_seen; /* timestamps in UTC, as PostgreSQL prints them; NULL: never */
    const char *last_seen;
    const LintClient *clients;
    int nclients;
} LintTraffic;

/* Something that texts were taken from, beyond its name. Absent strings are NULL. */
typedef struct LintPlace {
    const char *name;
    const char *version;
    const char *since;  /* a timestamp as above: it counts from here on */
    const char *stages; /* of the tables there: "3 observe, 2 derive" */
} LintPlace;

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
    bool untimed;               /* … but total_ms */
    const LintTraffic *traffic; /* NULL: not known */
    bool is_path;               /* `file` is a path */
    int64_t
        text_line;   /* where the text's first byte is, from 1, in characters; 0: not known, or what stands */
    int text_column; /* there is not the text byte for byte */
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

/* A function of the database that has to be changed. */
typedef struct LintFunction {
    const char *signature;
    Str replacement; /* CREATE OR REPLACE …, without a semicolon; STR_NONE: none can be offered */
    Stage from;      /* the replacement works from this stage on */
    bool complete;   /* nothing is left to be done by hand */
} LintFunction;

/* A form of report: one file and one const entry each. */
typedef struct LintForm {
    const char *name;                  /* the option that asks for it; NULL: the default */
    void (*begin)(LintReport *report); /* NULL: nothing to do */
    void (*add)(LintReport *report, Arena *arena, const LintResult *result);          /* `arena`: scratch */
    void (*function)(LintReport *report, Arena *arena, const LintFunction *function); /* NULL: not shown */
    void (*end)(LintReport *report);                           /* NULL: nothing to do */
    void (*place)(LintReport *report, const LintPlace *place); /* likewise */
    bool no_fingerprints;                                      /* it has no use for them */
    void (*abandon)(LintReport *report); /* in place of `end` where the source failed; likewise */
} LintForm;

extern const LintForm lint_form_text;
extern const LintForm lint_form_json; /* an object a line */
extern const LintForm lint_form_sql;  /* mended functions alone, for psql */
extern const LintForm lint_form_sarif;
extern const LintForm lint_form_html; /* a page, in the file `path`; a summary is printed */

struct LintReport {
    const LintForm *form;
    FILE *out;
    bool color;
    bool quiet;       /* only what is a finding */
    const char *path; /* where the form's result goes, if not to `out`; "-": there after all */
    bool failed;      /* with `error`: it could not be written */
    Error error;
    void *data; /* the form's own, from begin to end */
    struct LintGather
        *gather;        /* takes the results for now; NULL: they are written as they come. The source's */
    bool left_findings; /* some that there is no result of */
    int64_t statements;
    int64_t verdicts[LINT_VERDICTS];
    int64_t rewritten; /* by the proxy */
    int64_t refused;   /* by Citus */
    int64_t functions; /* that have to be changed */
};

void lint_report_begin(LintReport *report);
/* Counts the statement and has it written. `arena` is for scratch. */
void lint_report_add(LintReport *report, Arena *arena, const LintResult *result);
/* Says of a place more than its texts' origins do. */
void lint_report_place(LintReport *report, const LintPlace *place);
/* Counts the function and has it written, behind its statements. */
void lint_report_function(LintReport *report, Arena *arena, const LintFunction *function);
void lint_report_end(LintReport *report);
/* In place of lint_report_end where the source failed. */
void lint_report_abandon(LintReport *report);
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
