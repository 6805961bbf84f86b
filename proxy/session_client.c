/* Messages of the client in state ACTIVE.
 *
 * Each message of a type that the server answers is entered in the queue of expected replies. Texts are
 * planned; a rewritten one is sent in place of the client's. Everything else leaves as it came, in one piece
 * with its neighbours. What is malformed inside its frame goes to the server, which knows best how to answer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/session.h"
#include "proxy/sqlprep.h"
#include "wire/frontend.h"

/* Names in Bind are looked for in this many bytes; the server cuts them to 63. */
#define NAMES_LIMIT 8192
/* Of a text that is not read, this much goes into the audit. */
#define UNREAD_SAMPLE 1024

/* A message as the handlers see it. */
typedef struct Message {
    const uint8_t *start; /* its type byte */
    size_t size;          /* of all of it, once complete */
    Str payload;          /* WHOLE: all; FRONT: as much as is there */
} Message;

typedef void Handler(Session *s, Gather *out, const Message *m);

static void forward(Gather *out, const Message *m) { gather_range(out, m->start, m->size); }

/* ---- texts ---- */

static void count_statements(Session *s, const Plan *plan) {
    s->statements += (uint64_t)plan->nstatements;
    STAT_ADD(s->worker->stats.statements, (uint64_t)plan->nstatements);
    if (plan_rewrites(plan)) {
        uint64_t n = 0;
        for (int i = 0; i < plan->nstatements; i++)
            n += plan->decision->statements[i].rewritten;
        s->rewritten += n;
        STAT_ADD(s->worker->stats.rewritten, n);
    }
}

/* EXECUTE of a statement that must be prepared anew first; false if it need not. */
static bool send_execute(Session *s, Gather *out, Reply *r, Str text) {
    Buf query = {0};
    int prefix = sqlprep_refresh(s, r->plan->executes, &query);
    if (prefix > 0) {
        Buf *message = &s->worker->message;
        r->prefix = (uint8_t)prefix;
        r->rewritten = rewritten_behind((Str){(const char *)buf_ptr(&query), buf_len(&query)}, text);
        buf_append_str(&query, text);
        buf_clear(message);
        frontend_put_query(message, (Str){(const char *)buf_ptr(&query), buf_len(&query)});
        gather_copy(out, buf_ptr(message), buf_len(message));
        buf_clear(message);
        STAT_ADD(s->worker->stats.prepared_anew, 1);
    }
    buf_free(&query);
    return prefix > 0;
}

/* Of an EXECUTE, what it executes decides. */
static Error *refusal_of_query(Session *s, const Plan *plan) {
    Plan *executed = plan->executes ? sqlprep_plan(s, plan->executes) : NULL;
    Error *refusal = refusal_fenced(s, executed ? executed : plan);
    plan_unref(executed);
    return refusal;
}

static void handle_query(Session *s, Gather *out, const Message *m) {
    Str text;
    Error err;
    if (!frontend_query(m->payload, &text, &err)) {
        reply_push(&s->replies, REPLY_QUERY)->started = s->worker->now;
        forward(out, m);
        return;
    }
    Plan *plan = session_plan(s, text);
    Error *refusal = refusal_of_query(s, plan);
    if (refusal) {
        plan_unref(plan);
        refuse_query(s, out, refusal);
        return;
    }
    Reply *r = reply_push(&s->replies, REPLY_QUERY);
    r->started = s->worker->now;
    r->plan = plan;
    count_statements(s, plan);
    /* A simple query drops the unnamed statement (PostgreSQL documentation, "Simple Query"). */
    prepared_unref(prepared_take(&s->prepared, STR_NONE));
    if (plan_rewrites(plan)) {
        Buf *message = &s->worker->message;
        buf_clear(message);
        Buf text_out = {0};
        r->rewritten = plan_rewrite(&s->worker->plans, plan, text, &text_out);
        frontend_put_query(message, (Str){(const char *)buf_ptr(&text_out), buf_len(&text_out)});
        gather_copy(out, buf_ptr(message), buf_len(message));
        buf_free(&text_out);
        buf_clear(message);
    } else if (!plan->executes || !send_execute(s, out, r, text)) {
        forward(out, m);
    }
    if (plan->prepares)
        r->text = mem_printf("%.*s", STR_ARG(text));
    session_predict(s, plan);
    session_predict_end(s);
}

/* Sends Parse for a statement under a plan and notes how. `own`: on the proxy's account, its answer is
 * swallowed. */
