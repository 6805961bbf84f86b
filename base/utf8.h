/* UTF-8: what PostgreSQL accepts, and positions in characters. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

/* Strict as the server is: no overlong forms, no surrogates, at most U+10FFFF, no NUL. ASCII runs are checked
 * eight bytes at a time. */
bool utf8_valid(Str s) MUST_USE;
/* The number of characters; and the byte offset of the character with index `chars` (at most s.len). For
 * valid text. */
size_t utf8_count(Str s) MUST_USE;
size_t utf8_offset(Str s, size_t chars) MUST_USE;

#endif
