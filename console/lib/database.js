// The database. What is read, is read as the console's own role, of kind observer, in read-only
// transactions; decisions and what observers do not see go as the role that has logged in.
'use strict';

const { Client, Pool } = require('pg');

// Connections of people at once, over all of them; the others wait a moment.
const PERSONAL = 8;
const CONNECT_MS = 5000;

// Why a role may not use the console.
class NotAllowed extends Error {}

const KIND_SQL = `
SELECT current_setting('is_superuser') = 'on' AS superuser,
  EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'order_ext' AND p.proname = 'retry_refund'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_function_privilege(p.oid, 'EXECUTE')) AS operator,
  EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'order_ext' AND c.relname = 'dead_letters'
      AND has_schema_privilege(n.oid, 'USAGE')
      AND has_any_column_privilege(c.oid, 'SELECT')) AS observer`;

class Database {
  constructor(config) {
    this.config = config;
    this.pool = new Pool({
      max: 6,
      connectionTimeoutMillis: CONNECT_MS,
      idleTimeoutMillis: 30000,
      application_name: 'order_ext console',
    });
    // verify() may take long: pages do not wait for it.
    this.checks = new Pool({ max: 2, connectionTimeoutMillis: CONNECT_MS, idleTimeoutMillis: 30000, application_name: 'order_ext console: verify' });
    // A connection that breaks while it is idle is replaced by the next use.
    for (const pool of [this.pool, this.checks]) pool.on('error', () => {});
    this.personal = 0;
    this.waiting = [];
  }

  async close() {
    await Promise.all([this.pool.end(), this.checks.end()]);
  }

  // Refuses a role that could do more than read.
  async check() {
    const { rows: [role] } = await this.pool.query(KIND_SQL);
    if (role.superuser) throw new NotAllowed('the console does not read as a superuser: give it a role of kind observer');
    if (!role.observer) throw new NotAllowed("the console's role cannot read order_ext's views: SELECT order_ext.grant_to(role, 'observer')");
    if (role.operator) throw new NotAllowed("the console's role is an operator: give it one of kind observer, it only reads");
  }

  // Runs work(q) in one read-only snapshot; q(sql, values) returns rows.
  async read(work, timeoutMs = this.config.statementMs, pool = this.pool) {
    const client = await pool.connect();
    return inTransaction(client, 'ISOLATION LEVEL REPEATABLE READ READ ONLY', timeoutMs, work)
      .finally(() => client.release(client.broken));
  }

  // Logs in as somebody: {operator: whether it may decide}.
  async login(user, password) {
    return this.asPerson({ user, password }, async (client) => {
      const { rows: [role] } = await client.query(KIND_SQL);
      if (role.superuser) throw new NotAllowed('Superusers cannot sign in here. Use a role of kind operator.');
      if (!role.operator && !role.observer) throw new NotAllowed('This role is neither an operator nor an observer of order_ext.');
      return { operator: role.operator };
    });
  }

  // Runs work(q) in a transaction as the one who has logged in, under their name.
  async decide(person, work, { readOnly = false } = {}) {
    return this.asPerson(person, (client) =>
      inTransaction(client, readOnly ? 'READ ONLY' : '', this.config.statementMs, async (q) => {
        if (!readOnly) await signAs(q, person.user);
        return work(q);
      }));
  }

  async asPerson({ user, password }, work) {
    await this.enter();
    let client;
    try {
      client = new Client({
        user,
        password,
        connectionTimeoutMillis: CONNECT_MS,
        application_name: `order_ext console: ${user}`.slice(0, 63),
      });
      client.on('error', () => {});
      let asked = false;
      for (const method of ['CleartextPassword', 'MD5Password', 'SASL']) {
        client.connection.once(`authentication${method}`, () => { asked = true; });
      }
      await client.connect();
      // Where pg_hba.conf trusts everybody, a name proves nothing.
      if (!asked) throw new NotAllowed('The server lets this role in without a password, so the console does not: see pg_hba.conf.');
      return await work(client);
    } finally {
      if (client) client.end().catch(() => {});
      this.leave();
    }
  }

  async enter() {
    if (this.personal < PERSONAL) {
      this.personal++;
      return;
    }
    await new Promise((resolve) => this.waiting.push(resolve));
  }

  leave() {
    const next = this.waiting.shift();
    if (next) next();
    else this.personal--;
  }
}

// Who decided, for order_timeline.
async function signAs(q, user) {
  await q("SELECT set_config('order_ext.operator', $1, true)", [user]);
}

// One round trip begins: the settings end with the transaction, behind a pooler, too.
async function inTransaction(client, mode, timeoutMs, work) {
  const q = async (sql, values) => (await client.query(sql, values)).rows;
  try {
    await client.query(`BEGIN ${mode ? `TRANSACTION ${mode}` : ''}; SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL jit = off`);
    const result = await work(q);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => { client.broken = true; });
    throw error;
  }
}

module.exports = { Database, NotAllowed };
