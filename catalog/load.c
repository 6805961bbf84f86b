/* Loading a snapshot from a server: a handful of queries, one each for tables, columns, keys, foreign keys,
 * …, and no query for a single table. Rows refer to tables by OID and to columns by attribute number. */
#include "catalog/load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "catalog/builder.h"
#include "catalog/query.h"
#include "catalog/sql/load_begin.h"
#include "catalog/sql/load_blockers.h"
#include "catalog/sql/load_citus.h"
#include "catalog/sql/load_citus_remains.h"
#include "catalog/sql/load_columns.h"
#include "catalog/sql/load_database.h"
#include "catalog/sql/load_detached_keys.h"
#include "catalog/sql/load_file_search_path.h"
#include "catalog/sql/load_foreign_keys.h"
#include "catalog/sql/load_keys.h"
#include "catalog/sql/load_schemas.h"
#include "catalog/sql/load_search_path.h"
#include "catalog/sql/load_settings.h"
#include "catalog/sql/load_stages.h"
#include "catalog/sql/load_tables.h"

enum { MAX_KEY_COLUMNS = 128 }; /* beyond INDEX_MAX_KEYS of any build */

/* Parts of a lease. */
#define WHOLE_PART 2
#define LOCK_PART 20

#define LOCK_NOT_AVAILABLE "55P03"

typedef struct TableByOid {
    uint32_t oid;
    Table *table; /* NULL: it is none of the application's */
    UT_hash_handle hh;
} TableByOid;

typedef struct Loader {
    PGconn *conn;
    SnapshotBuilder *builder;
    Snapshot *target;
    Arena *arena;
    TableByOid *by_oid;
    bool has_stages;
    bool has_detached_keys;
    bool has_remains; /* of tables that Citus has distributed */
    bool reads_files; /* may read pg_file_settings */
    const char *built_in_path;
    int64_t deadline; /* ms of clock_ms; 0 outside of the transaction */
    Error *err;
} Loader;

