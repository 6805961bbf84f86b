/* Slots are kept in the order in which they are met; a statement has as many as rows, so that equal ones are
 * looked for among the last few only. */
#include "rewrite/slot.h"

#include <string.h>

#include "rewrite/tenant_expr.h"

#define LOOK_BACK 16

/* Two literals of equal text may differ in another text of the same shape. */
static bool same_key(const SlotKey *a, const SlotKey *b) {
    if (a->param || b->param)
        return a->param == b->param;
    if (a->copy.end > 0 || b->copy.end > 0)
        return a->copy.start == b->copy.start && a->copy.end == b->copy.end;
    return str_eq(a->text, b->text);
}

static bool same_slot(const Slot *slot, const Table *table, const SlotKey *keys, bool nullable) {
    if (slot->table != table || slot->nullable != nullable || !slot->keys != !keys)
        return false;
    for (int k = 0; keys && k < table->path.steps[0]->ncolumns; k++) {
        if (!same_key(&slot->keys[k], &keys[k]))
            return false;
    }
    return true;
}

int slot_add(Rewrite *rw, const Table *table, const SlotKey *keys, bool nullable) {
    for (int i = rw->nslots; i > 0 && i > rw->nslots - LOOK_BACK; i--) {
        if (rw->slots[i - 1].statement == rw->index && same_slot(&rw->slots[i - 1], table, keys, nullable))
            return i;
    }
    if (rw->nslots == rw->slot_capacity) {
        int capacity = rw->slot_capacity ? 2 * rw->slot_capacity : 4;
        Slot *slots = ARENA_ARRAY(rw->arena, Slot, capacity);

        if (rw->nslots > 0)
            memcpy(slots, rw->slots, sizeof(Slot) * (size_t)rw->nslots);
        rw->slots = slots;
        rw->slot_capacity = capacity;
    }
    rw->slots[rw->nslots++] =
        (Slot){.table = table, .keys = keys, .statement = rw->index, .nullable = nullable};
    return rw->nslots;
}

void slot_put_parameter(Buf *sql, const Slot *slot, int n) {
    buf_printf(sql, "CAST($%d AS ", n);
    tenant_expr_put_type(sql, slot->table->tenant);
    buf_append_cstr(sql, ")");
}

void slot_put_literal(Buf *sql, const Slot *slot, Str value) {
    buf_append_cstr(sql, value.ptr ? "CAST('" : "CAST(NULL");
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'')
            buf_put_u8(sql, '\'');
        buf_put_u8(sql, (uint8_t)value.ptr[i]);
    }
    buf_append_cstr(sql, value.ptr ? "' AS " : " AS ");
    tenant_expr_put_type(sql, slot->table->tenant);
    buf_append_cstr(sql, ")");
}

const Str *slot_parameters(const Slot *slots, int nslots, int nparams, Arena *arena) {
    Str *texts = ARENA_ARRAY(arena, Str, nslots);
    Buf sql = {0};

    for (int i = 0; i < nslots; i++) {
        slot_put_parameter(&sql, &slots[i], nparams + i + 1);
        texts[i] = arena_str(arena, (Str){(const char *)buf_ptr(&sql), buf_len(&sql)});
        buf_clear(&sql);
    }
    buf_free(&sql);
    return texts;
}
