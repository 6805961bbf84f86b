/* libinih finds names and values; this file hands it the lines.
 *
 * The library's handler is not told line numbers, section names of more than 49 bytes are cut, and an
 * indented line continues the value before it. All three are settled in the function that supplies the lines:
 * it counts them, reads the heads of sections itself (the library sees them without what is behind the first
 * word), and strips indentation. A name and its value are in the line that was supplied last, so the count is
 * exact. */
#include "conf/reader.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"
#include "conf/suggest.h"
#include "conf/value.h"

#define LINE_MAX_BYTES 16384

typedef struct Reader {
    Config *config;
    const char *next;    /* the rest of the text */
    int line;            /* of the one that was supplied last */
    int failed_line;     /* 0: no error yet */
    const char *section; /* NULL before the first head */
    void *base;          /* the current section's: the Config, or the TableConfig or ClientConfig in it */
    int *source_line;    /* the base's */
    Error *err;
} Reader;

typedef struct SectionKind {
    const char *name;
    void (*start)(Reader *r, const char *written); /* of a section that has a name; NULL */
} SectionKind;

static void start_table(Reader *r, const char *written);
static void start_user(Reader *r, const char *written);
static void start_application(Reader *r, const char *written);

static const SectionKind sections[] = {
    {"proxy", NULL},
    {"control", NULL},
    {"tenant", NULL},
    {"migration", NULL},
    {"audit", NULL},
    {"user", start_user},
    {"application", start_application},
    {"allow", NULL},
    {"table", start_table},
};

static const SectionKind *find_section(const char *name, size_t len) {
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strlen(sections[i].name) == len && memcmp(sections[i].name, name, len) == 0)
            return &sections[i];
    return NULL;
}

/* What a section's head has behind its kind. */
static const char *name_of(const char *section) {
    const SectionKind *kind = find_section(section, strlen(section));

    return kind && kind->start ? " NAME" : "";
}

/* Puts "FILE:LINE: " before the message and stops the reading. */
static void fail(Reader *r) {
    error_prefix(r->err, "%s:%d", r->config->path, r->line);
    r->failed_line = r->line;
}

static int source_index(const Setting *setting) { return (int)(setting - settings_table); }

static void unknown_section(Reader *r, const char *name) {
    Suggestion near;

    suggest_start(&near, name);
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        suggest_consider(&near, sections[i].name);
    error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "unknown section [%s]", name);
    if (near.best)
        error_hint(r->err, "Did you mean [%s%s]?", near.best, name_of(near.best));
    else
        error_hint(
            r->err,
            "allowed: [proxy], [control], [tenant], [migration], [audit], [user NAME], [application NAME], "
            "[allow], [table NAME]");
    fail(r);
}

static const TableConfig *find_table(const Config *config, const char *schema, const char *table) {
    for (int i = 0; i < config->ntables; i++) {
        const TableConfig *t = &config->tables[i];

        if (strcmp(t->table, table) == 0 && !t->schema == !schema &&
            (!schema || strcmp(t->schema, schema) == 0))
            return t;
    }
    return NULL;
}

static void set_defaults(const char *section, void *base) {
    Error impossible;

    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];

        if (strcmp(setting->section, section) == 0 && setting->default_text &&
            !value_read(setting, setting->default_text, base, &impossible))
            abort();
    }
}

static void start_table(Reader *r, const char *written) {
    Config *config = r->config;
    const TableConfig *other;
    TableConfig *table;
    char *schema, *name;

    if (!*written) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "section [table] names no table");
        error_hint(r->err, "for example: [table orders], [table \"Sales\".\"OrderNotes\"]");
        fail(r);
        return;
    }
    if (!config_table_name(written, &schema, &name, r->err)) {
        error_prefix(r->err, "section [table %s]", written);
        fail(r);
        return;
    }
    other = find_table(config, schema, name);
    if (other) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                  "section [table %s] is there twice: the first is in line %d", written, other->line);
        error_hint(r->err, "Merge the two.");
        fail(r);
        free(schema);
        free(name);
        return;
    }
    config->tables = mem_realloc(config->tables, sizeof(TableConfig) * ((size_t)config->ntables + 1));
    table = &config->tables[config->ntables++];
    *table = (TableConfig){.written = mem_strdup(written), .schema = schema, .table = name, .line = r->line};
    set_defaults("table", table);
    r->base = table;
    r->source_line = table->source_line;
}

