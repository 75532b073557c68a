// Relays the messages of a consumer group to RabbitMQ or NATS JetStream; see README.md.
//
//   DATABASE_URL=postgresql://... BROKER_URL=amqp://... node relay.js GROUP [LEASE_SECONDS]
//
// Runs until SIGTERM or SIGINT. A message is acked when the broker has confirmed it, not before.
// A broker or a database that cannot be reached is waited for. What was leased and not acked
// when the relay dies is published again when the lease is over, with the same id.
'use strict';

const { setTimeout: sleep } = require('timers/promises');
const { Pool } = require('pg');
const { Refused, brokerOf } = require('./brokers');

const BATCH = 100;
const LEASE_LOST = 'OE702';
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

const [group, leaseSeconds] = process.argv.slice(2);
const lease = Number(leaseSeconds ?? 30);
// One step with the broker, or a pause; three of them fit into a lease, so that it is extended in time.
const stepMs = Math.min(10000, 250 * lease);

const stop = new AbortController();
const stopped = () => stop.signal.aborted;

let broker;
let pool;

const complain = (text) => process.stderr.write(`${text}\n`);

// What can be away: says so once, and once when it is back.
class Partner {
  constructor(name) { this.name = name; }

  away(error) {
    if (!this.isAway) complain(`${this.name} cannot be reached, waiting: ${error.message || error.code}`);
    this.isAway = true;
  }

  back() {
    if (this.isAway) complain(`${this.name} is back`);
    this.isAway = false;
  }
}
const brokerState = new Partner('broker');
const databaseState = new Partner('database');

// Never longer than a step, or leases would run out meanwhile.
const nextPause = (pause) => Math.min(2 * pause, LONGEST_PAUSE_MS, stepMs);

// Wait, unless told to stop.
async function pauseFor(ms) {
  await sleep(ms, undefined, { signal: stop.signal }).catch(() => {});
}

async function within(ms, promise, what) {
  const timer = new AbortController();
  try {
    return await Promise.race([promise,
      sleep(ms, undefined, { signal: timer.signal }).then(() => { throw new Error(`${what}: no answer within ${ms} ms`); })]);
  } finally {
    timer.abort();
  }
}

// ---- the database ----

// Worth another try: the connection is lost, or the server is busy or going down. What the
// server itself says has a severity.
function willPass(error) {
  return error.severity === undefined || error.severity === 'FATAL' ||
    /^(40|53|57)/.test(error.code) || error.code === 'OE110';
}

// Run a statement, a transaction of its own, again and again while that may help.
async function run(sql, values) {
  for (let pause = FIRST_PAUSE_MS; ; pause = nextPause(pause)) {
    try {
      const { rows } = await pool.query(sql, values);
      databaseState.back();
      return rows;
    } catch (error) {
      if (stopped() || !willPass(error)) throw error;
      databaseState.away(error);
      await pauseFor(pause);
    }
  }
}

// Answer for messages; returns those whose leases were not lost. One that was lost undoes the
// answer for all, so then each for itself; the lost one is in other hands.
async function answer(sql, messages, ...more) {
  if (messages.length === 0) return messages;
  const tokens = messages.map((message) => message.token);
  try {
    await run(sql, [group, tokens, ...more]);
    return messages;
  } catch (error) {
    if (error.code !== LEASE_LOST) throw error;
    if (messages.length === 1) {
      complain(`lease lost: ${messages[0].message_id}`);
      return [];
    }
  }
  const kept = [];
  for (const message of messages) kept.push(...await answer(sql, [message], ...more));
  return kept;
}

// Payloads stay the text that they are: a JavaScript number does not hold every number of theirs.
async function receive() {
  return run(`SELECT message_id, topic, key, payload::pg_catalog.text, token, published_at
    FROM order_ext.receive($1, $2, pg_catalog.make_interval(secs => $3))`, [group, BATCH, lease]);
}

const ack = (messages) => answer('SELECT order_ext.ack($1, $2)', messages);
const nack = (message, reason) => answer('SELECT order_ext.nack($1, $2, error => $3)', [message], reason);
const extend = (messages) =>
  answer('SELECT order_ext.extend_lease($1, $2, pg_catalog.make_interval(secs => $3))', messages, lease);

