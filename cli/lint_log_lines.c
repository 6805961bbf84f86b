/* Reading through a window; what of a line lies across its end is put together apart. */
#include "cli/lint_log_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define WINDOW_BYTES ((size_t)256 * 1024)

void lint_log_lines_init(LintLogLines *lines, int fd, size_t max_bytes) {
    *lines = (LintLogLines){.fd = fd, .max_bytes = max_bytes, .window = mem_alloc(WINDOW_BYTES)};
}

void lint_log_lines_free(LintLogLines *lines) {
    free(lines->window);
    buf_free(&lines->long_line);
}

static bool fill(LintLogLines *lines) {
    ssize_t n;
    do
        n = read(lines->fd, lines->window, WINDOW_BYTES);
    while (n < 0 && errno == EINTR);
    lines->read_errno = n < 0 ? errno : 0;
    lines->pos = 0;
    lines->len = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static void keep_part(LintLogLines *lines, const uint8_t *from, size_t len) {
    size_t room = lines->max_bytes - buf_len(&lines->long_line);
    lines->cut |= len > room;
    buf_append(&lines->long_line, from, len < room ? len : room);
}

bool lint_log_lines_next(LintLogLines *lines) {
    bool any = false;
    if (lines->again) {
        lines->again = false;
        return true;
    }
    buf_clear(&lines->long_line);
    lines->cut = lines->ended = false;
    for (;;) {
        if (lines->pos == lines->len && !fill(lines))
            break;
        uint8_t *from = lines->window + lines->pos;
        uint8_t *newline = memchr(from, '\n', lines->len - lines->pos);
        size_t len = newline ? (size_t)(newline - from) : lines->len - lines->pos;
        lines->pos += len + (newline != NULL);
        lines->ended = newline != NULL;
        if (newline && !any && len <= lines->max_bytes) {
            lines->line = (Str){(const char *)from, len};
            lines->number++;
            return true;
        }
        keep_part(lines, from, len);
        any = true;
        if (newline)
            break;
    }
    if (!any)
        return false;
    lines->line = buf_len(&lines->long_line) > 0
                      ? (Str){(const char *)buf_ptr(&lines->long_line), buf_len(&lines->long_line)}
                      : STR_LIT("");
    lines->number++;
    return true;
}

void lint_log_lines_unread(LintLogLines *lines) { lines->again = true; }
