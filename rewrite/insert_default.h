/* What a column gets when an INSERT gives it nothing. */
#ifndef REWRITE_INSERT_DEFAULT_H
#define REWRITE_INSERT_DEFAULT_H

#include "rewrite/context.h"

typedef enum InsertDefaultKind {
    INSERT_DEFAULT_NULL,
    INSERT_DEFAULT_CONSTANT, /* `text` */
    INSERT_DEFAULT_COMPUTED, /* `text`, to be evaluated once a row: a sequence, a function */
    INSERT_DEFAULT_UNKNOWN,  /* generated, an identity, of a domain, or not understood */
} InsertDefaultKind;

typedef struct InsertDefault {
    InsertDefaultKind kind;
    Str text;         /* an expression that may stand anywhere */
    const Expr *expr; /* the same, parsed; NULL without */
} InsertDefault;

InsertDefault insert_default(Rewrite *rw, const Column *column) MUST_USE;

#endif
