/* The rows of the settings table. */
#include "conf/settings.h"

#include <string.h>

#include "conf/config.h"

#define KB INT64_C(1024)
#define MB (1024 * KB)
#define SECOND INT64_C(1000)
#define HOUR (3600 * SECOND)
#define LONGEST_TIME INT64_C(2147483000) /* whole seconds in an int of milliseconds */

/* MaxAllocSize - 1: the longest message that a PostgreSQL server takes. */
#define SERVER_MESSAGE_MAX INT64_C(0x3ffffffe)

static const char *const auth_choices[] = {"passthrough", NULL};
static const char *const client_tls_choices[] = {"disable", "allow", "require", NULL};
static const char *const log_level_choices[] = {"error", "warning", "info", "debug", NULL};
static const char *const kind_choices[] = {"auto", "distributed", "backfill", "reference", "local", NULL};
static const char *const on_unknown_choices[] = {"auto", "pass", "refuse", NULL};
static const char *const reads_choices[] = {"off", "join", "join, filter", NULL};
static const char *const table_reads_choices[] = {"auto", "off", "join", "join, filter", NULL};
static const char *const driver_choices[] = {"runner", "pg_cron", NULL};
static const char *const method_choices[] = {"auto", "concurrently", "blocking", NULL};

/* clang-format off */
#define AT(field) .offset = offsetof(Config, field)
#define IN_TABLE(field) .offset = offsetof(TableConfig, field)
#define IN_CLIENT(field) .offset = offsetof(ClientConfig, field)

