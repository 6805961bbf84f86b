/* Progress in words. What comes from the server (names, phases, the statements of others) is shown without
 * anything that a terminal would obey. */
#include "migrate/progress_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BAR_MIN 10
#define BAR_MAX 40

#define BOLD "\033[1m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define RED "\033[31m"
#define PLAIN "\033[0m"

/* ---- numbers ---- */

void progress_text_number(int64_t n, Buf *out) {
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, n < 0 ? -(uint64_t)n : (uint64_t)n);

    if (n < 0)
        buf_append_cstr(out, "-");
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf_append_cstr(out, ",");
        buf_append(out, &digits[i], 1);
    }
}

void progress_text_duration(int64_t seconds, Buf *out) {
    int64_t days = seconds / 86400, hours = seconds / 3600 % 24;
    int minutes = (int)(seconds / 60 % 60), rest = (int)(seconds % 60);

    if (days > 0)
        buf_printf(out, "%" PRId64 " day%s ", days, days == 1 ? "" : "s");
    if (seconds >= 3600)
        buf_printf(out, "%" PRId64 ":%02d:%02d", hours, minutes, rest);
    else
        buf_printf(out, "%d:%02d", minutes, rest);
}

/* ---- characters ---- */

/* The bytes and columns of the character that `s` begins with; a byte that begins none stands for itself. */
static int character(const unsigned char *s, int *columns) {
    int len = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : s[0] >= 0xC2 ? 2 : 1;
    uint32_t code = len == 1 ? s[0] : s[0] & (0xFFu >> (len + 1));

    for (int i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            *columns = 0; /* cut off */
            return 1;
        }
        code = code << 6 | (s[i] & 0x3Fu);
    }
    if (code < 0x20 || code == 0x7F || (len == 1 && code >= 0x80) || (code >= 0x80 && code < 0xA0))
        *columns = 0;
    else /* scripts from there on are as good as all twice as wide; one taken for wide that is not does no
            harm */
        *columns = code >= 0x1100 && (code < 0x1E00 || code >= 0x2E80) ? 2 : 1;
    return len;
}

int progress_text_fit(const char *text, int columns, Buf *out) {
    const unsigned char *s = (const unsigned char *)text;
    int used = 0;

    while (*s) {
        int wide, len = character(s, &wide);
        bool shown = wide > 0;

        if (used + (shown ? wide : 1) > columns)
            break;
        if (shown)
            buf_append(out, s, (size_t)len);
        else
            buf_append_cstr(out, "?");
        used += shown ? wide : 1;
        s += len;
    }
    return used;
}

