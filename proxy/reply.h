/* The queue of expected replies.
 *
 * For every message that the proxy sends to a server and that the server will answer, one Reply stands in the
 * queue, in order. It says what the answer ends with and what to do with it: hand it on, or swallow it,
 * because the proxy sent the message on its own account; or put the proxy's own error in the place of the
 * server's. So what a server's message means is known and never guessed. */
#ifndef PROXY_REPLY_H
#define PROXY_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/plan.h"
#include "proxy/prepared.h"

typedef enum ReplyKind {
    REPLY_PARSE,    /* ends with ParseComplete */
    REPLY_BIND,     /* BindComplete */
    REPLY_DESCRIBE, /* RowDescription or NoData */
    REPLY_EXECUTE,  /* CommandComplete, EmptyQueryResponse, PortalSuspended */
    REPLY_CLOSE,    /* CloseComplete */
    REPLY_SYNC,     /* ReadyForQuery */
    REPLY_QUERY,    /* ReadyForQuery */
    REPLY_FUNCTION, /* ReadyForQuery */
    REPLY_COPY_END, /* CopyDone or CopyFail: has no answer of its own; marks where COPY IN ended */
    REPLY_NOTHING,  /* turned out to be ignored by the server; dropped at the head */
} ReplyKind;

typedef struct Reply {
    uint8_t kind;
    bool swallow;    /* the proxy's own message */
    bool lookup;     /* a part of the session's lookup */
    bool null_check; /* EXECUTE of a lookup: a row says that the key is NULL */
    bool copy;       /* a part of the session's COPY: see proxy/copy_in.h */
    bool failed;     /* an ErrorResponse came for it (QUERY) */
    uint8_t prefix;  /* QUERY: statements of the proxy's own in front of the client's, not answered yet; own
                        EXECUTE: likewise, this one included */
    uint32_t want;   /* EXECUTE of a lookup: which want it is for */
    uint16_t added;  /* DESCRIBE: how many of the parameters are not the client's */
    uint16_t statement; /* QUERY: index of the statement that is answered now */
    uint64_t started; /* ns, uv_hrtime: when the client's message arrived, or the previous statement's answer
                         ended */
    Plan *plan;       /* counted; NULL */
    Rewritten *rewritten; /* counted; NULL */
    Prepared *prepared;   /* PARSE: what was put into the table; CLOSE: what was taken out; DESCRIBE: whose
                             parameters' types are of interest. Counted; NULL */
    Prepared *displaced;  /* PARSE, QUERY: what stood under the name, or no name, before. Counted; NULL */
    char *text; /* QUERY, EXECUTE that prepares something: its text; own EXECUTE: the name that it prepares.
                   Owned; NULL */
    Error *refusal; /* owned: the text sent was made to fail, and the client gets this instead; NULL */
    Buf *notice;    /* owned: messages that the client gets ahead of the answer; NULL */
} Reply;

typedef struct ReplyQueue {
    Reply *items; /* ring; owned; NULL while empty for long */
    uint32_t head;
    uint32_t count;
    uint32_t capacity; /* a power of two */
    uint64_t pushed;   /* ever */
    uint64_t popped;
    uint32_t notices; /* replies that have one */
} ReplyQueue;

static inline bool reply_none(const ReplyQueue *q) { return q->count == 0; }
static inline Reply *reply_at(const ReplyQueue *q, uint32_t i) {
    return &q->items[(q->head + i) & (q->capacity - 1)];
}
static inline Reply *reply_head(const ReplyQueue *q) { return q->count ? reply_at(q, 0) : NULL; }

/* Appends an empty reply of a kind; valid until the next push or pop. */
Reply *reply_push(ReplyQueue *queue, ReplyKind kind);
/* Gives the reply at an index what the client gets ahead of it; the buffer is emptied. */
void reply_give_notice(ReplyQueue *queue, uint32_t index, Buf *notice);
/* Takes it from the reply at the head, for the caller to free; NULL if it has none. */
Buf *reply_take_notice(ReplyQueue *queue) MUST_USE;
/* Releases what the reply holds and takes it off the head. */
void reply_pop(ReplyQueue *queue);
void reply_free(ReplyQueue *queue);

#endif
