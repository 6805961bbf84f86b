/* What the client and the server send while a COPY goes on, and what follows from it. */
#include "proxy/copy_in.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/copy_batch.h"
#include "proxy/copy_context.h"
#include "proxy/copy_send.h"
#include "proxy/proxy.h"
#include "proxy/refuse.h"
#include "proxy/values.h"
#include "wire/backend.h"
#include "wire/frontend.h"

/* Rows go out in messages of about so many bytes. */
#define MESSAGE_BYTES (32 * 1024)

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
            copy_send_open(s, out);
        }
        buf_clear(m);
        size_t begun = frame_begin(m, FE_COPY_DATA);
        copy_send_put_begin(c, m);
        if (!refusal)
            refusal = copy_batch_put(&c->batch, m, MESSAGE_BYTES);
        frame_end(m, begun);
        message_send_own(s, out);
    }
    if (refusal)
        copy_send_refuse(s, out, refusal);
    return !refusal;
}

/* The server cannot be asked while it reads rows. */
static void ask(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    if (c->open)
        copy_send_close(s, out, false);
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
        copy_send_fail(s, out, (Str){(const char *)buf_ptr(&c->failure), buf_len(&c->failure)});
    } else if (state == COPY_BATCH_END) {
        if (!c->open)
            copy_send_open(s, out);
        copy_send_close(s, out, true);
        copy_send_end(s, out, true);
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
    copy_send_open(s, out);
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
    Reply *r = copy_send_expect(s, REPLY_EXECUTE, false);
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
            copy_send_open(s, out);
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

bool copy_in_error(Session *s, Gather *out, Str payload) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    if (!c)
        return false;
    buf_clear(m);
    bool replaced = c->refusal && copy_send_is_refusal(backend_error_field(payload, 'M'));
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
        copy_send_put_sync(s, m);
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
