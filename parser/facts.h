/* What a statement says, in the few shapes that the rest of the program reasons about.
 *
 * The parser turns SQL text into facts: a small tree of query blocks, range references and expressions
 * that has nothing of libpg_query's in it. Names are as the statement has them after case folding,
 * unresolved: a catalog is needed to know which table `orders` is, and rewrite/ has one. Whatever an
 * expression does that no rule looks at is kept as EXPR_OTHER with its children, so that a walk over the
 * tree meets every column, parameter and sub-select of the statement.
 *
 * Offsets are bytes into the text that was parsed (the whole simple-query string, not the one statement).
 * Everything lives in the arena that was given to facts_parse and is constant after it. */
#ifndef PARSER_FACTS_H
#define PARSER_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Expr Expr;
typedef struct Block Block;
typedef struct FromItem FromItem;

/* A range of the text: [start, end). Empty where unknown. */
typedef struct Span {
    uint32_t start;
    uint32_t end;
} Span;

/* A possibly qualified name; absent parts are NULL. Case-folded and unquoted as PostgreSQL does it. */
typedef struct Name {
    const char *catalog; /* database, in db.schema.table */
    const char *schema;
    const char *name;
} Name;

typedef enum StmtKind {
    STMT_EMPTY,  /* nothing, or comments alone */
    STMT_SELECT, /* SELECT, VALUES, TABLE, set operations */
    STMT_INSERT,
    STMT_UPDATE,
    STMT_DELETE,
    STMT_MERGE,
    STMT_COPY,
    STMT_SET, /* SET, SET LOCAL, RESET, RESET ALL; see `set` */
    STMT_SHOW,
    STMT_TRANSACTION, /* BEGIN … SAVEPOINT … PREPARE TRANSACTION; see `transaction` */
    STMT_PREPARE,     /* SQL-level; `inner` is the prepared statement */
    STMT_EXECUTE,
    STMT_DEALLOCATE,
    STMT_DECLARE_CURSOR, /* `inner` is its query */
    STMT_CURSOR,         /* FETCH, MOVE, CLOSE */
    STMT_EXPLAIN,        /* `inner` is the explained statement */
    STMT_DISCARD,        /* see `discard_all` */
    STMT_CREATE_AS,      /* CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW; `inner` is its query */
    STMT_TRUNCATE,
    STMT_LOCK,
    STMT_DO,
    STMT_CALL,
    STMT_NOTIFY,  /* LISTEN, UNLISTEN, NOTIFY */
    STMT_DDL,     /* anything else that changes the catalog */
    STMT_UTILITY, /* anything else that does not (VACUUM, ANALYZE, CHECKPOINT, …) */
} StmtKind;

typedef enum ExprKind {
    EXPR_COLUMN,  /* column.name (and qualifier) */
    EXPR_STAR,    /* *, or qualifier.* */
    EXPR_CONST,   /* literal: `value`, const_type; NULL is CONST_NULL */
    EXPR_PARAM,   /* $n: number */
    EXPR_DEFAULT, /* DEFAULT in VALUES or SET */
    EXPR_AND,     /* args */
    EXPR_OR,
    EXPR_NOT,
    EXPR_OP,     /* `op` applied to args[0] (, args[1]); op_schema for OPERATOR(s.op) */
    EXPR_IN,     /* args[0] IN (args[1] …); negated for NOT IN */
    EXPR_OP_ANY, /* args[0] op ANY (args[1]), args[1] an array expression */
    EXPR_OP_ALL,
    EXPR_BETWEEN,      /* args[0] BETWEEN args[1] AND args[2]; negated; symmetric counts as OTHER */
    EXPR_DISTINCT,     /* args[0] IS DISTINCT FROM args[1]; negated: IS NOT DISTINCT FROM */
    EXPR_LIKE,         /* LIKE, ILIKE, SIMILAR TO: args[0], args[1] */
    EXPR_IS_NULL,      /* negated: IS NOT NULL */
    EXPR_BOOLEAN_TEST, /* IS [NOT] TRUE/FALSE/UNKNOWN: `value` says which, e.g. "IS TRUE" */
    EXPR_CAST,         /* args[0]::type */
    EXPR_ROW,          /* ROW(…) or (a, b) */
    EXPR_ARRAY,        /* ARRAY[…] */
    EXPR_FUNC,       /* func(args): name; aggregates, windows included: is_window, filter and order in args */
    EXPR_CASE,       /* all parts in args */
    EXPR_COALESCE,   /* COALESCE, GREATEST, LEAST, NULLIF: `op` names it */
    EXPR_SUBLINK,    /* sub-select in `block`: sublink says how it is used; args[0] the test expression */
    EXPR_CURRENT_OF, /* WHERE CURRENT OF cursor */
    EXPR_OTHER,      /* anything else; children in args. `(x).f` has column "f" and args[0] x */
} ExprKind;

