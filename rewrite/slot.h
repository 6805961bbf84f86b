/* Slots: values that a rewritten statement needs and that its text does not give. */
#ifndef REWRITE_SLOT_H
#define REWRITE_SLOT_H

#include "rewrite/context.h"

/* Adds a slot and returns its number, for edits_insert_slot. `keys` lives in rw->arena: one for each column
 * of table->path.steps[0], or NULL where only the session's tenant can be the value. Rows with the same
 * parameters as key share a slot. */
int slot_add(Rewrite *rw, const Table *table, const SlotKey *keys, bool nullable) MUST_USE;

/* "CAST($n AS type)", type being that of the tenant: what stands for a slot in the extended protocol. */
void slot_put_parameter(Buf *sql, const Slot *slot, int n);
/* The same for all slots of a decision, numbered from nparams + 1 on; in `arena`. */
const Str *slot_parameters(const Slot *slots, int nslots, int nparams, Arena *arena) MUST_USE;
/* "CAST('value' AS type)"; NULL without a value (ptr NULL). For texts with standard_conforming_strings. */
void slot_put_literal(Buf *sql, const Slot *slot, Str value);

#endif
