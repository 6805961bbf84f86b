/* An INSERT … SELECT from a distributed table into a local one loses, in Citus, the coercion to the column's
 * length: 'toolong' ends up in a varchar(5). So where a SELECT that reads parents takes the place of VALUES,
 * the coercion is written down:
 *
 *   pg_catalog."varchar"(CAST(x AS pg_catalog."varchar"), 9, false)      CAST(x AS
 * pg_catalog."numeric"(10,2))
 *
 * A cast to varchar(5) would cut the value; the function, which PostgreSQL's own assignments call, complains.
 * Its second argument is the type modifier: of character types, the length and four. */
#include "rewrite/coerce.h"

#include <stdlib.h>
#include <string.h>

#include "rewrite/tenant_expr.h"

static const struct {
    const char *type;
    int added;
} lengths[] = {{"varchar", 4}, {"bpchar", 4}, {"bit", 0}, {"varbit", 0}};

static const char *kept(Arena *arena, Buf *sql) {
    const char *text = arena_strndup(arena, (const char *)buf_ptr(sql), buf_len(sql));

    buf_free(sql);
    return text;
}

static Coerce by_length(Arena *arena, const Column *column, long modifier) {
    Buf name = {0};
    Coerce result;

    quote_identifier(&name, column->type_name);
    result.head =
        arena_printf(arena, "pg_catalog.%.*s(CAST(", (int)buf_len(&name), (const char *)buf_ptr(&name));
    result.tail = arena_printf(arena, " AS pg_catalog.%.*s), %ld, false)", (int)buf_len(&name),
                               (const char *)buf_ptr(&name), modifier);
    buf_free(&name);
    return result;
}

Coerce coerce_to_column(Arena *arena, const Column *column) {
    const char *open = strchr(column->type, '(');
    Coerce result = {0};
    Buf sql = {0};

    if (!open || strcmp(column->type_schema, "pg_catalog") != 0 || column->type_name[0] == '_')
        return result;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        if (strcmp(column->type_name, lengths[i].type) == 0)
            return by_length(arena, column, strtol(open + 1, NULL, 10) + lengths[i].added);
    }
    buf_append_cstr(&sql, " AS ");
    tenant_expr_put_type(&sql, column);
    buf_append_cstr(&sql, ")");
    result.tail = kept(arena, &sql);
    result.head = strchr(result.tail, '(') ? "CAST(" : NULL;
    return result;
}
