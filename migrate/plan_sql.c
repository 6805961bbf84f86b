/* The plan as a script that psql alone can run, and that arrives where the runner would.
 *
 * It begins as the runner's session does, under the same lock, so that not both are at work. Without Citus on
 * the server what needs it follows in comments. */
#include <stdlib.h>
#include <string.h>

#include "migrate/plan_model.h"
#include "migrate/session.h"

#define AS_TEXT(x) AS_TEXT_(x)
#define AS_TEXT_(x) #x

static const char BEGINNING[] =
    "\\set ON_ERROR_STOP on\n"
    "SET client_min_messages = warning;\n"
    "SET standard_conforming_strings = on;\n"
    "SET search_path = pg_catalog;\n"
    "SET statement_timeout = 0;\n"
    "SET lock_timeout = '10s';\n"
    "SET idle_in_transaction_session_timeout = 0;\n"
    "SET default_transaction_isolation = 'read committed';\n"
    "SET default_transaction_read_only = off;\n"
    "DO $lock$\nBEGIN\n"
    "    IF NOT pg_try_advisory_lock(" AS_TEXT(
        SESSION_LOCK_KEY) ") THEN\n"
                          "        RAISE EXCEPTION 'another migration of this database is running';\n"
                          "    END IF;\n"
                          "END\n$lock$;\n\n";

/* The lines of a text as comments; names may hold newlines of either kind. */
static void print_comment(const char *text, FILE *out) {
    while (*text) {
        size_t len = strcspn(text, "\n\r");

        fprintf(out, "-- %.*s\n", (int)len, text);
        text += len + (text[len] != '\0');
    }
}

static void print_findings(const Plan *plan, FILE *out) {
    Buf buf = {0};

    for (int i = 0; i < plan->findings.n; i++)
        findings_print(&plan->findings.items[i], &buf);
    print_comment(step_text(&plan->migration, &buf), out);
}

/* What is left for a server with Citus. */
static void print_rest(const Plan *plan, FILE *out) {
    Migration further = plan->migration;
    Tasks tasks;
    char *text = NULL;
    size_t size = 0;
    FILE *rest;

    further.to = STAGE_DISTRIBUTED;
    tasks = tasks_list(&further);
    while (tasks.n > 0 && tasks.items[0].to <= plan->migration.to) {
        tasks.items++;
        tasks.n--;
    }
    rest = open_memstream(&text, &size);
    if (!rest)
        return;
    tasks_print(&further, &tasks, false, rest);
    fclose(rest);
    if (tasks.n > 0) {
        fputs("-- This server does not offer Citus. What follows is for one that does:\n--\n", out);
        print_comment(text, out);
    }
    free(text);
}

void plan_print_sql(const Plan *plan) {
    FILE *out = plan->options->out;

    print_comment(
        arena_printf(plan->migration.arena,
                     "Takes database %s from the state that it was found in to stage %s.\n"
                     "Run it as: psql -X -v ON_ERROR_STOP=1 -f FILE. Where it stops, mend what it says, have "
                     "it made anew\nand run that: what is done already is left out.\n",
                     plan->migration.snapshot->database, stage_name(plan->migration.to)),
        out);
    print_findings(plan, out);
    if (plan->findings.errors > 0) {
        fputs("-- Nothing can be run before the errors are mended.\n", out);
        return;
    }
    putc('\n', out);
    fputs(BEGINNING, out);
    tasks_print(&plan->migration, &plan->tasks, false, out);
    if (plan->citus_missing)
        print_rest(plan, out);
}
