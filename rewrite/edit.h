/* Edits: a rewrite is a list of splices into the original text, never a text made anew.
 *
 * Comments, hints and spelling survive, and a position in the sent text can be mapped back to the client's.
 * An edit's inserted bytes are fixed text, a copy of a range of the original, or a slot: a value that is
 * found out before the text is sent (rewrite/decide.h). So a list computed for one text can be moved to
 * another of the same shape, with that one's literals and values. */
#ifndef REWRITE_EDIT_H
#define REWRITE_EDIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "parser/facts.h"

typedef struct Edit {
    uint32_t offset;  /* in the original text, bytes */
    uint32_t removed; /* bytes of the original that it replaces */
    Str text;         /* inserted, if text.ptr is not NULL */
    int slot;         /* else, if not 0: the text of this slot, counted from 1 */
    Span copy;        /* else: this range of the original is inserted */
} Edit;

/* Sorted by offset; edits at one offset apply in order, and one that removes is the last of them; removed
 * ranges do not overlap. */
typedef struct EditList {
    Edit *edits;
    int nedits;
    int capacity;
} EditList;

/* Appending; a list is sorted once, stably, by edits_sort. Strings are not copied: they live in `arena` or
 * are constants. */
void edits_insert(EditList *list, Arena *arena, uint32_t offset, Str text);
void edits_insert_copy(EditList *list, Arena *arena, uint32_t offset, Span copy);
void edits_insert_slot(EditList *list, Arena *arena, uint32_t offset, int slot);
void edits_remove(EditList *list, Arena *arena, Span range);
void edits_sort(EditList *list);

/* The same list with fixed text in place of slots: slots[0] for slot 1, and so on. Demanded before what
 * follows. */
EditList edits_fill(const EditList *list, Arena *arena, const Str *slots) MUST_USE;

/* Writes the rewritten text behind `out`. `original` is the text that offsets refer to. */
void edits_apply(const EditList *list, Str original, Buf *out);
/* The part of the rewritten text that stands for `span` of the original, a statement's; in `arena`. */
Str edits_apply_within(Arena *arena, const EditList *list, Str original, Span span) MUST_USE;

/* Maps an offset (bytes) in the rewritten text to one in the original. An offset in inserted text maps to
 * where it was inserted, except in a copy, where it maps to the place copied from. */
uint32_t edits_map_back(const EditList *list, Str original, uint32_t offset) MUST_USE;

/* The same list for another text of the same shape (parser/shape.h). */
EditList edits_move(const EditList *list, Arena *arena, const Span *from, const Span *to,
                    int nliterals) MUST_USE;

#endif
