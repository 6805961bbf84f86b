/* Reading a script: the window, and the data of COPY. */
#include "cli/lint_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define WINDOW_BYTES 65536

void lint_input_init(LintInput *in, int fd, LintNotice *notice, void *arg) {
    off_t here = lseek(fd, 0, SEEK_CUR);
    *in = (LintInput){.fd = fd,
                      .notice = notice,
                      .notice_arg = arg,
                      .window = mem_alloc(WINDOW_BYTES),
                      .window_offset = here < 0 ? 0 : here,
                      .line = 1,
                      .column = 1};
}

void lint_input_free(LintInput *in) { free(in->window); }

void lint_input_fill(LintInput *in) {
    memmove(in->window, in->window + in->pos, in->len - in->pos);
    in->window_offset += (int64_t)in->pos;
    in->len -= in->pos;
    in->pos = 0;
    while (!in->at_end && in->len < LINT_INPUT_AHEAD) {
        ssize_t n = read(in->fd, in->window + in->len, WINDOW_BYTES - in->len);
        if (n > 0) {
            in->len += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            in->read_errno = n == 0 ? 0 : errno;
            in->at_end = true;
        }
    }
}

/* Consumes one line of data; returns whether it was "\.". */
static bool skip_data_line(LintInput *in) {
    bool end = lint_input_peek(in, 0) == '\\' && lint_input_peek(in, 1) == '.' &&
               (lint_input_peek(in, 2) == '\n' || lint_input_peek(in, 2) == -1 ||
                (lint_input_peek(in, 2) == '\r' && lint_input_peek(in, 3) == '\n'));
    while (lint_input_peek(in, 0) >= 0) {
        uint8_t *from = in->window + in->pos;
        uint8_t *newline = memchr(from, '\n', in->len - in->pos);
        if (newline) {
            in->pos = (size_t)(newline - in->window) + 1;
            in->line++;
            break;
        }
        in->pos = in->len;
    }
    return end;
}

void lint_input_skip_copies(LintInput *in) {
    int64_t start = in->window_offset + (int64_t)in->pos, line = in->line;
    while (in->copies > 0 && lint_input_peek(in, 0) >= 0)
        in->copies -= skip_data_line(in);
    if (in->copies == 0 || in->read_errno)
        return;
    in->copies = 0;
    if (lseek(in->fd, start, SEEK_SET) == start) {
        in->window_offset = start;
        in->pos = in->len = 0;
        in->at_end = false;
        in->line = line;
        in->copies_dataless = true;
    } else {
        in->notice(in->notice_arg, line,
                   "the data of COPY FROM STDIN has no end (\\.): the rest of the input was "
                   "taken to be data");
    }
}

void lint_input_expect_copy(LintInput *in) { in->copies += !in->copies_dataless; }
