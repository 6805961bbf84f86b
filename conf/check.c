/* The checks that look at more than one setting, at a setting's inner form, or at files.
 *
 * SCRAM binds the client's TLS connection. Relayed through two TLS connections it fails either way: a client
 * that binds, binds the wrong one; one that is not offered to bind says so, and the server, which offered it,
 * takes that for an attack. With TLS on one of the connections, or clients that do not ask for binding, it
 * works. */
#include "conf/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/conninfo.h"

static int source_line(const Config *config, const char *section, const char *name) {
    return config->source_line[settings_find(section, name) - settings_table];
}

/* Completes an error whose message says what is wrong with a setting. */
static bool at_setting(const Config *config, const char *section, const char *name, Error *err) {
    int line = source_line(config, section, name);

    error_prefix(err, "setting \"%s\" in section [%s]", name, section);
    return line ? error_prefix(err, "%s:%d", config->path, line) : error_prefix(err, "%s", config->path);
}

static bool wrong(Error *err, const char *what, const char *hint) {
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s", what);
    return error_hint(err, "%s", hint);
}

static bool check_listen(const Config *config, Error *err) {
    char **items = config_split(config->listen);
    bool ok = items[0] != NULL;
    int port;

    if (!ok)
        wrong(err, "there is no address in it", "allowed: host:port, [IPv6 address]:port, *:port");
    for (int i = 0; ok && items[i]; i++) {
        char *host;

        ok = config_address(items[i], &host, &port, err);
        if (ok)
            free(host);
        for (int j = 0; ok && j < i; j++)
            if (strcmp(items[i], items[j]) == 0) {
                error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is there twice", items[i]);
                ok = error_hint(err, "Remove one of them.");
            }
    }
    free(items);
    return ok || at_setting(config, "proxy", "listen", err);
}

static bool check_socket_dir(const Config *config, Error *err) {
    size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof("/.s.PGSQL.65535");

    if (config->unix_socket_dir[0] != '/')
        wrong(err, "the directory is not an absolute path", "It starts with /.");
    else if (strlen(config->unix_socket_dir) > room) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the path is too long for a socket's address");
        error_hint(err, "allowed: %zu bytes", room);
    } else
        return true;
    return at_setting(config, "proxy", "unix_socket_dir", err);
}

/* The forms of the values that are there. */
static bool check_forms(const Config *config, Error *err) {
    char *schema, *table;

    if (config->listen && !check_listen(config, err))
        return false;
    if (config->unix_socket_dir && !check_socket_dir(config, err))
        return false;
    if (config->coordinator && !conninfo_check_coordinator(config->coordinator, err))
        return at_setting(config, "proxy", "coordinator", err);
    if (config->control_conninfo && !conninfo_check_control(config->control_conninfo, err))
        return at_setting(config, "control", "conninfo", err);
    if (config->tenant_table) {
        if (!config_table_name(config->tenant_table, &schema, &table, err))
            return at_setting(config, "tenant", "table", err);
        free(schema);
        free(table);
    }
    return true;
}

static bool at_table(const Config *config, const TableConfig *table, const char *name, Error *err) {
    const Setting *setting = settings_find("table", name);
    int line = table->source_line[setting - settings_table];

    error_prefix(err, "setting \"%s\" in section [table %s]", name, table->written);
    return error_prefix(err, "%s:%d", config->path, line ? line : table->line);
}

static bool is_arrow_form(const char *text) {
    const char *arrow = strstr(text, "->");

    return arrow && str_trim((Str){text, (size_t)(arrow - text)}).len > 0 &&
           str_trim(str_of(arrow + 2)).len > 0;
}

