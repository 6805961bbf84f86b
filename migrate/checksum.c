/* Checksums, as SQL. */
#include "migrate/checksum.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/backfill.h"
#include "migrate/sql/checksum_compare.h"
#include "migrate/sql/checksum_read.h"
#include "migrate/watch.h"

/* Citus sends a SET LOCAL on with the whole text that it stood in: each is on its own here, and none behind
 * them is sent on. Without Citus its setting is a name like any other. */
const char CHECKSUM_SETTINGS[] = "DO $settings$\nBEGIN\n"
                                 "    SET LOCAL citus.propagate_set_commands = 'local';\n"
                                 "    SET LOCAL TimeZone = 'UTC';\n"
                                 "    SET LOCAL DateStyle = 'ISO, YMD';\n"
                                 "    SET LOCAL IntervalStyle = 'postgres';\n"
                                 "    SET LOCAL extra_float_digits = 1;\n"
                                 "    SET LOCAL bytea_output = 'hex';\n"
                                 "    SET LOCAL lc_monetary = 'C';\n"
                                 "    SET LOCAL search_path = pg_catalog;\n"
                                 "    SET LOCAL citus.propagate_set_commands = 'none';\n"
                                 "END\n$settings$;\n";

/* ---- of a row ---- */

static int by_name(const void *a, const void *b) {
    return strcmp((*(const Column *const *)a)->name, (*(const Column *const *)b)->name);
}

static void append_row(const Column **columns, int n, const char *alias, Buf *out) {
    buf_append_cstr(out, "ROW(");
    for (int i = 0; i < n; i++) {
        buf_printf(out, "%s%s.", i ? ", " : "", alias);
        quote_identifier(out, columns[i]->name);
    }
    buf_append_cstr(out, ")::text");
}

static void append_all_columns(const Table *table, const char *alias, Buf *out) {
    Arena *arena = arena_new();
    const Column **columns = ARENA_ARRAY(arena, const Column *, table->ncolumns + 1);

    for (int i = 0; i < table->ncolumns; i++)
        columns[i] = &table->columns[i];
    qsort(columns, (size_t)table->ncolumns, sizeof(Column *), by_name);
    append_row(columns, table->ncolumns, alias, out);
    arena_free(arena);
}

void checksum_row(const Table *table, const char *alias, Buf *out) {
    buf_append_cstr(out, "pg_catalog.hashtextextended(");
    append_all_columns(table, alias, out);
    buf_append_cstr(out, " COLLATE pg_catalog.\"C\", 0)");
}

void checksum_key_text(const Table *table, const char *alias, Buf *out) {
    const Key *key = backfill_key(table);

    if (key)
        append_row(key->columns, key->ncolumns, alias, out);
    else
        append_all_columns(table, alias, out);
}

/* ---- of a table ---- */

void checksum_is_table(const Table *table, Buf *out) {
    buf_append_cstr(out, "table_schema = ");
    step_literal(out, table->schema);
    buf_append_cstr(out, " AND table_name = ");
    step_literal(out, table->name);
}

/* 'schema', 'name', 'phase' */
static void append_place(const Table *table, const char *phase, Buf *out) {
    step_literal(out, table->schema);
    buf_append_cstr(out, ", ");
    step_literal(out, table->name);
    buf_printf(out, ", '%s'", phase);
}

#define COLUMNS "(table_schema, table_name, phase, tenant, row_count, checksum)"

/* Statements: the totals of a phase ("before", "after") from what its tenants have. */
static void checksum_total(const Table *table, const char *phase, Buf *out) {
    buf_append_cstr(out, "INSERT INTO shardferry.checksum " COLUMNS "\nSELECT ");
    append_place(table, phase, out);
    buf_append_cstr(out,
                    ", NULL, coalesce(pg_catalog.sum(row_count), 0), coalesce(pg_catalog.sum(checksum), 0)"
                    "\nFROM shardferry.checksum WHERE ");
    checksum_is_table(table, out);
    buf_printf(out, " AND phase = '%s';\n", phase);
}

