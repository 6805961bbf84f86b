/* A copy of a text with a name in it is two copies, around what the name becomes:
 *
 *   [copy of store_id = 5]  →  [copy of ""] "o." [copy of store_id = 5] */
#include "rewrite/ambiguity_edit.h"

#include <string.h>

/* Makes edit i, a copy, three. */
static void split_copy(Ambiguity *a, int i, Span range, const char *text) {
    EditList *edits = a->rw->edits;
    const Edit whole = edits->edits[i];
    const int last = a->star.last_edit;
    Edit *at;

    /* Room for two more; what they hold is moved into. */
    edits_insert(edits, a->rw->arena, whole.offset, str_of(text));
    edits_insert(edits, a->rw->arena, whole.offset, str_of(text));
    at = &edits->edits[i];
    memmove(at + 3, at + 1, sizeof(Edit) * (size_t)(edits->nedits - i - 3));
    at[0].copy.end = range.start;
    at[0].removed = 0;
    at[1] = (Edit){.offset = whole.offset, .text = str_of(text)};
    at[2] = whole;
    at[2].copy.start = range.end;
    a->star.last_edit = last + 2;
}

static bool is_copy(const Edit *edit, Span range) {
    return !edit->text.ptr && edit->slot == 0 && edit->copy.start <= range.start &&
           edit->copy.end > range.start && edit->copy.end >= range.end;
}

void ambiguity_replace(Ambiguity *a, Span range, const char *text) {
    EditList *edits = a->rw->edits;
    const bool moved = star_is_moved(&a->star, (Span){range.start, range.start + 1});

    for (int i = a->star.first_edit; i < a->star.last_edit && star_may(&a->star, 1); i++) {
        if (is_copy(&edits->edits[i], range)) {
            split_copy(a, i, range, text);
            i += 2;
        }
    }
    if (moved)
        return;
    edits_insert(edits, a->rw->arena, range.start, str_of(text));
    if (range.end > range.start)
        edits_remove(edits, a->rw->arena, range);
    a->rw->decision->rewritten = true;
}
