/* Modes: what the proxy does about a statement besides writing it into the audit, by what is to be said of
 * it. */
#ifndef CONF_MODES_H
#define CONF_MODES_H

#include <stdint.h>

#include "base/error.h"

/* The stronger the larger. */
typedef enum ModeAction {
    MODE_UNSET,  /* this section says nothing: a wider one decides */
    MODE_LOG,    /* the audit alone knows */
    MODE_NOTICE, /* the client gets a warning, and the statement is executed */
    MODE_BLOCK,  /* the client gets an error, and it is not */
} ModeAction;

/* Verdicts, and `refused`: a multi-tenant statement that Citus would not execute at all. */
typedef enum ModeSubject {
    MODE_MULTI_TENANT,
    MODE_REFUSED,
    MODE_OPAQUE,
    MODE_UNPARSED,
    MODE_SUBJECTS,
} ModeSubject;

typedef struct Modes {
    uint8_t action[MODE_SUBJECTS]; /* ModeAction */
} Modes;

/* Reads a list such as "notice" or "log, multi-tenant: block": one action for all, exceptions by subject, or
 * both. Where `refused` is not named it follows `multi-tenant`. An error's message says what is wrong with
 * the text, its hint what is allowed. */
MUST_USE bool modes_read(const char *text, Modes *modes, Error *err);

/* As modes_read would take it; "" if nothing is set. Caller frees. */
char *modes_show(const Modes *modes) MUST_USE;

/* Where `over` says something, it counts; elsewhere `modes` stays. */
void modes_overlay(Modes *modes, const Modes *over);

#endif
