"""shardferry lint with a configuration and a schema in a directory of their own."""

import json
import os
import subprocess

from . import proxy

SHARDFERRY = proxy.binary()

SCHEMA = """\
--
-- PostgreSQL database dump
--
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);

CREATE TABLE public.stores (store_id bigint NOT NULL, name text, category text);
CREATE TABLE public.orders (order_id bigint NOT NULL, store_id bigint, status text);
CREATE TABLE public.line_items (line_item_id bigint NOT NULL, order_id bigint, quantity bigint);
CREATE TABLE public.currencies (code text NOT NULL, name text);
CREATE TABLE public.job_log (id bigint NOT NULL, at timestamp with time zone);

ALTER TABLE ONLY public.stores ADD CONSTRAINT stores_pkey PRIMARY KEY (store_id);
ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY (order_id);
ALTER TABLE ONLY public.line_items ADD CONSTRAINT line_items_pkey PRIMARY KEY (line_item_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_store_id_fkey FOREIGN KEY (store_id) REFERENCES public.stores(store_id);
ALTER TABLE ONLY public.line_items
    ADD CONSTRAINT line_items_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.orders(order_id);
"""

CONFIGURATION = """\
[tenant]
table  = stores
column = store_id
"""


class Lint:
    def __init__(self, directory):
        self.directory = directory
        (directory / "lint.ini").write_text(CONFIGURATION)
        (directory / "schema.sql").write_text(SCHEMA)

    def run(self, *arguments, stdin=b"", schema=True, configuration="lint.ini", env=None):
        command = [SHARDFERRY, "lint", "-c", str(self.directory / configuration)]
        if schema:
            command += ["--schema", str(self.directory / "schema.sql")]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            timeout=60,
            cwd=self.directory,
            env={**os.environ, **(env or {})},
        )

    def json(self, script, expect=None):
        """The objects printed for a script, given as bytes or text."""
        script = script.encode() if isinstance(script, str) else script
        (self.directory / "script.sql").write_bytes(script)
        run = self.run("--json", "script.sql")
        rows = [json.loads(line) for line in run.stdout.decode().splitlines()]
        findings = any(row["verdict"] in ("multi-tenant", "opaque", "unparsed") for row in rows)
        assert run.returncode == (1 if findings else 0), run.stderr
        assert [row["n"] for row in rows] == list(range(1, len(rows) + 1))
        self.stderr = run.stderr.decode()
        return rows

    def texts(self, script):
        return [(row["line"], row["sql"]) for row in self.json(script)]
