/* ALLOW and DISALLOW: what the console adds to the allow-list. */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/console_commands.h"

static const char ALLOW_USAGE[] =
    "ALLOW 50fde20626009aba, or ALLOW 50fde20626009aba UNTIL '2027-01-01 12:00'";

/* Takes the first word, or what stands in its quotes, off the front. */
static Str take_word(Str *text) {
    size_t n = 0;
    if (text->len > 1 && text->ptr[0] == '\'') {
        const char *end = memchr(text->ptr + 1, '\'', text->len - 1);
        if (end) {
            Str word = {text->ptr + 1, (size_t)(end - text->ptr) - 1};
            *text = str_trim((Str){end + 1, text->len - word.len - 2});
            return word;
        }
    }
    while (n < text->len && !strchr(" \t\r\n", text->ptr[n]))
        n++;
    Str word = {text->ptr, n};
    *text = str_trim((Str){text->ptr + n, text->len - n});
    return word;
}

static bool fail(ConsoleRows *rows, const char *sqlstate, const char *message, const char *hint) {
    rows->failed = true;
    error_set(&rows->error, sqlstate, "%s", message);
    return error_hint(&rows->error, "%s", hint);
}

/* UNTIL and a quoted time; nothing at all is for ever. */
static bool read_until(Str text, int64_t *until_us, ConsoleRows *rows) {
    Str rest, word = take_word(&text);
    *until_us = ALLOW_FOREVER;
    if (word.len == 0)
        return true;
    bool quoted = text.len > 0 && text.ptr[0] == '\'';
    Str time = take_word(&text);
    if (!str_ieq(word, "until") || !quoted || text.len > 0)
        return fail(rows, SQLSTATE_SYNTAX_ERROR, "what follows the fingerprint is not understood",
                    ALLOW_USAGE);
    rows->failed = !allow_read_until(time, until_us, &rest, &rows->error);
    if (rows->failed)
        return false;
    if (rest.len > 0)
        return fail(rows, SQLSTATE_SYNTAX_ERROR, "something follows the time", ALLOW_USAGE);
    return true;
}

static bool read_fingerprint(Str *arguments, uint64_t *fingerprint, ConsoleRows *rows) {
    rows->failed = !allow_read_fingerprint(take_word(arguments), fingerprint, &rows->error);
    return !rows->failed;
}

static const char *who(const Session *s, char *text, size_t size) {
    snprintf(text, size, "%s (%s)", s->user, s->address);
    return text;
}

void console_allow(Session *s, Str arguments, ConsoleRows *rows) {
    uint64_t fingerprint;
    int64_t until_us;
    char by[160];
    if (!read_fingerprint(&arguments, &fingerprint, rows) || !read_until(arguments, &until_us, rows))
        return;
    char *until = allow_show_until(until_us);
    if (until_us <= worker_wall_us(s->worker)) {
        rows->failed = true;
        error_set(&rows->error, SQLSTATE_FEATURE_NOT_SUPPORTED, "%s is over already", until);
        error_hint(&rows->error, "Times are in UTC, unless an offset such as +02:00 follows.");
    } else {
        allowed_put(&s->worker->proxy->allowed, fingerprint, until_us, who(s, by, sizeof by));
        log_info("statement %016" PRIx64 " is allowed until %s: %s", fingerprint,
                 until_us == ALLOW_FOREVER ? "the proxy stops" : until, by);
    }
    free(until);
}

void console_disallow(Session *s, Str arguments, ConsoleRows *rows) {
    uint64_t fingerprint;
    char by[160];
    if (!read_fingerprint(&arguments, &fingerprint, rows))
        return;
    if (arguments.len > 0) {
        fail(rows, SQLSTATE_SYNTAX_ERROR, "something follows the fingerprint", "DISALLOW 50fde20626009aba");
        return;
    }
    Runtime *runtime = s->worker->runtime;
    rows->failed = !allowed_remove(&s->worker->proxy->allowed, fingerprint, runtime->config, &rows->error);
    if (!rows->failed)
        log_info("statement %016" PRIx64 " is no longer allowed: %s", fingerprint, who(s, by, sizeof by));
}
