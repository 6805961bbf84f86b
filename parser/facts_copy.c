/* COPY's options: what is in force, from those that are given and PostgreSQL's defaults for the format.
 *
 * Both syntaxes are the same list to the parser. What PostgreSQL would reject, and what this version does not
 * know, makes the options unknown. */
#include <strings.h>

#include "parser/facts_internal.h"

/* The options that are given; NULL or false: not given. */
typedef struct Given {
    const char *delimiter, *null_text, *quote, *escape;
    bool force_quote, force_null, force_not_null;
} Given;

typedef struct Reading {
    Convert *c;
    CopyOptions *options;
    Given given;
    bool is_from;
} Reading;

static bool read_text(const Node *arg, const char **text) {
    *text = facts_node_string(arg);
    return *text != NULL;
}

static bool read_boolean(const Node *arg, bool *value) {
    const char *word = facts_node_string(arg);

    *value = true;
    if (!arg)
        return true;
    /* Of the old syntax. */
    if (arg->node_case == PG_QUERY__NODE__NODE_BOOLEAN) {
        *value = arg->boolean->boolval;
        return true;
    }
    if (arg->node_case == PG_QUERY__NODE__NODE_INTEGER) {
        *value = arg->integer->ival != 0;
        return arg->integer->ival == 0 || arg->integer->ival == 1;
    }
    if (!word)
        return false;
    *value = strcasecmp(word, "true") == 0 || strcasecmp(word, "on") == 0;
    return *value || strcasecmp(word, "false") == 0 || strcasecmp(word, "off") == 0;
}

static bool read_format(Reading *r, const Node *arg) {
    static const char *const names[] = {[COPY_TEXT] = "text", [COPY_CSV] = "csv", [COPY_BINARY] = "binary"};
    const char *name = facts_node_string(arg);

    for (size_t i = 0; name && i < ARRAY_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            r->options->format = (CopyFormat)i;
            return true;
        }
    }
    r->options->format = COPY_OTHER_FORMAT;
    return false;
}

static bool read_delimiter(Reading *r, const Node *arg) { return read_text(arg, &r->given.delimiter); }
static bool read_null(Reading *r, const Node *arg) { return read_text(arg, &r->given.null_text); }
static bool read_quote(Reading *r, const Node *arg) { return read_text(arg, &r->given.quote); }
static bool read_escape(Reading *r, const Node *arg) { return read_text(arg, &r->given.escape); }
static bool read_freeze(Reading *r, const Node *arg) { return read_boolean(arg, &r->options->freeze); }

static bool read_header(Reading *r, const Node *arg) {
    const char *word = facts_node_string(arg);
    bool on = false;

    if (word && strcasecmp(word, "match") == 0) {
        r->options->header = COPY_HEADER_MATCH;
        return r->is_from;
    }
    if (!read_boolean(arg, &on))
        return false;
    r->options->header = on ? COPY_HEADER_ON : COPY_HEADER_OFF;
    return true;
}

static bool read_columns(Reading *r, const Node *arg, const char ***columns, int *ncolumns) {
    if (!arg || arg->node_case != PG_QUERY__NODE__NODE_LIST)
        return false;
    *columns = facts_strings(r->c, arg->list->items, arg->list->n_items);
    *ncolumns = (int)arg->list->n_items;
    for (int i = 0; i < *ncolumns; i++)
        if (!(*columns)[i])
            return false;
    return true;
}

static bool read_force_null(Reading *r, const Node *arg) {
    r->given.force_null = true;
    return read_columns(r, arg, &r->options->force_null, &r->options->nforce_null);
}

static bool read_force_not_null(Reading *r, const Node *arg) {
    r->given.force_not_null = true;
    return read_columns(r, arg, &r->options->force_not_null, &r->options->nforce_not_null);
}

static bool read_force_quote(Reading *r, const Node *arg) {
    r->given.force_quote = true;
    return arg &&
           (arg->node_case == PG_QUERY__NODE__NODE_LIST || arg->node_case == PG_QUERY__NODE__NODE_A_STAR);
}

