/* Progress in words, for a terminal and for a log. Pure: text in, text out. */
#ifndef MIGRATE_PROGRESS_TEXT_H
#define MIGRATE_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* What there is to say of the step at hand. Numbers are -1, and texts NULL, where nobody knows. */
typedef struct ProgressView {
    const char *what;    /* "fill store_id in public.line_items" */
    int64_t step, steps; /* it is the step-th of them, counted from 1 */
    int64_t elapsed_ms;
    const char *phase;
    int64_t done, total;
    const char *unit;
    int64_t rate;  /* a second */
    int64_t batch; /* units */
    int64_t limit; /* the operator's, units a second */
    const char *waiting_for;
    const char *blocked_by;
} ProgressView;

/* Appends "1,234,567". */
void progress_text_number(int64_t n, Buf *out);
/* Appends "0:07", "12:34", "3:04:05", "2 days 3:04:05"; seconds. */
void progress_text_duration(int64_t seconds, Buf *out);

/* Appends it as a line without an end: "public.line_items: 1,000 of 2,000 rows (50 %), 100 a second, …". */
void progress_text_line(const ProgressView *view, Buf *out);

/* Appends it as lines, each with a line feed and none wider than `width`: what, a bar, what it waits for, who
 * is in its way. With `color` there are escape sequences in it. */
void progress_text_bars(const ProgressView *view, int width, bool color, Buf *out);

/* Copies as much of a text as fits in `size` bytes, in whole characters. */
void progress_text_copy(char *to, size_t size, const char *text);

/* Appends as much of a text as fits in so many columns, without characters that control a terminal. Returns
 * how many columns it takes. */
int progress_text_fit(const char *text, int columns, Buf *out);

#endif
