/* Splitting, finding tenants, writing. */
#include "proxy/copy_batch.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "proxy/copy_context.h"
#include "proxy/copy_value.h"
#include "proxy/session.h"
#include "proxy/values.h"
#include "rewrite/context.h"

#define MAX_ROWS 10000
#define MAX_BYTES (1024 * 1024)
/* Rows that may reference later ones should come in one batch: it is checked as a whole. */
#define SELF_REFERENCE_FACTOR 20
/* The server's MaxAllocSize: no line, and no field, is longer. */
#define MAX_ROW_BYTES 0x3fffffffu

#define SQLSTATE_BAD_COPY_FILE_FORMAT "22P04"

static bool references_itself(const Table *table) {
    for (int i = 0; i < table->nforeign_keys; i++)
        if (table->foreign_keys[i]->parent == table)
            return true;
    return false;
}

void copy_batch_init(CopyBatch *b, const CopyPlan *plan, Str tenant, bool utf8, int server_version) {
    char *text = tenant.ptr ? mem_printf("%.*s", STR_ARG(tenant)) : NULL;
    *b = (CopyBatch){.plan = plan, .utf8 = utf8, .lookup = lookup_new()};
    b->tenant = (Str){text, tenant.len};
    b->plain_integers = server_version < 160000;
    b->max_rows = MAX_ROWS;
    b->max_bytes = MAX_BYTES;
    if (references_itself(plan->table)) {
        b->max_rows *= SELF_REFERENCE_FACTOR;
        b->max_bytes *= SELF_REFERENCE_FACTOR;
    }
    b->by_tenant = text && rewrite_needs_values(plan->table);
    if (!plan->keys)
        return;
    int nkeys = plan->table->path.steps[0]->ncolumns;
    b->positions = mem_alloc(sizeof *b->positions * (size_t)nkeys);
    b->fields = mem_alloc(sizeof *b->fields * (size_t)nkeys);
    b->values = mem_alloc(sizeof *b->values * (size_t)nkeys);
    b->types = mem_zalloc(sizeof *b->types * (size_t)nkeys); /* the columns' own */
    for (int k = 0; k < nkeys; k++)
        b->positions[k] = plan->keys[k].position;
}

void copy_batch_free(CopyBatch *b) {
    free((char *)b->tenant.ptr);
    free(b->positions);
    free(b->fields);
    free(b->values);
    free(b->types);
    buf_free(&b->data);
    free(b->rows);
    free(b->refusal);
    free(b->refused_at);
    lookup_free(b->lookup);
    buf_free(&b->header);
    buf_free(&b->field);
    buf_free(&b->field_tenant);
    buf_free(&b->scratch);
}

void copy_batch_add(CopyBatch *b, const void *data, size_t size) {
    if (!b->ended)
        buf_append(&b->data, data, size);
}

/* ---- splitting ---- */

static void add_row(CopyBatch *b, const CopyRow *row, int want, uint64_t lines) {
    if (b->nrows == b->capacity) {
        b->capacity = b->capacity ? b->capacity * 2 : 64;
        b->rows = mem_realloc(b->rows, sizeof *b->rows * (size_t)b->capacity);
    }
    b->rows[b->nrows++] = (CopyBatchRow){.size = row->size,
                                         .content = row->content.len,
                                         .line_end = row->line_end,
                                         .want = want,
                                         .lines = lines,
                                         .own_lines = b->splitter.lines - lines};
    b->split += row->size;
}

static bool is_ascii(Str s) {
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return false;
    return true;
}

/* A value goes from the data into a lookup, or from there into the data, as the bytes that it is. */
static bool encoding_fits(const CopyBatch *b, Str value) {
    const char *encoding = b->plan->encoding;
    return !encoding || is_ascii(value) ||
           (b->utf8 && (strcasecmp(encoding, "utf8") == 0 || strcasecmp(encoding, "utf-8") == 0));
}

