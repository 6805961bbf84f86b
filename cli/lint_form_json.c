/* An object for each statement, one a line, in input order. */
#include <jansson.h>

#include "cli/lint_report.h"

static json_t *text(Arena *arena, Str s) {
    if (!s.ptr)
        return json_null();
    Str valid = lint_valid_text(arena, s);
    return json_stringn(valid.ptr, valid.len);
}

static json_t *list(Arena *arena, const char *const *items, int n) {
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, text(arena, str_of(items[i])));
    return array;
}

static json_t *fingerprint(Arena *arena, uint64_t value) {
    return value ? json_string(lint_fingerprint(arena, value)) : json_null();
}

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    bool sent = r->sent.ptr != NULL;
    json_t *o = json_object();
    json_object_set_new(o, "n", json_integer(report->statements));
    json_object_set_new(o, "line", r->origin.line > 0 ? json_integer(r->origin.line) : json_null());
    json_object_set_new(o, "sql", text(arena, r->sql));
    json_object_set_new(o, "fingerprint", fingerprint(arena, r->fingerprint));
    json_object_set_new(o, "verdict", json_string(verdict_name(d->verdict)));
    json_object_set_new(o, "tables", list(arena, d->tables, d->ntables));
    json_object_set_new(o, "unscoped", list(arena, d->unscoped, d->nunscoped));
    json_object_set_new(o, "reason", text(arena, str_of(lint_reason(arena, d))));
    json_object_set_new(o, "suggestion", text(arena, str_of(d->suggestion)));
    json_object_set_new(o, "rewritten", text(arena, sent ? r->sent : r->proposed));
    json_object_set_new(o, "citus_error", text(arena, str_of(d->citus_error)));
    json_object_set_new(o, "applied", sent || r->proposed.ptr ? json_boolean(sent) : json_null());
    json_object_set_new(o, "source", text(arena, str_of(r->origin.file)));
    if (r->origin.measured) {
        json_object_set_new(o, "calls", json_integer((json_int_t)r->origin.calls));
        json_object_set_new(o, "total_ms", json_real(r->origin.total_ms));
    }
    if (r->origin.application)
        json_object_set_new(o, "application", text(arena, str_of(r->origin.application)));
    if (r->origin.user)
        json_object_set_new(o, "user", text(arena, str_of(r->origin.user)));
    if (r->origin.database)
        json_object_set_new(o, "database", text(arena, str_of(r->origin.database)));
    json_dumpf(o, report->out, JSON_COMPACT);
    putc('\n', report->out);
    json_decref(o);
}

const LintForm lint_form_json = {.name = "json", .add = add};
