/* NOT NULL without a long lock: a CHECK that is validated while writers go on proves it, so that SET NOT NULL
 * need not look at the rows. */
#include "migrate/backfill.h"

#include <inttypes.h>

#include "catalog/query.h"
#include "migrate/lock.h"
#include "migrate/old_keys.h"
#include "migrate/pieces.h"
#include "migrate/sql/check_exists.h"

#define CHECK_NAME "shardferry_tenant_not_null"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, "set ");
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " NOT NULL in %s", table_qualified_name(migration->arena, table));
}

/* Each of the three is a transaction of its own. A CHECK that an earlier run left goes first. */
static const char *add_sql(const Migration *migration, const Table *table) {
    const char *name = table_qualified_name(migration->arena, table);
    Buf out = {0};

    buf_printf(&out,
               "ALTER TABLE %s DROP CONSTRAINT IF EXISTS " CHECK_NAME
               ";\nALTER TABLE %s ADD CONSTRAINT " CHECK_NAME " CHECK (",
               name, name);
    quote_identifier(&out, table->tenant_column);
    buf_append_cstr(&out, " IS NOT NULL) NOT VALID;\n");
    return step_text(migration, &out);
}

static const char *validate_sql(const Migration *migration, const Table *table) {
    return arena_printf(migration->arena, "ALTER TABLE %s VALIDATE CONSTRAINT " CHECK_NAME ";\n",
                        table_qualified_name(migration->arena, table));
}

static const char *set_sql(const Migration *migration, const Table *table) {
    const char *name = table_qualified_name(migration->arena, table);
    Buf out = {0};

    made_record(table, MADE_NOT_NULL, table->tenant_column, &out);
    buf_printf(&out, "ALTER TABLE %s ALTER COLUMN ", name);
    quote_identifier(&out, table->tenant_column);
    buf_printf(&out, " SET NOT NULL;\nALTER TABLE %s DROP CONSTRAINT " CHECK_NAME ";\n", name);
    return step_text(migration, &out);
}

static bool read_check(const Migration *migration, const Table *table, bool *exists, Error *err) {
    const char *params[] = {arena_printf(migration->arena, "%" PRIu32, table->oid), CHECK_NAME};
    PGresult *result = query_run(migration->conn, "looking for the CHECK", sql_check_exists, 2, params, err);

    if (!result)
        return false;
    *exists = query_bool(result, 0, 0);
    PQclear(result);
    return true;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    lock_script(add_sql(migration, table), out);
    lock_script(validate_sql(migration, table), out);
    lock_script(set_sql(migration, table), out);
}

/* A CHECK that a run left goes, too. */
static bool undo_pieces(const Table *table, Pieces *pieces, Error *err) {
    const Migration *migration = pieces->migration;
    const char *name = table_qualified_name(migration->arena, table);
    const char **made;
    bool is_set, has_check;
    Buf out = {0};
    int n;

    if (!made_read(migration, table, MADE_NOT_NULL, &made, &n, err) ||
        !backfill_is_over(migration, table, &is_set, err) || !read_check(migration, table, &has_check, err))
        return false;
    if (has_check)
        buf_printf(&out, "ALTER TABLE %s DROP CONSTRAINT IF EXISTS " CHECK_NAME ";\n", name);
    if (n > 0 || (!migration->undoing && !is_set)) {
        buf_printf(&out, "ALTER TABLE %s ALTER COLUMN ", name);
        quote_identifier(&out, table->tenant_column);
        buf_append_cstr(&out, " DROP NOT NULL;\n");
        made_forget(table, MADE_NOT_NULL, table->tenant_column, &out);
    }
    if (buf_len(&out) > 0)
        pieces_locking(pieces, "dropping NOT NULL", step_text(migration, &out));
    return true;
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    pieces_script(migration, table, undo_pieces, out);
}

static bool revert(const Migration *migration, const Table *table, Error *err) {
    return pieces_run(migration, table, undo_pieces, err);
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    return backfill_is_over(migration, table, done, err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    return lock_run(migration, table, "adding a CHECK", add_sql(migration, table), err) &&
           lock_run(migration, table, "validating the CHECK", validate_sql(migration, table), err) &&
           lock_run(migration, table, "setting NOT NULL", set_sql(migration, table), err);
}

const Step step_not_null = {.name = "not null",
                            .scope = STEP_EACH_DISTRIBUTED,
                            .why = "Keys hold for every row only where the tenant is never NULL. A validated "
                                   "CHECK spares the look at the rows.",
                            .lock = "ACCESS EXCLUSIVE on the table, for a moment, twice; the rows are read "
                                    "under SHARE UPDATE EXCLUSIVE, which writers do not feel",
                            .us_per_row = 0.1,
                            .describe = describe,
                            .script = script,
                            .undo = undo,
                            .check = check,
                            .run = run,
                            .revert = revert};
