/* The server words it in its own language ("COPY t, Zeile 5"), always with the number behind one word. */
#include "proxy/copy_context.h"

#include <string.h>

#include "base/mem.h"
#include "wire/backend.h"

/* MAX_COPY_DATA_DISPLAY */
#define SHOWN_BYTES 100

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

/* How many bytes at the end of `text`, which follows the number, are of the added field: `: "row"`. */
static size_t added_bytes(const CopyPlan *plan, Str text) {
    Buf scratch = {0};
    size_t n = 0;
    if (plan->row.format == COPY_ROW_BINARY || text.len < 4 || memcmp(text.ptr, ": \"", 3) != 0 ||
        text.ptr[text.len - 1] != '"')
        return 0;
    const Str row = {text.ptr + 3, text.len - 4};
    if (copy_row_fields(&plan->row, row, NULL, 0, NULL, &scratch) > plan->nfields)
        for (n = 1; n < row.len && row.ptr[row.len - n] != plan->row.delimiter;)
            n++;
    buf_free(&scratch);
    return n;
}

bool copy_context_put(Buf *out, Str payload, const CopyPlan *plan, int64_t shift) {
    const Str context = backend_error_field(payload, 'W');
    size_t start = 0, stop = 0;
    int64_t line = 0;
    if (!context.ptr || !find_number(context, plan->table->name, &start, &stop))
        return false;
    for (size_t i = start; i < stop; i++)
        line = line * 10 + (context.ptr[i] - '0');
    const Str rest = {context.ptr + stop, context.len - stop};
    const size_t added = added_bytes(plan, rest);
    if (shift == 0 && added == 0)
        return false;
    const size_t begun = frame_begin(out, BE_ERROR);
    buf_append(out, payload.ptr, (size_t)(context.ptr + start - payload.ptr));
    buf_printf(out, "%lld", (long long)(line + shift));
    buf_append(out, rest.ptr, rest.len - (added > 0 ? added + 1 : 0));
    if (added > 0)
        buf_put_u8(out, '"');
    const size_t behind = (size_t)(context.ptr + context.len - payload.ptr);
    buf_append(out, payload.ptr + behind, payload.len - behind);
    frame_end(out, begun);
    return true;
}

void copy_context_put_own(Buf *out, const Error *err, const char *context) {
    Buf plain = {0};
    backend_put_error(&plain, "ERROR", err);
    const size_t begun = frame_begin(out, BE_ERROR);
    buf_append(out, buf_ptr(&plain) + FRAME_HEADER_BYTES, buf_len(&plain) - FRAME_HEADER_BYTES - 1);
    if (context) {
        buf_put_u8(out, 'W');
        buf_put_cstr(out, context);
    }
    buf_put_u8(out, '\0');
    frame_end(out, begun);
    buf_free(&plain);
}

char *copy_context_make(const CopyPlan *plan, uint64_t line, Str row) {
    const bool cut = row.len > SHOWN_BYTES;
    size_t n = cut ? SHOWN_BYTES : row.len;
    if (!row.ptr)
        return mem_printf("COPY %s, line %llu", plan->table->name, (unsigned long long)line);
    while (cut && n > 0 && ((uint8_t)row.ptr[n] & 0xc0) == 0x80) /* not within a character */
        n--;
    return mem_printf("COPY %s, line %llu: \"%.*s%s\"", plan->table->name, (unsigned long long)line, (int)n,
                      row.ptr, cut ? "..." : "");
}
