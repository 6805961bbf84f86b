/* INSERT … VALUES as INSERT … SELECT, which Citus takes in every state of the tables where it refuses
 * sub-selects in VALUES, and which keeps a function that returns a set returning one.
 *
 * One row whose key may be written twice:
 *
 *   INSERT INTO line_items (order_id, name, store_id) SELECT $1, $2, (SELECT p1.store_id FROM … = CAST($1 AS
 * …))
 *
 * Else the rows become a CTE, which is computed once and in order, and the parents are joined to it:
 *
 *   INSERT INTO line_items (order_id, name, store_id)
 *   WITH made_1(n, c1, c2) AS MATERIALIZED (VALUES (1, f(), CAST('x' AS text)), (2, 7, CAST('y' AS text)))
 *   SELECT made_1.c1, made_1.c2, p.t FROM made_1 LEFT JOIN (…) p ON … ORDER BY made_1.n
 *
 * There a column's values have one type, and a literal or a parameter takes it from its neighbours: so what
 * has no type of its own is cast to the column's, without length or precision, which the assignment is to
 * check. DEFAULT cannot stand there: a column that all rows leave to it is not named, else its default is put
 * in. All edits are made in place, so that the values stay where they are. */
#include <string.h>

#include "parser/lex.h"
#include "rewrite/chain.h"
#include "rewrite/coerce.h"
#include "rewrite/insert_cast.h"
#include "rewrite/insert_plan.h"

typedef struct Form {
    InsertPlan *plan;
    const char *cte;         /* the rows' name; NULL: one row, in the SELECT itself */
    uint32_t place;          /* of the word VALUES */
    bool *is_dropped;        /* for each cell of a row: all have DEFAULT there */
    bool *is_alike;          /* all rows say the same there */
    bool *is_filled;         /* for each column of the key: the statement does not fill it, and is made to */
    InsertDefault *defaults; /* for each cell of a row, where some row has DEFAULT */
    int nkept;
    bool joins;      /* tenants come from the parents */
    bool has_values; /* tenants are slots, or NULL */
} Form;

static void put(Form *f, uint32_t offset, const char *text) {
    edits_insert(f->plan->rw->edits, f->plan->rw->arena, offset, str_of(text));
}

static void put_buf(Form *f, uint32_t offset, Buf *sql) {
    Arena *arena = f->plan->rw->arena;

    edits_insert(f->plan->rw->edits, arena, offset,
                 arena_str(arena, (Str){(const char *)buf_ptr(sql), buf_len(sql)}));
    buf_free(sql);
}

static void cut(Form *f, uint32_t start, uint32_t end) {
    edits_remove(f->plan->rw->edits, f->plan->rw->arena, (Span){start, end});
}

static const Cell *cell_at(const Form *f, int row, int i) { return &f->plan->block->rows[row].cells[i]; }

static bool is_default(const Cell *cell) { return cell->expr && cell->expr->kind == EXPR_DEFAULT; }

/* ---- what is to be done with each column ---- */

static void judge_cell(Form *f, int row, int i) {
    InsertPlan *plan = f->plan;
    const CellUse use = cell_use(plan->rw, cell_at(f, row, i)->expr);

    if (use == CELL_LEAVE || (use == CELL_SET && plan->nrows > 1)) {
        plan->why = "some value may be no scalar";
        plan->errs = true;
    }
}

static bool same_text(const Form *f, const Cell *a, const Cell *b) {
    const char *text = f->plan->rw->text.ptr;
    const size_t len = a->span.end - a->span.start;

    return len == b->span.end - b->span.start && memcmp(text + a->span.start, text + b->span.start, len) == 0;
}

static void judge_column(Form *f, int i) {
    InsertPlan *plan = f->plan;
    int ndefaults = 0;

    for (int row = 0; row < plan->nrows && !plan->why; row++) {
        if (is_default(cell_at(f, row, i)))
            ndefaults++;
        else
            judge_cell(f, row, i);
    }
    f->is_alike[i] = ndefaults == 0;
    for (int row = 1; row < plan->nrows; row++)
        f->is_alike[i] = f->is_alike[i] && same_text(f, cell_at(f, 0, i), cell_at(f, row, i));
    f->is_dropped[i] = ndefaults == plan->nrows;
    if (plan->columns[i] && ndefaults > 0)
        f->defaults[i] = insert_default(plan->rw, plan->columns[i]);
    for (int k = 0; plan->fk && k < plan->fk->ncolumns; k++) {
        if (plan->positions[k] == i && f->joins)
            f->is_dropped[i] = false;
    }
    f->nkept += !f->is_dropped[i];
    if (plan->why)
        return;
    if (!plan->columns[i]) {
        plan->why = "a column is not known, or assigned in part";
        plan->errs = plan->block->columns[i] != NULL;
    }
    if (ndefaults > 0 && !f->is_dropped[i] && f->defaults[i].kind == INSERT_DEFAULT_UNKNOWN)
        plan->why = arena_printf(plan->rw->arena, "the default of %s cannot be put in its place",
                                 plan->columns[i]->name);
}

