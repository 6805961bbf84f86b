"""Fixtures: one server and one proxy for the whole run, more of either on request.

With SHARDFERRY_E2E_DIRECT=1 `proxied` is a second direct connection: what a test asserts of the proxy must hold of a
server as well, and a test that fails so is itself wrong. Tests of the proxy's own features skip then.
"""

import faulthandler
import os
import signal
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness import citus, process, proxy as proxy_module, tailspin  # noqa: E402
from harness.migration import Migration  # noqa: E402
from harness.postgres import PostgresServer  # noqa: E402
from harness.proxy import Proxy  # noqa: E402
from harness.tls import Authority  # noqa: E402

DIRECT = os.environ.get("SHARDFERRY_E2E_DIRECT") == "1"
DEFAULT_LIMIT_SECONDS = 60
_live = {"proxies": [], "servers": []}


class TestTimeout(Exception):
    """The test ran longer than its limit."""


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(seconds): time that the test may take, 60 s without")
    # A `finally` that stops servers must run when a supervisor ends the run, not only at ^C.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    """Ends a test that hangs. One that waits inside a C library does not notice an exception: its proxies are
    killed, then its servers, until it does."""
    mark = item.get_closest_marker("limit")
    limit = mark.args[0] if mark else DEFAULT_LIMIT_SECONDS
    done = threading.Event()

    def raise_timeout(*_):
        raise TestTimeout(f"not done after {limit} s")

    def watch():
        if done.wait(limit):
            return
        faulthandler.dump_traceback(sys.__stderr__)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)
        for kind in ("proxies", "servers"):
            if done.wait(5):
                return
            for owned in _live[kind]:
                if owned.process is not None:
                    owned.process.kill()

    previous = signal.signal(signal.SIGUSR1, raise_timeout)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    done.set()
    watcher.join()
    signal.signal(signal.SIGUSR1, previous)


@pytest.fixture(scope="session")
def authority():
    directory = process.make_directory("sfca-")
    yield Authority(directory)
    process.remove_directory(directory)


@pytest.fixture(scope="session")
def server(authority):
    """The shared server. Database `app` has the Tailspin schema, in stage observe."""
    made = PostgresServer(authority)
    _live["servers"].append(made)
    try:
        tailspin.create(made, "app")
        with made.connect("app") as conn:
            conn.execute("GRANT ALL ON SCHEMA public TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC")
        yield made
    finally:
        made.remove()


@pytest.fixture
def make_server(authority):
    """Makes servers that the test may stop and kill."""
    made = []

    def make(**options):
        made.append(PostgresServer(authority, **options))
        _live["servers"].append(made[-1])
        return made[-1]

    yield make
    for server in made:
        _live["servers"].remove(server)
        server.remove()


def _need_proxy():
    if DIRECT:
        pytest.skip("of the proxy itself, and this run has none (SHARDFERRY_E2E_DIRECT)")
    if not os.access(proxy_module.binary(), os.X_OK):
        pytest.fail(f"{proxy_module.binary()} is not there; make builds it")


@pytest.fixture
def make_proxy(server, authority):
    """Makes proxies with settings of their own; they end with the test, which fails if one did not end well."""
    _need_proxy()
    made = []

    def make(to=None, **options):
        options.setdefault("authority", authority)
        options.setdefault("tables", tailspin.TABLES)
        made.append(Proxy(to or server, **options))
        _live["proxies"].append(made[-1])
        return made[-1]

    yield make
    problems = []
    for proxy in made:
        _live["proxies"].remove(proxy)
        try:
            proxy.close()
        except AssertionError as problem:
            problems.append(str(problem))
    assert not problems, "\n".join(problems)


@pytest.fixture
def migration(server, authority):
    """A database of the test's own, in stage observe, and its proxy."""
    _need_proxy()
    made = Migration(server, authority)
    _live["proxies"].append(made.proxy)
    yield made
    _live["proxies"].remove(made.proxy)
    made.close()


