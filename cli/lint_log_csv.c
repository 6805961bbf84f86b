/* The log as a table: a record may have several lines, inside quotes.
 *
 * A quote in a field is doubled, so a record is complete at the end of a line up to which the number of
 * quotes is even. A record that was cut off (the server was killed) would swallow what follows it: a line on
 * which another one begins ends it. */
#include <string.h>

#include "cli/lint_log_reader.h"

/* Columns, from 0, as far as all versions have them alike. */
enum {
    COLUMN_USER = 1,
    COLUMN_DATABASE = 2,
    COLUMN_SESSION = 5,
    COLUMN_SEVERITY = 11,
    COLUMN_MESSAGE = 13,
    COLUMN_DETAIL = 14,
    COLUMN_STATEMENT = 19,
    COLUMN_APPLICATION = 22,
    COLUMNS = 23
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Passes over one field at *at, which is in quotes or has none; false if no comma stands behind it. */
static bool pass_field(Str line, size_t *at) {
    if (*at < line.len && line.ptr[*at] == '"') {
        for (++*at; *at < line.len; ++*at) {
            if (line.ptr[*at] != '"')
                continue;
            if (*at + 1 < line.len && line.ptr[*at + 1] == '"')
                ++*at;
            else
                break;
        }
        ++*at;
    } else {
        while (*at < line.len && line.ptr[*at] != ',' && line.ptr[*at] != '"')
            ++*at;
    }
    return *at < line.len && line.ptr[(*at)++] == ',';
}

/* "2026-01-02 03:04:05.678 UTC,user,database,pid,": quotes around the names, or nothing at all. */
static bool begins(const LintLogReader *reader, Str line) {
    static const char shape[] = "0000-00-00 00:00:00.000 ";
    size_t at = sizeof(shape) - 1;
    (void)reader;
    if (line.len < at)
        return false;
    for (size_t i = 0; i < at; i++)
        if (shape[i] == '0' ? !is_digit(line.ptr[i]) : line.ptr[i] != shape[i])
            return false;
    for (int i = 0; i < 3; i++) /* the time zone, user, database */
        if (!pass_field(line, &at))
            return false;
    size_t digits = at;
    while (at < line.len && is_digit(line.ptr[at]))
        at++;
    return at > digits && at < line.len && line.ptr[at] == ',';
}

static bool is_odd(Str line) {
    size_t quotes = 0;
    for (const char *p = line.ptr, *end = p + line.len; (p = memchr(p, '"', (size_t)(end - p))); p++)
        quotes++;
    return quotes % 2 == 1;
}

/* All lines of the record into `head`. False if it does not end. */
static bool gather(LintLogReader *reader) {
    Buf *record = &reader->head;
    bool open = is_odd(reader->lines.line);
    const size_t max = 4 * reader->max_bytes + 65536;
    buf_clear(record);
    buf_append_str(record, reader->lines.line);
    while (open) {
        if (reader->lines.cut || !lint_log_lines_next(&reader->lines))
            return false;
        if (begins(reader, reader->lines.line)) {
            lint_log_lines_unread(&reader->lines);
            return false;
        }
        open ^= is_odd(reader->lines.line);
        if (buf_len(record) + reader->lines.line.len < max) {
            buf_put_u8(record, '\n');
            buf_append_str(record, reader->lines.line);
        }
    }
    return true;
}

static Str unquoted(LintLogText *text, Str field, size_t max_bytes) {
    if (field.len < 2 || field.ptr[0] != '"') {
        lint_log_text_add(text, field, max_bytes);
        return lint_log_text(text);
    }
    const char *p = field.ptr + 1, *end = field.ptr + field.len - 1;
    while (p < end) {
        const char *quote = memchr(p, '"', (size_t)(end - p));
        const char *stop = quote ? quote + 1 : end; /* one of the two */
        lint_log_text_add(text, (Str){p, (size_t)(stop - p)}, max_bytes);
        p = quote ? quote + 2 : end;
    }
    return lint_log_text(text);
}

static bool read_entry(LintLogReader *reader, LintLogEntry *entry) {
    Str fields[COLUMNS] = {{0}};
    int n = 0;
    size_t at = 0;
    if (!gather(reader))
        return false;
    Str record = {(const char *)buf_ptr(&reader->head), buf_len(&reader->head)};
    for (bool more = true; more && n < COLUMNS; n++) {
        size_t start = at;
        more = pass_field(record, &at);
        fields[n] = (Str){record.ptr + start, at - start - more};
    }
    if (n < COLUMNS)
        return false;
    Str *names[] = {&entry->user, &entry->database, &entry->application, &entry->session};
    static const int columns[] = {COLUMN_USER, COLUMN_DATABASE, COLUMN_APPLICATION, COLUMN_SESSION};
    size_t starts[ARRAY_LEN(columns) + 1] = {0};
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        starts[i + 1] = unquoted(&reader->names, fields[columns[i]], reader->max_bytes).len;
    const char *all = lint_log_text(&reader->names).ptr;
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        *names[i] = (Str){all + starts[i], starts[i + 1] - starts[i]};
    entry->severity = lint_log_severity(fields[COLUMN_SEVERITY]);
    (void)unquoted(&reader->message, fields[COLUMN_MESSAGE], reader->max_bytes);
    (void)unquoted(&reader->detail, fields[COLUMN_DETAIL], reader->max_bytes);
    (void)unquoted(&reader->statement, fields[COLUMN_STATEMENT], reader->max_bytes);
    return true;
}

const LintLogFormat lint_log_csv = {.name = "csvlog", .begins = begins, .read = read_entry};
