/* What all forms of the report share: counting, and texts that are safe to print whatever a script contains.
 */
#include "cli/lint_report.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/lint_gather.h"

#define REPLACEMENT "\xEF\xBF\xBD"

bool lint_verdict_is_finding(Verdict verdict) {
    return verdict == VERDICT_MULTI_TENANT || verdict == VERDICT_OPAQUE || verdict == VERDICT_UNPARSED;
}

Str lint_valid_text(Arena *arena, Str s) {
    if (utf8_valid(s))
        return s;
    char *out = arena_alloc(arena, s.len * (sizeof(REPLACEMENT) - 1));
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        size_t len = 1;
        while (len <= 4 && len <= s.len - i && !utf8_valid((Str){s.ptr + i, len}))
            len++;
        bool valid = len <= 4 && len <= s.len - i;
        memcpy(out + n, valid ? s.ptr + i : REPLACEMENT, valid ? len : sizeof(REPLACEMENT) - 1);
        n += valid ? len : sizeof(REPLACEMENT) - 1;
        i += valid ? len : 1;
    }
    return (Str){out, n};
}

const char *lint_reason(Arena *arena, const StatementDecision *decision) {
    const char *fate = NULL;
    if (decision->refusal)
        fate = arena_printf(arena, "refused: %s%s%s", decision->refusal->message,
                            decision->refusal->detail ? ": " : "",
                            decision->refusal->detail ? decision->refusal->detail : "");
    else if (decision->rewrite_note)
        fate = arena_printf(arena, "sent unchanged: %s", decision->rewrite_note);
    if (!fate || !decision->reason)
        return fate ? fate : decision->reason;
    return arena_printf(arena, "%s; %s", decision->reason, fate);
}

const char *lint_fingerprint(Arena *arena, uint64_t fingerprint) {
    return arena_printf(arena, "%016" PRIx64, fingerprint);
}

void lint_report_begin(LintReport *report) {
    if (report->form->begin)
        report->form->begin(report);
}

void lint_report_add(LintReport *report, Arena *arena, const LintResult *result) {
    const StatementDecision *decision = result->decision;
    if (report->gather) {
        lint_gather_add(report->gather, result);
        return;
    }
    report->statements++;
    report->verdicts[decision->verdict]++;
    report->rewritten += result->sent.ptr != NULL;
    report->refused += decision->citus_error != NULL;
    if (!report->quiet || lint_verdict_is_finding(decision->verdict) || decision->rewrite_note ||
        decision->refusal)
        report->form->add(report, arena, result);
}

void lint_report_place(LintReport *report, const LintPlace *place) {
    if (report->form->place)
        report->form->place(report, place);
}

void lint_report_function(LintReport *report, Arena *arena, const LintFunction *function) {
    report->functions++;
    if (report->form->function)
        report->form->function(report, arena, function);
}

void lint_report_end(LintReport *report) {
    if (report->form->end)
        report->form->end(report);
}

void lint_report_abandon(LintReport *report) {
    if (report->form->abandon)
        report->form->abandon(report);
}

bool lint_report_has_findings(const LintReport *report) {
    for (int i = 0; i < LINT_VERDICTS; i++)
        if (lint_verdict_is_finding((Verdict)i) && report->verdicts[i] > 0)
            return true;
    return report->left_findings || report->functions > 0;
}
