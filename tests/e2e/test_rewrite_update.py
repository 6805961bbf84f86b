"""A row's tenant follows its parent, and its children follow it: UPDATE, MERGE, ON CONFLICT DO UPDATE."""

import threading

import psycopg
import pytest
from psycopg import errors

from harness.migration import Migration
from harness.tailspin import WRONG_ROWS, store_of
from harness.wire import Wire, bind, describe, error_of, execute, parse, query, sync

# line_items has its order's store; parcels have their line item's.
PARCELS = """
CREATE TABLE parcels (parcel_id bigserial PRIMARY KEY, line_item_id bigint REFERENCES line_items (line_item_id), label text);
INSERT INTO parcels (line_item_id) SELECT 1 + n % 400 FROM generate_series(1, 600) n;
"""
BACKFILL = """
UPDATE line_items l SET store_id = o.store_id FROM orders o WHERE o.order_id = l.order_id;
UPDATE parcels p SET store_id = l.store_id FROM line_items l WHERE l.line_item_id = p.line_item_id;
"""
WRONG_PARCELS = """
SELECT p.* FROM parcels p JOIN line_items l USING (line_item_id) WHERE p.store_id IS DISTINCT FROM l.store_id
"""
FUNCTION = """
CREATE SEQUENCE calls;
CREATE FUNCTION next_order() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT 10 + nextval('calls') $$;
CREATE TABLE wishes (item bigint, wanted bigint);
INSERT INTO wishes SELECT n, 100 + n FROM generate_series(1, 10) n;
"""

# Statement → how many rows it sets. Item n has order 1 + n % 200.
MOVES = {
    "literal": ("UPDATE line_items SET order_id = 7 WHERE line_item_id = 3", 1),
    "several rows, comments": ("UPDATE/**/line_items AS l -- x\nSET quantity = 2, order_id=8 WHERE l.line_item_id < 11", 10),
    "every row": ("UPDATE ONLY public.line_items SET order_id = '9'", 400),
    "of the row": ("UPDATE line_items SET order_id = 201 - order_id WHERE line_item_id <= 20", 20),
    "null": ("UPDATE line_items SET order_id = NULL WHERE line_item_id = 4", 1),
    "default": ("UPDATE line_items SET order_id = DEFAULT WHERE line_item_id = 4", 1),
    "null in a case": ("UPDATE line_items SET order_id = CASE WHEN line_item_id = 4 THEN NULL ELSE 5 END WHERE line_item_id < 6", 5),
    "sub-select": ("UPDATE line_items l SET order_id = (SELECT wanted FROM wishes WHERE item = l.line_item_id) WHERE line_item_id < 12", 11),
    "from the parent": ("UPDATE line_items l SET order_id = o.order_id FROM orders o WHERE o.order_id = l.line_item_id + 3", 197),
    "from others": ("UPDATE line_items SET order_id = w.wanted FROM wishes w WHERE w.item = line_item_id", 10),
    "computed once": ("UPDATE line_items SET order_id = next_order() WHERE line_item_id < 30", 29),
    "a row": ("UPDATE line_items SET (quantity, order_id) = ROW (1, 11) WHERE line_item_id = 5", 1),
    "a sub-select of several": ("UPDATE line_items l SET (order_id, quantity) = (SELECT wanted, 4 FROM wishes WHERE item = l.line_item_id)"
                                " WHERE line_item_id < 15", 14),
    "in a CTE": ("WITH moved AS (UPDATE line_items SET order_id = 12 WHERE line_item_id < 4 RETURNING 1) SELECT * FROM moved", 3),
    "merge": ("MERGE INTO line_items l USING wishes w ON l.line_item_id = w.item WHEN MATCHED THEN UPDATE SET order_id = w.wanted", 10),
    "merge that inserts": ("MERGE INTO line_items l USING wishes w ON l.line_item_id = -w.item WHEN NOT MATCHED THEN"
                           " INSERT (order_id, quantity) VALUES (w.wanted, 2)", 10),
    "merge from the parent": ("MERGE INTO line_items l USING orders o ON l.order_id = -o.order_id WHEN NOT MATCHED THEN"
                              " INSERT (order_id) VALUES (o.order_id)", 200),
    "the parent's store": ("UPDATE orders SET store_id = 3 WHERE order_id < 10 OR status = 'none'", 9),
    "the parent's store, all": ("UPDATE orders o SET status = 'moved', store_id = 1 + mod(o.store_id, 20)", 200),
    "the parent's store, from": ("UPDATE orders SET store_id = 4 FROM wishes WHERE wanted = orders.order_id", 10),
    "the parent's store, with": ("WITH w AS (SELECT wanted FROM wishes) UPDATE orders SET store_id = 5 WHERE order_id IN (SELECT wanted FROM w)", 10),
    "the parent's store, in a CTE": ("WITH m AS (UPDATE orders SET store_id = 6 WHERE order_id < 4 RETURNING order_id) SELECT * FROM m", 3),
    "the parent's store, as it is": ("UPDATE orders SET store_id = store_id", 200),
}


