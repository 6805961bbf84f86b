/* Wrapping and printing. */
#include "migrate/plan_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Control characters are escaped when the page is printed; the page's own colours are written as these two
 * bytes then, which no text of the database can hold: NUL and what it stands for. */
#define COLOR_MARK '\0'

static const char *const codes[] = {[PAGE_PLAIN] = "\033[0m",
                                    [PAGE_BOLD] = "\033[1m",
                                    [PAGE_RED] = "\033[31m",
                                    [PAGE_YELLOW] = "\033[33m",
                                    [PAGE_DIM] = "\033[2m"};

/* ---- printing ---- */

void page_color(Page *page, PageColor color) {
    const char mark[] = {COLOR_MARK, (char)color};

    if (page->color)
        buf_append(&page->text, mark, sizeof(mark));
}

static void append_formatted(Page *page, const char *fmt, va_list args) {
    char *text = NULL;

    if (vasprintf(&text, fmt, args) < 0)
        abort();
    buf_append_cstr(&page->text, text);
    free(text);
}

void page_printf(Page *page, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    append_formatted(page, fmt, args);
    va_end(args);
}

void page_head(Page *page, const char *fmt, ...) {
    va_list args;

    if (buf_len(&page->text) > 0)
        buf_append_cstr(&page->text, "\n");
    page_color(page, PAGE_BOLD);
    va_start(args, fmt);
    append_formatted(page, fmt, args);
    va_end(args);
    page_color(page, PAGE_PLAIN);
    buf_append_cstr(&page->text, "\n\n");
}

/* Whether a byte, or the two that begin a C1 control, may not reach a terminal. */
static bool is_control(const uint8_t *at, const uint8_t *end) {
    if (*at < 0x20)
        return *at != '\n';
    return *at == 0x7F || (*at == 0xC2 && at + 1 < end && at[1] >= 0x80 && at[1] < 0xA0);
}

void page_flush(Page *page, FILE *out) {
    const uint8_t *at = buf_ptr(&page->text), *end = at + buf_len(&page->text);

    for (; at < end; at++) {
        if (*at == COLOR_MARK) {
            fputs(codes[*++at], out);
        } else if (is_control(at, end)) {
            at += *at == 0xC2;
            fprintf(out, "\\x%02x", *at);
        } else {
            putc(*at, out);
        }
    }
    buf_free(&page->text);
}

/* ---- paragraphs ---- */

static void indent_by(Page *page, int columns) { buf_printf(&page->text, "%*s", columns, ""); }

/* Words as long as they fit; one that is too long for any line has one of its own. */
static void append_words(Page *page, int indent, int used, const char *text) {
    int column = used;
    bool first = true;

    while (*text) {
        size_t len = strcspn(text, " \n");
        int width = (int)utf8_count((Str){text, len});

        if (!first && column + 1 + width > PAGE_COLUMNS) {
            buf_append_cstr(&page->text, "\n");
            indent_by(page, indent);
            column = indent;
        } else if (!first) {
            buf_append_cstr(&page->text, " ");
            column++;
        }
        buf_append(&page->text, text, len);
        column += width;
        first = false;
        text += len;
        text += strspn(text, " \n");
    }
    buf_append_cstr(&page->text, "\n");
}

void page_wrap(Page *page, int indent, const char *label, const char *fmt, ...) {
    int under = indent + (int)strlen(label);
    char *text = NULL;
    va_list args;

    va_start(args, fmt);
    if (vasprintf(&text, fmt, args) < 0)
        abort();
    va_end(args);
    indent_by(page, indent);
    buf_append_cstr(&page->text, label);
    append_words(page, under, under, text);
    free(text);
}

/* Where a line of SQL is broken so that at most `room` characters are in the first part: at a space, if there
 * is one. Returns bytes. */
static size_t break_line(const char *line, size_t len, int room) {
    size_t most = utf8_offset((Str){line, len}, (size_t)room), at = most;

    if (most >= len)
        return len;
    while (at > 0 && line[at] != ' ')
        at--;
    return at > most / 2 ? at : most;
}

/* Counts the lines that a text takes, and prints the first `most` of them. */
static int lay_out(Page *page, int indent, const char *label, const char *text, int most) {
    int under = (int)strlen(label), n = 0;

    while (*text) {
        size_t left = strcspn(text, "\n");
        int deeper = 0; /* what is broken goes on a little to the right */

        do {
            size_t len = break_line(text, left, PAGE_COLUMNS - indent - under - deeper);

            if (n < most) {
                indent_by(page, indent);
                buf_printf(&page->text, "%*s%*s%.*s\n", under, n == 0 ? label : "", deeper, "", (int)len,
                           text);
            }
            n++;
            while (len < left && text[len] == ' ')
                len++;
            text += len;
            left -= len;
            deeper = 4;
        } while (left > 0);
        text += *text == '\n';
    }
    return n;
}

void page_lines(Page *page, int indent, const char *label, const char *text, int most) {
    int n = lay_out(page, indent, label, text, most);

    if (n > most) {
        indent_by(page, indent);
        buf_printf(&page->text, "%*s… %d more line%s: --sql or --json has all of it\n", (int)strlen(label),
                   "", n - most, n - most == 1 ? "" : "s");
    }
}

/* ---- figures ---- */

const char *page_count(Arena *arena, int64_t n) {
    char digits[32], text[48];
    int len, out = 0;

    if (n < 0)
        return "?";
    len = snprintf(digits, sizeof(digits), "%" PRId64, n);
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = digits[i];
    }
    return arena_strndup(arena, text, (size_t)out);
}

const char *page_bytes(Arena *arena, int64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 10240 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1024;
        unit++;
    }
    return arena_printf(arena, "%.0f %s", value, units[unit]);
}

const char *page_range(Arena *arena, double low, double high) {
    if (low < 0)
        return "not known: run ANALYZE";
    if (high <= 0)
        return "a moment";
    if (high < 120)
        return arena_printf(arena, "%.0f – %.0f s", low, high < 1 ? 1 : high);
    if (high < 7200)
        return arena_printf(arena, "%.0f – %.0f min", low / 60, high / 60);
    return arena_printf(arena, "%.1f – %.1f h", low / 3600, high / 3600);
}
