/* Which rows are known to have one tenant.
 *
 * Two rows have the same tenant if both are pinned to one row of a table, by columns that are equal: a row is
 * pinned to itself by a key of its table, and to its parent by a foreign key that holds the tenant, too. What
 * this rests on:
 *
 *   - the tenant column is there, NOT NULL, and filled: the table is keyed, or had the column all along;
 *   - the foreign key is composite, (tenant, key) → (tenant, key), and validated, so that the child's tenant
 *     is the tenant of one row of the parent with that key;
 *   - the parent has no other row with that key: by a unique index on it alone, or, where the key was
 *     extended by the tenant, because its values come from a sequence or are random UUIDs.
 *
 * Equal columns are not NULL, so that what an outer join or MATCH SIMPLE leaves open does not matter. What
 * will be so when the migration is done, but is not yet, is good for a proposal. */
#include "rewrite/reads_walk.h"

#include <string.h>

typedef enum Proof { PROOF_NONE, PROOF_LATER, PROOF_NOW } Proof;

static Proof weaker(Proof a, Proof b) { return a < b ? a : b; }

/* ---- classes of cells ---- */

static void forget_classes(ReadsWalk *w) {
    if (w->stamp_capacity < w->ncells) {
        w->stamp_capacity = 2 * w->ncells;
        w->stamp = ARENA_ARRAY(w->rw->arena, unsigned, w->stamp_capacity);
        w->up = ARENA_ARRAY(w->rw->arena, int, w->stamp_capacity);
        w->hub = ARENA_ARRAY(w->rw->arena, int, w->stamp_capacity);
        w->now = 0;
    }
    w->now++;
}

static int class_of(ReadsWalk *w, int cell) {
    if (w->stamp[cell] != w->now) {
        w->stamp[cell] = w->now;
        w->up[cell] = cell;
    }
    while (w->up[cell] != cell) {
        w->up[cell] = w->up[w->up[cell]];
        cell = w->up[cell];
    }
    return cell;
}

static void unite(ReadsWalk *w, int a, int b) { w->up[class_of(w, a)] = class_of(w, b); }

/* ---- tables ---- */

/* Whether each row has its tenant in the column. */
static Proof tenant_is_there(const Table *table) {
    bool tenant = rewrite_is_tenant_table(table) && !table->problem;

    if (!tenant)
        return PROOF_NONE;
    if (!table->tenant || !table->tenant->not_null ||
        (table->kind == KIND_BACKFILL && table->stage < STAGE_KEYED))
        return PROOF_LATER;
    return PROOF_NOW;
}

bool reads_has_tenant(const Table *table) { return tenant_is_there(table) == PROOF_NOW; }

/* Nobody writes such a value of another row by chance. */
static bool is_generated(const Column *column) {
    static const char *const calls[] = {"nextval(", "gen_random_uuid(", "uuid_generate_v"};

    for (size_t i = 0; i < ARRAY_LEN(calls) && column->default_expr; i++) {
        if (strstr(column->default_expr, calls[i]))
            return true;
    }
    return column->identity != '\0';
}

static bool contains(const Column *const *columns, int n, const Column *column) {
    for (int i = 0; i < n; i++) {
        if (columns[i] == column)
            return true;
    }
    return false;
}

/* Whether the key's columns are among these, and pin one row without the tenant. */
static bool pins(const Table *table, const Key *key, const Column *const *columns, int n) {
    bool with_tenant = false, generated = false;
    int others = 0;

    for (int i = 0; i < key->ncolumns && !key->partial_or_expression; i++) {
        if (key->columns[i] == table->tenant) {
            with_tenant = true;
        } else if (!key->columns[i] || !contains(columns, n, key->columns[i])) {
            return false;
        } else {
            others++;
            generated |= is_generated(key->columns[i]);
        }
    }
    return others > 0 && (!with_tenant || generated);
}

static bool is_unique(const Table *table, const Column *const *columns, int n) {
    for (int i = 0; i < table->nkeys; i++) {
        if (pins(table, &table->keys[i], columns, n))
            return true;
    }
    return false;
}

/* ---- what pins a row ---- */

