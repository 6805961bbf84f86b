// Drives node-postgres for test_node.py: runs one scenario against one endpoint and prints what it saw as JSON.
//
// node client.js SCENARIO ENDPOINT-AS-JSON. The last line of the output is the result; a scenario that needs the test's
// help prints "ready" and waits for a line on standard input.
'use strict';

const fs = require('fs');
const readline = require('readline');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const { Client, Pool, types } = require('pg');
const Cursor = require('pg-cursor');
const copyStreams = require('pg-copy-streams');

const endpoint = JSON.parse(process.argv[3]);

function settings() {
  const words = {
    host: endpoint.host, port: endpoint.port, database: endpoint.dbname, user: endpoint.user,
    password: endpoint.password || undefined, application_name: 'node',
  };
  if (endpoint.tls) words.ssl = { ca: fs.readFileSync(endpoint.sslrootcert, 'utf8'), servername: 'localhost' };
  return words;
}

async function withClient(use) {
  const client = new Client(settings());
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function askTheTest() {
  const lines = readline.createInterface({ input: process.stdin });
  console.log('ready');
  return new Promise((resolve) => lines.once('line', () => { lines.close(); resolve(); }));
}

function errorFields(error) {
  const names = ['message', 'severity', 'code', 'detail', 'hint', 'position', 'schema', 'table', 'constraint', 'where'];
  return Object.fromEntries(names.map((name) => [name, error[name] ?? null]));
}

const scenarios = {
  // Typed parameters, text results and binary ones.
  async types() {
    return withClient(async (client) => {
      const values = [1, '9007199254740993', 'it\'s ü€😀', 1.5, true, null, new Date(0), Buffer.from([0, 255]), [1, 2], { a: [1, null] }];
      const text = 'SELECT $1::int4 a, $2::int8 b, $3::text c, $4::float8 d, $5::bool e, $6::int4 f, $7::timestamptz g,'
        + ' $8::bytea h, $9::int4[] i, $10::jsonb j';
      const asText = await client.query(text, values);
      const asBinary = await client.query({ text: 'SELECT $1::int4 a, $2::text b, $3::float8 c', values: [7, 'x', 2.5], binary: true });
      return [asText.rows, asText.fields.map((field) => [field.name, field.dataTypeID]), asBinary.rows];
    });
  },

  async named() {
    return withClient(async (client) => {
      const sums = [];
      for (let n = 0; n < 20; n++) {
        const result = await client.query({ name: 'sum', text: 'SELECT $1::int + 1 AS s', values: [n] });
        sums.push(result.rows[0].s);
      }
      const count = await client.query('SELECT count(*) FROM pg_prepared_statements');
      return [sums, count.rows];
    });
  },

  async simple() {
    return withClient(async (client) => {
      const several = await client.query('SELECT 1 AS a; SELECT 2 AS b; CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2)');
      return several.map((result) => [result.command, result.rowCount, result.rows]);
    });
  },

  async errors() {
    return withClient(async (client) => {
      const seen = [];
      for (const text of ['SELEC 1', 'SELECT nocolumn', 'SELECT 1/0', 'INSERT INTO stores (store_id) VALUES (1)']) {
        for (const query of [text, { text, values: [] }, { name: text, text }]) {
          try {
            await client.query(query);
            seen.push('no error');
          } catch (error) {
            seen.push(errorFields(error));
          }
        }
      }
      seen.push((await client.query('SELECT 1 AS on')).rows);
      return seen;
    });
  },

  async cursor() {
    return withClient(async (client) => {
      const cursor = client.query(new Cursor('SELECT n FROM generate_series(1, $1::int) n', [100]));
      const sizes = [];
      for (;;) {
        const rows = await cursor.read(33);
        sizes.push(rows.length);
        if (rows.length === 0) break;
      }
      await cursor.close();
      const early = client.query(new Cursor('SELECT n FROM generate_series(1, 1000000) n'));
      await early.read(5);
      await early.close();
      return [sizes, (await client.query('SELECT 1 AS on')).rows];
    });
  },

  async copy() {
    return withClient(async (client) => {
      await client.query('CREATE TEMP TABLE t (a int, b text)');
      const lines = Array.from({ length: 5000 }, (_, n) => `${n}\tréw ${n}\n`);
      await pipeline(Readable.from(lines), client.query(copyStreams.from('COPY t FROM STDIN')));
      let bytes = 0;
      const out = client.query(copyStreams.to('COPY t TO STDOUT WITH (FORMAT csv)'));
      for await (const chunk of out) bytes += chunk.length;
      return [bytes, (await client.query('SELECT count(*), sum(a) FROM t')).rows];
    });
  },

  async notify() {
    return withClient(async (client) => {
      const received = new Promise((resolve) => client.on('notification', (message) => resolve([message.channel, message.payload])));
      await client.query('LISTEN node_news');
      await withClient((sender) => sender.query("SELECT pg_notify('node_news', 'hello')"));
      return received;
    });
  },

  async notices() {
    return withClient(async (client) => {
      const seen = [];
      client.on('notice', (notice) => seen.push([notice.severity, notice.code, notice.message]));
      await client.query("DO $$ BEGIN FOR i IN 1..20 LOOP RAISE WARNING 'w %', i; END LOOP; END $$");
      return seen;
    });
  },

  async pool() {
    const pool = new Pool({ ...settings(), max: 6 });
    const results = await Promise.all(Array.from({ length: 100 }, (_, n) => pool.query('SELECT $1::int * 2 AS d', [n])));
    await pool.end();
    return results.map((result) => result.rows[0].d);
  },

  async queued() {
    return withClient(async (client) => {
      const jobs = Array.from({ length: 100 }, (_, n) => (n % 10 === 3
        ? client.query('SELECT 1/0').catch((error) => error.code)
        : client.query({ text: 'SELECT $1::int AS n', values: [n] }).then((result) => result.rows[0].n)));
      return Promise.all(jobs);
    });
  },

  async large() {
    return withClient(async (client) => {
      const data = Buffer.alloc(3000000, 'äx');
      const result = await client.query('SELECT $1::bytea AS b, length($1::bytea) AS l', [data]);
      return [result.rows[0].b.equals(data), result.rows[0].l];
    });
  },

  // The stage changes between two uses of one prepared statement.
  async stageChange() {
    return withClient(async (client) => {
      const insert = (order) => client.query({
        name: 'insert-item', text: 'INSERT INTO line_items (order_id, quantity) VALUES ($1, $2) RETURNING order_id', values: [order, 1],
      });
      await insert(1);
      await askTheTest();
      const orders = [];
      for (let order = 1; order <= 20; order++) {
        orders.push((await insert(order)).rows[0].order_id);
        await client.query('INSERT INTO line_items (order_id, quantity) VALUES ($1, $2)', [order, 2]);
        await client.query(`INSERT INTO line_items (order_id, quantity) VALUES (${order}, 3)`);
      }
      return orders;
    });
  },
};

types.setTypeParser(types.builtins.TIMESTAMPTZ, (text) => text);
scenarios[process.argv[2]]().then(
  (result) => console.log(JSON.stringify(result)),
  (error) => { console.error(error); process.exitCode = 1; },
);
