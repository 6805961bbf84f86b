/* The statement cache: what shares an entry, when a plan is made anew, what is kept and for how long. */
#include "proxy/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "catalog/dump.h"
#include "conf/config.h"

static const char SCHEMA[] =
    "CREATE TABLE stores (store_id bigint PRIMARY KEY);"
    "CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint REFERENCES stores);"
    "CREATE TABLE items (item_id bigint PRIMARY KEY, order_id bigint REFERENCES orders,"
    " note text, store_id bigint);"
    "CREATE TABLE colours (name text);"
    "CREATE SCHEMA other; CREATE TABLE other.items (order_id bigint, note text);";
static const char SETTINGS[] =
    "[tenant]\ntable = stores\ncolumn = store_id\n[table items]\nkind = backfill\n";

static const char INSERT_ITEM[] = "INSERT INTO items (order_id, note) VALUES (7, 'x')";

/* With `items` in stage derive, where INSERTs are rewritten, or not yet. */
static Snapshot *snapshot_of(uint64_t generation, Stage stage) {
    Error err = {{0}, {0}, {0}, {0}};
    Config *config = config_parse("test.ini", SETTINGS, CONFIG_FOR_LINT, &err);
    Snapshot *snapshot = config ? catalog_from_dump(STR_LIT(SCHEMA), "schema.sql", config, &err) : NULL;

    if (!snapshot)
        fail_msg("%s", err.message);
    for (int i = 0; i < snapshot->ntables; i++)
        if (strcmp(snapshot->tables[i].name, "items") == 0) {
            snapshot->tables[i].stage = stage;
            snapshot->tables[i].staged = snapshot->tables[i].staged_backfill = stage > STAGE_OBSERVE;
        }
    snapshot->generation = generation;
    config_free(config);
    return snapshot;
}

/* A cache with what surrounds it in a worker. */
typedef struct World {
    PlanCache cache;
    AuditLedger *ledger;
    ContextTable contexts;
    Context *context;
    Snapshot *snapshot;
    PlanRequest request;
    int new_shapes;
} World;

static void world_begin_sized(World *w, int max_entries) {
    memset(w, 0, sizeof *w);
    w->ledger = audit_new((AuditLimits){.max_entries = 10000, .sample_bytes = 1000});
    plan_cache_init(&w->cache, max_entries, (FactsLimits){0}, w->ledger);
    w->context =
        context_get(&w->contexts, &(SessionContext){.search_path = "public", .search_path_known = true});
    w->snapshot = snapshot_of(1, STAGE_DERIVE);
    w->request = (PlanRequest){
        .snapshot = w->snapshot, .context = w->context, .utf8 = true, .application = "test", .role = "app"};
}

static void world_begin(World *w) { world_begin_sized(w, 100); }

static void world_snapshot(World *w, Snapshot *snapshot) {
    snapshot_unref(w->snapshot);
    w->snapshot = w->request.snapshot = snapshot;
}

static void world_end(World *w) {
    plan_cache_free(&w->cache);
    assert_int_equal(w->cache.stats.entries, 0);
    assert_int_equal(w->cache.stats.bytes, 0);
    context_unref(&w->contexts, w->context);
    assert_null(w->contexts.contexts);
    snapshot_unref(w->snapshot);
    audit_free(w->ledger);
}

static void count_new(const AuditSubject *subject, void *arg) {
    assert_non_null(subject->decision);
    ((World *)arg)->new_shapes++;
}

static Plan *get(World *w, const char *text) {
    PlanRequest request = w->request;

    request.text = str_of(text);
    return plan_get(&w->cache, &request, count_new, w);
}

/* For its effect on the cache. */
static void visit(World *w, const char *text) { plan_unref(get(w, text)); }

static Verdict verdict(const Plan *plan) { return plan->decision->statements[0].verdict; }

/* The text that is sent for this one: of the plan that was just got. */
static char *sent_text(World *w, const Plan *plan, const char *text) {
    Buf out = {0};

    if (!plan_rewrites(plan))
        return mem_strdup(text);
    rewritten_unref(plan_rewrite(&w->cache, plan, str_of(text), NULL, &out));
    buf_put_u8(&out, 0);
    char *sent = mem_strdup((const char *)buf_ptr(&out));
    buf_free(&out);
    return sent;
}

