/* The pace of a backfill: how many rows a batch has, and when the next one may begin.
 *
 * A batch should take [migration] batch_duration: others wait for its rows no longer. None begins while the
 * operator has paused the migration or his limit is reached, a standby is too far behind, or the clients'
 * statements at the proxies take too long. The reason is always said (migrate/watch.h). */
#ifndef MIGRATE_PACE_H
#define MIGRATE_PACE_H

#include "migrate/step.h"

#define PACE_FIRST_BATCH 500
#define PACE_SMALLEST_BATCH 10
#define PACE_LARGEST_BATCH 20000

typedef struct Pace {
    const Migration *migration;
    int64_t batch;   /* rows of the next one */
    int64_t looked;  /* ms: when the standbys and the proxies were looked at */
    int64_t free_at; /* ms: when the operator's limit permits the next one */
} Pace;

void pace_begin(Pace *pace, const Migration *migration);
/* Waits until a batch may begin. False with `err`: 57014 if the runner was asked to stop. */
MUST_USE bool pace_wait(Pace *pace, Error *err);
/* A batch of so many rows has taken so long. */
void pace_took(Pace *pace, int64_t rows, int64_t ms);
/* Why none should begin now, but for the operator's wishes: in the arena; NULL: it may. Asks the server. */
MUST_USE bool pace_reason(const Migration *migration, const char **reason, Error *err);
/* It met a row that somebody holds: the next one is smaller. */
void pace_blocked(Pace *pace);

#endif
