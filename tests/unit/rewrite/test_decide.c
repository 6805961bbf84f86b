/* What one decision may cost, whatever the text: tenths of a second, and some tens of megabytes. */
#include <time.h>

#include "tests/unit/rewrite/cases.c.inc"

/* Far more than it takes, so that a busy machine does not fail the test. */
#define MAX_SECONDS 2.0
#define MAX_MEMORY ((size_t)200 << 20)
#define GAVE_UP "the statement names too many columns to be followed"

typedef struct Judged {
    Verdict verdict;
    bool gave_up;
    bool refused;
} Judged;

static Str terminated(Buf *text) {
    buf_put_u8(text, 0);
    return (Str){(const char *)buf_ptr(text), buf_len(text) - 1};
}

static Judged judge_with(Snapshot *snapshot, Buf *text) {
    const SessionContext context = {.search_path = "public", .search_path_known = true};
    const Str sql = terminated(text);
    Arena *arena = arena_new();
    Error err = {{0}, {0}, {0}, {0}};
    const Facts *facts = facts_parse(arena, sql, (FactsLimits){0}, &err);
    const size_t before = arena_size(arena);
    const StatementDecision *statement;
    struct timespec start, end;
    Judged judged;
    double seconds;

    if (!facts)
        fail_msg("%s: %.200s", err.message, sql.ptr);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    statement = &decide(arena, sql, facts, snapshot, &context)->statements[0];
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    judged = (Judged){statement->verdict, statement->reason && strcmp(statement->reason, GAVE_UP) == 0,
                      statement->citus_error != NULL};
    seconds = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
    if (seconds > MAX_SECONDS)
        fail_msg("takes %.1f s: %.200s", seconds, sql.ptr);
    if (arena_size(arena) - before > MAX_MEMORY)
        fail_msg("takes %zu MB: %.200s", (arena_size(arena) - before) >> 20, sql.ptr);
    arena_free(arena);
    buf_free(text);
    return judged;
}

static Judged judge(Buf *text) {
    Snapshot *snapshot = cases_snapshot();
    const Judged judged = judge_with(snapshot, text);

    snapshot_unref(snapshot);
    return judged;
}

/* More than can be followed: nothing is said of it but that. */
static void check_given_up(Judged judged) {
    assert_int_equal(judged.verdict, VERDICT_MULTI_TENANT);
    assert_true(judged.gave_up);
    assert_false(judged.refused);
}

static void repeat(Buf *text, const char *part, int n) {
    for (int i = 0; i < n; i++)
        buf_append_cstr(text, part);
}

/* Each @ of the template is the number. */
static void append_numbered(Buf *text, const char *template, int number) {
    for (; *template; template ++) {
        if (*template == '@')
            buf_printf(text, "%d", number);
        else
            buf_put_u8(text, (uint8_t) * template);
    }
}

/* WITH x0 AS (…), x1 AS (… x0 … x0 …), …: in `step`, x@ is the one before. */
static Buf chain(const char *first, const char *step, const char *last) {
    Buf text = {0};

    buf_printf(&text, "WITH x0 AS NOT MATERIALIZED (%s)", first);
    for (int i = 0; i < 40; i++) {
        buf_printf(&text, ", x%d AS NOT MATERIALIZED (", i + 1);
        append_numbered(&text, step, i);
        buf_append_cstr(&text, ")");
    }
    buf_append_cstr(&text, last);
    return text;
}

static void test_ctes(void **state) {
    static const char *const steps[] = {
        "SELECT a.* FROM x@ a, x@ b",
        "SELECT * FROM x@ a, x@ b",
        "SELECT * FROM x@ a NATURAL JOIN x@ b",
        "SELECT a.* FROM x@ a JOIN x@ b USING (store_id)",
        "SELECT a.* FROM x@ a LEFT JOIN x@ b ON a.order_id = b.order_id",
        "SELECT * FROM x@ UNION SELECT * FROM x@",
        "SELECT a.* FROM x@ a, LATERAL (SELECT * FROM x@ b WHERE b.order_id = a.order_id LIMIT 1) c",
        "SELECT * FROM orders WHERE store_id = $1 AND order_id IN (SELECT order_id FROM x@) AND "
        "order_id IN (SELECT order_id FROM x@)",
        "SELECT * FROM orders o WHERE EXISTS (SELECT FROM x@ x WHERE x.order_id = o.order_id) AND "
        "NOT EXISTS (SELECT FROM x@ x WHERE x.order_id = o.order_id)",
        "SELECT *, (SELECT count(*) FROM x@), (SELECT count(*) FROM x@) FROM orders WHERE store_id = $1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        Buf text = chain("SELECT * FROM orders WHERE store_id = $1", steps[i], " SELECT * FROM x40");

        check_given_up(judge(&text));
    }
}

