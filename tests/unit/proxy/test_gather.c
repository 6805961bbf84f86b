/* Batches on their way to a stream: every byte arrives once and in order, whatever the mixture of ranges and
 * copies. */
#include "proxy/gather.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

typedef struct Pair {
    uv_loop_t loop;
    Stream stream;
    StreamBuffers buffers;
    int peer; /* the other end of the stream's socket, read without blocking */
    bool closed;
    int drained;
    Buf own;
    Buf expected;
    Buf received;
} Pair;

static void on_read(Stream *stream, const uint8_t *data, size_t size) {
    (void)stream;
    (void)data;
    (void)size;
}

static void on_end(Stream *stream, const char *failure) {
    (void)stream;
    (void)failure;
}

static void on_drain(Stream *stream) { ((Pair *)stream->owner)->drained++; }

static void on_closed(Stream *stream) { ((Pair *)stream->owner)->closed = true; }

static const StreamCallbacks CALLBACKS = {on_read, on_end, on_drain, on_closed};

static int set_up(void **state) {
    static Pair pair;
    int fds[2];

    memset(&pair, 0, sizeof pair);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    pair.peer = fds[1];
    assert_int_equal(uv_loop_init(&pair.loop), 0);
    stream_init(&pair.stream, &CALLBACKS, &pair.buffers, &pair);
    stream_open(&pair.stream, &pair.loop, fds[0]);
    *state = &pair;
    return 0;
}

static int tear_down(void **state) {
    Pair *p = *state;

    stream_close(&p->stream);
    uv_run(&p->loop, UV_RUN_DEFAULT);
    assert_true(p->closed);
    assert_int_equal(uv_loop_close(&p->loop), 0);
    close(p->peer);
    buf_free(&p->own);
    buf_free(&p->expected);
    buf_free(&p->received);
    return 0;
}

/* Reads until everything that was expected is there, and runs the loop as long as the stream has more to
 * send. */
static void receive(Pair *p) {
    uint8_t bytes[65536];

    for (int idle = 0; buf_len(&p->received) < buf_len(&p->expected) && idle < 1000;) {
        ssize_t n = read(p->peer, bytes, sizeof bytes);
        if (n > 0)
            buf_append(&p->received, bytes, (size_t)n);
        else
            idle++;
        uv_run(&p->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(buf_len(&p->received), buf_len(&p->expected));
    assert_memory_equal(buf_ptr(&p->received), buf_ptr(&p->expected), buf_len(&p->expected));
    assert_true(read(p->peer, bytes, sizeof bytes) < 0); /* and no byte more */
    assert_int_equal(stream_backlog(&p->stream), 0);
}

static void range(Pair *p, Gather *g, const uint8_t *data, size_t size) {
    gather_range(g, data, size);
    buf_append(&p->expected, data, size);
}

static void copy(Pair *p, Gather *g, const uint8_t *data, size_t size) {
    uint8_t *passing = malloc(size); /* gone when the batch is sent */

    memcpy(passing, data, size);
    gather_copy(g, passing, size);
    memset(passing, '!', size);
    free(passing);
    buf_append(&p->expected, data, size);
}

static void neighbours_are_one_piece(void **state) {
    Pair *p = *state;
    Gather g;
    uint8_t text[] = "one message and its neighbours";

    gather_begin(&g, &p->stream, &p->own);
    range(p, &g, text, 3);
    range(p, &g, text + 3, 0);
    range(p, &g, text + 3, 9);
    range(p, &g, text + 12, 4);
    assert_int_equal(g.npieces, 1);
    range(p, &g, text + 17, 3); /* a byte is left out between */
    assert_int_equal(g.npieces, 2);
    range(p, &g, text, 2); /* backwards */
    assert_int_equal(g.npieces, 3);
    gather_flush(&g);
    assert_int_equal(g.npieces, 0);
    receive(p);
}

static void nothing_is_sent_for_nothing(void **state) {
    Pair *p = *state;
    Gather g;
    uint8_t byte;

    gather_begin(&g, &p->stream, &p->own);
    gather_flush(&g);
    gather_range(&g, NULL, 0);
    assert_int_equal(g.npieces, 0);
    gather_flush(&g);
    assert_true(read(p->peer, &byte, 1) < 0);
}

static void more_pieces_than_fit(void **state) {
    Pair *p = *state;
    Gather g;
    uint8_t text[4 * GATHER_PIECES];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)i;
    gather_begin(&g, &p->stream, &p->own);
    for (size_t i = 0; i < sizeof text; i += 2) /* no two are neighbours */
        range(p, &g, text + i, 1);
    assert_true(g.npieces <= GATHER_PIECES);
    gather_flush(&g);
    receive(p);
}

/* Copies force the buffer to grow while pieces point into it. */
static void copies_and_ranges(void **state) {
    static const size_t SIZES[] = {1, 5, 4095, 1, 4096, 10, 100000, 7, 70000, 200000, 3};
    Pair *p = *state;
    Gather g;
    uint8_t *text = malloc(300000);

    for (size_t i = 0; i < 300000; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    gather_begin(&g, &p->stream, &p->own);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < ARRAY_LEN(SIZES); i++) {
            range(p, &g, text + i, 3 + i);
            copy(p, &g, text + i * 10, SIZES[i]);
            if (i % 2)
                copy(p, &g, text + i * 11, SIZES[i]);
        }
    gather_flush(&g);
    assert_int_equal(buf_len(&p->own), 0);
    memset(text, 0, 300000); /* what the socket did not take was kept */
    receive(p);
    assert_true(p->drained > 0);
    free(text);
}

/* A batch behind one that the socket did not take whole. */
static void batches_keep_their_order(void **state) {
    Pair *p = *state;
    Gather g;
    uint8_t text[1000];

    for (unsigned batch = 0; batch < 600; batch++) {
        memset(text, (int)batch, sizeof text);
        gather_begin(&g, &p->stream, &p->own);
        range(p, &g, text, 500 + batch % 500);
        copy(p, &g, text, 1 + batch % 50);
        gather_flush(&g);
    }
    assert_true(stream_backlog(&p->stream) > 0);
    receive(p);
    gather_begin(&g, &p->stream, &p->own);
    range(p, &g, text, 10);
    gather_flush(&g);
    assert_int_equal(stream_backlog(&p->stream), 0);
    receive(p);
}

/* Into a stream that is closed meanwhile: nothing is kept, nothing is touched. */
static void a_closed_stream_takes_nothing(void **state) {
    Pair *p = *state;
    Gather g;
    uint8_t text[] = "late";

    gather_begin(&g, &p->stream, &p->own);
    gather_copy(&g, text, 4);
    stream_close(&p->stream);
    gather_range(&g, text, 4);
    gather_flush(&g);
    assert_int_equal(stream_backlog(&p->stream), 0);
    assert_int_equal(g.npieces, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(neighbours_are_one_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_sent_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_pieces_than_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_and_ranges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(batches_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_closed_stream_takes_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
