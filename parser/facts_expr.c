/* Expressions: libpg_query's nodes to Expr.
 *
 * One function per family of nodes; facts_expr chooses. Calls recurse as deep as the expression is nested,
 * which facts_limits.c has bounded before the parser saw the text. */
#include "parser/facts_internal.h"

Expr *facts_new_expr(Convert *c, ExprKind kind, int location, size_t nargs) {
    Expr *expr = ARENA_NEW(c->arena, Expr);

    expr->kind = kind;
    expr->location = facts_location(c, location);
    expr->nargs = (int)nargs;
    if (nargs > 0)
        expr->args = ARENA_ARRAY(c->arena, Expr *, nargs);
    return expr;
}

Expr **facts_exprs(Convert *c, Block *block, Node **list, size_t n) {
    Expr **exprs = n > 0 ? ARENA_ARRAY(c->arena, Expr *, n) : NULL;

    for (size_t i = 0; i < n; i++)
        exprs[i] = facts_expr(c, block, list[i]);
    return exprs;
}

static Expr *unary(Convert *c, Block *block, ExprKind kind, int location, const Node *arg) {
    Expr *expr = facts_new_expr(c, kind, location, arg ? 1 : 0);

    if (arg)
        expr->args[0] = facts_expr(c, block, arg);
    return expr;
}

static Expr *list_expr(Convert *c, Block *block, ExprKind kind, int location, Node **list, size_t n) {
    Expr *expr = facts_new_expr(c, kind, location, 0);

    expr->args = facts_exprs(c, block, list, n);
    expr->nargs = (int)n;
    return expr;
}

