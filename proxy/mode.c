/* Judging statements by the session's modes. */
#include "proxy/mode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "parser/facts.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "proxy/sqlprep.h"
#include "wire/backend.h"
#include "wire/frame.h"

/* A session is not warned of more shapes than this: who sends so many reads none of it. */
#define MAX_NOTICED 1024
#define FIRST_NOTICED 16
/* A text that is not parsed because of the session's encoding may be a ROLLBACK if it is no longer than this.
 */
#define MAX_CONTROL_BYTES 1024

/* SQLSTATE class 01: warning. */
#define SQLSTATE_WARNING "01000"

/* ---- subjects ---- */

/* Of one statement, when it is executed; MODE_SUBJECTS: there is nothing to say of it. */
static ModeSubject subject_of(const Plan *plan, int index) {
    const StatementDecision *d = &plan->decision->statements[index];
    switch (d->verdict) {
    case VERDICT_MULTI_TENANT:
        return d->citus_error ? MODE_REFUSED : MODE_MULTI_TENANT;
    case VERDICT_OPAQUE:
        return MODE_OPAQUE;
    case VERDICT_UNPARSED:
        return MODE_UNPARSED;
    case VERDICT_NO_TENANT_TABLE:
    case VERDICT_SINGLE_TENANT:
        break;
    }
    return MODE_SUBJECTS;
}

/* Whether a statement of a text is executed with it. What a PREPARE prepares is judged when it is EXECUTEd;
 * with others behind it in the text it may be in the same breath. */
static bool is_executed(const Plan *plan, int index) {
    const Statement *stmt = plan_statement(plan, index);
    if (stmt && stmt->kind == STMT_EXPLAIN)
        return stmt->explain_analyze;
    return !plan->prepares || plan->nstatements > 1;
}

/* What a statement EXECUTEs; NULL. */
static const char *executed_name(const Statement *stmt) {
    while (stmt && ((stmt->kind == STMT_EXPLAIN && stmt->explain_analyze) || stmt->kind == STMT_CREATE_AS))
        stmt = stmt->inner;
    return stmt && stmt->kind == STMT_EXECUTE ? stmt->name : NULL;
}

uint8_t mode_subjects_of(const Plan *plan) {
    uint8_t bits = 0;
    for (int i = 0; i < plan->nstatements; i++) {
        ModeSubject subject = subject_of(plan, i);
        if (subject != MODE_SUBJECTS && is_executed(plan, i))
            bits |= MODE_BIT(subject);
        if (executed_name(plan_statement(plan, i)))
            bits |= MODE_BIT_EXECUTES;
    }
    return bits;
}

void mode_follow(Session *s) {
    SessionModes *m = &s->modes;
    Modes modes = config_modes(s->worker->runtime->config, s->user, s->application);
    if (memcmp(&modes, &m->modes, sizeof modes) == 0)
        return;
    m->modes = modes;
    m->changes++;
    m->watched = 0;
    for (int i = 0; i < MODE_SUBJECTS; i++)
        if (modes.action[i] > MODE_LOG)
            m->watched |= MODE_BIT(i) | MODE_BIT_EXECUTES;
}

void mode_free(SessionModes *m) {
    free(m->noticed);
    buf_free(&m->notice);
}

/* ---- what is never blocked ---- */

/* In an aborted transaction the server answers, unless something in the text ends it, or may. */
static bool is_for_server(const Session *s, const Plan *plan) {
    const Statement *stmt;
    if (!session_is_aborted(s) || !plan_statement(plan, 0))
        return false;
    for (int i = 0; (stmt = plan_statement(plan, i)); i++)
        if (stmt->kind == STMT_TRANSACTION)
            return false;
    return true;
}

static bool is_control(StmtKind kind) {
    static const StmtKind KINDS[] = {STMT_EMPTY,   STMT_SET,        STMT_SHOW,  STMT_TRANSACTION,
                                     STMT_DISCARD, STMT_DEALLOCATE, STMT_CURSOR};
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++)
        if (KINDS[i] == kind)
            return true;
    return false;
}

/* A text that was not given to the parser because of what the session's encoding or its strings might hide:
 * in one of plain ASCII without a backslash they hide nothing. It is looked at for this alone, so that a
 * session can end its transaction and set its parameters right. */
