/* What tables are inferred to be, from schemas and sections written as users write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "catalog/builder.h"
#include "catalog/dump.h"

#define SHOP                                                                                                 \
    "CREATE TABLE stores (store_id bigint PRIMARY KEY);"                                                     \
    "CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint NOT NULL REFERENCES stores);"         \
    "CREATE TABLE items (item_id bigint PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, n text);"
#define TENANT "[tenant]\ntable = stores\ncolumn = store_id\n"

typedef struct Case {
    const char *name, *schema, *config;
    /* One line a table of interest: "name kind column path problem", separated by " | "; see line_of. Or,
     * behind "error: ", what the message must contain. */
    const char *expected[6];
} Case;

static const Case cases[] = {
    {"a shop",
     SHOP,
     TENANT,
     {"items | backfill | store_id (missing) | order_id -> public.orders(order_id)",
      "orders | distributed | store_id | ", "stores | distributed | store_id | "}},
    {"NOT NULL is preferred to fewer steps",
     SHOP "CREATE TABLE t (store bigint REFERENCES stores, item bigint NOT NULL REFERENCES items);",
     TENANT,
     {"t | backfill | store_id (missing) | item -> public.items(item_id), order_id -> "
      "public.orders(order_id) +1"}},
    {"then fewer steps",
     SHOP "CREATE TABLE t (i bigint REFERENCES items, o bigint REFERENCES orders);",
     TENANT,
     {"t | backfill | store_id (missing) | o -> public.orders(order_id) +1"}},
    {"then the constraint's name",
     SHOP
     "CREATE TABLE t (a bigint CONSTRAINT z REFERENCES orders, b bigint CONSTRAINT y REFERENCES orders);",
     TENANT,
     {"t | backfill | store_id (missing) | b -> public.orders(order_id) +1"}},
    {"circles and self-references end",
     SHOP
     "CREATE TABLE a (id int PRIMARY KEY, up int REFERENCES a, b int);"
     "CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, o bigint REFERENCES orders);"
     "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;"
     "CREATE TABLE c (id int PRIMARY KEY, d int); CREATE TABLE d (id int PRIMARY KEY, c int REFERENCES c);"
     "ALTER TABLE c ADD FOREIGN KEY (d) REFERENCES d;",
     TENANT,
     {"a | backfill | store_id (missing) | b -> public.b(id), o -> public.orders(order_id)",
      "b | backfill | store_id (missing) | o -> public.orders(order_id)", "c | local | - | ",
      "d | local | - | "}},
    {"what tenant tables reference is reference, in turn too",
     SHOP
     "CREATE TABLE land (id int PRIMARY KEY); CREATE TABLE town (id int PRIMARY KEY, l int REFERENCES land);"
     "ALTER TABLE items ADD COLUMN town int REFERENCES town; CREATE TABLE log (l int REFERENCES land);",
     TENANT,
     {"land | reference | - | ", "town | reference | - | ", "log | local | - | "}},
    {"a column of another type",
     SHOP "CREATE TABLE t (store_id integer);",
     TENANT,
     {"t | distributed | store_id |  | store_id is integer, but stores.store_id is bigint"}},
    {"a generated column",
     SHOP "CREATE TABLE t (x bigint, store_id bigint GENERATED ALWAYS AS (x) STORED);",
     TENANT,
     {"t | distributed | store_id |  | store_id is a generated column: Citus cannot distribute by it"}},
    {"views are local, foreign tables too",
     SHOP "CREATE VIEW v AS SELECT store_id FROM stores; CREATE FOREIGN TABLE f (store_id bigint) SERVER s;",
     TENANT,
     {"v | local | - | ", "f | local | - | "}},
    {"partitions follow their table",
     SHOP "CREATE TABLE p (o bigint NOT NULL REFERENCES orders, x int) PARTITION BY LIST (x);"
          "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (x);"
          "CREATE TABLE p11 PARTITION OF p1 DEFAULT; CREATE TABLE q (p bigint REFERENCES orders);",
     TENANT,
     {"p | backfill | store_id (missing) | o -> public.orders(order_id)",
      "p1 | backfill | store_id (missing) | o -> public.orders(order_id)",
      "p11 | backfill | store_id (missing) | o -> public.orders(order_id)"}},
    {"the key's own name, where column is not set",
     SHOP,
     "[tenant]\ntable = stores\n",
     {"orders | distributed | store_id | "}},
    {"a key called id says nothing",
     "CREATE TABLE stores (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY);",
     "[tenant]\ntable = stores\n",
     {"error: is called \"id\", as the key of public.orders is"}},
    {"another name in the tenant table",
     "CREATE TABLE stores (id bigint PRIMARY KEY); CREATE TABLE orders (id bigint PRIMARY KEY, s bigint "
     "REFERENCES stores);",
     TENANT,
     {"stores | distributed | id | ", "orders | backfill | store_id (missing) | s -> public.stores(id)"}},
    {"a composite key",
     "CREATE TABLE stores (a int, b int, PRIMARY KEY (a, b));",
     TENANT,
     {"error: conf:2: [tenant] table public.stores has a primary key of several columns"}},
    {"a composite key with the column",
     "CREATE TABLE stores (store_id int, b int, PRIMARY KEY (store_id, b));",
     TENANT,
     {"stores | distributed | store_id | "}},
    {"no key",
     "CREATE TABLE stores (a int);",
     TENANT,
     {"error: conf:2: [tenant] table public.stores has no primary key"}},
    {"a tenant that is a view",
     SHOP "CREATE VIEW v AS SELECT 1;",
     "[tenant]\ntable = v\n",
     {"error: v is a view"}},
    {"no tenant table yet",
     "CREATE TABLE x (store_id bigint);",
     TENANT "[table gone]\nkind = local\n",
     {"x | local | - | "}},
    {"kinds by section",
     SHOP "CREATE TABLE t (store_id bigint, o bigint REFERENCES orders);",
     TENANT
     "[table items]\nkind = local\n[table public.t]\nkind = backfill\n[table orders]\nkind = reference\n",
     {"items | local | - | ", "orders | reference | - | ",
      "t | backfill | store_id |  | no foreign key leads from it to a tenant: set tenant_from"}},
    {"tenant_from without a foreign key",
     SHOP "CREATE TABLE t (o bigint);",
     TENANT "[table t]\ntenant_from = o -> orders(order_id)\n",
     {"t | backfill | store_id (missing) | o -> public.orders(order_id)"}},
    {"tenant_from with the key left out, quotes, several columns",
     SHOP "CREATE TABLE \"P,q\" (\"a(\" int, b int, store_id bigint, PRIMARY KEY (\"a(\", b)); CREATE TABLE "
          "t (x int, y int);",
     TENANT "[table t]\ntenant_from = ( x ,y ) -> public.\"P,q\"\n",
     {"t | backfill | store_id (missing) | (x, y) -> public.\"P,q\"(\"a(\", b)"}},
    {"tenant_from overrides the shorter way",
     SHOP "CREATE TABLE t (o bigint REFERENCES orders, i bigint);",
     TENANT "[table t]\ntenant_from = i -> items\n",
     {"t | backfill | store_id (missing) | i -> public.items(item_id), order_id -> public.orders(order_id) "
      "+1"}},
    {"tenant_from: no such column",
     SHOP,
     TENANT "[table items]\ntenant_from = oid -> orders(order_id)\n",
     {"error: conf:4: [table items]: tenant_from: public.items has no column oid"}},
    {"tenant_from: no such table",
     SHOP,
     TENANT "[table items]\ntenant_from = order_id -> other.orders(order_id)\n",
     {"error: conf:4: [table items]: tenant_from: table other.orders does not exist"}},
    {"tenant_from: several parents",
     SHOP,
     TENANT "[table items]\ntenant_from = order_id -> orders(store_id)\n",
     {"error: the columns of public.orders are not unique"}},
    {"tenant_from: unlike numbers",
     SHOP,
     TENANT "[table items]\ntenant_from = (order_id, n) -> orders(order_id)\n",
     {"error: 2 columns on the left, but 1 on the right"}},
    {"tenant_from: itself",
     SHOP,
     TENANT "[table items]\ntenant_from = order_id -> items(item_id)\n",
     {"error: it leads from the table to itself"}},
    {"tenant_from: nowhere",
     SHOP "CREATE TABLE t (id int PRIMARY KEY);",
     TENANT "[table items]\ntenant_from = order_id -> t(id)\n",
     {"error: public.t neither has a tenant nor leads to one"}},
    {"tenant_from: in a circle",
     SHOP "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY);",
     TENANT "[table a]\ntenant_from = id -> b\n[table b]\ntenant_from = id -> a\n",
     {"error: neither has a tenant nor leads to one"}},
    {"a section without a table",
     SHOP "CREATE SCHEMA s; CREATE TABLE s.hidden (x int);",
     TENANT "\n[table hidden]\nkind = local\n",
     {"error: conf:5: [table hidden]: there is no such table"}},
    {"two sections for one table",
     SHOP,
     TENANT "[table items]\nkind = local\n[table public.items]\nkind = local\n",
     {"error: line 4 is about the same table, public.items"}},
    {"a section for a partition",
     SHOP "CREATE TABLE p (x int) PARTITION BY LIST (x); CREATE TABLE p1 PARTITION OF p DEFAULT;",
     TENANT "[table p1]\nkind = local\n",
     {"error: public.p1 is a partition of public.p"}},
    {"distributed without the column",
     SHOP,
     TENANT "[table items]\nkind = distributed\n",
     {"error: kind = distributed, but public.items has no column \"store_id\""}},
    {"the tenant table as something else",
     SHOP,
     TENANT "[table stores]\nkind = reference\n",
     {"error: it is the tenant table"}},
    {"names by the file's search path",
     "CREATE SCHEMA app; SET search_path TO app; " SHOP "CREATE TABLE public.orders (x int);",
     TENANT,
     {"app.orders | distributed | store_id | ",
      "app.items | backfill | store_id (missing) | order_id -> app.orders(order_id)",
      "public.orders | local | - | "}},
};

