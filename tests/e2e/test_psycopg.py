"""psycopg 3 through the proxy: parameters in text and binary, prepared statements, pipelines, cursors, COPY,
notifications, notices, large objects."""

import datetime
import decimal
import uuid

import psycopg
import pytest
from psycopg.types.json import Jsonb

VALUES = [
    (1, "int4"), (2 ** 40, "int8"), (-5, "int2"), (1.5, "float8"), (decimal.Decimal("12345.678900"), "numeric"),
    ("text with 'quotes' \\ and ü€😀", "text"), (b"\x00\xff\x01", "bytea"), (True, "bool"), (None, "int4"),
    (datetime.date(2024, 2, 29), "date"), (datetime.datetime(2024, 2, 29, 12, 0, 0, 5), "timestamp"),
    (datetime.timedelta(days=3, seconds=5), "interval"), (uuid.UUID(int=5), "uuid"), ([1, 2, None, 4], "int4[]"),
    (["a", "b,c", '"'], "text[]"), (Jsonb({"a": [1, None, "x"]}), "jsonb"),
]


def connect(endpoint, **more):
    return psycopg.connect(**endpoint.keywords(autocommit=True, **more))


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_typed_parameters(binary, way, same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            mark = "%b" if binary else "%t"
            seen = []
            for value, kind in VALUES:
                if binary and kind == "interval":
                    continue  # this driver sends intervals as text alone
                seen.append(conn.cursor(binary=binary).execute(f"SELECT {mark}::{kind}, pg_typeof({mark}::{kind})::text",
                                                               (value, value)).fetchone())
            return seen

    assert same(observe, way)[0] == (1, "integer")


def test_prepared_statements_are_reused(way, same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.prepare_threshold = 1
            results = [conn.execute("SELECT %s::int * 2", (n,)).fetchone()[0] for n in range(20)]
            return results, conn.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%%* 2'").fetchone()

    assert same(observe, way) == ([n * 2 for n in range(20)], (1,))


def test_many_prepared_statements(same):
    """More statements than the driver keeps: it closes old ones as it goes."""

    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.prepare_threshold = 0
            conn.prepared_max = 10
            values = [conn.execute(f"SELECT {n} + %s::int", (1,)).fetchone()[0] for n in range(60)]
            return values, conn.execute("SELECT count(*) FROM pg_prepared_statements", prepare=False).fetchone()[0]

    values, kept = same(observe)
    assert values == list(range(1, 61)) and kept <= 11


def test_cached_plan_after_ddl(same):
    """What the server says of a prepared SELECT * after ADD COLUMN is what the client gets."""

    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int)")
            conn.execute("SELECT * FROM t", prepare=True)
            conn.execute("ALTER TABLE t ADD COLUMN b int")
            with pytest.raises(psycopg.errors.FeatureNotSupported) as failure:
                conn.execute("SELECT * FROM t", prepare=True)
            return str(failure.value)

    same(observe)


def test_pipeline(way, same):
    def observe(endpoint):
        with connect(endpoint) as conn, conn.pipeline() as pipeline:
            cursors = [conn.execute("SELECT %s::int", (n,)) for n in range(100)]
            pipeline.sync()
            return [cursor.fetchone()[0] for cursor in cursors]

    assert same(observe, way) == list(range(100))


def test_pipeline_with_error(same):
    """The failed statement and those up to the next Sync fail; those behind it do not."""

    def observe(endpoint):
        outcomes = []
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int PRIMARY KEY)")
            with pytest.raises(psycopg.errors.UniqueViolation) as failure:
                with conn.pipeline() as pipeline:
                    for n in (1, 2, 2, 3):
                        conn.execute("INSERT INTO t VALUES (%s)", (n,))
                    pipeline.sync()
            outcomes.append(failure.value.diag.constraint_name)
            with conn.pipeline() as pipeline:
                conn.execute("INSERT INTO t VALUES (9)")
                pipeline.sync()
            outcomes.append(conn.execute("TABLE t").fetchall())
            return outcomes

    same(observe)


def test_server_cursor(way, same):
    def observe(endpoint):
        with connect(endpoint) as conn, conn.transaction():
            with conn.cursor("named", scrollable=True) as cursor:
                cursor.itersize = 13
                cursor.execute("SELECT n FROM generate_series(1, 100) n")
                rows = [cursor.fetchone(), cursor.fetchmany(10)]
                cursor.scroll(-5)
                return rows + [cursor.fetchone(), len(cursor.fetchall())]

    same(observe, way)


def test_stream(same):
    """Single-row mode."""

    def observe(endpoint):
        with connect(endpoint) as conn:
            return sum(row[0] for row in conn.cursor().stream("SELECT n FROM generate_series(1, 5000) n"))

    assert same(observe) == 12502500


@pytest.mark.parametrize("options", ["", "(FORMAT csv)", "(FORMAT binary)"])
def test_copy_both_ways(options, way, same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int, b text)")
            with conn.cursor().copy(f"COPY (SELECT n, repeat('é', n) FROM generate_series(1, 500) n) TO STDOUT {options}") as out:
                data = [bytes(chunk) for chunk in out]
            with conn.cursor().copy(f"COPY t FROM STDIN {options}") as into:
                for chunk in data:
                    into.write(chunk)
            return data, conn.execute("SELECT count(*), sum(length(b)) FROM t").fetchone()

    assert same(observe, way)[1] == (500, 125250)


