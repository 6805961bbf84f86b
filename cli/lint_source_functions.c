/* The functions of the database, which run inside the server and never pass a proxy. */
#include "cli/lint_functions.h"
#include "cli/lint_source.h"

static void visit(const LintRoutine *routine, Arena *arena, void *arg) {
    lint_functions_judge(arg, routine, arena);
}

static bool run(Lint *lint, const LintRequest *request, Error *err) {
    (void)request;
    return lint_functions_read(lint_config(lint), visit, lint, err);
}

const LintSource lint_source_functions = {
    .name = "functions",
    .help = "PL/pgSQL and SQL functions of the database",
    .stage = STAGE_RESOLVE,
    .run = run,
};
