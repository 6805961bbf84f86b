"""The foreign key by the tenant alone, which shardferry migrate adds: deleting a tenant does what it did without."""

import psycopg
import pytest

from test_migrate_keys import KeyShop

SCHEMA = """
CREATE TABLE accounts (id bigserial PRIMARY KEY);
CREATE TABLE teams (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts {teams});
CREATE TABLE boards (id bigserial PRIMARY KEY, team_id bigint NOT NULL REFERENCES teams {boards});
CREATE TABLE cards (id bigserial PRIMARY KEY, board_id bigint NOT NULL REFERENCES boards {cards});
INSERT INTO accounts SELECT FROM generate_series(1, 5);
INSERT INTO teams (account_id) SELECT n % 5 + 1 FROM generate_series(1, 50) n;
INSERT INTO boards (team_id) SELECT n % 50 + 1 FROM generate_series(1, 100) n WHERE n % 5 <> 1;
INSERT INTO cards (board_id) SELECT n % (SELECT max(id) FROM boards) + 1 FROM generate_series(1, 200) n WHERE {some};
"""
# A second way, from the cards by their owners. Every owner's account is that of the card's board.
OWNERS = """
CREATE TABLE owners (id bigserial PRIMARY KEY, account_id bigint NOT NULL REFERENCES accounts {delete_owners});
INSERT INTO owners (account_id) SELECT id FROM accounts;
ALTER TABLE cards ADD COLUMN owner_id bigint REFERENCES owners {delete};
UPDATE cards c SET owner_id = o.id FROM boards b, teams t, owners o WHERE b.id = c.board_id AND t.id = b.team_id AND o.account_id = t.account_id;
"""
CASCADE = "ON DELETE CASCADE"
ADDED = """
SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint
WHERE contype = 'f' AND conrelid = 'cards'::regclass AND confrelid = 'accounts'::regclass
"""
PLAIN = [("FOREIGN KEY (account_id) REFERENCES accounts(id)", True)]
CASCADING = [("FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE", True)]


def schema(teams="", boards="", cards="", some="true", more=""):
    return SCHEMA.format(teams=teams, boards=boards, cards=cards, some=some) + more


NO_KEY = schema(more="ALTER TABLE teams DROP CONSTRAINT teams_account_id_fkey;")
CASES = {
    "nothing cascades": (schema(), PLAIN),
    "all cascades": (schema(CASCADE, CASCADE, CASCADE), CASCADING),
    "all but the last cascade": (schema(CASCADE, CASCADE), PLAIN),
    "all but the last cascade, without rows there": (schema(CASCADE, CASCADE, some="n < 0"), PLAIN),
    "all but one in the middle cascade": (schema(CASCADE, "ON DELETE RESTRICT", CASCADE), PLAIN),
    "all but the first cascade": (schema("", CASCADE, CASCADE), PLAIN),
    "set null in the middle": (schema(CASCADE, "ON DELETE SET NULL", CASCADE, more="ALTER TABLE boards ALTER team_id DROP NOT NULL;"), []),
    "deferred": (schema(CASCADE, "DEFERRABLE INITIALLY DEFERRED", CASCADE), []),
    "the tenant need not be there": (NO_KEY, []),
    "nor is it": (NO_KEY + "UPDATE teams SET account_id = 4711 WHERE id = 7;", []),
    "ways that agree": (schema(CASCADE, CASCADE, CASCADE, more=OWNERS.format(delete_owners=CASCADE, delete=CASCADE)), CASCADING),
    "ways of which one refuses": (schema(CASCADE, CASCADE, CASCADE, more=OWNERS.format(delete_owners=CASCADE, delete="")), []),
    "ways of which another refuses": (schema(CASCADE, CASCADE, more=OWNERS.format(delete_owners=CASCADE, delete=CASCADE)), []),
    "ways of which one spares": (schema(CASCADE, CASCADE, more=OWNERS.format(delete_owners=CASCADE, delete="ON DELETE SET NULL")), PLAIN),
}


def deletion(shop, tenant):
    """What deleting a tenant does: the rows that are left of each table, or the error."""
    with psycopg.connect(**shop.server.unix_endpoint(shop.name).keywords()) as conn:
        try:
            conn.execute("DELETE FROM accounts WHERE id = %s", (tenant,))
            conn.execute("DELETE FROM boards b WHERE NOT EXISTS (SELECT FROM teams t WHERE t.id = b.team_id)")
            conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
            return [conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("accounts", "teams", "boards", "cards")]
        except psycopg.Error as error:
            return error.sqlstate
        finally:
            conn.rollback()


@pytest.mark.parametrize("name", CASES)
def test_the_application_does_not_feel_it(server, database, tmp_path, name):
    made, expected = CASES[name]
    shop = KeyShop(server, tmp_path, database)
    shop.execute(made)
    shop.configure(tables="[table cards]\ntenant_from = board_id -> boards(id)\n", tenant="accounts", column="account_id")
    before = [deletion(shop, tenant) for tenant in (2, 3)]  # the first has no board
    shop.migrate()
    assert shop.execute(ADDED) == expected
    assert [deletion(shop, tenant) for tenant in (2, 3)] == before
    assert "nothing to do" in shop.migrate()
