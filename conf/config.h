/* The configuration: what the settings table (conf/settings.h) describes, as typed values.
 *
 * A Config is made once by config_load, checked as a whole, and not changed after; a reload makes another
 * one. Strings are owned by the Config. */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "conf/allow.h"
#include "conf/modes.h"
#include "conf/settings.h"

typedef enum AuthMode { AUTH_PASSTHROUGH } AuthMode;
typedef enum ClientTls { CLIENT_TLS_DISABLE, CLIENT_TLS_ALLOW, CLIENT_TLS_REQUIRE } ClientTls;
typedef enum ConfKind {
    CONF_KIND_UNSET,
    CONF_KIND_DISTRIBUTED,
    CONF_KIND_BACKFILL,
    CONF_KIND_REFERENCE,
    CONF_KIND_LOCAL
} ConfKind;
typedef enum ConfOnUnknown {
    CONF_ON_UNKNOWN_AUTO,
    CONF_ON_UNKNOWN_PASS,
    CONF_ON_UNKNOWN_REFUSE
} ConfOnUnknown;
typedef enum ConfReads { CONF_READS_OFF, CONF_READS_JOIN, CONF_READS_FILTER } ConfReads;
typedef enum ConfTableReads {
    CONF_TABLE_READS_AUTO,
    CONF_TABLE_READS_OFF,
    CONF_TABLE_READS_JOIN,
    CONF_TABLE_READS_FILTER
} ConfTableReads;
typedef enum ConfDriver { CONF_DRIVER_RUNNER, CONF_DRIVER_PG_CRON } ConfDriver;
typedef enum ConfMethod { CONF_METHOD_UNSET, CONF_METHOD_CONCURRENTLY, CONF_METHOD_BLOCKING } ConfMethod;

/* One [table …] section. */
typedef struct TableConfig {
    char *written; /* the name as the section has it: "Sales"."OrderNotes" */
    char *schema;  /* folded and unquoted; NULL if the name is unqualified */
    char *table;
    int line;          /* of the section's head */
    int kind;          /* ConfKind */
    char *tenant_from; /* "order_id -> orders(order_id)"; NULL */
    int method;        /* ConfMethod */
    int on_unknown;    /* ConfOnUnknown; AUTO: as [tenant] says */
    int reads;         /* ConfTableReads; AUTO: as [tenant] says */
    bool hide_tenant_column;
    int source_line[SETTING_MAX]; /* as in Config */
} TableConfig;

/* One [user …] or [application …] section. */
typedef struct ClientConfig {
    char *written; /* the name as the section has it */
    char *name;    /* unquoted; a role's is folded, an application's is not */
    bool prefix;   /* an application's: it ended in *, and stands for all names that begin so */
    int line;      /* of the section's head */
    Modes modes;
    int source_line[SETTING_MAX]; /* as in Config */
} ClientConfig;

typedef struct ClientConfigs {
    ClientConfig *items;
    int n;
} ClientConfigs;

