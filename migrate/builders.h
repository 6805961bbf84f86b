/* Index builds of others on a table: above all one of a runner that was killed, which the server may finish.
 */
#ifndef MIGRATE_BUILDERS_H
#define MIGRATE_BUILDERS_H

#include "migrate/step.h"

/* Waits until nobody else builds an index of the table. What is INVALID then was broken off. */
MUST_USE bool builders_wait(const Migration *migration, const Table *table, Error *err);

#endif
