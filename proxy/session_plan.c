/* What a session knows that gives a text its meaning, and the plan that follows. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "parser/comment.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "proxy/sqlprep.h"
#include "wire/frontend.h"

/* Of the tenant, in a statement's comment. */
#define COMMENT_KEY "tenant"

/* ---- defaults ---- */

/* What ALTER ROLE … SET and ALTER DATABASE … SET give a parameter, the closest first (PostgreSQL
 * documentation, ALTER ROLE). */
static const char *default_of(const Session *s, const char *parameter, const char *otherwise) {
    const Snapshot *snapshot = s->worker->snapshot;
    const char *best = otherwise;
    int best_rank = 0;
    for (int i = 0; i < snapshot->nsettings; i++) {
        const RoleSetting *r = &snapshot->settings[i];
        if (strcasecmp(r->name, parameter) != 0 || (r->role && strcmp(r->role, s->user) != 0) ||
            (r->database && strcmp(r->database, s->database) != 0))
            continue;
        int rank = 1 + (r->database ? 1 : 0) + (r->role ? 2 : 0);
        if (rank > best_rank) {
            best_rank = rank;
            best = r->value;
        }
    }
    return best;
}

/* ---- tenant ---- */

/* Whether `predicted` is sure of the tenant. A statement of an older batch that is not answered yet may fail,
 * and what follows that batch is executed all the same; in the same batch it would be skipped. */
static bool tenant_is_settled(const Session *s) {
    if (s->tenant_mark <= s->replies.popped)
        return true;
    bool older = s->batch_mark >= s->tenant_mark, restored = false, restored_older = false;
    for (uint32_t i = (uint32_t)(s->tenant_mark - s->replies.popped); i-- > 0;) {
        const Reply *r = reply_at(&s->replies, i);
        older |= r->kind == REPLY_SYNC || r->kind == REPLY_QUERY || r->kind == REPLY_FUNCTION;
        if (!r->plan || !r->plan->has_effects || (r->kind != REPLY_QUERY && r->kind != REPLY_EXECUTE))
            continue;
        for (int n = r->plan->nstatements; n-- > 0;) {
            TrackTenant change = track_changes_tenant(plan_statement(r->plan, n));
            if (change == TRACK_TENANT_SET && (older || !restored))
                return !older;
            restored |= change == TRACK_TENANT_RESTORED;
            restored_older |= older && change == TRACK_TENANT_RESTORED;
        }
    }
    return !restored_older || track_tenant_is_steady(&s->confirmed);
}

static const char *default_tenant(Session *s) {
    if (!s->default_tenant && s->worker->snapshot)
        s->default_tenant = mem_strdup(default_of(s, TRACK_TENANT, ""));
    return s->default_tenant;
}

const char *session_tenant(Session *s, Str text, bool *unknown) {
    const TrackValues *v = s->predicted.current;
    Buf *comment = &s->worker->tenant;
    *unknown = false;
    if (comment_tenant(text, COMMENT_KEY, comment)) {
        buf_put_u8(comment, 0);
        return (const char *)buf_ptr(comment);
    }
    const char *tenant = v->tenant ? v->tenant : default_tenant(s);
    *unknown = v->tenant_unknown || !tenant_is_settled(s);
    return *unknown || !tenant || !tenant[0] ? NULL : tenant;
}

/* ---- context ---- */

static SessionContext context_values(const Session *s) {
    const TrackValues *v = s->predicted.current;
    const char *path = v->search_path ? v->search_path : s->default_path;
    bool uses_role = path && strstr(path, "$user");
    const char *role = track_role(v) ? track_role(v) : s->user;
    return (SessionContext){
        .search_path = path,
        .search_path_known = path && !v->path_unknown && !(uses_role && v->role_unknown),
        .role = uses_role ? role : NULL,
        .temp_tables = v->ntemps > 0,
        .temp_names = (const char *const *)v->temps,
        .ntemp_names = v->ntemps,
    };
}

/* Where it is not settled which of two tenants counts, one of them that is not none is enough: whoever asks
 * for it waits until it is. */
static bool may_have_tenant(Session *s, Str text) {
    const TrackValues *before = s->confirmed.current, *after = s->predicted.current;
    bool unknown;
    const char *tenant = session_tenant(s, text, &unknown);
    if (!unknown || after->tenant_unknown)
        return tenant != NULL;
    const char *either[] = {before->tenant ? before->tenant : default_tenant(s),
                            after->tenant ? after->tenant : default_tenant(s)};
    return (either[0] && either[0][0]) || (either[1] && either[1][0]);
}

