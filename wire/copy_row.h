/* The rows of COPY FROM STDIN, read as the server reads them and written out with one field more.
 *
 * The data is a stream of bytes; how CopyData messages cut it means nothing. A splitter finds where a row
 * ends in what has come so far, by the server's own rules for text, CSV and binary, so that the rest of the
 * program deals in whole rows. What the server would refuse is not refused here: it is passed on as it is,
 * with all that follows, for the server to say what is wrong.
 *
 * The delimiter, quotes and line ends are single bytes: right for encodings in which no byte below 0x80 is
 * part of a longer character. (PostgreSQL documentation, COPY, "File Formats".) */
#ifndef WIRE_COPY_ROW_H
#define WIRE_COPY_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/str.h"

typedef enum CopyRowFormat { COPY_ROW_TEXT, COPY_ROW_CSV, COPY_ROW_BINARY } CopyRowFormat;

typedef struct CopyRowOptions {
    CopyRowFormat format;
    char delimiter;
    char quote, escape; /* CSV */
    Str null_text;      /* text, CSV */
    bool header;        /* text, CSV: the first line holds names */
    bool csv_marker;    /* CSV: a line of "\." alone ends the data, as it does up to PostgreSQL 17 */
} CopyRowOptions;

typedef enum CopyLineEnd { COPY_LINE_UNKNOWN, COPY_LINE_NL, COPY_LINE_CR, COPY_LINE_CRNL } CopyLineEnd;

/* What is known of the stream behind the rows that were taken. Zeroed at the beginning. */
typedef struct CopySplitter {
    CopyLineEnd line_end;
    bool begun;     /* the header has been taken, if there is one */
    bool ended;     /* behind the end marker: nothing counts any more */
    uint64_t lines; /* that the rows taken so far consist of, as the server counts for its CONTEXT */
    /* Within the row at the front of the data: */
    size_t scanned;
    uint64_t row_lines;
    bool in_quote;
    bool last_was_escape;
} CopySplitter;

typedef enum CopyRowKind {
    COPY_ROW_INCOMPLETE, /* more bytes are needed; nothing is taken */
    COPY_ROW_DATA,
    COPY_ROW_HEADER, /* the line of names; binary: signature, flags, extension */
    COPY_ROW_END,    /* the end marker or trailer, or the end of the data: nothing more counts */
    COPY_ROW_BROKEN, /* the server will refuse the data from here on; nothing is taken */
} CopyRowKind;

typedef struct CopyRow {
    CopyRowKind kind;
    size_t size;          /* bytes that it takes of the data, line end included */
    Str content;          /* without the line end or the marker behind it */
    CopyLineEnd line_end; /* UNKNOWN: it ends with the data, or with a marker */
} CopyRow;

/* Takes the row at the front of `data`. As long as INCOMPLETE is returned, the next call gets the same bytes
 * with more behind them; after anything else, those behind row.size. `at_end`: no more will come. */
CopyRow copy_row_next(CopySplitter *splitter, const CopyRowOptions *options, const uint8_t *data, size_t size,
                      bool at_end) MUST_USE;

typedef struct CopyField {
    Str value;   /* without escapes and quotes */
    bool null;   /* it is the null text as it stands; of binary, it has no value */
    bool quoted; /* CSV */
} CopyField;

/* Reads the fields of a row of kind DATA, or of a text or CSV header. wanted[i] is the position, from 0, of
 * the field that goes to fields[i]; one that the row lacks is NULL. The values lie in `row` or in `scratch`,
 * which is cleared first. Returns how many fields the row has; -1 if the server will find no fields in it
 * (CSV: an open quote; binary: lengths that do not add up). */
int copy_row_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted, CopyField *fields,
                    Buf *scratch) MUST_USE;

/* Appends a further field as it stands in a row, with the delimiter or length before it. ptr NULL is NULL. */
void copy_row_put_field(Buf *out, const CopyRowOptions *options, Str value);

/* Appends a row (DATA, or a text or CSV HEADER) with `field`, which copy_row_put_field has made, at its end.
 * An empty one leaves the row as it was. */
void copy_row_put(Buf *out, const CopyRowOptions *options, const CopyRow *row, Str field);

/* Appends what a file must begin and end with: nothing, but for binary. */
void copy_row_put_begin(Buf *out, const CopyRowOptions *options);
void copy_row_put_end(Buf *out, const CopyRowOptions *options);

#endif
