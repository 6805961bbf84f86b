/* Fuzzes what a client sends: startup packets, then messages. Whatever is accepted and can be encoded must
 * encode to the bytes that it came from. */
#include <stdlib.h>

#include "base/mem.h"
#include "wire/frontend.h"
#include "wire/startup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

/* In a block of exactly its size, so that a read behind it is seen. The caller frees ptr. */
static Str exact_copy(const uint8_t *data, size_t size) {
    char *copy = mem_alloc(size);

    if (size > 0)
        memcpy(copy, data, size);
    return (Str){copy, size};
}

static bool within(Str part, Str whole) {
    return part.ptr >= whole.ptr && part.len <= whole.len &&
           (size_t)(part.ptr - whole.ptr) <= whole.len - part.len;
}

static void require_same(Buf *encoded, Str original) {
    require(str_eq((Str){(char *)buf_ptr(encoded), buf_len(encoded)}, original));
    buf_clear(encoded);
}

static void walk_options(Str options) {
    size_t cursor = 0, before = 0;
    Buf scratch = {0};
    Str name, value;

    while (startup_next_option(options, &cursor, &scratch, &name, &value)) {
        require(cursor > before && cursor <= options.len);
        require(strlen(name.ptr) == name.len && strlen(value.ptr) == value.len);
        before = cursor;
    }
    require(cursor <= options.len);
    buf_free(&scratch);
}

static void check_session(const Startup *startup, Str packet) {
    static const char *const overrides[] = {"user", "other", "options", NULL, NULL};
    Buf encoded = {0};
    size_t cursor = 0;
    Str name, value;
    Startup again;
    Error err;

    while (startup_next_param(startup, &cursor, &name, &value))
        require(within(name, startup->params) && within(value, startup->params) && name.len > 0);
    require(cursor == startup->params.len);
    walk_options(startup_param(startup, "options"));
    startup_encode(&encoded, startup, NULL);
    require_same(&encoded, packet);
    startup_encode(&encoded, startup, overrides);
    if (startup_decode(buf_ptr(&encoded), buf_len(&encoded), &again, &err) == WIRE_OK) {
        require(str_is(startup_param(&again, "user"), "other"));
        require(!startup_param(&again, "options").ptr);
    } else {
        require(buf_len(&encoded) > STARTUP_MAX_BYTES);
    }
    buf_free(&encoded);
}

/* Returns the size of the packet at the front, 0 for none. */
static size_t check_startup(const uint8_t *data, size_t size) {
    Str packet = exact_copy(data, size);
    Buf encoded = {0};
    Startup startup;
    Error err;

    if (startup_decode((const uint8_t *)packet.ptr, size, &startup, &err) != WIRE_OK) {
        free((char *)packet.ptr);
        return 0;
    }
    require(startup.size <= size);
    packet.len = startup.size;
    if (startup.kind == STARTUP_SESSION)
        check_session(&startup, packet);
    if (startup.kind == STARTUP_CANCEL)
        startup_encode_cancel(&encoded, startup.cancel_pid, startup.cancel_key);
    if (startup.kind == STARTUP_SSL)
        startup_encode_ssl_request(&encoded);
    if (buf_len(&encoded) > 0)
        require_same(&encoded, packet);
    buf_free(&encoded);
    free((char *)packet.ptr);
    return startup.size;
}

/* Appends what the payload decodes to; nothing if it is refused or has no encoder. */
static void encode_again(Buf *encoded, char type, Str payload) {
    ParseMessage parse;
    NamedMessage named;
    ExecuteMessage execute;
    Str query, portal;
    Error err;

    if (type == FE_QUERY && frontend_query(payload, &query, &err)) {
        require(query.ptr[query.len] == '\0');
        frontend_put_query(encoded, query);
    } else if (type == FE_PARSE && frontend_parse(payload, &parse, &err)) {
        require(parse.query.ptr[parse.query.len] == '\0');
        frontend_put_parse(encoded, parse.name, parse.query, parse.params, parse.nparams);
    } else if (type == FE_DESCRIBE && frontend_named(payload, &named, &err)) {
        frontend_put_describe(encoded, named.kind, named.name);
    } else if (type == FE_CLOSE && frontend_named(payload, &named, &err)) {
        frontend_put_close(encoded, named.kind, named.name);
    } else if (type == FE_EXECUTE && frontend_execute(payload, &execute, &err)) {
        require(within(execute.portal, payload));
    } else if (type == FE_BIND && frontend_bind_names(payload, &portal, &query) == WIRE_OK) {
        require(within(portal, payload) && within(query, payload));
    }
}

/* Returns the size of the message at the front, 0 for none. */
static size_t check_message(const uint8_t *data, size_t size) {
    Buf encoded = {0};
    Frame frame;
    Error err;
    size_t whole;
    Str payload;

    if (frame_decode_frontend(data, size, &frame, &err) != WIRE_OK)
        return 0;
    whole = FRAME_HEADER_BYTES + (size_t)frame.length;
    if (whole > size) {
        /* A Bind is looked into before all of it is there. */
        payload = exact_copy(data + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES);
        encode_again(&encoded, frame.type == FE_BIND ? FE_BIND : '\0', payload);
        free((char *)payload.ptr);
        return 0;
    }
    payload = exact_copy(data + FRAME_HEADER_BYTES, frame.length);
    encode_again(&encoded, frame.type, payload);
    if (buf_len(&encoded) > 0)
        require_same(&encoded, (Str){(const char *)data, whole});
    buf_free(&encoded);
    free((char *)payload.ptr);
    return whole;
}

/* An odd first byte leaves the startup packet out. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    size_t at = size > 0, n;

    if (size > 0 && data[0] % 2 == 0)
        at += check_startup(data + at, size - at);
    do {
        n = check_message(data + at, size - at);
        at += n;
    } while (n > 0);
    return 0;
}
