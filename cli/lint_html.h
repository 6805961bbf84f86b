/* The report as a page: what it is made of.
 *
 *   results --lint_form_html.c--> LintHtml: shapes, merged --lint_html_page.c--> a page --> a file
 *
 * A page is cli/html/report.html with its marks filled: the costliest shapes as a table that can be read as
 * it is, and all of them as data, from which cli/html/report.js makes the table that can be searched. */
#ifndef CLI_LINT_HTML_H
#define CLI_LINT_HTML_H

#include "base/buf.h"
#include "cli/lint_report.h"

/* Verdicts, and apart from them what Citus refuses: the parts that the whole falls into. The least bad first.
 */
typedef enum LintClass {
    LINT_CLASS_SINGLE_TENANT,
    LINT_CLASS_NO_TENANT_TABLE,
    LINT_CLASS_OPAQUE,
    LINT_CLASS_UNPARSED,
    LINT_CLASS_MULTI_TENANT,
    LINT_CLASS_REFUSED,
    LINT_CLASSES
} LintClass;

/* Statements of one fingerprint and verdict. Absent strings are NULL; all are valid UTF-8. */
typedef struct LintHtmlShape {
    int order; /* of the first of them */
    LintClass class;
    const char *fingerprint;
    const char *sql;
    const char *const *tables;
    int ntables;
    const char *const *unscoped;
    int nunscoped;
    const char *reason;
    const char *suggestion;
    const char *citus_error;
    const char *proposed;
    const char *sent;
    uint64_t calls; /* or, where they are not measured, occurrences */
    uint64_t errors, blocked, noticed;
    double total_ms, max_ms;
    const char *first_seen, *last_seen;
    LintClient *clients;
    int nclients, clients_room;
    const char **places; /* "file:12": the first ones */
    int nplaces;
} LintHtmlShape;

typedef struct LintHtmlSum {
    uint64_t shapes;
    uint64_t calls;
    double total_ms;
} LintHtmlSum;

typedef struct LintHtml {
    Arena *arena;
    LintHtmlShape **shapes; /* by cost, the most expensive first; LINT_HTML_MAX_SHAPES at most */
    int nshapes;
    LintHtmlSum sums[LINT_CLASSES]; /* of all, also of those that are left out */
    LintHtmlSum all;
    uint64_t rewritten; /* shapes that the proxy rewrites */
    bool measured;      /* calls are known */
    bool timed;         /* and times */
    bool detailed;      /* also errors, longest times and so on */
    LintFunction *functions;
    int nfunctions, functions_room;
    LintPlace *places;
    int nplaces;
    const char *made; /* a timestamp */
} LintHtml;

#define LINT_HTML_MAX_SHAPES 20000

/* "refused", "multi-tenant", … */
const char *lint_class_name(LintClass class) MUST_USE;

/* Appends the page. */
void lint_html_page(const LintHtml *html, Buf *out);
/* Appends the shapes and what else the script needs, as JSON that may stand in a script element. */
void lint_html_json(const LintHtml *html, Buf *out);

#endif
