/* Values with their units. Numbers are read digit by digit, with the overflow checked: strtol takes signs,
 * blanks and more that a configuration should not have. */
#include "conf/value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/config.h"

typedef struct Unit {
    const char *name;
    int64_t factor;
} Unit;

/* The largest first; the last is what the field counts in. */
static const Unit time_units[] = {{"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}, {NULL, 0}};
static const Unit byte_units[] = {
    {"GB", 1024 * 1024 * 1024}, {"MB", 1024 * 1024}, {"kB", 1024}, {"B", 1}, {NULL, 0}};
static const Unit no_units[] = {{NULL, 0}};

static const char *const true_words[] = {"on", "true", "yes", "1", NULL};
static const char *const false_words[] = {"off", "false", "no", "0", NULL};

static const Unit *units_of(const Setting *setting) {
    return setting->type == SETTING_TIME    ? time_units
           : setting->type == SETTING_BYTES ? byte_units
                                            : no_units;
}

static bool is_word(const char *text, const char *const *words) {
    for (; *words; words++)
        if (str_ieq(str_of(text), *words))
            return true;
    return false;
}

static void *field_of(const Setting *setting, void *base) { return (char *)base + setting->offset; }

/* Reads digits in `radix`, returns where they end; NULL if there are none or they exceed an int64_t. */
static const char *read_digits(const char *text, int radix, int64_t *number) {
    const char *p = text;

    *number = 0;
    for (; *p >= '0' && *p < '0' + radix; p++)
        if (__builtin_mul_overflow(*number, radix, number) ||
            __builtin_add_overflow(*number, *p - '0', number))
            return NULL;
    return p > text ? p : NULL;
}

/* Upper and lower case of a unit are the same to a person, but "M" might mean minutes: only whole names
 * count. */
static bool unit_factor(const Setting *setting, const char *name, int64_t *factor) {
    if (!*name)
        name = setting->unit;
    for (const Unit *unit = units_of(setting); unit->name; unit++)
        if (name && str_ieq(str_of(name), unit->name)) {
            *factor = unit->factor;
            return true;
        }
    *factor = 1;
    return !name;
}

static bool read_number(const Setting *setting, const char *text, int64_t *number, Error *err) {
    const char *end = read_digits(text, setting->type == SETTING_OCTAL ? 8 : 10, number);
    int64_t factor;
    char *allowed;

    if (!end && text[0] >= '0' && text[0] <= '9' && setting->type != SETTING_OCTAL)
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is out of range", text);
    else if (!end)
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is not %s", text,
                  setting->type == SETTING_OCTAL   ? "an octal number"
                  : setting->type == SETTING_TIME  ? "a time"
                  : setting->type == SETTING_BYTES ? "a size"
                                                   : "a whole number");
    else if (!unit_factor(setting, end + strspn(end, " \t"), &factor))
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is not understood: %s", text,
                  setting->unit ? "there is no such unit" : "something follows the number");
    else if (__builtin_mul_overflow(*number, factor, number) || *number < setting->min ||
             *number > setting->max)
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is out of range", text);
    else
        return true;
    allowed = value_allowed(setting);
    error_hint(err, "allowed: %s", allowed);
    free(allowed);
    return false;
}

/* Spaces do not count: "join,filter" is "join, filter". */
static bool is_choice(const char *text, const char *choice) {
    for (;; text++, choice++) {
        text += strspn(text, " \t");
        choice += strspn(choice, " \t");
        if ((*text | 0x20) != (*choice | 0x20) || !*text || !*choice)
            return !*text && !*choice;
    }
}

static bool read_enum(const Setting *setting, const char *text, int *value, Error *err) {
    char *allowed;

    for (int i = 0; setting->choices[i]; i++)
        if (is_choice(text, setting->choices[i])) {
            *value = i;
            return true;
        }
    allowed = value_allowed(setting);
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is not one of its values", text);
    error_hint(err, "allowed: %s", allowed);
    free(allowed);
    return false;
}

static bool read_bool(const char *text, bool *value, Error *err) {
    if (is_word(text, true_words) || is_word(text, false_words)) {
        *value = is_word(text, true_words);
        return true;
    }
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%s\" is neither on nor off", text);
    return error_hint(err, "allowed: on, off (or true, false, yes, no, 1, 0)");
}

static bool read_name(const char *text, char **value, Error *err) {
    char *schema, *name;

    if (!config_table_name(text, &schema, &name, err)) {
        error_hint(err, "for example: store_id, \"StoreID\"");
        return false;
    }
    if (schema) {
        free(schema);
        free(name);
        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is a qualified name", text);
        return error_hint(err, "The column has this name in every table: leave the table out.");
    }
    free(*value);
    *value = name;
    return true;
}

