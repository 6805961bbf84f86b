/* Tables of prepared statements and portals. */
#include "proxy/prepared.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void prepared_name(char out[PREPARED_NAME_BYTES], Str name) {
    size_t n = name.len < PREPARED_NAME_BYTES - 1 ? name.len : PREPARED_NAME_BYTES - 1;
    if (n > 0)
        memcpy(out, name.ptr, n);
    memset(out + n, 0, PREPARED_NAME_BYTES - n);
}

Prepared *prepared_new(Str name, Str query, const uint8_t *types, int ntypes) {
    Prepared *p = MEM_NEW(Prepared);
    p->references = 1;
    prepared_name(p->name, name);
    char *text = mem_alloc(query.len + 1);
    memcpy(text, query.ptr, query.len);
    text[query.len] = '\0';
    p->query = (Str){text, query.len};
    p->ntypes = ntypes;
    if (ntypes > 0) {
        p->types = mem_alloc(4 * (size_t)ntypes);
        memcpy(p->types, types, 4 * (size_t)ntypes);
    }
    return p;
}

Prepared *prepared_ref(Prepared *p) {
    p->references++;
    return p;
}

void prepared_unref(Prepared *p) {
    if (!p || --p->references > 0)
        return;
    plan_unref(p->plan);
    rewritten_unref(p->rewritten);
    free((char *)(uintptr_t)p->query.ptr);
    free(p->types);
    free(p->described);
    free(p);
}

void prepared_sent_as(Prepared *p, Plan *plan, Rewritten *rewritten, uint64_t sent_hash) {
    Plan *old_plan = p->plan;
    Rewritten *old_rewritten = p->rewritten;
    p->plan = plan_ref(plan);
    p->rewritten = rewritten ? rewritten_ref(rewritten) : NULL;
    p->sent_hash = sent_hash;
    plan_unref(old_plan);
    rewritten_unref(old_rewritten);
}

void prepared_described(Prepared *p, const uint8_t *types, int ntypes) {
    if (p->described || ntypes == 0)
        return;
    p->described = mem_alloc(4 * (size_t)ntypes);
    memcpy(p->described, types, 4 * (size_t)ntypes);
    p->ndescribed = ntypes;
}

void prepared_forget_types(Prepared *p) {
    free(p->described);
    p->described = NULL;
    p->ndescribed = 0;
}

Prepared *prepared_find(const PreparedTable *table, Str name) {
    if (name.len == 0)
        return table->unnamed;
    char key[PREPARED_NAME_BYTES];
    Prepared *p;
    prepared_name(key, name);
    HASH_FIND(hh, table->named, key, strlen(key), p);
    return p;
}

Prepared *prepared_put(PreparedTable *table, Prepared *p) {
    Prepared *old = prepared_take(table, str_of(p->name));
    if (p->name[0] == '\0')
        table->unnamed = p;
    else
        HASH_ADD_KEYPTR(hh, table->named, p->name, strlen(p->name), p);
    return old;
}

Prepared *prepared_take(PreparedTable *table, Str name) {
    Prepared *p = prepared_find(table, name);
    if (p && p == table->unnamed)
        table->unnamed = NULL;
    else if (p)
        HASH_DELETE(hh, table->named, p);
    return p;
}

void prepared_remove(PreparedTable *table, Prepared *p) {
    if (prepared_find(table, str_of(p->name)) == p)
        prepared_unref(prepared_take(table, str_of(p->name)));
}

void prepared_remove_older(PreparedTable *table, uint64_t sequence) {
    if (table->unnamed && table->unnamed->sequence <= sequence) {
        prepared_unref(table->unnamed);
        table->unnamed = NULL;
    }
    Prepared *p, *next;
    HASH_ITER(hh, table->named, p, next) {
        if (p->sequence > sequence)
            continue;
        HASH_DELETE(hh, table->named, p);
        prepared_unref(p);
    }
}

void prepared_remove_all(PreparedTable *table) {
    prepared_unref(table->unnamed);
    table->unnamed = NULL;
    Prepared *p, *next;
    HASH_ITER(hh, table->named, p, next) {
        HASH_DELETE(hh, table->named, p);
        prepared_unref(p);
    }
}

int prepared_count(const PreparedTable *table) { return (int)HASH_COUNT(table->named); }

/* ---- portals ---- */

static void portal_set(Portal *portal, const Prepared *p, uint32_t modes) {
    Plan *plan = p && p->plan ? plan_ref(p->plan) : NULL;
    Rewritten *rewritten = p && p->rewritten ? rewritten_ref(p->rewritten) : NULL;
    plan_unref(portal->plan);
    rewritten_unref(portal->rewritten);
    free(portal->prepares);
    portal->prepares = plan && plan->prepares ? mem_strdup(p->query.ptr) : NULL;
    portal->plan = plan;
    portal->rewritten = rewritten;
    portal->modes = modes;
    portal->begun = false;
}

void portal_bind(PreparedTable *table, Str name, const Prepared *p, uint32_t modes) {
    if (name.len == 0) {
        portal_set(&table->unnamed_portal, p, modes);
        return;
    }
    char key[PREPARED_NAME_BYTES];
    Portal *portal;
    prepared_name(key, name);
    HASH_FIND(hh, table->portals, key, strlen(key), portal);
    if (!portal) {
        portal = MEM_NEW(Portal);
        memcpy(portal->name, key, sizeof key);
        HASH_ADD_KEYPTR(hh, table->portals, portal->name, strlen(portal->name), portal);
    }
    portal_set(portal, p, modes);
}

Portal *portal_find(const PreparedTable *table, Str name) {
    if (name.len == 0)
        return (Portal *)(uintptr_t)&table->unnamed_portal;
    char key[PREPARED_NAME_BYTES];
    Portal *portal;
    prepared_name(key, name);
    HASH_FIND(hh, table->portals, key, strlen(key), portal);
    return portal;
}

static void portal_free(PreparedTable *table, Portal *portal) {
    HASH_DELETE(hh, table->portals, portal);
    portal_set(portal, NULL, 0);
    free(portal);
}

void portal_close(PreparedTable *table, Str name) {
    Portal *portal = portal_find(table, name);
    if (portal == &table->unnamed_portal)
        portal_set(portal, NULL, 0);
    else if (portal)
        portal_free(table, portal);
}

void portal_close_all(PreparedTable *table) {
    portal_set(&table->unnamed_portal, NULL, 0);
    Portal *portal, *next;
    HASH_ITER(hh, table->portals, portal, next)
    portal_free(table, portal);
}
