/* Comparing, group by group and then row by row. All that is in between is in temporary tables of one
 * transaction. */
#include "migrate/proof.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/checksum.h"
#include "migrate/session.h"
#include "migrate/sql/proof_changed.h"
#include "migrate/sql/proof_compared.h"
#include "migrate/sql/proof_differ.h"
#include "migrate/sql/proof_groups.h"
#include "migrate/sql/proof_keep.h"
#include "migrate/sql/proof_place.h"
#include "migrate/sql/proof_switch.h"
#include "migrate/sql/proof_unexplained.h"
#include "migrate/watch.h"

/* Of a group in which one row was written since, all rows are looked at: the smaller they are the better. But
 * what is known of each group has to fit on the coordinator. */
#define ROWS_IN_A_GROUP "8"
#define GROUPS_IN_ALL "2000000"
/* A session counts its deletions at the end of its transaction, or up to ten seconds later. */
#define STATISTICS_MS 15000
#define STATISTICS_PAUSE_MS 1000
/* For some statements, one after the other: what the server gives to all is made for many small ones. */
#define MEMORY "SET LOCAL work_mem = '64MB'"

bool proof_read(const Migration *migration, const Table *table, Switch *found, Error *err) {
    const char *params[] = {table->schema, table->name};
    PGresult *result;
    bool there, gone;

    *found = (Switch){0};
    if (!checksum_has_place(migration, &there, err))
        return false;
    if (!there)
        return true;
    result = query_run(migration->conn, "reading what is to be compared", sql_proof_switch, 2, params, err);
    if (!result)
        return false;
    found->seen = PQntuples(result) == 1;
    gone = found->seen && query_bool(result, 0, 2);
    if (found->seen) {
        found->proved = query_bool(result, 0, 0);
        found->old_shard = query_keep(migration->arena, result, 0, 1);
    }
    PQclear(result);
    if (!gone || found->proved)
        return true;
    error_set(err, "42P01", "what %s is to be compared with is gone from schema shardferry",
              table_qualified_name(migration->arena, table));
    return error_hint(
        err, "If you dropped it, go on without: DELETE FROM shardferry.switch WHERE table_name = '%s'.",
        table->name);
}

/* ---- the SQL ---- */

static void append_tenant(const Table *table, Buf *out) {
    buf_append_cstr(out, "t.");
    quote_identifier(out, table->tenant_column);
}

/* The group of a row within its tenant, an expression; or NULL with `err`. The old shard's and the
 * distributed table's must be the same text. */
static const char *bucket_sql(const Migration *migration, const Table *table, const char *old_shard,
                              Error *err) {
    const char *params[] = {old_shard, table->tenant_column, ROWS_IN_A_GROUP, GROUPS_IN_ALL};
    PGresult *result =
        query_run(migration->conn, "looking at the tenants' sizes", sql_proof_groups, 4, params, err);
    Buf out = {0};

    if (!result)
        return NULL;
    buf_append_cstr(&out, "pg_catalog.hashtextextended(");
    checksum_key_text(table, "t", &out);
    buf_append_cstr(&out, " COLLATE pg_catalog.\"C\", 1) & (coalesce((");
    step_literal(&out, PQgetvalue(result, 0, 2));
    buf_append_cstr(&out, "::bigint[])[pg_catalog.array_position(");
    step_literal(&out, PQgetvalue(result, 0, 1));
    buf_append_cstr(&out, "::text[], ");
    append_tenant(table, &out);
    buf_printf(&out, "::text)], %s) - 1)", PQgetvalue(result, 0, 0));
    PQclear(result);
    return step_text(migration, &out);
}

static const char *groups_sql(const Migration *migration, const Table *table, const char *bucket,
                              const char *side, const char *from) {
    Buf out = {0};

    buf_printf(&out,
               "CREATE TEMP TABLE shardferry_%s_groups ON COMMIT DROP AS\nSELECT g.tenant::text AS tenant, "
               "g.bucket, g.row_count, g.checksum\nFROM (SELECT ",
               side);
    append_tenant(table, &out);
    buf_printf(&out, " AS tenant, %s AS bucket, pg_catalog.count(*) AS row_count, pg_catalog.sum(", bucket);
    checksum_row(table, "t", &out);
    buf_printf(&out, ") AS checksum\n      FROM %s AS t GROUP BY 1, 2) AS g", from);
    return step_text(migration, &out);
}

/* The rows of the groups that differ. Without a primary key equal rows are one, with the sum of their hashes.
 */
static const char *rows_sql(const Migration *migration, const Table *table, const char *bucket,
                            const char *side, const char *from, const char *xid) {
    Buf out = {0};

    buf_printf(
        &out,
        "CREATE TEMP TABLE shardferry_%s_rows ON COMMIT DROP AS\nSELECT g.tenant::text AS tenant, g.key, "
        "g.hash, g.times, g.xid\nFROM (SELECT ",
        side);
    append_tenant(table, &out);
    buf_append_cstr(&out, " AS tenant, ");
    checksum_key_text(table, "t", &out);
    buf_append_cstr(&out, " AS key, pg_catalog.sum(");
    checksum_row(table, "t", &out);
    buf_printf(
        &out,
        ") AS hash, pg_catalog.count(*) AS times, pg_catalog.max(%s) AS xid\n      FROM %s AS t WHERE (", xid,
        from);
    append_tenant(table, &out);
    buf_printf(&out,
               "::text, %s) IN (SELECT d.tenant, d.bucket FROM pg_temp.shardferry_differ AS d)\n"
               "      GROUP BY 1, 2) AS g",
               bucket);
    return step_text(migration, &out);
}

