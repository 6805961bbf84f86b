/* All by the extended protocol, under reserved names, without a Sync but the last. */
#include "proxy/copy_send.h"

#include <string.h>

#include "proxy/proxy.h"
#include "wire/bind.h"
#include "wire/frontend.h"

/* Never the names of an application's. */
#define COPY_NAME STR_LIT("shardferry copy")
/* What the server is told when the proxy refuses a row: the end of its error's message then. */
static const char REFUSED_ROW[] = "a row refused by shardferry";

Reply *copy_send_expect(Session *s, ReplyKind kind, bool swallow) {
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

void copy_send_put_sync(Session *s, Buf *m) {
    reply_push(&s->replies, REPLY_SYNC)->started = s->worker->now;
    frontend_put_sync(m);
    s->syncs++;
    s->copy->synced = true;
    session_predict_end(s);
}

static void put_close(Session *s, Buf *m, char kind, Str name) {
    copy_send_expect(s, REPLY_CLOSE, true);
    frontend_put_close(m, kind, name);
}

void copy_send_open(Session *s, Gather *out) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    Reply *r;
    buf_clear(m);
    if (!c->parsed) {
        put_close(s, m, 'S', COPY_NAME);
        r = copy_send_expect(s, REPLY_PARSE, true);
        r->rewritten = rewritten_ref(c->rewritten);
        frontend_put_parse(m, COPY_NAME, str_of(c->text), NULL, 0);
        c->parsed = true;
    }
    put_close(s, m, 'P', COPY_NAME);
    copy_send_expect(s, REPLY_BIND, true);
    bind_put(m, COPY_NAME, COPY_NAME, NULL, 0);
    r = copy_send_expect(s, REPLY_EXECUTE, false);
    r->plan = plan_ref(c->plan);
    r->rewritten = rewritten_ref(c->rewritten);
    frontend_put_execute(m, COPY_NAME);
    message_send_own(s, out);
    c->open = true;
    c->begun = false;
}

void copy_send_put_begin(CopyIn *c, Buf *m) {
    if (c->begun)
        return;
    c->begun = true;
    if (c->batch.splitter.begun) /* else the client's own is none */
        copy_row_put_begin(m, &c->copy->row);
    buf_append_str(m, (Str){(const char *)buf_ptr(&c->batch.header), buf_len(&c->batch.header)});
    c->shift = copy_batch_shift(&c->batch);
}

void copy_send_close(Session *s, Gather *out, bool last) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    buf_clear(m);
    if (c->batch.splitter.begun && !(last && c->batch.raw)) {
        size_t begun = frame_begin(m, FE_COPY_DATA);
        copy_send_put_begin(c, m);
        copy_row_put_end(m, &c->copy->row);
        frame_end(m, begun);
    }
    put_message(m, FE_COPY_DONE, NULL, 0);
    message_send_own(s, out);
    c->open = false;
}

void copy_send_end(Session *s, Gather *out, bool drop_names) {
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
        copy_send_put_sync(s, m);
    }
    message_send_own(s, out);
    c->ended = true;
    session_wait(s);
}

void copy_send_fail(Session *s, Gather *out, Str payload) {
    CopyIn *c = s->copy;
    Buf *m = &s->worker->message;
    if (!c->open)
        copy_send_open(s, out);
    buf_clear(m);
    if (c->batch.splitter.begun && !c->begun) {
        size_t begun = frame_begin(m, FE_COPY_DATA);
        copy_send_put_begin(c, m);
        frame_end(m, begun);
    }
    put_message(m, FE_COPY_FAIL, payload.ptr, payload.len);
    message_send_own(s, out);
    copy_send_end(s, out, false);
}

void copy_send_refuse(Session *s, Gather *out, Error *refusal) {
    s->copy->refusal = refusal;
    copy_send_fail(s, out, (Str){REFUSED_ROW, sizeof REFUSED_ROW});
}

bool copy_send_is_refusal(Str message) {
    const size_t n = sizeof REFUSED_ROW - 1;
    return message.len >= n && memcmp(message.ptr + message.len - n, REFUSED_ROW, n) == 0;
}
