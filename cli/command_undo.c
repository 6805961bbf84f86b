/* shardferry undo: takes the database back to an earlier stage. */
#include "cli/runner.h"
#include "migrate/undo.h"

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {RUNNER_TO, "to", "STAGE", "how far to go back: observe, derive, keyed, resolve or distributed"},
    {RUNNER_DRY_RUN, "dry-run", NULL, "print the SQL that takes each step back, change nothing"},
    {RUNNER_YES, "yes", NULL, "do not ask"},
    {RUNNER_LOCK_WAIT, "lock-wait", "SECONDS", "how long in all to try for a lock (300)"},
    {0, NULL, NULL, NULL},
};

static bool confirm(void) { return runner_ask("Go back?"); }

static const char *refuse(Stage to) {
    return to >= STAGE_DONE ? "nothing lies behind it; shardferry migrate goes forth" : NULL;
}

static int run(const Command *self, int argc, char **argv) {
    static const RunnerCommand command = {.confirm = confirm, .refuse = refuse, .run = undo_run};

    return runner_run(self, &command, argc, argv);
}

extern const Command command_undo;
const Command command_undo = {
    .name = "undo",
    .usage = "-c FILE --to STAGE [--dry-run] [--yes] [--lock-wait SECONDS]",
    .summary = "take the database back to an earlier stage, step by step; safe to kill and to run again",
    .options = options,
    .run = run,
};
