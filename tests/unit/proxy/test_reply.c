/* The queue of expected replies: order over growth and wrapping, and what a reply holds is let go with it. */
#include "proxy/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void starts_empty(void **state) {
    ReplyQueue q = {0};

    (void)state;
    assert_true(reply_none(&q));
    assert_null(reply_head(&q));
    reply_free(&q);
    reply_free(&q);
}

static void a_reply_is_empty_at_first(void **state) {
    ReplyQueue q = {0};

    (void)state;
    /* Also where another one lay before. */
    for (int i = 0; i < 20; i++) {
        Reply *r = reply_push(&q, REPLY_BIND);
        assert_int_equal(r->kind, REPLY_BIND);
        assert_false(r->swallow || r->failed);
        assert_int_equal(r->started, 0);
        assert_int_equal(r->statement, 0);
        assert_null(r->plan);
        assert_null(r->refusal);
        *r = (Reply){.kind = REPLY_BIND, .swallow = true, .failed = true, .statement = 3, .started = 4};
        reply_pop(&q);
    }
    reply_free(&q);
}

/* Pushes and pops in waves of these sizes, and looks at every place each time. */
static void keeps_order(void **state) {
    static const unsigned WAVES[][2] = {
        {1, 1},     {3, 1},  {7, 5},   {8, 8},       {9, 3}, {20, 17},
        {200, 100}, {1, 90}, {40, 61}, {1000, 1000}, {5, 5}, {70, 70},
    };
    ReplyQueue q = {0};
    uint64_t pushed = 0, popped = 0;

    (void)state;
    for (size_t wave = 0; wave < ARRAY_LEN(WAVES); wave++) {
        for (unsigned i = 0; i < WAVES[wave][0]; i++)
            reply_push(&q, (ReplyKind)(pushed % 10))->started = pushed, pushed++;
        for (uint32_t i = 0; i < q.count; i++) {
            assert_int_equal(reply_at(&q, i)->started, popped + i);
            assert_int_equal(reply_at(&q, i)->kind, (popped + i) % 10);
        }
        for (unsigned i = 0; i < WAVES[wave][1] && !reply_none(&q); i++) {
            assert_int_equal(reply_head(&q)->started, popped);
            reply_pop(&q);
            popped++;
        }
        assert_int_equal(q.pushed, pushed);
        assert_int_equal(q.popped, popped);
        assert_int_equal(q.count, pushed - popped);
    }
    reply_free(&q);
}

static void gives_memory_back(void **state) {
    ReplyQueue q = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_non_null(reply_push(&q, REPLY_PARSE));
    for (int i = 0; i < 10000; i++)
        reply_pop(&q);
    assert_null(q.items);
    assert_int_equal(reply_push(&q, REPLY_SYNC)->kind, REPLY_SYNC);
    assert_int_equal(reply_head(&q)->kind, REPLY_SYNC);
    reply_free(&q);
}

static void lets_go_of_what_it_holds(void **state) {
    /* Never counted down to nothing, so that they are not freed. */
    Plan plan = {.references = 100};
    Rewritten rewritten = {.references = 100};
    Prepared *p = prepared_new(STR_LIT("a"), STR_LIT("SELECT 1"), NULL, 0);
    Prepared *displaced = prepared_new(STR_LIT("a"), STR_LIT("SELECT 2"), NULL, 0);
    ReplyQueue q = {0};

    (void)state;
    for (int i = 0; i < 3; i++) {
        Reply *r = reply_push(&q, REPLY_PARSE);
        r->plan = plan_ref(&plan);
        r->rewritten = rewritten_ref(&rewritten);
        r->prepared = prepared_ref(p);
        r->displaced = prepared_ref(displaced);
        r->refusal = MEM_NEW(Error);
    }
    reply_pop(&q);
    assert_int_equal(plan.references, 102);
    assert_int_equal(rewritten.references, 102);
    assert_int_equal(p->references, 3);
    assert_int_equal(displaced->references, 3);
    reply_free(&q);
    assert_int_equal(plan.references, 100);
    assert_int_equal(rewritten.references, 100);
    assert_int_equal(p->references, 1);
    assert_int_equal(displaced->references, 1);
    assert_true(reply_none(&q));
    prepared_unref(p);
    prepared_unref(displaced);
}

static Buf text(const char *s) {
    Buf b = {0};
    buf_append_cstr(&b, s);
    return b;
}

/* A notice is taken once, from the head alone, and goes with a reply that is skipped. */
static void a_notice_goes_with_its_reply(void **state) {
    ReplyQueue q = {0};

    (void)state;
    for (int i = 0; i < 40; i++) {
        Buf b = text("notice");
        reply_push(&q, REPLY_QUERY);
        if (i % 2)
            reply_give_notice(&q, (uint32_t)i, &b);
        else
            buf_free(&b);
        assert_int_equal(buf_len(&b), 0);
    }
    assert_int_equal(q.notices, 20);
    for (int i = 0; i < 30; i++) {
        if (i % 4 == 1) {
            Buf *notice = reply_take_notice(&q);
            assert_int_equal(buf_len(notice), 6);
            buf_free(notice);
            free(notice);
        }
        if (i % 2 == 0 || i % 4 == 1)
            assert_null(reply_take_notice(&q));
        reply_pop(&q);
    }
    assert_int_equal(q.notices, 5);
    reply_free(&q);
    assert_int_equal(q.notices, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(a_reply_is_empty_at_first),
        cmocka_unit_test(keeps_order),
        cmocka_unit_test(gives_memory_back),
        cmocka_unit_test(lets_go_of_what_it_holds),
        cmocka_unit_test(a_notice_goes_with_its_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
