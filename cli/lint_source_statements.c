/* pg_stat_statements: what the server has counted, with times, literals left out.
 *
 * It counts per role and query identifier; rows of the same shape and verdict are gathered into one. A $n
 * stands wherever a literal was, also where the grammar knows no parameter (DATE $1). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "cli/command.h"
#include "cli/lint_catalog.h"
#include "cli/lint_gather.h"
#include "cli/lint_source.h"
#include "cli/sql/statements.h"
#include "cli/sql/statements_view.h"

#define GATHER_BYTES ((size_t)64 * 1024 * 1024)
#define NAME "pg_stat_statements"

typedef struct Reading {
    Lint *lint;
    Arena *arena; /* of the row under way */
    const char *database;
    int64_t hidden;   /* rows whose text may not be seen */
    int64_t lost;     /* whose text the server has lost */
    int64_t nested;   /* that run inside functions */
    int64_t renaming; /* that give names another meaning, in the session that they are sent in */
} Reading;

enum { COLUMN_QUERY, COLUMN_CALLS, COLUMN_MS, COLUMN_ROLE, COLUMN_TOP };

/* A list of values of any number, which the server shows as its first value and a comment: two of them stand
 * for it. */
static Str with_lists(Arena *arena, Str text) {
    static const char mark[] = "/*, ... */", two[] = ", ''      ";
    char *copy = NULL;
    for (size_t at = 0; at < text.len; at++) {
        const char *found = memmem(text.ptr + at, text.len - at, mark, sizeof(mark) - 1);
        if (!found)
            break;
        if (!copy)
            copy = arena_strndup(arena, text.ptr, text.len);
        at = (size_t)(found - text.ptr);
        memcpy(copy + at, two, sizeof(mark) - 1);
    }
    return copy ? (Str){copy, text.len} : STR_NONE;
}

static void judge_row(Reading *r, const PGresult *row) {
    arena_reset(r->arena);
    Str text = str_of(query_text(row, 0, COLUMN_QUERY));
    const char *role = query_text(row, 0, COLUMN_ROLE);
    if (!query_bool(row, 0, COLUMN_TOP)) {
        r->nested++;
        return;
    }
    if (!text.ptr || str_is(text, "<insufficient privilege>")) {
        r->lost += !text.ptr;
        r->hidden += text.ptr != NULL;
        return;
    }
    LintSession *session = lint_session_of_client(lint_snapshot(r->lint), role, r->database);
    const size_t max = (size_t)lint_config(r->lint)->parse_bytes;
    const LintStatement statement = {.text = {text.ptr, text.len < max ? text.len : max},
                                     .cut = text.len > max,
                                     .parsed = with_lists(r->arena, text),
                                     .stand_ins = true};
    const LintOrigin origin = {.file = NAME,
                               .user = role,
                               .database = r->database,
                               .measured = true,
                               .calls = strtoull(PQgetvalue(row, 0, COLUMN_CALLS), NULL, 10),
                               .total_ms = strtod(PQgetvalue(row, 0, COLUMN_MS), NULL)};
    lint_judge(r->lint, session, &statement, &origin);
    r->renaming += !lint_session_is_as_begun(session);
    lint_session_free(session);
}

static MUST_USE bool explain(Error *err) {
    if (strcmp(err->sqlstate, "55000") == 0)
        error_hint(err, "Put " NAME " into shared_preload_libraries and restart the server.");
    else if (strcmp(err->sqlstate, SQLSTATE_INSUFFICIENT_PRIVILEGE) == 0)
        error_hint(err, "GRANT pg_read_all_stats to the role of [control] conninfo.");
    return false;
}

/* Row by row: the texts may be many and long. */
static MUST_USE bool read_rows(Reading *r, PGconn *conn, const char *sql, Error *err) {
    PGresult *result;
    bool done = true;
    if (!PQsendQuery(conn, sql) || !PQsetSingleRowMode(conn))
        return error_set(err, SQLSTATE_CONNECTION_FAILURE, "reading " NAME ": %s", PQerrorMessage(conn));
    while ((result = PQgetResult(conn))) {
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_SINGLE_TUPLE) {
            judge_row(r, result);
        } else if (status != PGRES_TUPLES_OK && done) {
            const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
            Str message = str_trim(str_of(PQresultErrorMessage(result)));
            done = error_set(err, state ? state : SQLSTATE_CONNECTION_FAILURE, "reading " NAME ": %.*s",
                             STR_ARG(message));
        }
        PQclear(result);
    }
    return done || explain(err);
}

static MUST_USE bool read_view(Reading *r, PGconn *conn, Error *err) {
    PGresult *view = query_run(conn, "looking for " NAME, sql_statements_view, 0, NULL, err);
    bool done;
    if (!view)
        return false;
    if (PQntuples(view) == 0) {
        PQclear(view);
        error_set(err, "42P01", "the extension " NAME " is not in database %s", PQdb(conn));
        return error_hint(err, "CREATE EXTENSION " NAME "; it also has to be in shared_preload_libraries.");
    }
    char *sql = mem_printf(sql_statements, query_bool(view, 0, 1) ? "total_exec_time" : "total_time",
                           query_bool(view, 0, 2) ? "s.toplevel" : "true", PQgetvalue(view, 0, 0));
    done = read_rows(r, conn, sql, err);
    free(sql);
    PQclear(view);
    return done;
}

static void report_left(const Reading *r, const LintGathered *left) {
    Arena *arena = arena_new();
    if (r->hidden > 0)
        command_print_warning(arena_printf(arena,
                                           "the texts of %" PRId64
                                           " statements are hidden from this role: GRANT "
                                           "pg_read_all_stats to the role of [control] conninfo",
                                           r->hidden));
    if (r->lost > 0)
        command_print_warning(
            arena_printf(arena, "the server has lost the texts of %" PRId64 " statements", r->lost));
    if (r->nested > 0)
        command_print_warning(arena_printf(arena,
                                           "%" PRId64
                                           " statements inside functions are left out: lint --from "
                                           "functions judges those",
                                           r->nested));
    if (r->renaming > 0)
        command_print_warning(arena_printf(arena,
                                           "%" PRId64
                                           " statements change the search_path or the like of a session: "
                                           "what others mean in it is not known, the role's own is assumed",
                                           r->renaming));
    if (left->kinds > 0)
        command_print_warning(arena_printf(
            arena, "too many different statements: %" PRId64 " of least cost are left out", left->kinds));
    arena_free(arena);
}

static bool run(Lint *lint, const LintRequest *request, Error *err) {
    const Config *config = lint_config(lint);
    LintReport *report = lint_report(lint);
    PGconn *conn = NULL;
    bool done = false;
    (void)request;
    if (!config->control_conninfo) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "there is no server to ask");
        return error_hint(err, "Set conninfo in section [control].");
    }
    conn = lint_catalog_connect(config, err);
    if (!conn)
        return false;
    Reading reading = {.lint = lint, .arena = arena_new(), .database = PQdb(conn)};
    LintGather *gather = report->gather = lint_gather_new(GATHER_BYTES);
    done = query_script(conn, "preparing", "SET search_path = pg_catalog, pg_temp", err) &&
           read_view(&reading, conn, err);
    report->gather = NULL;
    if (done) {
        LintGathered left = lint_gather_report(gather, report);
        report->left_findings = left.findings > 0;
        report_left(&reading, &left);
    }
    lint_gather_free(gather);
    arena_free(reading.arena);
    PQfinish(conn);
    return done;
}

const LintSource lint_source_statements = {
    .name = NAME,
    .help = "what the server of [control] conninfo has counted",
    .run = run,
};