static uint32_t oid_at(const PGresult *result, int row, int column) {
    return (uint32_t)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

static Table *table_at(const Loader *loader, const PGresult *result, int row, int column) {
    uint32_t oid = oid_at(result, row, column);
    TableByOid *entry;

    HASH_FIND(hh, loader->by_oid, &oid, sizeof(oid), entry);
    return entry ? entry->table : NULL;
}

static const char *optional(const Loader *loader, const PGresult *result, int row, int column) {
    const char *text = query_text(result, row, column);

    return text ? arena_strdup(loader->arena, text) : NULL;
}

/* ---- the time that it may take ---- */

static int64_t clock_ms(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool begin(Loader *loader, int lease, Error *err) {
    char limit[64];

    snprintf(limit, sizeof(limit), "SET LOCAL lock_timeout = %d", lease / LOCK_PART + 1);
    loader->deadline = clock_ms() + lease / WHOLE_PART;
    return query_script(loader->conn, "reading the catalog", sql_load_begin, err) &&
           query_script(loader->conn, "reading the catalog", limit, err);
}

/* Gives the next statement the time that is left. */
static bool limit_statement(const Loader *loader, const char *what) {
    int64_t left = loader->deadline - clock_ms();
    char limit[64];

    if (loader->deadline == 0)
        return true;
    snprintf(limit, sizeof(limit), "SET LOCAL statement_timeout = %" PRId64, left > 1 ? left : 1);
    return query_script(loader->conn, what, limit, loader->err);
}

/* Adds to the error of a load, whose transaction has been rolled back, what it was that took the time. */
static void explain(PGconn *conn, int lease, Error *err) {
    static const char begin_quickly[] = "BEGIN READ ONLY; SET LOCAL statement_timeout = 100";
    PGresult *blockers = NULL;
    Error ignored;

    if (strcmp(err->sqlstate, SQLSTATE_QUERY_CANCELED) == 0) {
        error_detail(err, "It was not done after %d ms, half of the lease.", lease / WHOLE_PART);
        error_hint(err, "Where the catalog is large, raise lease in [control].");
    }
    if (strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) != 0)
        return;
    error_hint(err, "The catalog can be read when the lock is gone.");
    if (query_script(conn, "looking for locks", begin_quickly, &ignored))
        blockers = query_run(conn, "looking for locks", sql_load_blockers, 0, NULL, &ignored);
    if (blockers && query_text(blockers, 0, 0))
        error_detail(err, "%s.", query_text(blockers, 0, 0));
    PQclear(blockers);
    query_rollback(conn);
}

/* ---- rows ---- */

/* One query without parameters, each row of it given to `take`. */
static bool each_row(Loader *loader, const char *what, const char *sql,
                     bool (*take)(Loader *loader, const PGresult *result, int row)) {
    PGresult *result =
        limit_statement(loader, what) ? query_run(loader->conn, what, sql, 0, NULL, loader->err) : NULL;
    bool done = result != NULL;

    for (int row = 0; done && row < PQntuples(result); row++)
        done = take(loader, result, row);
    PQclear(result);
    return done;
}

static bool take_database(Loader *loader, const PGresult *result, int row) {
    Snapshot *target = loader->target;

    target->server_version = arena_strdup(loader->arena, PQgetvalue(result, row, 0));
    target->server_version_num = (int)query_int(result, row, 1);
    target->database = arena_strdup(loader->arena, PQgetvalue(result, row, 2));
    target->has_citus = query_bool(result, row, 3);
    loader->has_stages = query_bool(result, row, 4);
    loader->reads_files = query_bool(result, row, 5);
    loader->has_detached_keys = query_bool(result, row, 6);
    loader->has_remains = query_bool(result, row, 7);
    return true;
}

/* Leaves search_path NULL where this connection cannot see the server's own value. */
static bool take_search_path(Loader *loader, const PGresult *result, int row) {
    loader->built_in_path = arena_strdup(loader->arena, PQgetvalue(result, row, 0));
    loader->target->search_path = optional(loader, result, row, 1);
    return true;
}

static bool take_file_search_path(Loader *loader, const PGresult *result, int row) {
    loader->target->search_path = arena_strdup(loader->arena, PQgetvalue(result, row, 0));
    return true;
}

static bool take_schema(Loader *loader, const PGresult *result, int row) {
    snapshot_add_schema(loader->builder, PQgetvalue(result, row, 0));
    return true;
}

static bool take_setting(Loader *loader, const PGresult *result, int row) {
    snapshot_add_setting(loader->builder, query_text(result, row, 0), query_text(result, row, 1),
                         PQgetvalue(result, row, 2), PQgetvalue(result, row, 3));
    return true;
}

/* Keeps it from being taken for a table. */
static bool take_remains(Loader *loader, const PGresult *result, int row) {
    uint32_t oid = oid_at(result, row, 0);
    TableByOid *entry;

    HASH_FIND(hh, loader->by_oid, &oid, sizeof(oid), entry);
    if (entry)
        return true;
    entry = ARENA_NEW(loader->arena, TableByOid);
    entry->oid = oid;
    HASH_ADD(hh, loader->by_oid, oid, sizeof(entry->oid), entry);
    return true;
}

static bool take_table(Loader *loader, const PGresult *result, int row) {
    uint32_t oid = oid_at(result, row, 0);
    TableByOid *entry;

    HASH_FIND(hh, loader->by_oid, &oid, sizeof(oid), entry);
    if (entry)
        return true;
    entry = ARENA_NEW(loader->arena, TableByOid);
    entry->oid = oid;
    entry->table = snapshot_add_table(loader->builder, PQgetvalue(result, row, 1), PQgetvalue(result, row, 2),
                                      PQgetvalue(result, row, 3)[0]);
    entry->table->oid = entry->oid;
    entry->table->partition_of = optional(loader, result, row, 4);
    entry->table->row_estimate = query_int(result, row, 5);
    entry->table->view_definition = optional(loader, result, row, 6);
    HASH_ADD(hh, loader->by_oid, oid, sizeof(entry->oid), entry);
    return true;
}

static bool take_column(Loader *loader, const PGresult *result, int row) {
    Table *table = table_at(loader, result, row, 0);
    Column *column;

    if (!table)
        return true;
    column =
        snapshot_add_column(loader->builder, table, PQgetvalue(result, row, 1), PQgetvalue(result, row, 3),
                            PQgetvalue(result, row, 4), PQgetvalue(result, row, 5));
    column->position = (int)query_int(result, row, 2);
    column->not_null = query_bool(result, row, 6);
    column->default_expr = optional(loader, result, row, 7);
    column->identity = PQgetvalue(result, row, 8)[0];
    column->generated = query_bool(result, row, 9);
    return true;
}

static const char *column_by_position(const Loader *loader, const Table *table, long position) {
    const Column *column;
    /* Without dropped columns the index is the position less one; with some it is smaller. */
    int index = position > 0 && position < 1 << 15 ? (int)position - 1 : -1;

    for (; index >= 0; index--) {
        column = snapshot_column_at(loader->builder, table, index);
        if (column && column->position == position)
            return column->name;
    }
    return NULL;
}

/* Reads "1 3" (int2vector) or "{1,3}" (int2[]), at most `limit` of them, as names; 0, an expression, gives
 * NULL. */
static int column_names(const Loader *loader, const Table *table, const char *numbers, int limit,
                        const char **names) {
    int n = 0;

    while (*numbers && n < limit && n < MAX_KEY_COLUMNS) {
        char *end;
        long position = strtol(numbers, &end, 10);

        if (end == numbers)
            numbers++;
        else
            names[n++] = column_by_position(loader, table, position);
        numbers = end > numbers ? end : numbers;
    }
    return n;
}

static bool take_key(Loader *loader, const PGresult *result, int row) {
    Table *table = table_at(loader, result, row, 0);
    const char *names[MAX_KEY_COLUMNS];
    int n;

    if (!table)
        return true;
    n = column_names(loader, table, PQgetvalue(result, row, 5), (int)query_int(result, row, 6), names);
    return snapshot_add_key(loader->builder, table, PQgetvalue(result, row, 1), query_bool(result, row, 2),
                            query_bool(result, row, 3), query_bool(result, row, 4), names, n, loader->err);
}

static bool take_foreign_key(Loader *loader, const PGresult *result, int row) {
    Table *child = table_at(loader, result, row, 0), *parent = table_at(loader, result, row, 1);
    const char *child_names[MAX_KEY_COLUMNS], *parent_names[MAX_KEY_COLUMNS];
    int n;

    if (!child || !parent)
        return true;
    n = column_names(loader, child, PQgetvalue(result, row, 3), MAX_KEY_COLUMNS, child_names);
    if (column_names(loader, parent, PQgetvalue(result, row, 4), MAX_KEY_COLUMNS, parent_names) != n)
        return true;
    for (int i = 0; i < n; i++) {
        if (!child_names[i] || !parent_names[i])
            return true; /* changed while the catalog was read; the next load will see it whole */
    }
    return snapshot_add_foreign_key(loader->builder, child, parent, PQgetvalue(result, row, 2), child_names,
                                    parent_names, n,
                                    (ForeignKeyRules){.validated = query_bool(result, row, 5),
                                                      .on_delete = PQgetvalue(result, row, 6)[0],
                                                      .on_update = PQgetvalue(result, row, 7)[0],
                                                      .deferrable = query_bool(result, row, 8)},
                                    loader->err);
}

static bool take_detached_key(Loader *loader, const PGresult *result, int row) {
    const Table *child = table_at(loader, result, row, 0);

    return (child && snapshot_trust_foreign_key(loader->builder, child, PQgetvalue(result, row, 2),
                                                query_bool(result, row, 5))) ||
           take_foreign_key(loader, result, row);
}

static bool take_citus(Loader *loader, const PGresult *result, int row) {
    static const struct {
        const char *name;
        CitusKind kind;
    } kinds[] = {{"distributed", CITUS_DISTRIBUTED}, {"reference", CITUS_REFERENCE}, {"local", CITUS_LOCAL}};
    Table *table = table_at(loader, result, row, 0);

    if (!table)
        return true;
    table->citus = CITUS_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(PQgetvalue(result, row, 1), kinds[i].name) == 0)
            table->citus = kinds[i].kind;
    }
    table->citus_column = optional(loader, result, row, 2);
    return true;
}

