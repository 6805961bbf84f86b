/* The COPYs of one COPY: opened, fed, ended. */
#include "proxy/copy_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/copy_batch.h"
#include "proxy/copy_context.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/values.h"
#include "wire/backend.h"
#include "wire/bind.h"
#include "wire/frontend.h"

/* Never the names of an application's. */
#define COPY_NAME STR_LIT("shardferry copy")
/* What the server is told when the proxy refuses a row: the end of its error's message then. */
static const char REFUSED_ROW[] = "a row refused by shardferry";
/* Rows go out in messages of about so many bytes. */
#define MESSAGE_BYTES (32 * 1024)

struct CopyIn {
    Plan *plan; /* counted */
    const CopyPlan *copy;
    Rewritten *rewritten; /* counted */
    char *text;           /* that is sent; owned */
    bool extended;        /* the client has executed a portal; else it sent a simple query */
    bool parsed;          /* the server has the text under COPY_NAME */
    bool answered;        /* the client has got its CopyInResponse */
    bool open;            /* the server reads rows, or will when it gets there */
    bool begun;           /* it has got what stands before the rows */
    bool client_done;     /* the client has sent all its rows */
    bool ended;           /* all has been sent: only the last answer is waited for */
    bool synced;          /* a Sync of the proxy's own has been sent */
    bool client_failed;   /* the client has sent CopyFail, with `failure` as payload */
    Buf failure;
    Error *refusal;   /* why the proxy had it fail; owned; NULL */
    uint64_t rows;    /* that earlier COPYs have brought */
    int64_t shift;    /* from lines of the open COPY to those of the client's */
    size_t data_left; /* of the client's CopyData that is being read */
    uint64_t started;
    CopyBatch batch;
};

/* ---- messages of the proxy's own ---- */

static Reply *expect(Session *s, ReplyKind kind, bool swallow) {
    Reply *r = reply_push(&s->replies, kind);
    r->started = s->copy->started;
    r->swallow = swallow;
    r->copy = true;
    return r;
}

static void put_message(Buf *m, char type, const void *payload, size_t size) {
    size_t begun = frame_begin(m, type);
    buf_append(m, payload, size);
    frame_end(m, begun);
}

/* A simple query ends as the server would end it. */
static void put_sync(Session *s, Buf *m) {
    reply_push(&s->replies, REPLY_SYNC)->started = s->worker->now;
    frontend_put_sync(m);
    s->syncs++;
    s->copy->synced = true;
    session_predict_end(s);
}

static void put_close(Session *s, Buf *m, char kind, Str name) {
    expect(s, REPLY_CLOSE, true);
    frontend_put_close(m, kind, name);
}

/* Has the server begin another COPY. */
static void open_copy(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    Reply *r;
    buf_clear(m);
    if (!c->parsed) {
        put_close(s, m, 'S', COPY_NAME);
        r = expect(s, REPLY_PARSE, true);
        r->rewritten = rewritten_ref(c->rewritten);
        frontend_put_parse(m, COPY_NAME, str_of(c->text), NULL, 0);
        c->parsed = true;
    }
    put_close(s, m, 'P', COPY_NAME);
    expect(s, REPLY_BIND, true);
    bind_put(m, COPY_NAME, COPY_NAME, NULL, 0);
    r = expect(s, REPLY_EXECUTE, false);
    r->plan = plan_ref(c->plan);
    r->rewritten = rewritten_ref(c->rewritten);
    frontend_put_execute(m, COPY_NAME);
    message_send_own(s, out);
    c->open = true;
    c->begun = false;
}

/* What stands before the first row of each COPY. */
static void put_begin(CopyIn *c, Buf *m) {
    if (c->begun)
        return;
    c->begun = true;
    if (c->batch.splitter.begun) /* else the client's own is none */
        copy_row_put_begin(m, &c->copy->row);
    buf_append_str(m, (Str){(const char *)buf_ptr(&c->batch.header), buf_len(&c->batch.header)});
    c->shift = copy_batch_shift(&c->batch);
}

/* Ends the open COPY; its rows are checked, and counted, before the server reads on. last: nothing of the
 * client's data is left, and if it is raw it has its own end, or none. */
