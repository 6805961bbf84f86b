/* Where the parts of a statement stand: the cases of spans_cases.txt, and that text put in at each place
 * changes what it should and nothing else, in those cases and in random statements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dump.h"
#include "dump_spans.h"
#include "random_sql.h"

#define CASES "tests/unit/parser/spans_cases.txt"
#define SEEDS 600
#define MAX_BYTES 1000

static Str buf_str(const Buf *b) { return (Str){(const char *)buf_ptr(b), buf_len(b)}; }

/* ---- text put in at a place ---- */

/* A text whose parts are looked for, and what is looked at. */
typedef struct Probe {
    Str text;
    const Facts *facts;
    int index; /* of the block, in the order of the walk */
    int nblocks;
    int nspliced;
} Probe;

typedef struct Nth {
    int n;
    const Block *block;
} Nth;

static void visit_nth(const Block *block, void *arg) {
    Nth *nth = arg;

    if (nth->n-- == 0)
        nth->block = block;
}

static const Block *nth_block(const Facts *facts, int n) {
    Nth nth = {n, NULL};

    facts_walk_blocks(&facts->statements[0], visit_nth, &nth);
    return nth.block;
}

/* The text with `before` at the span's start and `behind` at its end, without the span if it is replaced. */
static void splice(Buf *out, Str text, Span at, bool replace, const char *before, const char *behind) {
    buf_append(out, text.ptr, at.start);
    buf_append_cstr(out, before);
    if (!replace)
        buf_append(out, text.ptr + at.start, at.end - at.start);
    buf_append_cstr(out, behind);
    buf_append(out, text.ptr + at.end, text.len - at.end);
    buf_put_u8(out, 0);
    out->end--;
}

typedef bool Holds(const Block *before, const Block *after, int k);

static bool same_facts(const Probe *p, Str other, const Facts *facts) {
    Buf a = {0}, b = {0};
    bool same;

    dump_facts(&(Dump){&a, p->text, false}, p->facts);
    dump_facts(&(Dump){&b, other, false}, facts);
    same = str_eq(buf_str(&a), buf_str(&b));
    buf_free(&a);
    buf_free(&b);
    return same;
}

/* Without `holds`, the facts must stay the same. */
static void try_splice(Probe *p, const char *what, Span at, bool replace, const char *before,
                       const char *behind, Holds *holds, int k) {
    Arena *arena = arena_new();
    Buf text = {0};
    const Facts *facts;
    Error err;
    bool good = false;

    splice(&text, p->text, at, replace, before, behind);
    facts = facts_parse(arena, buf_str(&text), (FactsLimits){0}, &err);
    if (facts)
        good = holds ? holds(nth_block(p->facts, p->index), nth_block(facts, p->index), k)
                     : same_facts(p, buf_str(&text), facts);
    if (!good)
        fail_msg("%s of block %d\n%.*s\n%.*s\n%s", what, p->index, STR_ARG(p->text), STR_ARG(buf_str(&text)),
                 facts ? "" : err.message);
    p->nspliced++;
    buf_free(&text);
    arena_free(arena);
}

static Span at(uint32_t offset) { return (Span){offset, offset}; }

static bool is_zz(const Expr *expr) {
    return expr && expr->kind == EXPR_COLUMN && str_is(str_of(expr->column), "zz");
}

static bool is_and_zz(const Expr *expr) {
    return expr && expr->kind == EXPR_AND && is_zz(expr->args[expr->nargs - 1]);
}

/* ---- what must hold behind it ---- */

#define GROWS(name, count)                                                                                   \
    static bool name(const Block *before, const Block *after, int k) {                                       \
        (void)k;                                                                                             \
        return after->count == before->count + 1;                                                            \
    }
GROWS(one_cte_more, nctes)
GROWS(one_target_more, ntargets)
GROWS(one_group_more, ngroup_by)
GROWS(one_returned_more, nreturning)
GROWS(one_set_more, nconflict_set)
GROWS(one_column_more, ncolumns)

