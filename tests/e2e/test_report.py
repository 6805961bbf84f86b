"""What running proxies have seen: lint --from proxy, and the page that it makes, in a browser."""

import json
import os
import re
import struct
import subprocess

import pytest

from harness import browser as browser_module
from harness import fakeserver, process, proxy as proxy_module, tailspin
from harness.browser import Browser
from harness.wire import Wire, bind, execute, message, parse, query, sync

SLOW = "SELECT count(*), pg_sleep(0.3) FROM orders"
JOIN = "SELECT o.status, l.quantity FROM orders o JOIN line_items l ON l.order_id = o.order_id WHERE o.store_id = 5"
SCOPED = "SELECT * FROM orders WHERE store_id = 7"
PRODUCTS = "SELECT * FROM products WHERE product_id = 9"
# Each of a shape of its own, which aliases and literals do not make.
ATTACKS = [
    "SELECT '</script><script>document.documentElement.dataset.attacked = 1</script>' FROM orders",
    "SELECT '<!-- <script>', order_id, '--> ]]>' FROM orders",
    "SELECT '<img src=x onerror=\"document.documentElement.dataset.attacked = 2\">', status AS \"a'b&amp;\" FROM orders",
    "SELECT 'a\u2028b\u2029c\u202ereversed\u202c', store_id FROM orders",
    "SELECT '{{script}} ${q} \\' FROM products",
]
ATTACKER = "<b onclick=x>\"'&"
APPLICATIONS = {
    "shop": [(SCOPED, 10), (JOIN, 2), ("SELECT * FROM orders WHERE store_id = 8", 2)],
    "reports": [(SLOW, 1), (SCOPED, 3), (PRODUCTS, 4), ("SELEC nonsense", 1)],
    "": [("SELECT 1", 2), ("DO $$ BEGIN PERFORM 1; END $$", 1)],
    ATTACKER: [(text, 1) for text in ATTACKS],
}


def send(proxy, application, statements):
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.start_session(application_name=application)
        for text, times in statements:
            for _ in range(times):
                conn.ask(query(text))


@pytest.fixture(scope="module")
def proxies(server):
    """Two with one tenant: what they have seen is to be added."""
    from conftest import DIRECT

    if DIRECT:
        pytest.skip("of the proxy itself")
    made = []
    try:
        for _ in range(2):
            made.append(proxy_module.Proxy(server, tables=tailspin.TABLES, settings={"audit.sample_bytes": "2kB"}))
            made[-1].wait_for_catalog("line_items")
        for application, statements in APPLICATIONS.items():
            send(made[0], application, statements)
        send(made[1], "shop", [(SCOPED, 5)])
        yield made
    finally:
        for proxy in made:
            proxy.close()


def lint(proxy, *arguments, **environment):
    return subprocess.run([proxy_module.binary(), "lint", "-c", proxy.config, "--from", "proxy", *arguments], capture_output=True,
                          text=True, timeout=60, env={**os.environ, **environment})


def lint_rows(proxy, *arguments):
    run = lint(proxy, "--json", *arguments)
    assert run.returncode == 1, run.stderr
    return [json.loads(line) for line in run.stdout.split("\n") if line]


def by_sql(rows):
    return {row["sql"]: row for row in rows}


# The source ------------------------------------------------------------------------------------------------


def test_rows_are_those_of_the_audit(proxies):
    rows = lint_rows(proxies[0])
    shown = {(row["fingerprint"], row["verdict"]): row for row in proxies[0].console("SHOW AUDIT")}
    assert len(rows) == len(shown) >= 11
    for row in rows:
        audited = shown[row["fingerprint"], row["verdict"]]
        assert row["sql"] == audited["sample"]
        assert row["calls"] == int(audited["calls"])
        assert row["total_ms"] == pytest.approx(float(audited["total_ms"]))
        assert ", ".join(row["tables"]) == audited["tables"]
        assert row["source"] == "proxy"
    assert [row["total_ms"] for row in rows] == sorted((row["total_ms"] for row in rows), reverse=True)
    assert rows[0]["sql"] == SLOW
    assert by_sql(rows)[SCOPED]["calls"] == 15 and by_sql(rows)[SCOPED]["application"] == "shop"


