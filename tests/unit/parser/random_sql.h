/* Random statements that the parser accepts: all clauses, in odd company and nested. Words that are keywords
 * stand where they are names, too. */
#ifndef TESTS_PARSER_RANDOM_SQL_H
#define TESTS_PARSER_RANDOM_SQL_H

#include "base/attr.h"
#include "base/buf.h"

typedef struct RandomSql {
    Buf *out;
    uint64_t state;
    int depth;
} RandomSql;

static unsigned random_below(RandomSql *r, unsigned n) {
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(r->state >> 33) % n;
}

static bool random_chance(RandomSql *r, unsigned percent) { return random_below(r, 100) < percent; }

static void random_put(RandomSql *r, const char *text) {
    static const char *const blanks[] = {" ", " ", " ", " ", " ", "\n", " /* , ) FROM */ ", " -- ( WHERE\n"};

    buf_append_cstr(r->out, blanks[random_below(r, ARRAY_LEN(blanks))]);
    buf_append_cstr(r->out, text);
}

static void random_query(RandomSql *r);
static void random_expr(RandomSql *r);
static void random_write(RandomSql *r);

static void random_name(RandomSql *r) {
    static const char *const names[] = {"a",        "b",      "\"from\"",  "values",  "set",
                                        "conflict", "insert", "t.x",       "t.where", "matched",
                                        "search",   "data",   "recursive", "update",  "x.y.z",
                                        "\"a,(b\"", "by",     "é",         "no",      "materialized"};

    random_put(r, names[random_below(r, ARRAY_LEN(names))]);
}

static void random_column(RandomSql *r) {
    static const char *const names[] = {"a",   "b",        "\"from\"", "values",
                                        "set", "conflict", "matched",  "\"a,(b\""};

    random_put(r, names[random_below(r, ARRAY_LEN(names))]);
}

static void random_table(RandomSql *r) {
    static const char *const names[] = {"t",       "s.t", "s . \"select\"",
                                        "s.where", "set", "U&\"d\" UESCAPE '!'"};

    random_put(r, names[random_below(r, ARRAY_LEN(names))]);
}

static void random_list(RandomSql *r, void (*element)(RandomSql *r)) {
    unsigned n = 1 + random_below(r, 3);

    for (unsigned i = 0; i < n; i++) {
        if (i > 0)
            random_put(r, ",");
        element(r);
    }
}

static void random_parens(RandomSql *r, void (*inner)(RandomSql *r)) {
    random_put(r, "(");
    inner(r);
    random_put(r, ")");
}

/* Two forms that are one expression, with blanks of their own. */
static void random_deep(RandomSql *r) {
    static const char *const before[] = {
        "exists", "b in", "b not in", "c = any", "array", "c not like all", "d operator ( pg_catalog.= ) any",
        "",       "",     "- "};

    switch (random_below(r, 8)) {
    case 0:
    case 1:
    case 2:
        random_put(r, before[random_below(r, ARRAY_LEN(before))]);
        random_parens(r, random_query);
        return;
    case 3:
        random_put(r, "case when");
        random_expr(r);
        random_put(r, "then");
        random_expr(r);
        random_put(r, "end");
        return;
    case 4:
        random_put(r, "f(");
        random_list(r, random_expr);
        random_put(r, "order by");
        random_expr(r);
        random_put(r, ") filter (where");
        random_expr(r);
        random_put(r, ") over (partition by");
        random_expr(r);
        random_put(r, ")");
        return;
    case 5:
        random_put(r, "row");
        random_put(r, "(");
        random_list(r, random_expr);
        random_put(r, ")");
        return;
    case 6:
        random_put(r, "a[");
        random_expr(r);
        random_put(r, "]");
        return;
    default:
        random_parens(r, random_expr);
        return;
    }
}

static void random_expr(RandomSql *r) {
    static const char *const leaves[] = {"1",
                                         "'it''s, ('",
                                         "$1",
                                         "$$)$$",
                                         "current_date",
                                         "interval '1' day to second",
                                         "extract(year from b)",
                                         "b is not distinct from c",
                                         "cast(a as int)",
                                         "timestamp with time zone 'now'",
                                         "a between 1 and 2",
                                         "(values)",
                                         "(1 + 2, 3)",
                                         "f() within group (order by a)",
                                         "null",
                                         "E'\\')'"};

    r->depth++;
    if (r->depth < 7 && random_chance(r, 25))
        random_deep(r);
    else if (random_chance(r, 40))
        random_name(r);
    else
        random_put(r, leaves[random_below(r, ARRAY_LEN(leaves))]);
    r->depth--;
}

