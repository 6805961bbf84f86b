/* What the files that make facts share: the state of one conversion, and the converters' entry points.
 *
 * Conversion follows libpg_query's tree (protobuf-c's structures) downwards, one function per kind of thing;
 * the block in whose scope an expression stands is passed along. Nothing fails: the tree comes from the
 * parser, and a node that no facts exist for becomes EXPR_OTHER or FROM_OTHER with its children. */
#ifndef PARSER_FACTS_INTERNAL_H
#define PARSER_FACTS_INTERNAL_H

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include "parser/facts.h"
#include "parser/facts_tokens.h"

typedef PgQuery__Node Node;

typedef struct Convert {
    Arena *arena;
    Str text; /* NUL-terminated */
    int nparams;
    bool literals_matter;
    Arena *temporary;         /* freed when the conversion is done */
    Tokens tokens;            /* of the text, in `temporary`; made when first needed */
    ConfigCall *config_calls; /* of the statement that is being converted */
    int nconfig_calls;
} Convert;

/* Limits, facts_limits.c. False with `err` filled if the text is over one. Temporaries in `arena`. */
bool facts_within_limits(Arena *arena, Str text, FactsLimits limits, Error *err) MUST_USE;

/* Names and lists. An absent string is "" in protobuf; here it is NULL. */
const char *facts_string(Convert *c, const char *s);
const char **facts_strings(Convert *c, Node **list, size_t n);
const char *facts_node_string(const Node *node); /* a String node's, not copied; NULL for another node */
uint32_t facts_location(const Convert *c, int location);
/* The last three parts of a dotted name. */
Name facts_name(Convert *c, Node **list, size_t n);

/* Appends to an array in the arena whose capacity is the next power of two of its length. */
void *facts_grow(Convert *c, void *array, int n, size_t size) MUST_USE;

/* Expressions, facts_expr.c, facts_func.c. NULL for a NULL node. */
Expr *facts_expr(Convert *c, Block *block, const Node *node);
Expr **facts_exprs(Convert *c, Block *block, Node **list, size_t n);
Expr *facts_new_expr(Convert *c, ExprKind kind, int location, size_t nargs);
Expr *facts_func_call(Convert *c, Block *block, const PgQuery__FuncCall *call);
Expr *facts_value_function(Convert *c, const PgQuery__SQLValueFunction *f);
const Window *facts_window(Convert *c, Block *block, const PgQuery__WindowDef *def);
void facts_literal(Convert *c, Expr *expr, const PgQuery__AConst *constant);

/* Query blocks, facts_query.c, facts_from.c, facts_write.c. `parent` may be NULL. */
Block *facts_block(Convert *c, Block *parent, const Node *query);
Block *facts_new_block(Convert *c, Block *parent, BlockKind kind);
Block *facts_select(Convert *c, Block *parent, const PgQuery__SelectStmt *s);
Block *facts_insert(Convert *c, Block *parent, const PgQuery__InsertStmt *s);
Block *facts_update(Convert *c, Block *parent, const PgQuery__UpdateStmt *s);
Block *facts_delete(Convert *c, Block *parent, const PgQuery__DeleteStmt *s);
Block *facts_merge(Convert *c, Block *parent, const PgQuery__MergeStmt *s);
void facts_with(Convert *c, Block *block, const PgQuery__WithClause *with);
void facts_rows(Convert *c, Block *block, Node **lists, size_t n);
Target *facts_targets(Convert *c, Block *block, Node **list, size_t n);
FromItem *facts_table(Convert *c, const PgQuery__RangeVar *var);
FromItem *facts_from_item(Convert *c, Block *block, const Node *node);
FromItem **facts_from(Convert *c, Block *block, Node **list, size_t n);

/* Where things stand in the text, facts_spans.c. */
Span facts_name_span(Convert *c, uint32_t location);
Span facts_column_list_span(Convert *c, Span table, int ncolumns);
void facts_statement_spans(Convert *c, Statement *stmt);

/* COPY's options, facts_copy.c. */
void facts_copy_options(Convert *c, CopyOptions *options, const PgQuery__CopyStmt *copy);

/* Statements, facts_stmt.c, facts_set.c. */
void facts_statement(Convert *c, Statement *stmt, const Node *node);
void facts_set(Convert *c, SetFacts *set, const PgQuery__VariableSetStmt *s);
void facts_config_call(Convert *c, const Expr *call);

#endif