/* "name | kind | column | path +others | problem", as far as there is a problem. */
static void line_of(const Table *table, bool qualified, Buf *buf) {
    if (qualified)
        buf_printf(buf, "%s.", table->schema);
    buf_printf(buf, "%s | %s | %s%s | ", table->name, kind_name(table->kind),
               table->tenant_column ? table->tenant_column : "-",
               table->tenant_column && !table->tenant ? " (missing)" : "");
    tenant_path_describe(&table->path, buf);
    if (table->nother_paths > 0)
        buf_printf(buf, " +%d", table->nother_paths);
    if (table->problem)
        buf_printf(buf, " | %s", table->problem);
    buf_append(buf, "", 1);
}

static void check_line(const Case *c, const Snapshot *snapshot, const char *expected) {
    Buf buf = {0};
    size_t name_len = (size_t)(strstr(expected, " | ") - expected);
    const char *dot = memchr(expected, '.', name_len);
    char schema[64] = "public", name[64];
    const Table *table;

    (void)snprintf(name, sizeof(name), "%.*s", (int)(dot ? expected + name_len - dot - 1 : (long)name_len),
                   dot ? dot + 1 : expected);
    if (dot)
        (void)snprintf(schema, sizeof(schema), "%.*s", (int)(dot - expected), expected);
    table = snapshot_table(snapshot, schema, name);
    if (!table)
        fail_msg("%s: no table %s.%s", c->name, schema, name);
    line_of(table, dot != NULL, &buf);
    if (strcmp((const char *)buf_ptr(&buf), expected) != 0)
        fail_msg("%s:\n  expected %s\n  got      %s", c->name, expected, (const char *)buf_ptr(&buf));
    buf_free(&buf);
}

