/* Bodies of PL/pgSQL functions: the cases of plpgsql_cases.txt; that what is found stands where it is said to
 * stand; that no beginning of a body, and no body with a byte changed, is read beyond its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "parser/plpgsql.h"

#define CASES "tests/unit/parser/plpgsql_cases.txt"

typedef struct Case {
    int line;
    char with[200];
    Buf body, expected;
} Case;

static const char *const kinds[] = {[PLPGSQL_STATEMENT] = "statement",
                                    [PLPGSQL_QUERY] = "query",
                                    [PLPGSQL_EXPRESSION] = "expression",
                                    [PLPGSQL_CONSTANT] = "constant",
                                    [PLPGSQL_DYNAMIC] = "dynamic"};

/* "with a b": the function's parameters. */
static const FactsVariable *parameters(Arena *arena, const char *with) {
    const FactsVariable *result = NULL;
    char *words = arena_strdup(arena, with), *rest = NULL;
    int number = 0;

    for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        FactsVariable *variable = ARENA_NEW(arena, FactsVariable);

        *variable = (FactsVariable){
            .outer = result, .name = arena_strdup(arena, word), .label = "f", .number = ++number};
        result = variable;
    }
    return result;
}

/* ---- what is said of a body, as the cases have it ---- */

static void put_text(Buf *out, Str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            buf_append_cstr(out, "¶");
        else
            buf_append(out, text.ptr + i, 1);
    }
    while (buf_len(out) > 0 && out->data[out->end - 1] == ' ')
        out->end--;
}

static void put_variables(Buf *out, const PlpgsqlPart *part) {
    buf_append_cstr(out, "~");
    for (const FactsVariable *v = part->variables; v; v = v->outer) {
        if (strcmp(v->name, "found") != 0)
            buf_printf(out, " %s%s%s", v->label ? v->label : "", v->label ? "." : "", v->name);
    }
    buf_append_cstr(out, "\n");
}

/* Lines about variables only where the case has one. */
static void put_body(Buf *out, const PlpgsqlBody *body, const Case *c) {
    static const char *const conflicts[] = {"error", "use_variable", "use_column"};
    const char *expected = (const char *)buf_ptr(&c->expected);

    for (int i = 0; i < body->nparts; i++) {
        const PlpgsqlPart *part = &body->parts[i];

        buf_printf(out, "= %s %d ", kinds[part->kind], (int)part->line);
        put_text(out, part->text);
        buf_append_cstr(out, "\n");
        if (buf_len(&c->expected) > buf_len(out) && expected[buf_len(out)] == '~')
            put_variables(out, part);
    }
    if (body->has_conflict)
        buf_printf(out, "conflict %s\n", conflicts[body->conflict]);
}

static void check(const Case *c) {
    Arena *arena = arena_new();
    Buf actual = {0};
    Error err = {0};
    const PlpgsqlBody *body = plpgsql_parse(arena, (Str){(const char *)buf_ptr(&c->body), buf_len(&c->body)},
                                            parameters(arena, c->with), &err);
    Str expected = {(const char *)buf_ptr(&c->expected), buf_len(&c->expected)};

    if (body) {
        put_body(&actual, body, c);
    } else {
        assert_string_equal(err.sqlstate, "42601");
        assert_memory_equal(err.message, "PL/pgSQL: ", 10);
        buf_printf(&actual, "! %s\n", err.message + 10);
    }
    if (!str_eq(expected, (Str){(const char *)buf_ptr(&actual), buf_len(&actual)}))
        fail_msg("%s:%d:\nexpected\n%.*s\ngot\n%.*s", CASES, c->line, STR_ARG(expected),
                 (int)buf_len(&actual), (const char *)buf_ptr(&actual));
    buf_free(&actual);
    arena_free(arena);
}

/* ---- the file ---- */

static void clear(Case *c) {
    buf_clear(&c->body);
    buf_clear(&c->expected);
    c->with[0] = '\0';
}

