/* From entries of a log to statements: each session's are put together again from entries that lie apart. */
#ifndef CLI_LINT_LOG_FOLLOW_H
#define CLI_LINT_LOG_FOLLOW_H

#include "cli/lint.h"
#include "cli/lint_log_entry.h"

typedef struct LintLogFollow LintLogFollow;

typedef struct LintLogCounts {
    int64_t statements; /* that were judged */
    int64_t elsewhere;  /* that are another database's */
    int64_t lost_names; /* that give names another meaning (SET search_path), in nobody knows which session */
    const char *elsewhere_name; /* of such a database; NULL: none. Valid as long as the LintLogFollow */
} LintLogCounts;

/* `database`: whose statements count; NULL: all. Both are the caller's and outlive it. */
LintLogFollow *lint_log_follow_new(Lint *lint, const char *database) MUST_USE;
/* What is still open is not judged: see lint_log_follow_end. NULL is permitted. */
void lint_log_follow_free(LintLogFollow *follow);

/* Takes the next entry of `file`, which outlives the LintLogFollow. */
void lint_log_follow_take(LintLogFollow *follow, const LintLogEntry *entry, const char *file);
/* No entry follows. */
LintLogCounts lint_log_follow_end(LintLogFollow *follow) MUST_USE;

#endif
