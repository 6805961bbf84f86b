"""shardferry lint --from functions: what runs inside the server is judged, and the function that is printed runs, fills the
tenant, and is the old one but for that."""

import difflib
import json
import subprocess
import time

import psycopg
import pytest

from harness import tailspin
from harness.postgres import program
from harness.proxy import run_command

COLUMN = "ALTER TABLE line_items ADD store_id bigint"


class Functions:
    """A database in stage observe, with functions of the test's."""

    def __init__(self, server, database, directory, settings=""):
        self.server = server
        self.database = database
        self.directory = directory
        self.config = directory / "lint.ini"
        self.config.write_text(
            f"[control]\nconninfo = host=127.0.0.1 port={server.port} dbname={database} user=postgres sslmode=disable\n"
            f"[tenant]\ntable = stores\ncolumn = store_id\n{tailspin.TABLES}kind = backfill\n{settings}"
        )

    def execute(self, sql, params=None):
        return self.server.execute(sql, params, self.database)

    def lint(self, *arguments):
        """Exit status and standard output."""
        done = run_command("lint", "-c", str(self.config), "--from", "functions", *arguments)
        assert not done.stderr, done.stderr
        return done.returncode, done.stdout

    def rows(self):
        """(the statements' objects, the functions' objects by signature)"""
        status, out = self.lint("--json")
        rows = [json.loads(line) for line in out.splitlines()]
        functions = {row["function"]: row for row in rows if "function" in row}
        statements = [row for row in rows if "function" not in row]
        findings = any(row["verdict"] in ("multi-tenant", "opaque", "unparsed") for row in statements)
        assert status == (1 if findings or functions else 0)
        return statements, functions

    def replacement(self, signature):
        return self.rows()[1][signature]["replacement"]

    def run(self, script):
        """Has psql run a script."""
        (self.directory / "mended.sql").write_text(script, newline="")
        done = subprocess.run(
            [program("psql"), "-Xq", "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "postgres",
             "-f", str(self.directory / "mended.sql"), self.database],
            capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0 and not done.stderr, done.stderr

    def last_id(self):
        return self.execute("SELECT coalesce(max(line_item_id), 0) FROM line_items")[0][0]

    def wrong_since(self, line_item_id):
        """How many line items there are behind that one, and how many of them have another store than their order."""
        stores = dict(self.execute("SELECT order_id, store_id FROM orders"))
        items = self.execute("SELECT order_id, store_id FROM line_items WHERE line_item_id > %s", (line_item_id,))
        return len(items), sum(stores[order_id] != store_id for order_id, store_id in items)


@pytest.fixture(scope="module")
def shared(server, tmp_path_factory):
    """For tests that leave nothing but line items behind; the column is there."""
    database = tailspin.create(server)
    made = Functions(server, database, tmp_path_factory.mktemp("functions"))
    made.execute(COLUMN)
    yield made
    server.drop_database(database)


@pytest.fixture
def one(shared):
    """For one function, f."""
    yield shared
    shared.execute("DROP ROUTINE IF EXISTS f")


@pytest.fixture
def functions(server, tmp_path):
    """A database of the test's own."""
    database = tailspin.create(server)
    yield Functions(server, database, tmp_path)
    server.drop_database(database)


# The function printed runs, and fills the tenant --------------------------------------------------------------

BATCH = """
CREATE FUNCTION place_orders(how_many int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    new_order bigint;
    shop bigint;
    article bigint;
    articles bigint;
    cost numeric;
    quantity int;
    amount numeric;
    shops bigint := (SELECT count(*) FROM stores);
BEGIN
    FOR n IN 1..how_many LOOP
        -- Every other order goes to one store.
        IF n % 2 = 0 THEN
            shop := 7;
        ELSE
            shop := floor(random() * shops + 1);
        END IF;

        new_order := (SELECT nextval('orders_order_id_seq'));
        INSERT INTO orders (order_id, store_id, status, shipping_address, ordered_at)
        VALUES (new_order, shop, 'Pending', NULL, now()::date);

        FOR i IN 1..floor(random() * 4 + 1) LOOP
            articles := (SELECT count(*) FROM products WHERE store_id = shop);
            article = (SELECT product_id FROM products WHERE store_id = shop OFFSET floor(random() * articles) LIMIT 1);
            cost = (SELECT price FROM products WHERE store_id = shop AND product_id = article);
            quantity = floor(random() * 3 + 1);
            amount = cost * quantity;
            INSERT INTO line_items (line_item_id, product_id, order_id, quantity, line_amount)
            VALUES (DEFAULT, article, new_order, quantity, amount);
        END LOOP;
    END LOOP;
END;
$$;
"""


def test_batch_of_orders(functions):
    functions.execute(BATCH)
    statements, mended = functions.rows()
    assert list(mended) == ["public.place_orders(how_many integer)"]
    verdicts = {row["line"]: row["verdict"] for row in statements}
    assert verdicts == {10: "multi-tenant", 21: "single-tenant", 25: "single-tenant", 26: "single-tenant",
                        27: "single-tenant", 30: "single-tenant"}  # fmt: skip
    functions.execute(COLUMN)
    functions.execute(mended["public.place_orders(how_many integer)"]["replacement"])
    last = functions.last_id()
    functions.execute("SELECT place_orders(40)")
    count, wrong = functions.wrong_since(last)
    assert count >= 40 and wrong == 0


def test_nothing_but_the_statement_changes(functions):
    functions.execute(BATCH)
    old = functions.execute("SELECT pg_get_functiondef('place_orders'::regproc)")[0][0].rstrip("\n")
    changes = [line for line in difflib.ndiff(old.splitlines(), functions.replacement("public.place_orders(how_many integer)")
                                              .splitlines()) if line[0] in "+-"]  # fmt: skip
    assert [line for line in changes if line[0] == "-"] == [
        "-             INSERT INTO line_items (line_item_id, product_id, order_id, quantity, line_amount)",
        "-             VALUES (DEFAULT, article, new_order, quantity, amount);",
    ]
    assert len(changes) == 4


def plpgsql(body, declare="", returns="void", arguments="", tail=""):
    return (f"CREATE FUNCTION f({arguments}) RETURNS {returns} LANGUAGE plpgsql {tail} AS "
            f"$$ DECLARE done bigint; {declare} BEGIN {body} END $$")  # fmt: skip


VALUES = "INSERT INTO line_items (order_id, quantity) VALUES"
CALL = "SELECT f()"

RUNS = {
    # A variable may have any name, also that of a column.
    "parameter": (plpgsql(f"{VALUES} (o, 1);", arguments="o bigint"), "SELECT f(7)"),
    "parameter like the key": (plpgsql(f"{VALUES} (order_id, 1);", arguments="order_id bigint"), "SELECT f(7)"),
    "parameter like the tenant": (plpgsql(f"{VALUES} (store_id, 1);", arguments="store_id bigint"), "SELECT f(7)"),
    "qualified parameter": (plpgsql(f"{VALUES} (f.order_id, 1);", arguments="order_id bigint"), "SELECT f(7)"),
    "quoted parameter": (plpgsql(f'{VALUES} ("Order Id", 1);', arguments='"Order Id" bigint'), "SELECT f(7)"),
    "numbered parameter": (plpgsql(f"{VALUES} ($1, 1);", arguments="bigint"), "SELECT f(7)"),
    "alias": (plpgsql(f"{VALUES} (k, 1);", "k ALIAS FOR $1;", arguments="bigint"), "SELECT f(7)"),
    "polymorphic": (plpgsql(f"{VALUES} (o, 1);", arguments="o anyelement"), "SELECT f(7::bigint)"),
    "default": (plpgsql(f"{VALUES} (o, 1);", arguments="o bigint DEFAULT 9"), CALL),
    "record": (plpgsql(f"SELECT * INTO r FROM orders WHERE orders.order_id = 7; {VALUES} (r.order_id, 1);", "r record;"), CALL),
    "record of another name": (plpgsql(f"SELECT order_id, 1 AS store_id INTO orders FROM orders WHERE store_id = 7 LIMIT 1;"
                                       f" {VALUES} (orders.order_id, 1);", "orders record;"), CALL),
    "row": (plpgsql(f"SELECT * INTO r FROM orders WHERE orders.order_id = 7; {VALUES} ((r).order_id, 1);",
                    "r orders%ROWTYPE;"), CALL),
    "array": (plpgsql(f"{VALUES} (a[2], 1), (a[1], 2);", "a bigint[] := '{7,8}';"), CALL),
    "labelled": (plpgsql(f"<<b>> DECLARE order_id bigint := 7; BEGIN {VALUES} (b.order_id, 1); END;"), CALL),
    "shadowed": (plpgsql(f"DECLARE o bigint := 7; BEGIN {VALUES} (o, 1); END;", "o text := 'x';"), CALL),
    "use_variable": ("CREATE FUNCTION f(order_id bigint) RETURNS void LANGUAGE plpgsql AS $$\n#variable_conflict use_variable\n"
                     f"BEGIN {VALUES} (order_id, 1); END $$", "SELECT f(7)"),
    "use_column": ("CREATE FUNCTION f(order_id bigint) RETURNS void LANGUAGE plpgsql AS $$\n#variable_conflict use_column\n"
                   f"BEGIN {VALUES} (order_id, 1); END $$", "SELECT f(7)"),
    # Where statements stand.
    "into": (plpgsql(f"{VALUES} (7, 1) RETURNING line_item_id INTO done;"), CALL),
    "into strict": (plpgsql(f"{VALUES} (7, 1) RETURNING line_item_id, order_id INTO STRICT done, done;"), CALL),
    "loop over returning": (plpgsql(f"FOR done IN {VALUES} (7, 1), (8, 2) RETURNING line_item_id LOOP NULL; END LOOP;"), CALL),
    "return query": (plpgsql(f"RETURN QUERY {VALUES} (7, 1) RETURNING line_item_id;", returns="SETOF bigint"), "SELECT * FROM f()"),
    "returns table": (plpgsql(f"RETURN QUERY {VALUES} (7, 1) RETURNING line_items.line_item_id;",
                              returns="TABLE (order_id bigint)"), "SELECT * FROM f()"),
    "out": (plpgsql(f"order_id := 7; {VALUES} (order_id, 1); order_id := 8;", arguments="OUT order_id bigint",
                    returns="bigint"), CALL),
    "handler": (plpgsql(f"BEGIN PERFORM 1 / 0; EXCEPTION WHEN others THEN {VALUES} (7, length(SQLSTATE)); END;"), CALL),
    "cursor": (plpgsql(f"FOR r IN c (7) LOOP {VALUES} (r.order_id, 1); END LOOP;",
                       "c CURSOR (k bigint) FOR SELECT * FROM orders WHERE store_id = k LIMIT 2;"), CALL),
    "foreach": (plpgsql(f"FOREACH done IN ARRAY ARRAY[7, 8] LOOP {VALUES} (done, 1); END LOOP;"), CALL),
    "case": (plpgsql(f"CASE WHEN done IS NULL THEN {VALUES} (7, 1); ELSE {VALUES} (8, 1); END CASE;"), CALL),
    "execute": (plpgsql(f"EXECUTE '{VALUES} ($1, 1)' USING 7;"), CALL),
    "execute, dollars": (plpgsql(f"EXECUTE $x${VALUES} ($1, 1)$x$ USING 7;"), CALL),
    "with": (plpgsql(f"WITH i AS ({VALUES} (7, 1) RETURNING line_item_id) SELECT line_item_id INTO done FROM i;"), CALL),
    "select": (plpgsql("INSERT INTO line_items (order_id, quantity) SELECT o.order_id, 2 FROM orders o"
                       " WHERE o.store_id = s LIMIT 3;", "s bigint := 4;"), CALL),
    "select of variables": (plpgsql("INSERT INTO line_items (order_id, quantity) SELECT order_id, 2;",
                                    "order_id bigint := 7;"), CALL),
    "no columns": (plpgsql("INSERT INTO line_items VALUES (nextval('line_items_line_item_id_seq'), 5, 7, 1, 1);"), CALL),
    "found": (plpgsql(f"{VALUES} (7, 1); IF NOT FOUND THEN RAISE 'none'; END IF; GET DIAGNOSTICS done = ROW_COUNT;"
                      " ASSERT done = 1;"), CALL),
    # What a definition may say.
    "search_path": ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET search_path = 'public' SECURITY DEFINER COST 7 AS"
                    f" $$ BEGIN {VALUES} (7, 1); END $$", "SET search_path = pg_catalog; SELECT public.f()"),
    "string": ("CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN INSERT INTO line_items (order_id, quantity)"
               " VALUES (length(''1234567''), 1); END'", CALL),
    "dollar tags": ("CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $body$ BEGIN "
                    f"{VALUES} (7, 1); RETURN $function$ $$ $function$ || '$functionx$'; END $body$", CALL),
    "line ends": (plpgsql(f"\r\n -- a\r\n {VALUES}\r\n (7,\r\n 1) /* b */;\r\n"), CALL),
    "characters": (plpgsql(f"/* äöü – 日本 */ {VALUES} (größe, 1); -- ü\n", "größe bigint := 7;"), CALL),
    "procedure": (f"CREATE PROCEDURE f(o bigint) LANGUAGE plpgsql AS $$ BEGIN {VALUES} (o, 1); COMMIT; {VALUES} (o, 2); END $$",
                  "CALL f(7)"),
    # SQL.
    "sql": (f"CREATE FUNCTION f(o bigint) RETURNS bigint LANGUAGE sql AS $$ {VALUES} (o, 1), ($1, 2); "
            f"{VALUES} (f.o, 1) RETURNING line_item_id $$", "SELECT f(7)"),
    "sql, parameter like the key": (f"CREATE FUNCTION f(order_id bigint) RETURNS void LANGUAGE sql AS $$ {VALUES} (order_id, 1)"
                                    " $$", "SELECT f(7)"),
    "sql, select": ("CREATE FUNCTION f(s bigint) RETURNS void LANGUAGE sql AS $$ INSERT INTO line_items (order_id, quantity)"
                    " SELECT order_id, 1 FROM orders WHERE store_id = s LIMIT 2 $$", "SELECT f(7)"),
    "sql, atomic": (f"CREATE FUNCTION f(o bigint) RETURNS void LANGUAGE sql BEGIN ATOMIC {VALUES} (o, CASE WHEN true THEN 1 END);"
               f" {VALUES} (7, 1); END", "SELECT f(7)"),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_runs(one, name):
    create, call = RUNS[name]
    one.execute(create)
    _, script = one.lint("--sql")
    assert "CREATE OR REPLACE" in script and ("by hand" in script) == name.startswith("sql")
    one.run(script)
    last = one.last_id()
    with one.server.connect(one.database) as conn:
        for statement in call.split("; "):
            conn.execute(statement)
    count, wrong = one.wrong_since(last)
    assert count > 0 and wrong == 0


TRIGGER = f"""
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' AND NEW.status = 'Gift' THEN {VALUES} (NEW.order_id, 0); END IF;
    RETURN NEW;
END $$;
"""


def test_trigger(functions):
    functions.execute(TRIGGER + "CREATE TRIGGER gift AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()")
    _, script = functions.lint("--sql")
    functions.execute(COLUMN)
    functions.run(script)
    last = functions.last_id()
    functions.execute("INSERT INTO orders (store_id, status) VALUES (7, 'Gift'), (8, 'Paid')")
    assert functions.wrong_since(last) == (1, 0)


def test_overloads_and_quoted_names(functions):
    functions.execute(f"""
        CREATE SCHEMA "Odd Schema";
        CREATE FUNCTION "Odd Schema"."Add; Item"(o bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN {VALUES} (o, 1); END $$;
        CREATE FUNCTION "Odd Schema"."Add; Item"(o text) RETURNS void LANGUAGE plpgsql AS
            $$ BEGIN {VALUES} (o::bigint, 2); END $$;
    """)
    _, mended = functions.rows()
    assert list(mended) == ['"Odd Schema"."Add; Item"(o bigint)', '"Odd Schema"."Add; Item"(o text)']
    _, script = functions.lint("--sql")
    functions.execute(COLUMN)
    functions.run(script)
    last = functions.last_id()
    functions.execute("""SELECT "Odd Schema"."Add; Item"(7), "Odd Schema"."Add; Item"('8')""")
    assert functions.wrong_since(last) == (2, 0)


# Names that the new column would take -------------------------------------------------------------------------

COUNT = "SELECT count(*) INTO n FROM line_items WHERE quantity > 0 AND store_id = 5"


def test_parameter_that_a_new_column_hides(functions):
    functions.execute(f"""
        CREATE FUNCTION f(store_id bigint) RETURNS bigint LANGUAGE plpgsql AS $$ DECLARE n bigint; BEGIN {COUNT}; RETURN n; END $$;
        CREATE FUNCTION g(store_id bigint) RETURNS bigint LANGUAGE sql AS $$ {COUNT.replace("INTO n", "")} $$;
    """)
    before = functions.execute("SELECT f(5), f(6), g(5), g(6)")
    statements, mended = functions.rows()
    assert len(mended) == 2 and all(function["complete"] for function in mended.values())
    assert "AND f.store_id = 5" in mended["public.f(store_id bigint)"]["replacement"]
    assert [row["rewritten"].count(".store_id") for row in statements] == [1, 1]
    for function in mended.values():
        functions.execute(function["replacement"])
    assert functions.execute("SELECT f(5), f(6), g(5), g(6)") == before
    functions.execute(COLUMN)
    assert functions.execute("SELECT f(5), f(6), g(5), g(6)") == before


def test_variable_that_a_new_column_hides(one):
    one.execute(plpgsql(f"{COUNT};", "store_id bigint; n bigint;"))
    (statement,), mended = one.rows()
    assert "rename the variable" in statement["reason"]
    assert mended == {"public.f()": {"function": "public.f()", "replacement": None, "from": "derive", "complete": False}}


# What is not mended -------------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    "create, reason",
    [
        (plpgsql("EXECUTE format('INSERT INTO %I (order_id) VALUES (7)', t);", arguments="t text"), "made at run time"),
        (plpgsql("EXECUTE 'INSERT INTO line_items (order_id) VALUES (' || o || ')';", arguments="o int"), "line_items is named"),
        (plpgsql("EXECUTE 'INSERT INTO line_items (order_id, product_id) SELECT 7, ''8''::bigint';"), "another form"),
        (plpgsql("UPDATE line_items SET order_id = 8 WHERE line_item_id = 1;"), "does not follow"),
        (plpgsql("INSERT INTO line_items (quantity) VALUES (1);"), "has no parent"),
        (plpgsql(f"SELECT 1 AS order_id, 1 AS store_id INTO p1; {VALUES} (7, 1);", "p1 record;"), "p1 could be a variable"),
        (plpgsql("RETURN QUERY SELECT * FROM line_items;", returns="TABLE (a bigint, b bigint, c bigint, d bigint, e numeric)"),
         "does not fit what the function returns"),
        ("CREATE FUNCTION f() RETURNS TABLE (a bigint, b bigint, c bigint, d bigint, e numeric, f bigint) LANGUAGE sql AS"
         " 'SELECT l.* FROM line_items l'", "does not fit what the function returns"),
        (plpgsql(f"{VALUES} (7, 1) ON CONFLICT (line_item_id) DO NOTHING;"), "mended again"),
    ],
)
def test_by_hand(one, create, reason):
    one.execute(create)
    statements, mended = one.rows()
    assert any(reason in (row["reason"] or "") for row in statements), statements
    assert all(not function["complete"] for function in mended.values())
    assert mended or statements[0]["verdict"] == "opaque"
    _, script = one.lint("--sql")
    assert not mended or "by hand" in script


