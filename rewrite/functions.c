/* The functions of pg_catalog that read no table of the user's, as of PostgreSQL 15.
 *
 * Left out: what runs a query given as text or reads a table by name (query_to_xml, ts_stat, …), what only
 * the server itself calls, and large objects. Names that begin with pg_ are the server's own; they look at
 * its catalogs and files. */
#include "rewrite/functions.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

/* Each list is sorted. clang-format is off: one name a line would be all there is to see. */
/* clang-format off */
static const char *const scalar_functions[] = {
    "abbrev", "abs", "acldefault", "acos", "acosd", "acosh", "age", "area", "array_append", "array_cat",
    "array_dims", "array_fill", "array_length", "array_lower", "array_ndims", "array_position",
    "array_positions", "array_prepend", "array_remove", "array_replace", "array_to_json", "array_to_string",
    "array_to_tsvector", "array_upper", "ascii", "asin", "asind", "asinh", "atan", "atan2", "atan2d", "atand",
    "atanh", "bit", "bit_count", "bit_length", "bool", "box", "bpchar", "broadcast", "btrim", "cardinality",
    "cash_words", "cbrt", "ceil", "ceiling", "center", "char", "char_length", "character_length", "chr",
    "cidr", "circle", "col_description", "concat", "concat_ws", "convert", "convert_from", "convert_to",
    "cos", "cosd", "cosh", "cot", "cotd", "current_catalog", "current_database", "current_date",
    "current_role", "current_schema", "current_schemas", "current_setting", "current_time",
    "current_timestamp", "current_user", "date", "date_bin", "date_part", "date_trunc", "datemultirange",
    "daterange", "daterange_canonical", "daterange_subdiff", "decode", "degrees", "dexp", "diagonal",
    "diameter", "div", "dlog1", "dlog10", "dround", "dtrunc", "encode", "enum_first", "enum_last",
    "enum_range", "enum_send", "exp", "extract", "factorial", "family", "float4", "float8", "floor", "format",
    "format_type", "gcd", "get_bit", "get_byte", "get_current_ts_config", "getdatabaseencoding",
    "getpgusername", "has_any_column_privilege", "has_column_privilege", "has_database_privilege",
    "has_foreign_data_wrapper_privilege", "has_function_privilege", "has_language_privilege",
    "has_parameter_privilege", "has_schema_privilege", "has_sequence_privilege", "has_server_privilege",
    "has_table_privilege", "has_tablespace_privilege", "has_type_privilege", "hashtext", "hashtextextended",
    "height", "host", "hostmask", "inet_client_addr", "inet_client_port", "inet_server_addr",
    "inet_server_port", "initcap", "int2", "int4", "int4inc", "int4multirange", "int4range",
    "int4range_canonical", "int4range_subdiff", "int8", "int8_sum", "int8multirange", "int8range",
    "int8range_canonical", "int8range_subdiff", "interval", "is_normalized", "isclosed", "isempty",
    "isfinite", "ishorizontal", "isopen", "isparallel", "isperp", "isvertical", "json_array_length",
    "json_build_array", "json_build_object", "json_extract_path", "json_extract_path_text", "json_object",
    "json_populate_record", "json_strip_nulls", "json_to_record", "json_to_tsvector", "json_typeof",
    "jsonb_array_length", "jsonb_build_array", "jsonb_build_object", "jsonb_extract_path",
    "jsonb_extract_path_text", "jsonb_insert", "jsonb_object", "jsonb_path_exists", "jsonb_path_exists_tz",
    "jsonb_path_match", "jsonb_path_match_tz", "jsonb_path_query_array", "jsonb_path_query_array_tz",
    "jsonb_path_query_first", "jsonb_path_query_first_tz", "jsonb_populate_record", "jsonb_pretty",
    "jsonb_set", "jsonb_set_lax", "jsonb_strip_nulls", "jsonb_to_record", "jsonb_to_tsvector", "jsonb_typeof",
    "justify_days", "justify_hours", "justify_interval", "lcm", "left", "length", "like", "like_escape",
    "line", "ln", "localtime", "localtimestamp", "log", "log10", "lower", "lower_inc", "lower_inf", "lpad",
    "lseg", "ltrim", "macaddr", "macaddr8", "macaddr8_set7bit", "make_date", "make_interval", "make_time",
    "make_timestamp", "make_timestamptz", "masklen", "md5", "min_scale", "mod", "money", "multirange",
    "mxid_age", "name", "netmask", "network", "normalize", "notlike", "now", "npoints", "num_nonnulls",
    "num_nulls", "numeric", "numeric_div_trunc", "numeric_exp", "numeric_inc", "numeric_ln", "numeric_log",
    "numeric_sqrt", "nummultirange", "numnode", "numrange", "numrange_subdiff", "obj_description",
    "octet_length", "oid", "oidvectortypes", "overlaps", "overlay", "parse_ident", "path", "pclose",
    "phraseto_tsquery", "pi", "plainto_tsquery", "point", "polygon", "popen", "position", "pow", "power",
    "querytree", "quote_ident", "quote_literal", "quote_nullable", "radians", "radius", "range_merge",
    "regclass", "regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace",
    "regexp_split_to_array", "regexp_substr", "repeat", "replace", "reverse", "right", "round",
    "row_security_active", "row_to_json", "rpad", "rtrim", "scale", "session_user", "set_bit", "set_byte",
    "set_masklen", "setweight", "sha224", "sha256", "sha384", "sha512", "shobj_description", "sign",
    "similar_escape", "sin", "sind", "sinh", "slope", "split_part", "sqrt", "starts_with",
    "statement_timestamp", "string_to_array", "strip", "strpos", "substr", "substring", "tan", "tand", "tanh",
    "text", "textlen", "time", "timestamp", "timestamptz", "timetz", "timezone", "to_ascii", "to_char",
    "to_date", "to_hex", "to_json", "to_jsonb", "to_number", "to_regclass", "to_regcollation",
    "to_regnamespace", "to_regoper", "to_regoperator", "to_regproc", "to_regprocedure", "to_regrole",
    "to_regtype", "to_timestamp", "to_tsquery", "to_tsvector", "transaction_timestamp", "translate", "trim",
    "trim_array", "trim_scale", "trunc", "ts_delete", "ts_filter", "ts_headline", "ts_lexize", "ts_rank",
    "ts_rank_cd", "tsmultirange", "tsquery_phrase", "tsrange", "tsrange_subdiff", "tstzmultirange",
    "tstzrange", "tstzrange_subdiff", "tsvector_to_array", "txid_current", "txid_current_if_assigned",
    "txid_current_snapshot", "txid_snapshot_xmax", "txid_snapshot_xmin", "txid_visible_in_snapshot", "unistr",
    "upper", "upper_inc", "upper_inf", "user", "varbit", "varchar", "version", "websearch_to_tsquery",
    "width", "width_bucket", "xid", "xml", "xml_is_well_formed", "xml_is_well_formed_content",
    "xml_is_well_formed_document", "xmlcomment", "xmlexists", "xmlvalidate", "xpath", "xpath_exists",
};

