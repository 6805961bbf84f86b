/* Integers and uuids are looked into; all else is text to the proxy, and the server's to judge. */
#include "proxy/copy_value.h"

#include <string.h>

#define SQLSTATE_INVALID_TEXT "22P02"
#define SQLSTATE_OUT_OF_RANGE "22003"

typedef enum ValueClass { VALUE_TEXT, VALUE_INTEGER, VALUE_UUID } ValueClass;

typedef struct ValueType {
    const char *name;
    ValueClass class;
    size_t bytes; /* of the binary form; 0: as many as the text has */
} ValueType;

static const ValueType *type_of(const Column *column) {
    static const ValueType types[] = {
        {"int2", VALUE_INTEGER, 2}, {"int4", VALUE_INTEGER, 4}, {"int8", VALUE_INTEGER, 8},
        {"uuid", VALUE_UUID, 16},   {"text", VALUE_TEXT, 0},    {"varchar", VALUE_TEXT, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(types) && strcmp(column->type_schema, "pg_catalog") == 0; i++)
        if (strcmp(types[i].name, column->type_name) == 0)
            return &types[i];
    return NULL;
}

static bool only_of(Str text, const char *allowed) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\0' || !strchr(allowed, text.ptr[i]))
            return false;
    return true;
}

static bool read_integer(Str text, size_t bytes, int64_t *value) {
    const uint64_t limit = (uint64_t)1 << (8 * bytes - 1); /* of what is below 0 */
    const bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    uint64_t n = 0;

    if (i == text.len)
        return false;
    for (; i < text.len; i++) {
        const uint64_t digit = (uint64_t)(text.ptr[i] - '0');

        if (text.ptr[i] < '0' || text.ptr[i] > '9' || n > (limit - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (n > limit - (negative ? 0 : 1))
        return false;
    *value = negative ? (int64_t)(0 - n) : (int64_t)n;
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_uuid(Str text, uint8_t bytes[16]) {
    int n = 0;

    for (size_t i = 0; i < text.len; i++) {
        const int digit = hex_digit(text.ptr[i]);

        if (text.ptr[i] == '-' || text.ptr[i] == '{' || text.ptr[i] == '}')
            continue;
        if (digit < 0 || n == 32)
            return false;
        bytes[n / 2] = (uint8_t)(n % 2 == 0 ? digit << 4 : bytes[n / 2] | digit);
        n++;
    }
    return n == 32;
}

bool copy_value_is_wrong(const Column *column, const BindParam *value, bool plain_integers) {
    const ValueType *type = type_of(column);
    const Str trimmed = str_trim(value->bytes);
    uint8_t uuid[16];
    int64_t n;

    if (!type || type->class == VALUE_TEXT)
        return false;
    if (value->binary)
        return value->bytes.len != type->bytes;
    if (type->class == VALUE_UUID)
        return !read_uuid(value->bytes, uuid);
    if (!plain_integers && !only_of(trimmed, "+-0123456789"))
        return false;
    return !read_integer(trimmed, type->bytes, &n);
}

void copy_value_put_text(Buf *out, const Column *column, const BindParam *value) {
    const ValueType *type = type_of(column);
    const uint8_t *bytes = (const uint8_t *)value->bytes.ptr;
    int64_t n = 0;

    if (!value->binary || !type || type->class == VALUE_TEXT) {
        buf_append_str(out, value->bytes);
        return;
    }
    for (size_t i = 0; i < value->bytes.len; i++) {
        if (type->class == VALUE_UUID)
            buf_printf(out, "%02x", bytes[i]);
        n = i == 0 ? (int8_t)bytes[0] : (int64_t)((uint64_t)n << 8 | bytes[i]);
    }
    if (type->class == VALUE_INTEGER)
        buf_printf(out, "%lld", (long long)n);
}

bool copy_value_put_binary(Buf *out, const Column *column, Str text, Error *err) {
    const ValueType *type = type_of(column);
    uint8_t uuid[16];
    int64_t n;

    if (!type)
        return error_set(err, SQLSTATE_FEATURE_NOT_SUPPORTED, "the binary form of type %s is not known",
                         column->type);
    switch (type->class) {
    case VALUE_INTEGER:
        if (!read_integer(str_trim(text), type->bytes, &n))
            return error_set(err,
                             only_of(text, "+-0123456789 ") ? SQLSTATE_OUT_OF_RANGE : SQLSTATE_INVALID_TEXT,
                             "invalid input syntax for type %s: \"%.*s\"", column->type, STR_ARG(text));
        for (size_t i = type->bytes; i > 0; i--)
            buf_put_u8(out, (uint8_t)((uint64_t)n >> (8 * (i - 1))));
        return true;
    case VALUE_UUID:
        if (!read_uuid(text, uuid))
            return error_set(err, SQLSTATE_INVALID_TEXT, "invalid input syntax for type uuid: \"%.*s\"",
                             STR_ARG(text));
        buf_append(out, uuid, sizeof uuid);
        return true;
    default:
        buf_append_str(out, text);
        return true;
    }
}
