/* Heap memory that cannot be missing.
 *
 * Sizes that a client or a server can choose are bounded before they reach an allocator, so running out
 * of memory means that the machine is out of it; the process then says so and aborts. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

void *mem_alloc(size_t size) MUST_USE;              /* uninitialised */
void *mem_zalloc(size_t size) MUST_USE;             /* zeroed */
void *mem_realloc(void *ptr, size_t size) MUST_USE; /* like realloc, never NULL */
char *mem_strdup(const char *s) MUST_USE;
char *mem_printf(const char *fmt, ...) MUST_USE PRINTF_LIKE(1, 2);

#define MEM_NEW(type) ((type *)mem_zalloc(sizeof(type)))

#endif
