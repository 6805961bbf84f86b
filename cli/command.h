/* Subcommands: what each one is, and what all of them share.
 *
 * A subcommand is one file with one const Command, listed in main.c. Its options are a const table, from
 * which both the parser and --help are made; -h/--help and --no-color are every command's. What a command was
 * asked for goes to stdout, everything else to stderr. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

#include "base/error.h"

/* Exit codes. */
enum {
    COMMAND_DONE = 0,     /* and nothing to report */
    COMMAND_FINDINGS = 1, /* findings, unmet preconditions, a failed step */
    COMMAND_USAGE = 2,    /* wrong usage or configuration */
};

typedef struct CommandOption {
    int id;               /* what command_next returns: > 0; its letter where it has one, else from 256 on */
    const char *name;     /* without the dashes */
    const char *argument; /* "FILE"; NULL: the option takes none */
    const char *help;
} CommandOption;

typedef struct Command {
    const char *name;
    const char *usage;            /* behind "shardferry NAME " */
    const char *summary;          /* a phrase, for the list of commands */
    const CommandOption *options; /* ends with id 0; NULL: none */
    int (*run)(const struct Command *self, int argc,
               char **argv); /* argv[0] is the name; returns an exit code */
} Command;

#define COMMAND_OPERANDS 0 /* the operands start at argv[optind] */
#define COMMAND_STOP (-1)  /* help was printed, or an error: return *exit_code */

/* The next option of the command line; its argument is in optarg. Start with optind = 0, as run is called. */
MUST_USE int command_next(const Command *command, int argc, char **argv, int *exit_code);

/* Prints "shardferry: MESSAGE", then detail and hint, indented. */
void command_print_error(const Error *err);
void command_print_warning(const char *text);
/* For a wrong command line: the message, and where help is. Returns COMMAND_USAGE. */
int command_misused(const Command *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Whether output on this descriptor may have colours: a terminal, no NO_COLOR, no --no-color, no TERM=dumb.
 */
bool command_color(int fd);

/* Finds the command named in argv[1] and runs it; handles --help, --version, help, and misspellings.
 * `commands` ends with NULL. Returns the exit code. */
int command_dispatch(const Command *const *commands, int argc, char **argv);

#endif
