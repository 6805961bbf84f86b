/* Adding the tenant to COPY … FROM STDIN.
 *
 *   COPY line_items (order_id, name)           FROM STDIN
 *   COPY line_items (order_id, name, store_id) FROM STDIN
 *
 * and each row of the data gets one field more, which whoever passes the data on finds by the CopyPlan.
 * Without a list the data fills the columns in their order, generated ones left out; the tenant is not among
 * those that an application knows, and is moved to the end. */
#include "rewrite/copy.h"

#include <string.h>
#include <strings.h>

#include "rewrite/insert_default.h"
#include "rewrite/tenant_expr.h"

typedef struct Copy {
    Rewrite *rw;
    const CopyFacts *facts;
    const Table *table;
    const ForeignKey *fk;
    const char **columns; /* that the client's rows fill */
    int ncolumns;
} Copy;

/* The types whose binary form the proxy reads and writes. */
static bool has_known_binary(const Column *column) {
    static const char *const names[] = {"int2", "int4", "int8", "uuid", "text", "varchar"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(column->type_schema, "pg_catalog") == 0 && strcmp(column->type_name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Encodings in which a byte below 0x80 may be part of a longer character, by PostgreSQL's names without what
 * it ignores in them. */
static bool encoding_is_safe(const char *encoding) {
    static const char *const unsafe[] = {"sjis",    "mskanji",      "shiftjis",   "win932", "windows932",
                                         "big5",    "win950",       "windows950", "gbk",    "win936",
                                         "johab",   "windows936",   "gb18030",    "uhc",    "win949",
                                         "mskanji", "shiftjis2004", "windows949"};
    char folded[32];
    size_t n = 0;

    for (; encoding && *encoding && n < sizeof(folded) - 1; encoding++) {
        if (*encoding != '_' && *encoding != '-' && *encoding != ' ')
            folded[n++] = *encoding;
    }
    folded[n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++) {
        if (strcasecmp(folded, unsafe[i]) == 0)
            return false;
    }
    return true;
}

/* ---- may it be rewritten? ---- */

static const char *options_problem(const Copy *copy) {
    const CopyOptions *options = &copy->facts->options;
    size_t null_len = options->null_text ? strlen(options->null_text) : 0, slashes = 0;

    if (options->unknown)
        return "an option of COPY is not known";
    if (!encoding_is_safe(options->encoding))
        return "ENCODING has characters that contain the byte of a backslash";
    while (options->format == COPY_TEXT && slashes < null_len &&
           options->null_text[null_len - slashes - 1] == '\\')
        slashes++;
    if (slashes % 2 == 1)
        return "NULL ends in a backslash, which would take the line end behind it";
    if (options->format == COPY_BINARY) {
        for (int k = 0; k < copy->fk->ncolumns; k++) {
            if (!has_known_binary(copy->fk->child_columns[k]))
                return arena_printf(copy->rw->arena, "the binary form of %s, of type %s, is not known",
                                    copy->fk->child_columns[k]->name, copy->fk->child_columns[k]->type);
        }
        if (!has_known_binary(copy->table->tenant))
            return arena_printf(copy->rw->arena, "the binary form of type %s is not known",
                                copy->table->tenant->type);
    }
    return NULL;
}

static const char *problem(const Copy *copy) {
    const CopyFacts *facts = copy->facts;
    const char *why;

    if (!facts->is_stdio)
        return "COPY reads a file or a program of the server's";
    if (copy->rw->several)
        return "a COPY in a string of several statements is not looked into";
    if (!copy->table->tenant)
        return "the table has no such column yet";
    if (copy->table->path.nsteps == 0)
        return "no foreign key leads to its tenant";
    if ((facts->has_column_list ? facts->column_list.end : facts->table_end) == 0)
        return "where its parts stand in the text is not known";
    why = options_problem(copy);
    return why ? why : tenant_expr_problem(copy->rw, copy->table);
}

static bool gives_tenant(const Copy *copy) {
    for (int i = 0; i < copy->facts->ncolumns; i++) {
        if (copy->facts->columns[i] && strcmp(copy->facts->columns[i], copy->table->tenant_column) == 0)
            return true;
    }
    return false;
}

/* ---- the columns of the key ---- */

static void fill_columns(Copy *copy) {
    const Table *table = copy->table;

    if (copy->facts->has_column_list) {
        copy->columns = copy->facts->columns;
        copy->ncolumns = copy->facts->ncolumns;
        return;
    }
    copy->columns = ARENA_ARRAY(copy->rw->arena, const char *, table->ncolumns);
    for (int i = 0; i < table->ncolumns; i++) {
        if (!table->columns[i].generated && &table->columns[i] != table->tenant)
            copy->columns[copy->ncolumns++] = table->columns[i].name;
    }
}

static bool names_have(const char **names, int n, const char *name) {
    for (int i = 0; i < n; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The value of a literal, as its column's default or a cast of that. False for anything else. */
static bool constant_default(const Copy *copy, const Column *column, CopyKey *key) {
    const InsertDefault found = insert_default(copy->rw, column);
    const Expr *expr = found.expr;

    if (found.kind == INSERT_DEFAULT_NULL)
        return true;
    if (found.kind != INSERT_DEFAULT_CONSTANT)
        return false;
    if (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    if (!expr || expr->kind != EXPR_CONST ||
        (expr->const_type != CONST_INTEGER && expr->const_type != CONST_STRING))
        return false;
    key->constant = str_of(arena_strdup(copy->rw->arena, expr->value));
    return true;
}

/* One for each column of the key. NULL if some column of it is NULL, or not known, in each row; then *why
 * says so. */
static const CopyKey *find_keys(const Copy *copy, const char **why) {
    const CopyOptions *options = &copy->facts->options;
    CopyKey *keys = ARENA_ARRAY(copy->rw->arena, CopyKey, copy->fk->ncolumns);

    for (int k = 0; k < copy->fk->ncolumns; k++) {
        const Column *column = copy->fk->child_columns[k];
        CopyKey *key = &keys[k];

        key->position = -1;
        for (int i = 0; i < copy->ncolumns && key->position < 0; i++) {
            if (copy->columns[i] && strcmp(copy->columns[i], column->name) == 0)
                key->position = i;
        }
        key->null_too = names_have(options->force_null, options->nforce_null, column->name);
        key->not_null = names_have(options->force_not_null, options->nforce_not_null, column->name);
        if (key->position >= 0)
            continue;
        if (!constant_default(copy, column, key)) {
            *why = arena_printf(copy->rw->arena, "the value of %s is made by its default", column->name);
            return NULL;
        }
        if (!key->constant.ptr) {
            *why = arena_printf(copy->rw->arena, "without %s the rows have no parent", column->name);
            return NULL;
        }
    }
    return keys;
}

/* ---- what comes of it ---- */

static CopyPlan *make_plan(const Copy *copy, const CopyKey *keys) {
    static const CopyRowFormat formats[] = {
        [COPY_TEXT] = COPY_ROW_TEXT, [COPY_CSV] = COPY_ROW_CSV, [COPY_BINARY] = COPY_ROW_BINARY};
    const CopyOptions *options = &copy->facts->options;
    const Table *table = copy->table;
    Arena *arena = copy->rw->arena;
    CopyPlan *plan = ARENA_NEW(arena, CopyPlan);

    *plan = (CopyPlan){
        .table = table,
        .row = {.format = formats[options->format],
                .delimiter = options->delimiter,
                .quote = options->quote,
                .escape = options->escape,
                .null_text = arena_str(arena, str_of(options->null_text)),
                .header = options->header != COPY_HEADER_OFF,
                .csv_marker = copy->rw->snapshot->server_version_num < 180000},
        .nfields = copy->ncolumns,
        .may_have_it = !copy->facts->has_column_list && table->tenant == &table->columns[table->ncolumns - 1],
        .keys = keys,
        .encoding = options->encoding ? arena_strdup(arena, options->encoding) : NULL,
        .header_match = options->header == COPY_HEADER_MATCH,
        .filtered = copy->facts->where != NULL,
        .refuse_unknown = table->on_unknown == ON_UNKNOWN_REFUSE ||
                          (table->on_unknown == ON_UNKNOWN_AUTO && table->stage >= STAGE_KEYED),
    };
    return plan;
}

static void edit_columns(const Copy *copy) {
    const CopyFacts *facts = copy->facts;
    Rewrite *rw = copy->rw;
    Buf sql = {0};

    for (int i = 0; i < copy->ncolumns && !facts->has_column_list; i++) {
        buf_append_cstr(&sql, i == 0 ? " (" : ", ");
        quote_identifier(&sql, copy->columns[i]);
    }
    buf_append_cstr(&sql, facts->has_column_list || copy->ncolumns > 0 ? ", " : " (");
    quote_identifier(&sql, copy->table->tenant_column);
    if (!facts->has_column_list)
        buf_append_cstr(&sql, ")");
    edits_insert(rw->edits, rw->arena, facts->has_column_list ? facts->column_list.end - 1 : facts->table_end,
                 arena_str(rw->arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)}));
    buf_free(&sql);
    rw->decision->rewritten = true;
}

/* A column that was added for the migration but is not written yet changes what a COPY without a list
 * means. */
static bool must_list(const Copy *copy) {
    return copy->table->staged && copy->table->stage == STAGE_OBSERVE && copy->table->tenant &&
           !copy->facts->has_column_list;
}

void copy_rewrite(Rewrite *rw, const CopyFacts *facts, const Table *table) {
    Copy copy = {.rw = rw, .facts = facts, .table = table};
    const char *why, *keyless = NULL;
    const CopyKey *keys;

    if (table->kind != KIND_BACKFILL || (!rewrite_is_migrating(table) && !must_list(&copy)) ||
        gives_tenant(&copy))
        return;
    if (table->path.nsteps > 0)
        copy.fk = table->path.steps[0];
    why = problem(&copy);
    if (why) {
        rewrite_unknown(rw, table, why);
        return;
    }
    if (facts->where && rewrite_is_distributed(table)) {
        rewrite_refuse(rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                       arena_printf(rw->arena,
                                    "COPY … WHERE is not supported on the distributed table \"%s\"",
                                    table->name),
                       NULL, "Leave out the rows before they are sent, or COPY them into a temporary table.");
        return;
    }
    fill_columns(&copy);
    keys = find_keys(&copy, &keyless);
    if (!keys)
        rewrite_leave(rw, table, keyless);
    edit_columns(&copy);
    rw->decision->copy = make_plan(&copy, keys);
    rw->literals_matter = true;
}
