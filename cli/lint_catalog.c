/* From a dump or from the server. */
#include "cli/lint_catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "catalog/dump.h"
#include "catalog/load.h"

static MUST_USE bool read_whole(const char *path, Buf *text, Error *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    if (fd >= 0) {
        do {
            n = read(fd, buf_reserve(text, 65536), 65536);
            text->end += n > 0 ? (size_t)n : 0;
        } while (n > 0 || (n < 0 && errno == EINTR));
    }
    if (n < 0)
        error_set(err, "58030", "%s: cannot read: %s", path, strerror(errno));
    if (!is_stdin && fd >= 0)
        close(fd);
    return n == 0;
}

static Snapshot *load_schema(const char *path, const Config *config, Stage stage, Error *err) {
    Buf text = {0};
    Snapshot *snapshot = NULL;
    if (read_whole(path, &text, err)) {
        buf_append(&text, "", 1); /* parsers like a NUL behind what they read */
        Str schema = {(const char *)buf_ptr(&text), buf_len(&text) - 1};
        snapshot = catalog_from_dump_in_stage(schema, path, config, stage, err);
    }
    buf_free(&text);
    return snapshot;
}

PGconn *lint_catalog_connect(const Config *config, Error *err) {
    const char *const keywords[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
    const char *const values[] = {config->control_conninfo, "shardferry lint", "UTF8", NULL};
    PGconn *conn = PQconnectdbParams(keywords, values, 1);
    Str message = str_trim(str_of(PQerrorMessage(conn)));
    if (PQstatus(conn) == CONNECTION_OK)
        return conn;
    error_set(err, SQLSTATE_CANNOT_CONNECT, "[control] conninfo: %.*s", STR_ARG(message));
    PQfinish(conn);
    return NULL;
}

static Snapshot *load_server(const Config *config, Stage stage, Error *err) {
    PGconn *conn = lint_catalog_connect(config, err);
    Snapshot *snapshot = conn ? catalog_load_in_stage(conn, config, stage, err) : NULL;
    PQfinish(conn);
    return snapshot;
}

Snapshot *lint_catalog_load(const Config *config, const char *schema, Stage stage, Error *err) {
    if (schema)
        return load_schema(schema, config, stage, err);
    if (config->control_conninfo)
        return load_server(config, stage, err);
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "there is no schema to judge by");
    error_hint(err, "Give --schema DUMP.sql, or set conninfo in section [control].");
    return NULL;
}
