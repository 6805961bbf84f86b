/* The table of settings: one row each. The parser, `shardferry config`, SHOW CONFIG, the reference in docs/
 * and the error messages all read it. */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_MAX 96

typedef enum SettingType {
    SETTING_STRING, /* char * */
    SETTING_NAME,   /* char *: one SQL identifier, kept folded and unquoted */
    SETTING_BOOL,   /* bool: on/off/true/false/yes/no/1/0 */
    SETTING_INT,    /* int */
    SETTING_OCTAL,  /* int */
    SETTING_BYTES,  /* int64_t, with units B, kB, MB, GB */
    SETTING_TIME,   /* int, milliseconds; units ms, s, min, h; a bare number is in the row's unit */
    SETTING_ENUM,   /* int: index in `choices` */
    SETTING_MODES,  /* Modes: see conf/modes.h */
} SettingType;

typedef struct Setting {
    const char *section; /* "proxy"; "table" for the settings of a [table …] section, likewise "user" and
                            "application" */
    const char *name;
    SettingType type;
    size_t offset;              /* in Config; of a section with names, in TableConfig or ClientConfig */
    int64_t min, max;           /* INT, BYTES, TIME (ms) */
    const char *default_text;   /* as in the file; NULL: not set */
    const char *const *choices; /* ENUM; ends with NULL; NULL entries never */
    const char *unit;           /* what a bare number means: "ms", "bytes"; NULL */
    bool reloadable;            /* SIGHUP takes a new value */
    const char *help;           /* one or two sentences */
} Setting;

/* Whether the setting's section has a name beside its kind, as in [table orders]: there is any number of
 * them. */
bool settings_is_named(const Setting *setting);

extern const Setting settings_table[];
extern const int settings_count;

/* The row of a setting; NULL if there is none. */
const Setting *settings_find(const char *section, const char *name);

#endif
