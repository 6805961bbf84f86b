/* Error values: filling in the texts. Every text is formatted into a temporary first, so that an argument may
 * be a text of the same error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Cuts a text that vsnprintf has truncated at the last whole UTF-8 character. */
static void cut_at_character(char *text, size_t len) {
    size_t lead = len;
    size_t need;
    unsigned char c;

    while (lead > 0 && len - lead < 3 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return;
    c = (unsigned char)text[lead - 1];
    need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    if (len - (lead - 1) < need)
        text[lead - 1] = '\0';
}

static void PRINTF_LIKE(3, 0) format_text(char *dest, size_t size, const char *fmt, va_list args) {
    char text[sizeof(((Error *)NULL)->message)];
    int n = vsnprintf(text, size, fmt, args);

    if (n < 0)
        text[0] = '\0';
    else if ((size_t)n >= size)
        cut_at_character(text, size - 1);
    memcpy(dest, text, strlen(text) + 1);
}

bool error_set(Error *err, const char *sqlstate, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    format_text(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
    err->detail[0] = err->hint[0] = '\0';
    return false;
}

bool error_detail(Error *err, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    format_text(err->detail, sizeof(err->detail), fmt, args);
    va_end(args);
    return false;
}

bool error_hint(Error *err, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    format_text(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
    return false;
}

static void PRINTF_LIKE(2, 3) set_message(Error *err, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    format_text(err->message, sizeof(err->message), fmt, args);
    va_end(args);
}

bool error_prefix(Error *err, const char *fmt, ...) {
    char prefix[sizeof(err->message)];
    va_list args;

    va_start(args, fmt);
    format_text(prefix, sizeof(prefix), fmt, args);
    va_end(args);
    set_message(err, "%s: %s", prefix, err->message);
    return false;
}
