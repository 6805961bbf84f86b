/* UPDATE of a parent's tenant, before Citus has the tables.
 *
 *   WITH rows(k1, t, was) AS MATERIALIZED (SELECT orders.order_id, CAST(6 AS int8), orders.store_id
 *            FROM ONLY public.orders WHERE (<condition>) FOR NO KEY UPDATE OF orders),
 *        items(k1, t) AS (UPDATE ONLY public.line_items c SET store_id = rows.t FROM rows
 *            WHERE c.order_id = rows.k1 AND (rows.was = rows.t) IS NOT TRUE
 *            RETURNING c.line_item_id, c.store_id),
 *        more AS (UPDATE ONLY public.parcels c SET store_id = items.t FROM items WHERE …)
 *   UPDATE orders SET store_id = 6 WHERE (<condition>) AND (SELECT count(*) FROM rows) IS NOT NULL
 *
 * The client's UPDATE stays the statement's own: its tag, its RETURNING. All parts see one snapshot, so both
 * readings of the condition find the same rows, if it is stable. That they also agree on rows that another
 * transaction has changed meanwhile is the lock's doing: `rows` waits for that transaction and judges the row
 * anew, and from then on it stays as it is. Hence `was`, read behind the lock: a condition on it in `rows`
 * would be decided by the snapshot, and the children of a row whose tenant was another one by then would be
 * left behind. So `rows` must come first: the last conjunct has no column in it, and is decided before the
 * first row is read. Were it read later, it would skip what this very statement has already updated.
 *
 * Foreign keys are checked when all parts are done, so that one on the pair is content.
 *
 * A child that another transaction inserts at the same time is not seen: in `derive` it keeps the tenant
 * that its parent had, for the verification to find; from `keyed` on the foreign key refuses one of both. So
 * it is with a value from FROM where several of its rows match: a note says so, unless a key of the table in
 * FROM tells that there is one. */
#include "rewrite/carry.h"

#include <string.h>

#include "parser/lex.h"
#include "rewrite/stable.h"
#include "rewrite/survey.h"
#include "rewrite/tenant_expr.h"

#define MAX_LEVELS 16

/* ---- who the children are ---- */

static bool is_child(const Table *table, const Table *parent) {
    return rewrite_is_migrating(table) && !rewrite_is_distributed(table) && table->tenant &&
           table->path.nsteps > 0 && table->path.steps[0]->parent == parent && table != parent;
}

/* The next one behind `after`, NULL to begin with. */
static const Table *next_child(const Rewrite *rw, const Table *parent, const Table *after) {
    const Snapshot *snapshot = rw->snapshot;

    for (int i = after ? (int)(after - snapshot->tables) + 1 : 0; i < snapshot->ntables; i++) {
        if (is_child(&snapshot->tables[i], parent))
            return &snapshot->tables[i];
    }
    return NULL;
}

bool carry_needed(Rewrite *rw, const Table *table) {
    return table->tenant && next_child(rw, table, NULL) != NULL;
}

static bool is_written(const Rewrite *rw, const Table *table) {
    const Survey *survey = rw->survey;

    for (int i = 0; i < survey->written.n; i++) {
        if (survey->written.tables[i] == table ||
            (survey->written.tables[i]->partition_of && table->relkind == 'p'))
            return true;
    }
    return survey->writes_unknown;
}

/* ---- may it be done? ---- */

static const char *child_problem(Rewrite *rw, const Table *parent, int level) {
    if (level > MAX_LEVELS)
        return "too many tables depend on each other";
    for (const Table *child = next_child(rw, parent, NULL); child; child = next_child(rw, parent, child)) {
        const ForeignKey *fk = child->path.steps[0];
        const char *why = child_problem(rw, child, level + 1);

        if (is_written(rw, child))
            return arena_printf(rw->arena, "the same statement writes %s", rewrite_quoted(rw, child->name));
        for (int k = 0; k < fk->ncolumns; k++) {
            if (!tenant_expr_equality(fk->parent_columns[k], fk->child_columns[k]))
                return arena_printf(rw->arena, "how to compare %s.%s is not known",
                                    rewrite_quoted(rw, child->name), fk->child_columns[k]->name);
        }
        if (why)
            return why;
    }
    return NULL;
}

/* Whether a foreign key of the child holds its tenant together with the parent's. */
static bool holds_pair(const Table *child, const Table *parent) {
    for (int i = 0; i < child->nforeign_keys; i++) {
        const ForeignKey *fk = child->foreign_keys[i];

        for (int k = 0; fk->parent == parent && k < fk->ncolumns; k++) {
            if (fk->child_columns[k] == child->tenant && fk->parent_columns[k] == parent->tenant)
                return true;
        }
    }
    return false;
}

