/* Functions from the catalog, a few at a time: there may be thousands, and long ones. */
#include <jansson.h>
#include <stdlib.h>

#include "catalog/query.h"
#include "cli/lint_catalog.h"
#include "cli/lint_functions.h"
#include "cli/sql/functions.h"

#define FETCH "100"

enum {
    COLUMN_SIGNATURE,
    COLUMN_NAME,
    COLUMN_LANGUAGE,
    COLUMN_SOURCE,
    COLUMN_DEFINITION,
    COLUMN_ARGUMENT_NAMES,
    COLUMN_ARGUMENT_MODES,
    COLUMN_IS_TRIGGER,
    COLUMN_SEARCH_PATH,
    COLUMN_CONFLICT,
    COLUMN_IS_INLINED,
    COLUMN_FIXES_RESULT,
};

static Str column(const PGresult *result, Arena *arena, int row, int n) {
    if (PQgetisnull(result, row, n))
        return STR_NONE;
    return arena_str(arena, (Str){PQgetvalue(result, row, n), (size_t)PQgetlength(result, row, n)});
}

static const FactsVariable *add(Arena *arena, const FactsVariable *outer, const char *name, const char *label,
                                int number) {
    FactsVariable *variable = ARENA_NEW(arena, FactsVariable);
    *variable = (FactsVariable){.outer = outer, .name = name, .label = label, .number = number};
    return variable;
}

/* PL/pgSQL counts all of them, SQL those that are passed in: the others have no name there. */
static const FactsVariable *parameters(const LintRoutine *routine, Arena *arena, const char *names,
                                       const char *modes) {
    bool is_sql = strcmp(routine->language, "sql") == 0;
    json_t *list = names ? json_loads(names, 0, NULL) : NULL;
    json_t *mode_list = modes ? json_loads(modes, 0, NULL) : NULL;
    const FactsVariable *result = NULL;
    int number = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        const char *mode = mode_list ? json_string_value(json_array_get(mode_list, i)) : "i";
        bool is_passed = mode && strchr("ibv", *mode);
        if (is_sql && !is_passed)
            continue;
        number++;
        if (name && *name)
            result = add(arena, result, arena_strdup(arena, name), routine->name, number);
    }
    json_decref(list);
    json_decref(mode_list);
    return result;
}

static const FactsVariable *trigger_variables(const LintRoutine *routine, Arena *arena) {
    static const char *const names[] = {
        "new",        "old",           "tg_name",  "tg_when", "tg_level",        "tg_op",    "tg_relid",
        "tg_relname", "tg_table_name", "tg_nargs", "tg_argv", "tg_table_schema", "tg_event", "tg_tag"};
    const FactsVariable *result = NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        result = add(arena, result, names[i], routine->name, (int)i + 1);
    return result;
}

static PlpgsqlConflict conflict(Str setting) {
    return str_is(setting, "use_variable") ? PLPGSQL_USE_VARIABLE
           : str_is(setting, "use_column") ? PLPGSQL_USE_COLUMN
                                           : PLPGSQL_CONFLICT_ERROR;
}

static LintRoutine routine_at(const PGresult *result, Arena *arena, int row) {
    LintRoutine routine = {.signature = column(result, arena, row, COLUMN_SIGNATURE).ptr,
                           .name = column(result, arena, row, COLUMN_NAME).ptr,
                           .language = column(result, arena, row, COLUMN_LANGUAGE).ptr,
                           .source = column(result, arena, row, COLUMN_SOURCE),
                           .definition = column(result, arena, row, COLUMN_DEFINITION),
                           .search_path = column(result, arena, row, COLUMN_SEARCH_PATH).ptr,
                           .conflict = conflict(column(result, arena, row, COLUMN_CONFLICT)),
                           .inlined = query_bool(result, row, COLUMN_IS_INLINED),
                           .fixes_result = query_bool(result, row, COLUMN_FIXES_RESULT)};
    routine.definition = routine.definition.ptr ? str_trim(routine.definition) : STR_NONE;
    routine.parameters = query_bool(result, row, COLUMN_IS_TRIGGER)
                             ? trigger_variables(&routine, arena)
                             : parameters(&routine, arena, query_text(result, row, COLUMN_ARGUMENT_NAMES),
                                          query_text(result, row, COLUMN_ARGUMENT_MODES));
    return routine;
}

/* Names are printed so that they mean the same under any search_path. */
static MUST_USE bool read_all(PGconn *conn, LintVisitRoutine *visit, void *arg, Error *err) {
    static const char begin[] = "BEGIN READ ONLY; SET LOCAL search_path = pg_catalog; SET LOCAL "
                                "standard_conforming_strings = on; DECLARE functions NO SCROLL CURSOR FOR ";
    Arena *arena = arena_new();
    bool done =
        query_script(conn, "reading the functions", arena_printf(arena, "%s%s", begin, sql_functions), err);
    for (int rows = 1; done && rows > 0;) {
        PGresult *result =
            query_run(conn, "reading the functions", "FETCH " FETCH " FROM functions", 0, NULL, err);
        done = result != NULL;
        rows = result ? PQntuples(result) : 0;
        for (int row = 0; row < rows; row++) {
            arena_reset(arena);
            LintRoutine routine = routine_at(result, arena, row);
            visit(&routine, arena, arg);
        }
        PQclear(result);
    }
    arena_free(arena);
    return done && query_script(conn, "reading the functions", "COMMIT", err);
}

bool lint_functions_read(const Config *config, LintVisitRoutine *visit, void *arg, Error *err) {
    if (!config->control_conninfo) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "functions are read from the server");
        return error_hint(err, "Set conninfo in section [control].");
    }
    PGconn *conn = lint_catalog_connect(config, err);
    bool done = conn && read_all(conn, visit, arg, err);
    PQfinish(conn);
    return done;
}
