/* The tenant of a row as a sub-select on its parents.
 *
 *   (SELECT p2.store_id FROM ONLY public.orders p1 JOIN ONLY public.carts p2 ON p2.id OPERATOR(pg_catalog.=)
 * p1.cart_id WHERE p1.order_id OPERATOR(pg_catalog.=) CAST(<the row's order_id> AS pg_catalog.int8))
 *
 * It must find the row that the foreign key's own check finds, whatever the session's search_path is: so
 * tables, types and operators are qualified, and the value is cast to the child column's type, modifier
 * included, as the assignment does to the value that is stored. The cast also leaves a parameter of unknown
 * type the type that the column gives it. Tables are read ONLY, as the check does, unless they are
 * partitioned. */
#include "rewrite/tenant_expr.h"

#include <stdio.h>
#include <string.h>

#include "parser/lex.h"

static bool in_catalog(const Column *column) { return strcmp(column->type_schema, "pg_catalog") == 0; }

/* The schema of the operator "=" that compares two columns as a foreign key does. An operator of the same
 * name may lurk in any schema, so one is used only where it is known; NULL where it is not. */
static const char *equality_schema(const Column *a, const Column *b) {
    if (in_catalog(a) && in_catalog(b))
        return "pg_catalog";
    if (strcmp(a->type_name, "citext") == 0 && strcmp(b->type_name, "citext") == 0 &&
        strcmp(a->type_schema, b->type_schema) == 0)
        return a->type_schema;
    return NULL;
}

/* How many steps have to be gone: a parent whose own column is known to be filled ends the path early. */
static int steps_needed(const Table *table) {
    const TenantPath *path = &table->path;

    for (int i = 0; i < path->nsteps; i++) {
        const Table *parent = path->steps[i]->parent;

        if (parent->tenant && (parent->kind == KIND_DISTRIBUTED || parent->stage >= STAGE_KEYED))
            return i + 1;
    }
    return path->nsteps;
}

const char *tenant_expr_problem(Rewrite *rw, const Table *table) {
    int nsteps = steps_needed(table);

    if (nsteps == 0)
        return "no foreign key leads to its tenant";
    if (!table->path.steps[nsteps - 1]->parent->tenant)
        return arena_printf(rw->arena, "%s has no tenant column yet",
                            table->path.steps[nsteps - 1]->parent->name);
    for (int i = 0; i < nsteps; i++) {
        const ForeignKey *fk = table->path.steps[i];

        for (int k = 0; k < fk->ncolumns; k++) {
            const Column *child = fk->child_columns[k];

            if (!equality_schema(fk->parent_columns[k], child))
                return arena_printf(rw->arena, "how to compare %s.%s, of type %s, is not known",
                                    fk->child->name, child->name, child->type);
        }
    }
    return NULL;
}

static bool takes_modifier(const Column *column) {
    static const char *const names[] = {"bit",    "bpchar",      "numeric", "time",   "timestamp",
                                        "timetz", "timestamptz", "varbit",  "varchar"};

    for (size_t i = 0; i < ARRAY_LEN(names) && in_catalog(column); i++) {
        if (strcmp(column->type_name, names[i]) == 0)
            return true;
    }
    return false;
}

void tenant_expr_put_type(Buf *sql, const Column *column) {
    const char *open = takes_modifier(column) ? strchr(column->type, '(') : NULL;
    const char *close = open ? strchr(open, ')') : NULL;

    quote_identifier(sql, column->type_schema);
    buf_append_cstr(sql, ".");
    quote_identifier(sql, column->type_name);
    if (close)
        buf_append(sql, open, (size_t)(close - open) + 1);
}

static void put_column(Buf *sql, int step, const Column *column) {
    buf_printf(sql, "p%d.", step + 1);
    quote_identifier(sql, column->name);
}

static void put_equality(Buf *sql, const Column *a, const Column *b) {
    buf_append_cstr(sql, " OPERATOR(");
    quote_identifier(sql, equality_schema(a, b));
    buf_append_cstr(sql, ".=) ");
}

static void put_table(Buf *sql, int step, const Table *table) {
    if (table->relkind == 'r')
        buf_append_cstr(sql, "ONLY ");
    quote_identifier(sql, table->schema);
    buf_append_cstr(sql, ".");
    quote_identifier(sql, table->name);
    buf_printf(sql, " p%d", step + 1);
}

static void put_on(Buf *sql, int step, const ForeignKey *fk, int k) {
    buf_append_cstr(sql, k == 0 ? " ON " : " AND ");
    put_column(sql, step, fk->parent_columns[k]);
    put_equality(sql, fk->parent_columns[k], fk->child_columns[k]);
}

/* The parents: "ONLY public.orders p1 JOIN ONLY public.carts p2 ON …". */
static void put_parents(Buf *sql, const Table *table, int nsteps) {
    const ForeignKey **steps = table->path.steps;

    put_table(sql, 0, steps[0]->parent);
    for (int i = 1; i < nsteps; i++) {
        buf_append_cstr(sql, " JOIN ");
        put_table(sql, i, steps[i]->parent);
        for (int k = 0; k < steps[i]->ncolumns; k++) {
            put_on(sql, i, steps[i], k);
            put_column(sql, i - 1, steps[i]->child_columns[k]);
        }
    }
}

