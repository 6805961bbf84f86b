/* Facts as text, for tests: a line for each thing, indented by depth, absent parts not shown. */
#ifndef TESTS_PARSER_DUMP_H
#define TESTS_PARSER_DUMP_H

#include "base/buf.h"
#include "parser/facts.h"

/* With `constants`, literals and the text of spans are shown; without, facts that differ in literals only are
 * alike. */
typedef struct Dump {
    Buf *out;
    Str text;
    bool constants;
} Dump;

static void dump_block(const Dump *d, const Block *block, int depth);
static void dump_expr(const Dump *d, const Expr *expr, int depth);

static void dump_name(const Dump *d, Name name) {
    if (name.catalog)
        buf_printf(d->out, "%s.", name.catalog);
    if (name.schema)
        buf_printf(d->out, "%s.", name.schema);
    buf_printf(d->out, "%s", name.name ? name.name : "");
}

static void dump_span(const Dump *d, const char *label, Span span) {
    if (span.end > span.start && !d->constants)
        buf_printf(d->out, " %s", label);
    else if (span.end > span.start)
        buf_printf(d->out, " %s<%.*s>", label, (int)(span.end - span.start), d->text.ptr + span.start);
}

static void dump_list(const Dump *d, const char *const *strings, int n) {
    for (int i = 0; i < n; i++)
        buf_printf(d->out, "%s%s", i > 0 ? "," : "", strings[i] ? strings[i] : "-");
}

static void dump_args(const Dump *d, Expr *const *args, int n, int depth) {
    buf_printf(d->out, "(");
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_printf(d->out, " ");
        dump_expr(d, args[i], depth);
    }
    buf_printf(d->out, ")");
}

static const char *const expr_names[] = {
    [EXPR_COLUMN] = "col",
    [EXPR_STAR] = "star",
    [EXPR_CONST] = "const",
    [EXPR_PARAM] = "param",
    [EXPR_DEFAULT] = "default",
    [EXPR_AND] = "and",
    [EXPR_OR] = "or",
    [EXPR_NOT] = "not",
    [EXPR_OP] = "op",
    [EXPR_IN] = "in",
    [EXPR_OP_ANY] = "any",
    [EXPR_OP_ALL] = "all",
    [EXPR_BETWEEN] = "between",
    [EXPR_DISTINCT] = "distinct",
    [EXPR_LIKE] = "like",
    [EXPR_IS_NULL] = "isnull",
    [EXPR_BOOLEAN_TEST] = "test",
    [EXPR_CAST] = "cast",
    [EXPR_ROW] = "row",
    [EXPR_ARRAY] = "array",
    [EXPR_FUNC] = "func",
    [EXPR_CASE] = "case",
    [EXPR_COALESCE] = "coalesce",
    [EXPR_SUBLINK] = "sublink",
    [EXPR_CURRENT_OF] = "current-of",
    [EXPR_OTHER] = "other",
};

static const char *const const_names[] = {"null", "int", "float", "string", "bool", "bit"};
static const char *const sublink_names[] = {"exists", "all", "any", "expr", "row", "array"};

static void dump_window(const Dump *d, const Window *w, int depth) {
    buf_printf(d->out, " over %s%s%s", w->name ? w->name : "", w->base ? " base " : "",
               w->base ? w->base : "");
    if (w->npartition > 0) {
        buf_printf(d->out, " partition");
        dump_args(d, w->partition, w->npartition, depth);
    }
    if (w->norder > 0) {
        buf_printf(d->out, " order");
        dump_args(d, w->order, w->norder, depth);
    }
}

/* What an expression has besides arguments. */
static void dump_details(const Dump *d, const Expr *e, int depth) {
    switch (e->kind) {
    case EXPR_COLUMN:
    case EXPR_STAR:
        buf_printf(d->out, " ");
        dump_name(d, e->name);
        buf_printf(d->out, "%s%s", e->name.name ? "." : "", e->column ? e->column : "*");
        break;
    case EXPR_CONST:
        buf_printf(d->out, " %s", const_names[e->const_type]);
        if (e->value && d->constants)
            buf_printf(d->out, " %s", e->value);
        break;
    case EXPR_PARAM:
        buf_printf(d->out, " %d", e->number);
        break;
    case EXPR_FUNC:
    case EXPR_CAST:
        buf_printf(d->out, " ");
        dump_name(d, e->name);
        if (e->kind == EXPR_FUNC && e->ncall_args != e->nargs)
            buf_printf(d->out, " call-args %d", e->ncall_args);
        break;
    case EXPR_SUBLINK:
        buf_printf(d->out, " %s", sublink_names[e->sublink]);
        break;
    default:
        if (e->column)
            buf_printf(d->out, " .%s", e->column);
        if (e->value)
            buf_printf(d->out, " %s", e->value);
        break;
    }
    if (e->op)
        buf_printf(d->out, " %s%s%s", e->op_schema ? e->op_schema : "", e->op_schema ? "." : "", e->op);
    buf_printf(d->out, "%s%s%s%s", e->negated ? " negated" : "", e->typmod_or_array ? " typmod" : "",
               e->agg_star ? " *" : "", e->agg_distinct ? " distinct" : "");
    if (e->window)
        dump_window(d, e->window, depth);
}

