/* Statements are taken apart into the columns that they compare with values. No catalog is needed for it: a
 * column without a table's name may be any of the statement's tables', and the one who knows them sorts that
 * out. */
#include "cli/plan_traffic.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "catalog/query.h"
#include "cli/lint_catalog.h"
#include "cli/lint_console.h"
#include "cli/sql/plan_statements.h"
#include "cli/sql/statements_view.h"
#include "rewrite/walk.h"

#define FILTERS 64 /* of one statement */

typedef struct Reading {
    Arena *arena;
    PlanStatement *statements;
    int n, room;
} Reading;

/* ---- a statement ---- */

typedef struct Filters {
    PlanFilter *items;
    int n;
    const FromItem **tables; /* of the statement */
    int ntables;
} Filters;

static bool add_table(const FromItem *item, const Block *block, void *arg) {
    Filters *filters = arg;

    (void)block;
    if (item->kind == FROM_TABLE && filters->ntables < FILTERS)
        filters->tables[filters->ntables++] = item;
    return true;
}

static bool is_called(const FromItem *table, const Name *qualifier) {
    const char *name = table->alias ? table->alias : table->name.name;

    return strcmp(name, qualifier->name) == 0;
}

/* An unqualified column may be that of any table of the statement. */
static void add_column(Filters *filters, const Expr *column) {
    for (int i = 0; i < filters->ntables && filters->n < FILTERS; i++) {
        const FromItem *table = filters->tables[i];

        if (column->name.name && !is_called(table, &column->name))
            continue;
        filters->items[filters->n++] = (PlanFilter){table->name.schema, table->name.name, column->column};
    }
}

static const Expr *without_casts(const Expr *expr) {
    while (expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr;
}

static bool is_value(const Expr *expr) {
    expr = without_casts(expr);
    return expr->kind == EXPR_CONST || expr->kind == EXPR_PARAM;
}

static bool add_comparison(const Expr *expr, void *arg) {
    bool compares =
        (expr->kind == EXPR_OP && expr->op && strcmp(expr->op, "=") == 0 && expr->nargs == 2) ||
        (expr->kind == EXPR_OP_ANY && expr->op && strcmp(expr->op, "=") == 0 && expr->nargs == 2) ||
        (expr->kind == EXPR_IN && !expr->negated && expr->nargs >= 2);

    for (int i = 0; compares && i < 2; i++) {
        const Expr *side = without_casts(expr->args[i]);

        if (side->kind == EXPR_COLUMN && side->column && is_value(expr->args[1 - i]))
            add_column(arg, side);
    }
    return true;
}

/* What a text filters by is kept for as long as the arena lives; a text that the parser rejects filters by
 * nothing. */
static void add_statement(Reading *reading, Str text, uint64_t calls) {
    Filters filters = {.items = ARENA_ARRAY(reading->arena, PlanFilter, FILTERS),
                       .tables = ARENA_ARRAY(reading->arena, const FromItem *, FILTERS)};
    const Walk tables = {.from = add_table, .arg = &filters};
    const Walk comparisons = {.expr = add_comparison, .arg = &filters};
    Error ignored;
    const Facts *facts = facts_parse_unnamed(reading->arena, text, (FactsLimits){0}, &ignored);

    for (int i = 0; facts && i < facts->nstatements; i++) {
        filters.ntables = 0;
        walk_statement(&facts->statements[i], &tables);
        walk_statement(&facts->statements[i], &comparisons);
    }
    if (filters.n > 0 && reading->n < reading->room)
        reading->statements[reading->n++] = (PlanStatement){filters.items, filters.n, calls};
}

static void make_room(Reading *reading, int n) {
    reading->room = n;
    reading->statements = ARENA_ARRAY(reading->arena, PlanStatement, n + 1);
}

/* ---- sources ---- */

static bool read_audit(const Config *config, Reading *reading) {
    LintConsoleRow *rows;
    LintPlace place;
    Error ignored;
    int n = lint_console_read(config, NULL, reading->arena, &place, &rows, &ignored);

    make_room(reading, n > 0 ? n : 0);
    for (int i = 0; i < n; i++)
        add_statement(reading, str_of(rows[i].sample), rows[i].calls);
    return reading->n > 0;
}

/* The view's rows; NULL where it is not there or cannot be read. */
static PGresult *read_view(PGconn *conn) {
    Error ignored;
    PGresult *view =
        query_run(conn, "looking for pg_stat_statements", sql_statements_view, 0, NULL, &ignored);
    PGresult *rows = NULL;

    if (view && PQntuples(view) > 0) {
        char *sql = mem_printf(sql_plan_statements, query_bool(view, 0, 2) ? "s.toplevel" : "true",
                               PQgetvalue(view, 0, 0));

        rows = query_run(conn, "reading pg_stat_statements", sql, 0, NULL, &ignored);
        free(sql);
    }
    PQclear(view);
    return rows;
}

static bool read_statements(const Config *config, Reading *reading) {
    Error ignored;
    PGconn *conn = lint_catalog_connect(config, &ignored);
    bool set = conn && query_script(conn, "preparing", "SET search_path = pg_catalog, pg_temp", &ignored);
    PGresult *rows = set ? read_view(conn) : NULL;

    make_room(reading, PQntuples(rows));
    for (int i = 0; i < PQntuples(rows); i++)
        add_statement(reading, str_of(PQgetvalue(rows, i, 0)), (uint64_t)query_int(rows, i, 1));
    PQclear(rows);
    PQfinish(conn);
    return reading->n > 0;
}

typedef struct Request {
    const Config *config;
    Arena *arena;
    PlanTraffic *traffic;
} Request;

static void *read_sources(void *arg) {
    const Request *request = arg;
    Reading reading = {.arena = request->arena};

    if (request->config->listen && read_audit(request->config, &reading))
        request->traffic->source = "the audit of the proxy";
    else if (read_statements(request->config, &reading))
        request->traffic->source = "pg_stat_statements";
    request->traffic->statements = reading.statements;
    request->traffic->nstatements = reading.n;
    return NULL;
}

/* In a thread, whose stack is large enough for the parser. */
const PlanTraffic *plan_traffic_read(const Config *config, Arena *arena) {
    Request request = {config, arena, ARENA_NEW(arena, PlanTraffic)};
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, FACTS_STACK_BYTES);
    if (pthread_create(&thread, &attributes, read_sources, &request) == 0)
        pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    return request.traffic;
}
