/* What follows from the configuration file at run time: settings, the coordinator's address, the TLS
 * certificate. Immutable and reference-counted; a reload makes another one, and sessions that began under the
 * old one keep it. */
#ifndef PROXY_RUNTIME_H
#define PROXY_RUNTIME_H

#include <openssl/ssl.h>

#include "conf/config.h"
#include "proxy/coordinator.h"

typedef struct Runtime {
    _Atomic int references;
    Config *config;           /* owned */
    Coordinator *coordinator; /* counted */
    SSL_CTX *client_tls;      /* counted by OpenSSL; NULL with client_tls = disable */
    char **admins;            /* admin_users, split; NULL if there are none */
    char *database;           /* the one that the catalog is of; NULL without [control] */
} Runtime;

/* Takes the config over, also on failure. */
Runtime *runtime_new(Config *config, Error *err) MUST_USE;
Runtime *runtime_ref(Runtime *runtime);
void runtime_unref(Runtime *runtime); /* NULL is permitted */

bool runtime_is_admin(const Runtime *runtime, const char *user) MUST_USE;

#endif
