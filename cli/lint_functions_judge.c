/* What a function's statements would be if a proxy saw them, and what the function should say instead.
 *
 * A statement is mended by the proxy's own rewrite, in a form that is right in every stage, because nobody
 * finds out values for it: INSERT … SELECT. What is put in must not give a variable's name another meaning:
 * the mended statement is read again, and stays as it was if it does. */
#include "base/buf.h"
#include "cli/lint_functions.h"
#include "parser/lex.h"
#include "rewrite/embedded.h"

typedef struct Judge {
    Lint *lint;
    const LintRoutine *routine;
    const LintBody *body;
    Arena *arena;
    SessionContext context;
    LintMend mend;
    bool unmended; /* something must be changed by hand */
    bool tenants;  /* it names tenant tables */
} Judge;

static FactsLimits limits(const Judge *j) {
    const Config *config = lint_config(j->lint);
    return (FactsLimits){.max_bytes = (size_t)config->parse_bytes, .max_depth = config->parse_depth};
}

static int64_t line_at(const PlpgsqlPart *part, size_t offset) {
    int64_t line = part->line;
    for (size_t i = part->prefix; i < offset; i++)
        line += part->text.ptr[i] == '\n';
    return line;
}

static void report(Judge *j, int64_t line, Str sql, uint64_t fingerprint, const StatementDecision *decision,
                   Str proposed) {
    LintResult result = {.origin = {.file = j->routine->signature, .line = line},
                         .sql = sql,
                         .fingerprint = fingerprint,
                         .decision = decision,
                         .sent = STR_NONE,
                         .proposed = proposed};
    lint_report_add(lint_report(j->lint), j->arena, &result);
}

static void report_alone(Judge *j, int64_t line, Str sql, Verdict verdict, const char *reason) {
    StatementDecision decision = {.verdict = verdict, .reason = reason};
    report(j, line, sql, 0, &decision, STR_NONE);
}

static const char *joined(Judge *j, const char *reason, const char *more) {
    return reason ? arena_printf(j->arena, "%s; %s", reason, more) : more;
}

/* ---- variables ---- */

static EmbeddedClashes clashes(Judge *j, const PlpgsqlPart *part, Str text, const Facts *facts) {
    EmbeddedClashes none = {0};
    if (j->body->conflict == PLPGSQL_USE_VARIABLE)
        return none;
    return embedded_clashes(j->arena, text, facts, part->variables, lint_snapshot(j->lint), &j->context);
}

/* A part's text with its variables, and those of their names that columns have, too. */
typedef struct Reading {
    const Facts *facts;
    EmbeddedClashes clashes;
} Reading;

/* Where columns come first, a second look is needed, in which their names are theirs. What comes with the
 * migration did not count when the text was written. NULL facts with `err`. */
static Reading read_part(Judge *j, const PlpgsqlPart *part, Error *err) {
    FactsScope scope = {.variables = part->variables};
    Reading reading = {.facts = facts_parse_in_function(j->arena, part->text, limits(j), &scope, err)};
    if (!reading.facts)
        return reading;
    reading.clashes = clashes(j, part, part->text, reading.facts);
    if (j->body->conflict != PLPGSQL_USE_COLUMN || reading.clashes.n == 0)
        return reading;
    uint32_t *columns = ARENA_ARRAY(j->arena, uint32_t, reading.clashes.n);
    for (int i = 0; i < reading.clashes.n; i++)
        if (!reading.clashes.clashes[i].late)
            columns[scope.ncolumns++] = reading.clashes.clashes[i].offset;
    scope.columns = columns;
    reading.facts = facts_parse_in_function(j->arena, part->text, limits(j), &scope, err);
    return reading;
}

static const FactsVariable *variable(const PlpgsqlPart *part, const EmbeddedClash *clash) {
    for (const FactsVariable *v = part->variables; v; v = v->outer)
        if (v->number == clash->number && strcmp(v->name, clash->name) == 0)
            return v;
    return NULL;
}

/* Has the variables be called by their full names where the migration's column has the same name. Returns
 * why that cannot be done everywhere. */
static const char *qualify(Judge *j, const PlpgsqlPart *part, const EmbeddedClashes *found, EditList *edits,
                           int *nqualified) {
    const char *why = NULL;
    for (int i = 0; i < found->n; i++) {
        const EmbeddedClash *clash = &found->clashes[i];
        if (!clash->late)
            continue;
        const FactsVariable *v = variable(part, clash);
        if (!v || !v->label) {
            why = arena_printf(j->arena,
                               "%s is a variable's name, and the name of a column that %s gets: rename the "
                               "variable",
                               clash->name, clash->table->name);
            continue;
        }
        Buf name = {0};
        quote_identifier(&name, v->label);
        buf_append_cstr(&name, ".");
        edits_insert(edits, j->arena, clash->offset,
                     arena_str(j->arena, (Str){(const char *)buf_ptr(&name), buf_len(&name)}));
        buf_free(&name);
        ++*nqualified;
    }
    return why;
}

