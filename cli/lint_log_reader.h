/* The entries of a log: stderr, csvlog and jsonlog look alike from here on. */
#ifndef CLI_LINT_LOG_READER_H
#define CLI_LINT_LOG_READER_H

#include "cli/lint_log_entry.h"
#include "cli/lint_log_lines.h"

typedef struct LintLogFormat LintLogFormat;

/* One entry's texts. */
typedef struct LintLogText {
    Buf buf;
    bool cut;
} LintLogText;

typedef struct LintLogReader {
    LintLogLines lines;
    size_t max_bytes; /* of a text that is held */
    const LintLogFormat *format;
    const char *prefix; /* log_line_prefix; NULL: to be guessed */
    bool guessed;       /* a usual one matches, and stands in `prefix` */
    int64_t skipped;    /* entries that could not be read: cut off, or overwritten */
    int64_t recognised; /* lines that tell the format */
    /* of the entry under way */
    Buf head; /* what stands before the severity, or the record */
    LintLogText message, detail, statement;
    LintLogText names; /* of user, database, application, session */
} LintLogReader;

/* One file each: lint_log_csv.c, lint_log_json.c, lint_log_stderr.c. */
struct LintLogFormat {
    const char *name;
    bool (*begins)(const LintLogReader *reader, Str line); /* whether an entry begins so */
    /* Reads the entry that begins with the last line read. False if that is none, or it is cut off. */
    bool (*read)(LintLogReader *reader, LintLogEntry *entry);
};

extern const LintLogFormat lint_log_csv;
extern const LintLogFormat lint_log_json;
extern const LintLogFormat lint_log_stderr;

/* `prefix`: log_line_prefix, NULL if it is not known. Texts are held up to `max_bytes`. */
void lint_log_reader_init(LintLogReader *reader, int fd, const char *prefix, size_t max_bytes);
void lint_log_reader_free(LintLogReader *reader);

/* The next entry. False at the end, or where the file cannot be read (lines.read_errno). */
bool lint_log_reader_next(LintLogReader *reader, LintLogEntry *entry) MUST_USE;

/* ---- for the formats ---- */

void lint_log_text_clear(LintLogText *text);
void lint_log_text_add(LintLogText *text, Str part, size_t max_bytes);
void lint_log_text_char(LintLogText *text, char c, size_t max_bytes);
/* NUL-terminated; empty for one that has nothing. */
Str lint_log_text(LintLogText *text) MUST_USE;

#endif
