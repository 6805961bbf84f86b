/* A running proxy's console, through libpq: connecting, and reading SHOW AUDIT by its columns' names, so that
 * a proxy of another version is understood as far as it goes. */
#include "cli/lint_console.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/query.h"

#define DATABASE "shardferry"
#define MAX_KEYWORDS 64

/* ---- where it is ---- */

/* Keywords of libpq and their values; strings are borrowed. */
typedef struct ConsoleTarget {
    const char *keywords[MAX_KEYWORDS + 1];
    const char *values[MAX_KEYWORDS + 1];
    int n;
} ConsoleTarget;

static void put(ConsoleTarget *target, const char *keyword, const char *value) {
    target->keywords[target->n] = keyword;
    target->values[target->n++] = value;
}

static const char *value_of(const ConsoleTarget *target, const char *keyword) {
    for (int i = 0; i < target->n; i++)
        if (strcmp(target->keywords[i], keyword) == 0)
            return target->values[i];
    return NULL;
}

static void put_default(ConsoleTarget *target, const char *keyword, const char *value) {
    if (!value_of(target, keyword))
        put(target, keyword, value);
}

/* What a connection string says. */
static MUST_USE bool target_of_conninfo(ConsoleTarget *target, const char *conninfo, Arena *arena,
                                        Error *err) {
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    if (!options) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "--console: %.*s", STR_ARG(str_trim(str_of(message))));
        PQfreemem(message);
        return false;
    }
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (o->val && target->n < MAX_KEYWORDS - 8)
            put(target, arena_strdup(arena, o->keyword), arena_strdup(arena, o->val));
    PQconninfoFree(options);
    return true;
}

/* Whether the proxy's socket is there and takes this process for its owner. */
static bool owns_socket(const char *dir, const char *port, Arena *arena) {
    struct stat st;
    return stat(arena_printf(arena, "%s/.s.PGSQL.%s", dir, port), &st) == 0 &&
           (geteuid() == 0 || geteuid() == st.st_uid);
}