@pytest.fixture(scope="module", params=["derive", "keyed"])
def moved(request, server, authority):
    """A database where every row has its tenant, and its proxy."""
    made = Migration(server, authority)
    try:
        made.execute(FUNCTION)
        if request.param == "derive":
            made.execute(PARCELS)
            made.proxy.console("RELOAD")
            made.proxy.wait_for_catalog("parcels")
        made.derive()
        if request.param == "derive":
            made.execute(BACKFILL)
        else:
            made.keyed()
        yield made
    finally:
        made.close()


# Parcels are not carried along where their line items' new order is computed once, or by a MERGE.
NOT_CARRIED = ("computed once", "a sub-select of several", "merge")


def wrong(conn, with_parcels=True):
    parcels = with_parcels and conn.execute("SELECT to_regclass('parcels') IS NOT NULL").fetchone()[0]
    return conn.execute(WRONG_ROWS).fetchall() + (conn.execute(WRONG_PARCELS).fetchall() if parcels else [])


@pytest.mark.parametrize("protocol", ["simple", "extended"])
@pytest.mark.parametrize("name", MOVES)
def test_tenant_follows(name, protocol, moved):
    sql, count = MOVES[name]
    factory = psycopg.ClientCursor if protocol == "simple" else psycopg.Cursor
    with psycopg.connect(**moved.proxy.endpoint().keywords(), cursor_factory=factory) as conn:
        result = conn.execute(sql) if protocol == "simple" else conn.execute(sql, (), prepare=True)
        assert result.rowcount == count
        assert wrong(conn, name not in NOT_CARRIED) == []
        assert conn.execute("SELECT count(*) FROM line_items WHERE store_id IS NULL").fetchone() == (0,)
        conn.rollback()


def test_parameters(moved):
    """Types as they were, text and binary values, and what a client sees of the reply."""
    cases = [
        ("UPDATE line_items SET order_id = $1, quantity = $2 WHERE line_item_id = $3 RETURNING order_id", ["21", "2", "7"]),
        ("UPDATE line_items SET order_id = $1 WHERE line_item_id = $2 RETURNING order_id", [None, "8"]),
        ("UPDATE orders SET store_id = $1, status = $2 WHERE order_id = $3 RETURNING order_id, status", ["9", "x", "22"]),
        ("UPDATE orders SET store_id = $1 WHERE order_id = $2 AND store_id = $1", ["4", "23"]),
    ]
    with Wire(moved.proxy.endpoint()) as conn, Wire(moved.server.endpoint(moved.database)) as direct:
        for n, (sql, values) in enumerate(cases):
            seen = []
            for target in (conn, direct):
                assert not error_of(target.ask(query("BEGIN")))
                messages = target.ask(parse(sql, f"s{n}") + describe("S", f"s{n}") + bind(values, "", f"s{n}") + describe("P")
                                      + execute() + sync())
                seen.append(messages)
                if target is conn:
                    assert not error_of(messages)
                assert not error_of(target.ask(query("ROLLBACK")))
            if not error_of(seen[1]):
                assert seen[0] == seen[1], sql


def test_item_without_order_keeps_its_store(moved):
    with psycopg.connect(**moved.proxy.endpoint().keywords()) as conn:
        conn.execute("UPDATE line_items SET order_id = NULL WHERE line_item_id = 30")
        assert conn.execute("SELECT store_id FROM line_items WHERE line_item_id = 30").fetchone() == (store_of(31),)
        conn.execute("UPDATE line_items SET order_id = 2 WHERE line_item_id = 30")
        assert conn.execute("SELECT store_id FROM line_items WHERE line_item_id = 30").fetchone() == (store_of(2),)
        conn.rollback()


def test_missing_order_reaches_its_constraint(moved):
    with psycopg.connect(**moved.proxy.endpoint().keywords()) as conn:
        for sql in ("UPDATE line_items SET order_id = -1 WHERE line_item_id = 3",
                    "UPDATE line_items SET order_id = line_item_id + 1000 WHERE line_item_id < 5"):
            with pytest.raises(errors.ForeignKeyViolation):
                conn.execute(sql)
            conn.rollback()


