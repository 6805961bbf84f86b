/* The reference of all settings, made from their table. */
#include "conf/reference.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/settings.h"
#include "conf/value.h"

static const struct {
    const char *section, *title, *intro;
} sections[] = {
    {"proxy", "[proxy]", "The listeners, the server behind them, and limits."},
    {"control", "[control]", "shardferry's own connection to the database."},
    {"tenant", "[tenant]", "What a tenant is."},
    {"migration", "[migration]", "How `shardferry migrate` goes about its work."},
    {"audit", "[audit]", "What is kept of the statements that pass, and which do not."},
    {"user", "[user NAME]",
     "One section for each role whose sessions have modes of their own; the role that logged in counts, SET "
     "ROLE "
     "changes nothing. The name is written as in SQL: `[user reporting]`, `[user \"Ada\"]`."},
    {"application", "[application NAME]",
     "One section for each application whose sessions have modes of their own. Names that are not a plain "
     "word stand in "
     "double quotes, and `*` at the end of a quoted one stands for anything: `[application pg_dump]`, "
     "`[application \"puma*\"]`. Upper and lower case matter."},
    {"table", "[table NAME]",
     "One section for each table that is not to be what is inferred from the catalog. The name is written as "
     "in SQL: "
     "`[table orders]`, `[table archive.orders]`, `[table \"Sales\".\"OrderNotes\"]`."},
};

static const char *type_name(const Setting *setting) {
    static const char *const names[] = {
        [SETTING_STRING] = "text", [SETTING_NAME] = "name",          [SETTING_BOOL] = "on or off",
        [SETTING_INT] = "number",  [SETTING_OCTAL] = "octal number", [SETTING_BYTES] = "size",
        [SETTING_TIME] = "time",   [SETTING_ENUM] = "choice",        [SETTING_MODES] = "modes"};

    return names[setting->type];
}

static void append_setting(Buf *b, const Setting *setting) {
    char *allowed = value_allowed(setting);

    buf_printf(b, "### %s\n\n%s\n\n", setting->name, setting->help);
    buf_printf(b, "- type: %s\n", type_name(setting));
    if (allowed && setting->type != SETTING_BOOL)
        buf_printf(b, "- allowed: %s\n", allowed);
    if (setting->default_text)
        buf_printf(b, "- default: `%s`\n", setting->default_text);
    else
        buf_printf(b, "- default: not set\n");
    if (setting->unit)
        buf_printf(b, "- a number without a unit counts in %s\n", setting->unit);
    buf_printf(b, "- changed by a reload: %s\n\n", setting->reloadable ? "yes" : "no, needs a restart");
    free(allowed);
}

/* Its lines have names of their own. */
static const char ALLOW_SECTION[] = "## [allow]\n\n"
                                    "Statements that no mode applies to: a line for each, `FINGERPRINT = "
                                    "UNTIL REASON`, changed by a reload.\n\n"
                                    "- fingerprint: 16 hexadecimal digits, as `SHOW AUDIT`, `shardferry "
                                    "lint` and the message of a blocked statement "
                                    "have it\n"
                                    "- until: `forever`, or a time such as `2027-01-01`, `2027-01-01 12:00` "
                                    "or `2027-01-01 12:00:00+02:00`; UTC without "
                                    "an offset\n"
                                    "- reason: any text behind it, shown by `SHOW ALLOWED`; or none\n\n";

char *reference_markdown(void) {
    Buf b = {0};
    char *text;

    buf_printf(
        &b, "# Settings\n\n"
            "Made by `shardferry config --reference`; the program's table of settings is the source.\n\n"
            "A configuration file is an INI file: sections in brackets, `name = value` lines, comments that "
            "start with "
            "`;` or `#` at the beginning of a line, or with `;` behind a blank. Values are not quoted. An "
            "empty value "
            "of a text or name stands for \"not set\". A setting may be there once; unknown ones are errors. "
            "`shardferry config -c FILE` checks a file and shows where each value comes from.\n\n");
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        buf_printf(&b, "## %s\n\n%s\n\n", sections[s].title, sections[s].intro);
        for (int i = 0; i < settings_count; i++)
            if (strcmp(settings_table[i].section, sections[s].section) == 0)
                append_setting(&b, &settings_table[i]);
        if (strcmp(sections[s].section, "application") == 0)
            buf_printf(&b, "%s", ALLOW_SECTION);
    }
    buf_put_u8(&b, 0);
    text = mem_strdup((const char *)buf_ptr(&b));
    buf_free(&b);
    return text;
}