/* A proxy that listens on all addresses answers on the loopback one. */
static const char *address_to_ask(const char *listened) {
    if (!*listened || strcmp(listened, "*") == 0 || strcmp(listened, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(listened, "::") == 0 ? "::1" : listened;
}

/* That of the proxy which runs with this configuration: by its Unix socket if it has one. */
static MUST_USE bool target_of_config(ConsoleTarget *target, const Config *config, Arena *arena, Error *err) {
    char **listened = config->listen ? config_split(config->listen) : NULL;
    char **admins = config->admin_users ? config_split(config->admin_users) : NULL;
    char *host = NULL;
    int port = 0;
    bool owner = false, ok = false;
    if (!listened || !listened[0]) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the configuration does not say where the proxy is");
        error_hint(err, "Set listen in section [proxy], or give --console CONNINFO.");
        goto done;
    }
    if (!config_address(listened[0], &host, &port, err))
        goto done;
    put(target, "port", arena_printf(arena, "%d", port));
    if (config->unix_socket_dir) {
        put(target, "host", config->unix_socket_dir);
        owner = owns_socket(config->unix_socket_dir, value_of(target, "port"), arena);
    } else {
        put(target, "host", arena_strdup(arena, address_to_ask(host)));
    }
    if (!owner && admins && admins[0] && !getenv("PGUSER"))
        put(target, "user", arena_strdup(arena, admins[0]));
    ok = true;
done:
    free(host);
    free(listened);
    free(admins);
    return ok;
}

/* ---- connecting ---- */

static const char *name_of(const ConsoleTarget *target, Arena *arena) {
    const char *host = value_of(target, "host"), *port = value_of(target, "port");
    host = host ? host : value_of(target, "hostaddr");
    return arena_printf(arena, "%s%s%s", host ? host : "the default address", port ? ":" : "",
                        port ? port : "");
}

/* NULL with `err`. */
static PGconn *connect_console(ConsoleTarget *target, const char *name, Error *err) {
    put_default(target, "dbname", DATABASE);
    put_default(target, "connect_timeout", "10");
    put_default(target, "fallback_application_name", "shardferry lint");
    PGconn *conn = PQconnectdbParams(target->keywords, target->values, 0);
    Str message = str_trim(str_of(PQerrorMessage(conn)));
    const char *version = PQparameterStatus(conn, "server_version");
    if (PQstatus(conn) != CONNECTION_OK) {
        error_set(err, SQLSTATE_CANNOT_CONNECT, "the console of the proxy at %s: %.*s", name,
                  STR_ARG(message));
        error_hint(err,
                   "The proxy must be running, and the role be one of [proxy] admin_users or the user be the "
                   "proxy's own on its Unix socket; --console CONNINFO says where it is and who asks.");
    } else if (!version || !strstr(version, "shardferry")) {
        error_set(err, SQLSTATE_CANNOT_CONNECT,
                  "%s is no console of a shardferry proxy but a server of version %s", name,
                  version ? version : "(none)");
        error_hint(err, "Give the address that the proxy listens on, and no dbname or dbname=" DATABASE ".");
    } else {
        return conn;
    }
    PQfinish(conn);
    return NULL;
}

/* ---- rows ---- */

typedef struct Reader {
    PGresult *result;
    int row;
    Arena *arena;
} Reader;

/* NULL also for a column that this proxy does not have, and for an empty text. */
static const char *text(const Reader *reader, const char *column) {
    int i = PQfnumber(reader->result, column);
    if (i < 0 || PQgetisnull(reader->result, reader->row, i) || !*PQgetvalue(reader->result, reader->row, i))
        return NULL;
    return arena_strdup(reader->arena, PQgetvalue(reader->result, reader->row, i));
}

static uint64_t number(const Reader *reader, const char *column, int base) {
    const char *value = text(reader, column);
    return value ? strtoull(value, NULL, base) : 0;
}

static double milliseconds(const Reader *reader, const char *column) {
    const char *value = text(reader, column);
    double ms = value ? strtod(value, NULL) : 0;
    return isfinite(ms) ? ms : 0;
}

/* Splits a list of names as SQL writes them at its commas; one in quotes belongs to a name. */
static const char *const *names(const Reader *reader, const char *column, int *n) {
    const char *list = text(reader, column);
    *n = 0;
    if (!list)
        return NULL;
    const char **items = ARENA_ARRAY(reader->arena, const char *, strlen(list) + 1);
    bool quoted = false;
    for (const char *start = list, *p = list;; p++) {
        if (*p == '"')
            quoted = !quoted;
        if (*p && !(*p == ',' && !quoted))
            continue;
        if (p > start)
            items[(*n)++] = arena_strndup(reader->arena, start, (size_t)(p - start));
        if (!*p)
            return items;
        while (p[1] == ' ')
            p++;
        start = p + 1;
    }
}

static MUST_USE bool read_verdict(const Reader *reader, Verdict *verdict, Error *err) {
    const char *name = text(reader, "verdict");
    for (int i = 0; name && i < LINT_VERDICTS; i++)
        if (strcmp(name, verdict_name((Verdict)i)) == 0) {
            *verdict = (Verdict)i;
            return true;
        }
    return error_set(err, SQLSTATE_PROTOCOL_VIOLATION, "the proxy gives a verdict that is not known here: %s",
                     name ? name : "(none)");
}

static const char *member(const json_t *object, const char *name, Arena *arena) {
    const char *value = json_string_value(json_object_get(object, name));
    return value ? arena_strdup(arena, value) : NULL;
}

static uint64_t count_of(const json_t *object, const char *name) {
    json_int_t n = json_integer_value(json_object_get(object, name));
    return n > 0 ? (uint64_t)n : 0;
}

static void read_clients(const Reader *reader, LintConsoleRow *row) {
    const char *value = text(reader, "applications");
    json_t *array = value ? json_loads(value, 0, NULL) : NULL;
    size_t n = json_array_size(array);
    row->clients = ARENA_ARRAY(reader->arena, LintClient, n + 1);
    for (size_t i = 0; i < n; i++) {
        const json_t *client = json_array_get(array, i);
        row->clients[row->nclients++] = (LintClient){
            .application = member(client, "application", reader->arena),
            .user = member(client, "user", reader->arena),
            .calls = count_of(client, "calls"),
            .errors = count_of(client, "errors"),
            .total_ms = json_number_value(json_object_get(client, "total_ms")),
            .blocked = count_of(client, "blocked"),
            .noticed = count_of(client, "noticed"),
        };
    }
    json_decref(array);
}

static MUST_USE bool read_row(const Reader *reader, LintConsoleRow *row, Error *err) {
    StatementDecision *d = &row->decision;
    const char *refused = text(reader, "refused"), *rewritten = text(reader, "rewritten");
    const char *sample = text(reader, "sample");
    if (!read_verdict(reader, &d->verdict, err))
        return false;
    row->fingerprint = number(reader, "fingerprint", 16);
    d->tables = names(reader, "tables", &d->ntables);
    d->unscoped = names(reader, "unscoped", &d->nunscoped);
    d->reason = text(reader, "reason");
    d->suggestion = text(reader, "suggestion");
    d->citus_error = text(reader, "citus_error");
    d->rewrite_note = text(reader, "note");
    d->rewritten = rewritten && rewritten[0] == 't';
    if (refused) {
        Refusal *refusal = ARENA_NEW(reader->arena, Refusal);
        refusal->message = refused;
        d->refusal = refusal;
    }
    row->sample = sample ? sample : "";
    row->proposed = text(reader, "proposed");
    d->proposed = row->proposed != NULL;
    row->sent = text(reader, "sent");
    row->application = text(reader, "application");
    row->user = text(reader, "user");
    row->first_seen = text(reader, "first_seen");
    row->last_seen = text(reader, "last_seen");
    row->calls = number(reader, "calls", 10);
    row->errors = number(reader, "errors", 10);
    row->blocked = number(reader, "blocked", 10);
    row->noticed = number(reader, "noticed", 10);
    row->total_ms = milliseconds(reader, "total_ms");
    row->max_ms = milliseconds(reader, "max_ms");
    read_clients(reader, row);
    return true;
}

/* ---- what the proxy is ---- */

/* NULL without an answer: what it is good for is not needed. */
static const char *ask(PGconn *conn, const char *command, const char *column, Arena *arena) {
    PGresult *result = PQexec(conn, command);
    const Reader reader = {.result = result, .arena = arena};
    const char *value = PQntuples(result) > 0 ? text(&reader, column) : NULL;
    PQclear(result);
    return value;
}

/* "3 observe, 2 derive": how many tables there are in each stage. */
static const char *count_stages(PGconn *conn, Arena *arena) {
    PGresult *result = PQexec(conn, "SHOW TABLES");
    int counts[STAGE_DONE + 1] = {0};
    const char *text_of_all = NULL;
    for (Reader reader = {.result = result, .arena = arena}; reader.row < PQntuples(result); reader.row++) {
        const char *name = text(&reader, "stage");
        Stage stage;
        if (name && stage_parse(name, &stage))
            counts[stage]++;
    }
    for (int i = 0; i <= STAGE_DONE; i++)
        if (counts[i] > 0)
            text_of_all = arena_printf(arena, "%s%s%d %s", text_of_all ? text_of_all : "",
                                       text_of_all ? ", " : "", counts[i], stage_name((Stage)i));
    PQclear(result);
    return text_of_all;
}

int lint_console_read(const Config *config, const char *conninfo, Arena *arena, LintPlace *place,
                      LintConsoleRow **rows, Error *err) {
    ConsoleTarget target = {.n = 0};
    PGconn *conn = NULL;
    PGresult *result = NULL;
    int n = -1;
    if (conninfo ? !target_of_conninfo(&target, conninfo, arena, err)
                 : !target_of_config(&target, config, arena, err))
        goto done;
    *place = (LintPlace){.name = name_of(&target, arena)};
    conn = connect_console(&target, place->name, err);
    if (!conn)
        goto done;
    place->version = ask(conn, "SHOW VERSION", "version", arena);
    place->since = ask(conn, "SHOW VERSION", "started", arena);
    place->stages = count_stages(conn, arena);
    result = query_run(conn, "reading the audit", "SHOW AUDIT", 0, NULL, err);
    if (!result)
        goto failed;
    *rows = ARENA_ARRAY(arena, LintConsoleRow, PQntuples(result) + 1);
    for (Reader reader = {.result = result, .arena = arena}; reader.row < PQntuples(result); reader.row++)
        if (!read_row(&reader, &(*rows)[reader.row], err))
            goto failed;
    n = PQntuples(result);
    goto done;
failed:
    error_prefix(err, "the proxy at %s", place->name);
done:
    PQclear(result);
    PQfinish(conn);
    return n;
}
