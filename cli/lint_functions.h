/* Functions in the database, and what their bodies say. */
#ifndef CLI_LINT_FUNCTIONS_H
#define CLI_LINT_FUNCTIONS_H

#include <libpq-fe.h>

#include "cli/lint.h"
#include "parser/plpgsql.h"

/* A function or procedure as the catalog has it. All strings live in `arena`. */
typedef struct LintRoutine {
    const char *signature; /* "public.create_order(bigint)" */
    const char *name;
    const char *language;
    Str source;     /* prosrc; empty where the body is parsed (BEGIN ATOMIC) */
    Str definition; /* CREATE OR REPLACE …, without a semicolon; STR_NONE for languages that are not read */
    const FactsVariable *parameters;
    const char *search_path; /* NULL: the server's default */
    PlpgsqlConflict conflict;
    bool fixes_result; /* what it returns has columns of its own, not those of a table */
    bool inlined;      /* in SQL, its query becomes part of one that has it in FROM */
} LintRoutine;

/* Calls `visit` for each routine of the application, in the order of their signatures. `arena`, which holds
 * the routine, is reset behind each call. False with `err`. */
typedef void LintVisitRoutine(const LintRoutine *routine, Arena *arena, void *arg);
bool lint_functions_read(const Config *config, LintVisitRoutine *visit, void *arg, Error *err) MUST_USE;

/* A body and the texts in it. */
typedef struct LintBody {
    Str text;
    uint32_t offset; /* of the body in the routine's definition */
    bool quoted;     /* it stands between dollar quotes there */
    bool plpgsql;
    const PlpgsqlPart *parts;
    int nparts;
    PlpgsqlConflict conflict;
} LintBody;

/* Finds the body and takes it apart. False with `err`: it cannot be followed. */
bool lint_functions_body(const LintRoutine *routine, Arena *arena, LintBody *body, Error *err) MUST_USE;

/* What is to be put into the body, part by part. */
typedef struct LintMend {
    EditList edits;  /* of the body; their text is fixed */
    Str *parts;      /* for each part: what it is to be; STR_NONE where it stays */
    bool from_keyed; /* it names keys that are there from the stage keyed on */
} LintMend;

/* Takes over `edits` of a part's text. NULL, or why they cannot be made in the body: then none is. */
const char *lint_mend_add(LintMend *mend, Arena *arena, const LintBody *body, int part,
                          const EditList *edits) MUST_USE;
/* The routine's new definition; STR_NONE if it does not read as it should. */
Str lint_mend_definition(const LintMend *mend, Arena *arena, const LintRoutine *routine,
                         const LintBody *body) MUST_USE;

/* Whether a parameter or a variable stands in the statement. */
bool lint_functions_has_parameters(const Statement *stmt) MUST_USE;
/* Why Citus cannot plan this statement in a function in SQL, which in PL/pgSQL it might; NULL if it can, as
 * far as is known. `bound`: the verdict is as good without the values of parameters. */
const char *lint_functions_citus_error(const Statement *stmt, const StatementDecision *decision,
                                       bool bound) MUST_USE;

/* Judges and reports all that the routine does, and what it should be instead. */
void lint_functions_judge(Lint *lint, const LintRoutine *routine, Arena *arena);

#endif