static void random_condition(RandomSql *r) {
    random_expr(r);
    if (random_chance(r, 50)) {
        random_put(r, random_chance(r, 50) ? "and" : "or");
        random_expr(r);
    }
}

static void random_target(RandomSql *r) {
    static const char *const labels[] = {"as from",
                                         "as as",
                                         "as x",
                                         "x",
                                         "\"y z\"",
                                         "select",
                                         "case",
                                         "end",
                                         "distinct",
                                         "as union",
                                         "as where",
                                         "values",
                                         "U&\"d\" UESCAPE '!'",
                                         "as limit",
                                         "using"};

    if (random_chance(r, 10)) {
        random_put(r, random_chance(r, 50) ? "*" : "t.*");
        return;
    }
    /* Behind a literal a word without AS may belong to it. */
    random_put(r, "(");
    random_expr(r);
    random_put(r, ")");
    if (random_chance(r, 40))
        random_put(r, labels[random_below(r, ARRAY_LEN(labels))]);
}

static void random_item(RandomSql *r) {
    r->depth++;
    switch (random_below(r, r->depth < 6 ? 7 : 2)) {
    case 0:
    case 1:
        random_table(r);
        if (random_chance(r, 30))
            random_put(r, "as x (a, b)");
        break;
    case 2:
        random_put(r, random_chance(r, 50) ? "lateral" : "");
        random_parens(r, random_query);
        random_put(r, "s");
        break;
    case 3:
        random_put(r, "rows from (f(");
        random_expr(r);
        random_put(r, "))");
        break;
    case 4:
        random_put(r, "(");
        random_item(r);
        random_put(r, "cross join");
        random_item(r);
        random_put(r, ")");
        break;
    case 5:
        random_item(r);
        random_put(r, "left join");
        random_item(r);
        random_put(r, "on");
        random_condition(r);
        break;
    default:
        random_item(r);
        random_put(r, "natural join");
        random_item(r);
        break;
    }
    r->depth--;
}

static void random_clause(RandomSql *r, unsigned percent, const char *word, void (*rest)(RandomSql *r)) {
    if (!random_chance(r, percent))
        return;
    random_put(r, word);
    rest(r);
}

static void random_exprs(RandomSql *r) { random_list(r, random_expr); }
static void random_items(RandomSql *r) { random_list(r, random_item); }
static void random_returning(RandomSql *r) { random_list(r, random_target); }

static void random_select(RandomSql *r) {
    static const char *const firsts[] = {"", "", "", "all", "distinct", "distinct on (a, b)"};
    const char *first = firsts[random_below(r, ARRAY_LEN(firsts))];

    random_put(r, "select");
    random_put(r, first);
    if (first[0] == 'd' || random_chance(r, 90))
        random_list(r, random_target);
    random_clause(r, 70, "from", random_items);
    random_clause(r, 50, "where", random_condition);
    random_clause(r, 20, "group by", random_exprs);
    random_clause(r, 10, "having", random_condition);
    if (random_chance(r, 5))
        random_put(r, "window w as (order by a)");
}

static void random_row(RandomSql *r) { random_parens(r, random_exprs); }

static void random_arm(RandomSql *r) {
    switch (random_below(r, 8)) {
    case 0:
        random_put(r, "values");
        random_list(r, random_row);
        return;
    case 1:
        random_put(r, random_chance(r, 50) ? "table s.t" : "table only (t)");
        return;
    case 2:
        random_parens(r, random_query);
        return;
    default:
        random_select(r);
        return;
    }
}

static void random_cte_body(RandomSql *r) {
    if (random_chance(r, 30))
        random_write(r);
    else
        random_query(r);
}

static void random_with(RandomSql *r) {
    static const char *const bodies[] = {"as", "(a, b) as", "as materialized", "as not materialized"};
    static const char *const behind[] = {
        "", "", "", "search depth first by a, set set x",
        "search breadth first by a set x cycle a, b set c to 1 default 2 using p"};
    static const char *const names[] = {"c", "\"select\"", "data", "search"};

    random_put(r, random_chance(r, 30) ? "with recursive" : "with");
    for (unsigned i = 0, n = 1 + random_below(r, 2); i < n; i++) {
        random_put(r, i > 0 ? "," : "");
        random_put(r, names[random_below(r, ARRAY_LEN(names))]);
        random_put(r, bodies[random_below(r, ARRAY_LEN(bodies))]);
        random_parens(r, random_cte_body);
        random_put(r, behind[random_below(r, ARRAY_LEN(behind))]);
    }
}

