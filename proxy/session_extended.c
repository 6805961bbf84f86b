/* Parse, Bind, Describe, Execute, Close: statements are kept as the client wrote them, and sent as the
 * current epoch asks for. */
#include <stdlib.h>

#include "base/mem.h"
#include "proxy/copy_in.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/session_messages.h"
#include "proxy/sqlprep.h"
#include "proxy/values.h"
#include "rewrite/slot.h"
#include "wire/bind.h"
#include "wire/frontend.h"

/* Parameters of one statement (the protocol's count has 16 bits). */
#define MAX_PARAMETERS 65535

/* ---- Parse ---- */

/* The text under this plan; `out` is empty, and NULL returned, where it is the client's own. */
static Rewritten *make_text(Session *s, const Prepared *p, const Plan *plan, Buf *out, uint64_t *hash) {
    *hash = 0;
    if (!plan_rewrites(plan))
        return NULL;
    Arena *arena = arena_new();
    const Str *values = slot_parameters(plan->decision->slots, plan->decision->nslots,
                                        values_own_parameters(plan, p->ntypes), arena);
    Rewritten *rewritten = plan_rewrite(&s->worker->plans, plan, p->query, values, out);
    arena_free(arena);
    *hash = str_hash((Str){(const char *)buf_ptr(out), buf_len(out)}) | 1;
    return rewritten;
}

/* Sends Parse for a statement under a plan and notes how. `own`: on the proxy's account, its answer is
 * swallowed. */
static void send_parse(Session *s, Gather *out, Prepared *p, Plan *plan, bool own) {
    Buf text = {0};
    uint64_t hash;
    Rewritten *rewritten = make_text(s, p, plan, &text, &hash);
    Str sent = rewritten ? (Str){(const char *)buf_ptr(&text), buf_len(&text)} : p->query;
    prepared_sent_as(p, plan, rewritten, hash);
    prepared_forget_types(p);
    Reply *r = reply_push(&s->replies, REPLY_PARSE);
    r->started = s->worker->now;
    r->swallow = own;
    r->plan = plan_ref(plan);
    r->rewritten = rewritten;
    r->prepared = prepared_ref(p);
    buf_clear(&s->worker->message);
    frontend_put_parse(&s->worker->message, str_of(p->name), sent, p->types, p->ntypes);
    message_send_own(s, out);
    buf_free(&text);
}

Taken message_parse(Session *s, Gather *out, const Message *m) {
    ParseMessage parse;
    Error *refusal = NULL;
    Error err;
    Taken taken = TAKEN_FORWARD;
    if (!frontend_parse(m->payload, &parse, &err)) {
        reply_push(&s->replies, REPLY_PARSE)->started = s->worker->now;
        return TAKEN_FORWARD;
    }
    if (message_waits_for_encoding(s))
        return TAKEN_LATER;
    Plan *plan = session_plan(s, parse.query);
    if (migration_hold_statement(s, plan, &refusal)) {
        plan_unref(plan);
        return TAKEN_LATER;
    }
    hold_release(s);
    if (refusal)
        refuse_extended(s, out, refusal); /* the server skips it */
    Prepared *p = prepared_new(parse.name, parse.query, parse.params, parse.nparams);
    if (plan_rewrites(plan)) {
        send_parse(s, out, p, plan, false);
        taken = TAKEN_DONE;
    } else {
        prepared_sent_as(p, plan, NULL, 0);
        Reply *r = reply_push(&s->replies, REPLY_PARSE);
        r->started = s->worker->now;
        r->plan = plan_ref(plan);
        r->prepared = prepared_ref(p);
    }
    reply_at(&s->replies, s->replies.count - 1)->displaced = prepared_put(&s->prepared, p);
    p->sequence = s->replies.pushed;
    plan_unref(plan);
    return taken;
}

/* Before a statement is used: if a newer epoch, or another search_path, asks for another text than the server
 * has, the server gets that one now. */
