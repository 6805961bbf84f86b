/* Splitting a script into statements, as psql would send them.
 *
 * A scanner, no parser: it knows strings, quoted identifiers, dollar quotes, comments, psql's backslash
 * commands and the data that follows COPY … FROM STDIN, so that a statement that no parser accepts ends where
 * it ends and the next one is found. It reads as it goes and holds one statement at a time. */
#ifndef CLI_LINT_SPLIT_H
#define CLI_LINT_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "cli/lint_input.h"

typedef struct LintSplit LintSplit;

typedef struct LintStatement {
    Str text;     /* without the semicolon, NUL-terminated behind its length; valid until the next call */
    int64_t line; /* of its first token, from 1 */
    bool cut;     /* it is longer than max_bytes: `text` holds that much of its beginning */
    const char *obstacle; /* why it cannot be given to the parser; NULL: it can */
    Str parsed; /* what the parser is given in its place: as long, with parameters for what no parser knows,
                   and NUL-terminated likewise; STR_NONE: the text itself */
    bool stand_ins;    /* parameters stand for literals: where the grammar wants one, '' may stand as well */
    int64_t text_line; /* where the text's first byte is, as in LintOrigin */
    int text_column;
} LintStatement;

/* Reads from `fd`, which stays the caller's, up to its end. Where the descriptor can seek, a COPY … FROM
 * STDIN that no
 * "\." follows is taken to stand without data; where it cannot, the rest of the input is taken to be its
 * data. */
LintSplit *lint_split_new(int fd, size_t max_bytes, LintNotice *notice, void *arg) MUST_USE;
void lint_split_free(LintSplit *split); /* NULL is permitted */

typedef enum LintSplitResult { LINT_SPLIT_STATEMENT, LINT_SPLIT_END, LINT_SPLIT_FAILED } LintSplitResult;

/* The next statement; those without any token (empty, comments alone) are left out. FAILED with `err` (58030)
 * when the input cannot be read. */
LintSplitResult lint_split_next(LintSplit *split, LintStatement *statement, Error *err) MUST_USE;

#endif
