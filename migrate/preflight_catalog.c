/* What the catalog says of the tables: one query for each subject, for all tables. */
#include "migrate/preflight_check.h"

#include "migrate/sql/preflight_dependents.h"
#include "migrate/sql/preflight_functions.h"
#include "migrate/sql/preflight_keys.h"
#include "migrate/sql/preflight_tables.h"
#include "migrate/sql/preflight_triggers.h"

bool preflight_catalog(Preflight *preflight, Error *err) {
    static const struct {
        const char *what, *sql;
    } QUERIES[] = {
        {"looking at tables", sql_preflight_tables},
        {"looking at keys", sql_preflight_keys},
        {"looking at triggers", sql_preflight_triggers},
        {"looking at what depends on the tables", sql_preflight_dependents},
        {"looking at functions", sql_preflight_functions},
    };

    for (size_t i = 0; i < ARRAY_LEN(QUERIES); i++) {
        if (!preflight_query_tables(preflight, QUERIES[i].what, QUERIES[i].sql, err))
            return false;
    }
    return true;
}
