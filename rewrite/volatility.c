/* Volatility, by name and by type.
 *
 * PostgreSQL has it in pg_proc for each overload of a function, so types decide: what goes from or to
 * timestamptz depends on the session's time zone, what turns a date into text on DateStyle. Types are known
 * of columns, casts and the functions and operators of dates; of the rest it is enough to know that they are
 * none. */
#include "rewrite/volatility.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "rewrite/functions.h"
#include "rewrite/walk.h"

static bool is(const char *type, const char *name) { return type && strcmp(type, name) == 0; }

static int compare(const void *name, const void *entry) { return strcmp(name, *(const char *const *)entry); }

/* Lists are sorted. clang-format is off: one name a line would be all there is to see. */
/* clang-format off */

/* Stable whatever their arguments are. */
static const char *const stable_functions[] = {
    "array_to_json", "array_to_string", "col_description", "concat", "concat_ws", "convert", "convert_from",
    "convert_to", "current_catalog", "current_database", "current_date", "current_role", "current_schema",
    "current_schemas", "current_setting", "current_time", "current_timestamp", "current_user", "enum_first",
    "enum_last", "enum_range", "format", "format_type", "get_current_ts_config", "getdatabaseencoding",
    "has_any_column_privilege", "has_column_privilege", "has_database_privilege", "has_schema_privilege",
    "has_table_privilege", "json_build_array", "json_build_object", "json_populate_record",
    "json_populate_recordset", "json_to_record", "json_to_recordset", "jsonb_build_array",
    "jsonb_build_object", "jsonb_path_exists_tz", "jsonb_path_match_tz", "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz", "jsonb_path_query_tz", "jsonb_populate_record", "jsonb_populate_recordset",
    "jsonb_to_record", "jsonb_to_recordset", "localtime", "localtimestamp", "make_timestamptz", "now",
    "obj_description", "row_to_json", "session_user", "statement_timestamp", "to_char", "to_date", "to_json",
    "to_jsonb", "to_number", "transaction_timestamp", "txid_current", "txid_current_if_assigned",
    "txid_current_snapshot", "user", "version",
};

/* Stable where an argument is a timestamptz. */
static const char *const zoned_functions[] = {
    "date", "date_part", "date_trunc", "extract", "generate_series", "time", "timestamp", "timetz",
};

/* Stable unless the text search configuration is given as an argument more. */
static const struct {
    const char *name;
    int nargs;
} configured_functions[] = {
    {"json_to_tsvector", 2}, {"jsonb_to_tsvector", 2}, {"phraseto_tsquery", 1}, {"plainto_tsquery", 1},
    {"to_tsquery", 1}, {"to_tsvector", 1}, {"websearch_to_tsquery", 1},
};

/* What reads or writes sequences, locks, sleeps, and so on, beside what functions.c calls volatile. */
static const char *const volatile_functions[] = {
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_all",
    "pg_advisory_unlock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared",
    "pg_cancel_backend", "pg_notify", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_terminate_backend",
    "pg_try_advisory_lock", "pg_try_advisory_lock_shared", "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
};

/* The types of results, where they matter. */
static const struct {
    const char *name;
    const char *type;
} results[] = {
    {"age", "interval"},
    {"clock_timestamp", "timestamptz"},
    {"concat", "text"}, {"concat_ws", "text"},
    {"current_date", "date"}, {"current_time", "timetz"}, {"current_timestamp", "timestamptz"},
    {"date", "date"}, {"extract", "numeric"}, {"format", "text"},
    {"gen_random_uuid", "uuid"},
    {"localtime", "time"}, {"localtimestamp", "timestamp"}, {"lower", "text"},
    {"make_date", "date"}, {"make_interval", "interval"}, {"make_timestamp", "timestamp"},
    {"make_timestamptz", "timestamptz"}, {"md5", "text"}, {"now", "timestamptz"}, {"replace", "text"},
    {"statement_timestamp", "timestamptz"}, {"substr", "text"}, {"substring", "text"}, {"to_char", "text"},
    {"to_date", "date"}, {"to_timestamp", "timestamptz"}, {"transaction_timestamp", "timestamptz"},
    {"trim", "text"}, {"upper", "text"},
};
/* clang-format on */

static bool in_list(const char *const *list, size_t n, const char *name) {
    return bsearch(name, list, n, sizeof(char *), compare) != NULL;
}

static bool is_textual(const char *type) {
    return is(type, "text") || is(type, "varchar") || is(type, "bpchar");
}

/* Whether the type's text depends on settings. */
static bool is_styled(const char *type) {
    return is(type, "date") || is(type, "timestamp") || is(type, "timestamptz") || is(type, "interval") ||
           is(type, "money");
}

static bool is_range(const char *type) {
    size_t len = type ? strlen(type) : 0;

    return len > 5 && strcmp(type + len - 5, "range") == 0;
}

/* ---- types ---- */

static const Expr *argument(const Expr *expr, int i) { return i < expr->nargs ? expr->args[i] : NULL; }

