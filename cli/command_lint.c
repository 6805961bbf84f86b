/* shardferry lint: what the proxy would do with every statement of a script.
 *
 * The same parser, catalog and decision as in the proxy's path; only the source of the statements and the
 * form of the answer are of this command. A script is read as it is split, one statement is in memory at a
 * time, and its arena is reset behind it, so that a script may be of any length. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "catalog/dump.h"
#include "catalog/load.h"
#include "cli/command.h"
#include "cli/lint_cache.h"
#include "cli/lint_report.h"
#include "cli/lint_session.h"
#include "cli/lint_split.h"
#include "rewrite/slot.h"

#define CACHE_BYTES ((size_t)16 * 1024 * 1024)

typedef struct Lint {
    const Config *config;
    const char *schema; /* a dump's path; NULL: the control connection's database */
    Stage stage;        /* taken for granted of backfill tables */
    Snapshot *snapshot;
    Arena *arena; /* of the statement under way */
    Shape shape;  /* likewise */
    LintCache *cache;
    LintReport report;
    const char *const *files; /* "-": stdin */
    int nfiles;

    const char *file; /* the one under way */
    LintSession *session;
    int exit_code;
} Lint;

/* Why a statement is not given to the parser, as it would not be in the proxy; NULL if it is. */
static const char *cannot_be_parsed(const Lint *lint, const LintStatement *statement) {
    if (statement->cut)
        return arena_printf(lint->arena, "longer than parse_bytes (%lld bytes)",
                            (long long)lint->config->parse_bytes);
    if (memchr(statement->text.ptr, '\0', statement->text.len))
        return "it contains a NUL byte";
    if (!utf8_valid(statement->text))
        return "it is not valid UTF-8";
    return NULL;
}

static void report_unparsed(Lint *lint, const LintStatement *statement, const char *reason,
                            const char *suggestion) {
    StatementDecision decision = {.verdict = VERDICT_UNPARSED, .reason = reason, .suggestion = suggestion};
    LintResult result = {.file = lint->file,
                         .line = statement->line,
                         .sql = statement->text,
                         .decision = &decision,
                         .rewritten = STR_NONE};
    lint_report_add(&lint->report, lint->arena, &result);
}

/* The text's part in `span`, with those of the edits that fall into it. */
static Str rewritten_text(Arena *arena, const EditList *all, Str text, Span span) {
    EditList edits = {.edits = ARENA_ARRAY(arena, Edit, all->nedits)};
    for (int i = 0; i < all->nedits; i++) {
        Edit edit = all->edits[i];
        if (edit.offset < span.start || edit.offset > span.end)
            continue;
        edit.offset -= span.start;
        if (!edit.text.ptr)
            edit.copy = (Span){edit.copy.start - span.start, edit.copy.end - span.start};
        edits.edits[edits.nedits++] = edit;
    }
    Buf out = {0};
    edits_apply(&edits, (Str){text.ptr + span.start, span.end - span.start}, &out);
    Str copy = arena_str(arena, (Str){(const char *)buf_ptr(&out), buf_len(&out)});
    buf_free(&out);
    return copy;
}

