"""node-postgres through the proxy. The package comes from npm, into build/; without npm or a registry these tests skip."""

import json
import os
import shutil
import subprocess

import pytest

from harness.proxy import ROOT
from harness.tailspin import store_of

SOURCES = os.path.join(os.path.dirname(__file__), "clients", "node")
INSTALLED = os.path.join(ROOT, "build", "e2e-node")
# By default npm goes on for minutes when the registry cannot be reached.
INSTALL = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--fetch-retries=2",
           "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000", "--fetch-timeout=15000"]


def install():
    """Installs what INSTALLED/package.json names; returns npm's reason if it cannot, else None."""
    try:
        done = subprocess.run(INSTALL, cwd=INSTALLED, capture_output=True, text=True, timeout=55)
    except subprocess.TimeoutExpired as expired:
        return f"not done after {expired.timeout} s"
    if done.returncode == 0:
        return None
    # The error's code comes first; the last line is but the path of a log.
    return (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[0]


@pytest.fixture(scope="module")
def node_modules():
    """The directory with the packages of clients/node/package.json."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node or npm is not installed (scripts/install-deps test)")
    modules = os.path.join(INSTALLED, "node_modules")
    package = os.path.join(SOURCES, "package.json")
    stamp = os.path.join(INSTALLED, "package.json")
    with open(package) as wanted:
        wanted = wanted.read()
    if not os.path.isdir(os.path.join(modules, "pg")) or not os.path.exists(stamp) or open(stamp).read() != wanted:
        os.makedirs(INSTALLED, exist_ok=True)
        shutil.copy(package, stamp)
        reason = install()
        if reason:
            shutil.rmtree(INSTALLED, ignore_errors=True)
            pytest.skip("npm cannot install pg: " + reason)
    return modules


def start(node_modules, scenario, endpoint):
    described = {name: getattr(endpoint, name) for name in ("host", "port", "dbname", "user", "password", "sslrootcert")}
    described["tls"] = endpoint.is_tls
    env = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return subprocess.Popen(["node", os.path.join(SOURCES, "client.js"), scenario, json.dumps(described)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(env, NODE_PATH=node_modules))


def result_of(process):
    stdout, stderr = process.communicate(timeout=40)
    assert process.returncode == 0, stderr
    return json.loads(stdout.splitlines()[-1])


@pytest.mark.parametrize("scenario", ["types", "named", "simple", "errors", "cursor", "copy", "notify", "notices", "pool", "queued",
                                      "large"])
def test_scenario(scenario, node_modules, same):
    same(lambda endpoint: result_of(start(node_modules, scenario, endpoint)))


@pytest.mark.parametrize("scenario", ["types", "named", "copy", "large"])
def test_each_way(scenario, node_modules, way, same):
    same(lambda endpoint: result_of(start(node_modules, scenario, endpoint)), way)


@pytest.mark.parametrize("role", ["app_password", "app_md5", "app_scram"])
def test_login(role, node_modules, proxied):
    from harness.postgres import PASSWORD

    assert result_of(start(node_modules, "named", proxied.over(user=role, password=PASSWORD)))[0] == list(range(1, 21))


def test_stage_change(node_modules, migration):
    """A statement that was prepared in observe is used on in derive."""
    client = start(node_modules, "stageChange", migration.proxy.endpoint())
    try:
        assert client.stdout.readline() == "ready\n", client.stderr.read()
        migration.derive()
        last = migration.last_id()
        client.stdin.write("go\n")
        client.stdin.flush()
        assert result_of(client) == [str(order) for order in range(1, 21)]
    finally:
        client.kill()
        client.wait()
    assert migration.stores_since(last) == [(order, store_of(order)) for order in range(1, 21) for _ in range(3)]
