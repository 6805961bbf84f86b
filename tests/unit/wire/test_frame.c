/* Framing: the bounds of every type, headers cut short, encoding. */
#include "wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include <cmocka.h>

typedef WireStatus Decoder(const uint8_t *data, size_t size, Frame *frame, Error *err);

typedef struct Bound {
    char type;
    uint32_t longest; /* length word */
} Bound;

static const Bound frontend_bounds[] = {
    {'B', 0x3ffffffe}, {'C', 10000},      {'D', 10000},      {'E', 10000}, {'F', 0x3ffffffe},
    {'H', 10000},      {'P', 0x3ffffffe}, {'Q', 0x3ffffffe}, {'S', 10000}, {'X', 10000},
    {'c', 10000},      {'d', 0x3ffffffe}, {'f', 10000},      {'p', 65535},
};

static const Bound backend_bounds[] = {
    {'1', 4},          {'2', 4},          {'3', 4},          {'A', 0x40000002}, {'C', 30004},
    {'D', 0x40000002}, {'E', 0x40000002}, {'G', 30004},      {'H', 30004},      {'I', 4},
    {'K', 264},        {'N', 0x40000002}, {'R', 65535},      {'S', 0x40000002}, {'T', 0x40000002},
    {'V', 0x40000002}, {'W', 30004},      {'Z', 5},          {'c', 4},          {'d', 0x40000002},
    {'n', 4},          {'s', 4},          {'t', 0x40000002}, {'v', 30004},
};

static void header(uint8_t *data, int type, uint32_t word) {
    data[0] = (uint8_t)type;
    word = htonl(word);
    memcpy(data + 1, &word, sizeof(word));
}

static uint32_t longest_of(const Bound *bounds, size_t n, int type) {
    for (size_t i = 0; i < n; i++)
        if ((uint8_t)bounds[i].type == type)
            return bounds[i].longest;
    return 0;
}

static void check_refused(Decoder *decode, int type, uint32_t word, const char *message) {
    uint8_t data[FRAME_HEADER_BYTES];
    Frame frame = {0};
    Error err;

    header(data, type, word);
    assert_int_equal(decode(data, sizeof(data), &frame, &err), WIRE_ERROR);
    assert_string_equal(err.sqlstate, SQLSTATE_PROTOCOL_VIOLATION);
    assert_string_equal(err.message, message);
}

static void check_accepted(Decoder *decode, int type, uint32_t word) {
    uint8_t data[FRAME_HEADER_BYTES];
    Frame frame = {0};
    Error err;

    header(data, type, word);
    for (size_t size = 0; size < sizeof(data); size++)
        assert_int_equal(decode(data, size, &frame, &err), WIRE_INCOMPLETE);
    assert_int_equal(decode(data, sizeof(data), &frame, &err), WIRE_OK);
    assert_int_equal((uint8_t)frame.type, type);
    assert_int_equal(frame.length, word - 4);
}

static void check_unknown(Decoder *decode, int type, const char *message) {
    uint8_t byte = (uint8_t)type;
    Frame frame = {0};
    Error err;

    assert_int_equal(decode(&byte, 1, &frame, &err), WIRE_ERROR);
    assert_string_equal(err.message, message);
    check_refused(decode, type, 4, message);
}

/* Every byte as a type, every length around each edge. */
static void check_all_types(Decoder *decode, const Bound *bounds, size_t n, const char *unknown,
                            const char *length) {
    static const uint32_t wrong[] = {0, 1, 3, UINT32_MAX, 0x80000000u, 0x7fffffffu};
    char message[80];

    for (int type = 0; type < 256; type++) {
        uint32_t longest = longest_of(bounds, n, type);

        if (longest == 0) {
            snprintf(message, sizeof(message), "%s %d", unknown, type);
            check_unknown(decode, type, message);
            continue;
        }
        if (strchr(length, ':'))
            snprintf(message, sizeof(message), "%.*s %d", (int)strcspn(length, ":"), length, type);
        else
            snprintf(message, sizeof(message), "%s", length);
        check_accepted(decode, type, 4);
        check_accepted(decode, type, longest);
        check_refused(decode, type, longest + 1, message);
        for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
            check_refused(decode, type, wrong[i], message);
    }
}

static void test_frontend(void **state) {
    (void)state;
    check_all_types(frame_decode_frontend, frontend_bounds, ARRAY_LEN(frontend_bounds),
                    "invalid frontend message type", "invalid message length");
}

static void test_backend(void **state) {
    (void)state;
    check_all_types(frame_decode_backend, backend_bounds, ARRAY_LEN(backend_bounds),
                    "invalid backend message type", "invalid length of backend message type:");
}

/* The length is filled in where the header was put, also behind content consumed or moved by growth. */
static void test_encode(void **state) {
    Buf out = {0};
    Frame frame = {0};
    Error err;

    (void)state;
    buf_append_cstr(&out, "before");
    buf_consume(&out, 3);
    for (uint32_t length = 0; length < 5000; length += 499) {
        size_t begun = frame_begin(&out, 'D');

        for (uint32_t i = 0; i < length; i++)
            buf_put_u8(&out, (uint8_t)i);
        frame_end(&out, begun);
        assert_int_equal(frame_decode_backend(buf_ptr(&out) + begun, buf_len(&out) - begun, &frame, &err),
                         WIRE_OK);
        assert_int_equal(frame.type, 'D');
        assert_int_equal(frame.length, length);
    }
    assert_memory_equal(buf_ptr(&out), "ore", 3);
    buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frontend),
        cmocka_unit_test(test_backend),
        cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
