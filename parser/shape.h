/* The shape of a text: the text with each literal replaced by "?" and each comment by an empty one.
 *
 * A linear scan, no parser: two texts of the same shape differ in literals and comments only and have the
 * same parse tree but for the literals. Comments are left out because many clients write something else into
 * one each time (a trace's number, say). It knows what PostgreSQL's lexer knows of strings ('', E'', U&'',
 * B'', X'', $tag$), quoted identifiers, nested comments, numbers and $n; everything that is neither a literal
 * nor a comment is kept byte for byte. With it, the statement cache answers `WHERE id = 17` from what it
 * knows of `WHERE id = 4`. */
#ifndef PARSER_SHAPE_H
#define PARSER_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "parser/facts.h"

#define SHAPE_MAX_LITERALS 512

typedef struct Shape {
    uint64_t hash; /* of the normalised text; seeded per process */
    Str text;      /* the normalised text, in `buf` */
    int nliterals;
    Span literals[SHAPE_MAX_LITERALS]; /* where literals and comments stand in the original, in order */
    Buf buf;                           /* owned; reused by the next call */
} Shape;

/* Computes the shape of `text`. Returns false if it has none (unterminated string or comment, more
 * than SHAPE_MAX_LITERALS literals and comments, a NUL byte): such a text is looked up as it is, byte for
 * byte. String literals become '?' (E'?', $$?$$, U&'?', B'?', X'?' of these kinds), integers of 32 bits 0,
 * other numbers 0.0 in the shape, so that no two kinds meet in one entry; comments become / * * / without the
 * blanks and -- alone. The literals of SET, set_config() and the like are in the facts: such statements have
 * a shape, but facts of one are no facts of another of the same shape; see Facts.literals_matter.
 *
 * `shape` is zeroed before its first use. */
bool shape_of(Shape *shape, Str text) MUST_USE;
void shape_free(Shape *shape);

/* Moves an offset in the text that `from` was made of to the corresponding one in the text that `to` was
 * made of; both have the same shape and the same number of literals. An offset inside a literal maps to
 * that literal's start, one at or behind its end moves along with it. */
uint32_t shape_map(const Span *from, const Span *to, int nliterals, uint32_t offset) MUST_USE;

#endif
