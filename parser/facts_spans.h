/* Where the parts of a statement stand in its text: what the files that find it share.
 *
 * The search goes down the tree of blocks and the tokens at once: a block is given the tokens that it is made
 * of, finds its clauses among those of its own level, and hands each block in it its tokens. What is found
 * must agree with the tree (which clauses there are, how many elements a list has): if it does not, no place
 * of that block is set. */
#ifndef PARSER_FACTS_SPANS_H
#define PARSER_FACTS_SPANS_H

#include "parser/facts_tokens.h"

/* A query, with or without parentheses around it, and all blocks in it. Arms of a set operation that stand
 * without parentheses are `bare`: no ORDER BY, LIMIT … is theirs. */
void spans_query(const Tokens *ts, Range range, Block *block, bool bare);

/* The parts of a SELECT, of VALUES, of a set operation; of statements that write; from their first word on,
 * without WITH and parentheses around them. False: they are not as the tree has them. */
bool spans_select(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_values(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_set_operation(const Tokens *ts, Range range, Block *block, bool bare) MUST_USE;
bool spans_insert(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_update(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_delete(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_merge(const Tokens *ts, Range range, Block *block) MUST_USE;

/* Entries of a SELECT list or of RETURNING; assignments of SET. */
bool spans_targets(const Tokens *ts, Range list, Target *targets, int n) MUST_USE;
bool spans_assignments(const Tokens *ts, Range list, Target *targets, int n) MUST_USE;

/* The rows of VALUES, from the word on. */
bool spans_rows(const Tokens *ts, Range range, Block *block) MUST_USE;
bool spans_row(const Tokens *ts, uint32_t open, Row *row) MUST_USE;

/* The sub-selects of FROM or USING. */
bool spans_from(const Tokens *ts, Range range, Block *block) MUST_USE;
/* The conditions of its joins. */
void spans_joins(const Tokens *ts, Range range, Block *block);
void spans_forget_joins(Block *block);

#endif
