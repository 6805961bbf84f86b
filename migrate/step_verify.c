/* Verification: every row has a tenant, all that it refers to is there, and has the same.
 *
 * A parent's tenant and its children's change in one statement, so each question is one query. What is wrong
 * is named by its keys, and nothing is changed. */
#include "migrate/backfill.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/verify.h"
#include "migrate/watch.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_append_cstr(out, "verify ");
    quote_identifier(out, table->tenant_column);
    buf_printf(out, " in %s", table_qualified_name(migration->arena, table));
}

static const char *tenant_of(const Migration *migration, const char *prefix, const Table *table) {
    return verify_column(migration, prefix, table->tenant_column);
}

/* ---- the queries ---- */

/* The statistics still say of the column that it is empty: by that the questions here would be planned, and
 * the check of a foreign key with it, and take hours. */
static const char *analyze_sql(const Migration *migration, const Table *table) {
    return arena_printf(migration->arena, "ANALYZE %s", table_qualified_name(migration->arena, table));
}

static const char *differ_sql(const Migration *migration, const ForeignKey *fk) {
    const char *own = tenant_of(migration, "t.", fk->child),
               *parents = tenant_of(migration, "p.", fk->parent);

    return verify_sql(migration, fk->child, fk, arena_printf(migration->arena, "%s <> %s", own, parents),
                      arena_printf(migration->arena, "': ', %s, ' and ', %s", own, parents));
}

static const char *lack_sql(const Migration *migration, const Table *table) {
    return verify_sql(migration, table, NULL,
                      arena_printf(migration->arena, "%s IS NULL", tenant_of(migration, "t.", table)), NULL);
}

/* Those that the backfill should have filled. */
static const char *missed_sql(const Migration *migration, const ForeignKey *step) {
    return verify_sql(migration, step->child, step,
                      arena_printf(migration->arena, "%s IS NULL AND %s IS NOT NULL",
                                   tenant_of(migration, "t.", step->child),
                                   tenant_of(migration, "p.", step->parent)),
                      NULL);
}

static const char *orphan_sql(const Migration *migration, const ForeignKey *fk) {
    return verify_sql(migration, fk->child, fk, verify_orphan(migration, fk), NULL);
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

/* A path that the configuration gives may lead along what is no foreign key. */
static const ForeignKey *configured_step(const Table *table) {
    const ForeignKey *step = table->path.nsteps > 0 ? table->path.steps[0] : NULL;

    for (int i = 0; step && i < table->nforeign_keys; i++) {
        if (table->foreign_keys[i] == step)
            step = NULL;
    }
    return step;
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    const ForeignKey *step = configured_step(table);

    if (table->kind == KIND_BACKFILL)
        buf_printf(out, "%s;\n", analyze_sql(migration, table));
    buf_printf(out, "%s;\n", lack_sql(migration, table));
    for (int i = 0; i < table->nforeign_keys; i++) {
        if (!table->foreign_keys[i]->validated)
            buf_printf(out, "%s;\n", orphan_sql(migration, table->foreign_keys[i]));
        if (may_differ(table->foreign_keys[i]))
            buf_printf(out, "%s;\n", differ_sql(migration, table->foreign_keys[i]));
    }
    if (step && may_differ(step))
        buf_printf(out, "%s;\n", differ_sql(migration, step));
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    return backfill_is_over(migration, table, done, err);
}

/* ---- what may be wrong ---- */

/* The backfill passed them: somebody has written past the proxies since. */
static bool check_missed(const Migration *migration, const Table *table, Error *err) {
    VerifyFound missed;
    Error ignored;

    if (table->kind != KIND_BACKFILL)
        return true;
    if (!verify_find(migration, missed_sql(migration, table->path.steps[0]), &missed, err))
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
    VerifyFound lacking;

    if (!check_missed(migration, table, err) ||
        !verify_find(migration, lack_sql(migration, table), &lacking, err))
        return false;
    if (lacking.rows == 0)
        return true;
    error_set(err, "23502", "%" PRId64 " rows of %s have no %s%s: %s", lacking.rows,
              table_qualified_name(migration->arena, table), table->tenant_column,
              table->kind == KIND_BACKFILL ? ", as they have no parent that has one" : "", lacking.keys);
    return error_hint(err, "Give them %s%s, or delete them; then run it again.",
                      table->kind == KIND_BACKFILL ? "a parent or " : "", table->tenant_column);
}

static bool check_differing(const Migration *migration, const ForeignKey *fk, Error *err) {
    const Table *table = fk->child;
    VerifyFound found;

    if (!may_differ(fk))
        return true;
    if (!verify_find(migration, differ_sql(migration, fk), &found, err))
        return false;
    if (found.rows == 0)
        return true;
    error_set(err, "23514", "%" PRId64 " rows of %s have another %s than their row of %s: %s", found.rows,
              table_qualified_name(migration->arena, table), table->tenant_column,
              table_qualified_name(migration->arena, fk->parent), found.keys);
    if (table->kind == KIND_BACKFILL && table->path.steps[0] != fk)
        error_detail(err, "Two parents disagree: theirs is that of their row of %s.",
                     table_qualified_name(migration->arena, table->path.steps[0]->parent));
    return error_hint(
        err,
        "A row and what it refers to belong to one tenant: mend the rows, or drop the foreign key %s; "
        "then run it again.",
        fk->name);
}

/* Of a key that has been validated there are none. */
static bool check_orphans(const Migration *migration, const ForeignKey *fk, Error *err) {
    VerifyFound found;

    if (fk->validated)
        return true;
    if (!verify_find(migration, orphan_sql(migration, fk), &found, err))
        return false;
    if (found.rows == 0)
        return true;
    error_set(err, SQLSTATE_FOREIGN_KEY_VIOLATION,
              "%" PRId64 " rows of %s refer to rows of %s that are not there: %s", found.rows,
              table_qualified_name(migration->arena, fk->child),
              table_qualified_name(migration->arena, fk->parent), found.keys);
    return error_hint(
        err,
        "The foreign key %s was never validated, and the one that takes its place will be: give the rows "
        "their parent, or delete them; then run it again.",
        fk->name);
}

/* However long a VACUUM or the like keeps it waiting: nobody has to wait behind it. */
static bool analyze(const Migration *migration, const Table *table, Error *err) {
    return query_script(migration->conn, "preparing to analyze", "SET lock_timeout = 0", err) &&
           watch_script(migration, "analyzing", analyze_sql(migration, table), err) &&
           query_script(migration->conn, "behind analyzing", "SET lock_timeout = '10s'", err);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    const ForeignKey *step = configured_step(table);

    if (table->kind == KIND_BACKFILL && !analyze(migration, table, err))
        return false;
    if (!check_filled(migration, table, err))
        return false;
    for (int i = 0; i < table->nforeign_keys; i++) {
        if (!check_orphans(migration, table->foreign_keys[i], err) ||
            !check_differing(migration, table->foreign_keys[i], err))
            return false;
    }
    return !step || check_differing(migration, step, err);
}

const Step step_verify = {.name = "verify",
                          .scope = STEP_EACH_DISTRIBUTED,
                          .only_looks = true,
                          .why = "A row without a tenant, or with another one than its parent's, would be in "
                                 "no shard or in the wrong one.",
                          .us_per_row = 0.6,
                          .describe = describe,
                          .script = script,
                          .undo = step_no_sql,
                          .check = check,
                          .run = run};
