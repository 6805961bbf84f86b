/* What preflight finds. */
#ifndef MIGRATE_FINDINGS_H
#define MIGRATE_FINDINGS_H

#include "migrate/step.h"

typedef enum Severity {
    FINDING_ERROR,   /* a step would fail, or harm: the migration does not begin */
    FINDING_WARNING, /* it goes on, but somebody should know */
    FINDING_NOTE,    /* what will be different afterwards */
} Severity;

const char *severity_name(Severity severity) MUST_USE; /* "error" */
bool severity_parse(const char *name, Severity *severity) MUST_USE;

typedef struct Finding {
    Severity severity;
    Stage from;         /* the first stage that it stands in the way of */
    const char *code;   /* its name for programs, in kebab-case: "foreign-key-from-local" */
    const char *object; /* as SQL: "public.orders", "server" */
    const char *what;   /* what was found, a clause without a full stop */
    const char *why;    /* why it matters, a sentence */
    const char *remedy; /* what to do, a sentence */
} Finding;

/* In the migration's arena. */
typedef struct Findings {
    const Migration *migration;
    Finding *items;
    int n, room;
    int errors;
} Findings;

/* Takes a copy; its strings must live as long as the migration's arena. An error that stands in the way only
 * of stages behind migration->to becomes a warning of what comes later. */
void findings_add(Findings *findings, Finding finding);

/* Errors first, in each severity by object. */
void findings_sort(Findings *findings);

/* Appends one for people: "error: OBJECT: WHAT", and indented why and remedy. One that stands in the way of a
 * later stage than derive has that behind it: " (stage keyed)". */
void findings_print(const Finding *finding, Buf *out);

#endif
