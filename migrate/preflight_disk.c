/* Whether there is room on disk.
 *
 * A server does not say how much of its disks is free. Where it runs on this host, the disk itself is asked:
 * a directory of the same name that was changed at the same second is the server's. Else the need is said,
 * where it is worth a thought. */
#include "migrate/preflight_check.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "catalog/query.h"
#include "migrate/sql/preflight_directory.h"
#include "migrate/sql/preflight_disk.h"

#define WORTH_A_THOUGHT ((int64_t)100 << 20)
#define LOCK_NOT_AVAILABLE "55P03"
#define KEEP_FREE 5 /* of a disk, a fifth of what the migration adds besides */

static const char *pretty(const Preflight *preflight, int64_t bytes) {
    static const char *const UNITS[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 10 * 1024 && unit + 1 < ARRAY_LEN(UNITS)) {
        bytes /= 1024;
        unit++;
    }
    return arena_printf(preflight->migration->arena, "%" PRId64 " %s", bytes, UNITS[unit]);
}

/* What is free in a directory of the server's, in bytes; -1 if it is not to be seen from here. */
static int64_t free_bytes(const Preflight *preflight, const char *directory) {
    struct statvfs disk;
    struct stat seen;
    bool is_it = false;
    PGresult *result;
    Error ignored;

    if (stat(directory, &seen) != 0)
        return -1;
    result = query_run(preflight->migration->conn, "looking at a directory", sql_preflight_directory, 1,
                       &directory, &ignored);
    if (result)
        is_it = query_int(result, 0, 0) == seen.st_mtime;
    PQclear(result);
    return is_it && statvfs(directory, &disk) == 0 ? (int64_t)disk.f_bavail * (int64_t)disk.f_frsize : -1;
}

static void check_space(Preflight *preflight, const char *space, int64_t needed, int64_t left) {
    Arena *arena = preflight->migration->arena;
    Finding finding = {
        .severity = FINDING_WARNING,
        .from = STAGE_KEYED,
        .code = "disk-space",
        .object = arena_printf(arena, "tablespace %s", space),
        .why = "The backfill leaves a second version of each row, and the new keys have indexes of their "
               "own beside the old ones; the write-ahead log comes on top.",
        .remedy = "Make room before; the backfill's old versions are used again after a VACUUM."};

    if (left < 0 && needed >= WORTH_A_THOUGHT) {
        finding.severity = FINDING_NOTE;
        finding.what =
            arena_printf(arena, "about %s will be added to it; what is free cannot be seen from here",
                         pretty(preflight, needed));
    } else if (left >= 0 && needed + needed / KEEP_FREE > left) {
        finding.severity = needed > left ? FINDING_ERROR : FINDING_WARNING;
        finding.what = arena_printf(arena, "about %s will be added to it, and %s are free",
                                    pretty(preflight, needed), pretty(preflight, left));
    } else {
        return;
    }
    findings_add(preflight->findings, finding);
}

bool preflight_disk(Preflight *preflight, Error *err) {
    const Migration *migration = preflight->migration;
    PGresult *result = query_run(migration->conn, "looking at sizes", sql_preflight_disk,
                                 PREFLIGHT_TABLE_PARAMS, preflight->tables, err);

    if (!result) /* a table that is locked is another check's finding */
        return strcmp(err->sqlstate, LOCK_NOT_AVAILABLE) == 0;
    for (int i = 0; i < PQntuples(result); i++) {
        const char *directory = query_text(result, i, 2);
        int64_t left = directory && query_bool(result, i, 3) ? free_bytes(preflight, directory) : -1;

        check_space(preflight, arena_strdup(migration->arena, PQgetvalue(result, i, 0)),
                    query_int(result, i, 1), left);
    }
    PQclear(result);
    return true;
}