typedef struct Config {
    char *path; /* of the file, "-" for stdin */

    /* [proxy] */
    char *listen;          /* "host:port, [::1]:port, *:port" */
    char *unix_socket_dir; /* NULL: no Unix socket; the file is .s.PGSQL.<port of the first listen> in it */
    int unix_socket_mode;  /* octal */
    char *coordinator;     /* libpq keywords, checked: no user, password or dbname */
    int workers;           /* 0: one per processor */
    int auth;              /* AuthMode */
    int client_tls;        /* ClientTls */
    char *client_tls_cert; /* PEM files */
    char *client_tls_key;
    bool clients_disable_channel_binding;
    int max_clients;
    int max_login_clients;       /* clients that are not authenticated yet */
    int login_timeout;           /* ms, 0: none */
    int idle_timeout;            /* ms, 0: none */
    int64_t max_statement_bytes; /* a longer one is refused */
    int64_t parse_bytes;         /* a longer one is passed unparsed */
    int parse_depth;
    int drain_timeout;    /* ms */
    int cache_statements; /* per worker */
    char *admin_users; /* comma-separated roles that may use the console; NULL: none but the socket's owner */
    int log_level;     /* LogLevel */

    /* [control] */
    char *control_conninfo; /* NULL: no catalog, everything is passed through */
    int catalog_refresh;    /* ms between periodic loads */
    int hold_timeout;       /* ms: how long a statement waits for the lease before it is refused */
    int lease;              /* ms: how long a proxy that is cut off may go on rewriting */

    /* [tenant] */
    char *tenant_table;  /* as written in SQL: see config_table_name; NULL */
    int on_unknown;      /* ConfOnUnknown */
    int reads;           /* ConfReads */
    int tenant_cache;    /* most parents whose tenant is remembered; 0: none */
    char *tenant_column; /* folded and unquoted; NULL: the tenant table's primary key */

    /* [migration] */
    int batch_duration;      /* ms */
    int max_replication_lag; /* ms; 0: none */
    int max_latency;         /* ms, of the proxies' statements; 0: none */
    int lock_hold;           /* ms that proxies hold new transactions for a lock; 0: not at all */
    int driver;              /* ConfDriver: who runs the batches of the backfill */
    bool trigger;            /* one fills the tenant column for writers that bypass the proxies */
    char *coordinator_host;  /* "host:port" as the workers reach it; NULL: as it is */
    char *workers_to_add;    /* "host:port, host:port"; NULL: none */
    int shard_count;         /* 0: Citus's own default */
    int blocking_rows;   /* a table of up to so many rows may be distributed at once, blocking its writers */
    bool rebalance;      /* at the end */
    int isolate_tenants; /* so many of the largest tenants get a shard of their own at the end */

    /* [audit] */
    bool audit_enabled;
    Modes modes;                /* none unset */
    char *audit_log;            /* file; NULL: none */
    int audit_fingerprints;     /* most entries kept in memory per worker */
    int64_t audit_sample_bytes; /* sample texts are cut to this */
    bool audit_redact;          /* samples and log show the shape, not the literals */

    TableConfig *tables;
    int ntables;
    ClientConfigs users;
    ClientConfigs applications;
    AllowConfig *allowed; /* section [allow], in the order of the file */
    int nallowed;

    /* Per setting: where its value came from, by index in the settings table. 0: the default, else a line. */
    int source_line[SETTING_MAX];
} Config;

/* What a command needs of the file; the rest may be missing. */
typedef enum ConfigUse {
    CONFIG_FOR_PROXY,   /* [proxy] listen, coordinator; [control] conninfo where [tenant] is there */
    CONFIG_FOR_MIGRATE, /* [control] conninfo, [tenant] table */
    CONFIG_FOR_PLAN,    /* [control] conninfo: where [tenant] table is missing, it is suggested */
    CONFIG_FOR_LINT,    /* [tenant] table */
    CONFIG_FOR_CHECK,   /* checks what is there */
} ConfigUse;

/* Reads and checks a file ("-": stdin). NULL with `err` (F0000), whose message starts with "FILE:LINE: "
 * where a line is at fault and names the setting, what is wrong, and (hint) what is allowed. */
Config *config_load(const char *path, ConfigUse use, Error *err) MUST_USE;
/* The same from memory; `name` stands for the file in messages. */
Config *config_parse(const char *name, const char *text, ConfigUse use, Error *err) MUST_USE;
void config_free(Config *config); /* NULL is permitted */

/* The current value as text, as it could stand in the file; "" for one that is not set. Passwords are shown
 * as
 * "***". Not for sections with names. Caller frees. */
char *config_show(const Config *config, const Setting *setting) MUST_USE;
/* The same for the settings of section "table", and of "user" and "application". */
char *config_show_table(const TableConfig *table, const Setting *setting) MUST_USE;
char *config_show_client(const ClientConfig *client, const Setting *setting) MUST_USE;

/* What holds for a session: the application's mode where it has one, else the user's, else that of [audit].
 * Both names may be NULL. */
Modes config_modes(const Config *config, const char *user, const char *application) MUST_USE;

/* Gives `config` the value, and its source, that `from` has for a setting (of no section with names). */
void config_keep(Config *config, const Config *from, const Setting *setting);

/* Splits a comma-separated setting; spaces around items are dropped. The items live in one allocation that
 * the caller frees with free(result). The list ends with NULL. */
char **config_split(const char *list) MUST_USE;

/* Splits a table's name as written in SQL ("Sales"."Notes", archive.orders, orders) into folded, unquoted
 * parts, each to be freed; *schema is NULL if there is none. */
MUST_USE bool config_table_name(const char *written, char **schema, char **table, Error *err);

/* Reads one identifier as written in SQL, unquoted; it is folded only if `fold`. Caller frees. */
MUST_USE bool config_identifier(const char *written, bool fold, char **name, Error *err);

/* Splits an item of `listen`: "host:port", "[::1]:port", "*:port". The host comes without brackets; caller
 * frees. */
MUST_USE bool config_address(const char *text, char **host, int *port, Error *err);

#endif
