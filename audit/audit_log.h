/* The audit log: one JSON object a line, at the first sight of each statement shape that deserves attention.
 *
 * Workers put records; the control thread writes them. A record is made into a line outside the lock, and the
 * lock is held while the line is appended to a bounded queue. What finds the queue full is dropped and
 * counted; a line {"time":…,"dropped":N} says so as soon as lines get through again.
 *
 *   {"time":"2026-01-02T03:04:05.678901Z","fingerprint":"50fde20626009aba","verdict":"multi-tenant",
 *    "tables":["public.orders"],"unscoped":["public.orders"],"reason":"…","suggestion":null,
 *    "citus_error":null,"note":null,"sql":"…","proposed":null,"application_name":"…","user":"…","database":"…","client":"127.0.0.1:50312"}
 */
#ifndef AUDIT_AUDIT_LOG_H
#define AUDIT_AUDIT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/audit.h"
#include "base/error.h"

typedef struct AuditLog AuditLog;

/* What is known of a statement when its shape is first met. Strings are copied; each may be NULL. */
typedef struct AuditLogRecord {
    int64_t time_us; /* since 1970 UTC */
    AuditSubject subject;
    const char *database;
    const char *client; /* its address */
} AuditLogRecord;

/* Whether a decision is worth a line: the statement is not scoped to one tenant, or a write is sent without
 * the tenant that it needs. */
bool audit_log_wants(const StatementDecision *decision);

/* Opens `path` for appending, made with mode 0640 if it is not there. NULL with `err`. Of the limits
 * max_entries is not used. */
AuditLog *audit_log_open(const char *path, AuditLimits limits, Error *err) MUST_USE;

/* Writes what is queued, as far as possible, and frees. NULL is permitted. No other thread uses the log any
 * more. */
void audit_log_close(AuditLog *log);

/* Opens the path again, after a rotation has renamed the file. On failure, the old file stays in use. Control
 * thread only. */
MUST_USE bool audit_log_reopen(AuditLog *log, Error *err);

/* Queues a record, unless the log does not want it, or has a line for its shape and verdict already. Any
 * thread; never waits for the disk. A NULL log is permitted. */
void audit_log_put(AuditLog *log, const AuditLogRecord *record);

/* Writes what is queued. A file that cannot be written (disk full, I/O error) is reported to the process's
 * log once, and again when it recovers; until then lines are kept as long as the queue has room. Control
 * thread only. A NULL log is permitted. */
void audit_log_flush(AuditLog *log);

#endif
