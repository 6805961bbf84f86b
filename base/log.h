/* The process's log: lines to stderr, as systemd and containers expect.
 *
 * One line per event: "2026-01-02 03:04:05.678 UTC [pid] LEVEL: text"; with an inherited JOURNAL_STREAM the
 * time is left out and a syslog priority prefix (sd-daemon(3)) is put first. Control characters in the text
 * are escaped. Thread-safe: one write(2) a line. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

typedef enum LogLevel { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG } LogLevel;

void log_set_level(LogLevel level);
bool log_enabled(LogLevel level);
void log_write(LogLevel level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "fmt…: message (SQLSTATE)", then DETAIL and HINT where there are any. */
void log_failure(LogLevel level, const Error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                                                       \
    do {                                                                                                     \
        if (log_enabled(LOG_LEVEL_DEBUG))                                                                    \
            log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);                                                         \
    } while (0)

#endif
