/* libpq's own parser takes the strings apart; a const table says which keywords the coordinator setting may
 * have. */
#include "conf/conninfo.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

typedef enum Checked { CHECKED_TEXT, CHECKED_NUMBER, CHECKED_PORT } Checked;

static const struct {
    const char *keyword;
    Checked checked;
} coordinator_keywords[] = {
    {"host", CHECKED_TEXT},
    {"hostaddr", CHECKED_TEXT},
    {"port", CHECKED_PORT},
    {"sslmode", CHECKED_TEXT},
    {"sslrootcert", CHECKED_TEXT},
    {"sslcert", CHECKED_TEXT},
    {"sslkey", CHECKED_TEXT},
    {"sslcrl", CHECKED_TEXT},
    {"connect_timeout", CHECKED_NUMBER},
    {"keepalives", CHECKED_NUMBER},
    {"keepalives_idle", CHECKED_NUMBER},
    {"keepalives_interval", CHECKED_NUMBER},
    {"keepalives_count", CHECKED_NUMBER},
};

static const char KEYWORDS[] =
    "host, hostaddr, port, sslmode, sslrootcert, sslcert, sslkey, sslcrl, connect_timeout, "
    "keepalives, keepalives_idle, keepalives_interval, keepalives_count";

static const struct {
    const char *keyword;
    const char *reason;
} refused_keywords[] = {
    {"user", "the role is the one that each client connects as"},
    {"password", "each client gives its own to the server; shardferry holds none"},
    {"dbname", "the database is the one that each client asks for"},
};

static const struct {
    const char *name;
    ConninfoTls tls;
} sslmodes[] = {
    {"disable", CONNINFO_TLS_NEVER},    {"allow", CONNINFO_TLS_RARELY},
    {"prefer", CONNINFO_TLS_OFFERED},   {"require", CONNINFO_TLS_ALWAYS},
    {"verify-ca", CONNINFO_TLS_ALWAYS}, {"verify-full", CONNINFO_TLS_ALWAYS},
};
static const char SSLMODE_NAMES[] = "disable, allow, prefer, require, verify-ca, verify-full";

static PQconninfoOption *parse(const char *conninfo, Error *err) {
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);

    if (options)
        return options;
    if (message)
        message[strcspn(message, "\n")] = '\0';
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "not a connection string: %s",
              message ? message : "out of memory");
    error_hint(err,
               "allowed: keyword=value pairs as libpq reads them, such as host=db.example.com port=5432");
    PQfreemem(message);
    return NULL;
}

/* NULL for a keyword that is not given, or is empty. */
static const char *option(const PQconninfoOption *options, const char *keyword) {
    for (; options->keyword; options++)
        if (strcmp(options->keyword, keyword) == 0)
            return options->val && options->val[0] ? options->val : NULL;
    return NULL;
}

static bool check_number(const char *keyword, const char *value, Checked checked, Error *err) {
    size_t len = strspn(value, "0123456789");
    long number = strtol(value, NULL, 10);

    if (checked == CHECKED_TEXT)
        return true;
    if (value[len] || len > 9 || (checked == CHECKED_PORT && (number < 1 || number > 65535))) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s=%s is out of range", keyword, value);
        return error_hint(err, checked == CHECKED_PORT ? "allowed: 1 to 65535; one port"
                                                       : "allowed: a whole number");
    }
    return true;
}

static bool check_keyword(const char *keyword, const char *value, Error *err) {
    for (size_t i = 0; i < ARRAY_LEN(coordinator_keywords); i++)
        if (strcmp(coordinator_keywords[i].keyword, keyword) == 0)
            return check_number(keyword, value, coordinator_keywords[i].checked, err);
    for (size_t i = 0; i < ARRAY_LEN(refused_keywords); i++)
        if (strcmp(refused_keywords[i].keyword, keyword) == 0) {
            error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s has no place here: %s", keyword,
                      refused_keywords[i].reason);
            return error_hint(err, "Leave it out. shardferry's own connection is [control] conninfo.");
        }
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the keyword %s has no effect here", keyword);
    return error_hint(err, "allowed: %s", KEYWORDS);
}

