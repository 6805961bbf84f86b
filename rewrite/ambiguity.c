/* FROM line_items l JOIN orders o USING (order_id) WHERE store_id = 5
 *                                                        o.store_id
 * FROM orders o WHERE EXISTS (SELECT 1 FROM line_items l WHERE l.order_id = o.order_id AND store_id = 5)
 *                                                                                          o.store_id
 *
 * As long as only orders has it, the name alone says which is meant. With a column of that name in line_items
 * the server refuses the first and takes the second for another column, silently. So each name is looked up
 * twice as the server does it, from the innermost level outwards: without the new columns and with them.
 * Where it was one column and now is none or another, it is qualified.
 *
 * A name that was no column has been written for the new one, and so has one that is compared with the very
 * column that it was before (store_id = o.store_id, in a sub-select): they are left. Any other keeps its old
 * meaning until the table's stage is done. */
#include "rewrite/ambiguity.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/ambiguity_columns.h"
#include "rewrite/ambiguity_edit.h"
#include "rewrite/ambiguity_join.h"
#include "rewrite/survey.h"
#include "rewrite/walk.h"

/* What is seen from one place: items, the last first. */
typedef struct Seen {
    const FromItem *item;
    const struct Seen *next;
} Seen;

typedef struct Match {
    AmbiguityColumn column;
    int n;
    bool unknown;
} Match;

typedef struct Level {
    const struct Level *outer;
    const Block *block;
    const Seen *seen;
    const char *looked_up; /* the name that `matches` are of */
    Match matches[2];
} Level;

/* ---- looking up ---- */

static Match match(Ambiguity *a, const Level *level, const char *name, AmbiguityTime time) {
    Match found = {.n = 0};

    for (const Seen *seen = level->seen; seen; seen = seen->next) {
        const AmbiguityColumns columns = ambiguity_columns(a, level->block, seen->item, time);

        found.unknown |= columns.unknown;
        for (int i = 0; i < columns.n && star_may(&a->star, 1); i++) {
            if (columns.columns[i].name && strcmp(columns.columns[i].name, name) == 0) {
                found.column = columns.columns[i];
                found.n++;
            }
        }
    }
    return found;
}

static const Match *matches_of(Ambiguity *a, Level *level, const char *name) {
    if (level->looked_up != name) {
        level->matches[BEFORE_COLUMN] = match(a, level, name, BEFORE_COLUMN);
        level->matches[AFTER_COLUMN] = match(a, level, name, AFTER_COLUMN);
        level->looked_up = name;
    }
    return level->matches;
}

/* The name as a->late has it; NULL if it is none of those. */
static const char *late_name(const Ambiguity *a, const Expr *expr) {
    const char *found = NULL;

    if (!expr || expr->kind != EXPR_COLUMN || expr->name.name || !expr->column)
        return NULL;
    for (int i = 0; i < a->nlate && !found; i++)
        found = strcmp(a->late[i], expr->column) == 0 ? a->late[i] : NULL;
    return found;
}

static bool has_range(const FromItem *from, const char *name) {
    const char *own = star_range_name(from);

    if (own || from->kind != FROM_JOIN)
        return own && strcmp(own, name) == 0;
    return (from->using_alias && strcmp(from->using_alias, name) == 0) || has_range(from->left, name) ||
           has_range(from->right, name);
}

static bool is_shadowed(const Level *from, const Level *to, const char *range) {
    bool found = false;

    for (const Level *level = from; level != to && !found; level = level->outer) {
        for (const Seen *seen = level->seen; seen && !found; seen = seen->next)
            found = has_range(seen->item, range);
    }
    return found;
}

/* What cannot be said with a qualifier: there the new column goes. */
static void take_away(Ambiguity *a, const Level *from, const Level *to, const char *name) {
    bool done = true;

    for (const Level *level = from; level != to; level = level->outer) {
        for (const Seen *seen = level->seen; seen; seen = seen->next)
            done = ambiguity_wrap(a, level->block, seen->item, name) && done;
    }
    if (!done)
        rewrite_note(a->rw, arena_printf(a->rw->arena, "%s cannot be qualified with what it means",
                                         rewrite_quoted(a->rw, name)));
}

/* The column that the name meant, if it means it no more; NULL: nothing is to be done with the name.
 *
 * *silently: another column has its name now, and the server will not say so. Of two on one level one would
 * have been refused: what is not known there does not matter, unlike what is not known further in. */