@pytest.fixture(scope="module")
def derived(server, authority):
    """A database in stage derive and its proxy, shared by the tests of a file."""
    _need_proxy()
    made = Migration(server, authority)
    _live["proxies"].append(made.proxy)
    try:
        made.derive()
        yield made
    finally:
        _live["proxies"].remove(made.proxy)
        made.close()


@pytest.fixture(scope="module")
def resolving(server, authority):
    """The same in stage resolve. No row may have a wrong store at the end."""
    _need_proxy()
    made = Migration(server, authority)
    _live["proxies"].append(made.proxy)
    try:
        made.derive()
        made.keyed()
        made.resolve()
        yield made
        assert made.execute(tailspin.WRONG_ROWS) == []
    finally:
        _live["proxies"].remove(made.proxy)
        made.close()


@pytest.fixture
def shardferry():
    """shardferry(*args) runs a command of the program to its end."""
    _need_proxy()
    return proxy_module.run_command


class _SharedProxy:
    """The proxy that most tests use. A test that ends it, willingly or not, does not end those behind it."""

    def __init__(self, server, authority):
        self._options = (server, authority)
        self.proxy = None

    def get(self):
        if self.proxy is None:
            server, authority = self._options
            self.proxy = Proxy(server, authority=authority, tables=tailspin.TABLES)
            _live["proxies"].append(self.proxy)
            self.proxy.wait_for_catalog("line_items")
        return self.proxy

    def check(self):
        if self.proxy.is_alive():
            self.proxy.check_sanitizers()
        else:
            self.close()

    def close(self):
        if self.proxy is not None:
            proxy, self.proxy = self.proxy, None
            _live["proxies"].remove(proxy)
            proxy.close()


@pytest.fixture(scope="session")
def _shared_proxy(server, authority):
    shared = _SharedProxy(server, authority)
    yield shared
    shared.close()


@pytest.fixture
def proxy(_shared_proxy):
    _need_proxy()
    yield _shared_proxy.get()
    _shared_proxy.check()


@pytest.fixture
def direct(server):
    return server.endpoint()


@pytest.fixture
def proxied(request, server):
    if DIRECT:
        return server.endpoint(name="proxied")
    return request.getfixturevalue("proxy").endpoint()


@pytest.fixture
def both(direct, proxied):
    return direct, proxied


@pytest.fixture(params=["plain", "tls", "unix"])
def way(request, server):
    """(direct, proxied) over one kind of connection between client and proxy."""
    front = server if DIRECT else request.getfixturevalue("proxy")
    if request.param == "unix":
        return server.unix_endpoint(), front.unix_endpoint("app", name="proxied")
    sslmode = {"plain": "disable", "tls": "verify-full"}[request.param]
    return (server.endpoint(sslmode=sslmode), front.endpoint("app", sslmode=sslmode, name="proxied"))


@pytest.fixture(params=["plain", "tls"])
def tcp_way(request, server):
    """(direct, proxied) for clients that know no Unix socket."""
    front = server if DIRECT else request.getfixturevalue("proxy")
    sslmode = {"plain": "disable", "tls": "verify-full"}[request.param]
    return (server.endpoint(sslmode=sslmode), front.endpoint("app", sslmode=sslmode, name="proxied"))


@pytest.fixture
def same(both):
    """same(observe): what `observe(endpoint)` returns is equal through the proxy and directly; returns it."""

    def check(observe, ways=None):
        direct, proxied = ways or both
        expected = observe(direct)
        seen = observe(proxied)
        assert seen == expected
        return seen

    return check


@pytest.fixture
def database(server):
    """A new empty database, dropped with the test."""
    name = server.create_database()
    yield name
    server.drop_database(name)


@pytest.fixture(scope="module")
def cluster():
    """A Citus cluster, where there is one to be had."""
    if not citus.is_offered():
        pytest.skip(citus.NOT_OFFERED)
    made = citus.Citus()
    yield made
    made.remove()