static bool take_stage(Loader *loader, const PGresult *result, int row) {
    const char *schema = query_text(result, row, 1);
    Table *table = schema ? snapshot_find_table(loader->builder, schema, PQgetvalue(result, row, 2)) : NULL;
    Stage stage;

    loader->target->epoch = query_int(result, row, 0);
    if (!table)
        return true;
    if (!stage_parse(PQgetvalue(result, row, 3), &stage)) {
        error_set(loader->err, SQLSTATE_INTERNAL_ERROR, "shardferry.stage has the stage \"%s\" for %s.%s",
                  PQgetvalue(result, row, 3), table->schema, table->name);
        return error_hint(loader->err,
                          "A newer version of shardferry may have written it: use that version.");
    }
    snapshot_add_stage(loader->builder, table, stage, PQgetvalue(result, row, 4),
                       strcmp(PQgetvalue(result, row, 5), kind_name(KIND_BACKFILL)) == 0);
    return true;
}

static bool load_all(Loader *loader) {
    Snapshot *target = loader->target;

    if (!target->search_path && loader->reads_files &&
        !each_row(loader, "reading the search path", sql_load_file_search_path, take_file_search_path))
        return false;
    if (!target->search_path)
        target->search_path = loader->built_in_path;
    return each_row(loader, "reading the schemas", sql_load_schemas, take_schema) &&
           each_row(loader, "reading the settings", sql_load_settings, take_setting) &&
           (!loader->has_remains ||
            each_row(loader, "reading what Citus has left", sql_load_citus_remains, take_remains)) &&
           each_row(loader, "reading the tables", sql_load_tables, take_table) &&
           each_row(loader, "reading the columns", sql_load_columns, take_column) &&
           each_row(loader, "reading the keys", sql_load_keys, take_key) &&
           each_row(loader, "reading the foreign keys", sql_load_foreign_keys, take_foreign_key) &&
           (!loader->has_detached_keys ||
            each_row(loader, "reading the detached keys", sql_load_detached_keys, take_detached_key)) &&
           (!target->has_citus || each_row(loader, "reading Citus's tables", sql_load_citus, take_citus)) &&
           (!loader->has_stages || each_row(loader, "reading the stages", sql_load_stages, take_stage));
}

