/* shardferry config: checks a configuration file and prints what it amounts to; prints the settings
 * reference. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "conf/check.h"
#include "conf/config.h"
#include "conf/reference.h"

enum { ID_REFERENCE = 256 };

static const CommandOption options[] = {
    {'c', "config", "FILE", "the configuration file; - for standard input"},
    {ID_REFERENCE, "reference", NULL, "print the reference of all settings, in Markdown"},
    {0, NULL, NULL, NULL},
};

/* ---- the settings in effect ---- */

/* Takes `value` over. A setting that is not set is shown as a comment, so that the output is itself a
 * configuration file. */
static void print_setting(const Setting *setting, char *value, const char *path, int line) {
    char *left = mem_printf("%s%s = %s", *value ? "" : "; ", setting->name, value);

    if (line)
        printf("%-50s ; %s:%d\n", left, path, line);
    else
        printf("%-50s ; %s\n", left, *value ? "default" : "not set");
    free(left);
    free(value);
}

static void print_clients(const Config *config, const char *section, const ClientConfigs *clients) {
    for (int n = 0; n < clients->n; n++) {
        const ClientConfig *client = &clients->items[n];

        printf("\n[%s %s]\n", section, client->written);
        for (int i = 0; i < settings_count; i++)
            if (strcmp(settings_table[i].section, section) == 0)
                print_setting(&settings_table[i], config_show_client(client, &settings_table[i]),
                              config->path, client->source_line[i]);
    }
}

static void print_allowed(const Config *config) {
    for (int i = 0; i < config->nallowed; i++) {
        const AllowConfig *entry = &config->allowed[i];
        char *until = allow_show_until(entry->until_us);
        char *left = mem_printf("%016" PRIx64 " = %s%s%s", entry->fingerprint, until,
                                entry->reason ? " " : "", entry->reason ? entry->reason : "");

        printf("%s%-50s ; %s:%d\n", i == 0 ? "\n[allow]\n" : "", left, config->path, entry->line);
        free(left);
        free(until);
    }
}

static void print_settings(const Config *config) {
    const char *section = "";

    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];

        if (settings_is_named(setting))
            continue;
        if (strcmp(setting->section, section) != 0)
            printf("%s[%s]\n", *section ? "\n" : "", setting->section);
        section = setting->section;
        print_setting(setting, config_show(config, setting), config->path, config->source_line[i]);
    }
    print_clients(config, "user", &config->users);
    print_clients(config, "application", &config->applications);
    print_allowed(config);
    for (int t = 0; t < config->ntables; t++) {
        const TableConfig *table = &config->tables[t];

        printf("\n[table %s]\n", table->written);
        for (int i = 0; i < settings_count; i++)
            if (strcmp(settings_table[i].section, "table") == 0)
                print_setting(&settings_table[i], config_show_table(table, &settings_table[i]), config->path,
                              table->source_line[i]);
    }
}

static void print_notice(void *arg, const char *text) {
    (void)arg;
    command_print_warning(text);
}

static int check(const char *path) {
    Error err;
    Config *config = config_load(path, CONFIG_FOR_CHECK, &err);
    char *described;

    if (!config) {
        command_print_error(&err);
        return COMMAND_USAGE;
    }
    print_settings(config);
    described = check_describe(config);
    printf("\n; %s\n", described);
    fflush(stdout);
    check_notices(config, print_notice, NULL);
    free(described);
    config_free(config);
    return COMMAND_DONE;
}

static int print_reference(void) {
    char *text = reference_markdown();

    fputs(text, stdout);
    free(text);
    return COMMAND_DONE;
}

static int config_run(const Command *self, int argc, char **argv) {
    const char *path = NULL;
    bool reference = false;
    int exit_code, id;

    while ((id = command_next(self, argc, argv, &exit_code)) != COMMAND_OPERANDS) {
        if (id == COMMAND_STOP)
            return exit_code;
        if (id == 'c')
            path = optarg;
        else if (id == ID_REFERENCE)
            reference = true;
    }
    if (optind < argc)
        return command_misused(self, "unexpected argument \"%s\"", argv[optind]);
    if (reference)
        return print_reference();
    if (!path)
        return command_misused(self, "-c FILE is missing");
    return check(path);
}

extern const Command command_config;
const Command command_config = {
    .name = "config",
    .usage = "-c FILE | --reference",
    .summary = "check a configuration file and print the settings in effect",
    .options = options,
    .run = config_run,
};
