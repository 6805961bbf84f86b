/* Each reference has room for a number of as many digits as its length leaves behind the dollar. A name keeps
 * its number for references of the same room; none of the text's own parameters has it. */
#include "cli/lint_variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "parser/lex.h"

/* Numbers are below this; wider references use the same as those with room for three digits. */
#define NUMBERS 1000
#define DIGITS_MAX 3

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static size_t name_end(Str text, size_t i) {
    while (i < text.len && is_name(text.ptr[i]))
        i++;
    return i;
}

size_t lint_variables_reference(Str text) {
    char open = text.len > 1 ? text.ptr[1] : '\0';
    size_t start = open == '\'' || open == '"' ? 2 : open == '{' ? 3 : 1, end = name_end(text, start);
    if (open == '{' && (text.len < 3 || text.ptr[2] != '?'))
        return 0;
    if (end == start)
        return 0;
    if (start == 1)
        return end;
    return end < text.len && text.ptr[end] == (open == '{' ? '}' : open) ? end + 1 : 0;
}

void lint_variables_add(LintVariables *v, size_t start) {
    if (v->n == v->capacity) {
        v->capacity = v->capacity ? 2 * v->capacity : 16;
        v->starts = mem_realloc(v->starts, v->capacity * sizeof(*v->starts));
    }
    v->starts[v->n++] = start;
}

void lint_variables_free(LintVariables *v) {
    free(v->starts);
    *v = (LintVariables){0};
}

typedef struct Numbers {
    bool used[NUMBERS];
    Str names[NUMBERS]; /* that a number stands for */
} Numbers;

/* The parameters that the text has of its own. */
static void note_own(Numbers *numbers, Str text) {
    for (LexToken t = lex_next(text.ptr, text.len, 0); t.kind != LEX_END && t.kind != LEX_UNTERMINATED;
         t = lex_next(text.ptr, text.len, t.end)) {
        unsigned long number = t.kind == LEX_PARAM ? strtoul(text.ptr + t.start + 1, NULL, 10) : 0;
        if (number > 0 && number < NUMBERS)
            numbers->used[number] = true;
    }
}

/* A number of `digits` digits for a name; 0 if there is none left. */
static int number_of(Numbers *numbers, Str name, size_t digits) {
    static const int first[] = {1, 10, 100, NUMBERS};
    if (digits > DIGITS_MAX)
        digits = DIGITS_MAX;
    for (int i = first[digits - 1]; i < first[digits]; i++) {
        if (numbers->names[i].ptr && str_eq(numbers->names[i], name))
            return i;
        if (numbers->used[i])
            continue;
        numbers->used[i] = true;
        numbers->names[i] = name;
        return i;
    }
    return 0;
}

/* `place` is the reference in the copy; what cannot be replaced stays, for the parser to reject. */
static void replace(Numbers *numbers, char *place, Str reference) {
    char open = reference.ptr[1], number[16];
    Str name = {reference.ptr + 1, reference.len - 1};
    if (open == '"') { /* a name, of nobody knows what */
        place[0] = ' ';
        return;
    }
    if (open == '{') {
        memset(place, ' ', reference.len);
        memcpy(place, "TRUE", 4);
        return;
    }
    if (open == '\'')
        name = (Str){name.ptr + 1, name.len - 2};
    int value = number_of(numbers, name, reference.len - 1);
    if (value == 0)
        return;
    int len = snprintf(number, sizeof(number), "$%d", value);
    memset(place, ' ', reference.len);
    memcpy(place, number, (size_t)len);
}

void lint_variables_replace(const LintVariables *v, Str text, Buf *out) {
    Numbers *numbers = mem_zalloc(sizeof(Numbers));
    buf_clear(out);
    buf_append_str(out, text);
    buf_put_u8(out, '\0');
    out->end--;
    note_own(numbers, text);
    for (size_t i = 0; i < v->n; i++) {
        Str rest = {text.ptr + v->starts[i], text.len - v->starts[i]};
        size_t len = lint_variables_reference(rest);
        if (len > 0)
            replace(numbers, (char *)buf_ptr(out) + v->starts[i], (Str){rest.ptr, len});
    }
    free(numbers);
}