/* A section of a role or an application; the name is read, and is taken over. */
static void start_client(Reader *r, ClientConfigs *all, const char *kind, const char *written, char *name,
                         bool prefix) {
    ClientConfig *client;

    for (int i = 0; i < all->n; i++) {
        const ClientConfig *other = &all->items[i];

        if (strcmp(other->name, name) != 0 || other->prefix != prefix)
            continue;
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                  "section [%s %s] is there twice: the first is in line %d", kind, written, other->line);
        error_hint(r->err, "Merge the two.");
        fail(r);
        free(name);
        return;
    }
    all->items = mem_realloc(all->items, sizeof *all->items * ((size_t)all->n + 1));
    client = &all->items[all->n++];
    *client = (ClientConfig){.written = mem_strdup(written), .name = name, .prefix = prefix, .line = r->line};
    r->base = client;
    r->source_line = client->source_line;
}

static bool read_client_name(Reader *r, const char *kind, const char *written, bool fold, char **name) {
    if (!*written)
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "section [%s] has no name", kind);
    else if (config_identifier(written, fold, name, r->err))
        return true;
    else
        error_prefix(r->err, "section [%s %s]", kind, written);
    error_hint(r->err, "for example: [%s reporting], [%s \"Nightly Report\"]", kind, kind);
    fail(r);
    return false;
}

static void start_user(Reader *r, const char *written) {
    char *name;

    if (read_client_name(r, "user", written, true, &name))
        start_client(r, &r->config->users, "user", written, name, false);
}

static void start_application(Reader *r, const char *written) {
    char *name;
    size_t len;
    bool prefix;

    if (!read_client_name(r, "application", written, false, &name))
        return;
    len = strlen(name);
    prefix = name[len - 1] == '*';
    if (prefix)
        name[len - 1] = '\0';
    start_client(r, &r->config->applications, "application", written, name, prefix);
}

/* Where the head's closing bracket is, outside of quoted identifiers; NULL without one. */
static const char *closing_bracket(const char *p) {
    for (bool quoted = false; *p; p++) {
        if (*p == '"')
            quoted = !quoted;
        else if (*p == ']' && !quoted)
            return p;
    }
    return NULL;
}

/* Reads a line that starts with "["; cuts it down to what the library can hold. */
static void start_section(Reader *r, char *line) {
    const char *end = closing_bracket(line);
    const char *rest = end ? end + 1 + strspn(end + 1, " \t") : NULL;
    const SectionKind *kind;
    size_t word;
    char *head;
    Str name;

    if (!end || (*rest && *rest != ';' && *rest != '#')) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                  end ? "something follows the section's closing bracket" : "a section's name is not closed");
        error_hint(r->err, "allowed: [NAME] alone in a line, or with a comment that starts with ;");
        fail(r);
        return;
    }
    name = str_trim((Str){line + 1, (size_t)(end - line) - 1});
    head = mem_printf("%.*s", STR_ARG(name));
    word = strcspn(head, " \t\"");
    kind = find_section(head, word);
    r->section = kind ? kind->name : NULL;
    r->base = r->config;
    r->source_line = r->config->source_line;
    if (!kind || (!kind->start && head[word]))
        unknown_section(r, head);
    else if (kind->start)
        kind->start(r, str_trim(str_of(head + word)).ptr);
    free(head);
    if (!r->failed_line)
        strcpy(line, "[s]");
}

/* The library's ini_reader: one line without indentation into `line`, or NULL at the end or after an error.
 */
