/* The console's SHOW commands. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/version.h"
#include "conf/settings.h"
#include "proxy/console_commands.h"
#include "proxy/tls.h"

/* ---- values as text ---- */

/* The texts of one row; freed with it. */
typedef struct RowTexts {
    Arena *arena;
    const char *values[32];
    int n;
} RowTexts;

static void add(RowTexts *row, const char *text) { row->values[row->n++] = text; }

static void add_number(RowTexts *row, uint64_t n) { add(row, arena_printf(row->arena, "%" PRIu64, n)); }

static void add_bool(RowTexts *row, bool b) { add(row, b ? "t" : "f"); }

static void add_ms(RowTexts *row, uint64_t us) {
    add(row, arena_printf(row->arena, "%" PRIu64 ".%03u", us / 1000, (unsigned)(us % 1000)));
}

/* Microseconds since 1970 as timestamptz in UTC; NULL for 0. */
static void add_time(RowTexts *row, int64_t us) {
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm;
    char text[32];
    if (us == 0) {
        add(row, NULL);
        return;
    }
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    add(row, arena_printf(row->arena, "%s.%03d+00", text, (int)(us / 1000 % 1000)));
}

static void finish(RowTexts *row, ConsoleRows *rows) {
    console_row(rows, row->values, row->n);
    row->n = 0;
    arena_reset(row->arena);
}

/* ---- HELP, VERSION ---- */

const char *const COLUMNS_HELP[] = {"command", "does", NULL};

void show_help(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    (void)proxy;
    for (const ConsoleCommand *c = console_commands; c->words; c++) {
        if (!c->help)
            continue;
        add(&row, c->arguments ? arena_printf(row.arena, "%s %s", c->words, c->arguments) : c->words);
        add(&row, c->help);
        finish(&row, rows);
    }
    arena_free(row.arena);
}

const char *const COLUMNS_VERSION[] = {"version", "started", NULL};

void show_version(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    add(&row, "shardferry " SHARDFERRY_VERSION);
    add_time(&row, proxy->started_us);
    finish(&row, rows);
    arena_free(row.arena);
}

/* ---- CLIENTS, SERVERS ---- */

const char *const COLUMNS_CLIENTS[] = {
    "id",          "worker",       "user",    "database",   "application_name", "address",  "tls",  "state",
    "transaction", "connect_time", "idle_ms", "statements", "rewritten",        "prepared", "mode", NULL};

static const char *transaction_name(char status) {
    return status == 'I'   ? "idle"
           : status == 'T' ? "in transaction"
           : status == 'E' ? "failed transaction"
                           : NULL;
}

void show_clients(Worker *w, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    uint64_t now_ms = worker_touch_clock(w) / 1000000;
    LIST_FOREACH(it, &w->sessions) {
        const Session *s = LIST_ENTRY(it, Session, link);
        char tls[128];
        add_number(&row, s->id);
        add_number(&row, (uint64_t)w->index);
        add(&row, s->user);
        add(&row, s->database);
        add(&row, s->application);
        add(&row, s->address);
        add(&row, tls_describe(&s->client, tls, sizeof tls));
        add(&row, session_state_name(s->state));
        add(&row, transaction_name(s->transaction));
        add_time(&row, (int64_t)s->connected_ms * 1000 + w->wall_offset);
        add_number(&row, now_ms - s->active_ms);
        add_number(&row, s->statements);
        add_number(&row, s->rewritten);
        add_number(&row, (uint64_t)prepared_count(&s->prepared));
        char *mode = modes_show(&s->modes.modes);
        add(&row, s->state == SESSION_ACTIVE ? mode : NULL);
        finish(&row, rows);
        free(mode);
    }
    arena_free(row.arena);
}

const char *const COLUMNS_SERVERS[] = {
    "client_id", "worker",           "backend_pid",      "user", "database", "address", "tls", "state",
    "pending",   "unsent_to_server", "unsent_to_client", NULL};

void show_servers(Worker *w, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    const Coordinator *c = w->runtime->coordinator;
    LIST_FOREACH(it, &w->sessions) {
        const Session *s = LIST_ENTRY(it, Session, link);
        char tls[128];
        if (!s->server.open)
            continue;
        add_number(&row, s->id);
        add_number(&row, (uint64_t)w->index);
        add_number(&row, s->server_pid);
        add(&row, s->user);
        add(&row, s->database);
        add(&row,
            arena_printf(row.arena, coordinator_is_unix(c) ? "%s/.s.PGSQL.%s" : "%s:%s", c->host, c->port));
        add(&row, tls_describe(&s->server, tls, sizeof tls));
        add(&row, session_state_name(s->state));
        add_number(&row, s->replies.count);
        add_number(&row, stream_backlog(&s->server));
        add_number(&row, stream_backlog(&s->client));
        finish(&row, rows);
    }
    arena_free(row.arena);
}

/* ---- STATS, CACHE ---- */

#define READ(counter) atomic_load_explicit(&(counter), memory_order_relaxed)