typedef enum ConstType {
    CONST_NULL,
    CONST_INTEGER,
    CONST_FLOAT,
    CONST_STRING,
    CONST_BOOLEAN,
    CONST_BIT
} ConstType;

typedef enum SublinkKind {
    SUBLINK_EXISTS,
    SUBLINK_ALL,   /* x op ALL (SELECT …) */
    SUBLINK_ANY,   /* x op ANY (SELECT …); IN (SELECT …) has op "=" */
    SUBLINK_EXPR,  /* scalar */
    SUBLINK_ROW,   /* (a, b) = (SELECT …) */
    SUBLINK_ARRAY, /* ARRAY(SELECT …) */
} SublinkKind;

/* A window, named or inline; absent parts are empty. */
typedef struct Window {
    const char *name; /* WINDOW name AS (…), or OVER name; NULL for OVER (…) */
    const char *base; /* OVER (base …): the named window that this one copies */
    Expr **partition;
    int npartition;
    Expr **order;
    int norder;
} Window;

struct Expr {
    ExprKind kind;
    uint32_t location;  /* where the parser says that it starts; not always its first token */
    Name name;          /* COLUMN: table qualifier in schema/… see below; FUNC; CAST: the type */
    const char *column; /* COLUMN: the column; STAR: NULL */
    const char *value;  /* CONST: text of the literal; BOOLEAN_TEST */
    const char *op;     /* OP…: operator's name; SUBLINK ANY/ALL: likewise, "=" for IN */
    const char *op_schema;
    ConstType const_type;
    SublinkKind sublink;
    int number; /* PARAM: n of $n, 0 for ? */
    bool negated;
    bool is_window; /* FUNC … OVER */
    bool agg_star;  /* FUNC: count(*) */
    bool agg_distinct;
    bool typmod_or_array; /* CAST: the type has a typmod or array bounds */
    Expr **args;
    int nargs;
    int ncall_args;       /* FUNC: how many of args are arguments; behind them: ORDER BY, FILTER */
    const Window *window; /* FUNC … OVER; its expressions are in the block's `windows`, not in args */
    Block *block;
};
/* For EXPR_COLUMN and EXPR_STAR, name.schema and name.name are the qualifier's parts: `s.t.c` has schema
 * "s", name "t", column "c"; `t.c` has schema NULL, name "t"; `c` has name NULL. */

typedef enum FromKind {
    FROM_TABLE,    /* name; may turn out to be a CTE or a view */
    FROM_SUBQUERY, /* block */
    FROM_FUNCTION, /* exprs */
    FROM_VALUES,   /* block of kind BLOCK_VALUES: (VALUES …) v(…) */
    FROM_JOIN,     /* left, right, join, quals or using or natural */
    FROM_OTHER,    /* TABLESAMPLE's base is a FROM_TABLE; XMLTABLE and the like are OTHER with exprs */
} FromKind;

typedef enum JoinType {
    JOIN_TYPE_INNER,
    JOIN_TYPE_LEFT,
    JOIN_TYPE_RIGHT,
    JOIN_TYPE_FULL,
    JOIN_TYPE_CROSS
} JoinType;

struct FromItem {
    FromKind kind;
    Name name;            /* TABLE */
    const char *alias;    /* NULL without; for a JOIN, the join's alias */
    const char **columns; /* column aliases: t(a, b) */
    int ncolumns;
    bool lateral;
    bool only; /* FROM ONLY t */
    uint32_t location;
    Span span; /* TABLE: of the (qualified) name as written, without alias and ONLY */
    Block *block;
    Expr **exprs;
    int nexprs;
    JoinType join;
    bool natural;
    FromItem *left, *right;
    const char **using_columns;
    int nusing;
    const char *using_alias; /* USING (…) AS alias */
    Expr *quals;             /* ON; NULL without */
    Span quals_span;         /* of a JOIN: the condition, without ON */
};

typedef enum CteMaterialized { CTE_DEFAULT, CTE_MATERIALIZED, CTE_NOT_MATERIALIZED } CteMaterialized;

typedef struct Cte {
    const char *name;
    const char **columns;
    int ncolumns;
    CteMaterialized materialized;
    Block *block;
    uint32_t location;
} Cte;

