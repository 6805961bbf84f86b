/* The binary format: signature, flags and extension; tuples, each a count of fields with their lengths; a
 * count of -1 as trailer. */
#include <arpa/inet.h>
#include <string.h>

#include "wire/copy_internal.h"
#include "wire/reader.h"

static const char signature[11] = "PGCOPY\n\377\r\n"; /* with its NUL */

#define FLAGS_CRITICAL 0xffff0000u /* those that a reader must understand: none is in use */
#define COUNT_TRAILER 0xffffu
#define LENGTH_NULL 0xffffffffu
#define LENGTH_MAX 0x7fffffffu

static const CopyRow incomplete = {.kind = COPY_ROW_INCOMPLETE};
static const CopyRow broken = {.kind = COPY_ROW_BROKEN};

/* What the server says of data that ends too early is its own business. */
static CopyRow more(bool at_end) { return at_end ? broken : incomplete; }

static CopyRow take(Str data, size_t size, CopyRowKind kind) {
    return (CopyRow){.kind = kind, .size = size, .content = {data.ptr, size}};
}

static CopyRow next_header(Str data, bool at_end) {
    Str rest = data, start;
    uint32_t flags, extension;
    const size_t have = data.len < sizeof(signature) ? data.len : sizeof(signature);

    if (have > 0 && memcmp(data.ptr, signature, have) != 0)
        return broken;
    if (!reader_take_bytes(&rest, sizeof(signature), &start) || !reader_take_u32(&rest, &flags))
        return more(at_end);
    if (flags & FLAGS_CRITICAL)
        return broken;
    if (!reader_take_u32(&rest, &extension))
        return more(at_end);
    if (extension > LENGTH_MAX)
        return broken;
    if (rest.len < extension)
        return more(at_end);
    return take(data, data.len - rest.len + extension, COPY_ROW_HEADER);
}

static CopyRow next_tuple(CopySplitter *s, Str data, bool at_end) {
    Str rest = data;
    uint16_t count, left;

    if (!reader_take_u16(&rest, &count))
        return data.len == 0 && at_end ? take(data, 0, COPY_ROW_END) : more(at_end);
    if (count == COUNT_TRAILER) {
        /* The server complains of anything behind it. */
        if (rest.len == 0 && !at_end)
            return incomplete;
        return rest.len > 0 ? broken : take(data, data.len, COPY_ROW_END);
    }
    if (count > INT16_MAX)
        return broken;
    for (left = count; left > 0; left--) {
        uint32_t length;

        if (!reader_take_u32(&rest, &length))
            return more(at_end);
        if (length == LENGTH_NULL)
            continue;
        if (length > LENGTH_MAX)
            return broken;
        if (rest.len < length)
            return more(at_end);
        rest = (Str){rest.ptr + length, rest.len - length};
    }
    s->row_lines = 1;
    return take(data, data.len - rest.len, COPY_ROW_DATA);
}

CopyRow copy_binary_next(CopySplitter *s, const CopyRowOptions *options, const uint8_t *data, size_t size,
                         bool at_end) {
    const Str bytes = {(const char *)data, size};

    (void)options;
    return s->begun ? next_tuple(s, bytes, at_end) : next_header(bytes, at_end);
}

int copy_binary_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted,
                       CopyField *fields, Buf *scratch) {
    Str rest = row;
    uint16_t count;

    (void)options;
    (void)scratch;
    if (!reader_take_u16(&rest, &count))
        return -1;
    for (int n = 0; n < (int)count; n++) {
        CopyField field = {.null = true};
        uint32_t length;

        if (!reader_take_u32(&rest, &length))
            return -1;
        if (length != LENGTH_NULL) {
            if (!reader_take_bytes(&rest, length, &field.value))
                return -1;
            field.null = false;
        }
        copy_give_field(wanted, nwanted, fields, n, field);
    }
    return (int)count;
}

void copy_binary_put_field(Buf *out, const CopyRowOptions *options, Str value) {
    (void)options;
    buf_put_u32(out, value.ptr ? (uint32_t)value.len : LENGTH_NULL);
    if (value.ptr)
        buf_append_str(out, value);
}

void copy_binary_put_row(Buf *out, Str row, Str field) {
    uint16_t count;

    memcpy(&count, row.ptr, sizeof(count));
    buf_put_u16(out, (uint16_t)(ntohs(count) + (field.len > 0 ? 1 : 0)));
    buf_append(out, row.ptr + sizeof(count), row.len - sizeof(count));
    buf_append_str(out, field);
}

void copy_binary_put_begin(Buf *out) {
    buf_append(out, signature, sizeof(signature));
    buf_put_u32(out, 0);
    buf_put_u32(out, 0);
}

void copy_binary_put_end(Buf *out) { buf_put_u16(out, COUNT_TRAILER); }
