/* Scripts of statements, and after each one what names mean: search_path, role, temporary tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "proxy/track.h"

/* One text and the state behind it: "path role temporary tables". "-" is the default, "?" a path that is not
 * known. Outside of BEGIN … COMMIT the text is a transaction of its own. */
typedef struct Step {
    const char *text;
    const char *state;
    const char *tag; /* the server's; "ERROR": the text ended in one; NULL: not known */
} Step;

typedef struct Script {
    const char *name;
    Step steps[16];
} Script;

static const Script SCRIPTS[] = {
    {"SET is undone by ROLLBACK",
     {{"SET search_path = app, public", "app, public - -", NULL},
      {"BEGIN", "app, public - -", NULL},
      {"SET search_path TO other", "other - -", NULL},
      {"ROLLBACK", "app, public - -", NULL}}},
    {"SET is kept by COMMIT",
     {{"BEGIN", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"COMMIT", "app - -", "COMMIT"},
      {"ROLLBACK", "app - -", NULL}}},
    {"a COMMIT that the server answers with ROLLBACK",
     {{"BEGIN", "- - -", NULL}, {"SET search_path = app", "app - -", NULL}, {"COMMIT", "- - -", "ROLLBACK"}}},
    {"PREPARE TRANSACTION ends the transaction as COMMIT does",
     {{"BEGIN", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"SET LOCAL search_path = other", "other - -", NULL},
      {"PREPARE TRANSACTION 'x'", "app - -", "PREPARE TRANSACTION"}}},
    {"a PREPARE TRANSACTION that the server answers with ROLLBACK",
     {{"BEGIN", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"PREPARE TRANSACTION 'x'", "- - -", "ROLLBACK"}}},
    {"COMMIT AND CHAIN begins another transaction",
     {{"BEGIN", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"COMMIT AND CHAIN", "app - -", "COMMIT"},
      {"SET search_path = other", "other - -", NULL},
      {"ROLLBACK AND CHAIN", "app - -", NULL}}},
    {"a text that fails undoes what it did",
     {{"SET search_path = app", "app - -", NULL},
      {"SET search_path = other", "app - -", "ERROR"},
      {"SET ROLE tenant; DISCARD TEMP", "app - -", "ERROR"},
      {"BEGIN; SET search_path = other; COMMIT; SET search_path = third", "other - -", "ERROR"}}},
    {"SET LOCAL lasts as long as its transaction",
     {{"SET search_path = app", "app - -", NULL},
      {"BEGIN", "app - -", NULL},
      {"SET LOCAL search_path = other", "other - -", NULL},
      {"COMMIT", "app - -", "COMMIT"},
      {"SET LOCAL search_path = other", "app - -", NULL}}},
    {"SET behind SET LOCAL holds now and later",
     {{"BEGIN", "- - -", NULL},
      {"SET LOCAL search_path = a", "a - -", NULL},
      {"SET search_path = b", "b - -", NULL},
      {"SET LOCAL search_path = c", "c - -", NULL},
      {"COMMIT", "b - -", "COMMIT"}}},
    {"SET LOCAL of one thing, SET of another",
     {{"BEGIN", "- - -", NULL},
      {"SET LOCAL search_path = a", "a - -", NULL},
      {"SET ROLE tenant", "a tenant -", NULL},
      {"COMMIT", "- tenant -", "COMMIT"}}},
    {"RESET, DEFAULT and RESET ALL",
     {{"SET search_path = app", "app - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"SET search_path TO DEFAULT", "- - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"SET ROLE tenant", "app tenant -", NULL},
      {"RESET ALL", "- tenant -", NULL},
      {"RESET ROLE", "- - -", NULL}}},
    {"RESET is undone by ROLLBACK too",
     {{"SET search_path = app", "app - -", NULL},
      {"BEGIN", "app - -", NULL},
      {"RESET ALL", "- - -", NULL},
      {"ROLLBACK", "app - -", NULL}}},
    {"spellings of a path",
     {{"SET search_path = \"$user\", public", "\"$user\", public - -", NULL},
      {"SET search_path = 'App', \"select\"", "\"App\", \"select\" - -", NULL},
      {"SET search_path = ''", "\"\" - -", NULL},
      {"SET SESSION search_path TO a, b", "a, b - -", NULL},
      {"SET Search_Path = c", "c - -", NULL},
      {"SET SCHEMA 'd'", "d - -", NULL}}},
    {"other parameters mean nothing to names",
     {{"SET work_mem = '1MB'", "- - -", NULL},
      {"SELECT set_config('work_mem', '1MB', false)", "- - -", NULL},
      {"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "- - -", NULL},
      {"DISCARD PLANS", "- - -", NULL},
      {"SELECT 1", "- - -", NULL}}},
    {"roles",
     {{"SET ROLE tenant", "- tenant -", NULL},
      {"SET ROLE none", "- - -", NULL},
      {"SET SESSION AUTHORIZATION tenant", "- tenant -", NULL},
      {"RESET SESSION AUTHORIZATION", "- - -", NULL},
      {"BEGIN", "- - -", NULL},
      {"SET LOCAL ROLE tenant", "- tenant -", NULL},
      {"COMMIT", "- - -", "COMMIT"}}},
    {"SET ROLE and SET SESSION AUTHORIZATION",
     {{"SET SESSION AUTHORIZATION bob", "- bob -", NULL},
      {"SET ROLE tenant", "- tenant -", NULL},
      {"RESET ROLE", "- bob -", NULL},
      {"SET ROLE tenant", "- tenant -", NULL},
      {"SET SESSION AUTHORIZATION eve", "- eve -", NULL},
      {"SET ROLE none", "- eve -", NULL},
      {"SET SESSION AUTHORIZATION DEFAULT", "- - -", NULL}}},
    {"names of parameters in capitals",
     {{"SET \"SEARCH_PATH\" = app", "app - -", NULL},
      {"SELECT set_config('Search_Path', 'b', false)", "b - -", NULL},
      {"RESET \"Search_path\"", "- - -", NULL},
      {"SELECT set_config('ROLE', 'tenant', false)", "- tenant -", NULL}}},
    {"set_config of a role",
     {{"BEGIN", "- - -", NULL},
      {"SELECT set_config('role', $1, true)", "- ? -", NULL},
      {"COMMIT", "- - -", "COMMIT"},
      {"SELECT set_config('role', $1, false)", "- ? -", NULL},
      {"SET ROLE tenant", "- tenant -", NULL},
      {"SELECT set_config($1, $2, false)", "? ? -", NULL},
      {"DISCARD ALL", "- - -", NULL}}},
    {"set_config with literals",
     {{"SELECT set_config('search_path', 'app', false)", "app - -", NULL},
      {"SELECT pg_catalog.set_config('search_path', 'b, c', 'f')", "b, c - -", NULL},
      {"BEGIN", "b, c - -", NULL},
      {"SELECT set_config('search_path', 'd', true)", "d - -", NULL},
      {"COMMIT", "b, c - -", "COMMIT"},
      {"BEGIN", "b, c - -", NULL},
      {"INSERT INTO t SELECT set_config('search_path', 'e', false)", "e - -", NULL},
      {"ROLLBACK", "b, c - -", NULL}}},
    {"set_config with what is not in the text",
     {{"SELECT set_config('search_path', $1, false)", "? - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"SELECT set_config($1, 'x', false)", "? ? -", NULL},
      {"RESET search_path", "- ? -", NULL},
      {"RESET ROLE", "- - -", NULL},
      {"BEGIN", "- - -", NULL},
      {"SELECT set_config('search_path', $1, true)", "? - -", NULL},
      {"COMMIT", "- - -", "COMMIT"},
      {"SELECT set_config('search_path', 'app', $1)", "? - -", NULL},
      {"RESET ALL", "- - -", NULL}}},
    {"the last of several calls",
     {{"SELECT set_config('search_path', 'a', false), set_config('search_path', 'b', false)", "b - -",
       NULL}}},
    {"a function with SET FROM CURRENT changes nothing",
     {{"SET search_path = app", "app - -", NULL},
      {"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'", "app - -",
       NULL},
      {"SET search_path FROM CURRENT", "app - -", NULL}}},
    {"savepoints",
     {{"BEGIN", "- - -", NULL},
      {"SET search_path = a", "a - -", NULL},
      {"SAVEPOINT one", "a - -", NULL},
      {"SET search_path = b", "b - -", NULL},
      {"SAVEPOINT two", "b - -", NULL},
      {"SET LOCAL search_path = c", "c - -", NULL},
      {"ROLLBACK TO two", "b - -", NULL},
      {"ROLLBACK TO one", "a - -", NULL},
      {"SET search_path = d", "d - -", NULL},
      {"ROLLBACK TO one", "a - -", NULL},
      {"RELEASE one", "a - -", NULL},
      {"COMMIT", "a - -", "COMMIT"}}},
    {"a released savepoint leaves its effects to the outer one",
     {{"BEGIN", "- - -", NULL},
      {"SAVEPOINT one", "- - -", NULL},
      {"SAVEPOINT two", "- - -", NULL},
      {"SET search_path = a", "a - -", NULL},
      {"RELEASE two", "a - -", NULL},
      {"ROLLBACK TO one", "- - -", NULL},
      {"COMMIT", "- - -", "COMMIT"}}},
    {"RELEASE of an outer savepoint takes the inner ones along",
     {{"BEGIN", "- - -", NULL},
      {"SAVEPOINT one", "- - -", NULL},
      {"SET search_path = a", "a - -", NULL},
      {"SAVEPOINT two", "a - -", NULL},
      {"RELEASE one", "a - -", NULL},
      {"ROLLBACK TO two", "? - -", NULL},
      {"ROLLBACK", "- - -", NULL}}},
    {"the innermost savepoint of a name counts",
     {{"BEGIN", "- - -", NULL},
      {"SAVEPOINT s", "- - -", NULL},
      {"SET search_path = a", "a - -", NULL},
      {"SAVEPOINT s", "a - -", NULL},
      {"SET search_path = b", "b - -", NULL},
      {"ROLLBACK TO s", "a - -", NULL},
      {"RELEASE s", "a - -", NULL},
      {"ROLLBACK TO s", "- - -", NULL}}},
    {"savepoints end with their transaction",
     {{"BEGIN", "- - -", NULL},
      {"SAVEPOINT s", "- - -", NULL},
      {"COMMIT", "- - -", "COMMIT"},
      {"BEGIN", "- - -", NULL},
      {"SET search_path = a", "a - -", NULL},
      {"ROLLBACK TO s", "? - -", NULL},
      {"COMMIT", "a - -", "COMMIT"}}},
    {"temporary tables",
     {{"CREATE TEMP TABLE scratch (i int)", "- - scratch", NULL},
      {"CREATE TEMPORARY VIEW v AS SELECT 1", "- - scratch,v", NULL},
      {"CREATE TABLE kept (i int)", "- - scratch,v", NULL},
      {"CREATE TEMP TABLE other AS SELECT 1", "- - scratch,v,other", NULL},
      {"SELECT 1 INTO TEMP third", "- - scratch,v,other,third", NULL},
      {"DROP TABLE kept", "- - scratch,v,other,third", NULL},
      {"DROP TABLE IF EXISTS other, third", "- - scratch,v", NULL},
      {"DROP TABLE public.scratch", "- - scratch,v", NULL},
      {"DROP TABLE pg_temp.scratch", "- - v", NULL},
      {"DROP VIEW v", "- - -", NULL}}},
    {"temporary tables and transactions",
     {{"CREATE TEMP TABLE a (i int)", "- - a", NULL},
      {"BEGIN", "- - a", NULL},
      {"CREATE TEMP TABLE b (i int)", "- - a,b", NULL},
      {"SAVEPOINT s", "- - a,b", NULL},
      {"DROP TABLE a", "- - b", NULL},
      {"ROLLBACK TO s", "- - a,b", NULL},
      {"SET LOCAL search_path = x", "x - a,b", NULL},
      {"DROP TABLE a", "x - b", NULL},
      {"COMMIT", "- - b", "COMMIT"},
      {"BEGIN", "- - b", NULL},
      {"DROP TABLE b", "- - -", NULL},
      {"ROLLBACK", "- - b", NULL}}},
    {"DISCARD",
     {{"SET search_path = app", "app - -", NULL},
      {"SET ROLE tenant", "app tenant -", NULL},
      {"CREATE TEMP TABLE a (i int)", "app tenant a", NULL},
      {"DISCARD TEMP", "app tenant -", NULL},
      {"CREATE TEMP TABLE a (i int)", "app tenant a", NULL},
      {"DISCARD PLANS", "app tenant a", NULL},
      {"DISCARD ALL", "- - -", NULL}}},
};

static const char *describe(const Track *track, Arena *arena) {
    const TrackValues *v = track->current;
    const char *temps = v->ntemps ? "" : "-";
    const char *role = v->role_unknown ? "?" : track_role(v) ? track_role(v) : "-";

    for (int i = 0; i < v->ntemps; i++)
        temps = arena_printf(arena, "%s%s%s", temps, i > 0 ? "," : "", v->temps[i]);
    return arena_printf(arena, "%s %s %s",
                        v->path_unknown  ? "?"
                        : v->search_path ? v->search_path
                                         : "-",
                        role, temps);
}

static void apply(Track *track, const Step *step, Arena *arena) {
    bool failed = step->tag && strcmp(step->tag, "ERROR") == 0;
    Error err;
    const Facts *facts = facts_parse(arena, str_of(step->text), (FactsLimits){0}, &err);

    if (!facts)
        fail_msg("%s: %s", step->text, err.message);
    for (int i = 0; i < facts->nstatements; i++) {
        const Statement *stmt = &facts->statements[i];
        if (track_concerns(stmt))
            track_apply(track, stmt, failed ? STR_NONE : str_of(step->tag));
    }
    track_message_end(track, failed);
}

static void run(const Script *script) {
    Arena *arena = arena_new();
    Track track, copy;

    track_init(&track);
    track_init(&copy);
    for (const Step *step = script->steps; step->text; step++) {
        apply(&track, step, arena);
        const char *state = describe(&track, arena);
        if (strcmp(state, step->state) != 0)
            fail_msg("%s: %s\nleaves \"%s\"\nnot    \"%s\"", script->name, step->text, state, step->state);
        track_copy(&copy, &track);
        assert_true(track_equal(&copy, &track));
        assert_string_equal(describe(&copy, arena), step->state);
    }
    track_free(&copy);
    track_free(&track);
    arena_free(arena);
}

static void scripts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(SCRIPTS); i++)
        run(&SCRIPTS[i]);
}

