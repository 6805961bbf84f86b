/* INSERT … VALUES and ON CONFLICT: the text that is sent, the values that it needs, or why it is the client's
 * own.
 *
 * What is expected of a case, a line each:
 *   =  the rewritten text          !  a part of the note
 *   {  a slot: its number, "nullable", where its key stands
 *   x  a refusal: SQLSTATE and a part of the message
 *   ~  the decision holds for these very literals alone
 *   .  unchanged, and nothing to say */
#include "tests/unit/rewrite/cases.c.inc"

/* The expected lines that begin with `mark`, without it, joined; NULL if there are none. */
static const char *expected_of(const Case *c, char mark, Arena *arena) {
    const char *all = NULL;

    for (int i = 0; i < c->nexpected; i++) {
        if (c->expected[i][0] == mark)
            all = arena_printf(arena, "%s%s%s", all ? all : "", all ? "\n" : "", c->expected[i] + 2);
    }
    return all;
}

static void check_part(const Case *c, const char *what, const char *part, const char *whole) {
    if (!part != !whole || (part && !strstr(whole, part)))
        case_fail(c, what, part ? part : "none", whole);
}

/* "1} line_items nullable order_id=$1" */
static const char *slot_text(const Case *c, const Slot *slot, int number, Arena *arena) {
    const char *text =
        arena_printf(arena, "%d} %s%s", number, slot->table->name, slot->nullable ? " nullable" : "");

    for (int k = 0; slot->keys && k < slot->table->path.steps[0]->ncolumns; k++) {
        const SlotKey *key = &slot->keys[k];
        Str value = key->text;

        if (key->param > 0)
            value = str_of(arena_printf(arena, "$%d", key->param));
        else if (key->copy.end > 0)
            value = (Str){c->text + key->copy.start, key->copy.end - key->copy.start};
        text = arena_printf(arena, "%s %s=%.*s%s", text, key->column->name, (int)value.len, value.ptr,
                            key->literal ? " literal" : "");
    }
    return text;
}

static void check_slots(const Case *c, const Decision *decision, Arena *arena) {
    int n = 0;

    for (int i = 0; i < c->nexpected; i++) {
        const char *actual = NULL;

        if (c->expected[i][0] != '{')
            continue;
        if (n < decision->nslots)
            actual = slot_text(c, &decision->slots[n], n + 1, arena);
        n++;
        if (!actual || strcmp(actual, c->expected[i] + 1) != 0)
            case_fail(c, "has another slot", c->expected[i] + 1, actual);
    }
    if (n != decision->nslots)
        case_fail(c, "has more slots", "none", slot_text(c, &decision->slots[n], n + 1, arena));
}

static void check(const Case *c, const Decision *decision, Arena *arena) {
    const char *sent = case_rewritten(c, decision, arena), *text = expected_of(c, '=', arena);
    const char *note = NULL, *refusal = NULL;

    for (int i = 0; i < decision->nstatements; i++) {
        const StatementDecision *d = &decision->statements[i];

        note = note ? note : d->rewrite_note;
        if (d->refusal && !refusal)
            refusal = arena_printf(arena, "%s %s", d->refusal->sqlstate, d->refusal->message);
    }
    check_part(c, "is not refused as expected", expected_of(c, 'x', arena), refusal);
    check_part(c, "has another note", expected_of(c, '!', arena), note);
    if (!refusal && strcmp(sent, text ? text : c->text) != 0)
        case_fail(c, "is not sent as expected", text ? text : c->text, sent);
    if (!refusal)
        check_slots(c, decision, arena);
    assert_int_equal(decision->literals_matter, expected_of(c, '~', arena) != NULL);
    for (int i = 0; i < decision->nslots; i++)
        assert_true(decision->slots[i].statement < decision->nstatements);
}

/* A position in what is sent, its slots filled, is one in what the client sent. */
static void check_positions(const Case *c, const Decision *decision, Arena *arena) {
    Str *slots = ARENA_ARRAY(arena, Str, decision->nslots + 1);
    size_t n = strlen(case_rewritten(c, decision, arena)) + 32;
    EditList filled;

    for (int i = 0; i < decision->nslots; i++)
        slots[i] = str_of("CAST($70 AS pg_catalog.int8)");
    filled = edits_fill(&decision->edits, arena, slots);
    for (uint32_t i = 0; i <= n; i++)
        assert_true(edits_map_back(&filled, str_of(c->text), i) <= strlen(c->text));
}

static const char *files[] = {CASES_DIR "insert_values.cases",      CASES_DIR "insert_left.cases",
                              CASES_DIR "insert_names.cases",       CASES_DIR "insert_slots.cases",
                              CASES_DIR "insert_select_form.cases", CASES_DIR "insert_defaults.cases",
                              CASES_DIR "conflict.cases",           CASES_DIR "insert_session.cases"};

static void test_file(void **state) {
    const char **file = *state;

    assert_true(cases_run(*file, check) > 0);
    assert_true(cases_run(*file, check_positions) > 0);
}

int main(void) {
    struct CMUnitTest tests[ARRAY_LEN(files)];

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        tests[i] = (struct CMUnitTest){files[i], test_file, NULL, NULL, &files[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
