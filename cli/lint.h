/* Judging texts one after the other, as the proxy would: the part of lint that all its sources share.
 *
 *   source (lint_source.h) -- texts, where they stand, what they cost --> Lint -- results --> report
 *
 * One text is in memory at a time; what was found out about a shape is remembered for the next of its kind.
 */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "catalog/snapshot.h"
#include "cli/lint_report.h"
#include "cli/lint_session.h"
#include "cli/lint_split.h"
#include "conf/config.h"

typedef struct Lint Lint;

/* All are the caller's and outlive the Lint. To be used in a thread with lint_stack_bytes() of stack. */
Lint *lint_new(const Config *config, const Snapshot *snapshot, LintReport *report) MUST_USE;
void lint_free(Lint *lint); /* NULL is permitted */

/* What was given to lint_new. */
const Config *lint_config(const Lint *lint) MUST_USE;
const Snapshot *lint_snapshot(const Lint *lint) MUST_USE;
LintReport *lint_report(const Lint *lint) MUST_USE;

/* Judges and reports a text, one statement or several, and lets the session follow what it does.
 * `origin` says where `statement` stands; its line is that of the text's first byte, those of further
 * statements in it are counted from there. */
void lint_judge(Lint *lint, LintSession *session, const LintStatement *statement, const LintOrigin *origin);

/* Stack that judging takes with this configuration. */
size_t lint_stack_bytes(const Config *config) MUST_USE;

#endif
