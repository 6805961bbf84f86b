/* The parser's tree, handed over as the parser has it, without a detour through protobuf's bytes.
 *
 * libpg_query makes protobuf-c's structures of a statement, packs them into bytes and drops them; a caller
 * unpacks the bytes into the same structures. Packing looks at every kind of node for every node, and costs
 * more than all the rest of a parse. */
#ifndef PARSER_FACTS_TREE_H
#define PARSER_FACTS_TREE_H

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"

/* Told of the tree of a text that could be parsed; it is valid during the call only. The parser's memory
 * context is in force: no function of libpg_query may be called. `fingerprint` is that of the whole text, 0
 * if it is not known or not wanted. */
typedef void FactsTreeVisit(const PgQuery__ParseResult *tree, uint64_t fingerprint, void *arg);

/* Parses a NUL-terminated text and visits its tree, in this thread, before it returns. False, without a
 * visit, with `err` (42601: the parser's message, and where) for a text that the parser rejects. */
MUST_USE bool facts_tree_visit(Arena *temporary, const char *text, bool fingerprint, FactsTreeVisit *visit,
                               void *arg, Error *err);

#endif
