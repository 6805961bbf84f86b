/* SET and set_config(): which parameter gets which value, as SHOW prints it. */
#include <strings.h>

#include "base/buf.h"
#include "parser/facts_internal.h"

/* Parameters that are lists of identifiers: SET quotes each element that needs it. */
static bool is_identifier_list(const char *name) {
    static const char *const names[] = {"search_path", "temp_tablespaces", "local_preload_libraries",
                                        "session_preload_libraries", "shared_preload_libraries"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    return false;
}

/* A word that is an identifier wherever one may stand: no keyword but an unreserved one. */
static bool is_free_word(const char *word) {
    PgQueryScanResult scan = pg_query_scan(word);
    PgQuery__ScanResult *tokens = NULL;
    bool is_free = false;

    if (!scan.error)
        tokens = pg_query__scan_result__unpack(NULL, scan.pbuf.len, (const uint8_t *)scan.pbuf.data);
    if (tokens && tokens->n_tokens == 1)
        is_free = tokens->tokens[0]->keyword_kind == PG_QUERY__KEYWORD_KIND__NO_KEYWORD ||
                  tokens->tokens[0]->keyword_kind == PG_QUERY__KEYWORD_KIND__UNRESERVED_KEYWORD;
    if (tokens)
        pg_query__scan_result__free_unpacked(tokens, NULL);
    pg_query_free_scan_result(scan);
    return is_free;
}

static bool needs_quotes(const char *s) {
    if (!((s[0] >= 'a' && s[0] <= 'z') || s[0] == '_'))
        return true;
    for (const char *p = s; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_'))
            return true;
    return !is_free_word(s);
}

static void append_identifier(Buf *out, const char *s) {
    bool quotes = needs_quotes(s);

    if (!quotes) {
        buf_append_cstr(out, s);
        return;
    }
    buf_append_cstr(out, "\"");
    for (; *s; s++) {
        buf_append(out, s, 1);
        if (*s == '"')
            buf_append(out, s, 1);
    }
    buf_append_cstr(out, "\"");
}

/* One argument, a literal. False for anything else: TIME ZONE INTERVAL '…', which SHOW prints in another way.
 */
static bool append_argument(Convert *c, Buf *out, const Node *arg, bool as_identifier) {
    Expr literal = {0};

    if (arg->node_case != PG_QUERY__NODE__NODE_A_CONST)
        return false;
    facts_literal(c, &literal, arg->a_const);
    if (!literal.value)
        return false;
    if (as_identifier && literal.const_type == CONST_STRING)
        append_identifier(out, literal.value);
    else
        buf_append_cstr(out, literal.value);
    return true;
}

void facts_set(Convert *c, SetFacts *set, const PgQuery__VariableSetStmt *s) {
    Buf value = {0};
    bool known = true;

    set->name = facts_string(c, s->name);
    set->local = s->is_local;
    set->from_current = s->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_CURRENT;
    if (s->kind != PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE)
        return;
    c->literals_matter = true;
    for (size_t i = 0; i < s->n_args && known; i++) {
        if (i > 0)
            buf_append_cstr(&value, ", ");
        known = append_argument(c, &value, s->args[i], is_identifier_list(set->name));
    }
    if (known)
        set->value = arena_strndup(c->arena, (const char *)buf_ptr(&value), buf_len(&value));
    else
        set->unknown = true;
    buf_free(&value);
}

static const char *string_literal(const Expr *expr) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    return expr && expr->kind == EXPR_CONST && expr->const_type == CONST_STRING ? expr->value : NULL;
}

/* true, 't', 'true'::boolean …; *known tells whether it is a literal at all. */
static bool boolean_literal(const Expr *expr, bool *known) {
    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1)
        expr = expr->args[0];
    *known = expr && expr->kind == EXPR_CONST && expr->value &&
             (expr->const_type == CONST_BOOLEAN || expr->const_type == CONST_STRING);
    return *known && (strchr("tTyY1", expr->value[0]) != NULL || strcasecmp(expr->value, "on") == 0);
}

/* Notes a call of set_config(name, value, is_local). */
void facts_config_call(Convert *c, const Expr *call) {
    ConfigCall *made;

    if (strcmp(call->name.name ? call->name.name : "", "set_config") != 0 ||
        (call->name.schema && strcmp(call->name.schema, "pg_catalog") != 0))
        return;
    c->literals_matter = true;
    c->config_calls = facts_grow(c, c->config_calls, c->nconfig_calls, sizeof(*c->config_calls));
    made = &c->config_calls[c->nconfig_calls++];
    if (call->nargs != 3)
        return;
    made->name = string_literal(call->args[0]);
    made->value = string_literal(call->args[1]);
    made->local = boolean_literal(call->args[2], &made->local_known);
}
