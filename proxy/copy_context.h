/* Where in the client's data an error of the server's is. */
#ifndef PROXY_COPY_CONTEXT_H
#define PROXY_COPY_CONTEXT_H

#include "base/buf.h"
#include "base/str.h"

/* Appends an ErrorResponse with `shift` added to the line number in its CONTEXT "COPY table, line 5…". False,
 * with nothing appended, if it has none. */
bool copy_context_shift(Buf *out, Str payload, const char *table, int64_t shift);

#endif
