/* Startup packets: the four kinds, the refusals, parameters and options, encoding. */
#include "wire/startup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/wire/exact.h"

#define BYTES(literal) (literal), sizeof(literal) - 1

#define LENGTH "invalid length of startup packet"
#define LAYOUT "invalid startup packet layout: expected terminator as last byte"

typedef struct Case {
    const char *bytes; /* whole; the length word is made from len where it is zero */
    size_t len;
    StartupKind kind;
    const char *message; /* NULL: accepted */
} Case;

static const Case cases[] = {
    {BYTES("\0\0\0\0\0\3\0\0\0"), STARTUP_SESSION, NULL},
    {BYTES("\0\0\0\0\0\3\0\0user\0bob\0\0"), STARTUP_SESSION, NULL},
    {BYTES("\0\0\0\0\0\3\0\2user\0bob\0_pq_.x\0\0\0"), STARTUP_SESSION, NULL},
    {BYTES("\0\0\0\0\0\3\x27\x0fuser\0bob\0\0"), STARTUP_SESSION, NULL},
    {BYTES("\0\0\0\0\4\322\26\57"), STARTUP_SSL, NULL},
    {BYTES("\0\0\0\0\4\322\26\60"), STARTUP_GSSENC, NULL},
    {BYTES("\0\0\0\0\4\322\26\56\0\0\0\1key4"), STARTUP_CANCEL, NULL},
    {BYTES("\0\0\0\0\0\3\0\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user\0bob"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user\0bob\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user\0bob\0\0\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0user\0bob\0database\0\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\0\3\0\0\0user\0bob\0\0"), STARTUP_SESSION, LAYOUT},
    {BYTES("\0\0\0\0\4\322\26\57x"), STARTUP_SSL, LENGTH},
    {BYTES("\0\0\0\0\4\322\26\60x"), STARTUP_GSSENC, LENGTH},
    {BYTES("\0\0\0\0\4\322\26\56"), STARTUP_CANCEL, "invalid length of cancel request packet"},
    {BYTES("\0\0\0\0\4\322\26\56\0\0\0"), STARTUP_CANCEL, "invalid length of cancel request packet"},
    {BYTES("\0\0\0\0\4\322\26\56\0\0\0\1"), STARTUP_CANCEL,
     "invalid length of cancel key in cancel request packet"},
    {BYTES("\0\0\0\0\4\322\26\56\0\0\0\1key"), STARTUP_CANCEL,
     "invalid length of cancel key in cancel request packet"},
    {BYTES("\0\0\0\0\0\2\0\0\0"), STARTUP_SESSION,
     "unsupported frontend protocol 2.0: server supports 3.0 to 3.2"},
    {BYTES("\0\0\0\0\0\4\0\1\0"), STARTUP_SESSION,
     "unsupported frontend protocol 4.1: server supports 3.0 to 3.2"},
    {BYTES("\0\0\0\0\4\322\26\61"), STARTUP_SESSION,
     "unsupported frontend protocol 1234.5681: server supports 3.0 to 3.2"},
    {BYTES("\0\0\0\1"), STARTUP_SESSION, LENGTH},
    {BYTES("\0\0\0\3"), STARTUP_SESSION, LENGTH},
    {BYTES("\0\0\0\7\0\3\0"), STARTUP_SESSION, LENGTH},
    {BYTES("\0\0\x27\x15"), STARTUP_SESSION, LENGTH},
    {BYTES("\377\377\377\377"), STARTUP_SESSION, LENGTH},
    {BYTES("\200\0\0\11"), STARTUP_SESSION, LENGTH},
    {BYTES("GET / HTTP/1.1"), STARTUP_SESSION, LENGTH},
};

/* The packet of a case, with its length filled in. */
static Str packet_of(const Case *c) {
    Str packet = exact_copy(c->bytes, c->len);

    if (memcmp(packet.ptr, "\0\0\0\0", 4) == 0)
        ((char *)packet.ptr)[3] = (char)c->len;
    return packet;
}

static const char *sqlstate_of(const char *message) {
    if (!message)
        return "";
    return strncmp(message, "unsupported", 11) == 0 ? SQLSTATE_FEATURE_NOT_SUPPORTED
                                                    : SQLSTATE_PROTOCOL_VIOLATION;
}

static void test_decode(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const Case *c = &cases[i];
        const char *expected = c->message ? c->message : "";
        Str packet = packet_of(c);
        Error err = {{0}, {0}, {0}, {0}};
        Startup startup;
        WireStatus status = startup_decode((const uint8_t *)packet.ptr, c->len, &startup, &err);

        if (status != (c->message ? WIRE_ERROR : WIRE_OK) || strcmp(err.message, expected) != 0)
            fail_msg("case %zu: status %d, \"%s\" in place of \"%s\"", i, status, err.message, expected);
        assert_string_equal(err.sqlstate, sqlstate_of(c->message));
        if (status == WIRE_OK) {
            assert_int_equal(startup.kind, c->kind);
            assert_int_equal(startup.size, c->len);
        }
        free((char *)packet.ptr);
    }
}

static void test_truncation(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Str packet = packet_of(&cases[i]);

        for (size_t len = 0; !cases[i].message && len < packet.len; len++) {
            Str front = exact_copy(packet.ptr, len);
            Startup startup;
            Error err;

            assert_int_equal(startup_decode((const uint8_t *)front.ptr, len, &startup, &err),
                             WIRE_INCOMPLETE);
            free((char *)front.ptr);
        }
        free((char *)packet.ptr);
    }
}