static void dump_expr(const Dump *d, const Expr *expr, int depth) {
    if (!expr) {
        buf_printf(d->out, "-");
        return;
    }
    buf_printf(d->out, "%s", expr_names[expr->kind]);
    dump_details(d, expr, depth);
    if (expr->nargs > 0)
        dump_args(d, expr->args, expr->nargs, depth);
    if (expr->block) {
        buf_printf(d->out, " {\n");
        dump_block(d, expr->block, depth + 1);
        buf_printf(d->out, "%*s}", depth * 2, "");
    }
}

static void dump_line(const Dump *d, int depth, const char *label) {
    buf_printf(d->out, "%*s%s", depth * 2, "", label);
}

static void dump_one(const Dump *d, int depth, const char *label, const Expr *expr) {
    if (!expr)
        return;
    dump_line(d, depth, label);
    buf_printf(d->out, " ");
    dump_expr(d, expr, depth);
    buf_printf(d->out, "\n");
}

static void dump_exprs(const Dump *d, int depth, const char *label, Expr *const *exprs, int n) {
    if (n == 0)
        return;
    dump_line(d, depth, label);
    dump_args(d, exprs, n, depth);
    buf_printf(d->out, "\n");
}

static void dump_targets(const Dump *d, int depth, const char *label, const Target *targets, int n) {
    for (int i = 0; i < n; i++) {
        dump_line(d, depth, label);
        buf_printf(d->out, " %s%s= ", targets[i].name ? targets[i].name : "",
                   targets[i].indirection ? "[]" : "");
        dump_expr(d, targets[i].expr, depth);
        buf_printf(d->out, "\n");
    }
}

static void dump_from(const Dump *d, int depth, const char *label, const FromItem *item) {
    static const char *const kinds[] = {"table", "subquery", "function", "values", "join", "other"};
    static const char *const joins[] = {"inner", "left", "right", "full", "cross"};

    dump_line(d, depth, label);
    buf_printf(d->out, " %s", kinds[item->kind]);
    if (item->kind == FROM_TABLE) {
        buf_printf(d->out, " ");
        dump_name(d, item->name);
        dump_span(d, "at", item->span);
    }
    if (item->kind == FROM_JOIN)
        buf_printf(d->out, " %s%s", joins[item->join], item->natural ? " natural" : "");
    if (item->alias)
        buf_printf(d->out, " as %s", item->alias);
    if (item->ncolumns > 0) {
        buf_printf(d->out, " columns ");
        dump_list(d, item->columns, item->ncolumns);
    }
    if (item->nusing > 0) {
        buf_printf(d->out, " using ");
        dump_list(d, item->using_columns, item->nusing);
    }
    buf_printf(d->out, "%s%s%s%s\n", item->using_alias ? " using-as " : "",
               item->using_alias ? item->using_alias : "", item->lateral ? " lateral" : "",
               item->only ? " only" : "");
    dump_exprs(d, depth + 1, "exprs", item->exprs, item->nexprs);
    if (item->block)
        dump_block(d, item->block, depth + 1);
    if (item->left)
        dump_from(d, depth + 1, "left", item->left);
    if (item->right)
        dump_from(d, depth + 1, "right", item->right);
    dump_one(d, depth + 1, "on", item->quals);
}

static void dump_ctes(const Dump *d, const Block *b, int depth) {
    static const char *const materialized[] = {"", " materialized", " not-materialized"};

    for (int i = 0; i < b->nctes; i++) {
        dump_line(d, depth, "with");
        buf_printf(d->out, "%s %s%s", b->recursive ? " recursive" : "", b->ctes[i].name,
                   materialized[b->ctes[i].materialized]);
        if (b->ctes[i].ncolumns > 0) {
            buf_printf(d->out, " columns ");
            dump_list(d, b->ctes[i].columns, b->ctes[i].ncolumns);
        }
        buf_printf(d->out, "\n");
        if (b->ctes[i].block)
            dump_block(d, b->ctes[i].block, depth + 1);
    }
    if (b->with_end > 0 && d->constants)
        buf_printf(d->out, "%*swith ends behind <%c>, before <%.6s>\n", depth * 2, "",
                   d->text.ptr[b->with_end - 1], d->text.ptr + b->with_end);
}