/* What the chain stands in, and what it begins with. */
static void test_around_ctes(void **state) {
    static const struct {
        const char *first, *last;
    } chains[] = {
        {"SELECT * FROM orders",
         " UPDATE line_items l SET note = 'x' FROM x40 WHERE l.order_id = x40.order_id"},
        {"SELECT * FROM orders", " DELETE FROM orders o USING x40 WHERE o.order_id = x40.order_id"},
        {"SELECT * FROM orders",
         " INSERT INTO orders (store_id, order_id) SELECT store_id, order_id FROM x40"},
        {"SELECT * FROM orders",
         " MERGE INTO orders o USING x40 x ON o.store_id = x.store_id WHEN MATCHED THEN DELETE"},
        {"SELECT * FROM line_items", " SELECT * FROM x40"},
        {"SELECT * FROM lines", " SELECT * FROM x40"},
        {"SELECT * FROM settings", " SELECT * FROM x40, orders WHERE store_id = $1"},
        {"VALUES (1)", " SELECT * FROM x40, orders WHERE store_id = $1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        Buf text = chain(chains[i].first, "SELECT a.* FROM x@ a, x@ b", chains[i].last);

        check_given_up(judge(&text));
    }
}

static void test_views(void **state) {
    static const char *const steps[] = {
        "SELECT a.store_id, a.order_id FROM public.v@ a, public.v@ b",
        "SELECT a.store_id, a.order_id FROM public.v@ a UNION ALL SELECT b.store_id, b.order_id FROM "
        "public.v@ b",
        "SELECT a.store_id, a.order_id FROM public.v@ a, public.v@ b LIMIT 5",
    };
    char *schema = read_whole(CASES_DIR "schema.sql"), *ini = read_whole(CASES_DIR "schema.ini");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        Error err = {{0}, {0}, {0}, {0}};
        Config *config = config_parse("schema.ini", ini, CONFIG_FOR_LINT, &err);
        Buf sql = {0}, text = {0};
        Snapshot *snapshot;

        buf_printf(&sql, "%s\nCREATE VIEW public.v0 AS SELECT store_id, order_id FROM public.orders;\n",
                   schema);
        for (int k = 0; k < 40; k++) {
            buf_printf(&sql, "CREATE VIEW public.v%d AS ", k + 1);
            append_numbered(&sql, steps[i], k);
            buf_append_cstr(&sql, ";\n");
        }
        assert_non_null(config);
        snapshot = catalog_from_dump(terminated(&sql), "schema.sql", config, &err);
        if (!snapshot)
            fail_msg("%s", err.message);
        buf_append_cstr(&text, "SELECT * FROM v40 WHERE store_id = $1");
        check_given_up(judge_with(snapshot, &text));
        snapshot_unref(snapshot);
        config_free(config);
        buf_free(&sql);
    }
    free(schema);
    free(ini);
}

/* What is long, but can be followed. */
static void test_long(void **state) {
    Buf text = {0};

    (void)state;
    buf_append_cstr(&text, "SELECT * FROM orders WHERE store_id = $1");
    repeat(&text, " UNION ALL SELECT * FROM orders WHERE store_id = $1", 600);
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);

    repeat(&text, "SELECT * FROM (", 300);
    buf_append_cstr(&text, "SELECT * FROM orders");
    repeat(&text, ") x", 300);
    buf_append_cstr(&text, " WHERE store_id = $1");
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);

    buf_append_cstr(&text, "SELECT * FROM orders WHERE store_id = $1 AND order_id IN (1");
    repeat(&text, ", 2", 50000);
    buf_append_cstr(&text, ")");
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);

    buf_append_cstr(&text, "SELECT * FROM orders WHERE store_id IN (1");
    repeat(&text, ", 2", 50000);
    buf_append_cstr(&text, ")");
    assert_int_equal(judge(&text).verdict, VERDICT_MULTI_TENANT);

    buf_append_cstr(&text, "SELECT * FROM orders o, line_items l WHERE o.store_id = $1");
    repeat(&text, " AND o.store_id = l.store_id", 2000);
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);

    buf_append_cstr(
        &text, "SELECT * FROM orders o, line_items l WHERE o.store_id = $1 AND (o.store_id = l.store_id");
    repeat(&text, " OR o.store_id = l.store_id", 2000);
    buf_append_cstr(&text, ")");
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);

    buf_append_cstr(&text, "SELECT * FROM orders WHERE store_id");
    repeat(&text, "::bigint", 300);
    buf_append_cstr(&text, " = $1");
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);
}