static void random_query(RandomSql *r) {
    static const char *const operators[] = {"union",  "union all",  "intersect",
                                            "except", "except all", "union distinct"};
    static const char *const tails[] = {"order by a desc", "limit 1", "offset 2 rows fetch first row only",
                                        "order by 1 limit 2 offset 3", "for update of t"};

    r->depth++;
    if (r->depth < 5 && random_chance(r, 15))
        random_with(r);
    random_arm(r);
    while (r->depth < 6 && random_chance(r, 20)) {
        random_put(r, operators[random_below(r, ARRAY_LEN(operators))]);
        random_arm(r);
    }
    if (random_chance(r, 20))
        random_put(r, tails[random_below(r, ARRAY_LEN(tails))]);
    r->depth--;
}

static void random_assignment(RandomSql *r) {
    switch (random_below(r, 6)) {
    case 0:
        random_put(r, random_chance(r, 50) ? "(a, b) = row" : "(a, b) =");
        random_put(r, "(");
        random_expr(r);
        random_put(r, ", default )");
        return;
    case 1:
        random_put(r, "(a, b, c) =");
        random_parens(r, random_query);
        return;
    case 2:
        random_put(r, "a[1].b =-");
        random_expr(r);
        return;
    default:
        random_column(r);
        random_put(r, "=");
        random_expr(r);
        return;
    }
}

static void random_assignments(RandomSql *r) { random_list(r, random_assignment); }
static void random_columns(RandomSql *r) { random_list(r, random_column); }

static void random_insert(RandomSql *r) {
    static const char *const conflicts[] = {
        "on conflict do nothing", "on conflict on constraint c do nothing",
        "on conflict (a, (lower(b))) where c do update set", "on conflict on constraint c do update set"};

    random_put(r, "insert into");
    random_table(r);
    random_put(r, random_chance(r, 30) ? "as x" : "");
    if (random_chance(r, 20)) {
        random_put(r, "default values");
    } else {
        if (random_chance(r, 60))
            random_parens(r, random_columns);
        random_put(r, random_chance(r, 20) ? "overriding user value" : "");
        random_query(r);
    }
    if (random_chance(r, 30)) {
        unsigned which = random_below(r, ARRAY_LEN(conflicts));

        random_put(r, conflicts[which]);
        if (which >= 2) {
            random_assignments(r);
            random_clause(r, 40, "where", random_condition);
        }
    }
    random_clause(r, 40, "returning", random_returning);
}

static void random_when(RandomSql *r) {
    bool matched = random_chance(r, 50);

    random_put(r, matched ? "when matched" : "when not matched");
    random_clause(r, 40, "and", random_condition);
    random_put(r, "then");
    switch (random_below(r, 4)) {
    case 0:
        random_put(r, "do nothing");
        return;
    case 1:
        random_put(r, matched ? "delete" : "insert default values");
        return;
    default:
        random_put(r, matched ? "update set" : "insert");
        if (matched) {
            random_assignments(r);
        } else {
            if (random_chance(r, 60))
                random_parens(r, random_columns);
            random_put(r, "values");
            random_row(r);
        }
        return;
    }
}

static void random_merge(RandomSql *r) {
    random_put(r, "merge into");
    random_table(r);
    random_put(r, "as x using");
    random_item(r);
    random_put(r, "on");
    random_condition(r);
    for (unsigned i = 0, n = 1 + random_below(r, 3); i < n; i++)
        random_when(r);
}

static void random_update(RandomSql *r) {
    random_put(r, random_chance(r, 20) ? "update only" : "update");
    random_table(r);
    random_put(r, random_chance(r, 30) ? "as set set" : "set");
    random_assignments(r);
    random_clause(r, 40, "from", random_items);
    random_clause(r, 60, "where", random_condition);
    random_clause(r, 40, "returning", random_returning);
}

static void random_delete(RandomSql *r) {
    random_put(r, "delete from");
    random_table(r);
    random_put(r, random_chance(r, 30) ? "as x" : "");
    random_clause(r, 40, "using", random_items);
    random_clause(r, 60, "where", random_condition);
    random_clause(r, 40, "returning", random_returning);
}

static void random_write(RandomSql *r) {
    void (*const writes[])(RandomSql *) = {random_insert, random_update, random_delete};

    r->depth++;
    if (r->depth < 4 && random_chance(r, 20))
        random_with(r);
    writes[random_below(r, ARRAY_LEN(writes))](r);
    r->depth--;
}

static void random_statement(RandomSql *r) {
    static const char *const before[] = {"prepare p (int) as", "explain (costs off)", "explain analyze"};

    random_put(r, random_chance(r, 10) ? before[random_below(r, ARRAY_LEN(before))] : "");
    switch (random_below(r, 4)) {
    case 0:
        random_query(r);
        return;
    case 1:
        random_merge(r);
        return;
    default:
        random_write(r);
        return;
    }
}

#endif
