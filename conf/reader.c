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
    TableConfig *table;  /* of the current section; NULL if it is not one of [table …] */
    Error *err;
} Reader;

static const char *const sections[] = {"proxy", "control", "tenant", "audit", "table"};

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
        suggest_consider(&near, sections[i]);
    error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR, "unknown section [%s]", name);
    if (near.best)
        error_hint(r->err, "Did you mean [%s%s]?", near.best, strcmp(near.best, "table") == 0 ? " NAME" : "");
    else
        error_hint(r->err, "allowed: [proxy], [control], [tenant], [audit], [table NAME]");
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

static void set_table_defaults(TableConfig *table) {
    Error impossible;

    for (int i = 0; i < settings_count; i++) {
        const Setting *setting = &settings_table[i];

        if (strcmp(setting->section, "table") == 0 && setting->default_text &&
            !value_read(setting, setting->default_text, table, &impossible))
            abort();
    }
}

static void start_table(Reader *r, const char *written) {
    Config *config = r->config;
    const TableConfig *other;
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
    r->table = &config->tables[config->ntables++];
    *r->table =
        (TableConfig){.written = mem_strdup(written), .schema = schema, .table = name, .line = r->line};
    set_table_defaults(r->table);
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
    r->section = NULL;
    r->table = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (strlen(sections[i]) == word && memcmp(sections[i], head, word) == 0)
            r->section = sections[i];
    if (!r->section || (strcmp(r->section, "table") != 0 && head[word]))
        unknown_section(r, head);
    else if (strcmp(r->section, "table") == 0)
        start_table(r, str_trim(str_of(head + word)).ptr);
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
        error_hint(r->err, "It belongs in section [%s%s].", elsewhere,
                   strcmp(elsewhere, "table") == 0 ? " NAME" : "");
    else if (near.best)
        error_hint(r->err, "Did you mean \"%s\"?", near.best);
    else
        error_hint(r->err, "shardferry config --reference lists all settings.");
    fail(r);
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
    if (!setting) {
        unknown_setting(r, name);
        return 0;
    }
    source = (r->table ? r->table->source_line : r->config->source_line) + source_index(setting);
    if (*source) {
        error_set(r->err, SQLSTATE_CONFIG_FILE_ERROR,
                  "setting \"%s\" is there twice: the first is in line %d", name, *source);
        error_hint(r->err, "Remove one of them.");
        fail(r);
        return 0;
    }
    if (!value_read(setting, value, r->table ? (void *)r->table : (void *)r->config, r->err)) {
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
