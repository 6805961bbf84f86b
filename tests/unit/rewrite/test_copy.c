/* COPY … FROM STDIN: the text that is sent, the plan for its rows, or why it is left alone or refused. */
#include "tests/unit/rewrite/cases.c.inc"

static const char *flag(bool set, const char *text) { return set ? text : ""; }

static const char *describe(const CopyPlan *plan, Arena *arena) {
    static const char *const formats[] = {"text", "csv", "binary"};
    const char *text = arena_printf(arena, "%s %d%s", formats[plan->row.format], plan->nfields,
                                    flag(plan->may_have_it, "+"));
    const ForeignKey *fk = plan->table->path.steps[0];

    for (int k = 0; plan->keys && k < fk->ncolumns; k++) {
        const CopyKey *key = &plan->keys[k];

        if (key->position >= 0)
            text = arena_printf(arena, "%s %s@%d", text, fk->child_columns[k]->name, key->position);
        else
            text =
                arena_printf(arena, "%s %s='%.*s'", text, fk->child_columns[k]->name, STR_ARG(key->constant));
        text = arena_printf(arena, "%s%s%s", text, flag(key->null_too, " null_too"),
                            flag(key->not_null, " not_null"));
    }
    return arena_printf(arena, "%s%s%s%s%s%s%s", text, flag(!plan->keys, " keyless"),
                        flag(plan->header_match, " match"), flag(plan->filtered, " filtered"),
                        flag(plan->refuse_unknown, " refuse"), flag(plan->encoding != NULL, " encoding="),
                        plan->encoding ? plan->encoding : "");
}

static const char *expected(const Case *c, char mark) {
    for (int i = 0; i < c->nexpected; i++) {
        if (c->expected[i][0] == mark)
            return c->expected[i] + 2;
    }
    return NULL;
}

/* "=": the text that is sent; "%": the plan; "!": a part of the note; "x": SQLSTATE and message of the
 * refusal; ".": nothing of all this. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const StatementDecision *d = &decision->statements[decision->nstatements - 1];
    const char *sent = case_rewritten(c, decision, arena), *text = expected(c, '='), *plan = expected(c, '%');
    const char *note = expected(c, '!'), *refusal = expected(c, 'x');

    if (strcmp(sent, text ? text : c->text) != 0)
        case_fail(c, "is not sent as expected", text ? text : c->text, sent);
    if (!d->copy != !plan || (plan && strcmp(describe(d->copy, arena), plan) != 0))
        case_fail(c, "has another plan", plan ? plan : "none", d->copy ? describe(d->copy, arena) : NULL);
    if (!d->refusal != !refusal || (refusal && (strncmp(refusal, d->refusal->sqlstate, 5) != 0 ||
                                                strcmp(refusal + 6, d->refusal->message) != 0)))
        case_fail(c, "has another refusal", refusal ? refusal : "none",
                  d->refusal ? d->refusal->message : NULL);
    if (!refusal && (!d->rewrite_note != !note || (note && !strstr(d->rewrite_note, note))))
        case_fail(c, "has another note", note ? note : "none", d->rewrite_note);
    assert_int_equal(d->rewritten, text != NULL);
    if (text)
        assert_true(decision->literals_matter);
}

static void test_cases(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/copy.cases", check) > 0);
}

/* Between the column's coming and the first writing stage, a COPY without a list is given one. */
static void test_column_added(void **state) {
    static const char *const texts[] = {"COPY line_items FROM STDIN",
                                        "COPY line_items (order_id) FROM STDIN"};
    const SessionContext context = {.search_path = "public", .search_path_known = true};
    Snapshot *snapshot = cases_snapshot();
    Arena *arena = arena_new();
    Error err;

    (void)state;
    set_stage(snapshot, "line_items", STAGE_OBSERVE);
    for (int i = 0; i < snapshot->ntables; i++)
        snapshot->tables[i].staged = snapshot->tables[i].staged_backfill = true;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const Facts *facts = facts_parse(arena, str_of(texts[i]), (FactsLimits){0}, &err);
        const Decision *decision = decide(arena, str_of(texts[i]), facts, snapshot, &context);

        assert_int_equal(decision->statements[0].copy != NULL, i == 0);
    }
    arena_free(arena);
    snapshot_unref(snapshot);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_column_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