static int64_t count_lines(Str text) {
    int64_t lines = 0;
    for (const char *p = text.ptr, *end = text.ptr + text.len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        lines++;
    return lines;
}

static void report_finding(Lint *lint, const LintStatement *statement, const LintFinding *finding,
                           EditList edits) {
    const Facts *facts = finding->facts;
    Str text = statement->text;
    bool alone = facts->nstatements == 1; /* else psql joined what stood between "\;" into one string */
    bool changed = false;
    /* As the extended protocol has it: a value is one more parameter. */
    const Str *values =
        slot_parameters(finding->decision->slots, finding->decision->nslots, facts->nparams, lint->arena);
    EditList filled = edits_fill(&edits, lint->arena, values);
    for (int i = 0; i < facts->nstatements; i++) {
        const Statement *one = &facts->statements[i];
        const StatementDecision *decision = &finding->decision->statements[i];
        if (one->kind == STMT_EMPTY)
            continue;
        Span span = alone ? (Span){0, (uint32_t)text.len} : one->span;
        LintResult result = {
            .file = lint->file,
            .line = statement->line + (alone ? 0 : count_lines((Str){text.ptr, span.start})),
            .sql = {text.ptr + span.start, span.end - span.start},
            .fingerprint = one->fingerprint,
            .decision = decision,
            .rewritten = decision->rewritten ? rewritten_text(lint->arena, &filled, text, span) : STR_NONE};
        lint_report_add(&lint->report, lint->arena, &result);
        changed |= lint_session_follow(lint->session, one);
    }
    if (changed)
        lint_cache_clear(lint->cache);
}

/* Whether what was found out of a text holds for all of its shape. Not with a backslash in a string: whether
 * an escape is a valid one is the parser's to say. */
static bool is_of_shape(const Facts *facts, const Decision *decision, Str text) {
    return facts->nstatements == 1 && !decision->literals_matter &&
           lint_session_ignores(&facts->statements[0]) && !memchr(text.ptr, '\\', text.len);
}

static void lint_anew(Lint *lint, const LintStatement *statement, const Shape *shape) {
    Arena *arena = arena_new();
    Str text = statement->text;
    Error err = {0};
    FactsLimits limits = {.max_bytes = (size_t)lint->config->parse_bytes,
                          .max_depth = lint->config->parse_depth};
    const Facts *facts = facts_parse(arena, text, limits, &err);
    if (!facts) {
        report_unparsed(lint, statement, err.message, err.hint[0] ? err.hint : NULL);
        arena_free(arena);
        return;
    }
    SessionContext context = lint_session_context(lint->session);
    const Decision *decision = decide(arena, text, facts, lint->snapshot, &context);
    if (shape && is_of_shape(facts, decision, text)) {
        const LintFinding *finding = lint_cache_add(lint->cache, shape, arena, facts, decision);
        report_finding(lint, statement, finding, decision->edits);
    } else {
        LintFinding finding = {.facts = facts, .decision = decision};
        report_finding(lint, statement, &finding, decision->edits);
        arena_free(arena);
    }
}

static void lint_statement(Lint *lint, const LintStatement *statement) {
    arena_reset(lint->arena);
    const char *obstacle = cannot_be_parsed(lint, statement);
    if (obstacle) {
        report_unparsed(lint, statement, obstacle, NULL);
        return;
    }
    Shape *shape = shape_of(&lint->shape, statement->text) ? &lint->shape : NULL;
    const LintFinding *known = shape ? lint_cache_find(lint->cache, shape) : NULL;
    if (known && !memchr(statement->text.ptr, '\\', statement->text.len))
        report_finding(lint, statement, known,
                       edits_move(&known->decision->edits, lint->arena, known->literals, shape->literals,
                                  shape->nliterals));
    else
        lint_anew(lint, statement, known ? NULL : shape);
}

static void print_notice(void *arg, int64_t line, const char *text) {
    const Lint *lint = arg;
    fprintf(stderr, "%s:%lld: %s\n", lint->file, (long long)line, text);
}

static MUST_USE bool lint_file(Lint *lint, const char *path, Error *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    LintSplit *split = NULL;
    LintStatement statement;
    LintSplitResult got = LINT_SPLIT_FAILED;
    lint->file = is_stdin ? "stdin" : path;
    lint->session = lint_session_new(lint->snapshot->search_path);
    lint_cache_clear(lint->cache);
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "58030", "%s: cannot open: %s", path, strerror(errno));
        goto done;
    }
    split = lint_split_new(fd, (size_t)lint->config->parse_bytes, print_notice, lint);
    while ((got = lint_split_next(split, &statement, err)) == LINT_SPLIT_STATEMENT)
        lint_statement(lint, &statement);
    if (got == LINT_SPLIT_FAILED)
        error_prefix(err, "%s", lint->file);
done:
    lint_split_free(split);
    lint_session_free(lint->session);
    if (!is_stdin && fd >= 0)
        close(fd);
    return got == LINT_SPLIT_END;
}

/* The catalog ------------------------------------------------------------------------------------------ */

static MUST_USE bool read_whole(const char *path, Buf *text, Error *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (fd >= 0) {
        do {
            n = read(fd, buf_reserve(text, 65536), 65536);
            text->end += n > 0 ? (size_t)n : 0;
        } while (n > 0 || (n < 0 && errno == EINTR));
    }
    if (n < 0)
        error_set(err, "58030", "%s: cannot read: %s", path, strerror(errno));
    if (!is_stdin && fd >= 0)
        close(fd);
    return n == 0;
}

static Snapshot *load_schema(const char *path, const Config *config, Stage stage, Error *err) {
    Buf text = {0};
    Snapshot *snapshot = NULL;
    if (read_whole(path, &text, err)) {
        buf_append(&text, "", 1); /* parsers like a NUL behind what they read */
        Str schema = {(const char *)buf_ptr(&text), buf_len(&text) - 1};
        snapshot = catalog_from_dump_in_stage(schema, path, config, stage, err);
    }
    buf_free(&text);
    return snapshot;
}

/* The command ------------------------------------------------------------------------------------------ */

enum { ID_SCHEMA = 256, ID_STAGE, ID_JSON };