static void refresh(Session *s, Gather *out, Prepared *p) {
    /* A Parse of the proxy's own may yet be skipped, behind an error in its batch. In the same batch, so is
     * what uses the statement; in a later one the statement is sent once more. */
    if (p->unconfirmed > 0 && p->batch != s->syncs)
        p->missing = true;
    if (p->unread)
        return;
    if (!p->missing && session_plan_is_current(s, p->plan, p->query))
        return;
    Plan *plan = session_plan(s, p->query);
    Buf text = {0};
    uint64_t hash;
    rewritten_unref(make_text(s, p, plan, &text, &hash));
    buf_free(&text);
    if (hash == p->sent_hash && !p->missing) {
        prepared_sent_as(p, plan, p->rewritten, hash);
        plan_unref(plan);
        return;
    }
    if (p->name[0]) {
        Reply *r = reply_push(&s->replies, REPLY_CLOSE);
        r->swallow = true;
        buf_clear(&s->worker->message);
        frontend_put_close(&s->worker->message, 'S', str_of(p->name));
        message_send_own(s, out);
    }
    p->missing = false; /* until the answer says otherwise */
    p->unconfirmed++;
    p->batch = s->syncs;
    send_parse(s, out, p, plan, true);
    plan_unref(plan);
    STAT_ADD(s->worker->stats.prepared_anew, 1);
}

/* ---- Bind ---- */

/* A statement that is about to be prepared anew may need values then. */
bool message_bind_needs_all(Session *s, Str statement) {
    const Prepared *p = prepared_find(&s->prepared, statement);
    return p && !p->unread && (plan_needs_values(p->plan) || !session_plan_is_current(s, p->plan, p->query));
}

static Error *refusal_many(int n) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "the statement has too many parameters");
    error_detail(err, "With its tenants it has %d; the protocol allows %d.", n, MAX_PARAMETERS);
    error_hint(err, "Insert fewer rows at a time, or name the tenant column in the statement.");
    return err;
}

/* A Bind that gets values behind its own. */
static Taken bind_with_values(Session *s, Gather *out, const Message *m, Prepared *p, Error **refusal) {
    int nslots = p->plan->decision->nslots;
    const Str *values = NULL;
    BindMessage bind;
    Error err;
    if (!bind_decode(m->payload, &bind, &err))
        return TAKEN_FORWARD; /* the server's to refuse */
    if (bind.nparams + nslots > MAX_PARAMETERS) {
        *refusal = refusal_many(bind.nparams + nslots);
        return TAKEN_DONE;
    }
    /* In an aborted transaction the server only counts them. */
    if (!session_is_aborted(s) && values_of_bind(s, out, p, &bind, &values, refusal) == VALUES_WAIT)
        return TAKEN_LATER;
    if (*refusal)
        return TAKEN_DONE;
    buf_clear(&s->worker->message);
    bind_put_extended(&s->worker->message, &bind, values, nslots);
    message_send_own(s, out);
    return TAKEN_DONE;
}

static void expect_bind(Session *s, const Prepared *p, Str portal) {
    portal_bind(&s->prepared, portal, p, s->modes.changes);
    s->bound_writes |= p && (p->plan->writes || p->plan->executes);
    Reply *r = reply_push(&s->replies, REPLY_BIND);
    r->started = s->worker->now;
    if (p) {
        r->plan = plan_ref(p->plan);
        r->rewritten = p->rewritten ? rewritten_ref(p->rewritten) : NULL;
    }
}

/* What the server has under the name is not known while a batch before this one is unanswered in which the
 * statement was made, or may have been closed: it may fail, and the server skip that. It matters where a
 * statement may have to be blocked. */
static bool waits_for_statement(Session *s, const Prepared *p) {
    uint64_t made = p ? p->sequence : s->batch_mark;
    if (!s->modes.watched || made <= s->replies.popped || s->batch_mark < made)
        return false;
    session_wait(s);
    return true;
}

