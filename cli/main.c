/* The subcommands. */
#include <stddef.h>

#include "cli/command.h"

extern const Command command_proxy, command_plan, command_migrate, command_undo, command_status, command_lint,
    command_config;

static const Command *const commands[] = {&command_proxy,  &command_plan, &command_migrate, &command_undo,
                                          &command_status, &command_lint, &command_config,  NULL};

int main(int argc, char **argv) { return command_dispatch(commands, argc, argv); }
