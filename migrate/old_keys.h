/* What the migration took away and what it added, as it stands in shardferry.old_key and shardferry.made:
 * what an undo goes by. The catalog shows what is there; only these show what was. */
#ifndef MIGRATE_OLD_KEYS_H
#define MIGRATE_OLD_KEYS_H

#include "migrate/keys.h"

/* Appends the statement that records a key; it belongs in the transaction that drops the key. */
void old_keys_record_unique(const Table *table, const UniqueKey *key, Buf *out);
void old_keys_record_foreign(const PairlessKey *key, Buf *out);

/* A key that was taken away, or, where only the plan is asked for, will be. Names are as stored. */
typedef struct OldKey {
    const char *schema, *table;
    const char *name;
    char kind; /* p, u, f as in pg_constraint; i: a bare unique index */
    const char *definition;
    const char *timing;
    const char *predicate, *tablespace; /* NULL */
    const char *column_list;            /* of a unique key: its columns, its expressions */
    const char *condition;              /* what a row has to fulfil to be able to repeat another one */
    const char *decoration;
    const char *parent;    /* as SQL; of a foreign key */
    const char *successor; /* of a foreign key, if somebody else had made it before; else NULL */
    const char *beside;    /* its name until it has its place again */
    bool in_place;
    bool taken;            /* its name is another key's: its successor's */
    bool is_beside, valid; /* it is there under the other name; and can be used */
} OldKey;

/* All of them, unique keys of a table before its foreign keys; in the migration's arena. Unless the migration
 * is on its way back, those are among them that are still to be taken away, without column_list and
 * condition. */
MUST_USE bool old_keys_read(const Migration *migration, OldKey **keys, int *n, Error *err);
/* Appends the statement that forgets it. */
void old_keys_forget(const OldKey *key, Buf *out);

/* As in shardferry.made. */
typedef enum MadeKind { MADE_COLUMN, MADE_NOT_NULL, MADE_INDEX, MADE_FOREIGN_KEY } MadeKind;

/* Appends the statement that records what is going to be made; it must be committed before that is, or with
 * it. `name` is as stored. */
void made_record(const Table *table, MadeKind kind, const char *name, Buf *out);
/* Appends the statement that forgets it. */
void made_forget(const Table *table, MadeKind kind, const char *name, Buf *out);
/* The names of what was made in a table, in the arena. */
MUST_USE bool made_read(const Migration *migration, const Table *table, MadeKind kind, const char ***names,
                        int *n, Error *err);

#endif
