/* Where a line of text or CSV ends.
 *
 * The first line decides which of the three line ends the data has; another one is an error from then on. A
 * backslash takes the next byte of text with it, a line end too. In CSV a line end inside quotes is data;
 * whether it is inside is told by counting quotes and escapes alone, without regard to fields.
 *
 * Where a decision needs bytes that have not come, nothing is changed, so that the call can be repeated. */
#include "wire/copy_internal.h"

typedef struct Line {
    CopySplitter *s;
    const CopyRowOptions *options;
    const uint8_t *data;
    size_t size;
    bool at_end;
} Line;

/* What a byte at some place turns out to be. */
typedef enum Found {
    FOUND_NOTHING, /* part of the line */
    FOUND_END,     /* a line end */
    FOUND_MARKER,
    FOUND_LAST, /* a backslash with nothing behind it at all */
    FOUND_INCOMPLETE,
    FOUND_BROKEN,
} Found;

static bool is_csv(const Line *line) { return line->options->format == COPY_ROW_CSV; }

static size_t skip_plain(const Line *line, size_t i) {
    const uint8_t quote = is_csv(line) ? (uint8_t)line->options->quote : '\n';
    const uint8_t escape = is_csv(line) ? (uint8_t)line->options->escape : '\n';

    for (; i < line->size; i++) {
        const uint8_t c = line->data[i];

        if (c == '\n' || c == '\r' || c == '\\' || c == quote || c == escape)
            break;
        line->s->last_was_escape = false;
    }
    return i;
}

/* A byte behind `i`, as far as the server sees it: NUL behind the end of all data. */
static Found peek(const Line *line, size_t i, uint8_t *c) {
    if (i >= line->size && !line->at_end)
        return FOUND_INCOMPLETE;
    *c = i < line->size ? line->data[i] : '\0';
    return FOUND_NOTHING;
}

/* "\." at `i`? *end: where it ends. */
static Found find_marker(const Line *line, size_t i, size_t *end) {
    const CopyLineEnd line_end = line->s->line_end;
    const Found otherwise = is_csv(line) ? FOUND_NOTHING : FOUND_BROKEN;
    uint8_t c;

    if (peek(line, i + 1, &c) == FOUND_INCOMPLETE)
        return FOUND_INCOMPLETE;
    if (i + 1 >= line->size)
        return FOUND_LAST;
    if (c != '.')
        return FOUND_NOTHING;
    i += 2;
    if (line_end == COPY_LINE_CRNL) {
        if (peek(line, i, &c) == FOUND_INCOMPLETE)
            return FOUND_INCOMPLETE;
        if (c != '\r')
            return otherwise;
        i++;
    }
    if (peek(line, i, &c) == FOUND_INCOMPLETE)
        return FOUND_INCOMPLETE;
    if (c != '\r' && c != '\n')
        return otherwise;
    if (line_end != COPY_LINE_UNKNOWN && c != (line_end == COPY_LINE_CR ? '\r' : '\n'))
        return FOUND_BROKEN;
    *end = i + 1;
    return FOUND_MARKER;
}

static Found find_return(const Line *line, size_t i, size_t *end) {
    CopyLineEnd *line_end = &line->s->line_end;
    uint8_t next;

    if (*line_end == COPY_LINE_NL)
        return FOUND_BROKEN;
    *end = i + 1;
    if (*line_end == COPY_LINE_CR)
        return FOUND_END;
    if (peek(line, i + 1, &next) == FOUND_INCOMPLETE)
        return FOUND_INCOMPLETE;
    if (next != '\n' && *line_end == COPY_LINE_CRNL)
        return FOUND_BROKEN;
    *line_end = next == '\n' ? COPY_LINE_CRNL : COPY_LINE_CR;
    *end = next == '\n' ? i + 2 : i + 1;
    return FOUND_END;
}

static Found find_newline(const Line *line, size_t i, size_t *end) {
    CopyLineEnd *line_end = &line->s->line_end;

    if (*line_end == COPY_LINE_CR || *line_end == COPY_LINE_CRNL)
        return FOUND_BROKEN;
    *line_end = COPY_LINE_NL;
    *end = i + 1;
    return FOUND_END;
}

static void follow_quotes(const Line *line, uint8_t c) {
    CopySplitter *s = line->s;
    const uint8_t quote = (uint8_t)line->options->quote, escape = (uint8_t)line->options->escape;
    const bool is_escape = escape != quote && c == escape;

    if (s->in_quote && is_escape)
        s->last_was_escape = !s->last_was_escape;
    if (c == quote && !s->last_was_escape)
        s->in_quote = !s->in_quote;
    if (!is_escape)
        s->last_was_escape = false;
    if (s->in_quote && c == (s->line_end == COPY_LINE_NL ? '\n' : '\r'))
        s->row_lines++;
}

/* The byte at `i`, which skip_plain has stopped at. *end: the next one to look at. */
static Found look_at(const Line *line, size_t i, size_t *end) {
    const uint8_t c = line->data[i];
    const bool may_be_marker = c == '\\' && (!is_csv(line) || (i == 0 && line->options->csv_marker));
    Found found = FOUND_NOTHING;

    *end = i + 1;
    if (is_csv(line) && (c == '\r' || c == '\\') && i + 1 >= line->size && !line->at_end)
        return FOUND_INCOMPLETE;
    if (may_be_marker) {
        found = find_marker(line, i, end);
        if (found != FOUND_NOTHING)
            return found;
        if (!is_csv(line))
            *end = i + 2;
    }
    if (is_csv(line))
        follow_quotes(line, c);
    if (line->s->in_quote)
        return FOUND_NOTHING;
    if (c == '\r')
        return find_return(line, i, end);
    return c == '\n' ? find_newline(line, i, end) : FOUND_NOTHING;
}

static CopyRow make(const Line *line, CopyRowKind kind, size_t content, size_t size, CopyLineEnd line_end) {
    line->s->row_lines++;
    return (CopyRow){kind, size, {(const char *)line->data, content}, line_end};
}

static CopyRow end_of_data(const Line *line) {
    if (!line->at_end)
        return (CopyRow){.kind = COPY_ROW_INCOMPLETE};
    if (line->s->in_quote)
        return (CopyRow){.kind = COPY_ROW_BROKEN};
    return make(line, line->size > 0 ? COPY_ROW_DATA : COPY_ROW_END, line->size, line->size,
                COPY_LINE_UNKNOWN);
}

CopyRow copy_line_next(CopySplitter *s, const CopyRowOptions *options, const uint8_t *data, size_t size,
                       bool at_end) {
    const Line line = {s, options, data, size, at_end};
    size_t i, end;

    for (;;) {
        i = s->scanned = skip_plain(&line, s->scanned);
        if (i >= size)
            return end_of_data(&line);
        switch (look_at(&line, i, &end)) {
        case FOUND_NOTHING:
            s->scanned = end;
            break;
        case FOUND_END:
            return make(&line, COPY_ROW_DATA, i, end, s->line_end);
        case FOUND_MARKER:
            s->ended = true;
            return make(&line, i > 0 ? COPY_ROW_DATA : COPY_ROW_END, i, end, COPY_LINE_UNKNOWN);
        case FOUND_LAST:
            /* The server drops a backslash that nothing follows; in CSV it is data. */
            return make(&line, COPY_ROW_DATA, is_csv(&line) ? size : i, size, COPY_LINE_UNKNOWN);
        case FOUND_INCOMPLETE:
            return (CopyRow){.kind = COPY_ROW_INCOMPLETE};
        case FOUND_BROKEN:
            return (CopyRow){.kind = COPY_ROW_BROKEN};
        }
    }
}