static bool one_cell_more(const Block *before, const Block *after, int k) {
    return after->rows[k].ncells == before->rows[k].ncells + 1;
}

static bool where_is_zz(const Block *before, const Block *after, int k) {
    (void)k;
    return !before->where && is_zz(after->where);
}

static bool where_has_zz(const Block *before, const Block *after, int k) {
    (void)before;
    (void)k;
    return is_and_zz(after->where);
}

static bool merge_on_has_zz(const Block *before, const Block *after, int k) {
    (void)before;
    (void)k;
    return is_and_zz(after->merge_on);
}

/* The k-th join of what stands there, an outer one before those in it; k counts down. */
static const FromItem *join_in(const FromItem *item, int *k) {
    const FromItem *found = NULL;

    if (!item || item->kind != FROM_JOIN)
        return NULL;
    if ((*k)-- == 0)
        return item;
    found = join_in(item->left, k);
    return found ? found : join_in(item->right, k);
}

static const FromItem *nth_join(const Block *block, int k) {
    const FromItem *found = NULL;

    for (int i = 0; i < block->nfrom && !found; i++)
        found = join_in(block->from[i], &k);
    return found;
}

static bool on_has_zz(const Block *before, const Block *after, int k) {
    (void)before;
    return is_and_zz(nth_join(after, k)->quals);
}

static bool cell_is_zz(const Block *before, const Block *after, int k) {
    int row = 0;

    for (; k >= before->rows[row].ncells; row++)
        k -= before->rows[row].ncells;
    return is_zz(after->rows[row].cells[k].expr);
}

static bool target_is_zz(const Block *before, const Block *after, int k) {
    return is_zz(after->targets[k].expr) && after->ntargets == before->ntargets &&
           (after->targets[k].name == NULL) == (before->targets[k].name == NULL);
}

static bool returned_is_zz(const Block *before, const Block *after, int k) {
    return is_zz(after->returning[k].expr) && after->nreturning == before->nreturning;
}

static bool set_is_zz(const Block *before, const Block *after, int k) {
    return is_zz(after->conflict_set[k].expr) && after->nconflict_set == before->nconflict_set;
}

static bool is_query_of_zz(const Block *before, const Block *after, int k) {
    (void)before;
    (void)k;
    return after->kind == BLOCK_SELECT && after->ntargets == 1 && is_zz(after->targets[0].expr);
}

static bool has_a_row(const Block *before, const Block *after, int k) {
    (void)before;
    (void)k;
    return after->nrows == 1;
}

static bool conflicts_on_zz(const Block *before, const Block *after, int k) {
    (void)before;
    (void)k;
    return after->nconflict_target == 1 && is_zz(after->conflict_target[0]);
}

/* ---- the places of a block ---- */

static void probe_offset(Probe *p, const char *what, uint32_t offset, const char *text, Holds *holds) {
    if (offset == 0)
        return;
    try_splice(p, what, at(offset), false, "/**/", "", NULL, 0);
    if (holds)
        try_splice(p, what, at(offset), false, text, "", holds, 0);
}

static void probe_span(Probe *p, const char *what, Span span, const char *before, const char *behind,
                       Holds *holds) {
    if (span.end == 0)
        return;
    try_splice(p, what, span, false, "/**/", "/**/", NULL, 0);
    if (holds)
        try_splice(p, what, span, false, before, behind, holds, 0);
}

/* The first of several columns that are assigned at once has a source that is no expression of its own. */
static void probe_targets(Probe *p, const Target *targets, int n, Holds *holds) {
    for (int i = 0; i < n; i++) {
        bool several = targets[i].expr->kind == EXPR_OTHER && targets[i].expr->location == 0 &&
                       targets[i].expr->nargs <= 1;

        probe_span(p, "target", targets[i].span, NULL, NULL, NULL);
        if (targets[i].expr_span.end == 0)
            continue;
        try_splice(p, "expression", targets[i].expr_span, false, "/**/", "/**/", NULL, 0);
        if (!several)
            try_splice(p, "expression", targets[i].expr_span, true, " zz ", "", holds, i);
    }
}