static bool check_table(const Config *config, const TableConfig *table, Error *err) {
    bool unsharded = table->kind == CONF_KIND_REFERENCE || table->kind == CONF_KIND_LOCAL;

    if (table->tenant_from && !is_arrow_form(table->tenant_from)) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" names no step to another table",
                  table->tenant_from);
        error_hint(err, "allowed: column -> table(column), for example order_id -> orders(order_id)");
        return at_table(config, table, "tenant_from", err);
    }
    if (table->tenant_from && (unsharded || table->kind == CONF_KIND_DISTRIBUTED)) {
        wrong(err, "only a table of kind backfill takes its tenant from another one",
              "Remove it, or change kind to backfill.");
        return at_table(config, table, "tenant_from", err);
    }
    if (table->method != CONF_METHOD_UNSET && unsharded) {
        wrong(err, "reference and local tables are not distributed", "Remove it, or change kind.");
        return at_table(config, table, "method", err);
    }
    return true;
}

static bool check_tenancy(const Config *config, Error *err) {
    if (config->tenant_column && !config->tenant_table) {
        wrong(err, "it has no meaning without \"table\"", "Set table to the table of the tenants.");
        return at_setting(config, "tenant", "column", err);
    }
    for (int i = 0; i < config->ntables; i++) {
        const TableConfig *table = &config->tables[i];

        if (!config->tenant_table) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                      "%s:%d: section [table %s] has no meaning without \"table\" in section [tenant]",
                      config->path, table->line, table->written);
            return error_hint(err, "Add a section [tenant] that names the table of the tenants.");
        }
        if (!check_table(config, table, err))
            return false;
    }
    return true;
}

static bool missing(const Config *config, const char *section, const char *name, const char *hint,
                    Error *err) {
    wrong(err, "it is missing", hint);
    return at_setting(config, section, name, err);
}

static bool check_required(const Config *config, ConfigUse use, Error *err) {
    bool proxy = use == CONFIG_FOR_PROXY;

    if (proxy && !config->listen)
        return missing(config, "proxy", "listen", "for example: listen = 127.0.0.1:6432", err);
    if (proxy && !config->coordinator)
        return missing(config, "proxy", "coordinator", "for example: coordinator = host=127.0.0.1 port=5432",
                       err);
    if ((use == CONFIG_FOR_MIGRATE || use == CONFIG_FOR_PLAN || (proxy && config->tenant_table)) &&
        !config->control_conninfo)
        return missing(config, "control", "conninfo",
                       "for example: conninfo = host=127.0.0.1 port=5432 dbname=app user=shardferry", err);
    if ((use == CONFIG_FOR_MIGRATE || use == CONFIG_FOR_LINT) && !config->tenant_table)
        return missing(config, "tenant", "table",
                       "Name the table of the tenants, for example: table = stores", err);
    return true;
}

static bool check_file(const Config *config, const char *name, const char *path, Error *err) {
    struct stat st;

    if (!path) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is missing", name);
        error_hint(err, "allow and require need both client_tls_cert and client_tls_key.");
        return at_setting(config, "proxy", "client_tls", err);
    }
    if (stat(path, &st) != 0 || access(path, R_OK) != 0) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not read %s: %s", path, strerror(errno));
        error_hint(err, "The file must be readable for the user that runs shardferry.");
    } else if (S_ISDIR(st.st_mode)) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is a directory", path);
        error_hint(err, "Name a PEM file.");
    } else {
        return true;
    }
    return at_setting(config, "proxy", name, err);
}

static const char *client_tls_name(const Config *config) {
    return settings_find("proxy", "client_tls")->choices[config->client_tls];
}

static bool check_tls(const Config *config, Error *err) {
    const char *sslmode;
    ConninfoTls server;

    if (config->client_tls == CLIENT_TLS_DISABLE)
        return true;
    if (!check_file(config, "client_tls_cert", config->client_tls_cert, err) ||
        !check_file(config, "client_tls_key", config->client_tls_key, err))
        return false;
    if (!config->coordinator || config->clients_disable_channel_binding ||
        config->client_tls != CLIENT_TLS_REQUIRE)
        return true;
    server = conninfo_tls(config->coordinator, &sslmode);
    if (server < CONNINFO_TLS_OFFERED)
        return true;
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
              "SCRAM authentication cannot be passed through where clients use TLS (client_tls = require) "
              "and so does "
              "the coordinator's connection (sslmode=%s%s)",
              sslmode, server == CONNINFO_TLS_OFFERED ? ", if the server has TLS" : "");
    error_detail(
        err,
        "A client that uses TLS could bind SCRAM to its connection, the server sees that it did not, and "
        "each takes the other for an attacker.");
    error_hint(
        err,
        "Add sslmode=disable to coordinator, or use a Unix socket there; or set client_tls = disable; or let "
        "every client connect with channel_binding=disable and say so with "
        "clients_disable_channel_binding = on.");
    return at_setting(config, "proxy", "coordinator", err);
}

