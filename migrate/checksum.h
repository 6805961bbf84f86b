/* Counts and checksums of a table's rows, per tenant and in all.
 *
 * A row's hash is that of its text, all columns by name, under settings that are the same on every node; a
 * checksum is the sum of the hashes, which does not care for the order of the rows, nor for that of the
 * columns, nor on which node they are. Equal counts and checksums: the same rows, but for one chance in 2^64.
 * Grouped by the tenant, the work is done where the rows are. It is one scan, about 2 µs a row of a few
 * columns.
 *
 * A table that is distributed at once is counted before and behind, in the one transaction that distributes
 * it while its writers wait. That is exact: where the two differ, the transaction fails, and nothing has
 * happened. The rows themselves cannot be named then, as those from before cannot be seen any more; their
 * tenants are. */
#ifndef MIGRATE_CHECKSUM_H
#define MIGRATE_CHECKSUM_H

#include "migrate/step.h"

/* A statement for a transaction: sets what the text of a row depends on, on all nodes. */
extern const char CHECKSUM_SETTINGS[];

/* Append an expression: the hash of the row of `alias`, of its columns in `table`; the hash's own text. */
void checksum_row(const Table *table, const char *alias, Buf *out);
/* Likewise of its primary key; of the whole row if it has none. */
void checksum_key_text(const Table *table, const char *alias, Buf *out);

/* Statements for a transaction: locks the table against writers, and takes down what is in it. Tables with a
 * tenant column are looked at per tenant. */
void checksum_before(const Migration *migration, const Table *table, Buf *out);
/* Statements for the same transaction: takes down what is in it now, and fails with XX001 if it differs. */
void checksum_after(const Migration *migration, const Table *table, Buf *out);
/* Appends table_schema = '…' AND table_name = '…'. */
void checksum_is_table(const Table *table, Buf *out);

/* Whether there is a place to take them down yet. */
MUST_USE bool checksum_has_place(const Migration *migration, bool *there, Error *err);

/* What has been taken down of a whole table last; nothing while there is no place for it. */
typedef struct ChecksumTotal {
    bool before, after; /* whether it has been */
    bool same;          /* both have, and are equal */
    bool verified;      /* as a distributed table */
    int64_t rows, tenants;
    const char *checksum; /* in the arena */
} ChecksumTotal;
MUST_USE bool checksum_read(const Migration *migration, const Table *table, ChecksumTotal *total, Error *err);

/* Takes down that the distributed table has been verified, and, where there is no phase "after" of it, that
 * too. */
MUST_USE bool checksum_verified(const Migration *migration, const Table *table, Error *err);

#endif
