/* The ledger: one writer, any readers. */
#include "audit/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000

static const char *const ORDERS[] = {"public.orders", "public.line_items"};

static StatementDecision multi_tenant(void) {
    return (StatementDecision){.verdict = VERDICT_MULTI_TENANT,
                               .tables = ORDERS,
                               .ntables = 2,
                               .unscoped = ORDERS + 1,
                               .nunscoped = 1,
                               .reason = "nothing fixes the tenant",
                               .suggestion = "add a predicate"};
}

static AuditSubject subject_of(uint64_t fingerprint, const StatementDecision *decision, const char *text) {
    return (AuditSubject){.fingerprint = fingerprint,
                          .decision = decision,
                          .text = str_of(text),
                          .application = "shop",
                          .role = "app"};
}

static AuditEntry *enter(AuditLedger *ledger, const AuditSubject *subject, bool expect_new) {
    bool is_new = !expect_new;
    AuditEntry *entry = audit_entry(ledger, subject, &is_new);

    assert_int_equal(is_new, expect_new);
    return entry;
}

/* By the client that made the subject. */
static void count(AuditLedger *ledger, AuditEntry *entry, uint64_t latency_us, bool failed, int64_t now_us) {
    audit_count(entry, audit_client(ledger, "shop", "app"), latency_us, failed, now_us);
}

static uint64_t calls_of(const AuditEntry *entry) {
    uint64_t calls = 0;

    for (const AuditShare *share = entry->shares; share; share = share->next)
        calls += share->calls;
    return calls;
}

static void keeps_an_entry_in_place(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5000, .sample_bytes = 100});
    StatementDecision decision = multi_tenant();
    AuditSubject first = subject_of(1, &decision, "SELECT 1");
    AuditEntry *entry = enter(ledger, &first, true);

    (void)state;
    for (uint64_t fingerprint = 2; fingerprint < 4000; fingerprint++) {
        AuditSubject other = subject_of(fingerprint, &decision, "SELECT 2");

        enter(ledger, &other, true);
    }
    assert_ptr_equal(enter(ledger, &first, false), entry);
    assert_string_equal(entry->sample, "SELECT 1");
    assert_string_equal(entry->tables[1], "public.line_items");
    audit_free(ledger);
}

static void follows_a_changed_decision(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5, .sample_bytes = 100});
    StatementDecision before = {.verdict = VERDICT_MULTI_TENANT}, after = multi_tenant();
    AuditSubject old = subject_of(7, &before, "SELECT 1"), new = subject_of(7, &after, "SELECT 1");
    AuditEntry *entry = enter(ledger, &old, true);

    (void)state;
    count(ledger, entry, 10, false, SECOND);
    /* Back and forth, as two sessions with different search paths do it. */
    for (int i = 0; i < 10; i++) {
        assert_ptr_equal(enter(ledger, &new, false), entry);
        assert_string_equal(entry->reason, after.reason);
        assert_string_equal(entry->unscoped[0], "public.line_items");
        assert_ptr_equal(enter(ledger, &old, false), entry);
        assert_null(entry->reason);
        assert_int_equal(entry->ntables, 0);
    }
    assert_int_equal(calls_of(entry), 1);
    audit_free(ledger);
}

/* "store_id = 5" and "store_id IN (5, 6)" have one fingerprint. */
static void keeps_verdicts_of_a_fingerprint_apart(void **state) {
    AuditLimits limits = {.max_entries = 2, .sample_bytes = 100};
    AuditLedger *ledgers[2] = {audit_new(limits), audit_new(limits)};
    StatementDecision one = {.verdict = VERDICT_SINGLE_TENANT}, many = multi_tenant();
    AuditSubject scoped = subject_of(7, &one, "SELECT 5"), unscoped = subject_of(7, &many, "SELECT 5, 6");
    Arena *arena = arena_new();
    AuditRow *rows;

    (void)state;
    for (int i = 0; i < 2; i++) {
        AuditEntry *first = enter(ledgers[i], i ? &scoped : &unscoped, true);
        AuditEntry *second = enter(ledgers[i], i ? &unscoped : &scoped, true);

        assert_ptr_not_equal(first, second);
        assert_ptr_equal(enter(ledgers[i], i ? &scoped : &unscoped, false), first);
        count(ledgers[i], first, 10, false, SECOND);
        count(ledgers[i], second, 10, true, 2 * SECOND);
        count(ledgers[i], second, 10, true, 2 * SECOND);
    }
    assert_int_equal(audit_collect(ledgers, 2, arena, &rows), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rows[i].fingerprint, 7);
        assert_int_equal(rows[i].verdict, i ? VERDICT_MULTI_TENANT : VERDICT_SINGLE_TENANT);
        assert_string_equal(rows[i].sample, i ? "SELECT 5, 6" : "SELECT 5");
        assert_int_equal(rows[i].calls, 3);
        assert_int_equal(rows[i].errors, 2);
    }
    arena_free(arena);
    for (int i = 0; i < 2; i++)
        audit_free(ledgers[i]);
}

