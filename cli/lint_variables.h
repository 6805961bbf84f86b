/* psql's variables in a statement: :name, :'name', :"name", :{?name}.
 *
 * What they stand for is not in the script, or not for sure (\set, -v, \gset, the environment): they are
 * taken to be values. A parser is given a text of the same length in which parameters stand for them, the
 * same one for the same variable, so that whatever it finds has the same place in the original. */
#ifndef CLI_LINT_VARIABLES_H
#define CLI_LINT_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/* The length of the reference that begins with the colon at text.ptr[0]; 0 if none does. `text` holds what
 * follows, or as much as is needed to tell. */
size_t lint_variables_reference(Str text) MUST_USE;

typedef struct LintVariables {
    size_t *starts; /* of references in the text, in order */
    size_t n, capacity;
} LintVariables;

void lint_variables_add(LintVariables *variables, size_t start);
void lint_variables_free(LintVariables *variables);
/* Puts the text with parameters, NUL-terminated behind its length, into `out`. */
void lint_variables_replace(const LintVariables *variables, Str text, Buf *out);

#endif
