/* An entry of the server's log, in whatever format the log has it. */
#ifndef CLI_LINT_LOG_ENTRY_H
#define CLI_LINT_LOG_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef enum LintLogSeverity {
    LINT_LOG_LOG,   /* LOG: what the server says of a statement that it executes */
    LINT_LOG_ERROR, /* ERROR, FATAL, PANIC: with the statement that failed */
    LINT_LOG_OTHER,
} LintLogSeverity;

/* Texts are NUL-terminated behind their length, and valid until the next entry is read. A text that is not
 * there, or not known, is empty. */
typedef struct LintLogEntry {
    int64_t line; /* that it begins on, from 1 */
    Str session;  /* its id, or that of its process; empty: nobody knows which entries are of one session */
    Str user;
    Str database;
    Str application;
    LintLogSeverity severity;
    Str message;
    Str detail;
    Str statement; /* that an error was raised by */
    bool cut;      /* some text is longer than is held: its beginning is */
} LintLogEntry;

/* By the word that stands in the log. Other languages' words count as OTHER. */
LintLogSeverity lint_log_severity(Str word) MUST_USE;

#endif
