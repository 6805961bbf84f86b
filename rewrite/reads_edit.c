/* From conditions to edits.
 *
 *   WHERE a OR b          WHERE (a OR b) AND l.store_id = o.store_id
 *   FROM t                FROM t WHERE t.store_id = $1
 *
 * A place at which something else is rewritten is left alone. */
#include "rewrite/reads_walk.h"

#include "rewrite/slot.h"

static bool is_name_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c == '"' || c == '\'' || (unsigned char)c >= 0x80;
}

static uint32_t end_of(const ReadsPlace *place) {
    return place->condition.end > 0 ? place->condition.end : place->where;
}

/* Whether an edit is in the way of one at `offset`. */
static bool meets(const Edit *edit, uint32_t offset) {
    return edit->offset == offset || (edit->offset < offset && offset < edit->offset + edit->removed);
}

static bool is_free(const ReadsPlace *place, const EditList *edits, int nedits) {
    for (int i = 0; i < nedits; i++) {
        if (meets(&edits->edits[i], end_of(place)) ||
            (place->is_or && meets(&edits->edits[i], place->condition.start)))
            return false;
    }
    return true;
}

/* ---- one place ---- */

static void open_place(Rewrite *rw, const ReadsPlace *place, EditList *edits) {
    if (place->condition.end == 0) {
        edits_insert(edits, rw->arena, place->where, STR_LIT(" WHERE "));
        return;
    }
    if (place->is_or)
        edits_insert(edits, rw->arena, place->condition.start, STR_LIT("("));
    edits_insert(edits, rw->arena, place->condition.end, place->is_or ? STR_LIT(") AND ") : STR_LIT(" AND "));
}

static void close_place(Rewrite *rw, const ReadsPlace *place, EditList *edits) {
    uint32_t end = end_of(place);

    if (end < rw->text.len && is_name_part(rw->text.ptr[end]))
        edits_insert(edits, rw->arena, end, STR_LIT(" "));
}

static bool is_filtered(const ReadsWalk *w, const ReadsFilter *filter) {
    const Table *table = filter->row->table;

    return w->filters && filter->name && table->reads == READS_FILTER && reads_has_tenant(table) &&
           !w->has_value[reads_tenant_cell(filter->row)];
}

static void put_filters(ReadsWalk *w, const ReadsPlace *place, bool first) {
    Rewrite *rw = w->rw;
    uint32_t end = end_of(place);

    for (int i = 0; i < w->ncandidates; i++) {
        const ReadsFilter *filter = &w->candidates[i];
        Str before;

        if (filter->place != place || !is_filtered(w, filter))
            continue;
        before = str_of(arena_printf(rw->arena, "%s%s = ", first ? "" : " AND ", filter->name));
        edits_insert(rw->edits, rw->arena, end, before);
        edits_insert_slot(rw->edits, rw->arena, end, slot_add(rw, filter->row->table, NULL, false));
        first = false;
    }
}

static bool has_filters(const ReadsWalk *w, const ReadsPlace *place) {
    for (int i = 0; i < w->ncandidates; i++) {
        if (w->candidates[i].place == place && is_filtered(w, &w->candidates[i]))
            return true;
    }
    return false;
}

static void apply(ReadsWalk *w, const ReadsPlace *place) {
    Rewrite *rw = w->rw;

    open_place(rw, place, rw->edits);
    if (place->applied)
        edits_insert(rw->edits, rw->arena, end_of(place), str_of(place->applied));
    put_filters(w, place, place->applied == NULL);
    close_place(rw, place, rw->edits);
    rw->decision->rewritten = true;
}

static void propose(Rewrite *rw, const ReadsPlace *place, EditList *edits) {
    const char *text = place->applied && place->proposed
                           ? arena_printf(rw->arena, "%s AND %s", place->applied, place->proposed)
                       : place->applied ? place->applied
                                        : place->proposed;

    open_place(rw, place, edits);
    edits_insert(edits, rw->arena, end_of(place), str_of(text));
    close_place(rw, place, edits);
}

/* ---- pairs ---- */

