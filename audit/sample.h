/* Sample texts: what the audit keeps of a statement, and how it makes any bytes presentable. */
#ifndef AUDIT_SAMPLE_H
#define AUDIT_SAMPLE_H

#include <stddef.h>

#include "audit/audit.h"
#include "base/buf.h"
#include "base/str.h"

/* Appends `text` as valid UTF-8: each byte that belongs to no valid character, NUL included, becomes U+FFFD.
 */
void sample_append_text(Buf *out, Str text);

/* Appends what is shown of a subject's text: its shape instead where redacting (without one: a placeholder,
 * never a literal), cut to limits->sample_bytes bytes at a character's start and then marked with "...". */
void sample_append(Buf *out, const AuditSubject *subject, const AuditLimits *limits);

#endif
