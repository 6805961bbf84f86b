/* Names in SQL's spelling: quoting an identifier, reading a list of them. */
#include "catalog/internal.h"

#include <ctype.h>
#include <stdlib.h>

/* Every keyword of PostgreSQL 12 to 18 that is not unreserved, sorted: quote_ident puts these in quotes. */
static const char *const quoted_keywords[] = {"all",
                                              "analyse",
                                              "analyze",
                                              "and",
                                              "any",
                                              "array",
                                              "as",
                                              "asc",
                                              "asymmetric",
                                              "authorization",
                                              "between",
                                              "bigint",
                                              "binary",
                                              "bit",
                                              "boolean",
                                              "both",
                                              "case",
                                              "cast",
                                              "char",
                                              "character",
                                              "check",
                                              "coalesce",
                                              "collate",
                                              "collation",
                                              "column",
                                              "concurrently",
                                              "constraint",
                                              "create",
                                              "cross",
                                              "current_catalog",
                                              "current_date",
                                              "current_role",
                                              "current_schema",
                                              "current_time",
                                              "current_timestamp",
                                              "current_user",
                                              "dec",
                                              "decimal",
                                              "default",
                                              "deferrable",
                                              "desc",
                                              "distinct",
                                              "do",
                                              "else",
                                              "end",
                                              "except",
                                              "exists",
                                              "extract",
                                              "false",
                                              "fetch",
                                              "float",
                                              "for",
                                              "foreign",
                                              "freeze",
                                              "from",
                                              "full",
                                              "grant",
                                              "greatest",
                                              "group",
                                              "grouping",
                                              "having",
                                              "ilike",
                                              "in",
                                              "initially",
                                              "inner",
                                              "inout",
                                              "int",
                                              "integer",
                                              "intersect",
                                              "interval",
                                              "into",
                                              "is",
                                              "isnull",
                                              "join",
                                              "json",
                                              "json_array",
                                              "json_arrayagg",
                                              "json_exists",
                                              "json_object",
                                              "json_objectagg",
                                              "json_query",
                                              "json_scalar",
                                              "json_serialize",
                                              "json_table",
                                              "json_value",
                                              "lateral",
                                              "leading",
                                              "least",
                                              "left",
                                              "like",
                                              "limit",
                                              "localtime",
                                              "localtimestamp",
                                              "merge_action",
                                              "national",
                                              "natural",
                                              "nchar",
                                              "none",
                                              "normalize",
                                              "not",
                                              "notnull",
                                              "null",
                                              "nullif",
                                              "numeric",
                                              "offset",
                                              "on",
                                              "only",
                                              "or",
                                              "order",
                                              "out",
                                              "outer",
                                              "overlaps",
                                              "overlay",
                                              "placing",
                                              "position",
                                              "precision",
                                              "primary",
                                              "real",
                                              "references",
                                              "returning",
                                              "right",
                                              "row",
                                              "select",
                                              "session_user",
                                              "setof",
                                              "similar",
                                              "smallint",
                                              "some",
                                              "substring",
                                              "symmetric",
                                              "system_user",
                                              "table",
                                              "tablesample",
                                              "then",
                                              "time",
                                              "timestamp",
                                              "to",
                                              "trailing",
                                              "treat",
                                              "trim",
                                              "true",
                                              "union",
                                              "unique",
                                              "user",
                                              "using",
                                              "values",
                                              "varchar",
                                              "variadic",
                                              "verbose",
                                              "when",
                                              "where",
                                              "window",
                                              "with",
                                              "xmlattributes",
                                              "xmlconcat",
                                              "xmlelement",
                                              "xmlexists",
                                              "xmlforest",
                                              "xmlnamespaces",
                                              "xmlparse",
                                              "xmlpi",
                                              "xmlroot",
                                              "xmlserialize",
                                              "xmltable"};

static int compare_keyword(const void *key, const void *entry) {
    return strcmp(key, *(const char *const *)entry);
}

static bool needs_quotes(const char *name) {
    if (!(*name == '_' || (*name >= 'a' && *name <= 'z')))
        return true;
    for (const char *p = name; *p; p++) {
        if (!(*p == '_' || (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            return true;
    }
    return bsearch(name, quoted_keywords, ARRAY_LEN(quoted_keywords), sizeof(*quoted_keywords),
                   compare_keyword);
}

void quote_identifier(Buf *buf, const char *name) {
    if (!needs_quotes(name)) {
        buf_append_cstr(buf, name);
        return;
    }
    buf_append_cstr(buf, "\"");
    for (const char *p = name; *p; p++) {
        if (*p == '"')
            buf_append_cstr(buf, "\"");
        buf_append(buf, p, 1);
    }
    buf_append_cstr(buf, "\"");
}

const char *table_qualified_name(Arena *arena, const Table *table) {
    Buf buf = {0};
    const char *name;

    quote_identifier(&buf, table->schema);
    buf_append_cstr(&buf, ".");
    quote_identifier(&buf, table->name);
    name = arena_strndup(arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return name;
}

/* Reads one name at *p, quoted or not, into `out`; moves *p behind it. Returns where the name ends in `out`.
 */
static char *read_name(const char **p, char *out) {
    if (**p == '"') {
        (*p)++;
        while (**p && !(**p == '"' && (*p)[1] != '"')) {
            if (**p == '"')
                (*p)++;
            *out++ = *(*p)++;
        }
        if (**p)
            (*p)++;
    } else {
        while (**p && **p != ',' && !isspace((unsigned char)**p)) {
            char c = *(*p)++;
            *out++ = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        }
    }
    *out = '\0';
    return out;
}

const char **search_path_split(Arena *arena, const char *search_path, int *count) {
    const char *p = search_path ? search_path : "";
    size_t len = strlen(p);
    const char **names = ARENA_ARRAY(arena, const char *, len + 1);
    char *room = arena_alloc(arena, 2 * len + 1); /* a name is no longer than its text, and one NUL each */

    *count = 0;
    for (;;) {
        char *end;

        while (*p == ',' || isspace((unsigned char)*p))
            p++;
        if (!*p)
            return names;
        end = read_name(&p, room);
        if (end == room)
            continue; /* "": no schema has an empty name */
        names[(*count)++] = room;
        room = end + 1;
    }
}
