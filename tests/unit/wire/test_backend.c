/* A server's messages: reading them, and the bytes of the proxy's own answers. */
#include "wire/backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/wire/exact.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

typedef enum Kind { AUTHENTICATION, PARAMETER_STATUS, READY, COMMAND_TAG } Kind;

typedef struct Case {
    Kind kind;
    const char *bytes;
    size_t len;
    bool accepted;
} Case;

static const Case cases[] = {
    {AUTHENTICATION, BYTES("\0\0\0\0"), true},
    {AUTHENTICATION, BYTES("\0\0\0\5salt"), true},
    {AUTHENTICATION, BYTES("\0\0\0"), false},
    {AUTHENTICATION, BYTES(""), false},
    {PARAMETER_STATUS, BYTES("TimeZone\0UTC\0"), true},
    {PARAMETER_STATUS, BYTES("name\0\0"), true},
    {PARAMETER_STATUS, BYTES("name\0"), false},
    {PARAMETER_STATUS, BYTES("name"), false},
    {PARAMETER_STATUS, BYTES("name\0value"), false},
    {PARAMETER_STATUS, BYTES("name\0value\0x"), false},
    {READY, BYTES("I"), true},
    {READY, BYTES("T"), true},
    {READY, BYTES("E"), true},
    {READY, BYTES("X"), false},
    {READY, BYTES(""), false},
    {READY, BYTES("II"), false},
    {COMMAND_TAG, BYTES("INSERT 0 1\0"), true},
    {COMMAND_TAG, BYTES("\0"), true},
    {COMMAND_TAG, BYTES("INSERT 0 1"), false},
    {COMMAND_TAG, BYTES(""), false},
    {COMMAND_TAG, BYTES("INSERT\0\0"), false},
};

static bool decode(Kind kind, Str payload, Error *err) {
    uint32_t code;
    Str a, b;
    char status;

    switch (kind) {
    case AUTHENTICATION:
        return backend_authentication(payload, &code, err);
    case PARAMETER_STATUS:
        return backend_parameter_status(payload, &a, &b, err);
    case READY:
        return backend_ready(payload, &status, err);
    case COMMAND_TAG:
        return backend_command_tag(payload, &a, err);
    }
    return false;
}

static void test_decode(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Str payload = exact_copy(cases[i].bytes, cases[i].len);
        Error err = {{0}, {0}, {0}, {0}};

        if (decode(cases[i].kind, payload, &err) != cases[i].accepted)
            fail_msg("case %zu: %s", i, cases[i].accepted ? err.message : "accepted");
        assert_string_equal(err.sqlstate, cases[i].accepted ? "" : SQLSTATE_PROTOCOL_VIOLATION);
        free((char *)payload.ptr);
    }
}

static void test_values(void **state) {
    Str name, value;
    uint32_t code;
    char status;
    Error err;

    (void)state;
    assert_true(backend_authentication((Str){BYTES("\0\0\0\12SCRAM-SHA-256\0\0")}, &code, &err));
    assert_int_equal(code, AUTH_SASL);
    assert_true(backend_parameter_status((Str){BYTES("TimeZone\0Etc/UTC\0")}, &name, &value, &err));
    assert_true(str_is(name, "TimeZone"));
    assert_true(str_is(value, "Etc/UTC"));
    assert_true(backend_ready((Str){"T", 1}, &status, &err));
    assert_int_equal(status, 'T');
    assert_true(backend_command_tag((Str){BYTES("SELECT 5\0")}, &value, &err));
    assert_true(str_is(value, "SELECT 5"));
}

static void test_sasl_offers(void **state) {
    static const char both[] = "\0\0\0\12SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
    size_t plus_end = 4 + sizeof("SCRAM-SHA-256-PLUS");
    size_t plain_end = plus_end + sizeof("SCRAM-SHA-256");

    (void)state;
    for (size_t len = 0; len <= sizeof(both); len++) {
        Str front = exact_copy(both, len);

        assert_int_equal(backend_sasl_offers(front, "SCRAM-SHA-256-PLUS"), len >= plus_end);
        assert_int_equal(backend_sasl_offers(front, "SCRAM-SHA-256"), len >= plain_end);
        assert_false(backend_sasl_offers(front, "SCRAM-SHA"));
        assert_false(backend_sasl_offers(front, ""));
        free((char *)front.ptr);
    }
    assert_false(backend_sasl_offers((Str){BYTES("\0\0\0\5SCRAM-SHA-256\0\0")}, "SCRAM-SHA-256"));
    assert_false(backend_sasl_offers((Str){BYTES("\0\0\0\12\0SCRAM-SHA-256\0\0")}, "SCRAM-SHA-256"));
}

static const char report[] = "SERROR\0VERROR\0C42601\0Msyntax error\0P9\0p3\0\0";

static void test_error_field(void **state) {
    static const struct {
        char field;
        const char *value;
    } fields[] = {{'S', "ERROR"}, {'C', "42601"}, {'M', "syntax error"}, {'P', "9"}, {'p', "3"},
                  {'D', NULL},    {0, NULL}};
    Str whole = {report, sizeof(report) - 1};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        Str value = backend_error_field(whole, fields[i].field);

        if (fields[i].value)
            assert_true(str_is(value, fields[i].value));
        else
            assert_null(value.ptr);
    }
    for (size_t len = 0; len < whole.len; len++) {
        Str front = exact_copy(report, len);

        assert_int_equal(backend_error_field(front, 'p').ptr != NULL, len >= whole.len - 1);
        free((char *)front.ptr);
    }
    assert_null(backend_error_field((Str){BYTES("\0P9\0\0")}, 'P').ptr);
}

