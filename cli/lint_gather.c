/* A hash table of copies in one arena. When the arena is full, the dearer half of the copies moves to a new
 * one. */
#include "cli/lint_gather.h"

#include <stdlib.h>
#include <string.h>

#include "audit/hash.h"
#include "base/buf.h"
#include "parser/shape.h"

/* So many names of users, databases and applications are listed; then comes an ellipsis. */
#define NAMES_MAX 8
#define ELLIPSIS "\xE2\x80\xA6"

typedef struct NameSet {
    const char *names[NAMES_MAX];
    int n;
    bool more;
} NameSet;

typedef struct Entry {
    Str key;
    int64_t order; /* of its first sight */
    LintResult result;
    StatementDecision decision;
    Refusal refusal;
    NameSet applications, users, databases;
    uint64_t calls;
    double total_ms;
    bool timed; /* of some call its time is known */
    UT_hash_handle hh;
} Entry;

struct LintGather {
    size_t max_bytes;
    Arena *arena; /* of the entries */
    Entry *entries;
    int64_t seen;
    Buf key;     /* of the result that is being looked up */
    Shape shape; /* likewise */
    LintGathered dropped;
};

LintGather *lint_gather_new(size_t max_bytes) {
    LintGather *gather = MEM_NEW(LintGather);
    gather->max_bytes = max_bytes;
    gather->arena = arena_new();
    return gather;
}

void lint_gather_free(LintGather *gather) {
    if (!gather)
        return;
    HASH_CLEAR(hh, gather->entries);
    arena_free(gather->arena);
    buf_free(&gather->key);
    shape_free(&gather->shape);
    free(gather);
}

/* ---- what is one kind ---- */

static void put_text(Buf *key, const char *text) { buf_put_cstr(key, text ? text : ""); }

/* Texts that were not parsed have no fingerprint: those that differ in literals alone are one kind. */
static void put_shape(LintGather *gather, Str sql) {
    buf_append_str(&gather->key, shape_of(&gather->shape, sql) ? gather->shape.text : sql);
}

static Str key_of(LintGather *gather, const LintResult *result) {
    const StatementDecision *d = result->decision;
    Buf *key = &gather->key;
    buf_clear(key);
    buf_append(key, &result->fingerprint, sizeof(result->fingerprint));
    buf_put_u8(key, (uint8_t)d->verdict);
    buf_put_u8(key, result->sent.ptr != NULL);
    for (int i = 0; i < d->ntables; i++)
        put_text(key, d->tables[i]);
    buf_put_u8(key, 0);
    for (int i = 0; i < d->nunscoped; i++)
        put_text(key, d->unscoped[i]);
    put_text(key, d->reason);
    put_text(key, d->rewrite_note);
    put_text(key, d->refusal ? d->refusal->message : NULL);
    put_text(key, d->citus_error);
    if (result->fingerprint == 0)
        put_shape(gather, result->sql);
    return (Str){(const char *)buf_ptr(key), buf_len(key)};
}

/* ---- copies ---- */

static const char *text_copy(Arena *arena, const char *text) {
    return text ? arena_strdup(arena, text) : NULL;
}

static Str str_copy(Arena *arena, Str text) { return text.ptr ? arena_str(arena, text) : STR_NONE; }

static const char *const *list_copy(Arena *arena, const char *const *list, int n) {
    const char **copy = ARENA_ARRAY(arena, const char *, n);
    for (int i = 0; i < n; i++)
        copy[i] = arena_strdup(arena, list[i]);
    return copy;
}

static void copy_decision(Arena *arena, Entry *entry, const StatementDecision *d) {
    entry->decision = (StatementDecision){.verdict = d->verdict,
                                          .tables = list_copy(arena, d->tables, d->ntables),
                                          .ntables = d->ntables,
                                          .unscoped = list_copy(arena, d->unscoped, d->nunscoped),
                                          .nunscoped = d->nunscoped,
                                          .reason = text_copy(arena, d->reason),
                                          .suggestion = text_copy(arena, d->suggestion),
                                          .citus_error = text_copy(arena, d->citus_error),
                                          .rewrite_note = text_copy(arena, d->rewrite_note),
                                          .proposed = d->proposed,
                                          .rewritten = d->rewritten};
    if (!d->refusal)
        return;
    entry->refusal = (Refusal){.sqlstate = text_copy(arena, d->refusal->sqlstate),
                               .message = text_copy(arena, d->refusal->message),
                               .detail = text_copy(arena, d->refusal->detail),
                               .hint = text_copy(arena, d->refusal->hint)};
    entry->decision.refusal = &entry->refusal;
}

/* The entry's own decision and names may be what is copied. */
static void copy_result(Arena *arena, Entry *entry, const LintResult *result) {
    StatementDecision decision = *result->decision;
    Refusal refusal = decision.refusal ? *decision.refusal : (Refusal){0};
    if (decision.refusal)
        decision.refusal = &refusal;
    copy_decision(arena, entry, &decision);
    entry->result = (LintResult){.origin = result->origin,
                                 .sql = arena_str(arena, result->sql),
                                 .fingerprint = result->fingerprint,
                                 .decision = &entry->decision,
                                 .sent = str_copy(arena, result->sent),
                                 .proposed = str_copy(arena, result->proposed)};
    entry->result.origin.file = text_copy(arena, result->origin.file);
    entry->result.origin.traffic = NULL;
}

