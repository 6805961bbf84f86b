/* The proxies that a step has to wait for, and the wait. */
#ifndef MIGRATE_PROXIES_H
#define MIGRATE_PROXIES_H

#include "migrate/step.h"

typedef enum ProxiesGoal {
    PROXIES_REGISTERED,   /* each one that is connected has registered */
    PROXIES_ACKNOWLEDGED, /* and each one that is alive works by the current epoch */
} ProxiesGoal;

/* Whether it is reached. The schema is there. */
MUST_USE bool proxies_check(const Migration *migration, ProxiesGoal goal, bool *reached, Error *err);

/* Waits until it is, and says for whom. Fails, and says what to do, for a proxy that may not register (42501)
 * or does not for three leases (55000). */
MUST_USE bool proxies_wait(const Migration *migration, ProxiesGoal goal, Error *err);

#endif