/* The longest packet, and one byte more. What lies behind a packet is not its own. */
static void test_longest(void **state) {
    uint8_t *data = mem_zalloc(20000);
    Startup startup;
    Error err;

    (void)state;
    memcpy(data, "\0\0\x27\x14\0\3\0\0user", 12);
    memset(data + 13, 'x', 20000 - 13);
    data[10002] = data[10003] = 0;
    assert_int_equal(startup_decode(data, 20000, &startup, &err), WIRE_OK);
    assert_int_equal(startup.size, 10004);
    assert_int_equal(startup_param(&startup, "user").len, 10002 - 13);
    data[3]++;
    assert_int_equal(startup_decode(data, 20000, &startup, &err), WIRE_ERROR);
    assert_string_equal(err.message, LENGTH);
    free(data);
}

static Startup decoded(const Buf *packet) {
    Startup startup;
    Error err;

    assert_int_equal(startup_decode(buf_ptr(packet), buf_len(packet), &startup, &err), WIRE_OK);
    assert_int_equal(startup.size, buf_len(packet));
    return startup;
}

static void test_cancel(void **state) {
    char key[STARTUP_CANCEL_KEY_MAX + 1];
    Startup startup;
    Buf out = {0};
    Error err;

    (void)state;
    memset(key, 0, sizeof(key));
    for (size_t len = 4; len <= STARTUP_CANCEL_KEY_MAX; len++) {
        key[len - 1] = (char)len;
        startup_encode_cancel(&out, 0xfedcba98, (Str){key, len});
        startup = decoded(&out);
        assert_int_equal(startup.kind, STARTUP_CANCEL);
        assert_int_equal(startup.cancel_pid, 0xfedcba98);
        assert_true(str_eq(startup.cancel_key, (Str){key, len}));
        buf_clear(&out);
    }
    startup_encode_cancel(&out, 1, (Str){key, sizeof(key)});
    assert_int_equal(startup_decode(buf_ptr(&out), buf_len(&out), &startup, &err), WIRE_ERROR);
    buf_clear(&out);
    startup_encode_ssl_request(&out);
    assert_int_equal(decoded(&out).kind, STARTUP_SSL);
    buf_free(&out);
}

static void test_params(void **state) {
    Startup startup = {.kind = STARTUP_SESSION, .major = 3, .params = {BYTES("user\0bob\0a\0\0user\0ann\0")}};
    static const char *const expected[] = {"user", "bob", "a", "", "user", "ann"};
    size_t cursor = 0, n = 0;
    Str name, value;

    (void)state;
    for (; startup_next_param(&startup, &cursor, &name, &value); n += 2) {
        assert_true(n < ARRAY_LEN(expected));
        assert_true(str_is(name, expected[n]));
        assert_true(str_is(value, expected[n + 1]));
    }
    assert_int_equal(n, ARRAY_LEN(expected));
    assert_true(str_is(startup_param(&startup, "user"), "ann"));
    assert_int_equal(startup_param(&startup, "a").len, 0);
    assert_non_null(startup_param(&startup, "a").ptr);
    assert_null(startup_param(&startup, "bob").ptr);
    assert_null(startup_param(&startup, "use").ptr);
}

