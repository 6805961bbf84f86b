/* lint: what the proxy would do with every statement of a source. */
#include <getopt.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/lint_catalog.h"
#include "cli/lint_source.h"

static const LintSource *const sources[] = {&lint_source_script,     &lint_source_log,
                                            &lint_source_statements, &lint_source_functions,
                                            &lint_source_proxy,      NULL};

static const LintForm *const forms[] = {&lint_form_text,  &lint_form_json, &lint_form_sql,
                                        &lint_form_sarif, &lint_form_html, NULL};

#define MAX_CONSOLES 100

typedef struct LintCommand {
    const char *config_path;
    const char *schema; /* a dump's path; NULL: the control connection's database */
    Stage stage;        /* taken for granted of backfill tables */
    bool stage_given;   /* else the source has its own */
    const LintSource *source;
    LintRequest request;
    const char *consoles[MAX_CONSOLES];
    LintReport report;
    Config *config;
    int exit_code;
} LintCommand;

enum {
    ID_SCHEMA = 256,
    ID_STAGE,
    ID_FROM,
    ID_CONSOLE,
    ID_PREFIX,
    ID_DATABASE,
    ID_JSON,
    ID_SQL,
    ID_SARIF,
    ID_HTML
};

static const CommandOption options[] = {
    {'c', "config", "FILE",
     "the configuration file; [tenant] and [table ...] are read; - for standard input"},
    {ID_SCHEMA, "schema", "DUMP.sql", "take the tables from this pg_dump --schema-only, no server is needed"},
    {ID_STAGE, "stage", "STAGE",
     "the stage of backfill tables: observe (default; of functions: resolve), derive, …"},
    {ID_FROM, "from", "SOURCE",
     "where they are: script (default), log, pg_stat_statements, functions, proxy"},
    {ID_CONSOLE, "console", "CONNINFO",
     "with --from proxy: the console to ask, not that of [proxy] listen; may be repeated"},
    {ID_PREFIX, "log-line-prefix", "PREFIX",
     "with --from log: the server's log_line_prefix; the usual ones are found out"},
    {ID_DATABASE, "database", "NAME", "with --from log: the statements of this database count"},
    {ID_JSON, "json", NULL, "print an object for each statement, one a line"},
    {ID_SQL, "sql", NULL, "with --from functions: print the functions mended, as a script for psql"},
    {ID_SARIF, "sarif", NULL, "print the findings as SARIF 2.1.0, for code review tools"},
    {ID_HTML, "html", "FILE", "write a page for the browser, ordered by cost; - for standard output"},
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
    if (!command->source->run(lint, &command->request, &err)) {
        lint_report_abandon(&command->report);
        goto failed;
    }
    lint_report_end(&command->report);
    if (command->report.failed) {
        err = command->report.error;
        goto failed;
    }
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

/* path: where the form's result goes, if not to standard output. */
static MUST_USE bool choose_form(const Command *self, LintCommand *command, const char *name,
                                 const char *path) {
    const LintForm *chosen = command->report.form;
    if (chosen->name && strcmp(chosen->name, name) != 0) {
        command_misused(self, "--%s and --%s exclude each other", chosen->name, name);
        return false;
    }
    command->report.form = find_form(name);
    command->report.path = path;
    return true;
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
            command->stage_given = true;
            break;
        case ID_FROM:
            command->source = find_source(optarg);
            if (!command->source) {
                command_misused(self, "--from: there is no source \"%s\"", optarg);
                return false;
            }
            break;
        case ID_JSON:
            if (!choose_form(self, command, "json", NULL))
                return false;
            break;
        case ID_SQL:
            if (!choose_form(self, command, "sql", NULL))
                return false;
            break;
        case ID_SARIF:
            if (!choose_form(self, command, "sarif", NULL))
                return false;
            break;
        case ID_PREFIX:
            command->request.log_line_prefix = optarg;
            break;
        case ID_DATABASE:
            command->request.database = optarg;
            break;
        case ID_HTML:
            if (!choose_form(self, command, "html", optarg))
                return false;
            break;
        case ID_CONSOLE:
            if (command->request.nconsoles == MAX_CONSOLES) {
                command_misused(self, "--console: there are more than %d", MAX_CONSOLES);
                return false;
            }
            command->consoles[command->request.nconsoles++] = optarg;
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
    else if (command->request.log_line_prefix && command->source != &lint_source_log)
        command_misused(self, "--log-line-prefix goes with --from log");
    else if (command->request.database && command->source != &lint_source_log)
        command_misused(self, "--database goes with --from log");
    else if (command->report.form == &lint_form_sql && command->source != &lint_source_functions)
        command_misused(self, "--sql goes with --from functions");
    else if (command->schema && command->source == &lint_source_functions)
        command_misused(self, "--from functions reads the server, not --schema");
    else if (command->request.nconsoles > 0 && command->source != &lint_source_proxy)
        command_misused(self, "--console goes with --from proxy");
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
    if (!command.stage_given)
        command.stage = command.source->stage;
    command.request.operands = optind < argc ? (const char *const *)argv + optind : standard_input;
    command.request.noperands = optind < argc ? argc - optind : 1;
    command.request.consoles = command.consoles;
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