void progress_text_copy(char *to, size_t size, const char *text) {
    size_t len = strnlen(text, size);

    if (len == size) {
        len--;
        while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    memcpy(to, text, len);
    to[len] = '\0';
}

/* ---- the parts ---- */

static void put_work(const ProgressView *view, Buf *out) {
    progress_text_number(view->done, out);
    if (view->total > 0) {
        buf_append_cstr(out, " of ");
        progress_text_number(view->total, out);
    }
    buf_printf(out, " %s", view->unit ? view->unit : "rows");
}

static int percent(const ProgressView *view) {
    return view->done >= view->total ? 100 : (int)((double)view->done * 100 / (double)view->total);
}

static int64_t seconds_left(const ProgressView *view) {
    if (view->done < 0 || view->total <= view->done || view->rate <= 0)
        return -1;
    return (view->total - view->done + view->rate - 1) / view->rate;
}

/* Behind the amount of work: how fast, in what pieces, how long still. */
static void put_pace(const ProgressView *view, const char *glue, Buf *out) {
    int64_t left = seconds_left(view);

    if (view->rate >= 0) {
        buf_append_cstr(out, glue);
        progress_text_number(view->rate, out);
        buf_append_cstr(out, " a second");
    }
    if (view->limit > 0) {
        buf_append_cstr(out, " (limit ");
        progress_text_number(view->limit, out);
        buf_append_cstr(out, ")");
    }
    if (view->batch > 0) {
        buf_append_cstr(out, glue);
        progress_text_number(view->batch, out);
        buf_append_cstr(out, " in a batch");
    }
    if (left >= 0) {
        buf_append_cstr(out, glue);
        progress_text_duration(left, out);
        buf_append_cstr(out, " left");
    }
}

/* ---- as a line ---- */

static void put_clean(const char *text, Buf *out) { progress_text_fit(text, INT16_MAX, out); }

void progress_text_line(const ProgressView *view, Buf *out) {
    put_clean(view->what, out);
    buf_append_cstr(out, ": ");
    if (view->done >= 0) {
        put_work(view, out);
        if (view->total > 0)
            buf_printf(out, " (%d %%)", percent(view));
        put_pace(view, ", ", out);
    } else {
        progress_text_duration(view->elapsed_ms / 1000, out);
        buf_append_cstr(out, " so far");
    }
    if (view->phase) {
        buf_append_cstr(out, "; ");
        put_clean(view->phase, out);
    }
    if (view->waiting_for) {
        buf_append_cstr(out, "; waiting: ");
        put_clean(view->waiting_for, out);
    }
    if (view->blocked_by) {
        buf_append_cstr(out, "; blocked by ");
        put_clean(view->blocked_by, out);
    }
}

/* ---- as bars ---- */

typedef struct Canvas {
    int width;
    bool color;
    Buf *out;
} Canvas;

static void put_line(const Canvas *canvas, const char *color, const char *head, const char *text) {
    int used;

    if (canvas->color && color)
        buf_append_cstr(canvas->out, color);
    used = progress_text_fit(head, canvas->width, canvas->out);
    progress_text_fit(text, canvas->width - used, canvas->out);
    if (canvas->color && color)
        buf_append_cstr(canvas->out, PLAIN);
    buf_append_cstr(canvas->out, "\n");
}

static void put_filled(const ProgressView *view, int length, Buf *out) {
    double part = view->done >= view->total ? 1 : (double)view->done / (double)view->total;
    int full = (int)(part * length);

    for (int i = 0; i < length; i++)
        buf_append_cstr(out, i < full ? "=" : i == full && full > 0 ? ">" : " ");
}

/* "  [=====>    ]  45 %  TEXT", the bar as long as there is room; without a total or without room, the text.
 */
static void put_bar(const Canvas *canvas, const ProgressView *view, const char *text) {
    int room = canvas->width - (int)strlen("  []  100 %  ") - (int)strlen(text);
    int length = room > BAR_MAX ? BAR_MAX : room;

    if (view->done < 0 || view->total <= 0 || length < BAR_MIN) {
        put_line(canvas, NULL, "  ", text);
        return;
    }
    buf_append_cstr(canvas->out, "  [");
    if (canvas->color)
        buf_append_cstr(canvas->out, GREEN);
    put_filled(view, length, canvas->out);
    if (canvas->color)
        buf_append_cstr(canvas->out, PLAIN);
    buf_printf(canvas->out, "]  %3d %%  %s\n", percent(view), text);
}

static const char *terminated(Buf *text) {
    buf_append(text, "", 1);
    return (const char *)buf_ptr(text);
}

void progress_text_bars(const ProgressView *view, int width, bool color, Buf *out) {
    Canvas canvas = {width, color, out};
    Buf head = {0}, work = {0};

    if (view->step > 0)
        buf_printf(&head, "step %" PRId64 " of %" PRId64 "  ", view->step, view->steps);
    put_line(&canvas, BOLD, terminated(&head), view->what);
    if (view->done >= 0) {
        put_work(view, &work);
        put_pace(view, "  ", &work);
    } else {
        progress_text_duration(view->elapsed_ms / 1000, &work);
        buf_append_cstr(&work, " so far");
    }
    put_bar(&canvas, view, terminated(&work));
    if (view->phase)
        put_line(&canvas, NULL, "  ", view->phase);
    if (view->waiting_for)
        put_line(&canvas, YELLOW, "  waiting: ", view->waiting_for);
    if (view->blocked_by)
        put_line(&canvas, RED, "  blocked by ", view->blocked_by);
    buf_free(&head);
    buf_free(&work);
}
