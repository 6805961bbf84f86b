/* Interning of session contexts by their values written out as one key. */
#include "proxy/context.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"

static void write_key(Buf *key, const SessionContext *v) {
    buf_put_u8(key, v->search_path_known ? 'k' : 'u');
    buf_put_u8(key, v->has_tenant ? 't' : 'n');
    buf_put_cstr(key, v->search_path_known ? v->search_path : "");
    buf_put_cstr(key, v->role ? v->role : "");
    for (int i = 0; i < v->ntemp_names; i++)
        buf_put_cstr(key, v->temp_names[i]);
}

static char *copy(const char *s) { return s ? mem_strdup(s) : NULL; }

static Context *context_new(const SessionContext *v) {
    Context *c = MEM_NEW(Context);
    c->session = *v;
    c->session.search_path = copy(v->search_path);
    c->session.role = copy(v->role);
    const char **names = v->ntemp_names ? mem_alloc(sizeof *names * (size_t)v->ntemp_names) : NULL;
    for (int i = 0; i < v->ntemp_names; i++)
        names[i] = mem_strdup(v->temp_names[i]);
    c->session.temp_names = names;
    return c;
}

Context *context_get(ContextTable *table, const SessionContext *values) {
    Buf key = {0};
    Context *c;
    write_key(&key, values);
    HASH_FIND(hh, table->contexts, buf_ptr(&key), buf_len(&key), c);
    if (!c) {
        c = context_new(values);
        c->number = ++table->last_number;
        c->key = mem_alloc(buf_len(&key));
        memcpy(c->key, buf_ptr(&key), buf_len(&key));
        HASH_ADD_KEYPTR(hh, table->contexts, c->key, buf_len(&key), c);
    }
    c->references++;
    buf_free(&key);
    return c;
}

void context_unref(ContextTable *table, Context *c) {
    if (!c || --c->references > 0)
        return;
    HASH_DEL(table->contexts, c);
    for (int i = 0; i < c->session.ntemp_names; i++)
        free((char *)(uintptr_t)c->session.temp_names[i]);
    free((void *)(uintptr_t)c->session.temp_names);
    free((char *)(uintptr_t)c->session.search_path);
    free((char *)(uintptr_t)c->session.role);
    free(c->key);
    free(c);
}
