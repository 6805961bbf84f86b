/* Intrusive doubly linked lists: the link lies in the object, so that an object moves between lists
 * without allocation. A list is a ring with its head as sentinel. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct List {
    struct List *prev;
    struct List *next;
} List;

#define LIST_ENTRY(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))
/* Walks a list; the current object may be removed. */
#define LIST_FOREACH(it, head)                                                                               \
    for (List *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

static inline void list_init(List *l) { l->prev = l->next = l; }
static inline bool list_is_empty(const List *head) { return head->next == head; }
static inline void list_append(List *head, List *link) {
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}
/* Takes a link out of whatever list it is in; harmless for one that is in none. */
static inline void list_remove(List *link) {
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

#endif