/* What a cache sends that has never met the shape. */
static char *fresh_text(const char *text) {
    World w;

    world_begin(&w);
    Plan *plan = get(&w, text);
    char *sent = sent_text(&w, plan, text);
    plan_unref(plan);
    world_end(&w);
    return sent;
}

/* ---- sharing ---- */

typedef struct Sharing {
    const char *first, *second;
    bool shared;
} Sharing;

static void texts_of_one_shape_share_a_plan(void **state) {
    static const Sharing cases[] = {
        {"SELECT 1", "SELECT 1", true},
        {"SELECT 1", "SELECT 2", true},
        {"SELECT * FROM orders WHERE store_id = 5", "SELECT * FROM orders WHERE store_id = 17", true},
        {"SELECT 'a', 1.5", "SELECT 'it''s longer', 100.25", true},
        {"SELECT 1", "SELECT 1 ", false},
        {"SELECT 1", "select 1", false},
        {"SELECT 1", "SELECT '1'", false},
        {"SELECT 1", "SELECT 1.0", false},
        {"SELECT 1", "SELECT 4294967296", false},
        {"SELECT $1", "SELECT $2", false},
        {"SELECT 1 /* a */", "SELECT 1 /* b */", true},
        /* A literal's value takes part in the decision, or is an effect. */
        {"SELECT * FROM orders WHERE store_id = 5 OR store_id = 5",
         "SELECT * FROM orders WHERE store_id = 5 OR store_id = 6", false},
        {"SET search_path = 'a'", "SET search_path = 'b'", false},
        {"SELECT set_config('search_path', 'a', false)", "SELECT set_config('search_path', 'b', false)",
         false},
        /* No shape at all: the text itself. */
        {"SELECT 0x1F", "SELECT 0x1F", true},
        {"SELECT 0x1F", "SELECT 0x2F", false},
        {"SELECT 'not ended", "SELECT 'not ended", true},
        {"SELECT 'not ended", "SELECT 'not ended.", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        World w;
        world_begin(&w);
        /* Twice, since what is met for the first time may go another way. */
        visit(&w, cases[i].first);
        Plan *first = get(&w, cases[i].first), *second = get(&w, cases[i].second),
             *again = get(&w, cases[i].first);
        if ((first == second) != cases[i].shared)
            fail_msg("%s\n%s\nshould%s share a plan", cases[i].first, cases[i].second,
                     cases[i].shared ? "" : " not");
        if (first != again)
            fail_msg("%s: not found again", cases[i].first);
        plan_unref(first);
        plan_unref(second);
        plan_unref(again);
        world_end(&w);
    }
}

static void a_hit_parses_nothing(void **state) {
    World w;
    char text[100];

    (void)state;
    world_begin(&w);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "SELECT * FROM orders WHERE order_id = %d", i);
        visit(&w, text);
    }
    assert_int_equal(w.cache.stats.misses, 1);
    assert_int_equal(w.cache.stats.hits, 49);
    assert_int_equal(w.cache.stats.entries, 1);
    assert_int_equal(w.new_shapes, 1);
    world_end(&w);
}

/* Each text gets the verdict that its own literals deserve, in any order. */
static void literals_that_matter(void **state) {
    static const struct {
        const char *text;
        Verdict verdict;
    } cases[] = {
        {"SELECT * FROM orders WHERE store_id = 5 OR store_id = 5", VERDICT_SINGLE_TENANT},
        {"SELECT * FROM orders WHERE store_id = 5 OR store_id = 6", VERDICT_MULTI_TENANT},
        {"SELECT * FROM orders WHERE store_id = 6 OR store_id = 6", VERDICT_SINGLE_TENANT},
        {"INSERT INTO orders (store_id) VALUES (1), (2)", VERDICT_MULTI_TENANT},
        {"INSERT INTO orders (store_id) VALUES (1), (1)", VERDICT_SINGLE_TENANT},
        {"SELECT * FROM orders WHERE store_id = ANY('{6}')", VERDICT_SINGLE_TENANT},
        {"SELECT * FROM orders WHERE store_id = ANY('{6,7}')", VERDICT_MULTI_TENANT},
    };
    World w;

    (void)state;
    world_begin(&w);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            Plan *plan = get(&w, cases[i].text);
            if (verdict(plan) != cases[i].verdict)
                fail_msg("%s: %s", cases[i].text, verdict_name(verdict(plan)));
            plan_unref(plan);
        }
    world_end(&w);
}

