/* The bytes of a script, read as they are asked for, with lines counted and COPY data left out.
 *
 * Reading works on a window of the input:
 *
 *   0 .. pos     -- consumed
 *   pos .. len   -- read, at least LINT_INPUT_AHEAD bytes of it unless the input ends earlier
 *
 * Every byte is consumed by lint_input_advance, the one place that counts lines and that, at the end of a
 * line on which a COPY … FROM STDIN was complete, leaps over its data, as psql does whatever else that line
 * has begun. */
#ifndef CLI_LINT_INPUT_H
#define CLI_LINT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define LINT_INPUT_AHEAD 256

/* Told what the user should know of the script itself; `text` is valid during the call only. */
typedef void LintNotice(void *arg, int64_t line, const char *text);

typedef struct LintInput {
    int fd; /* the caller's */
    LintNotice *notice;
    void *notice_arg;

    uint8_t *window; /* owned */
    size_t pos, len;
    int64_t window_offset; /* of window[0] in the input */
    bool at_end;           /* nothing more can be read */
    int read_errno;
    int64_t line; /* of the next byte, from 1 */
    int column;   /* likewise, in characters */

    int copies;           /* COPY … FROM STDIN whose data begins with the next line */
    bool copies_dataless; /* no "\." stands in what follows: they are listed, not run */
} LintInput;

void lint_input_init(LintInput *in, int fd, LintNotice *notice, void *arg);
void lint_input_free(LintInput *in);

/* Reads until the window has LINT_INPUT_AHEAD bytes that are not consumed, or the input ends. */
void lint_input_fill(LintInput *in);
/* Consumes the data of all `copies`. */
void lint_input_skip_copies(LintInput *in);
/* A COPY … FROM STDIN is complete: its data begins with the next line. */
void lint_input_expect_copy(LintInput *in);

/* The byte that is `ahead` (less than LINT_INPUT_AHEAD) behind the next one; -1 at the end. */
MUST_USE static inline int lint_input_peek(LintInput *in, size_t ahead) {
    if (in->len - in->pos <= ahead && !in->at_end)
        lint_input_fill(in);
    return in->len - in->pos > ahead ? in->window[in->pos + ahead] : -1;
}

/* Consumes the next byte, which has been peeked at. */
static inline void lint_input_advance(LintInput *in) {
    uint8_t byte = in->window[in->pos++];
    if (byte != '\n') {
        in->column += (byte & 0xC0) != 0x80;
        return;
    }
    in->line++;
    in->column = 1;
    if (in->copies > 0)
        lint_input_skip_copies(in);
}

#endif