static void put_tenant(Buf *sql, const Table *table, int nsteps) {
    put_column(sql, nsteps - 1, table->path.steps[nsteps - 1]->parent->tenant);
}

/* From "(SELECT" to the end of what is joined. */
static void put_head(Buf *sql, const Table *table, int nsteps) {
    buf_append_cstr(sql, "(SELECT ");
    put_tenant(sql, table, nsteps);
    buf_append_cstr(sql, " FROM ");
    put_parents(sql, table, nsteps);
}

/* Moves what was written into the edits. */
static void flush(Rewrite *rw, uint32_t offset, Buf *sql) {
    Str text = arena_str(rw->arena, (Str){(const char *)buf_ptr(sql), buf_len(sql)});

    edits_insert(rw->edits, rw->arena, offset, text);
    buf_clear(sql);
}

/* "CAST(<the value> AS type)". */
static void put_source(Rewrite *rw, uint32_t offset, Buf *sql, const TenantSource *source,
                       const Column *column) {
    buf_append_cstr(sql, "CAST(");
    if (source->text.ptr) {
        buf_append_str(sql, source->text);
    } else {
        flush(rw, offset, sql);
        edits_insert_copy(rw->edits, rw->arena, offset, source->copy);
    }
    buf_append_cstr(sql, " AS ");
    tenant_expr_put_type(sql, column);
    buf_append_cstr(sql, ")");
}

static bool is_column(const TenantPath *path, int nsteps, Str text, LexToken token) {
    char name[128];

    if (token.kind != LEX_WORD || token.end - token.start >= sizeof(name))
        return token.kind == LEX_QUOTED || token.kind == LEX_WORD;
    for (size_t i = token.start; i < token.end; i++)
        name[i - token.start] =
            (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] | 0x20 : text.ptr[i]);
    name[token.end - token.start] = '\0';
    for (int i = 0; i < nsteps; i++) {
        if (table_column(path->steps[i]->parent, name))
            return true;
    }
    return false;
}

/* Whether a source has the name of a column of the parents: a variable's, which the column would hide. */
static bool is_hidden(Rewrite *rw, const Table *table, const TenantSource *sources) {
    for (int k = 0; k < table->path.steps[0]->ncolumns && rw->in_function; k++) {
        const Span copy = sources[k].copy;

        for (LexToken t = lex_next(rw->text.ptr, copy.end, copy.start);
             !sources[k].text.ptr && t.kind != LEX_END && t.kind != LEX_UNTERMINATED;
             t = lex_next(rw->text.ptr, copy.end, t.end)) {
            if (is_column(&table->path, steps_needed(table), rw->text, t))
                return true;
        }
    }
    return false;
}

void tenant_expr_insert(Rewrite *rw, uint32_t offset, const Table *table, const TenantSource *sources) {
    const ForeignKey *fk = table->path.steps[0];
    Buf sql = {0};

    if (is_hidden(rw, table, sources)) {
        tenant_expr_insert_row(rw, offset, table, sources);
        return;
    }
    put_head(&sql, table, steps_needed(table));
    buf_append_cstr(&sql, " WHERE ");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_append_cstr(&sql, k == 0 ? "" : " AND ");
        put_column(&sql, 0, fk->parent_columns[k]);
        put_equality(&sql, fk->parent_columns[k], fk->child_columns[k]);
        put_source(rw, offset, &sql, &sources[k], fk->child_columns[k]);
    }
    buf_append_cstr(&sql, ")");
    flush(rw, offset, &sql);
    buf_free(&sql);
}

/* The values are computed in a sub-select of their own that has no FROM: no name of ours is in scope there,
 * only those of the outer query. */
void tenant_expr_insert_row(Rewrite *rw, uint32_t offset, const Table *table, const TenantSource *sources) {
    const ForeignKey *fk = table->path.steps[0];
    Buf sql = {0};

    put_head(&sql, table, steps_needed(table));
    buf_append_cstr(&sql, " JOIN (SELECT ");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_append_cstr(&sql, k == 0 ? "" : ", ");
        put_source(rw, offset, &sql, &sources[k], fk->child_columns[k]);
    }
    buf_append_cstr(&sql, ") k(");
    for (int k = 0; k < fk->ncolumns; k++)
        buf_printf(&sql, "%sk%d", k == 0 ? "" : ", ", k + 1);
    buf_append_cstr(&sql, ")");
    for (int k = 0; k < fk->ncolumns; k++) {
        put_on(&sql, 0, fk, k);
        buf_printf(&sql, "k.k%d", k + 1);
    }
    buf_append_cstr(&sql, ")");
    flush(rw, offset, &sql);
    buf_free(&sql);
}

static bool is_param(Str key) {
    bool yes = key.len > 1 && key.ptr[0] == '$';

    for (size_t i = 1; i < key.len && yes; i++)
        yes = key.ptr[i] >= '0' && key.ptr[i] <= '9';
    return yes;
}

