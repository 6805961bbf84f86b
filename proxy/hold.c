/* The list of the sessions that hold, and what ends it. */
#include "proxy/hold.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#include "proxy/proxy.h"
#include "proxy/session.h"

void hold_list_init(HoldList *list) {
    pthread_mutex_init(&list->lock, NULL);
    list_init(&list->holds);
}

void hold_list_free(HoldList *list) { pthread_mutex_destroy(&list->lock); }

static void begin(Session *s) {
    HoldList *list = &s->worker->proxy->held;
    s->hold.since = s->worker->now;
    s->worker->holding++;
    pthread_mutex_lock(&list->lock);
    s->hold.cancelled = false;
    list_append(&list->holds, &s->hold.link);
    pthread_mutex_unlock(&list->lock);
}

void hold_release(Session *s) {
    HoldList *list = &s->worker->proxy->held;
    if (!s->hold.since)
        return;
    s->hold.since = 0;
    s->worker->holding--;
    pthread_mutex_lock(&list->lock);
    list_remove(&s->hold.link);
    pthread_mutex_unlock(&list->lock);
}

bool hold_is_cancelled(Session *s) {
    HoldList *list = &s->worker->proxy->held;
    pthread_mutex_lock(&list->lock);
    bool cancelled = s->hold.cancelled;
    pthread_mutex_unlock(&list->lock);
    return cancelled;
}

void hold_watch(Session *s) {
    HoldList *list = &s->worker->proxy->held;
    pthread_mutex_lock(&list->lock);
    s->hold.watched = true;
    s->hold.cancelled = false;
    list_append(&list->holds, &s->hold.link);
    pthread_mutex_unlock(&list->lock);
}

void hold_unwatch(Session *s) {
    HoldList *list = &s->worker->proxy->held;
    if (!s->hold.watched)
        return;
    pthread_mutex_lock(&list->lock);
    s->hold.watched = false;
    list_remove(&s->hold.link);
    pthread_mutex_unlock(&list->lock);
}

bool hold_statement(Session *s, Error **refusal) {
    uint64_t timeout_ns = (uint64_t)s->worker->runtime->config->hold_timeout * 1000000;
    if (timeout_ns == 0)
        return false;
    if (!s->hold.since)
        begin(s);
    bool cancelled = hold_is_cancelled(s);
    if (!cancelled && s->worker->now - s->hold.since < timeout_ns) {
        free(*refusal);
        *refusal = NULL;
        return true;
    }
    if (cancelled)
        error_set(*refusal, SQLSTATE_QUERY_CANCELED, "canceling statement due to user request");
    hold_release(s);
    return false;
}

bool hold_for_now(Session *s) {
    if (!s->hold.since)
        begin(s);
    if (!hold_is_cancelled(s))
        return true;
    hold_release(s);
    return false;
}

void hold_retry(Worker *w) {
    for (List *it = w->sessions.next, *next; w->holding > 0 && it != &w->sessions; it = next) {
        Session *s = LIST_ENTRY(it, Session, link);
        next = it->next;
        if (!s->hold.since)
            continue;
        session_flush_held(s);
        if (!s->later) /* the server skips it, or it has been sent */
            hold_release(s);
    }
}

/* Without a hint, in its time, at how much of the key is right. */
static bool is_for(const Session *s, uint32_t pid, Str key) {
    Str own = {(const char *)buf_ptr(&s->server_key), buf_len(&s->server_key)};
    return s->server_pid == pid && own.len == key.len && CRYPTO_memcmp(own.ptr, key.ptr, key.len) == 0;
}

bool hold_cancel(HoldList *list, uint32_t pid, Str key) {
    bool found = false;
    pthread_mutex_lock(&list->lock);
    LIST_FOREACH(it, &list->holds) {
        Session *s = LIST_ENTRY(it, Session, hold.link);
        if (!is_for(s, pid, key))
            continue;
        s->hold.cancelled = true;
        if (s->hold.watched)
            continue;
        found = true;
        uv_async_send(&s->worker->wake); /* it runs as long as it has a session */
    }
    pthread_mutex_unlock(&list->lock);
    return found;
}
