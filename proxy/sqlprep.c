/* The table of statements prepared by SQL. */
#include "proxy/sqlprep.h"

#include <stdlib.h>

#include "base/mem.h"
#include "proxy/session.h"
#include "proxy/worker.h"

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
    rewritten_unref(plan_rewrite(&s->worker->plans, plan, text, out));
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

int sqlprep_refresh(Session *s, const char *name, Buf *prefix) {
    SqlPrepared *p = find(s, name);
    if (!p || (!p->missing && p->sent_hash != HASH_UNKNOWN && session_plan_is_current(s, p->plan)))
        return 0;
    Plan *plan = session_plan(s, p->text);
    Buf text = {0};
    uint64_t hash = write_text(s, plan, p->text, &text);
    bool same = hash == p->sent_hash && !p->missing;
    bool was_missing = p->missing;
    plan_unref(p->plan);
    p->plan = plan;
    p->sent_hash = hash;
    p->missing = false;
    if (!same) {
        if (!was_missing) {
            buf_append_cstr(prefix, "DEALLOCATE ");
            quote_identifier(prefix, name);
            buf_append_cstr(prefix, "; ");
        }
        buf_append(prefix, buf_ptr(&text), buf_len(&text));
        buf_append_cstr(prefix, "\n; "); /* the text may end in a comment */
    }
    buf_free(&text);
    return same ? 0 : was_missing ? 1 : 2;
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
