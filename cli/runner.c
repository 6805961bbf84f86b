/* The command line of `migrate` and `undo`. See runner.h. */
#include "cli/runner.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOCK_WAIT_MAX 86400

typedef struct Arguments {
    const char *config;
    const char *to;
    const char *lock_wait;
    bool dry_run;
    bool yes;
} Arguments;

bool runner_ask(const char *question) {
    char answer[16];

    printf("%s [y/N] ", question);
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

/* COMMAND_DONE if the command line makes sense; `out` is filled then. */
static int check_arguments(const Command *self, const RunnerCommand *command, const Arguments *arguments,
                           MigrateOptions *out) {
    const char *refused;
    char *end;
    long seconds;

    if (!arguments->config)
        return command_misused(self, "-c FILE is missing");
    if (!arguments->to)
        return command_misused(self, "--to STAGE is missing");
    if (!stage_parse(arguments->to, &out->to))
        return command_misused(self, "--to: there is no stage \"%s\"", arguments->to);
    refused = command->refuse(out->to);
    if (refused)
        return command_misused(self, "--to %s: %s", arguments->to, refused);
    seconds = strtol(arguments->lock_wait, &end, 10);
    if (end == arguments->lock_wait || *end || seconds < 0 || seconds > LOCK_WAIT_MAX)
        return command_misused(self, "--lock-wait: \"%s\" is not a number of seconds from 0 to %d",
                               arguments->lock_wait, LOCK_WAIT_MAX);
    out->lock_wait = (int)seconds;
    out->dry_run = arguments->dry_run;
    if (!arguments->yes && !arguments->dry_run) {
        if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
            return command_misused(self, "this is no terminal, and so nobody can be asked: say --yes");
        out->confirm = command->confirm;
    }
    return COMMAND_DONE;
}

static int run_with(const RunnerCommand *command, const char *config_file, const MigrateOptions *options) {
    Error err = {0};
    Config *config = config_load(config_file, CONFIG_FOR_MIGRATE, &err);
    MigrateResult result;

    if (!config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    result = command->run(config, options, &err);
    config_free(config);
    if (result == MIGRATE_FAILED) {
        command_print_error(&err);
        return strcmp(err.sqlstate, SQLSTATE_CONFIG_FILE_ERROR) == 0 ? COMMAND_USAGE : COMMAND_FINDINGS;
    }
    return result == MIGRATE_DONE ? COMMAND_DONE : COMMAND_FINDINGS;
}

int runner_run(const Command *self, const RunnerCommand *command, int argc, char **argv) {
    Arguments arguments = {.to = command->to, .lock_wait = "300"};
    MigrateOptions options = {.out = stdout};
    int id, status;

    while ((id = command_next(self, argc, argv, &status)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return status;
        if (id == 'c')
            arguments.config = optarg;
        else if (id == RUNNER_TO)
            arguments.to = optarg;
        else if (id == RUNNER_LOCK_WAIT)
            arguments.lock_wait = optarg;
        else if (id == RUNNER_DRY_RUN)
            arguments.dry_run = true;
        else
            arguments.yes = true;
    }
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    status = check_arguments(self, command, &arguments, &options);
    return status == COMMAND_DONE ? run_with(command, arguments.config, &options) : status;
}
