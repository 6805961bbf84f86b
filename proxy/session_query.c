/* Simple queries: planned, given their values, rewritten, sent. */
#include <stdlib.h>

#include "base/mem.h"
#include "proxy/copy_in.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/session_messages.h"
#include "proxy/sqlprep.h"
#include "proxy/values.h"
#include "wire/frontend.h"

/* EXECUTE of a statement that must be prepared anew first; false if it need not. */
static bool send_execute(Session *s, Gather *out, Reply *r, Str text) {
    Buf query = {0};
    int prefix = sqlprep_refresh(s, r->plan->executes, &query);
    if (prefix > 0) {
        r->prefix = (uint8_t)prefix;
        r->rewritten = rewritten_behind((Str){(const char *)buf_ptr(&query), buf_len(&query)}, text);
        buf_append_str(&query, text);
        buf_clear(&s->worker->message);
        frontend_put_query(&s->worker->message, (Str){(const char *)buf_ptr(&query), buf_len(&query)});
        message_send_own(s, out);
        STAT_ADD(s->worker->stats.prepared_anew, 1);
    }
    buf_free(&query);
    return prefix > 0;
}

static void send_rewritten(Session *s, Gather *out, Reply *r, Str text, const Str *values) {
    Buf sent = {0};
    r->rewritten = plan_rewrite(&s->worker->plans, r->plan, text, values, &sent);
    buf_clear(&s->worker->message);
    frontend_put_query(&s->worker->message, (Str){(const char *)buf_ptr(&sent), buf_len(&sent)});
    message_send_own(s, out);
    buf_free(&sent);
}

/* Takes the plan over. */
static Taken send_query(Session *s, Gather *out, Plan *plan, Str text, const Str *values) {
    Reply *r = reply_push(&s->replies, REPLY_QUERY);
    Taken taken = TAKEN_DONE;
    r->started = s->worker->now;
    r->plan = plan;
    message_count_statements(s, plan);
    /* A simple query drops the unnamed statement (PostgreSQL documentation, "Simple Query"). */
    r->displaced = prepared_take(&s->prepared, STR_NONE);
    if (plan_rewrites(plan) && (values || !plan_needs_values(plan)))
        send_rewritten(s, out, r, text, values);
    else if (!plan->executes || !send_execute(s, out, r, text))
        taken = TAKEN_FORWARD;
    if (plan->prepares) {
        r->text = mem_printf("%.*s", STR_ARG(text));
        s->prepare_mark = s->replies.pushed;
    }
    session_predict(s, plan);
    session_predict_end(s);
    return taken;
}

static bool has_execute(const Plan *plan) {
    const Statement *stmt;
    for (int i = 0; (stmt = plan_statement(plan, i)); i++)
        if (stmt->kind == STMT_EXECUTE || (stmt->inner && stmt->inner->kind == STMT_EXECUTE))
            return true;
    return false;
}

/* An EXECUTE right behind the PREPARE, before the server has answered that: what it would run is not known
 * yet. */
static bool waits_for_prepare(Session *s, const Plan *plan) {
    bool found = false;
    if (reply_none(&s->replies) || !has_execute(plan))
        return false;
    for (uint32_t i = 0; i < s->replies.count && !found; i++) {
        const Reply *r = reply_at(&s->replies, i);
        found = r->kind == REPLY_QUERY && r->text;
    }
    if (found)
        session_wait(s);
    return found;
}

Taken message_query(Session *s, Gather *out, const Message *m) {
    const Str *values = NULL;
    bool later = false;
    Str text;
    Error err;
    if (!frontend_query(m->payload, &text, &err)) {
        reply_push(&s->replies, REPLY_QUERY)->started = s->worker->now;
        return TAKEN_FORWARD;
    }
    if (message_waits_for_encoding(s))
        return TAKEN_LATER;
    Plan *plan = session_plan(s, text);
    if (waits_for_prepare(s, plan)) {
        plan_unref(plan);
        return TAKEN_LATER;
    }
    Error *refusal = NULL;
    later = migration_hold_statement(s, plan, &refusal);
    if (!refusal && !later)
        refusal = message_refusal(s, plan, &later);
    if (!refusal && !later)
        refusal = mode_judge(s, plan, text);
    if (s->sql_prepared) { /* texts of what it executes were looked up since, and plan_span is of the last one
                            */
        plan_unref(plan);
        plan = session_plan(s, text);
    }
    if (!refusal && !later && copy_in_plan(plan)) {
        Taken taken = copy_in_query(s, out, plan, text, &refusal);
        if (!refusal)
            return taken;
    }
    if (!refusal && !later && plan_needs_values(plan) && !session_is_aborted(s))
        later = values_of_query(s, out, plan, text, &values, &refusal) == VALUES_WAIT;
    if (refusal)
        refuse_query(s, out, refusal);
    if (!refusal && !later)
        return send_query(s, out, plan, text, values);
    plan_unref(plan);
    return later ? TAKEN_LATER : TAKEN_DONE;
}