def test_calls_are_known_by_application(proxies):
    (row,) = [row for row in proxies[0].console("SHOW AUDIT") if row["sample"] == SCOPED]
    clients = {client["application"]: client for client in json.loads(row["applications"])}
    assert {name: client["calls"] for name, client in clients.items()} == {"shop": 12, "reports": 3}
    assert sum(client["total_ms"] for client in clients.values()) == pytest.approx(float(row["total_ms"]))
    assert {client["user"] for client in clients.values()} == {"postgres"}


def test_application_name_may_change_in_a_session(make_proxy):
    proxy = make_proxy()
    proxy.wait_for_catalog("line_items")
    text = "SELECT status FROM orders WHERE store_id = $1"
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.start_session(application_name="first")
        conn.ask(parse(text, "s") + sync())
        for name in ("first", "second", "third", "second"):
            conn.ask(query(f"SET application_name = '{name}'"))
            conn.ask(bind(["1"], "", "s") + execute() + bind(["2"], "", "s") + execute() + sync())
    (row,) = [row for row in proxy.console("SHOW AUDIT") if row["sample"] == text]
    assert row["application"] == "first"
    assert {client["application"]: client["calls"] for client in json.loads(row["applications"])} == {
        "first": 2, "second": 4, "third": 2}


def test_names_are_taken_apart(make_proxy, server):
    """A comma in a table's name does not end it."""
    server.execute('CREATE TABLE "a, ""b" (id bigint, store_id bigint REFERENCES stores)')
    try:
        proxy = make_proxy()
        proxy.wait_for_catalog('"a, ""b"')
        send(proxy, "shop", [('SELECT * FROM "a, ""b" x, orders o WHERE o.order_id = x.id', 1)])
        (row,) = lint_rows(proxy)
    finally:
        server.execute('DROP TABLE "a, ""b"')
    assert sorted(row["tables"]) == ['public."a, ""b"', "public.orders"]
    assert set(row["unscoped"]) <= set(row["tables"]) and row["unscoped"]


def test_blocked_statements_are_no_calls(make_proxy):
    proxy = make_proxy(settings={"audit.mode": "multi-tenant: block, opaque: notice"})
    proxy.wait_for_catalog("line_items")
    send(proxy, "shop", [(PRODUCTS, 3), ("DO $$ BEGIN PERFORM 1; END $$", 2)])
    rows = by_sql(lint_rows(proxy))
    assert (rows[PRODUCTS]["calls"], rows[PRODUCTS]["blocked"]) == (0, 3)
    assert rows[PRODUCTS]["last_seen"]
    noticed = rows["DO $$ BEGIN PERFORM 1; END $$"]
    assert (noticed["calls"], noticed["blocked"], noticed["noticed"]) == (2, 0, 2)
    assert noticed["applications"] == [
        {"application": "shop", "user": "postgres", "calls": 2, "errors": 0, "total_ms": noticed["total_ms"]}]


def test_several_consoles_are_merged(proxies):
    consoles = [f"--console=host={proxy.directory} port={proxy.port} user=postgres" for proxy in proxies]
    rows = by_sql(lint_rows(proxies[0], *consoles))
    assert rows[SCOPED]["calls"] == 20
    assert rows[SLOW]["calls"] == 1
    assert len(rows) == len(lint_rows(proxies[0]))


def test_text(proxies):
    run = lint(proxies[0])
    assert run.returncode == 1
    assert re.search(r"^proxy: multi-tenant  3\d\d\.\d ms in 1 call  \S", run.stdout, re.M)
    assert "statements: " in run.stdout.splitlines()[-1]
    assert f"    {SLOW}\n" in run.stdout


@pytest.mark.parametrize("how", ["unix socket", "tcp", "admin of another name"])
def test_finds_the_console_of_the_configuration(make_proxy, how):
    """Over TCP the role is the first of admin_users; PGUSER wins."""
    admins = {"unix socket": "nobody_at_all", "tcp": "postgres", "admin of another name": "someone, postgres"}
    settings = {"proxy.admin_users": admins[how]}
    if how != "unix socket":
        settings["proxy.unix_socket_dir"] = None
    proxy = make_proxy(settings=settings)
    environment = {"PGUSER": "postgres"} if how == "admin of another name" else {}
    run = lint(proxy, "--json", **environment)
    assert run.returncode == 0, run.stderr