def test_copy_rows_binary(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int4, b text, c timestamptz)")
            with conn.cursor().copy("COPY t FROM STDIN (FORMAT binary)") as into:
                into.set_types(["int4", "text", "timestamptz"])
                for n in range(1000):
                    into.write_row((n, None if n % 3 else str(n), datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)))
            return conn.execute("SELECT count(*), count(b), min(c) FROM t").fetchone()

    assert same(observe)[:2] == (1000, 334)


def test_copy_fail(same):
    """A client that gives up within its COPY."""

    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int)")
            with pytest.raises(psycopg.errors.QueryCanceled) as failure:
                with conn.cursor().copy("COPY t FROM STDIN") as into:
                    into.write("1\n")
                    raise_in_copy()
            return str(failure.value), conn.execute("SELECT count(*) FROM t").fetchone()

    def raise_in_copy():
        raise psycopg.errors.QueryCanceled("enough")

    assert same(observe)[1] == (0,)


def test_copy_wrong_data(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int)")
            with pytest.raises(psycopg.errors.InvalidTextRepresentation) as failure:
                with conn.cursor().copy("COPY t FROM STDIN") as into:
                    for _ in range(5000):
                        into.write("not a number\n" * 20)
            return failure.value.diag.context, conn.execute("SELECT 1").fetchone()

    same(observe)


def test_notifications(way):
    for endpoint in way:
        with connect(endpoint) as listener, connect(endpoint) as sender:
            listener.execute("LISTEN news")
            sender.execute("NOTIFY news, 'first'")
            sender.execute("SELECT pg_notify('news', 'second')")
            received = []
            for notify in listener.notifies():
                received.append((notify.channel, notify.payload, notify.pid))
                if len(received) == 2:
                    break
            pid = sender.execute("SELECT pg_backend_pid()").fetchone()[0]
            assert received == [("news", "first", pid), ("news", "second", pid)]


def test_notices(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            seen = []
            conn.add_notice_handler(lambda diag: seen.append((diag.severity, diag.sqlstate, diag.message_primary, diag.message_hint)))
            conn.execute("DO $$ BEGIN FOR i IN 1..50 LOOP RAISE WARNING 'number %', i USING HINT = 'h', ERRCODE = '01234';"
                         " END LOOP; END $$")
            return seen

    assert len(same(observe)) == 50


def test_error_fields(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            fields = []
            for sql in ("SELECT 1 FROM stores WHERE nam = 1", "INSERT INTO line_items (order_id) VALUES (-1)", "SELECT 1/0",
                        "INSERT INTO stores (store_id) VALUES (1)", "SELECT 'x'::int", "SELECT * FROM missing_schema.t",
                        "DO $$ BEGIN PERFORM 1/0; END $$", "SELEC", "SELECT 'äöü', x"):
                for prepare in (False, True):
                    with pytest.raises(psycopg.Error) as failure:
                        conn.execute(sql, prepare=prepare)
                    diag = failure.value.diag
                    fields.append([getattr(diag, name) for name in dir(diag) if not name.startswith("_")
                                   and not callable(getattr(diag, name))])
            return fields

    same(observe)


def test_transactions(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.execute("CREATE TEMP TABLE t (a int)")
            with conn.transaction():
                conn.execute("INSERT INTO t VALUES (1)")
                with pytest.raises(ZeroDivisionError):
                    with conn.transaction():
                        conn.execute("INSERT INTO t VALUES (2)")
                        raise ZeroDivisionError
                conn.execute("INSERT INTO t VALUES (3)")
            conn.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
            with conn.transaction():
                level = conn.execute("SHOW transaction_isolation").fetchone()
            return conn.execute("TABLE t").fetchall(), level

    assert same(observe) == ([(1,), (3,)], ("serializable",))


def test_two_phase_commit(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            conn.autocommit = False
            conn.tpc_begin(conn.xid(1, "e2e", "q"))
            conn.execute("SELECT 1")
            conn.tpc_prepare()
            with connect(endpoint) as other:
                waiting = [xid.gtrid for xid in other.tpc_recover()]
            conn.tpc_rollback()
            return waiting

    assert same(observe) == ["e2e"]


def test_large_parameter_and_result(same):
    def observe(endpoint):
        with connect(endpoint) as conn:
            data = bytes(range(256)) * 40000
            value, length = conn.execute("SELECT %b::bytea, length(%b::bytea)", (data, data), binary=True).fetchone()
            return value == data, length

    assert same(observe) == (True, 10240000)


def test_client_encoding(same):
    def observe(endpoint):
        with connect(endpoint, client_encoding="LATIN1") as conn:
            text = conn.execute("SELECT %s::text", ("café",)).fetchone()[0]
            return text, conn.info.parameter_status("client_encoding"), conn.info.encoding

    assert same(observe)[0] == "café"


def test_connection_info(way, same):
    """The parameters that a server reports at startup, and the session's own process id."""

    def observe(endpoint):
        with connect(endpoint, application_name="info") as conn:
            names = ("server_version", "server_encoding", "client_encoding", "is_superuser", "session_authorization", "DateStyle",
                     "IntervalStyle", "TimeZone", "integer_datetimes", "standard_conforming_strings", "application_name",
                     "default_transaction_read_only", "in_hot_standby")
            return [conn.info.parameter_status(name) for name in names], conn.info.server_version, conn.pgconn.protocol_version

    same(observe, way)