static int refuse_row(CopyBatch *b, Error *err) {
    b->refusal = err;
    return COPY_WANT_REFUSED;
}

static int refuse_encoding(CopyBatch *b) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_FEATURE_NOT_SUPPORTED,
              "a key for table \"%s\" cannot be looked up in encoding \"%s\"", b->plan->table->name,
              b->plan->encoding);
    error_hint(err, "Set client_encoding to the encoding of the data, and leave out ENCODING.");
    return refuse_row(b, err);
}

/* The value of a column of the key in this row. */
static BindParam key_value(const CopyBatch *b, const CopyKey *key, const CopyField *field) {
    const CopyRowOptions *options = &b->plan->row;
    Str value = field->value;
    bool null = field->null;
    if (key->position < 0)
        return (BindParam){.bytes = key->constant};
    if (null && key->not_null) {
        value = options->null_text;
        null = false;
    } else if (!null && key->null_too) {
        null = str_eq(value, options->null_text);
    }
    return (BindParam){.bytes = null ? STR_NONE : value, .binary = options->format == COPY_ROW_BINARY};
}

/* What the tenant of a row, whose fields have been read, is to be found by. */
static int want_row(Session *s, CopyBatch *b) {
    const ForeignKey *fk = b->plan->table->path.steps[0];
    bool null = false, wrong = false;
    for (int k = 0; k < fk->ncolumns; k++) {
        BindParam *value = &b->values[k];
        *value = key_value(b, &b->plan->keys[k], &b->fields[k]);
        if (value->bytes.ptr && !encoding_fits(b, value->bytes))
            return refuse_encoding(b);
        null |= !value->bytes.ptr;
        wrong |= value->bytes.ptr && copy_value_is_wrong(fk->child_columns[k], value, b->plain_integers);
    }
    if (wrong || null)
        return wrong ? COPY_WANT_WRONG : COPY_WANT_NOTHING;
    int want = lookup_want_values(s, b->lookup, b->plan->table, b->values, b->types);
    b->open |= lookup_answer(b->lookup, want)->answer == TENANT_UNASKED;
    return want;
}

/* row: as it is to be shown; ptr NULL: not at all. */
static int refuse_count(CopyBatch *b, const char *text, int n, Str row) {
    Error *err = MEM_NEW(Error);
    error_set(err, SQLSTATE_BAD_COPY_FILE_FORMAT, "%s %d, expected %d", text, n, b->plan->nfields);
    b->refused_at = copy_context_make(b->plan, b->splitter.lines, row);
    return refuse_row(b, err);
}

/* A row that the server will refuse for its number of fields stays one that it refuses. */
static int want_of(Session *s, CopyBatch *b, const CopyRow *row) {
    const CopyPlan *plan = b->plan;
    const bool reads_keys = plan->keys && !b->by_tenant;
    int n = copy_row_fields(&plan->row, row->content, b->positions,
                            reads_keys ? plan->table->path.steps[0]->ncolumns : 0, b->fields, &b->scratch);
    if (n == plan->nfields + 1 && plan->may_have_it)
        return COPY_WANT_COMPLETE;
    if (n > plan->nfields && plan->row.format != COPY_ROW_BINARY)
        return COPY_WANT_WRONG;
    if (n != plan->nfields && n >= 0 && plan->row.format == COPY_ROW_BINARY)
        return refuse_count(b, "row field count is", n, STR_NONE);
    if (n != plan->nfields)
        return COPY_WANT_COMPLETE;
    return reads_keys ? want_row(s, b) : COPY_WANT_NOTHING;
}

