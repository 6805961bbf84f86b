"""psycopg2 through the proxy: simple protocol, large objects by fast-path calls, named cursors, COPY, LISTEN."""

import io
import select

import psycopg2
import psycopg2.extras
import psycopg2.extensions
import pytest


def connect(endpoint):
    return psycopg2.connect(**endpoint.keywords())


def test_queries(way, same):
    def observe(endpoint):
        conn = connect(endpoint)
        with conn, conn.cursor() as cursor:
            cursor.execute("SELECT %s, %s, %s, %s", (1, "it's ü", None, [1, 2]))
            rows = [cursor.fetchone()]
            cursor.execute("CREATE TEMP TABLE t (a int, b text)")
            psycopg2.extras.execute_values(cursor, "INSERT INTO t VALUES %s", [(n, str(n)) for n in range(500)], page_size=100)
            cursor.execute("SELECT count(*), sum(a) FROM t")
            rows.append(cursor.fetchone())
            rows.append([column.name for column in cursor.description])
        conn.close()
        return rows

    same(observe, way)


def test_large_objects(way, same):
    """lo_creat, lo_open, lowrite, loread, lo_lseek, lo_truncate, lo_unlink: FunctionCall messages of libpq."""

    def observe(endpoint):
        conn = connect(endpoint)
        with conn:
            large = conn.lobject(0, "wb")
            data = bytes(range(256)) * 4096
            written = large.write(data)
            large.seek(1000)
            position = large.tell()
            large.truncate(500000)
            large.close()
            again = conn.lobject(large.oid, "rb")
            read = again.read()
            again.close()
            conn.lobject(large.oid).unlink()
        conn.close()
        return written, position, read == data[:500000]

    assert same(observe, way) == (1048576, 1000, True)


def test_large_object_error(same):
    def observe(endpoint):
        conn = connect(endpoint)
        with pytest.raises(psycopg2.OperationalError) as failure:
            conn.lobject(3, "rb")
        conn.rollback()
        with conn.cursor() as cursor:
            cursor.execute("SELECT 1")
            return str(failure.value), cursor.fetchone()

    same(observe)


def test_named_cursor(same):
    def observe(endpoint):
        conn = connect(endpoint)
        with conn, conn.cursor("c") as cursor:
            cursor.itersize = 7
            cursor.execute("SELECT n FROM generate_series(1, 40) n")
            return [row[0] for row in cursor]

    assert same(observe) == list(range(1, 41))


@pytest.mark.parametrize("options", ["", "CSV", "BINARY"])
def test_copy(options, same):
    def observe(endpoint):
        conn = connect(endpoint)
        with conn, conn.cursor() as cursor:
            out = io.BytesIO()
            cursor.copy_expert(f"COPY (SELECT n, 'r' || n FROM generate_series(1, 3000) n) TO STDOUT {options}", out)
            cursor.execute("CREATE TEMP TABLE t (a int, b text)")
            out.seek(0)
            cursor.copy_expert(f"COPY t FROM STDIN {options}", out, size=100)
            cursor.execute("SELECT count(*), min(b), max(b) FROM t")
            return out.getvalue(), cursor.fetchone()

    same(observe)


def test_copy_source_fails(same):
    """The driver answers CopyFail when its file raises; the session goes on after a rollback."""

    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise OSError("disk gone")

    def observe(endpoint):
        conn = connect(endpoint)
        with conn.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE t (a int)")
            with pytest.raises(psycopg2.errors.QueryCanceled) as failure:
                cursor.copy_expert("COPY t FROM STDIN", Broken())
            conn.rollback()
            cursor.execute("SELECT 1")
            return str(failure.value), cursor.fetchone()

    same(observe)


def test_notify(way):
    for endpoint in way:
        listener, sender = connect(endpoint), connect(endpoint)
        for conn in (listener, sender):
            conn.set_isolation_level(psycopg2.extensions.ISOLATION_LEVEL_AUTOCOMMIT)
        listener.cursor().execute("LISTEN news2")
        sender.cursor().execute("NOTIFY news2, 'x'")
        assert select.select([listener], [], [], 5)[0]
        listener.poll()
        assert [(notify.channel, notify.payload) for notify in listener.notifies] == [("news2", "x")]
        listener.close()
        sender.close()


def test_cancel(way, same):
    def observe(endpoint):
        conn = psycopg2.connect(async_=True, **endpoint.keywords())
        psycopg2.extras.wait_select(conn)
        cursor = conn.cursor()
        cursor.execute("SELECT pg_sleep(30)")
        assert not select.select([conn], [], [], 0.1)[0]
        conn.cancel()
        with pytest.raises(psycopg2.errors.QueryCanceled) as failure:
            psycopg2.extras.wait_select(conn)
        cursor.execute("SELECT 'on'")
        psycopg2.extras.wait_select(conn)
        return str(failure.value), cursor.fetchone()

    same(observe, way)
