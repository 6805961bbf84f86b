/* Keys without the tenant, columns that number themselves, triggers, and whatever would change the tenant
 * column.
 *
 * What a statement adds is read as a schema file is; of the rest a few words in a row tell. */
#include "rewrite/citus_ddl.h"

#include <string.h>

#include "parser/ddl.h"
#include "parser/lex.h"

static const char *const unsupported = "alter table command is currently unsupported";
static const char *const partition_column = "cannot execute ALTER TABLE command involving partition column";

/* ---- words ---- */

/* In ALTER TABLE: words in a row, "%" for the tenant column. */
static const struct {
    const char *words;
    const char *const *error;
} phrases[] = {
    {"drop column %", &partition_column},
    {"drop column if exists %", &partition_column},
    {"drop %", &partition_column},
    {"alter column % type", &partition_column},
    {"alter % type", &partition_column},
    {"alter column % set data type", &partition_column},
    {"alter % set data type", &partition_column},
    {"alter column % drop not null", &partition_column},
    {"alter % drop not null", &partition_column},
    {"cluster on", &unsupported},
    {"set without cluster", &unsupported},
    {"set statistics", &unsupported},
    {"set storage", &unsupported},
    {"set compression", &unsupported},
    {"add generated", &unsupported},
};

/* Whether the token is the word, of lower case. */
static bool is_word(const char *s, LexToken token, const char *word, size_t len) {
    char keyword[32];

    if (len >= sizeof(keyword))
        return false;
    memcpy(keyword, word, len);
    keyword[len] = '\0';
    return lex_is_word(s, token, keyword);
}

static bool is_name(const char *s, LexToken token, const char *name) {
    const size_t quotes = token.kind == LEX_QUOTED, len = token.end - token.start;

    if (token.kind == LEX_WORD)
        return lex_is_word(s, token, name);
    return quotes && len == strlen(name) + 2 && memcmp(s + token.start + 1, name, len - 2) == 0;
}

/* Whether the words stand in a row, from this token on. */
static bool begins(Str text, LexToken token, const char *words, const char *column) {
    while (token.kind != LEX_END && token.kind != LEX_UNTERMINATED) {
        const size_t len = strcspn(words, " ");
        const bool same =
            *words == '%' ? column && is_name(text.ptr, token, column) : is_word(text.ptr, token, words, len);

        if (!same)
            return false;
        if (words[len] == '\0')
            return true;
        words += len + 1;
        token = lex_next(text.ptr, text.len, token.end);
    }
    return false;
}

static bool says(Str text, const char *words, const char *column) {
    LexToken token = lex_next(text.ptr, text.len, 0);

    while (token.kind != LEX_END && token.kind != LEX_UNTERMINATED) {
        if (begins(text, token, words, column))
            return true;
        token = lex_next(text.ptr, text.len, token.end);
    }
    return false;
}

static const char *phrase_error(Str text, const Table *table) {
    const LexToken first = lex_next(text.ptr, text.len, 0);
    const bool creates = lex_is_word(text.ptr, first, "create");

    if (creates && (begins(text, first, "create trigger", NULL) || says(text, "replace trigger", NULL) ||
                    begins(text, first, "create constraint trigger", NULL)))
        return "triggers are not supported on distributed tables";
    if (!begins(text, first, "alter table", NULL))
        return NULL;
    if (says(text, "disable trigger", NULL) || says(text, "enable trigger", NULL))
        return "triggers are not supported on distributed tables";
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (says(text, phrases[i].words, table->tenant_column))
            return *phrases[i].error;
    }
    return NULL;
}

/* ---- keys ---- */

static bool has_tenant(const DdlConstraint *constraint, const Table *table) {
    for (int i = 0; i < constraint->ncolumns; i++) {
        if (constraint->columns[i] && strcmp(constraint->columns[i], table->tenant_column) == 0)
            return true;
    }
    return false;
}

static const char *foreign_key_error(Rewrite *rw, const DdlConstraint *constraint, const Table *table) {
    const NameMeaning parent = names_resolve(rw->names, NULL, &constraint->parent);

    if (parent.kind != NAME_TABLE || parent.table->kind == KIND_REFERENCE)
        return NULL;
    if (parent.table->kind == KIND_LOCAL)
        return "referenced table must be a distributed table or a reference table";
    if (!has_tenant(constraint, table) || (constraint->on_delete && strchr("nd", constraint->on_delete)) ||
        (constraint->on_update && strchr("ndc", constraint->on_update)))
        return "cannot create foreign key constraint";
    return NULL;
}

static const char *constraint_error(Rewrite *rw, const DdlFact *fact, const DdlConstraint *constraint,
                                    const Table *table) {
    if (constraint->kind == DDL_FOREIGN_KEY)
        return foreign_key_error(rw, constraint, table);
    if (constraint->using_index || has_tenant(constraint, table))
        return NULL;
    return fact->kind == DDL_UNIQUE_INDEX
               ? "creating unique indexes on non-partition columns is currently unsupported"
               : arena_printf(rw->arena, "cannot create constraint on \"%s\"", table->name);
}

static const char *column_error(const DdlColumn *column) {
    if (column->serial)
        return "cannot execute ADD COLUMN commands involving serial pseudotypes when metadata is "
               "synchronized to "
               "workers";
    return column->identity ? "cannot execute ADD COLUMN commands involving identity columns when metadata "
                              "is synchronized to "
                              "workers"
                            : NULL;
}

static const char *fact_error(Rewrite *rw, const DdlFact *fact, const Table *table) {
    const char *error = NULL;

    if (fact->kind != DDL_ADD_COLUMN && fact->kind != DDL_ADD_CONSTRAINT && fact->kind != DDL_UNIQUE_INDEX)
        return NULL;
    for (int i = 0; i < fact->ncolumns && !error; i++)
        error = column_error(&fact->columns[i]);
    for (int i = 0; i < fact->nconstraints && !error; i++)
        error = constraint_error(rw, fact, &fact->constraints[i], table);
    return error;
}

static const Table *distributed(Rewrite *rw, const Name *name) {
    const NameMeaning meaning = names_resolve(rw->names, NULL, name);
    const bool tenant = meaning.kind == NAME_TABLE && meaning.table->tenant_column &&
                        (meaning.table->kind == KIND_DISTRIBUTED || meaning.table->kind == KIND_BACKFILL);

    return tenant ? meaning.table : NULL;
}

const char *citus_ddl_error(Rewrite *rw, const Statement *stmt) {
    const Str text = {rw->text.ptr + stmt->span.start, stmt->span.end - stmt->span.start};
    const Table *table = stmt->ntables > 0 ? distributed(rw, &stmt->tables[0]->name) : NULL;
    const char *error;
    const Ddl *ddl;

    if (!table)
        return NULL;
    error = phrase_error(text, table);
    if (error)
        return error;
    ddl = ddl_parse(rw->arena, text);
    for (int i = 0; i < ddl->nfacts && !error; i++) {
        const Table *named = distributed(rw, &ddl->facts[i].name);

        error = named ? fact_error(rw, &ddl->facts[i], named) : NULL;
    }
    return error;
}
