/* Messages of the client in state ACTIVE.
 *
 * Each message of a type that the server answers is entered in the queue of expected replies. Texts are
 * planned; a rewritten one is sent in place of the client's. Everything else leaves as it came, in one piece
 * with its neighbours. What is malformed inside its frame goes to the server, which knows best how to answer.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/copy_in.h"
#include "proxy/hold.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/session_messages.h"
#include "proxy/sqlprep.h"
#include "wire/frontend.h"

/* Names in Bind are looked for in this many bytes; the server cuts them to 63. */
#define NAMES_LIMIT 8192
/* Of a text that is not read, this much goes into the audit. */
#define UNREAD_SAMPLE 1024

/* ---- shared with the files of the single messages ---- */

void message_send_own(Session *s, Gather *out) {
    Buf *m = &s->worker->message;
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
}

void message_count_statements(Session *s, const Plan *plan) {
    s->statements += (uint64_t)plan->nstatements;
    STAT_ADD(s->worker->stats.statements, (uint64_t)plan->nstatements);
    if (plan_rewrites(plan)) {
        uint64_t n = 0;
        for (int i = 0; i < plan->nstatements; i++)
            n += plan->decision->statements[i].rewritten;
        s->rewritten += n;
        STAT_ADD(s->worker->stats.rewritten, n);
    }
    s->wrote |= plan->may_write;
    if (plan->rolls_back)
        lookup_forget(s);
    if (plan->moves_parents)
        lookup_parents_move(s);
}

bool message_waits_for_encoding(Session *s) {
    bool ended = s->batch_mark >= s->encoding_mark; /* in the same batch no answer need come */
    if (!s->encoding_pending || !ended || s->encoding_mark <= s->replies.popped)
        return false;
    session_wait(s);
    return true;
}

static Error *refusal_of_plan(const Refusal *refusal) {
    Error *err = MEM_NEW(Error);
    error_set(err, refusal->sqlstate, "%s", refusal->message);
    if (refusal->detail)
        error_detail(err, "%s", refusal->detail);
    if (refusal->hint)
        error_hint(err, "%s", refusal->hint);
    return err;
}

/* A reason of the proxy's, for the time being; then the statement's own, if it is to run now. In an aborted
 * transaction the server has its own answer. */
static Error *refusal_of(const Session *s, const Plan *plan, bool runs, bool *fenced) {
    Error *refusal = refusal_fenced(s, plan);
    *fenced = refusal != NULL;
    if (!refusal && plan->refusal && runs && !session_is_aborted(s))
        refusal = refusal_of_plan(plan->refusal);
    return refusal;
}

/* What a statement of the text executes that was prepared by SQL, counted; NULL: nothing that is known. */
static Plan *executed_by(Session *s, const Statement *stmt) {
    while (stmt && stmt->kind == STMT_EXPLAIN)
        stmt = stmt->inner;
    return stmt && stmt->kind == STMT_EXECUTE ? sqlprep_plan(s, stmt->name) : NULL;
}

Error *message_refusal(Session *s, const Plan *plan, bool *later) {
    bool fenced;
    /* What a PREPARE prepares may be put right before it is executed. */
    Error *refusal = refusal_of(s, plan, !plan->prepares || plan->nstatements > 1, &fenced);
    for (int i = 0; !refusal && s->sql_prepared && i < plan->nstatements; i++) {
        Plan *executed = executed_by(s, plan_statement(plan, i));
        if (executed)
            refusal = refusal_of(s, executed, true, &fenced);
        if (executed && executed->moves_parents)
            lookup_parents_move(s);
        plan_unref(executed);
    }
    if (fenced)
        *later = hold_statement(s, &refusal);
    else
        hold_release(s);
    return refusal;
}

/* ---- messages without a text ---- */

static Taken handle_sync(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    /* In the midst of COPY IN the server ignores it (PostgreSQL documentation, "COPY Operations"). */
    if (s->copy_in)
        return TAKEN_FORWARD;
    reply_push(&s->replies, REPLY_SYNC)->started = s->worker->now;
    s->syncs++;
    session_predict_end(s);
    return TAKEN_FORWARD;
}

