/* Where the database is and how it is spoken to: the `coordinator` setting, taken apart once.
 *
 * Immutable and reference-counted: a reload makes another one, and sessions keep the one that they began
 * with. */
#ifndef PROXY_COORDINATOR_H
#define PROXY_COORDINATOR_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"

/* libpq's sslmode. */
typedef enum SslMode {
    SSLMODE_DISABLE,
    SSLMODE_ALLOW,
    SSLMODE_PREFER,
    SSLMODE_REQUIRE,
    SSLMODE_VERIFY_CA,
    SSLMODE_VERIFY_FULL,
} SslMode;

typedef struct Coordinator {
    char *host;     /* name, address, or directory of a Unix socket */
    char *hostaddr; /* an address that saves the look-up; NULL */
    char *port;
    SslMode sslmode;
    SSL_CTX *tls;        /* NULL with sslmode=disable and for Unix sockets */
    int connect_timeout; /* ms */
    bool numeric;        /* host is an address: this one, no look-up needed */
    struct sockaddr_storage address;
} Coordinator;

/* Reads a checked conninfo (conf/ refuses what does not belong in it) and loads the TLS files. */
Coordinator *coordinator_new(const char *conninfo, Error *err) MUST_USE;
Coordinator *coordinator_ref(Coordinator *coordinator);
void coordinator_unref(Coordinator *coordinator); /* NULL is permitted */

static inline bool coordinator_is_unix(const Coordinator *c) { return !c->hostaddr && c->host[0] == '/'; }

#endif
