"""What Citus makes of a statement, found out in transactions that are rolled back.

EXPLAIN says how many tasks there are, or why there can be none. It does not see everything: not what utility statements
do, nor that several plans of one task each are for several tenants. So the statement is executed too, and the shards
in the plans and in the commands that are sent to the workers are counted: a tenant is in one group of colocated shards.
Parameters get the values of tenants that are in different groups. INSERT ... SELECT and MERGE whose rows pass through
the coordinator, or are sent around, are not routed, whatever these rows are.
"""

import contextlib
import re

import psycopg

# Tenants that are all in different groups, and in none of 5's, which statements name; the parameter's number chooses.
TENANTS = (11, 26, 41, 51, 65, 70, 97)

_SETTINGS = {
    "plan_cache_mode": "force_custom_plan",
    "citus.explain_all_tasks": "on",
    "citus.log_remote_commands": "on",
    "client_min_messages": "notice",
}

# Errors that mean that Citus, or a worker in its name, does not do it. Others are mistakes in the corpus; what only
# the rows that are there have to say is neither.
_REFUSALS = ("0A000", "22004", "25001", "42P10", "55000", "XX000")
_OF_ROWS = ("21000", "23502", "23503", "23505", "P0002")

_QUERY = re.compile(r"[\s(]*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE|EXECUTE)\b", re.I)
# What plans a query without being one.
_AROUND_QUERY = re.compile(
    r"(?:EXPLAIN\s*(?:\([^)]*\)|(?:ANALYZE\b|VERBOSE\b|\s)*)|DECLARE\s.*?\sFOR|PREPARE\s+\w+\s*(?P<types>\([^)]*\))?\s*AS"
    r"|CREATE\s[\w\s]+?\sAS|COPY\s*\()\s*(?P<query>(?:SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|VALUES|TABLE|EXECUTE|\()"
    r"\b.*?)(?P<end>\)\s*TO\s+STDOUT.*)?", re.I | re.S)
# What stays when the transaction is over, because later statements of the session depend on it.
_STAYS = re.compile(r"(SET|RESET|PREPARE|DEALLOCATE|DISCARD|CREATE\s+(LOCAL\s+)?TEMP(ORARY)?)\b", re.I)
_ONLY_NAMED = re.compile(r"(PREPARE|EXPLAIN)\b", re.I)
# In a plan: rows pass through the coordinator.
_AROUND_ROWS = re.compile(r"(INSERT/SELECT|MERGE INTO .*) method: ")
# A shard's number at the end of a name, or where it is told to a worker.
_SHARD = re.compile(r"(?:_|_command ?\(|_interval ?\()(\d{5,})\b")
# Errors of EXPLAIN EXECUTE on INSERT ... SELECT, which Citus executes nevertheless.
_EXPLAIN_FAILS = re.compile("no value found for parameter|could not create distributed plan")
# Parameters that a statement takes to be NULL at times.
_MAY_BE_NULL = re.compile(r"coalesce\s*\(\s*\$(\d+)|\$(\d+)(?:\s*::\s*\w+)?\s+IS\s+(?:NOT\s+)?NULL", re.I)

_VALUES = {
    "boolean": "true",
    "text": "{}",
    "character varying": "{}",
    "name": "{}",
    "timestamp with time zone": "20{}-01-01",
    "timestamp without time zone": "20{}-01-01",
    "date": "20{}-01-01",
    "interval": "{} days",
    "json": '{{"a": {}}}',
    "jsonb": '{{"a": {}}}',
    "uuid": "00000000-0000-0000-0000-0000000000{}",
}


def _value(type_name, n):
    """A literal for the n-th parameter, from 0; an array has two elements."""
    element = _VALUES.get(type_name.removesuffix("[]"), "{}")
    values = [element.format(TENANTS[(n + more) % len(TENANTS)]) for more in (0, 1)]
    return "'{" + ",".join(values) + "}'" if type_name.endswith("[]") else f"'{values[0]}'"


class Mistake(Exception):
    """The statement fails for a reason that is not Citus's."""


