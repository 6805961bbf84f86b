/* One decision: each statement is surveyed, rewritten if it writes to a table under migration, and judged.
 *
 * Every kind of statement has its row in a const table: who rewrites it, who judges it. */
#include "rewrite/decide.h"

#include <string.h>

#include "rewrite/ambiguity.h"
#include "rewrite/context.h"
#include "rewrite/moves.h"
#include "rewrite/reads.h"
#include "rewrite/scope.h"
#include "rewrite/star.h"
#include "rewrite/survey.h"
#include "rewrite/write.h"

typedef struct Family {
    void (*rewrite)(Rewrite *rw, const Statement *stmt); /* NULL: nothing to rewrite */
    void (*judge)(Rewrite *rw, const Statement *stmt);
} Family;

static void judge_nothing(Rewrite *rw, const Statement *stmt) {
    (void)stmt;
    rw->decision->verdict = VERDICT_NO_TENANT_TABLE;
}

static void judge_inner(Rewrite *rw, const Statement *stmt);

static void judge_opaque(Rewrite *rw, const Statement *stmt) {
    static const struct {
        StmtKind kind;
        const char *reason;
    } reasons[] = {
        {STMT_DO, "a DO block may read and write any table"},
        {STMT_CALL, "a procedure may read and write any table"},
        {STMT_EXECUTE, "what it runs was prepared under a name, before"},
    };

    rw->decision->verdict = VERDICT_OPAQUE;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].kind == stmt->kind)
            rw->decision->reason = reasons[i].reason;
    }
}

/* The writes stand in blocks anywhere: CTEs, EXPLAIN, PREPARE, COPY (INSERT … RETURNING). */
static const Family families[] = {
    [STMT_EMPTY] = {NULL, judge_nothing},
    [STMT_SELECT] = {write_rewrite_blocks, scope_judge_query},
    [STMT_INSERT] = {write_rewrite_blocks, scope_judge_query},
    [STMT_UPDATE] = {write_rewrite_blocks, scope_judge_query},
    [STMT_DELETE] = {write_rewrite_blocks, scope_judge_query},
    [STMT_MERGE] = {write_rewrite_blocks, scope_judge_query},
    [STMT_COPY] = {write_rewrite_copy, scope_judge_copy},
    [STMT_SET] = {NULL, judge_nothing},
    [STMT_SHOW] = {NULL, judge_nothing},
    [STMT_TRANSACTION] = {NULL, judge_nothing},
    [STMT_PREPARE] = {write_rewrite_blocks, judge_inner},
    [STMT_EXECUTE] = {NULL, judge_opaque},
    [STMT_DEALLOCATE] = {NULL, judge_nothing},
    [STMT_DECLARE_CURSOR] = {write_rewrite_blocks, judge_inner},
    [STMT_CURSOR] = {NULL, judge_nothing},
    [STMT_EXPLAIN] = {write_rewrite_blocks, judge_inner},
    [STMT_DISCARD] = {NULL, judge_nothing},
    [STMT_CREATE_AS] = {write_rewrite_blocks, judge_inner},
    [STMT_TRUNCATE] = {NULL, scope_judge_whole_tables},
    [STMT_LOCK] = {NULL, scope_judge_whole_tables},
    [STMT_DO] = {NULL, judge_opaque},
    [STMT_CALL] = {NULL, judge_opaque},
    [STMT_NOTIFY] = {NULL, judge_nothing},
    [STMT_DDL] = {NULL, scope_judge_whole_tables},
    [STMT_UTILITY] = {NULL, scope_judge_whole_tables},
};

static void judge_inner(Rewrite *rw, const Statement *stmt) {
    if (stmt->inner)
        families[stmt->inner->kind].judge(rw, stmt->inner);
}

static const char *const verdict_names[] = {
    [VERDICT_NO_TENANT_TABLE] = "no-tenant-table",
    [VERDICT_SINGLE_TENANT] = "single-tenant",
    [VERDICT_MULTI_TENANT] = "multi-tenant",
    [VERDICT_OPAQUE] = "opaque",
    [VERDICT_UNPARSED] = "unparsed",
};

const char *verdict_name(Verdict verdict) { return verdict_names[verdict]; }

static void list_tables(Rewrite *rw) {
    const TableSet *named = &rw->survey->named;
    const char **tables = ARENA_ARRAY(rw->arena, const char *, named->n);

    for (int i = 0; i < named->n; i++)
        tables[i] = table_qualified_name(rw->arena, named->tables[i]);
    rw->decision->tables = tables;
    rw->decision->ntables = named->n;
}

/* A view that is written to may pass the rows on to any table in it. */
static bool writes_migrating(const Survey *survey) {
    bool view = false, found = false;

    for (int i = 0; i < survey->written.n; i++) {
        view |= survey->written.tables[i]->relkind == 'v';
        found |= rewrite_is_migrating(survey->written.tables[i]);
    }
    for (int i = 0; view && i < survey->named.n; i++)
        found |= rewrite_is_migrating(survey->named.tables[i]);
    return found;
}

/* Once there is an epoch, any table to be backfilled may have been taken in without this snapshot's knowing.
 */
static const Table *first_in_migration(const Rewrite *rw) {
    const TableSet *written = &rw->survey->written;

    for (int i = 0; i < written->n; i++) {
        if (written->tables[i]->staged_backfill ||
            (rw->snapshot->epoch > 0 && written->tables[i]->kind == KIND_BACKFILL))
            return written->tables[i];
    }
    return NULL;
}

static void decide_statement(Rewrite *rw, const Statement *stmt) {
    const Family *family = &families[stmt->kind];
    Reads reads = {0};
    bool rewritten;

    survey_statement(rw, stmt);
    list_tables(rw);
    rw->decision->writes_migrating = writes_migrating(rw->survey);
    rw->decision->migrating = first_in_migration(rw);
    rw->decision->moves_parents = moves_parents(rw, stmt);
    if (family->rewrite)
        family->rewrite(rw, stmt);
    rewritten = rw->decision->rewritten;
    reads.first_edit = rw->edits->nedits;
    star_rewrite(rw, stmt);
    ambiguity_rewrite(rw, stmt, rewritten);
    reads_rewrite(rw, stmt, &reads);
    reads_judge(rw, stmt, &reads, family->judge);
}

const Decision *decide(Arena *arena, Str text, const Facts *facts, const Snapshot *snapshot,
                       const SessionContext *context) {
    Decision *decision = ARENA_NEW(arena, Decision);
    Names names = names_of(arena, snapshot, context);
    Names view_names = names_of_view(arena, snapshot);
    Rewrite rw = {
        .arena = arena, .text = text, .snapshot = snapshot, .names = &names, .view_names = &view_names};

    rw.edits = &decision->edits;
    rw.proposals = &decision->proposals;
    rw.several = facts->nstatements > 1 || context->in_function;
    rw.in_function = context->in_function;
    rw.has_tenant = context->has_tenant;
    decision->nstatements = facts->nstatements;
    decision->statements = ARENA_ARRAY(arena, StatementDecision, facts->nstatements);
    for (int i = 0; i < facts->nstatements; i++) {
        Survey survey = {0};

        rw.survey = &survey;
        rw.statement = &facts->statements[i];
        rw.decision = &decision->statements[i];
        rw.index = i;
        decide_statement(&rw, &facts->statements[i]);
    }
    decision->slots = rw.slots;
    decision->nslots = rw.nslots;
    decision->literals_matter = rw.literals_matter;
    edits_sort(&decision->edits);
    edits_sort(&decision->proposals);
    return decision;
}