/* What the session applies when a statement is sent (no tag yet), and what is a step in a script above. */
static void concerns(void **state) {
    static const struct {
        const char *text;
        bool concerns;
    } cases[] = {
        {"SET search_path = a", true},
        {"RESET ALL", true},
        {"SET ROLE x", true},
        {"RESET SESSION AUTHORIZATION", true},
        {"SET work_mem = '1MB'", false},
        {"RESET work_mem", false},
        {"BEGIN", true},
        {"COMMIT", true},
        {"END", true},
        {"ABORT", true},
        {"SAVEPOINT s", true},
        {"ROLLBACK PREPARED 'x'", false},
        {"PREPARE TRANSACTION 'x'", true},
        {"DISCARD ALL", true},
        {"DISCARD TEMPORARY", true},
        {"DISCARD SEQUENCES", false},
        {"CREATE TEMP TABLE t ()", true},
        {"CREATE TABLE t ()", false},
        {"DROP TABLE t", true},
        {"DROP FUNCTION f()", false},
        {"SELECT set_config('search_path', 'a', true)", true},
        {"SELECT set_config($1, 'a', true)", true},
        {"SELECT set_config('work_mem', $1, true)", false},
        {"SELECT current_setting('search_path')", false},
        {"INSERT INTO t VALUES (1)", false},
    };
    Arena *arena = arena_new();
    Error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Facts *facts = facts_parse(arena, str_of(cases[i].text), (FactsLimits){0}, &err);
        if (!facts)
            fail_msg("%s: %s", cases[i].text, err.message);
        if (track_concerns(&facts->statements[0]) != cases[i].concerns)
            fail_msg("%s: concerns names: %s", cases[i].text,
                     cases[i].concerns ? "expected" : "not expected");
    }
    arena_free(arena);
}

