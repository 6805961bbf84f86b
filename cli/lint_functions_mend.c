/* Edits of the texts in a body become edits of the body, and the body a definition.
 *
 * Nothing is taken on trust: the new body is taken apart again, and must have the same parts as before, each
 * of them what it was meant to become. */
#include "base/buf.h"
#include "cli/lint_functions.h"

static bool contains(Str text, char c) { return text.len > 0 && memchr(text.ptr, c, text.len); }

/* Why the edit, whose text is fixed, cannot be one of the body; NULL if it can. */
static const char *obstacle(const PlpgsqlPart *part, const Edit *edit, Str text) {
    Span into = part->into;
    bool has_into = into.end > into.start;
    if (edit->offset < part->prefix)
        return "its first word is PL/pgSQL's own";
    if (has_into && edit->offset < into.end &&
        (edit->offset + edit->removed > into.start || edit->offset > into.start || into.start == 0))
        return into.start == 0 ? "PERFORM takes no other beginning" : "INTO stands in its way";
    if (part->in_quotes && (contains(text, '\'') || contains(text, '\\')))
        return "it would have to be quoted anew";
    return NULL;
}

static Str fixed_text(const PlpgsqlPart *part, const Edit *edit) {
    if (edit->text.ptr)
        return edit->text;
    return (Str){part->text.ptr + edit->copy.start, edit->copy.end - edit->copy.start};
}

static Str applied(Arena *arena, const EditList *edits, Str text) {
    Buf out = {0};
    edits_apply(edits, text, &out);
    Str copy = arena_str(arena, (Str){(const char *)buf_ptr(&out), buf_len(&out)});
    buf_free(&out);
    return copy;
}

const char *lint_mend_add(LintMend *mend, Arena *arena, const LintBody *body, int n, const EditList *edits) {
    const PlpgsqlPart *part = &body->parts[n];
    if (!part->exact)
        return "its text stands in the body in another form";
    for (int i = 0; i < edits->nedits; i++) {
        const char *why = edits->edits[i].slot
                              ? "its values are not known"
                              : obstacle(part, &edits->edits[i], fixed_text(part, &edits->edits[i]));
        if (why)
            return why;
    }
    for (int i = 0; i < edits->nedits; i++) {
        const Edit *edit = &edits->edits[i];
        uint32_t offset = edit->offset - part->prefix + part->start;
        if (fixed_text(part, edit).len > 0)
            edits_insert(&mend->edits, arena, offset, fixed_text(part, edit));
        if (edit->removed > 0)
            edits_remove(&mend->edits, arena, (Span){offset, offset + edit->removed});
    }
    mend->parts[n] = applied(arena, edits, part->text);
    return NULL;
}

/* Whether the new body reads as the old one, but for the parts that were mended. */
static bool reads_as_meant(const LintMend *mend, Arena *arena, const LintRoutine *routine,
                           const LintBody *body, Str text) {
    if (!body->plpgsql)
        return true;
    Error err;
    const PlpgsqlBody *read = plpgsql_parse(arena, text, routine->parameters, &err);
    if (!read || read->nparts != body->nparts)
        return false;
    for (int i = 0; i < body->nparts; i++) {
        const PlpgsqlPart *part = &body->parts[i];
        Str meant = mend->parts[i].ptr ? mend->parts[i] : part->text;
        /* The text of an EXECUTE may have sub-selects, which are parts, too. */
        if (read->parts[i].kind != part->kind ||
            (part->kind != PLPGSQL_DYNAMIC && !str_eq(read->parts[i].text, meant)))
            return false;
    }
    return true;
}

/* The tag, "$function$", with as many x as it takes for it not to occur in the body. */
static const char *tag_for(Arena *arena, Str tag, Str body) {
    const char *result = arena_strndup(arena, tag.ptr, tag.len);
    size_t len = tag.len;
    while (memmem(body.ptr, body.len, result, len - 1)) {
        result = arena_printf(arena, "%.*sx%c", (int)len - 1, result, '$');
        len++;
    }
    return result;
}

Str lint_mend_definition(const LintMend *mend, Arena *arena, const LintRoutine *routine,
                         const LintBody *body) {
    EditList edits = mend->edits;
    edits_sort(&edits);
    Str text = applied(arena, &edits, body->text), old = routine->definition;
    if (!reads_as_meant(mend, arena, routine, body, text))
        return STR_NONE;
    Buf out = {0};
    size_t end = body->offset + body->text.len;
    if (body->quoted) {
        Str old_tag = {old.ptr + end, old.len - end};
        const char *tag = tag_for(arena, old_tag, text);
        buf_append(&out, old.ptr, body->offset - old_tag.len);
        buf_append_cstr(&out, tag);
        buf_append_str(&out, text);
        buf_append_cstr(&out, tag);
    } else {
        buf_append(&out, old.ptr, body->offset);
        buf_append_str(&out, text);
        buf_append(&out, old.ptr + end, old.len - end);
    }
    Str definition = arena_str(arena, (Str){(const char *)buf_ptr(&out), buf_len(&out)});
    buf_free(&out);
    return definition;
}