static void dump_rows(const Dump *d, const Block *b, int depth) {
    for (int i = 0; i < b->nrows; i++) {
        dump_line(d, depth, "row");
        dump_span(d, "at", b->rows[i].span);
        buf_printf(d->out, "\n");
        for (int k = 0; k < b->rows[i].ncells; k++) {
            dump_line(d, depth + 1, "cell");
            dump_span(d, "at", b->rows[i].cells[k].span);
            buf_printf(d->out, " ");
            dump_expr(d, b->rows[i].cells[k].expr, depth + 1);
            buf_printf(d->out, "\n");
        }
    }
}

static void dump_insert(const Dump *d, const Block *b, int depth) {
    static const char *const overriding[] = {"", " overriding user", " overriding system"};

    dump_line(d, depth, "into");
    if (b->has_column_list) {
        buf_printf(d->out, " columns ");
        dump_list(d, b->columns, b->ncolumns);
    }
    dump_span(d, "list", b->column_list);
    if (b->target_end > 0 && d->constants)
        buf_printf(d->out, " target ends behind <%c>", d->text.ptr[b->target_end - 1]);
    dump_span(d, "default", b->default_values_span);
    buf_printf(d->out, "%s%s%s\n", overriding[b->overriding], b->default_values ? " default-values" : "",
               b->indirection ? " indirection" : "");
    dump_rows(d, b, depth);
    if (b->source)
        dump_block(d, b->source, depth + 1);
    if (b->conflict == CONFLICT_NONE)
        return;
    dump_line(d, depth, b->conflict == CONFLICT_UPDATE ? "conflict update" : "conflict nothing");
    dump_span(d, "at", b->conflict_target_span);
    buf_printf(d->out, "%s%s\n", b->conflict_constraint ? " constraint " : "",
               b->conflict_constraint ? b->conflict_constraint : "");
    dump_exprs(d, depth + 1, "target", b->conflict_target, b->nconflict_target);
    dump_one(d, depth + 1, "target where", b->conflict_where);
    dump_targets(d, depth + 1, "set", b->conflict_set, b->nconflict_set);
    dump_one(d, depth + 1, "set where", b->conflict_set_where);
}

static void dump_select_rest(const Dump *d, const Block *b, int depth) {
    if (b->distinct)
        buf_printf(d->out, "%*sdistinct\n", depth * 2, "");
    dump_exprs(d, depth, "distinct on", b->distinct_on, b->ndistinct_on);
    dump_exprs(d, depth, b->group_distinct_or_sets ? "group by sets" : "group by", b->group_by, b->ngroup_by);
    dump_one(d, depth, "having", b->having);
    dump_exprs(d, depth, "windows", b->windows, b->nwindows);
    for (int i = 0; i < b->nnamed_windows; i++) {
        dump_line(d, depth, "window");
        dump_window(d, b->named_windows[i], depth);
        buf_printf(d->out, "\n");
    }
    dump_exprs(d, depth, "order by", b->order_by, b->norder_by);
    dump_one(d, depth, "limit", b->limit);
    dump_one(d, depth, "offset", b->offset);
    if (b->locking)
        buf_printf(d->out, "%*sfor %s\n", depth * 2, "", b->lock_strength);
}

static void dump_block(const Dump *d, const Block *b, int depth) {
    static const char *const kinds[] = {"select", "setop", "values", "insert", "update", "delete", "merge"};
    static const char *const setops[] = {"union", "intersect", "except"};

    dump_line(d, depth, b->kind == BLOCK_SETOP ? setops[b->setop] : kinds[b->kind]);
    buf_printf(d->out, "%s%s\n", b->setop_all ? " all" : "", b->merge_matched ? " matched" : "");
    depth++;
    dump_ctes(d, b, depth);
    if (b->target)
        dump_from(d, depth, "target", b->target);
    if (b->kind == BLOCK_INSERT)
        dump_insert(d, b, depth);
    else
        dump_rows(d, b, depth);
    if (b->left)
        dump_block(d, b->left, depth);
    if (b->right)
        dump_block(d, b->right, depth);
    for (int i = 0; i < b->nfrom; i++)
        dump_from(d, depth, "from", b->from[i]);
    dump_one(d, depth, "merge on", b->merge_on);
    dump_targets(d, depth, b->kind == BLOCK_UPDATE ? "set" : "select", b->targets, b->ntargets);
    dump_one(d, depth, "where", b->where);
    dump_select_rest(d, b, depth);
    for (int i = 0; i < b->nmerge_actions; i++)
        dump_block(d, b->merge_actions[i], depth);
    dump_targets(d, depth, "returning", b->returning, b->nreturning);
}

static void dump_set(const Dump *d, const Statement *s) {
    if (s->set.name)
        buf_printf(d->out, " %s", s->set.name);
    if (s->set.value && d->constants)
        buf_printf(d->out, " = <%s>", s->set.value);
    buf_printf(d->out, "%s%s%s", s->set.local ? " local" : "", s->set.from_current ? " from-current" : "",
               s->set.unknown ? " unknown" : "");
}

