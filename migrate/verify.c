/* The queries of verification. */
#include "migrate/verify.h"

#include "catalog/query.h"
#include "migrate/backfill.h"
#include "migrate/watch.h"

#define SAMPLE_KEYS 5

static void append_column(Buf *out, const char *prefix, const char *name) {
    buf_append_cstr(out, prefix);
    quote_identifier(out, name);
}

const char *verify_column(const Migration *migration, const char *prefix, const char *name) {
    Buf out = {0};

    append_column(&out, prefix, name);
    return step_text(migration, &out);
}

static void append_parent(const Migration *migration, const ForeignKey *fk, Buf *out) {
    buf_printf(out, " LEFT JOIN %s AS p ON ", table_qualified_name(migration->arena, fk->parent));
    for (int i = 0; i < fk->ncolumns; i++) {
        append_column(out, i ? " AND p." : "p.", fk->parent_columns[i]->name);
        append_column(out, " = t.", fk->child_columns[i]->name);
    }
}

const char *verify_sql(const Migration *migration, const Table *table, const ForeignKey *fk,
                       const char *condition, const char *also) {
    const Key *key = backfill_key(table);
    Buf out = {0};

    buf_append_cstr(&out,
                    "SELECT count(*), (pg_catalog.array_agg(pg_catalog.concat(pg_catalog.concat_ws(', '");
    for (int i = 0; key && i < key->ncolumns; i++)
        append_column(&out, ", t.", key->columns[i]->name);
    buf_printf(&out, ")%s%s)))[1:%d] FROM %s AS t", also ? ", " : "", also ? also : "", SAMPLE_KEYS,
               table_qualified_name(migration->arena, table));
    if (fk)
        append_parent(migration, fk, &out);
    buf_printf(&out, " WHERE %s", condition);
    return step_text(migration, &out);
}

const char *verify_orphan(const Migration *migration, const ForeignKey *fk) {
    Buf out = {0};

    for (int i = 0; i < fk->ncolumns; i++) {
        append_column(&out, i ? " AND t." : "t.", fk->child_columns[i]->name);
        buf_append_cstr(&out, " IS NOT NULL");
    }
    append_column(&out, " AND p.", fk->parent_columns[0]->name);
    buf_append_cstr(&out, " IS NULL");
    return step_text(migration, &out);
}

bool verify_find(const Migration *migration, const char *sql, VerifyFound *found, Error *err) {
    PGresult *result = watch_query(migration, "verifying", sql, 0, NULL, err);

    if (!result)
        return false;
    found->rows = query_int(result, 0, 0);
    found->keys = found->rows ? arena_strdup(migration->arena, PQgetvalue(result, 0, 1)) : "";
    PQclear(result);
    return true;
}