static const AmbiguityColumn *lost_column(Ambiguity *a, Level *first, const char *name, bool *silently) {
    bool taken = false, unknown = false;

    for (Level *level = first; level; level = (Level *)level->outer) {
        const Match *matches = matches_of(a, level, name);
        const Match *before = &matches[BEFORE_COLUMN];

        *silently = taken;
        taken |= matches[AFTER_COLUMN].n > before->n;
        if (before->n == 1 && taken) {
            if (!unknown && before->column.qualifier && !is_shadowed(first, level, before->column.range))
                return &before->column;
            take_away(a, first, level->outer, name);
        }
        if (before->n > 0)
            return NULL;
        unknown |= before->unknown;
    }
    return NULL;
}

/* ---- names ---- */

static LexToken name_at(const Ambiguity *a, uint32_t offset) {
    LexToken token = lex_next(a->rw->text.ptr, a->rw->text.len, offset);
    const bool is_name = token.start == offset && (token.kind == LEX_WORD || token.kind == LEX_QUOTED);

    return is_name ? token : (LexToken){LEX_END, offset, offset};
}

/* Whether `other` is that column. */
static bool is_column(const Expr *other, const AmbiguityColumn *column) {
    return other && other->kind == EXPR_COLUMN && other->name.name && other->column &&
           strcmp(other->column, column->name) == 0 && strcmp(other->name.name, column->range) == 0;
}

static void visit_name(Ambiguity *a, Level *level, const Expr *expr, const Expr *other) {
    const char *name = late_name(a, expr);
    bool silently = false;
    const AmbiguityColumn *lost = name ? lost_column(a, level, name, &silently) : NULL;

    if (lost && !(silently && is_column(other, lost)) && name_at(a, expr->location).end > expr->location)
        ambiguity_replace(a, (Span){expr->location, expr->location},
                          arena_printf(a->rw->arena, "%s.", lost->qualifier));
}

static void visit_block(Ambiguity *a, const Block *block, const Level *outer);

/* What the n-th argument is said to be equal to. */
static const Expr *opposite(const Expr *expr, int n) {
    const bool equals = expr->kind == EXPR_OP && expr->nargs == 2 && expr->op && strcmp(expr->op, "=") == 0;

    return equals ? expr->args[1 - n] : NULL;
}

static void visit_expr(Ambiguity *a, Level *level, const Expr *expr, const Expr *other) {
    const bool rows =
        expr->kind == EXPR_ROW && other && other->kind == EXPR_ROW && other->nargs == expr->nargs;

    if (!star_may(&a->star, 1))
        return;
    visit_name(a, level, expr, other);
    for (int i = 0; i < expr->nargs; i++) {
        if (expr->args[i])
            visit_expr(a, level, expr->args[i], rows ? other->args[i] : opposite(expr, i));
    }
    if (expr->block)
        visit_block(a, expr->block, level);
}

/* ---- names of the result ---- */

/* The number of the entry of the list that has this name: of several, which must be the same, the first.
 * 0: there is none, or it cannot be told. */
static int ordinal_of(Ambiguity *a, const Block *block, const char *name) {
    const AmbiguityColumns outputs = ambiguity_outputs(a, block, BEFORE_COLUMN);
    int found = 0;

    if (outputs.n != block->ntargets || outputs.unknown || ambiguity_count(a, &outputs, name) == 0)
        return 0;
    for (int i = 0; i < block->ntargets; i++) {
        if (block->targets[i].expr->kind == EXPR_STAR)
            return 0;
        if (found == 0 && outputs.columns[i].name && strcmp(outputs.columns[i].name, name) == 0)
            found = i + 1;
    }
    return found;
}

static void use_ordinal(Ambiguity *a, const Block *block, const Expr *expr, const char *name) {
    const LexToken token = name_at(a, expr->location);
    const int ordinal = ordinal_of(a, block, name);

    if (ordinal > 0 && token.end > token.start)
        ambiguity_replace(a, (Span){(uint32_t)token.start, (uint32_t)token.end},
                          arena_printf(a->rw->arena, "%d", ordinal));
    else
        rewrite_note(a->rw, arena_printf(a->rw->arena, "%s means another column than before",
                                         rewrite_quoted(a->rw, name)));
}

/* GROUP BY means a column of FROM before one of the result. */
static void visit_group(Ambiguity *a, Level *level, const Expr *expr) {
    const char *name = late_name(a, expr);
    const Match *matches = name ? matches_of(a, level, name) : NULL;

    if (!matches || matches[BEFORE_COLUMN].n > 0 || matches[BEFORE_COLUMN].unknown) {
        visit_expr(a, level, expr, NULL);
    } else {
        const AmbiguityColumns outputs = ambiguity_outputs(a, level->block, BEFORE_COLUMN);

        if (ambiguity_count(a, &outputs, name) == 0)
            visit_expr(a, level, expr, NULL);
        else if (matches[AFTER_COLUMN].n > 0)
            use_ordinal(a, level->block, expr, name);
    }
}