static void dump_flags(const Dump *d, const Statement *s) {
    static const char *const transactions[] = {"begin",   "commit",      "rollback", "savepoint",
                                               "release", "rollback-to", "prepare",  "other"};

    if (s->kind == STMT_TRANSACTION)
        buf_printf(d->out, " %s", transactions[s->transaction]);
    if (s->savepoint)
        buf_printf(d->out, " %s", s->savepoint);
    if (s->name)
        buf_printf(d->out, " name %s", s->name);
    dump_set(d, s);
    buf_printf(d->out, "%s%s%s%s%s%s", s->chain ? " chain" : "", s->discard_all ? " discard-all" : "",
               s->discard_temp ? " discard-temp" : "", s->creates_temp ? " temp" : "",
               s->is_ddl ? " ddl" : "", s->explain_analyze ? " analyze" : "");
    for (int i = 0; i < s->nconfig_calls; i++) {
        const ConfigCall *call = &s->config_calls[i];

        buf_printf(d->out, " set_config(%s %s%s)", call->name && d->constants ? call->name : "?",
                   call->value && d->constants ? call->value : "?",
                   !call->local_known ? "?"
                   : call->local      ? " local"
                                      : "");
    }
}

static void dump_copy_options(const Dump *d, const CopyOptions *o, int depth) {
    static const char *const formats[] = {"text", "csv", "binary", "other"};
    static const char *const headers[] = {"", " header", " header-match"};

    dump_line(d, depth, "options");
    buf_printf(d->out, " %s%s%s%s", formats[o->format], headers[o->header], o->freeze ? " freeze" : "",
               o->unknown ? " unknown" : "");
    if (o->delimiter)
        buf_printf(d->out, o->delimiter == '\t' ? " delimiter tab" : " delimiter %c", o->delimiter);
    if (o->quote)
        buf_printf(d->out, " quote %c escape %c", o->quote, o->escape);
    if (o->null_text)
        buf_printf(d->out, " null <%s>", o->null_text);
    if (o->encoding)
        buf_printf(d->out, " encoding %s", o->encoding);
    if (o->nforce_null > 0) {
        buf_printf(d->out, " force-null ");
        dump_list(d, o->force_null, o->nforce_null);
    }
    if (o->nforce_not_null > 0) {
        buf_printf(d->out, " force-not-null ");
        dump_list(d, o->force_not_null, o->nforce_not_null);
    }
    buf_printf(d->out, "\n");
}

static void dump_copy(const Dump *d, const CopyFacts *copy, int depth) {
    dump_line(d, depth, copy->is_from ? "copy from" : "copy to");
    buf_printf(d->out, "%s", copy->is_stdio ? " stdio" : "");
    if (copy->has_column_list) {
        buf_printf(d->out, " columns ");
        dump_list(d, copy->columns, copy->ncolumns);
    }
    dump_span(d, "list", copy->column_list);
    buf_printf(d->out, "\n");
    if (d->constants)
        dump_copy_options(d, &copy->options, depth + 1);
    if (copy->table)
        dump_from(d, depth + 1, "table", copy->table);
    dump_one(d, depth + 1, "where", copy->where);
}

static void dump_statement(const Dump *d, const Statement *s, int depth) {
    static const char *const kinds[] = {"EMPTY",   "SELECT",  "INSERT",     "UPDATE",   "DELETE",
                                        "MERGE",   "COPY",    "SET",        "SHOW",     "TRANSACTION",
                                        "PREPARE", "EXECUTE", "DEALLOCATE", "DECLARE",  "CURSOR",
                                        "EXPLAIN", "DISCARD", "CREATE AS",  "TRUNCATE", "LOCK",
                                        "DO",      "CALL",    "NOTIFY",     "DDL",      "UTILITY"};

    dump_line(d, depth, kinds[s->kind]);
    dump_flags(d, s);
    buf_printf(d->out, "\n");
    if (s->kind == STMT_COPY)
        dump_copy(d, &s->copy, depth + 1);
    for (int i = 0; i < s->ntables; i++)
        dump_from(d, depth + 1, "names", s->tables[i]);
    dump_exprs(d, depth + 1, "args", s->args, s->nargs);
    if (s->block)
        dump_block(d, s->block, depth + 1);
    if (s->inner)
        dump_statement(d, s->inner, depth + 1);
}

static void dump_facts(const Dump *dump, const Facts *facts) {
    for (int i = 0; i < facts->nstatements; i++)
        dump_statement(dump, &facts->statements[i], 0);
    if (facts->nparams > 0)
        buf_printf(dump->out, "params %d\n", facts->nparams);
}

#endif
