/* The statement cache. */
#include "proxy/plan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "parser/lex.h"
#include "proxy/mode.h"
#include "proxy/plan_audit.h"
#include "proxy/track.h"

/* A text longer than this is planned each time: it would push out hundreds of others. */
#define MAX_CACHED_TEXT (64 * 1024)
#define MAX_CACHE_BYTES (64 * 1024 * 1024)
/* Plans kept per entry: more contexts than this for one text, and the oldest is made anew when it is met. */
#define MAX_PLANS_PER_ENTRY 8

struct PlanEntry {
    int references;
    PlanEntry *chain; /* in its bucket */
    List lru;
    uint64_t hash;
    Str key;       /* shape, or exact text; in `arena` */
    Str text;      /* that was parsed: the facts refer to it; likewise */
    bool exact;    /* key is the text itself */
    bool by_exact; /* of a shape: a literal matters, look on by exact text */
    bool cached;   /* in the table */
    Arena *arena;
    const Facts *facts;   /* NULL: unparsed */
    const char *unparsed; /* why */
    Span *literals;       /* of the text that was parsed */
    int nliterals;
    size_t bytes; /* as counted in the cache's total */
    Plan *plans;
};

/* ---- life of entries and plans ---- */

static void entry_unref(PlanEntry *e) {
    if (--e->references > 0)
        return;
    arena_free(e->arena);
    free(e->literals);
    free(e);
}

Plan *plan_ref(Plan *plan) {
    plan->references++;
    return plan;
}

void plan_unref(Plan *plan) {
    if (!plan || --plan->references > 0)
        return;
    entry_unref(plan->entry);
    snapshot_unref(plan->snapshot);
    arena_free(plan->arena);
    free(plan);
}

static void entry_drop_plans(PlanEntry *e) {
    while (e->plans) {
        Plan *p = e->plans;
        e->plans = p->next;
        plan_unref(p);
    }
}

static void cache_remove(PlanCache *cache, PlanEntry *e) {
    PlanEntry **link = &cache->buckets[e->hash & (cache->nbuckets - 1)];
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    list_remove(&e->lru);
    e->cached = false;
    atomic_fetch_sub_explicit(&cache->stats.entries, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&cache->stats.bytes, e->bytes, memory_order_relaxed);
    entry_drop_plans(e);
    entry_unref(e);
}

static size_t entry_size(const PlanEntry *e) {
    return sizeof *e + arena_size(e->arena) + sizeof *e->literals * (size_t)e->nliterals;
}

static void cache_add(PlanCache *cache, PlanEntry *e) {
    PlanEntry **bucket = &cache->buckets[e->hash & (cache->nbuckets - 1)];
    e->chain = *bucket;
    *bucket = e;
    e->cached = true;
    e->references++;
    e->bytes = entry_size(e);
    list_append(&cache->lru, &e->lru);
    uint64_t n = atomic_fetch_add_explicit(&cache->stats.entries, 1, memory_order_relaxed) + 1;
    uint64_t bytes =
        atomic_fetch_add_explicit(&cache->stats.bytes, e->bytes, memory_order_relaxed) + e->bytes;
    while (n > 1 && (n > (uint64_t)cache->max_entries || bytes > MAX_CACHE_BYTES)) {
        cache_remove(cache, LIST_ENTRY(cache->lru.next, PlanEntry, lru));
        atomic_fetch_add_explicit(&cache->stats.evicted, 1, memory_order_relaxed);
        n = atomic_load_explicit(&cache->stats.entries, memory_order_relaxed);
        bytes = atomic_load_explicit(&cache->stats.bytes, memory_order_relaxed);
    }
}

void plan_cache_init(PlanCache *cache, int max_entries, FactsLimits limits, AuditLedger *ledger) {
    memset(cache, 0, sizeof *cache);
    list_init(&cache->lru);
    cache->max_entries = max_entries > 0 ? max_entries : 1;
    cache->limits = limits;
    cache->ledger = ledger;
    cache->auditing = true;
    cache->nbuckets = 64;
    while (cache->nbuckets < (uint32_t)cache->max_entries)
        cache->nbuckets *= 2;
    cache->buckets = mem_zalloc(sizeof *cache->buckets * cache->nbuckets);
}