static void counts(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5, .sample_bytes = 100});
    StatementDecision decision = multi_tenant();
    AuditSubject subject = subject_of(1, &decision, "SELECT 1");
    AuditEntry *entry = enter(ledger, &subject, true);
    Arena *arena = arena_new();
    AuditRow *rows;

    (void)state;
    count(ledger, entry, 30, false, 5 * SECOND);
    count(ledger, entry, 50, true, 6 * SECOND);
    count(ledger, entry, 20, false, 7 * SECOND);
    audit_count_noticed(entry, audit_client(ledger, "shop", "app"));
    audit_count_blocked(entry, audit_client(ledger, "shop", "app"), 9 * SECOND);
    assert_int_equal(audit_collect(&ledger, 1, arena, &rows), 1);
    assert_int_equal(rows->calls, 3);
    assert_int_equal(rows->errors, 1);
    assert_int_equal(rows->total_us, 100);
    assert_int_equal(rows->max_us, 50);
    assert_int_equal(rows->blocked, 1);
    assert_int_equal(rows->noticed, 1);
    assert_int_equal(rows->first_seen, 5 * SECOND);
    assert_int_equal(rows->last_seen, 9 * SECOND);
    arena_free(arena);
    audit_free(ledger);
}

static void shares_an_overflow_entry(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 2, .sample_bytes = 100});
    StatementDecision decision = multi_tenant();
    Arena *arena = arena_new();
    AuditEntry *entries[4];
    AuditRow *rows;

    (void)state;
    for (int i = 0; i < 4; i++) {
        /* An empty statement's fingerprint is 0, too: it must not be taken for the overflow. */
        AuditSubject subject = subject_of((uint64_t)i, &decision, "SELECT 1");

        entries[i] = enter(ledger, &subject, true);
        count(ledger, entries[i], 1, false, SECOND);
    }
    assert_ptr_not_equal(entries[0], entries[1]);
    assert_ptr_equal(entries[2], entries[3]);
    assert_int_equal(calls_of(entries[2]), 2);
    assert_int_equal(entries[2]->fingerprint, 0);
    assert_int_equal(audit_collect(&ledger, 1, arena, &rows), 3);
    assert_int_equal(rows[0].verdict, VERDICT_OPAQUE);
    assert_int_equal(rows[0].calls, 2);
    arena_free(arena);
    audit_free(ledger);
}

static void merges_what_is_the_same(void **state) {
    AuditLimits limits = {.max_entries = 2, .sample_bytes = 100};
    AuditLedger *ledgers[3] = {audit_new(limits), audit_new(limits), audit_new(limits)};
    StatementDecision stale = {.verdict = VERDICT_MULTI_TENANT}, fresh = multi_tenant();
    Arena *arena = arena_new();
    AuditRow *rows;

    (void)state;
    for (int i = 0; i < 3; i++) {
        AuditSubject shared = subject_of(9, i == 2 ? &stale : &fresh, i == 1 ? "SELECT 9" : "SELECT 10");
        AuditSubject own = subject_of((uint64_t)(100 + i), &fresh, "SELECT 100");
        AuditSubject beyond = subject_of((uint64_t)(200 + i), &fresh, "SELECT 200");
        AuditEntry *entry = enter(ledgers[i], &shared, true);

        /* The second one met it first, the third one has not learned of the new stage. */
        if (i < 2)
            count(ledgers[i], entry, (uint64_t)(10 * (i + 1)), true, (int64_t)(10 - i) * SECOND);
        count(ledgers[i], enter(ledgers[i], &own, true), 1000, false, SECOND);
        count(ledgers[i], enter(ledgers[i], &beyond, true), 1, false, SECOND);
    }
    assert_int_equal(audit_collect(ledgers, 3, arena, &rows), 5);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rows[i].fingerprint, 100 + i);
    assert_int_equal(rows[3].fingerprint, 9);
    assert_int_equal(rows[3].verdict, VERDICT_MULTI_TENANT);
    assert_string_equal(rows[3].sample, "SELECT 10"); /* that of the decision */
    assert_string_equal(rows[3].tables, "public.orders, public.line_items");
    assert_string_equal(rows[3].unscoped, "public.line_items");
    assert_string_equal(rows[3].application, "shop");
    assert_string_equal(rows[3].role, "app");
    assert_int_equal(rows[3].calls, 2);
    assert_int_equal(rows[3].errors, 2);
    assert_int_equal(rows[3].total_us, 30);
    assert_int_equal(rows[3].max_us, 20);
    assert_int_equal(rows[3].first_seen, 9 * SECOND);
    assert_int_equal(rows[3].last_seen, 10 * SECOND);
    assert_int_equal(rows[4].calls, 3);
    arena_free(arena);
    for (int i = 0; i < 3; i++)
        audit_free(ledgers[i]);
}

