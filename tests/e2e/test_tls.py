"""TLS on either leg: modes, certificates, what an attacker between client and proxy might try."""

import os
import shutil
import socket
import ssl
import struct
import subprocess

import psycopg
import pytest

from harness import process, tls
from harness.wire import GSSENC_REQUEST, SSL_REQUEST, Wire, fields, query, startup


def connect(endpoint, **more):
    return psycopg.connect(**endpoint.keywords(autocommit=True, connect_timeout=10, **more))


def uses_tls(conn):
    return conn.pgconn.ssl_in_use


# The client's leg

def test_verify_full(proxied):
    with connect(proxied.over(sslmode="verify-full")) as conn:
        assert uses_tls(conn) and conn.execute("SELECT 1").fetchone() == (1,)


def test_modes(make_proxy):
    """disable: a client that insists is refused. require: one in clear is. allow: both come in."""
    expected = {"disable": (False, None), "allow": (True, False), "require": (True, None)}
    for mode, (with_tls, in_clear) in expected.items():
        proxy = make_proxy(settings={"proxy.client_tls": mode})
        for sslmode, outcome in (("require", with_tls), ("disable", in_clear)):
            try:
                with connect(proxy.endpoint(sslmode=sslmode)) as conn:
                    seen = uses_tls(conn)
            except psycopg.OperationalError as failure:
                seen, text = None, str(failure)
            if mode == "disable":
                assert (sslmode == "require" and seen is None and "does not support SSL" in text) or seen is False
            else:
                assert seen is outcome, (mode, sslmode)
                if seen is None:
                    assert "28000" in text or "SSL" in text or "TLS" in text


def test_prefer_falls_back(make_proxy):
    proxy = make_proxy(settings={"proxy.client_tls": "disable"})
    with connect(proxy.endpoint(sslmode="prefer")) as conn:
        assert not uses_tls(conn)


def test_certificate_reload(make_proxy, authority):
    """SIGHUP takes a new certificate; sessions that are there go on."""
    proxy = make_proxy()
    certs = [authority.issue(f"reload-{proxy.port}-{n}") for n in (1, 2)]
    cert, key = (os.path.join(proxy.directory, name) for name in ("server.crt", "server.key"))

    def install(pair):
        for source, target in zip(pair, (cert, key)):
            shutil.copy(source, target + ".new")
            os.replace(target + ".new", target)

    def presented():
        with Wire(proxy.endpoint(sslmode="verify-full"), connect=False) as conn:
            conn.start_tls()
            return tls.digest(conn.socket.getpeercert(True))

    install(certs[0])
    proxy.configure({"proxy.client_tls_cert": cert, "proxy.client_tls_key": key})
    proxy.reload()
    process.wait_until(lambda: presented() == tls.fingerprint(certs[0][0]), what="the first certificate")
    with connect(proxy.endpoint(sslmode="verify-full")) as old:
        install(certs[1])
        proxy.reload()
        process.wait_until(lambda: presented() == tls.fingerprint(certs[1][0]), what="the second certificate")
        assert old.execute("SELECT 1").fetchone() == (1,)

    # A file that is no certificate is named, and the one before stays.
    with open(cert, "w") as file:
        file.write("not a certificate\n")
    proxy.reload()
    proxy.wait_for_log("server.crt")
    assert presented() == tls.fingerprint(certs[1][0])


def test_bytes_in_clear_behind_ssl_request(proxied):
    """What an attacker puts behind the request must not be read as if it had come over TLS (CVE-2021-23214): the proxy
    does not go on."""
    with Wire(proxied, connect=False) as conn:
        conn.send(SSL_REQUEST + startup(user="postgres", database="app") + query("SELECT 'smuggled'"))
        answer = conn.exactly(1)
        if answer == b"S":
            try:
                conn.wrap_tls()
            except (ssl.SSLError, OSError):
                return
        elif answer == b"E":
            (length,) = struct.unpack("!i", conn.exactly(4))
            assert fields(conn.exactly(length - 4))["C"] == "08P01"
            assert conn.at_end()
            return
        kind, payload = conn.receive()
        assert kind == "" or (kind == "E" and fields(payload)["C"] == "08P01")


