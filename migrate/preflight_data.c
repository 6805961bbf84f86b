/* Rows that would get no tenant, and rows that would get two.
 *
 * What stands in the way here stops a migration hours later, when the backfill is done. So the rows are
 * looked at before, but not at any price: a query that takes longer than a moment is broken off, and some of
 * the rows are looked at instead; and the whole has an end. Step verify looks at all rows in any case. */
#include "migrate/preflight_check.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/backfill.h"
#include "migrate/session.h"

#define QUERY_MS 2000
#define SAMPLE_MS 1000
#define ALL_MS 3000
#define LEAST_MS 50 /* with less none is begun */

#define SAMPLE_ROWS 5000
#define SHOWN_KEYS "5"
#define MOST_ROWS 10000 /* that are counted */

typedef struct Look {
    Preflight *preflight;
    int64_t until;
    int skipped; /* queries that there was no time for */
} Look;

static const Migration *migration_of(const Look *look) { return look->preflight->migration; }

/* ---- SQL ---- */

static void append_column(Buf *out, const char *alias, const Column *column) {
    buf_printf(out, "%s.", alias);
    quote_identifier(out, column->name);
}

/* What names a row for people: its primary key, or where it lies. */
static void append_key(Buf *out, const Table *table) {
    const Key *key = backfill_key(table);

    if (!key) {
        buf_append_cstr(out, "t.ctid::text");
    } else if (key->ncolumns == 1) {
        append_column(out, "t", key->columns[0]);
        buf_append_cstr(out, "::text");
    } else {
        buf_append_cstr(out, "pg_catalog.concat('(', pg_catalog.concat_ws(', '");
        for (int i = 0; i < key->ncolumns; i++) {
            buf_append_cstr(out, ", ");
            append_column(out, "t", key->columns[i]);
        }
        buf_append_cstr(out, "), ')')");
    }
}

static void append_pairs(Buf *out, const ForeignKey *fk, const char *child, const char *parent) {
    for (int i = 0; i < fk->ncolumns; i++) {
        if (i > 0)
            buf_append_cstr(out, " AND ");
        append_column(out, parent, fk->parent_columns[i]);
        buf_append_cstr(out, " = ");
        append_column(out, child, fk->child_columns[i]);
    }
}

static void append_join(const Look *look, Buf *out, const ForeignKey *fk, const char *child,
                        const char *parent) {
    buf_printf(out, " JOIN %s AS %s ON ", preflight_name(look->preflight, fk->parent), parent);
    append_pairs(out, fk, child, parent);
}

static bool is_filled(const Table *table) {
    return table->tenant && (table->kind == KIND_DISTRIBUTED || table->tenant->not_null);
}

/* Joins what leads from a row to its tenant, and returns the tenant as an expression. */
static const char *append_way(const Look *look, Buf *joins, const Table *table, const char *alias) {
    Buf expression = {0};

    for (int i = 0; !is_filled(table) && i < table->path.nsteps; i++) {
        const char *next = arena_printf(migration_of(look)->arena, "%s%d", alias, i);

        append_join(look, joins, table->path.steps[i],
                    i ? arena_printf(migration_of(look)->arena, "%s%d", alias, i - 1) : alias, next);
        if (i + 1 == table->path.nsteps)
            append_column(&expression, next, table->path.steps[i]->parent->tenant);
    }
    if (is_filled(table))
        append_column(&expression, alias, table->tenant);
    return step_text(migration_of(look), &expression);
}

typedef struct Question {
    const char *text; /* for people: "whether its rows …" */
    const char *sql;
    const char *sample_sql; /* the same of some rows; NULL where that would be all of them */
} Question;

/* As much of a table as SAMPLE_ROWS are, in per cent; 100 for a small one. */
static double sample_share(const Table *table) {
    return table->row_estimate > SAMPLE_ROWS ? 100.0 * SAMPLE_ROWS / (double)table->row_estimate : 100.0;
}

