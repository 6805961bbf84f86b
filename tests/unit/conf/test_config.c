/* Configuration files as text: what is wrong with them, or what they amount to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/check.h"
#include "conf/config.h"
#include "conf/reference.h"

#define PROXY "[proxy]\nlisten = 127.0.0.1:6432\ncoordinator = host=db\n"

/* For text that must be refused: the whole message, and what the hint must contain. */
static const struct {
    const char *text, *message, *hint;
} refused[] = {
    /* Lines. */
    {"nonsense\n", "f:1: neither a section, nor a setting, nor a comment", "name = value"},
    {"[proxy]\nworkers = 1\nworkers\nworkers = x\n", "f:3: neither a section, nor a setting, nor a comment",
     "name"},
    {"= 1\n", "f:1: setting \"\" stands before the first section", "[proxy]"},
    {"workers = 1\n[proxy]\n", "f:1: setting \"workers\" stands before the first section", "[proxy]"},
    {"[proxy\nworkers = 1\n", "f:1: a section's name is not closed", "alone in a line"},
    {"[proxy] workers = 1\n", "f:1: something follows the section's closing bracket", "comment"},
    {"[proxy]\nlisten = \xff\n", "f:2: the line is not valid UTF-8", ""},
    {"\n\r\n[proxy]\r\nworkers = -1\r\n", "f:4: setting \"workers\": \"-1\" is not a whole number",
     "0 to 256"},
    /* Sections. */
    {"[]\n", "f:1: unknown section []", "[table NAME]"},
    {"[porxy]\n", "f:1: unknown section [porxy]", "Did you mean [proxy]?"},
    {"[tables orders]\n", "f:1: unknown section [tables orders]", "[table NAME]"},
    {"[proxy x]\n", "f:1: unknown section [proxy x]", ""},
    {"[somewhere.else.entirely]\n", "f:1: unknown section [somewhere.else.entirely]", "allowed: [proxy]"},
    {"[table]\n", "f:1: section [table] names no table", "[table orders]"},
    {"[table a.b.c]\n",
     "f:1: section [table a.b.c]: a.b.c is not a name as SQL writes it: it has more than two parts",
     "archive.orders"},
    {"[table \"a]\n", "f:1: a section's name is not closed", ""},
    {"[table a b]\n",
     "f:1: section [table a b]: a b is not a name as SQL writes it: something follows the name; other "
     "characters than "
     "letters, digits, _ and $ need double quotes",
     ""},
    {"[tenant]\ntable = t\n[table Orders]\n[table orders]\n",
     "f:4: section [table orders] is there twice: the first is in line 3", "Merge"},
    {"[user]\n", "f:1: section [user] has no name", "[user reporting]"},
    {"[application ]\n", "f:1: section [application] has no name", "[application \"Nightly Report\"]"},
    {"[user a.b]\n",
     "f:1: section [user a.b]: a.b is not a name as SQL writes it: something follows the name; other "
     "characters than "
     "letters, digits, _ and $ need double quotes",
     "[user reporting]"},
    {"[application Web App]\n",
     "f:1: section [application Web App]: Web App is not a name as SQL writes it: something follows the "
     "name; other "
     "characters than letters, digits, _ and $ need double quotes",
     "Nightly Report"},
    {"[user Ada]\n[user ada]\n", "f:2: section [user ada] is there twice: the first is in line 1", "Merge"},
    {"[application \"a*\"]\n[application a]\n[application \"a*\"]\n",
     "f:3: section [application \"a*\"] is there twice: the first is in line 1", "Merge"},
    {"[user ada]\nkind = local\n", "f:2: there is no setting \"kind\" in section [user]", "[table NAME]"},
    {"[applications x]\n", "f:1: unknown section [applications x]", "Did you mean [application NAME]?"},
    {"[allow x]\n", "f:1: unknown section [allow x]", ""},
    {"[allow]\nmode = block\n", "f:2: \"mode\" is not a statement's fingerprint", "16 hexadecimal digits"},
    {"[allow]\n50fde20626009aba =\n", "f:2: statement 50fde20626009aba: \"\" does not begin with a time",
     "forever"},
    {"[allow]\n50fde20626009aba = until then\n",
     "f:2: statement 50fde20626009aba: \"until then\" does not begin with a time", "2027-01-01"},
    {"[allow]\n50fde20626009aba = forever\n50FDE20626009ABA = forever\n",
     "f:3: statement 50FDE20626009ABA is there twice: the first is in line 2", "Remove"},
    {"[audit]\nmode = log, loud\n", "f:2: setting \"mode\": \"loud\" is no mode", "block"},
    {"[audit]\nmode =\n", "f:2: setting \"mode\": the value is missing", "notice"},
    {"[tenant]\ntable = t\n[table \"S\".a]\n[table \"S\".\"a\"]\n",
     "f:4: section [table \"S\".\"a\"] is there twice: the first is in line 3", "Merge"},
    /* Settings. */
    {"[proxy]\nlisen = *:1\n", "f:2: there is no setting \"lisen\" in section [proxy]",
     "Did you mean \"listen\"?"},
    {"[proxy]\nLISTEN = *:1\n", "f:2: there is no setting \"LISTEN\" in section [proxy]", "\"listen\"?"},
    {"[proxy]\nconninfo = host=x\n", "f:2: there is no setting \"conninfo\" in section [proxy]",
     "section [control]"},
    {"[proxy]\nkind = local\n", "f:2: there is no setting \"kind\" in section [proxy]", "[table NAME]"},
    {"[proxy]\nfoobarbazqux = 1\n", "f:2: there is no setting \"foobarbazqux\" in section [proxy]",
     "--reference"},
    {"[proxy]\nworkers = 1\n[audit]\n[proxy]\nworkers = 1\n",
     "f:5: setting \"workers\" is there twice: the first is in line 2", "Remove"},
    {"[tenant]\ntable = t\n[table a]\nkind = local\nkind = local\n",
     "f:5: setting \"kind\" is there twice: the first is in line 4", "Remove"},
    /* Values. */
    {"[proxy]\nworkers = 257\n", "f:2: setting \"workers\": 257 is out of range", "0 to 256"},
    {"[proxy]\nworkers = 2 threads\n",
     "f:2: setting \"workers\": \"2 threads\" is not understood: something follows the number", "0 to 256"},
    {"[proxy]\nworkers =\n", "f:2: setting \"workers\": the value is missing", "0 to 256"},
    {"[proxy]\nworkers = ; none\n", "f:2: setting \"workers\": the value is missing", "0 to 256"},
    {"[proxy]\nworkers = 99999999999999999999999\n",
     "f:2: setting \"workers\": 99999999999999999999999 is out of range", "0 to 256"},
    {"[proxy]\nmax_clients = 0\n", "f:2: setting \"max_clients\": 0 is out of range", "1 to 1000000"},
    {"[proxy]\nlogin_timeout = 5 weeks\n",
     "f:2: setting \"login_timeout\": \"5 weeks\" is not understood: there is no such unit", "ms, s, min, h"},
    {"[proxy]\nlogin_timeout = 9223372036854775807h\n",
     "f:2: setting \"login_timeout\": 9223372036854775807h is out of range", "0 to 1h"},
    {"[proxy]\nlogin_timeout = soon\n", "f:2: setting \"login_timeout\": \"soon\" is not a time", "0 to 1h"},
    {"[proxy]\nmax_statement_bytes = 1GB\n", "f:2: setting \"max_statement_bytes\": 1GB is out of range",
     "1kB to 1073741822B (units: B, kB, MB, GB)"},
    {"[proxy]\nparse_bytes = 5MB\n", "f:2: setting \"parse_bytes\": 5MB is out of range", "1kB to 4MB"},
    {"[proxy]\nparse_bytes = 1.5MB\n",
     "f:2: setting \"parse_bytes\": \"1.5MB\" is not understood: there is no such unit", "1kB to 4MB"},
    {"[proxy]\nparse_depth = 4001\n", "f:2: setting \"parse_depth\": 4001 is out of range", "10 to 4000"},
    {"[proxy]\nunix_socket_mode = 778\n",
     "f:2: setting \"unix_socket_mode\": \"778\" is not understood: something follows the number",
     "0000 to 0777"},
    {"[proxy]\nunix_socket_mode = 1777\n", "f:2: setting \"unix_socket_mode\": 1777 is out of range", "0777"},
    {"[proxy]\nunix_socket_mode = 9\n", "f:2: setting \"unix_socket_mode\": \"9\" is not an octal number",
     "0777"},
    {"[proxy]\nauth = scram\n", "f:2: setting \"auth\": \"scram\" is not one of its values",
     "allowed: passthrough"},
    {"[proxy]\nlog_level = loud\n", "f:2: setting \"log_level\": \"loud\" is not one of its values",
     "error, warning, info, debug"},
    {"[audit]\nredact = maybe\n", "f:2: setting \"redact\": \"maybe\" is neither on nor off", "on, off"},
    {"[tenant]\ntable = t\ncolumn = t.c\n", "f:3: setting \"column\": t.c is a qualified name",
     "leave the table out"},
    {"[tenant]\ntable = t\ncolumn = \"\"\n",
     "f:3: setting \"column\": \"\" is not a name as SQL writes it: a quoted identifier is empty",
     "store_id"},
    {"[tenant]\ntable = 1t\n",
     "f:2: setting \"table\" in section [tenant]: 1t is not a name as SQL writes it: an identifier was "
     "expected; other "
     "characters need double quotes",
     "orders"},
    {"[proxy]\nlisten = 6432\n",
     "f:2: setting \"listen\" in section [proxy]: 6432 is not an address: the port is missing", "*:port"},
    {"[proxy]\nlisten = a:1, ::1:6432\n",
     "f:2: setting \"listen\" in section [proxy]: ::1:6432 is not an address: an IPv6 address needs brackets",
     "[IPv6"},
    {"[proxy]\nlisten = :6432\n",
     "f:2: setting \"listen\" in section [proxy]: :6432 is not an address: the host is missing", ""},
    {"[proxy]\nlisten = a:65536\n",
     "f:2: setting \"listen\" in section [proxy]: a:65536 is not an address: the port is not a number from 1 "
     "to 65535",
     ""},
    {"[proxy]\nlisten = a:-1\n",
     "f:2: setting \"listen\" in section [proxy]: a:-1 is not an address: the port is not a number from 1 to "
     "65535",
     ""},
    {"[proxy]\nlisten = a:\n",
     "f:2: setting \"listen\" in section [proxy]: a: is not an address: the port is not a number from 1 to "
     "65535",
     ""},
    {"[proxy]\nlisten = a:1 b:2\n",
     "f:2: setting \"listen\" in section [proxy]: a:1 b:2 is not an address: a host has no spaces; a comma "
     "separates "
     "addresses",
     ""},
    {"[proxy]\nlisten = a:1,a:1\n", "f:2: setting \"listen\" in section [proxy]: a:1 is there twice",
     "Remove"},
    {"[proxy]\nlisten = ,\n", "f:2: setting \"listen\" in section [proxy]: there is no address in it",
     "host:port"},
    {"[proxy]\nunix_socket_dir = run\n",
     "f:2: setting \"unix_socket_dir\" in section [proxy]: the directory is not an absolute path", "/"},
    /* Connection strings. */
    {"[proxy]\ncoordinator = host=db user=app\n",
     "f:2: setting \"coordinator\" in section [proxy]: user has no place here: the role is the one that each "
     "client "
     "connects as",
     "[control] conninfo"},
    {"[proxy]\ncoordinator = host=db password=\n",
     "f:2: setting \"coordinator\" in section [proxy]: password has no place here: each client gives its own "
     "to the server; "
     "shardferry holds none",
     "Leave it out"},
    {"[proxy]\ncoordinator = postgresql://db/app\n",
     "f:2: setting \"coordinator\" in section [proxy]: dbname has no place here: the database is the one "
     "that each client "
     "asks for",
     "Leave it out"},
    {"[proxy]\ncoordinator = host=db application_name=x\n",
     "f:2: setting \"coordinator\" in section [proxy]: the keyword application_name has no effect here",
     "sslrootcert"},
    {"[proxy]\ncoordinator = hosst=db\n",
     "f:2: setting \"coordinator\" in section [proxy]: not a connection string: invalid connection option "
     "\"hosst\"",
     "keyword=value"},
    {"[proxy]\ncoordinator = db\n",
     "f:2: setting \"coordinator\" in section [proxy]: not a connection string: missing \"=\" after \"db\" "
     "in connection "
     "info string",
     "host="},
    {"[proxy]\ncoordinator = port=5432\n",
     "f:2: setting \"coordinator\" in section [proxy]: the host is missing", "/var/run/postgresql"},
    {"[proxy]\ncoordinator = host=a,b\n",
     "f:2: setting \"coordinator\" in section [proxy]: more than one host is given", "alone"},
    {"[proxy]\ncoordinator = host=a port=1,2\n",
     "f:2: setting \"coordinator\" in section [proxy]: port=1,2 is out of range", "one port"},
    {"[proxy]\ncoordinator = host=a port=70000\n",
     "f:2: setting \"coordinator\" in section [proxy]: port=70000 is out of range", "65535"},
    {"[proxy]\ncoordinator = hostaddr=db\n",
     "f:2: setting \"coordinator\" in section [proxy]: hostaddr=db is not a numeric address", "host"},
    {"[proxy]\ncoordinator = host=db sslmode=on\n",
     "f:2: setting \"coordinator\" in section [proxy]: sslmode=on is unknown", "verify-full"},
    {"[proxy]\ncoordinator = host=db connect_timeout=5s\n",
     "f:2: setting \"coordinator\" in section [proxy]: connect_timeout=5s is out of range", "whole number"},
    {"[control]\nconninfo = host=db dbname\n",
     "f:2: setting \"conninfo\" in section [control]: not a connection string: missing \"=\" after "
     "\"dbname\" in connection "
     "info string",
     ""},
    {"[control]\nconninfo = host=db replication=database\n",
     "f:2: setting \"conninfo\" in section [control]: replication has no place here: the catalog is read by "
     "SQL",
     ""},
    /* Tenants and tables. */
    {"[tenant]\ncolumn = c\n",
     "f:2: setting \"column\" in section [tenant]: it has no meaning without \"table\"", "table"},
    {"[table a]\n", "f:1: section [table a] has no meaning without \"table\" in section [tenant]",
     "[tenant]"},
    {"[tenant]\ntable = t\n[table a]\ntenant_from = orders\n",
     "f:4: setting \"tenant_from\" in section [table a]: \"orders\" names no step to another table", "->"},
    {"[tenant]\ntable = t\n[table a]\ntenant_from = a -> b(c)\nkind = local\n",
     "f:4: setting \"tenant_from\" in section [table a]: only a table of kind backfill takes its tenant from "
     "another one",
     "backfill"},
    {"[tenant]\ntable = t\n[table a]\nmethod = blocking\nkind = reference\n",
     "f:4: setting \"method\" in section [table a]: reference and local tables are not distributed", "kind"},
    /* TLS. */
    {"[proxy]\nclient_tls = require\n",
     "f:2: setting \"client_tls\" in section [proxy]: client_tls_cert is missing", "need both"},
    {"[proxy]\nclient_tls = allow\nclient_tls_cert = /dev/null\n",
     "f:2: setting \"client_tls\" in section [proxy]: client_tls_key is missing", "need both"},
    {"[proxy]\nclient_tls = allow\nclient_tls_cert = /\n",
     "f:3: setting \"client_tls_cert\" in section [proxy]: / is a directory", "PEM"},
    {"[proxy]\nclient_tls = allow\nclient_tls_cert = /nowhere/x\n",
     "f:3: setting \"client_tls_cert\" in section [proxy]: could not read /nowhere/x: No such file or "
     "directory",
     "readable"},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        Error err = {0};
        Config *config = config_parse("f", refused[i].text, CONFIG_FOR_CHECK, &err);

        if (config)
            fail_msg("accepted: %s", refused[i].text);
        assert_string_equal(err.message, refused[i].message);
        assert_string_equal(err.sqlstate, SQLSTATE_CONFIG_FILE_ERROR);
        if (!strstr(err.hint, refused[i].hint))
            fail_msg("%s: the hint is: %s", err.message, err.hint);
    }
}

