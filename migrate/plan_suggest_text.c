/* Suggestions for people, and the settings to write. */
#include <string.h>

#include "migrate/plan_page.h"

#define SHOWN 5

/* A table's name as a setting has it: public is where unqualified names lead. */
const char *plan_suggested_settings(const PlanSuggestion *suggestion) {
    const PlanCandidate *best = suggestion->n > 0 ? &suggestion->candidates[0] : NULL;
    Buf buf = {0};
    const char *text;

    if (!best)
        return NULL;
    buf_printf(&buf, "[proxy]\nlisten      = 127.0.0.1:6432\ncoordinator = host=%s port=%s\n\n",
               suggestion->host && *suggestion->host ? suggestion->host : "127.0.0.1", suggestion->port);
    buf_printf(&buf, "[tenant]\ntable       = %s\ncolumn      = ", best->name);
    quote_identifier(&buf, best->column);
    buf_append_cstr(&buf, "\n");
    text = arena_strndup(suggestion->arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return text;
}

static void print_candidates(const PlanSuggestion *suggestion, Page *page) {
    for (int i = 0; i < suggestion->n && i < SHOWN; i++) {
        const PlanCandidate *candidate = &suggestion->candidates[i];

        page_color(page, i == 0 ? PAGE_BOLD : PAGE_PLAIN);
        page_wrap(page, 2, arena_printf(suggestion->arena, "%d. ", i + 1),
                  "%s: its key %s (%s), %s elsewhere", candidate->name, candidate->key->name,
                  candidate->key->type, candidate->column);
        page_color(page, PAGE_PLAIN);
        page_wrap(page, 5, "", "%s", candidate->why);
    }
}

void plan_print_suggestion(const PlanSuggestion *suggestion, const PlanOptions *options) {
    Page page = {.color = options->color};
    const char *settings = plan_suggested_settings(suggestion);

    page_head(&page, "No [tenant] table is configured");
    if (!settings) {
        page_wrap(
            &page, 2, "", "%s",
            "No table has others that lead to it by foreign keys, so that none can be suggested: name it in "
            "[tenant] table, and say in [table …] sections how others lead to it (tenant_from).");
    } else {
        page_printf(&page, "  These could be the tenants', the best first:\n\n");
        print_candidates(suggestion, &page);
        page_wrap(&page, 2, "", "%s",
                  suggestion->candidates[0].traffic >= 0
                      ? "Ranked by foreign keys, rows and what statements filter by."
                      : "Ranked by foreign keys and rows alone: neither a proxy's audit nor "
                        "pg_stat_statements says "
                        "what statements filter by.");
        page_head(&page, "For the first one, write");
        page_printf(&page, "%s", settings);
    }
    page_flush(&page, options->out);
}