static const char *const volatile_functions[] = {
    "clock_timestamp", "current_query", "currval", "gen_random_uuid", "lastval", "nextval", "random",
    "set_config", "setseed", "setval", "timeofday", "txid_status",
};

static const char *const set_returning_functions[] = {
    "aclexplode", "generate_series", "generate_subscripts", "json_array_elements", "json_array_elements_text",
    "json_each", "json_each_text", "json_object_keys", "json_populate_recordset", "json_to_recordset",
    "jsonb_array_elements", "jsonb_array_elements_text", "jsonb_each", "jsonb_each_text", "jsonb_object_keys",
    "jsonb_path_query", "jsonb_path_query_tz", "jsonb_populate_recordset", "jsonb_to_recordset",
    "regexp_matches", "regexp_split_to_table", "string_to_table", "ts_debug", "ts_parse", "ts_token_type",
    "txid_snapshot_xip", "unnest",
};

static const char *const aggregate_functions[] = {
    "array_agg", "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "corr", "count", "covar_pop",
    "covar_samp", "cume_dist", "dense_rank", "every", "grouping", "json_agg", "json_object_agg", "jsonb_agg",
    "jsonb_object_agg", "max", "min", "mode", "percent_rank", "percentile_cont", "percentile_disc",
    "range_agg", "range_intersect_agg", "rank", "regr_avgx", "regr_avgy", "regr_count", "regr_intercept",
    "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy", "stddev", "stddev_pop", "stddev_samp",
    "string_agg", "sum", "var_pop", "var_samp", "variance", "xmlagg",
};

static const char *const window_functions[] = {
    "first_value", "lag", "last_value", "lead", "nth_value", "ntile", "row_number",
};

/* Of numbers and strings; each overload is immutable, so that a call with constants is one. */
static const char *const immutable_functions[] = {
    "abs", "array_append", "array_length", "ascii", "bit_length", "btrim", "cardinality", "ceil", "ceiling",
    "char_length", "character_length", "chr", "decode", "div", "encode", "floor", "gcd", "hashtext",
    "hashtextextended", "initcap", "int2", "int4", "int8", "jsonb_extract_path_text", "lcm", "left", "length",
    "lower", "lpad", "ltrim", "md5", "mod", "octet_length", "overlay", "position", "pow", "power",
    "regexp_replace", "repeat", "replace", "reverse", "right", "round", "rpad", "rtrim", "sha224", "sha256",
    "sha384", "sha512", "sign", "split_part", "strpos", "substr", "substring", "to_hex", "translate", "trunc",
    "upper", "width_bucket",
};

/* clang-format on */

static const struct {
    FunctionKind kind;
    const char *const *names;
    size_t n;
} lists[] = {
    {FUNCTION_SCALAR, scalar_functions, ARRAY_LEN(scalar_functions)},
    {FUNCTION_VOLATILE, volatile_functions, ARRAY_LEN(volatile_functions)},
    {FUNCTION_SET_RETURNING, set_returning_functions, ARRAY_LEN(set_returning_functions)},
    {FUNCTION_AGGREGATE, aggregate_functions, ARRAY_LEN(aggregate_functions)},
    {FUNCTION_WINDOW, window_functions, ARRAY_LEN(window_functions)},
};

static int compare(const void *name, const void *entry) { return strcmp(name, *(const char *const *)entry); }

bool function_is_immutable(const char *name) {
    return bsearch(name, immutable_functions, ARRAY_LEN(immutable_functions), sizeof(char *), compare) !=
           NULL;
}

FunctionKind function_kind(const char *name) {
    if (strncmp(name, "pg_", 3) == 0)
        return FUNCTION_VOLATILE;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (bsearch(name, lists[i].names, lists[i].n, sizeof(char *), compare))
            return lists[i].kind;
    }
    return FUNCTION_UNKNOWN;
}
