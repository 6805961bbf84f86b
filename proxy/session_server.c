/* Messages of the server in state ACTIVE.
 *
 * Rows and most other messages are stepped over by their headers and leave as they came. The few that end a
 * reply take it off the queue; what answers a message of the proxy's own is left out of the stream; an
 * error's position is mapped back to the client's text. */
#include <string.h>

#include "base/utf8.h"
#include "proxy/copy_in.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "proxy/sqlprep.h"
#include "wire/backend.h"
#include "wire/startup.h"

/* A message longer than this is not held to be looked into; only an error with enormous texts is. */
#define LOOK_LIMIT (1024 * 1024)

/* What a long report adds to the mean time of statements. */
#define LONGEST_COUNTED_US (1000 * 1000)

/* What becomes of the message. */
typedef enum Fate { FATE_FORWARD, FATE_DROP, FATE_REPLACED } Fate;

typedef Fate Handler(Session *s, Gather *out, Str payload);

/* ---- the queue ---- */

/* What has no answer of its own goes when it comes to the head. */
static void drop_unanswered(Session *s) {
    Reply *head;
    while ((head = reply_head(&s->replies)) && (head->kind == REPLY_COPY_END || head->kind == REPLY_NOTHING))
        reply_pop(&s->replies);
}

static void pop(Session *s) {
    reply_pop(&s->replies);
    drop_unanswered(s);
    if (s->drain_mark)
        session_check_drained(s);
}

static Reply *head_of_kind(Session *s, ReplyKind kind) {
    Reply *r = reply_head(&s->replies);
    return r && r->kind == kind ? r : NULL;
}

/* One execution of a statement is over. */
static void count(Session *s, const Reply *r, int statement, bool failed) {
    Worker *w = s->worker;
    uint64_t us = (w->now - r->started) / 1000;
    if (failed)
        STAT_ADD(w->stats.errors, 1);
    STAT_ADD(w->stats.timed, 1);
    STAT_ADD(w->stats.time_us, us < LONGEST_COUNTED_US ? us : LONGEST_COUNTED_US);
    if (!r->plan || !r->plan->audit || statement >= r->plan->nstatements)
        return;
    audit_count(r->plan->audit[statement], session_audit_client(s), us, failed, worker_wall_us(w));
    if (r->plan->decision->statements[statement].verdict == VERDICT_MULTI_TENANT)
        STAT_ADD(w->stats.unscoped, 1);
}

/* ---- errors ---- */

/* Characters that the server counted in the text that it got → characters in the client's text. */
static uint32_t map_position(const Session *s, const Rewritten *r, uint32_t position) {
    Buf sent = {0};
    edits_apply(&r->edits, r->original, &sent);
    Str text = {(const char *)buf_ptr(&sent), buf_len(&sent)};
    size_t byte = s->utf8 ? utf8_offset(text, position - 1) : position - 1;
    uint32_t mapped = edits_map_back(&r->edits, r->original, (uint32_t)byte);
    buf_free(&sent);
    return (uint32_t)(s->utf8 ? utf8_count((Str){r->original.ptr, mapped}) : mapped) + 1;
}

/* Puts the message with its position mapped back into `out`; false if there is nothing to map. */
static bool forward_mapped(Session *s, Gather *out, char type, Str payload, const Reply *r) {
    Str field = backend_error_field(payload, 'P');
    if (!r || !r->rewritten || !field.ptr || field.len == 0 || field.len > 9)
        return false;
    uint32_t position = 0;
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] < '0' || field.ptr[i] > '9')
            return false;
        position = position * 10 + (uint32_t)(field.ptr[i] - '0');
    }
    if (position == 0)
        return false;
    Buf *m = &s->worker->message;
    buf_clear(m);
    backend_put_with_position(m, type, payload, map_position(s, r->rewritten, position));
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    return true;
}

/* A skipped Parse of `p`, before which `before` (owned, NULL) had its name, is undone, and a message from
 * number `from` on has replaced or closed it meanwhile: what that one took away is `before`. */
static void hand_down(Session *s, const Prepared *p, Prepared *before, uint32_t from) {
    for (uint32_t i = from; i < s->replies.count; i++) {
        Reply *r = reply_at(&s->replies, i);
        Prepared **taken = r->kind == REPLY_CLOSE ? &r->prepared : &r->displaced;
        if (*taken != p)
            continue;
        prepared_unref(*taken);
        *taken = before;
        return;
    }
    prepared_unref(before);
}

static void undo_parse(Session *s, Reply *r, uint32_t end) {
    Prepared *before = r->displaced;
    r->displaced = NULL;
    if (r->prepared && prepared_find(&s->prepared, str_of(r->prepared->name)) != r->prepared) {
        hand_down(s, r->prepared, before, end);
        return;
    }
    if (r->prepared)
        prepared_remove(&s->prepared, r->prepared);
    if (before)
        prepared_unref(prepared_put(&s->prepared, before));
}