static void test_many_ctes(void **state) {
    Buf text = {0};

    (void)state;
    buf_append_cstr(&text, "WITH c0 AS (SELECT * FROM orders)");
    for (int i = 1; i < 20000; i++)
        buf_printf(&text, ", c%d AS (SELECT 1)", i);
    buf_append_cstr(&text, " SELECT 1 FROM orders");
    for (int i = 0; i < 20000; i++)
        buf_printf(&text, ", c%d", i);
    check_given_up(judge(&text));

    /* Each is read by the one behind it, and the name of the first is one's own again. */
    buf_append_cstr(&text, "WITH orders AS (SELECT * FROM orders WHERE store_id = $1), "
                           "c0 AS (SELECT * FROM orders)");
    for (int i = 1; i < 100; i++)
        buf_printf(&text, ", c%d AS (SELECT * FROM c%d)", i, i - 1);
    buf_append_cstr(&text, " SELECT * FROM c99");
    assert_int_equal(judge(&text).verdict, VERDICT_SINGLE_TENANT);
}

/* Work that grows with the square of the text, or faster. */
static void test_wide(void **state) {
    static const char *const joins[] = {" JOIN line_items l@ ON l@.order_id = o.order_id",
                                        " LEFT JOIN line_items l@ ON l@.order_id = o.order_id",
                                        " NATURAL JOIN line_items l@", " NATURAL FULL JOIN orders l@"};
    Buf text = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(joins); i++) {
        buf_append_cstr(&text, "SELECT * FROM orders o");
        for (int k = 0; k < 300; k++)
            append_numbered(&text, joins[i], k);
        assert_int_equal(judge(&text).verdict, VERDICT_MULTI_TENANT);
    }

    buf_append_cstr(&text, "SELECT * FROM orders o0");
    for (int i = 1; i < 5000; i++)
        buf_printf(&text, ", line_items o%d", i);
    assert_int_equal(judge(&text).verdict, VERDICT_MULTI_TENANT);

    buf_append_cstr(&text, "SELECT 1 FROM orders o WHERE o.store_id = $1");
    for (int i = 1; i < 10000; i++)
        buf_printf(&text, " AND o.store_id = $%d", i);
    check_given_up(judge(&text));

    /* A name that is nowhere is looked for in each alias of joins in joins. */
    buf_append_cstr(&text, "SELECT 1 FROM ");
    repeat(&text, "(", 60);
    buf_append_cstr(&text, "orders o");
    for (int i = 0; i < 60; i++)
        buf_printf(&text, " JOIN line_items l%d ON l%d.order_id = nowhere) AS j%d", i, i, i);
    assert_int_equal(judge(&text).verdict, VERDICT_MULTI_TENANT);
}

/* Each * shows what the ones before have made many. */
static void test_stars(void **state) {
    static const char *const tables[] = {"orders", "line_items", "lines"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        Buf text = {0};

        for (int level = 0; level < 3; level++) {
            buf_append_cstr(&text, "SELECT *");
            repeat(&text, ", *", 1000);
            buf_append_cstr(&text, " FROM (");
        }
        buf_printf(&text, "SELECT * FROM %s) a) b) c WHERE store_id = $1", tables[i]);
        check_given_up(judge(&text));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctes),      cmocka_unit_test(test_around_ctes), cmocka_unit_test(test_views),
        cmocka_unit_test(test_long),      cmocka_unit_test(test_wide),        cmocka_unit_test(test_stars),
        cmocka_unit_test(test_many_ctes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
