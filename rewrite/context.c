/* Names and notes. */
#include "rewrite/context.h"

#include <inttypes.h>
#include <strings.h>

const char *rewrite_quoted(Rewrite *rw, const char *name) {
    Buf buf = {0};
    char *quoted;

    quote_identifier(&buf, name);
    quoted = arena_strndup(rw->arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return quoted;
}

bool rewrite_is_tenant_table(const Table *table) {
    return (table->kind == KIND_DISTRIBUTED || table->kind == KIND_BACKFILL) && table->tenant_column;
}

bool rewrite_is_migrating(const Table *table) {
    return table->kind == KIND_BACKFILL && table->stage >= STAGE_DERIVE && table->stage < STAGE_DONE;
}

void rewrite_note(Rewrite *rw, const char *note) {
    if (!rw->decision->rewrite_note)
        rw->decision->rewrite_note = note;
}

void rewrite_leave(Rewrite *rw, const Table *table, const char *why) {
    const char *name = rewrite_quoted(rw, table->name);

    rewrite_note(rw, arena_printf(rw->arena, "%s.%s is not added: %s", name,
                                  rewrite_quoted(rw, table->tenant_column), why));
}

void rewrite_refuse(Rewrite *rw, const char *sqlstate, const char *message, const char *detail,
                    const char *hint) {
    Refusal *refusal;

    if (rw->decision->refusal)
        return;
    refusal = ARENA_NEW(rw->arena, Refusal);
    *refusal = (Refusal){sqlstate, message, detail, hint};
    rw->decision->refusal = refusal;
}

void rewrite_unknown(Rewrite *rw, const Table *table, const char *why) {
    const char *name = rewrite_quoted(rw, table->name), *column = rewrite_quoted(rw, table->tenant_column);

    rewrite_leave(rw, table, why);
    if (table->on_unknown == ON_UNKNOWN_PASS ||
        (table->on_unknown == ON_UNKNOWN_AUTO && table->stage < STAGE_KEYED))
        return;
    rewrite_refuse(
        rw, SQLSTATE_NOT_NULL_VIOLATION,
        arena_printf(rw->arena, "the tenant of a row for table \"%s\" cannot be found out", table->name),
        arena_printf(rw->arena, "%s.%s is not added: %s.", name, column, why),
        arena_printf(rw->arena,
                     "Name %s in the statement, or say SET shardferry.tenant; on_unknown = pass in "
                     "[table %s] sends such statements as they are.",
                     column, name));
}

bool rewrite_needs_values(const Table *table) {
    return table->stage >= STAGE_RESOLVE && table->stage < STAGE_DONE;
}

bool rewrite_is_distributed(const Table *table) {
    return table->stage >= STAGE_DISTRIBUTED || table->citus == CITUS_DISTRIBUTED;
}

/* Case-insensitively, so that no spelling of it is in the text either. */
static bool occurs(Str text, const char *word) {
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++) {
        if (strncasecmp(text.ptr + i, word, len) == 0)
            return true;
    }
    return false;
}

const char *rewrite_made_name(Rewrite *rw) {
    if (!rw->prefix) {
        /* A hash that is seeded per process cannot have been written into the text on purpose. */
        rw->prefix = "shardferry_v";
        if (occurs(rw->text, rw->prefix))
            rw->prefix = arena_printf(rw->arena, "shardferry_%016" PRIx64 "_v", str_hash(rw->text));
    }
    return arena_printf(rw->arena, "%s%d", rw->prefix, ++rw->nmade);
}