static void probe_joins(Probe *p, const Block *b) {
    const FromItem *join;

    for (int k = 0; (join = nth_join(b, k)); k++) {
        assert_true((join->quals != NULL) == (join->quals_span.end > 0));
        if (join->quals)
            try_splice(p, "ON", join->quals_span, false, "(", ") AND zz", on_has_zz, k);
    }
}

static void probe_rows(Probe *p, const Block *b) {
    int cell = 0;

    for (int i = 0; i < b->nrows; i++) {
        const Row *row = &b->rows[i];

        assert_true(row->span.end > 0);
        try_splice(p, "row", at(row->span.end - 1), false, ", zz", "", one_cell_more, i);
        for (int k = 0; k < row->ncells; k++)
            try_splice(p, "cell", row->cells[k].span, true, " zz ", "", cell_is_zz, cell++);
    }
}

static void probe_insert(Probe *p, const Block *b) {
    bool bare = !b->has_column_list && !b->default_values;

    assert_true(b->target_end > 0);
    probe_offset(p, "target end", b->target_end, " (zz)", bare ? one_column_more : NULL);
    if (b->has_column_list)
        probe_offset(p, "column list", b->column_list.end - 1, ", zz", one_column_more);
    if (b->default_values)
        try_splice(p, "DEFAULT VALUES", b->default_values_span, true, "VALUES (zz)", "", has_a_row, 0);
    if (b->nconflict_target > 0)
        try_splice(p, "conflict target", b->conflict_target_span, true, "(zz)", "", conflicts_on_zz, 0);
    probe_targets(p, b->conflict_set, b->nconflict_set, set_is_zz);
    probe_offset(p, "conflict set end", b->conflict_set_end, ", zz = 1", one_set_more);
    assert_true((b->nconflict_set > 0) == (b->conflict_set_end > 0));
}

/* A query may stand in parentheses anywhere, and another one in its place. */
static void probe_query(Probe *p, const Block *b) {
    if (b->kind != BLOCK_SELECT && b->kind != BLOCK_VALUES && b->kind != BLOCK_SETOP)
        return;
    try_splice(p, "span", b->span, false, " (", ") ", NULL, 0);
    try_splice(p, "span", b->span, true, " SELECT zz ", "", is_query_of_zz, 0);
}

static void probe_block(Probe *p, const Block *b) {
    bool action = b->parent && b->parent->kind == BLOCK_MERGE && b->span.end == 0;
    bool placed = !action && b->kind != BLOCK_INSERT && b->kind != BLOCK_MERGE && b->kind != BLOCK_VALUES &&
                  b->kind != BLOCK_SETOP && !b->is_table_command;

    assert_true(action || b->span.end > 0);
    assert_true(b->verb > 0 || b->span.start == 0);
    probe_span(p, "span", b->span, NULL, NULL, NULL);
    probe_query(p, b);
    probe_offset(p, "verb", b->verb, NULL, NULL);
    assert_true((b->nctes > 0) == (b->with_end > 0));
    probe_offset(p, "WITH", b->with_end, ", zz AS (SELECT 1)", one_cte_more);
    assert_true(!placed || b->where || b->where_place > 0);
    probe_offset(p, "WHERE's place", b->where_place, " WHERE zz", where_is_zz);
    assert_true(!b->where || b->where->kind == EXPR_CURRENT_OF || b->where_span.end > 0);
    probe_span(p, "WHERE", b->where_span, "(", ") AND zz", where_has_zz);
    probe_joins(p, b);
    probe_span(p, "ON", b->merge_on_span, "(", ") AND zz", merge_on_has_zz);
    assert_true((b->kind == BLOCK_MERGE) == (b->merge_on_span.end > 0));
    if (b->ntargets > 0 && !b->is_table_command) {
        assert_true(b->targets_end > 0);
        probe_offset(p, "targets", b->targets_end, b->kind == BLOCK_UPDATE ? ", zz = 1" : ", zz",
                     one_target_more);
    }
    probe_targets(p, b->targets, b->ntargets, target_is_zz);
    assert_true((b->ngroup_by > 0) == (b->group_by_end > 0));
    probe_offset(p, "GROUP BY", b->group_by_end, ", zz", one_group_more);
    assert_true((b->nreturning > 0) == (b->returning_end > 0));
    probe_offset(p, "RETURNING", b->returning_end, ", zz", one_returned_more);
    probe_targets(p, b->returning, b->nreturning, returned_is_zz);
    probe_rows(p, b);
    if (b->kind == BLOCK_INSERT)
        probe_insert(p, b);
}

