/* The server's own log: what was sent, how often, and what it cost.
 *
 * A log names a statement each time, so the results are gathered; files are read in the order given, as one
 * log: sessions go on from one to the next. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/lint_gather.h"
#include "cli/lint_log_follow.h"
#include "cli/lint_log_reader.h"
#include "cli/lint_source.h"

#define GATHER_BYTES ((size_t)64 * 1024 * 1024)

static void warn(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void warn(const char *name, const char *fmt, ...) {
    Error text;
    va_list args;
    char message[sizeof(text.message)];
    va_start(args, fmt);
    vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    error_set(&text, SQLSTATE_INTERNAL_ERROR, "%s%s%s", name ? name : "", name ? ": " : "", message);
    command_print_warning(text.message);
}

static MUST_USE bool read_entries(LintLogFollow *follow, LintLogReader *reader, const char *name,
                                  Error *err) {
    LintLogEntry entry;
    while (lint_log_reader_next(reader, &entry))
        lint_log_follow_take(follow, &entry, name);
    if (reader->lines.read_errno)
        return error_set(err, "58030", "%s: cannot read: %s", name, strerror(reader->lines.read_errno));
    return true;
}

/* What the user should know of a file as such. */
static void report_file(const LintLogReader *reader, const char *name) {
    if (reader->skipped > 0)
        warn(name, "%" PRId64 " entr%s cut off or damaged, and left out", reader->skipped,
             reader->skipped == 1 ? "y is" : "ies are");
    if (reader->recognised == 0 && reader->lines.number > 0)
        warn(name, "no line of it is an entry of a PostgreSQL log (stderr%s, csvlog or jsonlog)",
             reader->prefix ? " with that --log-line-prefix" : "");
}

static MUST_USE bool run_file(Lint *lint, LintLogFollow *follow, const LintRequest *request, const char *path,
                              Error *err) {
    bool is_stdin = strcmp(path, "-") == 0, done;
    const char *name = is_stdin ? "stdin" : path;
    LintLogReader reader;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, "58030", "%s: cannot open: %s", path, strerror(errno));
    lint_log_reader_init(&reader, fd, request->log_line_prefix, (size_t)lint_config(lint)->parse_bytes);
    done = read_entries(follow, &reader, name, err);
    if (done)
        report_file(&reader, name);
    lint_log_reader_free(&reader);
    if (!is_stdin)
        close(fd);
    return done;
}

static void report_all(const LintLogCounts *counts, const LintGathered *left) {
    if (counts->statements == 0)
        warn(NULL,
             "no statement is in the log: the server writes them with log_min_duration_statement = 0 (with "
             "their times) or log_statement = all");
    if (counts->elsewhere > 0)
        warn(NULL, "%" PRId64 " statement%s of other databases (%s, …) left out", counts->elsewhere,
             counts->elsewhere == 1 ? " is" : "s are", counts->elsewhere_name);
    if (counts->lost_names > 0)
        warn(NULL,
             "%" PRId64
             " statement%s the search_path or the like of a session, but which one is not in the log: "
             "give its --log-line-prefix, with %%p or %%c in it",
             counts->lost_names, counts->lost_names == 1 ? " changes" : "s change");
    if (left->kinds > 0)
        warn(NULL,
             "too many different statements: %" PRId64 " kinds of least cost (%" PRIu64
             " calls, %.0f ms; %" PRId64 " of them findings) are left out",
             left->kinds, left->calls, left->total_ms, left->findings);
}

static bool run(Lint *lint, const LintRequest *request, Error *err) {
    LintReport *report = lint_report(lint);
    LintGather *gather = report->gather = lint_gather_new(GATHER_BYTES);
    LintLogFollow *follow =
        lint_log_follow_new(lint, request->database ? request->database : lint_snapshot(lint)->database);
    bool done = true;
    for (int i = 0; done && i < request->noperands; i++)
        done = run_file(lint, follow, request, request->operands[i], err);
    if (done) {
        LintLogCounts counts = lint_log_follow_end(follow);
        report->gather = NULL;
        LintGathered left = lint_gather_report(gather, report);
        report->left_findings = left.findings > 0;
        report_all(&counts, &left);
    }
    report->gather = NULL;
    lint_log_follow_free(follow);
    lint_gather_free(gather);
    return done;
}

const LintSource lint_source_log = {
    .name = "log",
    .help = "the server's log, as stderr, csvlog or jsonlog: the files, or standard input",
    .takes_operands = true,
    .run = run,
};
