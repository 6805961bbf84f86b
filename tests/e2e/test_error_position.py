"""An error behind spliced text points into the text that the client sent."""

import psycopg
import pytest

from test_psql import run_psql

# Each fails behind the place where an INSERT of line items is changed.
STATEMENTS = {
    "unknown column in returning": "INSERT INTO line_items (order_id, quantity) VALUES (1, 1) RETURNING nocolumn",
    "several rows": "INSERT INTO line_items (order_id, quantity) VALUES (1, 1), (2, 2), (3, 'x')",
    "wrong value": "INSERT INTO line_items (order_id, quantity) VALUES (1, 'not a number')",
    "wrong order": "INSERT INTO line_items (order_id, quantity) VALUES ('not a number', 1)",
    "wide characters": "INSERT INTO line_items (order_id, quantity) VALUES (1, length('äöü€😀')) RETURNING nocolumn",
    "syntax": "INSERT INTO line_items (order_id, quantity) VALUES (1, 1) RETURNING FROM",
    "conflict target": "INSERT INTO line_items (order_id) VALUES (1) ON CONFLICT (nocolumn) DO NOTHING",
    "operator": "INSERT INTO line_items (order_id, quantity) VALUES (1, 1 || 2) RETURNING *",
    "second statement": "INSERT INTO line_items (order_id) VALUES (1); SELECT nocolumn",
    "third statement": "SELECT 1; INSERT INTO line_items (order_id) VALUES (1); INSERT INTO line_items (order_id) VALUES (2) RETURNING x",
    "function": "INSERT INTO line_items (order_id, quantity) VALUES (1, no_such_function(2, 3))",
    "too many values": "INSERT INTO line_items (order_id, quantity) VALUES (1, 2, 3)",
    "too few values": "INSERT INTO line_items (order_id, quantity, line_amount) VALUES (1, 2)",
    "rows differ": "INSERT INTO line_items (order_id, quantity) VALUES (1, 2), (3)",
    "no such target": "INSERT INTO line_items (order_id, nocolumn) VALUES (1, 2)",
    "column twice": "INSERT INTO line_items (order_id, quantity, order_id) VALUES (1, 2, 3)",
    "ahead of the change": "INSERT INTO line_items (nocolumn, order_id) VALUES (1, 2)",
    "multi-line": "INSERT INTO line_items\n  (order_id,\n   quantity)\nVALUES\n  (1,\n   1)\nRETURNING\n  nocolumn",
}


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("prepared", [False, True], ids=["simple", "prepared"])
def test_position(name, prepared, derived):
    sql = STATEMENTS[name]
    if prepared and ";" in sql:
        pytest.skip("one statement at a time is all that can be prepared")

    def observe(endpoint):
        with psycopg.connect(autocommit=True, **endpoint.keywords()) as conn:
            if prepared:
                with pytest.raises(psycopg.Error) as failure:
                    conn.execute(sql, prepare=True)
                diag = failure.value.diag
                return diag.sqlstate, diag.message_primary, diag.message_hint, diag.statement_position
            result = conn.pgconn.exec_(sql.encode())
            fields = psycopg.pq.DiagnosticField
            return [result.error_field(field) for field in (fields.SQLSTATE, fields.MESSAGE_PRIMARY, fields.MESSAGE_HINT,
                                                            fields.STATEMENT_POSITION)]

    seen = observe(derived.proxy.endpoint())
    assert seen == observe(derived.server.endpoint(derived.database))
    assert seen[3] is not None


@pytest.mark.parametrize("name", ["multi-line", "wide characters", "several rows", "second statement"])
def test_psql_caret(name, derived):
    """What the user looks at: LINE, text and caret."""
    script = STATEMENTS[name].replace("; ", "\\; ") + ";\n"
    seen = run_psql(derived.proxy.endpoint(), script)
    assert seen == run_psql(derived.server.endpoint(derived.database), script)
    assert "LINE " in seen[1] and "^" in seen[1]


def test_position_of_a_repeated_shape(derived):
    """The second text of a shape takes its edits from the first; its positions are its own."""
    endpoints = derived.proxy.endpoint(), derived.server.endpoint(derived.database)
    for filler in ("1", "1234567", "'äöü'::text::int", "1"):
        sql = f"INSERT INTO line_items (quantity, order_id) VALUES ({filler}, 1) RETURNING nocolumn".encode()
        positions = []
        for endpoint in endpoints:
            with psycopg.connect(autocommit=True, **endpoint.keywords()) as conn:
                positions.append(conn.pgconn.exec_(sql).error_field(psycopg.pq.DiagnosticField.STATEMENT_POSITION))
        assert positions[0] == positions[1] is not None
