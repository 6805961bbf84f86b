/* Text for a terminal: wrapped, indented, coloured where that is wanted, and safe to print whatever names a
 * database holds. */
#ifndef MIGRATE_PLAN_PAGE_H
#define MIGRATE_PLAN_PAGE_H

#include <stdio.h>

#include "migrate/plan_model.h"

#define PAGE_COLUMNS 100

typedef enum PageColor { PAGE_PLAIN, PAGE_BOLD, PAGE_RED, PAGE_YELLOW, PAGE_DIM } PageColor;

/* Text in the making: zero but for `color`. page_flush ends it. */
typedef struct Page {
    Buf text;
    bool color;
} Page;

void page_printf(Page *page, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A headline, with an empty line before it. */
void page_head(Page *page, const char *fmt, ...) PRINTF_LIKE(2, 3);
void page_color(Page *page, PageColor color);
/* A paragraph: `label` at `indent`, the text behind it and under itself. */
void page_wrap(Page *page, int indent, const char *label, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The first lines of an SQL text, long ones broken; nothing if it is empty. */
void page_lines(Page *page, int indent, const char *label, const char *text, int most);
void page_flush(Page *page, FILE *out);

/* In `arena`: "4,000,000", "?" for less than 0; "138 MB"; "5 – 40 s", "a moment", "not known". */
const char *page_count(Arena *arena, int64_t n) MUST_USE;
const char *page_bytes(Arena *arena, int64_t bytes) MUST_USE;
const char *page_range(Arena *arena, double low, double high) MUST_USE;

#endif
