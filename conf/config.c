/* Making and freeing a Config. */
#include "conf/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/check.h"
#include "conf/conninfo.h"
#include "conf/reader.h"
#include "conf/value.h"

#define FILE_MAX_BYTES (4u * 1024u * 1024u)

static void set_defaults(Config *config) {
    Error impossible;

    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];

        if (!settings_is_named(setting) && setting->default_text &&
            !value_read(setting, setting->default_text, config, &impossible))
            abort();
    }
}

Config *config_parse(const char *name, const char *text, ConfigUse use, Error *err) {
    Config *config = MEM_NEW(Config);

    config->path = mem_strdup(name);
    set_defaults(config);
    if (reader_read(config, text, err) && check_config(config, use, err))
        return config;
    config_free(config);
    return NULL;
}

static bool read_all(int fd, Buf *text, const char *path, Error *err) {
    for (;;) {
        uint8_t *room = buf_reserve(text, 16384);
        ssize_t n = read(fd, room, 16384);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        if (memchr(room, 0, (size_t)n))
            return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is not a text file: it contains a NUL byte",
                             path);
        text->end += (size_t)n;
        if (buf_len(text) > FILE_MAX_BYTES)
            return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is larger than 4 MB", path);
    }
    buf_put_u8(text, 0);
    return true;
}

Config *config_load(const char *path, ConfigUse use, Error *err) {
    bool standard_input = strcmp(path, "-") == 0;
    Config *config = NULL;
    Buf text = {0};
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "could not open %s: %s", path, strerror(errno));
        return NULL;
    }
    if (read_all(fd, &text, path, err))
        config = config_parse(path, (const char *)buf_ptr(&text), use, err);
    if (!standard_input)
        close(fd);
    buf_free(&text);
    return config;
}

/* section: one with names; NULL: all others. */
static void free_strings(const char *section, void *base) {
    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];
        bool is_of_base = section ? strcmp(setting->section, section) == 0 : !settings_is_named(setting);

        if (is_of_base && (setting->type == SETTING_STRING || setting->type == SETTING_NAME))
            free(*(char **)(void *)((char *)base + setting->offset));
    }
}

static void free_clients(const char *section, ClientConfigs *clients) {
    for (int i = 0; i < clients->n; i++) {
        free_strings(section, &clients->items[i]);
        free(clients->items[i].written);
        free(clients->items[i].name);
    }
    free(clients->items);
}

void config_free(Config *config) {
    if (!config)
        return;
    for (int i = 0; i < config->ntables; i++) {
        free_strings("table", &config->tables[i]);
        free(config->tables[i].written);
        free(config->tables[i].schema);
        free(config->tables[i].table);
    }
    free(config->tables);
    free_clients("user", &config->users);
    free_clients("application", &config->applications);
    for (int i = 0; i < config->nallowed; i++)
        free(config->allowed[i].reason);
    free(config->allowed);
    free_strings(NULL, config);
    free(config->path);
    free(config);
}

char *config_show(const Config *config, const Setting *setting) {
    if (setting->offset == offsetof(Config, control_conninfo) && config->control_conninfo)
        return conninfo_without_password(config->control_conninfo);
    return value_show(setting, config);
}

/* Bytes that a value takes in Config. */
static size_t value_size(SettingType type) {
    return type == SETTING_BOOL    ? sizeof(bool)
           : type == SETTING_BYTES ? sizeof(int64_t)
           : type == SETTING_MODES ? sizeof(Modes)
                                   : sizeof(int);
}

void config_keep(Config *config, const Config *from, const Setting *setting) {
    void *to = (char *)config + setting->offset;
    const void *value = (const char *)from + setting->offset;

    if (setting->type == SETTING_STRING || setting->type == SETTING_NAME) {
        const char *text = *(char *const *)value;

        free(*(char **)to);
        *(char **)to = text ? mem_strdup(text) : NULL;
    } else {
        memcpy(to, value, value_size(setting->type));
    }
    config->source_line[setting - settings_table] = from->source_line[setting - settings_table];
}

char *config_show_table(const TableConfig *table, const Setting *setting) {
    return value_show(setting, table);
}

char *config_show_client(const ClientConfig *client, const Setting *setting) {
    return value_show(setting, client);
}

/* The section that a name belongs to, its own before the longest prefix; NULL without one. */
static const ClientConfig *find_client(const ClientConfigs *all, const char *name) {
    const ClientConfig *best = NULL;
    size_t best_len = 0;

    for (int i = 0; name && i < all->n; i++) {
        const ClientConfig *c = &all->items[i];
        size_t len = strlen(c->name);

        if (!c->prefix && strcmp(c->name, name) == 0)
            return c;
        if (c->prefix && strncmp(c->name, name, len) == 0 && (!best || len > best_len)) {
            best = c;
            best_len = len;
        }
    }
    return best;
}

Modes config_modes(const Config *config, const char *user, const char *application) {
    const ClientConfig *over[] = {find_client(&config->users, user),
                                  find_client(&config->applications, application)};
    Modes modes = config->modes;

    for (size_t i = 0; i < ARRAY_LEN(over); i++)
        if (over[i])
            modes_overlay(&modes, &over[i]->modes);
    return modes;
}
