/* How the tables would be distributed: what keeps a table from one way is no trouble to another. */
#include "migrate/preflight_check.h"

#include <inttypes.h>
#include <string.h>

#include "migrate/method.h"
#include "migrate/session.h"

#define LOCK_NOT_AVAILABLE "55P03"

typedef struct TableArrays {
    SessionArray oids, kinds, tenants, concurrent;
} TableArrays;

static void add_table(const Migration *migration, TableArrays *arrays, const Table *table,
                      bool concurrently) {
    session_array_add(&arrays->oids, arena_printf(migration->arena, "%" PRIu32, table->oid));
    session_array_add(&arrays->kinds, kind_name(table->kind));
    session_array_add(&arrays->tenants, table->tenant_column ? table->tenant_column : "");
    session_array_add(&arrays->concurrent, concurrently ? "t" : "f");
}

static const char *take_array(const Migration *migration, SessionArray *array) {
    const char *text = arena_strdup(migration->arena, session_array_text(array));

    session_array_free(array);
    return text;
}

static void take_arrays(Preflight *preflight, TableArrays *arrays) {
    preflight->tables[0] = take_array(preflight->migration, &arrays->oids);
    preflight->tables[1] = take_array(preflight->migration, &arrays->kinds);
    preflight->tables[2] = take_array(preflight->migration, &arrays->tenants);
    preflight->tables[3] = take_array(preflight->migration, &arrays->concurrent);
}

/* A large table is left to the blocking way only where the other one is closed to it. */
static void check_wait(Preflight *preflight, const Table *table, const MethodChoice *choice) {
    const Migration *migration = preflight->migration;

    if (choice->method != METHOD_BLOCKING || choice->rows <= migration->config->blocking_rows)
        return;
    findings_add(
        preflight->findings,
        (Finding){
            .severity = FINDING_WARNING,
            .from = STAGE_DISTRIBUTED,
            .code = "writers-would-wait",
            .object = preflight_name(preflight, table),
            .what = arena_printf(migration->arena, "its writers would wait while it is distributed: %s",
                                 choice->why),
            .why = "create_distributed_table copies all rows under a lock.",
            .remedy =
                "Mend what keeps it from being distributed concurrently; or set blocking_rows to more, if "
                "they may wait."});
}

/* Its size cannot even be read. */
static bool add_locked(Preflight *preflight, const Table *table) {
    findings_add(
        preflight->findings,
        (Finding){.severity = FINDING_WARNING,
                  .from = STAGE_DERIVE,
                  .code = "locked",
                  .object = preflight_name(preflight, table),
                  .what = "somebody has locked it",
                  .why = "Not all of it could be looked at, and no step can be done while that lasts.",
                  .remedy = "Run it again when the lock is gone; pg_locks tells who has it."});
    return true;
}

static bool choose(Preflight *preflight, const Table *table, bool *concurrently, Error *err) {
    MethodChoice choice;

    *concurrently = false;
    if (table->citus == CITUS_DISTRIBUTED || table->citus == CITUS_REFERENCE)
        return true;
    if (!method_choose(preflight->migration, table, &choice, err))
        return strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0 && add_locked(preflight, table);
    *concurrently = choice.method == METHOD_CONCURRENTLY;
    check_wait(preflight, table, &choice);
    return true;
}

bool preflight_methods(Preflight *preflight, Error *err) {
    const Migration *migration = preflight->migration;
    TableArrays arrays = {0};
    bool chosen = true, concurrently;

    for (int i = 0; chosen && i < migration->nall; i++) {
        chosen = choose(preflight, migration->all[i], &concurrently, err);
        if (!chosen)
            break;
        preflight->concurrent += concurrently;
        add_table(migration, &arrays, migration->all[i], concurrently);
    }
    for (int i = 0; i < migration->nreferences; i++)
        add_table(migration, &arrays, migration->references[i], false);
    take_arrays(preflight, &arrays);
    return chosen;
}
