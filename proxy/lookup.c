/* Wants, their answers, and the messages that ask for them. */
#include "proxy/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/mem.h"
#include "proxy/copy_value.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "rewrite/tenant_expr.h"
#include "wire/backend.h"
#include "wire/frontend.h"

/* Never the names of an application's. */
#define LOOKUP_NAME STR_LIT("shardferry lookup")
/* A transaction that has learnt more than this many parents looks the others up. */
#define MAX_LEARNT 100000

/* A parent that this transaction has asked for and that may be its own, uncommitted. */
typedef struct Learnt {
    ParentKey key;
    bool guarded;
    Str tenant; /* owned, behind the struct */
    UT_hash_handle hh;
} Learnt;

/* ---- what the transaction has learnt ---- */

static const Learnt *find_learnt(const Session *s, const ParentKey *key) {
    Learnt *found = NULL;
    if (s->learnt)
        HASH_FIND(hh, s->learnt, key, sizeof *key, found);
    return found;
}

static void learn(Session *s, const Want *want) {
    if (find_learnt(s, &want->key) || HASH_COUNT(s->learnt) >= MAX_LEARNT)
        return;
    Learnt *l = mem_zalloc(sizeof *l + want->tenant.len + 1);
    char *text = (char *)(l + 1);
    memcpy(text, want->tenant.ptr, want->tenant.len);
    l->tenant = (Str){text, want->tenant.len};
    l->key = want->key;
    l->guarded = parent_key_is_guarded(want->table);
    HASH_ADD(hh, s->learnt, key, sizeof l->key, l);
}

void lookup_forget(Session *s) {
    Learnt *l, *next;
    HASH_ITER(hh, s->learnt, l, next) {
        HASH_DEL(s->learnt, l);
        free(l);
    }
}

void lookup_parents_move(Session *s) {
    lookup_forget(s);
    s->moved_parents = true;
    tenant_cache_forget(&s->worker->proxy->tenants);
}

void lookup_error(Session *s, Str sqlstate) {
    lookup_forget(s);
    if (s->used_cache && str_eq(sqlstate, str_of(SQLSTATE_FOREIGN_KEY_VIOLATION)))
        tenant_cache_forget(&s->worker->proxy->tenants);
}

void lookup_transaction_end(Session *s, bool committed) {
    TenantCache *cache = &s->worker->proxy->tenants;
    if (s->moved_parents) /* once more: others may have asked before it was committed */
        tenant_cache_forget(cache);
    if (committed && !s->moved_parents)
        for (Learnt *l = s->learnt; l; l = l->hh.next)
            if (l->guarded)
                tenant_cache_put(cache, &l->key, s->learnt_generation, l->tenant);
    s->moved_parents = s->wrote = false;
    lookup_forget(s);
}

/* ---- lookups ---- */

Lookup *lookup_new(void) {
    Lookup *l = MEM_NEW(Lookup);
    l->arena = arena_new();
    return l;
}

void lookup_free(Lookup *l) {
    if (!l)
        return;
    plan_unref(l->plan);
    arena_free(l->arena);
    free(l);
}

void lookup_reset(Lookup *l) {
    Arena *arena = l->arena;
    plan_unref(l->plan);
    arena_reset(arena);
    *l = (Lookup){.arena = arena};
}

static Want *add(Lookup *l) {
    if (l->nwants == l->capacity) {
        int capacity = l->capacity ? l->capacity * 2 : 4;
        Want *wants = ARENA_ARRAY(l->arena, Want, capacity);
        if (l->nwants > 0)
            memcpy(wants, l->wants, sizeof *wants * (size_t)l->nwants);
        l->wants = wants;
        l->capacity = capacity;
    }
    Want *want = &l->wants[l->nwants++];
    want->same_as = -1;
    return want;
}

/* Fewer wants than this are compared one by one. */
#define INDEX_FROM 16

static void index_put(Lookup *l, int number) {
    uint32_t place = (uint32_t)l->wants[number].key.hash[0] & (l->places - 1);
    while (l->index[place])
        place = (place + 1) & (l->places - 1);
    l->index[place] = (uint32_t)number + 1;
}

