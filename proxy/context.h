/* Contexts: the sets of circumstances under which sessions of a worker resolve names.
 *
 * Most sessions share one. Each distinct set has a number that is never used again, so that a plan made under
 * it is found by comparing two integers. */
#ifndef PROXY_CONTEXT_H
#define PROXY_CONTEXT_H

#include <stdint.h>
#include <uthash.h>

#include "rewrite/decide.h"

typedef struct Context {
    SessionContext session; /* its strings are owned */
    uint32_t number;        /* from 1 */
    int references;
    char *key;
    UT_hash_handle hh;
} Context;

typedef struct ContextTable {
    Context *contexts;
    uint32_t last_number;
} ContextTable;

/* Finds or makes the context with these values; the caller owns a reference. */
Context *context_get(ContextTable *table, const SessionContext *values) MUST_USE;
void context_unref(ContextTable *table, Context *context); /* NULL is permitted */

#endif