static void send_parse(Session *s, Gather *out, Prepared *p, Plan *plan, bool own) {
    Buf *message = &s->worker->message;
    Buf text = {0};
    Rewritten *rewritten = NULL;
    uint64_t hash = 0;
    Str sent = p->query;
    if (plan_rewrites(plan)) {
        rewritten = plan_rewrite(&s->worker->plans, plan, p->query, &text);
        sent = (Str){(const char *)buf_ptr(&text), buf_len(&text)};
        hash = str_hash(sent) | 1;
    }
    prepared_sent_as(p, plan, rewritten, hash);
    Reply *r = reply_push(&s->replies, REPLY_PARSE);
    r->started = s->worker->now;
    r->swallow = own;
    r->plan = plan_ref(plan);
    r->rewritten = rewritten;
    r->prepared = prepared_ref(p);
    buf_clear(message);
    frontend_put_parse(message, str_of(p->name), sent, p->types, p->ntypes);
    gather_copy(out, buf_ptr(message), buf_len(message));
    buf_free(&text);
    buf_clear(message);
}

static void handle_parse(Session *s, Gather *out, const Message *m) {
    ParseMessage parse;
    Error err;
    if (!frontend_parse(m->payload, &parse, &err)) {
        reply_push(&s->replies, REPLY_PARSE)->started = s->worker->now;
        forward(out, m);
        return;
    }
    Plan *plan = session_plan(s, parse.query);
    Prepared *p = prepared_new(parse.name, parse.query, parse.params, parse.nparams);
    if (plan_rewrites(plan)) {
        send_parse(s, out, p, plan, false);
    } else {
        prepared_sent_as(p, plan, NULL, 0);
        Reply *r = reply_push(&s->replies, REPLY_PARSE);
        r->started = s->worker->now;
        r->plan = plan_ref(plan);
        r->prepared = prepared_ref(p);
        forward(out, m);
    }
    reply_at(&s->replies, s->replies.count - 1)->displaced = prepared_put(&s->prepared, p);
    p->sequence = s->replies.pushed;
    plan_unref(plan);
}

/* Before a statement is used: if a newer epoch, or another search_path, asks for another text than the server
 * has, the server gets that one now. */
static void refresh(Session *s, Gather *out, Prepared *p) {
    /* A Parse of the proxy's own may yet be skipped, behind an error in its batch. In the same batch, so is
     * what uses the statement; in a later one the statement is sent once more. */
    if (p->unconfirmed > 0 && p->batch != s->syncs)
        p->missing = true;
    if (!p->missing && session_plan_is_current(s, p->plan))
        return;
    Plan *plan = session_plan(s, p->query);
    uint64_t hash = 0;
    if (plan_rewrites(plan)) {
        Buf text = {0};
        Rewritten *r = plan_rewrite(&s->worker->plans, plan, p->query, &text);
        hash = str_hash((Str){(const char *)buf_ptr(&text), buf_len(&text)}) | 1;
        rewritten_unref(r);
        buf_free(&text);
    }
    if (hash == p->sent_hash && !p->missing) {
        prepared_sent_as(p, plan, p->rewritten, hash);
        plan_unref(plan);
        return;
    }
    if (p->name[0]) {
        Buf *message = &s->worker->message;
        Reply *r = reply_push(&s->replies, REPLY_CLOSE);
        r->swallow = true;
        buf_clear(message);
        frontend_put_close(message, 'S', str_of(p->name));
        gather_copy(out, buf_ptr(message), buf_len(message));
        buf_clear(message);
    }
    p->missing = false; /* until the answer says otherwise */
    p->unconfirmed++;
    p->batch = s->syncs;
    send_parse(s, out, p, plan, true);
    plan_unref(plan);
    STAT_ADD(s->worker->stats.prepared_anew, 1);
}

/* ---- extended protocol ---- */

/* Bind is looked at by its front and forwarded as it arrives. */
static void handle_bind(Session *s, Gather *out, const Message *m) {
    Str portal, name;
    Prepared *p = NULL;
    if (frontend_bind_names(m->payload, &portal, &name) == WIRE_OK) {
        p = prepared_find(&s->prepared, name);
        if (p)
            refresh(s, out, p);
        Error *refusal = p ? refusal_fenced(s, p->plan) : NULL;
        if (refusal)
            refuse_extended(s, out, refusal);
        portal_bind(&s->prepared, portal, p);
        s->bound_writes |= p && p->plan->writes;
    }
    Reply *r = reply_push(&s->replies, REPLY_BIND);
    r->started = s->worker->now;
    if (p) {
        r->plan = plan_ref(p->plan);
        r->rewritten = p->rewritten ? rewritten_ref(p->rewritten) : NULL;
    }
}

