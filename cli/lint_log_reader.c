/* Which format a file has, its first entry tells. */
#include "cli/lint_log_reader.h"

#include <string.h>

static const LintLogFormat *const formats[] = {&lint_log_json, &lint_log_csv, &lint_log_stderr};

LintLogSeverity lint_log_severity(Str word) {
    if (str_is(word, "LOG"))
        return LINT_LOG_LOG;
    if (str_is(word, "ERROR") || str_is(word, "FATAL") || str_is(word, "PANIC"))
        return LINT_LOG_ERROR;
    return LINT_LOG_OTHER;
}

void lint_log_reader_init(LintLogReader *reader, int fd, const char *prefix, size_t max_bytes) {
    *reader = (LintLogReader){.prefix = prefix, .max_bytes = max_bytes};
    /* A line may be a whole record, with its quotes doubled. */
    lint_log_lines_init(&reader->lines, fd, 4 * max_bytes + 65536);
}

void lint_log_reader_free(LintLogReader *reader) {
    lint_log_lines_free(&reader->lines);
    buf_free(&reader->head);
    buf_free(&reader->message.buf);
    buf_free(&reader->detail.buf);
    buf_free(&reader->statement.buf);
    buf_free(&reader->names.buf);
}

static void recognise(LintLogReader *reader, Str line) {
    for (size_t i = 0; !reader->format && i < ARRAY_LEN(formats); i++)
        if (formats[i]->begins(reader, line))
            reader->format = formats[i];
}

bool lint_log_reader_next(LintLogReader *reader, LintLogEntry *entry) {
    while (lint_log_lines_next(&reader->lines)) {
        if (!reader->format)
            recognise(reader, reader->lines.line);
        if (!reader->format || !reader->format->begins(reader, reader->lines.line))
            continue;
        reader->recognised++;
        lint_log_text_clear(&reader->message);
        lint_log_text_clear(&reader->detail);
        lint_log_text_clear(&reader->statement);
        lint_log_text_clear(&reader->names);
        *entry = (LintLogEntry){.line = reader->lines.number, .severity = LINT_LOG_OTHER};
        if (reader->format->read(reader, entry)) {
            entry->message = lint_log_text(&reader->message);
            entry->detail = lint_log_text(&reader->detail);
            entry->statement = lint_log_text(&reader->statement);
            entry->cut = reader->message.cut || reader->statement.cut;
            return true;
        }
        reader->skipped++;
    }
    return false;
}

void lint_log_text_clear(LintLogText *text) {
    buf_clear(&text->buf);
    text->cut = false;
}

void lint_log_text_add(LintLogText *text, Str part, size_t max_bytes) {
    size_t room = max_bytes - buf_len(&text->buf);
    text->cut |= part.len > room;
    buf_append(&text->buf, part.ptr, part.len < room ? part.len : room);
}

void lint_log_text_char(LintLogText *text, char c, size_t max_bytes) {
    lint_log_text_add(text, (Str){&c, 1}, max_bytes);
}

Str lint_log_text(LintLogText *text) {
    *buf_reserve(&text->buf, 1) = '\0';
    return (Str){(const char *)buf_ptr(&text->buf), buf_len(&text->buf)};
}