/* ---- what is not parsed ---- */

static void a_text_that_is_rejected(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    for (int i = 0; i < 3; i++) {
        Plan *plan = get(&w, "SELEC 1");
        assert_int_equal(verdict(plan), VERDICT_UNPARSED);
        assert_non_null(strstr(plan->decision->statements[0].reason, "syntax error"));
        assert_int_equal(plan->nstatements, 1);
        assert_null(plan_statement(plan, 0));
        assert_false(plan_rewrites(plan));
        plan_unref(plan);
    }
    assert_int_equal(w.new_shapes, 1);
    /* Once by its shape, of which one rejected text says nothing, and once by its bytes. */
    assert_int_equal(w.cache.stats.unparsed, 2);
    world_end(&w);
}

/* One literal is at fault: other texts of the shape are none the worse, whichever comes first. */
static void one_rejected_literal(void **state) {
    static const char BAD[] = "INSERT INTO items (order_id, note) VALUES (7, '\xff')";

    (void)state;
    for (int bad_first = 0; bad_first < 2; bad_first++) {
        World w;
        world_begin(&w);
        if (bad_first)
            visit(&w, BAD);
        for (int i = 0; i < 2; i++) {
            Plan *plan = get(&w, INSERT_ITEM);
            assert_true(plan_rewrites(plan));
            plan_unref(plan);
        }
        world_end(&w);
    }
}

static void what_the_session_forbids_to_read(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    w.request.unparsed_because = "it must not be";
    for (int i = 0; i < 2; i++) {
        Plan *plan = get(&w, INSERT_ITEM);
        assert_int_equal(verdict(plan), VERDICT_UNPARSED);
        assert_string_equal(plan->decision->statements[0].reason, "it must not be");
        assert_int_equal(w.cache.stats.entries, 0);
        plan_unref(plan);
    }
    w.request.unparsed_because = NULL;
    Plan *plan = get(&w, INSERT_ITEM);
    assert_true(plan_rewrites(plan));
    plan_unref(plan);
    w.request.unparsed_because = "it must not be"; /* nor is it found where readable texts are */
    plan = get(&w, INSERT_ITEM);
    assert_int_equal(verdict(plan), VERDICT_UNPARSED);
    plan_unref(plan);
    world_end(&w);
}

