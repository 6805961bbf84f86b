/* Fingerprints and times of the allow-list. Times are read digit by digit: strptime takes much that a person
 * would not mean, and knows no offsets. */
#include "conf/allow.h"

#include <time.h>

#include "base/mem.h"

#define FINGERPRINT_DIGITS 16
#define SECOND_US INT64_C(1000000)

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex_value(char c) {
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool allow_read_fingerprint(Str text, uint64_t *fingerprint, Error *err) {
    bool ok = text.len == FINGERPRINT_DIGITS;

    *fingerprint = 0;
    for (size_t i = 0; ok && i < text.len; i++) {
        ok = hex_value(text.ptr[i]) >= 0;
        *fingerprint = *fingerprint << 4 | (uint64_t)(hex_value(text.ptr[i]) & 15);
    }
    if (ok && *fingerprint != 0)
        return true;
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%.*s\" is not a statement's fingerprint",
              (int)(text.len < 80 ? text.len : 80), text.ptr);
    return error_hint(err, "It has 16 hexadecimal digits: SHOW AUDIT and shardferry lint print it.");
}

/* ---- times ---- */

/* Takes exactly `digits` of them off the front. */
static bool take_number(Str *text, int digits, int *number) {
    *number = 0;
    if (text->len < (size_t)digits)
        return false;
    for (int i = 0; i < digits; i++) {
        if (!is_digit(text->ptr[i]))
            return false;
        *number = *number * 10 + (text->ptr[i] - '0');
    }
    *text = (Str){text->ptr + digits, text->len - (size_t)digits};
    return text->len == 0 || !is_digit(text->ptr[0]);
}

static bool take_char(Str *text, char c) {
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = (Str){text->ptr + 1, text->len - 1};
    return true;
}

static bool is_space(char c) { return c == ' ' || c == '\t'; }

static Str skip_space(Str text) {
    while (text.len > 0 && is_space(text.ptr[0]))
        text = (Str){text.ptr + 1, text.len - 1};
    return text;
}

static bool ends_word(Str text) { return text.len == 0 || is_space(text.ptr[0]); }

/* HH:MM or HH:MM:SS; `text` stays where it was if it is neither. */
static bool take_clock(Str *text, struct tm *tm) {
    Str at = *text;
    int hour, minute, second = 0;

    if (!take_number(&at, 2, &hour) || !take_char(&at, ':') || !take_number(&at, 2, &minute))
        return false;
    if (take_char(&at, ':') && !take_number(&at, 2, &second))
        return false;
    tm->tm_hour = hour;
    tm->tm_min = minute;
    tm->tm_sec = second;
    *text = at;
    return true;
}

/* Z, UTC, or +HH, +HH:MM, +HHMM and the same with a minus, behind a clock or a blank. *seconds: east of UTC.
 * Returns false for an offset that cannot be. */
static bool take_zone(Str *text, int *seconds) {
    Str at = skip_space(*text);
    int hours, minutes = 0;
    bool west = at.len > 0 && at.ptr[0] == '-';

    *seconds = 0;
    if (at.len >= 3 && str_ieq((Str){at.ptr, 3}, "utc") && ends_word((Str){at.ptr + 3, at.len - 3})) {
        *text = (Str){at.ptr + 3, at.len - 3};
        return true;
    }
    if (at.len >= 1 && (at.ptr[0] == 'Z' || at.ptr[0] == 'z') && ends_word((Str){at.ptr + 1, at.len - 1})) {
        *text = (Str){at.ptr + 1, at.len - 1};
        return true;
    }
    if (!(west || (at.len > 0 && at.ptr[0] == '+')) || at.len < 2 || !is_digit(at.ptr[1]))
        return true;
    at = (Str){at.ptr + 1, at.len - 1};
    if (at.len >= 4 && is_digit(at.ptr[2])) {
        Str hh = {at.ptr, 2};
        at = (Str){at.ptr + 2, at.len - 2};
        if (!take_number(&hh, 2, &hours) || !take_number(&at, 2, &minutes))
            return false;
    } else if (!take_number(&at, 2, &hours) || (take_char(&at, ':') && !take_number(&at, 2, &minutes))) {
        return false;
    }
    *seconds = (hours * 60 + minutes) * (west ? -60 : 60);
    *text = at;
    return hours <= 15 && minutes <= 59;
}

/* The time of day and zone behind a date; nothing of either is midnight UTC, and what follows is the reason.
 */
static bool take_day_time(Str *text, struct tm *tm, int *zone) {
    Str at = *text;
    bool glued = take_char(&at, 'T') || take_char(&at, 't');

    *zone = 0;
    if (!glued && !ends_word(at))
        return take_zone(text, zone) && ends_word(*text); /* 2027-01-01Z */
    at = skip_space(at);
    if (at.len > 1 && is_digit(at.ptr[0]) && (glued || at.ptr[1] == ':' || is_digit(at.ptr[1]))) {
        if (!take_clock(&at, tm))
            return false;
        *text = at;
    } else if (glued) {
        return false;
    }
    return take_zone(text, zone) && ends_word(*text);
}

/* Whether the fields were a date and a time of day: timegm would carry 31 April over into May. */
static bool is_real(const struct tm *given, time_t at) {
    struct tm made;

    return gmtime_r(&at, &made) && made.tm_mday == given->tm_mday && made.tm_mon == given->tm_mon &&
           made.tm_year == given->tm_year && given->tm_hour <= 23 && given->tm_min <= 59 &&
           given->tm_sec <= 59;
}

static bool take_time(Str *text, int64_t *until_us) {
    struct tm tm = {0}, copy;
    int year, month, day, zone;
    time_t seconds;

    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) ||
        !take_char(text, '-') || !take_number(text, 2, &day))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    if (!take_day_time(text, &tm, &zone))
        return false;
    copy = tm;
    seconds = timegm(&copy);
    if (!is_real(&tm, seconds))
        return false;
    *until_us = ((int64_t)seconds - zone) * SECOND_US;
    return true;
}

bool allow_read_until(Str text, int64_t *until_us, Str *rest, Error *err) {
    static const Str FOREVER = {"forever", 7};
    Str at = str_trim(text);

    if (at.len >= FOREVER.len && str_ieq((Str){at.ptr, FOREVER.len}, FOREVER.ptr) &&
        ends_word((Str){at.ptr + FOREVER.len, at.len - FOREVER.len})) {
        at = (Str){at.ptr + FOREVER.len, at.len - FOREVER.len};
        *until_us = ALLOW_FOREVER;
    } else if (!take_time(&at, until_us)) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%.*s\" does not begin with a time",
                  (int)(text.len < 80 ? text.len : 80), text.ptr);
        return error_hint(err,
                          "allowed: forever, or a time such as 2027-01-01, 2027-01-01 12:00 or 2027-01-01 "
                          "12:00:00+02:00; UTC without an offset");
    }
    *rest = str_trim(at);
    return true;
}

char *allow_show_until(int64_t until_us) {
    time_t seconds = (time_t)(until_us / SECOND_US);
    struct tm tm;
    char text[64];

    if (until_us == ALLOW_FOREVER)
        return mem_strdup("forever");
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S+00", &tm);
    return mem_strdup(text);
}