const Setting settings_table[] = {
    {.section = "proxy", .name = "listen", .type = SETTING_STRING, AT(listen),
     .help = "The addresses to listen on, separated by commas: host:port, [IPv6 address]:port, or *:port for all "
             "addresses of the machine."},
    {.section = "proxy", .name = "unix_socket_dir", .type = SETTING_STRING, AT(unix_socket_dir),
     .help = "The directory of the Unix socket, which is named .s.PGSQL.PORT with the port of the first address in "
             "listen. Without it there is no Unix socket."},
    {.section = "proxy", .name = "unix_socket_mode", .type = SETTING_OCTAL, AT(unix_socket_mode),
     .min = 0, .max = 0777, .default_text = "0777",
     .help = "The permissions of the Unix socket, in octal."},
    {.section = "proxy", .name = "coordinator", .type = SETTING_STRING, AT(coordinator), .reloadable = true,
     .help = "The server that clients are connected to, as libpq keywords: host, hostaddr, port, sslmode, sslrootcert, "
             "sslcert, sslkey, sslcrl, connect_timeout, keepalives and its companions. Role, password and database come "
             "from each client. sslmode is prefer where it is not given, as in libpq."},
    {.section = "proxy", .name = "workers", .type = SETTING_INT, AT(workers), .min = 0, .max = 256, .default_text = "0",
     .help = "The number of worker threads; 0 stands for one per processor."},
    {.section = "proxy", .name = "auth", .type = SETTING_ENUM, AT(auth), .choices = auth_choices,
     .default_text = "passthrough",
     .help = "How clients are authenticated. passthrough: the server does it and the messages are relayed, so that no "
             "application's password is kept here."},
    {.section = "proxy", .name = "client_tls", .type = SETTING_ENUM, AT(client_tls), .choices = client_tls_choices,
     .default_text = "disable", .reloadable = true,
     .help = "TLS between clients and the proxy. allow: the client chooses; require: clients without it are refused. Both "
             "need client_tls_cert and client_tls_key."},
    {.section = "proxy", .name = "client_tls_cert", .type = SETTING_STRING, AT(client_tls_cert), .reloadable = true,
     .help = "A PEM file with the certificate shown to clients, followed by its intermediate certificates."},
    {.section = "proxy", .name = "client_tls_key", .type = SETTING_STRING, AT(client_tls_key), .reloadable = true,
     .help = "A PEM file with the private key of client_tls_cert."},
    {.section = "proxy", .name = "clients_disable_channel_binding", .type = SETTING_BOOL,
     AT(clients_disable_channel_binding), .default_text = "off", .reloadable = true,
     .help = "States that every client that uses TLS connects with channel_binding=disable, or never authenticates by "
             "SCRAM. Only then can both connections use TLS while authentication is passed through."},
    {.section = "proxy", .name = "max_clients", .type = SETTING_INT, AT(max_clients), .min = 1, .max = 1000000,
     .default_text = "5000", .reloadable = true,
     .help = "The most client connections at a time; each has a server connection of its own."},
    {.section = "proxy", .name = "max_login_clients", .type = SETTING_INT, AT(max_login_clients), .min = 1, .max = 1000000,
     .default_text = "500", .reloadable = true,
     .help = "The most client connections at a time that are not authenticated yet."},
    {.section = "proxy", .name = "login_timeout", .type = SETTING_TIME, AT(login_timeout), .min = 0, .max = HOUR,
     .default_text = "1min", .unit = "s", .reloadable = true,
     .help = "How long a client may take from its connection to the end of its authentication; 0 stands for no limit."},
    {.section = "proxy", .name = "idle_timeout", .type = SETTING_TIME, AT(idle_timeout), .min = 0, .max = LONGEST_TIME,
     .default_text = "0", .unit = "s", .reloadable = true,
     .help = "How long a client may be silent outside of a transaction before it is disconnected; 0 stands for no limit."},
    {.section = "proxy", .name = "max_statement_bytes", .type = SETTING_BYTES, AT(max_statement_bytes),
     .min = KB, .max = SERVER_MESSAGE_MAX, .default_text = "1073741822B", .unit = "B", .reloadable = true,
     .help = "A longer statement is refused. The default is the longest message that a PostgreSQL server takes."},
    {.section = "proxy", .name = "parse_bytes", .type = SETTING_BYTES, AT(parse_bytes), .min = KB, .max = 4 * MB,
     .default_text = "1MB", .unit = "B",
     .help = "A longer statement is passed on unparsed: neither rewritten nor judged, and audited as unparsed."},
    {.section = "proxy", .name = "parse_depth", .type = SETTING_INT, AT(parse_depth), .min = 10, .max = 4000,
     .default_text = "2000",
     .help = "A statement nested more deeply than this, or with a longer chain of operators, is passed on unparsed."},
    {.section = "proxy", .name = "drain_timeout", .type = SETTING_TIME, AT(drain_timeout), .min = 0, .max = 24 * HOUR,
     .default_text = "30s", .unit = "s", .reloadable = true,
     .help = "How long transactions may go on after SIGTERM before their connections are closed."},
    {.section = "proxy", .name = "cache_statements", .type = SETTING_INT, AT(cache_statements), .min = 1, .max = 1000000,
     .default_text = "10000",
     .help = "The most statements whose parse and decision each worker keeps."},
    {.section = "proxy", .name = "admin_users", .type = SETTING_STRING, AT(admin_users), .reloadable = true,
     .help = "The roles that may use the console (database shardferry), separated by commas. Without it only the proxy's "
             "own operating-system user may, over the Unix socket."},
    {.section = "proxy", .name = "log_level", .type = SETTING_ENUM, AT(log_level), .choices = log_level_choices,
     .default_text = "info", .reloadable = true,
     .help = "The least important messages that are logged."},

    {.section = "control", .name = "conninfo", .type = SETTING_STRING, AT(control_conninfo),
     .help = "The connection on which shardferry reads the catalog and migrates, as libpq keywords or a URI. libpq's "
             "environment variables and password file apply. Without it every statement is passed on as it is."},
    {.section = "control", .name = "catalog_refresh", .type = SETTING_TIME, AT(catalog_refresh), .min = SECOND,
     .max = HOUR, .default_text = "30s", .unit = "s", .reloadable = true,
     .help = "How often the catalog is read again even if nothing is known to have changed."},
    {.section = "control", .name = "lease", .type = SETTING_TIME, AT(lease), .min = SECOND, .max = 10 * 60 * SECOND,
     .default_text = "10s", .unit = "s",
     .help = "How long a proxy that has lost the control connection may go on writing to tables under migration. A "
             "migration step waits as long for a proxy that does not answer."},
    {.section = "control", .name = "hold_timeout", .type = SETTING_TIME, AT(hold_timeout), .min = 0, .max = 10 * 60 * SECOND,
     .default_text = "5s", .unit = "s", .reloadable = true,
     .help = "How long a statement that writes to a table under migration is held while the proxy has lost its lease, "
             "before it is refused."},

    {.section = "tenant", .name = "table", .type = SETTING_STRING, AT(tenant_table), .reloadable = true,
     .help = "The table of the tenants, written as in SQL; its primary key is the tenant's id."},
    {.section = "tenant", .name = "column", .type = SETTING_NAME, AT(tenant_column), .reloadable = true,
     .help = "The name of the tenant column in all other tables, written as in SQL: the future distribution column. "
             "Without it, the name of the tenant table's primary key."},
    {.section = "tenant", .name = "on_unknown", .type = SETTING_ENUM, AT(on_unknown), .choices = on_unknown_choices,
     .default_text = "auto", .reloadable = true,
     .help = "What becomes of a write into a table under migration whose tenant cannot be found out. pass: it is sent as it "
             "is, and audited; refuse: the client gets an error that names the table; auto: passed until the table is "
             "keyed, refused from then on."},
    {.section = "tenant", .name = "reads", .type = SETTING_ENUM, AT(reads), .choices = reads_choices,
     .default_text = "off", .reloadable = true,
     .help = "What is added to statements that read. join: where tenant tables are joined on the columns of a foreign key "
             "that holds the tenant, the equality of their tenants, which follows from it; the result stays the same. "
             "filter: where the session's tenant is known, its value, to each table that the statement gives none: rows of "
             "other tenants are not seen, changed or deleted any more. What is not certain is left as it is."},
    {.section = "tenant", .name = "cache", .type = SETTING_INT, AT(tenant_cache), .min = 0, .max = 100000000,
     .default_text = "1000000",
     .help = "The most parent rows whose tenant the proxy remembers, so that it need not be looked up; 0 stands for none. "
             "About 100 bytes each."},

    {.section = "migration", .name = "batch_duration", .type = SETTING_TIME, AT(batch_duration), .min = 1, .max = 10 * SECOND,
     .default_text = "75ms", .unit = "ms",
     .help = "How long a batch of the backfill should take: the number of its rows is adapted to that. Others wait for a "
             "row of a batch no longer than this."},
    {.section = "migration", .name = "max_replication_lag", .type = SETTING_TIME, AT(max_replication_lag), .min = 0,
     .max = HOUR, .default_text = "10s", .unit = "s",
     .help = "The backfill pauses while a standby is further behind than this; 0 stands for no limit."},
    {.section = "migration", .name = "max_latency", .type = SETTING_TIME, AT(max_latency), .min = 0, .max = 60 * SECOND,
     .default_text = "250ms", .unit = "ms",
     .help = "The backfill pauses while the statements that come through the proxies take longer than this on average; 0 "
             "stands for no limit."},
    {.section = "migration", .name = "lock_hold", .type = SETTING_TIME, AT(lock_hold), .min = 0, .max = 10 * SECOND,
     .default_text = "500ms", .unit = "ms",
     .help = "How long the proxies may hold new transactions on a table while the migration tries for a lock on it, which "
             "it then gets at once; 0 stands for not at all."},
    {.section = "migration", .name = "driver", .type = SETTING_ENUM, AT(driver), .choices = driver_choices,
     .default_text = "runner",
     .help = "Who runs the batches of the backfill. runner: shardferry migrate itself; pg_cron: jobs of the extension pg_cron, "
             "which go on when shardferry migrate has ended."},
    {.section = "migration", .name = "trigger", .type = SETTING_BOOL, AT(trigger), .default_text = "off",
     .help = "Whether a trigger fills the tenant column for writers that do not come through a proxy, from stage derive "
             "until stage resolve."},
    {.section = "migration", .name = "coordinator_host", .type = SETTING_STRING, AT(coordinator_host),
     .help = "The coordinator's address as the workers reach it, host:port. Without it, what Citus knows stays as it is."},
    {.section = "migration", .name = "workers", .type = SETTING_STRING, AT(workers_to_add),
     .help = "The workers that the cluster should have, host:port, separated by commas: those that it lacks are added. "
             "Without it the cluster stays as it is."},
    {.section = "migration", .name = "shard_count", .type = SETTING_INT, AT(shard_count), .min = 0, .max = 64000,
     .default_text = "0",
     .help = "The number of shards of a distributed table; 0 stands for citus.shard_count."},
    {.section = "migration", .name = "blocking_rows", .type = SETTING_INT, AT(blocking_rows), .min = 0,
     .max = INT32_MAX, .default_text = "100000",
     .help = "Tables of up to so many rows that are rarely written are distributed at once, while their writers wait; all "
             "others concurrently. A [table …] section's method overrides it."},
    {.section = "migration", .name = "rebalance", .type = SETTING_BOOL, AT(rebalance), .default_text = "off",
     .help = "Whether the shards are rebalanced over the workers at the end."},
    {.section = "migration", .name = "isolate_tenants", .type = SETTING_INT, AT(isolate_tenants), .min = 0, .max = 100,
     .default_text = "0",
     .help = "So many of the largest tenants get a shard of their own at the end."},

    {.section = "audit", .name = "enabled", .type = SETTING_BOOL, AT(audit_enabled), .default_text = "on",
     .reloadable = true,
     .help = "Whether statements are counted and logged. Their modes hold either way."},
    {.section = "audit", .name = "mode", .type = SETTING_MODES, AT(modes), .default_text = "log", .reloadable = true,
     .help = "What becomes of statements that are not scoped to one tenant (multi-tenant), would be refused by Citus "
             "(refused; as multi-tenant where it is not named), cannot be judged by their text (opaque) or cannot be read "
             "(unparsed). log: the audit alone knows; notice: the client gets a warning, once in a session for each "
             "shape; block: it gets an error, and the statement is not executed. One mode for all, exceptions behind it: "
             "log, multi-tenant: block."},
    {.section = "audit", .name = "log", .type = SETTING_STRING, AT(audit_log),
     .help = "The file of the audit log, one JSON object a line; SIGHUP opens it anew. Without it there is no log."},
    {.section = "audit", .name = "fingerprints", .type = SETTING_INT, AT(audit_fingerprints), .min = 1, .max = 1000000,
     .default_text = "10000",
     .help = "The most kinds of statement that each worker counts."},
    {.section = "audit", .name = "sample_bytes", .type = SETTING_BYTES, AT(audit_sample_bytes), .min = 0, .max = MB,
     .default_text = "2kB", .unit = "B", .reloadable = true,
     .help = "Sample statements are cut to this length."},
    {.section = "audit", .name = "redact", .type = SETTING_BOOL, AT(audit_redact), .default_text = "off",
     .reloadable = true,
     .help = "Whether samples and the audit log show $1, $2, … in place of literals."},

    {.section = "user", .name = "mode", .type = SETTING_MODES, IN_CLIENT(modes), .reloadable = true,
     .help = "As in [audit], for sessions of this role; what it does not name is as [audit] says."},

    {.section = "application", .name = "mode", .type = SETTING_MODES, IN_CLIENT(modes), .reloadable = true,
     .help = "As in [audit], for sessions of this application_name; what it does not name is as [user …] says, or else "
             "[audit]. The client chooses its application_name: this is no protection against it."},

    {.section = "table", .name = "kind", .type = SETTING_ENUM, IN_TABLE(kind), .choices = kind_choices,
     .default_text = "auto", .reloadable = true,
     .help = "What the table becomes. distributed: it has the tenant column; backfill: it reaches a tenant through "
             "foreign keys and gets the column; reference: a copy on every node; local: stays on the coordinator; auto: "
             "inferred from the catalog."},
    {.section = "table", .name = "tenant_from", .type = SETTING_STRING, IN_TABLE(tenant_from), .reloadable = true,
     .help = "The step towards the tenant where it cannot be inferred: column -> table(column)."},
    {.section = "table", .name = "method", .type = SETTING_ENUM, IN_TABLE(method), .choices = method_choices,
     .default_text = "auto", .reloadable = true,
     .help = "How the table is distributed. concurrently: its writers go on; blocking: faster, writers wait."},
    {.section = "table", .name = "on_unknown", .type = SETTING_ENUM, IN_TABLE(on_unknown), .choices = on_unknown_choices,
     .default_text = "auto", .reloadable = true,
     .help = "As in [tenant], for this table; auto: what [tenant] says."},
    {.section = "table", .name = "reads", .type = SETTING_ENUM, IN_TABLE(reads), .choices = table_reads_choices,
     .default_text = "auto", .reloadable = true,
     .help = "As in [tenant], for this table; auto: what [tenant] says. To a join, both of its tables must allow it."},
    {.section = "table", .name = "hide_tenant_column", .type = SETTING_BOOL, IN_TABLE(hide_tenant_column),
     .default_text = "off", .reloadable = true,
     .help = "Whether SELECT *, RETURNING * and TABLE show the columns without the tenant column, for applications that "
             "read columns by position."},
};
/* clang-format on */

const int settings_count = ARRAY_LEN(settings_table);
_Static_assert(ARRAY_LEN(settings_table) <= SETTING_MAX, "SETTING_MAX is too small");

bool settings_is_named(const Setting *setting) {
    return strcmp(setting->section, "table") == 0 || strcmp(setting->section, "user") == 0 ||
           strcmp(setting->section, "application") == 0;
}

const Setting *settings_find(const char *section, const char *name) {
    for (int i = 0; i < settings_count; i++)
        if (strcmp(settings_table[i].section, section) == 0 && strcmp(settings_table[i].name, name) == 0)
            return &settings_table[i];
    return NULL;
}