static Taken handle_function(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    reply_push(&s->replies, REPLY_FUNCTION)->started = s->worker->now;
    s->wrote = s->begun = true; /* for all that is known */
    session_predict_end(s);
    return TAKEN_FORWARD;
}

static Taken handle_copy_end(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    if (s->copy_in)
        s->copy_in = false;
    else if (!reply_none(&s->replies))
        reply_push(&s->replies, REPLY_COPY_END);
    return TAKEN_FORWARD;
}

/* The server answers what came before, and closes; the session follows it. The client is still read from, to
 * notice when it is gone. */
static Taken handle_terminate(Session *s, Gather *out, const Message *m) {
    (void)out;
    (void)m;
    s->client_done = true;
    return TAKEN_FORWARD;
}

/* ---- dispatch ---- */

typedef enum Need {
    NEED_NOTHING, /* forwarded as it comes; handler, if any, at its header */
    NEED_FRONT,   /* handler when the names at its front are there; forwarded as it comes */
    NEED_WHOLE,   /* handler when it is complete */
    NEED_TEXT,    /* likewise, up to the limits for texts */
} Need;

static const struct {
    MessageHandler *handle;
    uint8_t need;
    bool ends_skipping; /* the server listens again from here on */
} MESSAGES[128] = {
    [FE_QUERY] = {message_query, NEED_TEXT, false},
    [FE_PARSE] = {message_parse, NEED_TEXT, false},
    [FE_BIND] = {message_bind, NEED_FRONT, false},
    [FE_DESCRIBE] = {message_describe, NEED_WHOLE, false},
    [FE_EXECUTE] = {message_execute, NEED_WHOLE, false},
    [FE_CLOSE] = {message_close, NEED_WHOLE, false},
    [FE_SYNC] = {handle_sync, NEED_WHOLE, true},
    [FE_FUNCTION_CALL] = {handle_function, NEED_NOTHING, false},
    [FE_COPY_DONE] = {handle_copy_end, NEED_NOTHING, false},
    [FE_COPY_FAIL] = {handle_copy_end, NEED_NOTHING, false},
    [FE_TERMINATE] = {handle_terminate, NEED_WHOLE, true},
};

/* A text that is too long to be read is judged as unparsed by its beginning. A simple query is refused if it
 * must not run, and false returned; else both kinds are passed on as they come. */
static bool pass_text_unread(Session *s, Gather *out, char type, const uint8_t *payload, size_t have) {
    char sample[UNREAD_SAMPLE + 1];
    size_t n = have < UNREAD_SAMPLE ? have : UNREAD_SAMPLE;
    memcpy(sample, payload, n);
    sample[n] = '\0';
    size_t name = type == FE_PARSE ? strlen(sample) : 0;
    size_t start = type == FE_PARSE && name < n ? name + 1 : name;
    Plan *plan = session_plan_unread(s, str_of(sample + start), "it is longer than parse_bytes");
    Error *refusal = type == FE_QUERY ? mode_judge(s, plan, STR_NONE) : NULL;
    if (refusal) {
        refuse_query(s, out, refusal);
        plan_unref(plan);
        return false;
    }
    Reply *r = reply_push(&s->replies, type == FE_QUERY ? REPLY_QUERY : REPLY_PARSE);
    r->started = s->worker->now;
    r->plan = plan;
    s->begun = true;
    if (type == FE_QUERY) {
        message_count_statements(s, plan);
        session_predict_end(s);
    } else {
        Prepared *p = prepared_new((Str){sample, name}, str_of(sample + start), NULL, 0);
        p->unread = true;
        p->sequence = s->replies.pushed;
        prepared_sent_as(p, plan, NULL, 0);
        r->prepared = prepared_ref(p);
        r->displaced = prepared_put(&s->prepared, p);
    }
    return true;
}
/* How much of the message must be there before its handler may be called. */
static size_t needed(Session *s, Need need, size_t total, size_t have, const uint8_t *p) {
    if (need == NEED_WHOLE || need == NEED_TEXT)
        return total;
    if (need == NEED_NOTHING || have >= total)
        return FRAME_HEADER_BYTES;
    Str portal, name;
    Str front = {(const char *)p + FRAME_HEADER_BYTES, have - FRAME_HEADER_BYTES};
    if (frontend_bind_names(front, &portal, &name) == WIRE_INCOMPLETE)
        return have > FRAME_HEADER_BYTES + NAMES_LIMIT ? FRAME_HEADER_BYTES : total;
    return message_bind_needs_all(s, name) ? total : FRAME_HEADER_BYTES;
}