/* ORDER BY and DISTINCT ON, one of the result before one of FROM. */
static void visit_order(Ambiguity *a, Level *level, const Expr *expr) {
    const char *name = late_name(a, expr);
    AmbiguityColumns before, after;
    int n;

    if (!name) {
        visit_expr(a, level, expr, NULL);
        return;
    }
    before = ambiguity_outputs(a, level->block, BEFORE_COLUMN);
    after = ambiguity_outputs(a, level->block, AFTER_COLUMN);
    n = ambiguity_count(a, &before, name);
    if (n == 0 || n < ambiguity_count(a, &after, name))
        visit_expr(a, level, expr, NULL);
}

static void visit_list(Ambiguity *a, Level *level, Expr *const *exprs, int n,
                       void (*visit)(Ambiguity *a, Level *level, const Expr *expr)) {
    for (int i = 0; i < n; i++) {
        if (exprs[i])
            visit(a, level, exprs[i]);
    }
}

/* ---- blocks ---- */

typedef struct Visit {
    Ambiguity *a;
    Level *level;
} Visit;

static void visit_own(const Expr *expr, void *arg) {
    const Visit *v = arg;

    visit_expr(v->a, v->level, expr, NULL);
}

static void visit_exprs(Ambiguity *a, const Block *block, Level level) {
    Block rest = *block;

    rest.ngroup_by = rest.norder_by = rest.ndistinct_on = 0;
    walk_own_exprs(&rest, visit_own, &(Visit){a, &level});
    visit_list(a, &level, block->group_by, block->ngroup_by, visit_group);
    visit_list(a, &level, block->order_by, block->norder_by, visit_order);
    visit_list(a, &level, block->distinct_on, block->ndistinct_on, visit_order);
}

static void keep_single(Ambiguity *a, const Block *query);

/* `seen`: what stands before it. A sub-select sees that only if it is LATERAL, a function always. */
static void visit_from(Ambiguity *a, const FromItem *from, const Block *block, const Seen *seen,
                       const Level *outer) {
    Level lateral = {.outer = outer, .block = block, .seen = seen};

    if (!from)
        return;
    if (from->kind == FROM_JOIN) {
        const Seen left = {from->left, NULL}, both = {from->right, &left}, before = {from->left, seen};
        Level level = {.outer = outer, .block = block, .seen = &both};

        visit_from(a, from->left, block, seen, outer);
        visit_from(a, from->right, block, &before, outer);
        if (from->quals)
            visit_expr(a, &level, from->quals, NULL);
    }
    for (int i = 0; i < from->nexprs; i++) {
        if (from->exprs[i])
            visit_expr(a, &lateral, from->exprs[i], NULL);
    }
    if (from->block) {
        visit_block(a, from->block, from->lateral ? &lateral : outer);
        keep_single(a, from->block);
    }
}

static void visit_insert(Ambiguity *a, const Block *block, const Level *outer) {
    const Block rows = {.kind = BLOCK_VALUES, .rows = block->rows, .nrows = block->nrows};
    const Seen target = {block->target, NULL};
    Block rest = *block;

    rest.nrows = 0;
    visit_exprs(a, &rows, (Level){.outer = outer, .block = block});
    visit_exprs(a, &rest, (Level){.outer = outer, .block = block, .seen = &target});
    if (block->source)
        visit_block(a, block->source, outer);
}

/* Where there is no row of the target, only the source is seen. */
static void visit_actions(Ambiguity *a, const Block *merge, const Seen *all, const Seen *source,
                          const Level *outer) {
    for (int i = 0; i < merge->nmerge_actions; i++) {
        const Block *action = merge->merge_actions[i];

        visit_exprs(a, action,
                    (Level){.outer = outer, .block = merge, .seen = action->merge_matched ? all : source});
    }
}

static void visit_query(Ambiguity *a, const Block *block, const Level *outer) {
    const Seen target = {block->target, NULL};
    Seen *seen = ARENA_ARRAY(a->rw->arena, Seen, block->nfrom + 1);
    const Seen *all = block->target ? &target : NULL;

    for (int i = 0; i < block->nfrom; i++) {
        visit_from(a, block->from[i], block, all, outer);
        seen[i] = (Seen){block->from[i], all};
        all = &seen[i];
    }
    ambiguity_joins(a, block);
    visit_exprs(a, block, (Level){.outer = outer, .block = block, .seen = all});
    if (block->kind == BLOCK_MERGE && block->nfrom == 1)
        visit_actions(a, block, all, &(Seen){block->from[0], NULL}, outer);
}

