/* What a script has done to the meaning of the names in it: SET search_path, transactions, temporary tables.
 * A script is taken to run from its beginning, with every statement succeeding. */
#ifndef CLI_LINT_SESSION_H
#define CLI_LINT_SESSION_H

#include "parser/facts.h"
#include "rewrite/decide.h"

typedef struct LintSession LintSession;

/* `search_path` is that of a new session; copied. */
LintSession *lint_session_new(const char *search_path) MUST_USE;
void lint_session_free(LintSession *session); /* NULL is permitted */

/* Valid until the session follows another statement. */
SessionContext lint_session_context(const LintSession *session) MUST_USE;
/* Takes in what the statement does, once it has been decided on. True if that changed the context. */
bool lint_session_follow(LintSession *session, const Statement *statement);
/* Whether the statement is of a kind that lint_session_follow takes no notice of, whatever literals are in
 * it. */
bool lint_session_ignores(const Statement *statement) MUST_USE;

#endif
