/* The lines of a file that may be longer than memory. */
#ifndef CLI_LINT_LOG_LINES_H
#define CLI_LINT_LOG_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/error.h"

typedef struct LintLogLines {
    int fd; /* the caller's */
    size_t max_bytes;
    uint8_t *window; /* owned */
    size_t pos, len; /* of the window: consumed, read */
    Buf long_line;   /* a line that the window had no room for */
    Str line;        /* the last one */
    bool again;      /* it is to be returned once more */
    bool cut;        /* it is longer than max_bytes: the rest is left out */
    bool ended;      /* it ends with a line feed */
    int64_t number;  /* of the last line, from 1 */
    int read_errno;
} LintLogLines;

void lint_log_lines_init(LintLogLines *lines, int fd, size_t max_bytes);
void lint_log_lines_free(LintLogLines *lines);

/* The next line in `line`, without its line feed, valid until the next call. False at the end, or where the
 * file cannot be read (read_errno). */
bool lint_log_lines_next(LintLogLines *lines) MUST_USE;
/* The next call returns the last line again. */
void lint_log_lines_unread(LintLogLines *lines);

#endif