def test_ssl_request_twice(proxied):
    with Wire(proxied.over(sslmode="verify-full"), connect=False) as conn:
        conn.start_tls()
        conn.send(SSL_REQUEST)
        assert conn.receive()[0] in ("", "E")


def test_ssl_request_where_there_is_no_tls(make_proxy):
    """Answered N; the client may go on in clear, as often as it likes to ask first."""
    proxy = make_proxy(settings={"proxy.client_tls": "disable"})
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.send(SSL_REQUEST)
        assert conn.exactly(1) == b"N"
        conn.send(GSSENC_REQUEST)
        assert conn.exactly(1) == b"N"
        conn.start_session()


def test_ssl_request_on_a_unix_socket(way):
    """As a server does: no TLS there."""
    _, proxied = way
    if not proxied.is_unix:
        pytest.skip("of the Unix socket")
    with Wire(proxied, connect=False) as conn:
        conn.send(SSL_REQUEST)
        assert conn.exactly(1) == b"N"
        conn.start_session()


def test_gssenc_request(proxy):
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.send(GSSENC_REQUEST)
        assert conn.exactly(1) == b"N"
        conn.start_session()


def test_gssenc_request_then_tls(proxy):
    with Wire(proxy.endpoint(sslmode="verify-full"), connect=False) as conn:
        conn.send(GSSENC_REQUEST)
        assert conn.exactly(1) == b"N"
        conn.start_tls()
        conn.start_session()


def direct_tls(endpoint, protocols):
    """A TLS connection that begins without SSLRequest."""
    context = ssl.create_default_context(cafile=endpoint.sslrootcert)
    if protocols:
        context.set_alpn_protocols(protocols)
    raw = socket.create_connection((endpoint.host, endpoint.port), timeout=10)
    return context.wrap_socket(raw, server_hostname="localhost")


def test_direct_tls(proxy):
    with Wire(proxy.endpoint(), connect=False) as conn:
        conn.close()
        conn.socket = direct_tls(conn.endpoint, ["postgresql"])
        assert conn.socket.selected_alpn_protocol() == "postgresql"
        conn.start_session()
        assert conn.ask(query("SELECT 1"))[-1] == ("Z", b"I")


@pytest.mark.parametrize("protocols", [None, ["http/1.1"]], ids=["none", "http"])
def test_direct_tls_demands_alpn(proxy, protocols):
    """Without ALPN a browser could be made to talk to a database."""
    try:
        sock = direct_tls(proxy.endpoint(), protocols)
    except (ssl.SSLError, ConnectionError):
        return
    with sock:
        try:
            sock.sendall(startup(user="postgres", database="app"))
            assert sock.recv(1) in (b"", b"E")
        except (ssl.SSLError, ConnectionError):
            pass


def test_alpn_after_ssl_request(proxied):
    """A client of PostgreSQL 17 names the protocol there too."""
    with Wire(proxied.over(sslmode="verify-full"), connect=False) as conn:
        conn.start_tls(alpn=["postgresql"])
        conn.start_session()


def test_tls_versions(proxied):
    for version, works in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_1, False)):
        with Wire(proxied, connect=False) as conn:
            conn.send(SSL_REQUEST)
            assert conn.exactly(1) == b"S"
            context = ssl.create_default_context(cafile=proxied.sslrootcert)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            try:
                conn.socket = context.wrap_socket(conn.socket, server_hostname="localhost")
                done = True
                conn.start_session()
            except (ssl.SSLError, ConnectionError):
                done = False
            assert done == works, version


def test_client_leaves_within_the_handshake(proxied):
    for rubbish in (b"", b"\x16", b"\x16\x03\x01\x02\x00", os.urandom(500)):
        with Wire(proxied, connect=False) as conn:
            conn.send(SSL_REQUEST)
            assert conn.exactly(1) == b"S"
            conn.send(rubbish)
    with connect(proxied) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_large_exchange(proxied):
    """Several megabytes each way at once, in records of all sizes."""
    with connect(proxied.over(sslmode="verify-full")) as conn:
        data = os.urandom(3_000_000)
        assert conn.execute("SELECT %b::bytea", (data,), binary=True).fetchone()[0] == data
        for size in (1, 16383, 16384, 16385, 65536):
            assert conn.execute("SELECT %b::bytea", (data[:size],), binary=True).fetchone()[0] == data[:size]


