/* Running and printing pieces. */
#include "migrate/pieces.h"

#include <string.h>

#include "catalog/query.h"
#include "migrate/lock.h"
#include "migrate/watch.h"

void pieces_add(Pieces *pieces, Piece piece) {
    if (pieces->n == pieces->room) {
        int room = pieces->room ? 2 * pieces->room : 8;
        Piece *items = ARENA_ARRAY(pieces->migration->arena, Piece, (size_t)room);

        if (pieces->n > 0)
            memcpy(items, pieces->items, (size_t)pieces->n * sizeof(Piece));
        pieces->items = items;
        pieces->room = room;
    }
    pieces->items[pieces->n++] = piece;
}

void pieces_alone(Pieces *pieces, const char *what, const char *sql) {
    pieces_add(pieces, (Piece){.what = what, .sql = sql});
}

void pieces_locking(Pieces *pieces, const char *what, const char *sql) {
    pieces_add(pieces, (Piece){.what = what, .sql = sql, .locks = true});
}

/* lock_timeout would break a CREATE INDEX CONCURRENTLY off while it waits for older transactions. */
static bool run_alone(const Migration *migration, const Piece *piece, Error *err) {
    Error ignored;

    if (!query_script(migration->conn, piece->what, "SET lock_timeout = 0", err))
        return false;
    if (!watch_script(migration, piece->what, piece->sql, err)) {
        if (piece->cleanup && PQstatus(migration->conn) == CONNECTION_OK &&
            !query_script(migration->conn, piece->what, piece->cleanup, &ignored))
            error_detail(err, "It left something behind: %s", ignored.message);
        return false;
    }
    return query_script(migration->conn, piece->what, "SET lock_timeout = '10s'", err);
}

bool pieces_run(const Migration *migration, const Table *table, PiecesOf *of, Error *err) {
    Pieces pieces = {.migration = migration};

    if (!of(table, &pieces, err))
        return false;
    for (int i = 0; i < pieces.n; i++) {
        const Piece *piece = &pieces.items[i];

        if (!watch_going(migration, err))
            return false;
        if (piece->locks ? !lock_run(migration, table, piece->what, piece->sql, err)
                         : !run_alone(migration, piece, err))
            return false;
    }
    return true;
}

void pieces_script(const Migration *migration, const Table *table, PiecesOf *of, Buf *out) {
    Pieces pieces = {.migration = migration};
    Error err;

    if (!of(table, &pieces, &err)) {
        buf_printf(out, "-- %s\n", err.message);
        return;
    }
    for (int i = 0; i < pieces.n; i++) {
        if (pieces.items[i].locks)
            lock_script(pieces.items[i].sql, out);
        else
            buf_append_cstr(out, pieces.items[i].sql);
    }
}