static void collects_nothing(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 2, .sample_bytes = 100});
    Arena *arena = arena_new();
    AuditRow *rows;

    (void)state;
    assert_int_equal(audit_collect(&ledger, 1, arena, &rows), 0);
    assert_int_equal(audit_collect(NULL, 0, arena, &rows), 0);
    arena_free(arena);
    audit_free(ledger);
}

static void makes_presentable_samples(void **state) {
    static const struct {
        Str text, shape;
        bool redact;
        const char *sample;
    } CASES[] = {
        {STR_LIT("SELECT 1"), STR_NONE, false, "SELECT 1"},
        {STR_LIT(""), STR_NONE, false, ""},
        {STR_LIT("SELECT 12345"), STR_NONE, false, "SELECT 123..."},
        {STR_LIT("SELECT '\xC3\xA4'"), STR_NONE, false, "SELECT '\xC3\xA4..."},
        {STR_LIT("SELECT 1 \xC3\xA4"), STR_NONE, false, "SELECT 1 ..."},
        {STR_LIT("SELECT '\xE4'"), STR_NONE, false, "SELECT '\xEF\xBF\xBD'"},
        {STR_LIT("\xE2\x82"), STR_NONE, false, "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {STR_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"), STR_NONE, false, NULL},
        {STR_LIT("a\0b"), STR_NONE, false,
         "a\xEF\xBF\xBD"
         "b"},
        {STR_LIT("SELECT 17"), STR_LIT("SELECT 0"), true, "SELECT 0"},
        {STR_LIT("S 'secret'"), STR_NONE, true, "S '?'"},
        {STR_LIT("S 'secret"), STR_NONE, true, "(redacted)"},
        {STR_NONE, STR_NONE, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        AuditLedger *ledger =
            audit_new((AuditLimits){.max_entries = 2, .sample_bytes = 10, .redact = CASES[i].redact});
        StatementDecision decision = multi_tenant();
        AuditSubject subject = {
            .fingerprint = i, .decision = &decision, .text = CASES[i].text, .shape = CASES[i].shape};
        AuditEntry *entry = enter(ledger, &subject, true);
        Arena *arena = arena_new();
        AuditRow *rows;

        if (CASES[i].sample)
            assert_string_equal(entry->sample, CASES[i].sample);
        else
            assert_memory_equal(entry->sample, "\xEF\xBF\xBD", 3);
        assert_int_equal(audit_collect(&ledger, 1, arena, &rows), 1);
        assert_string_equal(rows->application, "");
        assert_string_equal(rows->role, "");
        arena_free(arena);
        audit_free(ledger);
    }
}

/* ---- clients ---- */

