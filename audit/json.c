/* JSON, written. */
#include "audit/json.h"

#include "audit/sample.h"

static void append_escaped(Buf *out, Str text) {
    size_t plain = 0;

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7F)
            continue;
        buf_append(out, text.ptr + plain, i - plain);
        plain = i + 1;
        if (c == '"' || c == '\\')
            buf_append(out, (char[]){'\\', (char)c}, 2);
        else if (c == '\n')
            buf_append_cstr(out, "\\n");
        else
            buf_printf(out, "\\u%04x", c);
    }
    buf_append(out, text.ptr + plain, text.len - plain);
}

void json_append_string(Buf *out, Str text) {
    Buf valid = {0};

    sample_append_text(&valid, text);
    buf_append_cstr(out, "\"");
    if (buf_len(&valid) > 0)
        append_escaped(out, (Str){(const char *)buf_ptr(&valid), buf_len(&valid)});
    buf_append_cstr(out, "\"");
    buf_free(&valid);
}

void json_append_value(Buf *out, const char *value) {
    if (value)
        json_append_string(out, str_of(value));
    else
        buf_append_cstr(out, "null");
}

void json_append_member(Buf *out, const char *name, const char *value) {
    buf_printf(out, ",\"%s\":", name);
    json_append_value(out, value);
}

void json_append_list(Buf *out, const char *name, const char *const *list, int n) {
    buf_printf(out, ",\"%s\":[", name);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_append_cstr(out, ",");
        json_append_string(out, str_of(list[i]));
    }
    buf_append_cstr(out, "]");
}
