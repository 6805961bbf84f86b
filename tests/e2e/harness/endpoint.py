"""An endpoint: where and as whom to connect, in the spelling of every client library."""

import dataclasses
import urllib.parse


@dataclasses.dataclass(frozen=True)
class Endpoint:
    name: str  # "direct", "proxied": for messages
    host: str  # address, or the directory of a Unix socket
    port: int
    dbname: str = "app"
    user: str = "postgres"
    password: str = ""
    sslmode: str = "disable"
    sslrootcert: str = ""

    def over(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    @property
    def is_unix(self):
        return self.host.startswith("/")

    @property
    def is_tls(self):
        return self.sslmode not in ("disable", "allow", "prefer")

    def keywords(self, **more):
        """libpq keywords (psycopg, psycopg2)."""
        words = {"host": self.host, "port": self.port, "dbname": self.dbname, "user": self.user}
        if not self.is_unix:
            words["sslmode"] = self.sslmode
        if self.password:
            words["password"] = self.password
        if self.sslrootcert and self.is_tls:
            words["sslrootcert"] = self.sslrootcert
        words.update(more)
        return words

    def conninfo(self, **more):
        def quoted(value):
            return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"

        return " ".join(f"{key}={quoted(value)}" for key, value in self.keywords(**more).items())

    def environment(self, base):
        """`base` with the PG* variables set, for programs that know libpq's environment."""
        env = {key: value for key, value in base.items() if not key.startswith("PG")}
        env.update(PGHOST=self.host, PGPORT=str(self.port), PGDATABASE=self.dbname, PGUSER=self.user)
        env.update(PGSSLMODE=self.sslmode if not self.is_unix else "disable", PGAPPNAME="e2e")
        if self.password:
            env["PGPASSWORD"] = self.password
        if self.sslrootcert and self.is_tls:
            env["PGSSLROOTCERT"] = self.sslrootcert
        return env

    def jdbc_url(self, **more):
        options = {"user": self.user, "sslmode": self.sslmode}
        if self.password:
            options["password"] = self.password
        if self.sslrootcert and self.is_tls:
            options["sslrootcert"] = self.sslrootcert
        options.update(more)
        return f"jdbc:postgresql://{self.host}:{self.port}/{self.dbname}?{urllib.parse.urlencode(options)}"