/* Whether a child with another tenant than its parent's would be found: by a foreign key, or, in stage
 * derive, by the verification. */
static bool mistakes_show(const Rewrite *rw, const Table *parent) {
    for (const Table *child = next_child(rw, parent, NULL); child; child = next_child(rw, parent, child)) {
        if (child->stage >= STAGE_KEYED && !holds_pair(child, parent))
            return false;
    }
    return true;
}

/* Whether the value depends on the row alone. Of several rows of FROM that match it one is taken, and it need
 * not be the same one twice. */
static bool comes_from_target(const SetList *set, const Table *table, const Expr *expr) {
    const FromItem *target = set->block->target;

    if (!expr)
        return true;
    if (expr->kind == EXPR_SUBLINK || expr->kind == EXPR_STAR)
        return false;
    if (expr->kind == EXPR_COLUMN &&
        (expr->name.name ? strcmp(expr->name.name, target->alias ? target->alias : target->name.name) != 0
                         : !table_column(table, expr->column)))
        return false;
    for (int i = 0; i < expr->nargs; i++) {
        if (!comes_from_target(set, table, expr->args[i]))
            return false;
    }
    return true;
}

/* The one table of FROM, and the column of its key that is looked for in the condition. */
typedef struct OneRow {
    const SetList *set;
    const Table *table, *from;
    const char *row, *column;
} OneRow;

/* Whether the column is equal to what does not come from FROM. */
static bool is_fixed(const Expr *left, const Expr *right, void *arg) {
    const OneRow *one = arg;

    return left->kind == EXPR_COLUMN && left->column && strcmp(left->column, one->column) == 0 &&
           (left->name.name ? strcmp(left->name.name, one->row) == 0
                            : !table_column(one->table, left->column)) &&
           comes_from_target(one->set, one->table, right);
}

/* Whether the condition names one row of FROM: by a key that is equal to columns of the target, or fixed. */
static bool is_one_row(Rewrite *rw, const SetList *set, const Table *table) {
    const FromItem *item = set->block->nfrom == 1 ? set->block->from[0] : NULL;
    NameMeaning meaning = {.kind = NAME_UNKNOWN};
    OneRow one = {.set = set, .table = table};

    if (item && item->kind == FROM_TABLE && item->ncolumns == 0)
        meaning = names_resolve(rw->names, set->block, &item->name);
    if (meaning.kind != NAME_TABLE)
        return false;
    one.from = meaning.table;
    one.row = item->alias ? item->alias : item->name.name;
    for (int i = 0; i < one.from->nkeys; i++) {
        const Key *key = &one.from->keys[i];
        bool fixed = !key->partial_or_expression;

        for (int k = 0; k < key->ncolumns && fixed; k++) {
            one.column = key->columns[k]->name;
            fixed = set_equalities(rw, set, is_fixed, &one);
        }
        if (fixed)
            return true;
    }
    return false;
}

/* Whether what the children get may be another value than the row gets, of another row of FROM. */
static bool may_differ(Rewrite *rw, const SetList *set, const Table *table, const CarryValue *value) {
    bool from_target = true;

    for (int i = 0; i < value->nexprs; i++)
        from_target &= comes_from_target(set, table, value->exprs[i]);
    return set->block->nfrom > 0 && !from_target && !is_one_row(rw, set, table);
}

/* The word that stands next behind the SET list: FROM. Its end; 0 if it is another. */
static uint32_t from_start(const Rewrite *rw, const SetList *set) {
    LexToken from = lex_next(rw->text.ptr, rw->text.len, set->end);

    return lex_is_word(rw->text.ptr, from, "from") ? (uint32_t)from.end : 0;
}

/* The CTE that the UPDATE is; NULL if it is the statement itself, or stands elsewhere. */
static const Cte *own_cte(const Block *block) {
    for (int i = 0; block->parent && i < block->parent->nctes; i++) {
        if (block->parent->ctes[i].block == block)
            return &block->parent->ctes[i];
    }
    return NULL;
}

const char *carry_problem(Rewrite *rw, const SetList *set, const Table *table, const CarryValue *value) {
    const Block *block = set->block;

    if (block->kind != BLOCK_UPDATE)
        return "only an UPDATE can carry them along";
    if (!tenant_expr_equality(table->tenant, table->tenant))
        return "how to compare tenants is not known";
    if (block->where && block->where->kind == EXPR_CURRENT_OF)
        return "which row a cursor is on is known to the server alone";
    if (set->end == 0 || (block->where ? block->where_span.end : block->where_place) == 0 ||
        (!value->put && value->copy.end == 0) || (block->nfrom > 0 && from_start(rw, set) == 0) ||
        (block->parent && !own_cte(block)))
        return "where its parts stand in the text is not known";
    if (!stable_expr(rw, block->where, block) || !stable_from(rw, block))
        return "the condition may be another the second time";
    for (int i = 0; i < value->nexprs; i++) {
        if (value->exprs[i]->kind == EXPR_DEFAULT || !stable_expr(rw, value->exprs[i], block))
            return "the value may be another the second time";
    }
    if (may_differ(rw, set, table, value) && !mistakes_show(rw, table))
        return "the value may come from one of several rows of FROM";
    return child_problem(rw, table, 0);
}

