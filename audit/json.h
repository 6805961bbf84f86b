/* Writing JSON, as the audit does: texts of any bytes become valid strings. */
#ifndef AUDIT_JSON_H
#define AUDIT_JSON_H

#include "base/buf.h"
#include "base/str.h"

/* A string in quotes; bytes that belong to no valid character become U+FFFD. */
void json_append_string(Buf *out, Str text);
/* The same; NULL becomes null. */
void json_append_value(Buf *out, const char *value);
/* ,"name":value */
void json_append_member(Buf *out, const char *name, const char *value);
/* ,"name":[...] */
void json_append_list(Buf *out, const char *name, const char *const *list, int n);

#endif
