/* A plan's entries in the audit. */
#include "proxy/plan_audit.h"

#include "rewrite/slot.h"

/* Values that are found out when it is sent stand in it as parameters, as the extended protocol has them. */
static Str mended(Arena *arena, const EditList *edits, const Decision *decision, const PlanAudit *from,
                  Span span) {
    const Str *slots = slot_parameters(decision->slots, decision->nslots, from->facts->nparams, arena);
    EditList filled = edits_fill(edits, arena, slots);
    return edits_apply_within(arena, &filled, from->text, span);
}

static AuditSubject subject_of(Arena *arena, const Plan *plan, int index, const PlanAudit *from) {
    const Decision *decision = plan->decision;
    AuditSubject subject = {.decision = &decision->statements[index],
                            .fingerprint = from->unparsed_fingerprint,
                            .text = from->text,
                            .shape = plan->nstatements == 1 ? from->shape : STR_NONE,
                            .application = from->application,
                            .role = from->role};
    if (!from->facts || index >= from->facts->nstatements)
        return subject;
    Span span = from->facts->statements[index].span;
    subject.fingerprint = from->facts->statements[index].fingerprint;
    subject.text = (Str){from->text.ptr + span.start, span.end - span.start};
    if (subject.decision->proposed)
        subject.proposed = mended(arena, &decision->proposals, decision, from, span);
    if (subject.decision->rewritten)
        subject.sent = mended(arena, &decision->edits, decision, from, span);
    return subject;
}

void plan_audit(Plan *plan, const PlanAudit *made_from, PlanOnNew *on_new, void *arg) {
    Arena *scratch = arena_new();
    for (int i = 0; i < plan->nstatements; i++) {
        AuditSubject subject = subject_of(scratch, plan, i, made_from);
        bool is_new = false;
        plan->audit[i] = audit_entry(made_from->ledger, &subject, &is_new);
        if (is_new && on_new)
            on_new(&subject, arg);
    }
    arena_free(scratch);
}
