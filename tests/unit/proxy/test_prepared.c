/* Named statements and portals: names, the unnamed ones, who holds a reference. */
#include "proxy/prepared.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIXTY "123456789_123456789_123456789_123456789_123456789_123456789_"

static Prepared *statement(const char *name, const char *query) {
    return prepared_new(str_of(name), str_of(query), NULL, 0);
}

static void put(PreparedTable *table, const char *name, const char *query, uint64_t sequence) {
    Prepared *p = statement(name, query);

    p->sequence = sequence;
    prepared_unref(prepared_put(table, p));
}

/* The query under a name; "-" if there is none. */
static const char *query_of(const PreparedTable *table, const char *name) {
    const Prepared *p = prepared_find(table, str_of(name));

    return p ? p->query.ptr : "-";
}

static void names_are_cut_as_the_server_cuts_them(void **state) {
    static const struct {
        const char *name, *cut;
    } cases[] = {
        {"", ""},
        {"a", "a"},
        {SIXTY "abc", SIXTY "abc"},
        {SIXTY "abcd", SIXTY "abc"},
        {SIXTY SIXTY, SIXTY "123"},
    };
    char out[PREPARED_NAME_BYTES];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        memset(out, 'x', sizeof out);
        prepared_name(out, str_of(cases[i].name));
        assert_string_equal(out, cases[i].cut);
        /* Compared and hashed as a whole in places: nothing of an older name is left behind. */
        for (size_t k = strlen(cases[i].cut); k < sizeof out; k++)
            assert_int_equal(out[k], 0);
    }
}

static void long_names_meet(void **state) {
    PreparedTable table = {0};

    (void)state;
    put(&table, SIXTY "abcd", "SELECT 1", 1);
    assert_string_equal(query_of(&table, SIXTY "abcx"), "SELECT 1");
    assert_string_equal(query_of(&table, SIXTY "abx"), "-");
    put(&table, SIXTY "abcx", "SELECT 2", 2);
    assert_int_equal(prepared_count(&table), 1);
    assert_string_equal(query_of(&table, SIXTY "abc"), "SELECT 2");
    prepared_remove_all(&table);
}

static void a_statement_keeps_its_own_copies(void **state) {
    char query[] = "SELECT $1", name[] = "one";
    uint8_t types[] = {0, 0, 0, 20, 0, 0, 0, 23};
    Prepared *p = prepared_new(str_of(name), str_of(query), types, 2);

    (void)state;
    memset(query, 'x', sizeof query);
    memset(name, 'x', sizeof name);
    memset(types, 9, sizeof types);
    assert_string_equal(p->name, "one");
    assert_true(str_is(p->query, "SELECT $1"));
    assert_int_equal(p->query.ptr[p->query.len], 0); /* the parser wants it so */
    assert_int_equal(p->ntypes, 2);
    assert_memory_equal(p->types, ((uint8_t[]){0, 0, 0, 20, 0, 0, 0, 23}), 8);
    prepared_unref(p);
    prepared_unref(NULL);
}

static void the_table_replaces_and_hands_out(void **state) {
    static const char *const NAMES[] = {"", "named"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        PreparedTable table = {0};
        Str name = str_of(NAMES[i]);
        Prepared *first = statement(NAMES[i], "SELECT 1"), *second = statement(NAMES[i], "SELECT 2");

        assert_null(prepared_find(&table, name));
        assert_null(prepared_take(&table, name));
        assert_null(prepared_put(&table, first));
        assert_ptr_equal(prepared_find(&table, name), first);
        assert_ptr_equal(prepared_put(&table, second), first);
        assert_ptr_equal(prepared_find(&table, name), second);
        /* The one that came late and is not in any more takes nothing away. */
        prepared_remove(&table, first);
        assert_ptr_equal(prepared_find(&table, name), second);
        /* As a Parse that failed puts back what it had displaced. */
        prepared_remove(&table, second);
        assert_null(prepared_put(&table, first));
        assert_ptr_equal(prepared_take(&table, name), first);
        assert_null(prepared_find(&table, name));
        prepared_unref(first);
        assert_null(table.named);
        assert_null(table.unnamed);
    }
}

static void a_message_in_flight_keeps_a_statement(void **state) {
    PreparedTable table = {0};
    Prepared *p = statement("a", "SELECT 1");

    (void)state;
    prepared_unref(prepared_put(&table, p));
    prepared_ref(p);
    prepared_remove_all(&table);
    assert_string_equal(query_of(&table, "a"), "-");
    assert_int_equal(p->references, 1);
    assert_string_equal(p->query.ptr, "SELECT 1");
    prepared_unref(p);
}

