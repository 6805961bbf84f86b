/* An object for each statement, one a line, in the order of the source. */
#include <inttypes.h>
#include <stdlib.h>

#include "audit/json.h"
#include "base/mem.h"
#include "cli/lint_report.h"

static void put_text(Buf *out, const char *name, Str text) {
    buf_printf(out, ",\"%s\":", name);
    if (text.ptr)
        json_append_string(out, text);
    else
        buf_append_cstr(out, "null");
}

static void put_optional(Buf *out, const char *name, const char *text) {
    if (text)
        json_append_member(out, name, text);
}

static void put_clients(Buf *out, const LintClient *clients, int n) {
    buf_append_cstr(out, ",\"applications\":[");
    for (int i = 0; i < n; i++) {
        const LintClient *c = &clients[i];
        buf_append_cstr(out, i > 0 ? ",{\"application\":" : "{\"application\":");
        json_append_value(out, c->application);
        json_append_member(out, "user", c->user);
        buf_printf(out, ",\"calls\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"total_ms\":%.3f}", c->calls,
                   c->errors, c->total_ms);
    }
    buf_append_cstr(out, "]");
}

static void put_traffic(Buf *out, const LintTraffic *t) {
    buf_printf(out, ",\"max_ms\":%.3f,\"errors\":%" PRIu64 ",\"blocked\":%" PRIu64 ",\"noticed\":%" PRIu64,
               t->max_ms, t->errors, t->blocked, t->noticed);
    json_append_member(out, "first_seen", t->first_seen);
    json_append_member(out, "last_seen", t->last_seen);
    put_clients(out, t->clients, t->nclients);
}

static void put_origin(Buf *out, const LintOrigin *origin) {
    json_append_member(out, "source", origin->file);
    if (origin->measured)
        buf_printf(out, ",\"calls\":%" PRIu64, origin->calls);
    if (origin->measured && origin->untimed)
        buf_append_cstr(out, ",\"total_ms\":null");
    else if (origin->measured)
        buf_printf(out, ",\"total_ms\":%.3f", origin->total_ms);
    put_optional(out, "application", origin->application);
    put_optional(out, "user", origin->user);
    put_optional(out, "database", origin->database);
    if (origin->traffic)
        put_traffic(out, origin->traffic);
}

static void begin(LintReport *report) { report->data = MEM_NEW(Buf); }

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    const StatementDecision *d = r->decision;
    bool sent = r->sent.ptr != NULL;
    Buf *out = report->data;
    buf_printf(out, "{\"n\":%" PRId64 ",\"line\":", report->statements);
    if (r->origin.line > 0)
        buf_printf(out, "%" PRId64, r->origin.line);
    else
        buf_append_cstr(out, "null");
    put_text(out, "sql", r->sql);
    json_append_member(out, "fingerprint", r->fingerprint ? lint_fingerprint(arena, r->fingerprint) : NULL);
    json_append_member(out, "verdict", verdict_name(d->verdict));
    json_append_list(out, "tables", d->tables, d->ntables);
    json_append_list(out, "unscoped", d->unscoped, d->nunscoped);
    json_append_member(out, "reason", lint_reason(arena, d));
    json_append_member(out, "suggestion", d->suggestion);
    put_text(out, "rewritten", sent ? r->sent : r->proposed);
    json_append_member(out, "citus_error", d->citus_error);
    buf_printf(out, ",\"applied\":%s", sent ? "true" : r->proposed.ptr ? "false" : "null");
    put_origin(out, &r->origin);
    buf_append_cstr(out, "}\n");
    fwrite(buf_ptr(out), 1, buf_len(out), report->out);
    buf_clear(out);
}

static void function(LintReport *report, Arena *arena, const LintFunction *f) {
    Buf *out = report->data;
    (void)arena;
    buf_append_cstr(out, "{\"function\":");
    json_append_string(out, str_of(f->signature));
    put_text(out, "replacement", f->replacement);
    json_append_member(out, "from", stage_name(f->from));
    buf_printf(out, ",\"complete\":%s}\n", f->complete ? "true" : "false");
    fwrite(buf_ptr(out), 1, buf_len(out), report->out);
    buf_clear(out);
}

static void end(LintReport *report) {
    buf_free(report->data);
    free(report->data);
}

const LintForm lint_form_json = {
    .name = "json", .begin = begin, .add = add, .function = function, .end = end, .abandon = end};