static const char *count_sql(const Look *look, const Table *table, const Buf *joins, const Buf *condition,
                             double share) {
    Buf out = {0};

    buf_append_cstr(
        &out,
        "SELECT pg_catalog.count(*), pg_catalog.array_to_string((pg_catalog.array_agg(s.k))[1:" SHOWN_KEYS
        "], ', ') FROM (SELECT ");
    append_key(&out, table);
    buf_printf(&out, " AS k FROM %s AS t", preflight_name(look->preflight, table));
    if (share < 100)
        buf_printf(&out, " TABLESAMPLE SYSTEM (%.6f) REPEATABLE (1)", share);
    buf_append(&out, buf_ptr(joins), buf_len(joins));
    buf_append_cstr(&out, " WHERE ");
    buf_append(&out, buf_ptr(condition), buf_len(condition));
    buf_printf(&out, " LIMIT %d) AS s", MOST_ROWS + 1);
    return step_text(migration_of(look), &out);
}

/* Counts rows, up to a limit, and takes down the keys of some. Frees the buffers. */
static Question ask(const Look *look, const Table *table, const char *text, Buf *joins, Buf *condition) {
    double share = sample_share(table);
    Question question = {.text = text, .sql = count_sql(look, table, joins, condition, 100)};

    if (share < 100)
        question.sample_sql = count_sql(look, table, joins, condition, share);
    buf_free(joins);
    buf_free(condition);
    return question;
}

/* ---- asking ---- */

typedef struct Rows {
    int64_t n;
    const char *keys;
    bool sampled;
} Rows;

static const char WHY_LATER[] =
    "The migration looks at all rows behind the backfill, and stops there if they are not as they should be.";
static const char LOOK_YOURSELF[] = "Look at them yourself before, or leave it to that.";

static void add_unseen(const Look *look, const char *object, Severity severity, const char *what) {
    findings_add(look->preflight->findings, (Finding){.severity = severity,
                                                      .from = STAGE_KEYED,
                                                      .code = "rows-not-looked-at",
                                                      .object = object,
                                                      .what = what,
                                                      .why = WHY_LATER,
                                                      .remedy = LOOK_YOURSELF});
}

/* One query. False with `err`; 57014 if it took too long. */
static bool count_within(Look *look, int ms, const char *sql, Rows *rows, Error *err) {
    const Migration *migration = migration_of(look);
    PGresult *result;

    if (!query_script(migration->conn, "looking at rows",
                      arena_printf(migration->arena, "SET statement_timeout = %d", ms), err))
        return false;
    result = query_run(migration->conn, "looking at rows", sql, 0, NULL, err);
    if (!result)
        return false;
    rows->n = query_int(result, 0, 0);
    rows->keys = rows->n ? arena_strdup(migration->arena, PQgetvalue(result, 0, 1)) : "";
    PQclear(result);
    return true;
}

static bool took_too_long(const Error *err) { return strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0; }

/* Looks at all rows, or at some; what could not be looked at is a finding. */
static void count_some(Look *look, const Table *table, int ms, const Question *question, Rows *rows,
                       Error *err) {
    Arena *arena = migration_of(look)->arena;
    const char *name = preflight_name(look->preflight, table);

    if (count_within(look, ms, question->sql, rows, err))
        return;
    rows->sampled = took_too_long(err) && question->sample_sql &&
                    count_within(look, SAMPLE_MS, question->sample_sql, rows, err);
    if (rows->sampled)
        add_unseen(look, name, FINDING_NOTE,
                   arena_printf(arena, "%s was looked at in about %d of its rows only", question->text,
                                SAMPLE_ROWS));
    else if (took_too_long(err))
        add_unseen(look, name, FINDING_WARNING,
                   arena_printf(arena, "%s could not be seen in %d ms", question->text, ms));
    else
        add_unseen(look, name, FINDING_WARNING,
                   arena_printf(arena, "%s could not be seen: %s", question->text, err->message));
}

/* Whether to go on; *rows is zero where nothing was found, or seen. Only a server that is lost is an error.
 */