/* ---- the edits ---- */

static void put_name(Buf *sql, const char *before, const char *name) {
    buf_append_cstr(sql, before);
    quote_identifier(sql, name);
}

static void put_table(Buf *sql, const Table *table) {
    if (table->relkind == 'r')
        buf_append_cstr(sql, "ONLY ");
    quote_identifier(sql, table->schema);
    put_name(sql, ".", table->name);
}

static void put_equals(Buf *sql, const Column *a, const Column *b) {
    put_name(sql, " OPERATOR(", tenant_expr_equality(a, b));
    buf_append_cstr(sql, ".=) ");
}

static void flush(Rewrite *rw, uint32_t offset, Buf *sql) {
    edits_insert(rw->edits, rw->arena, offset,
                 arena_str(rw->arena, (Str){(const char *)buf_ptr(sql), buf_len(sql)}));
    buf_clear(sql);
}

static void copy(Rewrite *rw, uint32_t offset, Span span) {
    edits_insert_copy(rw->edits, rw->arena, offset, span);
}

/* What each child's key refers to, child by child: "k1, k2, …, t" or the columns themselves. */
static void put_keys(Rewrite *rw, Buf *sql, const Table *parent, const char *row) {
    int n = 0;

    for (const Table *child = next_child(rw, parent, NULL); child; child = next_child(rw, parent, child)) {
        for (int k = 0; k < child->path.steps[0]->ncolumns; k++) {
            if (row)
                buf_printf(sql, "%s.%s, ", row,
                           rewrite_quoted(rw, child->path.steps[0]->parent_columns[k]->name));
            else
                buf_printf(sql, "k%d, ", ++n);
        }
    }
}

static void put_children(Rewrite *rw, Buf *sql, const Table *parent, const char *rows, bool first_level);

/* ", made(k1, …, t) AS (UPDATE …)"; `first`: which of the keys in `rows` is its own. On the first level the
 * rows are there whose tenant stays what it was, too. */
static void put_child(Rewrite *rw, Buf *sql, const Table *child, const char *rows, int first,
                      bool first_level) {
    const ForeignKey *fk = child->path.steps[0];
    const char *made = rewrite_made_name(rw);
    bool more = next_child(rw, child, NULL) != NULL;

    buf_printf(sql, ", %s", made);
    if (more) {
        buf_append_cstr(sql, "(");
        put_keys(rw, sql, child, NULL);
        buf_append_cstr(sql, "t)");
    }
    buf_append_cstr(sql, " AS (UPDATE ");
    put_table(sql, child);
    put_name(sql, " c SET ", child->tenant->name);
    buf_printf(sql, " = %s.t FROM %s WHERE ", rows, rows);
    for (int k = 0; k < fk->ncolumns; k++) {
        put_name(sql, k == 0 ? "c." : " AND c.", fk->child_columns[k]->name);
        put_equals(sql, fk->parent_columns[k], fk->child_columns[k]);
        buf_printf(sql, "%s.k%d", rows, first + k);
    }
    if (first_level) {
        buf_printf(sql, " AND (%s.was", rows);
        put_equals(sql, child->tenant, child->tenant);
        buf_printf(sql, "%s.t) IS NOT TRUE", rows);
    }
    if (more) {
        buf_append_cstr(sql, " RETURNING ");
        put_keys(rw, sql, child, "c");
        put_name(sql, "c.", child->tenant->name);
    }
    buf_append_cstr(sql, ")");
    put_children(rw, sql, child, made, false);
}

static void put_children(Rewrite *rw, Buf *sql, const Table *parent, const char *rows, bool first_level) {
    int first = 1;

    for (const Table *child = next_child(rw, parent, NULL); child; child = next_child(rw, parent, child)) {
        put_child(rw, sql, child, rows, first, first_level);
        first += child->path.steps[0]->ncolumns;
    }
}

/* "CAST(<value> AS type)". */
static void put_value(Rewrite *rw, uint32_t offset, Buf *sql, const Table *table, const CarryValue *value) {
    buf_append_cstr(sql, "CAST(");
    flush(rw, offset, sql);
    if (value->put)
        value->put(rw, offset, value->arg);
    else
        copy(rw, offset, value->copy);
    buf_append_cstr(sql, " AS ");
    tenant_expr_put_type(sql, table->tenant);
    buf_append_cstr(sql, ")");
}

