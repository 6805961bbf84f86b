/* The SQL of a batch, and its cursor. */
#include "migrate/backfill.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "catalog/stage.h"
#include "migrate/sql/backfill_give.h"
#include "migrate/sql/backfill_holder.h"
#include "migrate/sql/backfill_reset.h"
#include "migrate/sql/backfill_state.h"
#include "migrate/sql/not_null.h"

const Key *backfill_key(const Table *table) {
    for (int i = 0; i < table->nkeys; i++) {
        if (table->keys[i].primary)
            return &table->keys[i];
    }
    return NULL;
}

bool backfill_read(const Migration *migration, const Table *table, BackfillState *state, Error *err) {
    const char *params[] = {table->schema, table->name};
    PGresult *result;
    bool exists;

    *state = (BackfillState){0};
    if (!stage_schema_exists(migration->conn, &exists, err))
        return false;
    if (!exists)
        return true;
    result =
        query_run(migration->conn, "reading how far the backfill is", sql_backfill_state, 2, params, err);

    if (!result)
        return false;
    state->begun = PQntuples(result) == 1;
    if (state->begun) {
        state->last_key = query_keep(migration->arena, result, 0, 0);
        state->seen = query_int(result, 0, 1);
        state->filled = query_int(result, 0, 2);
        state->finished = query_bool(result, 0, 3);
        state->by_pg_cron = strcmp(PQgetvalue(result, 0, 4), BACKFILL_BY_PG_CRON) == 0;
    }
    PQclear(result);
    return true;
}

bool backfill_reset(const Migration *migration, const Table *table, Error *err) {
    const char *params[] = {table->schema, table->name};
    PGresult *result =
        query_run(migration->conn, "beginning the backfill anew", sql_backfill_reset, 2, params, err);

    PQclear(result);
    return result != NULL;
}

bool backfill_give(const Migration *migration, const Table *table, const char *driver, Error *err) {
    const char *params[] = {table->schema, table->name, driver};
    PGresult *result =
        query_run(migration->conn, "taking the backfill over", sql_backfill_give, 3, params, err);

    PQclear(result);
    return result != NULL;
}