static char *supply_line(char *line, int size, void *arg) {
    Reader *r = arg;
    size_t len = strcspn(r->next, "\n");
    Str text = str_trim((Str){r->next, len});

    if (r->failed_line || !*r->next)
        return NULL;
    r->line++;
    r->next += r->next[len] ? len + 1 : len;
    if (text.len + 1 > (size_t)size) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "the line is longer than %d bytes", size - 1);
        fail(r);
        return NULL;
    }
    if (!utf8_valid(text)) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "the line is not valid UTF-8");
        fail(r);
        return NULL;
    }
    memcpy(line, text.ptr, text.len);
    line[text.len] = '\0';
    if (line[0] == '[')
        start_section(r, line);
    return r->failed_line ? NULL : line;
}

static void unknown_setting(Reader *r, const char *name) {
    const char *elsewhere = NULL;
    Suggestion near;

    suggest_start(&near, name);
    for (int i = 0; i < settings_count; i++) {
        if (strcmp(settings_table[i].section, r->section) == 0)
            suggest_consider(&near, settings_table[i].name);
        else if (strcmp(settings_table[i].name, name) == 0)
            elsewhere = settings_table[i].section;
    }
    error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "there is no setting \"%s\" in section [%s]", name,
              r->section);
    if (elsewhere)
        error_hint(r->err, "It belongs in section [%s%s].", elsewhere, name_of(elsewhere));
    else if (near.best)
        error_hint(r->err, "Did you mean \"%s\"?", near.best);
    else
        error_hint(r->err, "shardferry config --reference lists all settings.");
    fail(r);
}

/* A line of section [allow]: a fingerprint, until when, and why. */
static bool take_allowed(Reader *r, const char *name, const char *value) {
    Config *config = r->config;
    AllowConfig entry = {.line = r->line};
    Str reason;

    if (!allow_read_fingerprint(str_of(name), &entry.fingerprint, r->err))
        goto failed;
    if (!allow_read_until(str_of(value), &entry.until_us, &reason, r->err)) {
        error_prefix(r->err, "statement %s", name);
        goto failed;
    }
    for (int i = 0; i < config->nallowed; i++)
        if (config->allowed[i].fingerprint == entry.fingerprint) {
            error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                      "statement %s is there twice: the first is in line %d", name, config->allowed[i].line);
            error_hint(r->err, "Remove one of them.");
            goto failed;
        }
    entry.reason = reason.len > 0 ? mem_printf("%.*s", STR_ARG(reason)) : NULL;
    config->allowed = mem_realloc(config->allowed, sizeof entry * ((size_t)config->nallowed + 1));
    config->allowed[config->nallowed++] = entry;
    return true;

failed:
    fail(r);
    return false;
}

/* The library's ini_handler. 0 makes it note the line as wrong. */
static int take_setting(void *arg, const char *section, const char *name, const char *value) {
    Reader *r = arg;
    const Setting *setting = r->section ? settings_find(r->section, name) : NULL;
    int *source;

    (void)section;
    if (r->failed_line)
        return 0;
    if (!r->section) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "setting \"%s\" stands before the first section", name);
        error_hint(r->err, "A file begins with a section's head, such as [proxy].");
        fail(r);
        return 0;
    }
    if (strcmp(r->section, "allow") == 0)
        return take_allowed(r, name, value);
    if (!setting) {
        unknown_setting(r, name);
        return 0;
    }
    source = r->source_line + source_index(setting);
    if (*source) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                  "setting \"%s\" is there twice: the first is in line %d", name, *source);
        error_hint(r->err, "Remove one of them.");
        fail(r);
        return 0;
    }
    if (!value_read(setting, value, r->base, r->err)) {
        error_prefix(r->err, "setting \"%s\"", name);
        fail(r);
        return 0;
    }
    *source = r->line;
    return 1;
}

bool reader_read(Config *config, const char *text, Error *err) {
    Reader r = {.config = config, .next = text, .err = err};
    int first_wrong;

    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        r.next += 3;
    ini_max_line = LINE_MAX_BYTES;
    first_wrong = ini_parse_stream(supply_line, &r, take_setting, &r);
    if (first_wrong > 0 && (!r.failed_line || first_wrong < r.failed_line)) {
        r.line = first_wrong;
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "neither a section, nor a setting, nor a comment");
        error_hint(err, "A setting is written as name = value, a comment starts with ; or #.");
        fail(&r);
    }
    return r.failed_line == 0;
}
