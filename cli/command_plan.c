/* shardferry plan: what a migration would do, and what stands in its way. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/plan_traffic.h"
#include "migrate/plan.h"

enum { ID_SQL = 256, ID_JSON, ID_TO };

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {ID_SQL, "sql", NULL, "print a script that psql alone can run"},
    {ID_JSON, "json", NULL, "print one JSON object"},
    {ID_TO, "to", "STAGE", "how far: derive, keyed, resolve or distributed (default if Citus is offered)"},
    {0, NULL, NULL, NULL},
};

typedef struct Arguments {
    const char *config;
    const char *to;
    bool sql, json;
} Arguments;

/* COMMAND_DONE if the command line makes sense; `out` is filled then. */
static int check_arguments(const Command *self, const Arguments *arguments, PlanOptions *out) {
    if (!arguments->config)
        return command_misused(self, "-c FILE is missing");
    if (arguments->sql && arguments->json)
        return command_misused(self, "--sql and --json exclude each other");
    out->form = arguments->sql ? PLAN_SQL : arguments->json ? PLAN_JSON : PLAN_TEXT;
    out->color = command_color(STDOUT_FILENO);
    out->as_far_as_possible = !arguments->to;
    if (!arguments->to)
        return COMMAND_DONE;
    if (!stage_parse(arguments->to, &out->to))
        return command_misused(self, "--to: there is no stage \"%s\"", arguments->to);
    if (out->to < STAGE_DERIVE || out->to > STAGE_DISTRIBUTED)
        return command_misused(self, "--to %s: a plan leads to derive, keyed, resolve or distributed",
                               arguments->to);
    return COMMAND_DONE;
}

static int plan(const Arguments *arguments, PlanOptions *out) {
    Error err = {0};
    Config *config = config_load(arguments->config, CONFIG_FOR_PLAN, &err);
    Arena *arena = arena_new();
    PlanResult result = PLAN_FAILED;

    if (config) {
        if (!config->tenant_table && out->form != PLAN_SQL)
            out->traffic = plan_traffic_read(config, arena);
        result = plan_run(config, out, &err);
    }
    config_free(config);
    arena_free(arena);
    if (result == PLAN_FAILED) {
        command_print_error(&err);
        return strcmp(err.sqlstate, SQLSTATE_CONFIG_FILE_ERROR) == 0 ? COMMAND_USAGE : COMMAND_FINDINGS;
    }
    return result == PLAN_DONE ? COMMAND_DONE : COMMAND_FINDINGS;
}

static int run(const Command *self, int argc, char **argv) {
    Arguments arguments = {0};
    PlanOptions out = {.out = stdout};
    int id, status;

    while ((id = command_next(self, argc, argv, &status)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return status;
        if (id == 'c')
            arguments.config = optarg;
        else if (id == ID_TO)
            arguments.to = optarg;
        else if (id == ID_SQL)
            arguments.sql = true;
        else
            arguments.json = true;
    }
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    status = check_arguments(self, &arguments, &out);
    return status == COMMAND_DONE ? plan(&arguments, &out) : status;
}

extern const Command command_plan;
const Command command_plan = {
    .name = "plan",
    .usage = "-c FILE [--sql | --json] [--to STAGE]",
    .summary = "what a migration would do to each table, and what stands in its way; changes nothing",
    .options = options,
    .run = run,
};
