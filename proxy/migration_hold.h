/* Holding new transactions for a migration.
 *
 * While the runner tries for a strong lock on some tables, what would begin a transaction there is held
 * (proxy/hold.h): else it would take the lock from under the runner's nose, or wait behind it in the server.
 * When the runner has what it wants, or the time that it asked for is over, the statement goes on; it is
 * never refused.
 *
 * A transaction that has done anything is not disturbed. It may have what the runner waits for, or what
 * somebody waits for who has it. So a statement is held only if it is the first of its transaction, behind
 * BEGIN and SET at most, and touches one of the tables: names it, by way of a view or a partition too; writes
 * to a table that a foreign key ties to it; or may touch it for all that its text tells.
 *
 * Each worker has its own copy of what is asked, so that no statement waits for a lock of the proxy's, and a
 * timer that ends it whatever becomes of the control connection. */
#ifndef PROXY_MIGRATION_HOLD_H
#define PROXY_MIGRATION_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct Plan;
struct Proxy;
struct RequestHeld;
struct Session;
struct Worker;
typedef struct MigrationHold MigrationHold;

/* Gives all workers what is to be held; none of any tables ends what was asked before. number: larger than
 * that of any before. From any thread. */
void migration_hold_give(struct Proxy *proxy, uint64_t number, const struct RequestHeld *held);

/* Of a worker, on its thread. */
void migration_hold_init(struct Worker *worker);
/* Takes over what was given. What is held must be looked at again then: hold_retry. */
void migration_hold_take(struct Worker *worker);
void migration_hold_close(struct Worker *worker); /* before the loop ends */
void migration_hold_free(struct Worker *worker);  /* after that */

/* To be asked before anything is sent on behalf of the message at the head, a text or a Bind, that will be
 * executed by this plan. Returns true if it is to be held, or held on. If the client has cancelled it
 * meanwhile, *refusal is set (heap), and the message must be refused. */
bool migration_hold_statement(struct Session *session, struct Plan *plan, Error **refusal) MUST_USE;

#endif