# The server's leg

def server_leg(server, sslmode, **more):
    words = {"host": "127.0.0.1", "port": server.port, "sslmode": sslmode, **more}
    return {"proxy.coordinator": " ".join(f"{key}={value}" for key, value in words.items()), "proxy.client_tls": "disable"}


@pytest.mark.parametrize("sslmode,encrypted", [("disable", False), ("allow", False), ("prefer", True), ("require", True),
                                               ("verify-ca", True), ("verify-full", True)])
def test_server_leg(sslmode, encrypted, server, make_proxy, authority):
    proxy = make_proxy(settings=server_leg(server, sslmode, sslrootcert=authority.root))
    with connect(proxy.endpoint()) as conn:
        assert conn.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (encrypted,)


def test_server_leg_allow_needs_tls(server, make_proxy, authority):
    """allow: in clear first, and over TLS where the server refuses that."""
    proxy = make_proxy(settings=server_leg(server, "allow", sslrootcert=authority.root))
    with connect(proxy.endpoint(user="app_tls")) as conn:
        assert conn.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)


def test_server_leg_refuses_a_stranger(server, make_proxy, tmp_path):
    """A certificate of another authority; a name that is not the certificate's. The client learns why."""
    (tmp_path / "other").mkdir()
    other = tls.Authority(str(tmp_path / "other"))
    for settings in (server_leg(server, "verify-ca", sslrootcert=other.root), server_leg(server, "verify-full", sslrootcert=other.root)):
        proxy = make_proxy(settings=settings)
        with pytest.raises(psycopg.OperationalError, match="(?i)certificate"):
            connect(proxy.endpoint())


def test_server_leg_checks_the_name(server, make_proxy, authority):
    settings = server_leg(server, "verify-full", sslrootcert=authority.root)
    settings["proxy.coordinator"] += " host=database.invalid hostaddr=127.0.0.1"
    settings["proxy.coordinator"] = settings["proxy.coordinator"].replace("host=127.0.0.1 ", "", 1)
    proxy = make_proxy(settings=settings)
    with pytest.raises(psycopg.OperationalError, match="database.invalid"):
        connect(proxy.endpoint())


def test_server_leg_needs_tls_that_is_not_there(make_server, make_proxy, authority):
    plain = make_server(settings={"ssl": "off"})
    plain.create_database("app")
    proxy = make_proxy(plain, settings=server_leg(plain, "require"))
    with pytest.raises(psycopg.OperationalError, match="TLS|SSL"):
        connect(proxy.endpoint())


def test_both_legs(server, make_proxy, authority):
    """With what authenticates without channel binding."""
    settings = server_leg(server, "verify-full", sslrootcert=authority.root)
    settings.update({"proxy.client_tls": "require", "proxy.clients_disable_channel_binding": "on"})
    proxy = make_proxy(settings=settings)
    with connect(proxy.endpoint(sslmode="verify-full")) as conn:
        assert uses_tls(conn)
        assert conn.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
        assert conn.execute("SELECT length(%s)", ("x" * 500000,)).fetchone() == (500000,)


def test_key_that_does_not_fit(make_proxy, authority, shardferry):
    """Told at the start, not at the first client."""
    proxy = make_proxy(start=False)
    proxy.configure({"proxy.client_tls_key": authority.issue("unfitting")[1]})
    done = shardferry("proxy", "-c", proxy.config)
    assert done.returncode == 2 and "unfitting.key" in done.stderr, done.stderr


def test_openssl_client(proxied):
    """openssl's own starttls for PostgreSQL reaches a verified session."""
    done = subprocess.run(["openssl", "s_client", "-starttls", "postgres", "-connect", f"127.0.0.1:{proxied.port}", "-CAfile",
                           proxied.sslrootcert, "-verify_return_error"], input="", capture_output=True, text=True, timeout=20)
    assert "Verify return code: 0 (ok)" in done.stdout
