/* One walk over the statement, and over the definitions of the views that it meets. */
#include "rewrite/survey.h"

#include <string.h>

#include "rewrite/functions.h"
#include "rewrite/walk.h"

typedef struct Surveyor {
    Rewrite *rw;
    Survey *survey;
    const Names *names;
} Surveyor;

static bool set_add(TableSet *set, Arena *arena, const Table *table) {
    for (int i = 0; i < set->n; i++) {
        if (set->tables[i] == table)
            return false;
    }
    if (set->n == set->capacity) {
        int capacity = set->capacity ? 2 * set->capacity : 8;
        const Table **tables = ARENA_ARRAY(arena, const Table *, capacity);

        if (set->n > 0)
            memcpy(tables, set->tables, sizeof(Table *) * (size_t)set->n);
        set->tables = tables;
        set->capacity = capacity;
    }
    set->tables[set->n++] = table;
    return true;
}

static const char *written_name(Arena *arena, const Name *name) {
    return name->schema ? arena_printf(arena, "%s.%s", name->schema, name->name)
                        : arena_strdup(arena, name->name);
}

static void survey_block(Surveyor *s, const Block *block);

static void add_view(Surveyor *s, const Table *view) {
    Surveyor inside = {s->rw, s->survey, s->rw->view_names};
    Survey *survey = s->survey;
    const Facts *facts = NULL;
    const Block *block = NULL;
    Error err;

    if (view->view_definition)
        facts = facts_parse_unnamed(s->rw->arena, str_of(view->view_definition), (FactsLimits){0}, &err);
    if (facts && facts->nstatements == 1 && facts->statements[0].kind == STMT_SELECT)
        block = facts->statements[0].block;
    if (survey->nviews == survey->view_capacity) {
        int capacity = survey->view_capacity ? 2 * survey->view_capacity : 4;
        ParsedView *views = ARENA_ARRAY(s->rw->arena, ParsedView, capacity);

        if (survey->nviews > 0)
            memcpy(views, survey->views, sizeof(ParsedView) * (size_t)survey->nviews);
        survey->views = views;
        survey->view_capacity = capacity;
    }
    survey->views[survey->nviews++] = (ParsedView){view, block};
    if (block)
        survey_block(&inside, block);
    else if (!survey->unknown_name)
        survey->unknown_name = view->name;
}

static void add_name(Surveyor *s, const Block *block, const Name *name) {
    NameMeaning meaning = names_resolve(s->names, block, name);

    if (meaning.kind == NAME_UNKNOWN && name->name && !s->survey->unknown_name)
        s->survey->unknown_name = written_name(s->rw->arena, name);
    if (meaning.kind != NAME_TABLE || !set_add(&s->survey->named, s->rw->arena, meaning.table))
        return;
    if (meaning.table->relkind == 'v')
        add_view(s, meaning.table);
}

static void add_write(Surveyor *s, const Name *name) {
    NameMeaning meaning = names_resolve(s->names, NULL, name);

    if (meaning.kind == NAME_TABLE)
        set_add(&s->survey->written, s->rw->arena, meaning.table);
    s->survey->writes_unknown |= meaning.kind == NAME_UNKNOWN;
}

static bool on_block(const Block *block, void *arg) {
    if (block->target && block->target->name.name)
        add_write(arg, &block->target->name);
    return true;
}

static bool on_from(const FromItem *item, const Block *block, void *arg) {
    if (item->kind == FROM_TABLE && item->name.name)
        add_name(arg, item == block->target ? NULL : block, &item->name);
    return true;
}

static bool on_expr(const Expr *expr, void *arg) {
    Surveyor *s = arg;
    bool known = expr->kind != EXPR_FUNC || (names_in_catalog(s->names, &expr->name) && expr->name.name &&
                                             function_kind(expr->name.name) != FUNCTION_UNKNOWN);

    if (!known && !s->survey->unknown_function)
        s->survey->unknown_function = written_name(s->rw->arena, &expr->name);
    return true;
}

static void survey_block(Surveyor *s, const Block *block) {
    walk_block(block, &(Walk){.block = on_block, .expr = on_expr, .from = on_from, .arg = s});
}

void survey_statement(Rewrite *rw, const Statement *stmt) {
    Surveyor s = {rw, rw->survey, rw->names};

    walk_statement(stmt, &(Walk){.block = on_block, .expr = on_expr, .from = on_from, .arg = &s});
    for (; stmt; stmt = stmt->inner) {
        for (int i = 0; i < stmt->ntables; i++) {
            bool creates = stmt->kind == STMT_CREATE_AS || (stmt->creates_temp && i == 0);

            if (!creates && stmt->tables[i]->name.name)
                add_name(&s, NULL, &stmt->tables[i]->name);
        }
        if (stmt->copy.table) {
            add_name(&s, NULL, &stmt->copy.table->name);
            if (stmt->copy.is_from)
                add_write(&s, &stmt->copy.table->name);
        }
    }
}

const Block *survey_view(const Survey *survey, const Table *view) {
    for (int i = 0; i < survey->nviews; i++) {
        if (survey->views[i].view == view)
            return survey->views[i].block;
    }
    return NULL;
}