/* Row `row` of a child belongs to the row of `parent` whose `theirs` are what its `own` are. */
typedef struct Pin {
    const Table *parent;
    const Column **own;
    const Column **theirs;
    int n;
    Proof proof;
} Pin;

static bool is_tenant_pair(const ForeignKey *fk, int i) {
    return fk->child_columns[i] == fk->child->tenant && fk->parent_columns[i] == fk->parent->tenant &&
           fk->child->tenant;
}

static Pin pin_by(ReadsWalk *w, const ForeignKey *fk) {
    Pin pin = {fk->parent, ARENA_ARRAY(w->rw->arena, const Column *, fk->ncolumns),
               ARENA_ARRAY(w->rw->arena, const Column *, fk->ncolumns), 0, PROOF_LATER};

    reads_count(w, fk->ncolumns);
    for (int i = 0; i < fk->ncolumns; i++) {
        if (is_tenant_pair(fk, i)) {
            pin.proof = fk->validated ? PROOF_NOW : PROOF_LATER;
        } else {
            pin.own[pin.n] = fk->child_columns[i];
            pin.theirs[pin.n++] = fk->parent_columns[i];
        }
    }
    if (pin.n == 0 || !is_unique(fk->parent, pin.theirs, pin.n))
        pin.proof = PROOF_NONE;
    pin.proof = weaker(pin.proof, tenant_is_there(fk->parent));
    return pin;
}

static bool equal_cells(ReadsWalk *w, const ReadsRow *a, const Column *of_a, const ReadsRow *b,
                        const Column *of_b) {
    return class_of(w, reads_cell(a, of_a)) == class_of(w, reads_cell(b, of_b));
}

/* Both are one row: all columns of a key are equal. */
static Proof same_row(ReadsWalk *w, const ReadsRow *a, const ReadsRow *b) {
    const Table *table = a->table;

    for (int i = 0; i < table->nkeys && table == b->table; i++) {
        const Key *key = &table->keys[i];
        bool equal = pins(table, key, key->columns, key->ncolumns);

        for (int k = 0; k < key->ncolumns && equal; k++) {
            equal =
                key->columns[k] == table->tenant || equal_cells(w, a, key->columns[k], b, key->columns[k]);
        }
        if (equal)
            return PROOF_NOW;
    }
    return PROOF_NONE;
}

static bool child_of(ReadsWalk *w, const ReadsRow *child, const Pin *pin, const ReadsRow *parent) {
    bool equal = pin->parent == parent->table;

    for (int i = 0; i < pin->n && equal; i++)
        equal = equal_cells(w, child, pin->own[i], parent, pin->theirs[i]);
    return equal;
}

static bool siblings(ReadsWalk *w, const ReadsRow *a, const Pin *pin_a, const ReadsRow *b, const Pin *pin_b) {
    bool equal = pin_a->parent == pin_b->parent && pin_a->n == pin_b->n;

    for (int i = 0; i < pin_a->n && equal; i++) {
        int k = 0;

        while (k < pin_b->n && pin_b->theirs[k] != pin_a->theirs[i])
            k++;
        equal = k < pin_b->n && equal_cells(w, a, pin_a->own[i], b, pin_b->own[k]);
    }
    return equal;
}

/* The foreign key by number; behind the declared ones, the step that the configuration gives. */
static const ForeignKey *foreign_key(const Table *table, int i) {
    if (i < table->nforeign_keys)
        return table->foreign_keys[i];
    return i == table->nforeign_keys && table->kind == KIND_BACKFILL && table->path.nsteps > 0 &&
                   table->path.steps[0]->child == table
               ? table->path.steps[0]
               : NULL;
}

/* Without the rows' own part in it: whether their tenants are the same where they have one. */
static Proof linked(ReadsWalk *w, const ReadsRow *a, const ReadsRow *b) {
    Proof best = same_row(w, a, b);
    const ForeignKey *fk, *other;

    for (int i = 0; (fk = foreign_key(a->table, i)) && best < PROOF_NOW; i++) {
        Pin pin = pin_by(w, fk);

        if (pin.proof > best && child_of(w, a, &pin, b))
            best = pin.proof;
        for (int k = 0; pin.proof > best && (other = foreign_key(b->table, k)); k++) {
            Pin of_b = pin_by(w, other);

            if (weaker(pin.proof, of_b.proof) > best && siblings(w, a, &pin, b, &of_b))
                best = weaker(pin.proof, of_b.proof);
        }
    }
    for (int k = 0; (other = foreign_key(b->table, k)) && best < PROOF_NOW; k++) {
        Pin pin = pin_by(w, other);

        if (pin.proof > best && child_of(w, b, &pin, a))
            best = pin.proof;
    }
    return best;
}