static void copy_names(Arena *arena, NameSet *set) {
    for (int i = 0; i < set->n; i++)
        set->names[i] = arena_strdup(arena, set->names[i]);
}

static void add_name(Arena *arena, NameSet *set, const char *name) {
    if (!name || !*name)
        return;
    for (int i = 0; i < set->n; i++)
        if (strcmp(set->names[i], name) == 0)
            return;
    if (set->n == NAMES_MAX)
        set->more = true;
    else
        set->names[set->n++] = arena_strdup(arena, name);
}

static const char *names_text(Arena *arena, const NameSet *set) {
    const char *text = set->n > 0 ? set->names[0] : NULL;
    for (int i = 1; i < set->n; i++)
        text = arena_printf(arena, "%s, %s", text, set->names[i]);
    return set->more ? arena_printf(arena, "%s, " ELLIPSIS, text) : text;
}

/* ---- order ---- */

static int by_cost(const void *left, const void *right) {
    const Entry *a = *(Entry *const *)left, *b = *(Entry *const *)right;
    if (a->total_ms != b->total_ms)
        return a->total_ms > b->total_ms ? -1 : 1;
    if (a->calls != b->calls)
        return a->calls > b->calls ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static int findings_first(const void *left, const void *right) {
    const Entry *a = *(Entry *const *)left, *b = *(Entry *const *)right;
    int difference =
        lint_verdict_is_finding(b->decision.verdict) - lint_verdict_is_finding(a->decision.verdict);
    return difference ? difference : by_cost(left, right);
}

/* An array that the caller frees. */
static Entry **sorted(const LintGather *gather, int (*compare)(const void *, const void *), size_t *n) {
    Entry **all = mem_alloc(sizeof(Entry *) * (HASH_COUNT(gather->entries) + 1));
    *n = 0;
    for (Entry *entry = gather->entries; entry; entry = entry->hh.next)
        all[(*n)++] = entry;
    qsort(all, *n, sizeof(Entry *), compare);
    return all;
}

/* ---- memory ---- */

static void drop(LintGather *gather, const Entry *entry) {
    gather->dropped.kinds++;
    gather->dropped.findings += lint_verdict_is_finding(entry->decision.verdict);
    gather->dropped.calls += entry->calls;
    gather->dropped.total_ms += entry->total_ms;
}

static void insert(LintGather *gather, Entry *entry) {
    HASH_ADD_KEYPTR(hh, gather->entries, entry->key.ptr, entry->key.len, entry);
}

static void keep(LintGather *gather, const Entry *old) {
    Entry *entry = ARENA_NEW(gather->arena, Entry);
    *entry = *old;
    entry->key = arena_str(gather->arena, old->key);
    copy_result(gather->arena, entry, &old->result);
    copy_names(gather->arena, &entry->applications);
    copy_names(gather->arena, &entry->users);
    copy_names(gather->arena, &entry->databases);
    insert(gather, entry);
}

static void make_room(LintGather *gather) {
    size_t n;
    Entry **all = sorted(gather, findings_first, &n);
    Arena *old = gather->arena;
    HASH_CLEAR(hh, gather->entries);
    gather->arena = arena_new();
    for (size_t i = 0; i < n; i++) {
        if (arena_size(gather->arena) < gather->max_bytes / 2)
            keep(gather, all[i]);
        else
            drop(gather, all[i]);
    }
    arena_free(old);
    free(all);
}

/* ---- for callers ---- */

void lint_gather_add(LintGather *gather, const LintResult *result) {
    const LintOrigin *origin = &result->origin;
    Str key = key_of(gather, result);
    Entry *entry;
    HASH_FIND(hh, gather->entries, key.ptr, key.len, entry);
    if (!entry) {
        if (arena_size(gather->arena) > gather->max_bytes)
            make_room(gather);
        entry = ARENA_NEW(gather->arena, Entry);
        entry->key = arena_str(gather->arena, key);
        entry->order = gather->seen++;
        copy_result(gather->arena, entry, result);
        insert(gather, entry);
    }
    entry->calls += origin->measured ? origin->calls : 1;
    if (origin->measured && !origin->untimed) {
        entry->total_ms += origin->total_ms;
        entry->timed = true;
    }
    add_name(gather->arena, &entry->applications, origin->application);
    add_name(gather->arena, &entry->users, origin->user);
    add_name(gather->arena, &entry->databases, origin->database);
}

LintGathered lint_gather_report(LintGather *gather, LintReport *report) {
    size_t n;
    Entry **all = sorted(gather, by_cost, &n);
    Arena *scratch = arena_new();
    for (size_t i = 0; i < n; i++) {
        LintResult result = all[i]->result;
        arena_reset(scratch);
        result.origin.measured = true;
        result.origin.calls = all[i]->calls;
        result.origin.total_ms = all[i]->total_ms;
        result.origin.untimed = !all[i]->timed;
        result.origin.application = names_text(scratch, &all[i]->applications);
        result.origin.user = names_text(scratch, &all[i]->users);
        result.origin.database = names_text(scratch, &all[i]->databases);
        lint_report_add(report, scratch, &result);
    }
    arena_free(scratch);
    free(all);
    return gather->dropped;
}
