/* A number for what a snapshot says, so that reading the same catalog again changes nothing. Row estimates
 * are left out: they move with every VACUUM and decide nothing in a proxy. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "catalog/snapshot.h"

/* Strings with their NUL, so that neighbours do not run together; NULL is told from "". */
static void add_text(XXH3_state_t *h, const char *s) {
    XXH3_64bits_update(h, s ? "s" : "n", 1);
    if (s)
        XXH3_64bits_update(h, s, strlen(s) + 1);
}

static void add_number(XXH3_state_t *h, int64_t n) { XXH3_64bits_update(h, &n, sizeof n); }

static void add_columns(XXH3_state_t *h, const Column *const *columns, int n) {
    add_number(h, n);
    for (int i = 0; i < n; i++)
        add_text(h, columns[i] ? columns[i]->name : NULL);
}

static void add_column(XXH3_state_t *h, const Column *c) {
    add_text(h, c->name);
    add_text(h, c->type);
    add_text(h, c->type_schema);
    add_text(h, c->type_name);
    add_text(h, c->default_expr);
    add_number(h, c->position);
    add_number(h, c->identity | c->not_null << 8 | c->generated << 9);
}

static void add_foreign_key(XXH3_state_t *h, const ForeignKey *fk) {
    add_text(h, fk->name);
    add_text(h, fk->parent->schema);
    add_text(h, fk->parent->name);
    add_columns(h, fk->child_columns, fk->ncolumns);
    add_columns(h, fk->parent_columns, fk->ncolumns);
    add_number(h, fk->validated | fk->deferrable << 1 | fk->on_delete << 8 | fk->on_update << 16);
}

static void add_table(XXH3_state_t *h, const Table *t) {
    const char *const texts[] = {
        t->schema,        t->name,    t->partition_of, t->view_definition,
        t->tenant_column, t->problem, t->citus_column, t->tenant ? t->tenant->name : NULL};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_text(h, texts[i]);
    const int64_t numbers[] = {
        t->oid,   t->relkind,     t->kind,       t->reason,      t->stage, t->staged, t->staged_backfill,
        t->citus, t->path.nsteps, t->on_unknown, t->hide_tenant, t->reads};
    XXH3_64bits_update(h, numbers, sizeof numbers);
    add_number(h, t->ncolumns);
    for (int i = 0; i < t->ncolumns; i++)
        add_column(h, &t->columns[i]);
    add_number(h, t->nkeys);
    for (int i = 0; i < t->nkeys; i++) {
        add_text(h, t->keys[i].name);
        add_number(h,
                   t->keys[i].primary | t->keys[i].constraint << 1 | t->keys[i].partial_or_expression << 2);
        add_columns(h, t->keys[i].columns, t->keys[i].ncolumns);
    }
    add_number(h, t->nforeign_keys);
    for (int i = 0; i < t->nforeign_keys; i++)
        add_foreign_key(h, t->foreign_keys[i]);
    for (int i = 0; i < t->path.nsteps; i++)
        add_foreign_key(h, t->path.steps[i]);
}

uint64_t snapshot_digest(const Snapshot *s) {
    XXH3_state_t h;
    XXH3_64bits_reset(&h);
    add_number(&h, s->epoch);
    add_number(&h, s->server_version_num);
    add_number(&h, s->has_citus);
    add_text(&h, s->database);
    add_text(&h, s->search_path);
    add_text(&h, s->tenant_table ? s->tenant_table->name : NULL);
    add_text(&h, s->warning);
    for (int i = 0; i < s->nsettings; i++) {
        add_text(&h, s->settings[i].role);
        add_text(&h, s->settings[i].database);
        add_text(&h, s->settings[i].name);
        add_text(&h, s->settings[i].value);
    }
    for (int i = 0; i < s->nschemas; i++)
        add_text(&h, s->schemas[i]);
    for (int i = 0; i < s->ntables; i++)
        add_table(&h, &s->tables[i]);
    return XXH3_64bits_digest(&h);
}
