/* The log: one event, one line, one write(2), so that lines of several threads do not mix. */
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

static const struct {
    const char *name;
    int priority; /* syslog(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"ERROR", 3},
    [LOG_LEVEL_WARNING] = {"WARNING", 4},
    [LOG_LEVEL_INFO] = {"INFO", 6},
    [LOG_LEVEL_DEBUG] = {"DEBUG", 7},
};

static atomic_int threshold = LOG_LEVEL_INFO;
static pthread_once_t journal_once = PTHREAD_ONCE_INIT;
static bool to_journal;

/* JOURNAL_STREAM is "device:inode" of the stream that leads to the journal; a child whose stderr was
 * redirected inherits the variable all the same (systemd.exec(5)), hence the comparison. */
static void find_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    if (stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0)
        to_journal = st.st_dev == device && st.st_ino == inode;
}

void log_set_level(LogLevel level) { atomic_store_explicit(&threshold, (int)level, memory_order_relaxed); }

bool log_enabled(LogLevel level) {
    return (int)level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

static void put_time(Buf *line) {
    struct timespec now;
    struct tm tm;
    char text[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
    buf_printf(line, "%s.%03ld UTC ", text, now.tv_nsec / 1000000);
}

/* C0, DEL, and the C1 controls in UTF-8: a client's text must not start a line nor steer a terminal. */
static void put_escaped(Buf *line, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '\n')
            buf_append_cstr(line, "\\n");
        else if (*p == '\t')
            buf_append_cstr(line, "\\t");
        else if (*p < 0x20 || *p == 0x7F)
            buf_printf(line, "\\x%02x", *p);
        else if (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) {
            buf_printf(line, "\\u%04x", p[1]);
            p++;
        } else
            buf_put_u8(line, *p);
    }
}

static void write_line(const Buf *line) {
    const uint8_t *data = buf_ptr(line);
    size_t left = buf_len(line);

    while (left > 0) {
        ssize_t n = write(STDERR_FILENO, data, left);

        if (n < 0 && errno == EINTR)
            continue;
        /* A log that cannot be written must not stop the work: the line is lost. */
        if (n <= 0)
            return;
        data += n;
        left -= (size_t)n;
    }
}

static void emit(LogLevel level, const char *text) {
    Buf line = {0};

    pthread_once(&journal_once, find_journal);
    if (to_journal)
        buf_printf(&line, "<%d>", levels[level].priority);
    else
        put_time(&line);
    buf_printf(&line, "[%ld] %s: ", (long)getpid(), levels[level].name);
    put_escaped(&line, text);
    buf_put_u8(&line, '\n');
    write_line(&line);
    buf_free(&line);
}

/* The caller frees the text. */
static char *PRINTF_LIKE(1, 0) format(const char *fmt, va_list args) {
    char *text;

    return vasprintf(&text, fmt, args) < 0 ? mem_strdup(fmt) : text;
}

void log_write(LogLevel level, const char *fmt, ...) {
    int saved_errno = errno;
    va_list args;
    char *text;

    if (!log_enabled(level))
        return;
    va_start(args, fmt);
    text = format(fmt, args);
    va_end(args);
    emit(level, text);
    free(text);
    errno = saved_errno;
}

void log_failure(LogLevel level, const Error *err, const char *fmt, ...) {
    int saved_errno = errno;
    va_list args;
    char *what, *text;

    if (!log_enabled(level))
        return;
    va_start(args, fmt);
    what = format(fmt, args);
    va_end(args);
    text =
        mem_printf("%s: %s (%s)%s%s%s%s", what, err->message, err->sqlstate,
                   err->detail[0] ? " DETAIL: " : "", err->detail, err->hint[0] ? " HINT: " : "", err->hint);
    emit(level, text);
    free(text);
    free(what);
    errno = saved_errno;
}