static const Context *session_context(Session *s, Str text) {
    Worker *w = s->worker;
    if (!s->default_path && w->snapshot) {
        s->default_path = mem_strdup(default_of(s, "search_path", w->snapshot->search_path));
        s->context_stale = true;
    }
    if (!s->contexts[0] || s->context_stale || s->context_changes != s->predicted.changes) {
        SessionContext values = context_values(s);
        /* The old one is let go after the new one is found: mostly they are the same, and its number must
         * last. So it must while texts with a tenant and without one take turns: both are kept. */
        for (int i = 0; i < 2; i++) {
            Context *old = s->contexts[i];
            values.has_tenant = i == 1;
            s->contexts[i] = context_get(&w->contexts, &values);
            context_unref(&w->contexts, old);
        }
        s->context_stale = false;
        s->context_changes = s->predicted.changes;
    }
    return s->contexts[may_have_tenant(s, text)];
}

/* ---- plans ---- */

static const char *why_unreadable(const Session *s) {
    if (!s->ascii_safe)
        return "client_encoding has characters that contain the byte of a backslash";
    if (!s->strings_standard)
        return "standard_conforming_strings is off";
    if (s->encoding_pending)
        return "the encoding of the text is being changed in the same batch";
    return NULL;
}

static void log_new_shape(const AuditSubject *subject, void *arg) {
    const Session *s = arg;
    const AuditLogRecord record = {
        .time_us = worker_wall_us(s->worker),
        .subject = *subject,
        .database = s->database,
        .client = s->address,
    };
    audit_log_put(s->worker->proxy->audit_log, &record);
}

static PlanRequest make_request(Session *s, Str text) {
    return (PlanRequest){
        .text = text,
        .snapshot = s->worker->snapshot,
        .context = session_context(s, text),
        .unparsed_because = why_unreadable(s),
        .utf8 = s->utf8,
        .application = s->application,
        .role = s->user,
    };
}

AuditClient *session_audit_client(Session *s) {
    if (!s->audit_client)
        s->audit_client = audit_client(s->worker->ledger, s->application, s->user);
    return s->audit_client;
}

Plan *session_plan(Session *s, Str text) {
    PlanRequest request = make_request(s, text);
    return plan_get(&s->worker->plans, &request, log_new_shape, s);
}

Plan *session_plan_unread(Session *s, Str sample, const char *why) {
    PlanRequest request = make_request(s, sample);
    request.unparsed_because = why;
    return plan_get(&s->worker->plans, &request, log_new_shape, s);
}

bool session_plan_is_current(Session *s, const Plan *plan, Str text) {
    const Snapshot *snapshot = s->worker->snapshot;
    return plan_audits_as(plan, &s->worker->plans) &&
           plan->generation == (snapshot ? snapshot->generation : 0) &&
           plan->context == session_context(s, text)->number;
}

/* ---- effects ---- */

void session_predict(Session *s, const Plan *plan) {
    if (plan->sets_encoding) {
        s->encoding_pending = true;
        s->encoding_mark = s->replies.pushed;
    }
    if (!plan->has_effects)
        return;
    const Statement *stmt;
    for (int i = 0; (stmt = plan_statement(plan, i)); i++)
        if (track_concerns(stmt)) {
            track_apply(&s->predicted, stmt, STR_NONE);
            if (track_changes_tenant(stmt) != TRACK_TENANT_KEPT)
                s->tenant_mark = s->replies.pushed;
        }
}

void session_predict_end(Session *s) {
    s->batch_mark = s->replies.pushed;
    track_message_end(&s->predicted, false);
    s->begun &= s->predicted.in_block;
}

void session_predict_anew(Session *s) {
    if (track_equal(&s->predicted, &s->confirmed))
        return;
    bool failed = s->failed; /* what stands at the head of the queue ends what failed */
    track_copy(&s->predicted, &s->confirmed);
    for (uint32_t i = 0; i < s->replies.count; i++) {
        const Reply *r = reply_at(&s->replies, i);
        if (r->plan && (r->kind == REPLY_QUERY || r->kind == REPLY_EXECUTE))
            session_predict(s, r->plan);
        if (r->kind == REPLY_QUERY || r->kind == REPLY_FUNCTION || r->kind == REPLY_SYNC) {
            track_message_end(&s->predicted, failed);
            failed = false;
        }
    }
}