static bool is_session_control(const Plan *plan, Str text) {
    if (plan_statement(plan, 0) || text.len == 0 || text.len > MAX_CONTROL_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80 || text.ptr[i] == '\\')
            return false;
    Arena *arena = arena_new();
    Error err;
    const Facts *facts = facts_parse(arena, text, (FactsLimits){0}, &err);
    bool control = facts != NULL;
    for (int i = 0; control && i < facts->nstatements; i++)
        control = is_control(facts->statements[i].kind);
    arena_free(arena);
    return control;
}

/* ---- words ---- */

static const char *const phrases[] = {
    [MODE_MULTI_TENANT] = "is not scoped to one tenant",
    [MODE_REFUSED] = "would be refused by Citus",
    [MODE_OPAQUE] = "cannot be judged by its text",
    [MODE_UNPARSED] = "cannot be read",
};

static void put_tables(Buf *out, const StatementDecision *d) {
    const char *const *tables = d->nunscoped > 0 ? d->unscoped : d->tables;
    int n = d->nunscoped > 0 ? d->nunscoped : d->ntables;
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s%s", i == 0 ? ": " : ", ", tables[i]);
    buf_put_u8(out, 0);
}

/* A plan's statement as the client is told of it. */
static void describe(Error *err, const Plan *plan, int index, ModeSubject subject, bool blocked) {
    const StatementDecision *d = &plan->decision->statements[index];
    const char *reason = subject == MODE_REFUSED ? d->citus_error : d->reason;
    uint64_t fingerprint = plan_fingerprint(plan, index);
    Buf tables = {0};
    put_tables(&tables, d);
    error_set(err, blocked ? SQLSTATE_FEATURE_NOT_SUPPORTED : SQLSTATE_WARNING, "%sstatement %s%s",
              blocked ? "blocked: " : "", phrases[subject], (const char *)buf_ptr(&tables));
    buf_free(&tables);
    if (reason)
        error_detail(err, "%s", reason);
    if (d->suggestion && blocked)
        error_hint(err, "%s; or let it pass with ALLOW %016" PRIx64 " on the proxy's console", d->suggestion,
                   fingerprint);
    else if (blocked)
        error_hint(err, "To let it pass: ALLOW %016" PRIx64 " on the proxy's console.", fingerprint);
    else if (d->suggestion)
        error_hint(err, "%s", d->suggestion);
}

/* ---- warnings ---- */

/* Whether a fingerprint is in the table, which has room; *slot is where it is, or would be. No statement that
 * there is something to say of has fingerprint 0. */
static bool find_noticed(const SessionModes *m, uint64_t fingerprint, uint32_t *slot) {
    *slot = (uint32_t)(fingerprint * 0x9E3779B97F4A7C15u >> 32) & (m->capacity - 1);
    while (m->noticed[*slot] != 0 && m->noticed[*slot] != fingerprint)
        *slot = (*slot + 1) & (m->capacity - 1);
    return m->noticed[*slot] == fingerprint;
}

static void grow_noticed(SessionModes *m) {
    SessionModes bigger = {.capacity = m->capacity ? m->capacity * 2 : FIRST_NOTICED};
    bigger.noticed = mem_zalloc(sizeof *bigger.noticed * bigger.capacity);
    for (uint32_t i = 0; i < m->capacity; i++) {
        uint32_t slot;
        if (m->noticed[i] != 0 && !find_noticed(&bigger, m->noticed[i], &slot))
            bigger.noticed[slot] = m->noticed[i];
    }
    free(m->noticed);
    m->noticed = bigger.noticed;
    m->capacity = bigger.capacity;
}

/* Notes that the client is told of a shape; false if it was before, or of too many. */
static bool note_shape(SessionModes *m, uint64_t fingerprint) {
    uint32_t slot;
    if (m->nnoticed * 2 >= m->capacity)
        grow_noticed(m);
    if (find_noticed(m, fingerprint, &slot) || m->nnoticed == MAX_NOTICED)
        return false;
    m->noticed[slot] = fingerprint;
    m->nnoticed++;
    return true;
}

static bool was_noticed(const SessionModes *m, uint64_t fingerprint) {
    uint32_t slot;
    return m->nnoticed == MAX_NOTICED || (m->capacity > 0 && find_noticed(m, fingerprint, &slot));
}

static void warn(Session *s, const Plan *plan, int index, ModeSubject subject) {
    uint64_t fingerprint = plan_fingerprint(plan, index);
    Error notice;
    if (was_noticed(&s->modes, fingerprint))
        return;
    describe(&notice, plan, index, subject, false);
    buf_append(&s->modes.notice, &fingerprint, sizeof fingerprint);
    backend_put_notice(&s->modes.notice, "WARNING", &notice);
}

