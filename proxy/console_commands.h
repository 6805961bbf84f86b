/* The console's commands: one const entry each. */
#ifndef PROXY_CONSOLE_COMMANDS_H
#define PROXY_CONSOLE_COMMANDS_H

#include "proxy/proxy.h"
#include "proxy/session.h"

/* Rows being collected: DataRow messages, ready to be sent. */
typedef struct ConsoleRows {
    Buf messages;
    uint64_t count;
    Error error;
    bool failed;
} ConsoleRows;

typedef struct ConsoleCommand {
    const char *words;          /* "SHOW CLIENTS" */
    const char *const *columns; /* ends with NULL; NULL: no result set */
    const char *tag;            /* of CommandComplete, where there is no result set; NULL: the words */
    /* Exactly one of the three, or one of those below: */
    void (*run)(Proxy *proxy, ConsoleRows *rows);         /* quick, on the session's worker */
    void (*of_worker)(Worker *worker, ConsoleRows *rows); /* once on each worker's thread */
    void (*slow)(Proxy *proxy, ConsoleRows *rows);        /* on a pool thread */
    const char *help;
    /* Or this one, quick as `run`, for a command that something follows; how that is written. */
    void (*with)(Session *session, Str arguments, ConsoleRows *rows);
    const char *arguments;
    /* Or this one, on a pool thread; `who` asks for it. What follows the command, if anything may, is written
     * as `arguments`. */
    void (*slow_with)(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows);
} ConsoleCommand;

/* Finds the command that a text (with or without semicolon, in any case) names; NULL if there is none.
 * *arguments: what follows its words, without the space around it. */
const ConsoleCommand *console_command(Str text, Str *arguments) MUST_USE;
/* All of them, for HELP and for tests; ends with words NULL. */
extern const ConsoleCommand console_commands[];

/* Appends a row whose number of values is that of the command's columns; NULL is SQL NULL. */
void console_row(ConsoleRows *rows, const char *const *values, int n);

/* console_show.c */
extern const char *const COLUMNS_HELP[],
    *const COLUMNS_CLIENTS[], *const COLUMNS_SERVERS[], *const COLUMNS_STATS[],
                                                            *const COLUMNS_CACHE[],
                                                                *const COLUMNS_AUDIT[],
                                                                    *const COLUMNS_TABLES[],
                                                                        *const COLUMNS_CONFIG[],
                                                                            *const COLUMNS_VERSION[],
                                                                                *const COLUMNS_CATALOG[],
                                                                                    *const COLUMNS_ALLOWED[];
void show_help(Proxy *proxy, ConsoleRows *rows);
void show_clients(Worker *worker, ConsoleRows *rows);
void show_servers(Worker *worker, ConsoleRows *rows);
void show_stats(Proxy *proxy, ConsoleRows *rows);
void show_cache(Proxy *proxy, ConsoleRows *rows);
void show_audit(Proxy *proxy, ConsoleRows *rows);
void show_tables(Worker *worker, ConsoleRows *rows);
void show_config(Proxy *proxy, ConsoleRows *rows);
void show_version(Proxy *proxy, ConsoleRows *rows);
void show_catalog(Proxy *proxy, ConsoleRows *rows);
void show_allowed(Proxy *proxy, ConsoleRows *rows);

/* console_allow.c */
void console_allow(Session *session, Str arguments, ConsoleRows *rows);
void console_disallow(Session *session, Str arguments, ConsoleRows *rows);

/* console_migration.c */
extern const char *const COLUMNS_MIGRATION[];
void show_migration(Proxy *proxy, ConsoleRows *rows);
void console_pause_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows);
void console_resume_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows);
void console_throttle_migration(Proxy *proxy, Str arguments, const char *who, ConsoleRows *rows);

#endif