static const char *condition(const Migration *migration, const Table *table) {
    Buf out = {0};

    checksum_is_table(table, &out);
    return step_text(migration, &out);
}

/* 'schema.name'::regclass */
static const char *relation(const Migration *migration, const Table *table) {
    Buf out = {0};

    step_literal(&out, table_qualified_name(migration->arena, table));
    buf_append_cstr(&out, "::regclass");
    return step_text(migration, &out);
}

static const char *literal(const Migration *migration, const char *text) {
    Buf out = {0};

    step_literal(&out, text);
    return step_text(migration, &out);
}

/* ---- comparing ---- */

static bool compare(const Migration *migration, const Table *table, const char *old_shard, Error *err) {
    const char *name = table_qualified_name(migration->arena, table);
    const char *bucket = bucket_sql(migration, table, old_shard, err);
    if (!bucket)
        return false;
    const char *const statements[] = {
        groups_sql(migration, table, bucket, "old", old_shard),
        groups_sql(migration, table, bucket, "new", name),
        sql_proof_differ,
        rows_sql(migration, table, bucket, "old", old_shard, "NULL::bigint"),
        rows_sql(migration, table, bucket, "new", name, "t.xmin::text::bigint"),
        sql_proof_changed,
        arena_printf(migration->arena, sql_proof_place, relation(migration, table),
                     condition(migration, table)),
    };

    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        if (!watch_script(migration, "comparing with the old shard", statements[i], err))
            return false;
    }
    return true;
}

static bool say_compared(const Migration *migration, Error *err) {
    PGresult *result =
        query_run(migration->conn, "counting what was compared", sql_proof_compared, 0, NULL, err);

    if (!result)
        return false;
    step_say(migration, "  %s groups of rows; %s have been written since: %s rows were looked at one by one",
             PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2));
    PQclear(result);
    return true;
}

typedef struct Unexplained {
    int64_t rows, missing, added;
    const char *some;
} Unexplained;

static bool read_unexplained(const Migration *migration, const Table *table, Unexplained *found, Error *err) {
    const char *sql = arena_printf(migration->arena, sql_proof_unexplained, relation(migration, table));
    PGresult *result = query_run(migration->conn, "looking at what differs", sql, 0, NULL, err);

    if (!result)
        return false;
    found->rows = query_int(result, 0, 0);
    found->missing = query_int(result, 0, 1);
    found->added = query_int(result, 0, 2);
    found->some = arena_strdup(migration->arena, PQgetvalue(result, 0, 3));
    PQclear(result);
    return true;
}

static bool explain(const Migration *migration, const Table *table, Unexplained *found, Error *err) {
    int64_t end = session_clock() + STATISTICS_MS;

    if (!read_unexplained(migration, table, found, err))
        return false;
    while (found->missing > 0 && found->missing == found->rows && session_clock() < end) {
        watch_waiting(migration, "rows that are not there any more: for the statistics of deletions");
        session_sleep(STATISTICS_PAUSE_MS);
        if (!watch_going(migration, err) || !read_unexplained(migration, table, found, err))
            return false;
    }
    watch_waiting(migration, NULL);
    return true;
}

static bool mismatch(const Migration *migration, const Table *table, const char *old_shard,
                     const Unexplained *found, Error *err) {
    error_set(err, "XX001",
              "%s is not what it was before it was distributed: %" PRId64 " rows are missing, %" PRId64
              " were added, %" PRId64 " were changed, and not by the application",
              table_qualified_name(migration->arena, table), found->missing, found->added,
              found->rows - found->missing - found->added);
    error_detail(err, "%s", found->some);
    return error_hint(
        err,
        "The rows as they were are in %s, which is kept; nothing was truncated. Mend the rows and run it "
        "again, or take over what is there: UPDATE shardferry.switch SET proved = now() WHERE %s.",
        old_shard, condition(migration, table));
}

static bool keep(const Migration *migration, const Table *table, Error *err) {
    const char *is_table = condition(migration, table);
    const char *sql =
        arena_printf(migration->arena, sql_proof_keep, is_table, literal(migration, table->schema),
                     literal(migration, table->name), is_table);

    return query_script(migration->conn, "taking down the checksums", sql, err) &&
           query_script(migration->conn, "taking down the checksums", "COMMIT", err);
}

bool proof_run(const Migration *migration, const Table *table, const char *old_shard, Error *err) {
    Unexplained found;

    if (query_script(migration->conn, "comparing with the old shard", "BEGIN", err) &&
        query_script(migration->conn, "comparing with the old shard", CHECKSUM_SETTINGS, err) &&
        query_script(migration->conn, "comparing with the old shard", MEMORY, err) &&
        compare(migration, table, old_shard, err) && say_compared(migration, err) &&
        explain(migration, table, &found, err)) {
        if (found.rows == 0 && keep(migration, table, err))
            return true;
        if (found.rows > 0)
            mismatch(migration, table, old_shard, &found, err);
    }
    query_rollback(migration->conn);
    return false;
}

bool proof_drop(const Migration *migration, const Table *table, const char *old_shard, Error *err) {
    const char *sql = arena_printf(migration->arena,
                                   "BEGIN;\nSET LOCAL lock_timeout = '10s';\nDROP TABLE %s;\n"
                                   "UPDATE shardferry.switch SET old_shard = NULL WHERE %s;\nCOMMIT;\n",
                                   old_shard, condition(migration, table));

    if (query_script(migration->conn, "dropping the old shard", sql, err))
        return true;
    query_rollback(migration->conn);
    return false;
}