/* ---- conditions ---- */

static void take_classes(ReadsWalk *w, const ReadsFacts *facts, int from, bool proposed) {
    forget_classes(w);
    reads_count(w, facts->n - from);
    for (int i = from; i < facts->n; i++) {
        const ReadsFact *fact = &facts->all[i];

        if (fact->exact && !fact->value && (proposed || !fact->proposed))
            unite(w, fact->a, fact->b);
    }
}

static bool is_sent(const ReadsWalk *w, const ReadsRow *a, const ReadsRow *b) {
    return w->applies && a->table->reads >= READS_JOIN && b->table->reads >= READS_JOIN;
}

static void note_proposed(ReadsWalk *w, const Table *table) {
    w->proposed_tables =
        reads_grow(w, w->proposed_tables, w->nproposed, &w->proposed_capacity, sizeof(*w->proposed_tables));
    w->proposed_tables[w->nproposed++] = table;
}

bool reads_same_tenant(ReadsWalk *w, const ReadsFacts *facts, const ReadsRow *a, const ReadsRow *b,
                       bool *proposed) {
    Proof proof = PROOF_NONE;

    if (a->table && b->table)
        proof = weaker(tenant_is_there(a->table), tenant_is_there(b->table));
    if (proof == PROOF_NONE)
        return false;
    take_classes(w, facts, 0, true);
    if (class_of(w, reads_tenant_cell(a)) == class_of(w, reads_tenant_cell(b)))
        return false;
    proof = weaker(proof, linked(w, a, b));
    *proposed = proof < PROOF_NOW || !is_sent(w, a, b);
    if (proof != PROOF_NONE && *proposed) {
        note_proposed(w, a->table);
        note_proposed(w, b->table);
    }
    return proof != PROOF_NONE;
}

typedef struct Rows {
    const ReadsRow **all;
    int n, capacity;
} Rows;

static void add_row(ReadsWalk *w, Rows *rows, const ReadsRow *row) {
    if (!row || !row->table || tenant_is_there(row->table) == PROOF_NONE)
        return;
    for (int i = 0; i < rows->n; i++) {
        if (rows->all[i] == row)
            return;
    }
    reads_count(w, rows->n + 1);
    rows->all = reads_grow(w, rows->all, rows->n, &rows->capacity, sizeof(*rows->all));
    rows->all[rows->n++] = row;
}

static Rows rows_of(ReadsWalk *w, const ReadsFacts *facts, int from) {
    Rows rows = {0};

    for (int i = from; i < facts->n && !w->gave_up; i++) {
        add_row(w, &rows, w->row_of[facts->all[i].a]);
        if (!facts->all[i].value)
            add_row(w, &rows, w->row_of[facts->all[i].b]);
    }
    return rows;
}

/* A name for a member of the class of a row's tenant. */
static const char *name_in_class(ReadsWalk *w, const ReadsEnv *env, const Rows *rows, const ReadsRow *row) {
    const int class = class_of(w, reads_tenant_cell(row));
    const char *name = reads_name_of(w, env, reads_tenant_cell(row));

    for (int i = 0; i < rows->n && !name; i++) {
        int cell = reads_tenant_cell(rows->all[i]);

        if (class_of(w, cell) == class)
            name = reads_name_of(w, env, cell);
    }
    return name;
}

static const char * and (ReadsWalk * w, const char *before, const char *a, const char *b) {
    return before ? arena_printf(w->rw->arena, "%s AND %s = %s", before, a, b)
                  : arena_printf(w->rw->arena, "%s = %s", a, b);
}

static bool references(const Table *child, const Table *parent) {
    for (int i = 0; i < child->nforeign_keys; i++) {
        if (child->foreign_keys[i]->parent == parent)
            return true;
    }
    return false;
}

