/* Drawing in place: the cursor goes up over what was drawn, and everything from there on is written anew.
 *
 * When the window has become narrower meanwhile, the terminal has wrapped the old lines, so that they take
 * more rows than were drawn: how many is counted from what was drawn and the width that is now. */
#include "migrate/progress_screen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"

#define WIDTH_WITHOUT_TERMINAL 100
#define WIDTH_MIN 20
#define HEIGHT_UNKNOWN 24

struct ProgressScreen {
    FILE *out;
    bool draws, colors;
    pthread_mutex_t lock;
    Buf drawn; /* what is on the screen */
};

ProgressScreen *progress_screen_new(FILE *out) {
    ProgressScreen *screen = MEM_NEW(ProgressScreen);
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    screen->out = out;
    screen->draws = isatty(fileno(out)) && term && *term && strcmp(term, "dumb") != 0;
    screen->colors = screen->draws && !(no_color && *no_color);
    pthread_mutex_init(&screen->lock, NULL);
    return screen;
}

void progress_screen_free(ProgressScreen *screen) {
    const Buf nothing = {0};

    progress_screen_draw(screen, &nothing);
    pthread_mutex_destroy(&screen->lock);
    buf_free(&screen->drawn);
    free(screen);
}

bool progress_screen_draws(const ProgressScreen *screen) { return screen->draws; }

bool progress_screen_colors(const ProgressScreen *screen) { return screen->colors; }

/* One less than there are: a character in the last column leaves the cursor in a place on which terminals
 * disagree. */
int progress_screen_width(const ProgressScreen *screen) {
    struct winsize size;

    if (!screen->draws || ioctl(fileno(screen->out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_WITHOUT_TERMINAL;
    return size.ws_col - 1 < WIDTH_MIN ? WIDTH_MIN : size.ws_col - 1;
}

/* Behind an escape sequence of colours, where one begins here. */
static const unsigned char *behind_escape(const unsigned char *s, const unsigned char *end) {
    if (*s != '\033')
        return s;
    while (s < end && *s != 'm')
        s++;
    return s < end ? s + 1 : end;
}

int progress_screen_rows(const Buf *lines, int columns) {
    const unsigned char *s = buf_ptr(lines), *end = buf_len(lines) > 0 ? s + buf_len(lines) : s;
    int rows = 0, length = 0;

    while (s < end) {
        const unsigned char *next = behind_escape(s, end);

        if (next != s) {
            s = next;
            continue;
        }
        if (*s == '\n') {
            rows += length == 0 ? 1 : (length + columns - 1) / columns;
            length = 0;
        } else if ((*s & 0xC0) != 0x80) {
            length++;
        }
        s++;
    }
    return rows;
}

/* With the lock held. */
static void erase(ProgressScreen *screen) {
    int rows = progress_screen_rows(&screen->drawn, progress_screen_width(screen) + 1);

    if (rows > 0)
        fprintf(screen->out, "\r\033[%dA\033[J", rows);
    buf_clear(&screen->drawn);
}

/* The bytes of as many lines as the window has room for: the cursor does not go up beyond its edge. */
static size_t that_fit(const ProgressScreen *screen, const Buf *lines) {
    const uint8_t *text = buf_ptr(lines);
    struct winsize size;
    int room = HEIGHT_UNKNOWN;

    if (ioctl(fileno(screen->out), TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
        room = size.ws_row - 1;
    for (size_t i = 0; i < buf_len(lines); i++) {
        if (text[i] == '\n' && --room == 0)
            return i + 1;
    }
    return buf_len(lines);
}

static void draw(ProgressScreen *screen, const Buf *lines) {
    size_t len = that_fit(screen, lines);

    if (len == 0)
        return;
    fwrite(buf_ptr(lines), 1, len, screen->out);
    buf_append(&screen->drawn, buf_ptr(lines), len);
}

void progress_screen_draw(ProgressScreen *screen, const Buf *lines) {
    if (!screen->draws)
        return;
    pthread_mutex_lock(&screen->lock);
    if (buf_len(&screen->drawn) > 0 || buf_len(lines) > 0) {
        erase(screen);
        draw(screen, lines);
        fflush(screen->out);
    }
    pthread_mutex_unlock(&screen->lock);
}

/* A line may have the statements of others in it: nothing in them is for the terminal to obey. */
static void put_clean(ProgressScreen *screen, const char *fmt, va_list args) {
    char *line = NULL;
    int len = vasprintf(&line, fmt, args);

    for (int i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i], next = (unsigned char)line[i + 1];

        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            line[i] = '?';
        else if (c == 0xC2 && next >= 0x80 && next < 0xA0)
            line[i] = line[i + 1] = '?';
    }
    if (len >= 0)
        fwrite(line, 1, (size_t)len, screen->out);
    fputc('\n', screen->out);
    free(line);
}

void progress_screen_vprint(ProgressScreen *screen, const char *fmt, va_list args) {
    Buf below = {0};

    pthread_mutex_lock(&screen->lock);
    if (buf_len(&screen->drawn) > 0)
        buf_append(&below, buf_ptr(&screen->drawn), buf_len(&screen->drawn));
    erase(screen);
    put_clean(screen, fmt, args);
    draw(screen, &below);
    fflush(screen->out);
    pthread_mutex_unlock(&screen->lock);
    buf_free(&below);
}

void progress_screen_print(ProgressScreen *screen, const char *fmt, ...) {
    va_list args;

    va_start(args, fmt);
    progress_screen_vprint(screen, fmt, args);
    va_end(args);
}