/* The same of a skipped Close. A Parse behind the Sync may have given the name anew, and took nothing away
 * then. */
static void undo_close(Session *s, Reply *r, uint32_t end) {
    Prepared *before = r->prepared;
    r->prepared = NULL;
    if (!prepared_find(&s->prepared, str_of(before->name))) {
        prepared_unref(prepared_put(&s->prepared, before));
        return;
    }
    for (uint32_t i = end; i < s->replies.count; i++) {
        Reply *later = reply_at(&s->replies, i);
        if (later->kind == REPLY_PARSE && !later->swallow && later->prepared && !later->displaced &&
            strcmp(later->prepared->name, before->name) == 0) {
            later->displaced = before;
            return;
        }
    }
    prepared_unref(before);
}

/* The server has skipped this message: what it did to the table of statements is undone. end: the number of
 * the first that it does not skip. */
static void undo(Session *s, Reply *r, uint32_t end) {
    if (r->kind == REPLY_PARSE && r->swallow && r->prepared) {
        r->prepared->missing = true;
        r->prepared->unconfirmed--;
    } else if (r->kind == REPLY_PARSE) {
        undo_parse(s, r, end);
    } else if (r->kind == REPLY_QUERY && r->displaced && !s->prepared.unnamed) {
        prepared_unref(prepared_put(&s->prepared, r->displaced));
        r->displaced = NULL;
    } else if (r->kind == REPLY_CLOSE && r->prepared) {
        undo_close(s, r, end);
    } else if (r->kind == REPLY_EXECUTE && r->swallow && r->text) {
        sqlprep_failed(s, r->text, r->prefix);
    }
}

/* After an error in the extended protocol the server ignores everything up to the next Sync. */
static void skip_to_sync(Session *s) {
    uint32_t n = 0;
    while (n < s->replies.count && reply_at(&s->replies, n)->kind != REPLY_SYNC)
        n++;
    s->skipping = n == s->replies.count;
    for (uint32_t i = n; i > 0; i--) /* the last first: a name may have been used twice */
        undo(s, reply_at(&s->replies, i - 1), n);
    while (n-- > 0)
        reply_pop(&s->replies);
    session_predict_anew(s);
    session_check_drained(s);
}

/* The error is the client's, as if its own statement had caused it: a place in the lookup's text is the key's
 * in the client's. */
static Fate forward_lookup_error(Session *s, Gather *out, Str payload, const Reply *r) {
    const Lookup *l = s->lookup;
    if (!payload.ptr) /* too large to be looked into */
        return FATE_FORWARD;
    uint32_t position = r->want < (uint32_t)l->nwants ? l->wants[r->want].position : 0;
    Buf *m = &s->worker->message;
    buf_clear(m);
    backend_put_with_position(m, BE_ERROR, payload, position);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    return FATE_REPLACED;
}

static Fate handle_error(Session *s, Gather *out, Str payload) {
    Reply *r = reply_head(&s->replies);
    s->copy_in = false;
    if (!r) /* of the connection, not of a statement; the server will close it */
        return FATE_FORWARD;
    s->failed = s->mispredicted = true;
    lookup_error(s, backend_error_field(payload, 'C'));
    Fate fate = FATE_FORWARD;
    if (r->refusal) {
        Buf *m = &s->worker->message;
        buf_clear(m);
        backend_put_error(m, "ERROR", r->refusal);
        gather_copy(out, buf_ptr(m), buf_len(m));
        buf_clear(m);
        fate = FATE_REPLACED;
    } else if (r->lookup) {
        fate = forward_lookup_error(s, out, payload, r);
    } else if (r->copy && copy_in_error(s, out, payload)) {
        fate = FATE_REPLACED;
    } else if (forward_mapped(s, out, BE_ERROR, payload, r)) {
        fate = FATE_REPLACED;
    }
    if (r->kind == REPLY_QUERY && !r->failed) {
        count(s, r, r->statement, true);
        r->failed = true;
        if (r->prefix > 0)
            sqlprep_failed(s, r->plan->executes, r->prefix);
    } else if (r->kind != REPLY_QUERY && r->kind != REPLY_SYNC && r->kind != REPLY_FUNCTION) {
        bool copy = r->copy, lookup = r->lookup;
        count(s, r, 0, true);
        skip_to_sync(s);
        if (s->copy && (copy || s->skipping))
            copy_in_failed(s);
        else if (s->waiting && s->lookup &&
                 s->skipping) /* the lookup was the error, or was skipped behind it */
            lookup_failed(s, lookup);
    }
    return fate;
}