const char *const COLUMNS_STATS[] = {"worker",
                                     "clients",
                                     "clients_total",
                                     "statements",
                                     "rewritten",
                                     "prepared_anew",
                                     "tenants_cached",
                                     "tenants_looked_up",
                                     "errors",
                                     "unscoped",
                                     "noticed",
                                     "blocked",
                                     "cache_hits",
                                     "cache_misses",
                                     "bytes_from_clients",
                                     "bytes_from_servers",
                                     NULL};

#define NSTATS 15

static void read_stats(const Worker *w, uint64_t out[NSTATS]) {
    const WorkerStats *s = &w->stats;
    const PlanStats *p = &w->plans.stats;
    const uint64_t values[NSTATS] = {READ(s->clients),
                                     READ(s->clients_total),
                                     READ(s->statements),
                                     READ(s->rewritten),
                                     READ(s->prepared_anew),
                                     READ(s->tenants_cached),
                                     READ(s->tenants_looked_up),
                                     READ(s->errors),
                                     READ(s->unscoped),
                                     READ(s->noticed),
                                     READ(s->blocked),
                                     READ(p->hits),
                                     READ(p->misses),
                                     READ(s->bytes_from_clients),
                                     READ(s->bytes_from_servers)};
    memcpy(out, values, sizeof values);
}

void show_stats(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    uint64_t total[NSTATS] = {0}, one[NSTATS];
    for (int i = 0; i <= proxy->nworkers; i++) {
        bool last = i == proxy->nworkers;
        if (!last)
            read_stats(&proxy->workers[i], one);
        add(&row, last ? "total" : arena_printf(row.arena, "%d", i));
        for (int j = 0; j < NSTATS; j++) {
            total[j] += last ? 0 : one[j];
            add_number(&row, last ? total[j] : one[j]);
        }
        finish(&row, rows);
    }
    arena_free(row.arena);
}

const char *const COLUMNS_CACHE[] = {"worker",    "entries",  "bytes",   "hits",     "misses",
                                     "replanned", "unparsed", "evicted", "hit_rate", NULL};

void show_cache(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    for (int i = 0; i < proxy->nworkers; i++) {
        const PlanStats *p = &proxy->workers[i].plans.stats;
        uint64_t hits = READ(p->hits), misses = READ(p->misses) + READ(p->unparsed);
        add_number(&row, (uint64_t)i);
        add_number(&row, READ(p->entries));
        add_number(&row, READ(p->bytes));
        add_number(&row, hits);
        add_number(&row, READ(p->misses));
        add_number(&row, READ(p->replanned));
        add_number(&row, READ(p->unparsed));
        add_number(&row, READ(p->evicted));
        add(&row, hits + misses == 0
                      ? NULL
                      : arena_printf(row.arena, "%.4f", (double)hits / (double)(hits + misses)));
        finish(&row, rows);
    }
    arena_free(row.arena);
}

/* ---- AUDIT ---- */

const char *const COLUMNS_AUDIT[] = {
    "fingerprint", "verdict",     "calls",   "errors",       "total_ms", "avg_ms", "max_ms",
    "rewritten",   "application", "user",    "tables",       "unscoped", "reason", "suggestion",
    "first_seen",  "last_seen",   "sample",  "citus_error",  "proposed", "sent",   "note",
    "refused",     "blocked",     "noticed", "applications", NULL};

void show_audit(Proxy *proxy, ConsoleRows *rows) {
    Arena *arena = arena_new();
    AuditRow *audit;
    int n = audit_collect(proxy->ledgers, proxy->nworkers, arena, &audit);
    RowTexts row = {.arena = arena_new()};
    for (int i = 0; i < n; i++) {
        const AuditRow *a = &audit[i];
        add(&row, arena_printf(row.arena, "%016" PRIx64, a->fingerprint));
        add(&row, verdict_name(a->verdict));
        add_number(&row, a->calls);
        add_number(&row, a->errors);
        add_ms(&row, a->total_us);
        add_ms(&row, a->calls ? a->total_us / a->calls : 0);
        add_ms(&row, a->max_us);
        add_bool(&row, a->rewritten);
        add(&row, a->application);
        add(&row, a->role);
        add(&row, a->tables);
        add(&row, a->unscoped);
        add(&row, a->reason);
        add(&row, a->suggestion);
        add_time(&row, a->first_seen);
        add_time(&row, a->last_seen);
        add(&row, a->sample);
        add(&row, a->citus_error);
        add(&row, a->proposed);
        add(&row, a->sent);
        add(&row, a->note);
        add(&row, a->refused);
        add_number(&row, a->blocked);
        add_number(&row, a->noticed);
        add(&row, audit_clients_json(a, row.arena));
        finish(&row, rows);
    }
    arena_free(row.arena);
    arena_free(arena);
}

/* ---- TABLES, CATALOG ---- */

const char *const COLUMNS_TABLES[] = {"table",       "kind",    "reason", "stage", "tenant_column",
                                      "tenant_path", "problem", "citus",  "rows",  NULL};

