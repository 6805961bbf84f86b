/* The plan for programs: one object. Keys are only ever added; what is not known or does not apply is null.
 *
 * database, server_version  texts
 * citus           {installed, offered}: the extension is in the database; the server can run it
 * to              the stage that the plan leads to
 * tenant          {table, column, type}: the tenant table, its key
 * tables          [{table, schema, name, kind, confidence, why, doubt, rows, bytes, writes_per_second, stage,
 * citus, tenant_column, tenant_type, method, paths, compared, not_compared}] confidence: configured, certain,
 * likely, guess. method: {name, why} of a table to be distributed. paths: [{path, steps, nullable, chosen,
 * disagree}], the chosen one first; disagree: rows that have another tenant by it. compared: {rows, sampled,
 * without_tenant} findings        [{severity, code, object, what, why, remedy, from}]; from: the stage that
 * it stands in the way of steps           [{number, step, table, to, what, why, sql, undo, lock, rows,
 * seconds, waits, needs_citus, done}] seconds: {low, high} pending         how many steps are not done;
 * seconds: {low, high, incomplete} of all of them tenants         {tenants, rows, median, sampled, unknown,
 * largest: [{tenant, rows}], shards: {count, empty, largest_rows, times_average}} errors          how many
 * findings are errors
 *
 * Without [tenant] table: {database, server_version, suggestions: [{table, column, key, type, tables,
 * certain, rows, covered_rows, traffic, score, why}], settings, traffic_source}, the best first; settings:
 * what to write for it. */
#include <jansson.h>
#include <string.h>

#include "base/utf8.h"
#include "migrate/plan_model.h"

/* ---- values ---- */

/* A name may hold what is no UTF-8 where the server does not look (SQL_ASCII). */
static json_t *text(Arena *arena, const char *s) {
    char *copy;

    if (!s)
        return json_null();
    if (utf8_valid(str_of(s)))
        return json_string(s);
    copy = arena_strdup(arena, s);
    for (char *p = copy; *p; p++)
        *p = (unsigned char)*p < 0x80 ? *p : '?';
    return json_string(copy);
}

static json_t *number_or_null(int64_t n) { return n < 0 ? json_null() : json_integer(n); }
static json_t *real_or_null(double n) { return n < 0 ? json_null() : json_real(n); }

static void set_text(const Plan *plan, json_t *object, const char *key, const char *s) {
    json_object_set_new(object, key, text(plan->migration.arena, s));
}

static json_t *seconds(double low, double high) {
    return low < 0 ? json_null() : json_pack("{s:f,s:f}", "low", low, "high", high);
}

/* ---- tables ---- */

static const char *citus_name(CitusKind citus) {
    static const char *const names[] = {[CITUS_NONE] = NULL,
                                        [CITUS_LOCAL] = "local",
                                        [CITUS_REFERENCE] = "reference",
                                        [CITUS_DISTRIBUTED] = "distributed",
                                        [CITUS_OTHER] = "other"};

    return names[citus];
}

static json_t *paths_of(const Plan *plan, const PlanTable *table) {
    json_t *paths = json_array();

    for (int i = 0; i < table->npaths; i++) {
        const PlanPath *path = &table->paths[i];
        json_t *object =
            json_pack("{s:i,s:b,s:b}", "steps", path->steps, "nullable", path->nullable, "chosen", i == 0);

        set_text(plan, object, "path", path->text);
        json_object_set_new(object, "disagree", number_or_null(path->disagree));
        json_array_append_new(paths, object);
    }
    return paths;
}

static json_t *method_of(const Plan *plan, const PlanTable *table) {
    json_t *method;

    if (!table->distributable)
        return json_null();
    method = json_pack("{s:s}", "name", method_name(table->method.method));
    set_text(plan, method, "why", table->method.why);
    return method;
}

static json_t *compared(const PlanTable *table) {
    if (table->compared < 0)
        return json_null();
    return json_pack("{s:I,s:b,s:I}", "rows", (json_int_t)table->compared, "sampled", table->sampled,
                     "without_tenant", (json_int_t)table->tenantless);
}