/* What is said of an expression in a lookup is said again when the statement itself is executed. */
static Fate handle_notice(Session *s, Gather *out, Str payload) {
    const Reply *r = reply_head(&s->replies);
    if (r && r->lookup && payload.ptr)
        return FATE_DROP;
    return forward_mapped(s, out, BE_NOTICE, payload, r) ? FATE_REPLACED : FATE_FORWARD;
}

/* ---- ends of replies ---- */

static Fate end_of(Session *s, ReplyKind kind) {
    Reply *r = head_of_kind(s, kind);
    if (!r)
        return FATE_FORWARD;
    bool swallow = r->swallow;
    if (swallow && kind == REPLY_PARSE && r->prepared)
        r->prepared->unconfirmed--;
    if (r->lookup && kind == REPLY_DESCRIBE)
        lookup_described(s);
    pop(s);
    return swallow ? FATE_DROP : FATE_FORWARD;
}

static Fate handle_parse_complete(Session *s, Gather *out, Str payload) {
    (void)out;
    (void)payload;
    return end_of(s, REPLY_PARSE);
}

static Fate handle_bind_complete(Session *s, Gather *out, Str payload) {
    (void)out;
    (void)payload;
    return end_of(s, REPLY_BIND);
}

static Fate handle_close_complete(Session *s, Gather *out, Str payload) {
    (void)out;
    (void)payload;
    return end_of(s, REPLY_CLOSE);
}

/* RowDescription and NoData end a Describe; a RowDescription in a simple query ends nothing. */
static Fate handle_description(Session *s, Gather *out, Str payload) {
    (void)out;
    (void)payload;
    return end_of(s, REPLY_DESCRIBE);
}

/* The server's types are those of the client's parameters and of the added ones behind them. */
static Fate handle_parameter_description(Session *s, Gather *out, Str payload) {
    Reply *r = head_of_kind(s, REPLY_DESCRIBE);
    const uint8_t *types;
    int ntypes;
    Error err;
    if (!r || !r->prepared || !backend_parameter_description(payload, &types, &ntypes, &err))
        return FATE_FORWARD;
    int own = ntypes - r->added;
    prepared_described(r->prepared, types, own > 0 ? own : 0);
    if (r->swallow)
        return FATE_DROP;
    Buf *m = &s->worker->message;
    buf_clear(m);
    backend_put_parameter_description(m, types, own > 0 ? own : 0);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    return FATE_REPLACED;
}

/* Looked at only where it answers a lookup. */
static Fate handle_row(Session *s, Gather *out, Str payload) {
    (void)out;
    const Reply *r = reply_head(&s->replies);
    lookup_row(s, (int)r->want, r->null_check, payload);
    return FATE_DROP;
}

static Fate statement_done(Session *s, Str tag) {
    Reply *r = reply_head(&s->replies);
    if (!r)
        return FATE_FORWARD;
    if (r->lookup) {
        int want = (int)r->want;
        bool null_check = r->null_check;
        pop(s);
        if (!null_check)
            lookup_done(s, want);
        return FATE_DROP;
    }
    if (r->kind == REPLY_QUERY && r->prefix > 0) {
        r->prefix--;
        return FATE_DROP;
    }
    int statement = r->kind == REPLY_QUERY ? r->statement : 0;
    if (r->plan) {
        count(s, r, statement, false);
        if (r->plan->has_effects || r->plan->has_ddl || r->plan->drops_prepared || r->text)
            session_confirm(s, r->plan, statement, tag, str_of(r->text));
    }
    if (r->kind == REPLY_QUERY) {
        r->statement++;
        r->started = s->worker->now;
    } else if (r->kind == REPLY_EXECUTE) {
        bool swallow = r->swallow;
        pop(s);
        return swallow ? FATE_DROP : FATE_FORWARD;
    }
    return FATE_FORWARD;
}

static Fate handle_command_complete(Session *s, Gather *out, Str payload) {
    Str tag = STR_NONE;
    Error err;
    if (!backend_command_tag(payload, &tag, &err))
        tag = STR_NONE;
    s->copy_in = false;
    Reply *r = reply_head(&s->replies);
    if (!r || !r->copy)
        return statement_done(s, tag);
    if (!copy_in_done(s, out, tag))
        pop(s);
    else
        (void)statement_done(s, tag);
    return FATE_DROP;
}

static Fate handle_statement_end(Session *s, Gather *out, Str payload) {
    (void)out;
    (void)payload;
    return statement_done(s, STR_NONE);
}