/* Inside a transaction block. */
static void apply_text(Track *track, const char *text, Arena *arena) {
    track->in_block = true;
    apply(track, &(Step){text, NULL, NULL}, arena);
}

/* A copy is a state of its own, savepoints included: the predicted one is made anew from the confirmed one.
 */
static void copies(void **state) {
    Arena *arena = arena_new();
    Track track, copy;

    (void)state;
    track_init(&track);
    track_init(&copy);
    assert_false(track_equal(&track, &copy)); /* equal is what was copied and not changed since */
    apply_text(&track, "SET search_path = a; SAVEPOINT s; SET search_path = b", arena);
    track_copy(&copy, &track);
    apply_text(&track, "SAVEPOINT t", arena);
    assert_false(track_equal(&track, &copy));
    apply_text(&track, "RELEASE t", arena);
    assert_true(track_equal(&track, &copy));
    apply_text(&track, "ROLLBACK TO s; SET search_path = c", arena);
    assert_false(track_equal(&track, &copy));
    assert_string_equal(describe(&track, arena), "c - -");
    assert_string_equal(describe(&copy, arena), "b - -");
    apply_text(&copy, "ROLLBACK TO s", arena);
    assert_string_equal(describe(&copy, arena), "a - -");
    track_copy(&copy, &track);
    assert_int_equal(copy.nsavepoints, 1);
    track_transaction_end(&track, true);
    assert_string_equal(describe(&track, arena), "- - -");
    assert_string_equal(describe(&copy, arena), "c - -");
    track_free(&track);
    track_free(&copy);
    arena_free(arena);
}

/* More savepoints than are followed: the path is unknown behind a ROLLBACK TO one of them, until the end. */
static void too_many_savepoints(void **state) {
    Arena *arena = arena_new();
    Track track;

    (void)state;
    track_init(&track);
    apply_text(&track, "SET search_path = a", arena);
    track_transaction_end(&track, false);
    for (int i = 0; i < 1200; i++)
        apply_text(&track, arena_printf(arena, "SAVEPOINT s%d", i), arena);
    apply_text(&track, "SET search_path = b", arena);
    apply_text(&track, "ROLLBACK TO s1199", arena);
    assert_string_equal(describe(&track, arena), "? - -");
    apply_text(&track, "ROLLBACK TO s10", arena);
    assert_string_equal(describe(&track, arena), "a - -");
    apply_text(&track, "ROLLBACK", arena);
    assert_string_equal(describe(&track, arena), "a - -");
    assert_int_equal(track.nsavepoints, 0);
    track_free(&track);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scripts),
        cmocka_unit_test(concerns),
        cmocka_unit_test(copies),
        cmocka_unit_test(too_many_savepoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
