/* Sequences that an INSERT reads: currval(), lastval(). */
#ifndef REWRITE_INSERT_SEQUENCE_H
#define REWRITE_INSERT_SEQUENCE_H

#include "rewrite/insert_plan.h"

/* Whether nothing in the statement, nor any default that it uses, can move a sequence which the keys of its
 * rows read. */
bool insert_sequence_is_quiet(const InsertPlan *plan) MUST_USE;

#endif