/* The rows without a tenant column have nothing to be grouped by: they are one sum. */
static void append_take(const Migration *migration, const Table *table, const char *phase, Buf *out) {
    const char *name = table_qualified_name(migration->arena, table);

    buf_append_cstr(out, "DELETE FROM shardferry.checksum WHERE ");
    checksum_is_table(table, out);
    buf_printf(out, " AND phase = '%s';\nINSERT INTO shardferry.checksum " COLUMNS "\nSELECT ", phase);
    append_place(table, phase, out);
    if (table->tenant_column) {
        buf_append_cstr(out, ", g.tenant::text, g.n, g.s\nFROM (SELECT t.");
        quote_identifier(out, table->tenant_column);
        buf_append_cstr(out, " AS tenant, pg_catalog.count(*) AS n, pg_catalog.sum(");
        checksum_row(table, "t", out);
        buf_printf(out, ") AS s\n      FROM %s AS t GROUP BY t.", name);
        quote_identifier(out, table->tenant_column);
        buf_append_cstr(out, ") AS g;\n");
        checksum_total(table, phase, out);
    } else {
        buf_append_cstr(
            out, ", NULL, g.n, coalesce(g.s, 0)\nFROM (SELECT pg_catalog.count(*) AS n, pg_catalog.sum(");
        checksum_row(table, "t", out);
        buf_printf(out, ") AS s FROM %s AS t) AS g;\n", name);
    }
}

void checksum_before(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "LOCK TABLE %s IN EXCLUSIVE MODE;\n%s", table_qualified_name(migration->arena, table),
               CHECKSUM_SETTINGS);
    append_take(migration, table, "before", out);
}

void checksum_after(const Migration *migration, const Table *table, Buf *out) {
    Buf schema = {0}, name = {0};

    step_literal(&schema, table->schema);
    step_literal(&name, table->name);
    append_take(migration, table, "after", out);
    buf_printf(out, sql_checksum_compare, step_text(migration, &schema), step_text(migration, &name));
}

bool checksum_has_place(const Migration *migration, bool *there, Error *err) {
    PGresult *result =
        query_run(migration->conn, "looking for the checksums",
                  "SELECT pg_catalog.to_regclass('shardferry.switch') IS NOT NULL", 0, NULL, err);

    if (!result)
        return false;
    *there = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

bool checksum_read(const Migration *migration, const Table *table, ChecksumTotal *total, Error *err) {
    const char *params[] = {table->schema, table->name};
    PGresult *result;
    bool there;

    *total = (ChecksumTotal){.checksum = "0"};
    if (!checksum_has_place(migration, &there, err))
        return false;
    if (!there)
        return true;
    result = query_run(migration->conn, "reading the checksums", sql_checksum_read, 2, params, err);
    if (!result)
        return false;
    total->before = query_bool(result, 0, 0);
    total->after = query_bool(result, 0, 1);
    total->same = query_bool(result, 0, 2);
    total->rows = query_int(result, 0, 3);
    total->tenants = query_int(result, 0, 4);
    total->verified = query_bool(result, 0, 6);
    total->checksum = arena_strdup(migration->arena, PQgetvalue(result, 0, 5));
    PQclear(result);
    return true;
}

static const char *verified_sql(const Migration *migration, const Table *table, bool counted) {
    Buf out = {0};

    buf_append_cstr(&out, "BEGIN;\n");
    if (!counted) {
        buf_append_cstr(&out, CHECKSUM_SETTINGS);
        append_take(migration, table, "after", &out);
    }
    buf_append_cstr(&out, "UPDATE shardferry.checksum SET verified = pg_catalog.clock_timestamp() WHERE ");
    checksum_is_table(table, &out);
    buf_append_cstr(&out, " AND phase = 'after' AND tenant IS NULL;\nCOMMIT;\n");
    return step_text(migration, &out);
}

bool checksum_verified(const Migration *migration, const Table *table, Error *err) {
    ChecksumTotal total;

    if (!checksum_read(migration, table, &total, err))
        return false;
    if (watch_script(migration, "taking down the checksums", verified_sql(migration, table, total.after),
                     err))
        return true;
    query_rollback(migration->conn);
    return false;
}
