/* What a statement names: tables, through views too, what it writes, and what nobody here knows. */
#ifndef REWRITE_SURVEY_H
#define REWRITE_SURVEY_H

#include "rewrite/context.h"

typedef struct TableSet {
    const Table **tables; /* in the order of their first mention, each once */
    int n;
    int capacity;
} TableSet;

/* A view whose definition has been parsed, or could not be. */
typedef struct ParsedView {
    const Table *view;
    const Block *block; /* NULL: its definition is not understood */
} ParsedView;

typedef struct Survey {
    TableSet named;
    TableSet written;    /* targets of INSERT, UPDATE, DELETE, MERGE, COPY FROM; views as they are named */
    bool writes_unknown; /* some target is not known */
    const char *unknown_name;     /* the first relation that is in no snapshot; NULL */
    const char *unknown_function; /* the first function that may read any table; NULL */
    ParsedView *views;
    int nviews;
    int view_capacity;
} Survey;

void survey_statement(Rewrite *rw, const Statement *stmt);

/* The definition of a view that the survey met; NULL if it is not understood. Its names are to be resolved
 * with rw->view_names. */
const Block *survey_view(const Survey *survey, const Table *view) MUST_USE;

#endif
