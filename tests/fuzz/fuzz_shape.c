/* Fuzzer: any text → its shape, and the tenant in its comments. A shape is its own shape; literals stand in
 * order and lie where the lexer of the parser has them, too; texts of one shape have the same facts but for
 * their literals. A text of which a shape has no comments names no tenant. */
#include <stdlib.h>

#include "parser/comment.h"
#include "parser/shape.h"
#include "tests/unit/parser/dump.h"

static void check(bool holds) {
    if (!holds)
        abort();
}

/* False where the parser rejects the text. */
static bool dumped(Str text, Buf *out) {
    Arena *arena = arena_new();
    Dump dump = {out, text, false};
    Error err;
    const Facts *facts = facts_parse(arena, text, (FactsLimits){0}, &err);

    if (facts)
        dump_facts(&dump, facts);
    arena_free(arena);
    return facts != NULL;
}

static void check_same_facts(Str text, Str other) {
    Buf a = {0}, b = {0};

    /* A literal's content may be an error of its own, e.g. in U&'\'. */
    if (dumped(text, &a) && dumped(other, &b))
        check(str_eq((Str){(char *)buf_ptr(&a), buf_len(&a)}, (Str){(char *)buf_ptr(&b), buf_len(&b)}));
    buf_free(&a);
    buf_free(&b);
}

static void check_map(const Shape *from, const Shape *to, Str text, Str other) {
    uint32_t last = 0;

    for (uint32_t i = 0; i <= text.len; i++) {
        uint32_t at = shape_map(from->literals, to->literals, from->nliterals, i);

        check(at >= last && at <= other.len);
        last = at;
    }
    check(last == other.len);
}

static void check_tenant(Str text, const Shape *shape) {
    Buf value = {0};
    bool found = comment_tenant(text, "tenant", &value);

    check(found == (buf_len(&value) > 0));
    check(!found || !memchr(buf_ptr(&value), '\0', buf_len(&value)));
    if (found && shape)
        check(memmem(shape->text.ptr, shape->text.len, "/**/", 4) != NULL);
    buf_free(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static Shape shape, again;
    char *copy = malloc(size + 1);
    Str text = {copy, size};
    Buf other = {0};

    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    check_tenant(text, NULL);
    if (shape_of(&shape, text)) {
        check_tenant(text, &shape);
        for (int i = 0; i < shape.nliterals; i++) {
            check(shape.literals[i].end > shape.literals[i].start && shape.literals[i].end <= size);
            check(i == 0 || shape.literals[i].start >= shape.literals[i - 1].end);
        }
        buf_append_str(&other, shape.text);
        buf_append(&other, "", 1);
        if (shape_of(&again, (Str){(char *)buf_ptr(&other), shape.text.len}) &&
            again.nliterals == shape.nliterals) {
            check(str_eq(shape.text, again.text) && shape.hash == again.hash);
            check_map(&shape, &again, text, shape.text);
            check_same_facts(text, (Str){(char *)buf_ptr(&other), shape.text.len});
        }
    }
    buf_free(&other);
    free(copy);
    return 0;
}
