/* Status for programs. The steps have the columns of a proxy's SHOW MIGRATION. */
#include <inttypes.h>

#include "audit/json.h"
#include "cli/status_view.h"

/* ,"name":123, or null where nobody knows. */
static void put_number(Buf *out, const char *name, int64_t n) {
    if (n < 0)
        buf_printf(out, ",\"%s\":null", name);
    else
        buf_printf(out, ",\"%s\":%" PRId64, name, n);
}

static void put_bool(Buf *out, const char *name, bool value) {
    buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

static void put_runner(const Progress *p, Buf *out) {
    if (p->runner_pid == 0) {
        buf_append_cstr(out, ",\"runner\":null");
        return;
    }
    buf_printf(out, ",\"runner\":{\"pid\":%" PRId64, p->runner_pid);
    json_append_member(out, "host", p->runner_host);
    json_append_member(out, "since", p->runner_since);
    buf_append_cstr(out, "}");
}

static void put_failure(const Progress *p, Buf *out) {
    if (!p->failed_at) {
        buf_append_cstr(out, ",\"last_failure\":null");
        return;
    }
    buf_append_cstr(out, ",\"last_failure\":{\"at\":");
    json_append_value(out, p->failed_at);
    json_append_member(out, "step", p->failed_step);
    json_append_member(out, "table", p->failed_object);
    json_append_member(out, "message", p->failure);
    buf_append_cstr(out, "}");
}

static void put_table(const ProgressTable *t, Buf *out) {
    buf_append_cstr(out, "{\"table\":");
    json_append_value(out, t->table);
    json_append_member(out, "kind", t->kind);
    json_append_member(out, "stage", t->stage);
    json_append_member(out, "tenant_column", t->tenant_column);
    put_number(out, "since_epoch", t->since_epoch);
    buf_append_cstr(out, "}");
}

static void put_step(const ProgressStep *s, Buf *out) {
    buf_printf(out, "{\"position\":%" PRId64, s->position);
    json_append_member(out, "step", s->step);
    json_append_member(out, "table", s->object);
    json_append_member(out, "what", s->what);
    json_append_member(out, "state", progress_step_state_name(s->state));
    json_append_member(out, "started", s->started);
    put_number(out, "elapsed_ms", s->elapsed_ms);
    json_append_member(out, "phase", s->phase);
    put_number(out, "done", s->done);
    put_number(out, "total", s->total);
    json_append_member(out, "unit", s->unit);
    put_number(out, "rate", s->rate);
    put_number(out, "batch", s->batch);
    put_number(out, "left_s", s->left_s);
    json_append_member(out, "waiting_for", s->waiting_for);
    json_append_member(out, "blocked_by", s->blocked_by);
    buf_append_cstr(out, "}");
}

static void put_proxy(const ProgressProxy *p, Buf *out) {
    buf_append_cstr(out, "{\"host\":");
    json_append_value(out, p->host);
    put_number(out, "pid", p->pid);
    json_append_member(out, "version", p->version);
    put_number(out, "epoch", p->epoch);
    buf_printf(out, ",\"lease_left_ms\":%" PRId64, p->lease_left_ms);
    put_bool(out, "revoked", p->revoked);
    buf_append_cstr(out, "}");
}

void status_json(const Progress *p, Buf *out) {
    buf_append_cstr(out, "{\"state\":");
    json_append_value(out, progress_state_name(p->state));
    put_number(out, "epoch", p->epoch);
    put_bool(out, "paused", p->paused);
    put_number(out, "rows_per_second", p->rows_per_second > 0 ? p->rows_per_second : -1);
    json_append_member(out, "changed_by", p->changed_by);
    json_append_member(out, "changed", p->changed);
    put_runner(p, out);
    put_failure(p, out);
    json_append_member(out, "next", p->next);
    put_number(out, "steps_done", p->ndone);
    buf_append_cstr(out, ",\"tables\":[");
    for (int i = 0; i < p->ntables; i++) {
        buf_append_cstr(out, i ? "," : "");
        put_table(&p->tables[i], out);
    }
    buf_append_cstr(out, "],\"steps\":[");
    for (int i = 0; i < p->nsteps; i++) {
        buf_append_cstr(out, i ? "," : "");
        put_step(&p->steps[i], out);
    }
    buf_append_cstr(out, "],\"proxies\":[");
    for (int i = 0; i < p->nproxies; i++) {
        buf_append_cstr(out, i ? "," : "");
        put_proxy(&p->proxies[i], out);
    }
    buf_append_cstr(out, "]}");
}