/* The earlier want of the same key, -1 if there is none. */
static int find_same(Lookup *l, const ParentKey *key) {
    if (l->nwants < INDEX_FROM) {
        for (int i = 0; i < l->nwants; i++)
            if (l->wants[i].has_key && l->wants[i].same_as < 0 &&
                memcmp(&l->wants[i].key, key, sizeof *key) == 0)
                return i;
        return -1;
    }
    if (l->places < 2 * (uint32_t)l->nwants + 2) {
        l->places = l->places ? l->places * 4 : 4 * INDEX_FROM;
        l->index = ARENA_ARRAY(l->arena, uint32_t, l->places);
        for (int i = 0; i < l->nwants; i++)
            if (l->wants[i].has_key && l->wants[i].same_as < 0)
                index_put(l, i);
    }
    for (uint32_t place = (uint32_t)key->hash[0] & (l->places - 1); l->index[place];
         place = (place + 1) & (l->places - 1))
        if (memcmp(&l->wants[l->index[place] - 1].key, key, sizeof *key) == 0)
            return (int)l->index[place] - 1;
    return -1;
}

/* Whether bytes that the client and the server exchange mean the same in every session. */
static bool is_universal(const Session *s, Str text) {
    if (s->utf8 && !s->encoding_pending)
        return true;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

static void answer_from_memory(Session *s, Lookup *l, Want *want) {
    const Learnt *learnt = find_learnt(s, &want->key);
    char text[TENANT_CACHE_TEXT + 1];
    int len = -1;
    if (learnt && is_universal(s, learnt->tenant)) {
        want->tenant = arena_str(l->arena, learnt->tenant);
        want->answer = TENANT_KNOWN;
        return;
    }
    if (parent_key_is_guarded(want->table))
        len = tenant_cache_get(&s->worker->proxy->tenants, &want->key, text);
    if (len < 0 || !is_universal(s, (Str){text, (size_t)len}))
        return;
    STAT_ADD(s->worker->stats.tenants_cached, 1);
    s->used_cache = true;
    want->tenant = arena_str(l->arena, (Str){text, (size_t)len});
    want->answer = TENANT_KNOWN;
}

/* "$1", "$2", … */
static const Str *plain_params(Arena *arena, int n) {
    Str *exprs = ARENA_ARRAY(arena, Str, n);
    for (int i = 0; i < n; i++)
        exprs[i] = str_of(arena_printf(arena, "$%d", i + 1));
    return exprs;
}

static void ask_by(Lookup *l, Want *want, const Str *exprs) {
    const Want *before = want > l->wants ? want - 1 : NULL;
    Buf sql = {0};
    tenant_expr_put_lookup(&sql, want->table, exprs);
    Str text = {(const char *)buf_ptr(&sql), buf_len(&sql)};
    want->sql = before && str_eq(before->sql, text) ? before->sql : arena_str(l->arena, text);
    buf_free(&sql);
}

int lookup_want_values(Session *s, Lookup *l, const Table *table, const BindParam *values,
                       const uint32_t *types) {
    int n = table->path.steps[0]->ncolumns;
    ParentKey key = {{0, 0}};
    ParentKeyKind kind = parent_key(table, values, types, &key);
    for (int i = 0; i < n && kind == PARENT_KEY_PLAIN && parent_key_has_text(table); i++)
        kind = is_universal(s, values[i].bytes) ? kind : PARENT_KEY_NONE;
    int same = kind == PARENT_KEY_PLAIN ? find_same(l, &key) : -1;
    Want *want = add(l);
    want->table = table;
    want->same_as = same;
    want->has_key = kind == PARENT_KEY_PLAIN;
    want->key = key;
    if (kind == PARENT_KEY_NULL)
        want->answer = TENANT_NO_PARENT;
    if (want->has_key && same < 0) {
        if (l->places)
            index_put(l, l->nwants - 1);
        answer_from_memory(s, l, want);
    }
    if (want->answer == TENANT_UNASKED && same < 0) {
        BindParam *params = ARENA_ARRAY(l->arena, BindParam, n);
        uint32_t *copied = ARENA_ARRAY(l->arena, uint32_t, n);
        for (int i = 0; i < n; i++) {
            params[i] = (BindParam){arena_str(l->arena, values[i].bytes), values[i].binary};
            copied[i] = types[i];
        }
        want->params = params;
        want->types = copied;
        want->nparams = n;
        ask_by(l, want, plain_params(l->arena, n));
    }
    return l->nwants - 1;
}

int lookup_want_exprs(Lookup *l, const Table *table, const Str *exprs, const BindParam *params,
                      const uint32_t *types, int nparams) {
    Want *want = add(l);
    want->table = table;
    want->params = params;
    want->types = types;
    want->nparams = nparams;
    ask_by(l, want, exprs);
    Buf sql = {0};
    buf_append_cstr(&sql, "SELECT 1 WHERE ");
    for (int k = 0; k < table->path.steps[0]->ncolumns; k++) {
        buf_printf(&sql, "%sCAST(%.*s AS ", k > 0 ? " OR " : "", STR_ARG(exprs[k]));
        tenant_expr_put_type(&sql, table->path.steps[0]->child_columns[k]);
        buf_append_cstr(&sql, ") IS NULL");
    }
    want->null_sql = arena_str(l->arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)});
    buf_free(&sql);
    return l->nwants - 1;
}

