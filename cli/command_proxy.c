/* shardferry proxy: runs the proxy in the foreground. */
#include <stddef.h>

#include "cli/command.h"
#include "proxy/proxy.h"

static const CommandOption OPTIONS[] = {
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
    if (!file)
        return command_misused(self, "a configuration file is needed: -c FILE");
    exit_code = proxy_run(file, &err);
    if (exit_code != 0)
        command_print_error(&err);
    return exit_code;
}

const Command command_proxy = {
    .name = "proxy",
    .usage = "-c FILE",
    .summary = "run the proxy",
    .options = OPTIONS,
    .run = run,
};
