/* The log as JSON, an object a line: strings and numbers, nothing in anything. Read here, and not by a
 * library, because a text may be in the server's encoding, whatever that is, and is then no JSON. */
#include <string.h>

#include "cli/lint_log_reader.h"

typedef struct Scan {
    const char *p, *end;
} Scan;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool begins(const LintLogReader *reader, Str line) {
    static const char key[] = "{\"timestamp\":";
    (void)reader;
    return line.len >= sizeof(key) - 1 && memcmp(line.ptr, key, sizeof(key) - 1) == 0;
}

static void put_character(LintLogText *text, uint32_t c, size_t max) {
    if (c < 0x80) {
        lint_log_text_char(text, (char)c, max);
    } else if (c < 0x800) {
        lint_log_text_char(text, (char)(0xC0 | c >> 6), max);
        lint_log_text_char(text, (char)(0x80 | (c & 0x3F)), max);
    } else {
        lint_log_text_char(text, (char)(0xE0 | c >> 12), max);
        lint_log_text_char(text, (char)(0x80 | (c >> 6 & 0x3F)), max);
        lint_log_text_char(text, (char)(0x80 | (c & 0x3F)), max);
    }
}

static bool hex4(Scan *s, uint32_t *value) {
    *value = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = s->p < s->end && *s->p ? strchr(digits, *s->p) : NULL;
        if (!digit)
            return false;
        *value = *value << 4 | (uint32_t)((digit - digits) & 15);
    }
    return true;
}

/* The backslash is passed. The server escapes control characters alone so: surrogates do not occur. */
static bool read_escape(Scan *s, LintLogText *text, size_t max) {
    static const char names[] = "bfnrt\"\\/", values[] = "\b\f\n\r\t\"\\/";
    uint32_t value;
    if (s->p == s->end)
        return false;
    char c = *s->p++;
    if (c == 'u') {
        if (!hex4(s, &value))
            return false;
        put_character(text, value, max);
        return true;
    }
    const char *name = c ? strchr(names, c) : NULL;
    if (!name)
        return false;
    lint_log_text_char(text, values[name - names], max);
    return true;
}

/* The string at s->p, appended to `text`. */
static bool read_string(Scan *s, LintLogText *text, size_t max) {
    if (s->p == s->end || *s->p++ != '"')
        return false;
    for (const char *plain = s->p; s->p < s->end; s->p++) {
        if (*s->p != '"' && *s->p != '\\')
            continue;
        lint_log_text_add(text, (Str){plain, (size_t)(s->p - plain)}, max);
        if (*s->p++ == '"')
            return true;
        if (!read_escape(s, text, max))
            return false;
        plain = s->p--;
    }
    return false;
}

static bool pass(Scan *s, char c) {
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
    return s->p < s->end && *s->p == c && s->p++;
}

/* A string, or a number as it is written. */
static bool read_value(Scan *s, LintLogText *text, size_t max) {
    while (s->p < s->end && is_blank(*s->p))
        s->p++;
    if (s->p < s->end && *s->p == '"')
        return read_string(s, text, max);
    const char *start = s->p;
    while (s->p < s->end && !strchr(",}", *s->p))
        s->p++;
    lint_log_text_add(text, (Str){start, (size_t)(s->p - start)}, max);
    return s->p < s->end;
}

typedef enum Wanted {
    WANT_USER,
    WANT_DATABASE,
    WANT_APPLICATION,
    WANT_SESSION,
    WANT_SEVERITY,
    WANTED
} Wanted;

static const char *const wanted_keys[WANTED] = {"user", "dbname", "application_name", "session_id",
                                                "error_severity"};

static LintLogText *text_of(LintLogReader *reader, Str key) {
    return str_is(key, "message")     ? &reader->message
           : str_is(key, "detail")    ? &reader->detail
           : str_is(key, "statement") ? &reader->statement
                                      : NULL;
}

static bool read_entry(LintLogReader *reader, LintLogEntry *entry) {
    Scan s = {reader->lines.line.ptr, reader->lines.line.ptr + reader->lines.line.len};
    size_t max = reader->max_bytes, starts[WANTED], lengths[WANTED] = {0};
    LintLogText unused = {{0}, false}, key = {{0}, false};
    bool whole = pass(&s, '{') && !reader->lines.cut;
    while (whole) {
        lint_log_text_clear(&key);
        lint_log_text_clear(&unused);
        whole = read_value(&s, &key, 64) && pass(&s, ':');
        if (!whole)
            break;
        Str name = lint_log_text(&key);
        size_t i = 0;
        while (i < WANTED && !str_is(name, wanted_keys[i]))
            i++;
        LintLogText *text = i < WANTED ? &reader->names : text_of(reader, name);
        size_t before = buf_len(&reader->names.buf);
        whole = read_value(&s, text ? text : &unused, text ? max : 0);
        if (i < WANTED) {
            starts[i] = before;
            lengths[i] = buf_len(&reader->names.buf) - before;
        }
        if (!pass(&s, ','))
            break;
    }
    whole = whole && pass(&s, '}');
    buf_free(&key.buf);
    buf_free(&unused.buf);
    if (!whole)
        return false;
    const char *all = lint_log_text(&reader->names).ptr;
    Str values[WANTED];
    for (size_t i = 0; i < WANTED; i++)
        values[i] = lengths[i] > 0 ? (Str){all + starts[i], lengths[i]} : STR_LIT("");
    entry->user = values[WANT_USER];
    entry->database = values[WANT_DATABASE];
    entry->application = values[WANT_APPLICATION];
    entry->session = values[WANT_SESSION];
    entry->severity = lint_log_severity(values[WANT_SEVERITY]);
    return true;
}

const LintLogFormat lint_log_json = {.name = "jsonlog", .begins = begins, .read = read_entry};