/* One line; `run` is called at the end of each case. */
static void take(Case *c, const char *line, int number, void (*run)(const Case *c)) {
    size_t len = strcspn(line, "\n");

    if (len == 0) {
        if (buf_len(&c->expected) > 0)
            run(c);
        clear(c);
    } else if (strncmp(line, "with ", 5) == 0) {
        snprintf(c->with, sizeof(c->with), "%.*s", (int)len - 5, line + 5);
    } else if (line[0] == '>') {
        if (buf_len(&c->body) == 0)
            c->line = number;
        buf_append(&c->body, line + (len > 1 ? 2 : 1), len - (len > 1 ? 2 : 1));
        buf_append_cstr(&c->body, "\n");
    } else if (strncmp(line, "--", 2) != 0) {
        buf_append(&c->expected, line, len);
        buf_append_cstr(&c->expected, "\n");
    }
}

static int each_case(void (*run)(const Case *c)) {
    FILE *file = fopen(CASES, "r");
    Case c = {0};
    char *line = NULL;
    size_t size = 0;
    int number = 0, ncases = 0;

    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        ncases += line[0] == '>';
        take(&c, line, ++number, run);
    }
    take(&c, "\n", ++number, run);
    buf_free(&c.body);
    buf_free(&c.expected);
    free(line);
    fclose(file);
    return ncases;
}

static void test_cases(void **state) {
    (void)state;
    assert_true(each_case(check) > 50);
}

/* ---- places ---- */

static void check_places(const Case *c) {
    Arena *arena = arena_new();
    Error err;
    const char *text = (const char *)buf_ptr(&c->body);
    const PlpgsqlBody *body = plpgsql_parse(arena, (Str){text, buf_len(&c->body)}, NULL, &err);

    for (int i = 0; body && i < body->nparts; i++) {
        const PlpgsqlPart *part = &body->parts[i];

        for (uint32_t k = part->prefix; k < part->text.len && part->exact; k++) {
            if (k < part->into.start || k >= part->into.end)
                assert_int_equal(part->text.ptr[k], text[part->start + k - part->prefix]);
        }
        assert_int_equal(part->text.ptr[part->text.len], '\0');
    }
    arena_free(arena);
}

static void test_places(void **state) {
    (void)state;
    each_case(check_places);
}

/* ---- damage ---- */

/* In memory of its own, so that a read beyond the end is seen. */
static void parse_copy(const char *text, size_t len) {
    Arena *arena = arena_new();
    char *copy = malloc(len + 1);
    Error err;

    memcpy(copy, text, len);
    const PlpgsqlBody *body = plpgsql_parse(arena, (Str){copy, len}, NULL, &err);
    assert_true(body != NULL || err.message[0] != '\0');
    free(copy);
    arena_free(arena);
}

static void check_damaged(const Case *c) {
    static const char bytes[] = "';\"$()/-[\n";
    Str body = {(const char *)buf_ptr(&c->body), buf_len(&c->body)};
    char *text = malloc(body.len + 1);

    for (size_t i = 0; i < body.len; i++) {
        memcpy(text, body.ptr, body.len);
        parse_copy(text, i);
        text[i] = bytes[i % (sizeof(bytes) - 1)];
        parse_copy(text, body.len);
    }
    free(text);
}

static void test_damaged(void **state) {
    (void)state;
    each_case(check_damaged);
}

static void test_depth(void **state) {
    Arena *arena = arena_new();
    Buf body = {0};
    Error err = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_append_cstr(&body, "BEGIN ");
    assert_null(plpgsql_parse(arena, (Str){(const char *)buf_ptr(&body), buf_len(&body)}, NULL, &err));
    assert_string_equal(err.sqlstate, SQLSTATE_PROGRAM_LIMIT_EXCEEDED);
    buf_free(&body);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_places),
                                       cmocka_unit_test(test_damaged), cmocka_unit_test(test_depth)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
