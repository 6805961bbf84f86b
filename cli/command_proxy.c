/* shardferry proxy: runs the proxy in the foreground. */
#include <getopt.h>
#include <stddef.h>

#include "cli/command.h"
#include "proxy/proxy.h"

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file"},
    {0},
};

static int run(const Command *self, int argc, char **argv) {
    const char *file = NULL;
    int option, exit_code;
    Error err;
    while ((option = command_next(self, argc, argv, &exit_code)) > 0)
        file = optarg;
    if (option == COMMAND_STOP)
        return exit_code;
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    if (!file)
        return command_misused(self, "-c FILE is missing");
    exit_code = proxy_run(file, &err);
    if (exit_code != 0)
        command_print_error(&err);
    return exit_code;
}

extern const Command command_proxy;
const Command command_proxy = {
    .name = "proxy",
    .usage = "-c FILE",
    .summary = "run the proxy",
    .options = options,
    .run = run,
};