/* DEALLOCATE ALL takes what was parsed before it, and leaves what a pipeline parsed behind it. */
static void removes_older_ones(void **state) {
    PreparedTable table = {0};

    (void)state;
    put(&table, "", "SELECT 0", 5);
    put(&table, "a", "SELECT 1", 3);
    put(&table, "b", "SELECT 2", 4);
    put(&table, "c", "SELECT 3", 6);
    prepared_remove_older(&table, 2);
    assert_int_equal(prepared_count(&table), 3);
    prepared_remove_older(&table, 4);
    assert_int_equal(prepared_count(&table), 1);
    assert_string_equal(query_of(&table, "a"), "-");
    assert_string_equal(query_of(&table, "c"), "SELECT 3");
    assert_string_equal(query_of(&table, ""), "SELECT 0");
    prepared_remove_older(&table, 5);
    assert_string_equal(query_of(&table, ""), "-");
    assert_string_equal(query_of(&table, "c"), "SELECT 3");
    prepared_remove_all(&table);
    assert_int_equal(prepared_count(&table), 0);
}

/* Never counted down to nothing, so that none is freed. */
static Plan plans[2] = {{.references = 100}, {.references = 100}};
static Rewritten rewritings[2] = {{.references = 100}, {.references = 100}};

static void check_references(int plan0, int plan1, int rewriting0, int rewriting1) {
    assert_int_equal(plans[0].references, 100 + plan0);
    assert_int_equal(plans[1].references, 100 + plan1);
    assert_int_equal(rewritings[0].references, 100 + rewriting0);
    assert_int_equal(rewritings[1].references, 100 + rewriting1);
}

static void notes_how_it_was_sent(void **state) {
    Prepared *p = statement("a", "SELECT 1");

    (void)state;
    prepared_sent_as(p, &plans[0], &rewritings[0], 7);
    check_references(1, 0, 1, 0);
    assert_int_equal(p->sent_hash, 7);
    prepared_sent_as(p, &plans[0], p->rewritten, 7); /* itself again: nothing may be freed on the way */
    check_references(1, 0, 1, 0);
    prepared_sent_as(p, &plans[1], NULL, 0);
    check_references(0, 1, 0, 0);
    assert_null(p->rewritten);
    prepared_sent_as(p, &plans[1], &rewritings[1], 8);
    prepared_unref(p);
    check_references(0, 0, 0, 0);
}

static void portals(void **state) {
    PreparedTable table = {0};
    Prepared *one = statement("one", "SELECT 1"), *two = statement("two", "SELECT 2");
    static const char *const NAMES[] = {"", "p", SIXTY "abcd"};

    (void)state;
    prepared_sent_as(one, &plans[0], NULL, 0);
    prepared_sent_as(two, &plans[1], &rewritings[1], 1);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        Str name = str_of(NAMES[i]);
        assert_true(!portal_find(&table, name) || !portal_find(&table, name)->plan);
        portal_bind(&table, name, one, 0);
        assert_ptr_equal(portal_find(&table, name)->plan, &plans[0]);
        assert_null(portal_find(&table, name)->rewritten);
        portal_bind(&table, name, two, 0);
        assert_ptr_equal(portal_find(&table, name)->plan, &plans[1]);
        assert_ptr_equal(portal_find(&table, name)->rewritten, &rewritings[1]);
        check_references(1, 2, 0, 2);
        /* Bound to a statement that is not known here: what was known of the portal before is not true of it.
         */
        portal_bind(&table, name, NULL, 0);
        assert_null(portal_find(&table, name)->plan);
        check_references(1, 1, 0, 1);
        portal_bind(&table, name, one, 0);
        portal_close(&table, name);
        portal_close(&table, name);
        assert_true(!portal_find(&table, name) || !portal_find(&table, name)->plan);
        check_references(1, 1, 0, 1);
    }
    /* A portal outlives its statement. */
    portal_bind(&table, STR_LIT(""), one, 0);
    portal_bind(&table, STR_LIT("p"), two, 0);
    portal_bind(&table, STR_LIT("q"), two, 0);
    prepared_unref(one);
    prepared_unref(two);
    check_references(1, 2, 0, 2);
    assert_ptr_equal(portal_find(&table, STR_LIT("q"))->plan, &plans[1]);
    portal_close_all(&table);
    check_references(0, 0, 0, 0);
    assert_null(portal_find(&table, STR_LIT("p")));
    assert_null(portal_find(&table, STR_LIT(""))->plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_cut_as_the_server_cuts_them),
        cmocka_unit_test(long_names_meet),
        cmocka_unit_test(a_statement_keeps_its_own_copies),
        cmocka_unit_test(the_table_replaces_and_hands_out),
        cmocka_unit_test(a_message_in_flight_keeps_a_statement),
        cmocka_unit_test(removes_older_ones),
        cmocka_unit_test(notes_how_it_was_sent),
        cmocka_unit_test(portals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
