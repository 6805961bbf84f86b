/* a IN (SELECT x …): both rows of a match belong together by a key.
 *
 *   e.account_id IN (SELECT a.account_id FROM …)
 *   (e.account_id, e.store_id) IN (SELECT a.account_id, a.store_id FROM …)
 *
 * A condition in the sub-select would make it depend on the query around it, which neither PostgreSQL nor
 * Citus then joins; the pair does not. It stands where only truth counts, so that what is NULL does not
 * matter. */
#include "parser/lex.h"
#include "rewrite/reads_walk.h"

#include <string.h>

/* The end of the column's name that begins at `start`; 0 if it is not that alone. */
static uint32_t name_end(Str text, uint32_t start) {
    LexToken token = lex_next(text.ptr, text.len, start);
    uint32_t end = 0;

    while (token.kind == LEX_WORD || token.kind == LEX_QUOTED) {
        end = (uint32_t)token.end;
        token = lex_next(text.ptr, text.len, token.end);
        if (token.kind != LEX_PUNCT || text.ptr[token.start] != '.')
            break;
        token = lex_next(text.ptr, text.len, token.end);
    }
    /* U&"…" UESCAPE '…' */
    return token.kind == LEX_WORD && lex_is_word(text.ptr, token, "uescape") ? 0 : end;
}

static bool is_plain(const Block *block) {
    return block->kind == BLOCK_SELECT && block->ntargets == 1 && block->targets_end > 0 &&
           !block->distinct && block->ngroup_by == 0 && !block->group_distinct_or_sets && !block->having &&
           block->targets[0].expr && block->targets[0].expr->kind == EXPR_COLUMN;
}

bool reads_is_in(ReadsWalk *w, const Expr *expr) {
    const Name op = {.schema = expr->op_schema, .name = expr->op};

    return expr->kind == EXPR_SUBLINK && expr->sublink == SUBLINK_ANY && !expr->negated && expr->nargs == 1 &&
           expr->args[0] && expr->args[0]->kind == EXPR_COLUMN && expr->block && is_plain(expr->block) &&
           op.name && strcmp(op.name, "=") == 0 && names_in_catalog(w->names, &op);
}

static void add_pair(ReadsWalk *w, const ReadsIn *in, const char *name, const char *inner, bool proposed) {
    const Expr *test = in->expr->args[0];
    ReadsPair *pair;
    uint32_t end = name_end(w->rw->text, test->location);

    if (end == 0)
        return;
    pair = ARENA_NEW(w->rw->arena, ReadsPair);
    *pair = (ReadsPair){.start = test->location,
                        .end = end,
                        .inner = in->expr->block->targets_end,
                        .name = name,
                        .inner_name = inner,
                        .proposed = proposed,
                        .next = w->pairs};
    w->pairs = pair;
}

void reads_in(ReadsWalk *w, const ReadsIn *in, const ReadsSpace *space, const ReadsFacts *inner) {
    const ReadsEnv env = {.space = space};
    ReadsFacts facts = {0};
    ReadsColumn a, x;
    bool proposed;
    const char *name, *inner_name;

    if (w->looking || !reads_resolve(w, in->env, in->expr->args[0], &a) ||
        !reads_resolve(w, &env, in->expr->block->targets[0].expr, &x))
        return;
    for (int i = in->from; i < in->facts->n; i++)
        reads_add_fact(w, &facts, in->facts->all[i]);
    for (int i = 0; i < inner->n; i++)
        reads_add_fact(w, &facts, inner->all[i]);
    reads_take_equality(w, &a, &x, &facts);
    if (w->gave_up || !reads_same_tenant(w, &facts, a.row, x.row, &proposed))
        return;
    name = reads_name_of(w, in->env, reads_tenant_cell(a.row));
    inner_name = reads_name_of(w, &env, reads_tenant_cell(x.row));
    if (name && inner_name)
        add_pair(w, in, name, inner_name, proposed);
    if (name && inner_name && !proposed)
        reads_imply(w, reads_tenant_cell(a.row), reads_tenant_cell(x.row));
}