/* ---- mending ---- */

static Str mended_text(Judge *j, const EditList *edits, Str text) {
    Buf out = {0};
    edits_apply(edits, text, &out);
    Str copy = arena_str(j->arena, (Str){(const char *)buf_ptr(&out), buf_len(&out)});
    buf_free(&out);
    return copy;
}

/* Why the text must not become `mended`; NULL if it may. `allowed`: how many variables had a column beside
 * them before. */
static const char *misread(Judge *j, const PlpgsqlPart *part, Str mended, int allowed) {
    Error err;
    FactsScope scope = {.variables = part->variables};
    const Facts *facts = facts_parse_in_function(j->arena, mended, limits(j), &scope, &err);
    if (!facts)
        return arena_printf(j->arena, "the mended statement would not be read: %s", err.message);
    EmbeddedClashes found = clashes(j, part, mended, facts);
    if (found.n > allowed)
        return arena_printf(j->arena, "in the mended statement %s could be a variable or a column",
                            found.clashes[found.n - 1].name);
    return NULL;
}

typedef struct ConflictSearch {
    const EditList *edits;
    bool found;
} ConflictSearch;

static void find_conflict_edit(const Block *block, void *arg) {
    ConflictSearch *search = arg;
    Span span = block->conflict_target_span;
    for (int i = 0; i < search->edits->nedits && span.end > 0; i++) {
        uint32_t offset = search->edits->edits[i].offset;
        search->found |= offset >= span.start && offset <= span.end;
    }
}

static bool names_keys(const Facts *facts, const EditList *edits) {
    ConflictSearch search = {.edits = edits};
    for (int i = 0; i < facts->nstatements; i++)
        facts_walk_blocks(&facts->statements[i], find_conflict_edit, &search);
    return search.found;
}

static EditList copy_of(Judge *j, const EditList *edits) {
    EditList copy = {.edits = ARENA_ARRAY(j->arena, Edit, edits->nedits + 1),
                     .nedits = edits->nedits,
                     .capacity = edits->nedits + 1};
    if (edits->nedits > 0)
        memcpy(copy.edits, edits->edits, sizeof(Edit) * (size_t)edits->nedits);
    return copy;
}

/* What is to be done to one part's text, and why it is not; both may be empty. */
typedef struct Remedy {
    EditList edits;
    const char *why;
    bool names_key; /* in ON CONFLICT, with the tenant */
} Remedy;

static Remedy remedy(Judge *j, int n, const Reading *reading, const Decision *decision) {
    const PlpgsqlPart *part = &j->body->parts[n];
    Remedy r = {.edits = copy_of(j, &decision->edits)};
    int nqualified = 0;
    r.why = qualify(j, part, &reading->clashes, &r.edits, &nqualified);
    if (r.edits.nedits == 0)
        return r;
    edits_sort(&r.edits);
    const char *why = decision->nslots > 0 ? "its values are not known"
                                           : misread(j, part, mended_text(j, &r.edits, part->text),
                                                     reading->clashes.n - nqualified);
    if (!why)
        why = lint_mend_add(&j->mend, j->arena, j->body, n, &r.edits);
    if (why) {
        r.why = why;
        r.edits.nedits = 0;
    } else {
        r.names_key = names_keys(reading->facts, &decision->edits);
        j->mend.from_keyed |= r.names_key;
    }
    return r;
}

/* ---- statements ---- */

/* In the body's own words, where the text has others. */
static Str words(const Judge *j, const PlpgsqlPart *part, Span span) {
    if (!part->exact || part->in_quotes)
        return (Str){part->text.ptr + span.start, span.end - span.start};
    uint32_t start = span.start < part->prefix ? part->prefix : span.start;
    return (Str){j->body->text.ptr + part->start + (start - part->prefix), span.end - start};
}

static Str mended_words(Judge *j, const PlpgsqlPart *part, Span span, const EditList *edits) {
    EditList inside = {0};
    Str text = words(j, part, span);
    uint32_t start = span.start < part->prefix ? part->prefix : span.start;
    for (int i = 0; i < edits->nedits; i++) {
        const Edit *edit = &edits->edits[i];
        if (edit->offset < start || edit->offset > span.end || edit->slot)
            continue;
        Str inserted = edit->text.ptr
                           ? edit->text
                           : (Str){part->text.ptr + edit->copy.start, edit->copy.end - edit->copy.start};
        if (inserted.len > 0)
            edits_insert(&inside, j->arena, edit->offset - start, inserted);
        if (edit->removed > 0)
            edits_remove(&inside, j->arena,
                         (Span){edit->offset - start, edit->offset - start + edit->removed});
    }
    return inside.nedits > 0 ? mended_text(j, &inside, text) : STR_NONE;
}