static void judge_tenants(Form *f) {
    const InsertPlan *plan = f->plan;
    bool once = plan->nrows > 1;

    for (int row = 0; row < plan->nrows && !plan->given; row++) {
        const bool looked_up = plan->tenants[row] == ROW_BY_KEY && !plan->foreseen;

        f->joins |= looked_up;
        f->has_values |= !looked_up || insert_plan_falls_back(plan, row);
        for (int k = 0; k < plan->fk->ncolumns && looked_up; k++)
            once |= insert_plan_part(plan, row, k)->use != CELL_COPY;
    }
    f->joins = f->joins && once;
    if (once)
        f->cte = rewrite_made_name(plan->rw);
}

/* Of the word VALUES: the last before the first row. */
static bool find_place(Form *f) {
    const Block *block = f->plan->block;
    const Str text = f->plan->rw->text;
    const size_t from = block->has_column_list ? block->column_list.end : block->target_end;
    LexToken last = {0}, token;

    if (block->default_values) {
        f->place = block->default_values_span.start;
        return true;
    }
    token = lex_next(text.ptr, block->rows[0].span.start, from);
    for (; token.kind != LEX_END && token.kind != LEX_UNTERMINATED;
         token = lex_next(text.ptr, block->rows[0].span.start, token.end))
        last = token;
    f->place = (uint32_t)last.start;
    return last.end > 0 && lex_is_word(text.ptr, last, "values");
}

static void judge(Form *f) {
    InsertPlan *plan = f->plan;
    Arena *arena = plan->rw->arena;

    f->is_dropped = ARENA_ARRAY(arena, bool, plan->ncells);
    f->is_alike = ARENA_ARRAY(arena, bool, plan->ncells);
    f->is_filled = ARENA_ARRAY(arena, bool, plan->fk ? plan->fk->ncolumns : 0);
    f->defaults = ARENA_ARRAY(arena, InsertDefault, plan->ncells);
    if (!find_place(f)) {
        plan->why = "where its parts stand in the text is not known";
        return;
    }
    judge_tenants(f);
    for (int i = 0; i < plan->ncells && !plan->why; i++)
        judge_column(f, i);
    for (int k = 0; plan->fk && k < plan->fk->ncolumns; k++)
        f->is_filled[k] = plan->positions[k] < 0 && f->joins;
}

/* ---- the rows ---- */

static const char *cast_end(Form *f, const Column *column) {
    const char *end;
    Buf sql = {0};

    buf_append_cstr(&sql, " AS ");
    quote_identifier(&sql, column->type_schema);
    buf_append_cstr(&sql, ".");
    quote_identifier(&sql, column->type_name);
    buf_append_cstr(&sql, ")");
    end = arena_strndup(f->plan->rw->arena, (const char *)buf_ptr(&sql), buf_len(&sql));
    buf_free(&sql);
    return end;
}

/* Of a value as it goes into the table. */
static Coerce coercion(const Form *f, const Column *column) {
    if (!rewrite_needs_values(f->plan->table))
        return (Coerce){0};
    return coerce_to_column(f->plan->rw->arena, column);
}

static const char *null_of(Form *f, const Column *column) {
    return arena_printf(f->plan->rw->arena, "CAST(NULL%s", cast_end(f, column));
}

static void put_default(Form *f, uint32_t offset, const InsertDefault *value, const Column *column) {
    if (value->kind == INSERT_DEFAULT_NULL)
        put(f, offset, null_of(f, column));
    else
        edits_insert(f->plan->rw->edits, f->plan->rw->arena, offset, value->text);
}

static void edit_cell(Form *f, int row, int i) {
    const Cell *cell = cell_at(f, row, i);
    const Column *column = f->plan->columns[i];
    Coerce coerce = {0};

    if (is_default(cell)) {
        put_default(f, cell->span.start, &f->defaults[i], column);
        cut(f, cell->span.start, cell->span.end);
        return;
    }
    if (f->cte && insert_cast_needed(cell->expr, column, f->plan->nrows > 1 && !f->is_alike[i]))
        coerce = (Coerce){"CAST(", cast_end(f, column)};
    else if (!f->cte)
        coerce = coercion(f, column);
    if (coerce.head) {
        put(f, cell->span.start, coerce.head);
        put(f, cell->span.end, coerce.tail);
    }
}