Snapshot *catalog_load(PGconn *conn, const Config *config, Error *err) {
    return catalog_load_in_stage(conn, config, STAGE_OBSERVE, err);
}

Snapshot *catalog_load_in_stage(PGconn *conn, const Config *config, Stage stage, Error *err) {
    Loader loader = {.conn = conn, .builder = snapshot_builder_new(), .err = err};

    snapshot_assume_stage(loader.builder, stage);
    loader.target = snapshot_builder_target(loader.builder);
    loader.arena = snapshot_builder_arena(loader.builder);
    if (PQtransactionStatus(conn) != PQTRANS_IDLE) {
        error_set(err, SQLSTATE_CONNECTION_FAILURE,
                  "reading the catalog: the connection is not ready for it");
        goto failed;
    }
    if (!each_row(&loader, "reading the search path", sql_load_search_path, take_search_path) ||
        !begin(&loader, config->lease, err) ||
        !each_row(&loader, "reading the database", sql_load_database, take_database) || !load_all(&loader) ||
        !query_script(conn, "reading the catalog", "COMMIT", err))
        goto failed;
    HASH_CLEAR(hh, loader.by_oid);
    return snapshot_build(loader.builder, config, err);
failed:
    query_rollback(conn);
    explain(conn, config->lease, err);
    HASH_CLEAR(hh, loader.by_oid);
    snapshot_builder_free(loader.builder);
    return NULL;
}
