/* Refusals: how, and the two reasons that the proxy has of its own. */
#include "proxy/refuse.h"

#include "base/mem.h"
#include "proxy/proxy.h"
#include "wire/frontend.h"

/* No SQL begins like this; the words show in the server's log. */
static const char REFUSED_TEXT[] = "a statement refused by shardferry";
/* Never the name of an application's statement, and none comes to be under it: its text is rejected. */
static const char REFUSED_NAME[] = "shardferry refusal";

static Reply *push(Session *s, ReplyKind kind, Error *refusal) {
    Reply *r = reply_push(&s->replies, kind);
    r->started = s->worker->now;
    r->refusal = refusal;
    return r;
}

static void send_message(Session *s, Gather *out) {
    Buf *m = &s->worker->message;
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
}

void refuse_query(Session *s, Gather *out, Error *refusal) {
    push(s, REPLY_QUERY, refusal);
    buf_clear(&s->worker->message);
    frontend_put_query(&s->worker->message, STR_LIT(REFUSED_TEXT));
    send_message(s, out);
}

void refuse_extended(Session *s, Gather *out, Error *refusal) {
    push(s, REPLY_PARSE, refusal);
    buf_clear(&s->worker->message);
    frontend_put_parse(&s->worker->message, STR_LIT(REFUSED_NAME), STR_LIT(REFUSED_TEXT), NULL, 0);
    send_message(s, out);
}

Error *refusal_too_long(const Config *config, size_t size) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "statement is too long");
    error_detail(err, "It has %zu bytes; the proxy's limit is %lld.", size,
                 (long long)config->max_statement_bytes);
    error_hint(err, "Raise max_statement_bytes in the proxy's configuration, or send the data with COPY or "
                    "as parameters.");
    return err;
}

Error *refusal_fenced(const Session *s, const Plan *plan) {
    const Worker *w = s->worker;
    if (!plan->migrating)
        return NULL;
    /* The end first: it is set behind the generation. */
    bool holds = w->now < atomic_load(&w->proxy->lease_end);
    if (holds && plan->generation >= atomic_load(&w->proxy->lease_generation))
        return NULL;
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_CANNOT_CONNECT_NOW,
              "table \"%s\" is under migration and the proxy does not know its stage", plan->migrating->name);
    error_detail(err, "The proxy has had no working control connection for longer than its lease of %d ms.",
                 w->runtime->config->lease);
    error_hint(err, "Retry; the proxy recovers by itself when the control connection is back.");
    return err;
}