def test_says_why_there_is_no_answer(make_proxy, server, tmp_path):
    proxy = make_proxy(settings={"proxy.unix_socket_dir": None})
    refused = lint(proxy, "--console", f"host=127.0.0.1 port={proxy.port} user=app_trust")
    assert refused.returncode == 2
    assert "app_trust" in refused.stderr and "admin_users" in refused.stderr
    # A server of another kind that has a database of that name.
    server.execute("CREATE DATABASE shardferry", (), "postgres")
    try:
        other = lint(proxy, "--console", f"host=127.0.0.1 port={server.port} user=postgres")
    finally:
        server.execute("DROP DATABASE shardferry", (), "postgres")
    assert other.returncode == 2 and "no console of a shardferry proxy" in other.stderr
    page = tmp_path / "page.html"
    page.write_text("the last report")
    closed = lint(proxy, "--html", str(page), "--console", f"host=127.0.0.1 port={process.free_port()} user=postgres")
    assert closed.returncode == 2 and "must be running" in closed.stderr and closed.stdout == ""
    assert page.read_text() == "the last report" and os.listdir(tmp_path) == ["page.html"]
    assert lint(proxy, "--console", "host=").returncode == 2
    assert lint(proxy, "--console", "nonsense").returncode == 2
    assert "exclude" in lint(proxy, "--json", "--html", str(page)).stderr


# A console that says what a test tells it to: a row of SHOW AUDIT, by its columns.
@pytest.mark.parametrize("columns, expected", [
    # Of a version that knew less.
    ({"fingerprint": "00000000000000ff", "verdict": "opaque", "calls": "3", "sample": "SELECT f()"},
     {"calls": 3, "total_ms": 0, "tables": [], "applications": [], "fingerprint": "00000000000000ff", "errors": 0}),
    # Nonsense where figures and lists are expected.
    ({"fingerprint": "zz", "verdict": "unparsed", "calls": "many", "total_ms": "1e400", "tables": ',,"', "sample": "",
      "applications": "[1, {}, {\"application\": 5, \"calls\": -1}]", "first_seen": "never"},
     {"calls": 0, "fingerprint": None, "sql": "", "first_seen": "never"}),
    ({"verdict": "splendid"}, "a verdict that is not known here: splendid"),
    ({"fingerprint": "00"}, "a verdict that is not known here"),
    (None, "reading the audit: not today"),
])  # fmt: skip
def test_another_console(tmp_path, columns, expected):
    def handler(server, sock, _packet):
        sock.sendall(fakeserver.authentication(0) + message("S", b"server_version\0" + b"15.0 (shardferry 9.9)\0") + fakeserver.ready())
        while (asked := fakeserver.read_message(sock)[0]) != "X":
            if asked == "Q":
                sock.sendall(fakeserver.error(S="ERROR", C="42601", M="there is no such command") + fakeserver.ready())
            elif asked == "S":
                answer = fakeserver.error(S="ERROR", C="XX000", M="not today")
                if columns is not None:
                    answer = (message("1", b"") + message("2", b"") + fakeserver.row_description(*columns)
                              + fakeserver.row(*(value.encode() for value in columns.values())) + message("C", b"SHOW 1\0"))
                sock.sendall(answer + fakeserver.ready())

    config = tmp_path / "lint.ini"
    config.write_text("[tenant]\ntable = stores\ncolumn = store_id\n")
    console = fakeserver.FakeServer(handler)
    try:
        for form in ("--json", "--html=" + str(tmp_path / "page.html"), "--sarif"):
            run = subprocess.run([proxy_module.binary(), "lint", "-c", str(config), "--from", "proxy", form, "--console",
                                  f"host=127.0.0.1 port={console.port} user=x"], capture_output=True, text=True, timeout=30)
            if isinstance(expected, str):
                assert run.returncode == 2 and expected in run.stderr
                continue
            assert run.returncode == 1, run.stderr
            if form == "--json":
                row = json.loads(run.stdout)
                assert {name: row[name] for name in expected} == expected
    finally:
        console.close()
    assert not console.problems


# The page --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page(proxies, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    run = lint(proxies[0], "--html", str(path))
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith(f"{path}: ") and "statement shapes" in run.stdout
    assert os.listdir(path.parent) == ["report.html"]
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not browser_module.binary():
        pytest.skip("there is no chromium")
    return Browser(tmp_path_factory.mktemp("browser"))