static bool read_encoding(Reading *r, const Node *arg) {
    r->options->encoding = facts_string(r->c, facts_node_string(arg));
    return r->options->encoding != NULL;
}

static const struct {
    const char *name;
    bool (*read)(Reading *r, const Node *arg);
} known[] = {
    {"format", read_format},
    {"freeze", read_freeze},
    {"delimiter", read_delimiter},
    {"null", read_null},
    {"header", read_header},
    {"quote", read_quote},
    {"escape", read_escape},
    {"force_quote", read_force_quote},
    {"force_not_null", read_force_not_null},
    {"force_null", read_force_null},
    {"encoding", read_encoding},
};

/* False also for an option that is given twice. */
static bool read_option(Reading *r, const PgQuery__DefElem *option, unsigned *seen) {
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(option->defname, known[i].name) != 0)
            continue;
        if (*seen & (1u << i))
            return false;
        *seen |= 1u << i;
        return known[i].read(r, option->arg);
    }
    return false;
}

/* A character that an option gives, or its default. False for more or less than one byte. */
static bool one_character(const char *given, char otherwise, char *c) {
    *c = given ? given[0] : otherwise;
    return !given || (given[0] != '\0' && given[1] == '\0');
}

static bool text_is_allowed(const CopyOptions *options) {
    return options->delimiter != '\n' && options->delimiter != '\r' && !strpbrk(options->null_text, "\r\n") &&
           !strchr(options->null_text, options->delimiter);
}

static bool binary_in_force(const Reading *r) {
    const Given *given = &r->given;

    return !given->delimiter && !given->null_text && !given->quote && !given->escape &&
           r->options->header == COPY_HEADER_OFF && !given->force_quote && !given->force_null &&
           !given->force_not_null;
}

static bool text_in_force(Reading *r) {
    static const char not_allowed[] = "\\.abcdefghijklmnopqrstuvwxyz0123456789";
    const Given *given = &r->given;
    CopyOptions *options = r->options;

    options->null_text = given->null_text ? arena_strdup(r->c->arena, given->null_text) : "\\N";
    return one_character(given->delimiter, '\t', &options->delimiter) && text_is_allowed(options) &&
           !strchr(not_allowed, options->delimiter) && !given->quote && !given->escape &&
           !given->force_quote && !given->force_null && !given->force_not_null;
}

static bool csv_in_force(Reading *r) {
    const Given *given = &r->given;
    CopyOptions *options = r->options;

    options->null_text = given->null_text ? arena_strdup(r->c->arena, given->null_text) : "";
    return one_character(given->delimiter, ',', &options->delimiter) &&
           one_character(given->quote, '"', &options->quote) &&
           one_character(given->escape, options->quote, &options->escape) && text_is_allowed(options) &&
           options->delimiter != options->quote && !strchr(options->null_text, options->quote) &&
           !(given->force_quote && r->is_from) && !(given->force_null && !r->is_from) &&
           !(given->force_not_null && !r->is_from);
}

static bool in_force(Reading *r) {
    switch (r->options->format) {
    case COPY_TEXT:
        return text_in_force(r);
    case COPY_CSV:
        return csv_in_force(r);
    case COPY_BINARY:
        return binary_in_force(r);
    default:
        return false;
    }
}

void facts_copy_options(Convert *c, CopyOptions *options, const PgQuery__CopyStmt *copy) {
    Reading r = {.c = c, .options = options, .is_from = copy->is_from};
    unsigned seen = 0;

    for (size_t i = 0; i < copy->n_options; i++) {
        const Node *option = copy->options[i];

        /* Most values are literals. */
        c->literals_matter = true;
        if (option->node_case != PG_QUERY__NODE__NODE_DEF_ELEM || !read_option(&r, option->def_elem, &seen))
            options->unknown = true;
    }
    if (!in_force(&r))
        options->unknown = true;
}