static void test_encode(void **state) {
    static const char *const overrides[] = {"database", "app", "options", NULL, "a", "", NULL};
    Startup startup = {.kind = STARTUP_SESSION, .major = 3, .minor = 2};
    Buf out = {0};

    (void)state;
    startup.params = (Str){BYTES("user\0bob\0options\0-c x=y\0_pq_.z\0\0database\0old\0")};
    startup_encode(&out, &startup, overrides);
    startup = decoded(&out);
    assert_int_equal(startup.minor, 2);
    assert_true(str_eq(startup.params, (Str){BYTES("user\0bob\0_pq_.z\0\0database\0app\0a\0\0")}));
    buf_free(&out);
}

static void test_encode_unchanged(void **state) {
    Startup startup = {.kind = STARTUP_SESSION, .major = 3, .minor = 9999};
    Buf out = {0};

    (void)state;
    startup_encode(&out, &startup, NULL);
    assert_int_equal(decoded(&out).params.len, 0);
    buf_clear(&out);
    startup.params = (Str){BYTES("user\0bob\0user\0ann\0")};
    startup_encode(&out, &startup, NULL);
    startup = decoded(&out);
    assert_int_equal(startup.minor, 9999);
    assert_true(str_eq(startup.params, (Str){BYTES("user\0bob\0user\0ann\0")}));
    buf_free(&out);
}

static const struct {
    const char *options;
    const char *settings; /* "name=value;" each */
    bool to_the_end;
} option_cases[] = {
    {"", "", true},
    {"  \t", "", true},
    {"-c a=b", "a=b;", true},
    {"-ca=b", "a=b;", true},
    {"--a=b", "a=b;", true},
    {"  -c   a=b  --c-d=e ", "a=b;c_d=e;", true},
    {"-c a-b=c-d", "a_b=c-d;", true},
    {"-c search_path=a\\ b,c\\\\d", "search_path=a b,c\\d;", true},
    {"-c a=", "a=;", true},
    {"-c a=b=c", "a=b=c;", true},
    {"-c\\ a=b", " a=b;", true},
    {"-c shardferry.tenant=5 -c x=\\", "shardferry.tenant=5;x=;", true},
    {"-e -d 3 -S64 -c a=b", "a=b;", true},
    {"-eec a=b -ei", "a=b;", true},
    {"-d -c a=b", "", false}, /* the level is "-c" */
    {"-c a", "", false},
    {"-c", "", false},
    {"--a", "", false},
    {"-c a=b nonsense -c c=d", "a=b;", false},
    {"-c a=b - -c c=d", "a=b;", false},
    {"-c a=b -- -c c=d", "a=b;", false},
    {"-z -c a=b", "", false},
    {"-c a=b --", "a=b;", true},
    {"-- ", "", true},
    {"-e- a=b -F", "a=b;", true},
    {"-", "", false},
};

static void test_options(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(option_cases); i++) {
        size_t len = strlen(option_cases[i].options);
        Str options = exact_copy(option_cases[i].options, len);
        Buf scratch = {0}, found = {0};
        size_t cursor = 0;
        Str name, value;

        while (startup_next_option(options, &cursor, &scratch, &name, &value)) {
            assert_int_equal(name.ptr[name.len] | value.ptr[value.len], 0);
            buf_printf(&found, "%s=%s;", name.ptr, value.ptr);
        }
        buf_put_u8(&found, 0);
        assert_string_equal((const char *)buf_ptr(&found), option_cases[i].settings);
        assert_int_equal(cursor == len, option_cases[i].to_the_end);
        buf_free(&scratch);
        buf_free(&found);
        free((char *)options.ptr);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),           cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_longest),          cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_params),           cmocka_unit_test(test_encode),
        cmocka_unit_test(test_encode_unchanged), cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
