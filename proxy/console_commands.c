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
    {"SHOW HELP", COLUMNS_HELP, NULL, show_help, NULL, NULL, "this list"},
    {"SHOW CLIENTS", COLUMNS_CLIENTS, NULL, NULL, show_clients, NULL, "the connected clients"},
    {"SHOW SERVERS", COLUMNS_SERVERS, NULL, NULL, show_servers, NULL,
     "their connections to the database server"},
    {"SHOW STATS", COLUMNS_STATS, NULL, show_stats, NULL, NULL,
     "what each worker has counted since the start"},
    {"SHOW CACHE", COLUMNS_CACHE, NULL, show_cache, NULL, NULL, "each worker's statement cache"},
    {"SHOW AUDIT", COLUMNS_AUDIT, NULL, NULL, NULL, show_audit,
     "statement shapes with verdicts, the most expensive first"},
    {"SHOW TABLES", COLUMNS_TABLES, NULL, NULL, show_tables, NULL,
     "kind, stage and tenant path of each table"},
    {"SHOW CATALOG", COLUMNS_CATALOG, NULL, show_catalog, NULL, NULL,
     "the state of the control connection and of the catalog"},
    {"SHOW CONFIG", COLUMNS_CONFIG, NULL, NULL, NULL, show_config,
     "the settings in force, each with its source"},
    {"SHOW VERSION", COLUMNS_VERSION, NULL, show_version, NULL, NULL, "the proxy's version"},
    {"RELOAD", NULL, NULL, NULL, NULL, run_reload, "read the configuration file again, and the catalog"},
    {"SHUTDOWN", NULL, NULL, run_shutdown, NULL, NULL, "stop when all transactions have finished"},
    {"SHUTDOWN IMMEDIATE", NULL, "SHUTDOWN", run_shutdown_immediate, NULL, NULL, "stop at once"},
    {"BEGIN", NULL, NULL, run_nothing, NULL, NULL, NULL},
    {"COMMIT", NULL, NULL, run_nothing, NULL, NULL, NULL},
    {"ROLLBACK", NULL, NULL, run_nothing, NULL, NULL, NULL},
    {0},
};

/* Compares words, with any white space between them. */
static bool matches(Str text, const char *words) {
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
    return i == text.len;
}

const ConsoleCommand *console_command(Str text) {
    static const ConsoleCommand SET = {"SET", NULL, "SET", run_nothing, NULL, NULL, NULL};
    text = str_trim(text);
    while (text.len > 0 && text.ptr[text.len - 1] == ';')
        text = str_trim((Str){text.ptr, text.len - 1});
    for (const ConsoleCommand *c = console_commands; c->words; c++)
        if (matches(text, c->words))
            return c;
    if (text.len > 4 && strncasecmp(text.ptr, "SET ", 4) == 0)
        return &SET;
    return NULL;
}
