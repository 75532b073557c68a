// A consumer of order_ext messages, with pg; see ../README.md.
//
//   node consumer.js CONNECTION_STRING GROUP [IDLE_SECONDS]
//
// Runs until SIGTERM or SIGINT, or until so many seconds passed without a message. What it has
// leased and not answered when it dies is delivered again when the lease is over.
'use strict';

const { Client } = require('pg');

const BATCH = 100;
const LEASE = '30 seconds';
const LEASE_LOST = 'OE702';

let stopping = false;

// The work itself, here a line of output. Throws if it went wrong. Ids and keys are strings:
// a bigint does not fit into a JavaScript number.
async function work(message) {
  if (message.payload.fail) throw new Error(message.payload.fail);
  process.stdout.write(`${message.message_id} ${message.key} ${message.attempt}\n`);
}

// Answer leases. Those that were lost are not ours to answer any more: whoever has them will.
async function answer(client, sql, values) {
  try {
    await client.query(sql, values);
  } catch (error) {
    if (error.code !== LEASE_LOST) throw error;
    process.stderr.write(`${error.message}: ${error.detail}\n`);
  }
}

// One batch; how many messages it had.
async function consume(client, group) {
  const { rows } = await client.query(
    'SELECT * FROM order_ext.receive($1, $2, $3)', [group, BATCH, LEASE]);
  const done = [];
  for (const message of rows) {
    try {
      await work(message);
      done.push(message.token);
    } catch (error) {
      await answer(client, 'SELECT order_ext.nack($1, $2, error => $3)',
        [group, [message.token], error.message]);
    }
  }
  if (done.length > 0) await answer(client, 'SELECT order_ext.ack($1, $2)', [group, done]);
  return rows.length;
}

// Whether there is something to receive, within so many seconds.
async function waitForMessages(client, group, seconds) {
  const { rows } = await client.query(
    'CALL order_ext.wait_for_messages($1, pg_catalog.make_interval(secs => $2), NULL)', [group, seconds]);
  return rows[0].ready;
}

async function main() {
  const [connectionString, group, idleSeconds] = process.argv.slice(2);
  if (!group) {
    process.stderr.write('usage: node consumer.js CONNECTION_STRING GROUP [IDLE_SECONDS]\n');
    process.exitCode = 2;
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { stopping = true; });

  const client = new Client({ connectionString });
  await client.connect();
  try {
    while (!stopping) {
      if (await consume(client, group) > 0) continue;
      // with an end of the idling: one wait as long; else short ones, to notice a signal
      if (!await waitForMessages(client, group, Number(idleSeconds ?? 1)) && idleSeconds) break;
    }
  } finally {
    await client.end();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
