/* The key of a parent row, as a session gives it, and its identity.
 *
 * '7', 7, 007 and a binary 7 are one key of a bigint column. Where a value's equality is not plain from its
 * bytes (numeric, citext, dates), a key has no identity and is looked up each time. */
#ifndef PROXY_PARENT_KEY_H
#define PROXY_PARENT_KEY_H

#include "catalog/snapshot.h"
#include "wire/bind.h"

typedef struct ParentKey {
    uint64_t hash[2]; /* seeded per process; of the parent table, its key's columns and the values */
} ParentKey;

typedef enum ParentKeyKind {
    PARENT_KEY_NONE,  /* no identity */
    PARENT_KEY_NULL,  /* a column is NULL: there is no parent */
    PARENT_KEY_PLAIN, /* *key is its identity */
} ParentKeyKind;

/* One value for each column of table->path.steps[0]; types[i] is the OID under which values[i] was declared,
 * 0 for the column's own type. */
ParentKeyKind parent_key(const Table *table, const BindParam *values, const uint32_t *types,
                         ParentKey *key) MUST_USE;

/* Whether what was found for a parent may be kept: the server itself checks the pair of key and tenant by a
 * foreign key of the child, so that a tenant that is out of date is an error and not a wrong row. */
bool parent_key_is_guarded(const Table *table) MUST_USE;

/* Whether the columns that name the parent have some whose values are text. */
bool parent_key_has_text(const Table *table) MUST_USE;
/* Whether a number without quotes is a value of the column as it stands. */
bool parent_key_is_integer(const Column *column) MUST_USE;

#endif