/* The last cells that are dropped go with the comma before them, the others with the one behind. */
static void edit_cells(Form *f, int row) {
    const int n = f->plan->ncells;
    int last = n - 1;

    while (last >= 0 && f->is_dropped[last])
        last--;
    for (int i = 0; i <= last; i++) {
        if (f->is_dropped[i])
            cut(f, cell_at(f, row, i)->span.start, cell_at(f, row, i + 1)->span.start);
        else
            edit_cell(f, row, i);
    }
    if (last < n - 1)
        cut(f, last < 0 ? cell_at(f, row, 0)->span.start : cell_at(f, row, last)->span.end,
            cell_at(f, row, n - 1)->span.end);
}

static void put_row_tenant(Form *f, int row, uint32_t offset) {
    InsertPlan *plan = f->plan;
    const bool by_key = plan->tenants[row] == ROW_BY_KEY;

    if (by_key && !plan->foreseen && !f->cte) {
        TenantSource *sources = ARENA_ARRAY(plan->rw->arena, TenantSource, plan->fk->ncolumns);

        for (int k = 0; k < plan->fk->ncolumns; k++)
            sources[k] = insert_plan_part(plan, row, k)->from;
        insert_plan_open(plan, row, offset);
        tenant_expr_insert(plan->rw, offset, plan->table, sources);
        insert_plan_close(plan, row, offset);
    } else if (plan->tenants[row] == ROW_BY_TEXT) {
        chain_put(plan, row, offset);
    } else if (by_key && !plan->foreseen && insert_plan_falls_back(plan, row)) {
        edits_insert_slot(plan->rw->edits, plan->rw->arena, offset, insert_plan_fallback(plan));
    } else if (plan->slots && !(by_key && !plan->foreseen)) {
        edits_insert_slot(plan->rw->edits, plan->rw->arena, offset, insert_plan_slot(plan, row));
    } else {
        put(f, offset, null_of(f, plan->table->tenant));
    }
}

/* Behind the row's cells: the key's columns that it does not fill, and the tenant unless a join gives it. */
static void put_row_end(Form *f, int row, uint32_t offset) {
    const InsertPlan *plan = f->plan;
    const char *comma = f->nkept > 0 || f->cte ? ", " : "";

    for (int k = 0; plan->fk && k < plan->fk->ncolumns; k++) {
        if (!f->is_filled[k])
            continue;
        put(f, offset, comma);
        put_default(f, offset, &plan->defaults[k], plan->fk->child_columns[k]);
        comma = ", ";
    }
    if (!plan->given && (!f->cte || f->has_values)) {
        put(f, offset, comma);
        put_row_tenant(f, row, offset);
    }
}

/* ---- around the rows ---- */

static void put_column_list(Form *f) {
    const InsertPlan *plan = f->plan;
    const Block *block = plan->block;
    const int nkeys = plan->fk ? plan->fk->ncolumns : 0;
    const bool append = block->has_column_list && f->nkept == plan->ncells;
    const char **names = ARENA_ARRAY(plan->rw->arena, const char *, plan->ncells + nkeys + 1);
    int n = 0;
    Buf sql = {0};

    for (int i = 0; i < plan->ncells && !append; i++) {
        if (!f->is_dropped[i])
            names[n++] = plan->columns[i]->name;
    }
    for (int k = 0; k < nkeys; k++) {
        if (f->is_filled[k])
            names[n++] = plan->fk->child_columns[k]->name;
    }
    if (!plan->given)
        names[n++] = plan->table->tenant_column;
    if (n == 0)
        return;
    buf_append_cstr(&sql, append ? ", " : block->has_column_list || block->default_values ? "(" : " (");
    insert_plan_put_names(&sql, names, n);
    buf_append_cstr(&sql, append ? "" : block->default_values ? ") " : ")");
    if (append) {
        put_buf(f, block->column_list.end - 1, &sql);
    } else if (block->has_column_list) {
        put_buf(f, block->column_list.start, &sql);
        cut(f, block->column_list.start, block->column_list.end);
    } else {
        put_buf(f, block->default_values ? f->place : block->target_end, &sql);
    }
}

/* Columns of the CTE: those kept, then the key's that are filled. Returns how many. */
static int count_values(const Form *f) {
    int n = f->nkept;

    for (int k = 0; f->plan->fk && k < f->plan->fk->ncolumns; k++)
        n += f->is_filled[k];
    return n;
}

/* "WITH made_1(n, c1, c2, s) AS MATERIALIZED (" */
static void put_cte_head(Form *f) {
    Buf sql = {0};

    buf_printf(&sql, "WITH %s(n", f->cte);
    for (int i = 0; i < count_values(f); i++)
        buf_printf(&sql, ", c%d", i + 1);
    buf_append_cstr(&sql, f->has_values ? ", s) AS MATERIALIZED (" : ") AS MATERIALIZED (");
    put_buf(f, f->place, &sql);
}

