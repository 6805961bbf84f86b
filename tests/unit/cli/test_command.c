/* Finding the command, reading its options, and what is said of a wrong command line. */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "cli/command.h"

enum { ID_DEPTH = 256 };

static const CommandOption dive_options[] = {
    {'c', "config", "FILE", "the file"},
    {ID_DEPTH, "depth", "METRES", "how deep"},
    {'q', "quiet", NULL, "no bubbles"},
    {0, NULL, NULL, NULL},
};

static int dive(const Command *self, int argc, char **argv) {
    int id, exit_code;

    while ((id = command_next(self, argc, argv, &exit_code)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return exit_code;
        printf("[%s%s%s]",
               id == 'c'   ? "config"
               : id == 'q' ? "quiet"
                           : "depth",
               id == 'q' ? "" : "=", id == 'q' ? "" : optarg);
    }
    for (int i = optind; i < argc; i++)
        printf("(%s)", argv[i]);
    return argc - optind > 1 ? COMMAND_FINDINGS : COMMAND_DONE;
}

static int surface(const Command *self, int argc, char **argv) {
    int exit_code;

    return command_next(self, argc, argv, &exit_code) == COMMAND_STOP ? exit_code : COMMAND_DONE;
}

static const Command command_dive = {"dive", "-c FILE [FISH...]", "go down", dive_options, dive};
static const Command command_surface = {"surface", "", "come up", NULL, surface};
static const Command *const commands[] = {&command_dive, &command_surface, NULL};

#define WORDS_MAX 8

typedef struct Case {
    const char *words[WORDS_MAX]; /* behind "shardferry" */
    int exit_code;
    const char *out, *err; /* contained; "": nothing is printed */
} Case;

static const Case cases[] = {
    /* options and operands */
    {{"dive"}, 0, "", ""},
    {{"surface"}, 0, "", ""},
    {{"dive", "-c", "x", "--depth=5", "-q"}, 0, "[config=x][depth=5][quiet]", ""},
    {{"dive", "-qcx", "a", "-"}, 1, "[quiet][config=x](a)(-)", ""},
    {{"dive", "--no-color", "-q", "--no-color", "a"}, 0, "[quiet](a)", ""},
    {{"--no-color", "dive", "-q"}, 0, "[quiet]", ""},
    {{"dive", "--", "-q"}, 0, "(-q)", ""},

    /* help */
    {{"help"}, 0, "  dive        go down\n  surface     come up\n", ""},
    {{"--help"}, 0, "usage: shardferry COMMAND", ""},
    {{"-h"}, 0, "usage: shardferry COMMAND", ""},
    {{"help", "dive"}, 0, "usage: shardferry dive -c FILE [FISH...]\n\n  -c, --config FILE ", ""},
    {{"dive", "--help"}, 0, "      --depth METRES        how deep\n", ""},
    {{"dive", "-q", "-h"}, 0, "  -h, --help ", ""},
    {{"surface", "-h"}, 0, "      --no-color ", ""},
    {{"--version"}, 0, "shardferry ", ""},
    {{"-V"}, 0, "shardferry ", ""},

    /* wrong usage */
    {{NULL}, 2, "", "usage: shardferry COMMAND"},
    {{"--no-color"}, 2, "", "usage: shardferry COMMAND"},
    {{"dvie"}, 2, "", "shardferry: there is no command \"dvie\"\n  Did you mean \"shardferry dive\"?\n"},
    {{"hlep"}, 2, "", "Did you mean \"shardferry help\"?"},
    {{"frobnicate"}, 2, "", "shardferry --help lists the commands."},
    {{"help", "surfaec"}, 2, "", "Did you mean \"shardferry surface\"?"},
    {{"-x"}, 2, "", "there is no command \"-x\""},
    {{""}, 2, "", "there is no command \"\""},
    {{"dive", "-c"}, 2, "", "shardferry: option -c needs an argument\n  See shardferry dive --help.\n"},
    {{"dive", "--depth"}, 2, "", "option --depth needs an argument"},
    {{"dive", "-x"}, 2, "", "unknown option -x\n"},
    {{"dive", "--dpeth", "5"}, 2, "", "unknown option --dpeth; did you mean --depth?"},
    {{"dive", "--frobnicate"}, 2, "", "unknown option --frobnicate\n"},
    {{"dive", "--quiet=very"}, 2, "", "option --quiet takes no argument"},
    {{"surface", "--quiet"}, 2, "", "unknown option --quiet\n"},
};

/* Lets what is written to `fd` go to a file in memory; returns what it was. */
static int divert(int fd) {
    int was = dup(fd), file = memfd_create("output", MFD_CLOEXEC);

    if (was < 0 || file < 0 || dup2(file, fd) < 0)
        abort();
    close(file);
    return was;
}

/* Reads what was written, and puts `fd` back to what it was. */
static void restore(int fd, int was, char *text, size_t size) {
    ssize_t n = pread(fd, text, size - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    dup2(was, fd);
    close(was);
}

static int dispatch(const char *const *words, char *out, char *err, size_t size) {
    char *argv[WORDS_MAX + 2] = {(char *)"shardferry"};
    int argc = 1, code, was_out, was_err;

    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    fflush(stdout);
    was_out = divert(STDOUT_FILENO);
    was_err = divert(STDERR_FILENO);
    code = command_dispatch(commands, argc, argv);
    restore(STDOUT_FILENO, was_out, out, size);
    restore(STDERR_FILENO, was_err, err, size);
    return code;
}

static void check(const Case *c, const char *what, const char *expected, const char *got) {
    if (*expected ? !strstr(got, expected) : *got != '\0')
        fail_msg("%s %s: %s is\n%s\nexpected\n%s", c->words[0] ? c->words[0] : "(nothing)",
                 c->words[0] && c->words[1] ? c->words[1] : "", what, got, expected);
}

static void dispatches(void **state) {
    static char out[8192], err[8192];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int code = dispatch(cases[i].words, out, err, sizeof(out));

        check(&cases[i], "the output", cases[i].out, out);
        check(&cases[i], "what is said", cases[i].err, err);
        assert_int_equal(cases[i].exit_code, code);
    }
}

static void says_that_output_is_lost(void **state) {
    static const char *const words[] = {"dive", "-q", NULL};
    static char err[1024];
    int was_out, was_err, code;
    char *argv[] = {(char *)"shardferry", (char *)words[0], (char *)words[1], NULL};

    (void)state;
    fflush(stdout);
    was_out = dup(STDOUT_FILENO);
    assert_non_null(freopen("/dev/full", "w", stdout));
    was_err = divert(STDERR_FILENO);
    code = command_dispatch(commands, 3, argv);
    restore(STDERR_FILENO, was_err, err, sizeof(err));
    clearerr(stdout);
    dup2(was_out, STDOUT_FILENO);
    close(was_out);
    assert_int_equal(COMMAND_FINDINGS, code);
    assert_string_equal("shardferry: could not write to standard output: No space left on device\n", err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dispatches),
        cmocka_unit_test(says_that_output_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
