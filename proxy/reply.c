/* A ring of replies that grows by doubling, up to what a client may pipeline. */
#include "proxy/reply.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 8
/* An empty queue larger than this gives its memory back. */
#define KEEP_CAPACITY 64

static void grow(ReplyQueue *q) {
    uint32_t capacity = q->capacity ? q->capacity * 2 : FIRST_CAPACITY;
    Reply *items = mem_alloc(sizeof *items * capacity);
    for (uint32_t i = 0; i < q->count; i++)
        items[i] = *reply_at(q, i);
    free(q->items);
    q->items = items;
    q->head = 0;
    q->capacity = capacity;
}

Reply *reply_push(ReplyQueue *q, ReplyKind kind) {
    if (q->count == q->capacity)
        grow(q);
    Reply *r = reply_at(q, q->count++);
    memset(r, 0, sizeof *r);
    r->kind = (uint8_t)kind;
    q->pushed++;
    return r;
}

void reply_give_notice(ReplyQueue *q, uint32_t index, Buf *notice) {
    Reply *r = reply_at(q, index);
    r->notice = MEM_NEW(Buf);
    *r->notice = *notice;
    *notice = (Buf){0};
    q->notices++;
}

Buf *reply_take_notice(ReplyQueue *q) {
    Reply *r = reply_head(q);
    Buf *notice = r ? r->notice : NULL;
    if (notice) {
        r->notice = NULL;
        q->notices--;
    }
    return notice;
}

static void release(Reply *r) {
    plan_unref(r->plan);
    rewritten_unref(r->rewritten);
    prepared_unref(r->prepared);
    prepared_unref(r->displaced);
    free(r->text);
    free(r->refusal);
}

void reply_pop(ReplyQueue *q) {
    Buf *notice = reply_take_notice(q); /* of what was skipped */
    if (notice) {
        buf_free(notice);
        free(notice);
    }
    release(reply_at(q, 0));
    q->head = (q->head + 1) & (q->capacity - 1);
    q->count--;
    q->popped++;
    if (q->count == 0 && q->capacity > KEEP_CAPACITY) {
        free(q->items);
        q->items = NULL;
        q->capacity = q->head = 0;
    }
}

void reply_free(ReplyQueue *q) {
    while (!reply_none(q))
        reply_pop(q);
    free(q->items);
    memset(q, 0, sizeof *q);
}