/* What the message at the head waited for has failed, and its client has the error. In the extended protocol
 * the server skips up to the client's Sync; a simple query ends where that would, unless the error is of a
 * message before it. Returns whether the message is dealt with. */
static bool drop_failed(Session *s, Gather *out, size_t total, const Frame *frame) {
    bool ends = s->lookup->state == LOOKUP_FAILED && frame->type == FE_QUERY;
    lookup_free(s->lookup);
    s->lookup = NULL;
    mode_taken(s, s->replies.pushed);
    if (!ends)
        return false;
    s->skipping = false;
    reply_push(&s->replies, REPLY_SYNC)->started = s->worker->now;
    s->syncs++;
    buf_clear(&s->worker->message);
    frontend_put_sync(&s->worker->message);
    message_send_own(s, out);
    session_predict_end(s);
    s->client_discard = total;
    return true;
}

/* Takes one message. Returns the bytes used, 0 if more are needed. */
static size_t take_message(Session *s, Gather *out, const uint8_t *p, size_t have, const Frame *frame) {
    size_t total = FRAME_HEADER_BYTES + (size_t)frame->length;
    Need need = MESSAGES[(uint8_t)frame->type].need;
    MessageHandler *handle = MESSAGES[(uint8_t)frame->type].handle;
    const Config *config = s->worker->runtime->config;
    uint64_t first = s->replies.pushed;
    if (s->lookup && s->lookup->state >= LOOKUP_FAILED && drop_failed(s, out, total, frame))
        return 0;
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
        handle = NULL;
        need = NEED_NOTHING;
        if (!pass_text_unread(s, out, frame->type, p + FRAME_HEADER_BYTES, have - FRAME_HEADER_BYTES)) {
            mode_taken(s, first);
            s->client_discard = total;
            return 0;
        }
    }
    if (have < needed(s, need, total, have, p))
        return 0;
    size_t there = have < total ? have : total;
    Message m = {p, total, {(const char *)p + FRAME_HEADER_BYTES, there - FRAME_HEADER_BYTES}};
    Taken taken = handle ? handle(s, out, &m) : TAKEN_FORWARD;
    if (taken == TAKEN_LATER) {
        s->later = true;
        return 0;
    }
    if (s->modes.judged)
        mode_taken(s, first);
    if (!s->copy) { /* held back after it was answered, it may have been refused: it is nobody's then */
        lookup_free(s->lookup);
        s->lookup = NULL;
    }
    if (taken == TAKEN_FORWARD)
        gather_range(out, p, there);
    s->client_skip = taken == TAKEN_FORWARD ? total - there : 0;
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
    s->later = false;
    if (s->copy && !s->waiting)
        copy_in_go_on(s, &out);
    while (used < size && s->state == SESSION_ACTIVE && !s->waiting) {
        if (s->client_done) /* nothing counts behind Terminate */
            return gather_flush(&out), size;
        if (s->client_skip || s->client_discard) {
            used += take_rest(s, &out, data + used, size - used);
            continue;
        }
        size_t taken;
        if (s->copy && copy_in_take(s, &out, data + used, size - used, &taken)) {
            if (taken == 0)
                break;
            used += taken;
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
    s->later |= s->waiting;
    if (s->later)
        stream_stop_reading(&s->client);
    return s->state == SESSION_CLOSING ? size : used;
}
