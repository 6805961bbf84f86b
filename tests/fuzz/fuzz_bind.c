/* Fuzzes the rewriting of Bind: what is taken apart and put together with values behind it reads as before,
 * and then the values. */
#include <stdlib.h>

#include "base/mem.h"
#include "wire/bind.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static bool within(Str part, Str whole) {
    return part.ptr >= whole.ptr && part.len <= whole.len &&
           (size_t)(part.ptr - whole.ptr) <= whole.len - part.len;
}

static void require_same(const BindParam *a, const BindParam *b) {
    require(a->binary == b->binary && !a->bytes.ptr == !b->bytes.ptr && str_eq(a->bytes, b->bytes));
}

static void check(const BindMessage *msg, Str payload, int nvalues, Arena *arena) {
    const Str values[] = {STR_LIT("5"), STR_NONE, STR_LIT(""),
                          STR_LIT("00000000-0000-0000-0000-000000000001")};
    const BindParam *before = bind_params(msg, arena), *after;
    BindMessage again;
    Buf out = {0};
    Error err;

    for (int i = 0; i < msg->nparams; i++)
        require(!before[i].bytes.ptr || within(before[i].bytes, payload));
    bind_put_extended(&out, msg, values, nvalues);
    require(bind_decode((Str){(char *)buf_ptr(&out) + FRAME_HEADER_BYTES, buf_len(&out) - FRAME_HEADER_BYTES},
                        &again, &err));
    require(str_eq(again.portal, msg->portal) && str_eq(again.statement, msg->statement));
    require(str_eq(again.results, msg->results));
    require(again.nparams == msg->nparams + nvalues);
    after = bind_params(&again, arena);
    for (int i = 0; i < msg->nparams; i++)
        require_same(&before[i], &after[i]);
    for (int i = 0; i < nvalues; i++)
        require_same(&(BindParam){values[i], false}, &after[msg->nparams + i]);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena;
    BindMessage msg;
    Error err;
    char *copy;

    if (size == 0)
        return 0;
    /* In a block of exactly its size, so that a read behind it is seen. */
    copy = mem_alloc(size - 1);
    if (size > 1)
        memcpy(copy, data + 1, size - 1);
    arena = arena_new();
    if (bind_decode((Str){copy, size - 1}, &msg, &err) && msg.nparams <= 65535 - 4)
        check(&msg, (Str){copy, size - 1}, data[0] % 5, arena);
    arena_free(arena);
    free(copy);
    return 0;
}
