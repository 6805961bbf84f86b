/* An immutable picture of what matters in the database.
 *
 * A snapshot is built once (from a server: catalog/load.h; from a dump: catalog/dump.h), inferred upon
 * (catalog/tenant.h), frozen, and from then on only read, by any number of threads, until the last reference
 * is dropped. It is replaced whole, never edited. All strings and arrays in it live in its own arena. */
#ifndef CATALOG_SNAPSHOT_H
#define CATALOG_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Snapshot Snapshot;
typedef struct Table Table;
typedef struct Column Column;
typedef struct ForeignKey ForeignKey;

typedef enum TableKind {
    KIND_LOCAL, /* Citus knows nothing of it, or will not */
    KIND_REFERENCE,
    KIND_DISTRIBUTED, /* has the tenant column, or is the tenant table */
    KIND_BACKFILL,    /* reaches a tenant through foreign keys, lacks (or lacked) the column */
} TableKind;

/* Why a table has its kind: shown by SHOW TABLES and plan. */
typedef enum KindReason {
    REASON_CONFIGURED,   /* a [table] section says so */
    REASON_CITUS,        /* pg_dist_partition says so */
    REASON_TENANT_TABLE, /* it is the tenant table */
    REASON_HAS_COLUMN,   /* it has the tenant column */
    REASON_PATH,         /* a foreign-key path leads to a tenant */
    REASON_REFERENCED,   /* tenant tables reference it and it reaches no tenant */
    REASON_NONE,         /* nothing links it to a tenant */
} KindReason;

typedef enum Stage {
    STAGE_OBSERVE,
    STAGE_DERIVE,
    STAGE_KEYED,
    STAGE_RESOLVE,
    STAGE_DISTRIBUTED,
    STAGE_DONE,
} Stage;

/* Names as the user and the database see them: "observe", "backfill", … */
const char *stage_name(Stage stage);
bool stage_parse(const char *name, Stage *stage) MUST_USE;
const char *kind_name(TableKind kind);
const char *reason_text(KindReason reason);

struct Column {
    const char *name;
    int position;            /* attnum; columns are in this order, dropped ones are left out */
    const char *type;        /* as format_type prints it, with typmod: "numeric(10,2)" */
    const char *type_schema; /* of the type without typmod: "pg_catalog" */
    const char *type_name;   /* its pg_type.typname: "numeric", "int8", "_text" */
    bool not_null;
    const char *default_expr; /* as pg_get_expr prints it; NULL without */
    char identity;            /* '\0', 'a' always, 'd' by default */
    bool generated;
};

/* A primary key, a unique constraint or a unique index. */
typedef struct Key {
    const char *name;
    bool primary;
    bool constraint; /* false for a bare unique index */
    bool partial_or_expression;
    const Column **columns; /* in key order; an expression is NULL */
    int ncolumns;
} Key;

struct ForeignKey {
    const char *name;
    const Table *child;
    const Table *parent;
    const Column **child_columns;
    const Column **parent_columns; /* paired with child_columns */
    int ncolumns;
    bool validated;
    bool deferrable; /* not read from a dump */
    char on_delete;  /* pg_constraint.confdeltype: a r c n d */
    char on_update;
};

/* How a row of a table finds its tenant: fks[0] leads from the table to its parent, fks[1] from there on;
 * the last one's parent has the tenant column (`tenant`) as its own. A path of no steps: the table itself
 * has it. */
typedef struct TenantPath {
    const ForeignKey **steps;
    int nsteps;
} TenantPath;

/* What becomes of a write whose tenant nobody knows. */
typedef enum OnUnknown {
    ON_UNKNOWN_AUTO, /* passed before the table is keyed, refused from then on */
    ON_UNKNOWN_PASS,
    ON_UNKNOWN_REFUSE,
} OnUnknown;

/* What is added to statements that read the table. */
typedef enum ReadsMode {
    READS_OFF,
    READS_JOIN,   /* equalities of tenants that follow from the keys */
    READS_FILTER, /* and the session's tenant */
} ReadsMode;

