/* Both forms are safe to print whatever a script contains: invalid UTF-8 is replaced, control characters are
 * escaped. */
#include "cli/lint_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

static const struct {
    bool is_finding;
    const char *color;
} verdict_styles[LINT_VERDICTS] = {
    [VERDICT_NO_TENANT_TABLE] = {false, "\033[2m"}, [VERDICT_SINGLE_TENANT] = {false, "\033[32m"},
    [VERDICT_MULTI_TENANT] = {true, "\033[33m"},    [VERDICT_OPAQUE] = {true, "\033[35m"},
    [VERDICT_UNPARSED] = {true, "\033[31m"},
};

#define REPLACEMENT "\xEF\xBF\xBD"

/* The text with a replacement character for each byte that belongs to no valid character. */
static Str valid_text(Arena *arena, Str s) {
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

/* What the proxy would do, where that is more than the verdict: refuse the statement, or send it as it is. */
static const char *reason_of(Arena *arena, const StatementDecision *decision) {
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

/* JSON ------------------------------------------------------------------------------------------------ */

static json_t *json_text(Arena *arena, Str s) {
    if (!s.ptr)
        return json_null();
    Str valid = valid_text(arena, s);
    return json_stringn(valid.ptr, valid.len);
}

static json_t *json_list(Arena *arena, const char *const *items, int n) {
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_text(arena, str_of(items[i])));
    return list;
}

static void print_json(const LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    char fingerprint[17];
    snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, r->fingerprint);
    json_t *o = json_object();
    json_object_set_new(o, "n", json_integer(report->statements));
    json_object_set_new(o, "line", json_integer(r->line));
    json_object_set_new(o, "sql", json_text(arena, r->sql));
    json_object_set_new(o, "fingerprint", r->fingerprint ? json_string(fingerprint) : json_null());
    json_object_set_new(o, "verdict", json_string(verdict_name(d->verdict)));
    json_object_set_new(o, "tables", json_list(arena, d->tables, d->ntables));
    json_object_set_new(o, "unscoped", json_list(arena, d->unscoped, d->nunscoped));
    json_object_set_new(o, "reason", json_text(arena, str_of(reason_of(arena, d))));
    json_object_set_new(o, "suggestion", json_text(arena, str_of(d->suggestion)));
    json_object_set_new(o, "rewritten", json_text(arena, r->rewritten));
    json_dumpf(o, report->out, JSON_COMPACT);
    putc('\n', report->out);
    json_decref(o);
}

/* Text ------------------------------------------------------------------------------------------------ */

/* Prints on one line; control characters, the C1 ones too, as \xNN, a newline as a space if `fold`. */
static void print_escaped(FILE *out, Arena *arena, Str s, bool fold) {
    s = valid_text(arena, s);
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

static void print_text(const LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    FILE *out = report->out;
    print_escaped(out, arena, str_of(r->file), false);
    fprintf(out, ":%" PRId64 ": %s%s%s", r->line, report->color ? verdict_styles[d->verdict].color : "",
            verdict_name(d->verdict), report->color ? "\033[0m" : "");
    const char *reason = reason_of(arena, d);
    if (reason) {
        fputs("  ", out);
        print_escaped(out, arena, str_of(reason), true);
    }
    if (d->suggestion) {
        fputs(reason ? " / " : "  ", out);
        print_escaped(out, arena, str_of(d->suggestion), true);
    }
    putc('\n', out);
    if (r->rewritten.ptr) {
        fputs("    sent as: ", out);
        print_escaped(out, arena, r->rewritten, true);
        putc('\n', out);
    }
}

/* ---------------------------------------------------------------------------------------------------- */

void lint_report_add(LintReport *report, Arena *arena, const LintResult *result) {
    Verdict verdict = result->decision->verdict;
    report->statements++;
    report->verdicts[verdict]++;
    report->rewritten += result->rewritten.ptr != NULL;
    if (report->quiet && !verdict_styles[verdict].is_finding && !result->decision->rewrite_note &&
        !result->decision->refusal)
        return;
    if (report->json)
        print_json(report, arena, result);
    else
        print_text(report, arena, result);
}

void lint_report_end(LintReport *report) {
    if (report->json)
        return;
    fprintf(report->out, "%" PRId64 " statement%s", report->statements, report->statements == 1 ? "" : "s");
    const char *separator = ": ";
    for (int i = 0; i < LINT_VERDICTS; i++) {
        if (report->verdicts[i] == 0)
            continue;
        fprintf(report->out, "%s%" PRId64 " %s", separator, report->verdicts[i], verdict_name((Verdict)i));
        separator = ", ";
    }
    if (report->rewritten > 0)
        fprintf(report->out, "; %" PRId64 " would be rewritten", report->rewritten);
    putc('\n', report->out);
}

bool lint_report_has_findings(const LintReport *report) {
    for (int i = 0; i < LINT_VERDICTS; i++)
        if (verdict_styles[i].is_finding && report->verdicts[i] > 0)
            return true;
    return false;
}
