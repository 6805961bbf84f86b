/* shardferry migrate: brings the database to a stage. */
#include "cli/runner.h"

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {RUNNER_TO, "to", "STAGE", "how far to go: derive, keyed, resolve, distributed (default) or done"},
    {RUNNER_DRY_RUN, "dry-run", NULL, "print the SQL of each step, change nothing"},
    {RUNNER_YES, "yes", NULL, "do not ask"},
    {RUNNER_LOCK_WAIT, "lock-wait", "SECONDS", "how long in all to try for a lock (300)"},
    {0, NULL, NULL, NULL},
};

static bool confirm(void) { return runner_ask("Go on?"); }

static const char *refuse(Stage to) {
    return to < STAGE_DERIVE ? "a migration does not go back; shardferry undo does" : NULL;
}

static int run(const Command *self, int argc, char **argv) {
    static const RunnerCommand command = {
        .to = "distributed", .confirm = confirm, .refuse = refuse, .run = migrate_run};

    return runner_run(self, &command, argc, argv);
}

extern const Command command_migrate;
const Command command_migrate = {
    .name = "migrate",
    .usage = "-c FILE [--to STAGE] [--dry-run] [--yes] [--lock-wait SECONDS]",
    .summary = "bring the database to a stage, step by step; safe to kill and to run again",
    .options = options,
    .run = run,
};
