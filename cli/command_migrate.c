/* shardferry migrate: brings the database to a stage. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "migrate/migrate.h"

enum { ID_TO = 256, ID_DRY_RUN, ID_YES, ID_LOCK_WAIT };

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {ID_TO, "to", "STAGE", "how far to go: derive, keyed, resolve, distributed (default) or done"},
    {ID_DRY_RUN, "dry-run", NULL, "print the SQL of each step, change nothing"},
    {ID_YES, "yes", NULL, "do not ask"},
    {ID_LOCK_WAIT, "lock-wait", "SECONDS", "how long in all to try for a lock (60)"},
    {0, NULL, NULL, NULL},
};

typedef struct Arguments {
    const char *config;
    const char *to;
    const char *lock_wait;
    bool dry_run;
    bool yes;
} Arguments;

static bool ask(void) {
    char answer[16];

    fputs("Go on? [y/N] ", stdout);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* COMMAND_DONE if the command line makes sense; `out` is filled then. */
static int check_arguments(const Command *self, const Arguments *arguments, MigrateOptions *out) {
    char *end;
    long seconds;

    if (!arguments->config)
        return command_misused(self, "-c FILE is missing");
    if (!stage_parse(arguments->to, &out->to))
        return command_misused(self, "--to: there is no stage \"%s\"", arguments->to);
    if (out->to < STAGE_DERIVE)
        return command_misused(self, "--to %s: a migration does not go back; shardferry undo does",
                               arguments->to);
    seconds = strtol(arguments->lock_wait, &end, 10);
    if (end == arguments->lock_wait || *end || seconds < 0 || seconds > 86400)
        return command_misused(self, "--lock-wait: \"%s\" is not a number of seconds from 0 to 86400",
                               arguments->lock_wait);
    out->lock_wait = (int)seconds;
    out->dry_run = arguments->dry_run;
    out->confirm = arguments->yes || arguments->dry_run ? NULL : ask;
    if (out->confirm && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
        return command_misused(self, "this is no terminal, and so nobody can be asked: say --yes");
    return COMMAND_DONE;
}

static int migrate(const Arguments *arguments, const MigrateOptions *out) {
    Error err = {0};
    Config *config = config_load(arguments->config, CONFIG_FOR_MIGRATE, &err);
    MigrateResult result;

    if (!config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    result = migrate_run(config, out, &err);
    config_free(config);
    if (result == MIGRATE_FAILED) {
        command_print_error(&err);
        return strcmp(err.sqlstate, SQLSTATE_CONFIG_FILE_ERROR) == 0 ? COMMAND_USAGE : COMMAND_FINDINGS;
    }
    return result == MIGRATE_DONE ? COMMAND_DONE : COMMAND_FINDINGS;
}

static int run(const Command *self, int argc, char **argv) {
    Arguments arguments = {.to = "distributed", .lock_wait = "60"};
    MigrateOptions out = {.out = stdout};
    int id, status;

    while ((id = command_next(self, argc, argv, &status)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return status;
        if (id == 'c')
            arguments.config = optarg;
        else if (id == ID_TO)
            arguments.to = optarg;
        else if (id == ID_LOCK_WAIT)
            arguments.lock_wait = optarg;
        else if (id == ID_DRY_RUN)
            arguments.dry_run = true;
        else
            arguments.yes = true;
    }
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    status = check_arguments(self, &arguments, &out);
    return status == COMMAND_DONE ? migrate(&arguments, &out) : status;
}

extern const Command command_migrate;
const Command command_migrate = {
    .name = "migrate",
    .usage = "-c FILE [--to STAGE] [--dry-run] [--yes] [--lock-wait SECONDS]",
    .summary = "bring the database to a stage, step by step; safe to kill and to run again",
    .options = options,
    .run = run,
};
