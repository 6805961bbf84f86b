/* Verification at the end: in the distributed tables, too, every row has a tenant, and all that it refers to
 * is there. Foreign keys with the tenant guarantee that its tenant is the same; they are asked for, not
 * believed, and joined where the rows are. What was found is taken down with the table's count and checksum,
 * which are taken now where nothing was compared: in a table that was distributed by hand. */
#include "migrate/step.h"

#include <inttypes.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/checksum.h"
#include "migrate/citus.h"
#include "migrate/verify.h"
#include "migrate/watch.h"

static void describe(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "verify %s on its nodes", table_qualified_name(migration->arena, table));
}

static const char *lack_sql(const Migration *migration, const Table *table) {
    const char *condition =
        arena_printf(migration->arena, "%s IS NULL", verify_column(migration, "t.", table->tenant_column));

    return verify_sql(migration, table, NULL, condition, NULL);
}

/* Whether the two tables are distributed and the key does not say that their tenants are the same. */
static bool lacks_tenant(const ForeignKey *fk) {
    if (fk->parent->kind != KIND_DISTRIBUTED && fk->parent->kind != KIND_BACKFILL)
        return false;
    for (int i = 0; i < fk->ncolumns; i++) {
        if (strcmp(fk->parent_columns[i]->name, fk->parent->tenant_column) == 0)
            return false;
    }
    return true;
}

static const Column *tenant_named(const Migration *migration, const Table *table) {
    Column *column = ARENA_NEW(migration->arena, Column);

    column->name = table->tenant_column;
    return column;
}

/* The key as it is by then, also where a script is written before: Citus joins distributed tables by their
 * tenants alone. */
static const ForeignKey *with_tenant(const Migration *migration, const ForeignKey *fk) {
    size_t n = (size_t)fk->ncolumns;
    ForeignKey *wider;

    if (!lacks_tenant(fk))
        return fk;
    wider = ARENA_NEW(migration->arena, ForeignKey);
    *wider = *fk;
    wider->child_columns = ARENA_ARRAY(migration->arena, const Column *, n + 1);
    wider->parent_columns = ARENA_ARRAY(migration->arena, const Column *, n + 1);
    memcpy(wider->child_columns, fk->child_columns, n * sizeof(Column *));
    memcpy(wider->parent_columns, fk->parent_columns, n * sizeof(Column *));
    wider->child_columns[n] = tenant_named(migration, fk->child);
    wider->parent_columns[n] = tenant_named(migration, fk->parent);
    wider->ncolumns++;
    return wider;
}

static const char *orphan_sql(const Migration *migration, const ForeignKey *key) {
    const ForeignKey *fk = with_tenant(migration, key);

    return verify_sql(migration, fk->child, fk, verify_orphan(migration, fk), NULL);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "%s;\n", lack_sql(migration, table));
    for (int i = 0; i < table->nforeign_keys; i++)
        buf_printf(out, "%s;\n", orphan_sql(migration, table->foreign_keys[i]));
}

static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {
    ChecksumTotal total;
    CitusTable found;

    *done = false;
    if (!citus_table(migration, table, &found, err))
        return false;
    if (found.kind != CITUS_DISTRIBUTED)
        return true;
    if (!checksum_read(migration, table, &total, err))
        return false;
    *done = total.verified;
    return true;
}

static bool check_tenants(const Migration *migration, const Table *table, Error *err) {
    VerifyFound lacking;

    if (!verify_find(migration, lack_sql(migration, table), &lacking, err))
        return false;
    if (lacking.rows == 0)
        return true;
    error_set(err, "23502", "%" PRId64 " rows of %s have no %s: %s", lacking.rows,
              table_qualified_name(migration->arena, table), table->tenant_column, lacking.keys);
    return error_hint(err, "Look for who wrote them past the constraint; delete them, and run it again.");
}

static bool check_parent(const Migration *migration, const ForeignKey *fk, Error *err) {
    VerifyFound orphans;

    if (!verify_find(migration, orphan_sql(migration, fk), &orphans, err))
        return false;
    if (orphans.rows == 0)
        return true;
    error_set(err, SQLSTATE_FOREIGN_KEY_VIOLATION,
              "%" PRId64 " rows of %s refer to rows of %s that are not there, or not with the same %s: %s",
              orphans.rows, table_qualified_name(migration->arena, fk->child),
              table_qualified_name(migration->arena, fk->parent), fk->child->tenant_column, orphans.keys);
    return error_hint(
        err, "Give them their parent, or delete them; then run it again. The foreign key is %s.", fk->name);
}

static bool run(const Migration *migration, const Table *table, Error *err) {
    if (!check_tenants(migration, table, err))
        return false;
    for (int i = 0; i < table->nforeign_keys; i++) {
        if (!check_parent(migration, table->foreign_keys[i], err))
            return false;
    }
    return checksum_verified(migration, table, err);
}

const Step step_recheck = {.name = "recheck",
                           .scope = STEP_EACH_DISTRIBUTED,
                           .needs_citus = true,
                           .why = "What the keys promise is looked for in the rows once, where they are now.",
                           .us_per_row = 1,
                           .describe = describe,
                           .script = script,
                           .undo = step_no_sql,
                           .check = check,
                           .run = run};