bool check_config(const Config *config, ConfigUse use, Error *err) {
    bool serves = use == CONFIG_FOR_PROXY || use == CONFIG_FOR_CHECK;

    return check_forms(config, err) && check_required(config, use, err) && check_tenancy(config, err) &&
           (!serves || check_tls(config, err));
}

static void notice_tls(const Config *config, CheckNotice *notice, void *arg) {
    const char *sslmode;
    ConninfoTls server = conninfo_tls(config->coordinator, &sslmode);
    char *text;

    if (config->client_tls == CLIENT_TLS_DISABLE || server == CONNINFO_TLS_NEVER ||
        config->clients_disable_channel_binding)
        return;
    text = mem_printf(
        "client_tls = %s with sslmode=%s on the coordinator: where both connections use TLS, clients that "
        "authenticate by SCRAM must connect with channel_binding=disable. With TLS on one of them, or on "
        "none, every client works.",
        client_tls_name(config), sslmode);
    notice(arg, text);
    free(text);
}

static void notice_expired(const Config *config, CheckNotice *notice, void *arg) {
    int64_t now_us = (int64_t)time(NULL) * 1000000;

    for (int i = 0; i < config->nallowed; i++) {
        const AllowConfig *entry = &config->allowed[i];
        char *until, *text;

        if (entry->until_us > now_us)
            continue;
        until = allow_show_until(entry->until_us);
        text = mem_printf("%s:%d: statement %016" PRIx64 " is not allowed any more: that ended at %s.",
                          config->path, entry->line, entry->fingerprint, until);
        notice(arg, text);
        free(text);
        free(until);
    }
}

void check_notices(const Config *config, CheckNotice *notice, void *arg) {
    struct stat st;

    if (config->coordinator)
        notice_tls(config, notice, arg);
    if (config->client_tls == CLIENT_TLS_DISABLE && (config->client_tls_cert || config->client_tls_key))
        notice(arg, "client_tls_cert and client_tls_key have no effect with client_tls = disable.");
    if (config->client_tls != CLIENT_TLS_DISABLE && config->client_tls_key &&
        stat(config->client_tls_key, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP)) != 0)
        notice(arg, "The file of client_tls_key is open to other users: chmod 600 it.");
    if (config->max_login_clients > config->max_clients)
        notice(arg, "max_login_clients has no effect above max_clients.");
    if (config->listen && !config->control_conninfo)
        notice(arg, "Without conninfo in section [control] every statement is passed on as it is.");
    else if (config->listen && !config->tenant_table)
        notice(arg, "Without a section [tenant] no statement is rewritten.");
    notice_expired(config, notice, arg);
}

char *check_describe(const Config *config) {
    static const char *const server_leg[] = {
        [CONNINFO_TLS_NEVER] = "never",
        [CONNINFO_TLS_RARELY] = "where the server insists on it",
        [CONNINFO_TLS_OFFERED] = "where the server has it",
        [CONNINFO_TLS_ALWAYS] = "always",
    };
    static const char *const client_leg[] = {[CLIENT_TLS_DISABLE] = "never",
                                             [CLIENT_TLS_ALLOW] = "where the client asks for it",
                                             [CLIENT_TLS_REQUIRE] = "always"};
    const char *sslmode;
    ConninfoTls server;

    if (!config->coordinator)
        return mem_strdup("authentication: none, there is no coordinator");
    server = conninfo_tls(config->coordinator, &sslmode);
    return mem_printf(
        "authentication: passed through to the server; TLS from clients: %s (client_tls = %s); TLS to the "
        "coordinator: %s (sslmode=%s)",
        client_leg[config->client_tls], client_tls_name(config), server_leg[server], sslmode);
}