static void other_encodings(void **state) {
    static const struct {
        const char *text;
        bool utf8;
        bool read;
    } cases[] = {
        {"SELECT 'a' FROM orders", false, true},
        {"SELECT '\xe9' FROM orders", false, true}, /* in a literal, where it means nothing */
        {"SELECT 1 AS \xe9 FROM orders", false, false},
        {"SELECT 1 FROM orders -- \xe9", false, true}, /* likewise in a comment */
        {"SELECT 1 AS \xc3\xa9 FROM orders", true, true},
        {"SELECT 1 AS \xe9 FROM orders", true, false},
        {"SELECT '\xe9' FROM orders", true, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        World w;
        world_begin(&w);
        w.request.utf8 = cases[i].utf8;
        Plan *plan = get(&w, cases[i].text);
        if ((verdict(plan) != VERDICT_UNPARSED) != cases[i].read)
            fail_msg("case %zu: %s", i, verdict_name(verdict(plan)));
        plan_unref(plan);
        world_end(&w);
    }
}

/* In another encoding these bytes are other characters: neither's plan is the other's. */
static void encodings_do_not_meet(void **state) {
    static const char TEXT[] = "SELECT 1 AS \xc3\xa9 FROM orders";
    World w;

    (void)state;
    world_begin(&w);
    for (int i = 0; i < 4; i++) {
        w.request.utf8 = i % 2;
        Plan *plan = get(&w, TEXT);
        assert_int_equal(verdict(plan) == VERDICT_UNPARSED, i % 2 == 0);
        plan_unref(plan);
    }
    assert_int_equal(w.cache.stats.entries, 1);
    world_end(&w);
}

static void long_texts_are_not_kept(void **state) {
    World w;
    char *text = malloc(80000);

    (void)state;
    world_begin(&w);
    memset(text, ' ', 79999);
    memcpy(text, INSERT_ITEM, sizeof INSERT_ITEM - 1);
    text[79999] = '\0';
    for (int i = 0; i < 2; i++) {
        Plan *plan = get(&w, text);
        assert_int_equal(w.cache.stats.entries, 0);
        assert_true(plan_rewrites(plan));
        char *sent = sent_text(&w, plan, text), *expected = fresh_text(INSERT_ITEM);
        assert_memory_equal(sent, expected, strlen(expected));
        free(sent);
        free(expected);
        plan_unref(plan);
    }
    assert_int_equal(w.new_shapes, 1);
    free(text);
    world_end(&w);
}

/* ---- generations and contexts ---- */

static void an_older_generation_is_replanned(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    world_snapshot(&w, snapshot_of(1, STAGE_OBSERVE));
    Plan *old = get(&w, INSERT_ITEM);
    assert_false(plan_rewrites(old));
    world_snapshot(&w, snapshot_of(2, STAGE_DERIVE));
    Plan *new = get(&w, INSERT_ITEM);
    assert_true(plan_rewrites(new));
    assert_int_equal(new->generation, 2);
    assert_int_equal(w.cache.stats.misses, 1);
    assert_int_equal(w.cache.stats.replanned, 1);
    assert_int_equal(w.cache.stats.entries, 1);
    /* A statement that is under way keeps its plan, and that its snapshot. */
    assert_false(plan_rewrites(old));
    assert_int_equal(old->references, 1);
    assert_string_equal(old->decision->statements[0].tables[0], "public.items");
    plan_unref(old);
    plan_unref(new);
    world_end(&w);
}

static void no_catalog_yet(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    w.request.snapshot = NULL;
    Plan *plan = get(&w, INSERT_ITEM);
    assert_int_equal(verdict(plan), VERDICT_UNPARSED);
    assert_int_equal(plan->generation, 0);
    assert_true(plan->writes);
    plan_unref(plan);
    w.request.snapshot = w.snapshot;
    plan = get(&w, INSERT_ITEM);
    assert_true(plan_rewrites(plan));
    plan_unref(plan);
    world_end(&w);
}

/* Which literals matter may follow from the snapshot, long after the shape was met. */
static void literals_that_begin_to_matter(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    w.request.snapshot = NULL;
    visit(&w, "SELECT * FROM orders WHERE store_id = 5 OR store_id = 6");
    w.request.snapshot = w.snapshot;
    for (int i = 0; i < 2; i++) {
        Plan *multi = get(&w, "SELECT * FROM orders WHERE store_id = 5 OR store_id = 6");
        Plan *single = get(&w, "SELECT * FROM orders WHERE store_id = 5 OR store_id = 5");
        assert_int_equal(verdict(multi), VERDICT_MULTI_TENANT);
        assert_int_equal(verdict(single), VERDICT_SINGLE_TENANT);
        plan_unref(multi);
        plan_unref(single);
    }
    world_end(&w);
}

static void contexts_have_plans_of_their_own(void **state) {
    World w;
    Context *other;
    /* More of them than are kept for one text. */
    Context *many[20];
    char path[20];

    (void)state;
    world_begin(&w);
    other = context_get(&w.contexts, &(SessionContext){.search_path = "other", .search_path_known = true});
    for (int i = 0; i < 2; i++) {
        w.request.context = w.context;
        Plan *here = get(&w, INSERT_ITEM);
        w.request.context = other;
        Plan *there = get(&w, INSERT_ITEM);
        w.request.context = NULL;
        Plan *nowhere = get(&w, INSERT_ITEM);
        assert_true(plan_rewrites(here));
        assert_false(plan_rewrites(there));
        assert_int_equal(verdict(there), VERDICT_NO_TENANT_TABLE);
        assert_int_equal(verdict(nowhere), VERDICT_OPAQUE);
        plan_unref(here);
        plan_unref(there);
        plan_unref(nowhere);
    }
    assert_int_equal(w.cache.stats.misses, 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        snprintf(path, sizeof path, "s%zu", i);
        many[i] = context_get(&w.contexts, &(SessionContext){.search_path = path, .search_path_known = true});
        w.request.context = many[i];
        visit(&w, INSERT_ITEM);
    }
    uint64_t replanned = w.cache.stats.replanned;
    visit(&w, INSERT_ITEM);
    assert_int_equal(w.cache.stats.replanned, replanned);
    w.request.context = w.context;
    visit(&w, INSERT_ITEM);
    assert_int_equal(w.cache.stats.replanned, replanned + 1);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        context_unref(&w.contexts, many[i]);
    context_unref(&w.contexts, other);
    world_end(&w);
}

/* A sweep lets old snapshots go, and what is in use stays. */
static void sweeping(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    visit(&w, "SELECT 1");
    visit(&w, "SELECT * FROM orders");
    visit(&w, "SELECT 'not ended");
    Plan *held = get(&w, INSERT_ITEM);
    Snapshot *old = snapshot_ref(w.snapshot);
    world_snapshot(&w, snapshot_of(2, STAGE_DERIVE));
    visit(&w, "SELECT * FROM orders");
    plan_cache_sweep(&w.cache, 2);
    assert_int_equal(w.cache.stats.entries, 4);
    assert_int_equal(held->references, 1);
    assert_int_equal(held->snapshot->generation, 1);
    assert_true(plan_rewrites(held));
    assert_string_equal(held->decision->statements[0].tables[0], "public.items");
    uint64_t hits = w.cache.stats.hits;
    visit(&w, "SELECT * FROM orders");
    assert_int_equal(w.cache.stats.hits, hits + 1);
    Plan *again = get(&w, INSERT_ITEM);
    assert_ptr_not_equal(again, held);
    assert_int_equal(w.cache.stats.misses, 3);
    plan_unref(held);
    plan_unref(again);
    snapshot_unref(
        old); /* the last one: any plan that still pointed into it would be found out by the sanitizer */
    visit(&w, INSERT_ITEM);
    world_end(&w);
}

/* ---- bounds ---- */

static void the_oldest_goes_first(void **state) {
    World w;
    char text[50];

    (void)state;
    world_begin_sized(&w, 3);
    Plan *held = get(&w, "SELECT 1 AS a");
    visit(&w, "SELECT 1 AS b");
    visit(&w, "SELECT 1 AS c");
    assert_int_equal(w.cache.stats.evicted, 0);
    visit(&w, "SELECT 2 AS a");
    visit(&w, "SELECT 1 AS d"); /* b's place */
    assert_int_equal(w.cache.stats.entries, 3);
    assert_int_equal(w.cache.stats.evicted, 1);
    uint64_t misses = w.cache.stats.misses;
    visit(&w, "SELECT 3 AS a");
    visit(&w, "SELECT 3 AS c");
    visit(&w, "SELECT 3 AS d");
    assert_int_equal(w.cache.stats.misses, misses);
    visit(&w, "SELECT 3 AS b");
    assert_int_equal(w.cache.stats.misses, misses + 1);
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "SELECT 1 AS c%d", i);
        visit(&w, text);
    }
    assert_int_equal(w.cache.stats.entries, 3);
    /* What was pushed out while a session held it is whole. */
    assert_int_equal(held->references, 1);
    assert_int_equal(plan_statement(held, 0)->kind, STMT_SELECT);
    plan_unref(held);
    world_end(&w);
}