/* What a result of fixed columns no longer fits, once a table has one more. */
static const char *misfit(Judge *j, const PlpgsqlPart *part, const Statement *stmt) {
    if (!j->routine->fixes_result || (j->body->plpgsql && !part->returned))
        return NULL;
    const Table *table = embedded_shows_column(j->arena, stmt, lint_snapshot(j->lint), &j->context);
    if (!table)
        return NULL;
    return arena_printf(
        j->arena,
        "* has a column more as soon as %s has %s, and does not fit what the function returns: name "
        "the columns",
        table->name, table->tenant_column);
}

/* Why the function has to be changed by hand for this statement; NULL if it has not. */
static const char *left_undone(Judge *j, const PlpgsqlPart *part, const Statement *stmt,
                               const StatementDecision *d, const Remedy *r) {
    const char *why = misfit(j, part, stmt);
    if (why)
        return why;
    const Snapshot *snapshot = lint_snapshot(j->lint);
    const Table *moved = embedded_moves(j->arena, stmt, snapshot, &j->context);
    if (moved)
        return arena_printf(
            j->arena,
            "%s.%s is set, and %s.%s does not follow by itself: set it as well, up to the stage "
            "resolve; from then on a row cannot change its tenant",
            moved->name, moved->path.steps[0]->child_columns[0]->name, moved->name, moved->tenant_column);
    if (d->refusal)
        return arena_printf(j->arena, "%s%s%s", d->refusal->message, d->refusal->detail ? ": " : "",
                            d->refusal->detail ? d->refusal->detail : "");
    if (d->rewrite_note)
        return d->rewrite_note;
    if (r->why)
        return arena_printf(j->arena, "it is not mended: %s", r->why);
    const Table *key = r->names_key ? NULL : embedded_names_key(j->arena, stmt, snapshot, &j->context);
    if (key)
        return arena_printf(
            j->arena,
            "ON CONFLICT names a key of %s that has no %s: from the stage keyed on it will, and "
            "the function must be mended again",
            key->name, key->tenant_column);
    if (!j->body->plpgsql && d->rewritten && lint_functions_has_parameters(stmt))
        return "it works until the table is distributed: then Citus cannot plan it with the parameters of a "
               "function in SQL; write the function in PL/pgSQL";
    return NULL;
}

/* Whether the text without its parameters would be decided on in the same way. */
static bool is_bound(Judge *j, const PlpgsqlPart *part, int n, Verdict verdict) {
    Error err;
    const Facts *facts = facts_parse(j->arena, part->text, limits(j), &err);
    return facts && !facts->nparams &&
           decide(j->arena, part->text, facts, lint_snapshot(j->lint), &j->context)->statements[n].verdict ==
               verdict;
}

static void look_at_sql(Judge *j, const PlpgsqlPart *part, const Statement *stmt, int n,
                        StatementDecision *d) {
    if (j->body->plpgsql || d->citus_error)
        return;
    d->citus_error = lint_functions_citus_error(stmt, d, is_bound(j, part, n, d->verdict));
    if (d->citus_error)
        d->verdict = VERDICT_MULTI_TENANT;
}

static bool deserves_report(const PlpgsqlPart *part, const Statement *stmt, const StatementDecision *d) {
    return stmt->kind != STMT_EMPTY &&
           (d->verdict != VERDICT_NO_TENANT_TABLE || part->kind != PLPGSQL_EXPRESSION);
}

static void judge_statement(Judge *j, const PlpgsqlPart *part, const Facts *facts, int n, const Decision *all,
                            const Remedy *r) {
    const Statement *stmt = &facts->statements[n];
    const StatementDecision *decision = &all->statements[n];
    StatementDecision d = *decision;
    const char *undone = left_undone(j, part, stmt, decision, r);
    if (!deserves_report(part, stmt, decision) && !undone && r->edits.nedits == 0)
        return;
    Span span = facts->nstatements == 1 ? (Span){0, (uint32_t)part->text.len} : stmt->span;
    Str better = mended_words(j, part, span, r->edits.nedits > 0 ? &r->edits : &all->proposals);
    d.rewrite_note = NULL;
    d.refusal = NULL;
    if (undone)
        d.reason = joined(j, d.reason, undone);
    look_at_sql(j, part, stmt, n, &d);
    j->unmended |= undone != NULL;
    j->tenants |= d.verdict == VERDICT_SINGLE_TENANT || d.verdict == VERDICT_MULTI_TENANT;
    report(j, line_at(part, span.start), words(j, part, span), stmt->fingerprint, &d, better);
}

