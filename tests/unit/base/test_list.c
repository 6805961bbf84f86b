/* Lists: order, removal while walking, moving. */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct Item {
    int value;
    List link;
} Item;

/* The values as decimal digits, first to last. */
static int digits(List *head) {
    int all = 0;

    LIST_FOREACH(it, head)
    all = all * 10 + LIST_ENTRY(it, Item, link)->value;
    return all;
}

static void test_lists(void **state) {
    Item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    List head, other;

    (void)state;
    list_init(&head);
    list_init(&other);
    assert_true(list_is_empty(&head));
    assert_int_equal(digits(&head), 0);
    for (int i = 0; i < 4; i++)
        list_append(&head, &items[i].link);
    assert_int_equal(digits(&head), 1234);
    LIST_FOREACH(it, &head) {
        if (LIST_ENTRY(it, Item, link)->value % 2 == 0) {
            list_remove(it);
            list_append(&other, it);
        }
    }
    assert_int_equal(digits(&head), 13);
    assert_int_equal(digits(&other), 24);
    list_remove(&items[0].link);
    list_remove(&items[0].link);
    list_remove(&items[2].link);
    assert_true(list_is_empty(&head));
    assert_false(list_is_empty(&other));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
