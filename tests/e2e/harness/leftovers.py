"""What a migration that is over, or was taken back, must not leave behind on any node."""

# One row (kind, name) for each leftover that a single PostgreSQL can have.
_ON_A_NODE = """
SELECT 'invalid index', indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready AND indislive)
UNION ALL
SELECT 'constraint that is not validated', conname FROM pg_constraint
WHERE NOT convalidated AND connamespace = 'public'::regnamespace
UNION ALL
SELECT 'constraint', conname FROM pg_constraint WHERE conname LIKE '%shardferry%' AND connamespace = 'public'::regnamespace
UNION ALL
SELECT 'relation', relname FROM pg_class WHERE relname LIKE '%shardferry%' AND relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger', tgname FROM pg_trigger WHERE tgname LIKE '%shardferry%'
UNION ALL
SELECT 'function', oid::regprocedure::text FROM pg_proc
WHERE proname LIKE '%shardferry%' AND pronamespace = 'public'::regnamespace
UNION ALL
SELECT 'function', oid::regprocedure::text FROM pg_proc WHERE pronamespace = to_regnamespace('shardferry')
UNION ALL
SELECT 'replication slot', slot_name FROM pg_replication_slots WHERE database = current_database()
UNION ALL
SELECT 'publication', pubname FROM pg_publication
UNION ALL
SELECT 'subscription', subname FROM pg_subscription
WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT 'prepared transaction', gid FROM pg_prepared_xacts WHERE database = current_database()
UNION ALL
SELECT 'session of the runner', application_name || ' ' || pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name IN ('shardferry migrate', 'shardferry watch')
UNION ALL
SELECT 'session in a transaction of more than ten seconds', application_name || ' ' || pid FROM pg_stat_activity
WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND xact_start < now() - interval '10 seconds'
"""

_HELD = """
SELECT 'statements held at the proxies', to_jsonb(c)::text FROM shardferry.control c WHERE paused
"""

_IN_CITUS = """
SELECT 'Citus-local table', logicalrelid::text FROM pg_dist_partition
WHERE partmethod = 'n' AND repmodel = 's' AND NOT autoconverted
UNION ALL
SELECT 'table that Citus made local by itself', logicalrelid::text FROM pg_dist_partition
WHERE partmethod = 'n' AND repmodel = 's' AND autoconverted
UNION ALL
SELECT 'cleanup record', object_name FROM pg_dist_cleanup
UNION ALL
SELECT 'background job', job_id::text FROM pg_dist_background_job WHERE state IN ('scheduled', 'running')
"""


def leftovers(coordinator, workers=()):
    """Takes connections to the database on each node; returns (node, kind, name) of each leftover."""
    found = []
    has_citus = coordinator.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone()
    for number, connection in enumerate((coordinator, *workers)):
        found += [(number, *row) for row in connection.execute(_ON_A_NODE).fetchall()]
    if coordinator.execute("SELECT to_regclass('shardferry.control') IS NOT NULL").fetchone()[0]:
        found += [(0, *row) for row in coordinator.execute(_HELD).fetchall()]
    if has_citus:
        found += [(0, *row) for row in coordinator.execute(_IN_CITUS).fetchall()]
    return found
