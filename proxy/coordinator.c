/* The coordinator setting, taken apart by libpq's own parser. */
#include "proxy/coordinator.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "proxy/tls.h"

#define DEFAULT_CONNECT_TIMEOUT 10000

typedef struct CountedCoordinator {
    Coordinator coordinator; /* first: a pointer to it is one to the whole */
    _Atomic int references;
} CountedCoordinator;

static const char *const SSLMODES[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};

static const char *option(const PQconninfoOption *options, const char *keyword) {
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && options->val[0] ? options->val : NULL;
    return NULL;
}

static char *copy_or(const char *value, const char *otherwise) {
    return value || otherwise ? mem_strdup(value ? value : otherwise) : NULL;
}

/* An address needs no look-up, and so no trip through the thread pool for each session. */
static void note_address(Coordinator *c) {
    const char *host = c->hostaddr ? c->hostaddr : c->host;
    int port = atoi(c->port);
    c->numeric = uv_ip4_addr(host, port, (struct sockaddr_in *)&c->address) == 0 ||
                 uv_ip6_addr(host, port, (struct sockaddr_in6 *)&c->address) == 0;
}

static bool load_tls(Coordinator *c, const PQconninfoOption *options, Error *err) {
    TlsClientOptions tls = {
        .verify_ca = c->sslmode >= SSLMODE_VERIFY_CA,
        .verify_host = c->sslmode == SSLMODE_VERIFY_FULL,
        .root_file = option(options, "sslrootcert"),
        .cert_file = option(options, "sslcert"),
        .key_file = option(options, "sslkey"),
        .crl_file = option(options, "sslcrl"),
    };
    if (tls.verify_ca && !tls.root_file)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "coordinator: sslmode=%s needs sslrootcert",
                         SSLMODES[c->sslmode]) ||
               error_hint(err, "Name the file with the root certificate, or sslrootcert=system.");
    if (tls.cert_file && !tls.key_file)
        return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "coordinator: sslcert needs sslkey");
    c->tls = tls_client_context(&tls, err);
    return c->tls != NULL;
}

Coordinator *coordinator_new(const char *conninfo, Error *err) {
    Coordinator *c = &MEM_NEW(CountedCoordinator)->coordinator;
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    atomic_init(&((CountedCoordinator *)c)->references, 1);
    if (!options) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "coordinator: %s", message ? message : "out of memory");
        PQfreemem(message);
        goto failed;
    }
    c->host = copy_or(option(options, "host"), option(options, "hostaddr") ? NULL : "/var/run/postgresql");
    c->hostaddr = copy_or(option(options, "hostaddr"), NULL);
    if (!c->host)
        c->host = mem_strdup(c->hostaddr);
    c->port = copy_or(option(options, "port"), "5432");
    note_address(c);
    const char *timeout = option(options, "connect_timeout");
    c->connect_timeout = timeout ? atoi(timeout) * 1000 : DEFAULT_CONNECT_TIMEOUT;
    const char *mode = option(options, "sslmode");
    c->sslmode = SSLMODE_PREFER;
    for (size_t i = 0; mode && i < ARRAY_LEN(SSLMODES); i++)
        if (strcmp(mode, SSLMODES[i]) == 0)
            c->sslmode = (SslMode)i;
    if (coordinator_is_unix(c))
        c->sslmode = SSLMODE_DISABLE;
    if (c->sslmode != SSLMODE_DISABLE && !load_tls(c, options, err))
        goto failed;
    PQconninfoFree(options);
    return c;

failed:
    PQconninfoFree(options);
    coordinator_unref(c);
    return NULL;
}

Coordinator *coordinator_ref(Coordinator *coordinator) {
    atomic_fetch_add(&((CountedCoordinator *)coordinator)->references, 1);
    return coordinator;
}

void coordinator_unref(Coordinator *c) {
    if (!c || atomic_fetch_sub(&((CountedCoordinator *)c)->references, 1) > 1)
        return;
    SSL_CTX_free(c->tls);
    free(c->host);
    free(c->hostaddr);
    free(c->port);
    free(c);
}