static bool count_rows(Look *look, const Table *table, const Question *question, Rows *rows, Error *err) {
    int64_t left = look->until - session_clock();

    *rows = (Rows){0};
    if (left < LEAST_MS)
        look->skipped++;
    else
        count_some(look, table, (int)(left < QUERY_MS ? left : QUERY_MS), question, rows, err);
    return PQstatus(migration_of(look)->conn) == CONNECTION_OK;
}

/* "3 rows have", "1 row has", "more than 10000 rows have". */
static const char *amount(const Look *look, const Rows *rows) {
    Arena *arena = migration_of(look)->arena;
    const char *of = rows->sampled ? "in a sample " : "";

    if (rows->n > MOST_ROWS)
        return arena_printf(arena, "%smore than %d rows have", of, MOST_ROWS);
    return arena_printf(arena, "%s%" PRId64 " %s", of, rows->n, rows->n == 1 ? "row has" : "rows have");
}

static void add_rows(const Look *look, const Table *table, const char *code, const char *what,
                     const char *why, const char *remedy) {
    findings_add(look->preflight->findings, (Finding){.severity = FINDING_ERROR,
                                                      .from = STAGE_KEYED,
                                                      .code = code,
                                                      .object = preflight_name(look->preflight, table),
                                                      .what = what,
                                                      .why = why,
                                                      .remedy = remedy});
}

/* ---- rows without a tenant ---- */

static const char *column_list(const Look *look, const Column *const *columns, int n) {
    Buf out = {0};

    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_append_cstr(&out, " or ");
        quote_identifier(&out, columns[i]->name);
    }
    return step_text(migration_of(look), &out);
}

static void append_null(Buf *condition, const Column *column, const char *glue) {
    if (buf_len(condition) > 0)
        buf_append_cstr(condition, glue);
    append_column(condition, "t", column);
    buf_append_cstr(condition, " IS NULL");
}

static bool check_nulls(Look *look, const Table *table, const Column *const *columns, int n, Error *err) {
    Arena *arena = migration_of(look)->arena;
    const char *names = column_list(look, columns, n);
    Buf joins = {0}, condition = {0};
    bool nullable = false;
    Question question;
    Rows rows;

    for (int i = 0; i < n; i++) {
        nullable |= !columns[i]->not_null;
        append_null(&condition, columns[i], " OR ");
    }
    if (!nullable) {
        buf_free(&condition);
        return true;
    }
    question = ask(look, table, arena_printf(arena, "whether its rows have %s", names), &joins, &condition);
    if (!count_rows(look, table, &question, &rows, err))
        return false;
    if (rows.n > 0)
        add_rows(look, table, "rows-without-tenant",
                 arena_printf(arena, "%s no %s: %s", amount(look, &rows), names, rows.keys),
                 "They belong to no tenant, and the tenant column will be NOT NULL.",
                 arena_printf(arena, "Give them one, or delete them: WHERE %s IS NULL.", names));
    return true;
}

static bool check_own_tenant(Look *look, const Table *table, Error *err) {
    if (table->kind == KIND_DISTRIBUTED && table->tenant)
        return check_nulls(look, table, &table->tenant, 1, err);
    if (!is_filled(table) && table->path.nsteps > 0)
        return check_nulls(look, table, table->path.steps[0]->child_columns, table->path.steps[0]->ncolumns,
                           err);
    return true;
}

/* ---- rows whose parent is missing, or of another tenant ---- */

static bool is_of_tenant(const Table *table) {
    return (table->kind == KIND_BACKFILL || table->kind == KIND_DISTRIBUTED) && table->tenant_column;
}

