/* The report as a page: results are merged by fingerprint and verdict as they come, for a report is about
 * shapes, and what stands in ten places of a script is one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/hash.h"
#include "cli/lint_html.h"

/* Of a text; what is longer is cut. */
#define MAX_TEXT 16384
#define MAX_PLACES 20

/* Without padding, so that it can be hashed as it lies there. */
typedef struct ShapeKey {
    uint64_t fingerprint; /* of a text without one: its hash */
    uint64_t class;
} ShapeKey;

typedef struct Shape {
    LintHtmlShape public; /* first */
    ShapeKey key;
    UT_hash_handle hh;
} Shape;

typedef struct Data {
    LintHtml html;
    Shape *shapes; /* uthash */
    int results;
} Data;

const char *lint_class_name(LintClass class) {
    static const char *const NAMES[LINT_CLASSES] = {
        [LINT_CLASS_SINGLE_TENANT] = "single-tenant",
        [LINT_CLASS_NO_TENANT_TABLE] = "no-tenant-table",
        [LINT_CLASS_OPAQUE] = "opaque",
        [LINT_CLASS_UNPARSED] = "unparsed",
        [LINT_CLASS_MULTI_TENANT] = "multi-tenant",
        [LINT_CLASS_REFUSED] = "refused",
    };
    return NAMES[class];
}

static LintClass class_of(const StatementDecision *d) {
    static const LintClass CLASSES[LINT_VERDICTS] = {
        [VERDICT_NO_TENANT_TABLE] = LINT_CLASS_NO_TENANT_TABLE,
        [VERDICT_SINGLE_TENANT] = LINT_CLASS_SINGLE_TENANT,
        [VERDICT_MULTI_TENANT] = LINT_CLASS_MULTI_TENANT,
        [VERDICT_OPAQUE] = LINT_CLASS_OPAQUE,
        [VERDICT_UNPARSED] = LINT_CLASS_UNPARSED,
    };
    return d->citus_error ? LINT_CLASS_REFUSED : CLASSES[d->verdict];
}

/* ---- collecting ---- */

static void begin(LintReport *report) {
    Data *data = MEM_NEW(Data);
    data->html.arena = arena_new();
    report->data = data;
    report->quiet = false; /* shares are of the whole */
}

static void free_data(LintReport *report) {
    Data *data = report->data;
    HASH_CLEAR(hh, data->shapes);
    arena_free(data->html.arena);
    free(data);
    report->data = NULL;
}

static const char *keep(Data *data, Str text) {
    if (!text.ptr)
        return NULL;
    bool cut = text.len > MAX_TEXT;
    Str valid = lint_valid_text(data->html.arena, cut ? (Str){text.ptr, MAX_TEXT} : text);
    return arena_printf(data->html.arena, "%.*s%s", STR_ARG(valid), cut ? "..." : "");
}

static const char *keep_text(Data *data, const char *text) { return keep(data, str_of(text)); }

static const char *const *keep_list(Data *data, const char *const *items, int n) {
    const char **copies = ARENA_ARRAY(data->html.arena, const char *, n + 1);
    for (int i = 0; i < n; i++)
        copies[i] = keep_text(data, items[i]);
    return copies;
}

static void place(LintReport *report, const LintPlace *place) {
    Data *data = report->data;
    LintHtml *html = &data->html;
    LintPlace *all = ARENA_ARRAY(html->arena, LintPlace, html->nplaces + 1);
    for (int i = 0; i < html->nplaces; i++)
        all[i] = html->places[i];
    all[html->nplaces++] = (LintPlace){.name = keep_text(data, place->name),
                                       .version = keep_text(data, place->version),
                                       .since = keep_text(data, place->since),
                                       .stages = keep_text(data, place->stages)};
    html->places = all;
}

static Shape *make_shape(Data *data, Arena *scratch, const LintResult *r, ShapeKey key) {
    const StatementDecision *d = r->decision;
    Shape *shape = ARENA_NEW(data->html.arena, Shape);
    LintHtmlShape *s = &shape->public;
    shape->key = key;
    s->order = data->results;
    s->class = (LintClass)key.class;
    s->fingerprint = r->fingerprint ? lint_fingerprint(data->html.arena, r->fingerprint) : NULL;
    s->sql = keep(data, r->sql);
    s->tables = keep_list(data, d->tables, d->ntables);
    s->ntables = d->ntables;
    s->unscoped = keep_list(data, d->unscoped, d->nunscoped);
    s->nunscoped = d->nunscoped;
    s->reason = keep_text(data, lint_reason(scratch, d));
    s->suggestion = keep_text(data, d->suggestion);
    s->citus_error = keep_text(data, d->citus_error);
    s->proposed = keep(data, r->proposed);
    s->sent = keep(data, r->sent);
    s->places = ARENA_ARRAY(data->html.arena, const char *, MAX_PLACES);
    HASH_ADD(hh, data->shapes, key, sizeof shape->key, shape);
    return shape;
}