static void close_copy(Session *s, Gather *out, bool last) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    buf_clear(m);
    if (c->batch.splitter.begun && !(last && c->batch.raw)) {
        size_t begun = frame_begin(m, FE_COPY_DATA);
        put_begin(c, m);
        copy_row_put_end(m, &c->copy->row);
        frame_end(m, begun);
    }
    put_message(m, FE_COPY_DONE, NULL, 0);
    message_send_own(s, out);
    c->open = false;
}

/* What the last answer comes behind. */
static void end(Session *s, Gather *out, bool drop_names) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    buf_clear(m);
    if (drop_names && c->parsed)
        put_close(s, m, 'S', COPY_NAME);
    if (c->extended) {
        frontend_put_flush(m);
    } else {
        if (drop_names) /* as a simple query does */
            put_close(s, m, 'S', STR_NONE);
        put_sync(s, m);
    }
    message_send_own(s, out);
    c->ended = true;
    session_wait(s);
}

/* Has the open COPY fail, so that the transaction does; `payload` is CopyFail's. */
static void fail_copy(Session *s, Gather *out, Str payload) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    if (!c->open)
        open_copy(s, out);
    buf_clear(m);
    if (c->batch.splitter.begun && !c->begun) {
        size_t begun = frame_begin(m, FE_COPY_DATA);
        put_begin(c, m);
        frame_end(m, begun);
    }
    put_message(m, FE_COPY_FAIL, payload.ptr, payload.len);
    message_send_own(s, out);
    end(s, out, false);
}

/* The client gets `refusal` in the place of the server's error. */
static void refuse_copy(Session *s, Gather *out, Error *refusal) {
    s->copy->refusal = refusal;
    fail_copy(s, out, (Str){REFUSED_ROW, sizeof REFUSED_ROW});
}

/* ---- rows ---- */

