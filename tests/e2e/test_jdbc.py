"""The JDBC driver through the proxy. Compiled at test time; without a JDK or the driver these tests skip."""

import os
import shutil
import subprocess

import pytest

from harness.tailspin import store_of

DRIVER = os.environ.get("JDBC_DRIVER", "/usr/share/java/postgresql.jar")
LIBRARIES = [DRIVER, "/usr/share/java/scram-client.jar", "/usr/share/java/scram-common.jar", "/usr/share/java/saslprep.jar",
             "/usr/share/java/stringprep.jar"]
SOURCE = os.path.join(os.path.dirname(__file__), "clients", "jdbc", "JdbcClient.java")


@pytest.fixture(scope="module")
def class_path(tmp_path_factory):
    if not shutil.which("javac") or not os.path.exists(DRIVER):
        pytest.skip("javac or the JDBC driver is not installed (scripts/install-deps test)")
    classes = str(tmp_path_factory.mktemp("jdbc"))
    subprocess.run(["javac", "-d", classes, "-cp", DRIVER, SOURCE], check=True, timeout=50)
    return ":".join([classes, *(path for path in LIBRARIES if os.path.exists(path))])


def start(class_path, scenario, endpoint):
    return subprocess.Popen(["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", class_path, "JdbcClient", scenario,
                             endpoint.jdbc_url()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def result_of(process):
    stdout, stderr = process.communicate(timeout=50)
    assert process.returncode == 0, stderr
    return stdout.splitlines()


@pytest.mark.parametrize("scenario", ["types", "prepared", "batch", "cursor", "errors", "copy", "notify", "cancel", "largeObject",
                                      "metadata"])
def test_scenario(scenario, class_path, same):
    assert same(lambda endpoint: result_of(start(class_path, scenario, endpoint)))


@pytest.mark.parametrize("scenario", ["types", "copy", "cancel"])
def test_over_tls(scenario, class_path, server, proxied, same):
    ways = server.endpoint(sslmode="verify-full"), proxied.over(sslmode="verify-full")
    assert same(lambda endpoint: result_of(start(class_path, scenario, endpoint)), ways)


@pytest.mark.parametrize("role", ["app_password", "app_md5", "app_scram"])
def test_login(role, class_path, proxied):
    from harness.postgres import PASSWORD

    assert len(result_of(start(class_path, "cursor", proxied.over(user=role, password=PASSWORD)))) == 8


def test_stage_change(class_path, migration):
    """Statements that were prepared in observe are used on in derive: single, with generated keys, in a batch."""
    client = start(class_path, "stageChange", migration.proxy.endpoint())
    try:
        assert client.stdout.readline() == "ready\n", client.stderr.read()
        migration.derive()
        last = migration.last_id()
        client.stdin.write("go\n")
        client.stdin.flush()
        assert result_of(client) == [f"[{order}]" for order in range(1, 21)] + ["[40]"]
    finally:
        client.kill()
        client.wait()
    orders = [order for order in range(1, 21) for _ in "ab"] + list(range(21, 61))
    assert migration.stores_since(last) == [(order, store_of(order)) for order in orders]
