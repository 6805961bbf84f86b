/* SQL scripts, as psql reads them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/lint_source.h"

static void print_notice(void *arg, int64_t line, const char *text) {
    fprintf(stderr, "%s:%lld: %s\n", (const char *)arg, (long long)line, text);
}

static MUST_USE bool run_file(Lint *lint, const char *path, Error *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "stdin" : path;
    size_t max_bytes = (size_t)lint_config(lint)->parse_bytes;
    LintSession *session = lint_session_of_client(lint_snapshot(lint), NULL, NULL);
    LintSplit *split = NULL;
    LintStatement statement;
    LintSplitResult got = LINT_SPLIT_FAILED;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "58030", "%s: cannot open: %s", path, strerror(errno));
        goto done;
    }
    split = lint_split_new(fd, max_bytes, print_notice, (void *)name);
    while ((got = lint_split_next(split, &statement, err)) == LINT_SPLIT_STATEMENT)
        lint_judge(lint, session, &statement,
                   &(LintOrigin){.file = name,
                                 .is_path = true,
                                 .line = statement.line,
                                 .text_line = statement.text_line,
                                 .text_column = statement.text_column});
    if (got == LINT_SPLIT_FAILED)
        error_prefix(err, "%s", name);
done:
    lint_split_free(split);
    lint_session_free(session);
    if (!is_stdin && fd >= 0)
        close(fd);
    return got == LINT_SPLIT_END;
}

static bool run(Lint *lint, const LintRequest *request, Error *err) {
    for (int i = 0; i < request->noperands; i++)
        if (!run_file(lint, request->operands[i], err))
            return false;
    return true;
}

const LintSource lint_source_script = {
    .name = "script",
    .help = "SQL as psql reads it: the files, or standard input",
    .takes_operands = true,
    .run = run,
};
