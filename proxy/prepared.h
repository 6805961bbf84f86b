/* The named statements and portals of a session.
 *
 * The server holds the statement that was sent; the proxy keeps the client's text and parameter types beside
 * it, so that it can prepare the statement anew when a newer epoch asks for another text. Names are compared
 * as the server does: by their first 63 bytes.
 *
 * Reference-counted: the table holds one, and so does each message in flight that may have to undo what it
 * did to the table (Parse that fails, Close that is skipped). */
#ifndef PROXY_PREPARED_H
#define PROXY_PREPARED_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "base/str.h"
#include "proxy/plan.h"

#define PREPARED_NAME_BYTES 64

typedef struct Prepared {
    int references;
    char name[PREPARED_NAME_BYTES]; /* "" is the unnamed one */
    Str query;                      /* the client's text, owned; its beginning, if it is `unread` */
    uint8_t *types;                 /* parameter type OIDs as sent, owned */
    int ntypes;
    uint8_t *described; /* the types of all parameters, as the server told them; owned, NULL */
    int ndescribed;
    Plan *plan;           /* under which it was last sent; counted */
    Rewritten *rewritten; /* counted; NULL: sent as it is */
    uint64_t sent_hash;   /* of the text that was sent; 0: the original */
    uint64_t sequence;    /* ReplyQueue.pushed behind the client's Parse */
    bool unread;          /* the text is too long: it cannot be sent again, whatever becomes of the plan */
    bool missing;         /* the server may not have it as noted here: it must be sent again */
    uint32_t unconfirmed; /* Parse messages of the proxy's own for it that are not answered yet */
    uint64_t batch;       /* the batch, by number of Syncs, that the last of them stands in */
    UT_hash_handle hh;
} Prepared;

typedef struct Portal {
    char name[PREPARED_NAME_BYTES];
    Plan *plan;           /* counted; NULL: of a statement that is not known here */
    Rewritten *rewritten; /* counted; NULL */
    char *prepares;       /* the text of a PREPARE, owned; else NULL */
    uint32_t modes;       /* SessionModes.changes when it was bound */
    bool begun;           /* some of it may have been executed */
    UT_hash_handle hh;
} Portal;

typedef struct PreparedTable {
    Prepared *named;
    Prepared *unnamed; /* the one without a name: found without hashing */
    Portal *portals;
    Portal unnamed_portal; /* plan NULL: none */
} PreparedTable;

void prepared_name(char out[PREPARED_NAME_BYTES], Str name); /* cut as the server cuts it */

/* A new statement, not in the table; one reference. */
Prepared *prepared_new(Str name, Str query, const uint8_t *types, int ntypes) MUST_USE;
Prepared *prepared_ref(Prepared *prepared);
void prepared_unref(Prepared *prepared); /* NULL is permitted */
/* Notes under which plan it is sent, and how. Takes new references; rewritten may be NULL. */
void prepared_sent_as(Prepared *prepared, Plan *plan, Rewritten *rewritten, uint64_t sent_hash);

/* Keeps the types of the parameters, n big-endian OIDs. */
void prepared_described(Prepared *prepared, const uint8_t *types, int ntypes);
/* The server has another text, and may see other types in it. */
void prepared_forget_types(Prepared *prepared);

Prepared *prepared_find(const PreparedTable *table, Str name) MUST_USE;
/* Puts it in; what stood under the name is handed out with its reference, NULL if nothing did. */
Prepared *prepared_put(PreparedTable *table, Prepared *prepared) MUST_USE;
/* Takes it out and hands its reference over; NULL if there is none. */
Prepared *prepared_take(PreparedTable *table, Str name) MUST_USE;
/* Takes out exactly this one, if it is (still) in. */
void prepared_remove(PreparedTable *table, Prepared *prepared);
/* Those whose Parse was the message of this number, or an earlier one. */
void prepared_remove_older(PreparedTable *table, uint64_t sequence);
void prepared_remove_all(PreparedTable *table);
int prepared_count(const PreparedTable *table) MUST_USE;

/* Portals: what Execute of a name runs. */
void portal_bind(PreparedTable *table, Str name, const Prepared *prepared, uint32_t modes);
Portal *portal_find(const PreparedTable *table, Str name) MUST_USE;
void portal_close(PreparedTable *table, Str name);
/* At the end of a transaction all portals are gone. */
void portal_close_all(PreparedTable *table);

#endif
