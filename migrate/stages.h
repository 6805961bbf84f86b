/* Moving tables from stage to stage: the SQL of it, and the question whether it has happened. */
#ifndef MIGRATE_STAGES_H
#define MIGRATE_STAGES_H

#include "migrate/step.h"

/* Moves those tables that are in no stage, or in one before `stage`, to it, all in one new epoch. */
MUST_USE bool stages_move(const Migration *migration, Stage stage, Error *err);

/* Whether all tables are in `stage` or behind it. */
MUST_USE bool stages_reached(const Migration *migration, Stage stage, bool *reached, Error *err);

/* Appends what stages_move does, as a phrase. */
void stages_describe(const Migration *migration, Stage stage, Buf *out);
/* Moves all tables that are in `stage` or behind it to the one before `stage`, in one new epoch, and waits
 * until every proxy works by it. Waits also where there is nothing to move: a run before this one may have
 * been broken off in between. */
MUST_USE bool stages_back(const Migration *migration, Stage stage, Error *err);
/* Appends as SQL, for people, what stages_back does; on the way back nothing where there is nothing to do. */
void stages_undo(const Migration *migration, Stage stage, Buf *out);
/* Appends as SQL, for people, what stages_move would do. */
void stages_script(const Migration *migration, Stage stage, Buf *out);

/* Defines the functions of a step that moves all tables to a stage: describe, script, undo, check and run. */
#define STAGES_STEP(stage)                                                                                   \
    static void describe(const Migration *migration, const Table *table, Buf *out) {                         \
        (void)table;                                                                                         \
        stages_describe(migration, stage, out);                                                              \
    }                                                                                                        \
    static void script(const Migration *migration, const Table *table, Buf *out) {                           \
        (void)table;                                                                                         \
        stages_script(migration, stage, out);                                                                \
    }                                                                                                        \
    static void undo(const Migration *migration, const Table *table, Buf *out) {                             \
        (void)table;                                                                                         \
        stages_undo(migration, stage, out);                                                                  \
    }                                                                                                        \
    static bool check(const Migration *migration, const Table *table, bool *done, Error *err) {              \
        (void)table;                                                                                         \
        return stages_reached(migration, stage, done, err);                                                  \
    }                                                                                                        \
    static bool run(const Migration *migration, const Table *table, Error *err) {                            \
        (void)table;                                                                                         \
        return stages_move(migration, stage, err);                                                           \
    }
/* And the one that only moves them back. */
#define STAGES_REVERT(stage)                                                                                 \
    static bool revert(const Migration *migration, const Table *table, Error *err) {                         \
        (void)table;                                                                                         \
        return stages_back(migration, stage, err);                                                           \
    }

#endif