class Session:
    """One connection to a cluster whose schema is made; asked in the order of a file."""

    def __init__(self, conninfo):
        options = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
        self.conn = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None, options=options)
        self.sent = []
        self.with_values = None  # the statement asked about, with values in the place of its parameters
        self.conn.add_notice_handler(lambda notice: self.sent.append(notice.message_primary))
        self.groups = {
            shard: (colocation, low)
            for shard, colocation, low in self._rows(
                "SELECT s.shardid, p.colocationid, s.shardminvalue FROM pg_dist_shard s"
                " JOIN pg_dist_partition p USING (logicalrelid) WHERE p.partmethod = 'h'")
        }  # fmt: skip

    def close(self):
        self.conn.close()

    def ask(self, case):
        """(verdict, Citus's message or None) on a case."""
        try:
            answer = self._look(case)
        except psycopg.Error as error:
            if error.sqlstate not in _REFUSALS:
                raise Mistake(f"{error.sqlstate}: {str(error).splitlines()[0]}") from error
            answer = "refused", self._without_shards(error.diag.message_primary)
        finally:
            if self._rows("SELECT 1 FROM pg_prepared_statements WHERE name = 'asked'"):
                self.conn.execute("DEALLOCATE asked")
        self.follow(case)
        return answer

    def follow(self, case):
        """Does for the session what the case does."""
        if _STAYS.match(case.sql):
            self.conn.execute(case.sql)

    @contextlib.contextmanager
    def _transaction(self):
        """Leaves nothing behind; the commands sent within are in self.sent."""
        self.sent.clear()
        self.conn.execute("BEGIN")
        try:
            yield
        finally:
            self.conn.execute("ROLLBACK")

    def _look(self, case):
        around = _AROUND_QUERY.fullmatch(case.sql)
        query = around["query"] if around else case.sql
        if not _QUERY.match(query):
            return self._look_at_utility(case)
        executes = self._executes(query, (around and around["types"]) or "")
        try:
            plan, names_tenants = self._explain(executes[0])
        except psycopg.Error as error:
            if not self.with_values or not _EXPLAIN_FAILS.search(str(error)):
                raise
            plan, names_tenants = self._explain(self.with_values)
        groups = self._shard_groups(plan)
        if groups:  # Citus crashes on some writes that no row can match
            with self._transaction():
                self._run(lambda: self.conn.execute(executes[0]))
                if around and not _ONLY_NAMED.match(case.sql):
                    self._execute(case)
                groups = max(groups, self._groups_sent_to(), key=len)
        for execute in executes[1:]:
            with contextlib.suppress(psycopg.Error):
                plan += self._explain(execute)[0]
        return self._verdict(plan, names_tenants, groups)

    def _look_at_utility(self, case):
        with self._transaction():
            if not _STAYS.match(case.sql):
                self._execute(case)
            return self._verdict("", self._names_tenants(), self._groups_sent_to())

    def _executes(self, query, types):
        """The statements that execute the query: with a value for each parameter, and with NULL for those that it
        provides for: a verdict holds for all values."""
        self.with_values = None
        if not re.search(r"\$\d", query):
            return [query]
        self.conn.execute(f"PREPARE asked {types} AS {query}")
        found = self._rows("SELECT unnest(parameter_types)::text FROM pg_prepared_statements WHERE name = 'asked'")
        if not found:  # '$1' stands in a string
            return [query]
        values = [_value(name, n) for n, (name,) in enumerate(found)]
        typed = [f"{value}::{name}" for value, (name,) in zip(values, found)]
        self.with_values = re.sub(r"\$(\d+)", lambda number: typed[int(number[1]) - 1], query)
        lists = [values]
        for n in {int(one or other) - 1 for one, other in _MAY_BE_NULL.findall(query)}:
            lists.append(values[:n] + ["NULL"] + values[n + 1:])
        return [f"EXECUTE asked({', '.join(each)})" for each in lists]

    def _explain(self, execute):
        """(plan, whether a distributed table is named)"""
        try:
            with self._transaction():
                plan = "\n".join(line for (line,) in self._rows(f"EXPLAIN (VERBOSE, COSTS OFF) {execute}"))
                return plan, self._names_tenants()
        except psycopg.errors.InFailedSqlTransaction:  # a worker does not even plan it: for which reason?
            with self._transaction():
                self.conn.execute(execute)
            raise

    def _rows(self, sql):
        return self.conn.execute(sql).fetchall()

    def _execute(self, case):
        if not re.match(r"COPY\b", case.sql, re.I):
            self._run(lambda: self.conn.execute(case.sql))
        elif re.search(r"\sFROM\s+STDIN\b", case.sql, re.I):
            self._run(lambda: self._copy(case.sql, lambda copy: copy.write(case.data)))
        else:
            self._run(lambda: self._copy(case.sql, list))

    def _copy(self, sql, do):
        with self.conn.cursor() as cursor, cursor.copy(sql) as copy:
            do(copy)

    def _run(self, execute):
        """Executes in a subtransaction, so that what the rows have against it does no harm."""
        self.conn.execute("SAVEPOINT before")
        try:
            execute()
        except psycopg.Error as error:
            if error.sqlstate not in _OF_ROWS and " violates " not in str(error):  # COPY to a shard says XX000
                raise
            self.conn.execute("ROLLBACK TO before")

    def _names_tenants(self):
        """Whether a statement of this transaction names a distributed table: each that is named is locked."""
        return bool(self._rows("SELECT 1 FROM pg_locks JOIN pg_dist_partition ON logicalrelid = relation"
                               " WHERE pid = pg_backend_pid() AND partmethod = 'h' LIMIT 1"))

    def _groups_sent_to(self):
        return self._shard_groups("\n".join(self.sent))

    def _shard_groups(self, text):
        """Of the shards that are named: other numbers, such as a second's fractions, may look like theirs."""
        numbers = {int(number) for number in _SHARD.findall(text)}
        return {self.groups[number] for number in numbers if number in self.groups}

    @staticmethod
    def _verdict(plan, names_tenants, groups):
        routed = all(int(tasks) <= 1 for tasks in re.findall(r"Task Count: (\d+)", plan))
        if not names_tenants:
            return "no-tenant-table", None
        if not routed or len(groups) > 1 or _AROUND_ROWS.search(plan):
            return "multi-tenant", None
        return "single-tenant", None

    def _without_shards(self, message):
        """Names as they are on the coordinator."""
        return re.sub(r"_(\d+)", lambda found: "" if int(found[1]) in self.groups else found[0], message)
