"""The grammar of COPY … FROM STDIN: text, CSV and binary, with and without a list of columns."""

import struct

from .changes import Changes
from .schema import names
from .values import encode


class Copies(Changes):
    def copy(self, extended=False):
        table, form = self.child(), self.pick(["text", "text", "csv", "csv header", "binary", "options"])
        listed, columns = self.chance(0.75), [name for name, _ in table.columns]
        if listed and not self.explicit_keys and self.chance(0.5):
            columns = [*table.fk, columns[-1]]
        if listed and self.chance(0.5):
            self.rng.shuffle(columns)
        kinds = [table.type_of(column).split("(")[0] for column in columns]
        if form == "binary" and "numeric" in kinds:
            form = "text"
        rows = [self.copied_row(table, columns) for _ in range(self.pick([0, 1, 2, 4]))]
        options, data = _ENCODERS[form](self, columns, kinds, rows)
        # The list of columns is what COPY t means for an application that does not know of the tenant.
        listing = f"~({names(columns)})" if listed else f"‹~({names(columns)})¦›"
        return self.done(f"copy {form}" + ("" if listed else " without columns"),
                         f"COPY~{self.name(table)}{listing}~FROM~STDIN{options}", copy_data=data)

    def copied_row(self, table, columns):
        given = dict(zip((*table.key, *table.fk), (*self.new_key(table), *self.parent_key(table))))
        # Unique, since a COPY with two things wrong may be told of either.
        given.update((over, f"copied {self.next}") for _, over, _, _ in table.unique if over in columns)
        return [given[column] if column in given else self.some_value(table, column) for column in columns]


def _lines(grammar, rows, delimiter, null):
    def cell(value):
        return null if value is None else str(value).replace("\\", "\\\\").replace(delimiter, "\\" + delimiter)

    end = grammar.pick(["", "\\.\n"]) if rows else ""
    return ("".join(delimiter.join(cell(value) for value in row) + "\n" for row in rows) + end).encode()


def _text(grammar, columns, kinds, rows):
    return grammar.pick(["", "~WITH~(FORMAT~text)", "~(FORMAT~'text')"]), _lines(grammar, rows, "\t", "\\N")


def _options(grammar, columns, kinds, rows):
    options = ["~WITH~(DELIMITER~'|',~NULL~'-')", "~WITH~DELIMITER~'|'~NULL~AS~'-'", "~DELIMITERS~'|'~WITH~NULL~'-'"]
    return grammar.pick(options), _lines(grammar, rows, "|", "-")


def _csv(grammar, columns, kinds, rows, header=False):
    def cell(value):
        if value is None:
            return ""
        value = str(value)
        needs_quotes = value == "" or any(special in value for special in '",\n')
        return '"' + value.replace('"', '""') + '"' if needs_quotes or grammar.chance(0.3) else value

    lines = [",".join(column.strip('"') for column in columns)] if header else []
    lines += [",".join(cell(value) for value in row) for row in rows]
    options = "~WITH~(FORMAT~csv,~HEADER)" if header else grammar.pick(["~WITH~(FORMAT~csv)", "~CSV"])
    return options, "".join(line + "\n" for line in lines).encode()


def _csv_header(grammar, columns, kinds, rows):
    return _csv(grammar, columns, kinds, rows, True)


def _binary(grammar, columns, kinds, rows):
    data = b"PGCOPY\n\377\r\n\0" + struct.pack("!ii", 0, 0)
    for row in rows:
        data += struct.pack("!h", len(row))
        for kind, value in zip(kinds, row):
            raw = encode(kind, value, True)
            data += struct.pack("!i", -1) if raw is None else struct.pack("!i", len(raw)) + raw
    return "~WITH~(FORMAT~binary)", data + struct.pack("!h", -1)


_ENCODERS = {"text": _text, "csv": _csv, "csv header": _csv_header, "binary": _binary, "options": _options}