/* FROM and WHERE of the UPDATE, with the target as one more item. */
static void put_condition(Rewrite *rw, uint32_t offset, Buf *sql, const SetList *set, const Table *table) {
    const Block *block = set->block;

    buf_append_cstr(sql, " FROM ");
    put_table(sql, table);
    if (block->target->alias)
        buf_printf(sql, " AS %s", set->row);
    if (block->nfrom > 0) {
        buf_append_cstr(sql, ",");
        flush(rw, offset, sql);
        copy(rw, offset,
             (Span){from_start(rw, set), block->where ? block->where_span.start : block->where_place});
    }
    if (!block->where)
        return;
    buf_append_cstr(sql, block->nfrom > 0 ? "(" : " WHERE (");
    flush(rw, offset, sql);
    copy(rw, offset, block->where_span);
    buf_append_cstr(sql, ")");
}

static void put_rows(Rewrite *rw, uint32_t offset, Buf *sql, const SetList *set, const Table *table,
                     const CarryValue *value, const char *rows) {
    buf_printf(sql, "%s(", rows);
    put_keys(rw, sql, table, NULL);
    buf_append_cstr(sql, "t, was) AS MATERIALIZED (SELECT ");
    put_keys(rw, sql, table, set->row);
    put_value(rw, offset, sql, table, value);
    buf_printf(sql, ", %s", set->row);
    put_name(sql, ".", table->tenant->name);
    put_condition(rw, offset, sql, set, table);
    buf_printf(sql, " FOR NO KEY UPDATE OF %s)", set->row);
}

/* Has the rows read before the UPDATE finds its first. */
static void edit_where(Rewrite *rw, const Block *block, const char *rows) {
    const char *first = arena_printf(rw->arena, "(SELECT pg_catalog.count(*) FROM %s) IS NOT NULL", rows);

    if (block->where) {
        edits_insert(rw->edits, rw->arena, block->where_span.start, str_of("("));
        edits_insert(rw->edits, rw->arena, block->where_span.end,
                     str_of(arena_printf(rw->arena, ") AND %s", first)));
    } else {
        edits_insert(rw->edits, rw->arena, block->where_place,
                     str_of(arena_printf(rw->arena, " WHERE %s", first)));
    }
}

/* From keyed on a foreign key holds the pair. */
static void note_several(Rewrite *rw, const Table *table) {
    for (const Table *child = next_child(rw, table, NULL); child; child = next_child(rw, table, child)) {
        if (child->stage < STAGE_KEYED)
            rewrite_note(
                rw, arena_printf(rw->arena,
                                 "%s.%s may become another than that of %s: the value may come from one "
                                 "of several rows of FROM",
                                 rewrite_quoted(rw, child->name), rewrite_quoted(rw, child->tenant->name),
                                 rewrite_quoted(rw, table->name)));
    }
}

void carry_edit(Rewrite *rw, const SetList *set, const Table *table, const CarryValue *value) {
    const Block *block = set->block;
    const Cte *cte = own_cte(block);
    const char *rows = rewrite_made_name(rw);
    uint32_t offset = cte ? cte->location : block->with_end > 0 ? block->with_end : block->verb;
    Buf sql = {0};

    buf_append_cstr(&sql, cte ? "" : block->with_end > 0 ? ", " : "WITH ");
    put_rows(rw, offset, &sql, set, table, value, rows);
    put_children(rw, &sql, table, rows, true);
    buf_append_cstr(&sql, cte ? ", " : block->with_end > 0 ? "" : " ");
    flush(rw, offset, &sql);
    buf_free(&sql);
    edit_where(rw, block, rows);
    if (may_differ(rw, set, table, value))
        note_several(rw, table);
    rw->decision->rewritten = true;
}

/* ---- where it may not ---- */

void carry_leave(Rewrite *rw, const Table *table, const char *why) {
    const char *parent = rewrite_quoted(rw, table->name), *column = rewrite_quoted(rw, table->tenant->name);

    for (const Table *child = next_child(rw, table, NULL); child; child = next_child(rw, table, child)) {
        const char *what = arena_printf(rw->arena, "%s.%s does not follow when %s.%s is set: %s",
                                        rewrite_quoted(rw, child->name),
                                        rewrite_quoted(rw, child->tenant->name), parent, column, why);

        rewrite_note(rw, what);
        if (child->stage >= STAGE_KEYED && !holds_pair(child, table))
            rewrite_refuse(
                rw, SQLSTATE_FEATURE_NOT_SUPPORTED,
                arena_printf(rw->arena, "the tenant of table \"%s\" cannot be set this way", table->name),
                arena_printf(rw->arena, "%s.", what),
                arena_printf(rw->arena,
                             "Set %s in a statement of its own, with a condition on "
                             "%s alone.",
                             column, parent));
    }
}
