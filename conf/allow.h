/* Entries of the allow-list: statements that no mode applies to, by fingerprint, for ever or until a time. */
#ifndef CONF_ALLOW_H
#define CONF_ALLOW_H

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

#define ALLOW_FOREVER INT64_MAX

/* One line of section [allow]. */
typedef struct AllowConfig {
    uint64_t fingerprint;
    int64_t until_us; /* microseconds since 1970 UTC; ALLOW_FOREVER */
    char *reason;     /* owned; NULL */
    int line;
} AllowConfig;

/* Sixteen hexadecimal digits, as SHOW AUDIT and lint print them. */
MUST_USE bool allow_read_fingerprint(Str text, uint64_t *fingerprint, Error *err);

/* A time: 2027-01-01, 2027-01-01 12:00 or 2027-01-01 12:00:30 (T may stand for the blank), UTC unless Z or an
 * offset such as +02:00 follows; or `forever`. *rest is what follows, without the space around it. */
MUST_USE bool allow_read_until(Str text, int64_t *until_us, Str *rest, Error *err);

/* "forever", or the time as "2027-01-01 12:00:00+00". Caller frees. */
char *allow_show_until(int64_t until_us) MUST_USE;

#endif
