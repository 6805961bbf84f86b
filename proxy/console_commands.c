/* Which commands there are, and those that do something. */
#include "proxy/console_commands.h"

#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "wire/backend.h"

void console_row(ConsoleRows *rows, const char *const *values, int n) {
    backend_put_data_row(&rows->messages, values, n);
    rows->count++;
}

static void run_reload(Proxy *proxy, ConsoleRows *rows) {
    Buf report = {0};
    log_info("RELOAD from the console");
    rows->failed = !proxy_reload(proxy, &report, &rows->error);
    if (buf_len(&report) > 0)
        log_warning("%.*s", (int)buf_len(&report), (const char *)buf_ptr(&report));
    buf_free(&report);
}

static void run_shutdown(Proxy *proxy, ConsoleRows *rows) {
    (void)rows;
    log_info("SHUTDOWN from the console");
    proxy_request_shutdown(proxy, SHUTDOWN_DRAIN);
}

static void run_shutdown_immediate(Proxy *proxy, ConsoleRows *rows) {
    (void)rows;
    log_info("SHUTDOWN IMMEDIATE from the console");
    proxy_request_shutdown(proxy, SHUTDOWN_NOW);
}

/* Drivers open transactions and set parameters of their own accord; here that means nothing. */
static void run_nothing(Proxy *proxy, ConsoleRows *rows) {
    (void)proxy;
    (void)rows;
}

const ConsoleCommand console_commands[] = {
    {.words = "SHOW HELP", .columns = COLUMNS_HELP, .run = show_help, .help = "this list"},
    {.words = "SHOW CLIENTS",
     .columns = COLUMNS_CLIENTS,
     .of_worker = show_clients,
     .help = "the connected clients"},
    {.words = "SHOW SERVERS",
     .columns = COLUMNS_SERVERS,
     .of_worker = show_servers,
     .help = "their connections to the database server"},
    {.words = "SHOW STATS",
     .columns = COLUMNS_STATS,
     .run = show_stats,
     .help = "what each worker has counted since the start"},
    {.words = "SHOW CACHE",
     .columns = COLUMNS_CACHE,
     .run = show_cache,
     .help = "each worker's statement cache"},
    {.words = "SHOW AUDIT",
     .columns = COLUMNS_AUDIT,
     .slow = show_audit,
     .help = "statement shapes with verdicts, the most expensive first"},
    {.words = "SHOW ALLOWED",
     .columns = COLUMNS_ALLOWED,
     .run = show_allowed,
     .help = "statements that no mode applies to, from the file and from this console"},
    {.words = "SHOW TABLES",
     .columns = COLUMNS_TABLES,
     .of_worker = show_tables,
     .help = "kind, stage and tenant path of each table"},
    {.words = "SHOW MIGRATION",
     .columns = COLUMNS_MIGRATION,
     .slow = show_migration,
     .help = "where the migration stands: the whole of it, then each step"},
    {.words = "SHOW CATALOG",
     .columns = COLUMNS_CATALOG,
     .run = show_catalog,
     .help = "the state of the control connection and of the catalog"},
    {.words = "SHOW CONFIG",
     .columns = COLUMNS_CONFIG,
     .slow = show_config,
     .help = "the settings in force, each with its source"},
    {.words = "SHOW VERSION", .columns = COLUMNS_VERSION, .run = show_version, .help = "the proxy's version"},
    {.words = "ALLOW",
     .with = console_allow,
     .arguments = "FINGERPRINT [UNTIL 'TIME']",
     .help = "let a statement pass whatever its mode, until the time or the proxy's end"},
    {.words = "DISALLOW", .with = console_disallow, .arguments = "FINGERPRINT", .help = "take that back"},
    {.words = "PAUSE MIGRATION",
     .slow_with = console_pause_migration,
     .help = "let the migration wait behind what is at hand"},
    {.words = "RESUME MIGRATION", .slow_with = console_resume_migration, .help = "let it go on"},
    {.words = "THROTTLE MIGRATION",
     .slow_with = console_throttle_migration,
     .arguments = "TO ROWS | OFF",
     .help = "limit its backfill to so many rows a second, or no longer"},
    {.words = "RELOAD", .slow = run_reload, .help = "read the configuration file again, and the catalog"},
    {.words = "SHUTDOWN", .run = run_shutdown, .help = "stop when all transactions have finished"},
    {.words = "SHUTDOWN IMMEDIATE", .tag = "SHUTDOWN", .run = run_shutdown_immediate, .help = "stop at once"},
    {.words = "BEGIN", .run = run_nothing},
    {.words = "COMMIT", .run = run_nothing},
    {.words = "ROLLBACK", .run = run_nothing},
    {0},
};

/* Whether a text begins with the words, any white space between them. *rest: what follows, which must be
 * nothing unless `open`. */
static bool matches(Str text, const char *words, bool open, Str *rest) {
    size_t i = 0;
    while (*words) {
        size_t n = strcspn(words, " ");
        if (text.len - i < n || strncasecmp(text.ptr + i, words, n) != 0)
            return false;
        i += n;
        words += n;
        if (*words == ' ') {
            size_t before = i;
            while (i < text.len && strchr(" \t\r\n", text.ptr[i]))
                i++;
            if (i == before)
                return false;
            words++;
        }
    }
    *rest = str_trim((Str){text.ptr + i, text.len - i});
    return i == text.len || (open && strchr(" \t\r\n", text.ptr[i]));
}

const ConsoleCommand *console_command(Str text, Str *arguments) {
    static const ConsoleCommand SET = {.words = "SET", .run = run_nothing};
    text = str_trim(text);
    while (text.len > 0 && text.ptr[text.len - 1] == ';')
        text = str_trim((Str){text.ptr, text.len - 1});
    for (const ConsoleCommand *c = console_commands; c->words; c++)
        if (matches(text, c->words, c->arguments != NULL, arguments))
            return c;
    if (text.len > 4 && strncasecmp(text.ptr, "SET ", 4) == 0)
        return &SET;
    return NULL;
}
