/* Matching by trying: each escape stands for a run of bytes of its own kind, the shortest that lets the rest
 * of the pattern match. A budget bounds the tries, which a text made for it could multiply. */
#include "cli/lint_log_prefix.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define TRIES_MAX 20000

#define FIELD(name) offsetof(LintLogPrefix, name)
#define NO_FIELD SIZE_MAX

typedef enum Kind { KIND_ANY, KIND_DIGITS, KIND_HEX, KIND_SQLSTATE, KIND_TRANSACTION, KIND_TIME } Kind;

static const struct {
    char letter;
    Kind kind;
    size_t field;
} escapes[] = {
    {'a', KIND_ANY, FIELD(application)}, {'u', KIND_ANY, FIELD(user)},
    {'d', KIND_ANY, FIELD(database)},    {'r', KIND_ANY, NO_FIELD},
    {'h', KIND_ANY, NO_FIELD},           {'L', KIND_ANY, NO_FIELD},
    {'b', KIND_ANY, NO_FIELD},           {'i', KIND_ANY, NO_FIELD},
    {'p', KIND_DIGITS, FIELD(session)},  {'P', KIND_DIGITS, NO_FIELD},
    {'t', KIND_TIME, NO_FIELD},          {'m', KIND_TIME, NO_FIELD},
    {'s', KIND_TIME, NO_FIELD},          {'n', KIND_DIGITS, NO_FIELD},
    {'e', KIND_SQLSTATE, NO_FIELD},      {'c', KIND_HEX, FIELD(session)},
    {'l', KIND_DIGITS, NO_FIELD},        {'v', KIND_TRANSACTION, NO_FIELD},
    {'x', KIND_DIGITS, NO_FIELD},        {'Q', KIND_TRANSACTION, NO_FIELD},
};

/* The most specific first: each also matches lines of a pattern that goes on behind its %q. */
static const char *const usual[] = {
    "%m [%p] %q%u@%d/%a ",
    "%m [%p] %q%u@%d ",
    "%m [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: user=%u,db=%d,app=%a,client=%h ",
    "%m [%p] user=%u,db=%d,app=%a,client=%h ",
    "%m [%p]: [%l-1] user=%u,db=%d ",
    "%m [%p]: [%l-1] db=%d,user=%u ",
    "%m [%p] user=%u,db=%d ",
    "%m:%r:%u@%d:[%p]:",
    "%m:%r:%u@%d:[%p]:%l:%e:%s:%v:%x:%c:%q%a:",
    "%m-%c-",
    "%m [%p] [%c] ",
};

typedef struct Match {
    const char *end;
    LintLogPrefix prefix;
    bool has_session_id;
    int tries;
} Match;

static bool is_of_kind(Kind kind, unsigned char c) {
    switch (kind) {
    case KIND_DIGITS:
        return isdigit(c) || c == '.';
    case KIND_HEX:
        return isxdigit(c) || c == '.';
    case KIND_SQLSTATE:
        return isdigit(c) || isupper(c);
    case KIND_TRANSACTION:
        return isdigit(c) || c == '/' || c == '-';
    default:
        return true;
    }
}

/* "2026-01-02 03:04:05.678 UTC": where the zone's name begins; NULL if there is no such time. */
static const char *zone_of(const char *s, const char *end) {
    static const char shape[] = "0000-00-00 00:00:00";
    for (const char *p = shape; *p; p++, s++)
        if (s == end || (*p == '0' ? !isdigit((unsigned char)*s) : *s != *p))
            return NULL;
    if (s < end && *s == '.')
        for (s++; s < end && isdigit((unsigned char)*s);)
            s++;
    return s < end && *s == ' ' ? s + 1 : NULL;
}

static bool is_zone(unsigned char c) { return isalnum(c) || strchr("+-<>/_", c); }

static bool match(Match *m, const char *pattern, const char *s);

static void set_field(Match *m, char letter, size_t field, Str value) {
    if (field == NO_FIELD || (letter == 'p' && m->has_session_id))
        return;
    m->has_session_id |= letter == 'c';
    *(Str *)(void *)((char *)&m->prefix + field) = value;
}

/* The escape at pattern[0] stands at `s`. `padding`: of the escape, 0 without. */
static bool match_escape(Match *m, const char *pattern, const char *s, int padding) {
    size_t i = 0;
    while (i < sizeof(escapes) / sizeof(escapes[0]) && escapes[i].letter != *pattern)
        i++;
    if (i == sizeof(escapes) / sizeof(escapes[0])) /* the server prints nothing for it */
        return match(m, pattern + 1, s);
    while (padding > 0 && s < m->end && *s == ' ')
        s++;
    Kind kind = escapes[i].kind;
    const char *from = s;
    if (kind == KIND_TIME && !(s = zone_of(s, m->end)))
        return false;
    for (;; s++) {
        const char *rest = s;
        while (padding < 0 && rest < m->end && *rest == ' ')
            rest++;
        if (match(m, pattern + 1, rest)) {
            set_field(m, *pattern, escapes[i].field, (Str){from, (size_t)(s - from)});
            return true;
        }
        if (s == m->end ||
            !(kind == KIND_TIME ? is_zone((unsigned char)*s) : is_of_kind(kind, (unsigned char)*s)))
            return false;
    }
}

static bool match(Match *m, const char *pattern, const char *s) {
    if (m->tries++ > TRIES_MAX)
        return false;
    for (; *pattern; pattern++) {
        if (*pattern != '%' || pattern[1] == '%') {
            pattern += *pattern == '%';
            if (s == m->end || *s++ != *pattern)
                return false;
            continue;
        }
        pattern++;
        if (*pattern == 'q') {
            if (s == m->end) /* a process that has no session */
                return true;
            continue;
        }
        int padding = *pattern == '-' ? -1 : isdigit((unsigned char)*pattern) ? 1 : 0;
        while (*pattern == '-' || isdigit((unsigned char)*pattern))
            pattern++;
        return *pattern ? match_escape(m, pattern, s, padding) : s == m->end;
    }
    return s == m->end;
}

bool lint_log_prefix_matches(const char *pattern, Str text, LintLogPrefix *prefix) {
    Match m = {.end = text.ptr + text.len};
    if (!match(&m, pattern, text.ptr))
        return false;
    *prefix = m.prefix;
    return true;
}

const char *lint_log_prefix_guess(Str text, LintLogPrefix *prefix) {
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        if (lint_log_prefix_matches(usual[i], text, prefix))
            return usual[i];
    return NULL;
}
