/* What the files of the COPY codec share: one row of functions for each format. */
#ifndef WIRE_COPY_INTERNAL_H
#define WIRE_COPY_INTERNAL_H

#include "wire/copy_row.h"

/* copy_line.c: text and CSV */
CopyRow copy_line_next(CopySplitter *splitter, const CopyRowOptions *options, const uint8_t *data,
                       size_t size, bool at_end) MUST_USE;

/* copy_text.c */
int copy_text_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted,
                     CopyField *fields, Buf *scratch) MUST_USE;
void copy_text_put_field(Buf *out, const CopyRowOptions *options, Str value);

/* copy_csv.c */
int copy_csv_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted, CopyField *fields,
                    Buf *scratch) MUST_USE;
void copy_csv_put_field(Buf *out, const CopyRowOptions *options, Str value);

/* copy_binary.c */
CopyRow copy_binary_next(CopySplitter *splitter, const CopyRowOptions *options, const uint8_t *data,
                         size_t size, bool at_end) MUST_USE;
int copy_binary_fields(const CopyRowOptions *options, Str row, const int *wanted, int nwanted,
                       CopyField *fields, Buf *scratch) MUST_USE;
void copy_binary_put_field(Buf *out, const CopyRowOptions *options, Str value);
void copy_binary_put_row(Buf *out, Str row, Str field);
void copy_binary_put_begin(Buf *out);
void copy_binary_put_end(Buf *out);

/* Gives the field at a position to whoever wants it. */
static inline void copy_give_field(const int *wanted, int nwanted, CopyField *fields, int position,
                                   CopyField field) {
    for (int i = 0; i < nwanted; i++) {
        if (wanted[i] == position)
            fields[i] = field;
    }
}

#endif
