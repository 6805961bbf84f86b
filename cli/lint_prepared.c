/* A hash table by name; its entries own what they point to. */
#include "cli/lint_prepared.h"

#include <stdlib.h>

#include "audit/hash.h"

struct LintPreparedEntry {
    char *name;
    LintPrepared public;
    UT_hash_handle hh;
};

static void drop(LintPreparedEntry **table, LintPreparedEntry *entry) {
    HASH_DEL(*table, entry);
    arena_free(entry->public.arena);
    free((char *)(uintptr_t)entry->public.text.ptr);
    free(entry->name);
    free(entry);
}

static LintPreparedEntry *find(LintPreparedEntry *table, const char *name) {
    LintPreparedEntry *entry;
    HASH_FIND_STR(table, name, entry);
    return entry;
}

void lint_prepared_add(LintPreparedEntry **table, const char *name, Str text) {
    if (find(*table, name))
        return;
    LintPreparedEntry *entry = MEM_NEW(LintPreparedEntry);
    char *copy = mem_alloc(text.len + 1);
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    entry->name = mem_strdup(name);
    entry->public.text = (Str){copy, text.len};
    HASH_ADD_KEYPTR(hh, *table, entry->name, strlen(entry->name), entry);
}

LintPrepared *lint_prepared_find(LintPreparedEntry *table, const char *name) {
    LintPreparedEntry *entry = find(table, name);
    return entry ? &entry->public : NULL;
}

void lint_prepared_remove(LintPreparedEntry **table, const char *name) {
    LintPreparedEntry *entry = find(*table, name);
    if (entry)
        drop(table, entry);
}

void lint_prepared_clear(LintPreparedEntry **table) {
    LintPreparedEntry *entry, *next;
    HASH_ITER(hh, *table, entry, next)
    drop(table, entry);
}
