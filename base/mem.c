/* Heap memory that cannot be missing: the allocators of the C library, with an end to the process in place of
 * NULL. */
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static NORETURN void out_of_memory(size_t size) {
    fprintf(stderr, "shardferry: out of memory: could not allocate %zu bytes\n", size);
    abort();
}

void *mem_alloc(size_t size) {
    void *ptr = malloc(size > 0 ? size : 1);

    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *mem_zalloc(size_t size) {
    void *ptr = calloc(1, size > 0 ? size : 1);

    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *mem_realloc(void *ptr, size_t size) {
    void *moved = realloc(ptr, size > 0 ? size : 1);

    if (!moved)
        out_of_memory(size);
    return moved;
}

char *mem_strdup(const char *s) {
    size_t size = strlen(s) + 1;

    return memcpy(mem_alloc(size), s, size);
}

char *mem_printf(const char *fmt, ...) {
    char *text;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vasprintf(&text, fmt, args);
    va_end(args);
    if (n < 0)
        out_of_memory(0);
    return text;
}
