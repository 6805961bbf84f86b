/* Splicing, and the way back.
 *
 *   original   INSERT INTO t (a) VALUES (7)
 *                              |          |
 *   edits                    ", b"    ", (SELECT … = " [copy of 7] ")"
 *
 * Both directions walk the sorted list once: the gap before an edit is the original's, then come the inserted
 * bytes, then `removed` bytes of the original are stepped over. */
#include "rewrite/edit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "parser/shape.h"

static void append(EditList *list, Arena *arena, Edit edit) {
    if (list->nedits == list->capacity) {
        int capacity = list->capacity ? 2 * list->capacity : 8;
        Edit *edits = ARENA_ARRAY(arena, Edit, capacity);

        if (list->nedits > 0)
            memcpy(edits, list->edits, sizeof(Edit) * (size_t)list->nedits);
        list->edits = edits;
        list->capacity = capacity;
    }
    list->edits[list->nedits++] = edit;
}

void edits_insert(EditList *list, Arena *arena, uint32_t offset, Str text) {
    append(list, arena, (Edit){.offset = offset, .text = text});
}

void edits_insert_copy(EditList *list, Arena *arena, uint32_t offset, Span copy) {
    append(list, arena, (Edit){.offset = offset, .copy = copy});
}

void edits_insert_slot(EditList *list, Arena *arena, uint32_t offset, int slot) {
    append(list, arena, (Edit){.offset = offset, .slot = slot});
}

void edits_remove(EditList *list, Arena *arena, Span range) {
    append(list, arena, (Edit){.offset = range.start, .removed = range.end - range.start});
}

/* Merges the sorted runs [lo, mid) and [mid, hi) of `from` into `to`; equal offsets keep their order. */
static void merge(const Edit *from, Edit *to, int lo, int mid, int hi) {
    int left = lo, right = mid;

    for (int i = lo; i < hi; i++) {
        bool take_left = left < mid && (right >= hi || from[left].offset <= from[right].offset);

        to[i] = take_left ? from[left++] : from[right++];
    }
}

void edits_sort(EditList *list) {
    int n = list->nedits, unsorted = 0;
    Edit *from = list->edits, *to, *room;

    for (int i = 1; i < n; i++)
        unsorted += list->edits[i - 1].offset > list->edits[i].offset;
    if (!unsorted)
        return;
    room = to = mem_alloc(sizeof(Edit) * (size_t)n);
    for (int64_t width = 1; width < n; width *= 2) {
        Edit *swap = from;

        for (int64_t lo = 0; lo < n; lo += 2 * width) {
            int64_t mid = lo + width < n ? lo + width : n;
            int64_t hi = lo + 2 * width < n ? lo + 2 * width : n;

            merge(from, to, (int)lo, (int)mid, (int)hi);
        }
        from = to;
        to = swap;
    }
    if (from != list->edits)
        memcpy(list->edits, from, sizeof(Edit) * (size_t)n);
    free(room);
}

EditList edits_fill(const EditList *list, Arena *arena, const Str *slots) {
    EditList filled = {.nedits = list->nedits, .capacity = list->nedits};

    filled.edits = ARENA_ARRAY(arena, Edit, list->nedits);
    for (int i = 0; i < list->nedits; i++) {
        filled.edits[i] = list->edits[i];
        if (list->edits[i].slot > 0) {
            filled.edits[i].text = slots[list->edits[i].slot - 1];
            filled.edits[i].slot = 0;
        }
    }
    return filled;
}

static Str inserted(const Edit *edit, Str original) {
    assert(edit->slot == 0);
    if (edit->text.ptr)
        return edit->text;
    return (Str){original.ptr + edit->copy.start, edit->copy.end - edit->copy.start};
}

void edits_apply(const EditList *list, Str original, Buf *out) {
    size_t done = 0;

    for (int i = 0; i < list->nedits; i++) {
        const Edit *edit = &list->edits[i];

        buf_append(out, original.ptr + done, edit->offset - done);
        buf_append_str(out, inserted(edit, original));
        done = (size_t)edit->offset + edit->removed;
    }
    buf_append(out, original.ptr + done, original.len - done);
}

uint32_t edits_map_back(const EditList *list, Str original, uint32_t offset) {
    size_t written = 0, done = 0; /* bytes of the rewritten text; of the original that they stand for */

    for (int i = 0; i < list->nedits; i++) {
        const Edit *edit = &list->edits[i];
        size_t gap = edit->offset - done;
        size_t len = inserted(edit, original).len;

        if (offset - written < gap)
            break;
        written += gap;
        done = edit->offset;
        if (offset - written < len)
            return edit->text.ptr ? edit->offset : edit->copy.start + (uint32_t)(offset - written);
        written += len;
        done += edit->removed;
    }
    done += offset - written;
    return (uint32_t)(done < original.len ? done : original.len);
}

EditList edits_move(const EditList *list, Arena *arena, const Span *from, const Span *to, int nliterals) {
    EditList moved = {0};

    moved.nedits = moved.capacity = list->nedits;
    moved.edits = ARENA_ARRAY(arena, Edit, list->nedits);
    for (int i = 0; i < list->nedits; i++) {
        const Edit *edit = &list->edits[i];
        Edit *copy = &moved.edits[i];

        *copy = *edit;
        copy->offset = shape_map(from, to, nliterals, edit->offset);
        copy->removed = shape_map(from, to, nliterals, edit->offset + edit->removed) - copy->offset;
        if (!edit->text.ptr && !edit->slot) {
            copy->copy.start = shape_map(from, to, nliterals, edit->copy.start);
            copy->copy.end = shape_map(from, to, nliterals, edit->copy.end);
        }
    }
    return moved;
}

Str edits_apply_within(Arena *arena, const EditList *list, Str original, Span span) {
    EditList within = {.edits = ARENA_ARRAY(arena, Edit, list->nedits)};
    Buf out = {0};
    Str text;

    for (int i = 0; i < list->nedits; i++) {
        Edit edit = list->edits[i];

        if (edit.offset < span.start || edit.offset > span.end)
            continue;
        edit.offset -= span.start;
        if (!edit.text.ptr)
            edit.copy = (Span){edit.copy.start - span.start, edit.copy.end - span.start};
        within.edits[within.nedits++] = edit;
    }
    edits_apply(&within, (Str){original.ptr + span.start, span.end - span.start}, &out);
    text = arena_str(arena, (Str){(const char *)buf_ptr(&out), buf_len(&out)});
    buf_free(&out);
    return text;
}
