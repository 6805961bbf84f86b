/* The checks of preflight, one subject each, and what they have in common. */
#ifndef MIGRATE_PREFLIGHT_CHECK_H
#define MIGRATE_PREFLIGHT_CHECK_H

#include "migrate/findings.h"

#define PREFLIGHT_TABLE_PARAMS 4

typedef struct Preflight {
    Findings *findings;
    const Migration *migration;
    /* The parameters of queries about tables, as arrays: OID, kind, tenant column, and whether it is to be
     * distributed concurrently, of each table that will be distributed or a reference table. In the
     * migration's arena. */
    const char *tables[PREFLIGHT_TABLE_PARAMS];
    int concurrent; /* how many of them are */
} Preflight;

/* Looks at one subject and adds all that it finds. False with `err` only if it could not look. */
typedef MUST_USE bool PreflightCheck(Preflight *preflight, Error *err);

PreflightCheck preflight_methods;    /* how tables would be distributed; fills `tables` and `concurrent` */
PreflightCheck preflight_tables;     /* kinds, paths, the tenant column's type */
PreflightCheck preflight_privileges; /* of those who write, and of this role */
PreflightCheck preflight_catalog;    /* what the catalog says of tables, keys and what depends on them */
PreflightCheck preflight_server;     /* settings, Citus and its nodes, pg_cron */
PreflightCheck preflight_disk;       /* room for what the migration adds */
PreflightCheck preflight_data;       /* rows that get no tenant, or two */
PreflightCheck preflight_activity;   /* open transactions, and writers past the proxies */

/* Adds the rows of a query, of the columns severity, stage, code, object, what, why, remedy. */
MUST_USE bool preflight_query(Preflight *preflight, const char *what, const char *sql, int nparams,
                              const char *const *params, Error *err);
/* The same for one that takes `tables`. */
MUST_USE bool preflight_query_tables(Preflight *preflight, const char *what, const char *sql, Error *err);

/* The table as findings name it, in the migration's arena. */
const char *preflight_name(const Preflight *preflight, const Table *table) MUST_USE;

#endif
