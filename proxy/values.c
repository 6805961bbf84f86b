/* A slot's value: the session's tenant, or that of the parent which the row's key names. */
#include "proxy/values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "parser/lex.h"
#include "proxy/lookup.h"
#include "proxy/proxy.h"
#include "proxy/session.h"
#include "rewrite/slot.h"
#include "wire/frontend.h"

/* What the keys are read from. */
typedef struct Source {
    Session *s;
    const Plan *plan;
    Str text;
    Prepared *prepared; /* NULL: a simple query */
    const BindParam *params;
    Lookup *lookup; /* what is asked, and whose arena all is in */
    Str *values;    /* found */
} Source;

int values_own_parameters(const Plan *plan, int ntypes) {
    int n = plan_nparams(plan);
    return n > ntypes ? n : ntypes;
}

/* ---- keys ---- */

/* The OID under which the server takes $n; 0 if nobody knows yet. */
static uint32_t type_of_param(const Prepared *p, int n) {
    const uint8_t *types = n <= p->ntypes ? p->types : NULL;
    for (int turn = 0; turn < 2; turn++) {
        if (types) {
            const uint8_t *t = types + 4 * (n - 1);
            uint32_t oid = (uint32_t)t[0] << 24 | (uint32_t)t[1] << 16 | (uint32_t)t[2] << 8 | t[3];
            if (oid)
                return oid;
        }
        types = n <= p->ndescribed ? p->described : NULL;
    }
    return 0;
}

static bool is_number(Str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* A literal's value: 7, 'a''b'. False for other spellings; 007 is another one of a text. */
static bool read_literal(Arena *arena, const Column *column, Str text, Str *value) {
    if (text.len == 0 || text.ptr[0] != '\'') {
        *value = text;
        return is_number(text) && parent_key_is_integer(column);
    }
    char *bytes = ARENA_ARRAY(arena, char, text.len);
    size_t n = 0, i = 1;
    for (; i + 1 < text.len; i++) {
        bytes[n++] = text.ptr[i];
        if (text.ptr[i] == '\'' && (text.ptr[++i] != '\'' || i + 1 == text.len))
            return false; /* 'a' 'b' in two pieces */
    }
    *value = (Str){bytes, n};
    return i < text.len && text.ptr[i] == '\'';
}

static Str span_text(const Source *source, Span span) {
    return (Str){source->text.ptr + span.start, span.end - span.start};
}

static Span span_of(const Source *source, const SlotKey *key) {
    return plan_span(&source->s->worker->plans, source->plan, key->copy);
}

/* The key's value, if it can be read without the server. */
static bool plain_value(const Source *source, const SlotKey *key, BindParam *value, uint32_t *type) {
    *type = 0;
    if (key->param) {
        *value = source->params[key->param - 1];
        *type = type_of_param(source->prepared, key->param);
        return true;
    }
    value->binary = false;
    return key->literal && read_literal(source->lookup->arena, key->column,
                                        span_text(source, span_of(source, key)), &value->bytes);
}

/* As a key by itself, a parameter has the column's type, unless it was declared, or something else in the
 * statement says what it is. A number in digits is the same one whatever its type. */
static bool param_lacks_type(const Source *source, const SlotKey *key) {
    const BindParam *value = &source->params[key->param - 1];
    bool plain = !value->binary && parent_key_is_integer(key->column) && is_number(value->bytes);
    return value->bytes.ptr && !plain && plan_repeats_param(source->plan, key->param) &&
           type_of_param(source->prepared, key->param) == 0;
}

/* In an expression of the lookup's it may get another type than in the statement, too. */
static bool lacks_type(const Source *source, const SlotKey *key) {
    if (key->param)
        return param_lacks_type(source, key);
    if (key->copy.end == 0)
        return false;
    Str text = span_text(source, span_of(source, key));
    LexToken token = lex_next(text.ptr, text.len, 0);
    for (; token.kind != LEX_END && token.kind != LEX_UNTERMINATED;
         token = lex_next(text.ptr, text.len, token.end)) {
        int number = token.kind == LEX_PARAM ? (int)strtol(text.ptr + token.start + 1, NULL, 10) : 0;
        if (number > 0 && plan_repeats_param(source->plan, number) &&
            type_of_param(source->prepared, number) == 0)
            return true;
    }
    return false;
}

/* An expression with its parameters numbered anew: those of the lookup. */
typedef struct Renumbered {
    BindParam *params;
    uint32_t *types;
    int *numbers;
    int n;
} Renumbered;

static int renumber(const Source *source, Renumbered *r, int number) {
    for (int i = 0; i < r->n; i++)
        if (r->numbers[i] == number)
            return i + 1;
    r->numbers[r->n] = number;
    r->params[r->n] = source->params[number - 1];
    r->types[r->n] = type_of_param(source->prepared, number);
    return ++r->n;
}

static Str put_expression(const Source *source, Renumbered *r, Str text) {
    Arena *arena = source->lookup->arena;
    Buf sql = {0};
    LexToken token = lex_next(text.ptr, text.len, 0);
    size_t done = 0;
    for (; source->prepared && token.kind != LEX_END && token.kind != LEX_UNTERMINATED;
         token = lex_next(text.ptr, text.len, token.end)) {
        if (token.kind != LEX_PARAM)
            continue;
        buf_append(&sql, text.ptr + done, token.start - done);
        buf_printf(&sql, "$%d", renumber(source, r, (int)strtol(text.ptr + token.start + 1, NULL, 10)));
        done = token.end;
    }
    buf_append(&sql, text.ptr + done, text.len - done);
    Str copy = arena_str(arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)});
    buf_free(&sql);
    return copy;
}

