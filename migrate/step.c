/* What several steps do alike. */
#include "migrate/step.h"

#include <stdarg.h>

#include "migrate/watch.h"

void step_no_sql(const Migration *migration, const Table *table, Buf *out) {
    (void)migration;
    (void)table;
    (void)out;
}

const char *step_text(const Migration *migration, Buf *buf) {
    const char *text = arena_strndup(migration->arena, (const char *)buf_ptr(buf), buf_len(buf));

    buf_free(buf);
    return text;
}

void step_literal(Buf *out, const char *text) {
    buf_append_cstr(out, "'");
    for (; *text; text++)
        buf_append(out, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
    buf_append_cstr(out, "'");
}

void step_say(const Migration *migration, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    watch_say(migration, fmt, args);
    va_end(args);
}
