/* lint: what the proxy would do with every statement of a source. */
#include <getopt.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/lint_catalog.h"
#include "cli/lint_source.h"

static const LintSource *const sources[] = {&lint_source_script, NULL};

static const LintForm *const forms[] = {&lint_form_text, &lint_form_json, NULL};

typedef struct LintCommand {
    const char *config_path;
    const char *schema; /* a dump's path; NULL: the control connection's database */
    Stage stage;        /* taken for granted of backfill tables */
    const LintSource *source;
    LintRequest request;
    LintReport report;
    Config *config;
    int exit_code;
} LintCommand;

enum { ID_SCHEMA = 256, ID_STAGE, ID_FROM, ID_JSON };

static const CommandOption options[] = {
    {'c', "config", "FILE",
     "the configuration file; [tenant] and [table ...] are read; - for standard input"},
    {ID_SCHEMA, "schema", "DUMP.sql", "take the tables from this pg_dump --schema-only, no server is needed"},
    {ID_STAGE, "stage", "STAGE",
     "take backfill tables to be in this stage: observe (default), derive, keyed, …"},
    {ID_FROM, "from", "SOURCE", "where the statements are: script (default)"},
    {ID_JSON, "json", NULL, "print an object for each statement, one a line"},
    {'q', "quiet", NULL, "print findings only"},
    {0, NULL, NULL, NULL},
};

/* All the work; the parser wants more stack than a process begins with. */
static void *work(void *arg) {
    LintCommand *command = arg;
    Snapshot *snapshot = NULL;
    Lint *lint = NULL;
    Error err = {0};
    command->exit_code = COMMAND_USAGE;
    if (!command->source->no_catalog) {
        snapshot = lint_catalog_load(command->config, command->schema, command->stage, &err);
        if (!snapshot)
            goto failed;
        if (snapshot->warning)
            command_print_warning(snapshot->warning);
    }
    lint = lint_new(command->config, snapshot, &command->report);
    lint_report_begin(&command->report);
    if (!command->source->run(lint, &command->request, &err))
        goto failed;
    lint_report_end(&command->report);
    command->exit_code = lint_report_has_findings(&command->report) ? COMMAND_FINDINGS : COMMAND_DONE;
    lint_free(lint);
    snapshot_unref(snapshot);
    return NULL;
failed:
    fflush(command->report.out);
    command_print_error(&err);
    lint_free(lint);
    snapshot_unref(snapshot);
    return NULL;
}

/* Does it in a thread whose stack suits the configured depth. */
static int run_with_stack(LintCommand *command) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, lint_stack_bytes(command->config));
    int failure = pthread_create(&thread, &attributes, work, command);
    pthread_attr_destroy(&attributes);
    if (failure) {
        Error err;
        error_set(&err, SQLSTATE_INTERNAL_ERROR, "cannot start a thread: %s", strerror(failure));
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    pthread_join(thread, NULL);
    return command->exit_code;
}

static const LintSource *find_source(const char *name) {
    for (int i = 0; sources[i]; i++)
        if (strcmp(sources[i]->name, name) == 0)
            return sources[i];
    return NULL;
}

static const LintForm *find_form(const char *name) {
    for (int i = 0; forms[i]; i++)
        if (forms[i]->name && strcmp(forms[i]->name, name) == 0)
            return forms[i];
    return &lint_form_text;
}

/* False when the command line asks for nothing more, or is wrong: then *exit_code is filled. */
static MUST_USE bool read_options(const Command *self, int argc, char **argv, LintCommand *command,
                                  int *exit_code) {
    int id;
    *exit_code = COMMAND_USAGE;
    while ((id = command_next(self, argc, argv, exit_code)) != COMMAND_OPERANDS) {
        switch (id) {
        case COMMAND_STOP:
            return false;
        case 'c':
            command->config_path = optarg;
            break;
        case ID_SCHEMA:
            command->schema = optarg;
            break;
        case ID_STAGE:
            if (!stage_parse(optarg, &command->stage)) {
                command_misused(self, "--stage: there is no stage \"%s\"", optarg);
                return false;
            }
            break;
        case ID_FROM:
            command->source = find_source(optarg);
            if (!command->source) {
                command_misused(self, "--from: there is no source \"%s\"", optarg);
                return false;
            }
            break;
        case ID_JSON:
            command->report.form = find_form("json");
            break;
        case 'q':
            command->report.quiet = true;
            break;
        }
    }
    if (!command->config_path)
        command_misused(self, "-c FILE is missing");
    else if (optind < argc && !command->source->takes_operands)
        command_misused(self, "--from %s takes no file", command->source->name);
    else
        return true;
    return false;
}

static int lint_run(const Command *self, int argc, char **argv) {
    static const char *const standard_input[] = {"-"};
    LintCommand command = {.source = &lint_source_script, .report = {.form = &lint_form_text, .out = stdout}};
    int exit_code;
    if (!read_options(self, argc, argv, &command, &exit_code))
        return exit_code;
    Error err;
    command.config = config_load(command.config_path, CONFIG_FOR_LINT, &err);
    if (!command.config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    command.request.operands = optind < argc ? (const char *const *)argv + optind : standard_input;
    command.request.noperands = optind < argc ? argc - optind : 1;
    command.report.color = command_color(STDOUT_FILENO);
    exit_code = run_with_stack(&command);
    config_free(command.config);
    return exit_code;
}

extern const Command command_lint;
const Command command_lint = {
    .name = "lint",
    .usage = "-c FILE [OPTION...] [FILE... | -]",
    .summary = "say what the proxy would do with statements",
    .options = options,
    .run = lint_run,
};
