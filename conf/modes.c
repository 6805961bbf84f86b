/* Lists of modes as text, and back. */
#include "conf/modes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "conf/config.h"

static const char *const actions[] = {[MODE_LOG] = "log", [MODE_NOTICE] = "notice", [MODE_BLOCK] = "block"};

static const char *const subjects[] = {
    [MODE_MULTI_TENANT] = "multi-tenant",
    [MODE_REFUSED] = "refused",
    [MODE_OPAQUE] = "opaque",
    [MODE_UNPARSED] = "unparsed",
};

/* Verdicts that there is nothing to be said about. */
static const char *const silent[] = {"single-tenant", "no-tenant-table"};

static const char allowed[] = "allowed: log, notice or block, and exceptions for multi-tenant, refused, "
                              "opaque and unparsed, for example: log, "
                              "multi-tenant: block";

static bool wrong(Error *err, const char *what, Str item) {
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "\"%.*s\" %s", STR_ARG(item), what);
    return error_hint(err, "%s", allowed);
}

/* The index of a word; -1 if it is not in the list. */
static int find(Str word, const char *const *words, int n) {
    for (int i = 0; i < n; i++)
        if (words[i] && str_ieq(word, words[i]))
            return i;
    return -1;
}

/* One item of the list into *slot, which is that of its subject, or `rest`. */
static bool read_item(Str item, Modes *modes, uint8_t *rest, Error *err) {
    const char *colon = memchr(item.ptr, ':', item.len);
    size_t before = colon ? (size_t)(colon - item.ptr) : 0;
    Str subject = str_trim((Str){item.ptr, before});
    Str word = colon ? str_trim((Str){colon + 1, item.len - before - 1}) : item;
    int action = find(word, actions, ARRAY_LEN(actions));
    int index = colon ? find(subject, subjects, ARRAY_LEN(subjects)) : 0;
    uint8_t *slot;

    if (colon && find(subject, silent, ARRAY_LEN(silent)) >= 0)
        return wrong(err, "has no mode: such statements are always executed, without a word", subject);
    if (index < 0)
        return wrong(err, "is no verdict that has a mode", subject);
    if (action < 0)
        return wrong(err, "is no mode", word);
    slot = colon ? &modes->action[index] : rest;
    if (*slot != MODE_UNSET)
        return wrong(err, colon ? "is there twice" : "is a second mode for all", colon ? subject : word);
    *slot = (uint8_t)action;
    return true;
}

bool modes_read(const char *text, Modes *modes, Error *err) {
    Modes given = {{MODE_UNSET}};
    uint8_t rest = MODE_UNSET;
    char **items = config_split(text);
    bool ok = items[0] != NULL || wrong(err, "has no mode in it", str_of(text));

    for (int i = 0; ok && items[i]; i++)
        ok = read_item(str_of(items[i]), &given, &rest, err);
    free(items);
    if (!ok)
        return false;
    if (given.action[MODE_REFUSED] == MODE_UNSET)
        given.action[MODE_REFUSED] = given.action[MODE_MULTI_TENANT];
    for (int i = 0; i < MODE_SUBJECTS; i++)
        modes->action[i] = given.action[i] == MODE_UNSET ? rest : given.action[i];
    return true;
}

/* What most of the subjects have, the mildest of several; MODE_UNSET unless all of them have something. */
static int common_action(const Modes *modes) {
    int counts[ARRAY_LEN(actions)] = {0}, best = MODE_UNSET;

    for (int i = 0; i < MODE_SUBJECTS; i++)
        counts[modes->action[i]] += i != MODE_REFUSED; /* which follows another */
    for (int action = MODE_LOG; action <= MODE_BLOCK && counts[MODE_UNSET] == 0; action++)
        if (best == MODE_UNSET || counts[action] > counts[best])
            best = action;
    return best;
}

char *modes_show(const Modes *modes) {
    int common = common_action(modes);
    char *text = mem_strdup(common == MODE_UNSET ? "" : actions[common]);

    for (int i = 0; i < MODE_SUBJECTS; i++) {
        int action = modes->action[i];
        int otherwise = i == MODE_REFUSED ? modes->action[MODE_MULTI_TENANT] : common;
        char *longer;

        if (action == MODE_UNSET || action == otherwise)
            continue;
        longer = mem_printf("%s%s%s: %s", text, *text ? ", " : "", subjects[i], actions[action]);
        free(text);
        text = longer;
    }
    return text;
}

void modes_overlay(Modes *modes, const Modes *over) {
    for (int i = 0; i < MODE_SUBJECTS; i++)
        if (over->action[i] != MODE_UNSET)
            modes->action[i] = over->action[i];
}
