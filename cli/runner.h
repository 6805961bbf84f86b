/* What `migrate` and `undo` have in common: they take a database to a stage. */
#ifndef CLI_RUNNER_H
#define CLI_RUNNER_H

#include "cli/command.h"
#include "migrate/migrate.h"

enum { RUNNER_TO = 256, RUNNER_DRY_RUN, RUNNER_YES, RUNNER_LOCK_WAIT };

typedef struct RunnerCommand {
    const char *to; /* where --to is not given; NULL: it has to be */
    /* Asked before anything is changed, on a terminal. */
    bool (*confirm)(void);
    /* Why it does not go to a stage; NULL: it does. */
    const char *(*refuse)(Stage to);
    MigrateResult (*run)(const Config *config, const MigrateOptions *options, Error *err);
} RunnerCommand;

/* Asks for y or n. */
bool runner_ask(const char *question);

/* Reads the command line, whose options are -c and the four above, and runs the command; returns its exit
 * status. */
int runner_run(const Command *self, const RunnerCommand *command, int argc, char **argv);

#endif