def test_unread(one):
    one.execute("SET check_function_bodies = off; CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n IF END $$")
    ((row,), mended) = one.rows()
    assert (row["verdict"], row["source"], mended) == ("unparsed", "public.f()", {})
    assert "line 2" in row["reason"]
    one.execute("DROP FUNCTION f; SET check_function_bodies = off; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELEC'")
    ((row,), mended) = one.rows()
    assert (row["verdict"], row["line"], mended) == ("unparsed", 1, {})
    one.execute("DROP FUNCTION f; CREATE FUNCTION f(bigint) RETURNS bigint LANGUAGE internal STRICT AS 'int8inc'")
    ((row,), mended) = one.rows()
    assert (row["verdict"], mended) == ("opaque", {}) and "internal" in row["reason"]


def test_parsed_body(one):
    one.execute("CREATE FUNCTION f(o bigint) RETURNS bigint LANGUAGE sql RETURN (SELECT count(*) FROM line_items WHERE order_id = o)")
    rows, mended = one.rows()
    assert [row["verdict"] for row in rows] == ["multi-tenant", "opaque"] and not mended
    assert "is dropped with the shard" in rows[1]["reason"]


# Verdicts -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(
    "statement, verdict",
    [
        ("PERFORM 1 FROM orders WHERE store_id = s", "single-tenant"),
        ("PERFORM 1 FROM orders WHERE store_id = f.s", "single-tenant"),
        ("PERFORM 1 FROM orders WHERE store_id = r.store_id", "single-tenant"),
        ("PERFORM 1 FROM orders WHERE store_id = $1", "single-tenant"),
        ("PERFORM 1 FROM orders o JOIN products p USING (store_id) WHERE o.store_id = s", "single-tenant"),
        ("PERFORM 1 FROM orders WHERE order_id = s", "multi-tenant"),
        ("PERFORM 1 FROM orders WHERE store_id = orders.order_id", "multi-tenant"),
        ("PERFORM 1 FROM orders r WHERE r.store_id = r.order_id", "multi-tenant"),
        ("IF (SELECT count(*) FROM orders WHERE store_id = s) > 1 THEN NULL; END IF", "single-tenant"),
        ("done := (SELECT count(*) FROM orders)", "multi-tenant"),
        ("done := count(*) FROM orders", "multi-tenant"),
        ("UPDATE orders SET status = s::text WHERE store_id = s AND order_id = 7", "single-tenant"),
        ("SELECT * FROM line_items WHERE line_item_id = s INTO r", "multi-tenant"),
        ("PERFORM 1 FROM pg_class WHERE relname = s::text", "no-tenant-table"),
    ],
)
def test_verdict(one, statement, verdict):
    one.execute(plpgsql(f"{statement};", "r record;", arguments="s bigint"))
    (row,), mended = one.rows()
    assert (row["verdict"], row["source"]) == (verdict, "public.f(s bigint)")
    assert not mended


