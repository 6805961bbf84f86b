"""The administration console: database `shardferry` on the proxy's own port."""

import asyncio
import subprocess

import asyncpg
import psycopg
import pytest

from harness import process
from harness.postgres import program
from harness.wire import Wire, bind, describe, error_of, execute, kinds, parse, query, rows, sync


def psql(endpoint, *commands):
    argv = [program("psql"), "-XAt", "-d", endpoint.over(dbname="shardferry").conninfo()]
    for command in commands:
        argv += ["-c", command]
    return subprocess.run(argv, capture_output=True, text=True, timeout=20)


SHOWS = ["HELP", "CLIENTS", "SERVERS", "STATS", "CACHE", "AUDIT", "TABLES", "CONFIG", "VERSION"]


@pytest.mark.parametrize("what", SHOWS)
def test_show(what, proxy):
    with Wire(proxy.endpoint()) as conn:
        conn.ask(query("SELECT count(*) FROM line_items"))
        found = proxy.console(f"SHOW {what}")
    assert found and all(row.keys() == found[0].keys() for row in found)


def test_spelling(proxy):
    """Upper and lower case, spaces, a semicolon."""
    for command in ("show version", "SHOW VERSION;", "  Show\n\tVersion ; "):
        assert proxy.console(command) == proxy.console("SHOW VERSION")


def test_help_lists_every_command(proxy):
    text = "\n".join(" ".join(value or "" for value in row.values()) for row in proxy.console("SHOW HELP")).upper()
    for what in SHOWS:
        assert what in text
    assert "RELOAD" in text and "SHUTDOWN" in text


def test_version(proxy, shardferry):
    told = shardferry("--version").stdout.split()
    assert any(word in " ".join(proxy.console("SHOW VERSION")[0].values()) for word in told if word[0].isdigit())


def test_clients_and_servers(proxy, server):
    """Who is there, and which connection serves whom."""
    with psycopg.connect(**proxy.endpoint().keywords(application_name="seen in clients")) as conn:
        client = [row for row in proxy.console("SHOW CLIENTS") if "seen in clients" in row.values()]
        assert len(client) == 1 and {"app", "postgres"} <= set(client[0].values())
        served = [row for row in proxy.console("SHOW SERVERS") if row["client_id"] == client[0]["id"]]
        assert len(served) == 1 and str(server.port) in served[0]["address"]
    process.wait_until(lambda: not [row for row in proxy.console("SHOW CLIENTS") if "seen in clients" in row.values()],
                       what="the client to be gone")


def test_stats_count(proxy):
    """Numbers grow with what passes."""

    def totals():
        numbers = {}
        for row in proxy.console("SHOW STATS"):
            for name, value in row.items():
                if value and value.isdigit():
                    numbers[name] = numbers.get(name, 0) + int(value)
            values = list(row.values())
            if len(values) == 2 and values[1] and values[1].isdigit():
                numbers[values[0]] = int(values[1])
        return numbers

    before = totals()
    with Wire(proxy.endpoint()) as conn:
        for _ in range(50):
            conn.ask(query("SELECT 1"))
    after = totals()
    assert any(after[name] - before.get(name, 0) >= 50 for name in after)


def test_cache_hits(proxy):
    """Texts that differ in literals share an entry."""

    def hits():
        found = proxy.console("SHOW CACHE")
        return sum(int(row["hits"]) for row in found), sum(int(row["misses"]) for row in found)

    with Wire(proxy.endpoint()) as conn:
        conn.ask(query("SELECT 123 AS cached_shape"))
        before = hits()
        for number in range(100):
            conn.ask(query(f"SELECT {number} AS cached_shape"))
        after = hits()
    assert after[0] - before[0] >= 100 and after[1] == before[1]


def test_tables(proxy):
    """Kinds as inferred from the catalog."""
    tables = proxy.tables()
    assert tables["line_items"]["kind"] == "backfill" and tables["line_items"]["stage"] == "observe"
    assert "orders" in tables["line_items"]["tenant_path"]
    assert {tables[name]["kind"] for name in ("orders", "products", "stores")} == {"distributed"}


def test_config(proxy):
    values = {(row["section"], row["name"]): row["value"] for row in proxy.console("SHOW CONFIG")}
    assert values["proxy", "listen"] == f"127.0.0.1:{proxy.port}" and values["proxy", "workers"] == "2"
    assert values["proxy", "max_clients"] == "5000" and values["tenant", "table"] == "stores"


def test_secrets_are_not_shown(make_proxy, server):
    """A password in the control conninfo."""
    proxy = make_proxy(settings={"control.conninfo": f"host=127.0.0.1 port={server.port} dbname=app user=postgres password=s3cr3t "
                                                     "sslmode=disable"})
    assert "s3cr3t" not in str(proxy.console("SHOW CONFIG")) + proxy.stderr()


def test_unknown_command(proxy):
    """An error that says what can be said; the session goes on."""
    for command in ("SELECT 1", "SHOW NOTHING", "SHOW", "SHUT", "SHOW VERSION SHOW", "DROP TABLE x"):
        with pytest.raises(psycopg.Error) as failure:
            proxy.console(command)
        assert failure.value.sqlstate in ("42601", "0A000") or type(failure.value).__name__ in ("SyntaxError", "FeatureNotSupported")
    with Wire(proxy.endpoint("shardferry")) as conn:
        assert error_of(conn.ask(query("NONSENSE")))["S"] == "ERROR"
        assert kinds(conn.ask(query("SHOW VERSION"))).endswith("CZ")


