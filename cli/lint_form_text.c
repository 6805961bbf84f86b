/* Lines for people, safe to print whatever a script contains: control characters are escaped. */
#include <inttypes.h>

#include "cli/lint_report.h"

static const char *const verdict_colors[LINT_VERDICTS] = {
    [VERDICT_NO_TENANT_TABLE] = "\033[2m", [VERDICT_SINGLE_TENANT] = "\033[32m",
    [VERDICT_MULTI_TENANT] = "\033[33m",   [VERDICT_OPAQUE] = "\033[35m",
    [VERDICT_UNPARSED] = "\033[31m",
};

/* Prints on one line; control characters, the C1 ones too, as \xNN, a newline as a space if `fold`. */
static void print_escaped(FILE *out, Arena *arena, Str s, bool fold) {
    s = lint_valid_text(arena, s);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < s.len && (uint8_t)s.ptr[i + 1] < 0xA0;
        if (fold && (c == '\n' || c == '\r' || c == '\t'))
            putc(' ', out);
        else if (is_c1)
            fprintf(out, "\\x%02x", (uint8_t)s.ptr[++i]);
        else if (c < 0x20 || c == 0x7F)
            fprintf(out, "\\x%02x", c);
        else
            putc(c, out);
    }
}

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    FILE *out = report->out;
    print_escaped(out, arena, str_of(r->origin.file), false);
    if (r->origin.line > 0)
        fprintf(out, ":%" PRId64, r->origin.line);
    fprintf(out, ": %s%s%s", report->color ? verdict_colors[d->verdict] : "", verdict_name(d->verdict),
            report->color ? "\033[0m" : "");
    if (r->origin.measured)
        fprintf(out, "  %.1f ms in %" PRIu64 " call%s", r->origin.total_ms, r->origin.calls,
                r->origin.calls == 1 ? "" : "s");
    const char *reason = lint_reason(arena, d);
    if (reason) {
        fputs("  ", out);
        print_escaped(out, arena, str_of(reason), true);
    }
    if (d->suggestion) {
        fputs(reason ? " / " : "  ", out);
        print_escaped(out, arena, str_of(d->suggestion), true);
    }
    putc('\n', out);
    if (d->citus_error) {
        fputs("    Citus refuses it: ", out);
        print_escaped(out, arena, str_of(d->citus_error), true);
        putc('\n', out);
    }
    if (r->sent.ptr || r->proposed.ptr) {
        fputs(r->sent.ptr ? "    sent as: " : "    better: ", out);
        print_escaped(out, arena, r->sent.ptr ? r->sent : r->proposed, true);
        putc('\n', out);
    }
}

static void end(LintReport *report) {
    fprintf(report->out, "%" PRId64 " statement%s", report->statements, report->statements == 1 ? "" : "s");
    const char *separator = ": ";
    for (int i = 0; i < LINT_VERDICTS; i++) {
        if (report->verdicts[i] == 0)
            continue;
        fprintf(report->out, "%s%" PRId64 " %s", separator, report->verdicts[i], verdict_name((Verdict)i));
        separator = ", ";
    }
    if (report->refused > 0)
        fprintf(report->out, "; Citus would refuse %" PRId64, report->refused);
    if (report->rewritten > 0)
        fprintf(report->out, "; %" PRId64 " would be rewritten", report->rewritten);
    putc('\n', report->out);
}

const LintForm lint_form_text = {.add = add, .end = end};