def test_search_path(functions):
    functions.execute("""
        CREATE SCHEMA other; CREATE TABLE other.orders (order_id bigint);
        CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET search_path = other, public AS $$ BEGIN DELETE FROM orders; END $$;
        CREATE FUNCTION g() RETURNS void LANGUAGE plpgsql SET search_path = public AS $$ BEGIN DELETE FROM orders; END $$;
        CREATE FUNCTION h() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM orders; END $$;
        CREATE ROLE search_path_role; ALTER FUNCTION h OWNER TO search_path_role;
        ALTER ROLE search_path_role SET search_path = other;
    """)
    try:
        rows, _ = functions.rows()
        assert [row["verdict"] for row in rows] == ["no-tenant-table", "multi-tenant", "no-tenant-table"]
    finally:
        functions.execute("DROP FUNCTION h; DROP ROLE search_path_role")


def test_only_the_applications_functions(functions):
    functions.execute("CREATE EXTENSION pg_trgm; CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    assert functions.lint() == (0, "0 statements\n")


# The command --------------------------------------------------------------------------------------------------

def test_text(one):
    one.execute(RUNS["line ends"][0])
    status, out = one.lint()
    assert status == 1
    lines = out.splitlines()
    assert lines[0].startswith("public.f():3: ")
    assert "public.f(): mended, from the stage derive on:" in lines
    assert "CREATE OR REPLACE FUNCTION public.f()" in lines
    assert lines[-1].endswith("; 1 function is to be changed")


def test_misuse(one):
    for arguments in (["--sql"], ["--from", "functions", "x.sql"], ["--from", "functions", "--schema", "x.sql"]):
        done = run_command("lint", "-c", str(one.config), *arguments)
        assert done.returncode == 2 and "lint" in done.stderr


def test_without_server(one, tmp_path):
    (tmp_path / "a.ini").write_text("[tenant]\ntable = stores\ncolumn = store_id\n")
    done = run_command("lint", "-c", str(tmp_path / "a.ini"), "--from", "functions")
    assert done.returncode == 2 and "[control]" in done.stderr


@pytest.mark.limit(180)
def test_thousands_of_functions_and_long_ones(functions):
    functions.execute("""
        DO $$ BEGIN FOR i IN 1..3000 LOOP EXECUTE format('CREATE FUNCTION many_%s(o bigint) RETURNS void LANGUAGE plpgsql AS %L',
            i, 'BEGIN INSERT INTO line_items (order_id) VALUES (o); PERFORM 1 FROM orders WHERE store_id = o; END'); END LOOP; END $$
    """)
    lines = "".join(f"    PERFORM {n} FROM orders WHERE store_id = o; -- line\n" for n in range(10000))
    functions.execute(f"CREATE FUNCTION long(o bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n{lines}{VALUES} (o, 1); END $$")
    began = time.monotonic()
    statements, mended = functions.rows()
    assert time.monotonic() - began < 60
    assert len(mended) == 3001 and len(statements) == 16001
    functions.execute(COLUMN)
    functions.execute(mended["public.long(o bigint)"]["replacement"])
    last = functions.last_id()
    functions.execute("SELECT long(7)")
    assert functions.wrong_since(last) == (1, 0)


# Citus --------------------------------------------------------------------------------------------------------

CITUS_SCHEMA = """
CREATE TABLE stores (store_id bigint PRIMARY KEY, name text);
CREATE TABLE orders (order_id bigserial, store_id bigint NOT NULL, status text, PRIMARY KEY (store_id, order_id));
CREATE TABLE line_items (line_item_id bigserial, order_id bigint, quantity bigint DEFAULT 1, store_id bigint NOT NULL,
                         PRIMARY KEY (store_id, line_item_id));
INSERT INTO stores SELECT n FROM generate_series(1, 20) n;
INSERT INTO orders (store_id) SELECT 1 + n % 20 FROM generate_series(1, 200) n;
"""
CITUS_RUNS = [name for name in RUNS if name not in ("no columns", "dollar tags") and not name.startswith("sql")]


@pytest.mark.limit(400)
def test_mended_functions_run_in_every_state(cluster, tmp_path):
    """The text that was printed before Citus had the tables goes on when it has one of them, and when it has all."""
    database = cluster.create_database("functions")
    on = Functions(cluster.coordinator, database, tmp_path, "[table orders]\nkind = distributed\n")
    try:
        on.execute(CITUS_SCHEMA)
        for number, name in enumerate(CITUS_RUNS):
            on.execute(RUNS[name][0].replace(" f(", f" f{number}(", 1).replace("f.", f"f{number}."))
        _, script = on.lint("--sql")
        assert script.count("CREATE OR REPLACE") == len(CITUS_RUNS) and "by hand" not in script
        on.run(script)
        for table in ("stores", "orders", "line_items", None):
            last = on.last_id()
            for number, name in enumerate(CITUS_RUNS):
                call = RUNS[name][1].replace("f(", f"f{number}(")
                with on.server.connect(database) as conn:
                    for statement in call.split("; "):
                        conn.execute(statement)
                assert on.wrong_since(last)[1] == 0, name
            if table:
                on.execute(f"SELECT create_distributed_table('{table}', 'store_id')")
    finally:
        cluster.drop_database(database)


# LANGUAGE sql: what Citus plans there, and what it refuses.
SQL_BODIES = {
    "SELECT count(*) FROM orders WHERE store_id = a": True,
    "SELECT count(*) FROM orders WHERE store_id = $1 AND order_id = $2": True,
    "SELECT count(*) FROM orders WHERE store_id = 5 AND order_id = b": True,
    "SELECT count(*) FROM orders": True,
    "SELECT count(*) FROM orders WHERE order_id = b": False,
    "SELECT count(*) FROM orders WHERE store_id = a OR store_id = b": False,
    "SELECT count(*) FROM (SELECT * FROM orders WHERE store_id = a) o": False,
    "WITH o AS (SELECT * FROM orders WHERE store_id = a) SELECT count(*) FROM o": False,
    "SELECT count(*) FROM orders o JOIN line_items l USING (store_id) WHERE o.store_id = a": False,
    "SELECT count(*) FROM orders o JOIN line_items l USING (store_id) WHERE o.store_id = 5 AND o.order_id = b": True,
    "SELECT count(*) FROM orders o JOIN line_items l USING (store_id) WHERE a > 0": False,
    "UPDATE orders SET status = 'x' WHERE order_id = b; SELECT 1::bigint": True,
    "DELETE FROM line_items USING orders o WHERE o.store_id = line_items.store_id AND o.store_id = a AND o.order_id = -1;"
    " SELECT 1::bigint": True,
    "INSERT INTO line_items (order_id, store_id) VALUES (b, a); SELECT 1::bigint": True,
    "INSERT INTO line_items (order_id, store_id) SELECT order_id, store_id FROM orders WHERE store_id = a AND order_id = -1;"
    " SELECT 1::bigint": False,
}


@pytest.mark.limit(200)
def test_functions_in_sql(cluster, tmp_path):
    database = cluster.create_database("functions_in_sql")
    on = Functions(cluster.coordinator, database, tmp_path)
    try:
        on.execute(CITUS_SCHEMA)
        for table in ("stores", "orders", "line_items"):
            on.execute(f"SELECT create_distributed_table('{table}', 'store_id')")
        for number, body in enumerate(SQL_BODIES):
            on.execute(f"CREATE FUNCTION f{number:02}(a bigint, b bigint) RETURNS bigint LANGUAGE sql AS $$ {body} $$")
        on.execute("CREATE FUNCTION rows() RETURNS SETOF orders LANGUAGE sql STABLE AS 'SELECT * FROM orders WHERE store_id = 5'")
        statements, _ = on.rows()
        for number, (body, works) in enumerate(SQL_BODIES.items()):
            said = [row["citus_error"] for row in statements if row["source"].startswith(f"public.f{number:02}(")]
            assert any(said) == (not works), body
            if works:
                on.execute(f"SELECT f{number:02}(5, 7)")
            else:
                with pytest.raises(psycopg.errors.FeatureNotSupported, match="could not create distributed plan"):
                    on.execute(f"SELECT f{number:02}(5, 7)")
        assert any("declare it VOLATILE" in (row["reason"] or "") for row in statements)
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="SQL functions referencing distributed tables"):
            on.execute("SELECT * FROM rows()")
    finally:
        cluster.drop_database(database)
