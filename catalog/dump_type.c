/* Types as a server would show them: pg_type's name and schema, and what format_type prints. */
#include <stdlib.h>

#include "catalog/dump_internal.h"

/* The types of pg_catalog that a column can have, sorted; every other unqualified name is looked up in the
 * search path. */
static const char *const builtin_types[] = {"aclitem",
                                            "bit",
                                            "bool",
                                            "box",
                                            "bpchar",
                                            "bytea",
                                            "char",
                                            "cid",
                                            "cidr",
                                            "circle",
                                            "date",
                                            "datemultirange",
                                            "daterange",
                                            "float4",
                                            "float8",
                                            "gtsvector",
                                            "inet",
                                            "int2",
                                            "int2vector",
                                            "int4",
                                            "int4multirange",
                                            "int4range",
                                            "int8",
                                            "int8multirange",
                                            "int8range",
                                            "interval",
                                            "json",
                                            "jsonb",
                                            "jsonpath",
                                            "line",
                                            "lseg",
                                            "macaddr",
                                            "macaddr8",
                                            "money",
                                            "name",
                                            "numeric",
                                            "nummultirange",
                                            "numrange",
                                            "oid",
                                            "oidvector",
                                            "path",
                                            "pg_lsn",
                                            "pg_snapshot",
                                            "point",
                                            "polygon",
                                            "refcursor",
                                            "regclass",
                                            "regcollation",
                                            "regconfig",
                                            "regdictionary",
                                            "regnamespace",
                                            "regoper",
                                            "regoperator",
                                            "regproc",
                                            "regprocedure",
                                            "regrole",
                                            "regtype",
                                            "text",
                                            "tid",
                                            "time",
                                            "timestamp",
                                            "timestamptz",
                                            "timetz",
                                            "tsmultirange",
                                            "tsquery",
                                            "tsrange",
                                            "tstzmultirange",
                                            "tstzrange",
                                            "tsvector",
                                            "txid_snapshot",
                                            "uuid",
                                            "varbit",
                                            "varchar",
                                            "xid",
                                            "xid8",
                                            "xml"};

static int compare_name(const void *key, const void *entry) {
    return strcmp(key, *(const char *const *)entry);
}

static bool is_builtin(const char *name) {
    return bsearch(name, builtin_types, ARRAY_LEN(builtin_types), sizeof(*builtin_types), compare_name) !=
           NULL;
}

/* The spellings of the SQL standard: {before the modifier, behind it}. Without a modifier `bare` if it is
 * set. */
static const struct {
    const char *name, *before, *behind, *bare;
} spellings[] = {
    {"bit", "bit", "", "\"bit\""},
    {"bool", "boolean", "", NULL},
    {"bpchar", "character", "", "bpchar"},
    {"float4", "real", "", NULL},
    {"float8", "double precision", "", NULL},
    {"int2", "smallint", "", NULL},
    {"int4", "integer", "", NULL},
    {"int8", "bigint", "", NULL},
    {"numeric", "numeric", "", NULL},
    {"time", "time", " without time zone", NULL},
    {"timestamp", "timestamp", " without time zone", NULL},
    {"timestamptz", "timestamp", " with time zone", NULL},
    {"timetz", "time", " with time zone", NULL},
    {"varbit", "bit varying", "", NULL},
    {"varchar", "character varying", "", NULL},
};

/* The fields of an interval, by the mask that the grammar gives as its first modifier. */
static const struct {
    int mask;
    const char *fields;
} interval_fields[] = {
    {4, " year"},
    {2, " month"},
    {8, " day"},
    {1024, " hour"},
    {2048, " minute"},
    {4096, " second"},
    {4 | 2, " year to month"},
    {8 | 1024, " day to hour"},
    {8 | 1024 | 2048, " day to minute"},
    {8 | 1024 | 2048 | 4096, " day to second"},
    {1024 | 2048, " hour to minute"},
    {1024 | 2048 | 4096, " hour to second"},
    {2048 | 4096, " minute to second"},
};

static const char *format_interval(Arena *arena, const char *modifier) {
    const char *comma = modifier ? strchr(modifier, ',') : NULL;
    const char *fields = "";

    for (size_t i = 0; modifier && i < ARRAY_LEN(interval_fields); i++) {
        if (interval_fields[i].mask == atoi(modifier))
            fields = interval_fields[i].fields;
    }
    return comma ? arena_printf(arena, "interval%s(%s)", fields, comma + 1)
                 : arena_printf(arena, "interval%s", fields);
}

static const char *format_builtin(Arena *arena, const char *name, const char *modifier) {
    if (strcmp(name, "interval") == 0)
        return format_interval(arena, modifier);
    if (strcmp(name, "numeric") == 0 && modifier && !strchr(modifier, ','))
        return arena_printf(arena, "numeric(%s,0)", modifier);
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
        if (strcmp(name, spellings[i].name) != 0)
            continue;
        if (!modifier && spellings[i].bare)
            return spellings[i].bare;
        return arena_printf(arena, modifier ? "%s(%s)%s" : "%s%s%s", spellings[i].before,
                            modifier ? modifier : "", spellings[i].behind);
    }
    return NULL;
}

static const char *format_named(Arena *arena, const char *schema, const char *name, const char *modifier) {
    Buf buf = {0};
    const char *text;

    if (strcmp(schema, "pg_catalog") != 0) {
        quote_identifier(&buf, schema);
        buf_append_cstr(&buf, ".");
    }
    quote_identifier(&buf, name);
    if (modifier)
        buf_printf(&buf, "(%s)", modifier);
    text = arena_strndup(arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return text;
}

/* The schema of an unqualified type: pg_catalog comes first, then what the text has created, tables' row
 * types included. A type that the text does not create (an extension's) is taken to be in the first schema of
 * the path. */
static const char *find_schema(const DumpReader *reader, const char *name) {
    if (is_builtin(name))
        return "pg_catalog";
    for (int i = 0; i < reader->npath; i++) {
        if (snapshot_find_table(reader->builder, reader->path[i], name))
            return reader->path[i];
        for (int j = 0; j < reader->ntypes; j++) {
            if (strcmp(reader->types[j].name, name) == 0 &&
                strcmp(reader->types[j].schema, reader->path[i]) == 0)
                return reader->path[i];
        }
    }
    return reader->npath > 0 ? reader->path[0] : "public";
}

/* The name of the array type: an underscore before the element's name, cut as the server cuts names. */
static const char *array_name(Arena *arena, const char *element) {
    enum { NAME_BYTES = 63 };

    return arena_printf(arena, "_%.*s", NAME_BYTES - 1, element);
}

ResolvedType dump_type(DumpReader *reader, const DdlType *type) {
    const char *name = type->name.name ? type->name.name : "unknown";
    const char *schema = type->name.schema ? type->name.schema : find_schema(reader, name);
    const char *text = NULL;

    if (strcmp(schema, "pg_catalog") == 0)
        text = format_builtin(reader->arena, name, type->modifier);
    if (!text)
        text = format_named(reader->arena, schema, name, type->modifier);
    if (!type->array)
        return (ResolvedType){text, schema, name};
    return (ResolvedType){arena_printf(reader->arena, "%s[]", text), schema, array_name(reader->arena, name)};
}