static void a_cache_of_one(void **state) {
    World w;

    (void)state;
    world_begin_sized(&w, 0);
    for (int i = 0; i < 3; i++) {
        visit(&w, "SELECT 1");
        visit(&w, INSERT_ITEM);
        visit(&w, "SET search_path = 'a'");
        assert_int_equal(w.cache.stats.entries, 1);
    }
    world_end(&w);
}

/* ---- rewriting ---- */

static void edits_move_to_other_literals(void **state) {
    static const char *const cases[] = {
        "INSERT INTO items (order_id, note) VALUES (7, 'x')",
        "INSERT INTO items (order_id, note) VALUES (123456789, '')",
        "INSERT INTO items (order_id, note) VALUES (1, 'a much, much longer ''note'' (7, 8)')",
        "INSERT INTO items (note, order_id) VALUES ('x', 7), ('yyy', 88)",
        "INSERT INTO items (note, order_id) VALUES ('xxxxxxxxxxxx', 700), ('', 8)",
        "INSERT INTO items (note, order_id) VALUES ('\xc3\xa9', 3), ('', 8)",
        "INSERT INTO items (note, order_id) VALUES ('', (SELECT 4)), ('a', 5 + 6)",
        "INSERT INTO items (note, order_id) VALUES ('aa', (SELECT 44)), ('', 55 + 6)",
        "INSERT INTO items VALUES (1, 22, 'a')",
        "INSERT INTO items VALUES (333, 4, '')",
    };
    World w;

    (void)state;
    world_begin(&w);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            Plan *plan = get(&w, cases[i]);
            assert_true(plan_rewrites(plan));
            char *sent = sent_text(&w, plan, cases[i]), *expected = fresh_text(cases[i]);
            assert_string_equal(sent, expected);
            free(sent);
            free(expected);
            plan_unref(plan);
        }
    assert_int_equal(w.cache.stats.misses, 4);
    world_end(&w);
}