static void check_position(Str payload, uint32_t position, Str expected) {
    Buf out = {0};
    Frame frame = {0};
    Error err;

    backend_put_with_position(&out, BE_ERROR, payload, position);
    assert_int_equal(frame_decode_backend(buf_ptr(&out), buf_len(&out), &frame, &err), WIRE_OK);
    assert_int_equal(frame.type, BE_ERROR);
    assert_int_equal(frame.length, expected.len);
    assert_int_equal(buf_len(&out), FRAME_HEADER_BYTES + expected.len);
    assert_memory_equal(buf_ptr(&out) + FRAME_HEADER_BYTES, expected.ptr, expected.len);
    buf_free(&out);
}

static void test_position(void **state) {
    static const char without[] = "SERROR\0Mno P9 here\0\0";
    static const char cut[] = "SERROR\0P9";

    (void)state;
    check_position((Str){report, sizeof(report) - 1}, 4294967295u,
                   (Str){BYTES("SERROR\0VERROR\0C42601\0Msyntax error\0P4294967295\0p3\0\0")});
    check_position((Str){BYTES("P1234\0\0")}, 7, (Str){BYTES("P7\0\0")});
    check_position((Str){BYTES(without)}, 7, (Str){BYTES(without)});
    check_position((Str){BYTES(cut)}, 7, (Str){BYTES(cut)});
    check_position(STR_NONE, 7, (Str){"", 0});
}

/* What was encoded must be exactly these bytes. */
static void check_bytes(Buf *out, const char *bytes, size_t len) {
    assert_int_equal(buf_len(out), len);
    assert_memory_equal(buf_ptr(out), bytes, len);
    buf_free(out);
}

static void test_put_reports(void **state) {
    Buf out = {0};
    Error err;

    (void)state;
    error_set(&err, SQLSTATE_PROTOCOL_VIOLATION, "bad");
    backend_put_error(&out, "FATAL", &err);
    check_bytes(&out, BYTES("E\0\0\0\x1f"
                            "SFATAL\0VFATAL\0C08P01\0Mbad\0\0"));
    error_detail(&err, "d");
    error_hint(&err, "h");
    backend_put_error(&out, "NOTICE", &err);
    check_bytes(&out, BYTES("E\0\0\0\x27"
                            "SNOTICE\0VNOTICE\0C08P01\0Mbad\0Dd\0Hh\0\0"));
}

static void test_put_session(void **state) {
    Buf out = {0};

    (void)state;
    backend_put_auth_ok(&out);
    backend_put_parameter_status(&out, "a", "");
    backend_put_key_data(&out, 0x01020304, 0xfffefdfc);
    backend_put_ready(&out, 'I');
    check_bytes(&out, BYTES("R\0\0\0\10\0\0\0\0"
                            "S\0\0\0\7a\0\0"
                            "K\0\0\0\14\1\2\3\4\377\376\375\374"
                            "Z\0\0\0\5I"));
}

static void test_put_result(void **state) {
    static const char *const names[] = {"a", "b"};
    static const char *const values[] = {"x", NULL};
    static const char *const empty[] = {"", ""};
    Buf out = {0};

    (void)state;
    backend_put_row_description(&out, names, 2);
    backend_put_data_row(&out, values, 2);
    backend_put_data_row(&out, empty, 2);
    backend_put_command_complete(&out, "SHOW");
    backend_put_empty_query(&out);
    backend_put_empty(&out, BE_PARSE_COMPLETE);
    check_bytes(&out, BYTES("T\0\0\0\x2e\0\2"
                            "a\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                            "b\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0"
                            "D\0\0\0\17\0\2\0\0\0\1x\377\377\377\377"
                            "D\0\0\0\16\0\2\0\0\0\0\0\0\0\0"
                            "C\0\0\0\11SHOW\0"
                            "I\0\0\0\4"
                            "1\0\0\0\4"));
}

/* What the proxy encodes, it decodes. */
static void test_round_trip(void **state) {
    Str name, value, payload;
    Buf out = {0};
    Frame frame = {0};
    Error err;

    (void)state;
    backend_put_parameter_status(&out, "server_version", "15.20");
    assert_int_equal(frame_decode_backend(buf_ptr(&out), buf_len(&out), &frame, &err), WIRE_OK);
    payload = (Str){(char *)buf_ptr(&out) + FRAME_HEADER_BYTES, frame.length};
    assert_true(backend_parameter_status(payload, &name, &value, &err));
    assert_true(str_is(name, "server_version"));
    assert_true(str_is(value, "15.20"));
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),      cmocka_unit_test(test_values),
        cmocka_unit_test(test_sasl_offers), cmocka_unit_test(test_error_field),
        cmocka_unit_test(test_position),    cmocka_unit_test(test_put_reports),
        cmocka_unit_test(test_put_session), cmocka_unit_test(test_put_result),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
