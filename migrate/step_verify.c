/* Verification: every row has a tenant, and all that it refers to have the same.
 *
 * One query a table and a parent, each in a snapshot of its own: a parent's tenant and its children's change
 * in one statement. What is wrong is named by its keys, and nothing is changed. */
#include "migrate/backfill.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"

#define SAMPLE_KEYS 5

typedef struct Finding {
    int64_t rows;
    const char *keys; /* of the first few, for people */
} Finding;

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, "verify ");
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " in %s", table_qualified_name(migration->arena, table));
}

static void append_column(Buf *out, const char *prefix, const char *name) {
    buf_append_cstr(out, prefix);
    quote_identifier(out, name);
}

static void append_name(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, table_qualified_name(migration->arena, table));
}

/* The parent's row beside the child's, if there is one. */
static void append_parent(const Migration *migration, const ForeignKey *step, Buf *out) {
    buf_append_cstr(out, " LEFT JOIN ");
    append_name(migration, step->parent, out);
    buf_append_cstr(out, " AS p ON ");
    for (int i = 0; i < step->ncolumns; i++) {
        append_column(out, i ? " AND p." : "p.", step->parent_columns[i]->name);
        append_column(out, " = t.", step->child_columns[i]->name);
    }
}

/* Counts the rows of a table that fulfil `condition`, and takes down the keys of some. `step` may be NULL. */
static const char *count_sql(const Migration *migration, const Table *table, const ForeignKey *step,
                             const char *condition) {
    const Key *key = backfill_key(table);
    Buf out = {0};

    buf_append_cstr(&out, "SELECT count(*), (pg_catalog.array_agg(pg_catalog.concat_ws(', '");
    for (int i = 0; key && i < key->ncolumns; i++)
        append_column(&out, ", t.", key->columns[i]->name);
    buf_printf(&out, ")))[1:%d] FROM ", SAMPLE_KEYS);
    append_name(migration, table, &out);
    buf_append_cstr(&out, " AS t");
    if (step)
        append_parent(migration, step, &out);
    buf_printf(&out, " WHERE %s", condition);
    return step_text(migration, &out);
}

/* "p.x" and "t.y". */
static const char *qualified(const Migration *migration, const char *prefix, const char *name) {
    Buf out = {0};

    append_column(&out, prefix, name);
    return step_text(migration, &out);
}

static const char *differ_sql(const Migration *migration, const ForeignKey *step) {
    const char *condition =
        arena_printf(migration->arena, "%s <> %s", qualified(migration, "t.", step->child->tenant_column),
                     qualified(migration, "p.", step->parent->tenant_column));

    return count_sql(migration, step->child, step, condition);
}

static const char *lack_sql(const Migration *migration, const Table *table) {
    return count_sql(
        migration, table, NULL,
        arena_printf(migration->arena, "%s IS NULL", qualified(migration, "t.", table->tenant_column)));
}

/* Those that the backfill should have filled. */
static const char *missed_sql(const Migration *migration, const ForeignKey *step) {
    const char *condition = arena_printf(migration->arena, "%s IS NULL AND %s IS NOT NULL",
                                         qualified(migration, "t.", step->child->tenant_column),
                                         qualified(migration, "p.", step->parent->tenant_column));

    return count_sql(migration, step->child, step, condition);
}

/* Whether both ends have a tenant that may differ. */
static bool may_differ(const ForeignKey *fk) {
    const Table *parent = fk->parent;

    if ((parent->kind != KIND_BACKFILL && parent->kind != KIND_DISTRIBUTED) || !parent->tenant_column)
        return false;
    for (int i = 0; i < fk->ncolumns; i++) {
        if (strcmp(fk->parent_columns[i]->name, parent->tenant_column) == 0)
            return false;
    }
    return true;
}

static bool find(const Migration *migration, const char *sql, Finding *finding, Error *err) {
    PGresult *result = query_run(migration->conn, "verifying the backfill", sql, 0, NULL, err);

    if (!result)
        return false;
    finding->rows = query_int(result, 0, 0);
    finding->keys = finding->rows ? arena_strdup(migration->arena, PQgetvalue(result, 0, 1)) : "";
    PQclear(result);
    return true;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "%s;\n", lack_sql(migration, table));
    for (int i = 0; i < table->nforeign_keys; i++) {
        if (may_differ(table->foreign_keys[i]))
            buf_printf(out, "%s;\n", differ_sql(migration, table->foreign_keys[i]));
    }
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    return backfill_is_over(migration, table, done, err);
}

/* ---- what may be wrong ---- */

/* The backfill passed them: somebody has written past the proxies since. */
static bool check_missed(const Migration *migration, const Table *table, Error *err) {
    Finding missed;
    Error ignored;

    if (table->kind != KIND_BACKFILL)
        return true;
    if (!find(migration, missed_sql(migration, table->path.steps[0]), &missed, err))
        return false;
    if (missed.rows == 0)
        return true;
    error_set(err, "55000", "%" PRId64 " rows of %s have no %s although their parent has: %s", missed.rows,
              table_qualified_name(migration->arena, table), table->tenant_column, missed.keys);
    if (!backfill_reset(migration, table, &ignored))
        return error_detail(err, "%s", ignored.message);
    return error_hint(err, "They were written behind the proxies' back. Run it again: they will be filled.");
}

static bool check_filled(const Migration *migration, const Table *table, Error *err) {
    Finding lacking;

    if (!check_missed(migration, table, err) || !find(migration, lack_sql(migration, table), &lacking, err))
        return false;
    if (lacking.rows == 0)
        return true;
    error_set(err, "23502", "%" PRId64 " rows of %s have no %s%s: %s", lacking.rows,
              table_qualified_name(migration->arena, table), table->tenant_column,
              table->kind == KIND_BACKFILL ? ", as they have no parent that has one" : "", lacking.keys);
    return error_hint(err, "Give them %s%s, or delete them; then run it again.",
                      table->kind == KIND_BACKFILL ? "a parent or " : "", table->tenant_column);
}

static bool check_parent(const Migration *migration, const ForeignKey *fk, Error *err) {
    Finding differing;

    if (!may_differ(fk))
        return true;
    if (!find(migration, differ_sql(migration, fk), &differing, err))
        return false;
    if (differing.rows == 0)
        return true;
    error_set(err, "23514", "%" PRId64 " rows of %s have another %s than their row of %s: %s", differing.rows,
              table_qualified_name(migration->arena, fk->child), fk->child->tenant_column,
              table_qualified_name(migration->arena, fk->parent), differing.keys);
    return error_hint(
        err,
        "A row and what it refers to belong to one tenant: mend the rows, or drop the foreign key %s; "
        "then run it again.",
        fk->name);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    if (!check_filled(migration, table, err))
        return false;
    for (int i = 0; i < table->nforeign_keys; i++) {
        if (!check_parent(migration, table->foreign_keys[i], err))
            return false;
    }
    return true;
}

const Step step_verify = {.name = "verify",
                          .scope = STEP_EACH_DISTRIBUTED,
                          .only_looks = true,
                          .describe = describe,
                          .script = script,
                          .undo = step_no_sql,
                          .check = check,
                          .run = run};