/* A cancel that the server may have met between two COPYs. */
static Error *refusal_cancelled(Session *s) {
    Error *err;
    if (!hold_is_cancelled(s))
        return NULL;
    err = MEM_NEW(Error);
    error_set(err, SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    return err;
}

/* Sends the whole batch; false if that was the end of the COPY. */
static bool send_rows(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    Error *refusal = refusal_cancelled(s);
    while (!refusal && !copy_batch_is_empty(&c->batch)) {
        if (!c->open) {
            refusal = refusal_fenced(s, c->plan);
            open_copy(s, out);
        }
        buf_clear(m);
        size_t begun = frame_begin(m, FE_COPY_DATA);
        put_begin(c, m);
        if (!refusal)
            refusal = copy_batch_put(&c->batch, m, MESSAGE_BYTES);
        frame_end(m, begun);
        message_send_own(s, out);
    }
    if (refusal)
        refuse_copy(s, out, refusal);
    return !refusal;
}

/* The server cannot be asked while it reads rows. */
static void ask(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    if (c->open)
        close_copy(s, out, false);
    Lookup *lookup = c->batch.lookup;
    c->batch.lookup = NULL;
    lookup_send_bulk(s, lookup, out);
    session_wait(s);
}

/* Does what can be done with what has come. */
static void process(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    CopyBatch *b = &c->batch;
    CopyBatchState state;
    do {
        state = copy_batch_split(s, b, c->client_done);
        if (b->open) {
            if (state != COPY_BATCH_MORE || b->refusal || b->raw || b->ended || c->client_failed)
                ask(s, out);
            return;
        }
        if (!send_rows(s, out))
            return;
    } while (state == COPY_BATCH_FULL);
    if (c->client_failed) {
        copy_batch_give_up(b); /* a part of a row: the server is to stop where it would */
        if (!send_rows(s, out))
            return;
        fail_copy(s, out, (Str){(const char *)buf_ptr(&c->failure), buf_len(&c->failure)});
    } else if (state == COPY_BATCH_END) {
        if (!c->open)
            open_copy(s, out);
        close_copy(s, out, true);
        end(s, out, true);
    }
}

void copy_in_go_on(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    Lookup *lookup = s->lookup;
    if (!c->answered || c->ended)
        return;
    if (!c->batch.lookup) {
        if (!lookup || lookup->state != LOOKUP_ANSWERED)
            return;
        s->lookup = NULL;
        c->batch.lookup = lookup;
        c->batch.open = false;
    } else if (c->batch.open) {
        return; /* rows are still collected */
    }
    if (send_rows(s, out))
        process(s, out);
}

/* ---- beginning ---- */

static void begin(Session *s, Plan *plan, Rewritten *rewritten, Str tenant) {
    CopyIn *c = MEM_NEW(CopyIn);
    Buf text = {0};
    c->plan = plan_ref(plan);
    c->copy = copy_in_plan(plan);
    c->rewritten = rewritten_ref(rewritten);
    c->started = s->worker->now;
    edits_apply(&rewritten->edits, rewritten->original, &text);
    c->text = mem_printf("%.*s", (int)buf_len(&text), (const char *)buf_ptr(&text));
    buf_free(&text);
    copy_batch_init(&c->batch, c->copy, tenant, s->utf8, plan->snapshot->server_version_num);
    s->copy = c;
    hold_watch(s);
    s->bound_writes = true; /* an epoch that ends must wait for it, in between too */
    message_count_statements(s, plan);
}

/* The session's tenant; NULL: none. *refusal: without one no row could be sent. */
static const char *find_tenant(Session *s, const CopyPlan *copy, Str text, Error **refusal) {
    bool unknown = false;
    const char *tenant = session_tenant(s, text, &unknown);
    if (tenant || copy->keys || !copy->refuse_unknown)
        return tenant;
    Arena *arena = arena_new();
    *refusal = values_refusal(arena, copy->table, TENANT_UNASKED);
    arena_free(arena);
    return NULL;
}

Taken copy_in_query(Session *s, Gather *out, Plan *plan, Str text, Error **refusal) {
    const CopyPlan *copy = copy_in_plan(plan);
    const char *tenant = find_tenant(s, copy, text, refusal);
    if (*refusal)
        return TAKEN_DONE;
    prepared_unref(prepared_take(&s->prepared, STR_NONE));
    if (!tenant && !copy->keys) { /* nothing would be put in */
        Reply *r = reply_push(&s->replies, REPLY_QUERY);
        r->started = s->worker->now;
        r->plan = plan;
        message_count_statements(s, plan);
        session_predict_end(s);
        return TAKEN_FORWARD;
    }
    Buf sent = {0};
    Rewritten *rewritten = plan_rewrite(&s->worker->plans, plan, text, NULL, &sent);
    begin(s, plan, rewritten, str_of(tenant));
    open_copy(s, out);
    rewritten_unref(rewritten);
    plan_unref(plan);
    buf_free(&sent);
    frontend_put_flush(&s->worker->message);
    message_send_own(s, out);
    session_wait(s);
    return TAKEN_DONE;
}

bool copy_in_execute(Session *s, Gather *out, const Message *m) {
    ExecuteMessage execute;
    Error err, *refusal = NULL;
    if (!frontend_execute(m->payload, &execute, &err))
        return false;
    const Portal *portal = portal_find(&s->prepared, execute.portal);
    const CopyPlan *copy = portal && portal->plan && portal->rewritten ? copy_in_plan(portal->plan) : NULL;
    if (!copy)
        return false;
    const char *tenant = find_tenant(s, copy, portal->rewritten->original, &refusal);
    if (refusal) { /* the server skips the message, and ends the transaction */
        refuse_extended(s, out, refusal);
        return false;
    }
    begin(s, portal->plan, portal->rewritten, str_of(tenant));
    s->copy->extended = s->copy->open = true;
    Reply *r = expect(s, REPLY_EXECUTE, false);
    r->plan = plan_ref(portal->plan);
    r->rewritten = rewritten_ref(portal->rewritten);
    gather_range(out, m->start, m->size);
    buf_clear(&s->worker->message);
    frontend_put_flush(&s->worker->message);
    message_send_own(s, out);
    session_wait(s);
    return true;
}

/* ---- messages of the client ---- */

static size_t take_data(Session *s, Gather *out, const uint8_t *data, size_t size) {
    CopyIn *c = s->copy;
    size_t n = size < c->data_left ? size : c->data_left;
    copy_batch_add(&c->batch, data, n);
    c->data_left -= n;
    process(s, out);
    return n;
}

bool copy_in_take(Session *s, Gather *out, const uint8_t *data, size_t size, size_t *used) {
    CopyIn *c = s->copy;
    Frame frame = {0};
    Error err;
    *used = 0;
    if (c->data_left > 0) {
        *used = take_data(s, out, data, size);
        return true;
    }
    if (frame_decode_frontend(data, size, &frame, &err) != WIRE_OK)
        return false;
    size_t total = FRAME_HEADER_BYTES + (size_t)frame.length;
    switch (frame.type) {
    case FE_COPY_DATA:
        c->data_left = frame.length;
        *used = FRAME_HEADER_BYTES;
        return true;
    case FE_COPY_DONE:
        *used = total <= size ? total : 0;
        c->client_done = total <= size;
        if (c->client_done)
            process(s, out);
        return true;
    case FE_COPY_FAIL:
        *used = total <= size ? total : 0;
        c->client_failed = total <= size;
        if (c->client_failed) {
            buf_append(&c->failure, data + FRAME_HEADER_BYTES, frame.length);
            process(s, out); /* what came before it may fail in another way */
        }
        return true;
    case FE_FLUSH:
    case FE_SYNC: /* ignored by the server, too, while it reads rows */
        *used = total <= size ? total : 0;
        return true;
    default: /* an error, which is the server's to report where it reads it */
        if (c->batch.open) {
            ask(s, out);
            return true;
        }
        if (!c->open)
            open_copy(s, out);
        hold_unwatch(s);
        return false;
    }
}

/* ---- messages of the server ---- */

/* The session goes on with what the client sends next. */
static void finish(Session *s) {
    copy_in_free(s);
    s->later = false;
    session_release(s);
}

void copy_in_opened(Session *s, Gather *out, Str payload) {
    CopyIn *c = s->copy;
    if (!c || c->answered || payload.len < 3)
        return;
    const uint16_t columns = (uint16_t)c->copy->nfields;
    Buf *m = &s->worker->message;
    buf_clear(m);
    size_t begun = frame_begin(m, BE_COPY_IN);
    buf_put_u8(m, (uint8_t)payload.ptr[0]);
    buf_put_u16(m, columns);
    for (uint16_t i = 0; i < columns; i++)
        buf_put_u16(m, (uint16_t)(payload.ptr[0] ? 1 : 0));
    frame_end(m, begun);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    c->answered = true;
    session_release(s);
}

/* "COPY 5" */
static uint64_t rows_of_tag(Str tag) {
    uint64_t n = 0;
    for (size_t i = 0; i < tag.len; i++)
        if (tag.ptr[i] >= '0' && tag.ptr[i] <= '9')
            n = n * 10 + (uint64_t)(tag.ptr[i] - '0');
    return n;
}

bool copy_in_done(Session *s, Gather *out, Str tag) {
    CopyIn *c = s->copy;
    if (!c)
        return true;
    c->rows += rows_of_tag(tag);
    if (!c->ended)
        return false;
    char text[40];
    Buf *m = &s->worker->message;
    snprintf(text, sizeof text, "COPY %llu", (unsigned long long)c->rows);
    buf_clear(m);
    backend_put_command_complete(m, text);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    finish(s);
    return true;
}

static bool ends_in_marker(Str message) {
    const size_t n = sizeof REFUSED_ROW - 1;
    return message.len >= n && memcmp(message.ptr + message.len - n, REFUSED_ROW, n) == 0;
}

bool copy_in_error(Session *s, Gather *out, Str payload) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    if (!c)
        return false;
    buf_clear(m);
    bool replaced = c->refusal && ends_in_marker(backend_error_field(payload, 'M'));
    if (replaced)
        copy_context_put_own(m, c->refusal, c->batch.refused_at);
    else
        replaced = copy_context_put(m, payload, c->copy, c->shift);
    if (replaced)
        gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    return replaced;
}

void copy_in_failed(Session *s) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    if (!c)
        return;
    if (!c->extended && !c->synced) {
        buf_clear(m);
        put_sync(s, m);
        stream_write(&s->server, buf_ptr(m), buf_len(m));
        buf_clear(m);
        s->skipping = false;
    }
    if (!c->batch.lookup) { /* it was waited for */
        c->batch.lookup = s->lookup;
        s->lookup = NULL;
    }
    s->client_discard = c->data_left;
    finish(s);
}

void copy_in_free(Session *s) {
    CopyIn *c = s->copy;
    if (!c)
        return;
    s->copy = NULL;
    hold_unwatch(s);
    plan_unref(c->plan);
    rewritten_unref(c->rewritten);
    free(c->text);
    free(c->refusal);
    buf_free(&c->failure);
    copy_batch_free(&c->batch);
    free(c);
}