static int want_expressions(const Source *source, const Slot *slot, int nkeys) {
    Lookup *l = source->lookup;
    int room = source->prepared ? values_own_parameters(source->plan, source->prepared->ntypes) : 0;
    Renumbered r = {.params = ARENA_ARRAY(l->arena, BindParam, room + 1),
                    .types = ARENA_ARRAY(l->arena, uint32_t, room + 1),
                    .numbers = ARENA_ARRAY(l->arena, int, room + 1)};
    Str *exprs = ARENA_ARRAY(l->arena, Str, nkeys);
    Span at = {0, 0};
    for (int k = 0; k < nkeys; k++) {
        const SlotKey *key = &slot->keys[k];
        if (key->param) {
            exprs[k] = str_of(arena_printf(l->arena, "$%d", renumber(source, &r, key->param)));
        } else if (key->copy.end > 0) {
            at = span_of(source, key);
            exprs[k] = put_expression(source, &r, span_text(source, at));
        } else {
            exprs[k] = key->text;
        }
    }
    int number = lookup_want_exprs(l, slot->table, exprs, r.params, r.types, r.n);
    if (at.end > 0)
        l->wants[number].position =
            (uint32_t)(source->s->utf8 ? utf8_count((Str){source->text.ptr, at.start}) : at.start) + 1;
    return number;
}

static int want_slot(const Source *source, const Slot *slot) {
    int n = slot->table->path.steps[0]->ncolumns;
    BindParam *values = ARENA_ARRAY(source->lookup->arena, BindParam, n);
    uint32_t *types = ARENA_ARRAY(source->lookup->arena, uint32_t, n);
    bool plain = true, literal = false;
    ParentKey ignored;
    for (int k = 0; k < n && plain; k++) {
        plain = plain_value(source, &slot->keys[k], &values[k], &types[k]);
        literal |= slot->keys[k].literal;
    }
    /* A literal that may not be a key at all stays one, so that the server's error has a place in the text.
     */
    if (plain && literal && parent_key(slot->table, values, types, &ignored) == PARENT_KEY_NONE)
        plain = false;
    return plain ? lookup_want_values(source->s, source->lookup, slot->table, values, types)
                 : want_expressions(source, slot, n);
}

/* ---- what is missing ---- */

static const char *key_list(Arena *arena, const ForeignKey *fk) {
    Buf list = {0};
    for (int k = 0; k < fk->ncolumns; k++)
        buf_printf(&list, "%s%s", k > 0 ? ", " : "", fk->child_columns[k]->name);
    const char *text = arena_strndup(arena, (const char *)buf_ptr(&list), buf_len(&list));
    buf_free(&list);
    return text;
}

/* The declared foreign key that the path's first step follows; NULL if tenant_from alone says so. */
static const ForeignKey *declared_key(const Table *table) {
    const ForeignKey *step = table->path.steps[0];
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];
        int found = 0;
        for (int j = 0; j < fk->ncolumns && fk->parent == step->parent; j++)
            for (int k = 0; k < step->ncolumns; k++)
                found += fk->child_columns[j] == step->child_columns[k];
        if (found == step->ncolumns)
            return fk;
    }
    return NULL;
}

