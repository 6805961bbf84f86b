/* The plan for people at a terminal: lines of at most 100 columns where names permit it. */
#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"
#include "migrate/plan_page.h"

#define SQL_LINES 6
#define NAME_COLUMNS 22

static const char *or_unknown(const Plan *plan, double rate) {
    return rate < 0 ? "?" : arena_printf(plan->migration.arena, rate < 10 ? "%.1f" : "%.0f", rate);
}

/* ---- tables ---- */

static const char *citus_text(const Table *table) {
    static const char *const texts[] = {[CITUS_NONE] = "-",
                                        [CITUS_LOCAL] = "local",
                                        [CITUS_REFERENCE] = "reference",
                                        [CITUS_DISTRIBUTED] = "distributed",
                                        [CITUS_OTHER] = "other"};

    return texts[table->citus];
}

static void print_method(const PlanTable *table, Page *page) {
    if (table->distributable && table->table->citus != CITUS_DISTRIBUTED)
        page_wrap(page, 6, "to be distributed ", "%s: %s",
                  table->method.method == METHOD_BLOCKING ? "in one transaction (blocking)" : "concurrently",
                  table->method.why);
}

/* A name that is longer than its column has a line of its own. */
static void print_name(const char *name, Page *page) {
    int width = (int)utf8_count(str_of(name));

    page_printf(page, "  %s", name);
    if (width > NAME_COLUMNS)
        page_printf(page, "\n%*s", NAME_COLUMNS + 2, "");
    else
        page_printf(page, "%*s", NAME_COLUMNS - width, "");
}

static void print_table(const Plan *plan, const PlanTable *table, Page *page) {
    Arena *arena = plan->migration.arena;
    bool by_tenant = table->table->tenant_column != NULL;

    print_name(table->name, page);
    page_printf(page, " %-11s %-10s %10s %8s %8s %-11s %s\n", kind_name(table->table->kind),
                plan_confidence_name(table->confidence), page_count(arena, table->rows),
                page_bytes(arena, table->bytes), or_unknown(plan, table->writes),
                by_tenant ? stage_name(table->table->stage) : "-", citus_text(table->table));
    page_wrap(page, 6, "", "%s", table->why);
    if (table->doubt)
        page_wrap(page, 6, "", "%s", table->doubt);
    print_method(table, page);
}

static void print_tables(const Plan *plan, Page *page) {
    const Table *tenant = plan->migration.snapshot->tenant_table;

    page_head(page, "Tables");
    page_printf(page, "  tenant: %s, %s %s\n\n", table_qualified_name(plan->migration.arena, tenant),
                tenant->tenant_column, tenant->tenant->type);
    print_name("table", page);
    page_printf(page, " %-11s %-10s %10s %8s %8s %-11s %s\n", "kind", "sure", "rows", "size", "writes/s",
                "stage", "Citus");
    for (int i = 0; i < plan->ntables; i++)
        print_table(plan, &plan->tables[i], page);
}

/* ---- paths ---- */

static const char *path_note(const Plan *plan, const PlanTable *table, int i) {
    const PlanPath *path = &table->paths[i];
    Arena *arena = plan->migration.arena;
    const char *kind = path->nullable ? "may be NULL" : "NOT NULL";

    if (i == 0)
        return arena_printf(arena, "chosen: %s, %d step%s", kind, path->steps, path->steps == 1 ? "" : "s");
    if (path->disagree < 0)
        return arena_printf(arena, "%s, %d step%s, not compared", kind, path->steps,
                            path->steps == 1 ? "" : "s");
    if (path->disagree == 0)
        return arena_printf(arena, "%s, %d step%s, agrees", kind, path->steps, path->steps == 1 ? "" : "s");
    return arena_printf(arena, "%s, %d step%s, another tenant in %" PRId64 " row%s", kind, path->steps,
                        path->steps == 1 ? "" : "s", path->disagree, path->disagree == 1 ? "" : "s");
}

static void print_path(const Plan *plan, const PlanTable *table, Page *page) {
    page_printf(page, "  %s\n", table->name);
    for (int i = 0; i < table->npaths; i++) {
        page_wrap(page, 6, i ? "also  " : "takes ", "%s", table->paths[i].text);
        page_wrap(page, 12, "", "(%s)", path_note(plan, table, i));
    }
    if (table->not_compared)
        page_wrap(page, 6, "", "not compared with the data: %s", table->not_compared);
    else if (table->compared >= 0)
        page_wrap(page, 6, "", "looked at %" PRId64 " rows%s: %" PRId64 " without a tenant", table->compared,
                  table->sampled ? ", a sample" : "", table->tenantless);
}

static void print_paths(const Plan *plan, Page *page) {
    bool any = false;

    for (int i = 0; i < plan->ntables; i++) {
        if (plan->tables[i].npaths == 0)
            continue;
        if (!any)
            page_head(page, "Paths to the tenant: the shortest that is NOT NULL");
        any = true;
        print_path(plan, &plan->tables[i], page);
    }
}

/* ---- findings ---- */

static void print_findings(const Plan *plan, Page *page) {
    static const PageColor colors[] = {
        [FINDING_ERROR] = PAGE_RED, [FINDING_WARNING] = PAGE_YELLOW, [FINDING_NOTE] = PAGE_PLAIN};

    page_head(page, "Findings");
    for (int i = 0; i < plan->findings.n; i++) {
        const Finding *finding = &plan->findings.items[i];

        page_printf(page, "  ");
        page_color(page, colors[finding->severity]);
        page_printf(page, "%s", severity_name(finding->severity));
        page_color(page, PAGE_PLAIN);
        page_printf(page, " %s\n", finding->code);
        page_wrap(page, 6, "", "%s: %s", finding->object, finding->what);
        if (finding->why)
            page_wrap(page, 6, "why:    ", "%s", finding->why);
        if (finding->remedy)
            page_wrap(page, 6, "remedy: ", "%s", finding->remedy);
    }
    if (plan->findings.n == 0)
        page_printf(page, "  none\n");
}

