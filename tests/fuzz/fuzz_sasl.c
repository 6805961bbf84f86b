/* Fuzzes what the proxy does to the authentication that passes through it: a mechanism is taken out of the
 * server's offer, and the others stay. */
#include <stdlib.h>

#include "base/mem.h"
#include "wire/backend.h"
#include "wire/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void check(Str payload, const char *mechanism) {
    static const char *const others[] = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "OAUTHBEARER", ""};
    uint32_t before, after;
    Buf out = {0};
    Error err;
    Str rest;

    backend_put_sasl_without(&out, payload, mechanism);
    rest = (Str){(char *)buf_ptr(&out) + FRAME_HEADER_BYTES, buf_len(&out) - FRAME_HEADER_BYTES};
    require(backend_authentication(rest, &after, &err));
    require(!backend_authentication(payload, &before, &err) || before == after);
    require(!backend_sasl_offers(rest, mechanism));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (after == AUTH_SASL && strcmp(others[i], mechanism) != 0)
            require(backend_sasl_offers(rest, others[i]) == backend_sasl_offers(payload, others[i]));
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = mem_alloc(size);

    if (size > 0)
        memcpy(copy, data, size);
    check((Str){copy, size}, "SCRAM-SHA-256-PLUS");
    check((Str){copy, size}, "SCRAM-SHA-256");
    free(copy);
    return 0;
}
