/* The messages of postgres.c, by their beginnings:
 *
 *     statement: SELECT 1
 *     execute NAME: SELECT 1
 *     duration: 0.123 ms
 *     duration: 0.123 ms  statement: SELECT 1          likewise execute, parse, bind
 */
#include "cli/lint_log_message.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    Str words;
    bool named; /* a statement's or portal's name stands behind them */
    LintLogEvent alone, timed;
} beginnings[] = {
    {{"statement", 9}, false, LINT_LOG_SENT, LINT_LOG_EXECUTED},
    {{"execute fetch from ", 19}, true, LINT_LOG_NOTHING, LINT_LOG_PREPARED},
    {{"execute ", 8}, true, LINT_LOG_SENT, LINT_LOG_EXECUTED},
    {{"parse ", 6}, true, LINT_LOG_NOTHING, LINT_LOG_PREPARED},
    {{"bind ", 5}, true, LINT_LOG_NOTHING, LINT_LOG_PREPARED},
};

static bool take(Str *s, Str prefix) {
    if (s->len < prefix.len || memcmp(s->ptr, prefix.ptr, prefix.len) != 0)
        return false;
    *s = (Str){s->ptr + prefix.len, s->len - prefix.len};
    return true;
}

/* The SQLSTATE that log_error_verbosity = verbose puts first. */
static void pass_sqlstate(Str *s) {
    for (size_t i = 0; i < 5; i++)
        if (i >= s->len || !(isdigit((unsigned char)s->ptr[i]) || isupper((unsigned char)s->ptr[i])))
            return;
    if (s->len >= 7 && s->ptr[5] == ':' && s->ptr[6] == ' ')
        *s = (Str){s->ptr + 7, s->len - 7};
}

static bool take_text(Str *s, bool named) {
    const char *colon = named ? memmem(s->ptr, s->len, ": ", 2) : s->ptr;
    if (!colon)
        return false;
    *s = (Str){colon, s->len - (size_t)(colon - s->ptr)};
    return take(s, STR_LIT(": "));
}

static LintLogMessage read_text(Str s, bool timed, double ms) {
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        Str rest = s;
        LintLogEvent event = timed ? beginnings[i].timed : beginnings[i].alone;
        if (take(&rest, beginnings[i].words) && take_text(&rest, beginnings[i].named))
            return event == LINT_LOG_NOTHING ? (LintLogMessage){.event = event}
                                             : (LintLogMessage){event, rest, ms};
    }
    return (LintLogMessage){.event = LINT_LOG_NOTHING};
}

LintLogMessage lint_log_message(Str s) {
    pass_sqlstate(&s);
    if (!take(&s, STR_LIT("duration: "))) {
        if (take(&s, STR_LIT("connection authorized: ")))
            return (LintLogMessage){.event = LINT_LOG_CONNECTED};
        if (take(&s, STR_LIT("disconnection: ")))
            return (LintLogMessage){.event = LINT_LOG_DISCONNECTED};
        return read_text(s, false, 0);
    }
    char *end;
    double ms = strtod(s.ptr, &end);
    s = (Str){end, s.len - (size_t)(end - s.ptr)};
    if (!take(&s, STR_LIT(" ms")))
        return (LintLogMessage){.event = LINT_LOG_NOTHING};
    if (s.len == 0)
        return (LintLogMessage){.event = LINT_LOG_TOOK, .ms = ms};
    return take(&s, STR_LIT("  ")) ? read_text(s, true, ms) : (LintLogMessage){.event = LINT_LOG_NOTHING};
}

Str lint_log_prepared(Str detail) { return take(&detail, STR_LIT("prepare: ")) ? detail : STR_LIT(""); }
