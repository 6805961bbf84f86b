/* Sample texts. A statement arrives in any encoding and length; what the audit shows of it is short, valid
 * UTF-8, and free of literals where the configuration asks for that. */
#include "audit/sample.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "parser/shape.h"

#define REPLACEMENT "\xEF\xBF\xBD"
#define CUT_MARK "..."
#define WITHOUT_SHAPE "(redacted)"

/* Bytes of the character that starts at `text`; 0 if none does. */
static size_t character_length(Str text) {
    uint8_t lead = (uint8_t)text.ptr[0];
    size_t len = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

    return len <= text.len && utf8_valid((Str){text.ptr, len}) ? len : 0;
}

void sample_append_text(Buf *out, Str text) {
    if (utf8_valid(text)) {
        buf_append_str(out, text);
        return;
    }
    while (text.len > 0) {
        size_t len = character_length(text);

        if (len > 0)
            buf_append(out, text.ptr, len);
        else
            buf_append_cstr(out, REPLACEMENT);
        len = len > 0 ? len : 1;
        text = (Str){text.ptr + len, text.len - len};
    }
}

/* At most `limit` bytes, without the start of a character whose rest is cut off. */
static Str cut(Str text, size_t limit) {
    size_t end = limit;

    if (text.len <= limit)
        return text;
    while (end > 0 && limit - end < 3 && ((uint8_t)text.ptr[end] & 0xC0) == 0x80)
        end--;
    return (Str){text.ptr, end};
}

static void append_cut(Buf *out, Str text, size_t limit) {
    sample_append_text(out, cut(text, limit));
    if (text.len > limit)
        buf_append_cstr(out, CUT_MARK);
}

void sample_append(Buf *out, const AuditSubject *subject, const AuditLimits *limits) {
    if (!limits->redact) {
        append_cut(out, subject->text, limits->sample_bytes);
    } else if (subject->shape.len > 0) {
        append_cut(out, subject->shape, limits->sample_bytes);
    } else {
        Shape *shape = MEM_NEW(Shape);

        if (shape_of(shape, subject->text))
            append_cut(out, shape->text, limits->sample_bytes);
        else
            buf_append_cstr(out, WITHOUT_SHAPE);
        shape_free(shape);
        free(shape);
    }
}