static const char *path_text(Arena *arena, const Table *t) {
    Buf b = {0};
    for (int i = 0; i < t->path.nsteps; i++) {
        const ForeignKey *fk = t->path.steps[i];
        buf_append_cstr(&b, i > 0 ? " -> " : "");
        for (int j = 0; j < fk->ncolumns; j++)
            buf_printf(&b, "%s%s", j > 0 ? ", " : "", fk->child_columns[j]->name);
        buf_printf(&b, " -> %s.%s", fk->parent->schema, fk->parent->name);
    }
    const char *text = buf_len(&b) ? arena_strndup(arena, (const char *)buf_ptr(&b), buf_len(&b)) : NULL;
    buf_free(&b);
    return text;
}

static bool is_table(const Table *t) { return t->relkind == 'r' || t->relkind == 'p'; }

static const char *citus_name(CitusKind kind) {
    static const char *const NAMES[] = {NULL, "local", "reference", "distributed", "other"};
    return NAMES[kind];
}

/* All workers have the same snapshot, but for a moment; the first one's is shown. */
void show_tables(Worker *w, ConsoleRows *rows) {
    const Snapshot *snapshot = w->snapshot;
    if (w->index != 0 || !snapshot)
        return;
    RowTexts row = {.arena = arena_new()};
    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *t = &snapshot->tables[i];
        if (!is_table(t))
            continue;
        add(&row, table_qualified_name(row.arena, t));
        add(&row, kind_name(t->kind));
        add(&row, reason_text(t->reason));
        add(&row, t->kind == KIND_BACKFILL || t->kind == KIND_DISTRIBUTED ? stage_name(t->stage) : NULL);
        add(&row, t->tenant_column);
        add(&row, path_text(row.arena, t));
        add(&row, t->problem);
        add(&row, citus_name(t->citus));
        add(&row, t->row_estimate < 0 ? NULL : arena_printf(row.arena, "%" PRId64, t->row_estimate));
        finish(&row, rows);
    }
    arena_free(row.arena);
}

const char *const COLUMNS_CATALOG[] = {"connected", "registered", "acknowledged_epoch", "last_load",
                                       "loads",     "failures",   "last_error",         NULL};

void show_catalog(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    ControlStatus status;
    control_status(proxy->control, &status);
    add_bool(&row, status.connected);
    add_bool(&row, status.registered);
    add(&row, arena_printf(row.arena, "%" PRId64, status.acknowledged));
    add_time(&row, status.last_load_us);
    add_number(&row, status.loads);
    add_number(&row, status.failures);
    add(&row, status.last_error[0] ? status.last_error : NULL);
    finish(&row, rows);
    arena_free(row.arena);
}

/* ---- ALLOWED ---- */

const char *const COLUMNS_ALLOWED[] = {"fingerprint", "until", "expired",  "source", "allowed_by",
                                       "reason",      "hits",  "last_hit", NULL};

typedef struct AllowedRows {
    ConsoleRows *rows;
    RowTexts row;
    const char *path;
    int64_t now_us;
} AllowedRows;

static void add_allowed(const AllowedRow *a, void *arg) {
    AllowedRows *all = arg;
    RowTexts *row = &all->row;
    char *until = allow_show_until(a->until_us);
    add(row, arena_printf(row->arena, "%016" PRIx64, a->fingerprint));
    add(row, until);
    add_bool(row, a->until_us <= all->now_us);
    add(row, a->line > 0 ? arena_printf(row->arena, "%s:%d", all->path, a->line) : "console");
    add(row, a->by);
    add(row, a->reason);
    add_number(row, a->hits);
    add_time(row, a->last_hit_us);
    finish(row, all->rows);
    free(until);
}

void show_allowed(Proxy *proxy, ConsoleRows *rows) {
    Runtime *runtime = proxy_runtime(proxy);
    AllowedRows all = {.rows = rows,
                       .row = {.arena = arena_new()},
                       .path = runtime->config->path,
                       .now_us = (int64_t)time(NULL) * 1000000};
    allowed_visit(&proxy->allowed, add_allowed, &all);
    arena_free(all.row.arena);
    runtime_unref(runtime);
}

/* ---- CONFIG ---- */

const char *const COLUMNS_CONFIG[] = {"section", "name",       "value", "default",
                                      "source",  "reloadable", "help",  NULL};

static void add_setting(RowTexts *row, const Runtime *runtime, const Setting *setting, const char *value,
                        int line) {
    add(row, setting->section);
    add(row, setting->name);
    add(row, value);
    add(row, setting->default_text);
    add(row, line > 0 ? arena_printf(row->arena, "%s:%d", runtime->config->path, line) : "default");
    add_bool(row, setting->reloadable);
    add(row, setting->help);
}

void show_config(Proxy *proxy, ConsoleRows *rows) {
    RowTexts row = {.arena = arena_new()};
    Runtime *runtime = proxy_runtime(proxy);
    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];
        if (settings_is_named(setting))
            continue;
        char *value = config_show(runtime->config, setting);
        add_setting(&row, runtime, setting, value, runtime->config->source_line[i]);
        finish(&row, rows);
        free(value);
    }
    runtime_unref(runtime);
    arena_free(row.arena);
}
