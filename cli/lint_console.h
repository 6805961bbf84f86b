/* A running proxy's console, asked for its audit. */
#ifndef CLI_LINT_CONSOLE_H
#define CLI_LINT_CONSOLE_H

#include "base/error.h"
#include "cli/lint_report.h"
#include "conf/config.h"

/* A row of SHOW AUDIT. Absent strings are NULL; the decision's strings lie where the row does. */
typedef struct LintConsoleRow {
    uint64_t fingerprint;
    StatementDecision decision;
    const char *sample;
    const char *proposed;
    const char *sent;
    const char *application; /* of the client that first sent it */
    const char *user;
    const char *first_seen;
    const char *last_seen;
    uint64_t calls, errors, blocked, noticed;
    double total_ms, max_ms;
    LintClient *clients;
    int nclients;
} LintConsoleRow;

/* Connects to the console by `conninfo`, or, where that is NULL, to that of the proxy that runs with this
 * configuration, and reads what the proxy is and has seen. All of it lives in `arena`. Returns the number of
 * rows; -1 with `err`. */
int lint_console_read(const Config *config, const char *conninfo, Arena *arena, LintPlace *place,
                      LintConsoleRow **rows, Error *err) MUST_USE;

#endif
