/* Name resolution as the server does it, from what the proxy knows of the session.
 *
 * Unqualified: CTEs by scope, then the search path, in which pg_temp and pg_catalog are searched first unless
 * they are named. A schema that does not exist is skipped, as the server does. What the server knows and the
 * proxy does not (USAGE on a schema, a temporary table made inside a function) is the limit of this. */
#include "rewrite/names.h"

#include <ctype.h>
#include <string.h>

/* A WITH of many CTEs, by hash of their names and of their blocks: a slot has a CTE's number, from 1 on. */
typedef struct WithIndex {
    const Block *block;
    int *by_name, *by_block;
    unsigned mask;
    struct WithIndex *next;
} WithIndex;

typedef struct NamesCache {
    Arena *arena;
    WithIndex *indexes;
} NamesCache;

/* Reads one entry of a search_path at *p into `out` (folded, unquoted). False on bad syntax. */
static bool read_entry(const char **p, char *out, bool *quoted) {
    const char *s = *p;

    *quoted = *s == '"';
    if (*quoted) {
        for (s++; *s && !(*s == '"' && s[1] != '"'); s++) {
            if (*s == '"')
                s++;
            *out++ = *s;
        }
        if (*s++ != '"')
            return false;
    } else {
        while (*s && *s != ',' && *s != '"' && !isspace((unsigned char)*s)) {
            *out++ = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
            s++;
        }
    }
    *out = '\0';
    while (isspace((unsigned char)*s))
        s++;
    *p = s;
    return *s == '\0' || *s == ',';
}

static void path_add(Names *names, const char *schema) {
    for (int i = 0; i < names->npath; i++) {
        if (strcmp(names->path[i], schema) == 0)
            return;
    }
    names->path[names->npath++] = schema;
}

static bool path_has(const Names *names, const char *schema) {
    for (int i = 0; i < names->npath; i++) {
        if (strcmp(names->path[i], schema) == 0)
            return true;
    }
    return false;
}

static bool schema_counts(const Names *names, const char *schema) {
    return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "pg_temp") == 0 ||
           snapshot_has_schema(names->snapshot, schema);
}

/* Splits names->context->search_path into names->path. False if it is no list of names. */
static bool read_path(Names *names, Arena *arena) {
    const char *p = names->context->search_path;
    size_t len = strlen(p);

    names->path = ARENA_ARRAY(arena, const char *, len + 3);
    while (isspace((unsigned char)*p))
        p++;
    while (*p) {
        char *entry = arena_alloc(arena, strlen(p) + 1);
        const char *schema = entry;
        bool quoted;

        if (!read_entry(&p, entry, &quoted))
            return false;
        if (strcmp(entry, "$user") == 0)
            schema = names->context->role;
        if (schema && *schema && schema_counts(names, schema))
            path_add(names, schema);
        if (*p == ',' && *++p == '\0')
            return false;
        while (isspace((unsigned char)*p))
            p++;
    }
    return true;
}

static void prepend(Names *names, const char *schema) {
    memmove(names->path + 1, names->path, sizeof(char *) * (size_t)names->npath);
    names->path[0] = schema;
    names->npath++;
}

Names names_of(Arena *arena, const Snapshot *snapshot, const SessionContext *context) {
    Names names = {.snapshot = snapshot, .context = context};

    names.cache = ARENA_NEW(arena, NamesCache);
    names.cache->arena = arena;
    names.path_known = context->search_path_known && context->search_path && read_path(&names, arena);
    if (!names.path_known)
        return names;
    if (!path_has(&names, "pg_catalog"))
        prepend(&names, "pg_catalog");
    if (!path_has(&names, "pg_temp"))
        prepend(&names, "pg_temp");
    names.catalog_first = strcmp(names.path[0], "pg_catalog") == 0 ||
                          (strcmp(names.path[0], "pg_temp") == 0 && strcmp(names.path[1], "pg_catalog") == 0);
    return names;
}

Names names_of_view(Arena *arena, const Snapshot *snapshot) {
    static const SessionContext context = {.search_path = "pg_catalog", .search_path_known = true};

    return names_of(arena, snapshot, &context);
}

/* ---- CTEs ---- */

/* Shorter ones are searched as they are. */
#define MIN_INDEXED 32

