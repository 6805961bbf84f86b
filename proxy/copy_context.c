/* The server words it in its own language ("COPY t, Zeile 5"), always with the number behind one word. */
#include "proxy/copy_context.h"

#include <string.h>

#include "wire/backend.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The digits behind "COPY table, word " in a line of the text. */
static bool find_number(Str text, const char *table, size_t *start, size_t *stop) {
    const size_t len = strlen(table);
    for (size_t i = 0; i + 5 + len + 2 < text.len; i++) {
        if ((i > 0 && text.ptr[i - 1] != '\n') || memcmp(text.ptr + i, "COPY ", 5) != 0 ||
            memcmp(text.ptr + i + 5, table, len) != 0 || memcmp(text.ptr + i + 5 + len, ", ", 2) != 0)
            continue;
        size_t n = i + 5 + len + 2;
        while (n < text.len && !is_digit(text.ptr[n]) && text.ptr[n] != '\n')
            n++;
        for (*start = n; n < text.len && is_digit(text.ptr[n]); n++)
            *stop = n + 1;
        return n > *start && n - *start < 18;
    }
    return false;
}

bool copy_context_shift(Buf *out, Str payload, const char *table, int64_t shift) {
    const Str context = backend_error_field(payload, 'W');
    size_t start = 0, stop = 0;
    int64_t line = 0;
    if (!context.ptr || !find_number(context, table, &start, &stop))
        return false;
    for (size_t i = start; i < stop; i++)
        line = line * 10 + (context.ptr[i] - '0');
    const size_t before = (size_t)(context.ptr + start - payload.ptr);
    const size_t behind = (size_t)(context.ptr + stop - payload.ptr);
    const size_t begun = frame_begin(out, BE_ERROR);
    buf_append(out, payload.ptr, before);
    buf_printf(out, "%lld", (long long)(line + shift));
    buf_append(out, payload.ptr + behind, payload.len - behind);
    frame_end(out, begun);
    return true;
}
