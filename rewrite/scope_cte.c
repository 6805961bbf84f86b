/* CTEs: inlined where they are read once, as PostgreSQL and Citus do, else levels of their own. */
#include "rewrite/scope_level.h"

#include "rewrite/survey.h"
#include "rewrite/walk.h"

CteState *scope_cte(Scope *scope, const Cte *cte) {
    (void)scope_spend(scope, scope->nctes);
    for (int i = 0; i < scope->nctes; i++) {
        if (scope->ctes[i].cte == cte)
            return &scope->ctes[i];
    }
    scope->ctes = scope_grow(scope, scope->ctes, scope->nctes, &scope->cte_capacity, sizeof(CteState));
    scope->ctes[scope->nctes] = (CteState){.cte = cte};
    return &scope->ctes[scope->nctes++];
}

static bool stands_in(const Block *block, const Block *ancestor) {
    while (block && block != ancestor)
        block = block->parent;
    return block != NULL;
}

/* What a recursive CTE reads of itself does not count: if nothing else reads it, it is not run. */
static bool on_from(const FromItem *item, const Block *block, void *arg) {
    Scope *scope = arg;
    NameMeaning meaning;

    if (item->kind != FROM_TABLE || item == block->target)
        return true;
    meaning = names_resolve(scope->rw->names, block, &item->name);
    if (meaning.kind == NAME_CTE && !stands_in(block, meaning.cte->block))
        scope_cte(scope, meaning.cte)->references++;
    return true;
}

void scope_count_ctes(Scope *scope, const Statement *stmt) {
    const Survey *survey = scope->rw->survey;
    const Walk walk = {.from = on_from, .arg = scope};

    walk_statement(stmt, &walk);
    for (int i = 0; i < survey->nviews; i++)
        walk_block(survey->views[i].block, &walk);
}

static bool is_query(const Block *block) { return block->kind <= BLOCK_VALUES; }

bool scope_cte_is_inlined(const Names *names, const CteState *state, const Block *from) {
    const Cte *cte = state->cte;

    if (cte->materialized == CTE_MATERIALIZED || !is_query(cte->block) || stands_in(from, cte->block))
        return false;
    if (state->references != 1 && cte->materialized != CTE_NOT_MATERIALIZED)
        return false;
    return !cte->block->locking && !scope_is_volatile(names, cte->block);
}

/* A reference from within is one more than the one that would have it inlined. */
static bool refers_to_itself(const Block *owner, const Cte *cte) {
    return owner->recursive && cte->block->left;
}

void scope_build_ctes(Env *env) {
    const Block *block = env->block;

    for (int i = 0; i < block->nctes; i++) {
        const Cte *cte = &block->ctes[i];
        CteState *state = scope_cte(env->level->scope, cte);
        bool unread = state->references == 0 && is_query(cte->block);
        Level *level;

        if (unread || (!refers_to_itself(block, cte) && scope_cte_is_inlined(env->names, state, block)))
            continue;
        level = scope_build(env->level->scope, cte->block, env->names, env->outer);
        scope_cte(env->level->scope, cte)->level = level;
        scope_add_child(env->level, level, NULL);
    }
}
