/* SARIF 2.1.0, which code review tools read: findings alone, at the places that they are about.
 *
 * Written as it goes: a run has one array of results, and what comes before it is known at the beginning. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/version.h"
#include "cli/lint_report.h"

typedef enum Rule {
    RULE_CITUS_REFUSES,
    RULE_PROXY_REFUSES,
    RULE_MULTI_TENANT,
    RULE_TENANT_MISSING,
    RULE_OPAQUE,
    RULE_UNPARSED,
    RULES
} Rule;

static const struct {
    const char *id;
    const char *level;
    const char *name;
    const char *summary;
    const char *help;
} rules[RULES] = {
    [RULE_CITUS_REFUSES] =
        {"citus-refuses", "error", "CitusRefuses",
         "Citus refuses this statement once its tables are distributed.",
         "It works on a single node and fails with an error on a distributed table. Change it "
         "before the table is distributed."},
    [RULE_PROXY_REFUSES] =
        {"proxy-refuses", "error", "ProxyRefuses", "The proxy refuses this statement.",
         "In this stage of the migration the statement would do harm, or nobody can tell which "
         "tenant its rows belong to: the client gets an error."},
    [RULE_MULTI_TENANT] =
        {"multi-tenant", "warning", "MultiTenant", "This statement is not scoped to one tenant.",
         "It touches, or may touch, the rows of more than one tenant: on Citus it runs on all "
         "shards. Compare the tenant column of each of its tables with the tenant's value, or "
         "join it to one that is."},
    [RULE_TENANT_MISSING] = {"tenant-missing", "warning", "TenantMissing",
                             "This write lacks the tenant column, and the proxy cannot add it.",
                             "The proxy sends it as it is. Name the tenant column in it."},
    [RULE_OPAQUE] = {"opaque", "note", "Opaque", "What this statement touches cannot be known from its text.",
                     "Functions, procedures and DO blocks may read and write any table."},
    [RULE_UNPARSED] = {"unparsed", "note", "Unparsed", "The parser does not accept this text.",
                       "The proxy sends it as it is."},
};

typedef struct Sarif {
    Buf out;
    bool any;
} Sarif;

static void flush(LintReport *report, Sarif *sarif) {
    fwrite(buf_ptr(&sarif->out), 1, buf_len(&sarif->out), report->out);
    buf_clear(&sarif->out);
}

static void put_text_object(Buf *out, const char *name, const char *text) {
    buf_printf(out, ",\"%s\":{\"text\":", name);
    json_append_string(out, str_of(text));
    buf_append_cstr(out, "}");
}

/* ---- the run ---- */

static void begin(LintReport *report) {
    Sarif *sarif = report->data = MEM_NEW(Sarif);
    Buf *out = &sarif->out;
    buf_append_cstr(
        out, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
             "\"runs\":[{\"tool\":{\"driver\":{\"name\":\"shardferry\",\"version\":\"" SHARDFERRY_VERSION
             "\",\"semanticVersion\":\"" SHARDFERRY_VERSION "\",\"rules\":[");
    for (int i = 0; i < RULES; i++) {
        buf_printf(out, "%s{\"id\":\"%s\",\"name\":\"%s\"", i > 0 ? "," : "", rules[i].id, rules[i].name);
        put_text_object(out, "shortDescription", rules[i].summary);
        put_text_object(out, "fullDescription", rules[i].help);
        put_text_object(out, "help", rules[i].help);
        buf_printf(out, ",\"defaultConfiguration\":{\"level\":\"%s\"}}", rules[i].level);
    }
    buf_append_cstr(out, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
    flush(report, sarif);
}

static void end(LintReport *report) {
    Sarif *sarif = report->data;
    buf_append_cstr(&sarif->out, "\n]}]}\n");
    flush(report, sarif);
    buf_free(&sarif->out);
    free(sarif);
}

/* ---- places ---- */

/* A path as a URI: relative to where lint runs, or absolute. */
static void put_uri(Buf *out, const char *path) {
    buf_append_cstr(out, *path == '/' ? "\"file://" : "\"");
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("/-._~", c);
        buf_printf(out, plain ? "%c" : "%%%02X", c);
    }
    buf_append_cstr(out, "\"");
}

static void put_artifact(Buf *out, const char *path) {
    buf_append_cstr(out, "\"artifactLocation\":{\"uri\":");
    put_uri(out, path);
    buf_append_cstr(out, "}");
}

/* The lines, and where they are known the columns, of the statement. */
static void put_extent(Buf *out, const LintOrigin *origin, Str sql) {
    bool exact = origin->text_line > 0;
    int64_t line = exact ? origin->text_line : origin->line, start = line;
    size_t last = 0;
    for (size_t i = 0; i < sql.len; i++) {
        if (sql.ptr[i] == '\n') {
            line++;
            last = i + 1;
        }
    }
    buf_printf(out, "\"startLine\":%" PRId64, start);
    if (exact)
        buf_printf(out, ",\"startColumn\":%d", origin->text_column);
    buf_printf(out, ",\"endLine\":%" PRId64, line);
    if (exact) /* of the character behind it */
        buf_printf(out, ",\"endColumn\":%zu",
                   utf8_count((Str){sql.ptr + last, sql.len - last}) +
                       (line == start ? (size_t)origin->text_column : 1));
}