/* A SELECT list entry, a RETURNING entry, or one `column = expr` of SET. */
typedef struct Target {
    const char *name; /* alias, or SET's column; NULL if none is given */
    Expr *expr; /* SET (a, b) = (SELECT …): a's is OTHER with the sub-select, b's OTHER without args */
    bool indirection; /* SET a.b = …, a[1] = …: the column is only partly assigned */
    uint32_t location;
    Span span; /* all of it, with alias, or `column =`; for SET (a, b) = …, a's is the whole, b's empty */
    Span expr_span; /* of the expression alone: from its first token to the end of its last */
} Target;

typedef enum BlockKind {
    BLOCK_SELECT,
    BLOCK_SETOP,
    BLOCK_VALUES,
    BLOCK_INSERT,
    BLOCK_UPDATE,
    BLOCK_DELETE,
    BLOCK_MERGE,
} BlockKind;

typedef enum SetOp { SETOP_UNION, SETOP_INTERSECT, SETOP_EXCEPT } SetOp;
typedef enum ConflictAction { CONFLICT_NONE, CONFLICT_NOTHING, CONFLICT_UPDATE } ConflictAction;
typedef enum Overriding { OVERRIDING_NONE, OVERRIDING_USER, OVERRIDING_SYSTEM } Overriding;

/* One value of a VALUES row and where it stands: from its first token to the end of its last, without the
 * comma, white space and comments around it. */
typedef struct Cell {
    Expr *expr;
    Span span;
} Cell;

typedef struct Row {
    Cell *cells;
    int ncells;
    Span span; /* from "(" to just behind ")" */
} Row;

/* One level of query. Unused parts are empty. */
struct Block {
    BlockKind kind;
    Block *parent; /* the block that this one stands in (sub-select, CTE, arm of a set operation); or NULL */
    uint32_t location;

    Cte *ctes;
    int nctes;
    bool recursive;
    /* Where it stands. Spans that could not be found are empty, offsets 0: then nothing may be spliced there.
     */
    Span span;     /* from its first word (WITH, SELECT, INSERT, VALUES, …) to the end of its last token; no
                      parentheses around it. Empty for MERGE's actions */
    uint32_t verb; /* of the word SELECT, VALUES, TABLE, INSERT, …, behind WITH. Of a set operation: of its
                      leftmost arm, or of the "(" before that */
    uint32_t with_end;    /* offset just behind the last CTE's ")" (and SEARCH, CYCLE), where another may be
                             added; 0    without WITH */
    uint32_t targets_end; /* behind the last entry of the SELECT list (behind SELECT [DISTINCT [ON (…)] | ALL]
                             if it is empty); behind the last assignment of SET */
    Span where_span;      /* the condition, without WHERE; empty without one, or with CURRENT OF */
    uint32_t where_place;      /* without WHERE: the offset where " WHERE …" may be inserted */
    uint32_t group_by_end;     /* behind the last element of GROUP BY; 0 without */
    uint32_t returning_end;    /* behind the last entry of RETURNING; 0 without */
    uint32_t conflict_set_end; /* behind the last assignment of ON CONFLICT DO UPDATE SET; 0 without */
    bool is_table_command;     /* TABLE t, which the parser takes for SELECT * FROM t */

    FromItem **from; /* FROM; UPDATE … FROM; DELETE … USING; MERGE … USING */
    int nfrom;
    Expr *where;
    Target *targets; /* SELECT list; UPDATE's SET; MERGE's are in `merge` */
    int ntargets;
    Expr **group_by;
    int ngroup_by;
    bool group_distinct_or_sets; /* GROUPING SETS, CUBE, ROLLUP */
    Expr *having;
    Expr **distinct_on;
    int ndistinct_on;
    bool distinct; /* DISTINCT or DISTINCT ON */
    Expr **order_by;
    int norder_by;
    Expr *limit, *offset;
    Expr **windows; /* PARTITION BY, ORDER BY, frame bounds of named and inline windows, all parts */
    int nwindows;
    const Window **named_windows; /* WINDOW w AS (…) */
    int nnamed_windows;
    bool locking;              /* FOR UPDATE/SHARE … */
    const char *lock_strength; /* "UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"; of the first such clause */

    SetOp setop; /* SETOP */
    bool setop_all;
    Block *left, *right;

    Row *rows; /* VALUES, also INSERT's VALUES */
    int nrows;