static bool pair_is_free(const ReadsPair *pair, const EditList *edits, int nedits) {
    for (int i = 0; i < nedits; i++) {
        if (meets(&edits->edits[i], pair->start) || meets(&edits->edits[i], pair->end) ||
            meets(&edits->edits[i], pair->inner))
            return false;
    }
    return true;
}

static void put_pair(Rewrite *rw, const ReadsPair *pair, EditList *edits) {
    edits_insert(edits, rw->arena, pair->start, STR_LIT("("));
    edits_insert(edits, rw->arena, pair->end, str_of(arena_printf(rw->arena, ", %s)", pair->name)));
    edits_insert(edits, rw->arena, pair->inner, str_of(arena_printf(rw->arena, ", %s", pair->inner_name)));
}

static const char *pair_text(const Rewrite *rw, const ReadsPair *pair) {
    return arena_printf(rw->arena, "(%.*s, %s) IN (SELECT …, %s …)", (int)(pair->end - pair->start),
                        rw->text.ptr + pair->start, pair->name, pair->inner_name);
}

/* ---- all of them ---- */

/* Until nothing more has a value because something else has. */
static void spread_values(ReadsWalk *w) {
    bool changed = true;

    while (changed && !w->gave_up) {
        changed = false;
        reads_count(w, w->nimplications);
        for (int i = 0; i < w->nimplications; i++) {
            const ReadsImplication *imply = &w->implications[i];

            changed |= w->has_value[imply->from] && !w->has_value[imply->to];
            w->has_value[imply->to] |= w->has_value[imply->from];
        }
    }
}

static void append(Arena *arena, EditList *to, const EditList *from) {
    for (int i = 0; i < from->nedits; i++)
        edits_insert(to, arena, from->edits[i].offset, from->edits[i].text);
}

/* What is added to the ON at the end of FROM stands before the WHERE that is added there. */
static void sort_places(ReadsWalk *w) {
    ReadsPlace *of_joins = NULL, *others = NULL, *next;
    ReadsPlace **last = &of_joins, **last_other = &others;

    for (ReadsPlace *place = w->places; place; place = next) {
        ReadsPlace ***to = place->of_join ? &last : &last_other;

        next = place->next;
        place->next = NULL;
        **to = place;
        *to = &place->next;
    }
    *last = others;
    w->places = of_joins;
}

/* "add AND a = b AND c = d, write (e, f) IN (…)" */
static const char *proposal_text(const ReadsWalk *w) {
    Arena *arena = w->rw->arena;
    const char *text = NULL;

    for (const ReadsPlace *place = w->places; place; place = place->next) {
        if (place->proposed)
            text = arena_printf(arena, "%s AND %s", text ? text : "add", place->proposed);
    }
    for (const ReadsPair *pair = w->pairs; pair; pair = pair->next) {
        if (pair->proposed)
            text = arena_printf(arena, "%s%swrite %s", text ? text : "", text ? ", " : "",
                                pair_text(w->rw, pair));
    }
    return text;
}

static void emit_proposals(ReadsWalk *w, Reads *reads) {
    Rewrite *rw = w->rw;

    reads->text = proposal_text(w);
    for (const ReadsPair *pair = w->pairs; pair && reads->text; pair = pair->next)
        put_pair(rw, pair, &reads->proposed);
    for (const ReadsPlace *place = w->places; place && reads->text; place = place->next) {
        if (place->applied || place->proposed)
            propose(rw, place, &reads->proposed);
    }
    append(rw->arena, rw->proposals, &reads->proposed);
    edits_sort(&reads->proposed);
    rw->decision->proposed = reads->text != NULL;
}

void reads_emit(ReadsWalk *w, Reads *reads) {
    const int others = w->rw->edits->nedits;

    spread_values(w);
    if (w->gave_up)
        return;
    sort_places(w);
    for (const ReadsPlace *place = w->places; place; place = place->next) {
        if ((place->applied || has_filters(w, place)) && is_free(place, w->rw->edits, others))
            apply(w, place);
    }
    for (const ReadsPair *pair = w->pairs; pair; pair = pair->next) {
        if (pair->proposed || !pair_is_free(pair, w->rw->edits, w->rw->edits->nedits))
            continue;
        put_pair(w->rw, pair, w->rw->edits);
        w->rw->decision->rewritten = true;
    }
    emit_proposals(w, reads);
}
