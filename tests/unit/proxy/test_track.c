/* Scripts of statements, and after each one what names mean (search_path, role, temporary tables), or the
 * session's tenant. */
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
      {"SELECT set_config('search_path', 'e', false)::text", "e - -", NULL},
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
    {"set_config that may be executed any number of times",
     {{"INSERT INTO t SELECT set_config('search_path', 'e', false)", "? - -", NULL},
      {"SET search_path = app", "app - -", NULL},
      {"SELECT set_config('search_path', 'e', false) FROM t", "? - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"SELECT set_config('search_path', 'e', false) WHERE false", "? - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"SELECT set_config('search_path', 'e', false) LIMIT 0", "? - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"SELECT CASE WHEN random() < 0.5 THEN set_config('search_path', 'e', false) END", "? - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"WITH c AS (SELECT set_config('search_path', 'e', false)) SELECT 1", "? - -", NULL},
      {"RESET search_path", "- - -", NULL},
      {"SELECT set_config('search_path', 'a', false) UNION SELECT 'b'", "? - -", NULL}}},
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

/* The state is the tenant: "-" is the session's default, "?" one that is not known, "''" the empty string. */
static const Script TENANTS[] = {
    {"spellings",
     {{"SET shardferry.tenant = '5'", "5", NULL},
      {"SET shardferry.tenant TO 6", "6", NULL},
      {"SET SESSION shardferry.tenant = -7", "-7", NULL},
      {"SET ShardFerry.Tenant = word", "word", NULL},
      {"SET \"SHARDFERRY\".\"TENANT\" = 'it''s'", "it's", NULL},
      {"SET shardferry.tenant = 'a, b'", "a, b", NULL},
      {"SET shardferry.tenant = ''", "''", NULL},
      {"RESET shardferry.tenant", "-", NULL},
      {"SET shardferry.tenant = '7d2b1c3e-0000-4000-8000-00000000000a'",
       "7d2b1c3e-0000-4000-8000-00000000000a", NULL},
      {"SET shardferry.tenant TO DEFAULT", "-", NULL}}},
    {"other parameters",
     {{"SET shardferry.tenant = '5'", "5", NULL},
      {"SET shardferry.tenants = '6'", "5", NULL},
      {"SET tenant = '6'", "5", NULL},
      {"SET search_path = a", "5", NULL},
      {"RESET search_path", "5", NULL},
      {"SET ROLE bob", "5", NULL},
      {"DISCARD TEMP", "5", NULL},
      {"RESET ALL", "-", NULL},
      {"SET shardferry.tenant = '5'", "5", NULL},
      {"DISCARD ALL", "-", NULL}}},
    {"transactions",
     {{"SET shardferry.tenant = '5'", "5", NULL},
      {"BEGIN", "5", NULL},
      {"SET LOCAL shardferry.tenant = '6'", "6", NULL},
      {"COMMIT", "5", "COMMIT"},
      {"BEGIN", "5", NULL},
      {"SET shardferry.tenant = '7'", "7", NULL},
      {"SET LOCAL shardferry.tenant = '8'", "8", NULL},
      {"COMMIT", "7", "COMMIT"},
      {"BEGIN", "7", NULL},
      {"SET shardferry.tenant = '9'", "9", NULL},
      {"COMMIT", "7", "ROLLBACK"},
      {"BEGIN; SET LOCAL shardferry.tenant = '10'; COMMIT; SET LOCAL shardferry.tenant = '11'", "7", NULL},
      {"SET shardferry.tenant = '12'; SELECT 1/0", "7", "ERROR"}}},
    {"savepoints",
     {{"BEGIN", "-", NULL},
      {"SET LOCAL shardferry.tenant = '5'", "5", NULL},
      {"SAVEPOINT s", "5", NULL},
      {"SET LOCAL shardferry.tenant = '6'", "6", NULL},
      {"SAVEPOINT t", "6", NULL},
      {"SET shardferry.tenant = '7'", "7", NULL},
      {"RELEASE t", "7", NULL},
      {"ROLLBACK TO s", "5", NULL},
      {"ROLLBACK TO nobody_knows", "?", NULL},
      {"ROLLBACK TO s", "5", NULL},
      {"COMMIT", "-", "COMMIT"}}},
    {"set_config",
     {{"SELECT set_config('shardferry.tenant', '5', false)", "5", NULL},
      {"SELECT pg_catalog.set_config('ShardFerry.tenant', '', false)", "''", NULL},
      {"BEGIN", "''", NULL},
      {"SELECT set_config('shardferry.tenant', '6', true), set_config('search_path', 'a', true)", "6", NULL},
      {"COMMIT", "''", "COMMIT"},
      {"SELECT set_config('shardferry.tenant', $1, false)", "?", NULL},
      {"SET shardferry.tenant = '7'", "7", NULL},
      {"SELECT set_config('shardferry.tenant', o.store::text, false) FROM orders o", "?", NULL},
      {"SELECT set_config('shardferry.tenant', '8', false)", "8", NULL},
      {"SELECT set_config($1, $2, false)", "?", NULL},
      {"RESET ALL", "-", NULL},
      {"SELECT set_config('search_path', $1, false)", "-", NULL}}},
    {"an unknown tenant ends with its transaction",
     {{"SET shardferry.tenant = '5'", "5", NULL},
      {"BEGIN", "5", NULL},
      {"SELECT set_config('shardferry.tenant', $1, true)", "?", NULL},
      {"COMMIT", "5", "COMMIT"},
      {"BEGIN", "5", NULL},
      {"SELECT set_config('shardferry.tenant', $1, false)", "?", NULL},
      {"ROLLBACK", "5", NULL}}},
};

