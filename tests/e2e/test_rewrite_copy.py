"""COPY FROM STDIN of line items: each row gets its order's store, and the client sees nothing of it."""

import psycopg
import pytest

from harness.tailspin import WRONG_ROWS, store_of


@pytest.fixture(scope="module")
def world(derived):
    return derived


def test_first(world):
    last = world.last_id()
    with psycopg.connect(world.proxy.conninfo(), autocommit=True) as conn:
        with conn.cursor() as cur:
            with cur.copy("COPY line_items (order_id, quantity) FROM STDIN") as copy:
                for n in range(1, 100):
                    copy.write_row((n, n))
            assert cur.statusmessage == "COPY 99"
    assert world.stores_since(last) == [(n, store_of(n)) for n in range(1, 100)]
