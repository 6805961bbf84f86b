/* Where in the client's data an error of the server's is. */
#ifndef PROXY_COPY_CONTEXT_H
#define PROXY_COPY_CONTEXT_H

#include "base/buf.h"
#include "rewrite/decide.h"

/* Appends an ErrorResponse whose CONTEXT "COPY table, line 5…" is the client's: `shift` is added to the
 * line's number, and a row that is shown whole is shown without the field that was put behind it. False, with
 * nothing appended, if it is so already. */
bool copy_context_put(Buf *out, Str payload, const CopyPlan *plan, int64_t shift);

/* Appends an ErrorResponse of the proxy's own. context: its CONTEXT; NULL: none. */
void copy_context_put_own(Buf *out, const Error *err, const char *context);

/* "COPY table, line 5", and `: "row"` for a row with ptr not NULL, cut as the server cuts it; on the heap. */
char *copy_context_make(const CopyPlan *plan, uint64_t line, Str row) MUST_USE;

#endif