static bool check_sslmode(const PQconninfoOption *options, Error *err) {
    const char *mode = option(options, "sslmode");

    for (size_t i = 0; mode && i < ARRAY_LEN(sslmodes); i++)
        if (strcmp(sslmodes[i].name, mode) == 0)
            mode = NULL;
    if (!mode)
        return true;
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "sslmode=%s is unknown", mode);
    return error_hint(err, "allowed: %s", SSLMODE_NAMES);
}

static bool check_hosts(const PQconninfoOption *options, Error *err) {
    const char *host = option(options, "host"), *hostaddr = option(options, "hostaddr");
    unsigned char address[sizeof(struct in6_addr)];

    if (!host && !hostaddr) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the host is missing");
        return error_hint(err,
                          "for example: host=db.example.com port=5432, or the directory of a Unix socket: "
                          "host=/var/run/postgresql");
    }
    if ((host && strchr(host, ',')) || (hostaddr && strchr(hostaddr, ','))) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "more than one host is given");
        return error_hint(err,
                          "Name the coordinator alone: which server would take a write is not tried out.");
    }
    if (hostaddr && inet_pton(AF_INET, hostaddr, address) != 1 &&
        inet_pton(AF_INET6, hostaddr, address) != 1) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "hostaddr=%s is not a numeric address", hostaddr);
        return error_hint(err, "A name belongs in host.");
    }
    return true;
}

bool conninfo_check_coordinator(const char *conninfo, Error *err) {
    PQconninfoOption *options = parse(conninfo, err);
    bool ok = options != NULL;

    for (const PQconninfoOption *o = options; ok && o->keyword; o++)
        if (o->val)
            ok = check_keyword(o->keyword, o->val, err);
    ok = ok && check_hosts(options, err) && check_sslmode(options, err);
    PQconninfoFree(options);
    return ok;
}

bool conninfo_check_control(const char *conninfo, Error *err) {
    PQconninfoOption *options = parse(conninfo, err);
    const char *replication = options ? option(options, "replication") : NULL;
    bool ok = options && check_sslmode(options, err);

    if (ok && replication) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR,
                  "replication has no place here: the catalog is read by SQL");
        ok = error_hint(err, "Leave it out.");
    }
    PQconninfoFree(options);
    return ok;
}

ConninfoTls conninfo_tls(const char *conninfo, const char **sslmode) {
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    const char *host = options ? option(options, "host") : NULL;
    const char *mode = options ? option(options, "sslmode") : NULL;
    bool unix_socket = host && !option(options, "hostaddr") && (host[0] == '/' || host[0] == '@');
    ConninfoTls tls = CONNINFO_TLS_OFFERED;

    *sslmode = "prefer";
    for (size_t i = 0; mode && i < ARRAY_LEN(sslmodes); i++)
        if (strcmp(sslmodes[i].name, mode) == 0) {
            *sslmode = sslmodes[i].name;
            tls = sslmodes[i].tls;
        }
    PQconninfoFree(options);
    return unix_socket ? CONNINFO_TLS_NEVER : tls;
}

static bool is_secret(const char *keyword) {
    return strcmp(keyword, "password") == 0 || strcmp(keyword, "sslpassword") == 0;
}

static void append_pair(Buf *b, const char *keyword, const char *value) {
    bool plain = *value && !strpbrk(value, " \t\r\n\v\f'\\");

    buf_printf(b, "%s%s=", buf_len(b) > 0 ? " " : "", keyword);
    if (!plain)
        buf_append_cstr(b, "'");
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            buf_append_cstr(b, "\\");
        buf_append(b, value, 1);
    }
    if (!plain)
        buf_append_cstr(b, "'");
}

char *conninfo_without_password(const char *conninfo) {
    PQconninfoOption *options = PQconninfoParse(conninfo, NULL);
    bool secret = !options; /* what cannot be read is not shown */
    Buf b = {0};
    char *text;

    for (const PQconninfoOption *o = options; o && o->keyword; o++) {
        if (!o->val)
            continue;
        secret = secret || is_secret(o->keyword);
        append_pair(&b, o->keyword, is_secret(o->keyword) ? "***" : o->val);
    }
    buf_put_u8(&b, 0);
    text = mem_strdup(secret ? (const char *)buf_ptr(&b) : conninfo);
    buf_free(&b);
    PQconninfoFree(options);
    return text;
}