static void put_location(Buf *out, const LintOrigin *origin, Str sql) {
    buf_append_cstr(out, ",\"locations\":[{");
    if (origin->is_path) {
        buf_append_cstr(out, "\"physicalLocation\":{");
        put_artifact(out, origin->file);
        if (origin->line > 0) {
            buf_append_cstr(out, ",\"region\":{");
            put_extent(out, origin, sql);
            buf_append_cstr(out, ",\"snippet\":{\"text\":");
            json_append_string(out, sql);
            buf_append_cstr(out, "}}");
        }
        buf_append_cstr(out, "}");
    } else {
        buf_append_cstr(out, "\"logicalLocations\":[{\"fullyQualifiedName\":");
        json_append_string(out, str_of(origin->file));
        buf_append_cstr(out, "}]");
    }
    buf_append_cstr(out, "}]");
}

/* Only what the statement should be, not what the proxy makes of it for its own ends, and only where it is
 * known byte for byte what is to be replaced. */
static void put_fix(Buf *out, const LintResult *r) {
    if (!r->proposed.ptr || !r->origin.is_path || r->origin.text_line == 0)
        return;
    buf_append_cstr(out, ",\"fixes\":[{\"description\":{\"text\":\"Add the conditions that follow from the "
                         "foreign keys.\"},\"artifactChanges\":[{");
    put_artifact(out, r->origin.file);
    buf_append_cstr(out, ",\"replacements\":[{\"deletedRegion\":{");
    put_extent(out, &r->origin, r->sql);
    buf_append_cstr(out, "},\"insertedContent\":{\"text\":");
    json_append_string(out, r->proposed);
    buf_append_cstr(out, "}}]}]}]");
}

/* ---- results ---- */

static Rule rule_of(const StatementDecision *d) {
    return d->citus_error                       ? RULE_CITUS_REFUSES
           : d->refusal                         ? RULE_PROXY_REFUSES
           : d->verdict == VERDICT_MULTI_TENANT ? RULE_MULTI_TENANT
           : d->rewrite_note                    ? RULE_TENANT_MISSING
           : d->verdict == VERDICT_OPAQUE       ? RULE_OPAQUE
           : d->verdict == VERDICT_UNPARSED     ? RULE_UNPARSED
                                                : RULES;
}

static void put_message(Buf *out, Arena *arena, const StatementDecision *d, Rule rule) {
    const char *reason = lint_reason(arena, d);
    const char *text = rules[rule].summary;
    if (reason)
        text = arena_printf(arena, "%s %s.", text, reason);
    if (d->citus_error)
        text = arena_printf(arena, "%s Citus: %s.", text, d->citus_error);
    if (d->suggestion)
        text = arena_printf(arena, "%s Suggestion: %s.", text, d->suggestion);
    put_text_object(out, "message", text);
}

static void put_properties(Buf *out, const LintResult *r) {
    const StatementDecision *d = r->decision;
    Str rewritten = r->sent.ptr ? r->sent : r->proposed;
    buf_printf(out, ",\"properties\":{\"verdict\":\"%s\"", verdict_name(d->verdict));
    json_append_list(out, "tables", d->tables, d->ntables);
    json_append_list(out, "unscoped", d->unscoped, d->nunscoped);
    if (rewritten.ptr) {
        buf_append_cstr(out, ",\"rewritten\":");
        json_append_string(out, rewritten);
    }
    if (!r->origin.is_path || r->origin.line == 0) {
        buf_append_cstr(out, ",\"sql\":");
        json_append_string(out, r->sql);
    }
    if (r->origin.measured) {
        buf_printf(out, ",\"calls\":%" PRIu64, r->origin.calls);
        if (!r->origin.untimed)
            buf_printf(out, ",\"totalMs\":%.3f", r->origin.total_ms);
    }
    if (r->origin.application)
        json_append_member(out, "application", r->origin.application);
    if (r->origin.user)
        json_append_member(out, "user", r->origin.user);
    buf_append_cstr(out, "}");
}

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    Sarif *sarif = report->data;
    Buf *out = &sarif->out;
    Rule rule = rule_of(r->decision);
    if (rule == RULES)
        return;
    buf_printf(out, "%s\n{\"ruleId\":\"%s\",\"ruleIndex\":%d,\"level\":\"%s\"", sarif->any ? "," : "",
               rules[rule].id, (int)rule, rules[rule].level);
    sarif->any = true;
    put_message(out, arena, r->decision, rule);
    put_location(out, &r->origin, lint_valid_text(arena, r->sql));
    if (r->fingerprint)
        buf_printf(out, ",\"partialFingerprints\":{\"statement/v1\":\"%s\"}",
                   lint_fingerprint(arena, r->fingerprint));
    if (r->origin.measured && r->origin.calls > 0)
        buf_printf(out, ",\"occurrenceCount\":%" PRIu64, r->origin.calls);
    put_fix(out, r);
    put_properties(out, r);
    buf_append_cstr(out, "}");
    flush(report, sarif);
}

const LintForm lint_form_sarif = {.name = "sarif", .begin = begin, .add = add, .end = end, .abandon = end};
