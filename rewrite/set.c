/* SET lists are looked at by name: which assignment sets a column, where its value stands in the text, and
 * whether the value is provably what the column has already.
 *
 * Proof is a conjunct of the condition: … SET store_id = $3 … WHERE line_item_id = $4 AND store_id = $3. Two
 * values are the same if they are one parameter, equal literals, or one column of a joined table. */
#include "rewrite/set.h"

#include <string.h>

#include "parser/lex.h"

static SetList of(Rewrite *rw, const Block *block, const Target *targets, int ntargets, uint32_t end) {
    const FromItem *target = block->target;

    return (SetList){.block = block,
                     .targets = targets,
                     .ntargets = ntargets,
                     .end = end,
                     .row = rewrite_quoted(rw, target->alias ? target->alias : target->name.name)};
}

SetList set_of_update(Rewrite *rw, const Block *update) {
    SetList set = of(rw, update, update->targets, update->ntargets, update->targets_end);

    set.conditions[0] = update->where;
    return set;
}

SetList set_of_action(Rewrite *rw, const Block *merge, const Block *action) {
    SetList set = of(rw, merge, action->targets, action->ntargets, action->targets_end);

    set.conditions[0] = merge->merge_on;
    set.conditions[1] = action->where;
    return set;
}

SetList set_of_conflict(Rewrite *rw, const Block *insert) {
    SetList set = of(rw, insert, insert->conflict_set, insert->nconflict_set, insert->conflict_set_end);

    set.conditions[0] = insert->conflict_set_where;
    return set;
}

int set_index(const SetList *set, const char *column) {
    for (int i = 0; i < set->ntargets; i++) {
        if (set->targets[i].name && strcmp(set->targets[i].name, column) == 0)
            return i;
    }
    return -1;
}

/* ---- where a value stands ---- */

/* The first ")" behind `start`: of a list of columns. 0 without. */
static uint32_t closing(Str text, Span range) {
    LexToken token = lex_next(text.ptr, range.end, range.start);

    while (token.kind != LEX_END && token.kind != LEX_UNTERMINATED) {
        if (token.kind == LEX_PUNCT && text.ptr[token.start] == ')')
            return (uint32_t)token.start;
        token = lex_next(text.ptr, range.end, token.end);
    }
    return 0;
}

/* Whether the targets are set by one source that is a sub-select: that is the first one's then. */
static bool is_select(const Target *first) {
    const Expr *expr = first->expr;

    return expr && expr->kind == EXPR_OTHER && !expr->column && expr->nargs == 1 &&
           expr->args[0]->kind == EXPR_SUBLINK;
}

SetValue set_value(const Rewrite *rw, const SetList *set, int index) {
    SetValue made = {.form = SET_UNKNOWN, .first = index, .n = 1};
    const Target *first;

    while (made.first > 0 && set->targets[made.first].span.end == 0)
        made.first--;
    first = &set->targets[made.first];
    made.whole = first->span;
    while (made.first + made.n < set->ntargets && set->targets[made.first + made.n].span.end == 0)
        made.n++;
    if (made.whole.end == 0)
        return made;
    if (rw->text.ptr[made.whole.start] != '(') {
        made.form = SET_SINGLE;
        made.value = first->expr_span;
    } else {
        made.form = is_select(first) ? SET_SELECT : SET_ROW;
        made.value = made.form == SET_SELECT ? first->expr_span : set->targets[index].expr_span;
        made.columns_end = closing(rw->text, made.whole);
    }
    if (made.value.end == 0 || (made.form == SET_SELECT && rw->text.ptr[made.value.start] != '('))
        made.form = SET_UNKNOWN;
    return made;
}

const Expr *set_source(const Rewrite *rw, const SetList *set, int index) {
    const SetValue value = set_value(rw, set, index);

    return set->targets[value.form == SET_SELECT ? value.first : index].expr;
}

const char *set_made_columns(Rewrite *rw, const SetValue *value) {
    const char *names = "(";

    for (int i = 1; i <= value->n; i++)
        names = arena_printf(rw->arena, "%s%sc%d", names, i == 1 ? "" : ", ", i);
    return arena_printf(rw->arena, "%s)", names);
}

/* ---- what is assigned to the tenant ---- */

bool set_is_own(const SetList *set, const Expr *expr, const char *column) {
    const FromItem *target = set->block->target;

    if (!expr || expr->kind != EXPR_COLUMN || !expr->column || strcmp(expr->column, column) != 0)
        return false;
    if (!expr->name.name) /* of two tables that have it, it would be ambiguous */
        return true;
    return strcmp(expr->name.name, target->alias ? target->alias : target->name.name) == 0;
}

