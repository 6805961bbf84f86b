/* A client's messages: what each decoder takes from a payload, what it says of a wrong one, round trips. */
#include "wire/frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/wire/exact.h"

#define NO_STRING "invalid string in message"
#define TOO_SHORT "insufficient data left in message"
#define NOT_AT_END "invalid message format"

/* A payload given as a literal, NULs and all. */
#define BYTES(literal) (literal), sizeof(literal) - 1

typedef enum Kind { QUERY, PARSE, NAMED, EXECUTE } Kind;

typedef struct Case {
    Kind kind;
    const char *bytes;
    size_t len;
    const char *message; /* NULL: accepted */
} Case;

static const Case cases[] = {
    {QUERY, BYTES("SELECT 1\0"), NULL},
    {QUERY, BYTES("\0"), NULL},
    {QUERY, BYTES(""), NO_STRING},
    {QUERY, BYTES("SELECT 1"), NO_STRING},
    {QUERY, BYTES("SELECT 1\0x"), NOT_AT_END},
    {QUERY, BYTES("SELECT 1\0\0"), NOT_AT_END},
    {PARSE, BYTES("\0\0\0\0"), NULL},
    {PARSE, BYTES("s\0SELECT $1\0\0\1\0\0\0\27"), NULL},
    {PARSE, BYTES("s"), NO_STRING},
    {PARSE, BYTES("s\0SELECT"), NO_STRING},
    {PARSE, BYTES("s\0\0\0"), TOO_SHORT},
    {PARSE, BYTES("s\0\0\0\1\0\0\0"), TOO_SHORT},
    {PARSE, BYTES("s\0\0\377\377\0\0\0\27"), TOO_SHORT},
    {PARSE, BYTES("s\0\0\0\1\0\0\0\27\0"), NOT_AT_END},
    {PARSE, BYTES("s\0\0\0\0\0"), NOT_AT_END},
    {NAMED, BYTES("S\0"), NULL},
    {NAMED, BYTES("Pportal\0"), NULL},
    {NAMED, BYTES(""), "no data left in message"},
    {NAMED, BYTES("S"), NO_STRING},
    {NAMED, BYTES("Sname"), NO_STRING},
    {NAMED, BYTES("Sname\0\0"), NOT_AT_END},
    {NAMED, BYTES("Xname\0"), "invalid DESCRIBE or CLOSE message subtype 88"},
    {NAMED, BYTES("\377\0"), "invalid DESCRIBE or CLOSE message subtype 255"},
    {EXECUTE, BYTES("\0\0\0\0\0"), NULL},
    {EXECUTE, BYTES("p\0\0\0\0\5"), NULL},
    {EXECUTE, BYTES(""), NO_STRING},
    {EXECUTE, BYTES("p"), NO_STRING},
    {EXECUTE, BYTES("p\0\0\0\0"), TOO_SHORT},
    {EXECUTE, BYTES("p\0\0\0\0\5\0"), NOT_AT_END},
};

static bool decode(Kind kind, Str payload, Error *err) {
    ParseMessage parse;
    NamedMessage named;
    ExecuteMessage execute;
    Str query;

    switch (kind) {
    case QUERY:
        return frontend_query(payload, &query, err);
    case PARSE:
        return frontend_parse(payload, &parse, err);
    case NAMED:
        return frontend_named(payload, &named, err);
    case EXECUTE:
        return frontend_execute(payload, &execute, err);
    }
    return false;
}

static void test_decode(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Case *c = &cases[i];
        Str payload = exact_copy(c->bytes, c->len);
        const char *expected = c->message ? c->message : "";
        Error err = {{0}, {0}, {0}, {0}};

        if (decode(c->kind, payload, &err) != !c->message || strcmp(err.message, expected) != 0)
            fail_msg("case %zu: \"%s\" in place of \"%s\"", i, err.message, expected);
        assert_string_equal(err.sqlstate, c->message ? SQLSTATE_PROTOCOL_VIOLATION : "");
        free((char *)payload.ptr);
    }
}

/* No accepted payload has an accepted front part. */
static void test_truncation(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Case *c = &cases[i];

        for (size_t len = 0; !c->message && len < c->len; len++) {
            Str payload = exact_copy(c->bytes, len);
            Error err;

            assert_false(decode(c->kind, payload, &err));
            free((char *)payload.ptr);
        }
    }
}

static void test_no_payload_at_all(void **state) {
    Error err;

    (void)state;
    for (Kind kind = QUERY; kind <= EXECUTE; kind++)
        assert_false(decode(kind, STR_NONE, &err));
}