/* And that the text of a literal, not of the one before it, is what the parent is looked up by. */
static void the_key_is_that_of_the_text(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    visit(&w, "INSERT INTO items (order_id, note) VALUES (7, 'x')");
    Plan *plan = get(&w, "INSERT INTO items (order_id, note) VALUES (4711, 'x')");
    char *sent = sent_text(&w, plan, "INSERT INTO items (order_id, note) VALUES (4711, 'x')");
    const char *cell = strstr(sent, "4711");
    assert_non_null(cell);
    assert_non_null(strstr(cell + 1, "4711"));
    free(sent);
    plan_unref(plan);
    world_end(&w);
}

/* The way back belongs to the text at hand, and outlives plan, entry and text. */
static void positions_map_back(void **state) {
    World w;
    Buf out = {0};
    char text[] = "INSERT INTO items (order_id, note) VALUES (12345, 'x') RETURNING wrong";

    (void)state;
    world_begin(&w);
    visit(&w, "INSERT INTO items (order_id, note) VALUES (1, '') RETURNING wrong");
    Plan *plan = get(&w, text);
    Rewritten *r = plan_rewrite(&w.cache, plan, str_of(text), NULL, &out);
    plan_unref(plan);
    memset(text, 'x', sizeof text - 1);
    world_end(&w);
    buf_put_u8(&out, 0);
    const char *sent = (const char *)buf_ptr(&out), *wrong = strstr(sent, "wrong");
    assert_non_null(wrong);
    uint32_t back = edits_map_back(&r->edits, r->original, (uint32_t)(wrong - sent));
    assert_string_equal(r->original.ptr + back, "wrong");
    assert_ptr_equal(rewritten_ref(r), r);
    rewritten_unref(r);
    rewritten_unref(r);
    rewritten_unref(NULL);
    buf_free(&out);
}

/* ---- what the session is told ---- */