static json_t *table_object(const Plan *plan, const PlanTable *table) {
    const Table *of = table->table;
    const Table *tenant = plan->migration.snapshot->tenant_table;
    json_t *object = json_object();

    set_text(plan, object, "table", table->name);
    set_text(plan, object, "schema", of->schema);
    set_text(plan, object, "name", of->name);
    set_text(plan, object, "kind", kind_name(of->kind));
    set_text(plan, object, "confidence", plan_confidence_name(table->confidence));
    set_text(plan, object, "why", table->why);
    set_text(plan, object, "doubt", table->doubt);
    json_object_set_new(object, "rows", number_or_null(table->rows));
    json_object_set_new(object, "bytes", json_integer(table->bytes));
    json_object_set_new(object, "writes_per_second", real_or_null(table->writes));
    set_text(plan, object, "stage", of->tenant_column ? stage_name(of->stage) : NULL);
    set_text(plan, object, "citus", citus_name(of->citus));
    set_text(plan, object, "tenant_column", of->tenant_column);
    set_text(plan, object, "tenant_type",
             of->tenant          ? of->tenant->type
             : of->tenant_column ? tenant->tenant->type
                                 : NULL);
    json_object_set_new(object, "method", method_of(plan, table));
    json_object_set_new(object, "paths", paths_of(plan, table));
    json_object_set_new(object, "compared", compared(table));
    set_text(plan, object, "not_compared", table->not_compared);
    return object;
}

static json_t *tables_of(const Plan *plan) {
    json_t *tables = json_array();

    for (int i = 0; i < plan->ntables; i++)
        json_array_append_new(tables, table_object(plan, &plan->tables[i]));
    return tables;
}

/* ---- findings, steps, tenants ---- */

static json_t *findings_of(const Plan *plan) {
    json_t *findings = json_array();

    for (int i = 0; i < plan->findings.n; i++) {
        const Finding *finding = &plan->findings.items[i];
        json_t *object = json_object();

        set_text(plan, object, "severity", severity_name(finding->severity));
        set_text(plan, object, "code", finding->code);
        set_text(plan, object, "object", finding->object);
        set_text(plan, object, "what", finding->what);
        set_text(plan, object, "why", finding->why);
        set_text(plan, object, "remedy", finding->remedy);
        set_text(plan, object, "from", stage_name(finding->from));
        json_array_append_new(findings, object);
    }
    return findings;
}

static json_t *step_object(const Plan *plan, const PlanStep *step) {
    const Task *task = step->task;
    json_t *object = json_pack("{s:i,s:b,s:b,s:b}", "number", step->number, "waits", task->step->waits,
                               "needs_citus", task->step->needs_citus, "done", task->done);

    set_text(plan, object, "step", task->step->name);
    set_text(plan, object, "table",
             task->table ? table_qualified_name(plan->migration.arena, task->table) : NULL);
    set_text(plan, object, "to", stage_name(task->to));
    set_text(plan, object, "what", step->what);
    set_text(plan, object, "why", task->step->why);
    set_text(plan, object, "sql", *step->sql ? step->sql : NULL);
    set_text(plan, object, "undo", *step->undo ? step->undo : NULL);
    set_text(plan, object, "lock", task->step->lock);
    json_object_set_new(object, "rows", number_or_null(step->rows));
    json_object_set_new(object, "seconds", task->step->waits ? json_null() : seconds(step->low, step->high));
    return object;
}

static json_t *steps_of(const Plan *plan) {
    json_t *array = json_array();

    for (int i = 0; i < plan->nsteps; i++)
        json_array_append_new(array, step_object(plan, &plan->steps[i]));
    return array;
}

static json_t *shards_of(const PlanTenants *tenants) {
    double average;

    if (tenants->shards == 0)
        return json_null();
    average = (double)tenants->rows / tenants->shards;
    return json_pack("{s:i,s:i,s:I,s:f}", "count", tenants->shards, "empty", tenants->empty, "largest_rows",
                     (json_int_t)tenants->largest_shard, "times_average",
                     average > 0 ? (double)tenants->largest_shard / average : 0.0);
}

