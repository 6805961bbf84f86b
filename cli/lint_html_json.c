/* The page's data. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/lint_html.h"

static void set_text(json_t *object, const char *name, const char *text) {
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static void set_number(json_t *object, const char *name, uint64_t n) {
    if (n > 0)
        json_object_set_new(object, name, json_integer((json_int_t)n));
}

static void set_ms(json_t *object, const char *name, double ms) {
    if (ms > 0)
        json_object_set_new(object, name, json_real(ms));
}

static void set_list(json_t *object, const char *name, const char *const *items, int n) {
    if (n == 0)
        return;
    json_t *array = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(array, json_string(items[i]));
    json_object_set_new(object, name, array);
}

static json_t *client(const LintClient *c) {
    json_t *o = json_object();
    /* An application without a name is not the same as the rest of all that have none left. */
    json_object_set_new(o, "application", c->application ? json_string(c->application) : json_null());
    set_text(o, "user", c->user);
    set_number(o, "calls", c->calls);
    set_number(o, "errors", c->errors);
    set_ms(o, "total", c->total_ms);
    set_number(o, "blocked", c->blocked);
    set_number(o, "noticed", c->noticed);
    return o;
}

/* What is absent, zero or empty is left out. */
static json_t *shape(const LintHtmlShape *s) {
    json_t *o = json_object();
    set_text(o, "fingerprint", s->fingerprint);
    set_text(o, "verdict", lint_class_name(s->class));
    set_text(o, "sql", s->sql);
    set_list(o, "tables", s->tables, s->ntables);
    set_list(o, "unscoped", s->unscoped, s->nunscoped);
    set_text(o, "reason", s->reason);
    set_text(o, "suggestion", s->suggestion);
    set_text(o, "citus", s->citus_error);
    set_text(o, "proposed", s->proposed);
    set_text(o, "sent", s->sent);
    set_number(o, "calls", s->calls);
    set_number(o, "errors", s->errors);
    set_number(o, "blocked", s->blocked);
    set_number(o, "noticed", s->noticed);
    set_ms(o, "total", s->total_ms);
    set_ms(o, "max", s->max_ms);
    set_text(o, "first", s->first_seen);
    set_text(o, "last", s->last_seen);
    set_list(o, "places", s->places, s->nplaces);
    if (s->nclients > 0) {
        json_t *clients = json_array();
        for (int i = 0; i < s->nclients; i++)
            json_array_append_new(clients, client(&s->clients[i]));
        json_object_set_new(o, "clients", clients);
    }
    return o;
}

/* Within a script element neither "</script" nor "<!--" may stand; in JSON "<" stands in strings alone. */
static int append_without_markup(const char *data, size_t size, void *arg) {
    Buf *out = arg;
    size_t plain = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] != '<' && data[i] != '>' && data[i] != '&')
            continue;
        buf_append(out, data + plain, i - plain);
        buf_printf(out, "\\u%04x", (unsigned)data[i]);
        plain = i + 1;
    }
    buf_append(out, data + plain, size - plain);
    return 0;
}

static void append(Buf *out, json_t *value) {
    json_dump_callback(value, append_without_markup, out,
                       JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
    json_decref(value);
}

void lint_html_json(const LintHtml *html, Buf *out) {
    buf_printf(out, "{\"measured\":%s,\"timed\":%s,\"detailed\":%s,\"all\":%llu,\"shapes\":[",
               html->measured ? "true" : "false", html->timed ? "true" : "false",
               html->detailed ? "true" : "false", (unsigned long long)html->all.shapes);
    for (int i = 0; i < html->nshapes; i++) {
        if (i > 0)
            buf_append_cstr(out, ",\n");
        append(out, shape(html->shapes[i]));
    }
    buf_append_cstr(out, "]}");
}
