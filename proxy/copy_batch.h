/* Rows of a COPY on their way: split, held until the tenants of all of them are known, written out.
 *
 *   data:  | rows that are split off: `rows` | what is not split yet |
 *
 * A batch is bounded by rows and by bytes; one row may be as long as the server takes. */
#ifndef PROXY_COPY_BATCH_H
#define PROXY_COPY_BATCH_H

#include "proxy/lookup.h"
#include "rewrite/decide.h"
#include "wire/copy_row.h"

typedef struct CopyBatchRow {
    size_t size;    /* in the data */
    size_t content; /* of it, without its end */
    CopyLineEnd line_end;
    int want;       /* in `lookup`; or one of CopyBatchWant */
    uint64_t lines; /* before it, in all of the client's data */
    uint64_t own_lines;
} CopyBatchRow;

typedef enum CopyBatchWant {
    COPY_WANT_NOTHING = -1,  /* it names no parent */
    COPY_WANT_WRONG = -2,    /* the server will refuse it for its fields or its key, with any tenant */
    COPY_WANT_COMPLETE = -3, /* it stays as it is */
    COPY_WANT_REFUSED = -4,  /* it must not be written */
} CopyBatchWant;

typedef struct CopyBatch {
    const CopyPlan *plan;
    Str tenant;          /* the session's, owned; ptr NULL: none */
    bool by_tenant;      /* it goes before the parents' */
    bool utf8;           /* the client's encoding */
    bool plain_integers; /* the server's: see copy_value_is_wrong */
    int max_rows;        /* of one batch */
    size_t max_bytes;
    int *positions; /* of the key's columns in a row; this and the next three are owned */
    CopyField *fields;
    BindParam *values;
    uint32_t *types;
    CopySplitter splitter;
    Buf data;
    size_t split;       /* bytes of `data` that are in `rows` */
    CopyBatchRow *rows; /* owned */
    int nrows, capacity, written;
    bool raw;         /* what is not split is passed on as it is: the server will refuse it */
    bool ended;       /* what is not split does not count */
    Error *refusal;   /* of the last row; owned until it is handed out */
    char *refused_at; /* its CONTEXT; owned; NULL: none */
    Lookup *lookup;   /* of the rows; owned, but while it is waited for */
    bool open;        /* some tenant has to be asked for before anything is written */
    Buf header;       /* the line of names, as it is sent */
    uint64_t header_lines;
    Buf field;        /* of the tenant `field_tenant`, as it stands in a row */
    Buf field_tenant; /* only while field_known */
    bool field_known;
    Buf scratch;
} CopyBatch;

typedef enum CopyBatchState {
    COPY_BATCH_MORE, /* it holds all whole rows that have come */
    COPY_BATCH_FULL, /* it must be written before more are split off; or nothing behind it counts */
    COPY_BATCH_END,  /* it holds the last row */
} CopyBatchState;

/* tenant: what the session says; copied. server_version as in a Snapshot. */
void copy_batch_init(CopyBatch *batch, const CopyPlan *plan, Str tenant, bool utf8, int server_version);
void copy_batch_free(CopyBatch *batch);

void copy_batch_add(CopyBatch *batch, const void *data, size_t size);

/* Splits off rows and notes whose tenants are wanted. at_end: no more data will be added. */
CopyBatchState copy_batch_split(struct Session *session, CopyBatch *batch, bool at_end) MUST_USE;

/* Whether there is nothing to write. */
static inline bool copy_batch_is_empty(const CopyBatch *batch) {
    return batch->written == batch->nrows && !(batch->raw && buf_len(&batch->data) > batch->split);
}

/* What is not split yet is passed on as it is. */
void copy_batch_give_up(CopyBatch *batch);

/* What is to be added to the number of a line of a COPY that begins with what is written next, for its number
 * in the client's data. */
int64_t copy_batch_shift(const CopyBatch *batch) MUST_USE;

/* Appends rows to `out`, until it has at least `enough` bytes or all are written; then the batch is empty
 * again. Returns why the next row, and all behind it, must not be written; on the heap, NULL if they may. */
Error *copy_batch_put(CopyBatch *batch, Buf *out, size_t enough) MUST_USE;

#endif
