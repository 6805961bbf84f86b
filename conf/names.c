/* Names and lists within values: tables as SQL writes them, network addresses, comma-separated lists. */
#include "conf/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define IDENTIFIER_MAX 63 /* NAMEDATALEN - 1 */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '$'; }

/* Reads one identifier at *at into `name` (room for all of the text), unquoted, or else folded if `fold`;
 * moves *at behind it. Returns NULL, or what is wrong. */
static const char *read_identifier(const char **at, bool fold, char *name) {
    const char *p = *at;
    size_t len = 0;

    if (*p == '"') {
        for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
            if (*p == '"')
                p++;
            name[len++] = *p;
        }
        if (!*p)
            return "a quoted identifier is not closed";
        p++;
        if (len == 0)
            return "a quoted identifier is empty";
    } else {
        if (!is_name_start(*p))
            return *p ? "an identifier was expected; other characters need double quotes"
                      : "an identifier is missing";
        /* The server folds ASCII alone in multi-byte encodings. */
        for (; is_name_part(*p); p++)
            name[len++] = fold && *p >= 'A' && *p <= 'Z' ? (char)(*p + ('a' - 'A')) : *p;
    }
    if (len > IDENTIFIER_MAX)
        return "an identifier is longer than 63 bytes";
    name[len] = '\0';
    *at = p;
    return NULL;
}

static const char MORE_THAN_A_NAME[] =
    "something follows the name; other characters than letters, digits, _ and $ need double quotes";

static const char *skip_space(const char *p) {
    while (is_space(*p))
        p++;
    return p;
}

bool config_table_name(const char *written, char **schema, char **table, Error *err) {
    size_t room = strlen(written) + 1;
    char *first = mem_alloc(room), *second = NULL;
    const char *p = skip_space(written);
    const char *wrong = read_identifier(&p, true, first);

    *schema = *table = NULL;
    if (wrong)
        goto failed;
    p = skip_space(p);
    if (*p == '.') {
        p = skip_space(p + 1);
        second = mem_alloc(room);
        wrong = read_identifier(&p, true, second);
        if (wrong)
            goto failed;
        p = skip_space(p);
    }
    if (*p == '.')
        wrong = "it has more than two parts";
    else if (*p)
        wrong = MORE_THAN_A_NAME;
    if (wrong)
        goto failed;
    *schema = second ? first : NULL;
    *table = second ? second : first;
    return true;

failed:
    free(first);
    free(second);
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is not a name as SQL writes it: %s", written, wrong);
    return error_hint(err, "for example: orders, archive.orders, \"Sales\".\"OrderNotes\"");
}

bool config_identifier(const char *written, bool fold, char **name, Error *err) {
    char *read = mem_alloc(strlen(written) + 1);
    const char *p = skip_space(written);
    const char *wrong = read_identifier(&p, fold, read);

    if (!wrong && *skip_space(p))
        wrong = MORE_THAN_A_NAME;
    if (!wrong) {
        *name = read;
        return true;
    }
    free(read);
    return error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is not a name as SQL writes it: %s", written,
                     wrong);
}

char **config_split(const char *list) {
    size_t n = 1, len = strlen(list), used = 0;
    char **items;
    char *text;

    for (const char *p = list; *p; p++)
        n += *p == ',';
    items = mem_alloc((n + 1) * sizeof(char *) + len + n);
    text = (char *)(items + n + 1);
    for (const char *p = list;;) {
        size_t item_len = strcspn(p, ",");
        Str item = str_trim((Str){p, item_len});

        if (item.len > 0) {
            items[used++] = text;
            memcpy(text, item.ptr, item.len);
            text[item.len] = '\0';
            text += item.len + 1;
        }
        if (!p[item_len])
            break;
        p += item_len + 1;
    }
    items[used] = NULL;
    return items;
}

static bool address_failed(const char *text, const char *wrong, Error *err) {
    error_set(err, SQLSTATE_CONFIG_FILE_ERROR, "%s is not an address: %s", text, wrong);
    return error_hint(err, "allowed: host:port, [IPv6 address]:port, *:port");
}

bool config_address(const char *text, char **host, int *port, Error *err) {
    const char *start = text, *colon, *end;
    long number;

    if (strpbrk(text, " \t"))
        return address_failed(text, "a host has no spaces; a comma separates addresses", err);
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (!end || end == start)
            return address_failed(text, "the brackets enclose no IPv6 address", err);
        colon = end + 1;
        if (*colon != ':')
            return address_failed(text, "the port is missing", err);
    } else {
        colon = strrchr(text, ':');
        if (!colon)
            return address_failed(text, "the port is missing", err);
        end = colon;
        if (end == start)
            return address_failed(text, "the host is missing", err);
        if (memchr(start, ':', (size_t)(end - start)))
            return address_failed(text, "an IPv6 address needs brackets", err);
    }
    number = strtol(colon + 1, NULL, 10);
    if (strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 || number < 1 ||
        number > 65535)
        return address_failed(text, "the port is not a number from 1 to 65535", err);
    *port = (int)number;
    *host = mem_printf("%.*s", (int)(end - start), start);
    return true;
}