/* As the server words it (ri_triggers.c): to the application it is the error that it always was. */
static Error *refusal_missing(Arena *arena, const Table *table, const ForeignKey *fk) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_FOREIGN_KEY_VIOLATION,
              "insert or update on table \"%s\" violates foreign key constraint \"%s\"", table->name,
              fk->name);
    error_detail(err, "The key (%s) is not present in table \"%s\".", key_list(arena, table->path.steps[0]),
                 fk->parent->name);
    return err;
}

Error *values_refusal(Arena *arena, const Table *table, TenantAnswer answer) {
    const ForeignKey *step = table->path.nsteps > 0 ? table->path.steps[0] : NULL;
    const ForeignKey *declared = step ? declared_key(table) : NULL;
    Error *err;
    if (answer == TENANT_MISSING && declared)
        return refusal_missing(arena, table, declared);
    err = MEM_NEW(Error);
    error_set(err, SQLSTATE_NOT_NULL_VIOLATION, "the tenant of a row for table \"%s\" cannot be found out",
              table->name);
    if (!step || answer == TENANT_UNASKED)
        error_detail(err, "The statement gives the row no parent, and the session has no tenant.");
    else if (answer == TENANT_NO_PARENT)
        error_detail(err, "Its %s is NULL, and the session has no tenant.", key_list(arena, step));
    else if (answer == TENANT_AMBIGUOUS)
        error_detail(err, "Several rows of table \"%s\", of several tenants, have its %s.",
                     step->parent->name, key_list(arena, step));
    else
        error_detail(err, "The row of table \"%s\" with its %s %s.", step->parent->name,
                     key_list(arena, step), answer == TENANT_MISSING ? "is not there" : "has no tenant");
    error_hint(err, "Name %s in the statement, or say SET shardferry.tenant.", table->tenant_column);
    return err;
}

/* ---- a message ---- */

/* *later: a statement that was sent before, and may yet fail, decides. */
static Str session_value(const Source *source, bool *later) {
    bool unknown = false;
    const char *tenant = session_tenant(source->s, source->text, &unknown);
    *later = unknown && !source->s->predicted.current->tenant_unknown;
    return unknown || !tenant ? STR_NONE : arena_str(source->lookup->arena, str_of(tenant));
}

static ValuesStatus fill(Source *source, Str session, const int *numbers, Error **refusal) {
    const Decision *d = source->plan->decision;
    Arena *arena = source->lookup->arena;
    source->values = ARENA_ARRAY(arena, Str, d->nslots);
    for (int i = 0; i < d->nslots; i++) {
        const Want *want = numbers && numbers[i] >= 0 ? lookup_answer(source->lookup, numbers[i]) : NULL;
        source->values[i] = session;
        if (session.ptr)
            continue;
        if (want && want->answer == TENANT_KNOWN) {
            source->values[i] = want->tenant;
        } else if (!d->slots[i].nullable) {
            *refusal = values_refusal(arena, d->slots[i].table, want ? want->answer : TENANT_UNASKED);
            return VALUES_REFUSED;
        }
    }
    return VALUES_READY;
}

static Lookup *take_scratch(Worker *w) {
    if (!w->lookup)
        w->lookup = lookup_new();
    lookup_reset(w->lookup);
    return w->lookup;
}

/* The session waits for it from here on. */
static ValuesStatus wait_for(Source *source, Plan *plan, const int *numbers) {
    source->lookup->plan = plan_ref(plan);
    source->lookup->numbers = numbers;
    source->s->worker->lookup = NULL;
    session_wait(source->s);
    return VALUES_WAIT;
}

static bool lacks_types(const Source *source) {
    const Decision *d = source->plan->decision;
    for (int i = 0; i < d->nslots && source->prepared; i++)
        for (int k = 0; d->slots[i].keys && k < d->slots[i].table->path.steps[0]->ncolumns; k++)
            if (lacks_type(source, &d->slots[i].keys[k]))
                return true;
    return false;
}

