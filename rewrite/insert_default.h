/* What a column gets when an INSERT gives it nothing. */
#ifndef REWRITE_INSERT_DEFAULT_H
#define REWRITE_INSERT_DEFAULT_H

#include "rewrite/context.h"

typedef enum InsertDefaultKind {
    INSERT_DEFAULT_NULL,
    INSERT_DEFAULT_CONSTANT, /* `text` */
    INSERT_DEFAULT_UNKNOWN,  /* computed: by a sequence, a function, from other columns */
} InsertDefaultKind;

typedef struct InsertDefault {
    InsertDefaultKind kind;
    Str text; /* an expression that may stand anywhere */
} InsertDefault;

/* One for each column of the key. */
const InsertDefault *insert_defaults(Rewrite *rw, const ForeignKey *fk) MUST_USE;

#endif
