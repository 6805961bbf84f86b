"""asyncpg through the proxy: everything prepared and binary, cursors over portals, COPY, cancel by timeout."""

import asyncio
import datetime
import decimal
import io
import ssl
import uuid

import asyncpg
import pytest


async def connect(endpoint, **more):
    if endpoint.is_tls:
        more["ssl"] = ssl.create_default_context(cafile=endpoint.sslrootcert)
    elif not endpoint.is_unix:
        more["ssl"] = False
    return await asyncpg.connect(host=endpoint.host, port=endpoint.port, user=endpoint.user, database=endpoint.dbname,
                                 password=endpoint.password or None, **more)


@pytest.fixture
def same_async(same):
    """As `same`, of a coroutine that gets a connection."""

    def check(observe, ways=None, **options):
        async def run(endpoint):
            conn = await connect(endpoint, **options)
            try:
                return await observe(conn)
            finally:
                await conn.close()

        return same(lambda endpoint: asyncio.run(run(endpoint)), ways)

    return check


def test_typed_parameters(way, same_async):
    async def observe(conn):
        return tuple(await conn.fetchrow(
            "SELECT $1::int, $2::bigint, $3::text, $4::numeric, $5::uuid, $6::timestamptz, $7::bytea, $8::int[], $9::jsonb, $10::bool,"
            " $11::interval, $12::inet", 1, 2 ** 40, "ü€😀", decimal.Decimal("1.500"), uuid.UUID(int=9),
            datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc), b"\0\xff", [1, None, 3], '{"a": 1}', True,
            datetime.timedelta(1), "10.0.0.1/32"))

    same_async(observe, way)


def test_statement_cache(way, same_async):
    async def observe(conn):
        return [await conn.fetchval("SELECT $1::int + $2::int", n, 1) for n in range(30)]

    assert same_async(observe, way) == list(range(1, 31))


def test_statement_cache_overflows(same_async):
    async def observe(conn):
        return [await conn.fetchval(f"SELECT {n % 7} + $1::int", n) for n in range(60)]

    same_async(observe, statement_cache_size=4)


def test_custom_types_are_introspected(same_async):
    """asyncpg asks the catalog for a type that it does not know, in the middle of preparing."""

    async def observe(conn):
        await conn.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok'); CREATE TYPE pg_temp.pair AS (a int, b pg_temp.mood)")
        return await conn.fetchval("SELECT ROW(1, 'ok')::pg_temp.pair"), await conn.fetchval("SELECT $1::pg_temp.mood", "sad")

    result = same_async(observe)
    assert tuple(result[0]) == (1, "ok")


def test_cursor(way, same_async):
    async def observe(conn):
        seen = []
        async with conn.transaction():
            async for row in conn.cursor("SELECT n FROM generate_series(1, 100) n", prefetch=7):
                seen.append(row[0])
            cursor = await conn.cursor("SELECT n FROM generate_series(1, 100) n")
            await cursor.forward(10)
            seen.append(await cursor.fetch(5))
        return seen

    same_async(observe, way)


def test_executemany(same_async):
    async def observe(conn):
        await conn.execute("CREATE TEMP TABLE t (a int PRIMARY KEY, b text)")
        await conn.executemany("INSERT INTO t VALUES ($1, $2)", [(n, "x" * n) for n in range(300)])
        with pytest.raises(asyncpg.UniqueViolationError):
            await conn.executemany("INSERT INTO t VALUES ($1, $2)", [(n, "y") for n in range(500, 250, -1)])
        return await conn.fetchval("SELECT count(*) FROM t")

    assert same_async(observe) == 300


def test_copy(way, same_async):
    async def observe(conn):
        await conn.execute("CREATE TEMP TABLE t (a int, b text)")
        done = await conn.copy_records_to_table("t", records=[(n, f"row {n}") for n in range(2000)])
        out = io.BytesIO()
        await conn.copy_from_query("SELECT * FROM t WHERE a < $1", 1000, output=out, format="csv")
        out.seek(0)
        again = await conn.copy_to_table("t", source=out, format="csv")
        return done, again, await conn.fetchval("SELECT count(*) FROM t")

    assert same_async(observe, way) == ("COPY 2000", "COPY 1000", 3000)


def test_copy_refused(same_async):
    async def observe(conn):
        await conn.execute("CREATE TEMP TABLE t (a int NOT NULL)")
        with pytest.raises(asyncpg.NotNullViolationError):
            await conn.copy_records_to_table("t", records=[(1,), (None,)])
        return await conn.fetchval("SELECT count(*) FROM t")

    assert same_async(observe) == 0


def test_notifications(way):
    async def observe(endpoint):
        listener, sender = await connect(endpoint), await connect(endpoint)
        received = asyncio.Queue()
        await listener.add_listener("news3", lambda conn, pid, channel, payload: received.put_nowait((channel, payload)))
        await sender.execute("NOTIFY news3, 'hello'")
        got = await asyncio.wait_for(received.get(), 5)
        await listener.close()
        await sender.close()
        return got

    for endpoint in way:
        assert asyncio.run(observe(endpoint)) == ("news3", "hello")


def test_timeout_cancels(way, same_async):
    """A timeout sends a CancelRequest; the connection is good for the next statement."""

    async def observe(conn):
        with pytest.raises(asyncio.TimeoutError):
            await conn.fetch("SELECT pg_sleep(30)", timeout=0.3)
        return await conn.fetchval("SELECT 'on'")

    assert same_async(observe, way) == "on"


def test_errors(same_async):
    async def observe(conn):
        seen = []
        for sql in ("SELEC 1", "SELECT nothing", "SELECT 1/0", "INSERT INTO stores (store_id) VALUES (1)"):
            with pytest.raises(asyncpg.PostgresError) as failure:
                await conn.fetch(sql)
            seen.append({key: value for key, value in failure.value.as_dict().items()})
        return seen

    same_async(observe)


def test_reset(same_async):
    """What a pool does between two users."""

    async def observe(conn):
        await conn.execute("SET work_mem = '7MB'; LISTEN x")
        await conn.reset()
        return await conn.fetchval("SHOW work_mem")

    same_async(observe)


def test_pool(proxied):
    async def run():
        pool = await asyncpg.create_pool(host=proxied.host, port=proxied.port, user=proxied.user, database=proxied.dbname,
                                         ssl=False, min_size=2, max_size=8)

        async def work(n):
            async with pool.acquire() as conn:
                async with conn.transaction():
                    return await conn.fetchval("SELECT $1::int * 2", n)

        results = await asyncio.gather(*(work(n) for n in range(200)))
        await pool.close()
        return results

    assert asyncio.run(run()) == [n * 2 for n in range(200)]