/* What is no parameter is computed in a CTE, by the coordinator: a worker does not know its sequences. */
void tenant_expr_put_lookup(Buf *sql, const Table *table, const Str *keys) {
    const ForeignKey *fk = table->path.steps[0];
    bool params = true;

    for (int k = 0; k < fk->ncolumns; k++)
        params = params && is_param(keys[k]);
    buf_append_cstr(sql, params ? "" : "(WITH k AS MATERIALIZED (SELECT ");
    for (int k = 0; k < fk->ncolumns && !params; k++) {
        buf_printf(sql, "%sCAST(%.*s AS ", k == 0 ? "" : ", ", (int)keys[k].len, keys[k].ptr);
        tenant_expr_put_type(sql, fk->child_columns[k]);
        buf_printf(sql, ") AS k%d", k + 1);
    }
    buf_append_cstr(sql, params ? "" : ") ");
    put_head(sql, table, steps_needed(table));
    buf_append_cstr(sql, params ? " WHERE " : ", k WHERE ");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_append_cstr(sql, k == 0 ? "" : " AND ");
        put_column(sql, 0, fk->parent_columns[k]);
        put_equality(sql, fk->parent_columns[k], fk->child_columns[k]);
        if (params) {
            buf_printf(sql, "CAST(%.*s AS ", (int)keys[k].len, keys[k].ptr);
            tenant_expr_put_type(sql, fk->child_columns[k]);
            buf_append_cstr(sql, ")");
        } else {
            buf_printf(sql, "k.k%d", k + 1);
        }
    }
    buf_append_cstr(sql, params ? " LIMIT 2)" : " LIMIT 2))");
}

static void put_cast(Buf *sql, const char *from, const char *name, const Column *column) {
    buf_printf(sql, "CAST(%s.%s AS ", from, name);
    tenant_expr_put_type(sql, column);
    buf_append_cstr(sql, ")");
}

/* A parent is looked for by the keys that `from` has, so that no plan reads all of them; two parents of one
 * key give NULL, as none does. */
void tenant_expr_put_join(Buf *sql, const Table *table, const char *from, const char *const *columns) {
    const ForeignKey *fk = table->path.steps[0];
    const int nsteps = steps_needed(table);

    buf_append_cstr(sql, " LEFT JOIN (SELECT ");
    for (int k = 0; k < fk->ncolumns; k++)
        buf_printf(sql, "k.k%d, ", k + 1);
    buf_append_cstr(sql,
                    "CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN (pg_catalog.array_agg(");
    put_tenant(sql, table, nsteps);
    buf_append_cstr(sql, "))[1] END AS t FROM (SELECT DISTINCT ");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_append_cstr(sql, k == 0 ? "" : ", ");
        put_cast(sql, from, columns[k], fk->child_columns[k]);
        buf_printf(sql, " AS k%d", k + 1);
    }
    buf_printf(sql, " FROM %s) k JOIN ", from);
    if (nsteps > 1)
        buf_append_cstr(sql, "(");
    put_parents(sql, table, nsteps);
    if (nsteps > 1)
        buf_append_cstr(sql, ")");
    for (int k = 0; k < fk->ncolumns; k++) {
        put_on(sql, 0, fk, k);
        buf_printf(sql, "k.k%d", k + 1);
    }
    for (int k = 0; k < fk->ncolumns; k++)
        buf_printf(sql, "%sk.k%d", k == 0 ? " GROUP BY " : ", ", k + 1);
    buf_append_cstr(sql, ") p");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_printf(sql, "%sp.k%d", k == 0 ? " ON " : " AND ", k + 1);
        put_equality(sql, fk->child_columns[k], fk->child_columns[k]);
        put_cast(sql, from, columns[k], fk->child_columns[k]);
    }
}

const char *tenant_expr_equality(const Column *a, const Column *b) { return equality_schema(a, b); }

void tenant_expr_put_bulk_lookup(Buf *sql, const Table *table) {
    const ForeignKey *fk = table->path.steps[0];
    const int nsteps = steps_needed(table);

    buf_append_cstr(sql, "SELECT ");
    put_tenant(sql, table, nsteps);
    buf_append_cstr(sql, ", k.n FROM ROWS FROM (");
    for (int k = 0; k < fk->ncolumns; k++) {
        buf_printf(sql, "%spg_catalog.unnest(CAST($%d AS ", k == 0 ? "" : ", ", k + 1);
        tenant_expr_put_type(sql, fk->child_columns[k]);
        buf_append_cstr(sql, "[]))");
    }
    buf_append_cstr(sql, ") WITH ORDINALITY AS k(");
    for (int k = 0; k < fk->ncolumns; k++)
        buf_printf(sql, "k%d, ", k + 1);
    buf_append_cstr(sql, nsteps > 1 ? "n) JOIN (" : "n) JOIN ");
    put_parents(sql, table, nsteps);
    if (nsteps > 1)
        buf_append_cstr(sql, ")");
    for (int k = 0; k < fk->ncolumns; k++) {
        put_on(sql, 0, fk, k);
        buf_printf(sql, "k.k%d", k + 1);
    }
}
