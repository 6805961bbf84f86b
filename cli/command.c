/* Dispatch, options, messages. */
#include "cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/version.h"
#include "conf/suggest.h"

#define OPTIONS_MAX 32
#define ID_NO_COLOR 1
#define FIRST_WITHOUT_LETTER 256

static const CommandOption common_options[] = {
    {'h', "help", NULL, "print this help"},
    {ID_NO_COLOR, "no-color", NULL, "print without colours, as with NO_COLOR set or without a terminal"},
    {0, NULL, NULL, NULL},
};

static const CommandOption no_options[] = {{0, NULL, NULL, NULL}};

/* What draws by itself asks the environment. */
static void refuse_color(void) { (void)setenv("NO_COLOR", "1", 1); }

static bool has_letter(const CommandOption *option) {
    return option->id != ID_NO_COLOR && option->id < FIRST_WITHOUT_LETTER;
}

static const CommandOption *options_of(const Command *command) {
    return command->options ? command->options : no_options;
}

bool command_color(int fd) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no_color && *no_color) && term && strcmp(term, "dumb") != 0 && isatty(fd);
}

static void print_headed(const char *color, const char *head, const char *text) {
    bool colored = command_color(STDERR_FILENO);

    fprintf(stderr, "%sshardferry:%s %s%s\n", colored ? color : "", colored ? "\033[0m" : "", head, text);
}

void command_print_error(const Error *err) {
    print_headed("\033[1;31m", "", err->message);
    if (err->detail[0])
        fprintf(stderr, "  %s\n", err->detail);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
}

void command_print_warning(const char *text) { print_headed("\033[1;33m", "warning: ", text); }

int command_misused(const Command *command, const char *fmt, ...) {
    Error err;
    va_list args;
    char text[sizeof(err.message)];

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    error_set(&err, SQLSTATE_CONFIG_FILE_ERROR, "%s", text);
    error_hint(&err, "See shardferry %s --help.", command->name);
    command_print_error(&err);
    return COMMAND_USAGE;
}

/* ---- help ---- */

static void print_options(const CommandOption *options) {
    for (; options->id; options++) {
        char *left = has_letter(options) ? mem_printf("-%c, --%s", options->id, options->name)
                                         : mem_printf("    --%s", options->name);
        char *both = options->argument ? mem_printf("%s %s", left, options->argument) : mem_strdup(left);

        printf("  %-24s  %s\n", both, options->help);
        free(left);
        free(both);
    }
}

static void print_command_help(const Command *command) {
    printf("%s: %s\n\nusage: shardferry %s %s\n\n", command->name, command->summary, command->name,
           command->usage);
    print_options(options_of(command));
    print_options(common_options);
}

static void print_overview(FILE *to, const Command *const *commands) {
    fprintf(to, "shardferry takes a live multi-tenant PostgreSQL database to Citus.\n\n"
                "usage: shardferry COMMAND [OPTION]...\n\ncommands:\n");
    for (; *commands; commands++)
        fprintf(to, "  %-10s  %s\n", (*commands)->name, (*commands)->summary);
    fprintf(to, "  %-10s  %s\n\n", "help", "print the help of a command: shardferry help COMMAND");
    fprintf(to, "shardferry --version prints the version. The manual is shardferry(1).\n"
                "exit codes: 0 done; 1 findings, or a step that failed; 2 wrong usage or configuration\n");
}

/* ---- options ---- */

static int add_options(const CommandOption *options, struct option *longs, int n, char **letters) {
    for (; options->id && n < OPTIONS_MAX; options++) {
        longs[n++] = (struct option){options->name, options->argument ? required_argument : no_argument, NULL,
                                     options->id};
        if (!has_letter(options))
            continue;
        *(*letters)++ = (char)options->id;
        if (options->argument)
            *(*letters)++ = ':';
    }
    return n;
}