static bool is_open(const Want *want) { return want->answer == TENANT_UNASKED && want->same_as < 0; }

bool lookup_is_open(const Lookup *l) {
    for (int i = 0; i < l->nwants; i++)
        if (is_open(&l->wants[i]))
            return true;
    return false;
}

/* ---- asking ---- */

static Reply *expect(Session *s, ReplyKind kind) {
    Reply *r = reply_push(&s->replies, kind);
    r->started = s->worker->now;
    r->swallow = r->lookup = true;
    return r;
}

static void put_parse(Session *s, Buf *m, const Want *want, Str sql) {
    Buf types = {0};
    for (int i = 0; i < want->nparams; i++)
        buf_put_u32(&types, want->types[i]);
    expect(s, REPLY_CLOSE);
    frontend_put_close(m, 'S', LOOKUP_NAME);
    expect(s, REPLY_PARSE);
    frontend_put_parse(m, LOOKUP_NAME, sql, buf_ptr(&types), want->nparams);
    buf_free(&types);
}

static Reply *put_execution(Session *s, Buf *m, const Want *want) {
    expect(s, REPLY_CLOSE);
    frontend_put_close(m, 'P', LOOKUP_NAME);
    expect(s, REPLY_BIND);
    bind_put(m, LOOKUP_NAME, LOOKUP_NAME, want->params, want->nparams);
    frontend_put_execute(m, LOOKUP_NAME);
    return expect(s, REPLY_EXECUTE);
}

/* Closes them: an open portal would be in the way of DDL on the parents. */
static void put_end(Session *s, Buf *m) {
    reply_push(&s->replies, REPLY_CLOSE)->swallow = true;
    frontend_put_close(m, 'P', LOOKUP_NAME);
    reply_push(&s->replies, REPLY_CLOSE)->swallow = true;
    frontend_put_close(m, 'S', LOOKUP_NAME);
    frontend_put_flush(m);
}

static bool same_statement(const Want *a, const Want *b) {
    return a && str_eq(a->sql, b->sql) && a->nparams == b->nparams &&
           (a->nparams == 0 || memcmp(a->types, b->types, sizeof *a->types * (size_t)a->nparams) == 0);
}

void lookup_send(Session *s, Lookup *l, Gather *out) {
    Buf *m = &s->worker->message;
    const Want *parsed = NULL;
    buf_clear(m);
    for (int i = 0; i < l->nwants; i++) {
        const Want *want = &l->wants[i];
        if (!is_open(want))
            continue;
        if (want->null_sql.len > 0) {
            put_parse(s, m, want, want->null_sql);
            Reply *r = put_execution(s, m, want);
            r->want = (uint32_t)i;
            r->null_check = true;
            parsed = NULL;
        }
        if (!same_statement(parsed, want))
            put_parse(s, m, want, want->sql);
        parsed = want;
        put_execution(s, m, want)->want = (uint32_t)i;
        l->unanswered++;
        STAT_ADD(s->worker->stats.tenants_looked_up, 1);
    }
    put_end(s, m);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    l->state = LOOKUP_WAITING;
    l->generation = tenant_cache_generation(&s->worker->proxy->tenants);
    s->lookup = l;
}

/* An array of one column's values, as text. */
static Str put_array(const Lookup *l, int k) {
    const Column *column = l->wants[0].table->path.steps[0]->child_columns[k];
    Buf array = {0}, value = {0};
    for (int i = 0; i < l->nasked; i++) {
        buf_append_cstr(&array, i == 0 ? "{\"" : ",\"");
        buf_clear(&value);
        copy_value_put_text(&value, column, &l->wants[l->asked[i]].params[k]);
        const char *bytes = (const char *)buf_ptr(&value);
        for (size_t n = 0; n < buf_len(&value); n++) {
            if (bytes[n] == '"' || bytes[n] == '\\')
                buf_put_u8(&array, '\\');
            buf_put_u8(&array, (uint8_t)bytes[n]);
        }
        buf_put_u8(&array, '"');
    }
    buf_put_u8(&array, '}');
    Str text = arena_str(l->arena, (Str){(const char *)buf_ptr(&array), buf_len(&array)});
    buf_free(&array);
    buf_free(&value);
    return text;
}