void plan_cache_free(PlanCache *cache) {
    while (!list_is_empty(&cache->lru))
        cache_remove(cache, LIST_ENTRY(cache->lru.next, PlanEntry, lru));
    free(cache->buckets);
    shape_free(&cache->shape);
}

/* ---- entries ---- */

static PlanEntry *find(const PlanCache *cache, uint64_t hash, Str key, bool exact) {
    PlanEntry *e = cache->buckets[hash & (cache->nbuckets - 1)];
    while (e && !(e->hash == hash && e->exact == exact && str_eq(e->key, key)))
        e = e->chain;
    return e;
}

static bool is_ascii(Str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* Why a text must not be given to the parser; NULL if it may. */
static const char *why_unparsed(const PlanRequest *request, Str shape) {
    if (request->unparsed_because)
        return request->unparsed_because;
    if (request->utf8)
        return utf8_valid(request->text) ? NULL : "it is not valid UTF-8";
    return is_ascii(shape) ? NULL : "client_encoding is not UTF8 and it has names that are not ASCII";
}

static PlanEntry *entry_new(PlanCache *cache, const PlanRequest *request, Str key, uint64_t hash, bool exact,
                            bool has_shape) {
    PlanEntry *e = MEM_NEW(PlanEntry);
    e->references = 1;
    e->arena = arena_new();
    e->key = arena_str(e->arena, key);
    e->text = key.ptr == request->text.ptr ? e->key : arena_str(e->arena, request->text);
    e->hash = hash;
    e->exact = exact;
    list_init(&e->lru);
    if (has_shape && cache->shape.nliterals > 0) {
        e->nliterals = cache->shape.nliterals;
        e->literals = mem_alloc(sizeof *e->literals * (size_t)e->nliterals);
        memcpy(e->literals, cache->shape.literals, sizeof *e->literals * (size_t)e->nliterals);
    }
    Error err;
    e->unparsed = why_unparsed(request, has_shape ? cache->shape.text : request->text);
    if (!e->unparsed) {
        e->facts = facts_parse(e->arena, e->text, cache->limits, &err);
        if (!e->facts)
            e->unparsed = arena_strdup(e->arena, err.message);
    }
    PlanStats *stats = &cache->stats;
    atomic_fetch_add_explicit(e->facts ? &stats->misses : &stats->unparsed, 1, memory_order_relaxed);
    return e;
}

/* ---- plans ---- */

/* NULL: any parameter, or all of them. */
static bool is_encoding_parameter(const char *name) {
    return !name || strcasecmp(name, "client_encoding") == 0 ||
           strcasecmp(name, "standard_conforming_strings") == 0;
}

static bool sets_encoding(const Statement *s) {
    for (int i = 0; i < s->nconfig_calls; i++)
        if (is_encoding_parameter(s->config_calls[i].name))
            return true;
    return (s->kind == STMT_SET && is_encoding_parameter(s->set.name)) ||
           (s->kind == STMT_DISCARD && s->discard_all);
}

static bool writes(const Statement *s) {
    return s->kind == STMT_INSERT || s->kind == STMT_UPDATE || s->kind == STMT_DELETE ||
           s->kind == STMT_MERGE || (s->kind == STMT_COPY && s->copy.is_from);
}

static void note_block(const Block *block, void *arg) {
    if (block->kind >= BLOCK_INSERT)
        *(bool *)arg = true;
}

static void gather(Plan *plan, const Facts *facts) {
    plan->only_begins = true;
    for (int i = 0; i < facts->nstatements; i++) {
        const Statement *s = &facts->statements[i];
        plan->has_effects |= track_concerns(s);
        plan->has_ddl |= s->is_ddl;
        plan->sets_encoding |= sets_encoding(s);
        plan->drops_prepared |= s->kind == STMT_DEALLOCATE || (s->kind == STMT_DISCARD && s->discard_all);
        plan->writes |= writes(s);
        plan->rolls_back |= s->kind == STMT_TRANSACTION && (s->transaction == TRANSACTION_ROLLBACK ||
                                                            s->transaction == TRANSACTION_ROLLBACK_TO);
        plan->prepares |= s->kind == STMT_PREPARE;
        plan->executes_any |= s->kind == STMT_EXECUTE;
        plan->only_begins &= s->kind == STMT_EMPTY || s->kind == STMT_SET || s->kind == STMT_SHOW ||
                             (s->kind == STMT_TRANSACTION && s->transaction == TRANSACTION_BEGIN);
        if (s->kind == STMT_EXECUTE && facts->nstatements == 1)
            plan->executes = s->name;
        facts_walk_blocks(s, note_block, &plan->writes);
        plan->hidden_effects |= i + 1 < facts->nstatements && (track_changes_names(s) || sets_encoding(s));
    }
}

/* The decision for a text that no one may or can parse. */
static const Decision *decide_unparsed(Arena *arena, const char *why) {
    Decision *d = ARENA_NEW(arena, Decision);
    d->nstatements = 1;
    d->statements = ARENA_NEW(arena, StatementDecision);
    d->statements[0].verdict = VERDICT_UNPARSED;
    d->statements[0].reason = arena_strdup(arena, why);
    return d;
}

/* FNV-1a. */
static uint64_t stable_hash(Str text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    return hash;
}

static void find_audit_entries(PlanCache *cache, Plan *plan, const PlanRequest *request, bool has_shape,
                               PlanOnNew *on_new, void *arg) {
    const PlanEntry *e = plan->entry;
    const PlanAudit made_from = {
        .ledger = cache->ledger,
        .facts = e->facts,
        .text = e->text,
        .shape = has_shape ? cache->shape.text : STR_NONE,
        .unparsed_fingerprint = plan->unparsed_fingerprint,
        .application = request->application,
        .role = request->role,
    };
    plan_audit(plan, &made_from, on_new, arg);
}

static bool *find_repeated(Plan *plan, Str text) {
    int n = plan_nparams(plan);
    bool *seen = ARENA_ARRAY(plan->arena, bool, n + 1), *repeated = ARENA_ARRAY(plan->arena, bool, n + 1);
    LexToken token = lex_next(text.ptr, text.len, 0);
    for (; token.kind != LEX_END && token.kind != LEX_UNTERMINATED;
         token = lex_next(text.ptr, text.len, token.end)) {
        long number = token.kind == LEX_PARAM ? strtol(text.ptr + token.start + 1, NULL, 10) : 0;
        if (number < 1 || number > n)
            continue;
        repeated[number] |= seen[number];
        seen[number] = true;
    }
    return repeated;
}

static void gather_decision(Plan *plan, Str text) {
    for (int i = 0; i < plan->nstatements; i++) {
        const StatementDecision *d = &plan->decision->statements[i];
        if (!plan->migrating)
            plan->migrating = d->migrating;
        if (!plan->refusal)
            plan->refusal = d->refusal;
        plan->moves_parents |= d->moves_parents;
        plan->may_write |= d->verdict == VERDICT_OPAQUE || d->verdict == VERDICT_UNPARSED;
    }
    plan->may_write |= plan->writes || plan->has_ddl;
    if (plan->decision->nslots > 0)
        plan->repeated = find_repeated(plan, text);
}

static Plan *plan_new(PlanCache *cache, PlanEntry *e, const PlanRequest *request, bool has_shape,
                      PlanOnNew *on_new, void *arg) {
    static const SessionContext UNKNOWN = {.search_path_known = false};
    Plan *plan = MEM_NEW(Plan);
    plan->references = 1;
    plan->entry = e;
    e->references++;
    plan->arena = arena_new();
    plan->context = request->context ? request->context->number : 0;
    if (e->facts)
        gather(plan, e->facts);
    if (request->snapshot) {
        plan->snapshot = snapshot_ref(request->snapshot);
        plan->generation = request->snapshot->generation;
    }
    if (!e->facts)
        plan->decision = decide_unparsed(plan->arena, e->unparsed);
    else if (!plan->snapshot)
        plan->decision = decide_unparsed(plan->arena, "the catalog has not been read yet");
    else
        plan->decision =
            decide(plan->arena, e->text, e->facts, plan->snapshot,
                   plan->hidden_effects || !request->context ? &UNKNOWN : &request->context->session);
    plan->nstatements = plan->decision->nstatements;
    gather_decision(plan, request->text);
    if (!e->facts)
        plan->unparsed_fingerprint = stable_hash(has_shape ? cache->shape.text : request->text);
    plan->subjects = mode_subjects_of(plan);
    plan->allowed = ARENA_ARRAY(plan->arena, AllowedSlot, plan->nstatements ? plan->nstatements : 1);
    if (cache->auditing) {
        plan->audit = ARENA_ARRAY(plan->arena, AuditEntry *, plan->nstatements ? plan->nstatements : 1);
        find_audit_entries(cache, plan, request, has_shape, on_new, arg);
    }
    return plan;
}

static bool is_current(const PlanCache *cache, const Plan *plan, const PlanRequest *request) {
    return plan_audits_as(plan, cache) &&
           plan->generation == (request->snapshot ? request->snapshot->generation : 0) &&
           plan->context == (request->context ? request->context->number : 0);
}

/* Drops what an old snapshot decided, and the tail of a long list. */
static void entry_tidy(PlanEntry *e, uint64_t generation) {
    int kept = 0;
    for (Plan **link = &e->plans; *link;) {
        Plan *p = *link;
        if (p->generation == generation && ++kept < MAX_PLANS_PER_ENTRY) {
            link = &p->next;
        } else {
            *link = p->next;
            plan_unref(p);
        }
    }
}

static Plan *entry_plan(PlanCache *cache, PlanEntry *e, const PlanRequest *request, bool has_shape,
                        PlanOnNew *on_new, void *arg) {
    for (Plan *p = e->plans; p; p = p->next)
        if (is_current(cache, p, request)) {
            atomic_fetch_add_explicit(&cache->stats.hits, 1, memory_order_relaxed);
            return plan_ref(p);
        }
    if (e->plans)
        atomic_fetch_add_explicit(&cache->stats.replanned, 1, memory_order_relaxed);
    entry_tidy(e, request->snapshot ? request->snapshot->generation : 0);
    Plan *plan = plan_new(cache, e, request, has_shape, on_new, arg);
    plan->next = e->plans;
    e->plans = plan_ref(plan);
    return plan;
}

/* Moves a hit to the young end. Not on each hit: the list is only roughly in order, which is enough. */
static void touch(PlanCache *cache, PlanEntry *e) {
    if (cache->lru.prev != &e->lru) {
        list_remove(&e->lru);
        list_append(&cache->lru, &e->lru);
    }
}

/* An uncached text: the entry lives as long as its plan. */
static Plan *plan_once(PlanCache *cache, const PlanRequest *request, bool has_shape, PlanOnNew *on_new,
                       void *arg) {
    PlanEntry *e = entry_new(cache, request, STR_LIT(""), str_hash(request->text), true, has_shape);
    Plan *plan = plan_new(cache, e, request, has_shape, on_new, arg);
    entry_unref(e);
    return plan;
}

static Plan *plan_exact(PlanCache *cache, const PlanRequest *request, bool has_shape, PlanOnNew *on_new,
                        void *arg) {
    uint64_t hash = str_hash(request->text);
    PlanEntry *e = find(cache, hash, request->text, true);
    if (!e) {
        e = entry_new(cache, request, request->text, hash, true, has_shape);
        cache_add(cache, e);
        entry_unref(e);
    }
    touch(cache, e);
    return entry_plan(cache, e, request, has_shape, on_new, arg);
}

Plan *plan_get(PlanCache *cache, const PlanRequest *request, PlanOnNew *on_new, void *arg) {
    bool has_shape = request->text.len <= MAX_CACHED_TEXT && shape_of(&cache->shape, request->text);
    /* What the session's state makes unreadable must not be found in, or put into, an entry of readable
     * texts. */
    if (request->unparsed_because || request->text.len > MAX_CACHED_TEXT ||
        (!request->utf8 && !is_ascii(request->text)))
        return plan_once(cache, request, has_shape, on_new, arg);
    if (!has_shape)
        return plan_exact(cache, request, false, on_new, arg);
    PlanEntry *e = find(cache, cache->shape.hash, cache->shape.text, false);
    if (e && !e->by_exact) {
        touch(cache, e);
        Plan *known = entry_plan(cache, e, request, true, on_new, arg);
        /* Literals may begin to matter with a new snapshot or another search_path. */
        if (known->decision->literals_matter) {
            e->by_exact = true;
            entry_drop_plans(e);
        }
        return known;
    }
    if (e)
        return plan_exact(cache, request, true, on_new, arg);
    e = entry_new(cache, request, cache->shape.text, cache->shape.hash, false, true);
    Plan *plan = entry_plan(cache, e, request, true, on_new, arg);
    /* A text that is rejected for a literal's sake (invalid UTF-8, a number out of range) says nothing of
     * others. */
    if (plan->decision->literals_matter || !e->facts || e->facts->literals_matter) {
        e->by_exact = true;
        entry_drop_plans(e);
    }
    cache_add(cache, e);
    entry_unref(e);
    return plan;
}

void plan_cache_sweep(PlanCache *cache, uint64_t generation) {
    LIST_FOREACH(it, &cache->lru)
    entry_tidy(LIST_ENTRY(it, PlanEntry, lru), generation);
}

uint64_t plan_fingerprint(const Plan *plan, int index) {
    const Statement *stmt = plan_statement(plan, index);
    return stmt ? stmt->fingerprint : plan->unparsed_fingerprint;
}

const Statement *plan_statement(const Plan *plan, int index) {
    const Facts *facts = plan->entry->facts;
    return facts && index < facts->nstatements ? &facts->statements[index] : NULL;
}

/* ---- rewriting ---- */

Span plan_span(const PlanCache *cache, const Plan *plan, Span span) {
    const PlanEntry *e = plan->entry;
    return (Span){shape_map(e->literals, cache->shape.literals, e->nliterals, span.start),
                  shape_map(e->literals, cache->shape.literals, e->nliterals, span.end)};
}

bool plan_has_literals(const Plan *plan) { return plan->entry->nliterals > 0; }

int plan_nparams(const Plan *plan) { return plan->entry->facts ? plan->entry->facts->nparams : 0; }

bool plan_repeats_param(const Plan *plan, int number) {
    return plan->repeated && number <= plan_nparams(plan) && plan->repeated[number];
}

/* Copies that live as long as the edits. */
static const Str *slots_in(Arena *arena, const Str *slots, int n) {
    Str *copies = ARENA_ARRAY(arena, Str, n);
    for (int i = 0; i < n; i++)
        copies[i] = arena_str(arena, slots[i]);
    return copies;
}

Rewritten *plan_rewrite(PlanCache *cache, const Plan *plan, Str text, const Str *slots, Buf *out) {
    Rewritten *r = MEM_NEW(Rewritten);
    r->references = 1;
    r->arena = arena_new();
    r->original = arena_str(r->arena, text);
    const PlanEntry *e = plan->entry;
    r->edits = edits_move(&plan->decision->edits, r->arena, e->literals, cache->shape.literals, e->nliterals);
    if (plan->decision->nslots > 0)
        r->edits = edits_fill(&r->edits, r->arena, slots_in(r->arena, slots, plan->decision->nslots));
    edits_apply(&r->edits, r->original, out);
    return r;
}

Rewritten *rewritten_behind(Str prefix, Str text) {
    Rewritten *r = MEM_NEW(Rewritten);
    r->references = 1;
    r->arena = arena_new();
    r->original = arena_str(r->arena, text);
    edits_insert(&r->edits, r->arena, 0, arena_str(r->arena, prefix));
    return r;
}

Rewritten *rewritten_ref(Rewritten *r) {
    r->references++;
    return r;
}

void rewritten_unref(Rewritten *r) {
    if (!r || --r->references > 0)
        return;
    arena_free(r->arena);
    free(r);
}