/* ---- steps ---- */

static const char *duration(const Plan *plan, const PlanStep *step) {
    const char *range = page_range(plan->migration.arena, step->low, step->high);

    if (step->task->step->waits)
        return "until they have: seconds, where nothing is in the way";
    if (step->rows == 0 || step->low < 0)
        return range;
    return arena_printf(plan->migration.arena, "%s (%s rows)", range,
                        page_count(plan->migration.arena, step->rows));
}

/* `again`: the one before it was of the same kind, and has said why. */
static void print_step(const Plan *plan, const PlanStep *step, bool again, Page *page) {
    const Step *kind = step->task->step;

    page_color(page, step->task->done ? PAGE_DIM : PAGE_BOLD);
    page_wrap(page, 2, arena_printf(plan->migration.arena, "%3d. ", step->number), "%s%s", step->what,
              step->task->done ? ": done already" : "");
    page_color(page, PAGE_PLAIN);
    if (step->task->done)
        return;
    if (kind->why && !again)
        page_wrap(page, 7, "why:   ", "%s", kind->why);
    page_wrap(page, 7, "lock:  ", "%s", again ? "likewise" : kind->lock ? kind->lock : "none");
    page_wrap(page, 7, "takes: ", "%s", duration(plan, step));
    if (!kind->waits)
        page_lines(page, 7, "SQL:   ", step->sql, SQL_LINES);
    page_lines(page, 7, "undo:  ", step->undo, SQL_LINES);
}

static void print_steps(const Plan *plan, Page *page) {
    const Step *last = NULL;

    page_head(page, "Steps to stage %s", stage_name(plan->migration.to));
    for (int i = 0; i < plan->nsteps; i++) {
        bool again = plan->steps[i].task->step == last;

        if (i > 0 && plan->steps[i].task->to != plan->steps[i - 1].task->to)
            page_printf(page, "\n");
        print_step(plan, &plan->steps[i], again, page);
        if (!plan->steps[i].task->done)
            last = plan->steps[i].task->step;
    }
    if (plan->tasks.pending == 0 && plan->nsteps > 0)
        page_printf(page, "\n  Nothing to do.\n");
    else if (plan->nsteps > 0)
        page_printf(page, "\n  %d of %d steps to do; in all %s%s\n", plan->tasks.pending, plan->nsteps,
                    page_range(plan->migration.arena, plan->low, plan->high),
                    plan->incomplete ? ", and those for which it is not known" : "");
    if (plan->citus_missing)
        page_wrap(
            page, 2, "", "%s",
            "This server does not offer Citus: what is behind stage resolve has to be done on one that does. "
            "--sql prints it in comments.");
}

/* ---- tenants ---- */

static double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static void print_shards(const Plan *plan, Page *page) {
    const PlanTenants *tenants = &plan->tenants;
    double average = (double)tenants->rows / tenants->shards;

    page_wrap(page, 2, "", "In %d shards: the largest would have %.1f times the average%s.", tenants->shards,
              average > 0 ? (double)tenants->largest_shard / average : 0,
              tenants->empty > 0 ? arena_printf(plan->migration.arena, ", %d would be empty", tenants->empty)
                                 : "");
    if (tenants->nlargest > 0 && (double)tenants->largest[0].rows > 2 * average &&
        tenants->tenants > tenants->shards)
        page_wrap(page, 2, "", "%s",
                  "The largest tenant alone has more than two shards should have: consider [migration] "
                  "isolate_tenants.");
}

static void print_tenants(const Plan *plan, Page *page) {
    const PlanTenants *tenants = &plan->tenants;
    Arena *arena = plan->migration.arena;

    page_head(page, "Largest tenants");
    if (tenants->unknown) {
        page_wrap(page, 2, "", "not known: %s", tenants->unknown);
        return;
    }
    page_wrap(page, 2, "", "%s%s rows of %s tenants%s, half of which have up to %s.",
              tenants->sampled ? "about " : "", page_count(arena, tenants->rows),
              page_count(arena, tenants->tenants),
              tenants->sampled ? " (large tables are counted by a sample)" : "",
              page_count(arena, tenants->median));
    for (int i = 0; i < tenants->nlargest; i++)
        page_printf(page, "  %-32s %12s rows %6.2f %%\n", tenants->largest[i].id,
                    page_count(arena, tenants->largest[i].rows),
                    percent(tenants->largest[i].rows, tenants->rows));
    if (tenants->shards > 0)
        print_shards(plan, page);
}

void plan_print_text(const Plan *plan) {
    Page page = {.color = plan->options->color};

    print_tables(plan, &page);
    print_paths(plan, &page);
    print_findings(plan, &page);
    print_steps(plan, &page);
    print_tenants(plan, &page);
    page_printf(&page, "\n%d table%s, %d error%s, %d of %d steps to do\n", plan->ntables,
                plan->ntables == 1 ? "" : "s", plan->findings.errors, plan->findings.errors == 1 ? "" : "s",
                plan->tasks.pending, plan->nsteps);
    page_flush(&page, plan->options->out);
}