def test_computed_once_for_each_row(moved):
    with psycopg.connect(**moved.proxy.endpoint().keywords()) as conn:
        before = conn.execute("SELECT nextval('calls')").fetchone()[0]
        rows = conn.execute("UPDATE line_items SET order_id = next_order() WHERE line_item_id <= 12 RETURNING order_id").fetchall()
        assert sorted(rows) == [(10 + before + n,) for n in range(1, 13)]
        assert conn.execute("SELECT nextval('calls')").fetchone()[0] == before + 13
        conn.rollback()


def test_cursor_position(moved):
    with psycopg.connect(**moved.proxy.endpoint().keywords()) as conn:
        conn.execute("DECLARE c CURSOR FOR SELECT * FROM line_items WHERE line_item_id = 17")
        conn.execute("FETCH c")
        assert conn.execute("UPDATE line_items SET order_id = 40 WHERE CURRENT OF c").rowcount == 1
        assert conn.execute("SELECT store_id FROM line_items WHERE line_item_id = 17").fetchone() == (store_of(40),)
        conn.rollback()


def test_error_position(moved):
    """The caret points into the client's own text, before and behind what was added."""
    with psycopg.connect(**moved.proxy.endpoint().keywords()) as conn:
        for sql in ("UPDATE line_items SET order_id = 3, quantity = nothing WHERE line_item_id = 1",
                    "UPDATE orders SET store_id = 3 WHERE order_id = 4 AND nothing = 1",
                    "UPDATE line_items SET order_id = 3 WHERE line_item_id = 1 RETURNING nothing"):
            with pytest.raises(errors.UndefinedColumn) as failure:
                conn.execute(sql)
            assert failure.value.diag.statement_position == str(sql.index("nothing") + 1), sql
            conn.rollback()


def test_concurrent_moves(moved):
    """Stores of the same orders set from several sessions at once."""
    failures = []

    def work(seed):
        try:
            with psycopg.connect(**moved.proxy.endpoint().keywords(), autocommit=True) as conn:
                for n in range(60):
                    order = 50 + (seed * 7 + n) % 5
                    if n % 3 == 0:
                        conn.execute("UPDATE orders SET store_id = 1 + mod(store_id + 3, 20) WHERE order_id = %s", (order,))
                    elif n % 3 == 1:
                        conn.execute("UPDATE orders SET store_id = %s, status = 'y' WHERE order_id = %s", (1 + n % 20, order))
                    else:
                        conn.execute("UPDATE orders SET store_id = %s WHERE order_id = %s AND store_id < 10", (11 + n % 9, order))
        except psycopg.Error as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    with moved.server.connect(moved.database) as conn:
        assert wrong(conn) == []


def test_from_resolve_on(server, authority):
    """The key that holds order and store decides: an order of the same store is taken, another one is not."""
    made = Migration(server, authority)
    try:
        made.execute(FUNCTION)
        made.derive()
        made.keyed()
        for stage in (made.resolve, made.distributed):
            stage()
            with psycopg.connect(**made.proxy.endpoint().keywords()) as conn:
                assert conn.execute("UPDATE line_items SET order_id = %s WHERE line_item_id = 1", (22,)).rowcount == 1
                assert conn.execute("UPDATE line_items SET store_id = store_id, quantity = 3").rowcount == 400
                with pytest.raises(errors.ForeignKeyViolation):
                    conn.execute("UPDATE line_items SET order_id = 23 WHERE line_item_id = 1")
                conn.rollback()
                conn.execute("MERGE INTO line_items l USING orders o ON l.order_id = o.order_id AND o.order_id < 5"
                             " WHEN MATCHED THEN UPDATE SET quantity = 7 WHEN NOT MATCHED THEN INSERT (line_item_id, order_id)"
                             " VALUES (900000 + o.order_id, o.order_id)")
                assert wrong(conn) == []
                conn.rollback()
        with psycopg.connect(**made.proxy.endpoint().keywords(), autocommit=True) as conn:
            assert conn.execute("UPDATE line_items SET store_id = %(s)s, quantity = 4 WHERE line_item_id = 1 AND store_id = %(s)s",
                                {"s": store_of(2)}).rowcount == 1
            for sql in ("UPDATE line_items SET store_id = %s WHERE line_item_id = 1",
                        "UPDATE line_items SET store_id = %s WHERE line_item_id = 1 OR store_id = 4"):
                with pytest.raises(errors.FeatureNotSupported, match='tenant of a row of table "line_items"'):
                    conn.execute(sql, (4,))
            with pytest.raises(errors.FeatureNotSupported, match='MERGE .*into table "line_items"'):
                conn.execute("MERGE INTO line_items l USING wishes w ON l.line_item_id = w.item"
                             " WHEN NOT MATCHED THEN INSERT (order_id) VALUES (w.wanted)")
    finally:
        made.close()
