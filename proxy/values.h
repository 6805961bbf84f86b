/* The values that a plan's slots need, for one message of the client. */
#ifndef PROXY_VALUES_H
#define PROXY_VALUES_H

#include "proxy/gather.h"
#include "proxy/lookup.h"
#include "proxy/plan.h"
#include "proxy/prepared.h"
#include "wire/bind.h"

struct Session;

typedef enum ValuesStatus {
    VALUES_READY,
    VALUES_WAIT,    /* the server has been asked: the message is to be taken up again */
    VALUES_REFUSED, /* a tenant is missing: *refusal says which and why */
} ValuesStatus;

/* For a simple query: (*values)[i] is the SQL of slot i + 1, valid until the next call on this worker.
 * `refusal` is the caller's, on the heap. */
ValuesStatus values_of_query(struct Session *session, Gather *out, Plan *plan, Str text, const Str **values,
                             Error **refusal) MUST_USE;
/* For a Bind of a statement that was prepared under its plan: the added parameters as text, ptr NULL for
 * NULL. */
ValuesStatus values_of_bind(struct Session *session, Gather *out, Prepared *prepared, const BindMessage *bind,
                            const Str **values, Error **refusal) MUST_USE;

/* Why a row without a known tenant is not sent; on the heap. `arena` is for the making. */
Error *values_refusal(Arena *arena, const Table *table, TenantAnswer answer) MUST_USE;

/* How many parameters a statement has without the added ones. */
int values_own_parameters(const Plan *plan, int ntypes) MUST_USE;

#endif
