/* Writing the report. */
#include "migrate/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog/query.h"
#include "migrate/checksum.h"
#include "migrate/proof.h"
#include "migrate/session.h"
#include "migrate/sql/report_indexes.h"

/* ---- what was done ---- */

static const char *how(const ChecksumTotal *total, const Switch *found) {
    if (found->seen && found->proved)
        return "compared with its old shard, row by row where it was written since";
    if (total->same)
        return "the same before and after, in one transaction";
    return total->after ? "counted as it is; there is nothing left to compare it with" : "not counted";
}

static bool put_table(const Migration *migration, const Table *table, Buf *out, Error *err) {
    ChecksumTotal total;
    Switch found;

    if (!checksum_read(migration, table, &total, err) || !proof_read(migration, table, &found, err))
        return false;
    buf_printf(out, "  %-32s", table_qualified_name(migration->arena, table));
    if (total.after || total.before)
        buf_printf(out, " %12" PRId64 " rows", total.rows);
    if (total.tenants > 0)
        buf_printf(out, ", %" PRId64 " tenants", total.tenants);
    if (total.after || total.before)
        buf_printf(out, ", checksum %s", total.checksum);
    buf_printf(out, "\n  %-32s %s%s\n", "", how(&total, &found),
               total.verified ? "; verified on its nodes" : "");
    return true;
}

static bool put_tables(const Migration *migration, Buf *out, Error *err) {
    buf_printf(out, "\ndistributed: %d table%s\n", migration->nall, migration->nall == 1 ? "" : "s");
    for (int i = 0; i < migration->nall; i++) {
        if (!put_table(migration, migration->all[i], out, err))
            return false;
    }
    if (migration->nreferences > 0)
        buf_append_cstr(out, "reference tables:\n");
    for (int i = 0; i < migration->nreferences; i++) {
        if (!put_table(migration, migration->references[i], out, err))
            return false;
    }
    return true;
}

/* ---- what is left ---- */

static void put_application(const Migration *migration, Buf *out) {
    if (migration->ntables == 0) {
        buf_append_cstr(out, "\nThe application's INSERTs need nothing added; the proxy only audits.\n");
        return;
    }
    buf_append_cstr(out, "\nThe application relies on the proxy until it\n");
    for (int i = 0; i < migration->ntables; i++) {
        const Table *table = migration->tables[i];

        buf_printf(out, "  - names %s where it inserts into %s, COPY included", table->tenant_column,
                   table_qualified_name(migration->arena, table));
        if (table->hide_tenant)
            buf_append_cstr(out, ", and bears to see it where it selects * (hide_tenant_column)");
        buf_append_cstr(out, "\n");
    }
    buf_append_cstr(
        out, "  - names the tenant's column in ON CONFLICT (…), too, wherever the conflict is on an old key\n"
             "shardferry lint --from proxy lists the statements that it has been sent and that rely on it;\n"
             "when there is none, the application can connect without it.\n");
}

static bool put_indexes(const Migration *migration, Buf *out, Error *err) {
    SessionArray oids = {0}, tenants = {0};
    const char *params[2];
    PGresult *result;

    for (int i = 0; i < migration->nall; i++) {
        session_array_add(&oids, arena_printf(migration->arena, "%" PRIu32, migration->all[i]->oid));
        session_array_add(&tenants, migration->all[i]->tenant_column);
    }
    params[0] = session_array_text(&oids);
    params[1] = session_array_text(&tenants);
    result =
        query_run(migration->conn, "looking for indexes on old keys", sql_report_indexes, 2, params, err);
    session_array_free(&oids);
    session_array_free(&tenants);
    if (!result)
        return false;
    if (PQntuples(result) > 0)
        buf_append_cstr(
            out,
            "\nThese indexes serve lookups by an old key alone; drop them when there are none any more:\n");
    for (int i = 0; i < PQntuples(result); i++)
        buf_printf(out, "  %s\n", PQgetvalue(result, i, 0));
    PQclear(result);
    return true;
}

bool report_print(const Migration *migration, Error *err) {
    Buf out = {0};
    bool complete = put_tables(migration, &out, err);

    put_application(migration, &out);
    complete = complete && put_indexes(migration, &out, err);
    if (complete) {
        fwrite(buf_ptr(&out), 1, buf_len(&out), migration->out);
        fflush(migration->out);
    }
    buf_free(&out);
    return complete;
}
