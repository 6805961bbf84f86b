/* Values are brought into one spelling per type and hashed. */
#include "proxy/parent_key.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

/* What is hashed. A key that is longer has no identity. */
typedef struct Spelling {
    uint8_t bytes[512];
    size_t n;
    bool too_long;
} Spelling;

static void put(Spelling *spelling, const void *bytes, size_t n) {
    if (n > sizeof spelling->bytes - spelling->n) {
        spelling->too_long = true;
        return;
    }
    memcpy(spelling->bytes + spelling->n, bytes, n);
    spelling->n += n;
}

/* pg_type.dat */
enum { OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_VARCHAR = 1043, OID_UUID = 2950 };

typedef enum KeyClass { CLASS_OTHER, CLASS_INTEGER, CLASS_UUID, CLASS_TEXT } KeyClass;

static KeyClass class_of_column(const Column *column) {
    static const struct {
        const char *name;
        KeyClass class;
    } classes[] = {{"int2", CLASS_INTEGER}, {"int4", CLASS_INTEGER}, {"int8", CLASS_INTEGER},
                   {"uuid", CLASS_UUID},    {"text", CLASS_TEXT},    {"varchar", CLASS_TEXT}};

    for (size_t i = 0; i < ARRAY_LEN(classes) && strcmp(column->type_schema, "pg_catalog") == 0; i++)
        if (strcmp(column->type_name, classes[i].name) == 0)
            return classes[i].class;
    return CLASS_OTHER;
}

static bool declared_fits(KeyClass class, uint32_t type) {
    switch (class) {
    case CLASS_INTEGER:
        return type == 0 || type == OID_INT8 || type == OID_INT4 || type == OID_INT2;
    case CLASS_UUID:
        return type == 0 || type == OID_UUID;
    case CLASS_TEXT:
        return type == 0 || type == OID_TEXT || type == OID_VARCHAR;
    default:
        return false;
    }
}

/* ---- spellings ---- */

static bool put_integer(Spelling *spelling, const BindParam *value) {
    const unsigned char *p = (const unsigned char *)value->bytes.ptr;
    int64_t n = 0;

    if (value->binary) {
        if (value->bytes.len != 2 && value->bytes.len != 4 && value->bytes.len != 8)
            return false;
        n = (signed char)p[0];
        for (size_t i = 1; i < value->bytes.len; i++)
            n = (int64_t)((uint64_t)n << 8 | p[i]);
    } else {
        Str s = str_trim(value->bytes);
        bool negative = s.len > 0 && s.ptr[0] == '-';
        size_t i = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');

        if (i == s.len || s.len - i > 18) /* what may not fit is the server's to judge */
            return false;
        for (; i < s.len; i++) {
            if (s.ptr[i] < '0' || s.ptr[i] > '9')
                return false;
            n = n * 10 + (s.ptr[i] - '0');
        }
        n = negative ? -n : n;
    }
    put(spelling, &n, sizeof n);
    return true;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool put_uuid(Spelling *spelling, const BindParam *value) {
    uint8_t bytes[16] = {0};
    int n = 0;

    if (value->binary) {
        if (value->bytes.len != sizeof bytes)
            return false;
        put(spelling, value->bytes.ptr, sizeof bytes);
        return true;
    }
    for (size_t i = 0; i < value->bytes.len; i++) {
        char c = value->bytes.ptr[i];
        int digit = hex_digit(c);

        if (c == '-' || c == '{' || c == '}')
            continue;
        if (digit < 0 || n == 32)
            return false;
        bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | digit);
        n++;
    }
    put(spelling, bytes, sizeof bytes);
    return n == 32;
}

static bool put_text(Spelling *spelling, const BindParam *value) {
    uint64_t len = value->bytes.len;

    put(spelling, &len, sizeof len);
    put(spelling, value->bytes.ptr, value->bytes.len);
    return true;
}

/* ---- keys ---- */

static void put_name(Spelling *spelling, const char *name) { put(spelling, name, strlen(name) + 1); }

ParentKeyKind parent_key(const Table *table, const BindParam *values, const uint32_t *types, ParentKey *key) {
    const ForeignKey *fk = table->path.steps[0];
    bool plain = true;
    Spelling spelling;

    for (int k = 0; k < fk->ncolumns; k++)
        if (!values[k].bytes.ptr)
            return PARENT_KEY_NULL;
    spelling.n = 0;
    spelling.too_long = false;
    put_name(&spelling, fk->parent->schema);
    put_name(&spelling, fk->parent->name);
    for (int k = 0; k < fk->ncolumns && plain; k++) {
        KeyClass class = class_of_column(fk->child_columns[k]);

        /* Of one class on both sides, or the child's spelling is not the parent's. */
        if (class != class_of_column(fk->parent_columns[k]) || !declared_fits(class, types[k]))
            return PARENT_KEY_NONE;
        put_name(&spelling, fk->parent_columns[k]->name);
        plain = class == CLASS_INTEGER ? put_integer(&spelling, &values[k])
                : class == CLASS_UUID  ? put_uuid(&spelling, &values[k])
                                       : put_text(&spelling, &values[k]);
    }
    if (!plain || spelling.too_long)
        return PARENT_KEY_NONE;
    XXH128_hash_t digest = XXH3_128bits_withSeed(spelling.bytes, spelling.n, str_hash(STR_LIT("parent key")));
    key->hash[0] = digest.low64;
    key->hash[1] = digest.high64;
    return PARENT_KEY_PLAIN;
}

bool parent_key_has_text(const Table *table) {
    const ForeignKey *fk = table->path.steps[0];

    for (int k = 0; k < fk->ncolumns; k++)
        if (class_of_column(fk->child_columns[k]) == CLASS_TEXT)
            return true;
    return false;
}

bool parent_key_is_integer(const Column *column) { return class_of_column(column) == CLASS_INTEGER; }

static bool covers(const ForeignKey *fk, const ForeignKey *step, const Column *tenant) {
    int found = 0;
    bool has_tenant = false;

    if (fk->parent != step->parent || !fk->validated)
        return false;
    for (int i = 0; i < fk->ncolumns; i++) {
        has_tenant |= fk->child_columns[i] == tenant;
        for (int k = 0; k < step->ncolumns; k++)
            found += fk->child_columns[i] == step->child_columns[k];
    }
    return has_tenant && found == step->ncolumns;
}

bool parent_key_is_guarded(const Table *table) {
    for (int i = 0; i < table->nforeign_keys; i++)
        if (table->tenant && covers(table->foreign_keys[i], table->path.steps[0], table->tenant))
            return true;
    return false;
}
