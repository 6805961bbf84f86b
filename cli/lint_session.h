/* What a script has done to the meaning of the names in it: SET search_path, transactions, temporary tables,
 * PREPARE.
 * A script is taken to run from its beginning, with every statement succeeding. */
#ifndef CLI_LINT_SESSION_H
#define CLI_LINT_SESSION_H

#include "catalog/snapshot.h"
#include "cli/lint_prepared.h"
#include "parser/facts.h"
#include "rewrite/decide.h"

typedef struct LintSession LintSession;

/* `search_path` is that of a new session; copied. */
LintSession *lint_session_new(const char *search_path) MUST_USE;
/* Of a client whose role and database are known, each NULL if not: with the search_path that ALTER ROLE and
 * ALTER DATABASE give it. A database that is not known is the snapshot's. */
LintSession *lint_session_of_client(const Snapshot *snapshot, const char *role,
                                    const char *database) MUST_USE;
void lint_session_free(LintSession *session); /* NULL is permitted */

/* Valid until the session follows another statement. */
SessionContext lint_session_context(const LintSession *session) MUST_USE;
/* The same as bytes: sessions whose contexts have the same key give names the same meaning. Valid likewise.
 */
Str lint_session_key(LintSession *session) MUST_USE;
/* Whether names mean what they meant when the session began. */
bool lint_session_is_as_begun(const LintSession *session) MUST_USE;
/* What the statement executes, itself or in EXPLAIN or CREATE TABLE AS, that the script has prepared; NULL:
 * nothing. Valid until the session follows another statement. */
LintPrepared *lint_session_executed(const LintSession *session, const Statement *statement) MUST_USE;
/* Takes in what the statement does, once it has been decided on. `text`: what the facts were made of. */
void lint_session_follow(LintSession *session, const Statement *statement, Str text);
/* Whether the statement is of a kind that lint_session_follow takes no notice of, whatever literals are in
 * it. */
bool lint_session_ignores(const Statement *statement) MUST_USE;

#endif