static json_t *tenants_of(const Plan *plan) {
    const PlanTenants *tenants = &plan->tenants;
    json_t *object = json_object(), *largest = json_array();

    for (int i = 0; i < tenants->nlargest; i++) {
        json_t *tenant = json_pack("{s:I}", "rows", (json_int_t)tenants->largest[i].rows);

        set_text(plan, tenant, "tenant", tenants->largest[i].id);
        json_array_append_new(largest, tenant);
    }
    json_object_set_new(object, "tenants", tenants->unknown ? json_null() : json_integer(tenants->tenants));
    json_object_set_new(object, "rows", tenants->unknown ? json_null() : json_integer(tenants->rows));
    json_object_set_new(object, "median", tenants->unknown ? json_null() : json_integer(tenants->median));
    json_object_set_new(object, "sampled", json_boolean(tenants->sampled));
    set_text(plan, object, "unknown", tenants->unknown);
    json_object_set_new(object, "largest", largest);
    json_object_set_new(object, "shards", shards_of(tenants));
    return object;
}

/* ---- the whole ---- */

static void print(json_t *root, FILE *out) {
    json_dumpf(root, out, JSON_INDENT(2));
    putc('\n', out);
    json_decref(root);
}

static json_t *tenant_of(const Plan *plan) {
    const Table *tenant = plan->migration.snapshot->tenant_table;
    json_t *object = json_object();

    set_text(plan, object, "table", table_qualified_name(plan->migration.arena, tenant));
    set_text(plan, object, "column", tenant->tenant->name);
    set_text(plan, object, "type", tenant->tenant->type);
    return object;
}

void plan_print_json(const Plan *plan) {
    const Snapshot *snapshot = plan->migration.snapshot;
    json_t *root = json_object();

    set_text(plan, root, "database", snapshot->database);
    set_text(plan, root, "server_version", snapshot->server_version);
    json_object_set_new(
        root, "citus",
        json_pack("{s:b,s:b}", "installed", snapshot->has_citus, "offered", plan->citus_offered));
    set_text(plan, root, "to", stage_name(plan->migration.to));
    json_object_set_new(root, "tenant", tenant_of(plan));
    json_object_set_new(root, "tables", tables_of(plan));
    json_object_set_new(root, "findings", findings_of(plan));
    json_object_set_new(root, "steps", steps_of(plan));
    json_object_set_new(root, "pending", json_integer(plan->tasks.pending));
    json_object_set_new(
        root, "seconds",
        json_pack("{s:f,s:f,s:b}", "low", plan->low, "high", plan->high, "incomplete", plan->incomplete));
    json_object_set_new(root, "tenants", tenants_of(plan));
    json_object_set_new(root, "errors", json_integer(plan->findings.errors));
    print(root, plan->options->out);
}

/* ---- suggestions ---- */

static json_t *candidate_object(const PlanSuggestion *suggestion, const PlanCandidate *candidate) {
    json_t *object =
        json_pack("{s:i,s:i,s:I,s:f}", "tables", candidate->tables, "certain", candidate->certain,
                  "covered_rows", (json_int_t)candidate->covered, "score", candidate->score);

    json_object_set_new(object, "table", text(suggestion->arena, candidate->name));
    json_object_set_new(object, "column", text(suggestion->arena, candidate->column));
    json_object_set_new(object, "key", text(suggestion->arena, candidate->key->name));
    json_object_set_new(object, "type", text(suggestion->arena, candidate->key->type));
    json_object_set_new(object, "rows", number_or_null(candidate->rows));
    json_object_set_new(object, "traffic", real_or_null(candidate->traffic));
    json_object_set_new(object, "why", text(suggestion->arena, candidate->why));
    return object;
}

void plan_print_suggestion_json(const PlanSuggestion *suggestion, const PlanOptions *options) {
    json_t *root = json_object(), *all = json_array();

    for (int i = 0; i < suggestion->n; i++)
        json_array_append_new(all, candidate_object(suggestion, &suggestion->candidates[i]));
    json_object_set_new(root, "database", text(suggestion->arena, suggestion->snapshot->database));
    json_object_set_new(root, "server_version",
                        text(suggestion->arena, suggestion->snapshot->server_version));
    json_object_set_new(root, "suggestions", all);
    json_object_set_new(root, "settings", text(suggestion->arena, plan_suggested_settings(suggestion)));
    json_object_set_new(root, "traffic_source",
                        text(suggestion->arena, suggestion->traffic ? suggestion->traffic->source : NULL));
    print(root, options->out);
}