/* Every beginning and every single damaged byte of a file is accepted or refused with a message. */
static void test_damaged(void **state) {
    static const char whole[] =
        "\xEF\xBB\xBF[proxy] ; c\nlisten = [::1]:6432, *:1\ncoordinator=host='a b' port=1\n"
        "login_timeout: 5 s\n[tenant]\ntable = \"S\".\"T\"\"t\"\n[table \"x]\".y]\nkind = local\n"
        "[user \"A b\"]\nmode = log, opaque: block\n[allow]\n50fde20626009aba = 2027-01-01 12:00+02:00 why\n";
    static const char damage[] = "[]\"=;\n .'\\\x80";

    (void)state;
    for (size_t len = 0; len < sizeof(whole); len++)
        for (size_t d = 0; d < sizeof(damage); d++) {
            char *text = mem_strdup(whole);
            Error err = {0};
            Config *config;

            text[len] = damage[d];
            if (len < sizeof(whole) - 1 || !damage[d]) {
                config = config_parse("f", text, CONFIG_FOR_CHECK, &err);
                assert_true(config || (err.message[0] && !err.sqlstate[5]));
                config_free(config);
            }
            free(text);
        }
}

static void test_required(void **state) {
    static const struct {
        const char *text;
        ConfigUse use;
        const char *message; /* NULL: accepted */
    } cases[] = {
        {"", CONFIG_FOR_CHECK, NULL},
        {"", CONFIG_FOR_PROXY, "f: setting \"listen\" in section [proxy]: it is missing"},
        {"[proxy]\nlisten =\n", CONFIG_FOR_PROXY,
         "f:2: setting \"listen\" in section [proxy]: it is missing"},
        {"[proxy]\nlisten = *:1\n", CONFIG_FOR_PROXY,
         "f: setting \"coordinator\" in section [proxy]: it is missing"},
        {PROXY, CONFIG_FOR_PROXY, NULL},
        {PROXY "[tenant]\ntable = t\n", CONFIG_FOR_PROXY,
         "f: setting \"conninfo\" in section [control]: it is missing"},
        {PROXY, CONFIG_FOR_MIGRATE, "f: setting \"conninfo\" in section [control]: it is missing"},
        {"[control]\nconninfo = dbname=app\n", CONFIG_FOR_MIGRATE,
         "f: setting \"table\" in section [tenant]: it is missing"},
        {"[control]\nconninfo = dbname=app\n[tenant]\ntable = t\n", CONFIG_FOR_MIGRATE, NULL},
        {PROXY, CONFIG_FOR_PLAN, "f: setting \"conninfo\" in section [control]: it is missing"},
        {"[control]\nconninfo = dbname=app\n", CONFIG_FOR_PLAN, NULL},
        {PROXY, CONFIG_FOR_LINT, "f: setting \"table\" in section [tenant]: it is missing"},
        {"[tenant]\ntable = t\n", CONFIG_FOR_LINT, NULL},
        /* The certificates of the machine that serves are not there where an application is tested. */
        {PROXY "client_tls = require\n[tenant]\ntable = t\n", CONFIG_FOR_LINT, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        Error err = {0};
        Config *config = config_parse("f", cases[i].text, cases[i].use, &err);

        if (cases[i].message)
            assert_string_equal(err.message, cases[i].message);
        else if (!config)
            fail_msg("%s: %s", cases[i].text, err.message);
        assert_int_equal(!config, cases[i].message != NULL);
        config_free(config);
    }
}

static Config *parsed(const char *text) {
    Error err;
    Config *config = config_parse("f", text, CONFIG_FOR_CHECK, &err);

    if (!config)
        fail_msg("%s", err.message);
    return config;
}

/* What is shown, and that reading what is shown gives the same. */
static void test_shown(void **state) {
    static const struct {
        const char *section, *name, *written, *shown;
    } cases[] = {
        {"proxy", "workers", "007", "7"},
        {"proxy", "login_timeout", "90000ms", "90s"},
        {"proxy", "login_timeout", "60", "1min"},
        {"proxy", "login_timeout", "60 S", "1min"},
        {"proxy", "login_timeout", "1500ms", "1500ms"},
        {"proxy", "idle_timeout", "0h", "0"},
        {"proxy", "idle_timeout", "24h", "24h"},
        {"proxy", "parse_bytes", "65536", "64kB"},
        {"proxy", "parse_bytes", "65537B ; comment", "65537B"},
        {"proxy", "unix_socket_mode", "660", "0660"},
        {"proxy", "unix_socket_mode", "0", "0000"},
        {"proxy", "log_level", "DEBUG", "debug"},
        {"proxy", "clients_disable_channel_binding", "Yes", "on"},
        {"proxy", "clients_disable_channel_binding", "0", "off"},
        {"proxy", "listen", "a:1 , [::1]:2 ;x", "a:1 , [::1]:2"},
        {"audit", "log", "/a;b = #c", "/a;b = #c"},
        {"proxy", "coordinator", "host=/var/run/postgresql ; socket", "host=/var/run/postgresql"},
        {"tenant", "column", "Store_ID", "store_id"},
        {"tenant", "column", "\"Store \"\"ID\"", "\"Store \"\"ID\""},
        {"tenant", "column", "\"plain\"", "plain"},
        {"tenant", "column", "", ""},
        {"control", "conninfo", "dbname=app password='it''s' user=u", NULL},
        {"control", "conninfo", "host=a dbname='my app' password=x", "password=*** dbname='my app' host=a"},
        {"control", "conninfo", "postgresql://u:secret@h/d", "user=u password=*** dbname=d host=h"},
        {"audit", "sample_bytes", "0", "0"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = mem_printf("[tenant]\ntable = t\n[%s]\n%s = %s\n", cases[i].section, cases[i].name,
                                cases[i].written);
        char *shown, *again, *text_again;
        Config *config;

        if (!cases[i].shown) { /* a quote within a quoted value is escaped, not doubled */
            Error err;

            assert_null(config_parse("f", text, CONFIG_FOR_CHECK, &err));
            free(text);
            continue;
        }
        config = parsed(text);
        shown = config_show(config, settings_find(cases[i].section, cases[i].name));
        assert_string_equal(shown, cases[i].shown);
        assert_int_equal(config->source_line[settings_find(cases[i].section, cases[i].name) - settings_table],
                         4);
        config_free(config);
        text_again = mem_printf("[tenant]\ntable = t\n[%s]\n%s = %s\n", cases[i].section, cases[i].name,
                                cases[i].shown);
        config = parsed(text_again);
        again = config_show(config, settings_find(cases[i].section, cases[i].name));
        assert_string_equal(again, shown);
        config_free(config);
        free(again);
        free(shown);
        free(text);
        free(text_again);
    }
}

static void test_defaults(void **state) {
    Config *config = parsed("");

    (void)state;
    assert_null(config->listen);
    assert_int_equal(config->unix_socket_mode, 0777);
    assert_int_equal(config->login_timeout, 60000);
    assert_int_equal(config->parse_bytes, 1024 * 1024);
    assert_true(config->max_statement_bytes == 0x3ffffffe);
    assert_int_equal(config->log_level, LOG_LEVEL_INFO);
    assert_int_equal(config->audit_sample_bytes, 2048);
    for (int i = 0; i < settings_count; i++)
        assert_int_equal(config->source_line[i], 0);
    config_free(config);
}

static void test_tables(void **state) {
    Config *config =
        parsed("\xEF\xBB\xBF[tenant]\n  table = Stores\n\n# x\n"
               "[table \"Sales\".\"Order]\"\"Notes\"] ; the notes\n\tkind = BACKFILL\n"
               "  tenant_from = order_id -> orders(order_id)\n[table archive . Orders]\nmethod=blocking\n"
               "[table a_name_of_more_than_fifty_characters.which_the_library_would_cut]");
    const TableConfig *t = config->tables;
    char *shown;

    (void)state;
    assert_int_equal(config->ntables, 3);
    assert_string_equal(t[0].written, "\"Sales\".\"Order]\"\"Notes\"");
    assert_string_equal(t[0].schema, "Sales");
    assert_string_equal(t[0].table, "Order]\"Notes");
    assert_int_equal(t[0].line, 5);
    assert_int_equal(t[0].kind, CONF_KIND_BACKFILL);
    assert_string_equal(t[0].tenant_from, "order_id -> orders(order_id)");
    assert_int_equal(t[0].source_line[settings_find("table", "tenant_from") - settings_table], 7);
    assert_int_equal(t[0].method, CONF_METHOD_UNSET);
    assert_string_equal(t[1].schema, "archive");
    assert_string_equal(t[1].table, "orders");
    assert_int_equal(t[1].kind, CONF_KIND_UNSET);
    assert_int_equal(t[1].method, CONF_METHOD_BLOCKING);
    assert_string_equal(t[2].table, "which_the_library_would_cut");
    shown = config_show_table(&t[1], settings_find("table", "kind"));
    assert_string_equal(shown, "auto");
    free(shown);
    config_free(config);
}

static void count(void *arg, const char *text) {
    assert_true(text[0] != '\0');
    ++*(int *)arg;
}

/* Which combinations of the two connections pass, and which with a word of warning. */
static void test_tls_legs(void **state) {
    static const struct {
        const char *client, *server;
        int result, with_statement; /* -1 refused, else warnings; the same where clients state not to bind */
    } cases[] = {
        {"disable", "host=db", 0, 0},
        {"disable", "host=db sslmode=verify-full", 0, 0},
        {"allow", "host=db", 1, 0},
        {"allow", "host=db sslmode=require", 1, 0},
        {"allow", "host=db sslmode=disable", 0, 0},
        {"require", "host=db sslmode=disable", 0, 0},
        {"require", "host=/var/run/postgresql sslmode=require", 0, 0},
        {"require", "host=db sslmode=allow", 1, 0},
        {"require", "host=db", -1, 0},
        {"require", "host=db sslmode=prefer", -1, 0},
        {"require", "host=db sslmode=require", -1, 0},
        {"require", "host=db sslmode=verify-ca", -1, 0},
        {"require", "host=db sslmode=verify-full", -1, 0},
        {"require", "host=/x hostaddr=127.0.0.1", -1, 0},
    };
    char file[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(file);

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        size_t n = i / 2;
        int expected = i % 2 ? cases[n].with_statement : cases[n].result, warnings = 0;
        char *named = strcmp(cases[n].client, "disable") != 0
                          ? mem_printf("client_tls_cert = %s\nclient_tls_key = %s\n", file, file)
                          : mem_strdup("");
        char *text =
            mem_printf("[proxy]\nclient_tls = %s\ncoordinator = %s\nclients_disable_channel_binding = %s\n%s",
                       cases[n].client, cases[n].server, i % 2 ? "on" : "off", named);
        Error err = {0};
        Config *config = config_parse("f", text, CONFIG_FOR_CHECK, &err);

        if (config)
            check_notices(config, count, &warnings);
        else
            assert_non_null(strstr(err.message, "f:3: setting \"coordinator\" in section [proxy]: SCRAM"));
        if ((config ? warnings : -1) != expected)
            fail_msg("%s: %d, not %d: %s", text, config ? warnings : -1, expected, err.message);
        config_free(config);
        free(named);
        free(text);
    }
    close(fd);
    unlink(file);
}

static void test_long_lines(void **state) {
    char *fits = mem_alloc(9000), *text;
    Config *config;
    Error err;

    (void)state;
    memset(fits, 'x', 8999);
    fits[8999] = '\0';
    text = mem_printf("[audit]\nlog = %s\n", fits);
    config = parsed(text);
    assert_string_equal(config->audit_log, fits);
    config_free(config);
    free(text);
    text = mem_printf("[audit]\nlog = %s%s\n", fits, fits);
    assert_null(config_parse("f", text, CONFIG_FOR_CHECK, &err));
    assert_non_null(strstr(err.message, "f:2: the line is longer than"));
    free(text);
    free(fits);
}

static void test_files(void **state) {
    char name[] = "/tmp/test_config_XXXXXX";
    int fd = mkstemp(name);
    Error err;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "[proxy]\0x", 9), 9);
    assert_null(config_load(name, CONFIG_FOR_CHECK, &err));
    assert_non_null(strstr(err.message, "NUL"));
    close(fd);
    unlink(name);
    assert_null(config_load(name, CONFIG_FOR_CHECK, &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_null(config_load("/tmp", CONFIG_FOR_CHECK, &err));
    assert_non_null(strstr(err.message, "Is a directory"));
}

static void test_reference(void **state) {
    char *reference = reference_markdown();
    char kept[65536];
    FILE *file = fopen("docs/settings.md", "r");
    size_t n;

    (void)state;
    assert_non_null(file);
    n = fread(kept, 1, sizeof(kept) - 1, file);
    kept[n] = '\0';
    fclose(file);
    assert_string_equal(kept, reference); /* else: shardferry config --reference > docs/settings.md */
    free(reference);
}

static void test_sample(void **state) {
    Error err = {0};
    Config *config = config_load("conf/shardferry.ini", CONFIG_FOR_PROXY, &err);

    (void)state;
    assert_string_equal(err.message, "");
    assert_string_equal(config->tenant_column, "store_id");
    config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_damaged),    cmocka_unit_test(test_required),
        cmocka_unit_test(test_shown),    cmocka_unit_test(test_defaults),   cmocka_unit_test(test_tables),
        cmocka_unit_test(test_tls_legs), cmocka_unit_test(test_long_lines), cmocka_unit_test(test_files),
        cmocka_unit_test(test_sample),   cmocka_unit_test(test_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
