/* Lines for people, safe to print whatever a script contains: control characters are escaped. */
#include <inttypes.h>
#include <string.h>

#include "cli/lint_report.h"

static const char *const verdict_colors[LINT_VERDICTS] = {
    [VERDICT_NO_TENANT_TABLE] = "\033[2m", [VERDICT_SINGLE_TENANT] = "\033[32m",
    [VERDICT_MULTI_TENANT] = "\033[33m",   [VERDICT_OPAQUE] = "\033[35m",
    [VERDICT_UNPARSED] = "\033[31m",
};

/* Prints on one line; control characters, the C1 ones too, as \xNN, a newline as a space if `fold`. */
static void print_escaped(FILE *out, Arena *arena, Str s, bool fold) {
    size_t plain = 0; /* what is not printed yet begins here */
    s = lint_valid_text(arena, s);
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < s.len && (uint8_t)s.ptr[i + 1] < 0xA0;
        if (c >= 0x20 && c != 0x7F && !is_c1)
            continue;
        fwrite(s.ptr + plain, 1, i - plain, out);
        if (is_c1)
            c = (uint8_t)s.ptr[++i];
        if (fold && (c == '\n' || c == '\r' || c == '\t'))
            putc(' ', out);
        else
            fprintf(out, "\\x%02x", c);
        plain = i + 1;
    }
    if (s.len > plain)
        fwrite(s.ptr + plain, 1, s.len - plain, out);
}

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    FILE *out = report->out;
    print_escaped(out, arena, str_of(r->origin.file), false);
    if (r->origin.line > 0)
        fprintf(out, ":%" PRId64, r->origin.line);
    fprintf(out, ": %s%s%s", report->color ? verdict_colors[d->verdict] : "", verdict_name(d->verdict),
            report->color ? "\033[0m" : "");
    if (r->origin.measured && !r->origin.untimed)
        fprintf(out, "  %.1f ms in", r->origin.total_ms);
    if (r->origin.measured)
        fprintf(out, "%s %" PRIu64 " call%s", r->origin.untimed ? " " : "", r->origin.calls,
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
    if (r->origin.line == 0) { /* nobody could look it up */
        fputs("    ", out);
        print_escaped(out, arena, r->sql, true);
        putc('\n', out);
    }
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

static void function(LintReport *report, Arena *arena, const LintFunction *f) {
    FILE *out = report->out;
    Str text = f->replacement.ptr ? lint_valid_text(arena, f->replacement) : STR_LIT("");
    print_escaped(out, arena, str_of(f->signature), false);
    if (!text.len) {
        fputs(": to be changed by hand\n", out);
        return;
    }
    fprintf(out, ": mended, from the stage %s on%s:\n\n", stage_name(f->from),
            f->complete ? "" : ", but for what is to be done by hand");
    while (text.len > 0) {
        const char *newline = memchr(text.ptr, '\n', text.len);
        Str line = {text.ptr, newline ? (size_t)(newline - text.ptr) : text.len};
        print_escaped(out, arena, line, false);
        fputs(newline ? "\n" : ";\n\n", out);
        text = (Str){line.ptr + line.len + 1, newline ? text.len - line.len - 1 : 0};
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
    if (report->functions > 0)
        fprintf(report->out, "; %" PRId64 " function%s to be changed", report->functions,
                report->functions == 1 ? " is" : "s are");
    if (report->rewritten > 0)
        fprintf(report->out, "; %" PRId64 " would be rewritten", report->rewritten);
    putc('\n', report->out);
}

const LintForm lint_form_text = {.no_fingerprints = true, .add = add, .function = function, .end = end};