static void count(const Block *block, void *arg) {
    (void)block;
    ++*(int *)arg;
}

/* Returns how many texts were tried; 0 if the parser rejects this one. */
static int probe(Str text) {
    Arena *arena = arena_new();
    Probe p = {.text = text};
    Error err;

    p.facts = facts_parse(arena, text, (FactsLimits){0}, &err);
    if (p.facts && p.facts->nstatements == 1) {
        facts_walk_blocks(&p.facts->statements[0], count, &p.nblocks);
        for (; p.index < p.nblocks; p.index++)
            probe_block(&p, nth_block(p.facts, p.index));
    }
    arena_free(arena);
    return p.nspliced;
}

/* ---- tests ---- */

static void check_case(const char *sql, Str expected, int *nfailed) {
    Arena *arena = arena_new();
    SpanDump dump = {&(Buf){0}, str_of(sql)};
    Error err;
    const Facts *facts = facts_parse(arena, dump.text, (FactsLimits){0}, &err);

    if (facts)
        dump_spans(&dump, facts);
    else
        buf_printf(dump.out, "%s\n", err.message);
    if (!str_eq(buf_str(dump.out), expected)) {
        ++*nfailed;
        print_message("%s\n--- expected\n%.*s--- got\n%.*s\n", sql, STR_ARG(expected),
                      STR_ARG(buf_str(dump.out)));
    }
    buf_free(dump.out);
    arena_free(arena);
}

/* A case: a line of SQL with "> " before it, then the dump up to an empty line. Lines with "#" are comments.
 */
static void cases(void **state) {
    char line[4096], sql[4096] = "";
    FILE *file = fopen(CASES, "r");
    Buf expected = {0};
    int ncases = 0, nfailed = 0;
    bool more;

    (void)state;
    assert_non_null(file);
    do {
        more = fgets(line, sizeof(line), file) != NULL;
        if (more && strncmp(line, "> ", 2) == 0) {
            snprintf(sql, sizeof(sql), "%.*s", (int)strlen(line) - 3, line + 2);
        } else if (more && line[0] != '\n' && line[0] != '#') {
            buf_append_cstr(&expected, line);
        } else if (sql[0]) {
            check_case(sql, buf_str(&expected), &nfailed);
            probe(str_of(sql));
            ncases++;
            sql[0] = '\0';
            buf_free(&expected);
        }
    } while (more);
    fclose(file);
    assert_int_equal(nfailed, 0);
    assert_true(ncases > 40);
}

static void random_statements(void **state) {
    int nspliced = 0, nparsed = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        Buf text = {0};
        int tried;
        RandomSql random = {&text, seed * 0x9E3779B97F4A7C15u, 0};

        random_statement(&random);
        buf_put_u8(&text, 0);
        text.end--;
        /* Trying a long one takes long. */
        tried = buf_len(&text) < MAX_BYTES ? probe(buf_str(&text)) : 0;
        nspliced += tried;
        nparsed += tried > 0;
        buf_free(&text);
    }
    assert_true(nparsed > 300 && nspliced > 8000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(random_statements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
