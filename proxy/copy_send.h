/* The COPYs that the proxy sends in the place of the client's one: opened, fed, ended. For proxy/copy_in.c.
 */
#ifndef PROXY_COPY_SEND_H
#define PROXY_COPY_SEND_H

#include "proxy/copy_batch.h"
#include "proxy/copy_in.h"

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

/* Notes what the server will answer to a message of the COPY. */
Reply *copy_send_expect(Session *s, ReplyKind kind, bool swallow);
/* A simple query ends as the server would end it. */
void copy_send_put_sync(Session *s, Buf *m);
/* Has the server begin another COPY. */
void copy_send_open(Session *s, Gather *out);
/* What stands before the first row of each COPY. */
void copy_send_put_begin(CopyIn *c, Buf *m);
/* Ends the open COPY; its rows are checked, and counted, before the server reads on. last: nothing of the
 * client's data is left, and if it is raw it has its own end, or none. */
void copy_send_close(Session *s, Gather *out, bool last);
/* What the last answer comes behind. */
void copy_send_end(Session *s, Gather *out, bool drop_names);
/* Has the open COPY fail, so that the transaction does; `payload` is CopyFail's. */
void copy_send_fail(Session *s, Gather *out, Str payload);
/* The client gets `refusal` in the place of the server's error. */
void copy_send_refuse(Session *s, Gather *out, Error *refusal);
/* Whether the server's error is the one that copy_send_refuse has made. */
bool copy_send_is_refusal(Str message) MUST_USE;

#endif