static const char *describe_tenant(const Track *track, Arena *arena) {
    const TrackValues *v = track->current;

    (void)arena;
    return v->tenant_unknown ? "?" : !v->tenant ? "-" : v->tenant[0] ? v->tenant : "''";
}

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

static void run(const Script *script, const char *say(const Track *track, Arena *arena)) {
    Arena *arena = arena_new();
    Track track, copy;

    track_init(&track);
    track_init(&copy);
    for (const Step *step = script->steps; step->text; step++) {
        apply(&track, step, arena);
        const char *state = say(&track, arena);
        if (strcmp(state, step->state) != 0)
            fail_msg("%s: %s\nleaves \"%s\"\nnot    \"%s\"", script->name, step->text, state, step->state);
        track_copy(&copy, &track);
        assert_true(track_equal(&copy, &track));
        assert_string_equal(say(&copy, arena), step->state);
    }
    track_free(&copy);
    track_free(&track);
    arena_free(arena);
}

static void scripts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(SCRIPTS); i++)
        run(&SCRIPTS[i], describe);
    for (size_t i = 0; i < ARRAY_LEN(TENANTS); i++)
        run(&TENANTS[i], describe_tenant);
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
        {"SET shardferry.tenant = '5'", true},
        {"SET shardferry.other = '5'", false},
        {"SELECT set_config('shardferry.tenant', '5', false)", true},
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

/* Thousands of tenants share one plan: what depends on names is not made anew for another tenant. */
static void tenants_leave_names_alone(void **state) {
    Arena *arena = arena_new();
    Track track;

    (void)state;
    track_init(&track);
    apply_text(&track, "SET search_path = a", arena);
    uint32_t before = track.changes;
    apply_text(&track, "SET shardferry.tenant = '5'", arena);
    apply_text(&track, "SAVEPOINT s; SET LOCAL shardferry.tenant = '6'; ROLLBACK TO s", arena);
    apply_text(&track, "COMMIT; BEGIN; RESET shardferry.tenant; ROLLBACK", arena);
    assert_string_equal(describe_tenant(&track, arena), "5");
    assert_int_equal(track.changes, before);
    apply_text(&track, "SET search_path = a; SET ROLE bob; CREATE TEMP TABLE t ()", arena);
    assert_int_equal(track.changes, before + 2);
    track_free(&track);
    arena_free(arena);
}

static void changes_of_tenant(void **state) {
    static const struct {
        const char *text;
        TrackTenant change;
        bool names;
    } cases[] = {
        {"SET shardferry.tenant = 5", TRACK_TENANT_SET, false},
        {"SET LOCAL shardferry.tenant = 5", TRACK_TENANT_SET, false},
        {"SELECT set_config('shardferry.tenant', '5', true)", TRACK_TENANT_SET, false},
        {"SELECT set_config($1, '5', true)", TRACK_TENANT_SET, true},
        {"RESET ALL", TRACK_TENANT_SET, true},
        {"DISCARD ALL", TRACK_TENANT_SET, true},
        {"DISCARD TEMP", TRACK_TENANT_KEPT, true},
        {"SET search_path = a", TRACK_TENANT_KEPT, true},
        {"SET work_mem = '1MB'", TRACK_TENANT_KEPT, false},
        {"COMMIT", TRACK_TENANT_RESTORED, true},
        {"ROLLBACK", TRACK_TENANT_RESTORED, true},
        {"ROLLBACK TO s", TRACK_TENANT_RESTORED, true},
        {"PREPARE TRANSACTION 'x'", TRACK_TENANT_RESTORED, true},
        {"BEGIN", TRACK_TENANT_KEPT, false},
        {"SAVEPOINT s", TRACK_TENANT_KEPT, false},
        {"RELEASE s", TRACK_TENANT_KEPT, false},
        {"COMMIT PREPARED 'x'", TRACK_TENANT_KEPT, false},
        {"INSERT INTO t VALUES (1)", TRACK_TENANT_KEPT, false},
    };
    Arena *arena = arena_new();
    Error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Facts *facts = facts_parse(arena, str_of(cases[i].text), (FactsLimits){0}, &err);
        if (!facts)
            fail_msg("%s: %s", cases[i].text, err.message);
        if (track_changes_tenant(&facts->statements[0]) != cases[i].change ||
            track_changes_names(&facts->statements[0]) != cases[i].names)
            fail_msg("%s: %d, %d", cases[i].text, track_changes_tenant(&facts->statements[0]),
                     track_changes_names(&facts->statements[0]));
    }
    arena_free(arena);
}

static void steady(void **state) {
    static const struct {
        const char *text;
        bool steady;
    } steps[] = {
        {"SET search_path = a", true},
        {"SET LOCAL shardferry.tenant = '5'", false},
        {"RESET shardferry.tenant", true},
        {"SET shardferry.tenant = '6'", false},
        {"COMMIT; BEGIN", true},
        {"SAVEPOINT s", false},
        {"RELEASE s", true},
        {"SELECT set_config('shardferry.tenant', $1, true)", false},
    };
    Arena *arena = arena_new();
    Track track;

    (void)state;
    track_init(&track);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        apply_text(&track, steps[i].text, arena);
        if (track_tenant_is_steady(&track) != steps[i].steady)
            fail_msg("behind %s", steps[i].text);
    }
    track_free(&track);
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
        cmocka_unit_test(tenants_leave_names_alone),
        cmocka_unit_test(changes_of_tenant),
        cmocka_unit_test(steady),
        cmocka_unit_test(too_many_savepoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
