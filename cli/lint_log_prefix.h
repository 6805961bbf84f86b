/* What stands before the severity of a line in the server's log: log_line_prefix, read backwards. */
#ifndef CLI_LINT_LOG_PREFIX_H
#define CLI_LINT_LOG_PREFIX_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

/* Empty: not in the prefix. They point into the text that was matched. */
typedef struct LintLogPrefix {
    Str session; /* %c, else %p */
    Str user;
    Str database;
    Str application;
} LintLogPrefix;

/* Whether the whole of `text` is what the server makes of `pattern`, a value of log_line_prefix. */
bool lint_log_prefix_matches(const char *pattern, Str text, LintLogPrefix *prefix) MUST_USE;

/* The first of the usual patterns that matches; NULL without. */
const char *lint_log_prefix_guess(Str text, LintLogPrefix *prefix) MUST_USE;

#endif
