/* Errors are values.
 *
 * A function that can fail takes an `Error *` as its last parameter, is marked MUST_USE, returns
 * false (or NULL) after filling the error, and logs nothing: the edge that decides what to do with the
 * error (answer a client, end the program, retry) is the only one that speaks.
 *
 * The texts live inside the value, so an error is copied by assignment and owned by nobody; a text that
 * does not fit is cut at a character boundary. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#include "base/attr.h"

/* SQLSTATEs that shardferry itself reports (PostgreSQL, appendix A). */
#define SQLSTATE_PROTOCOL_VIOLATION "08P01"
#define SQLSTATE_CONNECTION_FAILURE "08006"
#define SQLSTATE_CANNOT_CONNECT "08001"
#define SQLSTATE_FEATURE_NOT_SUPPORTED "0A000"
#define SQLSTATE_INVALID_AUTHORIZATION "28000"
#define SQLSTATE_INSUFFICIENT_PRIVILEGE "42501"
#define SQLSTATE_SYNTAX_ERROR "42601"
#define SQLSTATE_NOT_NULL_VIOLATION "23502"
#define SQLSTATE_FOREIGN_KEY_VIOLATION "23503"
#define SQLSTATE_TOO_MANY_CONNECTIONS "53300"
#define SQLSTATE_PROGRAM_LIMIT_EXCEEDED "54000"
#define SQLSTATE_QUERY_CANCELED "57014"
#define SQLSTATE_ADMIN_SHUTDOWN "57P01"
#define SQLSTATE_CRASH_SHUTDOWN "57P02"
#define SQLSTATE_CANNOT_CONNECT_NOW "57P03"
#define SQLSTATE_IDLE_SESSION_TIMEOUT "57P05"
#define SQLSTATE_CONFIG_FILE_ERROR "F0000"
#define SQLSTATE_INTERNAL_ERROR "XX000"

typedef struct Error {
    char sqlstate[6];
    char message[512];
    char detail[512];
    char hint[512];
} Error;

/* Fills `err` with a state and a message, clears detail and hint. Returns false always, so that a failing
 * function can end in `return error_set(…)`. */
bool error_set(Error *err, const char *sqlstate, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Adds to an error that error_set has filled. Both return false, for the same reason. */
bool error_detail(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool error_hint(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Puts "prefix: " before the message, so that an error says where it arose as it travels up. */
bool error_prefix(Error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
