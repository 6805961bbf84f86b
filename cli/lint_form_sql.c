/* Mended functions alone, as a script that psql can run. */
#include <inttypes.h>

#include "cli/lint_report.h"

static void begin(LintReport *report) {
    fputs("\\set ON_ERROR_STOP on\n\\encoding UTF8\nBEGIN;\nSET LOCAL check_function_bodies = on;\n",
          report->out);
}

static void add(LintReport *report, Arena *arena, const LintResult *result) {
    (void)report;
    (void)arena;
    (void)result;
}

/* A comment ends with its line. */
static void print_comment(FILE *out, const char *text) {
    for (; *text; text++)
        putc(*text == '\n' || *text == '\r' ? ' ' : *text, out);
}

static void function(LintReport *report, Arena *arena, const LintFunction *f) {
    FILE *out = report->out;
    (void)arena;
    fputs("\n-- ", out);
    print_comment(out, f->signature);
    if (f->replacement.ptr)
        fprintf(out, ": from the stage %s on%s\n%.*s;\n", stage_name(f->from),
                f->complete ? "" : "; more is to be done by hand: see the report", STR_ARG(f->replacement));
    else
        fputs(": to be mended by hand, see the report\n", out);
}

static void end(LintReport *report) { fputs("\nCOMMIT;\n", report->out); }

const LintForm lint_form_sql = {.name = "sql", .begin = begin, .add = add, .function = function, .end = end};