void lookup_send_bulk(Session *s, Lookup *l, Gather *out) {
    const Table *table = l->wants[0].table;
    const int nkeys = table->path.steps[0]->ncolumns;
    BindParam *params = ARENA_ARRAY(l->arena, BindParam, nkeys);
    Buf *m = &s->worker->message;
    Buf sql = {0};
    l->asked = ARENA_ARRAY(l->arena, int, l->nwants);
    for (int i = 0; i < l->nwants; i++)
        if (is_open(&l->wants[i]))
            l->asked[l->nasked++] = i;
    for (int k = 0; k < nkeys; k++)
        params[k].bytes = put_array(l, k);
    tenant_expr_put_bulk_lookup(&sql, table);
    const Want all = {.params = params, .types = ARENA_ARRAY(l->arena, uint32_t, nkeys), .nparams = nkeys};
    buf_clear(m);
    put_parse(s, m, &all, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)});
    put_execution(s, m, &all)->want = (uint32_t)l->asked[0];
    put_end(s, m);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    buf_free(&sql);
    STAT_ADD(s->worker->stats.tenants_looked_up, (uint64_t)l->nasked);
    l->unanswered = 1;
    l->state = LOOKUP_WAITING;
    l->generation = tenant_cache_generation(&s->worker->proxy->tenants);
    s->lookup = l;
}

/* ---- answers ---- */

static void answer(Lookup *l, Want *want, Str tenant) {
    if (want->answer != TENANT_UNASKED) {
        if (want->answer == TENANT_KNOWN && !str_eq(want->tenant, tenant))
            want->answer = TENANT_AMBIGUOUS;
        return;
    }
    want->answer = tenant.ptr ? TENANT_KNOWN : TENANT_ABSENT;
    want->tenant = tenant.ptr ? arena_str(l->arena, tenant) : STR_NONE;
}

static void bulk_row(Lookup *l, Str payload) {
    Str values[2];
    Error err;
    if (!backend_columns(payload, values, 2, &err) || !values[1].ptr)
        return;
    long place = 0;
    for (size_t i = 0; i < values[1].len && place <= l->nasked; i++)
        place = place * 10 + (values[1].ptr[i] - '0');
    if (place >= 1 && place <= l->nasked)
        answer(l, &l->wants[l->asked[place - 1]], values[0]);
}

void lookup_row(Session *s, int number, bool null_check, Str payload) {
    Lookup *l = s->lookup;
    Want *want = &l->wants[number];
    Error err;
    Str tenant;
    if (l->asked) {
        bulk_row(l, payload);
        return;
    }
    if (null_check) {
        want->answer = TENANT_NO_PARENT;
        return;
    }
    if (!backend_first_column(payload, &tenant, &err))
        tenant = STR_NONE;
    answer(l, want, tenant);
}

static void remember(Session *s, const Lookup *l, const Want *want) {
    TenantCache *cache = &s->worker->proxy->tenants;
    if (want->answer != TENANT_KNOWN || !want->has_key || !is_universal(s, want->tenant))
        return;
    if (!s->wrote && parent_key_is_guarded(want->table)) {
        tenant_cache_put(cache, &want->key, l->generation, want->tenant);
        return;
    }
    /* It may be this transaction's own row. */
    if (!s->learnt)
        s->learnt_generation = l->generation;
    learn(s, want);
}

void lookup_done(Session *s, int number) {
    Lookup *l = s->lookup;
    for (int i = 0; i < (l->asked ? l->nasked : 1); i++) {
        Want *want = &l->wants[l->asked ? l->asked[i] : number];
        if (want->answer == TENANT_UNASKED)
            want->answer = TENANT_MISSING;
        remember(s, l, want);
    }
    if (--l->unanswered > 0)
        return;
    l->state = LOOKUP_ANSWERED;
    session_release(s);
}

void lookup_described(Session *s) {
    s->lookup->state = LOOKUP_ANSWERED;
    session_release(s);
}

void lookup_failed(Session *s, bool own_error) {
    s->lookup->state = own_error ? LOOKUP_FAILED : LOOKUP_SKIPPED;
    session_release(s);
}