/* Bind is looked at by its front and forwarded as it arrives, unless it needs values. */
Taken message_bind(Session *s, Gather *out, const Message *m) {
    Str portal, name;
    Prepared *p = NULL;
    Error *refusal = NULL;
    Taken taken = TAKEN_FORWARD;
    bool later = false;
    if (frontend_bind_names(m->payload, &portal, &name) != WIRE_OK) {
        reply_push(&s->replies, REPLY_BIND)->started = s->worker->now;
        return TAKEN_FORWARD;
    }
    p = prepared_find(&s->prepared, name);
    if (waits_for_statement(s, p))
        return TAKEN_LATER;
    if (p) {
        if (migration_hold_statement(s, p->plan, &refusal))
            return TAKEN_LATER;
        refresh(s, out, p);
        if (!refusal)
            refusal = message_refusal(s, p->plan, &later);
        if (later)
            return TAKEN_LATER;
        if (!refusal)
            refusal = mode_judge(s, p->plan, p->unread ? STR_NONE : p->query);
        if (!refusal && p->plan->executes)
            sqlprep_send(s, out, p->plan->executes);
        if (!refusal && plan_needs_values(p->plan))
            taken = bind_with_values(s, out, m, p, &refusal);
        if (taken == TAKEN_LATER)
            return TAKEN_LATER;
    } else {
        s->begun = true;
        refusal = mode_judge_name(s, name);
    }
    if (refusal) {
        refuse_extended(s, out, refusal);
        taken = TAKEN_FORWARD; /* the server skips it */
    }
    expect_bind(s, p, portal);
    return taken;
}

/* ---- the others ---- */

Taken message_describe(Session *s, Gather *out, const Message *m) {
    NamedMessage named;
    Error err;
    Prepared *p = NULL;
    if (frontend_named(m->payload, &named, &err) && named.kind == 'S') {
        p = prepared_find(&s->prepared, named.name);
        s->begun = true; /* the server locks its tables */
        if (p)
            refresh(s, out, p);
    }
    Reply *r = reply_push(&s->replies, REPLY_DESCRIBE);
    r->started = s->worker->now;
    if (p) {
        r->rewritten = p->rewritten ? rewritten_ref(p->rewritten) : NULL;
        if (plan_needs_values(p->plan)) {
            r->prepared = prepared_ref(p);
            r->added = (uint16_t)p->plan->decision->nslots;
        }
    }
    return TAKEN_FORWARD;
}

/* The modes may be others than when the portal was bound. What has begun goes on. */
static Error *refusal_of_portal(Session *s, const Message *m) {
    ExecuteMessage execute;
    Error err;
    if (!s->modes.watched || !frontend_execute(m->payload, &execute, &err))
        return NULL;
    const Portal *portal = portal_find(&s->prepared, execute.portal);
    if (!portal || !portal->plan || portal->begun || portal->modes == s->modes.changes)
        return NULL;
    return mode_judge(s, portal->plan, STR_NONE);
}

Taken message_execute(Session *s, Gather *out, const Message *m) {
    ExecuteMessage execute;
    Error err;
    Error *refusal = refusal_of_portal(s, m);
    if (refusal) {
        refuse_extended(s, out, refusal);
        reply_push(&s->replies, REPLY_EXECUTE)->started = s->worker->now;
        return TAKEN_FORWARD; /* the server skips it */
    }
    if (copy_in_execute(s, out, m))
        return TAKEN_DONE;
    Reply *r = reply_push(&s->replies, REPLY_EXECUTE);
    r->started = s->worker->now;
    if (!frontend_execute(m->payload, &execute, &err))
        return TAKEN_FORWARD;
    Portal *portal = portal_find(&s->prepared, execute.portal);
    if (!portal || !portal->plan)
        return TAKEN_FORWARD;
    portal->begun = true;
    r->plan = plan_ref(portal->plan);
    r->rewritten = portal->rewritten ? rewritten_ref(portal->rewritten) : NULL;
    if (portal->prepares) {
        r->text = mem_strdup(portal->prepares);
        s->prepare_mark = s->replies.pushed;
    }
    message_count_statements(s, portal->plan);
    session_predict(s, portal->plan);
    return TAKEN_FORWARD;
}

Taken message_close(Session *s, Gather *out, const Message *m) {
    (void)out;
    NamedMessage named;
    Error err;
    Reply *r = reply_push(&s->replies, REPLY_CLOSE);
    if (!frontend_named(m->payload, &named, &err))
        return TAKEN_FORWARD;
    if (named.kind == 'S')
        r->prepared = prepared_take(&s->prepared, named.name);
    else if (named.kind == 'P')
        portal_close(&s->prepared, named.name);
    return TAKEN_FORWARD;
}