/* The names get the tenant's, too. */
static void take_header(CopyBatch *b, const CopyRow *row) {
    const CopyPlan *plan = b->plan;
    Buf name = {0};
    b->header_lines = b->splitter.lines;
    if (plan->row.format == COPY_ROW_BINARY)
        return; /* copy_row_put_begin writes one */
    int n = copy_row_fields(&plan->row, row->content, NULL, 0, NULL, &b->scratch);
    if (n == plan->nfields)
        copy_row_put_field(&name, &plan->row, str_of(plan->table->tenant->name));
    bool fits = n < 0 || n == plan->nfields || (plan->may_have_it && n == plan->nfields + 1);
    if (plan->header_match && !fits)
        add_row(b, &(CopyRow){.kind = COPY_ROW_DATA},
                refuse_count(b, "wrong number of fields in header line: got", n, row->content), 0);
    else
        copy_row_put(&b->header, &plan->row, row, (Str){(const char *)buf_ptr(&name), buf_len(&name)});
    buf_free(&name);
}

void copy_batch_give_up(CopyBatch *b) {
    const size_t left = buf_len(&b->data) - b->split;
    uint8_t *p = left ? buf_ptr(&b->data) + b->split : NULL;
    const int fields = b->plan->nfields;
    if (b->raw || b->ended)
        return;
    b->raw = true;
    /* A binary row that is cut off has as many fields as the server waits for. */
    if (b->plan->row.format == COPY_ROW_BINARY && b->splitter.begun && left >= 2 &&
        (p[0] << 8 | p[1]) == fields) {
        p[0] = (uint8_t)((fields + 1) >> 8);
        p[1] = (uint8_t)(fields + 1);
    }
}

/* Takes what the splitter has found at the front of what is not split yet. */
static void take_row(Session *s, CopyBatch *b, const CopyRow *row, uint64_t lines) {
    switch (row->kind) {
    case COPY_ROW_HEADER:
        take_header(b, row);
        break;
    case COPY_ROW_DATA:
        add_row(b, row, want_of(s, b, row), lines);
        return;
    case COPY_ROW_END:
        b->ended = true;
        break;
    case COPY_ROW_BROKEN:
        copy_batch_give_up(b);
        return;
    case COPY_ROW_INCOMPLETE:
        if (buf_len(&b->data) - b->split > MAX_ROW_BYTES) {
            Error *err = MEM_NEW(Error);
            error_set(err, SQLSTATE_PROGRAM_LIMIT_EXCEEDED, "a row of COPY is longer than %u bytes",
                      MAX_ROW_BYTES);
            add_row(b, &(CopyRow){.kind = COPY_ROW_DATA}, refuse_row(b, err), lines);
        }
        return;
    }
    if (b->nrows == 0)
        buf_consume(&b->data, row->size);
}

CopyBatchState copy_batch_split(Session *s, CopyBatch *b, bool at_end) {
    CopyRow row = {.kind = COPY_ROW_DATA};
    while (!b->raw && !b->ended && !b->refusal && row.kind != COPY_ROW_INCOMPLETE) {
        const uint64_t lines = b->splitter.lines;
        if (b->nrows >= b->max_rows || b->split >= b->max_bytes)
            return COPY_BATCH_FULL;
        const size_t left = buf_len(&b->data) - b->split;
        row = copy_row_next(&b->splitter, &b->plan->row, left ? buf_ptr(&b->data) + b->split : NULL, left,
                            at_end);
        take_row(s, b, &row, lines);
    }
    return at_end ? COPY_BATCH_END : COPY_BATCH_MORE;
}

/* ---- writing ---- */

int64_t copy_batch_shift(const CopyBatch *b) {
    const CopyBatchRow *first = b->written < b->nrows ? &b->rows[b->written] : NULL;
    int64_t lines = (int64_t)(first ? first->lines : b->splitter.lines);
    /* Within the first line of a CSV the server does not know line ends yet, and counts none. */
    if (first && lines > 0 && buf_len(&b->header) == 0 && b->splitter.line_end == COPY_LINE_NL)
        lines += (int64_t)first->own_lines - 1;
    return lines - (int64_t)b->header_lines;
}