    /* INSERT, UPDATE, DELETE, MERGE */
    FromItem *target;
    Target *returning;
    int nreturning;
    /* INSERT */
    const char **columns; /* column list, NULL entries where a target has indirection; see indirection */
    int ncolumns;
    bool has_column_list;
    bool indirection;    /* INSERT INTO t (a.b, c[1]) …: some column is only partly assigned */
    Span column_list;    /* from "(" to just behind ")" */
    uint32_t target_end; /* offset behind the table's name and alias: where a column list may be added */
    Block *source;       /* SELECT …; NULL for VALUES (see rows) and DEFAULT VALUES */
    bool default_values;
    Span default_values_span; /* the two words */
    Overriding overriding;
    ConflictAction conflict;
    Expr **conflict_target; /* columns and expressions */
    int nconflict_target;
    Expr *conflict_where; /* of the target */
    const char *conflict_constraint;
    Target *conflict_set;
    int nconflict_set;
    Expr *conflict_set_where;
    Span conflict_target_span; /* from "(" to just behind ")" */
    /* MERGE */
    Expr *merge_on;
    Span merge_on_span;    /* the condition, without ON */
    Block **merge_actions; /* INSERT/UPDATE/DELETE blocks without target; `where` is WHEN … AND's condition.
                              DO NOTHING is an UPDATE without targets */
    int nmerge_actions;
    bool merge_matched; /* of an action: WHEN MATCHED, not WHEN NOT MATCHED */
};

typedef struct SetFacts {
    const char *name;  /* "search_path"; NULL for RESET ALL */
    const char *value; /* arguments joined as SHOW would print them (lists by ", ", identifiers quoted where
                          needed); NULL for DEFAULT, RESET and where `from_current` or `unknown` */
    bool local;
    bool from_current; /* SET … FROM CURRENT */
    bool unknown;      /* the value is no literal */
} SetFacts;

/* A call of set_config() anywhere in a statement: it sets a parameter as SET does, if it is executed. */
typedef struct ConfigCall {
    const char *name;  /* NULL: not a literal, it may be any parameter */
    const char *value; /* as SHOW prints it then; NULL: not a literal */
    bool local;        /* is_local is literally true */
    bool local_known;
} ConfigCall;

typedef enum TransactionKind {
    TRANSACTION_BEGIN,
    TRANSACTION_COMMIT,
    TRANSACTION_ROLLBACK,
    TRANSACTION_SAVEPOINT,
    TRANSACTION_RELEASE,
    TRANSACTION_ROLLBACK_TO,
    TRANSACTION_PREPARE, /* two-phase */
    TRANSACTION_OTHER,   /* COMMIT PREPARED, ROLLBACK PREPARED */
} TransactionKind;

typedef enum CopyFormat { COPY_TEXT, COPY_CSV, COPY_BINARY, COPY_OTHER_FORMAT } CopyFormat;
typedef enum CopyHeader { COPY_HEADER_OFF, COPY_HEADER_ON, COPY_HEADER_MATCH } CopyHeader;

/* As they are in force: what is not given has PostgreSQL's default for the format. */
typedef struct CopyOptions {
    CopyFormat format;
    char delimiter;
    char quote, escape;    /* CSV */
    const char *null_text; /* "\\N" for text, "" for CSV */
    CopyHeader header;
    const char **force_null; /* CSV: columns whose quoted values are compared with null_text, too */
    int nforce_null;
    const char **force_not_null; /* CSV: columns whose values are never NULL */
    int nforce_not_null;
    const char *encoding; /* NULL: the client's */
    bool freeze;
    bool unknown; /* an option that this version does not know, or a value that PostgreSQL would reject */
} CopyOptions;

typedef struct CopyFacts {
    FromItem *table; /* NULL for COPY (query); then see the statement's block */
    const char **columns;
    int ncolumns;
    bool has_column_list;
    Span column_list;
    uint32_t table_end; /* behind the table's name: where a column list may be added */
    bool is_from;
    bool is_stdio; /* STDIN or STDOUT */
    Expr *where;   /* COPY … FROM … WHERE */
    CopyOptions options;
} CopyFacts;

typedef struct Statement {
    StmtKind kind;
    Span span;    /* of this statement in the text, without the semicolon and surrounding white space */
    Block *block; /* SELECT, INSERT, UPDATE, DELETE, MERGE, COPY (query) */
    struct Statement *inner;
    SetFacts set;
    const ConfigCall *config_calls; /* set_config() in the statement or in those inside it */
    int nconfig_calls;
    TransactionKind transaction;
    const char *savepoint;
    bool chain; /* COMMIT AND CHAIN */
    CopyFacts copy;
    const char *name; /* PREPARE, EXECUTE, DEALLOCATE, DECLARE, CLOSE; NULL for DEALLOCATE ALL, CLOSE ALL */
    Expr **args;      /* EXECUTE, CALL (one FUNC) */
    int nargs;
    Span *arg_spans;      /* EXECUTE: of each argument; NULL if they could not be found */
    int nprepare_types;   /* PREPARE name (type, …) */
    int nprepare_params;  /* PREPARE: highest $n of the inner statement */
    bool explain_analyze; /* EXPLAIN with the option analyze: `inner` is executed */
    bool discard_all;
    bool discard_temp;
    bool creates_temp; /* CREATE TEMP TABLE/VIEW/SEQUENCE, CREATE TEMP TABLE AS */
    bool drops;        /* DROP TABLE, VIEW, SEQUENCE … of `tables` */
    bool is_ddl; /* may change tables, columns, keys, views or grants: the catalog should be read again */
    FromItem **tables; /* TRUNCATE, LOCK, VACUUM and the like, DDL on tables: the named tables; CREATE …: the
                          created one */
    int ntables;
    uint64_t fingerprint; /* pg_query's, of this statement alone; 0 for STMT_EMPTY */
} Statement;