static void counts_by_client(void **state) {
    AuditLimits limits = {.max_entries = 5, .sample_bytes = 100};
    AuditLedger *ledgers[2] = {audit_new(limits), audit_new(limits)};
    StatementDecision decision = multi_tenant();
    AuditSubject subject = subject_of(1, &decision, "SELECT 1");
    Arena *arena = arena_new();
    AuditRow *rows;

    (void)state;
    for (int i = 0; i < 2; i++) {
        AuditEntry *entry = enter(ledgers[i], &subject, true);
        AuditClient *reports = audit_client(ledgers[i], "re\xE4ports\"", "app");

        assert_ptr_equal(audit_client(ledgers[i], "re\xE4ports\"", "app"), reports);
        /* In turns, as sessions come. */
        for (int n = 0; n < 3; n++) {
            audit_count(entry, reports, 1000, n == 0, SECOND);
            count(ledgers[i], entry, 10, false, SECOND);
        }
        audit_count(entry, audit_client(ledgers[i], "shop", "other"), 1, false, SECOND);
        audit_count_blocked(entry, audit_client(ledgers[i], NULL, NULL), SECOND);
    }
    assert_int_equal(audit_collect(ledgers, 2, arena, &rows), 1);
    assert_int_equal(rows->calls, 14);
    assert_int_equal(rows->nclients, 4);
    assert_string_equal(audit_clients_json(rows, arena),
                        "[{\"application\":\"re\xEF\xBF\xBDports\\\"\",\"user\":\"app\",\"calls\":6,"
                        "\"errors\":2,\"total_ms\":6.000,"
                        "\"blocked\":0,\"noticed\":0},"
                        "{\"application\":\"shop\",\"user\":\"app\",\"calls\":6,\"errors\":0,\"total_ms\":0."
                        "060,\"blocked\":0,"
                        "\"noticed\":0},"
                        "{\"application\":\"shop\",\"user\":\"other\",\"calls\":2,\"errors\":0,\"total_ms\":"
                        "0.002,\"blocked\":0,"
                        "\"noticed\":0},"
                        "{\"application\":\"\",\"user\":\"\",\"calls\":0,\"errors\":0,\"total_ms\":0.000,"
                        "\"blocked\":2,\"noticed\":0}]");
    arena_free(arena);
    for (int i = 0; i < 2; i++)
        audit_free(ledgers[i]);
}

/* Applications that name themselves after their process: nothing is lost, nothing grows without bound. */
static void bounds_the_clients(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5, .sample_bytes = 100});
    StatementDecision decision = multi_tenant();
    AuditSubject subject = subject_of(1, &decision, "SELECT 1"), later = subject_of(2, &decision, "SELECT 2");
    AuditEntry *entry = enter(ledger, &subject, true);
    Arena *arena = arena_new();
    AuditRow *rows;
    char name[32];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "worker-%d", i);
        audit_count(entry, audit_client(ledger, name, "app"), 1, false, SECOND);
    }
    audit_count(enter(ledger, &later, true), audit_client(ledger, name, "app"), 1, false, SECOND);
    assert_int_equal(audit_collect(&ledger, 1, arena, &rows), 2);
    assert_int_equal(rows[0].calls, 5000);
    assert_in_range(rows[0].nclients, 10, 100);
    assert_null(rows[0].clients[0].application);
    assert_int_equal(rows[0].clients[0].calls, 5001 - rows[0].nclients);
    /* By then the ledger knows no more names either. */
    assert_int_equal(rows[1].nclients, 1);
    assert_null(rows[1].clients[0].application);
    arena_free(arena);
    audit_free(ledger);
}

/* ---- texts ---- */

static void keeps_mended_texts_with_their_sample(void **state) {
    static const Refusal REFUSAL = {.message = "no tenant"};
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5, .sample_bytes = 12});
    StatementDecision before = multi_tenant(), after = multi_tenant();
    AuditSubject old = subject_of(7, &before, "SELECT 1"), new = subject_of(7, &after, "SELECT 22");
    AuditEntry *entry = enter(ledger, &old, true);

    (void)state;
    assert_null(entry->proposed);
    assert_null(entry->sent);
    assert_null(entry->citus_error);
    assert_null(entry->refused);
    after.citus_error = "complex joins";
    after.rewrite_note = "a note";
    after.refusal = &REFUSAL;
    after.proposed = true;
    new.proposed = STR_LIT("SELECT 22 AND 33");
    new.sent = STR_LIT("SELECT 22 -- and more than fits in");
    assert_ptr_equal(enter(ledger, &new, false), entry);
    assert_string_equal(entry->citus_error, "complex joins");
    assert_string_equal(entry->note, "a note");
    assert_string_equal(entry->refused, "no tenant");
    assert_string_equal(entry->sample, "SELECT 22");
    assert_string_equal(entry->proposed, "SELECT 22 AND 33");
    assert_string_equal(entry->sent, "SELECT 22 -- and more th...");
    /* What says the same with other literals changes nothing. */
    new.text = STR_LIT("SELECT 4");
    assert_ptr_equal(enter(ledger, &new, false), entry);
    assert_string_equal(entry->sample, "SELECT 22");
    assert_ptr_equal(enter(ledger, &old, false), entry);
    assert_null(entry->proposed);
    assert_string_equal(entry->sample, "SELECT 1");
    audit_free(ledger);
}

