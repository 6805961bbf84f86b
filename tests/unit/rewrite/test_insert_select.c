/* INSERT … SELECT and WITH chains: the text that is sent, the slots that it needs, or why it is the client's
 * own. */
#include "tests/unit/rewrite/cases.c.inc"

/* "line_items order_id = $1", a key that may be read without the server's help in quotes as it is. */
static const char *describe_slot(const Case *c, const Slot *slot, Arena *arena) {
    const char *text = arena_printf(arena, "%s%s", slot->table->name, slot->nullable ? "" : " (known)");

    for (int k = 0; slot->keys && k < slot->table->path.steps[0]->ncolumns; k++) {
        const SlotKey *key = &slot->keys[k];
        const char *value = key->param ? arena_printf(arena, "$%d", key->param) : key->text.ptr;

        if (!value)
            value = arena_strndup(arena, c->text + key->copy.start, key->copy.end - key->copy.start);
        text = arena_printf(arena, "%s %s = %s%s", text, key->column->name, value,
                            key->literal ? " literal" : "");
    }
    return text;
}

static void check_slot(const Case *c, const Decision *decision, const char *line, Arena *arena) {
    const int number = line[0] - '0';
    const char *slot = NULL;

    if (number <= decision->nslots)
        slot = describe_slot(c, &decision->slots[number - 1], arena);
    if (!slot || strcmp(slot, line + 2) != 0)
        case_fail(c, "has another slot", line + 2, slot);
}

/* "=": the rewritten text, lines joined; "1", "2": its slots; "!": a part of the note, the text unchanged;
 * "x": refused, with a part of the detail; ".": unchanged, no note. "l": a literal's value took part. */
static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena);
    const char *note = NULL, *expected = NULL, *noted = NULL, *refused = NULL, *refusal = NULL;
    int nslots = 0;
    bool literals = false;

    for (int i = 0; i < decision->nstatements; i++) {
        const StatementDecision *statement = &decision->statements[i];

        note = note ? note : statement->rewrite_note;
        refusal = refusal || !statement->refusal ? refusal : statement->refusal->detail;
    }
    for (int i = 0; i < c->nexpected; i++) {
        const char *line = c->expected[i];

        if (line[0] == '=')
            expected =
                arena_printf(arena, "%s%s%s", expected ? expected : "", expected ? "\n" : "", line + 2);
        else if (line[0] >= '1' && line[0] <= '9')
            check_slot(c, decision, c->expected[i], arena);
        nslots += line[0] >= '1' && line[0] <= '9';
        noted = line[0] == '!' ? line + 2 : noted;
        refused = line[0] == 'x' ? line + 2 : refused;
        literals |= line[0] == 'l';
    }
    if (strcmp(sent, expected ? expected : c->text) != 0)
        case_fail(c, "is not sent as expected", expected ? expected : c->text, sent);
    if (refused ? !refusal || !strstr(refusal, refused) : refusal != NULL)
        case_fail(c, "has another refusal", refused ? refused : "none", refusal);
    if (noted ? !note || !strstr(note, noted) : note && !refused)
        case_fail(c, "has another note", noted ? noted : "none", note);
    assert_int_equal(decision->nslots, nslots);
    assert_int_equal(decision->literals_matter, literals);
    for (uint32_t i = 0; i <= strlen(sent) && decision->nslots == 0; i++)
        assert_true(edits_map_back(&decision->edits, str_of(c->text), i) <= strlen(c->text));
}

static void test_select(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/insert_select.cases", check) > 0);
}

static void test_chain(void **state) {
    (void)state;
    assert_true(cases_run("tests/unit/rewrite/chain.cases", check) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