static const CommandOption options[] = {
    {'c', "config", "FILE",
     "the configuration file; [tenant] and [table ...] are read; - for standard input"},
    {ID_SCHEMA, "schema", "DUMP.sql", "take the tables from this pg_dump --schema-only, no server is needed"},
    {ID_STAGE, "stage", "STAGE",
     "take backfill tables to be in this stage: observe (default), derive, keyed, …"},
    {ID_JSON, "json", NULL, "print an object for each statement, one a line"},
    {'q', "quiet", NULL, "print findings only"},
    {0, NULL, NULL, NULL},
};

static Snapshot *load_server(const Config *config, Stage stage, Error *err) {
    Snapshot *snapshot = NULL;
    const char *const keywords[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {config->control_conninfo, "shardferry lint", "UTF8", NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);
    Str message = str_trim(str_of(PQerrorMessage(conn)));
    if (PQstatus(conn) == CONNECTION_OK)
        snapshot = catalog_load_in_stage(conn, config, stage, err);
    else
        error_set(err, SQLSTATE_CANNOT_CONNECT, "[control] conninfo: %.*s", STR_ARG(message));
    PQfinish(conn);
    return snapshot;
}

static Snapshot *load_catalog(const Lint *lint, Error *err) {
    if (lint->schema)
        return load_schema(lint->schema, lint->config, lint->stage, err);
    if (lint->config->control_conninfo)
        return load_server(lint->config, lint->stage, err);
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "there is no schema to judge by");
    error_hint(err, "Give --schema DUMP.sql, or set conninfo in section [control].");
    return NULL;
}

/* All the work; the parser wants more stack than a process begins with. */
static void *lint_work(void *arg) {
    Lint *lint = arg;
    Error err = {0};
    lint->exit_code = COMMAND_USAGE;
    lint->snapshot = load_catalog(lint, &err);
    if (!lint->snapshot)
        goto failed;
    if (lint->snapshot->warning)
        command_print_warning(lint->snapshot->warning);
    for (int i = 0; i < lint->nfiles; i++)
        if (!lint_file(lint, lint->files[i], &err))
            goto failed;
    lint_report_end(&lint->report);
    lint->exit_code = lint_report_has_findings(&lint->report) ? COMMAND_FINDINGS : COMMAND_DONE;
    return NULL;
failed:
    fflush(lint->report.out);
    command_print_error(&err);
    return NULL;
}

/* Does it in a thread whose stack suits the configured depth. */
static int run_with_stack(Lint *lint) {
    int depth = lint->config->parse_depth;
    size_t stack = (size_t)FACTS_STACK_BYTES;
    if (depth > FACTS_DEFAULT_MAX_DEPTH)
        stack += stack / FACTS_DEFAULT_MAX_DEPTH * (size_t)(depth - FACTS_DEFAULT_MAX_DEPTH);
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack);
    int failure = pthread_create(&thread, &attributes, lint_work, lint);
    pthread_attr_destroy(&attributes);
    if (failure) {
        Error err;
        error_set(&err, SQLSTATE_INTERNAL_ERROR, "cannot start a thread: %s", strerror(failure));
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    pthread_join(thread, NULL);
    return lint->exit_code;
}

static int lint_run(const Command *self, int argc, char **argv) {
    static const char *const standard_input[] = {"-"};
    const char *config_path = NULL;
    Lint lint = {.report.out = stdout};
    int exit_code, id;
    while ((id = command_next(self, argc, argv, &exit_code)) != COMMAND_OPERANDS) {
        switch (id) {
        case COMMAND_STOP:
            return exit_code;
        case 'c':
            config_path = optarg;
            break;
        case ID_SCHEMA:
            lint.schema = optarg;
            break;
        case ID_STAGE:
            if (!stage_parse(optarg, &lint.stage))
                return command_misused(self, "--stage: there is no stage \"%s\"", optarg);
            break;
        case ID_JSON:
            lint.report.json = true;
            break;
        case 'q':
            lint.report.quiet = true;
            break;
        }
    }
    if (!config_path)
        return command_misused(self, "-c FILE is missing");
    Error err;
    Config *config = config_load(config_path, CONFIG_FOR_LINT, &err);
    if (!config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    lint.config = config;
    lint.files = optind < argc ? (const char *const *)argv + optind : standard_input;
    lint.nfiles = optind < argc ? argc - optind : 1;
    lint.report.color = command_color(STDOUT_FILENO);
    lint.arena = arena_new();
    lint.cache = lint_cache_new(CACHE_BYTES);
    exit_code = run_with_stack(&lint);
    snapshot_unref(lint.snapshot);
    lint_cache_free(lint.cache);
    shape_free(&lint.shape);
    arena_free(lint.arena);
    config_free(config);
    return exit_code;
}

extern const Command command_lint;
const Command command_lint = {
    .name = "lint",
    .usage = "-c FILE [--schema DUMP.sql] [--stage STAGE] [--json] [--quiet] [SQL.sql... | -]",
    .summary = "say what the proxy would do with the statements of a script",
    .options = options,
    .run = lint_run,
};