/* What reads a query by a name that it gives once must not find it twice: in (SELECT * FROM line_items JOIN
 * orders USING (order_id)). */
static void keep_single(Ambiguity *a, const Block *query) {
    const AmbiguityColumns before = ambiguity_outputs(a, query, BEFORE_COLUMN),
                           after = ambiguity_outputs(a, query, AFTER_COLUMN);

    for (int i = 0; i < a->nlate; i++) {
        bool done = true;

        if (ambiguity_count(a, &before, a->late[i]) != 1 || ambiguity_count(a, &after, a->late[i]) < 2)
            continue;
        for (int k = 0; k < query->nfrom; k++)
            done = ambiguity_wrap(a, query, query->from[k], a->late[i]) && done;
        if (!done)
            rewrite_note(a->rw, arena_printf(a->rw->arena, "a sub-select gives %s twice",
                                             rewrite_quoted(a->rw, a->late[i])));
    }
}

static void visit_block(Ambiguity *a, const Block *block, const Level *outer) {
    if (!star_may(&a->star, 1))
        return;
    for (int i = 0; i < block->nctes; i++) {
        visit_block(a, block->ctes[i].block, outer);
        keep_single(a, block->ctes[i].block);
    }
    if (block->kind == BLOCK_SETOP) {
        visit_block(a, block->left, outer);
        visit_block(a, block->right, outer);
    } else if (block->kind == BLOCK_INSERT) {
        visit_insert(a, block, outer);
    } else {
        visit_query(a, block, outer);
    }
}

/* ---- the statement ---- */

static void add_late_name(Ambiguity *a, const char *name) {
    for (int i = 0; i < a->nlate; i++) {
        if (strcmp(a->late[i], name) == 0)
            return;
    }
    a->late[a->nlate++] = name;
}

typedef struct Search {
    const Ambiguity *a;
    bool found;
    bool qualified, star; /* t.store_id, which may be of what * gives further in */
} Search;

static bool search_expr(const Expr *expr, void *arg) {
    Search *search = arg;
    const Expr bare = {.kind = EXPR_COLUMN, .column = expr->column};

    search->star |= expr->kind == EXPR_STAR;
    search->qualified |= expr->kind == EXPR_COLUMN && expr->name.name && late_name(search->a, &bare);
    search->found |= late_name(search->a, expr) || (search->qualified && search->star);
    return !search->found;
}

static bool search_from(const FromItem *item, const Block *block, void *arg) {
    Search *search = arg;

    (void)block;
    search->found |= item->kind == FROM_JOIN && (item->natural || item->alias);
    for (int i = 0; i < item->nusing && !search->found; i++)
        search->found = late_name(search->a, &(Expr){.kind = EXPR_COLUMN, .column = item->using_columns[i]});
    return !search->found;
}

/* Whether there is anything that the new columns may take part in: hardly any statement has it. */
static bool is_needed(const Ambiguity *a, const Statement *stmt) {
    Search search = {.a = a};

    walk_statement(stmt, &(Walk){.expr = search_expr, .from = search_from, .arg = &search});
    return search.found;
}

void ambiguity_rewrite(Rewrite *rw, const Statement *stmt, bool fixed) {
    const TableSet *named = &rw->survey->named;
    const EditList *edits = rw->edits;
    Ambiguity a = {.rw = rw};

    for (int i = 0; i < named->n; i++) {
        if (!ambiguity_is_late(rw, named->tables[i]))
            continue;
        if (!a.late)
            a.late = ARENA_ARRAY(rw->arena, const char *, named->n);
        add_late_name(&a, named->tables[i]->tenant_column);
    }
    if (a.nlate == 0 || !is_needed(&a, stmt))
        return;
    a.star = (Star){.rw = rw, .first_edit = edits->nedits, .last_edit = edits->nedits, .fixed = fixed};
    while (a.star.first_edit > 0 && edits->edits[a.star.first_edit - 1].offset >= stmt->span.start)
        a.star.first_edit--;
    for (; stmt; stmt = stmt->inner) {
        if (stmt->block)
            visit_block(&a, stmt->block, NULL);
    }
    ambiguity_naturals(&a);
}