/* An empty text stands for "not set". */
static void read_string(const char *text, char **value) {
    free(*value);
    *value = *text ? mem_strdup(text) : NULL;
}

bool value_read(const Setting *setting, const char *text, void *base, Error *err) {
    void *field = field_of(setting, base);
    int64_t number;

    if (!*text && setting->type != SETTING_STRING && setting->type != SETTING_NAME) {
        char *allowed = value_allowed(setting);

        error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "the value is missing");
        error_hint(err, "allowed: %s", allowed);
        free(allowed);
        return false;
    }
    switch (setting->type) {
    case SETTING_STRING:
        read_string(text, field);
        return true;
    case SETTING_NAME:
        if (*text)
            return read_name(text, field, err);
        read_string(text, field);
        return true;
    case SETTING_BOOL:
        return read_bool(text, field, err);
    case SETTING_ENUM:
        return read_enum(setting, text, field, err);
    case SETTING_MODES:
        return modes_read(text, field, err);
    case SETTING_INT:
    case SETTING_OCTAL:
    case SETTING_TIME:
    case SETTING_BYTES:
        break;
    }
    if (!read_number(setting, text, &number, err))
        return false;
    if (setting->type == SETTING_BYTES)
        *(int64_t *)field = number;
    else
        *(int *)field = (int)number;
    return true;
}

/* In the largest unit that divides it, so that nothing is lost. */
static char *show_number(const Setting *setting, int64_t number) {
    if (setting->type == SETTING_OCTAL)
        return mem_printf("0%03" PRIo64, (uint64_t)number);
    for (const Unit *unit = units_of(setting); unit->name && number != 0; unit++)
        if (number % unit->factor == 0)
            return mem_printf("%" PRId64 "%s", number / unit->factor, unit->name);
    return mem_printf("%" PRId64, number);
}

static char *show_name(const char *name) {
    char *schema = NULL, *folded = NULL, *text, *to;
    Error ignored;
    bool plain = config_table_name(name, &schema, &folded, &ignored) && !schema && strcmp(folded, name) == 0;

    free(schema);
    free(folded);
    if (plain)
        return mem_strdup(name);
    to = text = mem_alloc(2 * strlen(name) + 3);
    *to++ = '"';
    for (; *name; name++) {
        if (*name == '"')
            *to++ = '"';
        *to++ = *name;
    }
    *to++ = '"';
    *to = '\0';
    return text;
}

char *value_show(const Setting *setting, const void *base) {
    const void *field = (const char *)base + setting->offset;
    const char *text;

    switch (setting->type) {
    case SETTING_STRING:
        text = *(char *const *)field;
        return mem_strdup(text ? text : "");
    case SETTING_NAME:
        text = *(char *const *)field;
        return text ? show_name(text) : mem_strdup("");
    case SETTING_BOOL:
        return mem_strdup(*(const bool *)field ? "on" : "off");
    case SETTING_ENUM:
        return mem_strdup(setting->choices[*(const int *)field]);
    case SETTING_MODES:
        return modes_show(field);
    case SETTING_BYTES:
        return show_number(setting, *(const int64_t *)field);
    case SETTING_INT:
    case SETTING_OCTAL:
    case SETTING_TIME:
        break;
    }
    return show_number(setting, *(const int *)field);
}

static char *join_choices(const char *const *choices) {
    char *list = mem_strdup(choices[0]);

    for (int i = 1; choices[i]; i++) {
        char *longer = mem_printf("%s, %s", list, choices[i]);

        free(list);
        list = longer;
    }
    return list;
}

char *value_allowed(const Setting *setting) {
    char *low, *high, *range;

    switch (setting->type) {
    case SETTING_STRING:
    case SETTING_NAME:
        return NULL;
    case SETTING_BOOL:
        return mem_strdup("on, off");
    case SETTING_ENUM:
        return join_choices(setting->choices);
    case SETTING_MODES:
        return mem_strdup("log, notice, block; and for each of multi-tenant, refused, opaque, unparsed");
    case SETTING_INT:
    case SETTING_OCTAL:
    case SETTING_TIME:
    case SETTING_BYTES:
        break;
    }
    low = show_number(setting, setting->min);
    high = show_number(setting, setting->max);
    range = mem_printf("%s to %s%s", low, high,
                       setting->type == SETTING_TIME    ? " (units: ms, s, min, h)"
                       : setting->type == SETTING_BYTES ? " (units: B, kB, MB, GB)"
                                                        : "");
    free(low);
    free(high);
    return range;
}