static void notes(void **state) {
    enum { EFFECTS = 1, DDL = 2, ENCODING = 4, DROPS = 8, WRITES = 16, MIGRATING = 32, HIDDEN = 64 };
    static const struct {
        const char *text;
        unsigned expected;
    } cases[] = {
        {"SELECT 1", 0},
        {"SELECT * FROM items", 0},
        {"INSERT INTO items (order_id) VALUES (1)", WRITES | MIGRATING},
        {"UPDATE items SET note = 'x'", WRITES | MIGRATING},
        {"DELETE FROM items", WRITES | MIGRATING},
        {"COPY items FROM STDIN", WRITES | MIGRATING},
        {"COPY items TO STDOUT", 0},
        {"INSERT INTO orders (store_id) VALUES (1)", WRITES},
        {"WITH i AS (INSERT INTO items (order_id) VALUES (1) RETURNING *) SELECT * FROM i",
         WRITES | MIGRATING},
        {"PREPARE p AS INSERT INTO items (order_id) VALUES ($1)", WRITES | MIGRATING},
        {"EXPLAIN ANALYZE DELETE FROM items", WRITES | MIGRATING},
        {"SELECT 1; DELETE FROM items", WRITES | MIGRATING},
        {"SET search_path = a", EFFECTS},
        {"SET search_path = a; SELECT * FROM items", EFFECTS | HIDDEN},
        {"SELECT * FROM items; SET search_path = a", EFFECTS},
        {"BEGIN; SELECT 1", EFFECTS},
        {"ROLLBACK; SELECT 1", EFFECTS | HIDDEN},
        {"SET client_encoding = 'SJIS'", ENCODING},
        {"SET client_encoding = 'SJIS'; SELECT 1", ENCODING | HIDDEN},
        {"SET NAMES 'LATIN1'", ENCODING},
        {"RESET ALL", EFFECTS | ENCODING},
        {"SET standard_conforming_strings = off", ENCODING},
        {"SELECT set_config('standard_conforming_strings', 'off', false)", ENCODING},
        {"SELECT set_config($1, 'off', false)", EFFECTS | ENCODING},
        {"DISCARD ALL", EFFECTS | ENCODING | DROPS},
        {"DISCARD TEMP", EFFECTS},
        {"DEALLOCATE p", DROPS},
        {"DEALLOCATE ALL", DROPS},
        {"ALTER TABLE items ADD x int", DDL},
        {"CREATE TABLE t (i int)", DDL},
        {"CREATE TEMP TABLE t (i int); SELECT 1 FROM t", EFFECTS | DDL | HIDDEN},
        {"DROP TABLE items", EFFECTS | DDL},
        {"SELECT nonsense FROM", 0},
    };
    World w;

    (void)state;
    world_begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Plan *p = get(&w, cases[i].text);
        unsigned actual = (p->has_effects ? EFFECTS : 0) | (p->has_ddl ? DDL : 0) |
                          (p->sets_encoding ? ENCODING : 0) | (p->drops_prepared ? DROPS : 0) |
                          (p->writes ? WRITES : 0) | (p->migrating ? MIGRATING : 0) |
                          (p->hidden_effects ? HIDDEN : 0);
        if (actual != cases[i].expected)
            fail_msg("%s: 0x%02x instead of 0x%02x", cases[i].text, actual, cases[i].expected);
        if (p->migrating)
            assert_string_equal(p->migrating->name, "items");
        plan_unref(p);
    }
    world_end(&w);
}

/* Behind a SET in the same text nobody knows what a name means, and nothing is rewritten; a name with a
 * schema is known. */
static void hidden_effects_hide_names(void **state) {
    static const struct {
        const char *text;
        bool rewritten;
    } cases[] = {
        {"SELECT 1; INSERT INTO items (order_id) VALUES (1)", true},
        {"BEGIN; INSERT INTO items (order_id) VALUES (1); COMMIT", true},
        {"SET search_path = a; INSERT INTO items (order_id) VALUES (1)", false},
        {"SET search_path = a; INSERT INTO public.items (order_id) VALUES (1)", true},
        {"SELECT set_config('search_path', 'a', true); INSERT INTO items (order_id) VALUES (1)", false},
        {"CREATE TEMP TABLE items (order_id int); INSERT INTO items (order_id) VALUES (1)", false},
        {"COMMIT; INSERT INTO items (order_id) VALUES (1)", false},
    };
    World w;

    (void)state;
    world_begin(&w);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Plan *p = get(&w, cases[i].text);
        if (plan_rewrites(p) != cases[i].rewritten)
            fail_msg("%s: %s", cases[i].text, plan_rewrites(p) ? "rewritten" : "not rewritten");
        plan_unref(p);
    }
    world_end(&w);
}

