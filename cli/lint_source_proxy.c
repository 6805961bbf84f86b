/* What running proxies have seen, judged by them already: their audits, taken from their consoles and merged.
 *
 *   console -- SHOW AUDIT --> rows of one proxy --+
 *   console -- SHOW AUDIT --> rows of another   --+--> by fingerprint and verdict --> by cost --> report */
#include <stdlib.h>
#include <string.h>

#include "audit/hash.h"
#include "cli/lint_console.h"
#include "cli/lint_source.h"

typedef struct MergedKey {
    uint64_t fingerprint;
    uint64_t verdict;
} MergedKey;

typedef struct Merged {
    LintConsoleRow row;
    MergedKey key;
    UT_hash_handle hh;
} Merged;

/* ---- merging ---- */

static bool same_name(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static LintClient *find_client(const LintConsoleRow *row, const LintClient *wanted) {
    for (int i = 0; i < row->nclients; i++)
        if (same_name(row->clients[i].application, wanted->application) &&
            same_name(row->clients[i].user, wanted->user))
            return &row->clients[i];
    return NULL;
}

static void add_clients(LintConsoleRow *row, const LintConsoleRow *more, Arena *arena) {
    LintClient *all = ARENA_ARRAY(arena, LintClient, row->nclients + more->nclients);
    for (int i = 0; i < row->nclients; i++)
        all[i] = row->clients[i];
    row->clients = all;
    for (int i = 0; i < more->nclients; i++) {
        const LintClient *added = &more->clients[i];
        LintClient *known = find_client(row, added);
        if (!known) {
            all[row->nclients++] = *added;
            continue;
        }
        known->calls += added->calls;
        known->errors += added->errors;
        known->total_ms += added->total_ms;
        known->blocked += added->blocked;
        known->noticed += added->noticed;
    }
}

/* Whether a time is before another: timestamps in one zone and form compare as texts. NULL is "never". */
static bool earlier(const char *a, const char *b) { return a && (!b || strcmp(a, b) < 0); }

/* Counts are added; what is said of the statement is what the proxy says that met it last. */
static void merge(LintConsoleRow *row, const LintConsoleRow *more, Arena *arena) {
    LintConsoleRow sum = earlier(row->last_seen, more->last_seen) || !row->last_seen ? *more : *row;
    sum.first_seen = earlier(more->first_seen, row->first_seen) ? more->first_seen : row->first_seen;
    sum.calls = row->calls + more->calls;
    sum.errors = row->errors + more->errors;
    sum.blocked = row->blocked + more->blocked;
    sum.noticed = row->noticed + more->noticed;
    sum.total_ms = row->total_ms + more->total_ms;
    sum.max_ms = row->max_ms > more->max_ms ? row->max_ms : more->max_ms;
    sum.clients = row->clients;
    sum.nclients = row->nclients;
    add_clients(&sum, more, arena);
    *row = sum;
}

static void add_row(Merged **all, const LintConsoleRow *row, Arena *arena) {
    MergedKey key = {.fingerprint = row->fingerprint, .verdict = row->decision.verdict};
    Merged *merged;
    HASH_FIND(hh, *all, &key, sizeof key, merged);
    if (merged) {
        merge(&merged->row, row, arena);
        return;
    }
    merged = ARENA_NEW(arena, Merged);
    merged->key = key;
    merged->row = *row;
    HASH_ADD(hh, *all, key, sizeof merged->key, merged);
}

static int by_cost(const Merged *a, const Merged *b) {
    if (a->row.total_ms != b->row.total_ms)
        return a->row.total_ms > b->row.total_ms ? -1 : 1;
    if (a->row.calls != b->row.calls)
        return a->row.calls > b->row.calls ? -1 : 1;
    if (a->key.fingerprint != b->key.fingerprint)
        return a->key.fingerprint < b->key.fingerprint ? -1 : 1;
    return (int)a->key.verdict - (int)b->key.verdict;
}

/* ---- reporting ---- */

/* The client that cost most stands for all; where there is but one it is the only one. */
static void report(Lint *lint, const LintConsoleRow *row, Arena *scratch) {
    const LintTraffic traffic = {.errors = row->errors,
                                 .blocked = row->blocked,
                                 .noticed = row->noticed,
                                 .max_ms = row->max_ms,
                                 .first_seen = row->first_seen,
                                 .last_seen = row->last_seen,
                                 .clients = row->clients,
                                 .nclients = row->nclients};
    const LintResult result = {.origin = {.file = "proxy",
                                          .application = row->application,
                                          .user = row->user,
                                          .measured = true,
                                          .calls = row->calls,
                                          .total_ms = row->total_ms,
                                          .traffic = &traffic},
                               .sql = str_of(row->sample),
                               .fingerprint = row->fingerprint,
                               .decision = &row->decision,
                               .sent = str_of(row->sent),
                               .proposed = str_of(row->proposed)};
    lint_report_add(lint_report(lint), scratch, &result);
    arena_reset(scratch);
}

static bool run(Lint *lint, const LintRequest *request, Error *err) {
    int n = request->nconsoles > 0 ? request->nconsoles : 1;
    Arena *arena = arena_new(), *scratch = arena_new();
    Merged *all = NULL;
    bool ok = true;
    for (int i = 0; ok && i < n; i++) {
        LintConsoleRow *rows;
        LintPlace place;
        int nrows = lint_console_read(lint_config(lint), request->nconsoles > 0 ? request->consoles[i] : NULL,
                                      arena, &place, &rows, err);
        ok = nrows >= 0;
        if (ok)
            lint_report_place(lint_report(lint), &place);
        for (int j = 0; j < nrows; j++)
            add_row(&all, &rows[j], arena);
    }
    HASH_SORT(all, by_cost);
    for (Merged *merged = ok ? all : NULL; merged; merged = merged->hh.next)
        report(lint, &merged->row, scratch);
    HASH_CLEAR(hh, all);
    arena_free(scratch);
    arena_free(arena);
    return ok;
}

const LintSource lint_source_proxy = {
    .name = "proxy",
    .help = "what the running proxy has seen, by its console",
    .no_catalog = true,
    .run = run,
};
