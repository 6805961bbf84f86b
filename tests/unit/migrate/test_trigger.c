/* The trigger's SQL: names of any kind, keys of several columns, paths of several steps. */
#include "migrate/trigger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* child -> middle -> root; the child refers by two columns. */
static Table root = {.schema = "public", .name = "root", .tenant_column = "id"};
static Table middle = {.schema = "Mid'dle", .name = "t", .tenant_column = "Tenant"};
static Column a = {.name = "a"}, b = {.name = "select"}, r = {.name = "r"}, id = {.name = "id"};
static const Column *pair[] = {&a, &b}, *r_alone[] = {&r}, *id_alone[] = {&id};
static ForeignKey to_middle = {
    .name = "1", .parent = &middle, .child_columns = pair, .parent_columns = pair, .ncolumns = 2};
static ForeignKey to_root = {
    .name = "2", .parent = &root, .child_columns = r_alone, .parent_columns = id_alone, .ncolumns = 1};
static const ForeignKey *path[] = {&to_middle, &to_root};
static Table child = {
    .oid = 42, .schema = "public", .name = "child", .tenant_column = "Tenant", .path = {path, 2}};

static void it_walks_the_path(void **state) {
    Migration migration = {.arena = arena_new()};

    (void)state;
    assert_string_equal(
        trigger_sql(&migration, &child, false),
        "CREATE OR REPLACE FUNCTION shardferry.tenant_42() RETURNS trigger LANGUAGE plpgsql SECURITY "
        "DEFINER\n"
        "    SET search_path = pg_catalog, pg_temp AS '\n"
        "/* INSERT: NEW.\"Tenant\" IS NULL\n"
        "   UPDATE: NEW.\"Tenant\" IS NULL OR (NEW.\"Tenant\" IS NOT DISTINCT FROM OLD.\"Tenant\" AND "
        "(NEW.a IS DISTINCT FROM OLD.a OR NEW.\"select\" IS DISTINCT FROM OLD.\"select\") AND "
        "NEW.a IS NOT NULL AND NEW.\"select\" IS NOT NULL) */\n"
        "BEGIN\n"
        "    NEW.\"Tenant\" := (SELECT coalesce(p0.\"Tenant\", (SELECT p1.id FROM public.root AS p1 WHERE "
        "p1.id = p0.r))"
        " FROM \"Mid''dle\".t AS p0 WHERE p0.a = NEW.a AND p0.\"select\" = NEW.\"select\");\n"
        "    RETURN NEW;\n"
        "END\n"
        "';\n"
        "REVOKE ALL ON FUNCTION shardferry.tenant_42() FROM PUBLIC;\n"
        "CREATE TRIGGER zz_shardferry_tenant_insert BEFORE INSERT ON public.child FOR EACH ROW\n"
        "    WHEN (NEW.\"Tenant\" IS NULL)\n"
        "    EXECUTE FUNCTION shardferry.tenant_42();\n"
        "ALTER TABLE public.child ENABLE ALWAYS TRIGGER zz_shardferry_tenant_insert;\n"
        "CREATE TRIGGER zz_shardferry_tenant_update BEFORE UPDATE ON public.child FOR EACH ROW\n"
        "    WHEN (NEW.\"Tenant\" IS NULL OR (NEW.\"Tenant\" IS NOT DISTINCT FROM OLD.\"Tenant\" AND "
        "(NEW.a IS DISTINCT FROM OLD.a OR NEW.\"select\" IS DISTINCT FROM OLD.\"select\") AND "
        "NEW.a IS NOT NULL AND NEW.\"select\" IS NOT NULL))\n"
        "    EXECUTE FUNCTION shardferry.tenant_42();\n"
        "ALTER TABLE public.child ENABLE ALWAYS TRIGGER zz_shardferry_tenant_update;\n");
    arena_free(migration.arena);
}

static void what_is_there_goes_first(void **state) {
    Migration migration = {.arena = arena_new()};
    const char *drop = "DROP TRIGGER IF EXISTS zz_shardferry_tenant_insert ON public.child;\n"
                       "DROP TRIGGER IF EXISTS zz_shardferry_tenant_update ON public.child;\n";
    const char *made;

    (void)state;
    made = trigger_sql(&migration, &child, true);
    assert_memory_equal(made, drop, strlen(drop));
    assert_string_equal(made + strlen(drop), trigger_sql(&migration, &child, false));
    assert_string_equal(
        trigger_drop_sql(&migration, &child),
        arena_printf(migration.arena, "%sDROP FUNCTION IF EXISTS shardferry.tenant_42();\n", drop));
    arena_free(migration.arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_walks_the_path),
        cmocka_unit_test(what_is_there_goes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