async function waitForMessages() {
  await run("CALL order_ext.wait_for_messages($1, '1 second', NULL)", [group]);
}

// ---- the broker ----

const connected = () => broker !== undefined;

// Waited for only at the end: a broker that hangs does not say goodbye.
async function disconnect() {
  const left = broker;
  broker = undefined;
  if (left) await within(stepMs, left.close(), 'close').catch(() => {});
}

// One try to connect; false if it fails.
async function connect() {
  const candidate = brokerOf(process.env.BROKER_URL, stepMs);
  const opening = candidate.open();
  try {
    await within(stepMs, opening, 'connect');
  } catch (error) {
    opening.then(() => candidate.close(), () => {}); // should it still succeed
    brokerState.away(error);
    return false;
  }
  broker = candidate;
  candidate.closed.then((error) => {
    if (broker === candidate) broker = undefined;
    candidate.onLost?.(error);
  });
  return true;
}

// Publish messages in their order. What is not settled when the connection is lost, or the broker
// does not answer, is left: it is neither confirmed nor refused.
async function publish(messages) {
  const to = broker;
  const confirmed = [];
  const refused = [];
  let failure;
  const all = Promise.all(messages.map(async (message) => {
    try {
      await to.publish(message);
      confirmed.push(message);
    } catch (error) {
      if (error instanceof Refused) refused.push({ message, reason: error.message });
      else failure ??= error;
    }
  }));
  const lost = new Promise((_, reject) => { to.onLost = reject; });
  try {
    await within(stepMs, Promise.race([all, lost]), 'publish');
  } catch (error) {
    failure ??= error;
  }
  return { confirmed: [...confirmed], refused: [...refused], failure };
}

// ---- from the one to the other ----

// One batch, until each of its messages is answered for, however long the broker is away.
async function relay() {
  let leasedAt = Date.now();
  let open = await receive();
  const size = open.length;
  for (let pause = FIRST_PAUSE_MS; open.length > 0 && !stopped();) {
    if (Date.now() - leasedAt > stepMs) {
      leasedAt = Date.now();
      open = await extend(open);
    }
    if (!connected()) {
      if (await connect()) continue; // after another look at the clock
      await pauseFor(pause);
      pause = nextPause(pause);
      continue;
    }
    const { confirmed, refused, failure } = await publish(open);
    if (failure) {
      brokerState.away(failure);
      disconnect();
      await pauseFor(pause);
      pause = nextPause(pause);
    } else {
      brokerState.back();
    }
    await ack(confirmed);
    for (const { message, reason } of refused) {
      complain(`refused: ${message.message_id} ${reason}`);
      await nack(message, reason);
    }
    const settled = new Set([...confirmed, ...refused.map(({ message }) => message)]);
    open = open.filter((message) => !settled.has(message));
  }
  return size;
}

async function main() {
  if (!group || !(lease >= 1) || !process.env.DATABASE_URL || !brokerOf(process.env.BROKER_URL)) {
    complain('usage: DATABASE_URL=postgresql://... BROKER_URL=amqp[s]://...|nats://...|tls://... node relay.js GROUP [LEASE_SECONDS]');
    process.exitCode = 2;
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop.abort());

  pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 1 });
  pool.on('error', databaseState.away.bind(databaseState)); // while nothing runs
  try {
    // Nothing is leased while the broker is away: a lease that runs out is an attempt.
    for (let pause = FIRST_PAUSE_MS; !stopped(); pause = nextPause(pause)) {
      while (!stopped() && (connected() || await connect())) {
        brokerState.back();
        pause = FIRST_PAUSE_MS;
        if (await relay() === 0 && !stopped()) await waitForMessages();
      }
      await pauseFor(pause);
    }
  } catch (error) {
    if (!stopped() || !willPass(error)) throw error;
  } finally {
    await disconnect();
    await pool.end();
  }
}

main().catch((error) => {
  complain(error.stack);
  process.exitCode = 1;
}).then(() => process.exit()); // whatever a broker that hangs has left open
