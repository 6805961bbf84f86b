/* Where lint takes its texts from: one file and one const entry per source, listed in command_lint.c. */
#ifndef CLI_LINT_SOURCE_H
#define CLI_LINT_SOURCE_H

#include "cli/lint.h"

typedef struct LintRequest {
    const char *const *operands; /* files ("-": stdin); at least one if the source takes them */
    int noperands;
    const char *log_line_prefix; /* of a server's log; NULL: not known */
    const char *database;        /* whose statements count; NULL: that of the catalog */
    const char *const
        *consoles; /* connection strings of proxies' consoles; none: that of the configuration */
    int nconsoles;
} LintRequest;

typedef struct LintSource {
    const char *name; /* as --from names it */
    const char *help; /* a phrase */
    bool takes_operands;
    Stage stage;     /* that backfill tables are taken to be in, unless --stage says another */
    bool no_catalog; /* its texts come judged: no schema is needed, lint_snapshot() is NULL */
    /* Feeds all its texts to the Lint. False with `err`. */
    bool (*run)(Lint *lint, const LintRequest *request, Error *err);
} LintSource;

extern const LintSource lint_source_script;     /* SQL, as psql reads it */
extern const LintSource lint_source_log;        /* the server's own log */
extern const LintSource lint_source_statements; /* pg_stat_statements */
extern const LintSource lint_source_functions;  /* of the database */
extern const LintSource lint_source_proxy;      /* what running proxies have seen */

#endif
