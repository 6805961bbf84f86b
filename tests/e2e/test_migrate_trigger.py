"""trigger = on: who writes past the proxies has his rows' tenant filled, from stage derive until stage resolve."""

import subprocess

import psycopg
import pytest

from harness import process, tailspin
from harness.postgres import program
from test_migrate_keys import EXPECTED, LEFT_OVER, KeyShop

TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT proname, 'function', prosecdef::text FROM pg_proc WHERE pronamespace = 'shardferry'::regnamespace ORDER BY 1, 2
"""


class TriggerShop(KeyShop):
    def configure(self, tables=tailspin.TABLES, trigger="on", **more):
        super().configure(tables=tables, **more)
        self.config.write_text(self.config.read_text() + f"[migration]\ntrigger = {trigger}\n")

    def triggers(self):
        return self.execute(TRIGGERS)

    def insert(self, order):
        """Past all proxies; returns the row's store."""
        return self.execute("INSERT INTO line_items (order_id) VALUES (%s) RETURNING store_id", (order,))[0][0]


@pytest.fixture
def shop(server, tmp_path):
    made = TriggerShop(server, tmp_path, tailspin.create(server))
    yield made
    server.drop_database(made.name)


@pytest.fixture
def bare_shop(server, database, tmp_path):
    return TriggerShop(server, tmp_path, database)


def test_rows_written_past_the_proxies_get_their_tenant(shop):
    shop.migrate("--to", "derive")
    assert len(shop.triggers()) == 3 and {row[2] for row in shop.triggers()} == {"A", "true"}
    assert shop.insert(7) == 8
    with shop.connect() as conn:
        with conn.cursor().copy("COPY line_items (order_id, quantity) FROM STDIN") as copy:
            copy.write("1\t5\n2\t5\n")
        conn.execute("INSERT INTO line_items (order_id, store_id) VALUES (3, 4)")
    assert shop.execute("SELECT order_id, store_id FROM line_items WHERE line_item_id > 401 ORDER BY 1") == [(1, 2), (2, 3), (3, 4)]
    shop.migrate("--to", "keyed")
    assert shop.insert(19) == 20
    assert len(shop.triggers()) == 3
    shop.migrate("--to", "resolve")
    assert shop.triggers() == []
    with pytest.raises(psycopg.errors.NotNullViolation):
        shop.insert(7)
    assert shop.execute(tailspin.WRONG_ROWS) == []
    assert {key[:4] for key in shop.keys()[0]} == EXPECTED
    assert "nothing to do" in shop.migrate()
    assert shop.triggers() == []


def test_the_tenant_follows_the_parent(shop):
    shop.migrate("--to", "derive")

    def moved(change, key=400):
        shop.execute(f"UPDATE line_items SET {change} WHERE line_item_id = {key}")
        return shop.execute("SELECT order_id, store_id FROM line_items WHERE line_item_id = %s", (key,))[0]

    assert moved("quantity = 9") == (1, 2), "a row from before is filled as soon as it is touched"
    assert moved("order_id = 5") == (5, 6)
    assert moved("order_id = 6, store_id = 7") == (6, 7)
    assert moved("order_id = 7, store_id = 7") == (7, 8), "the tenant that it had is not what the statement means"
    assert moved("order_id = NULL") == (None, 8), "it stays whose it was"
    assert moved("order_id = 9") == (9, 10)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        moved("order_id = 1000")


def test_paths_of_several_steps_with_composite_keys_and_quoted_names(bare_shop):
    """The parents' own tenants are not filled yet when the first rows come."""
    bare_shop.execute("""
        CREATE TABLE "Shops" ("Shop Id" uuid PRIMARY KEY, name text);
        CREATE TABLE carts (code text PRIMARY KEY, "Shop Id" uuid REFERENCES "Shops");
        CREATE TABLE "Cart's Items" (cart text REFERENCES carts, "No" int, PRIMARY KEY (cart, "No"));
        CREATE SCHEMA "Odd $walk$ one";
        CREATE TABLE "Odd $walk$ one"."Marks" ("select" int PRIMARY KEY, cart text, "No" int, FOREIGN KEY (cart, "No") REFERENCES "Cart's Items");
        INSERT INTO "Shops" SELECT md5(n::text)::uuid, n FROM generate_series(1, 3) n;
        INSERT INTO carts SELECT 'cart ' || s.name, "Shop Id" FROM "Shops" s;
        INSERT INTO "Cart's Items" SELECT code, n FROM carts, generate_series(1, 2) n""")
    bare_shop.configure(tables="", tenant='"Shops"', column='"Shop Id"')
    bare_shop.migrate("--to", "derive")
    assert len(bare_shop.triggers()) == 6
    assert bare_shop.execute("""SELECT count(*) FROM "Cart's Items" WHERE "Shop Id" IS NOT NULL""") == [(0,)]
    bare_shop.execute("""
        CREATE SCHEMA evil; CREATE TABLE evil.carts (code text, "Shop Id" uuid);
        CREATE FUNCTION evil.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
        SET search_path = evil, public;
        INSERT INTO "Odd $walk$ one"."Marks" SELECT 10 * m + n, 'cart ' || m, n FROM generate_series(1, 3) m, generate_series(1, 2) n""")
    wrong = """
        SELECT m FROM "Odd $walk$ one"."Marks" m JOIN carts c ON c.code = m.cart WHERE m."Shop Id" IS DISTINCT FROM c."Shop Id" """
    assert bare_shop.execute(wrong) == []
    bare_shop.execute("DROP SCHEMA evil CASCADE")
    bare_shop.migrate("--to", "resolve")
    assert bare_shop.execute(wrong) == [] and bare_shop.triggers() == []


