/* Where progress is shown: lines that are drawn in place at a terminal's end, under whatever is printed above
 * them; nothing of the kind where there is no terminal.
 *
 * Thread-safe: each call is one piece on the screen. */
#ifndef MIGRATE_PROGRESS_SCREEN_H
#define MIGRATE_PROGRESS_SCREEN_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

typedef struct ProgressScreen ProgressScreen;

ProgressScreen *progress_screen_new(FILE *out) MUST_USE;
void progress_screen_free(ProgressScreen *screen); /* what is drawn vanishes */

/* Whether it draws: a terminal, of a kind that can. */
bool progress_screen_draws(const ProgressScreen *screen) MUST_USE;
/* Whether it may have colours: one that draws, and no NO_COLOR. */
bool progress_screen_colors(const ProgressScreen *screen) MUST_USE;
/* Columns that a line may have. */
int progress_screen_width(const ProgressScreen *screen) MUST_USE;

/* Puts these lines, each with its line feed, in the place of those drawn before; none: they vanish. */
void progress_screen_draw(ProgressScreen *screen, const Buf *lines);
/* Prints a line, above what is drawn. */
void progress_screen_print(ProgressScreen *screen, const char *fmt, ...) PRINTF_LIKE(2, 3);
void progress_screen_vprint(ProgressScreen *screen, const char *fmt, va_list args);

/* Rows that lines of text take on a screen of so many columns, which wraps them; escape sequences take none.
 */
int progress_screen_rows(const Buf *lines, int columns) MUST_USE;

#endif
