"""The server authenticates the client; the proxy passes the conversation through, whatever the method."""

import asyncio
import subprocess

import asyncpg
import psycopg
import pytest

from harness.postgres import PASSWORD, program

ROLES = ["app_trust", "app_password", "app_md5", "app_scram"]


def login(endpoint, **more):
    """The session's user, or what the client is told."""
    try:
        with psycopg.connect(**endpoint.keywords(connect_timeout=10, **more)) as conn:
            return conn.execute("SELECT current_user").fetchone()[0]
    except psycopg.OperationalError as failure:
        # The text names the address and the port, which differ.
        return str(failure).split("failed: ", 1)[1]


@pytest.mark.parametrize("role", ROLES)
def test_method(role, way):
    """The server's own TLS is no part of this: where the client uses TLS, it ends at the proxy."""
    _, proxied = way
    assert login(proxied.over(user=role, password=PASSWORD)) == role


@pytest.mark.parametrize("role", ROLES[1:])
def test_wrong_password(role, both, same):
    def observe(endpoint):
        return login(endpoint.over(user=role, password="wrong"))

    assert f'authentication failed for user "{role}"' in same(observe)


@pytest.mark.parametrize("role", ROLES[1:])
def test_missing_password(role, same):
    same(lambda endpoint: login(endpoint.over(user=role)))


def test_unknown_role_and_database(same):
    assert "pg_hba.conf rejects connection" in same(lambda endpoint: login(endpoint.over(user="nobody_here")))
    assert "does not exist" in same(lambda endpoint: login(endpoint.over(dbname="no_such_database")))


def test_asyncpg(tcp_way):
    """A driver with its own implementation of the methods."""
    import ssl

    _, proxied = tcp_way
    tls = ssl.create_default_context(cafile=proxied.sslrootcert) if proxied.is_tls else False

    async def run(role):
        conn = await asyncpg.connect(host=proxied.host, port=proxied.port, user=role, password=PASSWORD, database="app", ssl=tls)
        try:
            return await conn.fetchval("SELECT current_user")
        finally:
            await conn.close()

    for role in ROLES:
        assert asyncio.run(run(role)) == role


def test_many_logins_at_once(proxied):
    """Conversations of several clients are not mixed up."""

    async def one(n):
        role = ROLES[n % 4]
        conn = await asyncpg.connect(host=proxied.host, port=proxied.port, user=role, password=PASSWORD, database="app", ssl=False)
        user = await conn.fetchval("SELECT current_user")
        await conn.close()
        return user == role

    async def run():
        return await asyncio.gather(*(one(n) for n in range(60)))

    assert all(asyncio.run(run()))


def test_login_that_is_given_up(proxied):
    """psql closes its connection when asked for a password that it does not have, and comes again: libpq's habit."""
    done = subprocess.run([program("psql"), "-Xwc", "SELECT 1", proxied.over(user="app_scram").conninfo()], capture_output=True,
                          text=True, timeout=20)
    assert "no password supplied" in done.stderr


# The server leg with TLS

def test_scram_with_tls_on_the_server_leg_alone(server, make_proxy):
    """The server offers channel binding, which the client, in clear, has no use for."""
    proxy = make_proxy(settings={"proxy.coordinator": f"host=127.0.0.1 port={server.port} sslmode=require", "proxy.client_tls": "disable"})
    endpoint = proxy.endpoint(user="app_scram", password=PASSWORD)
    assert login(endpoint) == "app_scram"
    assert login(proxy.unix_endpoint(user="app_scram", password=PASSWORD)) == "app_scram"
    assert "authentication failed" in login(endpoint.over(password="wrong"))


def both_legs(server, **more):
    return {"proxy.coordinator": f"host=127.0.0.1 port={server.port} sslmode=require", "proxy.client_tls": "require", **more}


def test_scram_with_tls_on_both_legs_is_refused(server, make_proxy, shardferry):
    """A configuration in which SCRAM cannot work does not start, and says why."""
    proxy = make_proxy(settings=both_legs(server), start=False)
    for command in (["proxy"], ["config"]):
        done = shardferry(*command, "-c", proxy.config)
        assert done.returncode == 2
        assert "SCRAM" in done.stderr and "clients_disable_channel_binding" in done.stderr, done.stderr


def test_scram_with_tls_on_both_legs_without_channel_binding(server, make_proxy):
    """Clients that do not try channel binding can have TLS on both legs; one that does is told what to do."""
    proxy = make_proxy(settings=both_legs(server, **{"proxy.clients_disable_channel_binding": "on"}))
    endpoint = proxy.endpoint(user="app_scram", password=PASSWORD, sslmode="verify-full")
    assert login(endpoint, channel_binding="disable") == "app_scram"
    assert login(endpoint.over(user="app_md5")) == "app_md5"
    for binding in ("prefer", "require"):
        assert "channel" in login(endpoint, channel_binding=binding)