static void infers(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Case *c = &cases[i];
        bool wants_error = strncmp(c->expected[0], "error: ", 7) == 0;
        Error err;
        Config *config = config_parse("conf", c->config, CONFIG_FOR_LINT, &err);
        Snapshot *snapshot;

        if (!config)
            fail_msg("%s: %s", c->name, err.message);
        snapshot = catalog_from_dump(str_of(c->schema), "schema", config, &err);
        config_free(config);
        if (!snapshot && (!wants_error || !strstr(err.message, c->expected[0] + 7)))
            fail_msg("%s: error: %s", c->name, err.message);
        if (snapshot && wants_error)
            fail_msg("%s: no error", c->name);
        for (size_t j = 0; !wants_error && j < ARRAY_LEN(c->expected) && c->expected[j]; j++)
            check_line(c, snapshot, c->expected[j]);
        snapshot_unref(snapshot);
    }
}

static Config *shop_config(void) {
    Error err;
    Config *config = config_parse("conf", TENANT, CONFIG_FOR_LINT, &err);

    assert_non_null(config);
    return config;
}

/* The shop's three tables as a server would give them, its items with the column and the stage. */
static Snapshot *staged_shop(bool staged, CitusKind citus) {
    const char *const store[] = {"store_id"}, *const order[] = {"order_id"};
    SnapshotBuilder *builder = snapshot_builder_new();
    Table *stores = snapshot_add_table(builder, "public", "stores", 'r');
    Table *orders = snapshot_add_table(builder, "public", "orders", 'r');
    Table *items = snapshot_add_table(builder, "public", "items", 'r');
    Config *config = shop_config();
    Snapshot *snapshot;
    Error err;

    snapshot_add_schema(builder, "public");
    (void)snapshot_add_column(builder, stores, "store_id", "bigint", "pg_catalog", "int8");
    (void)snapshot_add_column(builder, orders, "order_id", "bigint", "pg_catalog", "int8");
    (void)snapshot_add_column(builder, orders, "store_id", "bigint", "pg_catalog", "int8");
    (void)snapshot_add_column(builder, items, "order_id", "bigint", "pg_catalog", "int8");
    (void)snapshot_add_column(builder, items, "store_id", "bigint", "pg_catalog", "int8");
    assert_true(snapshot_add_key(builder, stores, "k", true, true, false, store, 1, &err));
    assert_true(snapshot_add_foreign_key(builder, items, orders, "f", order, order, 1,
                                         (ForeignKeyRules){true, false, 'a', 'a'}, &err));
    assert_false(snapshot_add_key(builder, stores, "k", true, true, false, order, 1, &err));
    if (staged)
        snapshot_add_stage(builder, items, STAGE_KEYED, "store_id", true);
    items->citus = citus;
    items->citus_column = citus == CITUS_DISTRIBUTED ? "order_id" : NULL;
    snapshot = snapshot_build(builder, config, &err);
    config_free(config);
    assert_non_null(snapshot);
    return snapshot;
}