static void handle_describe(Session *s, Gather *out, const Message *m) {
    NamedMessage named;
    Error err;
    Rewritten *rewritten = NULL;
    if (frontend_named(m->payload, &named, &err)) {
        if (named.kind == 'S') {
            Prepared *p = prepared_find(&s->prepared, named.name);
            if (p) {
                refresh(s, out, p);
                rewritten = p->rewritten;
            }
        }
    }
    Reply *r = reply_push(&s->replies, REPLY_DESCRIBE);
    r->started = s->worker->now;
    r->rewritten = rewritten ? rewritten_ref(rewritten) : NULL;
    forward(out, m);
}

static void handle_execute(Session *s, Gather *out, const Message *m) {
    ExecuteMessage execute;
    Error err;
    Reply *r = reply_push(&s->replies, REPLY_EXECUTE);
    r->started = s->worker->now;
    forward(out, m);
    if (!frontend_execute(m->payload, &execute, &err))
        return;
    const Portal *portal = portal_find(&s->prepared, execute.portal);
    if (!portal || !portal->plan)
        return;
    r->plan = plan_ref(portal->plan);
    r->rewritten = portal->rewritten ? rewritten_ref(portal->rewritten) : NULL;
    count_statements(s, portal->plan);
    session_predict(s, portal->plan);
}

static void handle_close(Session *s, Gather *out, const Message *m) {
    NamedMessage named;
    Error err;
    Reply *r = reply_push(&s->replies, REPLY_CLOSE);
    forward(out, m);
    if (!frontend_named(m->payload, &named, &err))
        return;
    if (named.kind == 'S')
        r->prepared = prepared_take(&s->prepared, named.name);
    else if (named.kind == 'P')
        portal_close(&s->prepared, named.name);
}

static void handle_sync(Session *s, Gather *out, const Message *m) {
    forward(out, m);
    /* In the midst of COPY IN the server ignores it (PostgreSQL documentation, "COPY Operations"). */
    if (s->copy_in)
        return;
    reply_push(&s->replies, REPLY_SYNC)->started = s->worker->now;
    s->syncs++;
    session_predict_end(s);
}

static void handle_function(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    reply_push(&s->replies, REPLY_FUNCTION)->started = s->worker->now;
    session_predict_end(s);
}

static void handle_copy_end(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    if (s->copy_in)
        s->copy_in = false;
    else if (!reply_none(&s->replies))
        reply_push(&s->replies, REPLY_COPY_END);
}

/* The server answers what came before, and closes; the session follows it. The client is still read from, to
 * notice when it is gone. */
static void handle_terminate(Session *s, Gather *out, const Message *m) {
    forward(out, m);
    s->client_done = true;
}

/* ---- dispatch ---- */

typedef enum Need {
    NEED_NOTHING, /* forwarded as it comes; handler, if any, at its header */
    NEED_FRONT,   /* handler when the names at its front are there; forwarded as it comes */
    NEED_WHOLE,   /* handler when it is complete, and sees to forwarding */
    NEED_TEXT,    /* likewise, up to the limits for texts */
} Need;

static const struct {
    Handler *handle;
    uint8_t need;
    bool ends_skipping; /* the server listens again from here on */
} MESSAGES[128] = {
    [FE_QUERY] = {handle_query, NEED_TEXT, false},
    [FE_PARSE] = {handle_parse, NEED_TEXT, false},
    [FE_BIND] = {handle_bind, NEED_FRONT, false},
    [FE_DESCRIBE] = {handle_describe, NEED_WHOLE, false},
    [FE_EXECUTE] = {handle_execute, NEED_WHOLE, false},
    [FE_CLOSE] = {handle_close, NEED_WHOLE, false},
    [FE_SYNC] = {handle_sync, NEED_WHOLE, true},
    [FE_FUNCTION_CALL] = {handle_function, NEED_NOTHING, false},
    [FE_COPY_DONE] = {handle_copy_end, NEED_NOTHING, false},
    [FE_COPY_FAIL] = {handle_copy_end, NEED_NOTHING, false},
    [FE_TERMINATE] = {handle_terminate, NEED_WHOLE, true},
};