def test_empty_command(proxy):
    with Wire(proxy.endpoint("shardferry")) as conn:
        assert kinds(conn.ask(query(""))) == "IZ"


def test_psql(proxy):
    """Over each kind of connection."""
    for endpoint in (proxy.endpoint(), proxy.endpoint(sslmode="verify-full"), proxy.unix_endpoint()):
        done = psql(endpoint, "SHOW VERSION", "SHOW CLIENTS", "SHOW TABLES")
        assert done.returncode == 0 and "line_items" in done.stdout, done.stderr


def test_extended_protocol(proxy):
    """Drivers that know no simple query can ask too, or are told."""
    with Wire(proxy.endpoint("shardferry")) as conn:
        messages = conn.ask(parse("SHOW VERSION") + bind() + describe("P") + execute() + sync())
        assert messages[-1] == ("Z", b"I")
        assert error_of(messages).get("C") == "0A000" or rows(messages)

    async def run():
        connection = await asyncpg.connect(host=proxy.endpoint().host, port=proxy.port, user="postgres", database="shardferry", ssl=False)
        try:
            return await connection.execute("SHOW VERSION")
        finally:
            connection.terminate()

    assert asyncio.run(run())


def test_others_are_refused(proxy):
    """A role that is no administrator."""
    with pytest.raises(psycopg.OperationalError, match="may not use the console"):
        psycopg.connect(**proxy.endpoint("shardferry", user="app_trust").keywords())


def test_password_of_an_administrator_is_asked(make_proxy):
    """Over TCP an administrator proves who it is, as to the server."""
    from harness.postgres import PASSWORD

    proxy = make_proxy(settings={"proxy.admin_users": "postgres, app_scram"})
    endpoint = proxy.endpoint("shardferry", user="app_scram")
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(**endpoint.keywords())
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(**endpoint.over(password="wrong").keywords())
    with psycopg.connect(autocommit=True, **endpoint.over(password=PASSWORD).keywords()) as conn:
        assert conn.pgconn.exec_(b"SHOW VERSION").ntuples == 1


def test_nobody_without_admin_users(make_proxy):
    """Without the setting only the proxy's own user may, over the Unix socket."""
    proxy = make_proxy(settings={"proxy.admin_users": None})
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(**proxy.endpoint("shardferry").keywords())
    assert proxy.console("SHOW VERSION")


def test_console_while_the_server_is_away(make_server, make_proxy):
    """The Unix socket's owner is known without asking anybody."""
    server = make_server()
    server.create_database("app")
    proxy = make_proxy(server, settings={"proxy.admin_users": None})
    server.stop("fast")
    assert proxy.console("SHOW VERSION") and proxy.console("SHOW SERVERS") == []


def test_reload(make_proxy):
    proxy = make_proxy()
    proxy.configure({"proxy.max_clients": "77"})
    assert proxy.console("RELOAD") == "RELOAD"
    process.wait_until(lambda: "77" in str(proxy.console("SHOW CONFIG")), what="the new value")


def test_reload_says_what_is_wrong(make_proxy):
    """RELOAD of a broken file fails with the file's fault; the values stay."""
    proxy = make_proxy()
    proxy.configure({"proxy.max_clients": "many"})
    with pytest.raises(psycopg.Error, match="max_clients"):
        proxy.console("RELOAD")
    assert {row["value"] for row in proxy.console("SHOW CONFIG") if "max_clients" in row.values()} == {"5000"}


def test_catalog_after_reload(make_proxy, server):
    """A table that was made behind the proxy's back is there after RELOAD."""
    proxy = make_proxy()
    proxy.wait_for_catalog("line_items")
    server.execute("CREATE TABLE made_elsewhere (id int PRIMARY KEY, store_id bigint)")
    try:
        proxy.console("RELOAD")
        proxy.wait_for_catalog("made_elsewhere", 5)
    finally:
        server.execute("DROP TABLE made_elsewhere")


def test_shutdown(make_proxy):
    proxy = make_proxy()
    with Wire(proxy.endpoint()) as conn:
        try:
            assert proxy.console("SHUTDOWN") == "SHUTDOWN"
        except psycopg.OperationalError:
            pass  # the answer and the end of the connection are on their way together
        assert error_of(conn.until("")).get("C") == "57P01"
    assert proxy.process.wait(15) == 0
    proxy.process = None


def test_cancel_on_the_console(proxy):
    """Its key is nobody's; nothing happens."""
    with psycopg.connect(**proxy.endpoint("shardferry").keywords()) as conn:
        conn.cancel()
        assert conn.pgconn.exec_(b"SHOW VERSION").ntuples == 1


def test_many_consoles(proxy):
    sessions = [Wire(proxy.endpoint("shardferry")) for _ in range(20)]
    for conn in sessions:
        conn.send(query("SHOW CLIENTS"))
    for conn in sessions:
        assert conn.until("Z")[-1] == ("Z", b"I")
        conn.close()
