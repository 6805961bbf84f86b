/* Slices of a statement's text: the parse tree says where an expression begins, only the tokens where it
 * ends. */
#include <pg_query.h>

#include "parser/ddl_internal.h"

/* The tokens without comments; NULL if the scanner rejects the text. */
static const PgQuery__ScanResult *tokens_of(DdlReader *reader) {
    PgQueryScanResult result;
    size_t kept = 0;

    if (reader->scan)
        return reader->scan;
    result = pg_query_scan(reader->text);
    if (!result.error) {
        reader->scan =
            pg_query__scan_result__unpack(NULL, result.pbuf.len, (const uint8_t *)result.pbuf.data);
    }
    pg_query_free_scan_result(result);
    for (size_t i = 0; reader->scan && i < reader->scan->n_tokens; i++) {
        PgQuery__ScanToken *token = reader->scan->tokens[i];

        if (token->token == PG_QUERY__TOKEN__SQL_COMMENT || token->token == PG_QUERY__TOKEN__C_COMMENT)
            pg_query__scan_token__free_unpacked(token, NULL);
        else
            reader->scan->tokens[kept++] = token;
    }
    if (reader->scan)
        reader->scan->n_tokens = kept;
    return reader->scan;
}

void ddl_reader_free(DdlReader *reader) {
    if (reader->scan)
        pg_query__scan_result__free_unpacked(reader->scan, NULL);
    reader->scan = NULL;
}

static PgQuery__Token token_at(const PgQuery__ScanResult *scan, size_t i) {
    return i < scan->n_tokens ? scan->tokens[i]->token : PG_QUERY__TOKEN__NUL;
}

/* Whether token i cannot be part of a column's default any more but begins what follows it. A default is a
 * b_expr: outside of parentheses it has no COLLATE, no AND, and NOT only in IS NOT DISTINCT FROM. */
static bool ends_default(const PgQuery__ScanResult *scan, size_t i) {
    PgQuery__Token token = token_at(scan, i), next = token_at(scan, i + 1);

    switch (token) {
    case PG_QUERY__TOKEN__NOT:
        return next == PG_QUERY__TOKEN__NULL_P || next == PG_QUERY__TOKEN__DEFERRABLE;
    case PG_QUERY__TOKEN__NULL_P:
    case PG_QUERY__TOKEN__CONSTRAINT:
    case PG_QUERY__TOKEN__UNIQUE:
    case PG_QUERY__TOKEN__CHECK:
    case PG_QUERY__TOKEN__REFERENCES:
    case PG_QUERY__TOKEN__COLLATE:
    case PG_QUERY__TOKEN__DEFERRABLE:
        return true;
    case PG_QUERY__TOKEN__PRIMARY:
        return next == PG_QUERY__TOKEN__KEY;
    case PG_QUERY__TOKEN__GENERATED:
        return next == PG_QUERY__TOKEN__ALWAYS || next == PG_QUERY__TOKEN__BY;
    case PG_QUERY__TOKEN__INITIALLY:
        return next == PG_QUERY__TOKEN__DEFERRED || next == PG_QUERY__TOKEN__IMMEDIATE;
    default:
        return false;
    }
}

/* The text from token `first` up to the comma or parenthesis that ends it. */
static const char *slice_expression(const DdlReader *reader, const PgQuery__ScanResult *scan, size_t first,
                                    bool column_default) {
    int depth = 0;
    size_t i = first;

    for (; i < scan->n_tokens; i++) {
        PgQuery__Token token = token_at(scan, i);

        if (depth == 0 && (token == PG_QUERY__TOKEN__ASCII_44 || token == PG_QUERY__TOKEN__ASCII_41))
            break;
        if (depth == 0 && column_default && i > first && ends_default(scan, i))
            break;
        depth += token == PG_QUERY__TOKEN__ASCII_40 || token == PG_QUERY__TOKEN__ASCII_91;
        depth -= token == PG_QUERY__TOKEN__ASCII_41 || token == PG_QUERY__TOKEN__ASCII_93;
    }
    if (i == first)
        return NULL;
    return arena_strndup(reader->arena, reader->text + scan->tokens[first]->start,
                         (size_t)(scan->tokens[i - 1]->end - scan->tokens[first]->start));
}

const char *ddl_default_text(DdlReader *reader, int location) {
    const PgQuery__ScanResult *scan = tokens_of(reader);

    for (size_t i = 0; scan && i < scan->n_tokens; i++) {
        if (scan->tokens[i]->start >= location && token_at(scan, i) == PG_QUERY__TOKEN__DEFAULT)
            return slice_expression(reader, scan, i + 1, true);
    }
    return NULL;
}

const char *ddl_set_default_text(DdlReader *reader, int nth) {
    const PgQuery__ScanResult *scan = tokens_of(reader);

    for (size_t i = 0; scan && i < scan->n_tokens; i++) {
        if (token_at(scan, i) == PG_QUERY__TOKEN__SET && token_at(scan, i + 1) == PG_QUERY__TOKEN__DEFAULT &&
            nth-- == 0)
            return slice_expression(reader, scan, i + 2, false);
    }
    return NULL;
}

const char *ddl_view_text(DdlReader *reader, bool has_with_tail) {
    const PgQuery__ScanResult *scan = tokens_of(reader);
    size_t first = 0, end;
    int depth = 0;

    if (!scan)
        return NULL;
    for (; first < scan->n_tokens && !(depth == 0 && token_at(scan, first) == PG_QUERY__TOKEN__AS); first++) {
        depth += token_at(scan, first) == PG_QUERY__TOKEN__ASCII_40;
        depth -= token_at(scan, first) == PG_QUERY__TOKEN__ASCII_41;
    }
    first++;
    end = scan->n_tokens;
    while (has_with_tail && end > first + 1 && token_at(scan, end - 1) != PG_QUERY__TOKEN__WITH)
        end--;
    end -= has_with_tail && end > first + 1;
    if (first >= end)
        return NULL;
    return arena_strndup(reader->arena, reader->text + scan->tokens[first]->start,
                         (size_t)(scan->tokens[end - 1]->end - scan->tokens[first]->start));
}
