/* How `shardferry status` shows where a migration stands. */
#ifndef CLI_STATUS_VIEW_H
#define CLI_STATUS_VIEW_H

#include "base/buf.h"
#include "catalog/progress.h"

/* Appends it for people, as lines of at most `width` columns, if that is not 0. `all`: every step that is
 * over or to come, too. */
void status_text(const Progress *progress, int width, bool color, bool all, Buf *out);

/* Appends it as one JSON object on a line, without a line feed. */
void status_json(const Progress *progress, Buf *out);

#endif
