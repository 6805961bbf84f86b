/* The log as people read it.
 *
 *     PREFIX LOG:  statement: SELECT 1
 *     TAB further lines of the same text
 *     PREFIX DETAIL:  more of the same entry
 *
 * A prefix may be anything, so an entry is found by its severity, a word of a few with a colon and two spaces
 * behind it. Lines that are neither (other programs print to the same file) belong to nothing. */
#include <string.h>

#include "cli/lint_log_prefix.h"
#include "cli/lint_log_reader.h"

static const char *const severities[] = {"DEBUG", "LOG",    "INFO",   "NOTICE", "WARNING", "ERROR", "FATAL",
                                         "PANIC", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4",  "DEBUG5"};
/* What follows them in an entry. */
static const char *const parts[] = {"DETAIL",    "HINT",     "QUERY",    "CONTEXT",
                                    "STATEMENT", "LOCATION", "BACKTRACE"};

typedef struct Head {
    Str prefix;
    Str word;
    Str text; /* behind the two spaces */
    bool is_part;
} Head;

static bool is_one_of(Str word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (str_is(word, words[i]))
            return true;
    return false;
}

/* The head that ends at the colon line.ptr[colon]. */
static bool head_at(Str line, size_t colon, Head *head) {
    size_t start = colon;
    while (start > 0 && ((line.ptr[start - 1] >= 'A' && line.ptr[start - 1] <= 'Z') ||
                         (line.ptr[start - 1] >= '0' && line.ptr[start - 1] <= '9')))
        start--;
    head->prefix = (Str){line.ptr, start};
    head->word = (Str){line.ptr + start, colon - start};
    head->text = (Str){line.ptr + colon + 3, line.len - colon - 3};
    head->is_part = is_one_of(head->word, parts, ARRAY_LEN(parts));
    return head->is_part || is_one_of(head->word, severities, ARRAY_LEN(severities));
}

/* The first head in a line whose prefix matches where that is known. */
static bool find_head(const LintLogReader *reader, Str line, Head *head, LintLogPrefix *prefix) {
    *prefix = (LintLogPrefix){0};
    if (line.len == 0 || line.ptr[0] == '\t')
        return false;
    for (size_t at = 0; at + 3 <= line.len; at++) {
        const char *colon = memchr(line.ptr + at, ':', line.len - at - 2);
        if (!colon)
            return false;
        at = (size_t)(colon - line.ptr);
        if (colon[1] != ' ' || colon[2] != ' ' || !head_at(line, at, head))
            continue;
        if (!reader->prefix || reader->guessed ||
            lint_log_prefix_matches(reader->prefix, head->prefix, prefix))
            return true;
    }
    return false;
}

static bool begins(const LintLogReader *reader, Str line) {
    Head head;
    LintLogPrefix prefix;
    return find_head(reader, line, &head, &prefix) && !head.is_part;
}

/* A guess holds for this line only if it matches; other lines may be of another pattern. */
static void take_guess(LintLogReader *reader, Str text, LintLogPrefix *prefix) {
    if (reader->guessed && lint_log_prefix_matches(reader->prefix, text, prefix))
        return;
    const char *guess = lint_log_prefix_guess(text, prefix);
    if (!guess)
        return;
    reader->prefix = guess;
    reader->guessed = true;
}

/* Keeps the prefix, in which the names are, for as long as the entry. */
static void take_head(LintLogReader *reader, const Head *head, LintLogEntry *entry) {
    LintLogPrefix prefix;
    lint_log_text_add(&reader->names, head->prefix, reader->max_bytes);
    Str kept = lint_log_text(&reader->names);
    if (reader->prefix && !reader->guessed) {
        if (!lint_log_prefix_matches(reader->prefix, kept, &prefix))
            return;
    } else {
        prefix = (LintLogPrefix){0};
        take_guess(reader, kept, &prefix);
    }
    entry->session = prefix.session;
    entry->user = prefix.user;
    entry->database = prefix.database;
    entry->application = prefix.application;
}

static LintLogText *part_text(LintLogReader *reader, Str word) {
    return str_is(word, "DETAIL") ? &reader->detail : str_is(word, "STATEMENT") ? &reader->statement : NULL;
}

static bool read_entry(LintLogReader *reader, LintLogEntry *entry) {
    Head head;
    LintLogPrefix prefix;
    LintLogText *text = &reader->message;
    if (!find_head(reader, reader->lines.line, &head, &prefix))
        return false;
    take_head(reader, &head, entry);
    entry->severity = lint_log_severity(head.word);
    lint_log_text_add(text, head.text, reader->max_bytes);
    text->cut |= reader->lines.cut;
    while (lint_log_lines_next(&reader->lines)) {
        Str line = reader->lines.line;
        if (line.len > 0 && line.ptr[0] == '\t') {
            if (text) {
                lint_log_text_char(text, '\n', reader->max_bytes);
                lint_log_text_add(text, (Str){line.ptr + 1, line.len - 1}, reader->max_bytes);
                text->cut |= reader->lines.cut;
            }
            continue;
        }
        text = NULL;
        if (!find_head(reader, line, &head, &prefix))
            continue;
        if (!head.is_part) {
            lint_log_lines_unread(&reader->lines);
            return true;
        }
        text = part_text(reader, head.word);
        if (text)
            lint_log_text_add(text, head.text, reader->max_bytes);
    }
    return true;
}

const LintLogFormat lint_log_stderr = {.name = "stderr", .begins = begins, .read = read_entry};
