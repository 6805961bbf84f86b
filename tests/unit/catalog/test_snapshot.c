/* Look-up, quoting, reference counting, and what a dump becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/builder.h"
#include "catalog/dump.h"

static Snapshot *from_dump(const char *text) {
    Error err;
    Config *config = config_parse("conf", "[tenant]\ntable = stores\n", CONFIG_FOR_LINT, &err);
    Snapshot *snapshot;

    assert_non_null(config);
    snapshot = catalog_from_dump(str_of(text), "schema.sql", config, &err);
    config_free(config);
    if (!snapshot)
        fail_msg("%s", err.message);
    return snapshot;
}

static const char *type_of(const Snapshot *snapshot, const char *column) {
    return table_column(snapshot_table(snapshot, "public", "t"), column)->type;
}

static void quotes_as_the_server(void **state) {
    static const char *const cases[][2] = {
        {"abc", "abc"},
        {"_a1", "_a1"},
        {"Abc", "\"Abc\""},
        {"1a", "\"1a\""},
        {"a b", "\"a b\""},
        {"a\"b", "\"a\"\"b\""},
        {"", "\"\""},
        {"select", "\"select\""},
        {"name", "name"},
        {"between", "\"between\""},
        {"left", "\"left\""},
        {"a$b", "\"a$b\""},
        {"\xc3\xa9", "\"\xc3\xa9\""},
        {"xmltable", "\"xmltable\""},
        {"all", "\"all\""},
        {"value", "value"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Buf buf = {0};

        quote_identifier(&buf, cases[i][0]);
        buf_append(&buf, "", 1);
        assert_string_equal(cases[i][1], (const char *)buf_ptr(&buf));
        buf_free(&buf);
    }
}

/* Enough tables to make every table of the builder and of the look-up grow. */
static void finds_each_of_many(void **state) {
    enum { N = 3000 };
    SnapshotBuilder *builder = snapshot_builder_new();
    Snapshot *snapshot;
    char name[32];
    Error err;

    (void)state;
    for (int i = 0; i < N; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        (void)snapshot_add_table(builder, i % 2 ? "s1" : "s0", name, 'r');
    }
    snapshot_add_schema(builder, "s1");
    snapshot_add_schema(builder, "s0");
    snapshot_add_schema(builder, "s1");
    snapshot = snapshot_build(builder, NULL, &err);
    assert_non_null(snapshot);
    for (int i = 0; i < N; i++) {
        const Table *table;

        (void)snprintf(name, sizeof(name), "t%d", i);
        table = snapshot_table(snapshot, i % 2 ? "s1" : "s0", name);
        assert_non_null(table);
        assert_string_equal(name, table->name);
        assert_null(snapshot_table(snapshot, i % 2 ? "s0" : "s1", name));
    }
    assert_int_equal(2, snapshot->nschemas);
    assert_true(snapshot_has_schema(snapshot, "s0"));
    assert_false(snapshot_has_schema(snapshot, "s"));
    snapshot_unref(snapshot);
}

static void lives_until_the_last_reference(void **state) {
    Snapshot *snapshot = from_dump("CREATE TABLE stores (store_id int PRIMARY KEY)");
    Snapshot *later = from_dump("");

    (void)state;
    assert_true(later->generation > snapshot->generation);
    assert_null(snapshot_table(later, "public", "stores"));
    assert_ptr_equal(snapshot, snapshot_ref(snapshot));
    snapshot_unref(snapshot);
    assert_string_equal("stores", snapshot->tenant_table->name);
    snapshot_unref(snapshot);
    snapshot_unref(later);
    snapshot_unref(NULL);
}

