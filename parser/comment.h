/* The tenant that a client names in a comment of its statement.
 *
 * sqlcommenter's form: a block comment, usually at the end, of pairs key='value' separated by commas. Keys
 * and values are URL-encoded; in values, a quote has a backslash before it. Comments of any other form
 * (hints, people's) are none of its business. */
#ifndef PARSER_COMMENT_H
#define PARSER_COMMENT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

/* Looks in all comments of the text, which may have several statements, for the key (as it is, not encoded),
 * and sets *value to its decoded value. Returns false, with *value empty, if no comment has the key, if it
 * has an empty value, or if it is there twice with different values.
 *
 * A text without a block comment costs no more than a search for its opening. */
bool comment_tenant(Str text, const char *key, Buf *value) MUST_USE;

#endif
