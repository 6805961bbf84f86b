/* Tables that could be the tenants'.
 *
 * A good one is above most of the data by foreign keys that are NOT NULL, has enough rows to fill the shards,
 * and is what the application's statements filter by. A look-up table may be above as much, but has few rows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/plan_model.h"

/* So many tenants make a table half as good as any number would. */
#define HALF_SPREAD 8.0
/* Citus's default number of shards: fewer tenants leave some empty. */
#define USUAL_SHARDS 32
/* What a table is worth that leads to it by keys that may be NULL. */
#define NULLABLE_WEIGHT 0.8
/* How much of the score the traffic decides, where it is known. */
#define TRAFFIC_PART 0.6

typedef struct Suggesting {
    PlanSuggestion *suggestion;
    const PlanSize *sizes; /* by the tables' index */
    char *reach;           /* likewise: how they lead to the candidate at hand */
} Suggesting;

static bool is_own(const Table *table) {
    return (table->relkind == 'r' || table->relkind == 'p') && !table->partition_of;
}

static int index_of(const Suggesting *s, const Table *table) {
    return (int)(table - s->suggestion->snapshot->tables);
}

/* ---- reach ---- */

/* How a table leads to the candidate at hand. */
enum { REACH_NONE, REACH_NULLABLE, REACH_CERTAIN };

static char grade_of(const ForeignKey *fk) {
    for (int i = 0; i < fk->ncolumns; i++) {
        if (!fk->child_columns[i]->not_null)
            return REACH_NULLABLE;
    }
    return REACH_CERTAIN;
}

/* By the best of its foreign keys. */
static char reach_of(const Suggesting *s, const Table *table) {
    char best = REACH_NONE;

    for (int i = 0; i < table->nforeign_keys; i++) {
        char parent = s->reach[index_of(s, table->foreign_keys[i]->parent)],
             own = grade_of(table->foreign_keys[i]);
        char both = parent < own ? parent : own;

        best = both > best ? both : best;
    }
    return best;
}

/* Grades only grow, so that this ends, whatever circles there are. */
static void find_reach(Suggesting *s, const Table *root) {
    const Snapshot *snapshot = s->suggestion->snapshot;
    bool improved = true;

    memset(s->reach, REACH_NONE, (size_t)snapshot->ntables);
    s->reach[index_of(s, root)] = REACH_CERTAIN;
    while (improved) {
        improved = false;
        for (int i = 0; i < snapshot->ntables; i++) {
            char reach = is_own(&snapshot->tables[i]) ? reach_of(s, &snapshot->tables[i]) : REACH_NONE;

            improved |= reach > s->reach[i];
            s->reach[i] = reach > s->reach[i] ? reach : s->reach[i];
        }
    }
}

static void count_reach(const Suggesting *s, PlanCandidate *candidate) {
    for (int i = 0; i < s->suggestion->snapshot->ntables; i++) {
        double weight = s->reach[i] == REACH_CERTAIN ? 1 : NULLABLE_WEIGHT;

        if (s->reach[i] == REACH_NONE)
            continue;
        candidate->tables++;
        candidate->certain += s->reach[i] == REACH_CERTAIN;
        candidate->covered += s->sizes[i].rows > 0 ? s->sizes[i].rows : 0;
        candidate->table_weight += weight;
        candidate->row_weight += s->sizes[i].rows > 0 ? weight * (double)s->sizes[i].rows : 0;
    }
}

/* ---- the tenant column's name ---- */

static int count_name(const Table *table, const char *name) {
    int n = 0;

    for (int i = 0; i < table->nreferenced_by; i++) {
        const ForeignKey *fk = table->referenced_by[i];

        n += fk->ncolumns == 1 && strcmp(fk->child_columns[0]->name, name) == 0;
    }
    return n;
}

/* What most of those that refer to it call it; else what the table and its key suggest. */
static const char *column_name(Arena *arena, const Table *table, const Column *key) {
    const char *best = NULL;
    int most = 0;

    for (int i = 0; i < table->nreferenced_by; i++) {
        const ForeignKey *fk = table->referenced_by[i];
        int n = fk->ncolumns == 1 ? count_name(table, fk->child_columns[0]->name) : 0;

        if (n > most) {
            most = n;
            best = fk->child_columns[0]->name;
        }
    }
    if (best)
        return best;
    return strcmp(key->name, "id") == 0 ? arena_printf(arena, "%s_id", table->name) : key->name;
}

/* ---- traffic ---- */

static const Table *filtered_table(const Snapshot *snapshot, const PlanFilter *filter) {
    if (filter->schema)
        return snapshot_table(snapshot, filter->schema, filter->table);
    for (int i = 0; i < snapshot->ntables; i++) {
        if (is_own(&snapshot->tables[i]) && strcmp(snapshot->tables[i].name, filter->table) == 0)
            return &snapshot->tables[i];
    }
    return NULL;
}

/* Whether the column holds the candidate's key: its own, a reference to it, or one that is called so. */
static bool is_tenant_column(const PlanCandidate *candidate, const Table *table, const Column *column) {
    if (table == candidate->table)
        return column == candidate->key;
    for (int i = 0; i < table->nforeign_keys; i++) {
        const ForeignKey *fk = table->foreign_keys[i];

        for (int j = 0; j < fk->ncolumns; j++) {
            if (fk->child_columns[j] == column && fk->parent_columns[j] == candidate->key)
                return true;
        }
    }
    return strcmp(column->name, candidate->column) == 0 &&
           strcmp(column->type_name, candidate->key->type_name) == 0;
}

