/* What was found out about a statement, for others of the same shape: scripts repeat themselves, and the
 * parser costs ten times what all the rest does. */
#ifndef CLI_LINT_CACHE_H
#define CLI_LINT_CACHE_H

#include "parser/shape.h"
#include "rewrite/decide.h"

typedef struct LintCache LintCache;

typedef struct LintFinding {
    const Facts *facts;
    const Decision *decision;
    const Span
        *literals; /* of the text that it was made from; offsets in facts and decision refer to that text */
    int nliterals;
} LintFinding;

/* Holds at most about `max_bytes`; when they are used up, it begins anew. */
LintCache *lint_cache_new(size_t max_bytes) MUST_USE;
void lint_cache_free(LintCache *cache); /* NULL is permitted */

/* NULL if there is none. Valid until the next lint_cache_add. `context` stands for what names mean to
 * the session: see lint_session_key. */
const LintFinding *lint_cache_find(const LintCache *cache, const Shape *shape, Str context) MUST_USE;
/* Takes over `arena`, in which the facts and the decision live. */
const LintFinding *lint_cache_add(LintCache *cache, const Shape *shape, Str context, Arena *arena,
                                  const Facts *facts, const Decision *decision) MUST_USE;

#endif
