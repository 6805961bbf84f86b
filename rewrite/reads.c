/* One statement's reads, from the walk to the verdict. */
#include "rewrite/reads.h"

#include "rewrite/reads_walk.h"
#include "rewrite/survey.h"

/* ---- what may be rewritten ---- */

/* By kind, of a statement and of those inside it. What is kept under a name is not to depend on who the
 * session's tenant is right now, what becomes a definition is to stay as it was written, and COPY takes no
 * parameters. */
static const struct {
    StmtKind kind;
    bool filter;
} kinds[] = {
    {STMT_SELECT, true},         {STMT_INSERT, true}, {STMT_UPDATE, true},
    {STMT_DELETE, true},         {STMT_MERGE, true},  {STMT_EXPLAIN, true},
    {STMT_DECLARE_CURSOR, true}, {STMT_COPY, false},  {STMT_PREPARE, false},
};

/* False: not at all. */
static bool may_rewrite(const Statement *stmt, bool *filter) {
    bool found = true;

    for (*filter = true; stmt && found; stmt = stmt->inner) {
        found = false;
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            if (kinds[i].kind != stmt->kind)
                continue;
            found = true;
            *filter &= kinds[i].filter;
        }
    }
    return found;
}

static void add_references(const ReadsWalk *w, Reads *reads) {
    ReadsReference *references = ARENA_ARRAY(w->rw->arena, ReadsReference, w->ncandidates);

    for (int i = 0; i < w->ncandidates; i++) {
        const ReadsFilter *filter = &w->candidates[i];

        references[i] =
            (ReadsReference){filter->row->table, filter->alias, filter->name,
                             filter->place && filter->place->condition.end > 0 && filter->place->of_join};
    }
    reads->references = references;
    reads->nreferences = w->ncandidates;
}

void reads_rewrite(Rewrite *rw, const Statement *stmt, Reads *reads) {
    const TableSet *named = &rw->survey->named;
    ReadsWalk w = {.rw = rw, .names = rw->names};
    bool any = false;

    for (int i = 0; i < named->n && !any; i++)
        any = rewrite_is_tenant_table(named->tables[i]);
    if (!any)
        return;
    w.applies = may_rewrite(stmt, &w.filters);
    w.filters &= w.applies && rw->has_tenant && !rw->several;
    reads_walk(&w, stmt);
    reads_emit(&w, reads);
    reads->tables = w.proposed_tables;
    reads->ntables = w.nproposed;
    if (!w.gave_up)
        add_references(&w, reads);
}

/* ---- the verdict ---- */

/* The statement with these edits, in place of the one that was parsed. */
static const Statement *edited(const Rewrite *rw, const Statement *stmt, const EditList *edits, Str *text) {
    const Str whole = {rw->text.ptr, stmt->span.end};
    const FactsLimits limits = {.max_bytes = SIZE_MAX, .max_depth = FACTS_MAX_DEPTH};
    const Facts *facts;
    Buf out = {0};
    Error err;

    edits_apply(edits, whole, &out);
    *text = arena_str(
        rw->arena, (Str){(const char *)buf_ptr(&out) + stmt->span.start, buf_len(&out) - stmt->span.start});
    buf_free(&out);
    facts = facts_parse_unnamed(rw->arena, *text, limits, &err);
    return facts && facts->nstatements == 1 ? &facts->statements[0] : NULL;
}

/* Judges the statement with these edits into `decision`; as it is, if there are none. */
static void judge_edited(Rewrite *rw, const Statement *stmt, const EditList *edits,
                         StatementDecision *decision, ReadsJudge *judge) {
    Rewrite other = *rw;
    Survey survey = {0};

    other.decision = decision;
    if (edits->nedits > 0) {
        const Statement *with = edited(rw, stmt, edits, &other.text);

        if (with) {
            other.survey = &survey;
            other.statement = with;
            survey_statement(&other, with);
            stmt = with;
        }
    }
    judge(&other, stmt);
    rw->literals_matter |= other.literals_matter;
}

static bool is_unscoped(const Rewrite *rw, const Table *table) {
    const StatementDecision *decision = rw->decision;
    const char *name = table_qualified_name(rw->arena, table);

    for (int i = 0; i < decision->nunscoped; i++) {
        if (str_eq(str_of(decision->unscoped[i]), str_of(name)))
            return true;
    }
    return false;
}

/* How many of the tables that the proposals are about are not scoped. */
static int count_unscoped(const Rewrite *rw, const Reads *reads) {
    int n = 0;

    for (int i = 0; i < reads->ntables; i++)
        n += is_unscoped(rw, reads->tables[i]);
    return n;
}

static void suggest(Rewrite *rw, const Statement *stmt, const Reads *reads, ReadsJudge *judge) {
    StatementDecision *decision = rw->decision, with = {0};
    const int unscoped = count_unscoped(rw, reads);

    if (unscoped == 0)
        return;
    judge_edited(rw, stmt, &reads->proposed, &with, judge);
    if (with.verdict == VERDICT_SINGLE_TENANT)
        decision->suggestion = reads->text;
    else if (with.nunscoped < decision->nunscoped && with.suggestion)
        decision->suggestion = arena_printf(rw->arena, "%s, and %s", reads->text, with.suggestion);
    else if (unscoped > 1)
        decision->suggestion = arena_printf(rw->arena, "%s, and compare one of them with the tenant's %s",
                                            reads->text, rewrite_quoted(rw, reads->tables[0]->tenant_column));
}

/* All that is changed in what the statement reads. What its writes are given instead of the tenant is judged
 * by where it comes from. */
static EditList judged_edits(const Rewrite *rw, const Reads *reads) {
    const EditList all = {rw->edits->edits + reads->first_edit, rw->edits->nedits - reads->first_edit, 0};
    Str *session;
    EditList judged;

    if (all.nedits == 0)
        return all;
    session = ARENA_ARRAY(rw->arena, Str, rw->nslots);
    for (int i = 0; i < rw->nslots; i++)
        session[i] = STR_LIT(READS_SESSION_PARAMETER);
    judged = edits_fill(&all, rw->arena, session);
    edits_sort(&judged);
    return judged;
}

void reads_judge(Rewrite *rw, const Statement *stmt, const Reads *reads, ReadsJudge *judge) {
    const EditList judged = judged_edits(rw, reads);

    rw->reads = reads;
    judge_edited(rw, stmt, &judged, rw->decision, judge);
    if (rw->decision->verdict == VERDICT_MULTI_TENANT && reads->text)
        suggest(rw, stmt, reads, judge);
    rw->reads = NULL;
}
