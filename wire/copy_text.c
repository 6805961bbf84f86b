/* Fields of the text format: between delimiters, with backslash escapes. */
#include <string.h>

#include "wire/copy_internal.h"

static bool is_octal(char c) { return c >= '0' && c <= '7'; }

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that the escape at `i`, behind its backslash, stands for; *next: what follows it. */
static char unescape(Str row, size_t i, size_t *next) {
    static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
    const char c = row.ptr[i++];
    const char *letter = c ? strchr(letters, c) : NULL;
    unsigned value = 0;
    size_t end;

    *next = i;
    if (letter)
        return bytes[letter - letters];
    if (is_octal(c)) {
        value = (unsigned)(c - '0');
        for (end = i + 2; i < row.len && i < end && is_octal(row.ptr[i]); i++)
            value = value * 8 + (unsigned)(row.ptr[i] - '0');
    } else if (c == 'x' && i < row.len && hex_value(row.ptr[i]) >= 0) {
        for (end = i + 2; i < row.len && i < end && hex_value(row.ptr[i]) >= 0; i++)
            value = value * 16 + (unsigned)hex_value(row.ptr[i]);
    } else {
        return c;
    }
    *next = i;
    return (char)(value & 0xff);
}

/* The end of the field at `start`. */
static size_t field_end(Str row, size_t start, char delimiter, bool *escapes) {
    size_t i = start;

    *escapes = false;
    for (; i < row.len && row.ptr[i] != delimiter; i++) {
        if (row.ptr[i] == '\\') {
            *escapes = true;
            i++;
        }
    }
    return i < row.len ? i : row.len;
}

/* *room: where a value may be written that is not the field as it stands; moved behind it. */
static CopyField read_field(const CopyRowOptions *options, Str raw, bool escapes, uint8_t **room) {
    CopyField field = {.value = raw, .null = str_eq(raw, options->null_text)};
    uint8_t *out = *room;
    size_t i = 0;

    if (field.null || !escapes)
        return field;
    while (i < raw.len) {
        if (raw.ptr[i] != '\\')
            *out++ = (uint8_t)raw.ptr[i++];
        else if (i + 1 < raw.len)
            *out++ = (uint8_t)unescape(raw, i + 1, &i);
        else
            break;
    }
    field.value = (Str){(const char *)*room, (size_t)(out - *room)};
    *room = out;
    return field;
}

int copy_text_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted,
                     CopyField *fields, Buf *scratch) {
    /* Values are no longer than what they are made of: this is enough for all. */
    uint8_t *room = buf_reserve(scratch, row.len + 1);
    size_t start = 0;
    bool escapes;

    for (int n = 0;; n++) {
        const size_t end = field_end(row, start, options->delimiter, &escapes);
        bool is_wanted = false;

        for (int i = 0; i < nwanted; i++)
            is_wanted |= wanted[i] == n;
        if (is_wanted)
            copy_give_field(wanted, nwanted, fields, n,
                            read_field(options, (Str){row.ptr + start, end - start}, escapes, &room));
        if (end >= row.len)
            return n + 1;
        start = end + 1;
    }
}

static void put_escaped(Buf *out, char delimiter, char c) {
    static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
    const char *found = c ? strchr(bytes, c) : NULL;

    if (found) {
        buf_put_u8(out, '\\');
        buf_put_u8(out, (uint8_t)letters[found - bytes]);
        return;
    }
    if (c == '\\' || c == delimiter)
        buf_put_u8(out, '\\');
    buf_put_u8(out, (uint8_t)c);
}

void copy_text_put_field(Buf *out, const CopyRowOptions *options, Str value) {
    size_t start, i = 0;

    buf_put_u8(out, (uint8_t)options->delimiter);
    if (!value.ptr) {
        buf_append_str(out, options->null_text);
        return;
    }
    start = buf_len(out);
    for (; i < value.len; i++)
        put_escaped(out, options->delimiter, value.ptr[i]);
    /* Not NULL, although it reads so: one byte of it is written as a number. */
    if (str_eq((Str){(const char *)buf_ptr(out) + start, buf_len(out) - start}, options->null_text) &&
        value.len > 0) {
        out->end -= buf_len(out) - start;
        buf_printf(out, "\\%03o", (unsigned)(uint8_t)value.ptr[0]);
        for (i = 1; i < value.len; i++)
            put_escaped(out, options->delimiter, value.ptr[i]);
    }
}