static void test_bind_names(void **state) {
    static const char payload[] = "portal\0statement\0\0\1\0\1";
    size_t names = sizeof("portal\0statement");
    Str portal, statement;

    (void)state;
    for (size_t len = 0; len < sizeof(payload); len++) {
        Str front = exact_copy(payload, len);
        WireStatus status = frontend_bind_names(front, &portal, &statement);

        assert_int_equal(status, len < names ? WIRE_INCOMPLETE : WIRE_OK);
        if (status == WIRE_OK) {
            assert_true(str_is(portal, "portal"));
            assert_true(str_is(statement, "statement"));
        }
        free((char *)front.ptr);
    }
    assert_int_equal(frontend_bind_names((Str){"\0\0", 2}, &portal, &statement), WIRE_OK);
    assert_int_equal(portal.len + statement.len, 0);
}

/* Takes the next message off the front of what was encoded. */
static Str next_payload(Buf *encoded, char type) {
    Frame frame = {0};
    Error err;
    Str payload;

    assert_int_equal(frame_decode_frontend(buf_ptr(encoded), buf_len(encoded), &frame, &err), WIRE_OK);
    assert_int_equal(frame.type, type);
    assert_true(frame.length <= buf_len(encoded) - FRAME_HEADER_BYTES);
    payload = (Str){(char *)buf_ptr(encoded) + FRAME_HEADER_BYTES, frame.length};
    buf_consume(encoded, FRAME_HEADER_BYTES + frame.length);
    return payload;
}

static void test_round_trip_statements(void **state) {
    static const uint8_t oids[] = {0, 0, 0, 23, 0, 0, 0x0f, 0xff};
    ParseMessage parse;
    Buf out = {0};
    Error err;
    Str query;

    (void)state;
    frontend_put_query(&out, STR_LIT("SELECT 1"));
    frontend_put_parse(&out, STR_LIT("s1"), STR_LIT("SELECT $1, $2"), oids, 2);
    frontend_put_parse(&out, STR_NONE, STR_NONE, NULL, 0);
    assert_true(frontend_query(next_payload(&out, FE_QUERY), &query, &err));
    assert_string_equal(query.ptr, "SELECT 1");
    assert_true(frontend_parse(next_payload(&out, FE_PARSE), &parse, &err));
    assert_string_equal(parse.name.ptr, "s1");
    assert_string_equal(parse.query.ptr, "SELECT $1, $2");
    assert_int_equal(parse.nparams, 2);
    assert_memory_equal(parse.params, oids, sizeof(oids));
    assert_true(frontend_parse(next_payload(&out, FE_PARSE), &parse, &err));
    assert_int_equal(parse.name.len + parse.query.len + (size_t)parse.nparams, 0);
    assert_int_equal(buf_len(&out), 0);
    buf_free(&out);
}

static void test_most_parameters(void **state) {
    uint8_t *oids = mem_zalloc(65535 * 4);
    ParseMessage parse;
    Buf out = {0};
    Error err;

    (void)state;
    oids[65535 * 4 - 1] = 25;
    frontend_put_parse(&out, STR_NONE, STR_LIT("SELECT"), oids, 65535);
    assert_true(frontend_parse(next_payload(&out, FE_PARSE), &parse, &err));
    assert_int_equal(parse.nparams, 65535);
    assert_memory_equal(parse.params, oids, 65535 * 4);
    buf_free(&out);
    free(oids);
}

static void test_round_trip_others(void **state) {
    NamedMessage named;
    Buf out = {0};
    Error err;

    (void)state;
    frontend_put_describe(&out, 'S', STR_LIT("s1"));
    frontend_put_close(&out, 'P', STR_NONE);
    frontend_put_flush(&out);
    frontend_put_sync(&out);
    frontend_put_terminate(&out);
    assert_true(frontend_named(next_payload(&out, FE_DESCRIBE), &named, &err));
    assert_int_equal(named.kind, 'S');
    assert_true(str_is(named.name, "s1"));
    assert_true(frontend_named(next_payload(&out, FE_CLOSE), &named, &err));
    assert_int_equal(named.kind, 'P');
    assert_int_equal(named.name.len, 0);
    assert_int_equal(next_payload(&out, FE_FLUSH).len, 0);
    assert_int_equal(next_payload(&out, FE_SYNC).len, 0);
    assert_int_equal(next_payload(&out, FE_TERMINATE).len, 0);
    assert_int_equal(buf_len(&out), 0);
    buf_free(&out);
}

static void test_execute_fields(void **state) {
    ExecuteMessage execute;
    Error err;

    (void)state;
    assert_true(frontend_execute((Str){BYTES("c1\0\0\1\2\3")}, &execute, &err));
    assert_true(str_is(execute.portal, "c1"));
    assert_int_equal(execute.max_rows, 0x00010203);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_no_payload_at_all),
        cmocka_unit_test(test_bind_names),
        cmocka_unit_test(test_round_trip_statements),
        cmocka_unit_test(test_most_parameters),
        cmocka_unit_test(test_round_trip_others),
        cmocka_unit_test(test_execute_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
