"""Values in their many spellings, and the parameters of the extended protocol.

A `~` in generated text becomes white space, or a comment, at the end: no other use of the character is made.
"""

import re
import struct
import uuid

OIDS = {"bigint": 20, "integer": 23, "smallint": 21, "text": 25, "uuid": 2950, "numeric": 1700, "varchar": 1043}
BINARY = {"bigint": "!q", "integer": "!i", "smallint": "!h"}

_SPELLINGS = {
    "number": ["{v}", "{v}", "{v}", "'{v}'", "({v})", "{v}::bigint", "{v}::int", "'{v}'::bigint", "CAST({v} AS bigint)",
               "bigint '{v}'", "{less} + 1", "{v}.4", "{v}.0", "COALESCE(NULL, {v})", "CASE WHEN true THEN {v} END",
               "abs(-{v})", "+{v}", "- -{v}",
               "' {v} '", "{v}::numeric", "greatest({v}, 0)", "(ARRAY[{v}])[1]"],
    "text": ["'{v}'", "'{v}'", "E'{v}'", "$${v}$$", "'{v}'::text", "CAST('{v}' AS varchar)", "'{head}' || '{tail}'", "U&'{v}'",
             "text '{v}'",
             "concat('{head}', '{tail}')", "COALESCE(NULL, '{v}')", "('{v}')", "'{v}'::varchar(60)", "$x${v}$x$"],
    "uuid": ["'{v}'", "'{v}'", "'{v}'::uuid", "CAST('{v}' AS uuid)", "uuid '{v}'", "'{upper}'", "'{{{v}}}'", "'{plain}'",
             "'{v}'::text::uuid"],
}
_VOLATILE = {
    "number": ["{v} + floor(random())::int", "{v} + 0 * nextval('aux_seq')", "CASE WHEN random() < 2 THEN {v} END"],
    "text": ["'{v}' || left(random()::text, 0)", "concat('{v}', substr(nextval('aux_seq')::text, 1, 0))"],
    "uuid": ["('{v}' || left(clock_timestamp()::text, 0))::uuid"],
}
_SPACES = [" "] * 12 + ["  ", "\n", "\t", "\r\n", " /* ; */ ", "/**/ ", " -- it's\n", " /* a /* nested */ 'b */ ",
                        " /*ä€*/ "]


def family(kind):
    if kind in ("text", "uuid"):
        return kind
    return "text" if kind.startswith("varchar") else "number"


def encode(kind, value, binary):
    """A parameter's bytes: text, or binary for the type."""
    if value is None:
        return None
    if not binary:
        return str(value).encode()
    if kind in BINARY:
        return struct.pack(BINARY[kind], int(value))
    return uuid.UUID(value).bytes if kind == "uuid" else str(value).encode()


class Values:
    """Spells values for one statement: as literals and expressions, and where `extended`, as parameters too."""

    def __init__(self, rng, extended, volatile=True, declared=False):
        self.rng = rng
        self.extended = extended
        self.volatile = volatile
        self.declared = declared  # where the server could not find out a parameter's type
        self.params = []  # (type as which it travels, value, declared)

    def spell(self, kind, value, plain=False):
        """The value as an expression that is assigned to a column of that type."""
        if value is None:
            return self.null(kind)
        if self.extended and self.rng.random() < 0.6:
            return self.parameter(kind, value)
        if plain:
            return f"'{self.quoted(value)}'" if family(kind) != "number" or self.rng.random() < 0.3 else str(value)
        forms = _SPELLINGS[family(kind)]
        if self.volatile and self.rng.random() < 0.12:
            forms = _VOLATILE[family(kind)]
        form = self.rng.choice(forms)
        text, number = self.quoted(value), family(kind) == "number"
        if form.startswith(("E'", "U&'", "$")) and re.search(r"[\\']", str(value)):
            form = "'{v}'"
        if number and (not re.fullmatch(r"\d+", str(value)) or kind.startswith("numeric")):
            form = "'{v}'" if self.rng.random() < 0.5 else "{v}"
        cut = len(str(value)) // 2
        return form.format(v=text, less=int(value) - 1 if number and form.startswith("{less}") else "", upper=text.upper(),
                           plain=text.replace("-", ""), head=self.quoted(str(value)[:cut]), tail=self.quoted(str(value)[cut:]))

    @staticmethod
    def quoted(value):
        return str(value).replace("'", "''")

    def null(self, kind):
        if self.extended and self.rng.random() < 0.4:
            return self.parameter(kind, None)
        forms = ["NULL", "NULL", f"NULL::{kind}", f"CAST(NULL AS {kind})"]
        return self.rng.choice([*forms, "nullif(1, 1)"] if family(kind) == "number" else forms)

    def parameter(self, kind, value):
        """A new parameter, or one that is there already and has the value."""
        for n, (known, given, _) in enumerate(self.params):
            if known == kind and given == value and self.rng.random() < 0.5:
                return f"${n + 1}"
        bare = self.rng.random() < 0.75
        travels = kind.split("(")[0]
        cast = travels if bare else {"number": "bigint", "text": "text", "uuid": "uuid"}[family(kind)]
        if travels == "numeric":
            cast = "numeric"
        self.params.append((cast, value, self.declared or self.rng.random() < 0.5))
        return f"${len(self.params)}" if bare else f"${len(self.params)}::{cast}"


def finish(rng, text):
    """The text with its white space chosen."""
    return re.sub("~", lambda _: rng.choice(_SPACES), text)