static const char *function_type(const VolatilityScope *scope, const Expr *expr) {
    const char *name = expr->name.name;

    if (!name || !names_in_catalog(scope->names, &expr->name))
        return NULL;
    if (strcmp(name, "date_trunc") == 0)
        return volatility_type(scope, argument(expr, 1));
    if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0)
        return volatility_type(scope, argument(expr, 0));
    if (strcmp(name, "timezone") == 0) {
        const char *type = volatility_type(scope, argument(expr, 1));

        return is(type, "timestamptz") ? "timestamp" : is(type, "timestamp") ? "timestamptz" : NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        if (strcmp(results[i].name, name) == 0)
            return results[i].type;
    }
    return NULL;
}

static bool is_dated(const char *type) {
    return is(type, "date") || is(type, "timestamp") || is(type, "timestamptz");
}

static const char *sum_type(const char *op, const char *left, const char *right) {
    const char *dated = is_dated(left) ? left : right, *other = is_dated(left) ? right : left;

    if (is_dated(left) && is_dated(right))
        return *op != '-' ? NULL : is(left, "date") && is(right, "date") ? "int4" : "interval";
    if (!is_dated(dated))
        return left && right && strcmp(left, right) == 0 ? left : NULL;
    if (is(dated, "date"))
        return is(other, "interval") ? "timestamp" : is(other, "time") ? "timestamp" : "date";
    return *op == '-' && !other ? "interval" : dated;
}

static const char *operator_type(const VolatilityScope *scope, const Expr *expr) {
    const char *left, *right;

    if (expr->nargs != 2 || !expr->op)
        return NULL;
    left = volatility_type(scope, expr->args[0]);
    right = volatility_type(scope, expr->args[1]);
    if (strcmp(expr->op, "+") == 0 || strcmp(expr->op, "-") == 0)
        return sum_type(expr->op, left, right);
    if (strcmp(expr->op, "||") == 0)
        return is_textual(left) || is_textual(right) ? "text" : left;
    if (strcmp(expr->op, "->>") == 0 || strcmp(expr->op, "#>>") == 0)
        return "text";
    if (strcmp(expr->op, "->") == 0 || strcmp(expr->op, "#>") == 0)
        return left;
    return NULL;
}

static const char *first_type(const VolatilityScope *scope, const Expr *expr) {
    const char *type = NULL;

    for (int i = 0; i < expr->nargs && !type; i++)
        type = volatility_type(scope, expr->args[i]);
    return type;
}

const char *volatility_type(const VolatilityScope *scope, const Expr *expr) {
    if (!expr)
        return NULL;
    switch (expr->kind) {
    case EXPR_COLUMN:
        return scope->column_type(expr, scope->arg);
    case EXPR_CAST:
        return expr->typmod_or_array ? NULL : expr->name.name;
    case EXPR_FUNC:
        return function_type(scope, expr);
    case EXPR_OP:
        return operator_type(scope, expr);
    case EXPR_COALESCE:
    case EXPR_ARRAY: /* of the elements: it is compared with what is compared with each of them */
        return first_type(scope, expr);
    default:
        return NULL;
    }
}

/* ---- volatility ---- */

Volatility volatility_of_cast(const char *from, const char *to) {
    static const struct {
        const char *from, *to;
    } stable[] = {
        {"date", "timestamptz"}, {"timestamp", "timestamptz"},
        {"timestamptz", "date"}, {"timestamptz", "timestamp"},
        {"timestamptz", "time"}, {"timestamptz", "timetz"},
        {"time", "timetz"},      {"money", "numeric"},
        {"numeric", "money"},    {"int4", "money"},
        {"int8", "money"},       {"text", "regclass"},
        {"varchar", "regclass"}, {"text", "xml"},
        {"varchar", "xml"},
    };

    if (!from || !to)
        return VOLATILITY_IMMUTABLE;
    for (size_t i = 0; i < ARRAY_LEN(stable); i++) {
        if (is(from, stable[i].from) && is(to, stable[i].to))
            return VOLATILITY_STABLE;
    }
    /* Through text. */
    if (is_textual(to) && (is_styled(from) || is_range(from)))
        return VOLATILITY_STABLE;
    if (is_textual(from) && (is_styled(to) || is_range(to) || is(to, "time") || is(to, "timetz")))
        return VOLATILITY_STABLE;
    return VOLATILITY_IMMUTABLE;
}

static bool has_zoned_argument(const VolatilityScope *scope, const Expr *expr) {
    for (int i = 0; i < expr->ncall_args && i < expr->nargs; i++) {
        if (is(volatility_type(scope, expr->args[i]), "timestamptz"))
            return true;
    }
    return false;
}

