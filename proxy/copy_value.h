/* Keys and tenants as the rows of a COPY have them. */
#ifndef PROXY_COPY_VALUE_H
#define PROXY_COPY_VALUE_H

#include "base/buf.h"
#include "base/error.h"
#include "catalog/snapshot.h"
#include "wire/bind.h"

/* Whether the server will certainly refuse this as a value of the column's type, so that there is no use in
 * looking for a parent by it. plain_integers: it knows no 0x1f and no 1_000 (before PostgreSQL 16). */
bool copy_value_is_wrong(const Column *column, const BindParam *value, bool plain_integers) MUST_USE;

/* Appends a value as text, whatever its form. */
void copy_value_put_text(Buf *out, const Column *column, const BindParam *value);

/* Appends the binary form of a value that is given as text. False with `err`, in the server's words, if it is
 * none of the type's. The types are those that rewrite/copy.c lets pass. */
MUST_USE bool copy_value_put_binary(Buf *out, const Column *column, Str text, Error *err);

#endif
