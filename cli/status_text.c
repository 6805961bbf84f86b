/* Status for people. */
#include <inttypes.h>
#include <string.h>

#include "cli/status_view.h"
#include "migrate/progress_text.h"

#define BOLD "\033[1m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

#define WIDE 10000

typedef struct Page {
    int width;
    bool color;
    Buf *out;
    Buf line; /* in the making */
} Page;

static void end_line(Page *page, const char *color) {
    color = page->color ? color : NULL;
    buf_append(&page->line, "", 1);
    buf_append_cstr(page->out, color ? color : "");
    progress_text_fit((const char *)buf_ptr(&page->line), page->width, page->out);
    buf_append_cstr(page->out, color ? PLAIN "\n" : "\n");
    buf_clear(&page->line);
}

static void put_head(Page *page, const Progress *p) {
    buf_printf(&page->line, "migration: %s", progress_state_name(p->state));
    if (p->epoch > 0)
        buf_printf(&page->line, ", epoch %" PRId64, p->epoch);
    end_line(page, BOLD);
    if (p->runner_pid != 0) {
        buf_printf(&page->line, "runner:    session %" PRId64 "%s%s%s%s", p->runner_pid,
                   p->runner_host ? " from " : "", p->runner_host ? p->runner_host : "",
                   p->runner_since ? " since " : "", p->runner_since ? p->runner_since : "");
        end_line(page, NULL);
    }
    if (p->paused) {
        buf_printf(&page->line, "paused:    %s%s", p->changed_by ? "by " : "in shardferry.control",
                   p->changed_by ? p->changed_by : "");
        if (p->changed)
            buf_printf(&page->line, ", %s", p->changed);
        end_line(page, YELLOW);
    }
    if (p->rows_per_second > 0) {
        buf_append_cstr(&page->line, "limit:     ");
        progress_text_number(p->rows_per_second, &page->line);
        buf_append_cstr(&page->line, " rows a second");
        end_line(page, NULL);
    }
}

static void put_tables(Page *page, const Progress *p) {
    size_t widest = 0;

    if (p->ntables > 0) {
        buf_append_cstr(&page->line, "tables:");
        end_line(page, NULL);
    }
    for (int i = 0; i < p->ntables; i++)
        widest = strlen(p->tables[i].table) > widest ? strlen(p->tables[i].table) : widest;
    for (int i = 0; i < p->ntables; i++) {
        const ProgressTable *t = &p->tables[i];

        buf_printf(&page->line, "  %-*s  %-11s  %s", (int)(widest < 60 ? widest : 60), t->table, t->stage,
                   t->kind);
        end_line(page, NULL);
    }
}

static ProgressView view_of(const Progress *p, const ProgressStep *s) {
    return (ProgressView){.what = s->what,
                          .step = s->position,
                          .steps = p->nsteps,
                          .elapsed_ms = s->elapsed_ms < 0 ? 0 : s->elapsed_ms,
                          .phase = s->phase,
                          .done = s->done,
                          .total = s->total,
                          .unit = s->unit,
                          .rate = s->rate,
                          .batch = s->batch,
                          .limit = s->batch > 0 ? p->rows_per_second : 0,
                          .waiting_for = s->waiting_for,
                          .blocked_by = s->blocked_by};
}

static bool is_at_hand(const ProgressStep *s) {
    return s->state != PROGRESS_STEP_DONE && s->state != PROGRESS_STEP_PENDING;
}

/* A runner that has a step at hand reports every second. */
#define SILENT_MS 5000

static void put_at_hand(Page *page, const Progress *p, const ProgressStep *s) {
    ProgressView view = view_of(p, s);

    if (s->state != PROGRESS_STEP_RUNNING && s->state != PROGRESS_STEP_WAITING) {
        buf_printf(&page->line, "  %s: %s", progress_step_state_name(s->state), s->what);
        end_line(page, RED);
        return;
    }
    progress_text_bars(&view, page->width, page->color, page->out);
    if (s->silent_ms > SILENT_MS) {
        buf_append_cstr(&page->line, "  the runner has not reported for ");
        progress_text_duration(s->silent_ms / 1000, &page->line);
        end_line(page, YELLOW);
    }
}

static void put_steps(Page *page, const Progress *p, bool all) {
    if (p->nsteps == 0)
        return;
    buf_printf(&page->line, "steps:     %d done, %d to do", p->ndone, p->nsteps - p->ndone);
    end_line(page, NULL);
    for (int i = 0; i < p->nsteps; i++) {
        const ProgressStep *s = &p->steps[i];

        if (is_at_hand(s)) {
            put_at_hand(page, p, s);
        } else if (all) {
            buf_printf(&page->line, "  %-7s  %s", progress_step_state_name(s->state), s->what);
            end_line(page, NULL);
        }
    }
}

static void put_proxies(Page *page, const Progress *p) {
    for (int i = 0; i < p->nproxies; i++) {
        const ProgressProxy *proxy = &p->proxies[i];
        bool over = proxy->lease_left_ms < 0;

        buf_printf(&page->line, "proxy:     %s, pid %" PRId64 ", version %s, epoch %" PRId64 ", ",
                   proxy->host, proxy->pid, proxy->version, proxy->epoch);
        if (proxy->revoked)
            buf_append_cstr(&page->line, "revoked");
        else
            buf_printf(&page->line, "lease %s %.1f s%s", over ? "over since" : "for",
                       (double)(over ? -proxy->lease_left_ms : proxy->lease_left_ms) / 1000,
                       over ? "" : " more");
        end_line(page, over || proxy->revoked ? YELLOW : NULL);
    }
}

static void put_failure(Page *page, const Progress *p) {
    if (!p->failed_at)
        return;
    buf_printf(&page->line, "failed:    %s%s%s, %s", p->failed_step, p->failed_object ? " of " : "",
               p->failed_object ? p->failed_object : "", p->failed_at);
    end_line(page, RED);
    buf_printf(&page->line, "           %s", p->failure ? p->failure : "for an unknown reason");
    end_line(page, RED);
}

void status_text(const Progress *progress, int width, bool color, bool all, Buf *out) {
    Page page = {.width = width ? width : WIDE, .color = color, .out = out};

    put_head(&page, progress);
    put_steps(&page, progress, all);
    put_failure(&page, progress);
    buf_printf(&page.line, "next:      %s", progress->next);
    end_line(&page, NULL);
    put_proxies(&page, progress);
    put_tables(&page, progress);
    buf_free(&page.line);
}