def test_writers_need_not_be_allowed_to_read_the_parents(shop):
    """Nor may they have the trigger's function read for them elsewhere."""
    shop.execute("REVOKE ALL ON orders FROM PUBLIC; GRANT USAGE ON SCHEMA public TO app_trust; GRANT CREATE ON SCHEMA public TO app_trust;"
                 "GRANT ALL ON line_items TO app_trust; GRANT USAGE ON SEQUENCE line_items_line_item_id_seq TO app_trust;"
                 "GRANT SELECT (order_id, store_id) ON orders TO app_trust")
    shop.migrate("--to", "derive")
    shop.execute("REVOKE ALL ON orders FROM app_trust; ALTER TABLE orders ENABLE ROW LEVEL SECURITY; GRANT USAGE ON SCHEMA shardferry TO app_trust")
    with shop.connect(user="app_trust") as conn:
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (7) RETURNING store_id").fetchone() == (8,)
        function = shop.triggers()[-1][0]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(f"CREATE TABLE mine (order_id bigint, store_id bigint);"
                         f"CREATE TRIGGER t BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION shardferry.{function}()")


def test_it_fires_behind_other_triggers_and_for_replicated_rows(shop):
    shop.execute("CREATE FUNCTION assign() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.order_id := 11; RETURN NEW; END';"
                 "CREATE TRIGGER zealous BEFORE INSERT ON line_items FOR EACH ROW EXECUTE FUNCTION assign()")
    shop.migrate("--to", "derive")
    assert shop.insert(7) == 12
    with shop.connect() as conn:
        conn.execute("SET session_replication_role = replica")
        assert conn.execute("INSERT INTO line_items (order_id) VALUES (7) RETURNING order_id, store_id").fetchone() == (7, 8)


def test_a_trigger_that_is_not_as_it_should_be_is_made_anew(shop):
    shop.migrate("--to", "derive")
    before = shop.triggers()
    for damage in ("ALTER TABLE line_items DISABLE TRIGGER zz_shardferry_tenant_insert", "DROP TRIGGER zz_shardferry_tenant_update ON line_items",
                   f"CREATE OR REPLACE FUNCTION shardferry.{before[-1][0]}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"):
        shop.execute(damage)
        assert "make the trigger of public.line_items" in shop.migrate("--to", "derive")
        assert shop.triggers() == before
        assert shop.insert(7) == 8
        assert "nothing to do" in shop.migrate("--to", "derive")


def test_without_the_setting_there_is_none(shop):
    shop.configure(trigger="off")
    shop.migrate("--to", "derive")
    assert shop.triggers() == []
    assert shop.insert(7) is None
    shop.migrate("--to", "resolve")
    assert shop.execute(tailspin.WRONG_ROWS) == []


def test_one_that_was_left_is_dropped_without_the_setting(shop):
    shop.migrate("--to", "keyed")
    shop.configure(trigger="off")
    shop.migrate("--to", "resolve")
    assert shop.triggers() == [] and shop.execute(LEFT_OVER) == []


def test_a_writer_that_has_not_committed_is_covered(shop):
    """He wrote before there was a trigger, past the proxies: the trigger waits for him, and the backfill fills his row."""
    with shop.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO orders (order_id, store_id) VALUES (1000, 5)")
        writer.execute("LOCK TABLE line_items IN ROW EXCLUSIVE MODE")
        runner = shop.start()
        process.wait_until(lambda: shop.has_schema() and shop.execute("SELECT to_regclass('shardferry.journal') IS NOT NULL")[0][0]
                           and shop.execute("SELECT 1 FROM shardferry.journal WHERE step = 'column'"), 10, "the runner to try")
        writer.execute("INSERT INTO line_items (order_id) VALUES (1000)")
        writer.execute("COMMIT")
    assert runner.wait(30) == 0, shop.printed()
    assert shop.execute("SELECT store_id FROM line_items WHERE order_id = 1000") == [(5,)]
    assert shop.triggers() == []


def test_script_and_undo(shop, server):
    script = shop.run("--dry-run", "--to", "derive").stdout
    assert "CREATE TRIGGER zz_shardferry_tenant_insert" in script and "--   DROP FUNCTION IF EXISTS shardferry.tenant_" in script
    subprocess.run([program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", f"host=127.0.0.1 port={server.port} dbname={shop.name} user=postgres sslmode=disable"], input=script, text=True, check=True)
    by_hand = shop.triggers()
    assert "nothing to do" in shop.migrate("--to", "derive")
    assert shop.triggers() == by_hand and len(by_hand) == 3


@pytest.mark.parametrize("step", ["trigger", "drop trigger"])
def test_killed_right_after_it(shop, step):
    shop.migrate("--to", "derive" if step == "trigger" else "keyed")
    if step == "trigger":
        shop.execute("DROP FUNCTION shardferry." + shop.triggers()[-1][0] + " CASCADE")
    shop.execute(f"""
        CREATE FUNCTION public.stop() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN NEW; END$$;
        CREATE TRIGGER stop BEFORE INSERT ON shardferry.journal FOR EACH ROW
            WHEN (NEW.step = '{step}' AND NEW.event = 'done') EXECUTE FUNCTION public.stop()""")
    runner = shop.start()
    process.wait_until(lambda: shop.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event = 'PgSleep'", (shop.name,))[0][0], 20, f"step {step}")
    runner.kill()
    runner.wait()
    shop.execute("DROP FUNCTION public.stop CASCADE")
    assert len(shop.triggers()) == (3 if step == "trigger" else 0)
    shop.migrate("--to", "resolve")
    assert shop.triggers() == [] and shop.execute(LEFT_OVER) == []
    assert {key[:4] for key in shop.keys()[0]} == EXPECTED