class Shown:
    """What the browser shows of a report."""

    def __init__(self, tree):
        self.tree = tree
        root = tree.one("html").attributes
        assert root.get("data-ready") == "yes" and "data-error" not in root, root
        assert "data-attacked" not in root
        self.rows = tree.all("tr", "row")
        self.count = tree.one(id="count").text()

    def statements(self):
        return [row.one("bdi", "sql").text() for row in self.rows]

    def cell(self, row, label):
        return row.one("td", data_label=label).text()


def visible(text):
    return re.sub("[\u2028\u2029\u202c\u202e]", lambda match: f"[U+{ord(match[0]):04X}]", text)


def test_page_stands_alone(page):
    """Readable without a script; nothing is fetched; no text of a statement is markup."""
    text = page.read_text()
    tree = browser_module.parse(text)
    assert not re.search(r"(src|href)\s*=\s*[\"']?(https?:)?//", re.sub(r"<script.*?</script>", "", text, flags=re.S))
    assert [e.tag for e in tree.walk() if e.tag in ("link", "img", "iframe", "object", "b") and e.parent.tag == "td"] == []
    assert len(tree.all("script")) == 2
    assert all(character not in text for character in "\u2028\u2029\u202e")
    policy = tree.one("meta", http_equiv="Content-Security-Policy").attributes["content"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    statements = [row.one("bdi").text() for row in tree.all("tr", "row")]
    assert statements[0] == SLOW
    assert {visible(attack) for attack in ATTACKS} <= set(statements)
    assert "Every" not in tree.one("h1").text() and re.search(r"\d+\.\d % of \d+ calls", tree.one("h1").text())


def test_page_is_ordered_by_cost(page, browser, proxies):
    shown = Shown(browser.show(page))
    assert shown.statements() == [visible(row["sql"]) for row in lint_rows(proxies[0])]
    assert shown.count == f"{len(shown.rows)} shapes."
    assert shown.rows[0].attributes["data-verdict"] == "multi-tenant"
    assert re.fullmatch(r"3\d\d ms", shown.cell(shown.rows[0], "total"))
    assert shown.cell(shown.rows[shown.statements().index(SCOPED)], "calls") == "15"
    facts = shown.tree.one("dl", "facts").text()
    assert f":{proxies[0].port}" in facts and "observe" in facts and "Counting since" in facts
    bars = shown.tree.one(id="bars").all("svg")
    assert len(bars) == 3
    for bar in bars:
        assert sum(float(rect.attributes["width"]) for rect in bar.all("rect")) == pytest.approx(1000, abs=0.1)


@pytest.mark.parametrize("fragment, expected", [
    ("verdict=multi-tenant", lambda row: row["verdict"] == "multi-tenant" and not row["citus_error"]),
    ("verdict=refused", lambda row: row["citus_error"]),
    ("verdict=opaque,unparsed", lambda row: row["verdict"] in ("opaque", "unparsed")),
    ("table=public.products", lambda row: "public.products" in row["tables"]),
    ("q=PRODUCT_id", lambda row: "product_id" in row["sql"]),
    ("verdict=multi-tenant&table=public.products&q=product_id", lambda row: row["sql"] == PRODUCTS),
    ("q=there+is+none+such", lambda row: False),
    ("table=no.such", lambda row: False),
])  # fmt: skip
def test_filters(page, browser, proxies, fragment, expected):
    rows = lint_rows(proxies[0])
    wanted = [visible(row["sql"]) for row in rows if expected(row)]
    assert wanted or "such" in fragment
    shown = Shown(browser.show(page, fragment))
    assert shown.statements() == wanted
    assert f"{len(rows) - len(wanted)} hidden by the filters" in shown.count


def test_application_filter_counts_its_calls_alone(page, browser):
    shown = Shown(browser.show(page, "application=reports&sort=calls"))
    assert [(text, shown.cell(row, "calls")) for text, row in zip(shown.statements(), shown.rows)] == [
        (PRODUCTS, "4"), (SCOPED, "3"), (SLOW, "1"), ("SELEC nonsense", "1")]
    names = [option.attributes["value"] for option in shown.tree.one(id="application").all("option")]
    assert {"", "shop", "reports", "(no application_name)", ATTACKER} == set(names)


def test_sorting(page, browser):
    shown = Shown(browser.show(page, "sort=calls&order=ascending"))
    calls = [int(shown.cell(row, "calls")) for row in shown.rows]
    assert calls == sorted(calls)
    (sorted_by,) = [th for th in shown.tree.one(id="shapes").all("th") if "aria-sort" in th.attributes]
    assert sorted_by.attributes["data-sort"] == "calls" and sorted_by.attributes["aria-sort"] == "ascending"


def test_a_shape_in_detail(page, browser, proxies):
    row = by_sql(lint_rows(proxies[0]))[JOIN]
    assert row["rewritten"] and row["suggestion"]
    identity = row["fingerprint"] + "-" + ("refused" if row["citus_error"] else row["verdict"])
    shown = Shown(browser.show(page, "open=" + identity))
    detail = shown.tree.one("tr", "detail")
    assert detail.one("section", "sample").one("pre").text() == JOIN
    mended = detail.one("section", "proposed").one("pre")
    assert mended.text() == row["rewritten"]
    added = "".join(ins.text() for ins in mended.all("ins"))
    assert "store_id" in added and "SELECT" not in added
    assert detail.one("p", "todo").text() == row["suggestion"]
    assert detail.one("p", "citus").text() == row["citus_error"]
    facts = detail.one("dl", "pairs").text()
    assert row["fingerprint"] in facts and "First seen" in facts and "unscoped" in facts
    clients = detail.one("section", "clients").one("tbody").all("tr")
    assert [[cell.text() for cell in client.all("td")][:3] for client in clients] == [["shop", "postgres", "2"]]


def test_picture(page, browser):
    """Rendered at any width, light and dark: the two differ, and neither is blank."""
    pictures = {}
    for size, dark in (((1280, 1400), False), ((1280, 1400), True), ((420, 1400), False)):
        png = browser.picture(page, "open=none", size, dark)
        assert png.startswith(b"\x89PNG") and struct.unpack(">II", png[16:24]) == size
        assert len(png) > 20000
        pictures[size, dark] = png
    assert len(set(pictures.values())) == 3


@pytest.mark.limit(120)
def test_ten_thousand_shapes(browser, tmp_path):
    """Of a script: no calls, no times; the worst first, the rest behind a button."""
    (tmp_path / "lint.ini").write_text("[tenant]\ntable = stores\ncolumn = store_id\n")
    (tmp_path / "schema.sql").write_text("CREATE TABLE stores (store_id bigint PRIMARY KEY);\n"
                                         "CREATE TABLE orders (order_id bigint PRIMARY KEY, store_id bigint REFERENCES stores);\n")
    with open(tmp_path / "script.sql", "w") as file:
        for number in range(10000):
            file.write(f"SELECT c{number} FROM orders WHERE {'store_id' if number % 2 else 'order_id'} = {number};\n")
        file.write("SELECT 1; SELECT 2;\nSELECT 3;\n")
    run = subprocess.run([proxy_module.binary(), "lint", "-c", "lint.ini", "--schema", "schema.sql", "--html", "-", "script.sql"],
                         capture_output=True, cwd=tmp_path, timeout=60)
    assert run.returncode == 1, run.stderr
    (tmp_path / "page.html").write_bytes(run.stdout)
    shown = Shown(browser.show(tmp_path / "page.html"))
    assert shown.count == "The first 100 of 10,001 shapes." and len(shown.rows) == 100
    assert {row.attributes["data-verdict"] for row in shown.rows} == {"multi-tenant"}
    assert "50.0 % of 10,003 statements" in shown.tree.one("h1").text()
    found = Shown(browser.show(tmp_path / "page.html", "q=c7777"))
    assert found.statements() == ["SELECT c7777 FROM orders WHERE store_id = 7777"]
    assert "10,000 hidden by the filters" in found.count
    repeated = Shown(browser.show(tmp_path / "page.html", "verdict=no-tenant-table&open=none"))
    assert repeated.cell(repeated.rows[0], "times") == "3" and repeated.rows[0].text().endswith("script.sql:10001")


def test_nothing_seen(make_proxy, browser, tmp_path):
    proxy = make_proxy()
    page = tmp_path / "page.html"
    run = lint(proxy, "--html", str(page))
    assert run.returncode == 0, run.stderr
    shown = Shown(browser.show(page))
    assert shown.tree.one("h1").text() == "No statement has been seen yet" and shown.rows == []


def test_page_that_cannot_be_written(proxies, tmp_path):
    run = lint(proxies[0], "--html", str(tmp_path / "no" / "such" / "page.html"))
    assert run.returncode == 2 and "cannot write" in run.stderr and not run.stdout
