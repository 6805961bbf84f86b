/* The table of statements prepared by SQL. */
#include "proxy/sqlprep.h"

#include <stdlib.h>

#include "base/mem.h"
#include "proxy/session.h"
#include "proxy/worker.h"
#include "wire/bind.h"
#include "wire/frontend.h"

/* Never the name of an application's statement or portal. */
#define OWN_NAME STR_LIT("shardferry prepare")

/* Stands for a text that is not known: equal to no other. */
#define HASH_UNKNOWN 2

static SqlPrepared *find(const Session *s, const char *name) {
    SqlPrepared *p;
    HASH_FIND_STR(s->sql_prepared, name, p);
    return p;
}

/* The text that a plan sends for this PREPARE; 0 for the original. Appended to `out`. */
static uint64_t write_text(Session *s, const Plan *plan, Str text, Buf *out) {
    if (!plan_rewrites(plan)) {
        buf_append_str(out, text);
        return 0;
    }
    size_t before = buf_len(out);
    rewritten_unref(plan_rewrite(&s->worker->plans, plan, text, NULL, out));
    return str_hash((Str){(const char *)buf_ptr(out) + before, buf_len(out) - before}) | 4;
}

static void drop(Session *s, SqlPrepared *p) {
    HASH_DEL(s->sql_prepared, p);
    plan_unref(p->plan);
    free((char *)(uintptr_t)p->text.ptr);
    free(p->name);
    free(p);
}

void sqlprep_remove(Session *s, const char *name) {
    SqlPrepared *p = find(s, name);
    if (p)
        drop(s, p);
}

void sqlprep_remove_all(Session *s) {
    SqlPrepared *p, *next;
    HASH_ITER(hh, s->sql_prepared, p, next)
    drop(s, p);
}

void sqlprep_add(Session *s, const char *name, Str text, const Plan *plan) {
    sqlprep_remove(s, name);
    SqlPrepared *p = MEM_NEW(SqlPrepared);
    char *copy = mem_alloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    p->name = mem_strdup(name);
    p->text = (Str){copy, text.len};
    p->plan = session_plan(s, p->text);
    /* Sent under another snapshot than today's: the next EXECUTE sends it again. */
    p->sent_hash = HASH_UNKNOWN;
    if (plan->generation == p->plan->generation) {
        Buf sent = {0};
        p->sent_hash = write_text(s, p->plan, p->text, &sent);
        buf_free(&sent);
    }
    HASH_ADD_KEYPTR(hh, s->sql_prepared, p->name, strlen(p->name), p);
}

/* Brings a statement up to date: what has to be sent is in `prepare`. Returns how many statements that is,
 * the first of two being a DEALLOCATE. */
static int renew(Session *s, SqlPrepared *p, Buf *prepare) {
    if (!p->missing && p->sent_hash != HASH_UNKNOWN && session_plan_is_current(s, p->plan, p->text))
        return 0;
    Plan *plan = session_plan(s, p->text);
    uint64_t hash = write_text(s, plan, p->text, prepare);
    int n = p->missing ? 1 : hash == p->sent_hash ? 0 : 2;
    plan_unref(p->plan);
    p->plan = plan;
    p->sent_hash = hash;
    p->missing = false;
    return n;
}

static void put_deallocate(Buf *out, const char *name) {
    buf_append_cstr(out, "DEALLOCATE ");
    quote_identifier(out, name);
}

int sqlprep_refresh(Session *s, const char *name, Buf *prefix) {
    SqlPrepared *p = find(s, name);
    Buf prepare = {0};
    int n = p ? renew(s, p, &prepare) : 0;
    if (n == 2) {
        put_deallocate(prefix, name);
        buf_append_cstr(prefix, "; ");
    }
    if (n > 0) {
        buf_append(prefix, buf_ptr(&prepare), buf_len(&prepare));
        buf_append_cstr(prefix, "\n; "); /* the text may end in a comment */
    }
    buf_free(&prepare);
    return n;
}

static Reply *expect(Session *s, ReplyKind kind) {
    Reply *r = reply_push(&s->replies, kind);
    r->started = s->worker->now;
    r->swallow = true;
    return r;
}

/* One statement of the proxy's own, behind which `left` - 1 are to come. */
static void put_statement(Session *s, Buf *m, const char *name, Str sql, int left) {
    expect(s, REPLY_CLOSE);
    frontend_put_close(m, 'S', OWN_NAME);
    expect(s, REPLY_PARSE);
    frontend_put_parse(m, OWN_NAME, sql, NULL, 0);
    expect(s, REPLY_CLOSE);
    frontend_put_close(m, 'P', OWN_NAME);
    expect(s, REPLY_BIND);
    bind_put(m, OWN_NAME, OWN_NAME, NULL, 0);
    Reply *r = expect(s, REPLY_EXECUTE);
    r->text = mem_strdup(name);
    r->prefix = (uint8_t)left;
    frontend_put_execute(m, OWN_NAME);
}

void sqlprep_send(Session *s, Gather *out, const char *name) {
    SqlPrepared *p = find(s, name);
    Buf prepare = {0}, deallocate = {0};
    Buf *m = &s->worker->message;
    int n = p ? renew(s, p, &prepare) : 0;
    buf_clear(m);
    if (n == 2) {
        put_deallocate(&deallocate, name);
        put_statement(s, m, name, (Str){(const char *)buf_ptr(&deallocate), buf_len(&deallocate)}, 2);
    }
    if (n > 0) {
        put_statement(s, m, name, (Str){(const char *)buf_ptr(&prepare), buf_len(&prepare)}, 1);
        gather_copy(out, buf_ptr(m), buf_len(m));
        STAT_ADD(s->worker->stats.prepared_anew, 1);
    }
    buf_clear(m);
    buf_free(&deallocate);
    buf_free(&prepare);
}

Plan *sqlprep_plan(Session *s, const char *name) {
    SqlPrepared *p = find(s, name);
    return p ? session_plan(s, p->text) : NULL;
}

void sqlprep_failed(Session *s, const char *name, int left) {
    SqlPrepared *p = find(s, name);
    if (!p || left == 0)
        return;
    p->sent_hash = HASH_UNKNOWN;
    p->missing = left == 1;
}