/* Whether the statement filters by the candidate's key; *any: by anything that is known. */
static bool filters_by(const Snapshot *snapshot, const PlanStatement *statement,
                       const PlanCandidate *candidate, bool *any) {
    bool found = false;

    *any = false;
    for (int i = 0; i < statement->nfilters; i++) {
        const Table *table = filtered_table(snapshot, &statement->filters[i]);
        const Column *column = table ? table_column(table, statement->filters[i].column) : NULL;

        *any |= column != NULL;
        found |= column && is_tenant_column(candidate, table, column);
    }
    return found;
}

static double share_of_traffic(const PlanSuggestion *suggestion, const PlanCandidate *candidate) {
    const PlanTraffic *traffic = suggestion->traffic;
    uint64_t filtered = 0, by_tenant = 0;

    for (int i = 0; traffic && i < traffic->nstatements; i++) {
        bool any;

        if (filters_by(suggestion->snapshot, &traffic->statements[i], candidate, &any))
            by_tenant += traffic->statements[i].calls;
        filtered += any ? traffic->statements[i].calls : 0;
    }
    return filtered > 0 ? (double)by_tenant / (double)filtered : -1;
}

/* ---- ranking ---- */

static double score(const PlanSuggestion *suggestion, const PlanCandidate *candidate) {
    double tables = candidate->table_weight / (double)suggestion->ntables;
    double cover =
        suggestion->rows > 0 ? (tables + candidate->row_weight / (double)suggestion->rows) / 2 : tables;
    double n = (double)candidate->rows;
    double spread = suggestion->rows > 0 && n >= 0 ? n / (n + HALF_SPREAD) : 1;
    double traffic = candidate->traffic < 0 ? 1 : 1 - TRAFFIC_PART + TRAFFIC_PART * candidate->traffic;

    return cover * spread * traffic;
}

static const char *explain(const PlanSuggestion *suggestion, const PlanCandidate *candidate) {
    Buf buf = {0};
    const char *text;

    buf_printf(&buf, "%d of %d tables lead to it (itself included), %d by keys that are NOT NULL",
               candidate->tables, suggestion->ntables, candidate->certain);
    if (suggestion->rows > 0)
        buf_printf(&buf, ", with %.0f %% of the rows",
                   100.0 * (double)candidate->covered / (double)suggestion->rows);
    buf_append_cstr(&buf, ". ");
    if (suggestion->rows == 0 || candidate->rows < 0)
        buf_append_cstr(&buf, "How many rows it has is not known.");
    else if (candidate->rows < USUAL_SHARDS)
        buf_printf(&buf, "It has only %" PRId64 " rows: so few tenants cannot fill %d shards.",
                   candidate->rows, USUAL_SHARDS);
    else
        buf_printf(&buf, "It has about %" PRId64 " rows.", candidate->rows);
    if (candidate->traffic >= 0)
        buf_printf(&buf, " %.0f %% of the calls in %s that filter at all filter by it.",
                   100 * candidate->traffic, suggestion->traffic->source);
    text = arena_strndup(suggestion->arena, (const char *)buf_ptr(&buf), buf_len(&buf));
    buf_free(&buf);
    return text;
}

static int by_score(const void *a, const void *b) {
    const PlanCandidate *x = a, *y = b;

    if (fabs(x->score - y->score) > 1e-9)
        return x->score > y->score ? -1 : 1;
    if (x->tables != y->tables)
        return y->tables - x->tables;
    return strcmp(x->name, y->name);
}

/* A tenant is named by one value. */
static const Column *key_of(const Table *table) {
    const Key *key = table->nkeys > 0 ? &table->keys[0] : NULL;

    return is_own(table) && key && key->primary && key->ncolumns == 1 ? key->columns[0] : NULL;
}

static void consider(Suggesting *s, const Table *table) {
    PlanSuggestion *suggestion = s->suggestion;
    PlanCandidate candidate = {.table = table,
                               .name = table_qualified_name(suggestion->arena, table),
                               .key = key_of(table),
                               .rows = s->sizes[index_of(s, table)].rows};

    if (!candidate.key)
        return;
    find_reach(s, table);
    count_reach(s, &candidate);
    if (candidate.tables < 2)
        return;
    candidate.column = column_name(suggestion->arena, table, candidate.key);
    candidate.traffic = share_of_traffic(suggestion, &candidate);
    candidate.score = score(suggestion, &candidate);
    candidate.why = explain(suggestion, &candidate);
    suggestion->candidates[suggestion->n++] = candidate;
}

bool plan_suggest(PGconn *conn, PlanSuggestion *suggestion, Error *err) {
    const Snapshot *snapshot = suggestion->snapshot;
    const PlanSize *sizes = plan_sizes(conn, suggestion->arena, snapshot, err);
    Suggesting s = {.suggestion = suggestion, .sizes = sizes};

    if (!sizes)
        return false;
    for (int i = 0; i < snapshot->ntables; i++) {
        suggestion->ntables += is_own(&snapshot->tables[i]);
        suggestion->rows += is_own(&snapshot->tables[i]) && sizes[i].rows > 0 ? sizes[i].rows : 0;
    }
    suggestion->candidates = ARENA_ARRAY(suggestion->arena, PlanCandidate, snapshot->ntables + 1);
    s.reach = ARENA_ARRAY(suggestion->arena, char, snapshot->ntables + 1);
    for (int i = 0; i < snapshot->ntables; i++)
        consider(&s, &snapshot->tables[i]);
    if (suggestion->n > 1)
        qsort(suggestion->candidates, (size_t)suggestion->n, sizeof(PlanCandidate), by_score);
    return true;
}