static bool same_name(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

static void add_client(Data *data, LintHtmlShape *s, const LintClient *c) {
    for (int i = 0; i < s->nclients; i++) {
        LintClient *known = &s->clients[i];
        if (!same_name(known->application, c->application) || !same_name(known->user, c->user))
            continue;
        known->calls += c->calls;
        known->errors += c->errors;
        known->total_ms += c->total_ms;
        known->blocked += c->blocked;
        known->noticed += c->noticed;
        return;
    }
    if (s->nclients == s->clients_room) {
        s->clients_room = s->clients_room ? s->clients_room * 2 : 1;
        LintClient *more = ARENA_ARRAY(data->html.arena, LintClient, s->clients_room);
        for (int i = 0; i < s->nclients; i++)
            more[i] = s->clients[i];
        s->clients = more;
    }
    s->clients[s->nclients] = *c;
    s->clients[s->nclients].application = keep_text(data, c->application);
    s->clients[s->nclients].user = keep_text(data, c->user);
    s->nclients++;
}

static void add_traffic(Data *data, LintHtmlShape *s, const LintTraffic *t) {
    s->errors += t->errors;
    s->blocked += t->blocked;
    s->noticed += t->noticed;
    if (t->max_ms > s->max_ms)
        s->max_ms = t->max_ms;
    if (t->first_seen && (!s->first_seen || strcmp(t->first_seen, s->first_seen) < 0))
        s->first_seen = keep_text(data, t->first_seen);
    if (t->last_seen && (!s->last_seen || strcmp(t->last_seen, s->last_seen) > 0))
        s->last_seen = keep_text(data, t->last_seen);
    for (int i = 0; i < t->nclients; i++)
        add_client(data, s, &t->clients[i]);
    data->html.detailed = true;
}

static void add_place(Data *data, LintHtmlShape *s, const LintOrigin *origin) {
    const char *file = keep_text(data, origin->file);
    const char *last = s->nplaces > 0 ? s->places[s->nplaces - 1] : "";
    if (!file || s->nplaces == MAX_PLACES)
        return;
    if (origin->line > 0)
        file = arena_printf(data->html.arena, "%s:%" PRId64, file, origin->line);
    if (strcmp(file, last) != 0)
        s->places[s->nplaces++] = file;
}

static void add(LintReport *report, Arena *arena, const LintResult *r) {
    Data *data = report->data;
    const LintOrigin *origin = &r->origin;
    const LintClass class = class_of(r->decision);
    ShapeKey key = {.fingerprint = r->fingerprint ? r->fingerprint : str_hash(r->sql), .class = class};
    Shape *shape;
    HASH_FIND(hh, data->shapes, &key, sizeof key, shape);
    if (!shape) {
        shape = make_shape(data, arena, r, key);
        data->html.sums[class].shapes++;
        data->html.rewritten += r->decision->rewritten;
    }
    LintHtmlShape *s = &shape->public;
    uint64_t calls = origin->measured ? origin->calls : 1;
    s->calls += calls;
    s->total_ms += origin->total_ms;
    data->html.sums[class].calls += calls;
    data->html.sums[class].total_ms += origin->total_ms;
    data->html.measured |= origin->measured;
    data->html.timed |= origin->measured && !origin->untimed;
    if (origin->traffic)
        add_traffic(data, s, origin->traffic);
    else if (origin->application || origin->user)
        add_client(data, s,
                   &(LintClient){.application = origin->application ? origin->application : "",
                                 .user = origin->user,
                                 .calls = calls,
                                 .total_ms = origin->total_ms});
    add_place(data, s, origin);
    data->results++;
}

static void function(LintReport *report, Arena *arena, const LintFunction *f) {
    Data *data = report->data;
    LintHtml *html = &data->html;
    (void)arena;
    if (html->nfunctions == html->functions_room) {
        html->functions_room = html->functions_room ? html->functions_room * 2 : 8;
        LintFunction *more = ARENA_ARRAY(html->arena, LintFunction, html->functions_room);
        for (int i = 0; i < html->nfunctions; i++)
            more[i] = html->functions[i];
        html->functions = more;
    }
    LintFunction *kept = &html->functions[html->nfunctions++];
    *kept = *f;
    kept->signature = keep_text(data, f->signature);
    if (f->replacement.ptr) /* whole: half of a function is of no use */
        kept->replacement =
            str_of(arena_printf(html->arena, "%.*s", STR_ARG(lint_valid_text(html->arena, f->replacement))));
}

/* ---- the page ---- */

/* Of what was not measured: the worst first, then what is met most often. */
static int by_cost(const void *a, const void *b) {
    const LintHtmlShape *x = *(LintHtmlShape *const *)a, *y = *(LintHtmlShape *const *)b;
    if (x->total_ms != y->total_ms)
        return x->total_ms > y->total_ms ? -1 : 1;
    if (x->total_ms == 0 && x->class != y->class)
        return (int)y->class - (int)x->class;
    if (x->calls != y->calls)
        return x->calls > y->calls ? -1 : 1;
    return x->order - y->order;
}

static void finish(Data *data) {
    LintHtml *html = &data->html;
    time_t now = time(NULL);
    struct tm tm;
    char made[64];
    int n = 0;
    html->shapes = ARENA_ARRAY(html->arena, LintHtmlShape *, HASH_COUNT(data->shapes) + 1);
    for (Shape *s = data->shapes; s; s = s->hh.next)
        html->shapes[n++] = &s->public;
    qsort(html->shapes, (size_t)n, sizeof *html->shapes, by_cost);
    html->nshapes = n < LINT_HTML_MAX_SHAPES ? n : LINT_HTML_MAX_SHAPES;
    for (int i = 0; i < LINT_CLASSES; i++) {
        html->all.shapes += html->sums[i].shapes;
        html->all.calls += html->sums[i].calls;
        html->all.total_ms += html->sums[i].total_ms;
    }
    strftime(made, sizeof made, "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
    html->made = arena_strdup(html->arena, made);
}

/* ---- the file ---- */

static MUST_USE bool write_all(int fd, const Buf *page) {
    const uint8_t *at = buf_ptr(page), *end = at + buf_len(page);
    while (at < end) {
        ssize_t n = write(fd, at, (size_t)(end - at));
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? n : 0;
    }
    return true;
}

/* Beside the old page, which is there until the new one is complete; what is no file (a pipe, a terminal) is
 * written as it is. */
static MUST_USE bool write_file(const char *path, const Buf *page, Error *err) {
    struct stat st;
    char *target = realpath(path, NULL); /* a link stays one */
    bool direct = target && stat(target, &st) == 0 && !S_ISREG(st.st_mode);
    char *written =
        direct ? mem_strdup(target) : mem_printf("%s.%ld.part", target ? target : path, (long)getpid());
    int fd = open(written, O_WRONLY | O_CLOEXEC | (direct ? 0 : O_CREAT | O_TRUNC), 0666);
    bool ok = fd >= 0 && write_all(fd, page);
    int reason = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        reason = errno;
    }
    if (ok && !direct && rename(written, target ? target : path) != 0) {
        ok = false;
        reason = errno;
    }
    if (!ok) {
        if (!direct && fd >= 0)
            unlink(written);
        error_set(err, "58030", "%s: cannot write: %s", path, strerror(reason));
    }
    free(written);
    free(target);
    return ok;
}

static void print_summary(const LintReport *report, const LintHtml *html) {
    fprintf(report->out, "%s: %" PRIu64 " statement shape%s", report->path, html->all.shapes,
            html->all.shapes == 1 ? "" : "s");
    const char *separator = ": ";
    for (int i = 0; i < LINT_CLASSES; i++) {
        if (html->sums[i].shapes == 0)
            continue;
        fprintf(report->out, "%s%" PRIu64 " %s", separator, html->sums[i].shapes,
                lint_class_name((LintClass)i));
        separator = ", ";
    }
    if (html->nfunctions > 0)
        fprintf(report->out, "; %d function%s to be changed", html->nfunctions,
                html->nfunctions == 1 ? " is" : "s are");
    putc('\n', report->out);
}

static void end(LintReport *report) {
    Data *data = report->data;
    Buf page = {0};
    finish(data);
    lint_html_page(&data->html, &page);
    if (strcmp(report->path, "-") == 0) {
        fwrite(buf_ptr(&page), 1, buf_len(&page), report->out);
    } else {
        report->failed = !write_file(report->path, &page, &report->error);
        if (!report->failed)
            print_summary(report, &data->html);
    }
    buf_free(&page);
    free_data(report);
}

const LintForm lint_form_html = {.name = "html",
                                 .begin = begin,
                                 .add = add,
                                 .function = function,
                                 .end = end,
                                 .place = place,
                                 .abandon = free_data};