static Expr *column_ref(Convert *c, const PgQuery__ColumnRef *ref) {
    size_t n = ref->n_fields;
    bool star = n > 0 && ref->fields[n - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    Expr *expr = facts_new_expr(c, star ? EXPR_STAR : EXPR_COLUMN, ref->location, 0);

    /* The server rejects more than db.schema.table.column. */
    if (n == 0 || n > 4) {
        expr->kind = EXPR_OTHER;
        return expr;
    }
    if (!star)
        expr->column = facts_string(c, facts_node_string(ref->fields[n - 1]));
    expr->name = facts_name(c, ref->fields, n - 1);
    return expr;
}

/* Literal's text as the parser has it: strings without quotes and escapes, numbers as written. */
void facts_literal(Convert *c, Expr *expr, const PgQuery__AConst *constant) {
    const char *value = NULL;

    expr->const_type = CONST_NULL;
    if (constant->isnull)
        return;
    switch (constant->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        expr->const_type = CONST_INTEGER;
        expr->value = arena_printf(c->arena, "%d", constant->ival->ival);
        return;
    case PG_QUERY__A__CONST__VAL_FVAL:
        expr->const_type = CONST_FLOAT;
        value = constant->fval->fval;
        break;
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        expr->const_type = CONST_BOOLEAN;
        value = constant->boolval->boolval ? "true" : "false";
        break;
    case PG_QUERY__A__CONST__VAL_SVAL:
        expr->const_type = CONST_STRING;
        value = constant->sval->sval;
        break;
    case PG_QUERY__A__CONST__VAL_BSVAL:
        expr->const_type = CONST_BIT;
        value = constant->bsval->bsval;
        break;
    default:
        return;
    }
    expr->value = arena_strdup(c->arena, value);
}

static Expr *const_expr(Convert *c, const PgQuery__AConst *constant) {
    Expr *expr = facts_new_expr(c, EXPR_CONST, constant->location, 0);

    facts_literal(c, expr, constant);
    return expr;
}

static Expr *param_ref(Convert *c, const PgQuery__ParamRef *ref) {
    Expr *expr = facts_new_expr(c, EXPR_PARAM, ref->location, 0);

    expr->number = ref->number;
    if (ref->number > c->nparams)
        c->nparams = ref->number;
    return expr;
}

static void operator_name(Convert *c, Expr *expr, Node **name, size_t n) {
    if (n == 0)
        return;
    expr->op = facts_string(c, facts_node_string(name[n - 1]));
    if (n > 1)
        expr->op_schema = facts_string(c, facts_node_string(name[n - 2]));
}

/* How each kind of A_Expr is represented. */
static const struct {
    ExprKind kind;
    bool negated; /* always */
    bool list;    /* the right operand is a list of operands */
} operator_kinds[] = {
    [PG_QUERY__A__EXPR__KIND__AEXPR_OP] = {EXPR_OP, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_OP_ANY] = {EXPR_OP_ANY, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_OP_ALL] = {EXPR_OP_ALL, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT] = {EXPR_DISTINCT, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT] = {EXPR_DISTINCT, true, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF] = {EXPR_COALESCE, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_IN] = {EXPR_IN, false, true},
    [PG_QUERY__A__EXPR__KIND__AEXPR_LIKE] = {EXPR_LIKE, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE] = {EXPR_LIKE, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR] = {EXPR_LIKE, false, false},
    [PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN] = {EXPR_BETWEEN, false, true},
    [PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN] = {EXPR_BETWEEN, true, true},
    [PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN_SYM] = {EXPR_OTHER, false, true},
    [PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN_SYM] = {EXPR_OTHER, true, true},
};

static Expr *operator_expr(Convert *c, Block *block, const PgQuery__AExpr *a) {
    bool known = (size_t)a->kind < ARRAY_LEN(operator_kinds) && a->kind > 0;
    ExprKind kind = known ? operator_kinds[a->kind].kind : EXPR_OTHER;
    Node **right = (Node **)&a->rexpr;
    size_t nright = a->rexpr ? 1 : 0, n = 0;
    Expr *expr;

    if (known && operator_kinds[a->kind].list && a->rexpr &&
        a->rexpr->node_case == PG_QUERY__NODE__NODE_LIST) {
        right = a->rexpr->list->items;
        nright = a->rexpr->list->n_items;
    }
    expr = facts_new_expr(c, kind, a->location, nright + (a->lexpr ? 1 : 0));
    if (a->lexpr)
        expr->args[n++] = facts_expr(c, block, a->lexpr);
    for (size_t i = 0; i < nright; i++)
        expr->args[n++] = facts_expr(c, block, right[i]);
    operator_name(c, expr, a->name, a->n_name);
    expr->negated = known && operator_kinds[a->kind].negated;
    if (kind == EXPR_IN)
        expr->negated = expr->op && strcmp(expr->op, "<>") == 0;
    else if (kind == EXPR_LIKE)
        expr->negated = expr->op && expr->op[0] == '!';
    else if (kind == EXPR_COALESCE)
        expr->op = "nullif";
    return expr;
}

static Expr *bool_expr(Convert *c, Block *block, const PgQuery__BoolExpr *b) {
    ExprKind kind = b->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR  ? EXPR_AND
                    : b->boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR ? EXPR_OR
                                                                     : EXPR_NOT;

    return list_expr(c, block, kind, b->location, b->args, b->n_args);
}

static Expr *sub_link(Convert *c, Block *block, const PgQuery__SubLink *s) {
    static const SublinkKind kinds[] = {
        [PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK] = SUBLINK_EXISTS,
        [PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK] = SUBLINK_ALL,
        [PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK] = SUBLINK_ANY,
        [PG_QUERY__SUB_LINK_TYPE__ROWCOMPARE_SUBLINK] = SUBLINK_ROW,
        [PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK] = SUBLINK_EXPR,
        [PG_QUERY__SUB_LINK_TYPE__MULTIEXPR_SUBLINK] = SUBLINK_EXPR,
        [PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK] = SUBLINK_ARRAY,
    };
    Expr *expr = unary(c, block, EXPR_SUBLINK, s->location, s->testexpr);

    expr->sublink = (size_t)s->sub_link_type < ARRAY_LEN(kinds) ? kinds[s->sub_link_type] : SUBLINK_EXPR;
    operator_name(c, expr, s->oper_name, s->n_oper_name);
    if (expr->sublink == SUBLINK_ANY && !expr->op)
        expr->op = "=";
    expr->block = facts_block(c, block, s->subselect);
    return expr;
}

static Expr *boolean_test(Convert *c, Block *block, const PgQuery__BooleanTest *t) {
    static const char *const names[] = {NULL,           "IS TRUE",    "IS NOT TRUE",   "IS FALSE",
                                        "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"};
    Expr *expr = unary(c, block, EXPR_BOOLEAN_TEST, t->location, t->arg);

    if ((size_t)t->booltesttype < ARRAY_LEN(names))
        expr->value = names[t->booltesttype];
    expr->negated = t->booltesttype % 2 == 0;
    return expr;
}

static Expr *null_test(Convert *c, Block *block, const PgQuery__NullTest *t) {
    Expr *expr = unary(c, block, EXPR_IS_NULL, t->location, t->arg);

    expr->negated = t->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL;
    return expr;
}

static void type_of_cast(Convert *c, Expr *expr, const PgQuery__TypeName *type) {
    if (!type)
        return;
    expr->name = facts_name(c, type->names, type->n_names);
    expr->typmod_or_array = type->n_typmods > 0 || type->n_array_bounds > 0;
}

static Expr *type_cast(Convert *c, Block *block, const PgQuery__TypeCast *cast) {
    Expr *expr = unary(c, block, EXPR_CAST, cast->location, cast->arg);

    type_of_cast(c, expr, cast->type_name);
    return expr;
}

static Expr *case_expr(Convert *c, Block *block, const PgQuery__CaseExpr *e) {
    Expr *expr = facts_new_expr(c, EXPR_CASE, e->location, 2 + 2 * e->n_args);
    int n = 0;

    if (e->arg)
        expr->args[n++] = facts_expr(c, block, e->arg);
    for (size_t i = 0; i < e->n_args; i++) {
        expr->args[n++] = facts_expr(c, block, e->args[i]->case_when->expr);
        expr->args[n++] = facts_expr(c, block, e->args[i]->case_when->result);
    }
    if (e->defresult)
        expr->args[n++] = facts_expr(c, block, e->defresult);
    expr->nargs = n;
    return expr;
}

static Expr *min_max(Convert *c, Block *block, const PgQuery__MinMaxExpr *m) {
    Expr *expr = list_expr(c, block, EXPR_COALESCE, m->location, m->args, m->n_args);

    expr->op = m->op == PG_QUERY__MIN_MAX_OP__IS_LEAST ? "least" : "greatest";
    return expr;
}

static Expr *coalesce(Convert *c, Block *block, const PgQuery__CoalesceExpr *e) {
    Expr *expr = list_expr(c, block, EXPR_COALESCE, e->location, e->args, e->n_args);

    expr->op = "coalesce";
    return expr;
}

/* (x).f, x[i], x[i:j].f …: args[0] is x, the subscripts follow. */
static Expr *indirection(Convert *c, Block *block, const PgQuery__AIndirection *a) {
    Expr *expr = facts_new_expr(c, EXPR_OTHER, -1, 1 + 2 * a->n_indirection);
    int n = 0;

    expr->args[n++] = facts_expr(c, block, a->arg);
    for (size_t i = 0; i < a->n_indirection; i++) {
        const Node *step = a->indirection[i];

        if (step->node_case != PG_QUERY__NODE__NODE_A_INDICES)
            continue;
        if (step->a_indices->lidx)
            expr->args[n++] = facts_expr(c, block, step->a_indices->lidx);
        if (step->a_indices->uidx)
            expr->args[n++] = facts_expr(c, block, step->a_indices->uidx);
    }
    expr->nargs = n;
    if (expr->args[0])
        expr->location = expr->args[0]->location;
    if (a->n_indirection == 1)
        expr->column = facts_string(c, facts_node_string(a->indirection[0]));
    return expr;
}

static Expr *xml_expr(Convert *c, Block *block, const PgQuery__XmlExpr *x) {
    Expr *expr = facts_new_expr(c, EXPR_OTHER, x->location, x->n_named_args + x->n_args);
    int n = 0;

    for (size_t i = 0; i < x->n_named_args; i++)
        expr->args[n++] = facts_expr(c, block, x->named_args[i]);
    for (size_t i = 0; i < x->n_args; i++)
        expr->args[n++] = facts_expr(c, block, x->args[i]);
    return expr;
}

static Expr *grouping(Convert *c, Block *block, const PgQuery__GroupingFunc *g) {
    Expr *expr = list_expr(c, block, EXPR_FUNC, g->location, g->args, g->n_args);

    expr->name.name = "grouping";
    expr->ncall_args = expr->nargs;
    return expr;
}

static Expr *current_of(Convert *c, const PgQuery__CurrentOfExpr *e) {
    Expr *expr = facts_new_expr(c, EXPR_CURRENT_OF, -1, 0);

    expr->value = facts_string(c, e->cursor_name);
    return expr;
}

Expr *facts_expr(Convert *c, Block *block, const Node *node) {
    if (!node)
        return NULL;
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return column_ref(c, node->column_ref);
    case PG_QUERY__NODE__NODE_A_CONST:
        return const_expr(c, node->a_const);
    case PG_QUERY__NODE__NODE_PARAM_REF:
        return param_ref(c, node->param_ref);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return operator_expr(c, block, node->a_expr);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return bool_expr(c, block, node->bool_expr);
    case PG_QUERY__NODE__NODE_SUB_LINK:
        return sub_link(c, block, node->sub_link);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return facts_func_call(c, block, node->func_call);
    case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        return facts_value_function(c, node->sqlvalue_function);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return type_cast(c, block, node->type_cast);
    case PG_QUERY__NODE__NODE_NULL_TEST:
        return null_test(c, block, node->null_test);
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return boolean_test(c, block, node->boolean_test);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        return case_expr(c, block, node->case_expr);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return coalesce(c, block, node->coalesce_expr);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return min_max(c, block, node->min_max_expr);
    case PG_QUERY__NODE__NODE_ROW_EXPR:
        return list_expr(c, block, EXPR_ROW, node->row_expr->location, node->row_expr->args,
                         node->row_expr->n_args);
    case PG_QUERY__NODE__NODE_A_ARRAY_EXPR:
        return list_expr(c, block, EXPR_ARRAY, node->a_array_expr->location, node->a_array_expr->elements,
                         node->a_array_expr->n_elements);
    case PG_QUERY__NODE__NODE_LIST:
        return list_expr(c, block, EXPR_OTHER, -1, node->list->items, node->list->n_items);
    case PG_QUERY__NODE__NODE_A_INDIRECTION:
        return indirection(c, block, node->a_indirection);
    case PG_QUERY__NODE__NODE_COLLATE_CLAUSE:
        return unary(c, block, EXPR_OTHER, node->collate_clause->location, node->collate_clause->arg);
    case PG_QUERY__NODE__NODE_NAMED_ARG_EXPR:
        return unary(c, block, EXPR_OTHER, node->named_arg_expr->location, node->named_arg_expr->arg);
    case PG_QUERY__NODE__NODE_RES_TARGET:
        return facts_expr(c, block, node->res_target->val);
    case PG_QUERY__NODE__NODE_SORT_BY:
        return facts_expr(c, block, node->sort_by->node);
    case PG_QUERY__NODE__NODE_INDEX_ELEM:
        return facts_expr(c, block, node->index_elem->expr);
    case PG_QUERY__NODE__NODE_GROUPING_FUNC:
        return grouping(c, block, node->grouping_func);
    case PG_QUERY__NODE__NODE_GROUPING_SET:
        return list_expr(c, block, EXPR_OTHER, node->grouping_set->location, node->grouping_set->content,
                         node->grouping_set->n_content);
    case PG_QUERY__NODE__NODE_XML_EXPR:
        return xml_expr(c, block, node->xml_expr);
    case PG_QUERY__NODE__NODE_XML_SERIALIZE:
        return unary(c, block, EXPR_OTHER, node->xml_serialize->location, node->xml_serialize->expr);
    case PG_QUERY__NODE__NODE_SET_TO_DEFAULT:
        return facts_new_expr(c, EXPR_DEFAULT, node->set_to_default->location, 0);
    case PG_QUERY__NODE__NODE_CURRENT_OF_EXPR:
        return current_of(c, node->current_of_expr);
    default:
        return facts_new_expr(c, EXPR_OTHER, -1, 0);
    }
}