typedef enum CitusKind { CITUS_NONE, CITUS_LOCAL, CITUS_REFERENCE, CITUS_DISTRIBUTED, CITUS_OTHER } CitusKind;

struct Table {
    uint32_t oid; /* 0 from a dump */
    const char *schema;
    const char *name;
    char relkind;             /* 'r' table, 'p' partitioned, 'v' view, 'm' materialised view, 'f' foreign */
    const char *partition_of; /* "schema.name" of the partitioned parent; NULL otherwise */
    const Column *columns;
    int ncolumns;
    const Key *keys;
    int nkeys;
    const ForeignKey **foreign_keys; /* where it is the child */
    int nforeign_keys;
    const ForeignKey **referenced_by; /* where it is the parent */
    int nreferenced_by;
    const char *view_definition; /* pg_get_viewdef; NULL for tables */
    int64_t row_estimate;        /* reltuples; -1 unknown */

    TableKind kind;
    KindReason reason;
    Stage stage;
    const Column *tenant; /* its tenant column; NULL while a backfill table lacks it, and for other kinds */
    const char *tenant_column; /* the name that this column has or will have; NULL for reference and local */
    TenantPath path;           /* of KIND_BACKFILL, and kept once it has its column */
    const TenantPath
        *other_paths; /* of KIND_BACKFILL: the best one by each other first step; all should agree */
    int nother_paths;
    bool staged;          /* shardferry.stage has a row for it: it was taken into the migration */
    bool staged_backfill; /* and had no tenant column then */
    const char *problem;  /* why a backfill table cannot be: no path, a type mismatch; NULL if all is well */
    OnUnknown on_unknown;
    ReadsMode reads;
    bool hide_tenant; /* its tenant column is not to be seen where a statement says * */

    CitusKind citus;
    const char *citus_column; /* distribution column as Citus has it; NULL */
};

/* A setting of a role or a database (pg_db_role_setting) that matters to name resolution. */
typedef struct RoleSetting {
    const char *role;     /* NULL: all roles */
    const char *database; /* NULL: all databases */
    const char *name;     /* "search_path", "standard_conforming_strings", "client_encoding", … */
    const char *value;
} RoleSetting;

struct Snapshot {
    uint64_t
        generation; /* of this process: grows with each new snapshot; part of the statement cache's key */
    int64_t epoch;  /* shardferry.epoch; 0 while the schema is not there */
    const char *server_version; /* NULL from a dump */
    int server_version_num;
    const char *database;
    bool has_citus;
    const char *search_path; /* the server's default for new sessions, before role and database settings */
    Table *tables;           /* sorted by schema, name */
    int ntables;
    const RoleSetting *settings;
    int nsettings;
    const char **schemas; /* all schemas; a search_path entry that is none of them is skipped */
    int nschemas;
    const Table *tenant_table; /* NULL if the configured one is not there */
    const char *warning;       /* what the user should know of this snapshot as a whole; NULL */
};

/* Reference counting; thread-safe. A builder's result has one reference. snapshot_unref(NULL) is allowed. */
Snapshot *snapshot_ref(Snapshot *snapshot);
void snapshot_unref(Snapshot *snapshot);

/* Finds a table or view by its exact (folded) schema and name; NULL if there is none. O(1). */
const Table *snapshot_table(const Snapshot *snapshot, const char *schema, const char *name) MUST_USE;
bool snapshot_has_schema(const Snapshot *snapshot, const char *schema) MUST_USE;
const Column *table_column(const Table *table, const char *name) MUST_USE;

/* Equal for snapshots that say the same, row estimates aside. Within one process. */
uint64_t snapshot_digest(const Snapshot *snapshot) MUST_USE;

/* "order_id -> public.orders(order_id), store -> public.stores(id)" behind `buf`. */
void tenant_path_describe(const TenantPath *path, Buf *buf);

/* SQL spelling: quote_ident's rule (quoted unless it is lower-case and no keyword that needs it). The result
 * is written to `buf`. */
void quote_identifier(Buf *buf, const char *name);
/* schema.name, each part quoted as needed, in `arena`. */
const char *table_qualified_name(Arena *arena, const Table *table) MUST_USE;

#endif
