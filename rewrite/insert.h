/* INSERT … VALUES into a table whose tenant column the application does not know. */
#ifndef REWRITE_INSERT_H
#define REWRITE_INSERT_H

#include "rewrite/context.h"

/* Whether an INSERT into `table` names, or by position fills, its tenant column. */
bool insert_gives_tenant(const Block *block, const Table *table) MUST_USE;

/* Index of a column in what the INSERT fills, by its column list or by position; -1 if it is not among them.
 */
int insert_column_index(const Block *block, const Table *table, const char *column) MUST_USE;

/* Whether each row has as many cells as there are columns to fill, so that the server will not refuse it. */
bool insert_rows_fit(const Block *block, const Table *table) MUST_USE;

/* VALUES and DEFAULT VALUES: adds the column and, to each row, its value; or leaves the statement as it is
 * and says why. `table` is the target, in stage derive or later. */
void insert_rewrite(Rewrite *rw, const Block *block, const Table *table);

#endif