static unsigned hash_name(const char *name) {
    unsigned hash = 2166136261u;

    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static unsigned hash_block(const Block *block) { return (unsigned)((uintptr_t)block >> 4) * 2654435761u; }

static void put(int *slots, unsigned mask, unsigned hash, int number) {
    while (slots[hash & mask])
        hash++;
    slots[hash & mask] = number;
}

static const WithIndex *index_of(const Names *names, const Block *block) {
    NamesCache *cache = names->cache;
    WithIndex *index = cache->indexes;
    unsigned n = 1;

    while (index && index->block != block)
        index = index->next;
    if (index)
        return index;
    while (n < 2u * (unsigned)block->nctes)
        n *= 2;
    index = ARENA_NEW(cache->arena, WithIndex);
    *index = (WithIndex){block, ARENA_ARRAY(cache->arena, int, n), ARENA_ARRAY(cache->arena, int, n), n - 1,
                         cache->indexes};
    for (int i = 0; i < block->nctes; i++) {
        put(index->by_name, index->mask, hash_name(block->ctes[i].name), i + 1);
        put(index->by_block, index->mask, hash_block(block->ctes[i].block), i + 1);
    }
    cache->indexes = index;
    return index;
}

/* A name that stands there twice is an error of the statement's. */
static const Cte *find_indexed(const Names *names, const Block *block, const Block *inner, const char *name) {
    const WithIndex *index = index_of(names, block);
    int visible = block->nctes, slot;

    for (unsigned at = hash_block(inner); !block->recursive && (slot = index->by_block[at & index->mask]);
         at++) {
        if (block->ctes[slot - 1].block == inner)
            visible = slot - 1;
    }
    for (unsigned at = hash_name(name); (slot = index->by_name[at & index->mask]); at++) {
        if (slot <= visible && strcmp(block->ctes[slot - 1].name, name) == 0)
            return &block->ctes[slot - 1];
    }
    return NULL;
}

static const Cte *find_in(const Block *block, const Block *inner, const char *name) {
    int visible = block->nctes;

    for (int i = 0; i < block->nctes && !block->recursive; i++) {
        if (block->ctes[i].block == inner)
            visible = i;
    }
    while (visible-- > 0) {
        if (strcmp(block->ctes[visible].name, name) == 0)
            return &block->ctes[visible];
    }
    return NULL;
}

/* The CTE that `name` means in the FROM list of `block`. In WITH without RECURSIVE a query sees the ones
 * before its own. */
static const Cte *find_cte(const Names *names, const Block *block, const char *name) {
    const Block *inner = NULL;
    const Cte *found = NULL;

    for (; block && !found; inner = block, block = block->parent)
        found = block->nctes < MIN_INDEXED ? find_in(block, inner, name)
                                           : find_indexed(names, block, inner, name);
    return found;
}

/* ---- tables ---- */

static bool is_temporary(const SessionContext *context, const char *name) {
    for (int i = 0; context->temp_tables && i < context->ntemp_names; i++) {
        if (strcmp(context->temp_names[i], name) == 0)
            return true;
    }
    return false;
}

static bool has_prefix(const char *s, const char *prefix) { return strncmp(s, prefix, strlen(prefix)) == 0; }

static bool is_system_schema(const char *schema) {
    return strcmp(schema, "pg_catalog") == 0 || strcmp(schema, "information_schema") == 0 ||
           strcmp(schema, "pg_toast") == 0;
}

/* The names of pg_catalog's relations are not in a snapshot, but all of them begin so, Citus's included. */
static bool looks_like_system(const char *name) {
    return has_prefix(name, "pg_") || has_prefix(name, "citus_");
}

static NameMeaning meaning_of(const Table *table) {
    return (NameMeaning){.kind = table ? NAME_TABLE : NAME_UNKNOWN, .table = table};
}

static NameMeaning resolve_qualified(const Names *names, const Name *name) {
    const Snapshot *snapshot = names->snapshot;

    if (name->catalog && (!snapshot->database || strcmp(name->catalog, snapshot->database) != 0))
        return (NameMeaning){.kind = NAME_UNKNOWN};
    if (has_prefix(name->schema, "pg_temp"))
        return (NameMeaning){.kind = NAME_TEMPORARY};
    if (is_system_schema(name->schema))
        return (NameMeaning){.kind = NAME_SYSTEM};
    return meaning_of(snapshot_table(snapshot, name->schema, name->name));
}

static NameMeaning resolve_by_path(const Names *names, const char *name) {
    const Table *table = NULL;
    bool system = false;

    for (int i = 0; i < names->npath && !table; i++) {
        if (strcmp(names->path[i], "pg_temp") == 0) {
            if (is_temporary(names->context, name))
                return (NameMeaning){.kind = NAME_TEMPORARY};
        } else if (strcmp(names->path[i], "pg_catalog") == 0) {
            system = looks_like_system(name);
        } else {
            table = snapshot_table(names->snapshot, names->path[i], name);
        }
    }
    /* Whether pg_catalog has this very name as well, nobody here can tell. */
    if (system && table && (table->kind == KIND_DISTRIBUTED || table->kind == KIND_BACKFILL))
        return (NameMeaning){.kind = NAME_UNKNOWN};
    if (system && !table)
        return (NameMeaning){.kind = NAME_SYSTEM};
    return meaning_of(table);
}

NameMeaning names_resolve(const Names *names, const Block *block, const Name *name) {
    const Cte *cte;

    if (!name->name)
        return (NameMeaning){.kind = NAME_UNKNOWN};
    if (name->schema)
        return resolve_qualified(names, name);
    cte = find_cte(names, block, name->name);
    if (cte)
        return (NameMeaning){.kind = NAME_CTE, .cte = cte};
    if (!names->path_known)
        return (NameMeaning){.kind = NAME_UNKNOWN};
    return resolve_by_path(names, name->name);
}

bool names_in_catalog(const Names *names, const Name *function) {
    if (function->schema)
        return strcmp(function->schema, "pg_catalog") == 0;
    return names->path_known && names->catalog_first;
}
