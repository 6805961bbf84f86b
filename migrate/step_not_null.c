/* NOT NULL without a long lock: a CHECK that is validated while writers go on proves it, so that SET NOT NULL
 * need not look at the rows. */
#include "migrate/backfill.h"

#include "migrate/lock.h"

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

    buf_printf(&out, "ALTER TABLE %s ALTER COLUMN ", name);
    quote_identifier(&out, table->tenant_column);
    buf_printf(&out, " SET NOT NULL;\nALTER TABLE %s DROP CONSTRAINT " CHECK_NAME ";\n", name);
    return step_text(migration, &out);
}

static void script(const Migration *migration, const Table *table, Buf *out) {
    lock_script(add_sql(migration, table), out);
    lock_script(validate_sql(migration, table), out);
    lock_script(set_sql(migration, table), out);
}

static void undo(const Migration *migration, const Table *table, Buf *out) {
    buf_printf(out, "ALTER TABLE %s ALTER COLUMN ", table_qualified_name(migration->arena, table));
    quote_identifier(out, table->tenant_column);
    buf_append_cstr(out, " DROP NOT NULL;\n");
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
                            .describe = describe,
                            .script = script,
                            .undo = undo,
                            .check = check,
                            .run = run};