static void prints_types_as_format_type(void **state) {
    static const char *const cases[][2] = {
        {"int", "integer"},
        {"varchar", "character varying"},
        {"varchar(7)[]", "character varying(7)[]"},
        {"char", "character(1)"},
        {"\"char\"", "\"char\""},
        {"bit", "bit(1)"},
        {"numeric", "numeric"},
        {"numeric(7)", "numeric(7,0)"},
        {"decimal(7, -2)", "numeric(7,-2)"},
        {"float(10)", "real"},
        {"timestamp(0) with time zone", "timestamp(0) with time zone"},
        {"time", "time without time zone"},
        {"interval", "interval"},
        {"interval(3)", "interval(3)"},
        {"interval hour to second(2)", "interval hour to second(2)"},
        {"pg_catalog.uuid", "uuid"},
        {"state", "public.state"},
        {"other.\"Thing\"(4)[]", "other.\"Thing\"(4)[]"},
        {"stores", "public.stores"},
        {"geometry(Point, 4326)", "public.geometry(point,4326)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[300];
        Snapshot *snapshot;

        (void)snprintf(text, sizeof(text),
                       "CREATE TYPE state AS ENUM ('a'); CREATE TABLE stores (store_id int PRIMARY KEY);"
                       "CREATE TABLE t (x %s)",
                       cases[i][0]);
        snapshot = from_dump(text);
        assert_string_equal(cases[i][1], type_of(snapshot, "x"));
        snapshot_unref(snapshot);
    }
}

static void names_what_has_no_name(void **state) {
    static const char text[] =
        "CREATE TABLE stores (store_id int PRIMARY KEY, a int, b int UNIQUE, UNIQUE (a, b));"
        "CREATE UNIQUE INDEX ON stores (a, b); CREATE UNIQUE INDEX ON stores (a, b);"
        "CREATE UNIQUE INDEX late ON stores (b, store_id); ALTER TABLE stores ADD UNIQUE USING INDEX late;"
        "CREATE TABLE t (a int REFERENCES stores, FOREIGN KEY (a) REFERENCES stores (b));";
    static const struct {
        const char *name;
        bool primary, constraint;
    } keys[] = {{"stores_pkey", true, true},      {"late", false, true},
                {"stores_a_b_idx", false, false}, {"stores_a_b_idx1", false, false},
                {"stores_a_b_key", false, true},  {"stores_b_key", false, true}};
    Snapshot *snapshot = from_dump(text);
    const Table *stores = snapshot_table(snapshot, "public", "stores");
    const Table *t = snapshot_table(snapshot, "public", "t");

    (void)state;
    assert_int_equal(ARRAY_LEN(keys), stores->nkeys);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        assert_string_equal(keys[i].name, stores->keys[i].name);
        assert_int_equal(keys[i].primary, stores->keys[i].primary);
        assert_int_equal(keys[i].constraint, stores->keys[i].constraint);
    }
    assert_int_equal(2, t->nforeign_keys);
    assert_string_equal("t_a_fkey", t->foreign_keys[0]->name);
    assert_string_equal("t_a_fkey1", t->foreign_keys[1]->name);
    assert_int_equal(2, stores->nreferenced_by);
    assert_null(snapshot->warning);
    snapshot_unref(snapshot);
}

static void warns_of_what_it_cannot_follow(void **state) {
    Snapshot *snapshot =
        from_dump("CREATE TABLE stores (store_id int PRIMARY KEY);\nDROP TABLE IF EXISTS gone;\n"
                  "ALTER TABLE stores DROP COLUMN x;\nALTER TABLE gone ADD COLUMN y int;\n"
                  "CREATE TABLE t (a int REFERENCES gone);\nnonsense;\nCREATE TABLE t (z int);\n");

    (void)state;
    assert_string_equal(
        "schema.sql:3: DROP COLUMN of public.stores is not followed (and 3 more that could not be "
        "followed)",
        snapshot->warning);
    snapshot_unref(snapshot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_as_the_server),           cmocka_unit_test(finds_each_of_many),
        cmocka_unit_test(lives_until_the_last_reference), cmocka_unit_test(prints_types_as_format_type),
        cmocka_unit_test(names_what_has_no_name),         cmocka_unit_test(warns_of_what_it_cannot_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
