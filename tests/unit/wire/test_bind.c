/* Bind: what is read of it, what is added to it, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/bind.h"

#define PAYLOAD(s) ((Str){(s), sizeof(s) - 1})

/* Two parameters: text "ab", NULL; results in binary. */
static const char text_params[] = "p\0s\0"
                                  "\0\0"
                                  "\0\2"
                                  "\0\0\0\2ab"
                                  "\377\377\377\377"
                                  "\0\1\0\1";
/* One code for both; the second is empty. */
static const char one_code[] = "\0\0"
                               "\0\1\0\1"
                               "\0\2"
                               "\0\0\0\4\0\0\0\7"
                               "\0\0\0\0"
                               "\0\0";
static const char two_codes[] = "\0\0"
                                "\0\2\0\0\0\1"
                                "\0\2"
                                "\0\0\0\1x"
                                "\0\0\0\1y"
                                "\0\0";

static void decode(Str payload, BindMessage *msg) {
    Error err = {{0}, {0}, {0}, {0}};

    if (!bind_decode(payload, msg, &err))
        fail_msg("%s", err.message);
}

static void test_reads(void **state) {
    Arena *arena = arena_new();
    const BindParam *params;
    BindMessage msg;

    (void)state;
    decode(PAYLOAD(text_params), &msg);
    params = bind_params(&msg, arena);
    assert_true(str_is(msg.portal, "p") && str_is(msg.statement, "s"));
    assert_int_equal(msg.nparams, 2);
    assert_true(str_is(params[0].bytes, "ab") && !params[0].binary);
    assert_null(params[1].bytes.ptr);
    decode(PAYLOAD(one_code), &msg);
    params = bind_params(&msg, arena);
    assert_true(params[0].binary && params[1].binary);
    assert_int_equal(params[0].bytes.len, 4);
    assert_non_null(params[1].bytes.ptr);
    assert_int_equal(params[1].bytes.len, 0);
    decode(PAYLOAD(two_codes), &msg);
    params = bind_params(&msg, arena);
    assert_true(!params[0].binary && params[1].binary);
    arena_free(arena);
}

/* Formats stay what they were; the added ones are text. */
static void test_adds(void **state) {
    static const struct {
        Str from, to;
    } cases[] = {
        {PAYLOAD(text_params), PAYLOAD("p\0s\0"
                                       "\0\0"
                                       "\0\4"
                                       "\0\0\0\2ab"
                                       "\377\377\377\377"
                                       "\0\0\0\1"
                                       "5"
                                       "\377\377\377\377"
                                       "\0\1\0\1")},
        {PAYLOAD(one_code), PAYLOAD("\0\0"
                                    "\0\4\0\1\0\1\0\0\0\0"
                                    "\0\4"
                                    "\0\0\0\4\0\0\0\7"
                                    "\0\0\0\0"
                                    "\0\0\0\1"
                                    "5"
                                    "\377\377\377\377"
                                    "\0\0")},
        {PAYLOAD(two_codes), PAYLOAD("\0\0"
                                     "\0\4\0\0\0\1\0\0\0\0"
                                     "\0\4"
                                     "\0\0\0\1x"
                                     "\0\0\0\1y"
                                     "\0\0\0\1"
                                     "5"
                                     "\377\377\377\377"
                                     "\0\0")},
    };
    const Str values[] = {STR_LIT("5"), STR_NONE};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Buf out = {0};
        BindMessage msg;

        decode(cases[i].from, &msg);
        bind_put_extended(&out, &msg, values, 2);
        assert_int_equal(buf_len(&out), cases[i].to.len + 5);
        assert_int_equal(buf_ptr(&out)[0], 'B');
        assert_int_equal(buf_ptr(&out)[4], cases[i].to.len + 4);
        assert_memory_equal(buf_ptr(&out) + 5, cases[i].to.ptr, cases[i].to.len);
        buf_free(&out);
    }
}

static void test_own_is_read_back(void **state) {
    const BindParam params[] = {{STR_LIT("7"), false}, {STR_NONE, false}, {STR_LIT("\0\1"), true}};
    Arena *arena = arena_new();
    const BindParam *read;
    Buf out = {0};
    BindMessage msg;

    (void)state;
    bind_put(&out, STR_LIT("portal"), STR_LIT("statement"), params, 3);
    decode((Str){(const char *)buf_ptr(&out) + 5, buf_len(&out) - 5}, &msg);
    read = bind_params(&msg, arena);
    assert_int_equal(msg.nparams, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read[i].binary, params[i].binary);
        assert_true(!read[i].bytes.ptr == !params[i].bytes.ptr && str_eq(read[i].bytes, params[i].bytes));
    }
    buf_free(&out);
    arena_free(arena);
}

/* Every front of a good message, and lengths that reach beyond it. */
static void test_refuses(void **state) {
    static const Str bad[] = {
        PAYLOAD("\0\0"
                "\0\2\0\0\0\0"
                "\0\1"
                "\0\0\0\1x"
                "\0\0"), /* two formats for one parameter */
        PAYLOAD("\0\0"
                "\0\0"
                "\0\1"
                "\177\377\377\377x"
                "\0\0"), /* longer than the message */
        PAYLOAD("\0\0"
                "\0\0"
                "\0\1"
                "\200\0\0\0x"
                "\0\0"), /* negative, but not NULL */
        PAYLOAD("\0\0"
                "\0\0"
                "\377\377"), /* parameters that are not there */
        PAYLOAD("\0\0"
                "\0\0"
                "\0\0"
                "\0\0"
                "x"), /* more behind the end */
    };
    Error err = {{0}, {0}, {0}, {0}};
    BindMessage msg;

    (void)state;
    for (size_t i = 0; i < sizeof text_params - 1; i++)
        assert_false(bind_decode((Str){text_params, i}, &msg, &err));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(bind_decode(bad[i], &msg, &err));
        assert_string_equal(err.sqlstate, SQLSTATE_PROTOCOL_VIOLATION);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_adds),
        cmocka_unit_test(test_own_is_read_back),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