bool backfill_is_over(const Migration *migration, const Table *table, bool *over, Error *err) {
    const char *params[] = {arena_printf(migration->arena, "%" PRIu32, table->oid), table->tenant_column};
    PGresult *result = query_run(migration->conn, "reading the tenant column", sql_not_null, 2, params, err);

    if (!result)
        return false;
    *over = PQntuples(result) == 1 && query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

/* ---- the statement ---- */

static void append_columns(Buf *out, const char *prefix, const Key *key, const char *suffix) {
    for (int i = 0; i < key->ncolumns; i++) {
        buf_printf(out, "%s%s", i ? ", " : "", prefix);
        quote_identifier(out, key->columns[i]->name);
        buf_append_cstr(out, suffix);
    }
}

/* Elements of the cursor's array, as the key's types. */
static void append_cursor(Buf *out, const Key *key, const char *cursor) {
    for (int i = 0; i < key->ncolumns; i++)
        buf_printf(out, "%s(%s)[%d]::%s", i ? ", " : "", cursor, i + 1, key->columns[i]->type);
}

static void append_rows(Buf *out, const Migration *migration, const Table *table,
                        const BackfillBatch *batch) {
    const Key *key = backfill_key(table);

    buf_printf(out, " FROM %s", table_qualified_name(migration->arena, table));
    if (batch->behind) {
        buf_append_cstr(out, " WHERE (");
        append_columns(out, "", key, "");
        buf_append_cstr(out, ") > (");
        append_cursor(out, key, batch->behind);
        buf_append_cstr(out, ")");
    }
    buf_append_cstr(out, "\n    ORDER BY ");
    append_columns(out, "", key, "");
    buf_printf(out, " LIMIT %s\n)", batch->rows);
}

static void append_range(Buf *out, const Migration *migration, const Table *table,
                         const BackfillBatch *batch) {
    const Key *key = backfill_key(table);

    buf_append_cstr(out, "WITH range AS MATERIALIZED (\n    SELECT ");
    append_columns(out, "", key, "");
    append_rows(out, migration, table, batch);
    buf_append_cstr(out, ", ends AS (\n    SELECT ARRAY[");
    append_columns(out, "", key, "::text");
    buf_append_cstr(out, "] AS last_key FROM range ORDER BY ");
    append_columns(out, "", key, " DESC");
    buf_append_cstr(out, " LIMIT 1\n)");
}

/* A row whose parent has no tenant, or that has no parent, stays as it is. */
static void append_fill(Buf *out, const Migration *migration, const Table *table) {
    const ForeignKey *step = table->path.steps[0];
    const Key *key = backfill_key(table);
    const char *glue = " WHERE ";

    buf_printf(out, ", filled AS (\n    UPDATE %s AS t SET ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
    buf_append_cstr(out, " = p.");
    quote_identifier(out, step->parent->tenant_column);
    buf_printf(out, "\n    FROM range AS r, %s AS p\n   ",
               table_qualified_name(migration->arena, step->parent));
    for (int i = 0; i < key->ncolumns; i++, glue = " AND ") {
        buf_printf(out, "%st.", glue);
        quote_identifier(out, key->columns[i]->name);
        buf_append_cstr(out, " = r.");
        quote_identifier(out, key->columns[i]->name);
    }
    for (int i = 0; i < step->ncolumns; i++) {
        buf_append_cstr(out, " AND p.");
        quote_identifier(out, step->parent_columns[i]->name);
        buf_append_cstr(out, " = t.");
        quote_identifier(out, step->child_columns[i]->name);
    }
    buf_append_cstr(out, "\n    AND t.");
    quote_identifier(out, table->tenant_column);
    buf_append_cstr(out, " IS NULL AND p.");
    quote_identifier(out, step->parent->tenant_column);
    buf_append_cstr(out, " IS NOT NULL\n    RETURNING 1\n)");
}

const char *backfill_sql(const Migration *migration, const Table *table, const BackfillBatch *batch) {
    Buf out = {0};

    append_range(&out, migration, table, batch);
    append_fill(&out, migration, table);
    buf_printf(
        &out,
        "\nUPDATE shardferry.backfill AS b\n"
        "SET last_key = coalesce((SELECT last_key FROM ends), b.last_key),\n"
        "    rows_seen = b.rows_seen + (SELECT count(*) FROM range),\n"
        "    rows_filled = b.rows_filled + (SELECT count(*) FROM filled),\n"
        "    finished = CASE WHEN (SELECT count(*) FROM range) < %s THEN pg_catalog.clock_timestamp() END\n"
        "WHERE b.table_schema = ",
        batch->rows);
    step_literal(&out, table->schema);
    buf_append_cstr(&out, " AND b.table_name = ");
    step_literal(&out, table->name);
    buf_append_cstr(&out, " AND b.driver = ");
    step_literal(&out, batch->driver ? batch->driver : BACKFILL_BY_RUNNER);
    buf_printf(&out, " AND b.last_key IS NOT DISTINCT FROM %s", batch->behind ? batch->behind : "NULL");
    buf_append_cstr(&out, "\nRETURNING b.last_key, b.rows_seen, b.rows_filled, b.finished IS NOT NULL");
    return step_text(migration, &out);
}

/* ---- who is in the way ---- */

/* Whoever locked a row last stands in it. Of several, who share it, nobody is found. */
static const char *holder_sql(const Migration *migration, const Table *table, const BackfillBatch *batch) {
    const Key *key = backfill_key(table);
    Buf out = {0};

    buf_append_cstr(&out, "WITH range AS MATERIALIZED (\n    SELECT xmax AS locker, ARRAY[");
    append_columns(&out, "", key, "::text");
    buf_append_cstr(&out, "]::text AS row_key");
    append_rows(&out, migration, table, batch);
    buf_append_cstr(&out, sql_backfill_holder);
    return step_text(migration, &out);
}

bool backfill_holder(const Migration *migration, const Table *table, const char *last_key, int64_t rows,
                     const char **holder, Error *err) {
    const char *limit = arena_printf(migration->arena, "%" PRId64, rows);
    const char *params[] = {limit, last_key};
    const char *sql = holder_sql(
        migration, table, &(BackfillBatch){.rows = "$1::bigint", .behind = last_key ? "$2::text[]" : NULL});
    const char *name = table_qualified_name(migration->arena, table);
    PGresult *result =
        query_run(migration->conn, "looking for who holds a row", sql, last_key ? 2 : 1, params, err);

    if (!result)
        return false;
    *holder = NULL;
    if (PQntuples(result) == 1)
        *holder = arena_printf(migration->arena, "row %s of %s, held by %s", PQgetvalue(result, 0, 0), name,
                               PQgetvalue(result, 0, 1));
    PQclear(result);
    return true;
}
