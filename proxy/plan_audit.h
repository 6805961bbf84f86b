/* A plan's entries in the audit. */
#ifndef PROXY_PLAN_AUDIT_H
#define PROXY_PLAN_AUDIT_H

#include "proxy/plan.h"

/* What a new plan was made from. */
typedef struct PlanAudit {
    AuditLedger *ledger;
    const Facts *facts;            /* NULL: not parsed */
    Str text;                      /* that facts and decision refer to */
    Str shape;                     /* its normalised text; may be empty */
    uint64_t unparsed_fingerprint; /* of a text that was not parsed */
    const char *application;       /* of the session; may be NULL */
    const char *role;
} PlanAudit;

/* Finds or makes the entry of each of the plan's statements, for plan->audit. */
void plan_audit(Plan *plan, const PlanAudit *made_from, PlanOnNew *on_new, void *arg);

#endif
