/* Collecting findings. */
#include "migrate/findings.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_NOTE] = "note"};

const char *severity_name(Severity severity) { return names[severity]; }

bool severity_parse(const char *name, Severity *severity) {
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0) {
            *severity = (Severity)i;
            return true;
        }
    }
    return false;
}

void findings_add(Findings *findings, Finding finding) {
    if (findings->n == findings->room) {
        int room = findings->room ? 2 * findings->room : 16;
        Finding *items = ARENA_ARRAY(findings->migration->arena, Finding, room);

        if (findings->n > 0)
            memcpy(items, findings->items, (size_t)findings->n * sizeof(Finding));
        findings->items = items;
        findings->room = room;
    }
    if (finding.severity == FINDING_ERROR && finding.from > findings->migration->to)
        finding.severity = FINDING_WARNING;
    findings->errors += finding.severity == FINDING_ERROR;
    findings->items[findings->n++] = finding;
}

static int compare(const void *a, const void *b) {
    const Finding *x = a, *y = b;
    int by_object;

    if (x->severity != y->severity)
        return x->severity < y->severity ? -1 : 1;
    by_object = strcmp(x->object, y->object);
    return by_object ? by_object : strcmp(x->code, y->code);
}

void findings_sort(Findings *findings) {
    if (findings->n > 1)
        qsort(findings->items, (size_t)findings->n, sizeof(Finding), compare);
}

void findings_print(const Finding *finding, Buf *out) {
    buf_printf(out, "%s: %s: %s", severity_name(finding->severity), finding->object, finding->what);
    if (finding->from > STAGE_DERIVE)
        buf_printf(out, " (stage %s)", stage_name(finding->from));
    buf_append_cstr(out, "\n");
    if (finding->why)
        buf_printf(out, "    %s\n", finding->why);
    if (finding->remedy)
        buf_printf(out, "    %s\n", finding->remedy);
}