void mode_taken(Session *s, uint64_t first) {
    Buf *notice = &s->modes.notice;
    s->modes.judged = false;
    if (buf_len(notice) == 0)
        return;
    if (first < s->replies.pushed && first >= s->replies.popped)
        reply_give_notice(&s->replies, (uint32_t)(first - s->replies.popped), notice);
    buf_free(notice);
}

void mode_send_notices(Session *s, Gather *out) {
    Buf *notice = reply_take_notice(&s->replies);
    if (!notice)
        return;
    while (buf_len(notice) > 0) {
        uint64_t fingerprint;
        Frame frame = {0};
        Error err;
        memcpy(&fingerprint, buf_ptr(notice), sizeof fingerprint);
        buf_consume(notice, sizeof fingerprint);
        if (frame_decode_backend(buf_ptr(notice), buf_len(notice), &frame, &err) != WIRE_OK)
            break;
        size_t size = FRAME_HEADER_BYTES + (size_t)frame.length;
        if (note_shape(&s->modes, fingerprint))
            gather_copy(out, buf_ptr(notice), size);
        buf_consume(notice, size);
    }
    buf_free(notice);
    free(notice);
}

/* ---- judging ---- */

/* The session is about to execute a plan's statement. Returns why not. */
static Error *judge_statement(Session *s, const Plan *plan, int index, ModeSubject subject) {
    Worker *w = s->worker;
    int64_t now_us = worker_wall_us(w);
    ModeAction action = subject == MODE_SUBJECTS ? MODE_LOG : (ModeAction)s->modes.modes.action[subject];
    if (action <= MODE_LOG ||
        allowed_pass(&w->proxy->allowed, &plan->allowed[index], plan_fingerprint(plan, index), now_us))
        return NULL;
    if (action == MODE_NOTICE) {
        STAT_ADD(w->stats.noticed, 1);
        if (plan->audit)
            audit_count_noticed(plan->audit[index], session_audit_client(s));
        warn(s, plan, index, subject);
        return NULL;
    }
    STAT_ADD(w->stats.blocked, 1);
    if (plan->audit)
        audit_count_blocked(plan->audit[index], session_audit_client(s), now_us);
    Error *err = MEM_NEW(Error);
    describe(err, plan, index, subject, true);
    return err;
}

/* What a name stands for, counted; the protocol's statements and those of SQL share their names. NULL: that
 * is not known, or not yet. */
static Plan *plan_of_name(Session *s, const char *name) {
    if (s->prepare_mark > s->replies.popped)
        return NULL;
    Plan *plan = sqlprep_plan(s, name);
    const Prepared *p = plan ? NULL : prepared_find(&s->prepared, str_of(name));
    return !p ? plan : p->unread ? plan_ref(p->plan) : session_plan(s, p->query);
}

/* The same for a statement of a text, which may EXECUTE another: that is judged in its place if it is known.
 */
static Error *judge_at(Session *s, const Plan *plan, int index) {
    if (!is_executed(plan, index))
        return NULL;
    const char *name = executed_name(plan_statement(plan, index));
    Plan *executed = name ? plan_of_name(s, name) : NULL;
    if (!executed)
        return judge_statement(s, plan, index, subject_of(plan, index));
    Error *refusal =
        executed->nstatements > 0 ? judge_statement(s, executed, 0, subject_of(executed, 0)) : NULL;
    plan_unref(executed);
    return refusal;
}

/* Whether the message at hand is to be judged: it is not, once more, when what it waited for has come. */
static bool begin_judging(Session *s) {
    bool judged = s->modes.judged;
    s->modes.judged = true;
    return !judged;
}

Error *mode_judge(Session *s, const Plan *plan, Str text) {
    Error *refusal = NULL;
    if (!(s->modes.watched & plan->subjects) || !begin_judging(s))
        return NULL;
    if (is_for_server(s, plan) || is_session_control(plan, text))
        return NULL;
    for (int i = 0; !refusal && i < plan->nstatements; i++)
        refusal = judge_at(s, plan, i);
    return refusal;
}

Error *mode_judge_name(Session *s, Str name) {
    char key[PREPARED_NAME_BYTES];
    if (!s->modes.watched || name.len == 0 || session_is_aborted(s) || !begin_judging(s))
        return NULL;
    prepared_name(key, name);
    Plan *plan = plan_of_name(s, key);
    Error *refusal = plan && plan->nstatements > 0 ? judge_statement(s, plan, 0, subject_of(plan, 0)) : NULL;
    plan_unref(plan);
    return refusal;
}