/* The CTE's columns that hold the foreign key. */
static const char *const *key_columns(const Form *f) {
    const InsertPlan *plan = f->plan;
    const char **names = ARENA_ARRAY(plan->rw->arena, const char *, plan->fk->ncolumns);
    int filled = f->nkept;

    for (int k = 0; k < plan->fk->ncolumns; k++) {
        int number = 0;

        for (int i = 0; i <= plan->positions[k]; i++)
            number += !f->is_dropped[i];
        names[k] = arena_printf(plan->rw->arena, "c%d", f->is_filled[k] ? ++filled : number);
    }
    return names;
}

/* "made_1.c1, made_1.c2" */
static void put_values(const Form *f, Buf *sql) {
    const InsertPlan *plan = f->plan;
    int n = 0;

    for (int i = 0; i < plan->ncells; i++) {
        const Coerce coerce = f->is_dropped[i] ? (Coerce){0} : coercion(f, plan->columns[i]);

        if (f->is_dropped[i])
            continue;
        buf_append_cstr(sql, n == 0 ? "" : ", ");
        buf_printf(sql, "%s%s.c%d%s", coerce.head ? coerce.head : "", f->cte, ++n,
                   coerce.head ? coerce.tail : "");
    }
    for (; n < count_values(f); n++)
        buf_printf(sql, "%s%s.c%d", n == 0 ? "" : ", ", f->cte, n + 1);
}

/* ") SELECT made_1.c1, … FROM made_1 …" */
static void put_cte_tail(Form *f, uint32_t offset) {
    const InsertPlan *plan = f->plan;
    const int n = count_values(f);
    Buf sql = {0};

    buf_append_cstr(&sql, ") SELECT ");
    put_values(f, &sql);
    if (!plan->given) {
        buf_append_cstr(&sql, n > 0 ? ", " : "");
        if (f->joins && f->has_values)
            buf_printf(&sql, "COALESCE(p.t, %s.s)", f->cte);
        else if (f->joins)
            buf_append_cstr(&sql, "p.t");
        else
            buf_printf(&sql, "%s.s", f->cte);
    }
    buf_printf(&sql, " FROM %s", f->cte);
    if (f->joins)
        tenant_expr_put_join(&sql, plan->table, f->cte, key_columns(f));
    if (plan->nrows > 1)
        buf_printf(&sql, " ORDER BY %s.n", f->cte);
    put_buf(f, offset, &sql);
}

/* `VALUES (1)RETURNING a` needs no space, what takes its place does. */
static void put_space(Form *f, uint32_t offset, uint32_t end) {
    const Str text = f->plan->rw->text;

    if (end < text.len && lex_is(text.ptr, end, LEX_IS_IDENT_CONT))
        put(f, offset, " ");
}

static void edit_single(Form *f) {
    const Block *block = f->plan->block;
    const Span row = block->default_values ? block->default_values_span : block->rows[0].span;
    const uint32_t end = block->default_values ? row.start : row.end - 1;

    if (f->cte)
        put_cte_head(f);
    put(f, f->place, "SELECT");
    if (block->default_values) {
        put(f, end, f->cte ? " 1" : " ");
    } else {
        cut(f, f->place, f->place + 6);
        put(f, row.start, row.start == f->place + 6 ? " " : "");
        put(f, row.start, f->cte ? f->nkept > 0 ? "1, " : "1" : "");
        cut(f, row.start, row.start + 1);
        edit_cells(f, 0);
    }
    put_row_end(f, 0, end);
    if (f->cte)
        put_cte_tail(f, end);
    put_space(f, end, row.end);
    if (block->default_values)
        cut(f, row.start, row.end);
    else
        cut(f, end, end + 1);
}

static void edit_several(Form *f) {
    const Block *block = f->plan->block;
    const uint32_t end = block->rows[block->nrows - 1].span.end;

    put_cte_head(f);
    for (int row = 0; row < block->nrows; row++) {
        put(f, block->rows[row].span.start + 1,
            arena_printf(f->plan->rw->arena, f->nkept > 0 ? "%d, " : "%d", row + 1));
        edit_cells(f, row);
        put_row_end(f, row, block->rows[row].span.end - 1);
    }
    put_cte_tail(f, end);
    put_space(f, end, end);
}

bool insert_select_form_edit(InsertPlan *plan) {
    Form f = {.plan = plan};

    judge(&f);
    if (plan->why)
        return false;
    put_column_list(&f);
    if (plan->nrows > 1)
        edit_several(&f);
    else
        edit_single(&f);
    return true;
}
