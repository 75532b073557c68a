// A consumer of order_ext messages, with pg; see ../README.md.
//
//   node consumer.js CONNECTION_STRING GROUP [IDLE_SECONDS [LEASE_SECONDS]]
//
// Runs until SIGTERM or SIGINT, or until so many seconds (0: for ever) passed without a message.
// A lost connection is made again. What it has leased and not answered when it dies is delivered
// again when the lease is over.
'use strict';

const { setTimeout: sleep } = require('timers/promises');
const { Pool } = require('pg');

const BATCH = 100;
const LEASE_LOST = 'OE702';
const LONGEST_PAUSE_MS = 5000;

const [connectionString, group, idleSeconds, leaseSeconds] = process.argv.slice(2);
const idle = Number(idleSeconds ?? 0);
const lease = Number(leaseSeconds ?? 30);

let pool;
let stopping = false;

// Worth another try: the connection is lost, or the server is busy or going down. What the
// server itself says has a severity.
function willPass(error) {
  return error.severity === undefined || error.severity === 'FATAL' ||
    /^(40|53|57)/.test(error.code) || error.code === 'OE110';
}

// Run a statement, a transaction of its own, again and again while that may help. Tokens are
// good in any session, so that even an answer can be given after a reconnect; if it had arrived
// already, the lease is "lost".
async function run(sql, values) {
  for (let pause = 1000; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return (await pool.query(sql, values)).rows;
    } catch (error) {
      if (stopping || !willPass(error)) throw error;
      process.stderr.write(`${error.message}\n`);
      await sleep(pause);
    }
  }
}

// The work itself, here a line of output. Throws if it went wrong. Ids and keys are strings:
// a bigint does not fit into a JavaScript number.
async function work(message) {
  if (message.payload.seconds) await sleep(1000 * message.payload.seconds);
  if (message.payload.fail) throw new Error(message.payload.fail);
  process.stdout.write(`${message.message_id} ${message.key} ${message.attempt}\n`);
}

// Answer leases; false if one of them was lost.
async function answer(sql, tokens, argument) {
  try {
    await run(sql, argument === undefined ? [group, tokens] : [group, tokens, argument]);
    return true;
  } catch (error) {
    if (error.code !== LEASE_LOST) throw error;
    return false;
  }
}

// These are done. One lease that was lost undoes the ack of all, so then each for itself; the
// lost one is in other hands, whose answer counts.
async function ack(tokens) {
  const sql = 'SELECT order_ext.ack($1, $2)';
  if (tokens.length === 0 || await answer(sql, tokens)) return;
  for (const token of tokens) {
    if (tokens.length === 1 || !await answer(sql, [token])) process.stderr.write(`lease lost: ${token}\n`);
  }
}

// One batch; how many messages it had.
async function consume() {
  const messages = await run(
    'SELECT * FROM order_ext.receive($1, $2, pg_catalog.make_interval(secs => $3))', [group, BATCH, lease]);
  let leasedAt = Date.now();
  let done = [];
  for (const [i, message] of messages.entries()) {
    if (stopping) break;
    // a long batch: half of the lease is over, so hand in what is done and keep the rest
    if (Date.now() - leasedAt >= 500 * lease) {
      await ack(done);
      done = [];
      if (!await answer('SELECT order_ext.extend_lease($1, $2, pg_catalog.make_interval(secs => $3))',
        messages.slice(i).map((rest) => rest.token), lease)) break; // too late: they are delivered again
      leasedAt = Date.now();
    }
    try {
      await work(message);
      done.push(message.token);
    } catch (error) {
      if (!await answer('SELECT order_ext.nack($1, $2, error => $3)', [message.token], error.message)) {
        process.stderr.write(`lease lost: ${message.token}\n`);
      }
    }
  }
  await ack(done);
  return messages.length;
}

// Whether there is something to receive, within so many seconds.
async function waitForMessages(seconds) {
  const [{ ready }] = await run(
    'CALL order_ext.wait_for_messages($1, pg_catalog.make_interval(secs => $2), NULL)', [group, seconds]);
  return ready;
}

async function main() {
  if (!group) {
    process.stderr.write('usage: node consumer.js CONNECTION_STRING GROUP [IDLE_SECONDS [LEASE_SECONDS]]\n');
    process.exitCode = 2;
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => { stopping = true; });

  pool = new Pool({ connectionString, max: 1 });
  pool.on('error', (error) => process.stderr.write(`${error.message}\n`)); // while nothing runs
  try {
    while (!stopping) {
      if (await consume() > 0) continue;
      // with an end of the idling: one wait as long; else short ones, to notice a signal
      if (!stopping && !await waitForMessages(idle || 1) && idle) break;
    }
  } finally {
    await pool.end();
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