typedef struct Facts {
    Statement *statements;
    int nstatements;
    int nparams;          /* highest $n */
    bool literals_matter; /* set, config_calls or the like hold a literal's value: of this text only, not of
                             its shape */
} Facts;

/* Limits ahead of the parser: a text over them is not parsed (libpg_query recurses, and allocates about
 * forty times the text's size). */
typedef struct FactsLimits {
    size_t max_bytes; /* 0: FACTS_DEFAULT_MAX_BYTES */
    int max_depth;    /* of operators, parentheses and lists in a row; 0: FACTS_DEFAULT_MAX_DEPTH */
} FactsLimits;

#define FACTS_MAX_DEPTH 4000 /* a larger max_depth counts as this */
#define FACTS_DEFAULT_MAX_BYTES (1024 * 1024)
#define FACTS_DEFAULT_MAX_DEPTH 2000
/* Stack that a thread needs which calls facts_parse, with any max_depth. Measured with libpg_query 15-4.0.0:
 * protobuf-c's unpacking takes most, 0.95 kB for each message in a message; the costliest text for one unit
 * of depth, nested
 * `(SELECT 1 OR 1 AND (…))`, takes 9.6 kB, a chain of operators 1.9 kB, a nested sub-select 5.8 kB. So
 * FACTS_MAX_DEPTH takes at most 39 MB. */
#define FACTS_STACK_BYTES (64 * 1024 * 1024)

/* Parses a simple-query string (one or more statements, NUL-terminated at text.ptr[text.len]).
 *
 * Returns NULL and fills `err` when the text is over a limit (54000, nothing was parsed) or the parser
 * rejects it (42601 with the parser's message). The facts and all they point to live in `arena`; they keep no
 * pointer into `text`. Call from a thread with FACTS_STACK_BYTES of stack. */
const Facts *facts_parse(Arena *arena, Str text, FactsLimits limits, Error *err) MUST_USE;
/* The same without fingerprints, which cost a third of it: they are 0. */
const Facts *facts_parse_unnamed(Arena *arena, Str text, FactsLimits limits, Error *err) MUST_USE;

/* A name that stands for a value in a statement which is part of a function: a parameter, a variable. */
typedef struct FactsVariable {
    const struct FactsVariable *outer; /* that is hidden by this one where their names are the same; NULL */
    const char *name;
    const char *label; /* the function's name or the block's label, by which it may be qualified; or NULL */
    int number;        /* of the parameter that it is: 1 is $1; the same for the same value */
} FactsVariable;

/* Numbers of what is a field of a variable are larger. */
#define FACTS_FIELD_NUMBER 1000000

/* What names mean in a statement of a function. */
typedef struct FactsScope {
    const FactsVariable *variables; /* the innermost first; NULL: none */
    const uint32_t *columns;        /* locations of names that are columns' all the same */
    int ncolumns;
} FactsScope;

/* As facts_parse, for a statement in a function: what means one of the variables is an EXPR_PARAM of its
 * number, and keeps its names. Fields of a variable, whose type nobody knows here, have numbers of their own.
 */
const Facts *facts_parse_in_function(Arena *arena, Str text, FactsLimits limits, const FactsScope *scope,
                                     Error *err) MUST_USE;

/* Calls `visit` for each block of the statement and of those inside it, an outer block before the blocks in
 * it, sub-selects and CTEs included. */
typedef void FactsVisit(const Block *block, void *arg);
void facts_walk_blocks(const Statement *stmt, FactsVisit *visit, void *arg);

/* Calls `visit` for each expression that stands in this block, a sub-select's own excluded, a parent before
 * its children. */
typedef void FactsVisitExpr(const Expr *expr, void *arg);
void facts_walk_exprs(const Block *block, FactsVisitExpr *visit, void *arg);

#endif