static bool is_stable_call(const VolatilityScope *scope, const Expr *expr) {
    const char *name = expr->name.name;

    if (in_list(stable_functions, ARRAY_LEN(stable_functions), name))
        return true;
    if (in_list(zoned_functions, ARRAY_LEN(zoned_functions), name))
        return has_zoned_argument(scope, expr);
    if (strcmp(name, "to_timestamp") == 0)
        return expr->ncall_args == 2;
    if (strcmp(name, "timestamptz") == 0)
        return is(volatility_type(scope, argument(expr, 0)), "date") ||
               is(volatility_type(scope, argument(expr, 0)), "timestamp");
    for (size_t i = 0; i < ARRAY_LEN(configured_functions); i++) {
        if (strcmp(configured_functions[i].name, name) == 0)
            return expr->ncall_args == configured_functions[i].nargs;
    }
    return false;
}

static Volatility function_volatility(const VolatilityScope *scope, const Expr *expr) {
    const char *name = expr->name.name;

    if (!name || !names_in_catalog(scope->names, &expr->name))
        return VOLATILITY_IMMUTABLE;
    /* functions.c takes all that begins with pg_ for volatile, in case of doubt. */
    if (strncmp(name, "pg_", 3) == 0)
        return in_list(volatile_functions, ARRAY_LEN(volatile_functions), name) ? VOLATILITY_VOLATILE
                                                                                : VOLATILITY_IMMUTABLE;
    if (is_stable_call(scope, expr))
        return VOLATILITY_STABLE;
    return function_kind(name) == FUNCTION_VOLATILE ? VOLATILITY_VOLATILE : VOLATILITY_IMMUTABLE;
}

/* A date, or a timestamp without time zone, compared with one that has it. */
static bool compares_zones(const char *left, const char *right) {
    return is_dated(left) && is_dated(right) && is(left, "timestamptz") != is(right, "timestamptz");
}

static Volatility comparison_volatility(const VolatilityScope *scope, const Expr *left, const Expr *right) {
    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW) {
        for (int i = 0; i < left->nargs && i < right->nargs; i++) {
            if (comparison_volatility(scope, left->args[i], right->args[i]) != VOLATILITY_IMMUTABLE)
                return VOLATILITY_STABLE;
        }
        return VOLATILITY_IMMUTABLE;
    }
    return compares_zones(volatility_type(scope, left), volatility_type(scope, right)) ? VOLATILITY_STABLE
                                                                                       : VOLATILITY_IMMUTABLE;
}

static bool is_comparison(const char *op) {
    static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">=", "!="};

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if (strcmp(ops[i], op) == 0)
            return true;
    }
    return false;
}

static Volatility operator_volatility(const VolatilityScope *scope, const Expr *expr) {
    const char *left, *right;

    if (expr->nargs != 2 || !expr->op)
        return VOLATILITY_IMMUTABLE;
    if (is_comparison(expr->op))
        return comparison_volatility(scope, expr->args[0], expr->args[1]);
    left = volatility_type(scope, expr->args[0]);
    right = volatility_type(scope, expr->args[1]);
    /* timestamptz + interval; a difference of two is none. */
    if (strcmp(expr->op, "+") == 0 && (is(left, "timestamptz") || is(right, "timestamptz")))
        return VOLATILITY_STABLE;
    if (strcmp(expr->op, "-") == 0 && is(left, "timestamptz") && is(right, "interval"))
        return VOLATILITY_STABLE;
    if (strcmp(expr->op, "||") == 0 && (is_styled(left) || is_styled(right)))
        return VOLATILITY_STABLE;
    return VOLATILITY_IMMUTABLE;
}

Volatility volatility_own(const VolatilityScope *scope, const Expr *expr) {
    Volatility most = VOLATILITY_IMMUTABLE;

    switch (expr->kind) {
    case EXPR_FUNC:
        return function_volatility(scope, expr);
    case EXPR_CAST:
        return expr->nargs == 1 && !expr->typmod_or_array
                   ? volatility_of_cast(volatility_type(scope, expr->args[0]), expr->name.name)
                   : VOLATILITY_IMMUTABLE;
    case EXPR_OP:
    case EXPR_OP_ANY:
    case EXPR_OP_ALL:
        return operator_volatility(scope, expr);
    case EXPR_IN:
    case EXPR_BETWEEN:
    case EXPR_DISTINCT:
        for (int i = 1; i < expr->nargs && most == VOLATILITY_IMMUTABLE; i++)
            most = comparison_volatility(scope, expr->args[0], expr->args[i]);
        return most;
    default:
        return VOLATILITY_IMMUTABLE;
    }
}

typedef struct Search {
    const VolatilityScope *scope;
    Volatility at_most;
    bool found;
} Search;

static bool on_expr(const Expr *expr, void *arg) {
    Search *search = arg;

    search->found |= volatility_own(search->scope, expr) > search->at_most;
    return !search->found && expr->kind != EXPR_SUBLINK;
}

bool volatility_exceeds(const VolatilityScope *scope, const Expr *expr, Volatility at_most) {
    Search search = {scope, at_most, false};

    walk_expr(expr, NULL, &(Walk){.expr = on_expr, .arg = &search});
    return search.found;
}