static void judge_text(Judge *j, int n) {
    const PlpgsqlPart *part = &j->body->parts[n];
    Error err = {0};
    Reading reading = read_part(j, part, &err);
    const Facts *facts = reading.facts;
    if (!facts) {
        report_alone(j, part->line, part->text, VERDICT_UNPARSED, arena_strdup(j->arena, err.message));
        return;
    }
    const Decision *decision = decide(j->arena, part->text, facts, lint_snapshot(j->lint), &j->context);
    Remedy r = remedy(j, n, &reading, decision);
    for (int i = 0; i < facts->nstatements; i++)
        judge_statement(j, part, facts, i, decision, &r);
}

/* ---- texts that are made at run time ---- */

/* The first tenant table whose name occurs in the text, as a word. */
static const Table *named_table(const Judge *j, Str text) {
    const Snapshot *snapshot = lint_snapshot(j->lint);
    for (size_t i = 0; i < text.len;) {
        size_t end = lex_word(text.ptr, text.len, i);
        if (end == i) {
            i++;
            continue;
        }
        for (int t = 0; t < snapshot->ntables; t++) {
            const Table *table = &snapshot->tables[t];
            if ((table->kind == KIND_DISTRIBUTED || table->kind == KIND_BACKFILL) &&
                str_ieq((Str){text.ptr + i, end - i}, table->name))
                return table;
        }
        i = end;
    }
    return NULL;
}

static void judge_dynamic(Judge *j, const PlpgsqlPart *part) {
    const Table *table = named_table(j, part->text);
    report_alone(j, part->line, part->text, VERDICT_OPAQUE,
                 table ? arena_printf(j->arena,
                                      "EXECUTE runs a text that is made at run time; %s is named in it",
                                      table->name)
                       : "EXECUTE runs a text that is made at run time");
}

/* ---- functions ---- */

static void report_mended(Judge *j) {
    LintFunction function = {.signature = j->routine->signature};
    if (j->mend.edits.nedits > 0) {
        function.replacement = lint_mend_definition(&j->mend, j->arena, j->routine, j->body);
        if (!function.replacement.ptr)
            report_alone(j, 1, str_of(j->routine->signature), VERDICT_OPAQUE,
                         "its statements cannot be mended in their places");
    }
    function.from = j->mend.from_keyed ? STAGE_KEYED : STAGE_DERIVE;
    function.complete = !j->unmended;
    if (function.replacement.ptr || j->unmended)
        lint_report_function(lint_report(j->lint), j->arena, &function);
}

static void judge_body(Judge *j) {
    for (int i = 0; i < j->body->nparts; i++) {
        if (j->body->parts[i].kind == PLPGSQL_DYNAMIC)
            judge_dynamic(j, &j->body->parts[i]);
        else
            judge_text(j, i);
    }
    if (j->tenants && !j->body->quoted)
        report_alone(j, 1, str_of(j->routine->signature), VERDICT_OPAQUE,
                     "BEGIN ATOMIC: it depends on its tables, and is dropped with the shard that "
                     "create_distributed_table_concurrently replaces; give it a body in quotes");
    if (j->tenants && !j->body->plpgsql && j->routine->inlined)
        report_alone(j, 1, str_of(j->routine->signature), VERDICT_OPAQUE,
                     "where FROM calls it, its query is put in its place, and Citus refuses that: declare it "
                     "VOLATILE, or write it in PL/pgSQL");
    report_mended(j);
}

void lint_functions_judge(Lint *lint, const LintRoutine *routine, Arena *arena) {
    const char *path = routine->search_path ? routine->search_path : lint_snapshot(lint)->search_path;
    LintBody body;
    Error err = {0};
    Judge j = {.lint = lint,
               .routine = routine,
               .body = &body,
               .arena = arena,
               .context = {.search_path = path, .search_path_known = path != NULL, .in_function = true}};
    if (!routine->definition.ptr) {
        report_alone(&j, 0, str_of(routine->signature), VERDICT_OPAQUE,
                     arena_printf(arena, "it is written in %s, which is not read", routine->language));
        return;
    }
    if (!lint_functions_body(routine, arena, &body, &err)) {
        report_alone(&j, 0, str_of(routine->signature), VERDICT_UNPARSED, arena_strdup(arena, err.message));
        return;
    }
    j.mend.parts = ARENA_ARRAY(arena, Str, body.nparts);
    judge_body(&j);
}