static void every_statement_has_its_audit_entry(void **state) {
    World w;

    (void)state;
    world_begin(&w);
    Plan *plan = get(&w, "SELECT * FROM orders; SELECT * FROM colours; SELECT * FROM orders");
    assert_int_equal(plan->nstatements, 3);
    assert_ptr_equal(plan->audit[0], plan->audit[2]);
    assert_ptr_not_equal(plan->audit[0], plan->audit[1]);
    assert_string_equal(plan->audit[1]->sample, "SELECT * FROM colours");
    assert_int_equal(plan->audit[0]->verdict, VERDICT_MULTI_TENANT);
    assert_int_equal(plan->audit[1]->verdict, VERDICT_NO_TENANT_TABLE);
    assert_null(plan_statement(plan, 3));
    assert_int_equal(w.new_shapes, 2);
    Plan *alone = get(&w, "SELECT * FROM colours");
    assert_ptr_equal(alone->audit[0], plan->audit[1]);
    assert_int_equal(w.new_shapes, 2);
    plan_unref(plan);
    plan_unref(alone);
    plan_unref(get(&w, ""));
    world_end(&w);
}

/* Facts are those of the text that was parsed: a new plan must not be made from another one's bytes. */
static void plans_anew_from_the_text_that_was_parsed(void **state) {
    static const char *const TEXTS[] = {
        "INSERT INTO items (order_id, note) VALUES (2000000000, 'much longer')",
        "INSERT INTO items (order_id, note) VALUES (1, 'x')",
        "INSERT INTO items (order_id, note) VALUES (2000000000, 'even longer than that')",
    };
    World w;

    (void)state;
    world_begin(&w);
    for (uint64_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        char *text = mem_strdup(TEXTS[i]); /* of its exact size, so that a byte beyond is one too many */
        world_snapshot(&w, snapshot_of(i + 1, STAGE_DERIVE));
        Plan *plan = get(&w, text);
        char *sent = sent_text(&w, plan, text), *expected = fresh_text(text);

        assert_string_equal(sent, expected);
        assert_string_equal(plan->audit[0]->sample, TEXTS[0]);
        free(expected);
        expected = fresh_text(TEXTS[0]);
        assert_string_equal(plan->audit[0]->sent, expected);
        free(expected);
        free(sent);
        plan_unref(plan);
        free(text);
    }
    assert_int_equal(w.cache.stats.misses, 1);
    world_end(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_one_shape_share_a_plan),
        cmocka_unit_test(a_hit_parses_nothing),
        cmocka_unit_test(literals_that_matter),
        cmocka_unit_test(a_text_that_is_rejected),
        cmocka_unit_test(one_rejected_literal),
        cmocka_unit_test(what_the_session_forbids_to_read),
        cmocka_unit_test(other_encodings),
        cmocka_unit_test(encodings_do_not_meet),
        cmocka_unit_test(long_texts_are_not_kept),
        cmocka_unit_test(an_older_generation_is_replanned),
        cmocka_unit_test(no_catalog_yet),
        cmocka_unit_test(literals_that_begin_to_matter),
        cmocka_unit_test(contexts_have_plans_of_their_own),
        cmocka_unit_test(sweeping),
        cmocka_unit_test(the_oldest_goes_first),
        cmocka_unit_test(a_cache_of_one),
        cmocka_unit_test(edits_move_to_other_literals),
        cmocka_unit_test(the_key_is_that_of_the_text),
        cmocka_unit_test(positions_map_back),
        cmocka_unit_test(notes),
        cmocka_unit_test(hidden_effects_hide_names),
        cmocka_unit_test(every_statement_has_its_audit_entry),
        cmocka_unit_test(plans_anew_from_the_text_that_was_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