/* A text that is too long to be read, and is passed on as it comes. */
static void pass_text_unread(Session *s, char type, const uint8_t *payload, size_t have) {
    Reply *r = reply_push(&s->replies, type == FE_QUERY ? REPLY_QUERY : REPLY_PARSE);
    r->started = s->worker->now;
    char sample[UNREAD_SAMPLE + 1];
    size_t n = have < UNREAD_SAMPLE ? have : UNREAD_SAMPLE;
    memcpy(sample, payload, n);
    sample[n] = '\0';
    if (type == FE_QUERY) {
        r->plan = session_plan_unread(s, (Str){sample, strlen(sample)}, "it is longer than parse_bytes");
        count_statements(s, r->plan);
        session_predict_end(s);
    } else {
        /* What stood under the name is not what the server has from now on. */
        r->displaced = prepared_take(&s->prepared, (Str){sample, strlen(sample)});
    }
}

/* How much of the message must be there before its handler may be called. */
static size_t needed(Need need, size_t total, size_t have, const uint8_t *p) {
    if (need == NEED_WHOLE || need == NEED_TEXT)
        return total;
    if (need == NEED_NOTHING || have >= total || have > FRAME_HEADER_BYTES + NAMES_LIMIT)
        return FRAME_HEADER_BYTES;
    Str portal, name;
    Str front = {(const char *)p + FRAME_HEADER_BYTES, have - FRAME_HEADER_BYTES};
    return frontend_bind_names(front, &portal, &name) == WIRE_INCOMPLETE ? total : FRAME_HEADER_BYTES;
}

/* Takes one message. Returns the bytes used, 0 if more are needed. */
static size_t take_message(Session *s, Gather *out, const uint8_t *p, size_t have, const Frame *frame) {
    size_t total = FRAME_HEADER_BYTES + (size_t)frame->length;
    Need need = MESSAGES[(uint8_t)frame->type].need;
    Handler *handle = MESSAGES[(uint8_t)frame->type].handle;
    const Config *config = s->worker->runtime->config;
    if (s->skipping && MESSAGES[(uint8_t)frame->type].ends_skipping) {
        s->skipping = false;
    } else if (s->skipping) {
        handle = NULL;
        need = NEED_NOTHING;
    }
    if (need == NEED_TEXT && (int64_t)frame->length > config->max_statement_bytes) {
        (frame->type == FE_QUERY ? refuse_query : refuse_extended)(s, out,
                                                                   refusal_too_long(config, frame->length));
        s->client_discard = total;
        return 0;
    }
    if (need == NEED_TEXT && (int64_t)frame->length > config->parse_bytes) {
        if (have < FRAME_HEADER_BYTES + UNREAD_SAMPLE)
            return 0;
        pass_text_unread(s, frame->type, p + FRAME_HEADER_BYTES, have - FRAME_HEADER_BYTES);
        handle = NULL;
        need = NEED_NOTHING;
    }
    if (have < needed(need, total, have, p))
        return 0;
    size_t there = have < total ? have : total;
    Message m = {p, total, {(const char *)p + FRAME_HEADER_BYTES, there - FRAME_HEADER_BYTES}};
    if (handle)
        handle(s, out, &m);
    if (need == NEED_NOTHING || need == NEED_FRONT) {
        gather_range(out, p, there);
        s->client_skip = total - there;
    }
    return there;
}

/* The rest of a message whose beginning was dealt with. */
static size_t take_rest(Session *s, Gather *out, const uint8_t *p, size_t have) {
    size_t *rest = s->client_discard ? &s->client_discard : &s->client_skip;
    size_t n = have < *rest ? have : *rest;
    if (rest == &s->client_skip)
        gather_range(out, p, n);
    *rest -= n;
    return n;
}

size_t session_client_messages(Session *s, const uint8_t *data, size_t size) {
    Gather out;
    size_t used = 0;
    gather_begin(&out, &s->server, &s->worker->own);
    while (used < size && s->state == SESSION_ACTIVE) {
        if (s->client_done) /* nothing counts behind Terminate */
            return gather_flush(&out), size;
        if (s->client_skip || s->client_discard) {
            used += take_rest(s, &out, data + used, size - used);
            continue;
        }
        Frame frame = {0};
        Error err;
        WireStatus status = frame_decode_frontend(data + used, size - used, &frame, &err);
        if (status == WIRE_ERROR) {
            gather_flush(&out);
            session_fatal(s, &err);
            return size;
        }
        if (status == WIRE_INCOMPLETE)
            break;
        size_t n = take_message(s, &out, data + used, size - used, &frame);
        used += n;
        if (n == 0 && !s->client_discard)
            break;
    }
    gather_flush(&out);
    return s->state == SESSION_CLOSING ? size : used;
}