/* The tenant of a row; ptr NULL for NULL. False with *refusal: it must not be written without one. */
static bool find_tenant(const CopyBatch *b, int want, Str *tenant, Error **refusal) {
    const CopyPlan *plan = b->plan;
    TenantAnswer answer = plan->keys ? TENANT_NO_PARENT : TENANT_UNASKED;
    *tenant = STR_NONE;
    if (want >= 0) {
        const Want *found = lookup_answer(b->lookup, want);
        answer = found->answer;
        if (answer == TENANT_KNOWN)
            *tenant = found->tenant;
    } else if (want == COPY_WANT_NOTHING) {
        *tenant = b->tenant;
    }
    if (tenant->ptr || want == COPY_WANT_WRONG || plan->filtered || !plan->refuse_unknown ||
        !rewrite_needs_values(plan->table))
        return true;
    *refusal = values_refusal(b->lookup->arena, plan->table, answer);
    return false;
}

/* The tenant as a field; made anew only where it is another than that of the row before. */
static bool put_field(CopyBatch *b, Str tenant, Error **refusal) {
    const CopyRowOptions *options = &b->plan->row;
    const Str before = {(const char *)buf_ptr(&b->field_tenant), buf_len(&b->field_tenant)};
    Buf binary = {0};
    Error err;
    bool done = true;
    if (b->field_known && tenant.ptr && str_eq(before, tenant))
        return true;
    buf_clear(&b->field);
    buf_clear(&b->field_tenant);
    b->field_known = tenant.ptr != NULL;
    if (tenant.ptr && options->format == COPY_ROW_BINARY) {
        done = copy_value_put_binary(&binary, b->plan->table->tenant, tenant, &err);
        if (done)
            copy_row_put_field(&b->field, options, (Str){(const char *)buf_ptr(&binary), buf_len(&binary)});
    } else if (tenant.ptr && !encoding_fits(b, tenant)) {
        done = error_set(&err, SQLSTATE_FEATURE_NOT_SUPPORTED,
                         "the tenant of a row for table \"%s\" cannot be sent in encoding \"%s\"",
                         b->plan->table->name, b->plan->encoding);
    } else {
        copy_row_put_field(&b->field, options, tenant);
    }
    if (done) {
        buf_append_str(&b->field_tenant, tenant);
    } else {
        *refusal = MEM_NEW(Error);
        **refusal = err;
    }
    buf_free(&binary);
    return done;
}

static bool put_row(CopyBatch *b, Buf *out, Error **refusal) {
    const CopyBatchRow *r = &b->rows[b->written];
    const CopyRow row = {COPY_ROW_DATA, r->size, {(const char *)buf_ptr(&b->data), r->content}, r->line_end};
    Str tenant;
    if (r->want == COPY_WANT_REFUSED) {
        *refusal = b->refusal;
        b->refusal = NULL;
        return false;
    }
    if (r->want == COPY_WANT_COMPLETE) {
        buf_append(out, buf_ptr(&b->data), r->size);
    } else {
        if (!find_tenant(b, r->want, &tenant, refusal) || !put_field(b, tenant, refusal))
            return false;
        copy_row_put(out, &b->plan->row, &row, (Str){(const char *)buf_ptr(&b->field), buf_len(&b->field)});
    }
    buf_consume(&b->data, r->size);
    b->split -= r->size;
    b->written++;
    return true;
}

Error *copy_batch_put(CopyBatch *b, Buf *out, size_t enough) {
    Error *refusal = NULL;
    while (b->written < b->nrows && buf_len(out) < enough)
        if (!put_row(b, out, &refusal))
            return refusal;
    if (b->written < b->nrows)
        return NULL;
    b->written = b->nrows = 0;
    lookup_reset(b->lookup);
    if (b->raw) {
        size_t n = buf_len(&b->data) < enough ? buf_len(&b->data) : enough;
        buf_append(out, buf_ptr(&b->data), n);
        buf_consume(&b->data, n);
    } else if (b->ended) {
        buf_clear(&b->data);
    }
    return NULL;
}
