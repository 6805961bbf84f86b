/* Finding the tenants of parents: in what this transaction has learnt, in the shared cache, or by asking the
 * server.
 *
 * A lookup belongs to one message of the client, which waits for it at the head of what is held. What is
 * asked goes over the session's own server connection, in the extended protocol with Flush, so that it is
 * part of the client's transaction and sees its rows:
 *
 *   Close S, Parse, { Close P, Bind, Execute } …, Close P, Close S, Flush
 *
 * under reserved names. Everything that answers it is swallowed; an error is the client's, as if its own
 * message had caused it, and the message is then not sent. */
#ifndef PROXY_LOOKUP_H
#define PROXY_LOOKUP_H

#include "proxy/gather.h"
#include "proxy/parent_key.h"
#include "proxy/plan.h"

struct Session;

typedef enum TenantAnswer {
    TENANT_UNASKED,
    TENANT_KNOWN,
    TENANT_NO_PARENT, /* a column of the key is NULL */
    TENANT_MISSING,   /* there is no such parent */
    TENANT_AMBIGUOUS, /* several parents of several tenants have this key */
    TENANT_ABSENT,    /* the parent has no tenant itself */
} TenantAnswer;

/* One parent whose tenant is wanted. Everything that it points to lives in the lookup's arena or as long as
 * the plan.
 */
typedef struct Want {
    const Table *table; /* the child; path.steps[0] leads to the parent */
    TenantAnswer answer;
    Str tenant;   /* KNOWN: as text */
    bool has_key; /* `key` is its identity */
    ParentKey key;
    int same_as;  /* an earlier want of the same key; -1: none */
    Str sql;      /* what to ask the server: a query of $1 … $nparams */
    Str null_sql; /* asked before that: returns a row if a column of the key is NULL; empty where that is
                     known */
    const BindParam *params;
    const uint32_t *types; /* of the parameters, as OIDs; 0: left to the server */
    int nparams;
    uint32_t position; /* of the key in the client's text, in characters from 1; 0: not in it */
} Want;

typedef enum LookupState {
    LOOKUP_COLLECTING,
    LOOKUP_WAITING,
    LOOKUP_ANSWERED,
    LOOKUP_FAILED,  /* the client has got the error */
    LOOKUP_SKIPPED, /* so it has, of an older message: the server ignores the one that waits, too */
} LookupState;

typedef struct Lookup {
    LookupState state;
    Arena *arena;       /* owned */
    Plan *plan;         /* counted: wants point into its snapshot; NULL */
    const int *numbers; /* the caller's: which want is for which slot; NULL */
    Want *wants;
    int nwants, capacity;
    uint32_t *index; /* by key: number of a want, from 1; a power of two of places */
    uint32_t places;
    int unanswered;
    int *asked; /* of a bulk lookup: the wants in the order in which they are asked for; NULL */
    int nasked;
    uint64_t generation; /* of the cache, when it was asked */
} Lookup;

Lookup *lookup_new(void) MUST_USE;
void lookup_free(Lookup *lookup); /* NULL is permitted */
/* Empty again, for another message. */
void lookup_reset(Lookup *lookup);

/* Adds a parent by the values of its key, one for each column of table->path.steps[0], of which only the
 * array is copied; answers it at once where it can. Returns its number. */
int lookup_want_values(struct Session *session, Lookup *lookup, const Table *table, const BindParam *values,
                       const uint32_t *types) MUST_USE;
/* The same by expressions, one for each column, with parameters $1 … $nparams; in the lookup's arena. */
int lookup_want_exprs(Lookup *lookup, const Table *table, const Str *exprs, const BindParam *params,
                      const uint32_t *types, int nparams) MUST_USE;

/* The want as it is answered, whoever asked for the same. */
static inline const Want *lookup_answer(const Lookup *lookup, int number) {
    const Want *want = &lookup->wants[number];
    return want->same_as >= 0 ? &lookup->wants[want->same_as] : want;
}

/* Whether some want has to be asked for. */
bool lookup_is_open(const Lookup *lookup) MUST_USE;
/* Asks for all that are open; the session, which owns the lookup from now on, is to be held. */
void lookup_send(struct Session *session, Lookup *lookup, Gather *out);

/* The same by one statement for all, where all are of one table and were added by their values, with no types
 * declared; binary ones are of types that proxy/copy_value.h knows. */
void lookup_send_bulk(struct Session *session, Lookup *lookup, Gather *out);

/* session_server.c: the answers. want: its number. */
void lookup_row(struct Session *session, int want, bool null_check, Str payload);
void lookup_done(struct Session *session, int want);
void lookup_described(struct Session *session); /* the parameters' types have come instead */
void lookup_failed(struct Session *session, bool own_error);

/* What the transaction has learnt. After an error or ROLLBACK TO it may be wrong. */
void lookup_forget(struct Session *session);
/* A statement leaves that may change what others find their tenant by. */
void lookup_parents_move(struct Session *session);
/* The server has reported an error of this SQLSTATE. A foreign key that is violated may be the one that
 * guards the cache: what is in it was changed by someone whom the proxy does not see. */
void lookup_error(struct Session *session, Str sqlstate);
/* The transaction is over: what it learnt is everybody's if it was committed. */
void lookup_transaction_end(struct Session *session, bool committed);

#endif