/* Has the server tell the types of the statement's parameters. */
static void ask_types(Source *source, Gather *out) {
    Session *s = source->s;
    Buf *m = &s->worker->message;
    Reply *r = reply_push(&s->replies, REPLY_DESCRIBE);
    r->started = s->worker->now;
    r->swallow = r->lookup = true;
    r->prepared = prepared_ref(source->prepared);
    r->added = (uint16_t)source->plan->decision->nslots;
    buf_clear(m);
    frontend_put_describe(m, 'S', str_of(source->prepared->name));
    frontend_put_flush(m);
    gather_copy(out, buf_ptr(m), buf_len(m));
    buf_clear(m);
    source->lookup->state = LOOKUP_WAITING;
    s->lookup = source->lookup;
}

static ValuesStatus settle(Source *source, Gather *out, Plan *plan, Error **refusal) {
    const Decision *d = plan->decision;
    source->lookup = take_scratch(source->s->worker);
    bool later;
    Str session = session_value(source, &later);
    if (later) {
        session_wait(source->s);
        return VALUES_WAIT;
    }
    if (session.ptr)
        return fill(source, session, NULL, refusal);
    if (lacks_types(source)) {
        ask_types(source, out);
        return wait_for(source, plan, NULL);
    }
    int *numbers = ARENA_ARRAY(source->lookup->arena, int, d->nslots);
    for (int i = 0; i < d->nslots; i++)
        numbers[i] = d->slots[i].keys ? want_slot(source, &d->slots[i]) : -1;
    if (!lookup_is_open(source->lookup))
        return fill(source, session, numbers, refusal);
    lookup_send(source->s, source->lookup, out);
    return wait_for(source, plan, numbers);
}

/* Whether a text has the same meaning under both plans: long ones are planned each time. */
static bool same_meaning(const Plan *a, const Plan *b) {
    return a == b || (a->generation == b->generation && a->context == b->context &&
                      a->decision->nslots == b->decision->nslots);
}

/* A message that is taken up again has its answers. If what it means has changed meanwhile, or only the types
 * were asked for, it begins anew with what was learnt. */
static ValuesStatus find_values(Source *source, Gather *out, Plan *plan, Error **refusal) {
    Session *s = source->s;
    Lookup *l = s->lookup;
    if (!l)
        return settle(source, out, plan, refusal);
    lookup_free(s->worker->lookup);
    s->worker->lookup = l;
    s->lookup = NULL;
    if (!l->numbers || !same_meaning(l->plan, plan))
        return settle(source, out, plan, refusal);
    source->lookup = l;
    return fill(source, STR_NONE, l->numbers, refusal);
}

ValuesStatus values_of_query(Session *s, Gather *out, Plan *plan, Str text, const Str **values,
                             Error **refusal) {
    const Decision *d = plan->decision;
    Source source = {.s = s, .plan = plan, .text = text};
    ValuesStatus status = find_values(&source, out, plan, refusal);
    if (status != VALUES_READY)
        return status;
    Str *texts = ARENA_ARRAY(source.lookup->arena, Str, d->nslots);
    Buf sql = {0};
    for (int i = 0; i < d->nslots; i++) {
        slot_put_literal(&sql, &d->slots[i], source.values[i]);
        texts[i] = arena_str(source.lookup->arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)});
        buf_clear(&sql);
    }
    buf_free(&sql);
    *values = texts;
    return status;
}

static Error *refusal_count(const BindMessage *bind, int demanded) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_PROTOCOL_VIOLATION,
              "bind message supplies %d parameters, but prepared statement \"%.*s\" requires %d",
              bind->nparams, STR_ARG(bind->statement), demanded);
    return err;
}

ValuesStatus values_of_bind(Session *s, Gather *out, Prepared *p, const BindMessage *bind, const Str **values,
                            Error **refusal) {
    int demanded = values_own_parameters(p->plan, p->ntypes);
    Source source = {.s = s, .plan = p->plan, .text = p->query, .prepared = p};
    if (bind->nparams != demanded) {
        *refusal = refusal_count(bind, demanded);
        return VALUES_REFUSED;
    }
    Arena *arena = arena_new();
    source.params = bind_params(bind, arena);
    if (plan_has_literals(p->plan)) /* where they stand in this text is found by its shape */
        plan_unref(session_plan(s, p->query));
    ValuesStatus status = find_values(&source, out, p->plan, refusal);
    *values = source.values;
    arena_free(arena);
    return status;
}