static Fate handle_ready(Session *s, Gather *out, Str payload) {
    (void)out;
    char transaction = 'I';
    Error err;
    if (!backend_ready(payload, &transaction, &err))
        transaction = 'I';
    s->copy_in = false;
    Reply *r;
    bool found = false;
    while (!found && (r = reply_head(&s->replies))) {
        found = r->kind == REPLY_SYNC || r->kind == REPLY_QUERY || r->kind == REPLY_FUNCTION;
        reply_pop(&s->replies);
    }
    drop_unanswered(s);
    if (!found) /* it answers a Sync that was taken for one that COPY IN ignores: the error came first */
        s->skipping = false;
    session_ready(s, transaction);
    session_check_drained(s);
    if (s->waiting && !s->lookup && !s->copy) /* for the end of a batch */
        session_release(s);
    return FATE_FORWARD;
}

/* The server reads CopyData now. A Sync that was sent before CopyDone or CopyFail is one that it ignores:
 * libpq sends one with Execute, before it knows that a COPY begins. */
static Fate handle_copy_in(Session *s, Gather *out, Str payload) {
    if (reply_head(&s->replies) && reply_head(&s->replies)->copy) {
        copy_in_opened(s, out, payload);
        return FATE_DROP;
    }
    uint32_t i = 1;
    for (; i < s->replies.count && reply_at(&s->replies, i)->kind != REPLY_COPY_END; i++)
        if (reply_at(&s->replies, i)->kind == REPLY_SYNC)
            reply_at(&s->replies, i)->kind = REPLY_NOTHING;
    s->copy_in = i >= s->replies.count;
    if (!s->copy_in)
        reply_at(&s->replies, i)->kind = REPLY_NOTHING;
    return FATE_FORWARD;
}

static Fate handle_parameter_status(Session *s, Gather *out, Str payload) {
    (void)out;
    Str name, value;
    Error err;
    if (backend_parameter_status(payload, &name, &value, &err))
        session_parameter(s, name, value);
    return FATE_FORWARD;
}

/* ---- dispatch ---- */

static Handler *const MESSAGES[128] = {
    [BE_PARSE_COMPLETE] = handle_parse_complete,
    [BE_BIND_COMPLETE] = handle_bind_complete,
    [BE_CLOSE_COMPLETE] = handle_close_complete,
    [BE_ROW_DESCRIPTION] = handle_description,
    [BE_NO_DATA] = handle_description,
    [BE_PARAMETER_DESCRIPTION] = handle_parameter_description,
    [BE_DATA_ROW] = handle_row,
    [BE_COMMAND_COMPLETE] = handle_command_complete,
    [BE_EMPTY_QUERY] = handle_statement_end,
    [BE_PORTAL_SUSPENDED] = handle_statement_end,
    [BE_ERROR] = handle_error,
    [BE_NOTICE] = handle_notice,
    [BE_READY] = handle_ready,
    [BE_COPY_IN] = handle_copy_in,
    [BE_COPY_BOTH] = handle_copy_in,
    [BE_PARAMETER_STATUS] = handle_parameter_status,
};

/* RowDescription is needed for its end alone; with no Describe in the queue it is a row like any other. */
static bool must_look(const Session *s, char type) {
    if (type == BE_ROW_DESCRIPTION) {
        const Reply *r = reply_head(&s->replies);
        return r && r->kind == REPLY_DESCRIBE;
    }
    if (type == BE_DATA_ROW) {
        const Reply *r = reply_head(&s->replies);
        return r && r->lookup;
    }
    return MESSAGES[(uint8_t)type] != NULL;
}

size_t session_server_messages(Session *s, const uint8_t *data, size_t size) {
    Gather out;
    size_t used = 0;
    gather_begin(&out, &s->client, &s->worker->own);
    while (used < size && s->state == SESSION_ACTIVE) {
        if (s->server_skip) {
            size_t n = size - used < s->server_skip ? size - used : s->server_skip;
            gather_range(&out, data + used, n);
            s->server_skip -= n;
            used += n;
            continue;
        }
        Frame frame = {0};
        Error err;
        WireStatus status = frame_decode_backend(data + used, size - used, &frame, &err);
        if (status == WIRE_INCOMPLETE)
            break;
        if (status == WIRE_ERROR) {
            error_prefix(&err, "the database server sent what is not the PostgreSQL protocol");
            gather_flush(&out);
            session_fatal(s, &err);
            return size;
        }
        if (s->replies.notices > 0)
            mode_send_notices(s, &out);
        size_t total = FRAME_HEADER_BYTES + (size_t)frame.length;
        size_t have = size - used;
        bool look = must_look(s, frame.type);
        if (look && have < total && total <= LOOK_LIMIT)
            break;
        size_t there = have < total ? have : total;
        Str payload = {(const char *)data + used + FRAME_HEADER_BYTES, frame.length};
        Fate fate = FATE_FORWARD;
        if (look)
            fate = MESSAGES[(uint8_t)frame.type](s, &out, there == total ? payload : STR_NONE);
        if (fate == FATE_FORWARD) {
            gather_range(&out, data + used, there);
            s->server_skip = total - there;
        }
        used += there;
    }
    gather_flush(&out);
    return used;
}
