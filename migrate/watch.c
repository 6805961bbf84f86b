/* The second connection. */
#include "migrate/watch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "catalog/query.h"

struct Watch {
    FILE *out;
};

Watch *watch_open(const Config *config, FILE *out, Error *err) {
    Watch *watch = MEM_NEW(Watch);

    (void)config;
    (void)err;
    watch->out = out;
    return watch;
}

void watch_close(Watch *watch) { free(watch); }

void watch_begin(const Migration *migration, const Step *step, const Table *table) {
    (void)migration;
    (void)step;
    (void)table;
}

void watch_end(const Migration *migration, bool done) {
    (void)migration;
    (void)done;
}

PGresult *watch_query(const Migration *migration, const char *what, const char *sql, int nparams,
                      const char *const *params, Error *err) {
    return query_run(migration->conn, what, sql, nparams, params, err);
}

bool watch_script(const Migration *migration, const char *what, const char *sql, Error *err) {
    return query_script(migration->conn, what, sql, err);
}

bool watch_going(const Migration *migration, Error *err) {
    (void)migration;
    (void)err;
    return true;
}

void watch_work(const Migration *migration, const WatchWork *work) {
    (void)migration;
    (void)work;
}

void watch_waiting(const Migration *migration, const char *reason) {
    (void)migration;
    (void)reason;
}

int64_t watch_rows_per_second(const Migration *migration) {
    (void)migration;
    return 0;
}

void watch_say(const Migration *migration, const char *fmt, va_list args) {
    vfprintf(migration->out, fmt, args);
    fputc('\n', migration->out);
    fflush(migration->out);
}