static int option_misused(const Command *command, const struct option *longs, const char *written,
                          bool no_argument_given) {
    char *name = mem_printf("%.*s", (int)strcspn(written, "="), written);
    Suggestion near;
    int code;

    suggest_start(&near, strncmp(name, "--", 2) == 0 ? name + 2 : name);
    for (; longs->name; longs++)
        suggest_consider(&near, longs->name);
    if (no_argument_given)
        code = command_misused(command, "option %s needs an argument", name);
    else if (near.best && near.distance == 0)
        code = command_misused(command, "option %s takes no argument", name);
    else if (near.best && name[1] == '-')
        code = command_misused(command, "unknown option %s; did you mean --%s?", name, near.best);
    else
        code = command_misused(command, "unknown option %s", name);
    free(name);
    return code;
}

int command_next(const Command *command, int argc, char **argv, int *exit_code) {
    struct option longs[OPTIONS_MAX + 1] = {{NULL, 0, NULL, 0}};
    char letters[2 * OPTIONS_MAX + 2] = ":";
    char *end = letters + 1;
    int n = add_options(options_of(command), longs, 0, &end);
    int id;

    add_options(common_options, longs, n, &end);
    *end = '\0';
    opterr = 0;
    do {
        id = getopt_long(argc, argv, letters, longs, NULL);
        if (id == ID_NO_COLOR)
            refuse_color();
    } while (id == ID_NO_COLOR);
    switch (id) {
    case -1:
        return COMMAND_OPERANDS;
    case 'h':
        print_command_help(command);
        *exit_code = COMMAND_DONE;
        return COMMAND_STOP;
    case '?':
    case ':':
        if (id == '?' && optopt > ' ' && optopt < FIRST_WITHOUT_LETTER &&
            strncmp(argv[optind - 1], "--", 2) != 0)
            *exit_code = command_misused(command, "unknown option -%c", optopt);
        else
            *exit_code = option_misused(command, longs, argv[optind - 1], id == ':');
        return COMMAND_STOP;
    default:
        return id;
    }
}

/* ---- dispatch ---- */

static const Command *find(const Command *const *commands, const char *name) {
    for (; *commands; commands++)
        if (strcmp((*commands)->name, name) == 0)
            return *commands;
    return NULL;
}

static int unknown_command(const Command *const *commands, const char *name) {
    Suggestion near;
    Error err;

    suggest_start(&near, name);
    suggest_consider(&near, "help");
    for (; *commands; commands++)
        suggest_consider(&near, (*commands)->name);
    error_set(&err, SQLSTATE_CONFIG_FILE_ERROR, "there is no command \"%s\"", name);
    if (near.best)
        error_hint(&err, "Did you mean \"shardferry %s\"?", near.best);
    else
        error_hint(&err, "shardferry --help lists the commands.");
    command_print_error(&err);
    return COMMAND_USAGE;
}

static int print_help(const Command *const *commands, const char *name) {
    const Command *command = name ? find(commands, name) : NULL;

    if (!name)
        print_overview(stdout, commands);
    else if (command)
        print_command_help(command);
    else
        return unknown_command(commands, name);
    return COMMAND_DONE;
}

static int run(const Command *const *commands, int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : NULL;
    const Command *command;

    if (!name) {
        print_overview(stderr, commands);
        return COMMAND_USAGE;
    }
    if (strcmp(name, "--no-color") == 0) {
        refuse_color();
        return run(commands, argc - 1, argv + 1);
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
        return print_help(commands, argc > 2 ? argv[2] : NULL);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("shardferry %s\n", SHARDFERRY_VERSION);
        return COMMAND_DONE;
    }
    command = find(commands, name);
    if (!command)
        return unknown_command(commands, name);
    optind = 0; /* makes getopt start anew */
    return command->run(command, argc - 1, argv + 1);
}

/* Whether all of standard output has been written; `err` says why not. stdio keeps of an earlier failure only
 * that there was one. */
static MUST_USE bool end_output(Error *err) {
    bool failed_earlier = ferror(stdout);

    if (fflush(stdout) != 0)
        return error_set(err, "58030", "could not write to standard output: %s", strerror(errno));
    if (failed_earlier)
        return error_set(err, "58030", "could not write all of standard output");
    return true;
}

int command_dispatch(const Command *const *commands, int argc, char **argv) {
    int code = run(commands, argc, argv);
    Error err;

    if (end_output(&err))
        return code;
    command_print_error(&err);
    return code == COMMAND_DONE ? COMMAND_FINDINGS : code;
}
