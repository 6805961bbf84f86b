/* A snapshot from the text of a schema: pg_dump --schema-only, or CREATE statements written by hand. */
#ifndef CATALOG_DUMP_H
#define CATALOG_DUMP_H

#include "catalog/snapshot.h"
#include "conf/config.h"

/* Tables, columns, keys and types come out as catalog_load gives them for the same schema in a database,
 * except what only a server knows: OIDs, row estimates, the columns of views. What the text has that cannot
 * be followed is counted in the snapshot's warning. `name` stands for the text in messages. NULL with `err`
 * as snapshot_build. */
Snapshot *catalog_from_dump(Str text, const char *name, const Config *config, Error *err) MUST_USE;
/* The same, as if the migration had come to `stage`: see snapshot_assume_stage. */
Snapshot *catalog_from_dump_in_stage(Str text, const char *name, const Config *config, Stage stage,
                                     Error *err) MUST_USE;

#endif