static void join_pair(ReadsWalk *w, ReadsPlace *place, const ReadsEnv *env, const Rows *rows, int a, int b,
                      bool proposing, ReadsFacts *facts) {
    const bool swap = references(rows->all[b]->table, rows->all[a]->table);
    const ReadsRow *first = rows->all[swap ? b : a], *second = rows->all[swap ? a : b];
    int cell = reads_tenant_cell(first), other = reads_tenant_cell(second);
    const char *name, *other_name;
    Proof proof;

    reads_count(w, 1);
    if (class_of(w, cell) == class_of(w, other) || (!proposing && !is_sent(w, first, second)))
        return;
    proof = weaker(tenant_is_there(first->table), tenant_is_there(second->table));
    if (proof < (proposing ? PROOF_LATER : PROOF_NOW))
        return;
    proof = weaker(proof, linked(w, first, second));
    if (proof < (proposing ? PROOF_LATER : PROOF_NOW))
        return;
    name = name_in_class(w, env, rows, first);
    other_name = name ? name_in_class(w, env, rows, second) : NULL;
    if (!name || !other_name)
        return;
    if (proposing) {
        place->proposed = and(w, place->proposed, name, other_name);
        note_proposed(w, first->table);
        note_proposed(w, second->table);
    } else {
        place->applied = and(w, place->applied, name, other_name);
    }
    unite(w, cell, other);
    reads_add_fact(w, facts, (ReadsFact){.a = cell, .b = other, .exact = true, .proposed = proposing});
}

void reads_join(ReadsWalk *w, ReadsPlace *place, const ReadsEnv *env, ReadsFacts *facts, int from,
                int first_cell) {
    Rows rows;

    if (!place || facts->n == from || w->gave_up)
        return;
    rows = rows_of(w, facts, from);
    for (int proposing = 0; proposing < 2; proposing++) {
        take_classes(w, facts, from, proposing);
        for (int a = 0; a < rows.n; a++) {
            for (int b = a + 1; b < rows.n && !w->gave_up; b++) {
                if (rows.all[a]->base >= first_cell || rows.all[b]->base >= first_cell)
                    join_pair(w, place, env, &rows, a, b, proposing, facts);
            }
        }
    }
}

/* ---- values ---- */

void reads_imply(ReadsWalk *w, int from, int to) {
    if (from == READS_NO_CELL || to == READS_NO_CELL || from == to)
        return;
    reads_count(w, 1);
    w->implications =
        reads_grow(w, w->implications, w->nimplications, &w->implication_capacity, sizeof(ReadsImplication));
    w->implications[w->nimplications++] = (ReadsImplication){from, to};
}

static bool is_bound(Cells bound, int cell) { return cell >= bound.from && cell < bound.to; }

/* One bound cell stands for its class: what any of the class has, it has, and hands to the bound ones. */
static void set_hubs(ReadsWalk *w, const ReadsFacts *facts, int from, Cells bound) {
    for (int i = from; i < facts->n; i++) {
        const ReadsFact *fact = &facts->all[i];
        const int ends[] = {fact->a, fact->value ? fact->a : fact->b};

        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            int root = class_of(w, ends[k]);

            if (is_bound(bound, ends[k]) || !is_bound(bound, w->hub[root]))
                w->hub[root] = ends[k];
        }
    }
}

void reads_note_values(ReadsWalk *w, const ReadsFacts *facts, int from, Cells bound) {
    if (w->gave_up)
        return;
    take_classes(w, facts, from, false);
    for (int i = from; i < facts->n; i++) {
        if (!facts->all[i].value && !facts->all[i].proposed)
            unite(w, facts->all[i].a, facts->all[i].b);
        w->hub[class_of(w, facts->all[i].a)] = READS_NO_CELL;
    }
    set_hubs(w, facts, from, bound);
    for (int i = from; i < facts->n; i++) {
        const ReadsFact *fact = &facts->all[i];
        const int ends[] = {fact->a, fact->value ? fact->a : fact->b};
        int hub = w->hub[class_of(w, fact->a)];

        if (fact->proposed || !is_bound(bound, hub))
            continue;
        w->has_value[hub] |= fact->value;
        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            reads_imply(w, ends[k], hub);
            if (is_bound(bound, ends[k]))
                reads_imply(w, hub, ends[k]);
        }
    }
}