static void redacts_mended_texts(void **state) {
    AuditLedger *ledger = audit_new((AuditLimits){.max_entries = 5, .sample_bytes = 100, .redact = true});
    StatementDecision decision = multi_tenant();
    AuditSubject subject = subject_of(7, &decision, "SELECT 'secret'");
    AuditEntry *entry;

    (void)state;
    decision.proposed = true;
    subject.proposed = STR_LIT("SELECT 'secret' AND 'secret'");
    subject.sent = STR_LIT("SELECT 'secret");
    entry = enter(ledger, &subject, true);
    assert_string_equal(entry->sample, "SELECT '?'");
    assert_string_equal(entry->proposed, "SELECT '?' AND '?'");
    assert_string_equal(entry->sent, "(redacted)");
    audit_free(ledger);
}

/* ---- threads ---- */

/* One writer that adds, changes and counts, and readers that check what must hold of every picture they get.
 */

enum { WRITES = 40000, SHAPES = 200, READERS = 3, CLIENTS = 5 };

typedef struct Race {
    AuditLedger *ledger;
    atomic_bool over;
    atomic_int pictures;
} Race;

static void *read_all_along(void *arg) {
    Race *race = arg;

    while (!race->over) {
        Arena *arena = arena_new();
        AuditRow *rows;
        int n = audit_collect(&race->ledger, 1, arena, &rows);

        for (int i = 0; i < n; i++) {
            bool rewritten = rows[i].rewritten;

            uint64_t calls = 0;

            for (int j = 0; j < rows[i].nclients; j++)
                calls += rows[i].clients[j].calls;
            if (calls != rows[i].calls || rewritten == (rows[i].reason != NULL) ||
                (strcmp(rows[i].unscoped, "public.line_items") == 0) == rewritten ||
                strcmp(rows[i].sample, "SELECT 1") != 0)
                abort();
        }
        arena_free(arena);
        race->pictures++;
    }
    return NULL;
}

static void bears_readers_beside_the_writer(void **state) {
    Race race = {.ledger = audit_new((AuditLimits){.max_entries = SHAPES, .sample_bytes = 100})};
    StatementDecision plain = {.verdict = VERDICT_MULTI_TENANT, .rewritten = true}, full = multi_tenant();
    pthread_t readers[READERS];
    AuditClient *clients[CLIENTS];
    Arena *arena = arena_new();
    uint64_t calls = 0;
    AuditRow *rows;
    int n;

    (void)state;
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = audit_client(race.ledger, (char[]){(char)('a' + i), '\0'}, "app");
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all_along, &race), 0);
    for (uint64_t i = 0; i < WRITES || race.pictures < READERS; i++) {
        AuditSubject subject = subject_of(i % SHAPES, i / SHAPES % 2 ? &full : &plain, "SELECT 1");
        bool is_new;

        audit_count(audit_entry(race.ledger, &subject, &is_new), clients[i / SHAPES % CLIENTS], 1, false,
                    SECOND);
        calls++;
    }
    race.over = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    n = audit_collect(&race.ledger, 1, arena, &rows);
    assert_int_equal(n, SHAPES);
    for (int i = 0; i < n; i++) {
        calls -= rows[i].calls;
        assert_int_equal(rows[i].nclients, CLIENTS);
    }
    assert_int_equal(calls, 0);
    arena_free(arena);
    audit_free(race.ledger);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_an_entry_in_place),
        cmocka_unit_test(follows_a_changed_decision),
        cmocka_unit_test(keeps_verdicts_of_a_fingerprint_apart),
        cmocka_unit_test(counts),
        cmocka_unit_test(shares_an_overflow_entry),
        cmocka_unit_test(merges_what_is_the_same),
        cmocka_unit_test(collects_nothing),
        cmocka_unit_test(makes_presentable_samples),
        cmocka_unit_test(counts_by_client),
        cmocka_unit_test(bounds_the_clients),
        cmocka_unit_test(keeps_mended_texts_with_their_sample),
        cmocka_unit_test(redacts_mended_texts),
        cmocka_unit_test(bears_readers_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