/* A cast that makes another type of the same value. */
static const Expr *uncast(const Rewrite *rw, const Expr *expr) {
    static const char *const names[] = {"int2", "int4", "int8", "uuid", "text", "varchar"};

    while (expr && expr->kind == EXPR_CAST && expr->nargs == 1 && !expr->typmod_or_array) {
        bool plain = false;

        for (size_t i = 0; i < ARRAY_LEN(names) && expr->name.name; i++)
            plain |= names_in_catalog(rw->names, &expr->name) && strcmp(expr->name.name, names[i]) == 0;
        if (!plain)
            break;
        expr = expr->args[0];
    }
    return expr;
}

static bool same_name(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

bool set_same_value(Rewrite *rw, const Expr *a, const Expr *b) {
    a = uncast(rw, a);
    b = uncast(rw, b);
    if (!a || !b || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case EXPR_PARAM:
        return a->number > 0 && a->number == b->number;
    case EXPR_CONST:
        rw->literals_matter = true;
        return (a->const_type == CONST_INTEGER || a->const_type == CONST_STRING) &&
               (b->const_type == CONST_INTEGER || b->const_type == CONST_STRING) && a->value && b->value &&
               strcmp(a->value, b->value) == 0;
    case EXPR_COLUMN:
        return a->name.name && same_name(a->name.name, b->name.name) &&
               same_name(a->name.schema, b->name.schema) && same_name(a->column, b->column);
    default:
        return false;
    }
}

static bool is_equality(const Rewrite *rw, const Expr *expr) {
    return expr->op && strcmp(expr->op, "=") == 0 &&
           names_in_catalog(rw->names, &(Name){.schema = expr->op_schema, .name = expr->op});
}

/* Visits `left = right` both ways round; of rows, (a, b) = (c, d), column by column. */
static bool visit_equality(const Expr *left, const Expr *right, SetEquality *visit, void *arg) {
    if (!left || !right)
        return false;
    if (left->kind == EXPR_ROW && right->kind == EXPR_ROW && left->nargs == right->nargs) {
        for (int i = 0; i < left->nargs; i++) {
            if (visit_equality(left->args[i], right->args[i], visit, arg))
                return true;
        }
        return false;
    }
    return visit(left, right, arg) || visit(right, left, arg);
}

static bool visit_condition(const Rewrite *rw, const Expr *condition, SetEquality *visit, void *arg) {
    if (!condition)
        return false;
    if (condition->kind == EXPR_AND) {
        for (int i = 0; i < condition->nargs; i++) {
            if (visit_condition(rw, condition->args[i], visit, arg))
                return true;
        }
        return false;
    }
    if (condition->nargs != 2 || condition->negated)
        return false;
    if (condition->kind != EXPR_IN && (condition->kind != EXPR_OP || !is_equality(rw, condition)))
        return false;
    return visit_equality(condition->args[0], condition->args[1], visit, arg);
}

bool set_equalities(const Rewrite *rw, const SetList *set, SetEquality *visit, void *arg) {
    for (size_t i = 0; i < ARRAY_LEN(set->conditions); i++) {
        if (visit_condition(rw, set->conditions[i], visit, arg))
            return true;
    }
    return false;
}

typedef struct Said {
    Rewrite *rw;
    const SetList *set;
    const char *column;
    const Expr *value;
} Said;

static bool is_said(const Expr *left, const Expr *right, void *arg) {
    const Said *said = arg;

    return set_is_own(said->set, left, said->column) && set_same_value(said->rw, right, said->value);
}

bool set_condition_says(Rewrite *rw, const SetList *set, const char *column, const Expr *value) {
    return set_equalities(rw, set, is_said, &(Said){rw, set, column, value});
}

SetTenant set_tenant(Rewrite *rw, const SetList *set, const Table *table, int *index) {
    const char *column = table->tenant ? table->tenant->name : NULL;
    const Target *target;

    *index = column ? set_index(set, column) : -1;
    if (*index < 0)
        return SET_TENANT_NOT;
    target = &set->targets[*index];
    if (target->indirection)
        return SET_TENANT_ANOTHER;
    if (set_is_own(set, target->expr, column))
        return SET_TENANT_ITSELF;
    return set_condition_says(rw, set, column, target->expr) ? SET_TENANT_EQUAL : SET_TENANT_ANOTHER;
}
