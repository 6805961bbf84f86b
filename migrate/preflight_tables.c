/* What each table is, and how it gets the tenant column. */
#include "migrate/preflight_check.h"

#include "migrate/column.h"

/* ---- kinds and paths ---- */

static Finding finding_of_problem(const Preflight *preflight, const Table *table) {
    Finding finding = {.severity = FINDING_ERROR,
                       .from = STAGE_DERIVE,
                       .code = "kind-of-citus",
                       .object = preflight_name(preflight, table),
                       .what = table->problem,
                       .why = "What Citus has made of it is not what it is to become.",
                       .remedy = "Undistribute it, or give it another kind in a [table] section."};

    if (table->kind == KIND_BACKFILL && table->path.nsteps == 0) {
        finding.code = "no-path-to-tenant";
        finding.why = "Nothing says which tenant a row belongs to.";
        finding.remedy = "Name the way in its [table] section (tenant_from = column -> table(column)), or "
                         "give it another kind.";
    } else if (table->tenant && table->tenant->generated) {
        finding.code = "tenant-column-generated";
        finding.why = "What a column generates can be neither written nor hashed for its shard.";
        finding.remedy = "Make it an ordinary column; ALTER COLUMN … DROP EXPRESSION keeps its values.";
    } else if (table->tenant && table->citus == CITUS_NONE) {
        finding.code = "tenant-type-differs";
        finding.why =
            "Tables lie together, and refer to each other, only where their tenants are of one type.";
        finding.remedy = "Let both be of the same type.";
    }
    return finding;
}

static void check_kinds(Preflight *preflight) {
    const Snapshot *snapshot = preflight->migration->snapshot;

    for (int i = 0; i < snapshot->ntables; i++) {
        const Table *table = &snapshot->tables[i];

        if (table->problem && !table->partition_of)
            findings_add(preflight->findings, finding_of_problem(preflight, table));
    }
}

/* Citus refuses what fills the column and what swaps the keys, and what the proxies put into writes
 * meanwhile. */
static void check_local(Preflight *preflight, const Table *table) {
    const char *name = preflight_name(preflight, table);

    if (table->citus == CITUS_LOCAL && table->stage < STAGE_RESOLVE)
        findings_add(
            preflight->findings,
            (Finding){.severity = FINDING_ERROR,
                      .from = STAGE_DERIVE,
                      .code = "local-to-citus",
                      .object = name,
                      .what = "Citus has it as a local table already, and its keys are without the tenant",
                      .why = "Citus refuses a part of what leads there.",
                      .remedy = arena_printf(
                          preflight->migration->arena,
                          "SELECT undistribute_table('%s', cascade_via_foreign_keys => true); the "
                          "migration makes reference tables again.",
                          name)});
}

/* ---- the tenant column's type ---- */

static void add_domain(Preflight *preflight, const Table *table, const ColumnState *state) {
    findings_add(
        preflight->findings,
        (Finding){.severity = FINDING_ERROR,
                  .from = STAGE_DERIVE,
                  .code = "tenant-domain-costly",
                  .object = preflight_name(preflight, table),
                  .what = arena_printf(preflight->migration->arena,
                                       "its tenant column would be of domain %s, whose constraints or "
                                       "default would write the table anew",
                                       state->wanted),
                  .why = "Nobody could read or write the table for as long as that takes.",
                  .remedy = "Let the key's type be the domain's base type."});
}

static void add_difference(Preflight *preflight, const Table *table, const ColumnState *state) {
    findings_add(
        preflight->findings,
        (Finding){
            .severity = FINDING_ERROR,
            .from = STAGE_DERIVE,
            .code = "tenant-type-differs",
            .object = preflight_name(preflight, table),
            .what =
                arena_printf(preflight->migration->arena, "column %s is %s, but the tenant's key is %s%s%s",
                             table->tenant_column, state->type, state->wanted,
                             state->collation ? " COLLATE " : "", state->collation ? state->collation : ""),
            .why =
                "Citus refuses to lay tables together whose tenants differ in type, modifier or collation.",
            .remedy = "Let both be of the same type."});
}

static bool check_type(Preflight *preflight, const Table *table, Error *err) {
    ColumnState state;

    if (!column_read(preflight->migration, table, &state, err))
        return false;
    if (!state.type && state.costly)
        add_domain(preflight, table, &state);
    else if (state.type && !state.same && !table->problem)
        add_difference(preflight, table, &state);
    return true;
}

bool preflight_tables(Preflight *preflight, Error *err) {
    const Migration *migration = preflight->migration;

    check_kinds(preflight);
    for (int i = 0; i < migration->nall; i++) {
        const Table *table = migration->all[i];
        bool by_tenant = table->kind == KIND_BACKFILL || table->tenant;

        check_local(preflight, table);
        if (by_tenant && table != migration->snapshot->tenant_table && !check_type(preflight, table, err))
            return false;
    }
    return true;
}
