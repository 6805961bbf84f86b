/* Making a runtime from a configuration. */
#include "proxy/runtime.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/tls.h"

/* libpq's rule: dbname, or else the user's name; both also from the environment. */
static char *control_database(const char *conninfo) {
    char *found = NULL, *user = NULL;
    PQconninfoOption *given = PQconninfoParse(conninfo, NULL);
    PQconninfoOption *defaults = PQconndefaults();
    PQconninfoOption *sources[] = {given, defaults};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++)
        for (PQconninfoOption *o = sources[i]; o && o->keyword; o++) {
            if (!o->val || !o->val[0])
                continue;
            if (strcmp(o->keyword, "dbname") == 0 && !found)
                found = o->val;
            else if (strcmp(o->keyword, "user") == 0 && !user)
                user = o->val;
        }
    char *name = found || user ? mem_strdup(found ? found : user) : NULL;
    PQconninfoFree(given);
    PQconninfoFree(defaults);
    return name;
}

Runtime *runtime_new(Config *config, Error *err) {
    Runtime *r = MEM_NEW(Runtime);
    atomic_init(&r->references, 1);
    r->config = config;
    r->coordinator = coordinator_new(config->coordinator, err);
    if (!r->coordinator)
        goto failed;
    if (config->client_tls != CLIENT_TLS_DISABLE) {
        r->client_tls = tls_server_context(config->client_tls_cert, config->client_tls_key, err);
        if (!r->client_tls) {
            error_prefix(err, "client_tls_cert, client_tls_key");
            goto failed;
        }
    }
    if (config->admin_users)
        r->admins = config_split(config->admin_users);
    if (config->control_conninfo)
        r->database = control_database(config->control_conninfo);
    return r;

failed:
    runtime_unref(r);
    return NULL;
}

Runtime *runtime_ref(Runtime *runtime) {
    atomic_fetch_add(&runtime->references, 1);
    return runtime;
}

void runtime_unref(Runtime *r) {
    if (!r || atomic_fetch_sub(&r->references, 1) > 1)
        return;
    coordinator_unref(r->coordinator);
    SSL_CTX_free(r->client_tls);
    free(r->admins);
    free(r->database);
    config_free(r->config);
    free(r);
}

bool runtime_is_admin(const Runtime *runtime, const char *user) {
    for (char **a = runtime->admins; a && *a; a++)
        if (strcmp(*a, user) == 0)
            return true;
    return false;
}
