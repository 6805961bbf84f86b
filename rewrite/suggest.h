/* What to do about a reference that is not scoped. */
#ifndef REWRITE_SUGGEST_H
#define REWRITE_SUGGEST_H

#include "rewrite/scope_level.h"

/* NULL where no condition can be added that leaves what the statement means. Where an equality of tenants
 * follows from a foreign key, reads_judge() says that instead. */
const char *suggest_condition(const Scope *scope, const Ref *ref) MUST_USE;

#endif