static void stays_backfill_once_staged(void **state) {
    static const struct {
        bool staged;
        CitusKind citus;
        TableKind kind;
        KindReason reason;
        int nsteps;
        const char *column;
    } staged_cases[] = {
        {false, CITUS_NONE, KIND_DISTRIBUTED, REASON_HAS_COLUMN, 0, "store_id"},
        {false, CITUS_LOCAL, KIND_DISTRIBUTED, REASON_HAS_COLUMN, 0, "store_id"},
        {true, CITUS_NONE, KIND_BACKFILL, REASON_PATH, 1, "store_id"},
        {true, CITUS_LOCAL, KIND_BACKFILL, REASON_PATH, 1, "store_id"},
        {true, CITUS_DISTRIBUTED, KIND_BACKFILL, REASON_PATH, 1, "store_id"},
        {false, CITUS_REFERENCE, KIND_REFERENCE, REASON_CITUS, 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(staged_cases); i++) {
        Snapshot *snapshot = staged_shop(staged_cases[i].staged, staged_cases[i].citus);
        const Table *items = snapshot_table(snapshot, "public", "items");

        assert_int_equal(staged_cases[i].kind, items->kind);
        assert_int_equal(staged_cases[i].reason, items->reason);
        assert_int_equal(staged_cases[i].nsteps, items->path.nsteps);
        assert_int_equal(staged_cases[i].staged ? STAGE_KEYED : STAGE_OBSERVE, items->stage);
        if (staged_cases[i].column)
            assert_string_equal(staged_cases[i].column, items->tenant->name);
        else
            assert_null(items->tenant);
        snapshot_unref(snapshot);
    }
}

static void assumes_a_stage(void **state) {
    static const char schema[] =
        SHOP "CREATE TABLE parts (part_id int, item bigint REFERENCES items) PARTITION BY LIST (part_id);"
             "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1); CREATE TABLE log (id int);"
             "CREATE TABLE filled (o bigint REFERENCES orders, store_id bigint, note text);";
    static const char *const without_column[] = {"items", "parts", "parts_1"};
    Error err;
    Config *config = config_parse("conf", TENANT "[table filled]\nkind = backfill\n", CONFIG_FOR_LINT, &err);
    Snapshot *snapshot;
    const Table *table;

    (void)state;
    assert_non_null(config);
    snapshot = catalog_from_dump_in_stage(str_of(schema), "schema", config, STAGE_DERIVE, &err);
    config_free(config);
    assert_non_null(snapshot);
    for (size_t i = 0; i < ARRAY_LEN(without_column); i++) {
        table = snapshot_table(snapshot, "public", without_column[i]);
        assert_int_equal(STAGE_DERIVE, table->stage);
        assert_true(table->staged);
        assert_ptr_equal(&table->columns[table->ncolumns - 1], table->tenant);
        assert_ptr_equal(table_column(table, "store_id"), table->tenant);
        assert_string_equal("bigint", table->tenant->type);
        assert_int_equal(table->columns[table->ncolumns - 2].position + 1, table->tenant->position);
        assert_false(table->tenant->not_null);
    }
    table = snapshot_table(snapshot, "public", "filled");
    assert_int_equal(STAGE_DERIVE, table->stage);
    assert_int_equal(3, table->ncolumns);
    assert_ptr_equal(&table->columns[1], table->tenant);
    assert_int_equal(STAGE_OBSERVE, snapshot_table(snapshot, "public", "orders")->stage);
    assert_null(snapshot_table(snapshot, "public", "log")->tenant);
    snapshot_unref(snapshot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(infers),
        cmocka_unit_test(stays_backfill_once_staged),
        cmocka_unit_test(assumes_a_stage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