/* A plan is shared by texts that differ in literals: where the statement stands in this one is asked anew. */
static void add_prepared(Session *s, const Plan *plan, int index, Str text) {
    Plan *known = session_plan(s, text);
    const Statement *stmt = plan_statement(known, index);
    if (stmt) {
        Span span = plan_span(&s->worker->plans, known, stmt->span);
        sqlprep_add(s, stmt->name, (Str){text.ptr + span.start, span.end - span.start}, plan);
    }
    plan_unref(known);
}

void session_confirm(Session *s, const Plan *plan, int index, Str tag, Str text) {
    const Statement *stmt = plan_statement(plan, index);
    if (!stmt)
        return;
    if (plan->has_effects && track_concerns(stmt)) {
        bool was_in_block = s->confirmed.in_block;
        track_apply(&s->confirmed, stmt, tag);
        if (was_in_block && (!s->confirmed.in_block || stmt->chain))
            s->failed = false; /* what follows in the same string is another transaction */
    }
    if (stmt->is_ddl)
        s->ddl = true;
    if (stmt->kind == STMT_PREPARE && text.ptr)
        add_prepared(s, plan, index, text);
    /* DEALLOCATE and DISCARD ALL share their names with the protocol's statements. */
    if (!plan->drops_prepared)
        return;
    uint64_t before = s->replies.popped; /* younger ones were parsed behind this statement */
    if ((stmt->kind == STMT_DISCARD && stmt->discard_all) || (stmt->kind == STMT_DEALLOCATE && !stmt->name)) {
        prepared_remove_older(&s->prepared, before);
        sqlprep_remove_all(s);
    } else if (stmt->kind == STMT_DEALLOCATE) {
        Prepared *p = prepared_find(&s->prepared, str_of(stmt->name));
        if (p && p->sequence <= before)
            prepared_remove(&s->prepared, p);
        sqlprep_remove(s, stmt->name);
    }
}

/* ---- boundaries ---- */

void session_ready(Session *s, char transaction) {
    s->transaction = transaction;
    s->confirmed.in_block = transaction != 'I';
    if (transaction == 'I') {
        track_transaction_end(&s->confirmed, s->failed);
        if (reply_none(&s->replies) && (s->wrote || s->learnt || s->moved_parents))
            lookup_transaction_end(s, !s->failed);
        s->failed = false;
        s->used_cache &= !reply_none(&s->replies);
        s->begun &= !reply_none(&s->replies);
        if (reply_none(&s->replies)) { /* else messages behind this Sync may have bound new ones */
            portal_close_all(&s->prepared);
            s->bound_writes = false;
        }
        if (s->ddl) {
            s->ddl = false;
            control_request_reload(s->worker->proxy->control);
        }
    }
    if (reply_none(&s->replies))
        s->encoding_pending = false;
    else if (!s->mispredicted)
        return;
    s->mispredicted = false;
    session_predict_anew(s);
}

/* A statement of the old epoch may be in flight, or waiting in a portal that is already bound. */
static bool holds_old_epoch(const Session *s) { return s->drain_mark > s->replies.popped || s->bound_writes; }

static bool may_write(const Reply *r) {
    return (r->kind == REPLY_QUERY || r->kind == REPLY_EXECUTE || r->kind == REPLY_FUNCTION) &&
           (!r->plan || r->plan->may_write);
}

/* The number of the last message in the queue that may write; 0 if none does. */
static uint64_t last_write(const Session *s) {
    for (uint32_t i = s->replies.count; i > 0; i--)
        if (may_write(reply_at(&s->replies, i - 1)))
            return s->replies.popped + i;
    return 0;
}

/* The server keeps its answers until it is told to send them: a client that has sent neither Sync nor Flush
 * would keep it from being known that its statement is done. */
static void ask_for_answers(Session *s) {
    Buf *m = &s->worker->message;
    if (s->client_skip > 0 || s->copy_in)
        return;
    buf_clear(m);
    frontend_put_flush(m);
    stream_write(&s->server, buf_ptr(m), buf_len(m));
    buf_clear(m);
}

void session_epoch_changed(Session *s) {
    uint64_t mark = s->state == SESSION_ACTIVE ? last_write(s) : 0;
    if (mark == 0 && !(s->state == SESSION_ACTIVE && s->bound_writes))
        return;
    if (!s->drain_mark)
        s->worker->draining++;
    s->drain_mark = mark ? mark : 1;
    if (mark)
        ask_for_answers(s);
}

void session_check_drained(Session *s) {
    if (s->drain_mark && !holds_old_epoch(s)) {
        s->drain_mark = 0;
        worker_drained_one(s->worker);
    }
}