static bool check_orphans(Look *look, const ForeignKey *fk, Error *err) {
    Arena *arena = migration_of(look)->arena;
    const char *parent = preflight_name(look->preflight, fk->parent);
    Buf joins = {0}, condition = {0};
    Question question;
    Rows rows;

    for (int i = 0; i < fk->ncolumns; i++) {
        append_column(&condition, "t", fk->child_columns[i]);
        buf_append_cstr(&condition, " IS NOT NULL AND ");
    }
    buf_printf(&condition, "NOT EXISTS (SELECT FROM %s AS p WHERE ", parent);
    append_pairs(&condition, fk, "t", "p");
    buf_append_cstr(&condition, ")");
    question = ask(look, fk->child, arena_printf(arena, "whether its rows have their row of %s", parent),
                   &joins, &condition);
    if (!count_rows(look, fk->child, &question, &rows, err))
        return false;
    if (rows.n > 0)
        add_rows(
            look, fk->child, "orphans",
            arena_printf(arena, "%s no parent in %s (%s): %s", amount(look, &rows), parent,
                         column_list(look, fk->child_columns, fk->ncolumns), rows.keys),
            "Nothing says which tenant they belong to, and no foreign key with the tenant can be validated.",
            "Give them a parent, or delete them.");
    return true;
}

/* As a foreign key that has the tenant among its columns cannot lead to another one. */
static bool may_differ(const ForeignKey *fk) {
    for (int i = 0; i < fk->ncolumns; i++) {
        if (strcmp(fk->parent_columns[i]->name, fk->parent->tenant_column) == 0)
            return false;
    }
    return true;
}

/* Whether a row's tenant is found by that very key. */
static bool is_the_way(const ForeignKey *fk) {
    const Table *table = fk->child;

    return !is_filled(table) && table->path.nsteps > 0 && strcmp(table->path.steps[0]->name, fk->name) == 0;
}

static bool check_parent(Look *look, const ForeignKey *fk, Error *err) {
    Arena *arena = migration_of(look)->arena;
    const char *parent = preflight_name(look->preflight, fk->parent), *own, *other;
    Buf joins = {0}, condition = {0};
    Question question;
    Rows rows;

    own = append_way(look, &joins, fk->child, "t");
    append_join(look, &joins, fk, "t", "p");
    other = append_way(look, &joins, fk->parent, "p");
    buf_printf(&condition, "%s <> %s", own, other);
    question = ask(look, fk->child,
                   arena_printf(arena, "whether its rows are of the same tenant as their row of %s", parent),
                   &joins, &condition);
    if (!count_rows(look, fk->child, &question, &rows, err))
        return false;
    if (rows.n > 0)
        add_rows(look, fk->child, "two-tenants",
                 arena_printf(arena, "%s another %s than their row of %s: %s", amount(look, &rows),
                              fk->child->tenant_column, parent, rows.keys),
                 "A row and what it refers to must be of one tenant: they will lie together.",
                 arena_printf(arena, "Mend the rows, or drop the foreign key %s.", fk->name));
    return true;
}

static bool has_way(const Table *table) { return is_filled(table) || table->path.nsteps > 0; }

static bool check_keys(Look *look, const Table *table, Error *err) {
    const ForeignKey *first = !is_filled(table) && table->path.nsteps > 0 ? table->path.steps[0] : NULL;

    if (first && !first->validated && !check_orphans(look, first, err))
        return false;
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];
        bool is_first = is_the_way(fk);

        if (!is_of_tenant(fk->parent))
            continue;
        if (!fk->validated && !is_first && !check_orphans(look, fk, err))
            return false;
        if (!is_first && may_differ(fk) && has_way(table) && has_way(fk->parent) &&
            !check_parent(look, fk, err))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static void add_skipped(const Look *look) {
    add_unseen(look, "database", FINDING_WARNING,
               arena_printf(migration_of(look)->arena,
                            "%d of the questions about rows were not asked: the others took %d s",
                            look->skipped, ALL_MS / 1000));
}

bool preflight_data(Preflight *preflight, Error *err) {
    const Migration *migration = preflight->migration;
    Look look = {.preflight = preflight, .until = session_clock() + ALL_MS};

    for (int i = 0; i < migration->nall; i++) {
        const Table *table = migration->all[i];

        if (table->citus == CITUS_DISTRIBUTED)
            continue;
        if (!check_own_tenant(&look, table, err) || !check_keys(&look, table, err))
            return false;
    }
    if (look.skipped > 0)
        add_skipped(&look);
    return query_script(migration->conn, "looking at rows", "SET statement_timeout = '10s'", err);
}
